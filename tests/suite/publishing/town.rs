//! A small bank for stories: a copy of the demo content with two branches and a rotation of two
//! lessons, a stand-in of the platforms, a ledger, and a clock that the test sets.

use caishi::{
    config::{Config, Person},
    deliver::{BuildContext, Egress},
    model::PersonId,
    sandbox::{Sandbox, SandboxOptions},
    store::{Delivery, DeliveryFilter, Review},
    work::{Content, Publisher, Verdict, worker::Worker},
};
use jiff::{SignedDuration, Timestamp};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};
use tempfile::TempDir;
use url::Url;

/// A Friday, three days before the slot of Monday 2026-11-30 08:00 in Asia/Shanghai.
pub const FRIDAY: &str = "2026-11-27T02:00:00Z";
/// That slot.
pub const MONDAY: &str = "2026-11-30T00:00:00Z";

pub const CHANNELS: &str = r#"
[bank]
name = "山城示范银行"
base_url = "https://edu.shancheng.example"
hotline = "bank"
disclaimer = "本文为金融知识普及，不构成投资建议。"

[channel.wechat]
kind = "wechat"
sandbox = true
app_id = "wx5a0d0000demo0001"
mode = "publish"
outputs = ["article"]
audiences = ["general"]

[channel.branches]
kind = "folder"
path = "published"
outputs = ["screen", "post"]
audiences = ["general"]

[channel.intranet]
kind = "webhook"
sandbox = true
url = "https://intranet.shancheng.example/hook"
secret = { env = "CAISHI_TEST_WEBHOOK" }
outputs = ["post"]
audiences = ["general"]

[schedule.weekly]
campaign = "routine/weekly"
rule = "0 8 * * MON"
channels = ["wechat", "branches", "intranet"]

[[review.step]]
name = "消保审查"
role = "reviewer"

[[review.step]]
name = "业务会签"
role = "co-reviewer"
topic_department = true
"#;

pub struct Town {
    pub folder: TempDir,
    pub sandbox: Sandbox,
    pub publisher: Publisher,
    pub author: Person,
    pub reviewer: Person,
    pub co_reviewer: Person,
}

/// Copies a folder with everything in it.
pub fn copy(from: &Path, to: &Path) {
    for entry in walkdir::WalkDir::new(from) {
        let entry = entry.unwrap();
        let target = to.join(entry.path().strip_prefix(from).unwrap());
        if entry.file_type().is_dir() {
            fs::create_dir_all(target).unwrap();
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn person(id: &str, roles: &[&str], department: Option<&str>) -> Person {
    Person {
        id: PersonId::new(id).unwrap(),
        name: format!("{id}的名字"),
        roles: roles.iter().map(|&role| role.to_owned()).collect(),
        department: department.map(str::to_owned),
        token_env: None,
        branch: None,
        token_sha256: None,
    }
}

/// The content folder of the demo, made small.
pub fn content(folder: &Path) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    copy(&root.join("content"), &folder.join("content"));
    let keep = |name: &str, lines: &[&str]| {
        let path = folder.join("content").join(name);
        let text = fs::read_to_string(&path).unwrap();
        let kept = text.lines().enumerate().filter(|(index, line)| {
            *index == 0 || lines.iter().any(|beginning| line.starts_with(beginning))
        });
        let kept: Vec<&str> = kept.map(|(_, line)| line).collect();
        fs::write(&path, format!("{}\n", kept.join("\n"))).unwrap();
    };
    keep("branches.csv", &["b001,", "b002,"]);
    keep("screens.csv", &["b001,s1,", "b002,s1,"]);
    let routine = folder.join("content/campaigns/routine.toml");
    let text = fs::read_to_string(&routine).unwrap();
    let mut kept = String::new();
    let mut listing = false;
    for line in text.lines() {
        if line.starts_with("lessons = [") || line.starts_with("rotation = [") {
            let name = line.split(' ').next().unwrap();
            kept += &format!("{name} = [\"telecom-fraud\", \"personal-info\"]\n");
            listing = !line.ends_with(']');
        } else if listing {
            listing = !line.starts_with(']');
        } else {
            kept += line;
            kept.push('\n');
        }
    }
    fs::write(&routine, kept).unwrap();
}

impl Town {
    /// On SQLite, in a folder of its own.
    pub async fn new() -> Self {
        Self::with(CHANNELS).await
    }

    pub async fn with(channels: &str) -> Self {
        Self::publishing_within(channels, 0.0).await
    }

    /// With further files in its folder.
    pub async fn with_files(channels: &str, files: &[(&str, &str)]) -> Self {
        Self::made(channels, 0.0, files).await
    }

    /// On a platform that takes so many seconds to publish.
    pub async fn publishing_within(channels: &str, seconds: f32) -> Self {
        Self::made(channels, seconds, &[]).await
    }

    async fn made(channels: &str, seconds: f32, files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        content(folder.path());
        fs::write(folder.path().join("channels.toml"), channels).unwrap();
        let sandbox = Sandbox::start(SandboxOptions {
            publish_seconds: seconds,
            bank: "山城示范银行".into(),
            ..SandboxOptions::default()
        })
        .await
        .unwrap();
        let publisher = open(folder.path(), sandbox.url()).await;
        let town = Self {
            folder,
            sandbox,
            publisher,
            author: person("author", &["author", "administrator", "reviewer"], None),
            reviewer: person("reviewer", &["reviewer"], None),
            co_reviewer: person("co-reviewer", &["co-reviewer"], Some("运营管理部")),
        };
        town.set_clock(FRIDAY).await;
        // The schedule begins now: slots before this are nobody's.
        town.tick().await;
        town
    }

    /// Opens the ledger again, as another process would.
    pub async fn another(&self) -> Publisher {
        let other = open(self.folder.path(), self.sandbox.url()).await;
        let now = self.publisher.store.now().await.unwrap();
        let theirs = other.store.now().await.unwrap();
        other.store.shift_clock(now.duration_since(theirs));
        other
    }

    pub async fn set_clock(&self, at: &str) {
        let at: Timestamp = at.parse().unwrap();
        let now = self.publisher.store.now().await.unwrap();
        self.move_clock(at.duration_since(now));
    }

    /// Moves the clock of the ledger and of the stand-in.
    pub fn move_clock(&self, by: SignedDuration) {
        self.publisher.store.shift_clock(by);
        self.sandbox.shift_clock(by);
    }

    pub fn read(&self) -> Content {
        Content::load(&self.publisher.config).unwrap()
    }

    /// Submits what the slot of Monday shows.
    pub async fn submit(&self) -> Review {
        self.submit_for(MONDAY).await
    }

    /// Submits what a slot of the weekly schedule shows.
    pub async fn submit_for(&self, slot: &str) -> Review {
        let content = self.read();
        let subject = self.publisher.subject(&content, "weekly").unwrap();
        let lessons = subject.lessons_at(slot.parse().unwrap());
        let outline = subject.outline(&content, &lessons).unwrap();
        let submitted =
            self.publisher.submit(&content, &outline, &self.author.id, &|_, _| {}).await;
        submitted.unwrap().0
    }

    pub async fn approve(&self, review: &Review) {
        for person in [&self.reviewer, &self.co_reviewer] {
            self.publisher
                .decide(review, person, Verdict::approved())
                .await
                .unwrap_or_else(|error| panic!("{}: {error}", person.id));
        }
    }

    /// Looks at the schedules once.
    pub async fn tick(&self) {
        caishi::work::service::look(&self.publisher, "scheduler").await.unwrap();
    }

    pub fn worker(&self, name: &str) -> Worker {
        Worker::new(self.publisher.clone(), name)
    }

    /// Works, with the clock moved on, until nothing changes any more.
    pub async fn work(&self) {
        let worker = self.worker("worker");
        for _ in 0..8 {
            worker.drain().await.unwrap();
            self.move_clock(SignedDuration::from_secs(120));
        }
    }

    pub async fn deliveries(&self) -> Vec<Delivery> {
        self.publisher.store.deliveries(&DeliveryFilter::default()).await.unwrap()
    }

    /// `channel state` of every delivery, sorted.
    pub async fn states(&self) -> Vec<String> {
        let line = |row: &Delivery| format!("{} {}", row.channel, row.state);
        let mut states: Vec<String> = self.deliveries().await.iter().map(line).collect();
        states.sort();
        states
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    /// Replaces a text in a content file.
    pub fn edit(&self, file: &str, from: &str, to: &str) {
        let path = self.path("content").join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file} has {from}");
        fs::write(&path, text.replacen(from, to, 1)).unwrap();
    }
}

/// Opens the ledger and the channels of a town's folder.
pub async fn open(folder: &Path, sandbox: Url) -> Publisher {
    let config = Config::load(&folder.join("channels.toml")).unwrap();
    let context = BuildContext {
        folder: config.folder.clone(),
        egress: Egress::LoopbackOnly,
        sandbox: Some(sandbox),
        rehearsal: None,
    };
    Publisher::open(Arc::new(config), &context, folder.join("rendered")).await.unwrap()
}
