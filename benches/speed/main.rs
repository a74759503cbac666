//! How fast the program is and how much memory it takes: `cargo bench`, or
//! `cargo bench -- --quick` for a tenth of the network.
//!
//! The table that is printed holds ratios and CPU times rather than wall times wherever it can,
//! because other work may be running on the machine. CPU time and memory come from `/proc`, so the
//! benchmark is for Linux. `cargo bench -- ledger` measures that part alone; so do the other names:
//!
//! - [`push`]: the weekly push of a big bank through the library's own `build`, each run in a
//!   process of its own;
//! - [`floor`]: what that push cannot go below, one part at a time;
//! - [`articles`]: Markdown to article HTML;
//! - [`check`]: the check's command, cold, and a thousand lessons;
//! - [`peer`]: a warm headless Chromium that draws the same posters, driven by [`chromium`];
//! - [`ledger`]: deliveries per second on SQLite and Postgres, drained from a [`backlog`], and
//!   another [`queue`] on the same Postgres;
//! - [`packs`]: publishing poster packs, and serving them beside nginx.
//! - [`portal`]: guests who arrive at the Wi-Fi portal, and bytes per page by gateway;
//! - [`console`]: pages of the console with 300 branches, 200 lessons and 5,000 deliveries;
//! - [`preview`]: how soon an author sees what was saved.

mod articles;
mod backlog;
mod check;
mod chromium;
mod clock;
mod console;
mod empty;
mod floor;
mod ledger;
mod machine;
mod network;
mod packs;
mod peer;
mod portal;
#[expect(clippy::unwrap_used, dead_code, reason = "the tests' own, and they use more of it")]
#[path = "../../tests/suite/servers/postgres.rs"]
mod postgres;
mod preview;
mod push;
mod queue;
mod table;

use anyhow::Context as _;
use network::{FEW_BRANCHES, MANY_BRANCHES, Network, PROFILES};
use std::path::Path;
use table::{Goal, Table};

/// The folder of the package: `cargo bench` is read from anywhere.
const PACKAGE: &str = env!("CARGO_MANIFEST_DIR");

/// The reference design's files may not be larger.
const LARGEST_FILE: f64 = 300_000.0;
/// No run may take more memory.
const PEAK_MB: f64 = 400.0;

/// What can be measured alone.
const PARTS: [&str; 10] = [
    "push", "peer", "floor", "articles", "check", "ledger", "packs", "portal", "console", "preview",
];

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(run) = push::Run::from_arguments(&arguments) {
        return run.perform();
    }
    if let Some(done) = packs::perform(&arguments) {
        return done;
    }
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let (few, many) =
        if quick { (FEW_BRANCHES / 10, MANY_BRANCHES / 10) } else { (FEW_BRANCHES, MANY_BRANCHES) };
    // Cargo adds `--bench` by itself.
    let chosen: Vec<&str> =
        arguments.iter().map(String::as_str).filter(|name| !name.starts_with("--")).collect();
    if let Some(unknown) = chosen.iter().find(|name| !PARTS.contains(name)) {
        anyhow::bail!("there is no part {unknown}; there are {}", PARTS.join(", "));
    }
    let wanted = |part: &str| chosen.is_empty() || chosen.contains(&part);

    let mut table = Table::default();
    if wanted("push") || wanted("peer") {
        let speed = weekly_push(few, &mut table)?;
        if wanted("peer") {
            compare(few, quick, speed, &mut table)?;
        }
    }
    if wanted("floor") {
        floor::measure(&Network::new(few)?, &mut table)?;
    }
    if wanted("articles") {
        articles::measure(if quick { 0.5 } else { 3.0 }, &mut table)?;
    }
    if wanted("check") {
        check::measure(&mut table)?;
    }
    if wanted("ledger") {
        ledger::measure(quick, &mut table)?;
    }
    if wanted("packs") {
        packs::measure(quick, &mut table)?;
    }
    if wanted("portal") {
        portal::measure(quick, &mut table)?;
    }
    if wanted("console") {
        console::measure(quick, &mut table)?;
    }
    if wanted("preview") {
        preview::measure(quick, &mut table)?;
    }
    if chosen.is_empty() {
        large_push(many, &mut table)?;
    }
    println!("\n{}\n\n{table}", machine::describe());
    Ok(())
}

/// The push, then the same again without a change. Returns posters per CPU second.
fn weekly_push(branches: usize, table: &mut Table) -> anyhow::Result<f64> {
    let folder = tempfile::tempdir()?;
    let run = push::Run::new(branches, PROFILES.len(), folder.path());
    let first = run.start().context("the weekly push")?;
    let posters = first.made as f64;
    table.section(&format!(
        "Weekly push: {branches} branches × {} screens × {} lessons = {} PNG files, 2 threads",
        PROFILES.len(),
        network::LESSONS.len(),
        first.made
    ));
    let speed = posters / first.cpu_s;
    table.row("wall", format!("{:.2} s", first.wall_s));
    table.row("CPU (user + system)", format!("{:.2} s", first.cpu_s));
    table.row("posters per CPU second", format!("{speed:.0}"));
    table.row("CPU per poster", format!("{:.2} ms", 1e3 * first.cpu_s / posters));
    let peak = format!("{:.0} MB", first.peak_mb);
    table.goal("peak memory", peak, Goal::below(first.peak_mb, PEAK_MB, "< 400 MB"));
    let reference = first.reference_bytes;
    table.goal(
        "largest 1080×1920 file",
        format!("{:.0} kB (mean {:.0} kB)", reference.most / 1e3, reference.mean / 1e3),
        Goal::below(reference.most, LARGEST_FILE, "≤ 300 kB"),
    );
    let again = run.start().context("the push without a change")?;
    anyhow::ensure!(again.made == 0, "a build without a change made {} files", again.made);
    table.goal(
        "the same again, nothing changed: CPU",
        format!("{:.2} s", again.cpu_s),
        Goal::below(again.cpu_s, 0.5, "≤ 0.5 s"),
    );
    Ok(speed)
}

/// The push of a bank ten times as big, for its memory.
fn large_push(branches: usize, table: &mut Table) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let posters = branches * network::LESSONS.len();
    // All screens take about 5 GB; where that is not free, one screen tells the memory as well.
    let (profiles, needed) = (PROFILES.len(), (posters * PROFILES.len()) as u64 * 220_000);
    let free = machine::free_bytes(folder.path());
    let profiles = match free {
        Some(free) if free >= needed => profiles,
        Some(free) if free >= needed / 2 => 1,
        _ => {
            eprintln!(
                "skipped: {branches} branches, less than {} MB of disk free",
                needed / 2_000_000
            );
            return Ok(());
        }
    };
    let large = push::Run::new(branches, profiles, folder.path()).start()?;
    table.section(&format!(
        "The same for {branches} branches × {profiles} screens = {} PNG files",
        large.made
    ));
    table.row("posters per CPU second", format!("{:.0}", large.made as f64 / large.cpu_s));
    let peak = format!("{:.0} MB", large.peak_mb);
    table.goal("peak memory", peak, Goal::below(large.peak_mb, PEAK_MB, "< 400 MB"));
    Ok(())
}

/// The peer, where it is installed.
fn compare(branches: usize, quick: bool, ours: f64, table: &mut Table) -> anyhow::Result<()> {
    let required = std::env::var("CAISHI_REQUIRE")
        .is_ok_and(|required| required.split(',').any(|name| name == "chromium"));
    let Some(program) = chromium::find() else {
        anyhow::ensure!(!required, "Chromium is required and not installed");
        table.section("Chromium: skipped, not installed (Debian: apt install chromium)");
        return Ok(());
    };
    let sample = if quick { 3 } else { 12 };
    match peer::measure(&program, &Network::new(branches)?, sample, ours, table) {
        Err(error) if !required => {
            table.section(&format!("Chromium: skipped, {error:#}"));
            Ok(())
        }
        done => done,
    }
}

/// A path inside the package.
fn package_path(path: &str) -> std::path::PathBuf {
    Path::new(PACKAGE).join(path)
}
