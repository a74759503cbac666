//! How a repository stands on the far side: what the next publication starts from.

use super::{
    Catalogue, PacksError, Reader, Source, SourceError, TargetFile, TrustedView,
    catalogue::CATALOGUE, target_file,
};
use crate::model::Digest;
use futures_util::StreamExt as _;
use jiff::Timestamp;
use std::{collections::BTreeMap, sync::Arc};
use tough::schema::{Signed, Snapshot, Targets, Timestamp as TimestampRole};

/// The largest catalogue that is read back.
const CATALOGUE_LIMIT: u64 = 256 << 20;

/// What is published, verified.
#[derive(Debug, Clone)]
pub struct Standing {
    /// What the metadata says.
    pub view: TrustedView,
    /// The releases.
    pub catalogue: Catalogue,
    pub(super) timestamp_expires: Timestamp,
    pub(super) snapshot: Snapshot,
    pub(super) targets: Signed<Targets>,
    pub(super) emergency_version: u64,
}

impl Standing {
    /// Reads and verifies what is published; `None` where nothing is. Metadata that has run out
    /// counts: the next publication renews it.
    ///
    /// # Errors
    /// [`PacksError::Untrusted`] where somebody else wrote into the repository.
    pub async fn read(root: &[u8], source: Arc<dyn Source>) -> Result<Option<Self>, PacksError> {
        let Some(bytes) = source.metadata("timestamp.json", 64 << 10).await? else {
            return Ok(None);
        };
        let folder = tempfile::tempdir()
            .map_err(|source| PacksError::File { path: std::env::temp_dir(), source })?;
        let reader = Reader::enrol(folder.path(), root)?;
        let view = reader.refresh(Arc::clone(&source), Timestamp::MIN).await?;
        let timestamp: Signed<TimestampRole> = parse(&bytes)?;
        let snapshot: Signed<Snapshot> =
            metadata(&source, &format!("{}.snapshot.json", view.versions.snapshot)).await?;
        let targets: Signed<Targets> =
            metadata(&source, &format!("{}.targets.json", view.versions.targets)).await?;
        let emergency = snapshot.signed.meta.get("emergency.json");
        let catalogue = match view.targets.get(CATALOGUE) {
            Some(target) => {
                let bytes = fetch(&source, CATALOGUE, *target, CATALOGUE_LIMIT).await?;
                Catalogue::from_json(&bytes)?
            }
            None => Catalogue::default(),
        };
        Ok(Some(Self {
            catalogue,
            timestamp_expires: timestamp.signed.expires,
            emergency_version: emergency.map_or(0, |meta| meta.version.get()),
            snapshot: snapshot.signed,
            targets,
            view,
        }))
    }

    /// Every target with its digest, of both roles.
    pub(super) fn all_targets(&self) -> BTreeMap<String, TargetFile> {
        let both = self.view.targets.iter().chain(&self.view.emergency);
        both.map(|(name, target)| (target_file(&target.sha256, name), *target)).collect()
    }
}

fn parse<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, PacksError> {
    serde_json::from_slice(bytes).map_err(|error| PacksError::Index(error.to_string()))
}

async fn metadata<T: serde::de::DeserializeOwned>(
    source: &Arc<dyn Source>,
    name: &str,
) -> Result<T, PacksError> {
    let bytes = source.metadata(name, 8 << 20).await?;
    parse(&bytes.ok_or_else(|| SourceError::Missing(name.to_owned()))?)
}

/// A small target, whole and verified.
///
/// # Errors
/// [`PacksError::Untrusted`] where its bytes are not those that were signed.
pub(crate) async fn fetch(
    source: &Arc<dyn Source>,
    name: &str,
    target: TargetFile,
    limit: u64,
) -> Result<Vec<u8>, PacksError> {
    let too_long = || SourceError::TooLong { name: name.to_owned(), limit: target.bytes };
    if target.bytes > limit {
        return Err(SourceError::TooLong { name: name.to_owned(), limit }.into());
    }
    let mut body = source.target(&target_file(&target.sha256, name), 0).await?;
    let mut bytes = Vec::with_capacity(usize::try_from(target.bytes).unwrap_or_default());
    while let Some(part) = body.stream.next().await {
        bytes.extend_from_slice(&part?);
        if bytes.len() as u64 > target.bytes {
            return Err(too_long().into());
        }
    }
    if Digest::of(&bytes) == target.sha256 {
        Ok(bytes)
    } else {
        Err(PacksError::Untrusted {
            attack: super::Attack::Tampered,
            detail: format!("{name} 的摘要不对"),
        })
    }
}
