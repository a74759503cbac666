//! Markdown to article HTML on one thread, over the real lessons.

use crate::{
    clock,
    network::Network,
    table::{Goal, Table},
};
use anyhow::Context as _;
use caishi::{
    build::Studio,
    model::{Audience, Lesson, SourceFile, Variant},
    read::{FrontMatter, Registry, Surroundings, read_variant},
    render::{Limits, PictureSet, Scene, Stage, article},
};
use std::{hint::black_box, sync::Arc};

/// One text of a lesson and everything that is ready before it is read.
struct Text<'a> {
    lesson: &'a Lesson,
    file: Arc<SourceFile>,
    audience: Audience,
    /// The general text's front matter, for the other audiences.
    base: Option<FrontMatter>,
    pictures: PictureSet,
    variant: &'a Variant,
}

/// Measures for about `seconds` each: reading, rendering, and one after the other.
pub fn measure(seconds: f64, table: &mut Table) -> anyhow::Result<()> {
    let network = Network::new(1)?;
    let studio = Studio::load(&network.config)?;
    let stage = studio.stage()?;
    let texts = texts(&network, &stage)?;
    let render = |text: &Text<'_>, variant: &Variant| {
        let scene = scene(&network, text.lesson, variant);
        article::render(&scene, &stage, &text.pictures, &Limits::default()).map(black_box)
    };
    table.section(&format!("Articles: {} lesson texts, one thread", texts.len()));
    let both = per_second(&texts, seconds, &|text| {
        let variant = read(&network, text).context("a lesson has a fault")?;
        render(text, &variant)?;
        Ok(())
    })?;
    table.goal(
        "Markdown to article HTML, per CPU second",
        format!("{both:.0}"),
        Goal::above(both, 2_000.0, "≥ 2,000"),
    );
    let reading = per_second(&texts, seconds, &|text| {
        black_box(read(&network, text).context("a lesson has a fault")?);
        Ok(())
    })?;
    table.row("  reading alone", format!("{reading:.0}"));
    let rendering = per_second(&texts, seconds, &|text| {
        render(text, text.variant)?;
        Ok(())
    })?;
    table.row("  rendering alone", format!("{rendering:.0}"));
    Ok(())
}

fn texts<'a>(network: &'a Network, stage: &Stage<'_>) -> anyhow::Result<Vec<Text<'a>>> {
    let mut texts = Vec::new();
    for lesson in &network.library.lessons {
        let general = lesson.variants.get(&Audience::General).context("no general text")?;
        let front =
            read_variant(&general.file, Audience::General, None, &surroundings(network, lesson));
        for (audience, variant) in &lesson.variants {
            let base = (*audience != Audience::General).then(|| front.front_matter.clone());
            texts.push(Text {
                lesson,
                file: Arc::clone(&variant.file),
                audience: *audience,
                base,
                pictures: PictureSet::build(&scene(network, lesson, variant), stage)?,
                variant,
            });
        }
    }
    Ok(texts)
}

fn read(network: &Network, text: &Text<'_>) -> Option<Variant> {
    let surroundings = surroundings(network, text.lesson);
    read_variant(&text.file, text.audience, text.base.as_ref(), &surroundings).variant
}

fn surroundings<'a>(network: &'a Network, lesson: &'a Lesson) -> Surroundings<'a> {
    Surroundings {
        registry: Registry::complete(&network.library),
        assets: &lesson.assets,
        assets_complete: true,
    }
}

fn scene<'a>(network: &'a Network, lesson: &'a Lesson, variant: &'a Variant) -> Scene<'a> {
    Scene {
        bank: &network.config.bank,
        library: &network.library,
        lesson,
        variant,
        branch: None,
        approval_number: None,
    }
}

/// Whole rounds over all texts until the time is up; the first round only warms.
fn per_second(
    texts: &[Text<'_>],
    seconds: f64,
    work: &dyn Fn(&Text<'_>) -> anyhow::Result<()>,
) -> anyhow::Result<f64> {
    texts.iter().try_for_each(work)?;
    let started = clock::process_cpu();
    let mut done = 0;
    loop {
        texts.iter().try_for_each(work)?;
        done += texts.len();
        let spent = clock::process_cpu() - started;
        if spent >= seconds {
            return Ok(done as f64 / spent);
        }
    }
}
