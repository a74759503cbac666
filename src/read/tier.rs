//! The texts for one output each: posters, portal page, ticker and the rest.

use super::{convert::Content, directive::Name, faults::Faults, inline, listing};
use crate::model::{
    Block, BlockKind, Directive, Inline, InlineKind, Lead, Located, PosterText, Span, Tiers,
};

const POSTER_FORM: &str = "次序固定，都可以不写：导语、无序列表（不能碰的线）、步骤前的一句话、有序列表（步骤）；或一个 :::dialogue。";

/// Puts a finished block into its tier.
pub(super) fn take(content: Content, tiers: &mut Tiers, faults: &mut Faults) {
    match content.opening.name {
        Name::Screen => poster(content, &mut tiers.screen, faults),
        Name::Poster => poster(content, &mut tiers.poster, faults),
        Name::Portal => poster(content, &mut tiers.portal, faults),
        Name::Leaflet => blocks(content, &mut tiers.leaflet, faults),
        Name::Staff => blocks(content, &mut tiers.staff, faults),
        Name::Ticker => sentence(content, &mut tiers.ticker, false, faults),
        Name::Sms => sentence(content, &mut tiers.sms, false, faults),
        Name::Banner => sentence(content, &mut tiers.banner, false, faults),
        Name::Post => sentence(content, &mut tiers.post, true, faults),
        // Only tiers come here.
        _ => {}
    }
}

/// Fills a tier, unless it is there already.
fn fill<T>(content: &Opened, tier: &mut Option<T>, value: T, faults: &mut Faults) {
    if tier.is_some() {
        faults.error(
            "read/duplicate-tier",
            content.span,
            format!(":::{} 写了两次", content.name.as_str()),
            "同一个版本里每种文案只写一块，把两块并成一块。".into(),
        );
        return;
    }
    *tier = Some(value);
}

/// The opening line of a tier whose content has been taken out.
struct Opened {
    name: Name,
    span: Span,
}

fn opened(content: &Content) -> Opened {
    Opened { name: content.opening.name, span: content.opening.span }
}

fn blocks(content: Content, tier: &mut Option<Vec<Block>>, faults: &mut Faults) {
    if content.blocks.is_empty() {
        content.refuse(faults, "有内容", "写上文案，或者删掉这个块。");
        return;
    }
    fill(&opened(&content), tier, content.blocks, faults);
}

fn sentence(
    mut content: Content,
    tier: &mut Option<Located<Vec<Inline>>>,
    several: bool,
    faults: &mut Faults,
) {
    let mut text: Vec<Inline> = Vec::new();
    let blocks = std::mem::take(&mut content.blocks);
    let count = blocks.len();
    for block in blocks {
        let BlockKind::Paragraph(paragraph) = block.kind else {
            content.refuse(faults, "只有文字", "不要写列表、标题或别的块。");
            return;
        };
        if let Some(last) = text.last() {
            let span = Span::new(last.span.end, block.span.start);
            text.push(Inline { span, kind: InlineKind::HardBreak });
        }
        text.extend(inline::trim(paragraph));
    }
    if text.is_empty() || (count > 1 && !several) {
        content.refuse(faults, "正好有一段文字", "写成一段，中间不空行。");
        return;
    }
    let opened = opened(&content);
    fill(&opened, tier, Located { value: text, span: content.span }, faults);
}

/// How far a poster's text has got; its parts stand in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Start,
    Lead,
    Lines,
    Cue,
    Steps,
}

fn poster(mut content: Content, tier: &mut Option<PosterText>, faults: &mut Faults) {
    let mut poster = PosterText { span: content.span, ..PosterText::default() };
    let blocks = std::mem::take(&mut content.blocks);
    if blocks.is_empty() {
        content.refuse(faults, "有内容", POSTER_FORM);
        return;
    }
    let mut reached = Part::Start;
    let mut blocks = blocks.into_iter().peekable();
    while let Some(block) = blocks.next() {
        let before_steps = matches!(
            blocks.peek().map(|next| &next.kind),
            Some(BlockKind::List { start: Some(_), .. })
        );
        let span = block.span;
        let part = part_of(&block, reached, before_steps);
        let Some(part) = part.filter(|part| *part > reached || is_dialogue(&block, &poster)) else {
            refuse_part(&content, span, faults);
            return;
        };
        reached = part.max(reached);
        put(block, part, &mut poster, faults);
    }
    fill(&opened(&content), tier, poster, faults);
}

fn is_dialogue(block: &Block, poster: &PosterText) -> bool {
    matches!(block.kind, BlockKind::Directive(Directive::Dialogue(_))) && poster.dialogue.is_empty()
}

/// Which part a block is. The paragraph directly before the steps is the cue where it can't be the
/// lead: after the lines, after a lead, or when nothing in it is bold.
fn part_of(block: &Block, reached: Part, before_steps: bool) -> Option<Part> {
    match &block.kind {
        BlockKind::Paragraph(content) => {
            let bold = content.iter().any(|inline| matches!(inline.kind, InlineKind::Strong(_)));
            if reached >= Part::Lead || (before_steps && !bold) {
                Some(Part::Cue)
            } else {
                Some(Part::Lead)
            }
        }
        BlockKind::List { start: None, .. } => Some(Part::Lines),
        BlockKind::List { start: Some(_), .. } => Some(Part::Steps),
        BlockKind::Directive(Directive::Dialogue(_)) => Some(reached),
        _ => None,
    }
}

fn put(block: Block, part: Part, poster: &mut PosterText, faults: &mut Faults) {
    match block.kind {
        BlockKind::Paragraph(content) if part == Part::Lead => {
            poster.lead = lead(inline::trim(content), block.span, faults);
        }
        BlockKind::Paragraph(content) => poster.cue = Some(inline::trim(content)),
        BlockKind::List { start: None, items } => {
            for item in items {
                poster.lines.extend(listing::item_text(item, faults));
            }
        }
        BlockKind::List { items, .. } => {
            for item in items {
                poster.steps.extend(listing::step(item, faults));
            }
        }
        BlockKind::Directive(Directive::Dialogue(turns)) => poster.dialogue = turns,
        _ => {}
    }
}

/// Splits `一句提醒，**一句行动。**`.
fn lead(mut content: Vec<Inline>, span: Span, faults: &mut Faults) -> Option<Lead> {
    let is_strong = |inline: &Inline| matches!(inline.kind, InlineKind::Strong(_));
    let strong = content.iter().position(is_strong);
    match (strong, content.pop()) {
        (None, Some(last)) => {
            content.push(last);
            Some(Lead { plain: content, imperative: Vec::new() })
        }
        (Some(at), Some(Inline { kind: InlineKind::Strong(imperative), .. }))
            if at == content.len() =>
        {
            Some(Lead { plain: inline::trim(content), imperative })
        }
        _ => {
            faults.error(
                "read/lead-form",
                span,
                "导语里加粗的行动不在最后，或者不止一处".into(),
                "先写一句提醒，最后写一句加粗的行动：谁让你开共享，**先挂断。**".into(),
            );
            None
        }
    }
}

fn refuse_part(content: &Content, span: Span, faults: &mut Faults) {
    let line = faults.text().get(span.start..span.end).and_then(|text| text.lines().next());
    let end = span.start + line.map_or(0, str::len);
    faults.error(
        "read/poster-form",
        Span::new(span.start, end),
        format!(":::{} 里这一块放错了位置，或者不该出现", content.opening.name.as_str()),
        POSTER_FORM.to_owned(),
    );
}
