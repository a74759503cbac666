//! The indexes that a branch goes by, as the bytes that were verified, and which of their releases
//! still count.
//!
//! A pointer names the files, so that between two of them there is nothing: cut off at any point,
//! the branch goes by the old ones or by the new ones. An index that was replaced stays for as long
//! as a release of it is the last whole one of its series: until the next is whole, it plays on.

use super::{
    disk,
    error::{BranchError, at},
};
use crate::{
    model::{Digest, PackIndex, PackRelease},
    packs,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// How many replaced indexes stay at most.
const EARLIER: usize = 6;

/// What the branch goes by.
#[derive(Debug, Clone, Default)]
pub struct Shown {
    /// The index, and with it what plays on of those before.
    pub pack: Option<PackIndex>,
    /// The takeovers.
    pub emergency: Option<PackIndex>,
}

/// What names the files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pointer {
    pub(super) pack: Option<String>,
    #[serde(default)]
    pub(super) earlier: Vec<String>,
    #[serde(default)]
    pub(super) emergency: Option<String>,
}

/// The indexes of a state folder.
#[derive(Debug, Clone)]
pub struct Shelf {
    folder: PathBuf,
}

impl Shelf {
    /// The indexes below a state folder.
    ///
    /// # Errors
    /// [`BranchError::File`].
    pub fn open(state: &Path) -> Result<Self, BranchError> {
        let folder = state.join("index");
        fs::create_dir_all(&folder).map_err(at(&folder))?;
        Ok(Self { folder })
    }

    /// What tells whether another process has put other indexes here.
    #[must_use]
    pub fn stamp(&self) -> Option<Vec<u8>> {
        fs::read(self.folder.join("current")).ok()
    }

    pub(super) fn pointer(&self) -> Result<Pointer, BranchError> {
        let path = self.folder.join("current");
        match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Pointer::default()),
            // A pointer that cannot be read points nowhere: the next pull writes it again.
            other => Ok(serde_json::from_slice(&other.map_err(at(&path))?).unwrap_or_default()),
        }
    }

    /// Whether an index of that digest is here and whole.
    pub(super) fn index(&self, digest: &str) -> Option<PackIndex> {
        let bytes = fs::read(self.folder.join(format!("{digest}.json"))).ok()?;
        if Digest::of(&bytes).to_string() != digest {
            return None;
        }
        packs::from_json(&bytes).ok()
    }

    /// Keeps the bytes of a verified index; it counts once the pointer names it.
    pub(super) fn put(&self, bytes: &[u8]) -> Result<String, BranchError> {
        let digest = Digest::of(bytes).to_string();
        if self.index(&digest).is_none() {
            disk::write(&self.folder.join(format!("{digest}.json")), bytes)?;
        }
        Ok(digest)
    }

    /// Goes by other indexes from now on. Of those before, the ones stay that `whole` releases
    /// are carried over from.
    pub(super) fn point_to(
        &self,
        pack: Option<String>,
        emergency: Option<String>,
        now: Timestamp,
        whole: impl Fn(&PackIndex, &PackRelease) -> bool,
    ) -> Result<(), BranchError> {
        let old = self.pointer()?;
        let mut earlier: Vec<String> = Vec::new();
        if let Some(current) = pack.as_deref().and_then(|digest| self.index(digest)) {
            let before = old.pack.iter().chain(&old.earlier);
            for digest in before.filter(|digest| Some(*digest) != pack.as_ref()) {
                let Some(index) = self.index(digest) else { continue };
                let carries =
                    !carried(&current, std::slice::from_ref(&index), now, &whole).is_empty();
                if carries && earlier.len() < EARLIER && !earlier.contains(digest) {
                    earlier.push(digest.clone());
                }
            }
        }
        let pointer = Pointer { pack, earlier, emergency };
        if pointer != old {
            let text = serde_json::to_vec(&pointer)
                .map_err(|error| at(&self.folder)(io::Error::other(error)))?;
            disk::write(&self.folder.join("current"), &text)?;
        }
        self.sweep(&pointer);
        Ok(())
    }

    fn sweep(&self, pointer: &Pointer) {
        disk::sweep(&self.folder);
        let named = || pointer.pack.iter().chain(&pointer.earlier).chain(&pointer.emergency);
        for (name, path) in disk::names(&self.folder) {
            let old = name.strip_suffix(".json").is_some_and(|name| named().all(|own| own != name));
            if old {
                drop(fs::remove_file(path));
            }
        }
    }

    /// What the branch goes by now.
    ///
    /// # Errors
    /// [`BranchError::File`].
    pub fn load(
        &self,
        now: Timestamp,
        whole: impl Fn(&PackIndex, &PackRelease) -> bool,
    ) -> Result<Shown, BranchError> {
        let pointer = self.pointer()?;
        let earlier: Vec<PackIndex> =
            pointer.earlier.iter().filter_map(|digest| self.index(digest)).collect();
        let mut pack = pointer.pack.as_deref().and_then(|digest| self.index(digest));
        if let Some(pack) = &mut pack {
            let mut releases = carried(pack, &earlier, now, whole);
            releases.append(&mut pack.releases);
            // Stable: of two that are due at the same moment the newer index's counts.
            releases.sort_by(|a, b| (&a.series, a.activate_at).cmp(&(&b.series, b.activate_at)));
            pack.releases = releases;
        }
        let emergency = pointer.emergency.as_deref().and_then(|digest| self.index(digest));
        Ok(Shown { pack, emergency })
    }
}

/// Of each series that the current index still has, the last whole release of earlier indexes: it
/// plays until the current one is whole, and again should the current one be damaged. What was
/// recalled or has run out is not carried over.
fn carried(
    current: &PackIndex,
    earlier: &[PackIndex],
    now: Timestamp,
    whole: impl Fn(&PackIndex, &PackRelease) -> bool,
) -> Vec<PackRelease> {
    let mut carried: Vec<PackRelease> = Vec::new();
    for index in earlier {
        for release in &index.releases {
            let known = current.releases.iter().any(|own| own.key == release.key);
            let series_goes_on = current.releases.iter().any(|own| own.series == release.series);
            if known || !series_goes_on || release.activate_at > now {
                continue;
            }
            let mut release = release.clone();
            release.entries.retain(|entry| {
                let down = current.take_down.iter().any(|down| {
                    down.key == release.key
                        && (down.lesson.is_none() || down.lesson == entry.lesson)
                });
                !down && entry.show_until > now
            });
            if release.entries.is_empty() || !whole(current, &release) {
                continue;
            }
            match carried.iter_mut().find(|other| other.series == release.series) {
                Some(other) if other.activate_at < release.activate_at => *other = release,
                Some(_) => {}
                None => carried.push(release),
            }
        }
    }
    carried
}
