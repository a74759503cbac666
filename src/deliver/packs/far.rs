//! The repository in its storage: read as a [`Source`], written in order.

use crate::{
    deliver::{
        DeliverError, ErrorKind, Retry,
        storage::{Effect, Storage, StorageError, Version},
    },
    packs::{Body, PacksError, Polled, Publication, Source, SourceError},
};
use async_trait::async_trait;
use futures_util::{StreamExt as _, stream};
use std::sync::Arc;

/// The path of the file that makes everything else count.
pub(super) const TIMESTAMP: &str = "metadata/timestamp.json";

/// How many versions of each metadata file stay: branches that are reading still find theirs.
const KEPT_VERSIONS: u64 = 48;

/// A repository's storage as something to read from.
#[derive(Debug, Clone)]
pub(super) struct Far(pub(super) Arc<Storage>);

fn broken(name: &str, error: &StorageError) -> SourceError {
    SourceError::Broken(format!("{name}：{error}"))
}

#[async_trait]
impl Source for Far {
    async fn metadata(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, SourceError> {
        let bytes = self.0.read(&format!("metadata/{name}")).await;
        let bytes = bytes.map_err(|error| broken(name, &error))?;
        match bytes {
            Some(bytes) if bytes.len() as u64 > limit => {
                Err(SourceError::TooLong { name: name.to_owned(), limit })
            }
            other => Ok(other),
        }
    }

    async fn poll(&self, _tag: Option<&str>) -> Result<Polled, SourceError> {
        Ok(Polled::Changed { tag: None })
    }

    async fn target(&self, file: &str, _offset: u64) -> Result<Body, SourceError> {
        let bytes = self.0.read(&format!("targets/{file}")).await;
        let bytes = bytes.map_err(|error| broken(file, &error))?;
        let bytes = bytes.ok_or_else(|| SourceError::Missing(file.to_owned()))?;
        Ok(Body { start: 0, stream: stream::iter([Ok(bytes.into())]).boxed() })
    }
}

/// Writes everything but the last file. May be repeated: nobody reads it yet.
pub(super) async fn write_before(
    storage: &Storage,
    publication: &Publication,
) -> Result<(), DeliverError> {
    let explain =
        |error: StorageError| error.explain("写签名文件", &storage.shown, Effect::Harmless);
    for (path, bytes) in publication.files.iter().filter(|(path, _)| path != TIMESTAMP) {
        storage.write(path, bytes.clone(), "application/json").await.map_err(explain)?;
    }
    Ok(())
}

/// Writes the last file, if nobody else has since.
pub(super) async fn write_last(
    storage: &Storage,
    publication: &Publication,
    version: &Version,
) -> Result<(), DeliverError> {
    let Some((path, bytes)) = publication.files.iter().find(|(path, _)| path == TIMESTAMP) else {
        return Ok(());
    };
    storage
        .replace(path, "metadata/.timestamp", bytes.clone(), version)
        .await
        .map_err(|error| error.explain("切换签名", &storage.shown, Effect::Pointer))
}

/// Deletes metadata that is far behind, and indexes that were replaced. What fails is no harm.
pub(super) async fn tidy(storage: &Storage, publication: &Publication) {
    let old = publication.files.iter().filter_map(|(path, _)| {
        let (version, name) = path.strip_prefix("metadata/")?.split_once('.')?;
        let old = version.parse::<u64>().ok()?.checked_sub(KEPT_VERSIONS)?;
        Some(format!("metadata/{old}.{name}"))
    });
    let replaced = publication.replaced.iter().map(|file| format!("targets/{file}"));
    drop(storage.delete(old.chain(replaced).collect()).await);
}

/// A fault of the repository as the ledger's worker understands it.
pub(super) fn explain(error: PacksError, shown: &str) -> DeliverError {
    let (kind, retry, next_step) = match &error {
        PacksError::Source(SourceError::Broken(_) | SourceError::Busy(_)) => (
            ErrorKind::Storage,
            Retry::After(std::time::Duration::from_secs(30)),
            "稍后自动再试；一直不行请运行 caishi doctor",
        ),
        PacksError::Untrusted { .. } | PacksError::Source(_) => (
            ErrorKind::Conflict,
            Retry::Never,
            "仓库里的文件被别人改过或缺了：请核对存放位置和 root.json，必要时换一个空的位置重新发布",
        ),
        PacksError::Key(_) | PacksError::Sign(_) => {
            (ErrorKind::Content, Retry::Never, "请核对 keys 文件夹：caishi keys show")
        }
        _ => (ErrorKind::Storage, Retry::Never, "请运行 caishi doctor"),
    };
    DeliverError::new(kind, retry, format!("{shown}：{error}"), next_step).caused_by(error)
}
