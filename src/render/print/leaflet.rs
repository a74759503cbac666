//! The leaflet: A4 across, folded twice. Outside the flap with the quiz, the back with the numbers,
//! the cover; inside three panels of text.

use super::sheet::{Format, Label, Printed, fill};
use crate::{
    model::{Artifact, Audience, LayoutReport, OutputKind},
    render::{Palette, RenderError, Scene, Stage, poster::engine::LaidOut},
};
use serde::Serialize;
use std::path::PathBuf;

/// Width of a panel; two folds make three of A4 across.
pub(super) const PANEL_MM: f64 = 99.0;
/// What a panel holds between its margins: ten millimetres at the paper's edge and at each fold.
pub(super) const COLUMN_MM: f64 = 79.0;
/// Sizes of type that are tried below the largest that fits, to avoid lines of one character.
const TRIED: usize = 8;

/// Size of the body relative to the design, from the largest.
pub(super) fn scales(least: f64) -> Vec<f64> {
    let scales = (0..=23_u32).map(|step| 1.3 - 0.02 * f64::from(step));
    scales.filter(|scale| *scale >= least).collect()
}

/// What an attempt at one size gives: `None` where it does not fit, and whether it is clean, with
/// no line of a single character.
pub(super) type Attempt<T> = Result<Option<(T, bool)>, RenderError>;

/// The first clean attempt at or a little below the largest size that fits, else that one.
pub(super) fn largest<T>(
    scales: &[f64],
    attempt: impl Fn(f64) -> Attempt<T>,
) -> Result<Option<T>, RenderError> {
    // Smaller type needs less room, so the sizes that fit stand behind those that do not.
    let (mut low, mut high) = (0, scales.len());
    let mut found = None;
    while low < high {
        let middle = low.midpoint(high);
        match attempt(scales[middle])? {
            Some(fitting) => {
                high = middle;
                found = Some(fitting);
            }
            None => low = middle + 1,
        }
    }
    let Some((largest, clean)) = found else { return Ok(None) };
    if clean {
        return Ok(Some(largest));
    }
    for scale in scales.iter().skip(high + 1).take(TRIED) {
        if let Some((smaller, true)) = attempt(*scale)? {
            return Ok(Some(smaller));
        }
    }
    Ok(Some(largest))
}

/// The files of [`leaflet`]: for the bank a PDF and a picture of each side, for a branch the PDF.
#[must_use]
pub fn leaflet_paths(scene: &Scene<'_>) -> Vec<PathBuf> {
    let (lesson, audience) = (&scene.lesson.id, scene.variant.audience);
    if let Some(branch) = scene.branch {
        let path = format!("branches/{}/print/{lesson}.{audience}.leaflet.pdf", branch.id);
        return vec![path.into()];
    }
    ["leaflet.pdf", "leaflet-1.png", "leaflet-2.png"]
        .map(|end| format!("lessons/{lesson}/{audience}/{end}").into())
        .into()
}

/// Draws the leaflet of one variant.
///
/// # Errors
/// [`RenderError::MissingText`] where neither `:::leaflet` nor the article gives it text;
/// [`RenderError::DoesNotFit`], [`RenderError::MissingGlyphs`].
pub fn leaflet(scene: &Scene<'_>, stage: &Stage<'_>) -> Result<Vec<Artifact>, RenderError> {
    let label = Label {
        lesson: Some(scene.lesson),
        output: OutputKind::Leaflet,
        audience: scene.variant.audience,
        branch: scene.branch,
    };
    fitted(scene, stage, |printed, [outside, inside]| {
        let mut both = inside.clone();
        both.boxes.splice(0..0, outside.boxes.iter().cloned());
        both.overflow.extend(outside.overflow.iter().cloned());
        both.min_glyph_px = both.min_glyph_px.min(outside.min_glyph_px);
        let mut files = vec![(printed.pdf(stage)?, both)];
        let paths = leaflet_paths(scene);
        if paths.len() > 1 {
            files.extend(printed.pngs(stage)?.into_iter().zip([outside, inside]));
        }
        let artifact =
            |(path, (bytes, layout))| label.artifact(path, printed.format, bytes, layout);
        Ok(paths.into_iter().zip(files).map(artifact).collect())
    })
}

/// Both sides with their bleed, as pictures.
pub(super) fn proof(scene: &Scene<'_>, stage: &Stage<'_>) -> Result<Vec<Vec<u8>>, RenderError> {
    fitted(scene, stage, |printed, _| printed.proofs(stage))
}

/// The fitted leaflet, with the reports of its outside and its inside.
fn fitted<T>(
    scene: &Scene<'_>,
    stage: &Stage<'_>,
    then: impl FnOnce(&Printed<'_>, [LayoutReport; 2]) -> Result<T, RenderError>,
) -> Result<T, RenderError> {
    let maker = Maker::new(scene, stage)?;
    let (inside, inside_report) = maker.inside()?;
    let (outside, outside_report) = maker.outside()?;
    let pages = |unit: f64| {
        Ok(vec![
            fill(stage, "print/leaflet-outside.hbs", unit, &outside)?,
            fill(stage, "print/leaflet-inside.hbs", unit, &inside)?,
        ])
    };
    let title = scene.variant.title.value.clone();
    let printed = Printed { format: Format::A4Landscape, title, pages: Box::new(pages) };
    then(&printed, [outside_report, inside_report])
}

/// Sizes of the family in millimetres.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Sizes {
    pub body: f64,
    pub heading: f64,
    pub small: f64,
    /// Smallest font: ten points, for elders fourteen.
    pub floor: f64,
}

impl Sizes {
    fn of(audience: Audience, scale: f64) -> Self {
        let (body, heading, small, floor) = match audience {
            Audience::Elder => (5.3, 7.4, 4.94, 4.94),
            Audience::General | Audience::Student => (4.0, 5.8, 3.53, 3.53),
        };
        Self {
            body: (body * scale).max(floor),
            heading: heading * scale.clamp(0.9, 1.1),
            small,
            floor,
        }
    }
}

/// Colours that the families use in different places.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Colours {
    /// Headings, numerals, words of steps.
    pub heading: String,
    /// Behind red flags, notes and quoted words.
    pub panel: String,
    /// Behind the crosses of red flags.
    pub flag: String,
    /// The band along the top of the inside.
    pub band: String,
    /// The lead on the cover.
    pub lead: String,
}

impl Colours {
    pub fn of(audience: Audience, palette: &Palette) -> Self {
        let [heading, panel, flag, band, lead] = match audience {
            Audience::General => {
                let p = palette;
                [&p.ground, &p.pale[0], &p.ground, &p.ground, &p.paper]
            }
            Audience::Elder => {
                let p = palette;
                [&p.paper, &p.ground, &p.alert, &p.paper, &p.ink]
            }
            Audience::Student => {
                let p = palette;
                [&p.ink, &p.panel, &p.ink, &p.ground, &p.ink]
            }
        }
        .map(Clone::clone);
        Self { heading, panel, flag, band, lead }
    }
}

/// What both sides are made from.
pub(super) struct Maker<'a> {
    pub scene: &'a Scene<'a>,
    pub stage: &'a Stage<'a>,
    pub palette: &'a Palette,
}

impl<'a> Maker<'a> {
    fn new(scene: &'a Scene<'a>, stage: &'a Stage<'a>) -> Result<Self, RenderError> {
        Ok(Self { scene, stage, palette: scene.palette(stage.palettes)? })
    }

    pub fn sizes(&self, scale: f64) -> Sizes {
        Sizes::of(self.scene.variant.audience, scale)
    }

    pub fn measure<View: Serialize>(
        &self,
        template: &'static str,
        view: &View,
    ) -> Result<LaidOut, RenderError> {
        let pages = |unit: f64| Ok(vec![fill(self.stage, template, unit, view)?]);
        let title = String::new();
        let printed = Printed { format: Format::A4Landscape, title, pages: Box::new(pages) };
        Ok(printed.measure(self.stage)?.swap_remove(0))
    }
}
