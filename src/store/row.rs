//! What the ledger's rows say, as the rest of the program sees them.

use crate::model::{
    BranchId, CampaignId, ChannelId, DeliveryKey, DeliveryState, Digest, LessonId, PersonId,
    ReviewStep, ScheduleId,
};
use jiff::Timestamp;
use std::time::Duration;

/// The deployment: which one it is, and whether it may send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    /// Random, made with the database.
    pub id: String,
    /// Counts up with every restore. The blob store holds the same pair; where they differ, the
    /// deployment was restored or cloned and starts held.
    pub generation: i64,
    /// Why nothing is sent, where it is held.
    pub hold: Option<Hold>,
}

/// The kill switch is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Who put it on; `system` after a restore.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Since when.
    pub at: Timestamp,
}

/// A submission: manifests, one per channel, that people approve together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// The approval number, such as `宣教审〔2026〕0001号`.
    pub number: String,
    /// The campaign edition.
    pub campaign: CampaignId,
    /// The lessons.
    pub lessons: Vec<LessonId>,
    /// Digest of everything that decides what is rendered; the same key keeps its number.
    pub plan_key: Digest,
    /// The blob that lists the frozen content: path → blob digest, canonical JSON.
    pub revision: Digest,
    /// Who submitted.
    pub author: PersonId,
    /// Everybody who may not approve: author and editors. Sorted.
    pub excluded: Vec<PersonId>,
    /// Why each of them may not, in Chinese, as it was when they submitted; several for one person.
    /// Empty for submissions of versions that did not say.
    pub reasons: Vec<(PersonId, String)>,
    /// The steps that must be approved.
    pub steps: Vec<ReviewStep>,
    /// Channel and manifest hash, sorted.
    pub manifests: Vec<(ChannelId, Digest)>,
    /// When.
    pub submitted_at: Timestamp,
}

/// What became of a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OccurrenceState {
    /// Its deliveries exist.
    Fired,
    /// A person must run or skip it.
    Held,
    /// It was skipped; why is said.
    Skipped,
    /// It could not be fired: not approved, changed since approval. Looked at again until its
    /// grace ends.
    Blocked,
}

impl OccurrenceState {
    /// For people.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Fired => "已投放",
            Self::Held => "等人决定",
            Self::Skipped => "已跳过",
            Self::Blocked => "没有发全",
        }
    }
}

/// One slot of a schedule, or one "now".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurrence {
    /// `{schedule}@{slot}` with the slot in UTC, such as `weekly@2026-11-30T00:00:00Z`.
    pub id: String,
    /// The schedule; for `publish`, the campaign with `publish-` before it.
    pub schedule: ScheduleId,
    /// What tells it apart from the schedule's others: the moment it is due, or of a slot that a
    /// person moved, the moment that the rule had.
    pub slot: Timestamp,
    /// The moment it is due.
    pub due: Timestamp,
    /// What became of it.
    pub state: OccurrenceState,
    /// Why, in Chinese, where it is not `Fired`.
    pub reason: String,
    /// The campaign edition.
    pub campaign: CampaignId,
    /// The lessons of this slot.
    pub lessons: Vec<LessonId>,
}

/// A delivery to be made, as it is first written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDelivery {
    /// The channel.
    pub channel: ChannelId,
    /// The target.
    pub target: String,
    /// The manifest.
    pub manifest: Digest,
    /// The idempotency key.
    pub key: DeliveryKey,
    /// When it may be claimed.
    pub next_at: Timestamp,
    /// When it is no longer of use: the end of the manifest's window.
    pub expires_at: Timestamp,
}

/// A delivery's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Short and stable, for people: `d` and twelve hexadecimal digits of the key.
    pub id: String,
    /// The occurrence.
    pub occurrence: String,
    /// The campaign edition, of the occurrence.
    pub campaign: CampaignId,
    /// The slot, of the occurrence.
    pub slot: Timestamp,
    /// The channel.
    pub channel: ChannelId,
    /// The target.
    pub target: String,
    /// The manifest.
    pub manifest: Digest,
    /// The idempotency key.
    pub key: DeliveryKey,
    /// How far it got.
    pub state: DeliveryState,
    /// How often the irreversible call was begun.
    pub attempt: u32,
    /// How often a step failed in a row; grows the pause before the next.
    pub failures: u32,
    /// Fences writes.
    pub epoch: i64,
    /// Who holds it.
    pub owner: Option<String>,
    /// Until when.
    pub lease_until: Option<Timestamp>,
    /// When it is next of interest.
    pub next_at: Timestamp,
    /// When it is no longer of use.
    pub expires_at: Timestamp,
    /// What `prepare` left on the far side.
    pub prepared_ref: Option<String>,
    /// The far side's name for what was sent.
    pub remote_ref: Option<String>,
    /// Where people can see it.
    pub url: Option<String>,
    /// The sort of the last failure.
    pub error_class: Option<String>,
    /// The last failure or remark, in Chinese.
    pub message: String,
    /// What to do next, in Chinese.
    pub next_step: String,
    /// When it reached its state.
    pub changed_at: Timestamp,
}

/// What a claim hands out: the row as it is now, held under a lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The row; `epoch` and `owner` are the claimer's.
    pub delivery: Delivery,
    /// When the lease ends.
    pub lease_until: Timestamp,
}

/// A fenced change of a claimed row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// The new state.
    pub state: DeliveryState,
    /// When it is next of interest.
    pub next_at: Timestamp,
    /// Whether the claim ends; otherwise the lease goes on, extended by so long.
    pub lease: Lease,
    /// Counts an attempt: for `Sending`.
    pub begins_attempt: bool,
    /// What becomes of the count of failures.
    pub failures: u32,
    /// Set where `Some`.
    pub prepared_ref: Option<String>,
    /// Set where `Some`.
    pub remote_ref: Option<String>,
    /// Set where `Some`.
    pub url: Option<String>,
    /// Replaces what was there.
    pub error_class: Option<String>,
    /// Replaces what was there.
    pub message: String,
    /// Replaces what was there.
    pub next_step: String,
}

/// What becomes of the lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lease {
    /// It ends: the row is free.
    Release,
    /// It runs for so long from now.
    Extend(Duration),
}

/// A line of `caishi show`: append-only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptLine {
    /// The delivery.
    pub delivery: String,
    /// The attempt's number at that time.
    pub attempt: u32,
    /// When.
    pub at: Timestamp,
    /// From which state.
    pub from: DeliveryState,
    /// To which state.
    pub to: DeliveryState,
    /// Who: a worker's name or a person.
    pub actor: String,
    /// What was said.
    pub message: String,
    /// The sort of failure, where it was one.
    pub error_class: Option<String>,
}

/// A row of the audit chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// Counts up from one, without gaps.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// A person, `system` or a worker.
    pub actor: String,
    /// What was done: `submit`, `approve`, `delivery.state`.
    pub action: String,
    /// To what.
    pub subject: String,
    /// Before, canonical JSON or empty.
    pub before: String,
    /// After.
    pub after: String,
    /// The hash of the row before.
    pub prev_hash: String,
    /// SHA-256 over all other fields.
    pub hash: String,
}

/// Which deliveries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeliveryFilter {
    /// Only this campaign edition's.
    pub campaign: Option<CampaignId>,
    /// Only this occurrence's.
    pub occurrence: Option<String>,
    /// Only this channel's.
    pub channel: Option<ChannelId>,
    /// Only these states'; empty for all.
    pub states: Vec<DeliveryState>,
    /// At most so many, newest slots first; 0 for all.
    pub limit: u32,
}

/// The machine that pulls a branch's packs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BranchDevice {
    /// The branch.
    pub branch: BranchId,
    /// Counts the machines that the branch has had.
    pub enrolment: i64,
    /// What it calls itself.
    pub machine: String,
    /// Its public key, 64 hexadecimal digits.
    pub public_key: String,
    /// When it was enrolled.
    pub enrolled_at: Timestamp,
    /// When its last report came.
    pub seen_at: Option<Timestamp>,
    /// Its last status, as it told it (JSON); empty before the first.
    pub status: String,
    /// The number of the last receipt that was taken.
    pub receipt_seq: i64,
    /// The digest of that receipt.
    pub receipt_hash: Digest,
    /// The number of the last confirmation that was taken.
    pub confirmation_number: i64,
}

/// A poster stood on a screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Display {
    /// The receipt's number.
    pub seq: i64,
    /// The screen.
    pub screen: String,
    /// The poster's digest.
    pub sha256: String,
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// The receipt's exact line.
    pub line: String,
}

/// Somebody said that something hangs, or hangs no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmation {
    /// The branch.
    pub branch: BranchId,
    /// The release: the delivery's key.
    pub key: Digest,
    /// The lesson; `None` for all of it.
    pub lesson: Option<String>,
    /// `posted` or `taken-down`.
    pub what: String,
    /// Who said so.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// A player that speaks Xibo's protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct XiboPlayer {
    /// Its own key, which it made up itself.
    pub hardware_key: String,
    /// What it calls itself.
    pub name: String,
    /// Its kind and version.
    pub client: String,
    /// The branch and screen that it was given; `None` while it waits.
    pub place: Option<(BranchId, String)>,
    /// When it last asked for something.
    pub seen_at: Timestamp,
    /// What it told last, in Chinese; empty before.
    pub status: String,
}
