//! The object picture: where it stands, so large that it still touches no letter.

use super::{
    engine::{self, Rect, Sheet},
    scale::Scaled,
    view::{LabelView, ObjectView},
};
use crate::{
    model::{Asset, Audience, ObjectLabel},
    render::{Fonts, Palette, RenderError, fonts::Weight},
};

/// A drawing with its colours filled in, its shape, and a coarse map of where it has ink.
#[derive(Debug, Clone)]
pub struct Drawing {
    svg: String,
    ratio: f64,
    mask: Vec<bool>,
    mask_height: u32,
}

/// Columns of the ink map: 4–8 pixels of a full-HD poster each.
const MASK_WIDTH: u32 = 120;

impl Drawing {
    /// Paints the asset with the palette and maps its ink.
    ///
    /// # Errors
    /// [`RenderError::Picture`] where it is no SVG with a `viewBox`.
    pub fn new(asset: &Asset, palette: &Palette, fonts: &Fonts) -> Result<Self, RenderError> {
        let wrong = |reason: &str| RenderError::Picture {
            file: asset.path.display().to_string(),
            reason: reason.to_owned(),
        };
        let text = std::str::from_utf8(&asset.bytes).map_err(|_| wrong("不是 UTF-8 的 SVG"))?;
        let svg = palette.paint(text);
        let (width, height) = view_box(&svg).ok_or_else(|| wrong("没有 viewBox"))?;
        let ratio = width / height;
        let mask_height = (f64::from(MASK_WIDTH) / ratio).round().max(1.0) as u32;
        let sheet = Sheet {
            html: format!(
                "<style>*{{margin:0}}</style><div style=\"width:{MASK_WIDTH}px;height:{mask_height}px\">{}</div>",
                sized(&svg, MASK_WIDTH, mask_height)
            ),
            width: MASK_WIDTH,
            height: mask_height,
        };
        let pixels = engine::raster(&sheet, fonts)?;
        let mask = pixels.rgba.chunks_exact(4).map(|pixel| pixel[3] > 16).collect();
        Ok(Self { svg, ratio, mask, mask_height })
    }

    /// Whether the drawing, standing at `rect`, has ink within `other`.
    fn touches(&self, rect: Rect, other: Rect) -> bool {
        let cell_x = (rect.right - rect.left) / MASK_WIDTH as f32;
        let cell_y = (rect.bottom - rect.top) / self.mask_height as f32;
        let first = |from: f32, cell: f32| (from / cell).floor().max(0.0) as u32;
        let columns = first(other.left - rect.left, cell_x)
            ..((other.right - rect.left) / cell_x).ceil().clamp(0.0, MASK_WIDTH as f32) as u32;
        let rows = first(other.top - rect.top, cell_y)
            ..((other.bottom - rect.top) / cell_y).ceil().clamp(0.0, self.mask_height as f32)
                as u32;
        rows.into_iter().any(|row| {
            columns.clone().any(|column| self.mask[(row * MASK_WIDTH + column) as usize])
        })
    }

    /// Stands the drawing in the field that the scale gives it, where most of it is seen: smaller,
    /// and behind treads (`covers`) perhaps higher, so that it touches none of `letters`. `None`
    /// where it would have to be less than half of its size.
    #[must_use]
    pub fn place(
        &self,
        scaled: &Scaled<'_>,
        audience: Audience,
        head: (u32, u32),
        letters: &[Rect],
        covers: &[Rect],
    ) -> Option<Rect> {
        let gap = (10.0 * scaled.unit) as f32;
        self.fit(field(scaled, audience, head), gap, audience, letters, covers)
    }

    /// As [`Drawing::place`], in any field and with any distance to the letters.
    #[must_use]
    pub fn fit(
        &self,
        field: Rect,
        gap: f32,
        audience: Audience,
        letters: &[Rect],
        covers: &[Rect],
    ) -> Option<Rect> {
        let ratio = self.ratio as f32;
        let full = (field.right - field.left).min((field.bottom - field.top) * ratio);
        let lift = (field.bottom - field.top) * 0.06;
        let mut best: Option<(f32, Rect)> = None;
        for (step, lifted) in (0..=10).flat_map(|step| (0..4).map(move |lifted| (step, lifted))) {
            let width = full * (1.0 - 0.05 * step as f32);
            let rect = stand(field, width, width / ratio, audience);
            let rect = shifted_up(rect, lift * lifted as f32);
            if lifted > 0 && !stands_behind(rect, covers) {
                continue;
            }
            if letters.iter().any(|letter| self.touches(rect, widened(*letter, gap))) {
                continue;
            }
            let seen = self.seen(rect, covers);
            if best.is_none_or(|(most, _)| seen > most) {
                best = Some((seen, rect));
            }
        }
        best.map(|(_, rect)| rect)
    }

    /// The area of ink that no cover hides, in pixels.
    fn seen(&self, rect: Rect, covers: &[Rect]) -> f32 {
        let cell_x = (rect.right - rect.left) / MASK_WIDTH as f32;
        let cell_y = (rect.bottom - rect.top) / self.mask_height as f32;
        let hidden = |x: f32, y: f32| {
            covers.iter().any(|c| x > c.left && x < c.right && y > c.top && y < c.bottom)
        };
        let cells = self.mask.iter().enumerate().filter(|(_, ink)| **ink).filter(|(index, _)| {
            let (row, column) = (index / MASK_WIDTH as usize, index % MASK_WIDTH as usize);
            !hidden(rect.left + column as f32 * cell_x, rect.top + row as f32 * cell_y)
        });
        cells.count() as f32 * cell_x * cell_y
    }

    /// The view of the drawing at `rect` with its labels.
    #[must_use]
    pub fn view(
        &self,
        rect: Rect,
        labels: &[ObjectLabel],
        palette: &Palette,
        fonts: &Fonts,
        floor_px: f64,
    ) -> ObjectView {
        let width = (rect.right - rect.left).round() as u32;
        let height = (rect.bottom - rect.top).round() as u32;
        let left = rect.left.round() as i32;
        let top = rect.top.round() as i32;
        let labels = labels
            .iter()
            .map(|label| {
                let font = (label.size / 100.0 * height as f32).max(floor_px as f32).round();
                let weight = if label.bold { Weight::Bold } else { Weight::Regular };
                let box_width =
                    (fonts.advance_em(&label.text.value, weight) as f32 * font).ceil() + 4.0;
                let box_height = (font * 1.1).ceil();
                LabelView {
                    left: (left as f32 + label.x / 100.0 * width as f32 - box_width / 2.0) as i32,
                    top: (top as f32 + label.y / 100.0 * height as f32 - box_height / 2.0) as i32,
                    width: box_width as u32,
                    height: box_height as u32,
                    font: font as u32,
                    colour: palette.token(&label.colour).unwrap_or(&palette.ink).to_owned(),
                    weight: if label.bold { 700 } else { 400 },
                    rotate: label.rotate,
                    text: label.text.value.clone(),
                }
            })
            .collect();
        ObjectView { left, top, width, height, svg: sized(&self.svg, width, height), labels }
    }

    /// The drawing as markup of `width` by `height` pixels.
    #[must_use]
    pub fn markup(&self, width: u32, height: u32) -> String {
        sized(&self.svg, width, height)
    }

    /// Width over height.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        self.ratio
    }
}

/// The field of the scale at this screen. A screen that is wider or taller than the design gives it
/// what is over: the drawing keeps its distance from the right and bottom edges.
fn field(scaled: &Scaled<'_>, audience: Audience, head: (u32, u32)) -> Rect {
    let [left, top, width, height] = scaled.sizes.object.map(|n| (n * scaled.unit) as f32);
    let [design_width, design_height] = scaled.sizes.design.map(|n| (n * scaled.unit) as f32);
    let strip = (scaled.sizes.strip * scaled.unit) as f32;
    let spare_x = if audience == Audience::General { head.0 as f32 - design_width } else { 0.0 };
    let spare_y = head.1 as f32 - (design_height - strip);
    Rect {
        left: left + spare_x,
        top: top + if audience == Audience::Student { 0.0 } else { spare_y },
        right: left + width + spare_x,
        bottom: top + height + spare_y,
    }
}

fn shifted_up(rect: Rect, by: f32) -> Rect {
    Rect { top: rect.top - by, bottom: rect.bottom - by, ..rect }
}

/// Whether the drawing's foot is hidden by covers over its whole width, so that it does not float.
fn stands_behind(rect: Rect, covers: &[Rect]) -> bool {
    let edge =
        |pick: fn(f32, f32) -> f32, side: fn(&Rect) -> f32| covers.iter().map(side).reduce(pick);
    let left = edge(f32::min, |cover| cover.left);
    let right = edge(f32::max, |cover| cover.right);
    let wide = left.is_some_and(|left| left <= rect.left + 1.0)
        && right.is_some_and(|right| right >= rect.right - 1.0);
    let below = covers.iter().filter(|c| c.left < rect.right && c.right > rect.left);
    wide && below.into_iter().all(|cover| cover.top < rect.bottom)
}

/// General and elder objects stand on the bottom of their field, at its right or left; a student's
/// hangs in the middle.
fn stand(field: Rect, width: f32, height: f32, audience: Audience) -> Rect {
    let left = match audience {
        Audience::General => field.right - width,
        Audience::Elder => field.left + (field.right - field.left - width) / 2.0,
        Audience::Student => field.left,
    };
    let top = match audience {
        Audience::Student => field.top + (field.bottom - field.top - height) / 2.0,
        Audience::General | Audience::Elder => field.bottom - height,
    };
    Rect { left, top, right: left + width, bottom: top + height }
}

fn widened(rect: Rect, by: f32) -> Rect {
    Rect {
        left: rect.left - by,
        top: rect.top - by,
        right: rect.right + by,
        bottom: rect.bottom + by,
    }
}

/// Width and height of an SVG's `viewBox`.
fn view_box(svg: &str) -> Option<(f64, f64)> {
    let start = svg.find("viewBox=\"")? + "viewBox=\"".len();
    let value = &svg[start..start + svg[start..].find('"')?];
    let numbers: Vec<f64> = value
        .split([' ', ','])
        .filter(|part| !part.is_empty())
        .map(str::parse)
        .collect::<Result<_, _>>()
        .ok()?;
    match numbers[..] {
        [_, _, width, height] if width > 0.0 && height > 0.0 => Some((width, height)),
        _ => None,
    }
}

/// The SVG with another width and height on its root element.
#[must_use]
pub fn sized(svg: &str, width: u32, height: u32) -> String {
    let svg = svg.find("<svg").map_or(svg, |start| &svg[start..]);
    let Some(end) = svg.find('>') else { return svg.to_owned() };
    let kept = svg["<svg".len()..end]
        .split_inclusive('"')
        .collect::<Vec<_>>()
        .chunks(2)
        .filter_map(|pair| match pair {
            [name, value] => {
                let name = name.trim().trim_end_matches("=\"");
                (!matches!(name, "width" | "height")).then(|| format!(" {name}=\"{value}"))
            }
            _ => None,
        })
        .collect::<String>();
    format!("<svg width=\"{width}\" height=\"{height}\"{kept}{}", &svg[end..])
}
