//! A ledger full of approved deliveries that are due, and copies of it to drain.
//!
//! An edition of a campaign goes to every folder; each folder has its own manifest of the same
//! three files, as a bank's branches have. Everything is written through the library: submitted,
//! approved, opened.

use crate::postgres::Server;
use anyhow::Context as _;
use caishi::{
    config::Config,
    deliver::{BuildContext, Egress},
    model::{
        Approval, Audience, CampaignId, ChannelId, Decision, DeliveryKey, Digest, LessonId,
        LessonKind, LessonRevision, Listing, Manifest, MediaType, OutputKind, PersonId, ReviewStep,
        ScheduleId, Window,
    },
    store::{NewDelivery, Occurrence, OccurrenceState, Review},
    work::{Publisher, wire},
};
use jiff::{SignedDuration, Timestamp, civil::date};
use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};
use tempfile::TempDir;

/// Bytes of the files that an edition brings to every folder.
const FILES: [usize; 3] = [2_000, 6_000, 12_000];

/// The one step of review.
const STEP: &str = "审查";

/// Where ledgers are kept.
#[derive(Clone, Copy)]
pub enum Home<'s> {
    /// In a file of their own.
    Sqlite,
    /// In a database of their own on this server.
    Postgres(&'s Server),
}

/// A ledger full of deliveries; never drained itself.
pub struct Backlog<'s> {
    home: Home<'s>,
    /// With the blobs, and on SQLite the database. To be kept like [`Copy::folder`].
    pub folder: TempDir,
    /// The database's address.
    url: String,
    channels: usize,
    /// How many deliveries are due.
    pub deliveries: usize,
}

/// A copy, opened: to be drained.
pub struct Copy {
    /// The ledger and its channels.
    pub publisher: Publisher,
    /// With the folders that are delivered to. To be kept until all is measured: where ext4 has no
    /// journal, as on many virtual machines, it makes new files slowly for minutes after old ones
    /// were removed.
    pub folder: TempDir,
}

impl<'s> Backlog<'s> {
    /// `deliveries` in editions that go to `channels` folders each.
    pub async fn fill(home: Home<'s>, deliveries: usize, channels: usize) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let url = match home {
            Home::Sqlite => "sqlite:caishi.db".to_owned(),
            Home::Postgres(server) => server.database().url(),
        };
        let publisher = open(folder.path(), &url, &folder.path().join("blobs"), channels).await?;
        let begin = publisher.store.now().await? - SignedDuration::from_hours(24);
        for number in 0..deliveries / channels {
            Edition::new(&publisher, number, begin).await?.write(&publisher).await?;
        }
        Ok(Self { home, folder, url, channels, deliveries })
    }

    /// Every drain begins with the same rows, and with a disk that has them.
    pub async fn copy(&self) -> anyhow::Result<Copy> {
        static COPIES: AtomicU32 = AtomicU32::new(0);
        let folder = tempfile::tempdir()?;
        let url = match self.home {
            Home::Sqlite => {
                copy_file(&self.folder.path().join("caishi.db"), &folder.path().join("caishi.db"))
                    .await?;
                self.url.clone()
            }
            Home::Postgres(server) => {
                let (start, original) = self.url.rsplit_once('/').context("no database")?;
                let name = format!("copy{}", COPIES.fetch_add(1, Ordering::Relaxed));
                let sql = format!("CREATE DATABASE {name} TEMPLATE {original}");
                server.run("postgres", &sql);
                server.run("postgres", "CHECKPOINT");
                format!("{start}/{name}")
            }
        };
        let blobs = self.folder.path().join("blobs");
        let publisher = open(folder.path(), &url, &blobs, self.channels).await?;
        // What the disk still has to write is not this drain's.
        std::process::Command::new("sync").status()?;
        Ok(Copy { publisher, folder })
    }
}

/// As SQLite copies itself, write-ahead log included.
async fn copy_file(from: &Path, to: &Path) -> anyhow::Result<()> {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(from);
    let mut connection = sqlx::ConnectOptions::connect(&options).await?;
    let to = to.to_str().context("a path that is not text")?;
    sqlx::query("VACUUM INTO $1").bind(to).execute(&mut connection).await?;
    sqlx::Connection::close(connection).await?;
    Ok(())
}

/// Opens the ledger with so many folders below `folder`.
async fn open(
    folder: &Path,
    url: &str,
    blobs: &Path,
    channels: usize,
) -> anyhow::Result<Publisher> {
    let mut text = format!(
        "[bank]\nname = \"山城示范银行\"\nbase_url = \"https://edu.shancheng.example\"\n\
         hotline = \"bank\"\ndisclaimer = \"本文为金融知识普及，不构成投资建议。\"\n\
         [database]\nurl = \"{url}\"\n[blobs]\nkind = \"folder\"\npath = \"{}\"\n\
         [[review.step]]\nname = \"{STEP}\"\nrole = \"reviewer\"\n",
        blobs.display()
    );
    for number in 0..channels {
        text += &format!(
            "[channel.f{number}]\nkind = \"folder\"\npath = \"published/f{number}\"\n\
             outputs = [\"post\"]\naudiences = [\"general\"]\n"
        );
    }
    let file = folder.join("channels.toml");
    fs::write(&file, text)?;
    let config = Config::load(&file)?;
    let context = BuildContext {
        folder: config.folder.clone(),
        egress: Egress::LoopbackOnly,
        sandbox: None,
        rehearsal: None,
    };
    let publisher = Publisher::open(Arc::new(config), &context, folder.join("rendered")).await?;
    anyhow::ensure!(publisher.channel_faults.is_empty(), "{:?}", publisher.channel_faults);
    anyhow::ensure!(publisher.store.deployment().await?.hold.is_none(), "the copy is held");
    Ok(publisher)
}

/// One edition: a manifest for every channel, submitted and fired together.
struct Edition {
    campaign: CampaignId,
    lesson: LessonId,
    number: String,
    slot: Timestamp,
    manifests: Vec<(ChannelId, String, Digest, String)>,
}

impl Edition {
    async fn new(publisher: &Publisher, number: usize, begin: Timestamp) -> anyhow::Result<Self> {
        let lesson = LessonId::new("telecom-fraud")?;
        let mut files = Vec::new();
        for (index, length) in FILES.iter().enumerate() {
            let bytes = noise(number * FILES.len() + index, *length);
            let sha256 = publisher.store.put_blob(&bytes).await?;
            files.push(Listing {
                path: format!("lessons/telecom-fraud/general/post-{index}.txt"),
                lesson: Some(lesson.clone()),
                output: OutputKind::Post,
                audience: Audience::General,
                profile: None,
                branch: None,
                media_type: MediaType::Text,
                bytes: bytes.len() as u64,
                sha256,
            });
        }
        let mut edition = Self {
            // A series of its own, and with it a pointer of its own.
            campaign: CampaignId::new(&format!("series-{number}/2026"))?,
            number: format!("宣教审〔2026〕{number:05}号"),
            slot: begin + SignedDuration::from_secs(number.try_into()?),
            lesson,
            manifests: Vec::new(),
        };
        for (id, channel) in &publisher.channels {
            let targets = channel.targets();
            let target = targets.first().context("a folder without a target")?.clone();
            let (hash, json) = wire::to_json(&edition.manifest(id, targets, &files)?)?;
            edition.manifests.push((id.clone(), target, hash, json));
        }
        Ok(edition)
    }

    fn manifest(
        &self,
        channel: &ChannelId,
        targets: Vec<String>,
        files: &[Listing],
    ) -> anyhow::Result<Manifest> {
        Ok(Manifest {
            campaign: self.campaign.clone(),
            number: self.number.clone(),
            lessons: vec![LessonRevision {
                lesson: self.lesson.clone(),
                audience: Audience::General,
                version: 1,
                digest: Digest::of(b"lesson"),
                kind: LessonKind::Education,
                editors: vec![PersonId::new("editor")?],
            }],
            files: files.to_vec(),
            messages: Vec::new(),
            inputs: [("templates".to_owned(), Digest::of(b"templates"))].into(),
            rule_pack: "2026-11".to_owned(),
            channel: channel.clone(),
            targets,
            window: Window { from: date(2020, 1, 1), until: date(2099, 12, 31) },
            reached: None,
        })
    }

    /// Submits, approves and fires.
    async fn write(&self, publisher: &Publisher) -> anyhow::Result<()> {
        let store = &publisher.store;
        let now = store.now().await?;
        let author = PersonId::new("author")?;
        let review = Review {
            number: self.number.clone(),
            campaign: self.campaign.clone(),
            lessons: vec![self.lesson.clone()],
            plan_key: Digest::of(self.number.as_bytes()),
            // An empty content folder, frozen.
            revision: store.put_blob(b"{}").await?,
            author: author.clone(),
            excluded: vec![author],
            reasons: Vec::new(),
            steps: vec![ReviewStep {
                name: STEP.to_owned(),
                role: "reviewer".to_owned(),
                department: None,
            }],
            manifests: self.manifests.iter().map(|(id, _, hash, _)| (id.clone(), *hash)).collect(),
            submitted_at: now,
        };
        let bodies: Vec<_> =
            self.manifests.iter().map(|(_, _, hash, json)| (*hash, json.clone())).collect();
        store.submit(&review, &bodies).await?;
        let reviewer = PersonId::new("reviewer")?;
        let approvals = self.manifests.iter().map(|(_, _, hash, _)| Approval {
            manifest: *hash,
            step: STEP.to_owned(),
            actor: reviewer.clone(),
            decision: Decision::Approved,
            note: String::new(),
            at: now,
            expires_at: now + SignedDuration::from_hours(24 * 90),
        });
        store.decide(&approvals.collect::<Vec<_>>()).await?;
        self.fire(publisher).await
    }

    async fn fire(&self, publisher: &Publisher) -> anyhow::Result<()> {
        let occurrence = Occurrence {
            id: format!("weekly@{}", self.slot),
            schedule: ScheduleId::new("weekly")?,
            slot: self.slot,
            due: self.slot,
            state: OccurrenceState::Fired,
            reason: String::new(),
            campaign: self.campaign.clone(),
            lessons: vec![self.lesson.clone()],
        };
        let deliveries = self.manifests.iter().map(|(channel, target, manifest, _)| NewDelivery {
            channel: channel.clone(),
            target: target.clone(),
            manifest: *manifest,
            key: DeliveryKey::new(&occurrence.id, channel, target, manifest),
            next_at: self.slot,
            expires_at: self.slot + SignedDuration::from_hours(24 * 30),
        });
        let deliveries: Vec<_> = deliveries.collect();
        let store = &publisher.store;
        anyhow::ensure!(store.open_occurrence(&occurrence, &deliveries, "scheduler").await?);
        Ok(())
    }
}

/// Bytes that no other number has, the same on every run.
fn noise(number: usize, length: usize) -> Vec<u8> {
    let mut state = (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        b'a' + (state % 26) as u8
    };
    std::iter::repeat_with(next).take(length).collect()
}
