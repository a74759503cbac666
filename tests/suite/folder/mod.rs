//! The folder channel: over a folder, S3, WebDAV and SFTP.

mod stories;
mod tables;

use crate::{
    behaviour::{self, Cut, Fixture, books::MemoryBooks, parcel, sample_file, shanghai},
    servers::{cutting_proxy, cutting_proxy::CuttingProxy, s3, sftp, webdav},
};
use async_trait::async_trait;
use caishi::{
    config::{ChannelEntry, PublishMode},
    deliver::{
        BuildContext, Channel, Commit, Egress, ErrorKind, Parcel, Prepared, Probe, Retry, build,
        storage::{Effect, StorageError},
    },
    model::{ChannelId, Digest, Listing},
};
use jiff::SignedDuration;
use serde_json::Value;
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, mpsc},
    time::Duration,
};

fn entry(settings: &str) -> ChannelEntry {
    // A portal channel passes the same suite: what guests see comes on top.
    let kind = if settings.contains("evergreen") { "portal" } else { "folder" };
    ChannelEntry {
        id: ChannelId::new("branches").unwrap(),
        kind: kind.to_owned(),
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

fn faults(settings: &str) -> Vec<String> {
    build(&entry(settings), &context(Path::new("."))).unwrap_err()
}

/// Where the far side's files can be looked at.
enum FarSide {
    Folder(PathBuf),
    Bucket(&'static s3::S3, String),
}

impl FarSide {
    fn read(&self, path: &str) -> Option<Vec<u8>> {
        match self {
            Self::Folder(root) => fs::read(root.join(path)).ok(),
            Self::Bucket(s3, bucket) => s3.object(bucket, &format!("caishi/{path}")),
        }
    }

    fn json(&self, path: &str) -> Option<Value> {
        Some(serde_json::from_slice(&self.read(path)?).unwrap())
    }
}

/// A repository, and a second way to look at it.
struct Repository {
    channel: Arc<dyn Channel>,
    books: MemoryBooks,
    far_side: FarSide,
    proxy: Option<CuttingProxy>,
    canaries: Vec<String>,
    settings: String,
    folder: tempfile::TempDir,
}

impl Repository {
    fn new(settings: &str, folder: tempfile::TempDir, far_side: FarSide) -> Self {
        let channel = build(&entry(settings), &context(folder.path())).unwrap();
        let books = MemoryBooks::new(shanghai("2026-11-30T08:00"));
        let canaries = Vec::new();
        let settings = settings.to_owned();
        Self { channel, books, far_side, proxy: None, canaries, settings, folder }
    }

    fn in_folder() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("outbox");
        Self::new("path = \"outbox\"", folder, FarSide::Folder(root))
    }

    fn root(&self) -> &Path {
        match &self.far_side {
            FarSide::Folder(root) => root,
            FarSide::Bucket(..) => panic!("a bucket has no folder"),
        }
    }

    /// A later or earlier delivery of the same campaign.
    fn slot(&self, number: u32, hours: i64) -> Parcel {
        let mut parcel = parcel(&self.books, self.channel.id(), "here", number);
        parcel.campaign = caishi::model::CampaignId::new("weekly/2026").unwrap();
        parcel.slot = parcel.slot.checked_add(SignedDuration::from_hours(hours)).unwrap();
        parcel
    }

    async fn publish(&self, parcel: &Parcel) -> Commit {
        let prepared = self.channel.prepare(parcel, &self.books).await.unwrap();
        self.channel.commit(parcel, &prepared, &self.books).await.unwrap()
    }

    async fn recall(&self, parcel: &Parcel) -> String {
        let Commit::Done(receipt) = self.publish(parcel).await else { panic!("done at once") };
        self.channel.recall(parcel, &receipt, &self.books).await.unwrap().detail
    }

    fn blob(&self, file: &Listing) -> Option<Vec<u8>> {
        let digest = file.sha256.to_string();
        self.far_side.read(&format!("blobs/{}/{digest}", &digest[..2]))
    }
}

#[async_trait]
impl Fixture for Repository {
    fn channel(&self) -> Arc<dyn Channel> {
        Arc::clone(&self.channel)
    }

    fn books(&self) -> MemoryBooks {
        self.books.clone()
    }

    fn parcel(&self, books: &MemoryBooks, number: u32) -> Parcel {
        parcel(books, self.channel.id(), &self.channel.targets()[0], number)
    }

    fn refused(&self, books: &MemoryBooks) -> Vec<(&'static str, Parcel)> {
        let with = |path: &str, bytes: &[u8]| {
            let mut parcel = self.parcel(books, 900);
            parcel.files.push(sample_file(books, path, bytes));
            parcel
        };
        let mut empty = self.parcel(books, 900);
        empty.files.clear();
        vec![
            ("a parcel without files", empty),
            ("a path that leaves the folder", with("../../etc/cron.d/job", b"x")),
            ("an absolute path", with("/etc/cron.d/job", b"x")),
            ("a name of 300 bytes", with(&"n".repeat(300), b"x")),
            ("two names that differ in case only", with("Screen/Poster.png", b"x")),
            ("a drive letter", with("C:\\poster.png", b"x")),
            ("an empty file", with("empty.png", b"")),
        ]
    }

    /// By the pointer; whatever it names must be there, whole.
    async fn shown(&self, parcel: &Parcel) -> usize {
        let Some(pointer) = self.far_side.json(&format!("current/{}.json", parcel.campaign.series))
        else {
            return 0;
        };
        let key = parcel.key.digest().to_string();
        if pointer["current"]["key"] == key.as_str() {
            let listing = pointer["current"]["listing"].as_str().unwrap();
            let bytes = self.far_side.read(listing).unwrap();
            assert_eq!(pointer["current"]["sha256"], Digest::of(&bytes).to_string().as_str());
            let listing: Value = serde_json::from_slice(&bytes).unwrap();
            for file in listing["files"].as_array().unwrap() {
                let digest = file["sha256"].as_str().unwrap();
                let blob = self.far_side.read(&format!("blobs/{}/{digest}", &digest[..2]));
                assert_eq!(Digest::of(&blob.unwrap()).to_string(), digest);
            }
        }
        let history = pointer["history"].as_array().unwrap();
        history
            .iter()
            .filter(|past| past["key"] == key.as_str() && past["recalled"] != true)
            .count()
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
        proxy.cut_next(cut, "PUT", "/current/");
        true
    }

    fn canaries(&self) -> Vec<String> {
        self.canaries.clone()
    }
}

fn secret_file(folder: &Path, name: &str, secret: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::write(folder.join(name), secret).unwrap();
    fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o600)).unwrap();
}

#[tokio::test]
async fn a_folder_passes_the_behaviour_suite() {
    behaviour::run(&Repository::in_folder()).await;
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("outbox");
    let settings = "evergreen = \"evergreen\"\npath = \"outbox\"";
    behaviour::run(&Repository::new(settings, folder, FarSide::Folder(root))).await;
}

async fn bucket(conditional: bool) -> Option<Repository> {
    bucket_with(conditional, "").await
}

async fn bucket_with(conditional: bool, first: &str) -> Option<Repository> {
    let s3 = s3::s3()?;
    let kind = if first.is_empty() { "posters" } else { "portal" };
    let bucket = format!("{kind}-{conditional}");
    s3.make_bucket(&bucket);
    let folder = tempfile::tempdir().unwrap();
    secret_file(folder.path(), "key", "canary-s3-key");
    secret_file(folder.path(), "secret", "canary-s3-secret");
    let proxy = CuttingProxy::start(&s3.address()).await;
    let settings = format!(
        "{first}allow = [\"127.0.0.0/8\"]\n[s3]\nendpoint = \"http://{}\"\nbucket = \"{bucket}\"\n\
         root = \"caishi\"\nconditional = {conditional}\naccess_key = {{ file = \"key\" }}\n\
         secret_key = {{ file = \"secret\" }}\n",
        proxy.address
    );
    let mut repository = Repository::new(&settings, folder, FarSide::Bucket(s3, bucket));
    repository.proxy = Some(proxy);
    repository.canaries = vec!["canary-s3-secret".to_owned(), "canary-s3-key".to_owned()];
    Some(repository)
}

#[tokio::test]
async fn s3_passes_the_behaviour_suite() {
    for conditional in [true, false] {
        let Some(repository) = bucket(conditional).await else { return };
        behaviour::run(&repository).await;
        let portal = bucket_with(conditional, "evergreen = \"evergreen\"\n").await.unwrap();
        behaviour::run(&portal).await;
    }
}

#[tokio::test]
async fn webdav_passes_the_behaviour_suite() {
    let Some(webdav) = webdav::webdav() else { return };
    let _turn = webdav::TURN.lock().await;
    let folder = tempfile::tempdir().unwrap();
    secret_file(folder.path(), "password", webdav::PASSWORD);
    let proxy = CuttingProxy::start(&webdav.address()).await;
    let settings = format!(
        "allow = [\"127.0.0.1\"]\n[webdav]\nendpoint = \"http://{}\"\nroot = \"branches/posters\"\n\
         user = \"{}\"\npassword = {{ file = \"password\" }}\n",
        proxy.address,
        webdav::USER
    );
    let far_side = FarSide::Folder(webdav.files.join("branches/posters"));
    let mut repository = Repository::new(&settings, folder, far_side);
    repository.proxy = Some(proxy);
    repository.canaries = vec![webdav::PASSWORD.to_owned()];
    behaviour::run(&repository).await;
}

#[tokio::test]
async fn sftp_passes_the_behaviour_suite() {
    let Some(sftp) = sftp::sftp() else { return };
    let folder = tempfile::tempdir().unwrap();
    let root = sftp.files.join("posters");
    let settings = format!(
        "[sftp]\nendpoint = \"{}\"\nroot = {:?}\nuser = \"{}\"\nkey = {:?}\nknown_hosts = \"accept\"\n",
        sftp.endpoint(),
        root,
        sftp.user,
        sftp.key
    );
    let mut repository = Repository::new(&settings, folder, FarSide::Folder(root.clone()));
    let key = fs::read_to_string(&sftp.key).unwrap();
    repository.canaries = key.lines().skip(1).map(str::to_owned).take(1).collect();
    let findings = repository.channel.check(&repository.books).await;
    assert!(findings[0].ok && findings[0].what.contains("还不存在"), "{findings:?}");
    assert!(!root.exists(), "a look leaves nothing behind");
    behaviour::run(&repository).await;
}

/// What guests and gateways fetch keeps its name from week to week, in a bucket as in a folder.
#[tokio::test]
async fn a_portal_in_a_bucket_keeps_its_names_and_falls_back() {
    use caishi::model::{Audience, BranchId, LessonId, MediaType, OutputKind};
    let Some(repository) = bucket_with(true, "evergreen = \"evergreen\"\n").await else { return };
    let page = |number: u32, hours: i64, series: &str| {
        let mut parcel = repository.slot(number, hours);
        parcel.campaign = caishi::model::CampaignId::new(series).unwrap();
        let file = &mut parcel.files[0];
        file.output = OutputKind::Portal;
        file.media_type = MediaType::Html;
        file.audience = Audience::General;
        file.profile = None;
        file.lesson = Some(LessonId::new("telecom-fraud").unwrap());
        file.branch = Some(BranchId::new("b001").unwrap());
        parcel
    };
    let (books, channel) = (&repository.books, &repository.channel);
    let publish = async |parcel: &Parcel| {
        let prepared = channel.prepare(parcel, books).await.unwrap();
        channel.commit(parcel, &prepared, books).await.unwrap();
    };
    let live = || repository.far_side.read("live/b001/index.html");
    let bytes = |parcel: &Parcel| {
        let digest = parcel.files[0].sha256.to_string();
        repository.far_side.read(&format!("blobs/{}/{digest}", &digest[..2])).unwrap()
    };
    let (evergreen, first, mut second) =
        (page(61, 0, "evergreen/portal"), page(62, 1, "weekly/2026"), page(63, 2, "weekly/2026"));
    // The second week has a page for elders, too.
    let mut elder = second.files[0].clone();
    elder.audience = Audience::Elder;
    elder.path = format!("{}.elder.html", elder.path);
    second.files.push(elder);
    publish(&evergreen).await;
    assert_eq!(live().unwrap(), bytes(&evergreen));
    publish(&first).await;
    publish(&second).await;
    assert_eq!(live().unwrap(), bytes(&second));
    // The evergreen series waits until it is needed.
    let again = page(64, 3, "evergreen/portal");
    publish(&again).await;
    assert_eq!(live().unwrap(), bytes(&second));
    let receipt = |parcel: &Parcel| caishi::model::Receipt {
        remote_ref: parcel.key.digest().to_string(),
        url: None,
        at: shanghai("2026-11-30T08:00"),
        detail: String::new(),
    };
    channel.recall(&second, &receipt(&second), books).await.unwrap();
    assert_eq!(live().unwrap(), bytes(&first));
    let elder = repository.far_side.read("live/b001/elder.html");
    assert_eq!(elder, None, "what was recalled stays under no name");
    let recalled = channel.recall(&first, &receipt(&first), books).await.unwrap();
    assert_eq!(live().unwrap(), bytes(&again), "{}", recalled.detail);
    let recalled = channel.recall(&again, &receipt(&again), books).await.unwrap();
    assert_eq!(live().unwrap(), bytes(&evergreen), "{}", recalled.detail);
    channel.recall(&evergreen, &receipt(&evergreen), books).await.unwrap();
    assert_eq!(live(), None, "nothing may be shown");
}
