//! What can be wrong with a repository, told apart by what somebody should do about it.

use super::SourceError;
use jiff::Timestamp;

/// A kind of attack that TUF names (TUF §1.5.2); from a fault of the head office it cannot be
/// told apart, and both keep the branch from changing anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Attack {
    /// A signature is missing or wrong, or bytes are not those that were signed.
    Tampered,
    /// Something older than what was already trusted.
    Rollback,
    /// Metadata that has run out: somebody keeps the branch from seeing newer.
    Freeze,
    /// Files that were never published together.
    MixAndMatch,
    /// More bytes than were signed or may be.
    EndlessData,
}

impl Attack {
    /// What it is called in logs and for people.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Tampered => "签名或内容不对",
            Self::Rollback => "版本倒退",
            Self::Freeze => "签名已过期",
            Self::MixAndMatch => "几个文件不是同一次发布的",
            Self::EndlessData => "数据超长",
        }
    }
}

/// Why a repository could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum PacksError {
    /// The far side could not be reached, or stopped in the middle.
    #[error("{0}")]
    Source(#[from] SourceError),
    /// The metadata may not be trusted.
    #[error("海报仓库不可信（{}）：{detail}；一切照旧，没有改动。请告诉总行检查仓库和网络", .attack.label())]
    Untrusted {
        /// What it looks like.
        attack: Attack,
        /// What was seen.
        detail: String,
    },
    /// Metadata that has run out.
    #[error(
        "海报仓库的 {role} 签名在 {at} 过期；一切照旧，不取新内容。请总行运行 caishi packs refresh，并查网点到总行的线路"
    )]
    Expired {
        /// The role.
        role: String,
        /// When.
        at: Timestamp,
    },
    /// An index does not say what an index says.
    #[error("网点清单读不懂：{0}")]
    Index(String),
    /// A key cannot be read or does not belong to its role.
    #[error("{0}")]
    Key(String),
    /// The metadata of a repository cannot be signed or built.
    #[error("签名没有做成：{0}")]
    Sign(String),
    /// A file of this machine.
    #[error("{path}：{source}；请检查磁盘空间和权限", path = .path.display())]
    File {
        /// Which.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl PacksError {
    /// The attack that it looks like, if it looks like one.
    #[must_use]
    pub fn attack(&self) -> Option<Attack> {
        match self {
            Self::Untrusted { attack, .. } => Some(*attack),
            Self::Expired { .. } => Some(Attack::Freeze),
            Self::Source(SourceError::TooLong { .. }) => Some(Attack::EndlessData),
            _ => None,
        }
    }
}

impl From<tough::error::Error> for PacksError {
    fn from(error: tough::error::Error) -> Self {
        use tough::error::Error as Tough;
        let attack = match &error {
            Tough::OlderMetadata { .. }
            | Tough::OlderSnapshotInTimestamp { .. }
            | Tough::SnapshotRoleRollback { .. }
            | Tough::SnapshotRoleMissing { .. } => Attack::Rollback,
            Tough::VersionMismatch { .. } | Tough::MetaMissing { .. } => Attack::MixAndMatch,
            Tough::MaxSizeExceeded { .. } | Tough::MaxUpdatesExceeded { .. } => Attack::EndlessData,
            Tough::ExpiredMetadata { .. } => Attack::Freeze,
            Tough::Transport { source, .. } => return of_transport(source, &error),
            _ => Attack::Tampered,
        };
        Self::Untrusted { attack, detail: error.to_string() }
    }
}

/// Our own transport wraps the source's error; what tough's checks on the stream found is wrapped
/// the same way.
fn of_transport(transport: &tough::TransportError, error: &tough::error::Error) -> PacksError {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(transport);
    while let Some(this) = cause {
        if let Some(source) = this.downcast_ref::<SourceError>() {
            return PacksError::Source(source.clone());
        }
        if let Some(inner) = this.downcast_ref::<tough::error::Error>() {
            let attack = match inner {
                tough::error::Error::MaxSizeExceeded { .. } => Attack::EndlessData,
                _ => Attack::MixAndMatch,
            };
            return PacksError::Untrusted { attack, detail: inner.to_string() };
        }
        cause = this.source();
    }
    let missing = transport.kind() == tough::TransportErrorKind::FileNotFound;
    let attack = if missing { Attack::MixAndMatch } else { Attack::Tampered };
    PacksError::Untrusted { attack, detail: format!("{error}：{transport}") }
}
