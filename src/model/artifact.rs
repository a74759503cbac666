//! What rendering makes.

use super::{Audience, BranchId, Digest, LayoutReport, LessonId, OutputKind};
use std::{fmt, path::PathBuf};

/// A finished output: exact bytes and what they are.
#[derive(Debug, Clone, PartialEq)]
pub struct Artifact {
    /// Path relative to the output folder.
    pub path: PathBuf,
    /// The lesson; `None` for outputs of the whole library, such as the hotline notice.
    pub lesson: Option<LessonId>,
    /// What it is.
    pub output: OutputKind,
    /// For whom.
    pub audience: Audience,
    /// The screen profile or paper format.
    pub profile: Option<String>,
    /// The branch it carries.
    pub branch: Option<BranchId>,
    /// The type of `bytes`.
    pub media_type: MediaType,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// What was measured, for outputs with a layout.
    pub layout: Option<LayoutReport>,
}

/// One line of the build's listing, `manifest.json`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listing {
    /// Path relative to the output folder, with forward slashes.
    pub path: String,
    /// The lesson.
    pub lesson: Option<LessonId>,
    /// What it is.
    pub output: OutputKind,
    /// For whom.
    pub audience: Audience,
    /// The screen profile or paper format.
    pub profile: Option<String>,
    /// The branch it carries.
    pub branch: Option<BranchId>,
    /// The file's type.
    pub media_type: MediaType,
    /// The file's size.
    pub bytes: u64,
    /// The file's digest.
    pub sha256: Digest,
}

/// The types of file that are read and made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MediaType {
    /// `image/svg+xml`
    Svg,
    /// `image/png`
    Png,
    /// `image/jpeg`
    Jpeg,
    /// `application/pdf`
    Pdf,
    /// `text/html; charset=utf-8`
    Html,
    /// `text/plain; charset=utf-8`
    Text,
    /// `application/json`
    Json,
    /// `application/zip`
    Zip,
}

impl MediaType {
    /// Every type.
    pub const ALL: &'static [Self] = &[
        Self::Svg,
        Self::Png,
        Self::Jpeg,
        Self::Pdf,
        Self::Html,
        Self::Text,
        Self::Json,
        Self::Zip,
    ];

    /// Reads the type's name.
    #[must_use]
    pub fn from_name(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|known| known.as_str() == text)
    }

    /// The type's name (RFC 9110 §8.3).
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Svg => "image/svg+xml",
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Pdf => "application/pdf",
            Self::Html => "text/html; charset=utf-8",
            Self::Text => "text/plain; charset=utf-8",
            Self::Json => "application/json",
            Self::Zip => "application/zip",
        }
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
