//! What went wrong, and what to do next.

use jiff::Timestamp;
use std::{error::Error, time::Duration};

/// What sort of failure it was; stored with every attempt and counted by metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The configuration cannot work.
    Configuration,
    /// Credentials or tokens were refused.
    Authentication,
    /// The account lacks the right.
    Permission,
    /// The far side refuses this content, or its limits would.
    Content,
    /// A quota is used up.
    Quota,
    /// Too many requests in a short time.
    RateLimited,
    /// Something that was there is gone: a draft, a material, a folder.
    NotFound,
    /// Somebody else changed the same thing.
    Conflict,
    /// The far side is busy or broken.
    Unavailable,
    /// The network failed, or the address may not be reached.
    Network,
    /// The answer could not be understood.
    Protocol,
    /// The local disk, database or blob store failed.
    Storage,
    /// Another worker has taken over: stop, and write nothing more.
    Fenced,
}

impl ErrorKind {
    /// The name in the ledger and in metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Authentication => "authentication",
            Self::Permission => "permission",
            Self::Content => "content",
            Self::Quota => "quota",
            Self::RateLimited => "rate-limited",
            Self::NotFound => "not-found",
            Self::Conflict => "conflict",
            Self::Unavailable => "unavailable",
            Self::Network => "network",
            Self::Protocol => "protocol",
            Self::Storage => "storage",
            Self::Fenced => "fenced",
        }
    }
}

/// What may be done after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Nothing happened and trying again would not help: a person must act.
    Never,
    /// Nothing happened; try again after so long, or longer.
    After(Duration),
    /// Nothing happened; try again at that moment: the next quota window.
    At(Timestamp),
    /// Nobody knows what happened: look (`probe`) before sending again.
    Ask,
}

/// A failure of a channel. The message is Chinese and names the thing; it never holds a secret.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct DeliverError {
    /// What sort of failure.
    pub kind: ErrorKind,
    /// What may be done.
    pub retry: Retry,
    /// The far side's own code: `45009`, `HTTP 503`.
    pub code: Option<String>,
    /// What happened, for people.
    pub message: String,
    /// What to do next, for people.
    pub next_step: String,
    /// What caused it.
    #[source]
    pub source: Option<Box<dyn Error + Send + Sync>>,
}

impl DeliverError {
    /// A failure without code and cause.
    pub fn new(
        kind: ErrorKind,
        retry: Retry,
        message: impl Into<String>,
        next_step: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            retry,
            code: None,
            message: message.into(),
            next_step: next_step.into(),
            source: None,
        }
    }

    /// With the far side's code.
    #[must_use]
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// With its cause.
    #[must_use]
    pub fn caused_by(mut self, source: impl Error + Send + Sync + 'static) -> Self {
        self.source = Some(Box::new(source));
        self
    }
}

impl From<super::BooksError> for DeliverError {
    fn from(error: super::BooksError) -> Self {
        let (kind, retry, next_step) = match &error {
            super::BooksError::Fenced => {
                (ErrorKind::Fenced, Retry::Never, "另一个进程已接手，本次不再继续")
            }
            super::BooksError::Storage { .. } => (
                ErrorKind::Storage,
                Retry::After(Duration::from_secs(10)),
                "请检查数据库和存储：caishi doctor",
            ),
        };
        Self::new(kind, retry, error.to_string(), next_step).caused_by(error)
    }
}
