//! What a renderer measured, for the check to read.

use super::Span;

/// The measured layout of one poster or page.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LayoutReport {
    /// Every line of text, in painting order.
    pub boxes: Vec<PlacedBox>,
    /// Height in pixels of the smallest Han character (0.92 of its font size).
    pub min_glyph_px: f32,
    /// Foreground and background of text, `#RRGGBB` pairs.
    pub colours: Vec<(String, String)>,
    /// The pairs that only large letters are shown in.
    pub large_colours: Vec<(String, String)>,
    /// The QR code's field in pixels (x, y, width, height), quiet zone included.
    pub qr_rects: Vec<(u32, u32, u32, u32)>,
    /// Lines that leave their box or meet another one; empty when the poster is sound.
    pub overflow: Vec<String>,
    /// Characters that no face can draw, with where they stand.
    pub missing_glyphs: Vec<(char, Option<Span>)>,
    /// 字 that a passer-by has to read.
    pub word_count: usize,
    /// Seconds needed to read them (4 字/s; elders 3 字/s).
    pub reading_seconds: f32,
}

/// A line of text and its rectangle in pixels.
#[derive(Debug, Clone, PartialEq)]
pub struct PlacedBox {
    /// The characters.
    pub text: String,
    /// Left edge.
    pub x: f32,
    /// Top edge.
    pub y: f32,
    /// Width.
    pub width: f32,
    /// Height.
    pub height: f32,
    /// Font size in pixels.
    pub font_px: f32,
}
