//! A head office with a repository of its own making, branches, and a clock that tests turn.

use caishi::{
    branch::{
        BranchError, BranchState, Stage,
        clock::Wall,
        pull::{Puller, Wanted},
    },
    model::{Audience, BranchId, Digest, MediaType, OutputKind, PackEntry},
    packs::{
        BranchEntry, Catalogue, FolderSource, KeySet, Publication, Reader, Release, ReleaseFile,
        RootKeys, ScreenEntry, SigningKey, Source, Standing, new_root, publish, sign_root,
    },
};
use jiff::{SignedDuration, Timestamp};
use std::{
    fs,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};
use tokio::time::Instant;

/// The evening before the story, in Asia/Shanghai: 2026-11-29, 20:00.
pub const EVENING: &str = "2026-11-29T12:00:00Z";
/// The next morning at eight.
pub const EIGHT: &str = "2026-11-30T00:00:00Z";

pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

/// A machine's clock: it goes with tokio's, real or paused, and tests put it wrong.
#[derive(Debug, Clone)]
pub struct TestWall {
    from: Arc<Mutex<(Timestamp, Instant)>>,
}

impl TestWall {
    pub fn at(moment: &str) -> Self {
        Self { from: Arc::new(Mutex::new((at(moment), Instant::now()))) }
    }

    /// Puts the machine's clock to another time.
    pub fn set(&self, moment: Timestamp) {
        *self.from.lock().unwrap() = (moment, Instant::now());
    }

    pub fn shift(&self, by: SignedDuration) {
        let now = self.now();
        self.set(now + by);
    }
}

impl Wall for TestWall {
    fn now(&self) -> Timestamp {
        let (from, since) = *self.from.lock().unwrap();
        from + SignedDuration::try_from(since.elapsed()).unwrap()
    }
}

/// Bytes that look like a poster to nobody but their digest.
pub fn poster(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// A file of a release for every branch.
pub fn file(name: &str, bytes: &[u8]) -> ReleaseFile {
    ReleaseFile {
        name: name.to_owned(),
        sha256: Digest::of(bytes),
        bytes: bytes.len() as u64,
        media_type: MediaType::Png,
        output: OutputKind::Screen,
        lesson: None,
        audience: Audience::General,
        profile: Some("portrait-fhd".to_owned()),
        branch: None,
        days: Vec::new(),
        hours: None,
        alt: format!("海报 {name}"),
    }
}

/// The head office: keys, catalogue, and a folder that it publishes into.
pub struct HeadOffice {
    pub folder: tempfile::TempDir,
    pub keys: KeySet,
    pub root: Vec<u8>,
    pub catalogue: Catalogue,
    pub now: Timestamp,
}

impl HeadOffice {
    pub fn new(branches: &[&str]) -> Self {
        let key = || SigningKey::generate().unwrap();
        let keys = KeySet {
            targets: Some(key()),
            snapshot: key(),
            timestamp: key(),
            emergency: Some(key()),
        };
        let roots = [key(), key(), key()];
        let public = |key: &SigningKey| key.public().to_vec();
        let root_keys = RootKeys {
            root: roots.iter().map(public).collect(),
            threshold: NonZeroUsize::new(2).unwrap(),
            targets: public(keys.targets.as_ref().unwrap()),
            snapshot: public(&keys.snapshot),
            timestamp: public(&keys.timestamp),
        };
        let now = at(EVENING);
        let mut root = new_root(&root_keys, now).unwrap();
        for key in &roots[..2] {
            root = sign_root(&root, key).unwrap();
        }
        let entry = |id: &&str| {
            let screen = ScreenEntry {
                screen: "s1".to_owned(),
                profile: "portrait-fhd".to_owned(),
                width: 1080,
                height: 1920,
                dwell_s: 15,
            };
            let name = format!("{id} 支行");
            let entry =
                BranchEntry { name, hotline: None, tags: Vec::new(), screens: vec![screen] };
            ((*id).to_owned(), entry)
        };
        let catalogue = Catalogue {
            bank: "山城示范银行".to_owned(),
            hotline: "400-000-0000".to_owned(),
            branches: branches.iter().map(entry).collect(),
            releases: Vec::new(),
            stays_empty: false,
        };
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("metadata")).unwrap();
        fs::create_dir_all(folder.path().join("targets")).unwrap();
        Self { folder, keys, root, catalogue, now }
    }

    pub fn source(&self) -> Arc<dyn Source> {
        Arc::new(FolderSource::new(self.folder.path()))
    }

    /// A release of these posters that switches at `activate` and may be shown for a week.
    pub fn release(&mut self, number: u64, activate: &str, posters: &[(&str, Vec<u8>)]) -> Digest {
        let key = Digest::of(format!("release-{number}").as_bytes());
        let files = posters.iter().map(|(name, bytes)| {
            let file = file(name, bytes);
            let path = format!("targets/{}.{name}", file.sha256);
            fs::write(self.folder.path().join(path), bytes).unwrap();
            file
        });
        let release = Release {
            key,
            takeover: false,
            series: "routine".to_owned(),
            campaign: format!("routine/{number}"),
            number: format!("2026-{number:03}"),
            slot: at(activate),
            activate_at: at(activate),
            show_from: at("2026-11-01T00:00:00Z"),
            show_until: at(activate) + hours(24 * 7),
            recalled: None,
            recalled_lessons: Vec::new(),
            swept: false,
            branches: None,
            files: files.collect(),
        };
        self.catalogue.add(release, self.now);
        key
    }

    /// The release that was added last.
    pub fn last(&mut self) -> &mut Release {
        self.catalogue.releases.last_mut().unwrap()
    }

    pub async fn publish(&self) -> Publication {
        let standing = Standing::read(&self.root, self.source()).await.unwrap();
        let made = publish(&self.root, &self.keys, standing.as_ref(), &self.catalogue, self.now)
            .await
            .unwrap();
        self.write(&made);
        made
    }

    pub fn write(&self, publication: &Publication) {
        let root = self.folder.path();
        fs::write(root.join("metadata/1.root.json"), &self.root).unwrap();
        for (path, bytes) in &publication.files {
            fs::write(root.join(path), bytes).unwrap();
        }
    }
}

/// A branch's machine with its disk; the disk outlives the machine.
pub struct Branch {
    pub id: BranchId,
    pub disk: PathBuf,
    pub wall: TestWall,
    folder: Option<tempfile::TempDir>,
}

impl Branch {
    /// Enrolled, with an empty disk.
    pub fn new(office: &HeadOffice, id: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut branch = Self::on(folder.path(), office, id, TestWall::at(EVENING));
        branch.folder = Some(folder);
        branch
    }

    pub fn on(disk: &Path, office: &HeadOffice, id: &str, wall: TestWall) -> Self {
        let trust = disk.join("trust");
        fs::create_dir_all(&trust).unwrap();
        Reader::enrol(&trust, &office.root).unwrap();
        Self { id: BranchId::new(id).unwrap(), disk: disk.to_owned(), wall, folder: None }
    }

    /// What a process sees that begins now.
    pub fn state(&self) -> Arc<BranchState> {
        let wall = Arc::new(self.wall.clone());
        Arc::new(BranchState::open(&self.disk, self.id.clone(), wall).unwrap())
    }

    pub async fn puller(&self, source: Arc<dyn Source>) -> Puller {
        Puller::open(self.state(), source, Wanted::default()).await.unwrap()
    }

    /// One pull of a process of its own, all at once.
    pub async fn pull(&self, source: Arc<dyn Source>) -> Result<(), BranchError> {
        let puller = self.puller(source).await;
        let _lock = puller.lock().unwrap();
        puller.refresh().await?;
        let missing = puller.missing()?;
        puller.fetch(&missing.emergency, None).await?;
        let entries: Vec<PackEntry> = missing.pack.into_iter().map(|(_, entry)| entry).collect();
        let fetched = puller.fetch(&entries, None).await;
        puller.settle()?;
        fetched
    }

    pub fn stage(&self) -> Stage {
        Stage::open(self.state()).unwrap()
    }

    /// The names of what a process that begins now shows on the branch's only screen.
    pub fn playing(&self) -> Vec<String> {
        playing(&self.stage())
    }
}

pub fn playing(stage: &Stage) -> Vec<String> {
    let playlist = stage.playlist("s1");
    playlist.map_or(Vec::new(), |list| list.items.into_iter().map(|item| item.name).collect())
}

/// Files of a folder, by name.
pub fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
