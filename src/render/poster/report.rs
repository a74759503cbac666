//! Turns a measured layout into a [`LayoutReport`]: which lines there are, how small the smallest
//! is, and what leaves its box or meets another line.

use super::engine::{LaidOut, Line, Rect};
use crate::{
    model::{Audience, LayoutReport, PlacedBox},
    render::Palette,
};

/// Pixels by which rounding may let a line stick out.
const TOLERANCE: f32 = 1.0;

/// Characters that must not begin a line (JIS X 4051 / GB/T 15834, closing punctuation).
const NOT_AT_LINE_START: &str = "，。、；：？！”’）》】〉」』…～·";

/// Whether a field of colour may be larger than the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Edges {
    /// A screen ends where it ends: a bubble that sticks out is cut.
    #[default]
    Hard,
    /// Paper is trimmed: fields run into the bleed.
    Bleed,
}

/// Reads a measured layout. `floor_px` is the smallest font size that may occur.
#[must_use]
pub fn report(root: &LaidOut, floor_px: f64, edges: Edges) -> LayoutReport {
    let mut walk = Walk { floor_px, edges, ..Walk::default() };
    walk.visit(root, &mut Vec::new());
    walk.find_meetings();
    let min_font = walk.lines.iter().map(|line| line.font_px).fold(f32::INFINITY, f32::min);
    LayoutReport {
        min_glyph_px: if min_font.is_finite() {
            min_font * super::scale::HAN_HEIGHT_EM as f32
        } else {
            0.0
        },
        boxes: walk.lines.iter().map(placed).collect(),
        overflow: walk.faults,
        ..LayoutReport::default()
    }
}

#[derive(Default)]
struct Walk {
    floor_px: f64,
    edges: Edges,
    lines: Vec<Line>,
    faults: Vec<String>,
}

impl Walk {
    fn visit(&mut self, node: &LaidOut, ancestors: &mut Vec<Rect>) {
        let solid = node.rect.right > node.rect.left && node.rect.bottom > node.rect.top;
        if solid {
            ancestors.push(node.rect);
        }
        for line in &node.lines {
            self.line(line, ancestors);
        }
        self.line_starts(&node.lines);
        for child in &node.children {
            self.visit(child, ancestors);
        }
        if solid {
            ancestors.pop();
        }
    }

    fn line(&mut self, line: &Line, ancestors: &[Rect]) {
        if line.text.trim().is_empty() {
            return;
        }
        let ink = ink(line);
        // A box as high as its type (line-height 1) is 0.02 em less than what `ink` allows for.
        let slack = TOLERANCE.max(0.03 * line.font_px);
        let outside = |rect: &Rect| {
            ink.left < rect.left - TOLERANCE
                || ink.top < rect.top - slack
                || ink.right > rect.right + TOLERANCE
                || ink.bottom > rect.bottom + slack
        };
        let sticks_out = |pair: &[Rect]| {
            pair[1].left < pair[0].left - TOLERANCE
                || pair[1].right > pair[0].right + TOLERANCE
                || pair[1].bottom > pair[0].bottom + slack
        };
        if !line.rotated && ancestors.iter().any(outside) {
            self.faults.push(format!("“{}”超出了它的框", line.text.trim()));
        } else if self.edges == Edges::Hard && !line.rotated && ancestors.windows(2).any(sticks_out)
        {
            self.faults.push(format!("“{}”的底框超出了版面", line.text.trim()));
        }
        if f64::from(line.font_px) < self.floor_px - 0.5 {
            self.faults.push(format!(
                "“{}”只有 {:.0} 像素，这个距离至少要 {:.0}",
                line.text.trim(),
                line.font_px,
                self.floor_px
            ));
        }
        self.lines.push(line.clone());
    }

    /// The first run of each further line of one paragraph must not be closing punctuation.
    fn line_starts(&mut self, lines: &[Line]) {
        for pair in lines.windows(2) {
            let [before, after] = pair else { continue };
            let new_line = after.rect.top > before.rect.top + before.font_px * 0.5
                && after.rect.left < before.rect.right;
            let first = after.text.chars().next();
            if new_line && first.is_some_and(|c| NOT_AT_LINE_START.contains(c)) {
                self.faults.push(format!("行首不能是标点：“{}”", after.text.trim()));
            }
        }
    }

    fn find_meetings(&mut self) {
        for (index, one) in self.lines.iter().enumerate() {
            for other in &self.lines[index + 1..] {
                if !one.rotated && !other.rotated && meet(ink(one), ink(other)) {
                    self.faults.push(format!(
                        "“{}”和“{}”叠在一起",
                        one.text.trim(),
                        other.text.trim()
                    ));
                }
            }
        }
    }
}

fn meet(one: Rect, other: Rect) -> bool {
    one.left < other.right - TOLERANCE
        && other.left < one.right - TOLERANCE
        && one.top < other.bottom - TOLERANCE
        && other.top < one.bottom - TOLERANCE
}

/// Where a line's characters are drawn. The engine gives ascent to descent (1.160 and 0.288 em);
/// Han characters stand between 0.86 em above and 0.08 em below the baseline.
#[must_use]
pub fn ink(line: &Line) -> Rect {
    let baseline = line.rect.top + 1.160 * line.font_px;
    Rect {
        left: line.rect.left,
        right: line.rect.right,
        top: baseline - 0.86 * line.font_px,
        bottom: baseline + 0.08 * line.font_px,
    }
}

fn placed(line: &Line) -> PlacedBox {
    let ink = ink(line);
    PlacedBox {
        text: line.text.clone(),
        x: ink.left,
        y: ink.top,
        width: ink.right - ink.left,
        height: ink.bottom - ink.top,
        font_px: line.font_px,
    }
}

/// The pairs of text and background that a family's posters use, strip included, for the check of
/// contrasts. `#RRGGBB` each.
#[must_use]
pub fn colour_pairs(audience: Audience, palette: &Palette) -> Vec<(String, String)> {
    const WHITE: &str = "#FFFFFF";
    let p = palette;
    let mut pairs: Vec<(&str, &str)> =
        vec![(&p.paper, &p.ground), (&p.strip_text, &p.strip), (&p.strip_mute, &p.strip)];
    match audience {
        Audience::General => {
            pairs.push((&p.lure, &p.ground));
            for tread in &p.treads {
                pairs.extend([(p.paper.as_str(), tread.as_str()), (&p.numeral, tread)]);
            }
        }
        Audience::Elder => pairs.extend([
            (p.alert.as_str(), p.ground.as_str()),
            (WHITE, &p.alert),
            (WHITE, &p.paper),
            (&p.ink, WHITE),
            (&p.ink, &p.ground),
        ]),
        Audience::Student => pairs.extend([
            (p.ink.as_str(), WHITE),
            (&p.ink, &p.lemon),
            (WHITE, &p.paper),
            (&p.ink, &p.panel),
        ]),
    }
    pairs.into_iter().map(|(text, ground)| (text.to_owned(), ground.to_owned())).collect()
}
