//! The requests to the storage: blobs, listings, the pointer.

use super::{
    error::{Effect, StorageError},
    wire::{self, Pointer},
};
use crate::{
    deliver::{Books, DeliverError},
    model::{Digest, Listing},
};
use futures_util::{FutureExt as _, StreamExt as _, future::BoxFuture, stream};
use opendal::{Operator, services};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::PathBuf,
    time::Duration,
};

/// How many blobs are sent at a time.
const PARALLEL: usize = 8;

/// How many requests this kind of store may have at a time. Apache's mod_dav_fs, with threads,
/// answers some of several writes into a folder that is just being made with 403.
fn parallel(operator: &Operator) -> usize {
    if operator.info().scheme() == opendal::services::WEBDAV_SCHEME { 1 } else { PARALLEL }
}

/// Where a repository is.
pub(super) enum Place {
    /// A folder of this machine.
    Folder {
        /// Which.
        root: PathBuf,
        /// Whether files are also laid out under their own names.
        tree: bool,
    },
    /// A service.
    Remote {
        /// With its credentials.
        operator: Operator,
        /// How the pointer is replaced.
        swap: Swap,
        /// What every path begins with: empty, or ending in `/`.
        prefix: String,
        /// Whether the first delivery makes the root: folders yes, buckets no.
        makes_root: bool,
    },
}

/// How a small file is replaced so that readers see the old one or the new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Swap {
    /// The service writes whole files or nothing.
    Whole,
    /// As `Whole`, and only if nobody else changed it since it was read (S3 `If-Match`).
    Conditional,
    /// Written beside it, then renamed onto it (SFTP).
    Rename,
}

/// A repository.
pub(super) struct Repository {
    pub(super) place: Place,
    /// The place for people, without secrets.
    pub(super) shown: String,
    /// The longest that one request may take.
    pub(super) timeout: Duration,
}

impl fmt::Debug for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Repository").field("shown", &self.shown).finish_non_exhaustive()
    }
}

/// What the pointer file was when it was read.
pub(super) enum Version {
    /// Not there.
    Absent,
    /// There, with this entity tag.
    Tagged(String),
    /// There, and nothing to tell versions apart by.
    Unknown,
}

/// What became of the blobs.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Uploaded {
    pub(super) written: usize,
    pub(super) bytes: u64,
    pub(super) present: usize,
}

impl Repository {
    /// The folder, where the repository is one.
    pub(super) fn folder(&self) -> Option<(&PathBuf, bool)> {
        match &self.place {
            Place::Folder { root, tree } => Some((root, *tree)),
            Place::Remote { .. } => None,
        }
    }

    /// Whether files are also laid out under their own names.
    pub(super) fn has_tree(&self) -> bool {
        self.folder().is_some_and(|(_, tree)| tree)
    }

    /// The operator. A folder's is made when it is needed, because making it makes the folder.
    pub(super) fn operator(&self) -> Result<Operator, StorageError> {
        match &self.place {
            Place::Remote { operator, .. } => Ok(operator.clone()),
            Place::Folder { root, .. } => {
                let incoming = root.join(".incoming");
                let builder = services::Fs::default()
                    .root(&root.to_string_lossy())
                    .atomic_write_dir(&incoming.to_string_lossy());
                Ok(Operator::new(builder)?)
            }
        }
    }

    /// Whether there is nothing that could be read: a folder that has not been made yet.
    fn is_missing(&self) -> bool {
        self.folder().is_some_and(|(root, _)| !root.exists())
    }

    /// The path within the service.
    pub(super) fn path(&self, path: &str) -> String {
        match &self.place {
            Place::Folder { .. } => path.to_owned(),
            Place::Remote { prefix, .. } => format!("{prefix}{path}"),
        }
    }

    /// Runs one request, at most for the time that one may take.
    async fn within<T>(
        &self,
        request: impl Future<Output = opendal::Result<T>>,
    ) -> Result<T, StorageError> {
        match tokio::time::timeout(self.timeout, request).await {
            Ok(answer) => Ok(answer?),
            Err(_) => Err(StorageError::Timeout(self.timeout.as_secs())),
        }
    }

    /// The bytes of a file, where it is there.
    pub(super) async fn read(&self, path: &str) -> Result<Option<Vec<u8>>, StorageError> {
        if self.is_missing() {
            return Ok(None);
        }
        let operator = self.operator()?;
        let path = self.path(path);
        absent_is_none(self.within(operator.read(&path)).await.map(|bytes| bytes.to_vec()))
    }

    /// The size of a file, where it is there.
    async fn size(&self, operator: &Operator, path: &str) -> Result<Option<u64>, StorageError> {
        let path = self.path(path);
        let stat = self.within(operator.stat(&path)).await;
        Ok(absent_is_none(stat)?.map(|metadata| metadata.content_length()))
    }

    /// Writes a file that nobody reads yet.
    pub(super) async fn write(
        &self,
        path: &str,
        bytes: Vec<u8>,
        media_type: &str,
    ) -> Result<(), StorageError> {
        let operator = self.operator()?;
        self.write_with(&operator, path, bytes, media_type, &Version::Unknown).await
    }

    async fn write_with(
        &self,
        operator: &Operator,
        path: &str,
        bytes: Vec<u8>,
        media_type: &str,
        condition: &Version,
    ) -> Result<(), StorageError> {
        let can_type = operator.info().capability().write_with_content_type;
        let options = opendal::options::WriteOptions {
            content_type: can_type.then(|| media_type.to_owned()),
            if_match: match condition {
                Version::Tagged(tag) => Some(tag.clone()),
                Version::Absent | Version::Unknown => None,
            },
            if_not_exists: matches!(condition, Version::Absent),
            ..Default::default()
        };
        let path = self.path(path);
        self.within(operator.write_options(&path, bytes, options)).await?;
        Ok(())
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
        if self.is_missing() {
            return Ok((None, Version::Absent));
        }
        let operator = self.operator()?;
        let path = wire::pointer_path(series);
        let full_path = self.path(&path);
        let conditional = matches!(self.place, Place::Remote { swap: Swap::Conditional, .. });
        let mut tag = None;
        if conditional {
            let stat = absent_is_none(self.within(operator.stat(&full_path)).await)?;
            let Some(metadata) = stat else { return Ok((None, Version::Absent)) };
            tag = metadata.etag().map(str::to_owned);
        }
        let options = opendal::options::ReadOptions { if_match: tag.clone(), ..Default::default() };
        let bytes = absent_is_none(self.within(operator.read_options(&full_path, options)).await)?;
        let Some(bytes) = bytes else { return Ok((None, Version::Unknown)) };
        let pointer = serde_json::from_slice(&bytes.to_vec())
            .map_err(|error| StorageError::Garbled { path, reason: error.to_string() })?;
        Ok((Some(pointer), tag.map_or(Version::Unknown, Version::Tagged)))
    }

    /// Replaces the pointer of a series in one step.
    pub(super) async fn swap_pointer(
        &self,
        series: &str,
        pointer: &Pointer,
        read: &Version,
    ) -> Result<(), StorageError> {
        let operator = self.operator()?;
        let path = wire::pointer_path(series);
        let bytes = wire::to_json(pointer);
        let swap = match &self.place {
            Place::Folder { .. } => Swap::Whole,
            Place::Remote { swap, .. } => *swap,
        };
        match swap {
            Swap::Conditional => {
                self.write_with(&operator, &path, bytes, "application/json", read).await
            }
            Swap::Whole => self.write(&path, bytes, "application/json").await,
            Swap::Rename => {
                // Named after its content: two writers never write into the same file.
                let beside = format!("current/.{series}.{}", Digest::of(&bytes));
                self.write(&beside, bytes, "application/json").await?;
                let (from, to) = (self.path(&beside), self.path(&path));
                self.within(operator.rename(&from, &to)).await
            }
        }
    }

    /// Deletes files; those that are not there count as deleted.
    pub(super) async fn delete(&self, paths: Vec<String>) -> Result<(), StorageError> {
        let operator = self.operator()?;
        let deletions: Vec<BoxFuture<'_, Result<(), StorageError>>> = paths
            .into_iter()
            .map(|path| {
                let operator = operator.clone();
                let path = self.path(&path);
                async move {
                    let deletion = self.within(operator.delete(&path)).await;
                    absent_is_none(deletion).map(|_| ())
                }
                .boxed()
            })
            .collect();
        let mut deletions = stream::iter(deletions).buffer_unordered(parallel(&operator));
        while let Some(deletion) = deletions.next().await {
            deletion?;
        }
        Ok(())
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

    /// Looks whether the place can be reached and read; writes nothing. `false` where it is not
    /// there yet and the first delivery will make it.
    pub(super) async fn look(&self) -> Result<bool, StorageError> {
        if self.is_missing() {
            return Ok(false);
        }
        let operator = self.operator()?;
        let prefix = self.path("");
        let folder = if prefix.is_empty() { "/" } else { &prefix };
        if self.makes_root() && !prefix.is_empty() {
            // Listing a folder that is not there lists nothing on some services.
            let stat = self.within(operator.stat(folder)).await;
            if absent_is_none(stat)?.is_none() {
                return Ok(false);
            }
        }
        let options = opendal::options::ListOptions { limit: Some(1), ..Default::default() };
        self.within(operator.list_options(folder, options)).await?;
        Ok(true)
    }

    fn makes_root(&self) -> bool {
        match &self.place {
            Place::Folder { .. } => true,
            Place::Remote { makes_root, .. } => *makes_root,
        }
    }
}

fn absent_is_none<T>(answer: Result<T, StorageError>) -> Result<Option<T>, StorageError> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_absent() => Ok(None),
        Err(error) => Err(error),
    }
}
