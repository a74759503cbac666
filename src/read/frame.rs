//! Containers that are open while a text is read.

use super::directive::Opening;
use crate::model::{AlertKind, Block, BlockKind, Inline, ListItem, Span, TableAlignment};

/// An open container.
pub(super) struct Frame {
    /// What sort.
    pub(super) kind: FrameKind,
    /// What the parser says it covers.
    pub(super) span: Span,
    /// What has been read of it.
    pub(super) blocks: Vec<Block>,
    /// The items of a list.
    pub(super) items: Vec<ListItem>,
    /// The box of a task list item.
    pub(super) task: Option<bool>,
}

/// What sort of container it is.
pub(super) enum FrameKind {
    /// The whole text.
    Root,
    /// A quotation or alert.
    Quote(Option<AlertKind>),
    /// A list and its first number.
    List(Option<u64>),
    /// An item of a list.
    Item,
    /// A footnote's label.
    Footnote(String),
    /// A table.
    Table(Table),
    /// A directive and its opening line.
    Directive(Opening),
    /// A directive whose opening line is wrong; its colons count, its content is dropped.
    Broken(usize, Span),
}

/// A table while its cells come in.
#[derive(Default)]
pub(super) struct Table {
    /// One per column.
    pub(super) alignments: Vec<TableAlignment>,
    /// The header.
    pub(super) head: Vec<Vec<Inline>>,
    /// The rows that are complete.
    pub(super) rows: Vec<Vec<Vec<Inline>>>,
    /// The cells of the row that is being read.
    pub(super) row: Vec<Vec<Inline>>,
}

impl Frame {
    pub(super) fn new(kind: FrameKind, span: Span) -> Self {
        Self { kind, span, blocks: Vec::new(), items: Vec::new(), task: None }
    }

    /// The colons and the opening line of a directive.
    pub(super) fn directive(&self) -> Option<(usize, Span)> {
        match &self.kind {
            FrameKind::Directive(opening) => Some((opening.colons, opening.span)),
            FrameKind::Broken(colons, span) => Some((*colons, *span)),
            _ => None,
        }
    }

    /// The block that a finished container is. An item is none, and goes to its list; directives
    /// are finished elsewhere.
    pub(super) fn into_block(self) -> Result<Block, Option<ListItem>> {
        let kind = match self.kind {
            FrameKind::Quote(None) => BlockKind::Quote(self.blocks),
            FrameKind::Quote(Some(kind)) => BlockKind::Alert { kind, blocks: self.blocks },
            FrameKind::List(start) => BlockKind::List { start, items: self.items },
            FrameKind::Footnote(label) => BlockKind::Footnote { label, blocks: self.blocks },
            FrameKind::Table(table) => BlockKind::Table {
                alignments: table.alignments,
                head: table.head,
                rows: table.rows,
            },
            FrameKind::Item => {
                return Err(Some(ListItem { task: self.task, blocks: self.blocks }));
            }
            FrameKind::Root | FrameKind::Directive(_) | FrameKind::Broken(..) => return Err(None),
        };
        Ok(Block { span: self.span, kind })
    }
}
