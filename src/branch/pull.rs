//! From the head office's repository to verified files on the branch's disk.
//!
//! 1. [`Puller::refresh`]: metadata, then the branch's own indexes. From then on they count; what
//!    they name that is not here yet does not play.
//! 2. [`Puller::missing`]: what is still to come, takeovers first.
//! 3. [`Puller::fetch`]: file by file, compared before each gets its name.
//!
//! When which of it happens is for [`super::service`] to say, or for a person.

use super::{
    download,
    error::BranchError,
    state::{BranchState, Doing, Lock, is_poster},
    window::Pace,
};
use crate::{
    model::{Digest, MediaType, OutputKind, PackEntry, PackIndex},
    packs::{
        self, Attack, INDEX_LIMIT, PacksError, Reader, Source, SourceError, TargetFile,
        TrustedView, target_file,
    },
};
use futures_util::StreamExt as _;
use jiff::Timestamp;
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    sync::{Arc, Mutex, PoisonError},
};

/// How often a file that was wrong is fetched again before somebody must look.
const TRIES: u32 = 3;

/// What stays free on the disk for everything else that a machine must be able to write.
const RESERVE: u64 = 4 << 20;

/// What a branch wants of a pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Posters for its screens.
    pub screens: bool,
    /// Zips for people.
    pub people: bool,
    /// Single outputs for people, by kind.
    pub kinds: Vec<OutputKind>,
}

impl Default for Wanted {
    fn default() -> Self {
        Self { screens: true, people: true, kinds: Vec::new() }
    }
}

impl Wanted {
    fn has(&self, index: &PackIndex, entry: &PackEntry) -> bool {
        (self.screens && is_poster(index, entry)) || self.is_for_people(entry)
    }

    fn is_for_people(&self, entry: &PackEntry) -> bool {
        (self.people && entry.media_type == MediaType::Zip) || self.kinds.contains(&entry.output)
    }
}

/// What is still to come.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Missing {
    /// Of takeovers: fetched at once.
    pub emergency: Vec<PackEntry>,
    /// Of packs, posters first, each with the moment of its activation.
    pub pack: Vec<(Timestamp, PackEntry)>,
    /// The release that is missing first: its key places the branch in the night.
    pub release: Option<Digest>,
}

impl Missing {
    /// The bytes of the packs' files.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.pack.iter().map(|(_, entry)| entry.bytes).sum()
    }

    /// How many files.
    #[must_use]
    pub fn files(&self) -> usize {
        self.emergency.len() + self.pack.len()
    }
}

/// Pulls a branch's pack.
#[derive(Debug)]
pub struct Puller {
    /// What the branch keeps.
    pub state: Arc<BranchState>,
    source: Arc<dyn Source>,
    reader: Reader,
    wanted: Wanted,
    view: Mutex<Option<TrustedView>>,
    bad: Mutex<BTreeMap<Digest, u32>>,
}

impl Puller {
    /// For an enrolled branch.
    ///
    /// # Errors
    /// [`BranchError::NotEnrolled`]; [`BranchError::Packs`] where what is trusted was damaged.
    pub async fn open(
        state: Arc<BranchState>,
        source: Arc<dyn Source>,
        wanted: Wanted,
    ) -> Result<Self, BranchError> {
        let trust = state.root.join("trust");
        if !trust.join("current").exists() {
            return Err(BranchError::NotEnrolled);
        }
        let reader = Reader::open(&trust)?;
        let view = Mutex::new(reader.trusted().await?);
        Ok(Self { state, source, reader, wanted, view, bad: Mutex::default() })
    }

    /// Tries again what was wrong too often: a new night, a new chance.
    pub fn forgive(&self) {
        self.bad.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// What the verified metadata said last.
    #[must_use]
    pub fn view(&self) -> Option<TrustedView> {
        self.view.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps other processes from pulling.
    ///
    /// # Errors
    /// [`BranchError::Busy`].
    pub fn lock(&self) -> Result<Lock, BranchError> {
        self.state.lock(Doing::Pulling)
    }

    /// Fetches metadata and the branch's indexes, and goes by them from now on.
    ///
    /// # Errors
    /// Whatever is wrong with them; then everything stays as it was.
    pub async fn refresh(&self) -> Result<(), BranchError> {
        let now = self.state.clock.save()?;
        let view = self.reader.refresh(Arc::clone(&self.source), now).await?;
        *self.view.lock().unwrap_or_else(PoisonError::into_inner) = Some(view.clone());
        let branch = &self.state.branch;
        let name = packs::index_name(branch);
        let target = view.targets.get(&name);
        let target = target.ok_or_else(|| BranchError::UnknownBranch(branch.clone()))?;
        let pack = self.index(&name, *target).await?;
        let name = packs::emergency_name(branch);
        let emergency = if view.emergency_expires.is_some_and(|expires| now < expires) {
            match view.emergency.get(&name) {
                Some(target) => Some(self.index(&name, *target).await?),
                None => None,
            }
        } else {
            // A role that has run out says nothing: neither that something new is to be shown,
            // nor that what is shown is over. Its own window ends it.
            self.state.shelf.pointer()?.emergency
        };
        self.state.shelf.point_to(Some(pack), emergency, now, |index, release| {
            self.state.is_whole(index, release, now)
        })
    }

    /// An index, verified and kept.
    async fn index(&self, name: &str, target: TargetFile) -> Result<String, BranchError> {
        let digest = target.sha256.to_string();
        if self.state.shelf.index(&digest).is_some() {
            return Ok(digest);
        }
        let bytes = self.small(name, target).await?;
        let index = packs::from_json(&bytes)?;
        if index.branch != self.state.branch {
            return Err(BranchError::WrongBranch {
                own: self.state.branch.clone(),
                found: index.branch,
            });
        }
        self.state.shelf.put(&bytes)
    }

    /// A small target, whole and compared.
    async fn small(&self, name: &str, target: TargetFile) -> Result<Vec<u8>, BranchError> {
        let too_long = |limit| SourceError::TooLong { name: name.to_owned(), limit };
        if target.bytes > INDEX_LIMIT {
            return Err(too_long(INDEX_LIMIT).into());
        }
        let mut body = self.source.target(&target_file(&target.sha256, name), 0).await?;
        let mut bytes = Vec::new();
        while let Some(part) = body.stream.next().await {
            bytes.extend_from_slice(&part?);
            if bytes.len() as u64 > target.bytes {
                return Err(too_long(target.bytes).into());
            }
        }
        if (bytes.len() as u64) < target.bytes {
            return Err(SourceError::Broken(format!("{name} 没有收完")).into());
        }
        if Digest::of(&bytes) == target.sha256 {
            return Ok(bytes);
        }
        let detail = format!("{name} 的摘要不对");
        Err(PacksError::Untrusted { attack: Attack::Tampered, detail }.into())
    }

    /// What is still to come. Files that were wrong too often are left out until a new index
    /// names others.
    ///
    /// # Errors
    /// [`BranchError::File`].
    pub fn missing(&self) -> Result<Missing, BranchError> {
        let shown = self.state.shown()?;
        let now = self.state.clock.now();
        let bad = self.bad.lock().unwrap_or_else(PoisonError::into_inner);
        let mut seen = BTreeSet::new();
        let mut is_missing = |entry: &PackEntry| {
            entry.show_until > now
                && bad.get(&entry.sha256).is_none_or(|tries| *tries < TRIES)
                && self.state.objects.path(&entry.sha256).is_none()
                && seen.insert(entry.sha256)
        };
        let mut missing = Missing::default();
        if let Some(index) = &shown.emergency {
            for entry in index.releases.iter().flat_map(|release| &release.entries) {
                if is_poster(index, entry) && is_missing(entry) {
                    missing.emergency.push(entry.clone());
                }
            }
        }
        let mut ordered = Vec::new();
        if let Some(index) = &shown.pack {
            for release in &index.releases {
                for entry in release.entries.iter().filter(|entry| self.wanted.has(index, entry)) {
                    if is_missing(entry) {
                        let later = self.wanted.is_for_people(entry);
                        ordered.push((later, release.activate_at, release.key, entry.clone()));
                    }
                }
            }
        }
        ordered.sort_by(|a, b| (a.0, a.1, &a.3.name).cmp(&(b.0, b.1, &b.3.name)));
        missing.release = ordered.first().map(|(_, _, key, _)| *key);
        missing.pack = ordered.into_iter().map(|(_, at, _, entry)| (at, entry)).collect();
        Ok(missing)
    }

    /// Fetches files. One that is wrong keeps nobody from the others; a line that breaks or a full
    /// disk does. Cut off anywhere, the next call goes on from there.
    ///
    /// # Errors
    /// The first that happened.
    pub async fn fetch(
        &self,
        entries: &[PackEntry],
        mut pace: Option<&mut Pace>,
    ) -> Result<(), BranchError> {
        if let Some(view) = self.view() {
            view.check_expiry(self.state.clock.now())?;
        }
        let mut first = Ok(());
        for entry in entries {
            self.check_room(entry)?;
            let incoming = self.state.root.join("incoming");
            let objects = &self.state.objects;
            let source = &*self.source;
            let result =
                download::download(source, objects, &incoming, entry, pace.as_deref_mut()).await;
            match result {
                Ok(()) => {}
                Err(error @ BranchError::BadFile { .. }) => {
                    let mut bad = self.bad.lock().unwrap_or_else(PoisonError::into_inner);
                    *bad.entry(entry.sha256).or_default() += 1;
                    first = first.and(Err(error));
                }
                Err(error) => return Err(error),
            }
        }
        first
    }

    /// Puts everything in its place once files have come, and deletes what is over.
    ///
    /// # Errors
    /// [`BranchError::File`].
    pub fn settle(&self) -> Result<(), BranchError> {
        let shown = self.state.shown()?;
        let now = self.state.clock.now();
        let people = self.state.root.join("people");
        let releases = shown.pack.iter().flat_map(|index| &index.releases);
        for entry in releases.flat_map(|release| &release.entries) {
            if self.wanted.is_for_people(entry) && entry.show_until > now {
                download::lay_out(&self.state.objects, &people, entry)?;
            }
        }
        self.state.tidy();
        Ok(())
    }

    /// Refuses to begin what would fill the disk: receipts and the clock must find room.
    fn check_room(&self, entry: &PackEntry) -> Result<(), BranchError> {
        let free = self.state.free_bytes();
        if !cfg!(unix) || free >= entry.bytes.saturating_add(RESERVE) {
            return Ok(());
        }
        let text = format!("还需 {} 字节，只剩 {free}", entry.bytes + RESERVE);
        let source = io::Error::new(io::ErrorKind::StorageFull, text);
        Err(BranchError::File { path: self.state.root.clone(), source })
    }
}
