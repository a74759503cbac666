//! Deliveries through the ledger: on SQLite and on Postgres, by one, two and four workers, a small
//! backlog and a large one. Once with channels that do nothing, which is what the ledger and the
//! worker cost, and once into real folders. On the same Postgres, another queue runs empty jobs.
//!
//! The workers are those of `caishi serve`. Times include the disk's: every step of a delivery is
//! committed, and a commit returns when the disk has it, on both databases.

use crate::{
    backlog::{Backlog, Home},
    clock,
    empty::Empty,
    postgres::Server,
    queue,
    table::Table,
};
use anyhow::Context as _;
use caishi::{
    deliver::Channel,
    model::DeliveryState,
    work::{Publisher, service, worker::Worker},
};
use std::{
    collections::BTreeMap,
    fs::File,
    io::Write as _,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::{sync::Notify, task::JoinSet};
use tokio_util::sync::CancellationToken;

/// How many deliveries wait: those of one push, and of a machine that was off for long.
const SIZES: [usize; 2] = [300, 20_000];
/// The same where it must be quick.
const QUICK_SIZES: [usize; 2] = [300, 2_000];
/// How many workers run at once.
const WORKERS: [usize; 3] = [1, 2, 4];
/// To how many folders an edition goes.
const FOLDERS: usize = 20;

/// How much is measured.
#[derive(Clone, Copy)]
pub struct Limits {
    /// The backlogs.
    pub sizes: [usize; 2],
    /// No drain takes longer.
    pub time: Duration,
}

/// What a drain came to.
#[derive(Clone, Copy)]
pub struct Outcome {
    /// Deliveries confirmed.
    pub done: usize,
    /// Calls of the channel that will be made again.
    pub again: usize,
    /// Until the last one, or until time was up.
    pub wall_s: f64,
    /// User and system, of this process.
    pub cpu_s: f64,
    /// The same of the database's processes.
    pub server_cpu_s: Option<f64>,
}

impl Outcome {
    fn per_second(&self) -> f64 {
        self.done as f64 / self.wall_s
    }

    /// `412/s, each 2.43 ms, CPU 1.20 + 0.80 ms; all in 0.7 s`.
    fn text(&self, waiting: usize) -> String {
        let each = |seconds: f64| 1e3 * seconds / self.done as f64;
        let server = self.server_cpu_s.map(|cpu| format!(" + {:.2}", each(cpu)));
        let done = if self.done == waiting { "all".to_owned() } else { self.done.to_string() };
        let mut text = format!(
            "{:.0}/s, each {:.2} ms, CPU {:.2}{} ms; {done} in {:.1} s",
            self.per_second(),
            each(self.wall_s),
            each(self.cpu_s),
            server.unwrap_or_default(),
            self.wall_s
        );
        if self.again > 0 {
            text += &format!(", {} calls to be made again", self.again);
        }
        text
    }
}

/// What the deliveries go to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum To {
    Nothing,
    Folders,
}

/// One database, to be measured.
struct Bench<'s> {
    home: Home<'s>,
    name: &'static str,
    /// The server's first process.
    postmaster: Option<u32>,
    limits: Limits,
    /// Nothing is removed before all is measured.
    kept: Vec<TempDir>,
}

/// Measures everything; in a tenth of the time where it must be `quick`.
pub fn measure(quick: bool, table: &mut Table) -> anyhow::Result<()> {
    let (sizes, seconds) = if quick { (QUICK_SIZES, 0.8) } else { (SIZES, 8.0) };
    let limits = Limits { sizes, time: Duration::from_secs_f64(seconds) };
    let required = std::env::var("CAISHI_REQUIRE")
        .is_ok_and(|required| required.split(',').any(|name| name == "postgres"));
    // Everything must survive a power cut, or it would not be the ledger that is measured.
    let server = Server::start(true);
    anyhow::ensure!(server.is_some() || !required, "Postgres is required and not installed");
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;

    table.section(&format!(
        "Ledger: backlogs of {sizes:?}, each drained for at most {seconds:.1} s, 2 threads"
    ));
    let folder = tempfile::tempdir()?;
    table.row("one write of 8 kB that the disk has", format!("{:.2} ms", disk(folder.path())?));
    // Looking for a file that is not there is an error, and a trace of its way is expensive.
    if std::env::var("RUST_BACKTRACE").is_ok_and(|set| set != "0") {
        table.row("RUST_BACKTRACE is set", "folders are slower than they are".to_owned());
    }
    let mut sqlite = Bench {
        home: Home::Sqlite,
        name: "SQLite (WAL, synchronous=FULL)",
        postmaster: None,
        limits,
        kept: Vec::new(),
    };
    runtime.block_on(sqlite.measure(table))?;
    let Some(server) = &server else {
        table.section("Postgres: skipped, not installed (Debian: apt install postgresql)");
        return Ok(());
    };
    let postmaster = postmaster(server)?;
    let name = "Postgres (fsync=on, else as installed)";
    let mut postgres = Bench {
        home: Home::Postgres(server),
        name,
        postmaster: Some(postmaster),
        limits,
        kept: Vec::new(),
    };
    let ours = runtime.block_on(postgres.measure(table))?;
    compare(server, postmaster, limits, &ours, table);
    Ok(())
}

/// Milliseconds for a small write and the disk's word that it is there.
fn disk(folder: &Path) -> anyhow::Result<f64> {
    const WRITES: u32 = 200;
    let mut file = File::create(folder.join("disk"))?;
    let begun = Instant::now();
    for _ in 0..WRITES {
        file.write_all(&[7; 8192])?;
        file.sync_data()?;
    }
    Ok(1e3 * begun.elapsed().as_secs_f64() / f64::from(WRITES))
}

/// The process from which all of the server's descend.
fn postmaster(server: &Server) -> anyhow::Result<u32> {
    let folder = server.run("postgres", "SHOW data_directory");
    let text = std::fs::read_to_string(Path::new(&folder).join("postmaster.pid"))?;
    text.lines().next().and_then(|line| line.parse().ok()).context("postmaster.pid")
}

impl Bench<'_> {
    /// All drains on this database; what the ledger alone came to, by size and workers.
    async fn measure(
        &mut self,
        table: &mut Table,
    ) -> anyhow::Result<BTreeMap<(usize, usize), Outcome>> {
        let mut alone = BTreeMap::new();
        let mut backlogs = Vec::new();
        for size in self.limits.sizes {
            backlogs.push(Backlog::fill(self.home, size, FOLDERS).await?);
        }
        table.section(&format!("{}: the ledger and the worker, without effect", self.name));
        for backlog in &backlogs {
            for workers in WORKERS {
                let outcome = self.row(backlog, To::Nothing, workers, table).await?;
                alone.insert((backlog.deliveries, workers), outcome);
            }
        }
        table.section(&format!(
            "{}: into {FOLDERS} folders in turn, 3 files (20 kB) each",
            self.name
        ));
        for backlog in &backlogs {
            for workers in WORKERS {
                self.row(backlog, To::Folders, workers, table).await?;
            }
        }
        table.section(&format!("{}: the same, all into one folder", self.name));
        let backlog = Backlog::fill(self.home, self.limits.sizes[0], 1).await?;
        for workers in WORKERS {
            self.row(&backlog, To::Folders, workers, table).await?;
        }
        backlogs.push(backlog);
        self.kept.extend(backlogs.into_iter().map(|backlog| backlog.folder));
        Ok(alone)
    }

    async fn row(
        &mut self,
        backlog: &Backlog<'_>,
        to: To,
        workers: usize,
        table: &mut Table,
    ) -> anyhow::Result<Outcome> {
        let mut copy = backlog.copy().await?;
        if to == To::Nothing {
            for (id, channel) in &mut copy.publisher.channels {
                let (id, targets) = (id.clone(), channel.targets());
                *channel = Arc::new(Empty { id, targets }) as Arc<dyn Channel>;
            }
        }
        let outcome = self.drain(&copy.publisher, workers, backlog.deliveries).await?;
        let what = what(backlog.deliveries, workers);
        table.row(&what, outcome.text(backlog.deliveries));
        self.kept.push(copy.folder);
        Ok(outcome)
    }

    /// Lets workers run until all is delivered or time is up.
    async fn drain(
        &self,
        publisher: &Publisher,
        workers: usize,
        waiting: usize,
    ) -> anyhow::Result<Outcome> {
        let seen = Arc::new(Seen::default());
        let stop = CancellationToken::new();
        let server_cpu = || self.postmaster.map(clock::tree_cpu);
        let before = (Instant::now(), clock::process_cpu(), server_cpu());
        let mut running = JoinSet::new();
        for number in 0..workers {
            let mut worker = Worker::new(publisher.clone(), &format!("worker-{number}"));
            let seen = Arc::clone(&seen);
            worker.points = Arc::new(move |point| seen.note(point, waiting));
            running.spawn(service::work(worker, stop.clone()));
        }
        let finished = tokio::time::timeout(self.limits.time, seen.all_done.notified()).await;
        // In time, the workers have nothing left to do; else their last steps count as well.
        let in_time = before.0.elapsed();
        stop.cancel();
        while let Some(ended) = running.join_next().await {
            ended?;
        }
        let cpu = (clock::process_cpu(), server_cpu());
        let wall = if finished.is_ok() { in_time } else { before.0.elapsed() };
        let done = seen.recorded.load(Ordering::Relaxed);
        anyhow::ensure!(done > 0, "nothing was delivered");
        let counts = publisher.store.counts().await?;
        let confirmed = counts.iter().filter(|(_, state, _)| *state == DeliveryState::Confirmed);
        let confirmed: u64 = confirmed.map(|(_, _, count)| *count).sum();
        anyhow::ensure!(confirmed == done as u64, "{done} seen, {confirmed} in the ledger");
        Ok(Outcome {
            done,
            again: seen.committed.load(Ordering::Relaxed).saturating_sub(done),
            wall_s: wall.as_secs_f64(),
            cpu_s: cpu.0 - before.1,
            server_cpu_s: cpu.1.zip(before.2).map(|(after, before)| after - before),
        })
    }
}

/// What the workers have come past.
#[derive(Default)]
struct Seen {
    committed: AtomicUsize,
    recorded: AtomicUsize,
    all_done: Notify,
}

impl Seen {
    fn note(&self, point: &str, waiting: usize) {
        match point {
            "work.committed" => {
                self.committed.fetch_add(1, Ordering::Relaxed);
            }
            "work.recorded" if self.recorded.fetch_add(1, Ordering::Relaxed) + 1 == waiting => {
                self.all_done.notify_one();
            }
            _ => {}
        }
    }
}

fn what(waiting: usize, workers: usize) -> String {
    let plural = if workers == 1 { "" } else { "s" };
    format!("{waiting} waiting, {workers} worker{plural}")
}

/// The other queue, on the same server.
fn compare(
    server: &Server,
    postmaster: u32,
    limits: Limits,
    ours: &BTreeMap<(usize, usize), Outcome>,
    table: &mut Table,
) {
    let lines = match queue::run(&server.database().url(), postmaster, limits) {
        Ok(lines) => lines,
        Err(error) => {
            table.section(&format!("The other queue: skipped, {error:#}"));
            return;
        }
    };
    let mut title = String::new();
    for line in &lines {
        if title != line.way {
            title.clone_from(&line.way);
            table.section(&format!("{} on the same server: empty jobs {title}", queue::name()));
        }
        table.row(&what(line.jobs, line.workers), line.outcome.text(line.jobs));
    }
    table.section("Per second, the ledger without effect / empty jobs");
    for line in &lines {
        let Some(ours) = ours.get(&(line.jobs, line.workers)) else { continue };
        let (ours, theirs) = (ours.per_second(), line.outcome.per_second());
        let what = format!("{}, {}", what(line.jobs, line.workers), line.way);
        table.row(&what, format!("{ours:.0} / {theirs:.0} = {:.2}×", ours / theirs));
    }
}
