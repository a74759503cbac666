//! Another queue on the same Postgres: `benches/queue`, a package of its own, built and started
//! here. Where it cannot be built, as without a network the first time, it is left out.

use crate::{
    ledger::{Limits, Outcome},
    package_path,
};
use anyhow::Context as _;
use std::{
    path::PathBuf,
    process::{Command, Stdio},
};

/// One measurement of the other queue.
pub struct Line {
    /// How jobs were taken: one by one, or in batches.
    pub way: String,
    /// How many were waiting.
    pub jobs: usize,
    /// How many workers took them.
    pub workers: usize,
    /// What came of it.
    pub outcome: Outcome,
}

fn package() -> PathBuf {
    package_path("benches/queue")
}

/// Its name and version, from the lock file.
pub fn name() -> String {
    let lock = std::fs::read_to_string(package().join("Cargo.lock")).unwrap_or_default();
    let version = lock
        .split_once("name = \"graphile_worker\"\nversion = \"")
        .and_then(|(_, rest)| rest.split('"').next());
    format!("graphile_worker {}", version.unwrap_or("?"))
}

/// Builds the package; its program.
fn build() -> anyhow::Result<PathBuf> {
    // Beside this benchmark's own files, wherever those are: below its `target`.
    let own = std::env::current_exe()?;
    let target = own.ancestors().nth(3).context("no target folder")?.join("queue");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--release", "--locked", "--manifest-path"])
        .arg(package().join("Cargo.toml"))
        .arg("--target-dir")
        .arg(&target)
        .stdout(Stdio::null())
        .status()?;
    anyhow::ensure!(built.success(), "benches/queue cannot be built");
    Ok(target.join("release/queue"))
}

/// Runs all its measurements on an empty database of the server with this postmaster.
pub fn run(url: &str, postmaster: u32, limits: Limits) -> anyhow::Result<Vec<Line>> {
    let output = Command::new(build()?)
        .arg(url)
        .arg(postmaster.to_string())
        .arg(limits.time.as_secs_f64().to_string())
        .args(limits.sizes.map(|size| size.to_string()))
        .stderr(Stdio::inherit())
        .output()?;
    anyhow::ensure!(output.status.success(), "benches/queue ended with {}", output.status);
    let text = String::from_utf8(output.stdout)?;
    text.lines().map(|line| read(line).with_context(|| line.to_owned())).collect()
}

fn read(line: &str) -> Option<Line> {
    let fields: Vec<&str> = line.split('\t').collect();
    let [way, jobs, workers, done, wall_s, cpu_s, server_cpu_s] = fields.as_slice() else {
        return None;
    };
    Some(Line {
        way: (*way).to_owned(),
        jobs: jobs.parse().ok()?,
        workers: workers.parse().ok()?,
        outcome: Outcome {
            done: done.parse().ok()?,
            again: 0,
            wall_s: wall_s.parse().ok()?,
            cpu_s: cpu_s.parse().ok()?,
            server_cpu_s: Some(server_cpu_s.parse().ok()?),
        },
    })
}
