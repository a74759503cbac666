//! The inside of the leaflet: three panels of text, as large as they can be.

use super::{
    columns::{self, Piece, Share, Unit, drop_one, share_out, words},
    leaflet::{COLUMN_MM, Colours, Maker, PANEL_MM, Sizes, scales},
    prose::{BlockView, RunView},
    sheet::{Format, MEASURED_PX, orphans, refuse_missing, report},
};
use crate::{
    model::LayoutReport,
    render::{Palette, RenderError, fonts::Weight, poster::engine::LaidOut},
};
use serde::Serialize;

/// What a panel of the inside holds from top to bottom.
const COLUMN_HEIGHT_MM: f64 = 184.0;
/// Least distance between two groups.
const GROUP_GAP_MM: f64 = 5.0;
#[derive(Debug, Clone, Serialize)]
pub(super) struct Inside<'a> {
    palette: &'a Palette,
    #[serde(rename = "type")]
    sizes: Sizes,
    colours: Colours,
    column: f64,
    column_height: f64,
    panels: Vec<PanelView>,
}

#[derive(Debug, Clone, Serialize)]
struct PanelView {
    left: f64,
    groups: Vec<GroupView>,
}

#[derive(Debug, Clone, Serialize)]
struct GroupView {
    blocks: Vec<BlockView>,
    gap: f64,
}

impl<'a> Maker<'a> {
    /// The largest size at which all pieces fit. What is not needed goes before the type becomes
    /// smaller than designed; what is needed may be smaller.
    pub fn inside(&self) -> Result<(Inside<'a>, LayoutReport), RenderError> {
        let mut pieces = columns::pieces(self.scene);
        if pieces.is_empty() {
            return Err(RenderError::MissingText {
                block: ":::leaflet",
                help: "正文里没有案例、危险信号、步骤可用，请写 :::leaflet（350–500 字）".into(),
            });
        }
        loop {
            let needed = pieces.iter().all(|piece| piece.rank == 0);
            for strict in [true, false] {
                let scales = scales().filter(|scale| needed || *scale >= 1.0);
                for scale in scales {
                    if let Some(found) = self.try_inside(&pieces, scale, strict)? {
                        return Ok(found);
                    }
                }
            }
            if !drop_one(&mut pieces) {
                return Err(RenderError::DoesNotFit {
                    what: "三折页内页".into(),
                    detail: format!("有 {} 字。请把 :::leaflet 写到 500 字以内", words(&pieces)),
                });
            }
        }
    }

    fn try_inside(
        &self,
        pieces: &[Piece],
        scale: f64,
        strict: bool,
    ) -> Result<Option<(Inside<'a>, LayoutReport)>, RenderError> {
        let units = columns::units(pieces);
        let px = MEASURED_PX as f32;
        // All units one below another in the first panel tell their heights.
        let all = Share { starts: [units.len(); 2], heights: [0.0; 3] };
        let stacked = self.inside_view(&units, &all, 0.0, scale);
        let measured = self.measure("print/leaflet-inside.hbs", &stacked)?;
        let heights = unit_heights(&measured, units.len()).ok_or_else(|| {
            RenderError::Engine("模板 print/leaflet-inside 里每段文字要有一个框".into())
        })?;
        let gap = GROUP_GAP_MM as f32 * px;
        let share = share_out(&units, &heights, gap);
        if share.highest() > COLUMN_HEIGHT_MM as f32 * px {
            return Ok(None);
        }
        let view = self.inside_view(&units, &share, GROUP_GAP_MM, scale);
        let measured = self.measure("print/leaflet-inside.hbs", &view)?;
        let mut report = report(&measured, Format::A4Landscape, self.sizes(scale).floor);
        refuse_missing(&report, self.scene, self.stage)?;
        report.word_count = words(pieces);
        let sound = report.overflow.is_empty() && (!strict || orphans(&measured).is_empty());
        Ok(sound.then_some((view, report)))
    }

    fn inside_view(&self, units: &[Unit], share: &Share, gap: f64, scale: f64) -> Inside<'a> {
        let [second, third] = share.starts;
        let parts = [&units[..second], &units[second..third], &units[third..]];
        let panel = |(index, part): (usize, &&[Unit])| {
            // What is left at the foot goes between the groups, within reason.
            let gaps = part.iter().skip(1).filter(|unit| unit.starts).count();
            let spare = COLUMN_HEIGHT_MM - f64::from(share.heights[index]) / MEASURED_PX;
            let wide = (gap + spare / gaps.max(1) as f64).min(gap * 2.4);
            let group = |(at, unit): (usize, &Unit)| GroupView {
                blocks: unit.blocks.clone(),
                gap: if at > 0 && unit.starts { wide } else { 0.0 },
            };
            PanelView {
                left: PANEL_MM * index as f64 + (PANEL_MM - COLUMN_MM) / 2.0,
                groups: part.iter().enumerate().map(group).collect(),
            }
        };
        let sizes = self.sizes(scale);
        Inside {
            palette: self.palette,
            sizes: Sizes { heading: self.heading(units, sizes.heading), ..sizes },
            colours: Colours::of(self.scene.variant.audience, self.palette),
            column: COLUMN_MM,
            column_height: COLUMN_HEIGHT_MM,
            panels: parts.iter().enumerate().map(panel).collect(),
        }
    }

    /// A size at which every heading stands on one line beside its stairs.
    fn heading(&self, units: &[Unit], most: f64) -> f64 {
        let em = |runs: &Vec<RunView>| -> f64 {
            runs.iter().map(|run| self.stage.fonts.advance_em(&run.text, Weight::Bold)).sum()
        };
        let blocks = units.iter().flat_map(|unit| &unit.blocks);
        let longest = blocks.filter_map(|block| block.heading.as_ref()).map(em).fold(1.0, f64::max);
        most.min(COLUMN_MM / (longest + 1.4)).max(self.sizes(1.0).body)
    }
}

/// The heights of the boxes that hold one unit each: the children of the first box that is as wide
/// as a column and has so many.
fn unit_heights(node: &LaidOut, count: usize) -> Option<Vec<f32>> {
    let width = f64::from(node.rect.right - node.rect.left);
    let column = (width - COLUMN_MM * MEASURED_PX).abs() < 1.0;
    if column && node.children.len() == count {
        let height = |child: &LaidOut| child.rect.bottom - child.rect.top;
        return Some(node.children.iter().map(height).collect());
    }
    node.children.iter().find_map(|child| unit_heights(child, count))
}
