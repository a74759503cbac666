//! Directives that are one list: signs, steps, turns of a conversation, words explained.

use super::{convert::Content, faults::Faults, inline};
use crate::model::{Directive, GlossaryEntry, Inline, InlineKind, ListItem, Step, Turn};

/// The items of the list that the block must consist of.
fn list(
    mut content: Content,
    ordered: bool,
    help: &str,
    faults: &mut Faults,
) -> Option<Vec<ListItem>> {
    let blocks = std::mem::take(&mut content.blocks);
    let items = inline::only_list(blocks, ordered);
    if items.is_none() {
        let expected = if ordered { "是一个有序列表" } else { "是一个无序列表" };
        content.refuse(faults, expected, help);
    }
    items
}

/// The one paragraph of a list item.
pub(super) fn item_text(item: ListItem, faults: &mut Faults) -> Option<Vec<Inline>> {
    let span = inline::item_span(&item);
    let text = inline::only_paragraph(item.blocks).filter(|_| item.task.is_none());
    if text.is_none() {
        faults.error(
            "read/item-content",
            span,
            "列表的这一项应当只有一段文字".into(),
            "不要在项里再写列表、引用或第二段。".into(),
        );
    }
    text.map(inline::trim)
}

/// Reads `:::redflag`.
pub(super) fn red_flags(content: Content, faults: &mut Faults) -> Option<Directive> {
    let items = list(content, false, "一条一行，以“- ”开头：- 要求共享屏幕", faults)?;
    let flags = items.into_iter().filter_map(|item| item_text(item, faults));
    Some(Directive::RedFlags(flags.collect()))
}

/// Reads `:::steps`.
pub(super) fn steps(content: Content, faults: &mut Faults) -> Option<Directive> {
    let items = list(content, true, "一步一行：1. **关** 强制关机，停止共享。", faults)?;
    let steps = items.into_iter().filter_map(|item| step(item, faults));
    Some(Directive::Steps(steps.collect()))
}

/// Reads `**关** 强制关机，停止共享。{{hotline:police}}`.
pub(super) fn step(item: ListItem, faults: &mut Faults) -> Option<Step> {
    let span = inline::item_span(&item);
    let mut content = item_text(item, faults)?;
    let word = match content.first().map(|first| &first.kind) {
        Some(InlineKind::Strong(word)) => inline::plain(word).trim().to_owned(),
        _ => String::new(),
    };
    if word.is_empty() {
        faults.error(
            "read/step-word",
            span,
            "步骤开头没有加粗的词".into(),
            "先写加粗的一两个字，再写一句话：1. **关** 强制关机，停止共享。".into(),
        );
        return None;
    }
    content.remove(0);
    let mut sentence = inline::without_leading_colon(content);
    let mut hotline = None;
    if let Some(InlineKind::Hotline(id)) = sentence.last().map(|last| &last.kind) {
        hotline = Some(id.clone());
        sentence.pop();
        sentence = inline::trim(sentence);
    }
    Some(Step { span, word, sentence, hotline })
}

/// Reads the list of a conversation.
pub(super) fn dialogue(content: Content, faults: &mut Faults) -> Option<Vec<Turn>> {
    let items = list(content, false, "一句一行：- 我：不用了，我自己打官方电话。", faults)?;
    let mut turns = Vec::with_capacity(items.len());
    for item in items {
        let span = inline::item_span(&item);
        let Some(text) = item_text(item, faults) else {
            continue;
        };
        match inline::split_colon(text) {
            Some((speaker, content)) => turns.push(Turn { span, speaker, content }),
            None => faults.error(
                "read/turn-speaker",
                span,
                "对话的这一句没有写是谁说的".into(),
                "写成“角色：话”，例如 - 假客服：请打开共享屏幕。".into(),
            ),
        }
    }
    Some(turns)
}

/// Reads `:::glossary`.
pub(super) fn glossary(content: Content, faults: &mut Faults) -> Option<Directive> {
    let items = list(content, false, "一词一行：- 征信：银行记录的借钱还钱情况。", faults)?;
    let mut entries = Vec::with_capacity(items.len());
    for item in items {
        let span = inline::item_span(&item);
        let Some(text) = item_text(item, faults) else {
            continue;
        };
        match inline::split_colon(text) {
            Some((term, explanation)) => entries.push(GlossaryEntry { term, explanation }),
            None => faults.error(
                "read/glossary-term",
                span,
                "词语解释的这一条没有冒号".into(),
                "写成“词：解释”。".into(),
            ),
        }
    }
    Some(Directive::Glossary(entries))
}
