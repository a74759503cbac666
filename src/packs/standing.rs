//! How a repository stands on the far side: what the next publication starts from.

use super::{
    Body, Catalogue, PacksError, Polled, Source, SourceError, TargetFile, TrustedView,
    catalogue::CATALOGUE, read::verify, root, target_file,
};
use crate::model::Digest;
use async_trait::async_trait;
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
        if source.metadata("timestamp.json", 64 << 10).await?.is_none() {
            return Ok(None);
        }
        let (view, files) = match verify(root, Arc::clone(&source)).await {
            Err(PacksError::Untrusted { .. }) if root::summary(root)?.version > 1 => {
                // Keys were replaced: what stands was still signed under the root before.
                let (before, hidden) = previous_root(root, &source).await?;
                verify(&before, hidden).await?
            }
            other => other?,
        };
        let file =
            |name: &str| files.get(name).ok_or_else(|| SourceError::Missing(name.to_owned()));
        let timestamp: Signed<TimestampRole> = parse(file("timestamp.json")?)?;
        let snapshot: Signed<Snapshot> =
            parse(file(&format!("{}.snapshot.json", view.versions.snapshot))?)?;
        let targets: Signed<Targets> =
            parse(file(&format!("{}.targets.json", view.versions.targets))?)?;
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

/// The root before this one, and the source as it was under it. Only a root that is signed by
/// enough of its own keys, and whose keys signed this one, is believed.
async fn previous_root(
    root: &[u8],
    source: &Arc<dyn Source>,
) -> Result<(Vec<u8>, Arc<dyn Source>), PacksError> {
    let version = root::summary(root)?.version;
    let name = format!("{}.root.json", version - 1);
    let before = source.metadata(&name, 256 << 10).await?;
    let before = before.ok_or(SourceError::Missing(name))?;
    root::check(&before)?;
    root::check_successor(&before, root)?;
    let hidden = Hidden { name: format!("{version}.root.json"), source: Arc::clone(source) };
    Ok((before, Arc::new(hidden)))
}

/// A source without one file.
#[derive(Debug)]
struct Hidden {
    name: String,
    source: Arc<dyn Source>,
}

#[async_trait]
impl Source for Hidden {
    async fn metadata(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, SourceError> {
        if name == self.name { Ok(None) } else { self.source.metadata(name, limit).await }
    }

    async fn poll(&self, tag: Option<&str>) -> Result<Polled, SourceError> {
        self.source.poll(tag).await
    }

    async fn target(&self, file: &str, offset: u64) -> Result<Body, SourceError> {
        self.source.target(file, offset).await
    }
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
