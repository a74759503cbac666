//! The check: the command on the eight lessons, started cold, and a thousand lessons.

use crate::{
    PACKAGE, clock,
    table::{Goal, Table},
};
use anyhow::Context as _;
use caishi::{
    check::{Checker, Subject},
    config::Config,
    read::read_library,
};
use jiff::civil::date;
use std::{fs, path::Path, process::Command, time::Instant};

/// How many lessons a big bank may have.
const LESSONS: usize = 1_000;

/// Characters of one lesson's article.
const CHARACTERS: usize = 1_200;

/// Measures both.
pub fn measure(table: &mut Table) -> anyhow::Result<()> {
    table.section("Check without layout (--text-only)");
    let cold = (0..7).map(|_| cold()).collect::<anyhow::Result<Vec<f64>>>()?;
    let best = cold.into_iter().fold(f64::INFINITY, f64::min);
    table.goal(
        "the command on the demo's lessons, best of 7",
        format!("{:.0} ms", 1e3 * best),
        Goal::below(best, 0.15, "< 150 ms"),
    );
    let folder = tempfile::tempdir()?;
    library(folder.path())?;
    let config = Config::load(&Path::new(PACKAGE).join("channels.toml"))?;
    let (started, before) = (Instant::now(), clock::process_cpu());
    let reading = read_library(folder.path());
    anyhow::ensure!(reading.library.lessons.len() == LESSONS, "a generated lesson has a fault");
    let read = started.elapsed().as_secs_f64();
    let subject = Subject {
        library: &reading.library,
        diagnostics: &reading.diagnostics,
        bank: &config.bank,
        today: date(2026, 11, 27),
    };
    let findings = Checker::new(subject)?.sources().len();
    let wall = started.elapsed().as_secs_f64();
    table.goal(
        "1,000 lessons of 1,200 characters, read and checked",
        format!("{wall:.2} s (reading {read:.2} s)"),
        Goal::below(wall, 2.0, "< 2 s"),
    );
    table.row("  CPU", format!("{:.2} s", clock::process_cpu() - before));
    table.row("  findings", findings.to_string());
    Ok(())
}

/// One run of the command, in seconds.
fn cold() -> anyhow::Result<f64> {
    let started = Instant::now();
    let output = Command::new(env!("CARGO_BIN_EXE_caishi"))
        .args(["check", "--text-only", "--today", "2026-11-27"])
        .current_dir(PACKAGE)
        .output()?;
    anyhow::ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(started.elapsed().as_secs_f64())
}

/// A content folder with the demo's registries and lessons of characters drawn at random, so that
/// no two are alike.
fn library(to: &Path) -> anyhow::Result<()> {
    let content = Path::new(PACKAGE).join("content");
    for name in ["topics.toml", "hotlines.toml", "calendar.toml"] {
        fs::copy(content.join(name), to.join(name))?;
    }
    for folder in ["campaigns", "facts"] {
        fs::create_dir_all(to.join(folder))?;
        for entry in fs::read_dir(content.join(folder))? {
            let entry = entry?;
            fs::copy(entry.path(), to.join(folder).join(entry.file_name()))?;
        }
    }
    let sample = fs::read_to_string(content.join("lessons/telecom-fraud/lesson.md"))?;
    let characters: Vec<char> =
        sample.chars().filter(|c| ('\u{4E00}'..='\u{9FFF}').contains(c)).collect();
    let front = sample.split("sources:").next().context("the sample's front matter")?;
    let mut state = 20_261_127_u64;
    let mut next = || {
        // Knuth's MMIX generator: the same library every time.
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        characters[(state >> 33) as usize % characters.len()]
    };
    for number in 0..LESSONS {
        let id = format!("lesson-{number}");
        let folder = to.join("lessons").join(&id);
        fs::create_dir_all(&folder)?;
        let front = front.replacen("id: telecom-fraud", &format!("id: {id}"), 1).replacen(
            "[general, elder, student]",
            "[general]",
            1,
        );
        let mut text = format!("{front}---\n\n## 一\n\n");
        for written in 1..=CHARACTERS {
            text.push(next());
            match written % 180 {
                0 => text.push_str("。\n\n"),
                rest if rest % 20 == 0 => text.push('。'),
                rest if rest % 10 == 0 => text.push('，'),
                _ => {}
            }
        }
        fs::write(folder.join("lesson.md"), text + "\n")?;
        let sample = content.join("lessons/telecom-fraud");
        fs::copy(sample.join("object.svg"), folder.join("object.svg"))?;
        fs::write(
            folder.join("assets.toml"),
            "[[asset]]\nfile = \"object.svg\"\nalt = \"手机\"\nauthor = \"宣教组\"\nlicence = \"CC0-1.0\"\nsource = \"本项目绘制\"\n",
        )?;
    }
    Ok(())
}
