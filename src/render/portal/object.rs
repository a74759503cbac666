//! The object within the portal page.

use crate::{
    model::Audience,
    render::{Palette, RenderError, Scene, picture::svg_size},
};
use serde::Serialize;
use std::fmt::Write as _;

/// Width at which a general object is shown, in CSS pixels (VISUAL §8).
const OBJECT_WIDTH_PX: f32 = 168.0;
/// Width at which a student's object is shown, in CSS pixels.
const WIDE_OBJECT_WIDTH_PX: f32 = 220.0;

/// How much of the picture a page can afford.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    /// As it was drawn.
    Full,
    /// Coordinates to a tenth of a unit.
    Rounded,
    /// No picture.
    None,
}

/// A picture within the page.
#[derive(Debug, Serialize)]
pub(super) struct Object<'a> {
    /// A `data:` address.
    source: String,
    alt: &'a str,
    width: u32,
    height: u32,
}

/// The object as a picture within the page. As the source of an `<img>` a drawing runs no script
/// and loads nothing, whatever is in it.
pub(super) fn object<'a>(
    scene: &Scene<'a>,
    palette: &Palette,
    detail: Detail,
) -> Result<Option<Object<'a>>, RenderError> {
    if detail == Detail::None {
        return Ok(None);
    }
    let asset = scene.object()?;
    let failed =
        |reason: &str| RenderError::Picture { file: asset.file.clone(), reason: reason.to_owned() };
    let svg = std::str::from_utf8(&asset.bytes).map_err(|_| failed("SVG 不是 UTF-8 文本"))?;
    let (width, height) =
        svg_size(svg).ok_or_else(|| failed("SVG 没写 width、height 或 viewBox"))?;
    let shown = match scene.variant.audience {
        Audience::Student => WIDE_OBJECT_WIDTH_PX,
        _ => OBJECT_WIDTH_PX,
    };
    let mut painted = palette.paint(svg);
    if let Some(end) = painted.rfind("</svg>") {
        painted.insert_str(end, &labels(scene, palette, (width, height)));
    }
    if detail == Detail::Rounded {
        painted = rounded(&painted);
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few hundred")]
    let pixels = |length: f32| length.round().clamp(1.0, 4096.0) as u32;
    Ok(Some(Object {
        source: format!("data:image/svg+xml,{}", percent_encoded(&painted)),
        alt: &asset.alt,
        width: pixels(shown),
        height: pixels(shown * height / width),
    }))
}

/// Numbers with one digit behind the point, and white space folded: a few tenths of a unit are
/// less than a pixel at the size the object has.
fn rounded(svg: &str) -> String {
    let mut out = String::with_capacity(svg.len());
    let mut behind_point: Option<usize> = None;
    for character in svg.chars() {
        behind_point = match (character, behind_point) {
            ('.', None) => Some(0),
            (digit, Some(digits)) if digit.is_ascii_digit() => Some(digits + 1),
            _ => None,
        };
        let folded = character.is_whitespace() && out.ends_with(char::is_whitespace);
        if behind_point.is_none_or(|digits| digits <= 1) && !folded {
            out.push(character);
        }
    }
    out
}

fn labels(scene: &Scene<'_>, palette: &Palette, (width, height): (f32, f32)) -> String {
    let mut text = String::new();
    for label in &scene.variant.object_labels {
        let (x, y) = (label.x / 100.0 * width, label.y / 100.0 * height);
        let colour = palette.token(&label.colour).unwrap_or(&palette.ink);
        let weight = if label.bold { " font-weight=\"bold\"" } else { "" };
        let size = label.size / 100.0 * height;
        let _ = write!(
            text,
            "<text x=\"{x}\" y=\"{y}\" font-size=\"{size}\" font-family=\"sans-serif\" text-anchor=\"middle\" dominant-baseline=\"central\" fill=\"{colour}\"{weight} transform=\"rotate({} {x} {y})\">{}</text>",
            label.rotate,
            label.text.value.replace('&', "&amp;").replace('<', "&lt;")
        );
    }
    text
}

/// The characters that may not stand in a `data:` address within a double-quoted attribute; others
/// are left, since every byte counts on a gateway.
fn percent_encoded(svg: &str) -> String {
    let quote_freely = !svg.contains('\'');
    let mut encoded = String::with_capacity(svg.len() + svg.len() / 8);
    for character in svg.chars() {
        match character {
            '%' => encoded.push_str("%25"),
            '#' => encoded.push_str("%23"),
            '<' => encoded.push_str("%3C"),
            '>' => encoded.push_str("%3E"),
            '&' => encoded.push_str("%26"),
            '"' if quote_freely => encoded.push('\''),
            '"' => encoded.push_str("%22"),
            '\n' | '\r' | '\t' => encoded.push(' '),
            _ => encoded.push(character),
        }
    }
    encoded
}
