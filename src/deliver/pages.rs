//! What a portal channel shows to guests.

use super::DeliverError;
use crate::model::{Audience, BranchId, Digest, LessonId, MediaType, OutputKind};
use async_trait::async_trait;

/// What guests see now, of a portal channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LivePages {
    /// The delivery's key.
    pub key: String,
    /// The last day of its window.
    pub until: String,
    /// Its files.
    pub files: Vec<LiveFile>,
}

/// One file that guests may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveFile {
    /// The lesson.
    pub lesson: Option<LessonId>,
    /// What it is.
    pub output: OutputKind,
    /// For whom.
    pub audience: Audience,
    /// The kind of gateway or of page, or the format.
    pub profile: Option<String>,
    /// The branch it carries.
    pub branch: Option<BranchId>,
    /// Its type.
    pub media_type: MediaType,
    /// Its digest.
    pub sha256: Digest,
    /// Its file name.
    pub name: String,
    /// Whether it is the page that its branch shows.
    pub is_main: bool,
}

/// A channel whose pages `caishi serve` shows to guests.
#[async_trait]
pub trait PortalPages: Send + Sync {
    /// What guests see now; `None` where nothing may be shown.
    async fn live_pages(&self) -> Result<Option<LivePages>, DeliverError>;

    /// The bytes of one of its files.
    async fn page_bytes(&self, sha256: &Digest) -> Result<Option<Vec<u8>>, DeliverError>;
}
