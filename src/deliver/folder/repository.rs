//! This adapter's requests to the storage: blobs, listings, the pointer.

use super::wire::{self, Pointer};
use crate::{
    deliver::{
        Books, DeliverError,
        storage::{Storage, StorageError, Uploaded, Version},
    },
    model::Listing,
};
use std::collections::BTreeSet;

impl Storage {
    /// Whether files are also laid out under their own names.
    pub(super) fn has_tree(&self) -> bool {
        self.folder().is_some_and(|(_, tree)| tree)
    }

    /// Writes the blobs that are absent.
    pub(super) async fn put_blobs(
        &self,
        files: &[Listing],
        books: &dyn Books,
    ) -> Result<Uploaded, DeliverError> {
        let named = files.iter().map(|file| (wire::blob_path(&file.sha256.to_string()), file));
        self.put_all(named.collect(), books, "folder/blob-written").await
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
        let mut digests = BTreeSet::new();
        for name in self.files_in("generations/").await? {
            let path = format!("generations/{name}");
            // Somebody else took it down in between.
            let Some(bytes) = self.read(&path).await? else { continue };
            let generation: wire::Generation = serde_json::from_slice(&bytes)
                .map_err(|error| StorageError::Garbled { path, reason: error.to_string() })?;
            digests.extend(generation.files.into_iter().map(|file| file.sha256));
        }
        Ok(digests)
    }
}
