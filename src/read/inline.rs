//! Small operations on running text that the directives share.

use crate::model::{Block, BlockKind, Inline, InlineKind, ListItem, Span, plain_text};

/// The text of blocks that are exactly one paragraph.
pub(super) fn only_paragraph(mut blocks: Vec<Block>) -> Option<Vec<Inline>> {
    match (blocks.len(), blocks.pop()) {
        (1, Some(Block { kind: BlockKind::Paragraph(content), .. })) => Some(content),
        _ => None,
    }
}

/// The items of blocks that are exactly one list of that sort.
pub(super) fn only_list(mut blocks: Vec<Block>, ordered: bool) -> Option<Vec<ListItem>> {
    match (blocks.len(), blocks.pop()) {
        (1, Some(Block { kind: BlockKind::List { start, items }, .. }))
            if start.is_some() == ordered =>
        {
            Some(items)
        }
        _ => None,
    }
}

/// What a list item covers.
pub(super) fn item_span(item: &ListItem) -> Span {
    item.blocks.iter().map(|block| block.span).reduce(Span::join).unwrap_or_default()
}

/// The characters, references left out.
pub(super) fn plain(content: &[Inline]) -> String {
    plain_text(content, &|_| String::new())
}

/// Drops white space and line ends at both ends.
pub(super) fn trim(mut content: Vec<Inline>) -> Vec<Inline> {
    while let Some(last) = content.last_mut() {
        match &mut last.kind {
            InlineKind::SoftBreak | InlineKind::HardBreak => {}
            InlineKind::Text(text) => {
                text.truncate(text.trim_end().len());
                if !text.is_empty() {
                    break;
                }
            }
            _ => break,
        }
        content.pop();
    }
    let mut empty = 0;
    for inline in &mut content {
        match &mut inline.kind {
            InlineKind::SoftBreak | InlineKind::HardBreak => {}
            InlineKind::Text(text) => {
                let start = text.len() - text.trim_start().len();
                text.drain(..start);
                inline.span.start = (inline.span.start + start).min(inline.span.end);
                if !text.is_empty() {
                    break;
                }
            }
            _ => break,
        }
        empty += 1;
    }
    content.drain(..empty);
    content
}

/// Cuts `角色：话` at the first colon. `None` where there is no colon outside emphasis, or nothing
/// before it.
pub(super) fn split_colon(content: Vec<Inline>) -> Option<(String, Vec<Inline>)> {
    let mut name = String::new();
    let mut rest = content.into_iter();
    while let Some(inline) = rest.next() {
        if let InlineKind::Text(text) = &inline.kind
            && let Some((before, after)) = text.split_once(['：', ':'])
        {
            name.push_str(before);
            let name = name.trim().to_owned();
            if name.is_empty() {
                return None;
            }
            let span = Span::new(inline.span.end.saturating_sub(after.len()), inline.span.end);
            let kind = InlineKind::Text(after.to_owned());
            let mut content = vec![Inline { span, kind }];
            content.extend(rest);
            return Some((name, trim(content)));
        }
        name.push_str(&plain(std::slice::from_ref(&inline)));
    }
    None
}

/// Drops a colon with which a sentence begins.
pub(super) fn without_leading_colon(content: Vec<Inline>) -> Vec<Inline> {
    let mut content = trim(content);
    if let Some(Inline { kind: InlineKind::Text(text), span }) = content.first_mut()
        && let Some(colon) = text.chars().next().filter(|c| matches!(c, '：' | ':'))
    {
        text.drain(..colon.len_utf8());
        span.start += colon.len_utf8().min(span.end - span.start);
    }
    trim(content)
}
