//! Pages of paper: laid out once, written as PDF with bleed and drawn at 300 dots an inch.

use super::boxes::with_boxes;
use crate::{
    model::{Artifact, Audience, Branch, LayoutReport, Lesson, MediaType, OutputKind},
    render::{
        RenderError, Scene, Stage,
        poster::{
            engine::{self, LaidOut, PDF_DPI, Paper},
            glyphs::missing_glyphs,
            png, report,
        },
    },
};
use serde::Serialize;
use std::{fmt::Write as _, path::PathBuf};

/// What is printed beyond the edge, so that cutting leaves no white hair.
pub const BLEED_MM: f64 = 3.0;

/// What proofs are drawn at: enough to read the smallest print on a monitor.
const PROOF_DPI: f64 = 120.0;
/// What pictures are drawn at.
const PICTURE_DPI: f64 = 300.0;
/// [`PICTURE_DPI`] for the file's pHYs chunk.
const PIXELS_PER_METRE: u32 = 11_811;

/// A size of paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// 210 × 297 mm.
    A4,
    /// 297 × 420 mm.
    A3,
    /// 297 × 210 mm.
    A4Landscape,
}

impl Format {
    /// Its name in paths and listings.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::A4 | Self::A4Landscape => "a4",
            Self::A3 => "a3",
        }
    }

    /// Width and height in millimetres.
    #[must_use]
    pub fn size_mm(self) -> (f64, f64) {
        match self {
            Self::A4 => (210.0, 297.0),
            Self::A3 => (297.0, 420.0),
            Self::A4Landscape => (297.0, 210.0),
        }
    }

    /// Millimetres of this paper for one of A4.
    #[must_use]
    pub fn unit(self) -> f64 {
        match self {
            Self::A4 | Self::A4Landscape => 1.0,
            Self::A3 => 420.0 / 297.0,
        }
    }
}

/// What the style sheet of every page sees, in pixels.
#[derive(Serialize)]
struct BaseView {
    width: f64,
    height: f64,
    bleed: f64,
    /// What the top of a page leaves free: the engine shows the first half pixel of a page at the
    /// foot of the one before it.
    guard: f64,
    trim_top: f64,
    page_width: f64,
    page_height: f64,
}

/// Pixels of a measured page per millimetre.
pub const MEASURED_PX: f64 = PDF_DPI / 25.4;

/// What stands within the trim of each page, at so many pixels per millimetre of A4.
type Pages<'a> = dyn Fn(f64) -> Result<Vec<String>, RenderError> + 'a;

/// A view at so many pixels per millimetre of A4, which `{{mm …}}` multiplies by.
#[derive(Serialize)]
struct At<'v, View> {
    unit: f64,
    #[serde(flatten)]
    view: &'v View,
}

/// Fills a template at so many pixels per millimetre of A4.
pub(super) fn fill<View: Serialize>(
    stage: &Stage<'_>,
    template: &str,
    unit: f64,
    view: &View,
) -> Result<String, RenderError> {
    Ok(stage.templates.render(template, &At { unit, view })?)
}

/// Finished pages.
pub(super) struct Printed<'a> {
    pub format: Format,
    /// The document's title.
    pub title: String,
    pub pages: Box<Pages<'a>>,
}

impl Printed<'_> {
    /// What is laid out on each page, in pixels of the trim, [`MEASURED_PX`] a millimetre.
    pub fn measure(&self, stage: &Stage<'_>) -> Result<Vec<LaidOut>, RenderError> {
        let pages = self.at(PDF_DPI)?;
        let measure = |page: &String| {
            let paper = self.paper(std::slice::from_ref(page), PDF_DPI, 0.0, stage)?;
            engine::measure_paper(&paper, stage.fonts)
        };
        pages.iter().map(measure).collect()
    }

    /// All pages with their bleed.
    pub fn pdf(&self, stage: &Stage<'_>) -> Result<Vec<u8>, RenderError> {
        let paper = self.paper(&self.at(PDF_DPI)?, PDF_DPI, BLEED_MM, stage)?;
        let bytes = engine::pdf_paper(&paper, &self.title, stage.fonts)?;
        with_boxes(bytes, BLEED_MM / 25.4 * 72.0)
    }

    /// Each page as a picture of the trim size.
    pub fn pngs(&self, stage: &Stage<'_>) -> Result<Vec<Vec<u8>>, RenderError> {
        let draw = |page: &String| {
            let paper = self.paper(std::slice::from_ref(page), PICTURE_DPI, 0.0, stage)?;
            let pixels = engine::raster_paper(&paper, stage.fonts)?;
            png::encode(&pixels, Some(PIXELS_PER_METRE))
        };
        self.at(PICTURE_DPI)?.iter().map(draw).collect()
    }

    /// Each page with its bleed as a picture, for people who look at it on a monitor: what the PDF
    /// shows before it is cut.
    pub fn proofs(&self, stage: &Stage<'_>) -> Result<Vec<Vec<u8>>, RenderError> {
        let draw = |page: &String| {
            let paper = self.paper(std::slice::from_ref(page), PROOF_DPI, BLEED_MM, stage)?;
            png::encode(&engine::raster_paper(&paper, stage.fonts)?, None)
        };
        self.at(PROOF_DPI)?.iter().map(draw).collect()
    }

    fn at(&self, dpi: f64) -> Result<Vec<String>, RenderError> {
        (self.pages)(self.format.unit() * dpi / 25.4)
    }

    fn paper(
        &self,
        pages: &[String],
        dpi: f64,
        bleed: f64,
        stage: &Stage<'_>,
    ) -> Result<Paper, RenderError> {
        let (width, height) = self.format.size_mm();
        let (width_mm, height_mm) = (width + 2.0 * bleed, height + 2.0 * bleed);
        // A picture's last row of pixels is only partly paper, so the page reaches beyond it.
        let slack = if bleed > 0.0 { 0.0 } else { 0.2 };
        let px = |mm: f64| mm / 25.4 * dpi;
        let guard = if bleed > 0.0 && pages.len() > 1 { 0.6 } else { 0.0 };
        let view = BaseView {
            width: px(width),
            height: px(height),
            bleed: px(bleed),
            guard,
            trim_top: px(bleed) - guard,
            page_width: px(width_mm + slack),
            page_height: px(height_mm + slack),
        };
        let css = stage.templates.render("print/base.hbs", &view)?;
        let mut html = format!("<style>{css}</style>");
        for (index, page) in pages.iter().enumerate() {
            let turn = if index + 1 == pages.len() { "" } else { " turn" };
            // Writing to a string cannot fail.
            let _ = write!(
                html,
                "<div class=\"page{turn}\"><div class=\"ink\"><div class=\"trim\">{page}</div></div></div>"
            );
        }
        Ok(Paper { html, dpi, width_mm, height_mm })
    }
}

/// Within this distance of an edge nothing essential stands: printers do not reach it.
pub(super) const SAFE_MM: f64 = 10.0;

/// Reads a measured page: the usual faults, and lines too near to an edge. `floor_mm` is the
/// smallest font size.
pub(super) fn report(laid_out: &LaidOut, format: Format, floor_mm: f64) -> LayoutReport {
    let mut report = report::report(laid_out, floor_mm * MEASURED_PX, report::Edges::Bleed);
    let (width, height) = format.size_mm();
    let safe = ((SAFE_MM - 0.2) * MEASURED_PX) as f32;
    let (right, bottom) = ((width * MEASURED_PX) as f32, (height * MEASURED_PX) as f32);
    for line in &report.boxes {
        let outside = line.x < safe
            || line.y < safe
            || line.x + line.width > right - safe
            || line.y + line.height > bottom - safe;
        if outside {
            report.overflow.push(format!("“{}”离纸边不到 10 毫米", line.text.trim()));
        }
    }
    report
}

/// Refuses a page in which a character has no face, naming where it stands.
pub(super) fn refuse_missing(
    report: &LayoutReport,
    scene: &Scene<'_>,
    stage: &Stage<'_>,
) -> Result<(), RenderError> {
    let text: String = report.boxes.iter().map(|line| line.text.as_str()).collect();
    missing_glyphs(&text, scene, stage.fonts)
}

/// Paragraphs whose last line is a single character, which looks like a mistake.
pub(super) fn orphans(node: &LaidOut) -> Vec<String> {
    let mut rows: Vec<(f32, String)> = Vec::new();
    for line in &node.lines {
        match rows.last_mut() {
            Some((top, text)) if (*top - line.rect.top).abs() < line.font_px * 0.5 => {
                text.push_str(&line.text);
            }
            _ => rows.push((line.rect.top, line.text.clone())),
        }
    }
    let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).count();
    let alone = rows.len() > 1 && rows.last().is_some_and(|(_, text)| letters(text) <= 1);
    let own = alone.then(|| rows.iter().map(|(_, text)| text.as_str()).collect::<String>());
    own.into_iter().chain(node.children.iter().flat_map(orphans)).collect()
}

/// Fills in what every artifact of one output shares.
pub(super) struct Label<'a> {
    pub lesson: Option<&'a Lesson>,
    pub output: OutputKind,
    pub audience: Audience,
    pub branch: Option<&'a Branch>,
}

impl Label<'_> {
    pub fn artifact(
        &self,
        path: PathBuf,
        format: Format,
        bytes: Vec<u8>,
        layout: LayoutReport,
    ) -> Artifact {
        let png = path.extension().is_some_and(|extension| extension == "png");
        Artifact {
            path,
            lesson: self.lesson.map(|lesson| lesson.id.clone()),
            output: self.output,
            audience: self.audience,
            profile: Some(format.name().to_owned()),
            branch: self.branch.map(|branch| branch.id.clone()),
            media_type: if png { MediaType::Png } else { MediaType::Pdf },
            bytes,
            layout: Some(layout),
        }
    }
}
