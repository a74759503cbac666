//! Numbered references: WeChat leaves no link to other sites clickable, and footnotes have no
//! place of their own, so both become `[n]` in the text and a list at the end.

use crate::model::{Audience, Block, BlockKind, Directive, Inline, OutputKind};

/// What a number stands for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reference<'a> {
    /// A link: its text and its address.
    Link(&'a [Inline], &'a str),
    /// A footnote.
    Note(&'a [Block]),
}

/// The references of one article in order of first use.
#[derive(Debug, Default)]
pub(super) struct References<'a> {
    used: Vec<Reference<'a>>,
    notes: Vec<(&'a str, &'a [Block])>,
}

impl<'a> References<'a> {
    /// Learns the footnotes that the article's blocks define.
    pub(super) fn new(blocks: &'a [Block], audience: Audience) -> Self {
        let mut references = Self::default();
        references.define(blocks, audience);
        references
    }

    fn define(&mut self, blocks: &'a [Block], audience: Audience) {
        for block in blocks {
            match &block.kind {
                BlockKind::Footnote { label, blocks } => {
                    self.notes.push((label, blocks));
                    self.define(blocks, audience);
                }
                BlockKind::List { items, .. } => {
                    items.iter().for_each(|item| self.define(&item.blocks, audience));
                }
                BlockKind::Quote(blocks) | BlockKind::Alert { blocks, .. } => {
                    self.define(blocks, audience);
                }
                BlockKind::Directive(directive) => {
                    if let Some(blocks) = content(directive, audience) {
                        self.define(blocks, audience);
                    }
                }
                _ => {}
            }
        }
    }

    /// The number of a link; the same address keeps its number.
    pub(super) fn link(&mut self, content: &'a [Inline], url: &'a str) -> usize {
        let known = self
            .used
            .iter()
            .position(|used| matches!(used, Reference::Link(_, known) if *known == url));
        known.unwrap_or_else(|| self.push(Reference::Link(content, url))) + 1
    }

    /// The number of a footnote; `None` where nothing defines it.
    pub(super) fn note(&mut self, label: &str) -> Option<usize> {
        let (_, blocks) = self.notes.iter().find(|(known, _)| *known == label)?;
        let blocks: &'a [Block] = blocks;
        Some(self.note_number(blocks) + 1)
    }

    /// Gives the footnotes that nothing refers to the next numbers: what an author wrote is never
    /// lost without a word.
    pub(super) fn use_remaining_notes(&mut self) {
        for index in 0..self.notes.len() {
            let blocks = self.notes[index].1;
            self.note_number(blocks);
        }
    }

    fn note_number(&mut self, blocks: &'a [Block]) -> usize {
        let known = self.used.iter().position(
            |used| matches!(used, Reference::Note(known) if std::ptr::eq(*known, blocks)),
        );
        known.unwrap_or_else(|| self.push(Reference::Note(blocks)))
    }

    fn push(&mut self, reference: Reference<'a>) -> usize {
        self.used.push(reference);
        self.used.len() - 1
    }

    /// The reference with that index, counted from zero. Writing one may add more.
    pub(super) fn get(&self, index: usize) -> Option<Reference<'a>> {
        self.used.get(index).copied()
    }
}

/// The blocks within a directive that an article for this audience shows.
pub(super) fn content(directive: &Directive, audience: Audience) -> Option<&[Block]> {
    match directive {
        Directive::Callout { blocks, .. }
        | Directive::Scam(blocks)
        | Directive::Quotation { blocks, .. }
        | Directive::Emergency(blocks)
        | Directive::Case { blocks, .. }
        | Directive::Law { blocks, .. } => Some(blocks),
        Directive::Conditional { condition, blocks } => {
            condition.admits(OutputKind::Article, audience).then_some(blocks)
        }
        _ => None,
    }
}
