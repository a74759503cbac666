//! The two cover pictures of a WeChat article: 2.35:1 for the list, 1:1 for sharing
//! (`channels/wechat.md` §3.3, `pic_crop_235_1` and `pic_crop_1_1`).

use super::{
    design::mark,
    engine::{self, Sheet},
    object::Drawing,
    png, report,
    view::PartView,
};
use crate::{
    model::{Artifact, Audience, MediaType, OutputKind},
    render::{Palette, RenderError, Scene, Stage, fonts::Weight},
};
use serde::Serialize;
use std::path::PathBuf;

/// Name, width and height: at least twice the width at which a phone shows them.
const COVERS: [(&str, u32, u32); 2] = [("cover-235", 1410, 600), ("cover-1", 900, 900)];

/// What the cover template sees; pixels.
#[derive(Debug, Serialize)]
struct CoverView<'a> {
    width: u32,
    height: u32,
    palette: &'a Palette,
    margin: u32,
    headline: Vec<Vec<PartView>>,
    headline_px: u32,
    headline_top: u32,
    bank: &'a str,
    bank_px: u32,
    mark: String,
    mark_px: u32,
    gap: u32,
    object: String,
    object_left: u32,
    object_top: u32,
    object_width: u32,
    object_height: u32,
}

/// Both covers, as PNG.
///
/// # Errors
/// [`RenderError::DoesNotFit`] where the headline is too long for a cover.
pub fn covers(scene: &Scene<'_>, stage: &Stage<'_>) -> Result<Vec<Artifact>, RenderError> {
    let drawing = Drawing::new(scene.object()?, scene.palette(stage.palettes)?, stage.fonts)?;
    COVERS
        .iter()
        .map(|(name, width, height)| cover(scene, stage, &drawing, name, (*width, *height)))
        .collect()
}

fn cover(
    scene: &Scene<'_>,
    stage: &Stage<'_>,
    drawing: &Drawing,
    name: &str,
    (width, height): (u32, u32),
) -> Result<Artifact, RenderError> {
    let view = view(scene, stage, drawing, width, height)?;
    let html = stage.templates.render("article/cover.hbs", &view)?;
    let sheet = Sheet { html: format!("<style>*{{margin:0}}</style>{html}"), width, height };
    let layout = report::report(&engine::measure(&sheet, stage.fonts)?, 0.0, report::Edges::Hard);
    super::glyphs::refuse_missing(&layout, scene, stage.fonts)?;
    if !layout.overflow.is_empty() {
        return Err(RenderError::DoesNotFit {
            what: format!("封面 {name}"),
            detail: layout.overflow.join("；"),
        });
    }
    let audience = scene.variant.audience;
    Ok(Artifact {
        path: PathBuf::from(format!("lessons/{}/{audience}/{name}.png", scene.lesson.id)),
        lesson: Some(scene.lesson.id.clone()),
        output: OutputKind::Article,
        audience,
        profile: Some(name.to_owned()),
        branch: None,
        media_type: MediaType::Png,
        bytes: png::encode(&engine::raster(&sheet, stage.fonts)?, None)?,
        layout: Some(layout),
    })
}

/// Wide: headline left, object right. Square: headline above, object below.
fn view<'a>(
    scene: &Scene<'a>,
    stage: &Stage<'a>,
    drawing: &Drawing,
    width: u32,
    height: u32,
) -> Result<CoverView<'a>, RenderError> {
    let palette = scene.palette(stage.palettes)?;
    let wide = width > height;
    let side = f64::from(height);
    let margin = (side * 0.09) as u32;
    let column = if wide { f64::from(width) * 0.56 } else { f64::from(width - 2 * margin) };
    let headline: Vec<Vec<PartView>> = super::compose::headline_parts(scene, false);
    let em = |line: &Vec<PartView>| -> f64 {
        line.iter().map(|part| stage.fonts.advance_em(&part.text, Weight::Bold)).sum()
    };
    let longest = headline.iter().map(em).fold(1.0, f64::max);
    let headline_px = (column / longest).min(side * 0.24) as u32;
    let block = 1.2 * f64::from(headline_px) * headline.len() as f64;
    let bank_px = (side * 0.055) as u32;
    let headline_top = if wide { (side * 0.44 - block / 2.0).max(0.0) as u32 } else { margin };
    let field = if wide {
        (f64::from(width) * 0.40, side * 0.86)
    } else {
        (f64::from(width) * 0.62, side - f64::from(headline_top) - block - side * 0.06)
    };
    let object_width = field.0.min(field.1 * drawing.ratio());
    let object_height = object_width / drawing.ratio();
    let right = if scene.variant.audience == Audience::General { 0.0 } else { f64::from(margin) };
    let rest =
        if wide { (f64::from(width) * 0.42 - right - object_width).max(0.0) / 2.0 } else { 0.0 };
    let student = scene.variant.audience == Audience::Student;
    let bottom = if student && wide { (side - object_height) / 2.0 } else { 0.0 };
    Ok(CoverView {
        width,
        height,
        palette,
        margin,
        headline,
        headline_px,
        headline_top,
        bank: &scene.bank.name,
        bank_px,
        mark: mark(scene, palette, bank_px + bank_px / 2)?,
        mark_px: bank_px + bank_px / 2,
        gap: bank_px / 2,
        object: drawing.markup(object_width as u32, object_height as u32),
        object_left: (f64::from(width) - object_width - right - rest) as u32,
        object_top: (side - object_height - bottom) as u32,
        object_width: object_width as u32,
        object_height: object_height as u32,
    })
}
