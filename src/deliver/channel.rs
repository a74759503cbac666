//! The trait that every way out implements.

use super::{Books, DeliverError, PortalPages, QuotaWindow};
use crate::{
    model::{
        BranchId, CampaignId, ChannelId, DeliveryKey, LessonId, Listing, Message, Receipt, Window,
    },
    packs::Source,
};
use async_trait::async_trait;
use jiff::Timestamp;
use std::{fmt, path::Path, sync::Arc, time::Duration};

/// How the far side can be kept from having the same thing twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deduplication {
    /// It drops a repeated key for so long after the first.
    Key(Duration),
    /// The same content has the same address: writing it again changes nothing.
    ContentAddress,
    /// It can be asked whether a delivery took effect.
    Probe,
    /// Not at all: at most once, and a person decides about the unknown.
    None,
}

/// Whether what went out can be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecallAbility {
    /// Wholly.
    Full,
    /// In part; what stays is said in plain Chinese.
    Partial(&'static str),
    /// Not at all; why is said in plain Chinese.
    None(&'static str),
}

/// What a channel can do. Callers ask first; they do not try and see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capability {
    /// How doubles are avoided.
    pub deduplication: Deduplication,
    /// Whether `commit` is only taken, and the last word comes later.
    pub asynchronous_confirmation: bool,
    /// What can be taken back.
    pub recall: RecallAbility,
    /// Whether `statistics` knows anything.
    pub statistics: bool,
    /// The longest that any one request may take; a lease must outlast it.
    pub max_request_time: Duration,
}

/// What is to be delivered: approved bytes, never anything else. Only `work` makes one, from a
/// manifest whose approvals were checked in the transaction that claimed the delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parcel {
    /// The idempotency key.
    pub key: DeliveryKey,
    /// The ledger's row, for logs and people.
    pub delivery: String,
    /// The campaign edition.
    pub campaign: CampaignId,
    /// The occurrence: schedule and slot, as text.
    pub occurrence: String,
    /// The moment it was due.
    pub slot: Timestamp,
    /// The account, group or repository.
    pub target: String,
    /// The approval number.
    pub number: String,
    /// The days on which it may be out.
    pub window: Window,
    /// The only branches that it goes to, sorted; `None` for every branch.
    pub branches: Option<Vec<BranchId>>,
    /// The files, sorted by path; read them with [`Books::file`].
    pub files: Vec<Listing>,
    /// The messages made of those files.
    pub messages: Vec<Message>,
}

/// What `prepare` left on the far side, as text that survives a restart: a draft's `media_id`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    /// Kept in the ledger and handed to `commit`.
    pub reference: String,
    /// What the author should know: what the platform changed, which pictures were converted.
    pub notes: Vec<String>,
}

/// What `commit` achieved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Commit {
    /// The far side took it and will say later how it ended: ask `confirm` with this reference.
    Accepted {
        /// `publish_id`, `msg_id`.
        remote_ref: String,
    },
    /// It is out.
    Done(Receipt),
}

/// What `confirm` learned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Confirmation {
    /// Not finished; ask again after so long.
    Pending(Duration),
    /// It is out.
    Published(Receipt),
    /// The far side refused or failed for good; nothing is out.
    Failed {
        /// The far side's code.
        code: String,
        /// What happened and what to do, in Chinese.
        reason: String,
    },
}

/// What `probe` learned about a `commit` whose end nobody saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// It took effect, and is out.
    Published(Receipt),
    /// It took effect, and its last word is awaited.
    Accepted {
        /// `publish_id`, `msg_id`.
        remote_ref: String,
    },
    /// It had no effect: it may be sent again.
    NotPublished,
    /// Still unknown; why, in Chinese.
    Unknown(String),
}

/// What `recall` achieved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recalled {
    /// Whether everything is down.
    pub complete: bool,
    /// What was taken down and what stays, in Chinese.
    pub detail: String,
}

/// One line of `caishi doctor`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Whether it is well.
    pub ok: bool,
    /// What was looked at and seen.
    pub what: String,
    /// What to do, where it is not well.
    pub next_step: Option<String>,
}

/// A number that the far side counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statistic {
    /// What was counted: `read_user`, `share_user`.
    pub name: String,
    /// How many.
    pub value: i64,
}

/// An HTTP request that came to `/hooks/<channel>`.
#[derive(Debug, Clone)]
pub struct HookRequest {
    /// `GET` or `POST`.
    pub method: String,
    /// The query, without `?`.
    pub query: String,
    /// The body.
    pub body: Vec<u8>,
}

/// What the far side told by a callback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteEvent {
    /// The same for every repetition of the callback.
    pub event_key: String,
    /// `publish_id`, `msg_id`, as given by [`Commit::Accepted`].
    pub remote_ref: String,
    /// What it told.
    pub confirmation: Confirmation,
}

/// The answer to a callback, and what was learned.
#[derive(Debug, Clone)]
pub struct HookReply {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: String,
    /// What was learned, in the order told.
    pub events: Vec<RemoteEvent>,
}

/// A repository of poster packs, as its readers see it.
#[derive(Debug, Clone)]
pub struct PackRepository<'c> {
    /// The root of trust.
    pub root: &'c [u8],
    /// Where it can be read.
    pub source: Arc<dyn Source>,
    /// Its folder, where it is on this machine: `caishi serve` offers it under `/packs`.
    pub folder: Option<&'c Path>,
}

/// How often a channel may send to its readers, by the far side's own limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendLimit {
    /// What is limited, in Chinese.
    pub what: &'static str,
    /// The call that takes from it.
    pub call: &'static str,
    /// Over what time it counts.
    pub window: QuotaWindow,
    /// So many in that time.
    pub times: u32,
    /// The hours in which it sends, `08:00–21:00`, where there are such.
    pub hours: Option<String>,
}

/// A channel to which the far side talks back.
#[async_trait]
pub trait Receiver: Send + Sync {
    /// Checks signature and encryption and tells what the request says. A forged request is
    /// answered with 401 or 403 and no events.
    async fn receive(&self, request: &HookRequest, now: Timestamp) -> HookReply;
}

/// A way out.
///
/// # Behaviour
/// - Never retries by itself and never sleeps; `work` does, from what the error says. (One token
///   refresh and the one repetition that follows it are part of a call.)
/// - A `200` with an error code inside is an error.
/// - Nothing that a method returns, logs or writes into the books holds a secret.
#[async_trait]
pub trait Channel: Send + Sync + fmt::Debug {
    /// Its name in the configuration.
    fn id(&self) -> &ChannelId;

    /// Whose memory it uses: channels over one account share its token, its quotas and its
    /// uploaded media.
    fn account(&self) -> ChannelId {
        self.id().clone()
    }

    /// What it can do.
    fn capability(&self) -> Capability;

    /// Whom it reaches: account, group, repository. Sorted; not empty.
    fn targets(&self) -> Vec<String>;

    /// What the far side would refuse about the parcel, without asking it: pure, complete, each
    /// in Chinese with what to do. Empty for a parcel that may be sent.
    fn preflight(&self, parcel: &Parcel) -> Vec<String>;

    /// What delivering one parcel takes out of which quota, in Chinese, for `caishi plan`.
    async fn quotas(&self, books: &dyn Books) -> Result<Vec<String>, DeliverError>;

    /// How often it may send; `None` where nothing limits it.
    fn send_limit(&self) -> Option<SendLimit> {
        None
    }

    /// Does only what delivery would do, needs no extra right and leaves nothing behind.
    async fn check(&self, books: &dyn Books) -> Vec<Finding>;

    /// Uploads and drafts. May be repeated: what was done is found in the books and not done
    /// again where it costs.
    async fn prepare(&self, parcel: &Parcel, books: &dyn Books) -> Result<Prepared, DeliverError>;

    /// The only irreversible call, made once per attempt. An error whose `retry` is not
    /// [`super::Retry::Ask`] promises that nothing happened.
    async fn commit(
        &self,
        parcel: &Parcel,
        prepared: &Prepared,
        books: &dyn Books,
    ) -> Result<Commit, DeliverError>;

    /// Asks how an accepted delivery ended. Read-only.
    async fn confirm(
        &self,
        parcel: &Parcel,
        remote_ref: &str,
        books: &dyn Books,
    ) -> Result<Confirmation, DeliverError>;

    /// Finds out whether a `commit` took effect whose end nobody saw. Read-only.
    async fn probe(
        &self,
        parcel: &Parcel,
        prepared: &Prepared,
        books: &dyn Books,
    ) -> Result<Probe, DeliverError>;

    /// Takes it down. May be repeated.
    async fn recall(
        &self,
        parcel: &Parcel,
        receipt: &Receipt,
        books: &dyn Books,
    ) -> Result<Recalled, DeliverError>;

    /// What people will see instead where the parcel is taken down, in Chinese, said beforehand;
    /// `None` where nothing takes its place. Read-only.
    async fn foretold(
        &self,
        _parcel: &Parcel,
        _books: &dyn Books,
    ) -> Result<Option<String>, DeliverError> {
        Ok(None)
    }

    /// Whether [`Channel::recall_lesson`] can take one lesson down and leave the others out.
    fn recalls_lessons(&self) -> bool {
        false
    }

    /// Takes down what one lesson has in it and leaves the rest out. May be repeated. `None`, and
    /// nothing done, where only the whole can be taken down.
    async fn recall_lesson(
        &self,
        _parcel: &Parcel,
        _receipt: &Receipt,
        _lesson: &LessonId,
        _books: &dyn Books,
    ) -> Result<Option<Recalled>, DeliverError> {
        Ok(None)
    }

    /// What the far side counted so far; empty where it counts nothing.
    async fn statistics(
        &self,
        _receipt: &Receipt,
        _books: &dyn Books,
    ) -> Result<Vec<Statistic>, DeliverError> {
        Ok(Vec::new())
    }

    /// The test readers that previews may go to, by the names of the configuration; empty where
    /// there is no such thing.
    fn test_readers(&self) -> Vec<String> {
        Vec::new()
    }

    /// Sends what was prepared to these test readers; where it went, in Chinese. `None` where
    /// there is no such thing.
    async fn preview(
        &self,
        _prepared: &Prepared,
        _readers: &[String],
        _books: &dyn Books,
    ) -> Result<Option<String>, DeliverError> {
        Ok(None)
    }

    /// What has to be done from time to time without a delivery, such as signing again what would
    /// run out. What was done, in Chinese; `None` where nothing was due.
    async fn tend(&self, _books: &dyn Books) -> Result<Option<String>, DeliverError> {
        Ok(None)
    }

    /// The pack repository that it publishes into, where it does.
    fn pack_repository(&self) -> Option<PackRepository<'_>> {
        None
    }

    /// The pages that it shows to guests, where it does.
    fn portal_pages(&self) -> Option<&dyn PortalPages> {
        None
    }

    /// The receiver of callbacks, where the far side talks back.
    fn receiver(&self) -> Option<&dyn Receiver> {
        None
    }
}
