//! A [`Source`] as `tough` wants it, behind what was verified before.

use super::{Source, SourceError};
use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};
use tough::Limits;
use url::Url;

/// The most that one file of metadata may have: 3,000 branches are about 1 MB of targets.
pub(super) const LIMITS: Limits = Limits {
    max_root_size: 256 << 10,
    max_targets_size: 8 << 20,
    max_timestamp_size: 64 << 10,
    max_snapshot_size: 256 << 10,
    max_root_updates: 256,
};

/// Where files come from, in this order.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) folder: Option<PathBuf>,
    pub(super) source: Option<Arc<dyn Source>>,
}

/// Files of one refresh by name.
pub(super) type Seen = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

/// A [`Source`] as `tough` wants it.
#[derive(Debug, Clone)]
pub(super) struct Transport {
    kept: Arc<Kept>,
    /// What was read, to be kept when it was verified.
    seen: Seen,
}

impl Transport {
    pub(super) fn new(kept: Kept) -> Self {
        Self { kept: Arc::new(kept), seen: Arc::default() }
    }

    /// What was read so far, by name.
    pub(super) fn seen(&self) -> BTreeMap<String, Vec<u8>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn bytes(&self, name: &str) -> Result<Option<Vec<u8>>, SourceError> {
        // `timestamp.json` changes under its name; every other file has its version in its name.
        let fixed = name != "timestamp.json" && !name.ends_with(".root.json");
        let on_disk = self.kept.folder.as_ref().map(|folder| folder.join(name));
        if let Some(path) = on_disk.filter(|_| fixed || self.kept.source.is_none())
            && let Ok(bytes) = fs::read(path)
        {
            return Ok(Some(bytes));
        }
        match &self.kept.source {
            Some(source) => source.metadata(name, limit_of(name)).await,
            None => Ok(None),
        }
    }
}

fn limit_of(name: &str) -> u64 {
    match name.rsplit_once('.').map_or(name, |(stem, _)| stem).rsplit('.').next() {
        Some("root") => LIMITS.max_root_size,
        Some("timestamp") => LIMITS.max_timestamp_size,
        Some("snapshot") => LIMITS.max_snapshot_size,
        _ => LIMITS.max_targets_size,
    }
}

#[async_trait::async_trait]
impl tough::Transport for Transport {
    async fn fetch(&self, url: Url) -> Result<tough::TransportStream, tough::TransportError> {
        use tough::{TransportError, TransportErrorKind};
        let name = url.path().rsplit('/').next().unwrap_or_default().to_owned();
        match self.bytes(&name).await {
            Ok(Some(bytes)) => {
                let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
                seen.insert(name, bytes.clone());
                let part = Ok(bytes::Bytes::from(bytes));
                Ok(Box::pin(futures_util::stream::iter([part])))
            }
            Ok(None) => Err(TransportError::new(TransportErrorKind::FileNotFound, url)),
            Err(error) => {
                Err(TransportError::new_with_cause(TransportErrorKind::Other, url, error))
            }
        }
    }
}
