//! What a branch keeps, in one folder:
//!
//! ```text
//! trust/                the verified metadata (packs::Reader)
//! index/                the indexes that it goes by
//! objects/<sha256>      verified files
//! incoming/<sha256>     files on their way
//! quarantine/           what came whole and was wrong; a few
//! people/               zips and prints for people, by name
//! receipts/  confirmed/ what the head office has not acknowledged yet
//! log/                  at most 1 MB
//! clock                 the latest time known
//! ```
//!
//! It can be deleted at any time: the next pull fetches everything again. Only what the head
//! office has not acknowledged would be lost, and the latest time known.

use super::{
    clock::{BranchClock, Wall},
    disk,
    error::{BranchError, at},
    objects::Objects,
    shelf::{Shelf, Shown},
};
use crate::model::{BranchId, Digest, OutputKind, PackEntry, PackIndex, PackRelease};
use jiff::Timestamp;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

/// The state folder of a branch, opened.
#[derive(Debug)]
pub struct BranchState {
    /// Where it is.
    pub root: PathBuf,
    /// The branch.
    pub branch: BranchId,
    /// Its clock.
    pub clock: BranchClock,
    /// Its verified files.
    pub objects: Objects,
    /// Its indexes.
    pub shelf: Shelf,
}

/// Keeps other processes out for as long as it lives; the system lets go of it even after kill -9.
#[derive(Debug)]
pub struct Lock {
    _file: fs::File,
}

/// What only one process may do at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    /// Fetching and deleting files.
    Pulling,
    /// Playing, and writing receipts.
    Playing,
    /// The service with its connection to the head office.
    Serving,
}

impl BranchState {
    /// Opens the folder, and makes what is not there yet.
    ///
    /// # Errors
    /// [`BranchError::File`].
    pub fn open(root: &Path, branch: BranchId, wall: Arc<dyn Wall>) -> Result<Self, BranchError> {
        for folder in [root.to_owned(), root.join("incoming"), root.join("people")] {
            fs::create_dir_all(&folder).map_err(at(&folder))?;
        }
        Ok(Self {
            clock: BranchClock::open(root, wall)?,
            objects: Objects::open(root)?,
            shelf: Shelf::open(root)?,
            root: root.to_owned(),
            branch,
        })
    }

    /// Keeps other processes from doing the same.
    ///
    /// # Errors
    /// [`BranchError::Busy`] where one does.
    pub fn lock(&self, doing: Doing) -> Result<Lock, BranchError> {
        let (name, what) = match doing {
            Doing::Pulling => ("pull.lock", "取件"),
            Doing::Playing => ("play.lock", "播放"),
            Doing::Serving => ("run.lock", "常驻运行"),
        };
        let path = self.root.join(name);
        let file = fs::File::create(&path).map_err(at(&path))?;
        match file.try_lock() {
            Ok(()) => Ok(Lock { _file: file }),
            Err(fs::TryLockError::WouldBlock) => Err(BranchError::Busy { what }),
            Err(fs::TryLockError::Error(error)) => Err(at(&path)(error)),
        }
    }

    /// What the branch goes by now.
    ///
    /// # Errors
    /// [`BranchError::File`].
    pub fn shown(&self) -> Result<Shown, BranchError> {
        let now = self.clock.now();
        self.shelf.load(now, |index, release| self.is_whole(index, release, now))
    }

    /// Whether every poster of a release that the branch's screens can show is here. What has run
    /// out is not missed.
    #[must_use]
    pub fn is_whole(&self, index: &PackIndex, release: &PackRelease, now: Timestamp) -> bool {
        release
            .entries
            .iter()
            .filter(|entry| is_poster(index, entry) && entry.show_until > now)
            .all(|entry| self.objects.path(&entry.sha256).is_some())
    }

    /// Deletes every file that nothing names any more: what has run out, was recalled or replaced.
    /// To be called by whoever holds [`Doing::Pulling`].
    pub fn tidy(&self) -> usize {
        let Ok(shown) = self.shown() else { return 0 };
        let now = self.clock.now();
        let indexes = [&shown.pack, &shown.emergency];
        let entries = || {
            let releases = indexes.iter().copied().flatten().flat_map(|index| &index.releases);
            releases.flat_map(|release| &release.entries).filter(|entry| entry.show_until > now)
        };
        let named: BTreeSet<Digest> = entries().map(|entry| entry.sha256).collect();
        let people: BTreeSet<&str> = entries().map(|entry| entry.name.as_str()).collect();
        for (name, path) in disk::names(&self.root.join("people")) {
            if !people.contains(name.as_str()) {
                drop(fs::remove_file(path));
            }
        }
        for (name, path) in disk::names(&self.root.join("incoming")) {
            if Digest::from_hex(&name).is_none_or(|digest| !named.contains(&digest)) {
                drop(fs::remove_file(path));
            }
        }
        disk::sweep(&self.root);
        self.objects.keep_only(|digest| named.contains(digest))
    }

    /// Bytes that this user may still write.
    #[must_use]
    pub fn free_bytes(&self) -> u64 {
        #[cfg(unix)]
        return rustix::fs::statvfs(&self.root)
            .map_or(0, |disk| disk.f_bavail.saturating_mul(disk.f_frsize));
        #[cfg(not(unix))]
        0
    }
}

/// Whether one of the branch's screens shows it.
pub(super) fn is_poster(index: &PackIndex, entry: &PackEntry) -> bool {
    entry.output == OutputKind::Screen
        && index.screens.iter().any(|screen| entry.profile.as_ref() == Some(&screen.profile))
}
