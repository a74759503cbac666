//! The layout engine behind one door: HTML + CSS in; measured lines, pixels or PDF out.
//!
//! Nothing outside this file names the engine's types, so that another engine, or another version
//! of this one, is a change here.

use crate::render::{Fonts, RenderError};
use std::sync::Arc;
use takumi::prelude::{MeasuredNode, Node, RenderOptions, StyleSheet, Viewport};
use takumi_core::{
    html::{FromHtmlOptions, parse_html},
    style::Lang,
};

/// A page to lay out: complete HTML with its style sheet in `<style>`, and its size in pixels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// The markup.
    pub html: String,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

/// Drawn pixels, 8-bit RGBA, rows from the top.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pixels {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// `width * height * 4` bytes.
    pub rgba: Vec<u8>,
}

impl Pixels {
    /// Fills a square.
    pub fn fill(&mut self, left: u32, top: u32, side: u32, [r, g, b]: [u8; 3]) {
        let row = (self.width * 4) as usize;
        let (from, to) = ((left * 4) as usize, ((left + side) * 4) as usize);
        for row in self.rgba.chunks_exact_mut(row).skip(top as usize).take(side as usize) {
            row[from..to]
                .chunks_exact_mut(4)
                .for_each(|pixel| pixel.copy_from_slice(&[r, g, b, 255]));
        }
    }
}

/// A box of the laid-out tree: its rectangle, its lines of text and its children.
#[derive(Debug, Clone, PartialEq)]
pub struct LaidOut {
    /// Rectangle in pixels of the page.
    pub rect: Rect,
    /// Lines of text, in pixels of the page, with font size.
    pub lines: Vec<Line>,
    /// Boxes inside.
    pub children: Vec<LaidOut>,
}

/// A rectangle in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Rect {
    /// Left edge.
    pub left: f32,
    /// Top edge.
    pub top: f32,
    /// Right edge.
    pub right: f32,
    /// Bottom edge.
    pub bottom: f32,
}

/// A run of text on one line.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Its characters.
    pub text: String,
    /// Rectangle of the face's ascent and descent.
    pub rect: Rect,
    /// Font size in pixels.
    pub font_px: f32,
    /// Whether the box is rotated, so that `rect` is only its bounds.
    pub rotated: bool,
}

/// Ascent plus descent of the embedded faces, in em (hhea table: 1160 + 288 of 1000).
const LINE_BOX_EM: f32 = 1.448;

/// Lays the sheet out without drawing it.
///
/// # Errors
/// [`RenderError::Engine`] where the engine refuses the markup.
pub fn measure(sheet: &Sheet, fonts: &Fonts) -> Result<LaidOut, RenderError> {
    let (node, stylesheet) = parse(&sheet.html)?;
    let options = options(sheet, node, stylesheet, fonts);
    let measured = takumi::measure(options).map_err(engine_error)?;
    Ok(laid_out(&measured))
}

/// Draws the sheet.
///
/// # Errors
/// [`RenderError::Engine`] where the engine refuses the markup.
pub fn raster(sheet: &Sheet, fonts: &Fonts) -> Result<Pixels, RenderError> {
    let (node, stylesheet) = parse(&sheet.html)?;
    let bitmap = takumi::render(options(sheet, node, stylesheet, fonts)).map_err(engine_error)?;
    Ok(Pixels { width: bitmap.width(), height: bitmap.height(), rgba: bitmap.into_raw() })
}

/// Writes the sheet as one page of vector PDF with embedded font subsets. One CSS pixel is
/// 0.75 pt; the caller chooses the size accordingly.
///
/// # Errors
/// [`RenderError::Engine`] where the engine refuses the markup or a character has no glyph.
pub fn pdf(sheet: &Sheet, title: &str, fonts: &Fonts) -> Result<Vec<u8>, RenderError> {
    let (node, stylesheet) = parse(&sheet.html)?;
    let metadata = takumi_pdf::PdfMetadata { title: Some(title.to_owned()), ..Default::default() };
    let options = takumi_pdf::PdfOptions::builder()
        .viewport(Viewport::new((sheet.width, sheet.height)))
        .fonts(fonts.engine())
        .node(node)
        .stylesheet(stylesheet)
        .metadata(metadata)
        .producer("caishi".to_owned())
        .lang(Lang::parse("zh-CN").ok())
        .build();
    takumi_pdf::render(options).map_err(|error| RenderError::Engine(error.to_string()))
}

/// Paper to lay out: HTML whose lengths are CSS pixels at `dpi`, and the size of one page.
#[derive(Debug, Clone, PartialEq)]
pub struct Paper {
    /// The markup; for a PDF one box of the page's size after another.
    pub html: String,
    /// Pixels per inch: [`PDF_DPI`] for a PDF.
    pub dpi: f64,
    /// Millimetres across.
    pub width_mm: f64,
    /// Millimetres down.
    pub height_mm: f64,
}

/// What a PDF's markup is laid out at: one CSS pixel is 0.75 pt.
pub const PDF_DPI: f64 = 96.0;

/// Lays paper out without drawing it, in pixels of its resolution.
///
/// # Errors
/// [`RenderError::Engine`] where the engine refuses the markup.
pub fn measure_paper(paper: &Paper, fonts: &Fonts) -> Result<LaidOut, RenderError> {
    let options = paper_options(paper, fonts)?;
    Ok(laid_out(&takumi::measure(options).map_err(engine_error)?))
}

/// Draws one page of paper.
///
/// # Errors
/// [`RenderError::Engine`] where the engine refuses the markup.
pub fn raster_paper(paper: &Paper, fonts: &Fonts) -> Result<Pixels, RenderError> {
    let bitmap = takumi::render(paper_options(paper, fonts)?).map_err(engine_error)?;
    Ok(Pixels { width: bitmap.width(), height: bitmap.height(), rgba: bitmap.into_raw() })
}

/// Writes paper as vector PDF with embedded font subsets, one page per box of the markup that ends
/// with a page break. The same markup gives the same bytes: the file carries no date.
///
/// # Errors
/// [`RenderError::Engine`] where the engine refuses the markup or a character has no glyph.
pub fn pdf_paper(paper: &Paper, title: &str, fonts: &Fonts) -> Result<Vec<u8>, RenderError> {
    let (node, stylesheet) = parse(&paper.html)?;
    let metadata = takumi_pdf::PdfMetadata { title: Some(title.to_owned()), ..Default::default() };
    let options = takumi_pdf::PdfOptions::builder()
        .page(takumi_pdf::PageOptions {
            width: (paper.width_mm / 25.4 * PDF_DPI) as f32,
            height: (paper.height_mm / 25.4 * PDF_DPI) as f32,
            margin: takumi_pdf::PageMargins::uniform(0.0),
        })
        .fonts(fonts.engine())
        .node(node)
        .stylesheet(stylesheet)
        .metadata(metadata)
        .producer("caishi".to_owned())
        .lang(Lang::parse("zh-CN").ok())
        .build();
    takumi_pdf::render(options).map_err(|error| RenderError::Engine(error.to_string()))
}

fn paper_options<'a>(paper: &Paper, fonts: &'a Fonts) -> Result<RenderOptions<'a>, RenderError> {
    let (node, stylesheet) = parse(&paper.html)?;
    let pixels = |mm: f64| (mm / 25.4 * paper.dpi).round() as u32;
    let sheet = Sheet {
        html: String::new(),
        width: pixels(paper.width_mm),
        height: pixels(paper.height_mm),
    };
    Ok(options(&sheet, node, stylesheet, fonts))
}

fn parse(html: &str) -> Result<(Node, Arc<StyleSheet>), RenderError> {
    let parsed = parse_html(html, FromHtmlOptions::default())
        .map_err(|error| RenderError::Engine(error.to_string()))?;
    let stylesheet = StyleSheet::parse(&parsed.css.join("\n"))
        .map_err(|error| RenderError::Engine(format!("{error:?}")))?;
    Ok((parsed.node, Arc::new(stylesheet)))
}

fn options<'a>(
    sheet: &Sheet,
    node: Node,
    stylesheet: Arc<StyleSheet>,
    fonts: &'a Fonts,
) -> RenderOptions<'a> {
    RenderOptions::builder()
        .viewport(Viewport::new((sheet.width, sheet.height)))
        .node(node)
        .fonts(fonts.engine())
        .stylesheet(stylesheet)
        .lang(Lang::parse("zh-CN").ok())
        .build()
}

#[expect(clippy::needless_pass_by_value, reason = "map_err hands the error over")]
fn engine_error(error: takumi::prelude::Error) -> RenderError {
    RenderError::Engine(error.to_string())
}

fn laid_out(node: &MeasuredNode) -> LaidOut {
    let lines = node
        .runs
        .iter()
        .map(|run| Line {
            text: run.text.clone(),
            rect: bounds(node.transform, run.x, run.y, run.width, run.height),
            font_px: run.height / LINE_BOX_EM,
            rotated: node.transform[1].abs() > 1e-4,
        })
        .collect();
    LaidOut {
        rect: bounds(node.transform, 0.0, 0.0, node.width, node.height),
        lines,
        children: node.children.iter().map(laid_out).collect(),
    }
}

/// The bounds of a rectangle under an affine transform `[a, b, c, d, e, f]`.
fn bounds(transform: [f32; 6], x: f32, y: f32, width: f32, height: f32) -> Rect {
    let [a, b, c, d, e, f] = transform;
    let corners = [(x, y), (x + width, y), (x, y + height), (x + width, y + height)]
        .map(|(x, y)| (a * x + c * y + e, b * x + d * y + f));
    let fold = |pick: fn(f32, f32) -> f32, values: [f32; 4]| values.into_iter().reduce(pick);
    let xs = corners.map(|corner| corner.0);
    let ys = corners.map(|corner| corner.1);
    Rect {
        left: fold(f32::min, xs).unwrap_or_default(),
        top: fold(f32::min, ys).unwrap_or_default(),
        right: fold(f32::max, xs).unwrap_or_default(),
        bottom: fold(f32::max, ys).unwrap_or_default(),
    }
}
