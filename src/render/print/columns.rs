//! The inside of the leaflet: what it says, in pieces that stay whole, shared out over three
//! panels.

use super::prose::{self, BlockView};
use crate::{
    model::{Block, BlockKind, Directive, Inline, InlineKind, OutputKind, count_words},
    render::Scene,
};

/// A part of the text that stays or goes as a whole: blocks of one section.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    /// The section's heading, which stands before its first piece.
    pub heading: Option<BlockView>,
    pub section: usize,
    pub blocks: Vec<BlockView>,
    /// Pieces of higher rank are left out first; zero never is.
    pub rank: u8,
    pub words: usize,
}

/// What the inside should hold at least and at most (`domain`: 350–500 字).
const WORDS: std::ops::RangeInclusive<usize> = 350..=500;
/// Where further pieces stop being added.
const ENOUGH_WORDS: usize = 430;

const OUTPUT: OutputKind = OutputKind::Leaflet;

/// The text of the inside, in the order in which it is read: `:::leaflet` where it was written,
/// else the article's story, explanation, red flags, steps and emergency, and further whole blocks
/// until there are enough.
pub(super) fn pieces(scene: &Scene<'_>) -> Vec<Piece> {
    let sections = match &scene.variant.tiers.leaflet {
        Some(blocks) => return written(prose::blocks(scene, blocks, OUTPUT)),
        None => sections(&scene.variant.body),
    };
    let mut all: Vec<Piece> = Vec::new();
    let mut explained = false;
    for (index, section) in sections.iter().enumerate() {
        let heading = section.heading.map(|heading| BlockView {
            heading: Some(prose::runs(scene, heading)),
            ..BlockView::default()
        });
        for (rank, blocks) in section.parts(&mut explained) {
            let views = prose::blocks(scene, &blocks, OUTPUT);
            if !views.is_empty() {
                all.push(piece(heading.clone(), index, views, rank));
            }
        }
    }
    let mut chosen: Vec<Piece> = all.iter().filter(|p| p.rank < FURTHER).cloned().collect();
    while words(&chosen) > *WORDS.end() && drop_one(&mut chosen) {}
    for further in all.iter().filter(|piece| piece.rank == FURTHER) {
        // A block of a section that says something already is no new subject.
        let known = chosen.iter().any(|piece| piece.section == further.section);
        let least = if known { ENOUGH_WORDS } else { *WORDS.start() };
        if words(&chosen) < least && words(&chosen) + further.words <= *WORDS.end() {
            let at = chosen.partition_point(|piece| piece.section <= further.section);
            chosen.insert(at, further.clone());
        }
    }
    chosen
}

/// 字 of all pieces.
pub(super) fn words(pieces: &[Piece]) -> usize {
    pieces.iter().map(|piece| piece.words).sum()
}

/// Leaves out the piece that is missed least; `false` where all are needed.
pub(super) fn drop_one(pieces: &mut Vec<Piece>) -> bool {
    let least = pieces.iter().enumerate().max_by_key(|(_, piece)| (piece.rank, piece.words));
    match least.map(|(index, piece)| (index, piece.rank)) {
        Some((index, rank)) if rank > 0 => {
            pieces.remove(index);
            true
        }
        _ => false,
    }
}

fn piece(heading: Option<BlockView>, section: usize, blocks: Vec<BlockView>, rank: u8) -> Piece {
    let words = count_words(&prose::text_of(&blocks));
    Piece { heading, section, blocks, rank, words }
}

/// An author's own text: everything is needed.
fn written(views: Vec<BlockView>) -> Vec<Piece> {
    let mut sections: Vec<(Option<BlockView>, Vec<BlockView>)> = Vec::new();
    for view in views {
        match sections.last_mut() {
            _ if view.heading.is_some() => sections.push((Some(view), Vec::new())),
            Some((_, blocks)) => blocks.push(view),
            None => sections.push((None, vec![view])),
        }
    }
    let sections = sections.into_iter().enumerate();
    sections.map(|(index, (heading, blocks))| piece(heading, index, blocks, 0)).collect()
}

const STORY: u8 = 1;
const EXPLANATION: u8 = 2;
const FURTHER: u8 = 3;

struct Section<'a> {
    heading: Option<&'a [Inline]>,
    blocks: &'a [Block],
}

/// The article by its headings; what stands before the first one is on the cover in other words.
fn sections(body: &[Block]) -> Vec<Section<'_>> {
    let starts: Vec<usize> = body
        .iter()
        .enumerate()
        .filter(|(_, block)| matches!(block.kind, BlockKind::Heading { level: ..=2, .. }))
        .map(|(index, _)| index)
        .collect();
    let ends = starts.iter().skip(1).copied().chain([body.len()]);
    starts
        .iter()
        .zip(ends)
        .map(|(start, end)| {
            let heading = match &body[*start].kind {
                BlockKind::Heading { content, .. } => Some(content.as_slice()),
                _ => None,
            };
            Section { heading, blocks: &body[start + 1..end] }
        })
        .collect()
}

impl Section<'_> {
    /// The section in parts that stay whole, and how badly each is needed.
    fn parts(&self, explained: &mut bool) -> Vec<(u8, Vec<Block>)> {
        let directives = || {
            self.blocks.iter().filter_map(|block| match &block.kind {
                BlockKind::Directive(directive) => Some(directive),
                _ => None,
            })
        };
        if directives().any(|d| matches!(d, Directive::Quiz(_) | Directive::HotlineTable(_))) {
            return Vec::new();
        }
        let essential = directives().any(|directive| rank(directive) < EXPLANATION);
        let mut explains = !essential && !*explained;
        let mut parts: Vec<(u8, Vec<Block>)> = Vec::new();
        let mut announced: Vec<Block> = Vec::new();
        for block in self.blocks {
            let part_rank = match &block.kind {
                BlockKind::Directive(directive) => rank(directive),
                BlockKind::Paragraph(content) if leads_on(content) => {
                    explains = false;
                    announced.push(block.clone());
                    continue;
                }
                BlockKind::Paragraph(_) if explains => EXPLANATION,
                _ => FURTHER,
            };
            explains &= part_rank == EXPLANATION;
            *explained |= part_rank == EXPLANATION;
            let mut blocks = std::mem::take(&mut announced);
            blocks.push(block.clone());
            match parts.last_mut() {
                Some((EXPLANATION, together)) if part_rank == EXPLANATION => {
                    together.extend(blocks);
                }
                _ => parts.push((part_rank, blocks)),
            }
        }
        parts
    }
}

fn rank(directive: &Directive) -> u8 {
    match directive {
        Directive::RedFlags(_) | Directive::Steps(_) | Directive::Emergency(_) => 0,
        Directive::Case { .. } => STORY,
        _ => FURTHER,
    }
}

/// Whether a paragraph announces the block behind it, so that it says nothing alone.
fn leads_on(content: &[Inline]) -> bool {
    let plain = crate::model::plain_text(content, &|_: &InlineKind| String::new());
    plain.trim_end().ends_with(['：', ':'])
}

/// What stays together on one panel: a heading with the block behind it, or one block.
#[derive(Debug, Clone)]
pub(super) struct Unit {
    pub blocks: Vec<BlockView>,
    /// Whether a section begins here.
    pub starts: bool,
}

/// The units of pieces.
pub(super) fn units(pieces: &[Piece]) -> Vec<Unit> {
    let mut units: Vec<Unit> = Vec::new();
    let mut section = None;
    for piece in pieces {
        let starts = section != Some(piece.section);
        section = Some(piece.section);
        let heading = piece.heading.iter().filter(|_| starts);
        for (index, block) in heading.chain(&piece.blocks).enumerate() {
            let follows = |unit: &Unit| unit.blocks.last().is_some_and(announces);
            match units.last_mut() {
                // A quiet line belongs to what it is about, a block to what announces it.
                Some(unit) if index > 0 && (follows(unit) || block.small.is_some()) => {
                    unit.blocks.push(block.clone());
                }
                _ => {
                    let starts = starts && index == 0;
                    units.push(Unit { blocks: vec![block.clone()], starts });
                }
            }
        }
    }
    units
}

/// Whether a block says nothing without the next one.
fn announces(block: &BlockView) -> bool {
    let last = block.paragraph.as_ref().and_then(|runs| runs.last());
    block.heading.is_some() || last.is_some_and(|run| run.text.trim_end().ends_with('：'))
}

/// How units are shared out over the three panels.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Share {
    /// The first unit of the second and of the third panel.
    pub starts: [usize; 2],
    /// The height of each panel's text, with the least gaps.
    pub heights: [f32; 3],
}

impl Share {
    /// The highest panel.
    pub fn highest(&self) -> f32 {
        self.heights.iter().copied().fold(0.0, f32::max)
    }
}

/// Shares units of these heights out in order, so that the highest panel is as low as possible. A
/// unit that starts a section stands `gap` below the one before it.
pub(super) fn share_out(units: &[Unit], heights: &[f32], gap: f32) -> Share {
    let panel = |from: usize, to: usize| {
        let gaps = units[from..to].iter().skip(1).filter(|unit| unit.starts).count();
        heights[from..to].iter().sum::<f32>() + gap * gaps as f32
    };
    let count = units.len();
    let share = |second: usize, third: usize| Share {
        starts: [second, third],
        heights: [panel(0, second), panel(second, third), panel(third, count)],
    };
    let mut best = share(count, count);
    for second in 0..=count {
        for third in second..=count {
            let other = share(second, third);
            // A panel that begins with a heading is worth a little height.
            let torn = |share: &Share| {
                let torn = share
                    .starts
                    .iter()
                    .filter(|start| units.get(**start).is_some_and(|unit| !unit.starts));
                share.highest() + gap * torn.count() as f32
            };
            if torn(&other) < torn(&best) {
                best = other;
            }
        }
    }
    best
}
