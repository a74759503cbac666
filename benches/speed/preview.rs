//! The author's preview: from saving a lesson to the event that its texts are new.

use crate::{
    PACKAGE,
    table::{Goal, Table},
};
use anyhow::Context as _;
use caishi::{
    build::{self, Request, Role, Studio},
    config::Config,
    model::{Audience, LessonId},
    preview::{Options, Preview},
    read,
};
use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

/// How often the lesson is saved.
const SAVES: usize = 40;
const LESSON: &str = "telecom-fraud";

/// Measures saves that come while the pictures of the one before are still being made, and saves
/// after a pause.
pub fn measure(quick: bool, table: &mut Table) -> anyhow::Result<()> {
    drop(rustls::crypto::ring::default_provider().install_default());
    let folder = tempfile::tempdir()?;
    copy(&Path::new(PACKAGE).join("content"), &folder.path().join("content"))?;
    let config = folder.path().join("channels.toml");
    fs::copy(Path::new(PACKAGE).join("channels.toml"), &config)?;
    let saves = if quick { SAVES / 2 } else { SAVES };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    table.section("Preview: from a save to the event that the texts are new, demo content");
    for (what, pause) in [
        ("saves a second apart", Duration::from_secs(1)),
        ("saves 0.2 s apart, pictures still under way", Duration::from_millis(200)),
    ] {
        let mut times = runtime.block_on(save(folder.path(), &config, saves, pause))?;
        times.sort_unstable();
        let at =
            |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
        table.row(&format!("{what}, p50"), format!("{:.0} ms", at(0.5)));
        let (p95, most) = (at(0.95), at(1.0));
        let shown = format!("{p95:.0} ms (at most {most:.0} ms)");
        table.goal("  p95", shown, Goal::below(p95, 300.0, "< 300 ms"));
    }
    explain(&config, table)
}

/// What a save is made of, besides the 20 ms in which nothing more may happen.
fn explain(config: &Path, table: &mut Table) -> anyhow::Result<()> {
    let config = Config::load(config)?;
    let studio = Studio::load(&config)?;
    let library = read::read_library(&config.content).library;
    table.row("reading everything again", mean(|| read::read_library(&config.content)));
    let request = Request {
        lessons: vec![LessonId::new(LESSON)?],
        audiences: vec![Audience::General],
        ..Request::default()
    };
    let pieces = build::pieces(&config, &library, &request, &studio, None);
    for piece in pieces.iter().filter(|piece| piece.role == Role::Text) {
        piece.make(&studio)?;
        let what = format!("making: {}", piece.what);
        table.row(&what, mean(|| piece.make(&studio)));
    }
    Ok(())
}

fn mean<T>(work: impl Fn() -> T) -> String {
    let begun = Instant::now();
    for _ in 0..10 {
        std::hint::black_box(work());
    }
    format!("{:.1} ms", begun.elapsed().as_secs_f64() * 100.0)
}

async fn save(
    folder: &Path,
    config: &Path,
    saves: usize,
    pause: Duration,
) -> anyhow::Result<Vec<Duration>> {
    let preview = Preview::start(Options {
        config: config.to_owned(),
        listen: "127.0.0.1:0".parse()?,
        lesson: None,
        today: || jiff::civil::date(2026, 11, 27),
    })
    .await?;
    let client = reqwest::Client::builder().no_proxy().build()?;
    let origin = preview.url();
    client.get(format!("{origin}lesson/{LESSON}")).send().await?.bytes().await?;
    let address = format!("{origin}events?lesson={LESSON}&audience=general");
    let mut events = client.get(address).send().await?;
    events.chunk().await?.context("no first event")?;
    let path = folder.join("content/lessons").join(LESSON).join("lesson.md");
    let text = fs::read_to_string(&path)?;
    let mut times = Vec::new();
    for number in 0..saves {
        let changed = text.replacen("谁在电话里", &format!("第{number}次，谁在电话里"), 1);
        anyhow::ensure!(changed != text, "the lesson's words have changed");
        let begun = Instant::now();
        fs::write(&path, changed)?;
        let mut told = String::new();
        while !told.contains("\"kind\":\"text\"") {
            let chunk = tokio::time::timeout(Duration::from_secs(30), events.chunk()).await??;
            told.push_str(std::str::from_utf8(&chunk.context("the stream ended")?)?);
        }
        times.push(begun.elapsed());
        tokio::time::sleep(pause).await;
    }
    fs::write(&path, text)?;
    drop(events);
    preview.stop().await?;
    Ok(times)
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    for entry in walkdir::WalkDir::new(from) {
        let entry = entry?;
        let path = to.join(entry.path().strip_prefix(from)?);
        if entry.file_type().is_dir() {
            fs::create_dir_all(path)?;
        } else {
            fs::copy(entry.path(), path)?;
        }
    }
    Ok(())
}
