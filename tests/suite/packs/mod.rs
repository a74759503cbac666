//! Poster packs: the repository as its readers see it.

pub mod http;
mod peer;
mod reach;
mod stories;

use crate::{
    behaviour::{self, Cut, Fixture, books::MemoryBooks, parcel, sample_file, shanghai},
    servers::{cutting_proxy, cutting_proxy::CuttingProxy, s3},
};
use async_trait::async_trait;
use caishi::{
    config::{ChannelEntry, PublishMode},
    deliver::{BuildContext, Channel, Commit, Egress, Parcel, build},
    model::{BranchId, ChannelId, Listing, MediaType, PackIndex},
    packs::{
        BranchEntry, FACTS_PATH, FolderSource, PackFacts, Reader, ScreenEntry, TrustedView,
        from_json, index_name, target_file,
    },
};
use jiff::SignedDuration;
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

fn entry(id: &str, settings: &str) -> ChannelEntry {
    ChannelEntry {
        id: ChannelId::new(id).unwrap(),
        kind: "packs".to_owned(),
        sandbox: false,
        mode: PublishMode::Publish,
        outputs: Vec::new(),
        audiences: Vec::new(),
        settings: toml::from_str(settings).unwrap(),
    }
}

fn context(folder: &Path) -> BuildContext {
    BuildContext {
        folder: folder.to_owned(),
        egress: Egress::Public { allowed: Vec::new() },
        sandbox: None,
        rehearsal: None,
    }
}

/// Keys as `caishi keys init` makes them: three for the root, of which two sign.
fn make_keys(folder: &Path) {
    let out = std::process::Command::new(env!("CARGO_BIN_EXE_caishi"))
        .args(["keys", "init", folder.to_str().unwrap()])
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
}

pub fn branch(id: &str) -> BranchId {
    BranchId::new(id).unwrap()
}

fn facts() -> PackFacts {
    let entry = |name: &str| BranchEntry {
        name: name.to_owned(),
        hotline: None,
        tags: vec!["community".to_owned()],
        screens: vec![ScreenEntry {
            screen: "s1".to_owned(),
            profile: "portrait-fhd".to_owned(),
            width: 1080,
            height: 1920,
            dwell_s: 15,
        }],
    };
    let branches = [("b001", "青石坡支行"), ("b002", "大学坡支行")];
    PackFacts {
        bank: "山城示范银行".to_owned(),
        hotline: "400-000-0000".to_owned(),
        branches: branches.map(|(id, name)| (id.to_owned(), entry(name))).into(),
        titles: [("screen-share-scam/general".to_owned(), "别共享屏幕".to_owned())].into(),
    }
}

fn facts_listing(books: &MemoryBooks) -> Listing {
    let json = serde_json::to_vec(&facts()).unwrap();
    let mut file = sample_file(books, FACTS_PATH, &json);
    file.lesson = None;
    file.media_type = MediaType::Json;
    file
}

/// A repository in a folder or a bucket, and its channel.
pub struct Town {
    pub folder: tempfile::TempDir,
    pub channel: Arc<dyn Channel>,
    pub books: MemoryBooks,
    root: PathBuf,
    proxy: Option<CuttingProxy>,
    bucket: Option<(&'static s3::S3, String)>,
}

impl Town {
    pub fn new() -> Self {
        Self::with("path = \"outbox\"\nkeys = \"keys\"\n")
    }

    fn with(settings: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        make_keys(&folder.path().join("keys"));
        let channel = build(&entry("screens", settings), &context(folder.path())).unwrap();
        // The keys' root is good from today on, so that the story plays today.
        let today = jiff::Zoned::now().date();
        let books = MemoryBooks::new(shanghai(&format!("{today}T20:00")));
        let root = folder.path().join("outbox");
        Self { folder, channel, books, root, proxy: None, bucket: None }
    }

    /// Another channel over the same repository.
    fn another(&self, id: &str, settings: &str) -> Arc<dyn Channel> {
        build(&entry(id, settings), &context(self.folder.path())).unwrap()
    }

    /// A week's parcel for both branches, with a window around now.
    pub fn week(&self, number: u32, hours: i64) -> Parcel {
        let books = self.books.of_delivery(&format!("d-{number}"));
        let mut parcel = parcel(&books, self.channel.id(), &self.channel.targets()[0], number);
        let now = self.books.at();
        let today = now.to_zoned(caishi::model::bank_zone()).date();
        parcel.campaign = caishi::model::CampaignId::new("routine/weekly").unwrap();
        parcel.slot = now.checked_add(SignedDuration::from_hours(hours)).unwrap();
        parcel.window.from = today;
        parcel.window.until = today.checked_add(jiff::Span::new().days(6)).unwrap();
        parcel.files.truncate(2);
        for (file, id) in parcel.files.iter_mut().zip(["b001", "b002"]) {
            file.branch = Some(branch(id));
            file.profile = Some("portrait-fhd".to_owned());
        }
        parcel.files.push(facts_listing(&books));
        parcel
    }

    pub async fn publish(&self, parcel: &Parcel) -> Commit {
        let prepared = self.channel.prepare(parcel, &self.books).await.unwrap();
        self.channel.commit(parcel, &prepared, &self.books).await.unwrap()
    }

    pub fn source(&self) -> Arc<FolderSource> {
        Arc::new(FolderSource::new(&self.root))
    }

    fn key_root(&self) -> Vec<u8> {
        fs::read(self.folder.path().join("keys/root.json")).unwrap()
    }

    /// A reader that has never seen the repository.
    fn reader(&self, folder: &Path) -> Reader {
        Reader::enrol(folder, &self.key_root()).unwrap()
    }

    async fn view(&self) -> TrustedView {
        let folder = tempfile::tempdir().unwrap();
        self.reader(folder.path()).refresh(self.source(), self.books.at()).await.unwrap()
    }

    /// What a branch's index says, read as the branch would.
    async fn index(&self, id: &str) -> PackIndex {
        let view = self.view().await;
        let name = index_name(&branch(id));
        let target = view.targets[&name];
        let path = self.root.join("targets").join(target_file(&target.sha256, &name));
        from_json(&fs::read(path).unwrap()).unwrap()
    }
}

#[async_trait]
impl Fixture for Town {
    fn channel(&self) -> Arc<dyn Channel> {
        Arc::clone(&self.channel)
    }

    fn books(&self) -> MemoryBooks {
        self.books.clone()
    }

    fn parcel(&self, books: &MemoryBooks, number: u32) -> Parcel {
        let mut parcel = parcel(books, self.channel.id(), &self.channel.targets()[0], number);
        parcel.slot = self.books.at();
        let today = parcel.slot.to_zoned(caishi::model::bank_zone()).date();
        parcel.window.from = today;
        parcel.window.until = today;
        parcel.files.push(facts_listing(books));
        parcel
    }

    fn refused(&self, books: &MemoryBooks) -> Vec<(&'static str, Parcel)> {
        let mut without_facts = self.parcel(books, 900);
        without_facts.files.pop();
        let mut without_posters = self.parcel(books, 900);
        without_posters.files.drain(..3);
        let mut empty = self.parcel(books, 900);
        empty.files.push(sample_file(books, "empty.png", b""));
        vec![
            ("a parcel without packs.json", without_facts),
            ("a parcel without posters", without_posters),
            ("an empty file", empty),
        ]
    }

    /// By what a branch would read: once in its index, and every file there, whole.
    async fn shown(&self, parcel: &Parcel) -> usize {
        if let Some((s3, bucket)) = &self.bucket {
            let _ = fs::remove_dir_all(&self.root);
            s3.copy_out(bucket, "caishi/", &self.root);
        }
        if !self.root.join("metadata/timestamp.json").exists() {
            return 0;
        }
        let index = self.index("b001").await;
        let own = index.releases.iter().filter(|release| release.key == *parcel.key.digest());
        for release in own.clone() {
            for entry in &release.entries {
                let file = target_file(&entry.sha256, &entry.name);
                let bytes = fs::read(self.root.join("targets").join(file)).unwrap();
                assert_eq!(caishi::model::Digest::of(&bytes), entry.sha256);
            }
        }
        own.count()
    }

    async fn costs(&self, books: &MemoryBooks) -> usize {
        books.file_reads()
    }

    async fn cut_next(&self, cut: Cut) -> bool {
        let Some(proxy) = &self.proxy else { return false };
        let cut = match cut {
            Cut::Before => cutting_proxy::Cut::BeforeEffect,
            Cut::After => cutting_proxy::Cut::AfterEffect,
        };
        proxy.cut_next(cut, "PUT", "/metadata/timestamp.json");
        true
    }

    fn canaries(&self) -> Vec<String> {
        // A private key as it would look in a log.
        let der = fs::read(self.folder.path().join("keys/targets.der")).unwrap();
        vec![der[16..48].iter().map(|byte| format!("{byte:02x}")).collect()]
    }
}

#[tokio::test]
async fn a_folder_passes_the_behaviour_suite() {
    behaviour::run(&Town::new()).await;
}

#[tokio::test]
async fn a_bucket_passes_the_behaviour_suite() {
    let Some(s3) = s3::s3() else { return };
    s3.make_bucket("packs");
    let proxy = CuttingProxy::start(&s3.address()).await;
    let settings = format!(
        "keys = \"keys\"\nallow = [\"127.0.0.0/8\"]\n[s3]\nendpoint = \"http://{}\"\n\
         bucket = \"packs\"\nroot = \"caishi\"\naccess_key = {{ command = [\"echo\", \"key\"] }}\n\
         secret_key = {{ command = [\"echo\", \"secret\"] }}\n",
        proxy.address
    );
    let mut town = Town::with(&settings);
    town.proxy = Some(proxy);
    town.bucket = Some((s3, "packs".to_owned()));
    behaviour::run(&town).await;
}

#[test]
fn a_table_that_cannot_work_is_told_all_its_faults() {
    let folder = tempfile::tempdir().unwrap();
    let settings = "path = \"outbox\"\nkeys = \"nowhere\"\nactivate = \"8 Uhr\"\n\
                    stage_hours = 999\n[[daypart]]\naudiences = [\"elders\"]\ndays = [\"Montag\"]\n\
                    hours = \"8-8\"\n";
    let faults = build(&entry("screens", settings), &context(folder.path())).unwrap_err();
    let all = faults.join("\n");
    for expected in ["activate", "stage_hours", "elders", "Montag", "daypart.hours", "keys init"] {
        assert!(all.contains(expected), "{expected} in {all}");
    }
}
