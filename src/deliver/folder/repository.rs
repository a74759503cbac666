//! This adapter's requests to the storage: blobs, listings, the pointer.

use super::wire::{self, Pointer};
use crate::{
    deliver::{
        Books, DeliverError,
        storage::{Effect, Storage, StorageError, Version, absent_is_none, parallel},
    },
    model::{Digest, Listing},
};
use futures_util::{FutureExt as _, StreamExt as _, future::BoxFuture, stream};
use opendal::Operator;
use std::collections::{BTreeMap, BTreeSet};

/// What became of the blobs.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Uploaded {
    pub(super) written: usize,
    pub(super) bytes: u64,
    pub(super) present: usize,
}

impl Storage {
    /// Whether files are also laid out under their own names.
    pub(super) fn has_tree(&self) -> bool {
        self.folder().is_some_and(|(_, tree)| tree)
    }

    /// Writes the blobs that are absent, several at a time.
    pub(super) async fn put_blobs(
        &self,
        files: &[Listing],
        books: &dyn Books,
    ) -> Result<Uploaded, DeliverError> {
        let operator = self
            .operator()
            .map_err(|error| error.explain("打开", &self.shown, Effect::Harmless))?;
        let unique: BTreeMap<Digest, &Listing> =
            files.iter().map(|file| (file.sha256, file)).collect();
        let uploads: Vec<BoxFuture<'_, Result<(bool, u64), DeliverError>>> =
            unique.values().map(|file| self.put_blob(&operator, file, books).boxed()).collect();
        let mut uploads = stream::iter(uploads).buffer_unordered(parallel(&operator));
        let mut total = Uploaded::default();
        while let Some(upload) = uploads.next().await {
            let (written, bytes) = upload?;
            if written {
                total.written += 1;
                total.bytes += bytes;
            } else {
                total.present += 1;
            }
        }
        Ok(total)
    }

    /// Writes one blob unless it is there in full length: an upload that was cut off on a service
    /// without atomic writes leaves a shorter one.
    async fn put_blob(
        &self,
        operator: &Operator,
        file: &Listing,
        books: &dyn Books,
    ) -> Result<(bool, u64), DeliverError> {
        let explain = |error: StorageError| {
            error.explain(&format!("上传 {}", file.path), &self.shown, Effect::Harmless)
        };
        let path = wire::blob_path(&file.sha256.to_string());
        if self.size(operator, &path).await.map_err(explain)? == Some(file.bytes) {
            return Ok((false, file.bytes));
        }
        let bytes = books.file(&file.sha256).await?;
        self.write_with(operator, &path, bytes, file.media_type.as_str(), &Version::Unknown)
            .await
            .map_err(explain)?;
        books.reached("folder/blob-written");
        Ok((true, file.bytes))
    }

    /// The pointer of a series, and what to hold the next write against.
    pub(super) async fn read_pointer(
        &self,
        series: &str,
    ) -> Result<(Option<Pointer>, Version), StorageError> {
        let path = wire::pointer_path(series);
        let (bytes, version) = self.read_versioned(&path).await?;
        let Some(bytes) = bytes else { return Ok((None, version)) };
        let pointer = serde_json::from_slice(&bytes)
            .map_err(|error| StorageError::Garbled { path, reason: error.to_string() })?;
        Ok((Some(pointer), version))
    }

    /// Replaces the pointer of a series in one step.
    pub(super) async fn swap_pointer(
        &self,
        series: &str,
        pointer: &Pointer,
        read: &Version,
    ) -> Result<(), StorageError> {
        let beside = format!("current/.{series}");
        self.replace(&wire::pointer_path(series), &beside, wire::to_json(pointer), read).await
    }

    /// The digests that the listings of the repository name.
    pub(super) async fn referenced(&self) -> Result<BTreeSet<String>, StorageError> {
        let operator = self.operator()?;
        let folder = self.path("generations/");
        let entries =
            absent_is_none(self.within(operator.list(&folder)).await)?.unwrap_or_default();
        let mut digests = BTreeSet::new();
        for entry in entries.iter().filter(|entry| entry.metadata().is_file()) {
            let bytes = absent_is_none(self.within(operator.read(entry.path())).await)?;
            // Somebody else took it down in between.
            let Some(bytes) = bytes else { continue };
            let generation: wire::Generation =
                serde_json::from_slice(&bytes.to_vec()).map_err(|error| StorageError::Garbled {
                    path: entry.path().to_owned(),
                    reason: error.to_string(),
                })?;
            digests.extend(generation.files.into_iter().map(|file| file.sha256));
        }
        Ok(digests)
    }
}
