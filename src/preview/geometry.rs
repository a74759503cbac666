//! Screens and sheets of paper as they are in the world: measures, distances, what is cut off.

use crate::{
    model::Audience,
    render::poster::scale::{HAN_HEIGHT_EM, Profile, words_per_second},
};

/// How far an author sits from the monitor, in millimetres.
const DESK_MM: f64 = 500.0;
/// Millimetres of a CSS pixel at the distance for which it is defined: 1/96 inch at arm's length.
const MM_PER_CSS_PX: f64 = 25.4 / 96.0;
/// Frames are about as large as this, in CSS pixels: what they have of a page.
const FRAME_AREA: f64 = 240.0 * 400.0;
/// No frame is wider.
const FRAME_WIDTH: f64 = 480.0;

/// A screen's frame on a page, in CSS pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// Across.
    pub width: u32,
    /// Down.
    pub height: u32,
}

/// The frame of a screen at its true proportion: of about the same area for all, or, from where
/// people stand, at the angle at which they see it.
#[must_use]
pub fn frame(profile: &Profile, from_where_people_stand: bool) -> Frame {
    let ratio = f64::from(profile.height) / f64::from(profile.width.max(1));
    let width = if from_where_people_stand {
        let distance_mm = f64::from(profile.distance_m.max(0.1)) * 1000.0;
        f64::from(profile.mm_width) * DESK_MM / distance_mm / MM_PER_CSS_PX
    } else {
        (FRAME_AREA / ratio).sqrt().min(FRAME_WIDTH)
    };
    let whole = |length: f64| length.round().clamp(1.0, 4096.0) as u32;
    Frame { width: whole(width), height: whole(width * ratio) }
}

/// What is to be said of a poster on its screen.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// 字 on it.
    pub words: usize,
    /// Seconds that reading them takes.
    pub seconds: f32,
    /// Whether it takes longer than the poster is shown.
    pub is_too_long: bool,
    /// Height of the smallest letter in millimetres.
    pub letter_mm: f64,
    /// The smallest height that can be read from where people stand.
    pub floor_mm: f64,
}

/// How long a poster takes to read, and how large its letters are.
#[must_use]
pub fn reading(
    profile: &Profile,
    layout: &crate::model::LayoutReport,
    audience: Audience,
) -> Reading {
    let seconds = layout.word_count as f32 / words_per_second(audience);
    let mm_per_px = f64::from(profile.mm_width) / f64::from(profile.width.max(1));
    Reading {
        words: layout.word_count,
        seconds,
        is_too_long: seconds > profile.dwell_s,
        letter_mm: f64::from(layout.min_glyph_px) * mm_per_px,
        floor_mm: profile.floor_font_px(audience) * HAN_HEIGHT_EM * mm_per_px,
    }
}

/// A page of a PDF and what is cut off of it, in millimetres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sheet {
    /// The page, bleed included.
    pub width: f64,
    /// The page, bleed included.
    pub height: f64,
    /// Left, top, width, height of what remains.
    pub trim: [f64; 4],
}

/// The first page's boxes, read from the file itself.
#[must_use]
pub fn sheet(pdf: &[u8]) -> Option<Sheet> {
    let [left, bottom, right, top] = boxed(pdf, b"/MediaBox[")?;
    let trim = boxed(pdf, b"/TrimBox[").unwrap_or([left, bottom, right, top]);
    let mm = |points: f64| points / 72.0 * 25.4;
    Some(Sheet {
        width: mm(right - left),
        height: mm(top - bottom),
        trim: [mm(trim[0] - left), mm(top - trim[3]), mm(trim[2] - trim[0]), mm(trim[3] - trim[1])],
    })
}

/// How many pages a PDF has, as far as its page dictionaries can be counted.
#[must_use]
pub fn pages(pdf: &[u8]) -> usize {
    let mark: &[u8] = b"/TrimBox[";
    pdf.windows(mark.len()).filter(|window| *window == mark).count()
}

fn boxed(pdf: &[u8], name: &[u8]) -> Option<[f64; 4]> {
    let start = pdf.windows(name.len()).position(|window| window == name)? + name.len();
    let length = pdf.get(start..start + 120.min(pdf.len() - start))?;
    let length = length.iter().position(|byte| *byte == b']')?;
    let text = std::str::from_utf8(&pdf[start..start + length]).ok()?;
    let numbers: Vec<f64> = text.split_whitespace().map_while(|word| word.parse().ok()).collect();
    numbers.try_into().ok()
}
