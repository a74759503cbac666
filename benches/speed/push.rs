//! One build in a process of its own, so that its CPU time and peak memory are its own too.

use crate::{
    clock, machine,
    network::{LESSONS, Network, REFERENCE},
};
use anyhow::Context as _;
use caishi::{
    build::{Request, build},
    model::{Audience, LessonId, OutputKind},
};
use serde::{Deserialize, Serialize};
use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

/// The first argument by which the benchmark starts itself.
const HIDDEN: &str = "--run-push";

/// A build to run.
pub struct Run {
    branches: usize,
    profiles: usize,
    out: PathBuf,
}

/// What a build took.
#[derive(Serialize, Deserialize)]
pub struct Outcome {
    /// Files made.
    pub made: usize,
    pub wall_s: f64,
    /// User and system, from the process's start: reading the library counts.
    pub cpu_s: f64,
    pub peak_mb: f64,
    pub reference_bytes: Sizes,
}

/// Bytes of the reference design's files.
#[derive(Serialize, Deserialize, Clone, Copy, Default)]
pub struct Sizes {
    pub most: f64,
    pub mean: f64,
}

impl Run {
    /// The push to so many branches, into `out`.
    pub fn new(branches: usize, profiles: usize, out: &Path) -> Self {
        Self { branches, profiles, out: out.to_owned() }
    }

    /// The run that hidden arguments ask for.
    pub fn from_arguments(arguments: &[String]) -> Option<Self> {
        let [hidden, branches, profiles, out, ..] = arguments else { return None };
        (hidden == HIDDEN).then_some(())?;
        Some(Self::new(branches.parse().ok()?, profiles.parse().ok()?, Path::new(out)))
    }

    /// Starts the benchmark again to perform the run, and waits for it.
    pub fn start(&self) -> anyhow::Result<Outcome> {
        let output = Command::new(std::env::current_exe()?)
            .arg(HIDDEN)
            .args([self.branches.to_string(), self.profiles.to_string()])
            .arg(&self.out)
            .stderr(Stdio::inherit())
            .output()?;
        anyhow::ensure!(output.status.success(), "the run ended with {}", output.status);
        serde_json::from_slice(&output.stdout).context("the run's answer")
    }

    /// Builds, and prints the outcome for the process that waits.
    pub fn perform(&self) -> anyhow::Result<()> {
        let started = Instant::now();
        rayon::ThreadPoolBuilder::new().num_threads(2).build_global()?;
        let network = Network::with_profiles(self.branches, self.profiles)?;
        let request = Request {
            out: self.out.clone(),
            lessons: LESSONS.iter().map(|id| LessonId::new(id)).collect::<Result<_, _>>()?,
            outputs: vec![OutputKind::Screen],
            branches: Vec::new(),
            audiences: vec![Audience::General],
            approval_number: None,
        };
        let summary = build(&network.config, &network.library, &request, &|_, _| {})?;
        if let Some(failure) = summary.failures.first() {
            anyhow::bail!("{}: {}", failure.what, failure.error);
        }
        let posters = self.branches * self.profiles * LESSONS.len();
        anyhow::ensure!(summary.listings.len() == posters, "{} files", summary.listings.len());
        let of_reference = summary.listings.iter().filter(|listing| {
            listing.profile.as_deref().is_some_and(|profile| profile == REFERENCE)
        });
        let bytes: Vec<f64> = of_reference.map(|listing| listing.bytes as f64).collect();
        let outcome = Outcome {
            made: summary.made,
            reference_bytes: Sizes {
                most: bytes.iter().copied().fold(0.0, f64::max),
                mean: bytes.iter().sum::<f64>() / bytes.len() as f64,
            },
            wall_s: started.elapsed().as_secs_f64(),
            cpu_s: clock::process_cpu(),
            peak_mb: machine::peak_mb(),
        };
        println!("{}", serde_json::to_string(&outcome)?);
        Ok(())
    }
}
