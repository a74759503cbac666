//! The ledger's promises, on SQLite and on Postgres.

mod approvals;
mod backup;
mod blobs;
mod books;
mod claims;
mod jobs;
mod many;
mod moves;
mod people;
mod story;
mod trouble;

use crate::servers::postgres;
use caishi::{
    config::{BlobConfig, StorageConfig},
    model::{
        Approval, CampaignId, ChannelId, Decision, DeliveryKey, DeliveryState, Digest, LessonId,
        PersonId, ReviewStep, ScheduleId,
    },
    store::{Claim, Lease, NewDelivery, Occurrence, OccurrenceState, Review, Store, Transition},
};
use jiff::{SignedDuration, Timestamp};
use std::{path::PathBuf, time::Duration};
use tempfile::TempDir;

pub const LEASE: Duration = Duration::from_mins(1);

/// A database of its own and a folder for everything else.
pub struct Place {
    pub kind: &'static str,
    pub database: String,
    pub folder: TempDir,
}

impl Place {
    pub fn sqlite() -> Self {
        // A space, a question mark and Chinese must be fine in a path.
        let database = "sqlite:数据 ?/caishi.db".to_owned();
        Self { kind: "sqlite", database, folder: tempfile::tempdir().unwrap() }
    }

    pub fn postgres() -> Option<Self> {
        let database = postgres::shared()?.database().url();
        Some(Self { kind: "postgres", database, folder: tempfile::tempdir().unwrap() })
    }

    pub fn config(&self) -> StorageConfig {
        StorageConfig {
            database: self.database.clone(),
            database_password: None,
            blobs: BlobConfig::Folder { path: "blobs".into() },
        }
    }

    pub async fn open(&self) -> Store {
        Store::open(&self.config(), self.folder.path()).await.unwrap()
    }

    pub fn sqlite_file(&self) -> PathBuf {
        self.folder.path().join("数据 ?/caishi.db")
    }

    /// Changes rows behind the ledger's back.
    pub async fn tamper(&self, sql: &'static str) {
        if self.kind == "sqlite" {
            let options = sqlx::sqlite::SqliteConnectOptions::new().filename(self.sqlite_file());
            let mut connection = sqlx::ConnectOptions::connect(&options).await.unwrap();
            sqlx::query(sql).execute(&mut connection).await.unwrap();
        } else {
            let mut connection =
                <sqlx::PgConnection as sqlx::Connection>::connect(&self.database).await.unwrap();
            sqlx::query(sql).execute(&mut connection).await.unwrap();
        }
    }
}

/// Tells the same story to both databases.
#[expect(clippy::needless_pass_by_value, reason = "stories are written where they are told")]
pub fn on_both(story: impl AsyncFn(&Place)) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    for place in [Some(Place::sqlite()), Place::postgres()].into_iter().flatten() {
        println!("on {}", place.kind);
        runtime.block_on(story(&place));
    }
}

pub fn channel(id: &str) -> ChannelId {
    ChannelId::new(id).unwrap()
}

pub fn person(id: &str) -> PersonId {
    PersonId::new(id).unwrap()
}

pub fn later(by: i64) -> Timestamp {
    Timestamp::now() + SignedDuration::from_secs(by)
}

pub fn step(name: &str) -> ReviewStep {
    ReviewStep { name: name.to_owned(), role: "reviewer".to_owned(), department: None }
}

/// A manifest's bytes; what they say does not matter to the ledger.
pub fn manifest(text: &str) -> (Digest, String) {
    let body = format!(r#"{{"files":[],"text":"{text}"}}"#);
    (Digest::of(body.as_bytes()), body)
}

/// A submission of one manifest per channel, to be approved in two steps.
pub fn review(number: u32, manifests: &[(&str, &(Digest, String))]) -> Review {
    Review {
        number: format!("宣教审〔2026〕{number:04}号"),
        campaign: CampaignId::new("weekly/2026").unwrap(),
        lessons: vec![LessonId::new("safe-account").unwrap()],
        plan_key: Digest::of(format!("plan {number}").as_bytes()),
        revision: Digest::of(b"revision"),
        author: person("lin"),
        excluded: vec![person("lin"), person("zhou")],
        reasons: vec![(person("lin"), "送审".to_owned())],
        steps: vec![step("消保审查"), step("部门会签")],
        manifests: manifests.iter().map(|(id, manifest)| (channel(id), manifest.0)).collect(),
        submitted_at: Timestamp::from_second(Timestamp::now().as_second()).unwrap(),
    }
}

pub fn approval(manifest: &Digest, step: &str, actor: &str) -> Approval {
    let at = Timestamp::from_second(Timestamp::now().as_second()).unwrap();
    Approval {
        manifest: *manifest,
        step: step.to_owned(),
        actor: person(actor),
        decision: Decision::Approved,
        note: "同意".to_owned(),
        at,
        expires_at: at + SignedDuration::from_hours(24),
    }
}

pub fn occurrence(schedule: &str, slot: Timestamp) -> Occurrence {
    Occurrence {
        id: format!("{schedule}@{slot}"),
        schedule: ScheduleId::new(schedule).unwrap(),
        slot,
        due: slot,
        state: OccurrenceState::Fired,
        reason: String::new(),
        campaign: CampaignId::new("weekly/2026").unwrap(),
        lessons: vec![LessonId::new("safe-account").unwrap()],
    }
}

pub fn delivery(of: &Occurrence, id: &str, target: &str, manifest: &Digest) -> NewDelivery {
    NewDelivery {
        channel: channel(id),
        target: target.to_owned(),
        manifest: *manifest,
        key: DeliveryKey::new(&of.id, &channel(id), target, manifest),
        next_at: of.slot,
        expires_at: of.slot + SignedDuration::from_hours(24 * 7),
    }
}

/// A change to `state` that lets go of the row where that is the end of the work on it.
pub fn to(state: DeliveryState) -> Transition {
    let goes_on = matches!(
        state,
        DeliveryState::Preparing | DeliveryState::Prepared | DeliveryState::Sending
    );
    Transition {
        state,
        next_at: Timestamp::now(),
        lease: if goes_on { Lease::Extend(LEASE) } else { Lease::Release },
        begins_attempt: state == DeliveryState::Sending,
        failures: 0,
        prepared_ref: None,
        remote_ref: None,
        url: None,
        error_class: None,
        message: String::new(),
        next_step: String::new(),
    }
}

/// An approved manifest, and one occurrence with deliveries to these targets.
pub async fn approved(store: &Store, targets: &[&str]) -> (Digest, Occurrence) {
    let text = manifest("甲");
    store.submit(&review(1, &[("wechat", &text)]), std::slice::from_ref(&text)).await.unwrap();
    let decisions = [approval(&text.0, "消保审查", "chen"), approval(&text.0, "部门会签", "wang")];
    store.decide(&decisions).await.unwrap();
    let occurrence = occurrence("weekly", later(-1));
    let deliveries: Vec<_> =
        targets.iter().map(|target| delivery(&occurrence, "wechat", target, &text.0)).collect();
    assert!(store.open_occurrence(&occurrence, &deliveries, "scheduler").await.unwrap());
    (text.0, occurrence)
}

/// Claims and goes on until the irreversible call has begun.
pub async fn begin_sending(store: &Store, worker: &str) -> Claim {
    let claim = store.claim(worker, LEASE).await.unwrap().unwrap();
    store.advance(&claim, &to(DeliveryState::Sending)).await.unwrap()
}
