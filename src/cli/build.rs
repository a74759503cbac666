//! `caishi build`

use super::{Exit, table::size};
use crate::{
    build::{Request, Summary, build},
    config::Config,
    model::{Audience, BranchId, LessonId, OutputKind, Severity},
    read,
};
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Instant,
};
use unicode_width::UnicodeWidthStr;

/// Arguments of `caishi build`.
#[derive(Debug, Args)]
pub struct BuildArguments {
    /// 输出文件夹
    #[arg(long, value_name = "文件夹", default_value = "out")]
    out: PathBuf,
    /// 只生成这一课，可写多次
    #[arg(long, value_name = "课件", value_parser = lesson)]
    lesson: Vec<LessonId>,
    /// 只生成这种输出，可写多次：article newspic screen print leaflet portal post ticker banner sms staff-card morning booth notice
    #[arg(long, value_name = "种类", value_parser = output)]
    output: Vec<OutputKind>,
    /// 只生成这个网点的，可写多次
    #[arg(long, value_name = "网点", value_parser = branch)]
    branch: Vec<BranchId>,
    /// 只生成这个版本：general elder student
    #[arg(long, value_name = "版本", value_parser = audience)]
    audience: Vec<Audience>,
    /// 同时用几个处理器，默认全部
    #[arg(long, value_name = "个数", value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: Option<u16>,
}

fn lesson(text: &str) -> Result<LessonId, String> {
    LessonId::new(text).map_err(|error| error.to_string())
}

fn branch(text: &str) -> Result<BranchId, String> {
    BranchId::new(text).map_err(|error| error.to_string())
}

fn output(text: &str) -> Result<OutputKind, String> {
    OutputKind::from_name(text)
        .ok_or_else(|| format!("没有“{text}”这种输出，可写：{}", names(OutputKind::ALL)))
}

fn audience(text: &str) -> Result<Audience, String> {
    Audience::from_name(text)
        .ok_or_else(|| format!("没有“{text}”这个版本，可写：{}", names(Audience::ALL)))
}

fn names<T: ToString>(values: &[T]) -> String {
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join("、")
}

pub(super) fn run(arguments: &BuildArguments, config: &Path) -> anyhow::Result<Exit> {
    let started = Instant::now();
    let config = Config::load(config)?;
    let reading = read::read_library(&config.content);
    eprint!("{}", super::report::render(&reading.diagnostics));
    let library = reading.library;
    let unknown = unknown_names(arguments, &library);
    anyhow::ensure!(unknown.is_empty(), unknown.join("；"));
    let request = Request {
        out: arguments.out.clone(),
        lessons: arguments.lesson.clone(),
        outputs: arguments.output.clone(),
        branches: arguments.branch.clone(),
        audiences: arguments.audience.clone(),
        approval_number: None,
    };
    if let Some(jobs) = arguments.jobs {
        rayon::ThreadPoolBuilder::new().num_threads(usize::from(jobs)).build_global()?;
    }
    let bar = progress_bar();
    let summary = build(&config, &library, &request, &|settled, total| {
        bar.set_length(total as u64);
        bar.set_position(settled as u64);
    })?;
    bar.finish_and_clear();
    for failure in &summary.failures {
        eprintln!("错误：{}：{}", failure.what, failure.error);
    }
    print!("{}", table(&summary));
    println!(
        "共 {} 个文件，新生成 {} 个，沿用 {} 个，删去 {} 个，用时 {:.1} 秒。请打开 {}",
        summary.listings.len(),
        summary.made,
        summary.listings.len() - summary.made,
        summary.removed,
        started.elapsed().as_secs_f32(),
        arguments.out.join("index.html").display()
    );
    let faulty = reading.diagnostics.iter().any(|d| d.severity == Severity::Error);
    Ok(if faulty || !summary.failures.is_empty() { Exit::ContentFaults } else { Exit::Success })
}

/// Names on the command line that the library does not have: a filter that matches nothing would
/// otherwise look like success.
fn unknown_names(arguments: &BuildArguments, library: &crate::model::Library) -> Vec<String> {
    let lessons = arguments.lesson.iter().filter(|id| library.lesson(id).is_none());
    let branches = arguments.branch.iter().filter(|id| library.branch(id).is_none());
    let known: Vec<&str> = library.lessons.iter().map(|lesson| lesson.id.as_str()).collect();
    lessons
        .map(|id| format!("没有课件“{id}”，现有：{}", known.join("、")))
        .chain(branches.map(|id| format!("branches.csv 里没有网点“{id}”")))
        .collect()
}

pub(super) fn progress_bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(8));
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len}  剩余 {eta}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

/// Files and sizes by kind of output.
fn table(summary: &Summary) -> String {
    let mut kinds: BTreeMap<OutputKind, (usize, u64)> = BTreeMap::new();
    for listing in &summary.listings {
        let (files, bytes) = kinds.entry(listing.output).or_default();
        *files += 1;
        *bytes += listing.bytes;
    }
    let mut text = row("输出", "文件", "大小");
    for (kind, (files, bytes)) in kinds {
        text += &row(kind.label(), &files.to_string(), &size(bytes));
    }
    text
}

/// Han characters are two columns wide on a terminal, so widths are counted, not characters.
fn row(kind: &str, files: &str, bytes: &str) -> String {
    let pad = |text: &str, width: usize| " ".repeat(width.saturating_sub(text.width()));
    format!("{kind}{}{}{files}{}{bytes}\n", pad(kind, 16), pad(files, 8), pad(bytes, 12))
}
