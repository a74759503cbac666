//! What a channel remembers between calls, as the ledger offers it.
//!
//! Every write is fenced: once another worker holds the delivery, it fails with
//! [`BooksError::Fenced`] and the channel stops.

use crate::model::Digest;
use async_trait::async_trait;
use jiff::Timestamp;
use std::{error::Error, fmt, time::Duration};

/// Whose memory it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// This delivery's: its draft, its message id.
    Delivery,
    /// The channel's: uploaded pictures by digest, which every delivery may use again.
    Channel,
}

/// Why the books could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum BooksError {
    /// Another worker holds the delivery now.
    #[error("这条投递已由另一个进程接手")]
    Fenced,
    /// The database or blob store failed.
    #[error("读写台账失败")]
    Storage {
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

/// Over what time a quota counts; days and months are the platform's, in Asia/Shanghai.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum QuotaWindow {
    /// A minute.
    Minute,
    /// A calendar day.
    Day,
    /// A calendar month.
    Month,
}

/// Whether a call may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuotaAnswer {
    /// One was taken; `left` remain in this window.
    Taken {
        /// How many remain.
        left: u32,
    },
    /// None is left until then.
    Exhausted {
        /// When the next window begins.
        until: Timestamp,
    },
}

/// An access token, encrypted by the channel with a key derived from its secret, so that neither
/// the database nor a dump of it holds a usable token.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedToken {
    /// The encrypted token, base64.
    pub sealed: String,
    /// When it ends.
    pub expires_at: Timestamp,
    /// Counts up with every refresh, so that a process can tell whether the token that was
    /// refused is still the stored one.
    pub version: i64,
}

impl fmt::Debug for SealedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealedToken(v{}, until {})", self.version, self.expires_at)
    }
}

/// The books of one delivery (or, for `check` and callbacks, of one channel).
#[async_trait]
pub trait Books: Send + Sync {
    /// The ledger's clock.
    async fn now(&self) -> Result<Timestamp, BooksError>;

    /// What was written under `step`, if anything. Steps are paths such as `uploadimg/<sha256>`.
    async fn read(&self, scope: Scope, step: &str) -> Result<Option<String>, BooksError>;

    /// Writes under `step`, replacing what was there.
    async fn write(&self, scope: Scope, step: &str, value: &str) -> Result<(), BooksError>;

    /// Takes one call out of a quota, across all processes.
    async fn take_quota(
        &self,
        call: &str,
        window: QuotaWindow,
        limit: u32,
    ) -> Result<QuotaAnswer, BooksError>;

    /// How many calls the window has had.
    async fn quota_used(&self, call: &str, window: QuotaWindow) -> Result<u32, BooksError>;

    /// The token of an account, shared by all processes.
    async fn token(&self, account: &str) -> Result<Option<SealedToken>, BooksError>;

    /// Asks to be the one process that refreshes the token; `false` while another one does.
    async fn lease_token(&self, account: &str, length: Duration) -> Result<bool, BooksError>;

    /// Stores a refreshed token and ends the lease. Versions count up by themselves.
    async fn store_token(
        &self,
        account: &str,
        sealed: &str,
        expires_at: Timestamp,
    ) -> Result<SealedToken, BooksError>;

    /// The bytes of a file of the parcel; they have been checked against the digest.
    async fn file(&self, sha256: &Digest) -> Result<Vec<u8>, BooksError>;

    /// A labelled point was reached: logged, and where the crash tests stop a process.
    fn reached(&self, point: &'static str);
}
