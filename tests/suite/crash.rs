//! Kill -9 at every labelled point, and cuts of the network, on both databases: nothing is
//! published twice, nothing is lost, by the stand-in's own books.
//!
//! The process that is killed is this test binary, run again for the one test [`child`].

use crate::{
    publishing::town::{CHANNELS, MONDAY, Town},
    servers::{
        postgres::{self, Database, Server},
        s3,
    },
};
use caishi::{
    model::DeliveryState,
    store::{Delivery, DeliveryFilter},
    work::{clock, publish::Order, worker::Worker},
};
use jiff::SignedDuration;
use std::{
    collections::BTreeSet,
    os::unix::process::ExitStatusExt as _,
    process::{Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
};
use url::Url;

static TOWNS: AtomicU32 = AtomicU32::new(0);

const POINT: &str = "CAISHI_CRASH_POINT";

/// `channels.toml` with one channel, over a database.
fn table(channel: &str, database: Option<&str>) -> String {
    let (head, rest) = CHANNELS.split_once("[channel.wechat]").unwrap();
    let rest = format!("[channel.wechat]{rest}");
    let own = rest
        .split("\n[")
        .find(|table| table.trim_start_matches('[').starts_with(&format!("channel.{channel}]")))
        .unwrap();
    let mut own = format!("[{}", own.trim_start_matches('['));
    if channel == "branches"
        && let Some(s3) = s3::s3()
    {
        s3.make_bucket("crash");
        let place = format!(
            "s3 = {{ endpoint = \"http://{}\", bucket = \"crash\", region = \"us-east-1\", root = \"/town-{}/\", \
             access_key = {{ command = [\"echo\", \"key\"] }}, \
             secret_key = {{ command = [\"echo\", \"secret\"] }} }}\nallow = [\"127.0.0.0/8\"]",
            s3.address(),
            // No two towns share a repository: what one has written, another need not write.
            TOWNS.fetch_add(1, Ordering::Relaxed)
        );
        own = own.replace("path = \"published\"", &place);
    }
    let review = &rest[rest.find("[[review.step]]").unwrap()..];
    let database =
        database.map_or_else(String::new, |url| format!("[database]\nurl = \"{url}\"\n\n"));
    format!(
        "{head}{database}{own}\n[schedule.weekly]\ncampaign = \"routine/weekly\"\n\
         rule = \"0 8 * * MON\"\nchannels = [\"{channel}\"]\n\n{review}"
    )
}

/// What the far side has had, by its own books: how often, and whether anything twice.
fn had(town: &Town, channel: &str, deliveries: &[Delivery]) -> usize {
    match channel {
        "wechat" => town.sandbox.books().out().count(),
        "intranet" => town.sandbox.webhooks().received().len(),
        // Content-addressed: each delivery is named by its receipt, and twice is once.
        _ => deliveries.iter().filter(|row| row.state == DeliveryState::Confirmed).count(),
    }
}

async fn publish(town: &Town) {
    let content = town.read();
    let subject = town.publisher.subject(&content, "weekly").unwrap();
    let lessons = subject.lessons_at(MONDAY.parse().unwrap());
    let now = clock::this_second(town.publisher.store.now().await.unwrap());
    let order = Order { lessons: &lessons, at: now, again: true, dry_run: false };
    town.publisher
        .publish(&content, &subject, &order, "author")
        .await
        .unwrap_or_else(|error| panic!("{error}"));
}

/// Every point that one delivery passes, in a run that nothing happens to.
async fn points(town: &Town) -> Vec<&'static str> {
    let passed = Arc::new(Mutex::new(Vec::new()));
    let mut worker = town.worker("observer");
    let noted = Arc::clone(&passed);
    worker.points = Arc::new(move |point| noted.lock().unwrap().push(point));
    publish(town).await;
    for _ in 0..8 {
        worker.drain().await.unwrap();
        town.move_clock(SignedDuration::from_secs(120));
    }
    let mut seen = BTreeSet::new();
    let passed = passed.lock().unwrap();
    passed.iter().copied().filter(|point| seen.insert(*point)).collect()
}

/// Works in another process, which kills itself at the point.
fn killed_at(town: &Town, point: &str, shift: SignedDuration) -> bool {
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["crash::child", "--exact", "--nocapture", "--test-threads=1"])
        .env(POINT, point)
        .env("CAISHI_CRASH_FOLDER", town.folder.path())
        .env("CAISHI_CRASH_SANDBOX", town.sandbox.url().as_str())
        .env("CAISHI_CRASH_SHIFT", shift.as_millis().to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    status.signal() == Some(9)
}

/// A town whose campaign is approved.
async fn approved(channel: &str, database: Option<&Database<'_>>) -> Town {
    let url = database.map(Database::url);
    let town = Town::with(&table(channel, url.as_deref())).await;
    let review = town.submit().await;
    town.approve(&review).await;
    town
}

/// Publishes, kills the worker at the point, lets others go on, and looks at the books; whether
/// the point was reached.
async fn kill(town: &Town, channel: &str, point: &str, expected: usize) -> bool {
    publish(town).await;
    let now = town.publisher.store.now().await.unwrap();
    let killed = killed_at(town, point, now.duration_since(jiff::Timestamp::now()));
    // What the dead worker held is free again when its lease has run out.
    for _ in 0..10 {
        town.move_clock(SignedDuration::from_mins(15));
        town.worker("successor").drain().await.unwrap();
    }
    let deliveries = town.deliveries().await;
    let open: Vec<&Delivery> =
        deliveries.iter().filter(|row| row.state != DeliveryState::Confirmed).collect();
    assert!(open.is_empty(), "{channel}: killed at {point}: {open:?}");
    assert_eq!(had(town, channel, &deliveries), expected, "{channel}: killed at {point}");
    killed
}

async fn sweep(channel: &'static str, server: Option<&Server>) {
    let database = server.map(Server::database);
    let town = approved(channel, database.as_ref()).await;
    let points = points(&town).await;
    assert!(points.len() >= 4, "{channel}: {points:?}");
    let mut expected = 1;
    for point in points {
        expected += 1;
        if !kill(&town, channel, point, expected).await {
            // Uploads are remembered: those points are passed by the first delivery only.
            let database = server.map(Server::database);
            let fresh = approved(channel, database.as_ref()).await;
            assert!(kill(&fresh, channel, point, 1).await, "{channel}: {point} was not reached");
        }
    }
    assert!(matches!(town.publisher.store.verify_audit().await, Ok(Ok(_))), "{channel}");
}

async fn sweep_both(channel: &'static str) {
    sweep(channel, None).await;
    match postgres::shared() {
        Some(server) => sweep(channel, Some(server)).await,
        None => eprintln!("skipped on Postgres: it is not installed"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wechat_has_each_article_once_wherever_a_worker_is_killed() {
    sweep_both("wechat").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_has_each_generation_once_wherever_a_worker_is_killed() {
    sweep_both("branches").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_has_each_message_once_wherever_a_worker_is_killed() {
    sweep_both("intranet").await;
}

/// The connection breaks before or after the platform has done what was asked.
#[tokio::test(flavor = "multi_thread")]
async fn a_cut_connection_is_asked_about_before_anything_is_sent_again() {
    let town = Town::with(&table("wechat", None)).await;
    let review = town.submit().await;
    town.approve(&review).await;
    let calls = ["media/uploadimg", "material/add_material", "draft/add", "freepublish/submit"];
    let mut expected = 0;
    for call in calls {
        for cut in ["cut-before", "cut-after"] {
            let rule = format!("{call}#1={cut}");
            town.sandbox.set_faults(vec![rule.parse().unwrap()]);
            publish(&town).await;
            expected += 1;
            for _ in 0..10 {
                town.worker("worker").drain().await.unwrap();
                town.move_clock(SignedDuration::from_mins(15));
            }
            let deliveries = town.deliveries().await;
            let open: Vec<&Delivery> =
                deliveries.iter().filter(|row| row.state != DeliveryState::Confirmed).collect();
            assert!(open.is_empty(), "{rule}: {open:?}");
            assert_eq!(had(&town, "wechat", &deliveries), expected, "{rule}");
        }
    }
}

/// A worker that stalls past its lease between writing down its intent and sending does not send.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_slept_past_its_lease_sends_nothing() {
    let town = Town::with(&table("wechat", None)).await;
    let review = town.submit().await;
    town.approve(&review).await;
    publish(&town).await;
    let mut sleeper = town.worker("sleeper");
    let store = town.publisher.store.clone();
    sleeper.points = Arc::new(move |point| {
        if point == "work.sending" {
            store.shift_clock(SignedDuration::from_hours(1));
        }
    });
    sleeper.step().await.unwrap();
    assert_eq!(town.sandbox.books().out().count(), 0);
    let filter = DeliveryFilter::default();
    let row = town.publisher.store.deliveries(&filter).await.unwrap().remove(0);
    assert_eq!(row.state, DeliveryState::Sending, "nothing more was written");
    for _ in 0..10 {
        town.worker("successor").drain().await.unwrap();
        town.move_clock(SignedDuration::from_mins(15));
    }
    let row = town.publisher.store.deliveries(&filter).await.unwrap().remove(0);
    assert_eq!(row.state, DeliveryState::Confirmed, "{row:?}");
    assert_eq!(town.sandbox.books().out().count(), 1);
    let lines = town.publisher.store.attempts(&row.id).await.unwrap();
    assert!(lines.iter().any(|line| line.to == DeliveryState::Unknown && !line.message.is_empty()));
}

/// Not a test of its own: the process that [`killed_at`] starts, and that does nothing when it is
/// run with all the others.
#[tokio::test(flavor = "multi_thread")]
async fn child() {
    let Ok(point) = std::env::var(POINT) else { return };
    let folder = std::env::var("CAISHI_CRASH_FOLDER").unwrap();
    let sandbox: Url = std::env::var("CAISHI_CRASH_SANDBOX").unwrap().parse().unwrap();
    let shift: i64 = std::env::var("CAISHI_CRASH_SHIFT").unwrap().parse().unwrap();
    let publisher = crate::publishing::town::open(folder.as_ref(), sandbox).await;
    publisher.store.shift_clock(SignedDuration::from_millis(shift));
    let mut worker = Worker::new(publisher, "victim");
    worker.points = Arc::new(move |reached| {
        if reached == point {
            let own = std::process::id().to_string();
            let _ = Command::new("kill").args(["-9", &own]).status();
            std::thread::sleep(std::time::Duration::from_mins(1));
        }
    });
    for _ in 0..4 {
        worker.drain().await.unwrap();
        worker.publisher.store.shift_clock(SignedDuration::from_secs(120));
    }
}
