//! Trouble on the whole path, from `publish` over the worker to the channels: what `caishi status`
//! and `caishi show` say of it in words, and that afterwards everything has gone out once.
//!
//! Longer than 400 lines: one story for each trouble, all told in the same town.

use super::{
    ALL_CONFIRMED,
    town::{CHANNELS, FRIDAY, Town},
};
use crate::servers::{
    disk,
    postgres::{self, Server},
};
use caishi::{
    model::DeliveryState,
    store::{Delivery, StoreError},
    work::{WorkError, service, worker::Worker},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use sqlx::{ConnectOptions as _, Executor as _, sqlite::SqliteConnectOptions};
use std::{
    env,
    io::{BufRead as _, BufReader, Lines, Write as _},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

/// What the command says, in a process of its own.
fn caishi(folder: &Path, words: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_caishi"))
        .args(words)
        .current_dir(folder)
        .output()
        .unwrap();
    let streams = [&output.stdout, &output.stderr];
    streams.map(|bytes| String::from_utf8_lossy(bytes).into_owned()).join("\n")
}

async fn of_channel(town: &Town, channel: &str) -> Delivery {
    let mut deliveries = town.deliveries().await;
    deliveries.retain(|row| row.channel.as_str() == channel);
    assert_eq!(deliveries.len(), 1, "{deliveries:?}");
    deliveries.remove(0)
}

/// What `caishi show` says of a channel's delivery.
async fn shown(town: &Town, channel: &str) -> String {
    caishi(town.folder.path(), &["show", &of_channel(town, channel).await.id])
}

/// A town on Monday morning, with its approved deliveries ready.
async fn monday(channels: &str) -> Town {
    let town = Town::with(channels).await;
    let review = town.submit().await;
    town.approve(&review).await;
    town.set_clock("2026-11-30T00:00:05Z").await;
    town.tick().await;
    assert_eq!(town.states().await, ["branches ready", "intranet ready", "wechat ready"]);
    town
}

/// Others go on, long enough for every lease and pause.
async fn go_on(town: &Town) {
    for _ in 0..10 {
        town.worker("successor").drain().await.unwrap();
        town.move_clock(SignedDuration::from_mins(15));
    }
}

/// Everything is out, once, by the far sides' own books, and `status` says so.
async fn out_once(town: &Town) {
    assert_eq!(town.states().await, ALL_CONFIRMED, "{:?}", town.deliveries().await);
    let books = town.sandbox.books();
    assert_eq!(books.out().count(), 1, "{books:?}");
    assert_eq!(town.sandbox.webhooks().received().len(), 1);
    assert_eq!(town.publisher.alerts().await.unwrap(), []);
    assert!(matches!(town.publisher.store.verify_audit().await, Ok(Ok(_))));
    let status = caishi(town.folder.path(), &["status"]);
    assert_eq!(status.matches("已送达").count(), 3, "{status}");
    assert!(!status.contains("警报"), "{status}");
}

/// A worker to which something happens, once, where it first passes a point.
fn worker_struck(
    town: &Town,
    at: &'static str,
    strike: impl Fn() + Send + Sync + 'static,
) -> Worker {
    let mut worker = town.worker("struck");
    let struck = AtomicBool::new(false);
    worker.points = Arc::new(move |point| {
        if point == at && !struck.swap(true, Ordering::SeqCst) {
            strike();
        }
    });
    worker
}

#[test]
fn a_full_disk_delays_its_own_channel_and_says_so() {
    match disk::here() {
        Some(disk) => {
            tokio::runtime::Runtime::new().unwrap().block_on(on_a_full_disk(&disk));
        }
        None => {
            let own = "publishing::trouble::a_full_disk_delays_its_own_channel_and_says_so";
            disk::run_again(own, "64k");
        }
    }
}

async fn on_a_full_disk(disk: &Path) {
    let place = format!("path = \"{}/published\"", disk.display());
    let town = monday(&CHANNELS.replace("path = \"published\"", &place)).await;
    town.work().await;
    assert_eq!(
        town.states().await,
        ["branches retry-wait", "intranet confirmed", "wechat confirmed"],
        "the others went out"
    );
    let status = caishi(town.folder.path(), &["status"]);
    assert!(status.contains("待重试"), "{status}");
    assert!(status.contains("磁盘满了"), "{status}");
    assert!(status.contains("请腾出空间；腾出后自动再试"), "{status}");
    let show = shown(&town, "branches").await;
    assert!(show.contains("磁盘满了") && show.contains("下一步"), "{show}");
    // Nobody does anything but make room.
    disk::grow(disk, "64m");
    go_on(&town).await;
    out_once(&town).await;
    let zips = walkdir::WalkDir::new(disk).into_iter().map(Result::unwrap);
    let zips = zips.filter(|entry| entry.file_name() == "b001.zip");
    assert_eq!(zips.count(), 1, "nothing is left of the attempts that failed");
}

/// Another process that holds the ledger's write lock until it is let go.
struct Holder {
    process: Child,
    said: Lines<BufReader<ChildStdout>>,
}

impl Holder {
    fn start(database: &Path) -> Self {
        let mut process = Command::new(env::current_exe().unwrap())
            .args(["publishing::trouble::holder", "--exact", "--nocapture", "--test-threads=1"])
            .env("CAISHI_TEST_HOLD", database)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(process.stdout.take().unwrap()).lines();
        let locked = said.by_ref().map(Result::unwrap).any(|line| line.contains("locked"));
        assert!(locked, "the other process has the lock");
        Self { process, said }
    }

    fn let_go(mut self) {
        self.process.stdin.take().unwrap().write_all(b"\n").unwrap();
        // Read to its end, so that it can say how it ended.
        assert!(self.said.map(Result::unwrap).any(|line| line.contains("1 passed")));
        self.process.wait().unwrap();
    }
}

/// Not a test of its own: the process that [`Holder`] starts.
#[tokio::test]
async fn holder() {
    let Ok(database) = env::var("CAISHI_TEST_HOLD") else { return };
    let mut other = SqliteConnectOptions::new().filename(database).connect().await.unwrap();
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    println!("locked");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
    other.execute("ROLLBACK").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_that_others_lock_is_waited_for_and_named() {
    let town = monday(CHANNELS).await;
    let database = town.path("data/caishi.db");
    assert!(database.is_file());
    // The worst moment: the platform has taken the article, and that cannot be written down.
    let held: Arc<Mutex<Option<Holder>>> = Arc::default();
    let worker = worker_struck(&town, "wechat.submit.sent", {
        let held = Arc::clone(&held);
        move || *held.lock().unwrap() = Some(Holder::start(&database))
    });
    let error = loop {
        match worker.step().await {
            Ok(step) => assert!(step.is_some(), "the article is sent before nothing is due"),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, WorkError::Store(StoreError::Unavailable { .. })), "{error:?}");
    assert!(error.to_string().contains("数据库被另一个进程锁住了，等了 5 秒"), "{error}");
    // Who looks meanwhile is told the truth as far as it was written down.
    let status = caishi(town.folder.path(), &["status"]);
    assert!(status.contains("发送中"), "{status}");
    held.lock().unwrap().take().unwrap().let_go();
    go_on(&town).await;
    out_once(&town).await;
    let show = shown(&town, "wechat").await;
    assert!(show.contains("结果不明"), "{show}");
    assert!(show.contains("已送达"), "{show}");
}

/// A town on a database server of its own, which can be stopped.
async fn on_postgres() -> Option<(Town, Arc<Server>)> {
    postgres::shared()?;
    let server = Arc::new(Server::start(false).unwrap());
    let database = format!("[database]\nurl = \"{}\"\n\n[channel.wechat]", server.database().url());
    Some((monday(&CHANNELS.replacen("[channel.wechat]", &database, 1)).await, server))
}

/// As `caishi serve` runs it, a short restart is only waited for.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_server_that_restarts_in_the_middle_of_a_push_is_waited_for() {
    let Some((town, server)) = on_postgres().await else { return };
    let stopped = Arc::new(AtomicBool::new(false));
    let worker = worker_struck(&town, "wechat.submit.sent", {
        let (server, stopped) = (Arc::clone(&server), Arc::clone(&stopped));
        move || {
            server.stop();
            stopped.store(true, Ordering::SeqCst);
        }
    });
    let stop = CancellationToken::new();
    let working = tokio::spawn(service::work(worker, stop.clone()));
    wait_until(async || stopped.load(Ordering::SeqCst)).await;
    server.start_again();
    wait_until(async || {
        town.move_clock(SignedDuration::from_secs(5));
        town.states().await == ALL_CONFIRMED
    })
    .await;
    stop.cancel();
    working.await.unwrap();
    out_once(&town).await;
}

/// One that stays away longer than anybody waits: the article is out, and that could not be
/// written down.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_server_that_stays_away_leaves_nothing_in_doubt_for_good() {
    let Some((town, server)) = on_postgres().await else { return };
    let worker = worker_struck(&town, "work.committed", {
        let server = Arc::clone(&server);
        move || server.stop()
    });
    let error = loop {
        match worker.step().await {
            Ok(step) => assert!(step.is_some(), "the server is stopped before nothing is due"),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, WorkError::Store(StoreError::Unavailable { .. })), "{error:?}");
    let status = caishi(town.folder.path(), &["status"]);
    assert!(status.contains("连不上数据库。请检查数据库是否已启动"), "{status}");
    server.start_again();
    let status = caishi(town.folder.path(), &["status"]);
    assert!(status.contains("发送中"), "the intent was written down: {status}");
    go_on(&town).await;
    out_once(&town).await;
    let deliveries = town.deliveries().await;
    let mut unclear = 0;
    for row in &deliveries {
        let show = caishi(town.folder.path(), &["show", &row.id]);
        unclear += usize::from(show.contains("结果不明"));
    }
    assert_eq!(unclear, 1, "it was asked about: {deliveries:?}");
}

async fn wait_until(done: impl AsyncFn() -> bool) {
    let started = Instant::now();
    while !done().await {
        assert!(started.elapsed() < Duration::from_mins(2), "it never came to that");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Another system with the same secret takes the account's token, and ours with it: two forced
/// refreshes, half a minute apart.
async fn steal_token(stand_in: &url::Url) {
    let client = reqwest::Client::new();
    for _ in 0..2 {
        let body = json!({
            "grant_type": "client_credential",
            "appid": "wx5a0d0000demo0001",
            "secret": "sandbox-wx5a0d0000demo0001",
            "force_refresh": true,
        });
        let url = stand_in.join("wechat/cgi-bin/stable_token").unwrap();
        let reply = client.post(url).body(body.to_string()).send().await.unwrap();
        let text = reply.text().await.unwrap();
        assert!(text.contains("access_token"), "{text}");
        let clock = stand_in.join("_sandbox/clock").unwrap();
        client.put(clock).body(json!({ "shift_seconds": 31 }).to_string()).send().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_token_is_fetched_again_once_and_a_thief_that_stays_is_named() {
    let town = monday(CHANNELS).await;
    let stand_in = town.sandbox.url();
    let worker = worker_struck(&town, "wechat.draft.recorded", move || {
        let stand_in = stand_in.clone();
        tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(steal_token(&stand_in));
        });
    });
    worker.drain().await.unwrap();
    let refused = |town: &Town| {
        let books = town.sandbox.books();
        books.calls.iter().filter(|call| call.errcode == Some(40001)).count()
    };
    assert_eq!(refused(&town), 1, "the stolen token was used, once");
    go_on(&town).await;
    out_once(&town).await;
    let show = shown(&town, "wechat").await;
    assert!(!show.contains("40001"), "nothing for people to do: {show}");

    // One that takes every new token at once.
    let town = monday(CHANNELS).await;
    let rule = "freepublish/submit#1-2=error:40001".parse().unwrap();
    town.sandbox.set_faults(vec![rule]);
    town.worker("worker").drain().await.unwrap();
    let row = of_channel(&town, "wechat").await;
    assert_ne!(row.state, DeliveryState::Confirmed, "{row:?}");
    let status = caishi(town.folder.path(), &["status"]);
    assert!(status.contains("40001"), "{status}");
    assert!(status.contains("如果别的系统也在用这个公众号，请让它们改用 stable_token"), "{status}");
    if row.state == DeliveryState::NeedsHuman {
        town.publisher.retry(&row.id, "operator").await.unwrap();
    }
    go_on(&town).await;
    out_once(&town).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_sends_nothing_twice() {
    // Forward by three hours, between writing down the intent and sending: the lease is over, and
    // nothing is sent before it was asked what became of it.
    let town = monday(CHANNELS).await;
    let jump = SignedDuration::from_hours(3);
    let store = town.publisher.store.clone();
    let worker = worker_struck(&town, "work.sending", move || store.shift_clock(jump));
    worker.drain().await.unwrap();
    go_on(&town).await;
    assert_eq!(town.sandbox.books().out().count(), 1);
    // The receiver of webhooks goes by the clock and refuses; people are told of that too.
    let waiting = ["branches confirmed", "intranet needs-human", "wechat confirmed"];
    assert_eq!(town.states().await, waiting);
    let status = caishi(town.folder.path(), &["status"]);
    assert!(status.contains("需人工处理"), "{status}");
    assert!(status.contains("两边的时钟差几分钟也会这样：caishi doctor"), "{status}");
    // The doctor compares the two clocks, and says what to do.
    let now = town.publisher.store.now().await.unwrap();
    let report = town.publisher.doctor(None, now.checked_sub(jump).unwrap()).await;
    let (_, findings) = report.into_iter().find(|(what, _)| what == "时钟").unwrap();
    assert!(findings[0].what.contains("本机时钟和数据库差 108"), "{findings:?}");
    assert!(findings[0].next_step.as_ref().unwrap().contains("时间同步"), "{findings:?}");
    // They put the clock right and try again.
    town.publisher.store.shift_clock(-jump);
    let intranet = of_channel(&town, "intranet").await;
    town.publisher.retry(&intranet.id, "operator").await.unwrap();
    go_on(&town).await;
    out_once(&town).await;
    let show = shown(&town, "wechat").await;
    assert!(show.contains("结果不明") && show.contains("已送达"), "{show}");

    // Back by three days, to before the slot: it does not fire again, and nothing goes again.
    let before = town.deliveries().await;
    let now: Timestamp = town.publisher.store.now().await.unwrap();
    let friday: Timestamp = FRIDAY.parse().unwrap();
    town.publisher.store.shift_clock(friday.duration_since(now));
    town.tick().await;
    town.worker("worker").drain().await.unwrap();
    // And comes to its senses again: Monday morning comes a second time.
    town.publisher.store.shift_clock(now.duration_since(friday));
    town.tick().await;
    go_on(&town).await;
    assert_eq!(town.deliveries().await, before);
    out_once(&town).await;
}

/// Back by three hours in the middle of a push: what waits for a moment waits longer, and goes.
#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_put_back_in_the_middle_of_a_push_only_delays_it() {
    let town = monday(CHANNELS).await;
    let store = town.publisher.store.clone();
    let worker = worker_struck(&town, "wechat.submit.sent", move || {
        store.shift_clock(SignedDuration::from_hours(-3));
    });
    worker.drain().await.unwrap();
    let status = caishi(town.folder.path(), &["status"]);
    assert!(status.contains("已受理") || status.contains("已送达"), "{status}");
    town.publisher.store.shift_clock(SignedDuration::from_hours(3));
    go_on(&town).await;
    out_once(&town).await;
    let show = shown(&town, "wechat").await;
    assert!(!show.contains("结果不明"), "{show}");
}
