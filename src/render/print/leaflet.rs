//! The leaflet: A4 across, folded twice. Outside the flap with the quiz, the back with the numbers,
//! the cover; inside three panels of text.

use super::sheet::{Format, Label, Printed, fill};
use crate::{
    model::{Artifact, Audience, OutputKind},
    render::{Palette, RenderError, Scene, Stage, poster::engine::LaidOut},
};
use serde::Serialize;
use std::path::PathBuf;

/// Width of a panel; two folds make three of A4 across.
pub(super) const PANEL_MM: f64 = 99.0;
/// What a panel holds between its margins: ten millimetres at the paper's edge and at each fold.
pub(super) const COLUMN_MM: f64 = 79.0;
/// Body size relative to the design, from the largest.
pub(super) fn scales() -> impl Iterator<Item = f64> {
    (0..=23_u32).map(|step| 1.3 - 0.02 * f64::from(step))
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
    let label = Label {
        lesson: Some(scene.lesson),
        output: OutputKind::Leaflet,
        audience: scene.variant.audience,
        branch: scene.branch,
    };
    let mut both = inside_report.clone();
    both.boxes.splice(0..0, outside_report.boxes.iter().cloned());
    both.overflow.extend(outside_report.overflow.iter().cloned());
    both.min_glyph_px = both.min_glyph_px.min(outside_report.min_glyph_px);
    let mut files = vec![(printed.pdf(stage)?, both)];
    let paths = leaflet_paths(scene);
    if paths.len() > 1 {
        files.extend(printed.pngs(stage)?.into_iter().zip([outside_report, inside_report]));
    }
    let artifact = |(path, (bytes, layout))| label.artifact(path, printed.format, bytes, layout);
    Ok(paths.into_iter().zip(files).map(artifact).collect())
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
