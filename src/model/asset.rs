//! Pictures, with the facts that must travel with them.

use super::{Digest, MediaType, SourceFile, Span};
use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

/// A picture and its entry in `assets.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    /// The file name by which lessons call it.
    pub file: String,
    /// The path relative to the content folder.
    pub path: PathBuf,
    /// What the picture shows, for those who cannot see it.
    pub alt: String,
    /// Who drew it.
    pub author: String,
    /// The licence, an SPDX identifier where there is one.
    pub licence: String,
    /// Where it comes from.
    pub source: String,
    /// Tags such as `object`, `icon`, `rmb`.
    pub tags: Vec<String>,
    /// SVG, PNG or JPEG.
    pub media_type: MediaType,
    /// The bytes.
    pub bytes: Arc<[u8]>,
    /// Their digest.
    pub digest: Digest,
    /// The `assets.toml` that has its entry.
    pub listed_in: Arc<SourceFile>,
    /// The entry.
    pub entry: Span,
}

/// The pictures of one folder, by file name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AssetSet {
    /// By file name.
    pub by_file: BTreeMap<String, Asset>,
}

impl AssetSet {
    /// The picture of that file name.
    #[must_use]
    pub fn get(&self, file: &str) -> Option<&Asset> {
        self.by_file.get(file)
    }
}
