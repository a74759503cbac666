//! The files that were verified, by digest. Disks rot and people copy files about: what is on the
//! disk is read and compared again before it is shown, once for as long as it does not change.

use super::{
    disk,
    error::{BranchError, at},
};
use crate::model::Digest;
use sha2::{Digest as _, Sha256};
use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

/// How many files are kept for whoever looks into what went wrong, and how many bytes.
const QUARANTINED: usize = 8;
const QUARANTINED_BYTES: u64 = 64 << 20;

/// What tells a file from another one without reading it.
type Stamp = (u64, i128, u64);

/// The verified files of a state folder.
#[derive(Debug)]
pub struct Objects {
    folder: PathBuf,
    quarantine: PathBuf,
    checked: Mutex<HashMap<Digest, (Stamp, bool)>>,
}

impl Objects {
    /// The files below a state folder.
    ///
    /// # Errors
    /// [`BranchError::File`].
    pub fn open(state: &Path) -> Result<Self, BranchError> {
        let (folder, quarantine) = (state.join("objects"), state.join("quarantine"));
        for made in [&folder, &quarantine] {
            fs::create_dir_all(made).map_err(at(made))?;
        }
        Ok(Self { folder, quarantine, checked: Mutex::default() })
    }

    /// Where a file is, if it is there and is what it should be.
    #[must_use]
    pub fn path(&self, sha256: &Digest) -> Option<PathBuf> {
        let path = self.place(sha256);
        let stamp = stamp(&fs::metadata(&path).ok()?);
        let mut checked = self.checked.lock().unwrap_or_else(PoisonError::into_inner);
        let good = match checked.get(sha256) {
            Some((known, good)) if *known == stamp => *good,
            _ => {
                let good = digest_of(&path).is_ok_and(|digest| digest == *sha256);
                checked.insert(*sha256, (stamp, good));
                good
            }
        };
        good.then_some(path)
    }

    /// The bytes of a file, compared as they were read: nothing can change between.
    #[must_use]
    pub fn bytes(&self, sha256: &Digest) -> Option<Vec<u8>> {
        let bytes = fs::read(self.place(sha256)).ok()?;
        (Digest::of(&bytes) == *sha256).then_some(bytes)
    }

    /// Where a file belongs.
    pub(super) fn place(&self, sha256: &Digest) -> PathBuf {
        self.folder.join(sha256.to_string())
    }

    /// Takes a file whose digest was just found to be this one.
    pub(super) fn take(&self, verified: &Path, sha256: &Digest) -> Result<(), BranchError> {
        let place = self.place(sha256);
        disk::rename(verified, &place).map_err(at(&place))?;
        if let Ok(metadata) = fs::metadata(&place) {
            let mut checked = self.checked.lock().unwrap_or_else(PoisonError::into_inner);
            checked.insert(*sha256, (stamp(&metadata), true));
        }
        Ok(())
    }

    /// Puts a bad file aside. Of those before it only a few stay.
    pub(super) fn quarantine(&self, bad: &Path) -> Result<(), BranchError> {
        let name = bad.file_name().unwrap_or_default().to_owned();
        let aside = self.quarantine.join(name);
        disk::rename(bad, &aside).map_err(at(&aside))?;
        let mut kept: Vec<(Option<std::time::SystemTime>, u64, PathBuf)> =
            disk::names(&self.quarantine)
                .into_iter()
                .filter_map(|(_, path)| {
                    let metadata = fs::metadata(&path).ok()?;
                    Some((metadata.modified().ok(), metadata.len(), path))
                })
                .collect();
        kept.sort();
        let mut bytes: u64 = kept.iter().map(|(_, length, _)| length).sum();
        let mut count = kept.len();
        for (_, length, path) in kept {
            if count <= QUARANTINED && bytes <= QUARANTINED_BYTES {
                break;
            }
            drop(fs::remove_file(path));
            (count, bytes) = (count - 1, bytes - length);
        }
        Ok(())
    }

    /// Deletes every file that is not to be kept, and puts aside what is not what its name says.
    pub(super) fn keep_only(&self, keep: impl Fn(&Digest) -> bool) -> usize {
        let mut deleted = 0;
        for (name, path) in disk::names(&self.folder) {
            let digest = Digest::from_hex(&name);
            if digest.is_none_or(|digest| !keep(&digest)) {
                deleted += usize::from(fs::remove_file(path).is_ok());
            } else if digest.is_some_and(|digest| self.path(&digest).is_none()) {
                drop(self.quarantine(&path));
            }
        }
        deleted
    }
}

fn digest_of(path: &Path) -> io::Result<Digest> {
    let mut hasher = Sha256::new();
    io::copy(&mut fs::File::open(path)?, &mut hasher)?;
    Ok(Digest::from_bytes(hasher.finalize().into()))
}

fn stamp(metadata: &fs::Metadata) -> Stamp {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let changed =
            i128::from(metadata.ctime()) * 1_000_000_000 + i128::from(metadata.ctime_nsec());
        (metadata.len(), changed, metadata.ino())
    }
    #[cfg(not(unix))]
    {
        let modified = metadata
            .modified()
            .ok()
            .and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
        (metadata.len(), modified.map_or(0, |age| age.as_nanos() as i128), 0)
    }
}
