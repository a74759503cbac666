//! The printed poster, A4 and A3: fitted once on A4, drawn in proportion on A3.

use super::{
    compose::Composer,
    sheet::{Format, Label, MEASURED_PX, Printed, fill, orphans, refuse_missing, report},
    strip::qr_rect,
    view::PosterView,
};
use crate::{
    model::{Artifact, LayoutReport, OutputKind, PosterText, count_words},
    render::{
        RenderError, Scene, Stage,
        poster::{design::mark, engine::Rect, object::Drawing, scale::words_per_second},
    },
};
use std::path::PathBuf;

/// How far text may shrink before the next shorter tier is tried.
const SHRINKS: [f64; 7] = [1.0, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7];

/// The files of [`posters`], in its order: for the bank PDF and picture in A4 and A3, for a branch
/// one A4 PDF, which it prints itself.
#[must_use]
pub fn poster_paths(scene: &Scene<'_>) -> Vec<PathBuf> {
    let (lesson, audience) = (&scene.lesson.id, scene.variant.audience);
    if let Some(branch) = scene.branch {
        return vec![format!("branches/{}/print/{lesson}.{audience}.a4.pdf", branch.id).into()];
    }
    ["a4.pdf", "a4.png", "a3.pdf", "a3.png"]
        .map(|end| format!("lessons/{lesson}/{audience}/print-{end}").into())
        .into()
}

/// Draws the printed posters of one variant.
///
/// # Errors
/// [`RenderError::MissingText`] without `:::poster` and `:::screen`; [`RenderError::DoesNotFit`]
/// names the lines that do not fit; [`RenderError::MissingGlyphs`] the characters no face has.
pub fn posters(scene: &Scene<'_>, stage: &Stage<'_>) -> Result<Vec<Artifact>, RenderError> {
    let fitted = fit(scene, stage)?;
    let label = Label {
        lesson: Some(scene.lesson),
        output: OutputKind::Print,
        audience: scene.variant.audience,
        branch: scene.branch,
    };
    let a4 = page(scene, stage, &fitted.view, Format::A4);
    let a3 = page(scene, stage, &fitted.view, Format::A3);
    let draw = |path: PathBuf| {
        let name = path.to_string_lossy();
        let printed = if name.contains("-a3.") { &a3 } else { &a4 };
        let bytes = if name.ends_with(".png") {
            printed.pngs(stage)?.swap_remove(0)
        } else {
            printed.pdf(stage)?
        };
        let format = printed.format;
        Ok(label.artifact(path, format, bytes, fitted.report.clone()))
    };
    poster_paths(scene).into_iter().map(draw).collect()
}

/// The A4 poster with its bleed, as a picture.
pub(super) fn proof(scene: &Scene<'_>, stage: &Stage<'_>) -> Result<Vec<Vec<u8>>, RenderError> {
    let fitted = fit(scene, stage)?;
    page(scene, stage, &fitted.view, Format::A4).proofs(stage)
}

struct Fitted<'a> {
    view: PosterView<'a>,
    report: LayoutReport,
}

fn page<'v>(
    scene: &'v Scene<'_>,
    stage: &'v Stage<'_>,
    view: &'v PosterView<'_>,
    format: Format,
) -> Printed<'v> {
    let pages = move |unit: f64| {
        let template = format!("print/poster-{}.hbs", scene.variant.audience);
        Ok(vec![fill(stage, &template, unit, view)?])
    };
    Printed { format, title: scene.variant.title.value.clone(), pages: Box::new(pages) }
}

/// The fullest text at the largest size at which nothing leaves its box or meets anything else;
/// lines of a single character are avoided where a smaller size avoids them.
fn fit<'a>(scene: &'a Scene<'a>, stage: &Stage<'a>) -> Result<Fitted<'a>, RenderError> {
    let tiers = &scene.variant.tiers;
    let texts: Vec<&PosterText> = [&tiers.poster, &tiers.screen].into_iter().flatten().collect();
    if texts.is_empty() {
        return Err(RenderError::MissingText {
            block: ":::poster",
            help: "印刷海报要有 :::poster（至多 120 字），没有时用 :::screen".into(),
        });
    }
    let palette = scene.palette(stage.palettes)?;
    let mark = mark(scene, palette, 64)?;
    let drawing = Drawing::new(scene.object()?, palette, stage.fonts)?;
    let composer = Composer { scene, palette, fonts: stage.fonts, mark };
    let mut faults = Vec::new();
    // What is wrong is said of the fullest text, which is the one its author will mend.
    for (index, text) in texts.into_iter().enumerate() {
        for strict in [true, false] {
            for shrink in SHRINKS {
                let view = composer.view(text, shrink)?;
                match attempt(&composer, stage, view, &drawing, strict)? {
                    Ok(fitted) => return Ok(fitted),
                    Err(found) if index == 0 => faults = found,
                    Err(_) => {}
                }
            }
        }
    }
    Err(RenderError::DoesNotFit {
        what: "印刷海报".into(),
        detail: format!(
            "{}。请把 headline 或 :::poster 写短",
            faults.iter().take(4).cloned().collect::<Vec<_>>().join("；")
        ),
    })
}

/// Lays one view out, stands its object where it touches no letter, and lays it out again.
fn attempt<'a>(
    composer: &Composer<'a>,
    stage: &Stage<'_>,
    mut view: PosterView<'a>,
    drawing: &Drawing,
    strict: bool,
) -> Result<Result<Fitted<'a>, Vec<String>>, RenderError> {
    let measured = |view: &PosterView<'a>| -> Result<LayoutReport, RenderError> {
        let laid_out = page(composer.scene, stage, view, Format::A4).measure(stage)?.swap_remove(0);
        let mut report = report(&laid_out, Format::A4, composer.floor());
        if strict {
            let alone = orphans(&laid_out).into_iter();
            report.overflow.extend(alone.map(|text| format!("“{text}”的末行只有一个字")));
        }
        Ok(report)
    };
    let bare = measured(&view)?;
    refuse_missing(&bare, composer.scene, stage)?;
    if !bare.overflow.is_empty() {
        return Ok(Err(bare.overflow));
    }
    let letters: Vec<Rect> = bare
        .boxes
        .iter()
        .map(|line| Rect {
            left: line.x,
            top: line.y,
            right: line.x + line.width,
            bottom: line.y + line.height,
        })
        .collect();
    view.object = composer.object(drawing, &letters, MEASURED_PX as f32);
    let mut report = measured(&view)?;
    if !report.overflow.is_empty() {
        return Ok(Err(report.overflow));
    }
    report.qr_rects = vec![qr_rect(&view.strip)];
    report.word_count = words(&view).iter().map(|text| count_words(text)).sum();
    report.reading_seconds =
        report.word_count as f32 / words_per_second(composer.scene.variant.audience);
    Ok(Ok(Fitted { view, report }))
}

/// What a reader reads; the strip is not counted.
fn words<'v>(view: &'v PosterView<'_>) -> Vec<&'v str> {
    let mut words: Vec<&str> = view.headline.iter().flatten().map(|p| p.text.as_str()).collect();
    if let Some(lead) = &view.lead {
        words.extend([lead.plain.as_str(), lead.imperative.as_str()]);
    }
    words.extend(view.lines.iter().map(String::as_str));
    words.push(&view.cue);
    if let Some(boxed) = &view.boxed {
        words.extend([boxed.number.as_str(), boxed.note.as_str()]);
    }
    for step in &view.steps {
        words.push(&step.word);
        words.extend(step.sentence.iter().map(String::as_str));
        words.extend(step.number.as_deref());
    }
    words.extend(view.turns.iter().map(|turn| turn.words.as_str()));
    words
}
