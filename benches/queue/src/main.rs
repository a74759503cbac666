//! Empty jobs through graphile_worker, timed the way `benches/speed/ledger.rs` times deliveries.
//!
//! ```text
//! queue <postgres url> <postmaster's process> <seconds at most> <jobs>...
//! ```
//!
//! `cargo bench -- ledger` builds and starts it with the address of the server that it has just
//! measured the ledger on. One line for each measurement, separated by tabs: way, jobs, workers,
//! jobs done, seconds, CPU seconds of this process, CPU seconds of the server.
//!
//! Two ways. `one by one` is what the ledger does: each job is claimed and finished by itself, each
//! time with a commit that the disk has. `in batches` is the queue at its fastest: a hundred jobs
//! are claimed at a time, and finished together.

#[path = "../../speed/clock.rs"]
mod clock;

use anyhow::Context as _;
use graphile_worker::{
    IntoTaskHandlerResult, JobSpec, LocalQueueConfig, TaskHandler, Worker, WorkerContext,
    WorkerOptions,
};
use serde::{Deserialize, Serialize};
use sqlx::{PgPool, postgres::PgPoolOptions};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{sync::Notify, task::JoinSet};

/// How many workers run at once.
const WORKERS: [usize; 3] = [1, 2, 4];

/// How long finished jobs are collected before they are written down, in batches: what the queue's
/// own manual suggests.
const COLLECTING: Duration = Duration::from_millis(5);

/// Jobs that are still to be done.
static LEFT: AtomicUsize = AtomicUsize::new(0);
/// Told when none is left.
static ALL_DONE: Notify = Notify::const_new();

/// A job without work.
#[derive(Clone, Serialize, Deserialize)]
struct Empty {}

impl TaskHandler for Empty {
    const IDENTIFIER: &'static str = "empty";

    async fn run(self, _context: WorkerContext) -> impl IntoTaskHandlerResult {
        if LEFT.fetch_sub(1, Ordering::Relaxed) == 1 {
            ALL_DONE.notify_one();
        }
        Ok::<(), String>(())
    }
}

/// How jobs are taken and finished.
#[derive(Clone, Copy)]
enum Way {
    OneByOne,
    InBatches,
}

impl Way {
    const ALL: [(Self, &str); 2] =
        [(Self::OneByOne, "one by one"), (Self::InBatches, "in batches")];

    /// The workers: single ones, or as many in one as share what was fetched.
    async fn workers(
        self,
        pool: &PgPool,
        schema: &str,
        count: usize,
    ) -> anyhow::Result<Vec<Worker>> {
        let options = || {
            WorkerOptions::default()
                .schema(schema)
                .pg_pool(pool.clone())
                .listen_os_shutdown_signals(false)
                .define_job::<Empty>()
        };
        let mut workers = Vec::new();
        match self {
            Self::OneByOne => {
                for _ in 0..count {
                    workers.push(options().concurrency(1).init().await?);
                }
            }
            Self::InBatches => {
                let shared = options()
                    .concurrency(count)
                    .local_queue(LocalQueueConfig::default())
                    .complete_job_batch_delay(COLLECTING);
                workers.push(shared.init().await?);
            }
        }
        Ok(workers)
    }

    async fn run(self, worker: &Worker) -> anyhow::Result<()> {
        match self {
            // `run` would take one job at each poll: what is waiting already is for `run_once`.
            Self::OneByOne => worker.run_once().await?,
            Self::InBatches => worker.run().await?,
        }
        Ok(())
    }
}

#[tokio::main(worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, server, seconds, sizes @ ..] = arguments.as_slice() else {
        anyhow::bail!("queue <postgres url> <postmaster's process> <seconds at most> <jobs>...");
    };
    let server = server.parse().context("the postmaster's process")?;
    let limit = Duration::from_secs_f64(seconds.parse().context("the seconds")?);
    // As many connections as the ledger's pool has.
    let pool = PgPoolOptions::new().max_connections(10).connect(url).await?;
    for (way, name) in Way::ALL {
        for jobs in sizes {
            let jobs: usize = jobs.parse().context("the jobs")?;
            for workers in WORKERS {
                let line = measure(way, &pool, server, limit, jobs, workers).await?;
                println!("{name}\t{jobs}\t{workers}\t{line}");
            }
        }
    }
    Ok(())
}

/// Fills a queue of its own and drains it; what the line says after jobs and workers.
async fn measure(
    way: Way,
    pool: &PgPool,
    server: u32,
    limit: Duration,
    jobs: usize,
    count: usize,
) -> anyhow::Result<String> {
    static SCHEMAS: AtomicUsize = AtomicUsize::new(0);
    let schema = format!("queue{}", SCHEMAS.fetch_add(1, Ordering::Relaxed));
    let workers = way.workers(pool, &schema, count).await?;
    let utils = workers[0].create_utils();
    let spec = JobSpec::default();
    let mut left = jobs;
    while left > 0 {
        let part = left.min(1000);
        utils.add_jobs(&vec![(Empty {}, &spec); part]).await?;
        left -= part;
    }
    sqlx::query("CHECKPOINT").execute(pool).await?;
    LEFT.store(jobs, Ordering::Relaxed);

    let before = (Instant::now(), clock::process_cpu(), clock::tree_cpu(server));
    let workers: Vec<Arc<Worker>> = workers.into_iter().map(Arc::new).collect();
    let mut running = JoinSet::new();
    for worker in &workers {
        let worker = Arc::clone(worker);
        running.spawn(async move { way.run(&worker).await });
    }
    // Running out of time is an end too.
    let _late = tokio::time::timeout(limit, ALL_DONE.notified()).await;
    for worker in &workers {
        worker.request_shutdown();
    }
    while let Some(ended) = running.join_next().await {
        ended??;
    }
    let wall = before.0.elapsed().as_secs_f64();
    let (cpu, server_cpu) = (clock::process_cpu() - before.1, clock::tree_cpu(server) - before.2);
    let sql = format!("SELECT count(*) FROM {schema}._private_jobs");
    let open: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(pool).await?;
    let done = jobs - usize::try_from(open)?;
    let sql = format!("DROP SCHEMA {schema} CASCADE");
    sqlx::query(sqlx::AssertSqlSafe(sql)).execute(pool).await?;
    Ok(format!("{done}\t{wall:.3}\t{cpu:.3}\t{server_cpu:.3}"))
}
