//! Three hundred branches in virtual time: the real service, scheduling and pulling, over a
//! modelled network that gives everybody the same share.
//!
//! Everything is scaled by a hundred: a pack of 600 kB stands for 60 MB, 1 Mbps for the head
//! office's 100, and lines of 20 to 100 kbps for 2 to 10 Mbps. Metadata is not scaled, so it costs
//! a hundred times what it would: the figures are worse than the real ones.
//!
//! Over 400 lines: the modelled network and the four nights over it are read together.

use super::town::{Branch, EIGHT, EVENING, HeadOffice, TestWall, at, hours, playing, poster};
use async_trait::async_trait;
use bytes::Bytes;
use caishi::{
    branch::{
        Stage,
        clock::Wall as _,
        gate::{Gate, GatedSource},
        journal::Journal,
        office::{Nudges, Office},
        pull::{Puller, Wanted},
        report::Reporter,
        service::{Service, Timetable},
        window::Window,
    },
    model::{BranchId, Digest},
    packs::{
        Body, Polled, SigningKey, Source, SourceError,
        wire::{Report, ReportAnswer},
    },
};
use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;
use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant as RealInstant},
};
use tokio::time::Instant;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

const BRANCHES: usize = 300;
/// Bytes a second: 1 Mbps.
const OFFICE_RATE: u64 = 125_000;
const PIECE: usize = 4096;
const POSTERS: u64 = 30;
const POSTER: usize = 20_000;
/// A request and the head of its answer.
const HEAD: u64 = 369;

/// Two logs and the ones before them.
const _: () = assert!(Journal::LIMIT * 4 <= 1 << 20);

/// The head office's line, shared fairly: pieces of all branches take turns.
#[derive(Debug)]
struct Uplink {
    files: Mutex<BTreeMap<String, Bytes>>,
    free_at: Mutex<Instant>,
    dead: AtomicBool,
    /// Something answers that is not the head office.
    wrong: AtomicBool,
    wall: TestWall,
    /// When pieces of posters went out, and how many bytes.
    posters: Mutex<Vec<(Timestamp, u64)>>,
}

impl Uplink {
    fn read(&self, folder: &Path) {
        let mut files = self.files.lock().unwrap();
        for part in ["metadata", "targets"] {
            for entry in fs::read_dir(folder.join(part)).unwrap() {
                let entry = entry.unwrap();
                let name = format!("{part}/{}", entry.file_name().into_string().unwrap());
                files
                    .entry(name.clone())
                    .or_insert_with(|| Bytes::from(fs::read(entry.path()).unwrap()));
                if name == "metadata/timestamp.json" {
                    files.insert(name, fs::read(entry.path()).unwrap().into());
                }
            }
        }
    }

    fn file(&self, path: &str) -> Option<Bytes> {
        self.files.lock().unwrap().get(path).cloned()
    }

    /// Waits until a piece has left; when that is.
    async fn send(&self, bytes: u64) {
        let until = {
            let mut free_at = self.free_at.lock().unwrap();
            let cost = Duration::from_secs_f64(bytes as f64 / OFFICE_RATE as f64);
            *free_at = (*free_at).max(Instant::now()) + cost;
            *free_at
        };
        tokio::time::sleep_until(until).await;
    }
}

/// A branch's line to the head office.
#[derive(Debug, Clone)]
struct Line {
    uplink: Arc<Uplink>,
    /// Bytes a second.
    rate: u64,
    requests: Arc<Mutex<Vec<Instant>>>,
}

impl Line {
    fn ask(&self) -> Result<(), SourceError> {
        self.requests.lock().unwrap().push(Instant::now());
        if self.uplink.dead.load(Ordering::Relaxed) {
            return Err(SourceError::Broken("connection refused".to_owned()));
        }
        Ok(())
    }

    /// What stands between a branch and its head office answers for it.
    fn refuse(&self) -> Result<(), SourceError> {
        self.ask()?;
        if self.uplink.wrong.load(Ordering::Relaxed) {
            return Err(SourceError::Refused("HTTP 403 Forbidden".to_owned()));
        }
        Ok(())
    }

    async fn carry(&self, bytes: u64) {
        self.uplink.send(bytes).await;
        tokio::time::sleep(Duration::from_secs_f64(bytes as f64 / self.rate as f64)).await;
    }
}

#[async_trait]
impl Source for Line {
    async fn metadata(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, SourceError> {
        self.ask()?;
        if self.uplink.wrong.load(Ordering::Relaxed) {
            return Ok(Some(b"<html>login</html>".to_vec()));
        }
        let Some(bytes) = self.uplink.file(&format!("metadata/{name}")) else { return Ok(None) };
        assert!(bytes.len() as u64 <= limit);
        self.carry(HEAD + bytes.len() as u64).await;
        Ok(Some(bytes.to_vec()))
    }

    async fn poll(&self, tag: Option<&str>) -> Result<Polled, SourceError> {
        self.ask()?;
        if self.uplink.wrong.load(Ordering::Relaxed) {
            return Ok(Polled::Changed { tag: None });
        }
        let bytes = self.uplink.file("metadata/timestamp.json").unwrap();
        let found = Digest::of(&bytes).to_string();
        self.carry(HEAD).await;
        Ok(if tag == Some(&found) {
            Polled::Unchanged
        } else {
            Polled::Changed { tag: Some(found) }
        })
    }

    async fn target(&self, file: &str, offset: u64) -> Result<Body, SourceError> {
        self.ask()?;
        let bytes = self.uplink.file(&format!("targets/{file}"));
        let bytes = bytes.ok_or_else(|| SourceError::Missing(file.to_owned()))?;
        let bytes = bytes.slice(usize::try_from(offset).unwrap()..);
        self.carry(HEAD).await;
        let (line, is_poster) = (self.clone(), file.contains(".png"));
        let pieces: Vec<Bytes> = bytes.chunks(PIECE).map(Bytes::copy_from_slice).collect();
        let stream = stream::iter(pieces).then(move |piece| {
            let line = line.clone();
            async move {
                line.carry(piece.len() as u64).await;
                if line.uplink.dead.load(Ordering::Relaxed) {
                    return Err(SourceError::Broken("connection reset".to_owned()));
                }
                if is_poster {
                    let now = line.uplink.wall.now();
                    line.uplink.posters.lock().unwrap().push((now, piece.len() as u64));
                }
                Ok(piece)
            }
        });
        Ok(Body { start: offset, stream: stream.boxed() })
    }
}

#[async_trait]
impl Office for Line {
    async fn report(
        &self,
        _branch: &BranchId,
        _signature: &str,
        body: Vec<u8>,
    ) -> Result<ReportAnswer, SourceError> {
        self.refuse()?;
        self.carry(HEAD + body.len() as u64).await;
        let report: Report = serde_json::from_slice(&body).unwrap();
        Ok(ReportAnswer {
            receipts: report.receipts.len() as u64,
            confirmations: report.confirmations.last().map_or(0, |last| last.number),
        })
    }

    async fn events(&self, _branch: &BranchId) -> Result<Nudges, SourceError> {
        self.refuse()?;
        let uplink = Arc::clone(&self.uplink);
        // The line stands until the head office is gone.
        let end = async move {
            while !uplink.dead.load(Ordering::Relaxed) && !uplink.wrong.load(Ordering::Relaxed) {
                tokio::time::sleep(Duration::from_mins(5)).await;
            }
            Err(SourceError::Broken("connection reset".to_owned()))
        };
        Ok(stream::once(end).boxed())
    }
}

struct Fleet {
    uplink: Arc<Uplink>,
    wall: TestWall,
    stop: CancellationToken,
    tasks: TaskTracker,
    branches: Vec<(Branch, Line, Stage)>,
    _folder: tempfile::TempDir,
}

impl Fleet {
    /// Everybody plays the first pack; the head office's line is free.
    async fn begin(office: &HeadOffice, count: usize) -> Self {
        let shm = Path::new("/dev/shm");
        let folder = tempfile::Builder::new()
            .tempdir_in(if shm.is_dir() { shm } else { Path::new("/tmp") })
            .unwrap();
        let wall = TestWall::at(EVENING);
        let uplink = Arc::new(Uplink {
            files: Mutex::default(),
            free_at: Mutex::new(Instant::now()),
            dead: AtomicBool::new(false),
            wrong: AtomicBool::new(false),
            wall: wall.clone(),
            posters: Mutex::default(),
        });
        let mut branches = Vec::new();
        for number in 0..count {
            let id = format!("b{number:03}");
            let disk = folder.path().join(&id);
            let branch = Branch::on(&disk, office, &id, wall.clone());
            branch.pull(office.source()).await.unwrap();
            // 2 to 10 Mbps, by a fixed seed.
            let draw = u64::from(Digest::of(id.as_bytes()).as_bytes()[0]);
            let rate = (2_000_000 + draw * 8_000_000 / 255) / 8 / 100;
            let line = Line { uplink: Arc::clone(&uplink), rate, requests: Arc::default() };
            let stage = Stage::looking_every(branch.state(), Duration::from_mins(10)).unwrap();
            branches.push((branch, line, stage));
        }
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        Self { uplink, wall, stop, tasks, branches, _folder: folder }
    }

    /// Starts every branch's service.
    async fn start(&self, timetable: Timetable) {
        for (branch, line, stage) in &self.branches {
            let gate = Arc::new(Gate::new(branch.id.as_str().as_bytes()));
            let source = GatedSource::new(Arc::new(line.clone()), Arc::clone(&gate));
            let puller =
                Puller::open(branch.state(), Arc::new(source), Wanted::default()).await.unwrap();
            let reporter = Reporter::new(SigningKey::generate().unwrap(), "0.1.0");
            let office = Arc::new(line.clone());
            let stage = Some(stage.clone());
            let service = Service::new(puller, office, gate, timetable, stage, Some(reporter));
            let stop = self.stop.clone();
            self.tasks.spawn(async move { service.run(stop).await });
        }
    }

    async fn until(&self, moment: Timestamp) {
        let left = self.wall.now().duration_until(moment);
        tokio::time::sleep(Duration::try_from(left).unwrap()).await;
    }

    async fn end(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// As the configuration's defaults, at a hundredth of the rate.
fn timetable() -> Timetable {
    Timetable {
        window: Window { from: "00:30".parse().unwrap(), until: "06:30".parse().unwrap() },
        bytes_per_s: 500 * 1000 / 8 / 100,
        catch_up: true,
        poll: Duration::from_mins(15),
    }
}

fn head_office(count: usize) -> HeadOffice {
    let ids: Vec<String> = (0..count).map(|number| format!("b{number:03}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let mut office = HeadOffice::new(&ids);
    office.release(1, "2026-11-23T00:00:00Z", &[("old.png", poster(1, 1000))]);
    office.last().show_until = at("2026-12-20T00:00:00Z");
    office
}

fn new_pack(office: &mut HeadOffice, number: u64, activate: &str) {
    let posters: Vec<(String, Vec<u8>)> = (0..POSTERS)
        .map(|poster_number| {
            let bytes = poster(number * 100 + poster_number, POSTER);
            (format!("new-{number}-{poster_number:02}.png"), bytes)
        })
        .collect();
    let posters: Vec<(&str, Vec<u8>)> =
        posters.iter().map(|(name, bytes)| (name.as_str(), bytes.clone())).collect();
    office.release(number, activate, &posters);
    office.last().show_until = at(activate) + hours(24 * 10);
}

#[tokio::test(start_paused = true)]
async fn three_hundred_branches_switch_at_eight_and_fetch_nothing_in_the_morning() {
    let began = RealInstant::now();
    let mut office = head_office(BRANCHES);
    office.publish().await;
    let fleet = Fleet::begin(&office, BRANCHES).await;
    fleet.uplink.read(office.folder.path());
    fleet.start(timetable()).await;
    // At nine in the evening the next week's pack is published.
    fleet.until(at(EVENING) + hours(1)).await;
    new_pack(&mut office, 2, EIGHT);
    office.now = fleet.wall.now();
    office.publish().await;
    fleet.uplink.read(office.folder.path());

    let mut watching = Vec::new();
    for (_, _, stage) in &fleet.branches {
        let stage = stage.clone();
        watching.push(tokio::spawn(async move {
            let mut watch = stage.watch();
            while playing(&stage) == ["old.png"] {
                watch.changed().await.unwrap();
            }
            (stage.now(), playing(&stage).len())
        }));
    }
    fleet.until(at(EIGHT) + hours(2)).await;
    let mut switched = Vec::new();
    for watching in watching {
        assert!(watching.is_finished(), "some branch still plays the old pack at ten");
        let (moment, count) = watching.await.unwrap();
        assert_eq!(count as u64, POSTERS);
        switched.push(at(EIGHT).duration_until(moment).as_millis());
    }
    fleet.end().await;
    let sent = fleet.uplink.posters.lock().unwrap().clone();
    let bytes: u64 = sent.iter().map(|(_, bytes)| bytes).sum();
    let (first, last) = (sent[0].0, sent.iter().map(|(moment, _)| *moment).max().unwrap());
    let requests: usize =
        fleet.branches.iter().map(|(_, line, _)| line.requests.lock().unwrap().len()).sum();
    println!(
        "{BRANCHES} branches switched {} to {} ms after 08:00:00; {bytes} bytes of posters \
         between {first} and {last}; {requests} requests in 14 hours; {:?} of real time",
        switched.iter().min().unwrap(),
        switched.iter().max().unwrap(),
        began.elapsed()
    );
    assert!(switched.iter().all(|late| late.abs() <= 1000), "{switched:?}");
    let end = at("2026-11-29T23:45:00Z");
    let late: u64 = sent.iter().filter(|(moment, _)| *moment >= end).map(|(_, bytes)| bytes).sum();
    assert_eq!(late, 0, "bytes after 07:45");
    assert!(first >= at("2026-11-29T16:30:00Z"), "nothing before the window: {first}");
    assert_eq!(bytes, BRANCHES as u64 * POSTERS * POSTER as u64, "every byte once");
}

#[tokio::test(start_paused = true)]
async fn a_head_office_that_is_dead_for_three_days_is_hardly_asked_and_fills_no_disk() {
    let count = 40;
    let mut office = head_office(count);
    office.publish().await;
    let fleet = Fleet::begin(&office, count).await;
    fleet.uplink.read(office.folder.path());
    fleet.start(timetable()).await;
    fleet.until(at(EVENING) + hours(1)).await;
    for (_, line, _) in &fleet.branches {
        assert!(line.requests.lock().unwrap().len() >= 5, "it was asked while it lived");
        line.requests.lock().unwrap().clear();
    }
    fleet.uplink.dead.store(true, Ordering::Relaxed);
    fleet.until(at(EVENING) + hours(73)).await;
    let (mut most, mut most_a_minute, mut log) = (0, 0, 0);
    for (branch, line, stage) in &fleet.branches {
        let requests = line.requests.lock().unwrap().clone();
        most = most.max(requests.len());
        for (index, request) in requests.iter().enumerate() {
            let minute = requests[index..]
                .iter()
                .take_while(|other| **other < *request + Duration::from_mins(1));
            most_a_minute = most_a_minute.max(minute.count());
        }
        let folder = branch.disk.join("log");
        let files = fs::read_dir(folder).unwrap();
        let length: u64 = files.map(|file| file.unwrap().metadata().unwrap().len()).sum();
        log = log.max(length);
        assert_eq!(playing(stage), ["old.png"], "{}", branch.id);
    }
    println!(
        "72 hours without a head office: at most {most} requests a branch, {most_a_minute} in any \
         minute, {log} bytes of log"
    );
    assert!(most_a_minute <= 1, "{most_a_minute}");
    assert!(log <= 1 << 20, "{log}");
    assert!(most <= 72 * 60 && most > 72 * 2, "{most}: it does look for it");

    // It comes back, with a new pack that was published meanwhile.
    fleet.uplink.dead.store(false, Ordering::Relaxed);
    let back = fleet.wall.now();
    new_pack(&mut office, 2, "2026-12-03T00:00:00Z");
    office.now = back;
    office.publish().await;
    fleet.uplink.read(office.folder.path());
    fleet.until(at("2026-12-03T00:00:05Z")).await;
    for (branch, _, stage) in &fleet.branches {
        assert_eq!(playing(stage).len() as u64, POSTERS, "{}", branch.id);
    }
    fleet.end().await;
}

#[tokio::test(start_paused = true)]
async fn somebody_else_who_answers_is_not_asked_again_and_again() {
    let mut office = head_office(10);
    office.publish().await;
    let fleet = Fleet::begin(&office, 10).await;
    fleet.uplink.read(office.folder.path());
    fleet.start(timetable()).await;
    fleet.until(at(EVENING) + hours(1)).await;
    fleet.uplink.wrong.store(true, Ordering::Relaxed);
    for (_, line, _) in &fleet.branches {
        line.requests.lock().unwrap().clear();
    }
    fleet.until(at(EVENING) + hours(13)).await;
    let mut most = 0;
    for (branch, line, stage) in &fleet.branches {
        most = most.max(line.requests.lock().unwrap().len());
        assert_eq!(playing(stage), ["old.png"], "{}", branch.id);
        let log = fs::read_to_string(branch.disk.join("log/run.log")).unwrap();
        assert!(log.contains("不可信") && log.len() < 64 << 10, "{log}");
    }
    println!("twelve hours of wrong answers: at most {most} requests a branch");
    assert!(most <= 12 * 60, "{most}");
    // The line is clean again. Everybody hears of what was published meanwhile.
    fleet.uplink.wrong.store(false, Ordering::Relaxed);
    new_pack(&mut office, 2, "2026-12-01T00:00:00Z");
    office.now = fleet.wall.now();
    office.publish().await;
    fleet.uplink.read(office.folder.path());
    fleet.until(fleet.wall.now() + hours(1)).await;
    for (branch, _, _) in &fleet.branches {
        let pack = branch.state().shown().unwrap().pack.unwrap();
        assert_eq!(pack.releases.len(), 2, "{}", branch.id);
    }
    fleet.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_night_that_was_missed_is_made_up_for_and_one_that_was_too_slow_is_not() {
    for (catch_up, slow) in [(true, false), (false, false), (true, true)] {
        let mut office = head_office(1);
        office.publish().await;
        let fleet = Fleet::begin(&office, 1).await;
        new_pack(&mut office, 2, EIGHT);
        office.now = at(EVENING) + hours(1);
        office.publish().await;
        fleet.uplink.read(office.folder.path());
        let mut timetable = Timetable { catch_up, ..timetable() };
        if slow {
            // So slow that the night is not long enough.
            timetable.bytes_per_s = 20;
            fleet.start(timetable).await;
        } else {
            // The machine is switched on in the morning.
            fleet.until(at(EIGHT) + hours(1)).await;
            fleet.start(timetable).await;
        }
        fleet.until(at(EIGHT) + hours(2)).await;
        let sent = fleet.uplink.posters.lock().unwrap().clone();
        let morning = sent.iter().filter(|(moment, _)| *moment > at("2026-11-29T23:45:00Z"));
        let caught_up = playing(&fleet.branches[0].2).len() as u64 == POSTERS;
        assert_eq!(caught_up, catch_up && !slow, "{catch_up} {slow}");
        assert_eq!(morning.count() > 0, catch_up && !slow, "{catch_up} {slow}");
        if slow {
            assert!(!sent.is_empty());
            let log = fs::read_to_string(fleet.branches[0].0.disk.join("log/run.log")).unwrap();
            assert!(log.contains("取件时段已过"), "{log}");
        }
        fleet.end().await;
    }
}
