//! Places that hold files: a folder, S3, WebDAV, SFTP. Adapters that publish files share it.
//!
//! One small file may be replaced so that readers see the old one or the new one
//! ([`Storage::replace`]); everything else is written once, under a name of its own.

mod config;
mod error;
mod lock;
mod put;

pub(super) use config::{S3Settings, SftpSettings, StorageSettings, WebDavSettings};
pub use error::{Effect, StorageError};
pub(super) use lock::{Lock, off_thread};
pub(super) use put::Uploaded;

use crate::model::Digest;
use futures_util::{FutureExt as _, StreamExt as _, future::BoxFuture, stream};
use opendal::{Operator, services};
use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

/// How many blobs are sent at a time.
const PARALLEL: usize = 8;

/// How many requests this kind of store may have at a time. Apache's mod_dav_fs, with threads,
/// answers some of several writes into a folder that is just being made with 403.
pub(in crate::deliver) fn parallel(operator: &Operator) -> usize {
    if operator.info().scheme() == opendal::services::WEBDAV_SCHEME { 1 } else { PARALLEL }
}

/// Where files are kept.
pub(in crate::deliver) enum Place {
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
pub(in crate::deliver) enum Swap {
    /// The service writes whole files or nothing.
    Whole,
    /// As `Whole`, and only if nobody else changed it since it was read (S3 `If-Match`).
    Conditional,
    /// Written beside it, then renamed onto it (SFTP).
    Rename,
}

/// A place for files.
pub(in crate::deliver) struct Storage {
    pub(in crate::deliver) place: Place,
    /// The place for people, without secrets.
    pub(in crate::deliver) shown: String,
    /// The longest that one request may take.
    pub(in crate::deliver) timeout: Duration,
}

impl fmt::Debug for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Storage").field("shown", &self.shown).finish_non_exhaustive()
    }
}

/// What the pointer file was when it was read.
pub(in crate::deliver) enum Version {
    /// Not there.
    Absent,
    /// There, with this entity tag.
    Tagged(String),
    /// There, and nothing to tell versions apart by.
    Unknown,
}

impl Storage {
    /// The folder, where the repository is one.
    pub(in crate::deliver) fn folder(&self) -> Option<(&PathBuf, bool)> {
        match &self.place {
            Place::Folder { root, tree } => Some((root, *tree)),
            Place::Remote { .. } => None,
        }
    }

    /// The operator. A folder's is made when it is needed, because making it makes the folder.
    pub(in crate::deliver) fn operator(&self) -> Result<Operator, StorageError> {
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
    pub(in crate::deliver) fn is_missing(&self) -> bool {
        self.folder().is_some_and(|(root, _)| !root.exists())
    }

    /// The path within the service.
    pub(in crate::deliver) fn path(&self, path: &str) -> String {
        match &self.place {
            Place::Folder { .. } => path.to_owned(),
            Place::Remote { prefix, .. } => format!("{prefix}{path}"),
        }
    }

    /// Runs one request, at most for the time that one may take.
    pub(in crate::deliver) async fn within<T>(
        &self,
        request: impl Future<Output = opendal::Result<T>>,
    ) -> Result<T, StorageError> {
        match tokio::time::timeout(self.timeout, request).await {
            Ok(answer) => Ok(answer?),
            Err(_) => Err(StorageError::Timeout(self.timeout.as_secs())),
        }
    }

    /// The bytes of a file, where it is there.
    pub(in crate::deliver) async fn read(
        &self,
        path: &str,
    ) -> Result<Option<Vec<u8>>, StorageError> {
        if self.is_missing() {
            return Ok(None);
        }
        let operator = self.operator()?;
        let path = self.path(path);
        absent_is_none(self.within(operator.read(&path)).await.map(|bytes| bytes.to_vec()))
    }

    /// The size of a file, where it is there.
    pub(in crate::deliver) async fn size(
        &self,
        operator: &Operator,
        path: &str,
    ) -> Result<Option<u64>, StorageError> {
        let path = self.path(path);
        let stat = self.within(operator.stat(&path)).await;
        Ok(absent_is_none(stat)?.map(|metadata| metadata.content_length()))
    }

    /// Writes a file that nobody reads yet.
    pub(in crate::deliver) async fn write(
        &self,
        path: &str,
        bytes: Vec<u8>,
        media_type: &str,
    ) -> Result<(), StorageError> {
        let operator = self.operator()?;
        self.write_with(&operator, path, bytes, media_type, &Version::Unknown).await
    }

    pub(in crate::deliver) async fn write_with(
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

    /// The bytes of a file that is going to be replaced, and what to hold the replacement
    /// against.
    pub(in crate::deliver) async fn read_versioned(
        &self,
        path: &str,
    ) -> Result<(Option<Vec<u8>>, Version), StorageError> {
        if self.is_missing() {
            return Ok((None, Version::Absent));
        }
        let operator = self.operator()?;
        let full_path = self.path(path);
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
        Ok((Some(bytes.to_vec()), tag.map_or(Version::Unknown, Version::Tagged)))
    }

    /// Replaces a small JSON file in one step. `beside` is the folder and the beginning of the
    /// name under which it is first written, where the service cannot replace files whole.
    pub(in crate::deliver) async fn replace(
        &self,
        path: &str,
        beside: &str,
        bytes: Vec<u8>,
        read: &Version,
    ) -> Result<(), StorageError> {
        let operator = self.operator()?;
        let swap = match &self.place {
            Place::Folder { .. } => Swap::Whole,
            Place::Remote { swap, .. } => *swap,
        };
        match swap {
            Swap::Conditional => {
                self.write_with(&operator, path, bytes, "application/json", read).await
            }
            Swap::Whole => self.write(path, bytes, "application/json").await,
            Swap::Rename => {
                // Named after its content: two writers never write into the same file.
                let beside = format!("{beside}.{}", Digest::of(&bytes));
                self.write(&beside, bytes, "application/json").await?;
                let (from, to) = (self.path(&beside), self.path(path));
                self.within(operator.rename(&from, &to)).await
            }
        }
    }

    /// Writes a file that is read meanwhile: readers see the old one or the new one. `beside` is the
    /// beginning of the name under which it is first written, where the service writes in pieces.
    pub(in crate::deliver) async fn put_whole(
        &self,
        path: &str,
        beside: &str,
        bytes: Vec<u8>,
        media_type: &str,
    ) -> Result<(), StorageError> {
        if !matches!(self.place, Place::Remote { swap: Swap::Rename, .. }) {
            return self.write(path, bytes, media_type).await;
        }
        // Two names may have the same content: each has its own beside it.
        let beside = format!("{beside}.{}", &Digest::of(path.as_bytes()).to_string()[..16]);
        self.write(&beside, bytes, media_type).await?;
        let operator = self.operator()?;
        // Renaming makes no folder; writing does.
        let (from, to) = (self.path(&beside), self.path(path));
        if let Some((folder, _)) = to.rsplit_once('/') {
            self.within(operator.create_dir(&format!("{folder}/"))).await?;
        }
        self.within(operator.rename(&from, &to)).await
    }

    /// Deletes files; those that are not there count as deleted.
    pub(in crate::deliver) async fn delete(&self, paths: Vec<String>) -> Result<(), StorageError> {
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

    /// Looks whether the place can be reached and read; writes nothing. `false` where it is not
    /// there yet and the first delivery will make it.
    pub(in crate::deliver) async fn look(&self) -> Result<bool, StorageError> {
        if self.is_missing() {
            return Ok(false);
        }
        if let Some((root, _)) = self.folder() {
            let root = root.clone();
            return off_thread(move || fs::read_dir(root)?.next().transpose()).await.map(|_| true);
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

    /// The names of the files that lie directly in a folder, which ends in `/`; none where there is
    /// no such folder. Links are no files: nothing here makes one among files, and the service
    /// behind `operator` takes them for neither files nor folders.
    pub(in crate::deliver) async fn files_in(
        &self,
        folder: &str,
    ) -> Result<Vec<String>, StorageError> {
        if let Some((root, _)) = self.folder() {
            let folder = root.join(folder);
            return absent_is_none(off_thread(move || names_of_files(&folder)).await)
                .map(Option::unwrap_or_default);
        }
        let operator = self.operator()?;
        let folder = self.path(folder);
        let listed = absent_is_none(self.within(operator.list(&folder)).await)?.unwrap_or_default();
        let files = listed.iter().filter(|entry| entry.metadata().is_file());
        Ok(files.map(|entry| entry.name().to_owned()).collect())
    }

    fn makes_root(&self) -> bool {
        match &self.place {
            Place::Folder { .. } => true,
            Place::Remote { makes_root, .. } => *makes_root,
        }
    }
}

fn names_of_files(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

pub(in crate::deliver) fn absent_is_none<T>(
    answer: Result<T, StorageError>,
) -> Result<Option<T>, StorageError> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_absent() => Ok(None),
        Err(error) => Err(error),
    }
}
