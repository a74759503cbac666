//! Sheets for the bank's own people: what the morning meeting reads, what the booth fills in.

use super::{
    facts::{self, AnswerView, HotlineView, QuestionView},
    leaflet::Colours,
    prose::{self, BlockView, RunView},
    sheet::{Format, Label, Printed, fill, orphans, refuse_missing, report},
};
use crate::{
    model::{Artifact, Audience, BlockKind, Directive, LayoutReport, OutputKind},
    render::{Palette, RenderError, Scene, Stage, poster::design::mark, text::chinese_date},
};
use serde::Serialize;
use std::path::PathBuf;

/// Body size relative to the design, from the largest.
const SCALES: [f64; 12] = [1.5, 1.4, 1.3, 1.22, 1.16, 1.1, 1.05, 1.0, 0.95, 0.9, 0.85, 0.8];
/// Smallest font: nine points, read at the desk.
const FLOOR_MM: f64 = 3.18;

/// Font sizes in millimetres.
#[derive(Debug, Clone, Copy, Serialize)]
struct Sizes {
    body: f64,
    heading: f64,
    small: f64,
    answer: f64,
}

/// The file of [`morning`].
#[must_use]
pub fn morning_paths(scene: &Scene<'_>) -> Vec<PathBuf> {
    one_path(scene, "morning")
}

/// The file of [`booth`].
#[must_use]
pub fn booth_paths(scene: &Scene<'_>) -> Vec<PathBuf> {
    one_path(scene, "booth")
}

fn one_path(scene: &Scene<'_>, name: &str) -> Vec<PathBuf> {
    let (lesson, audience) = (&scene.lesson.id, scene.variant.audience);
    vec![match scene.branch {
        Some(branch) => {
            format!("branches/{}/print/{lesson}.{audience}.{name}.pdf", branch.id).into()
        }
        None => format!("lessons/{lesson}/{audience}/{name}.pdf").into(),
    }]
}

/// The bank's mark in dark colours; the general family's palette is made for dark ground.
fn mark_on_white(scene: &Scene<'_>, palette: &Palette) -> Result<String, RenderError> {
    let mut palette = palette.clone();
    if scene.variant.audience == Audience::General {
        std::mem::swap(&mut palette.ground, &mut palette.paper);
    }
    mark(scene, &palette, 64)
}

#[derive(Serialize)]
struct MorningView<'a> {
    palette: &'a Palette,
    colours: Colours,
    mark: String,
    bank: &'a str,
    title: &'a str,
    audience: &'static str,
    owner: &'a str,
    valid_until: String,
    approval: Option<String>,
    blocks: Vec<BlockView>,
    question: Option<QuestionView>,
    answer: Option<AnswerView>,
    flags: Vec<Vec<RunView>>,
    hotlines: Vec<HotlineView>,
}

/// Draws the sheet of the morning meeting. Staff only: it is the one output of this room that
/// shows `:::staff`.
///
/// # Errors
/// [`RenderError::MissingText`] without `:::staff`; [`RenderError::DoesNotFit`],
/// [`RenderError::MissingGlyphs`].
pub fn morning(scene: &Scene<'_>, stage: &Stage<'_>) -> Result<Vec<Artifact>, RenderError> {
    with_morning(scene, stage, &|printed, report| {
        files(scene, stage, OutputKind::Morning, printed, report)
    })
}

/// What is done with a fitted sheet.
type Then<'a, T> = &'a dyn Fn(&Printed<'_>, &LayoutReport) -> Result<T, RenderError>;

/// The sheet of that kind with its bleed, as a picture.
pub(super) fn proof(
    scene: &Scene<'_>,
    stage: &Stage<'_>,
    output: OutputKind,
) -> Result<Vec<Vec<u8>>, RenderError> {
    let then: Then<'_, Vec<Vec<u8>>> = &|printed, _| printed.proofs(stage);
    match output {
        OutputKind::Morning => with_morning(scene, stage, then),
        _ => with_booth(scene, stage, then),
    }
}

fn files(
    scene: &Scene<'_>,
    stage: &Stage<'_>,
    output: OutputKind,
    printed: &Printed<'_>,
    report: &LayoutReport,
) -> Result<Vec<Artifact>, RenderError> {
    let label = Label {
        lesson: Some(scene.lesson),
        output,
        audience: scene.variant.audience,
        branch: scene.branch,
    };
    let paths = match output {
        OutputKind::Morning => morning_paths(scene),
        _ => booth_paths(scene),
    };
    let bytes = printed.pdf(stage)?;
    let artifact = |path| label.artifact(path, printed.format, bytes.clone(), report.clone());
    Ok(paths.into_iter().map(artifact).collect())
}

fn with_morning<T>(
    scene: &Scene<'_>,
    stage: &Stage<'_>,
    then: Then<'_, T>,
) -> Result<T, RenderError> {
    let variant = scene.variant;
    let staff = variant.tiers.staff.as_ref().ok_or_else(|| RenderError::MissingText {
        block: ":::staff",
        help: "晨会页要有 :::staff：3 个问题和 2 个回答".into(),
    })?;
    let palette = scene.palette(stage.palettes)?;
    let (questions, answers) = facts::quiz(scene);
    let view = MorningView {
        palette,
        colours: Colours::of(variant.audience, palette),
        mark: mark_on_white(scene, palette)?,
        bank: &scene.bank.name,
        title: &variant.title.value,
        audience: variant.audience.label(),
        owner: &variant.owner,
        valid_until: chinese_date(variant.valid_until),
        approval: scene.approval_line(),
        blocks: prose::blocks(scene, staff, OutputKind::Morning),
        question: questions.into_iter().next(),
        answer: answers.into_iter().next(),
        flags: flags(scene),
        hotlines: facts::hotlines(scene),
    };
    sheet(scene, stage, (OutputKind::Morning, "print/morning.hbs"), &view, then)
}

/// The article's red flags.
fn flags(scene: &Scene<'_>) -> Vec<Vec<RunView>> {
    let flags = scene.variant.body.iter().find_map(|block| match &block.kind {
        BlockKind::Directive(Directive::RedFlags(flags)) => Some(flags),
        _ => None,
    });
    flags.into_iter().flatten().map(|flag| prose::runs(scene, flag)).collect()
}

#[derive(Serialize)]
struct BoothView<'a> {
    palette: &'a Palette,
    colours: Colours,
    mark: String,
    bank: &'a str,
    title: &'a str,
    quiz: Vec<QuestionView>,
    answers: Vec<AnswerView>,
    fields: [&'static str; 3],
    columns: [&'static str; 6],
    rows: [&'static str; 3],
    place: &'a str,
}

/// Draws the sheet of the education booth: questions to ask, answers to fold away, numbers to
/// count.
///
/// # Errors
/// [`RenderError::MissingText`] without a quiz; [`RenderError::DoesNotFit`],
/// [`RenderError::MissingGlyphs`].
pub fn booth(scene: &Scene<'_>, stage: &Stage<'_>) -> Result<Vec<Artifact>, RenderError> {
    with_booth(scene, stage, &|printed, report| {
        files(scene, stage, OutputKind::Booth, printed, report)
    })
}

fn with_booth<T>(
    scene: &Scene<'_>,
    stage: &Stage<'_>,
    then: Then<'_, T>,
) -> Result<T, RenderError> {
    let variant = scene.variant;
    let palette = scene.palette(stage.palettes)?;
    let (quiz, answers) = facts::quiz(scene);
    if quiz.is_empty() {
        return Err(RenderError::MissingText {
            block: ":::quiz",
            help: "展台页要有三道小测题".into(),
        });
    }
    let view = BoothView {
        palette,
        colours: Colours::of(variant.audience, palette),
        mark: mark_on_white(scene, palette)?,
        bank: &scene.bank.name,
        title: variant.short_title.as_ref().map_or(&variant.title.value, |title| &title.value),
        quiz,
        answers,
        fields: ["日期", "地点", "填表人"],
        columns: ["参加人数", "发放折页", "答题人数", "答对人数", "咨询人数", "工作人员"],
        rows: ["上午", "下午", "合计"],
        place: scene.branch.map_or("", |branch| branch.name.as_str()),
    };
    sheet(scene, stage, (OutputKind::Booth, "print/booth.hbs"), &view, then)
}

fn sizes(scale: f64) -> Sizes {
    Sizes {
        body: (4.3 * scale).max(FLOOR_MM),
        heading: 5.6 * scale,
        small: FLOOR_MM * 1.1,
        answer: (3.8 * scale.min(1.2)).max(FLOOR_MM),
    }
}

/// A view at one size of type.
#[derive(Serialize)]
struct Sized<'v, View> {
    #[serde(rename = "type")]
    sizes: Sizes,
    #[serde(flatten)]
    view: &'v View,
}

/// One page of A4 in the largest type in which it holds everything.
fn sheet<View: Serialize, T>(
    scene: &Scene<'_>,
    stage: &Stage<'_>,
    (output, template): (OutputKind, &str),
    view: &View,
    then: Then<'_, T>,
) -> Result<T, RenderError> {
    let mut faults = Vec::new();
    for strict in [true, false] {
        for scale in SCALES {
            let view = Sized { sizes: sizes(scale), view };
            let pages = |unit: f64| Ok(vec![fill(stage, template, unit, &view)?]);
            let title = format!("{}：{}", output.label(), scene.variant.title.value);
            let printed = Printed { format: Format::A4, title, pages: Box::new(pages) };
            let laid_out = printed.measure(stage)?.swap_remove(0);
            let report = report(&laid_out, Format::A4, FLOOR_MM);
            refuse_missing(&report, scene, stage)?;
            faults.clone_from(&report.overflow);
            if faults.is_empty() && (!strict || orphans(&laid_out).is_empty()) {
                return then(&printed, &report);
            }
        }
    }
    Err(RenderError::DoesNotFit {
        what: output.label().into(),
        detail: format!(
            "{}。请把文字写短",
            faults.iter().take(4).cloned().collect::<Vec<_>>().join("；")
        ),
    })
}
