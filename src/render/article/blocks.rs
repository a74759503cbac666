//! Ordinary Markdown blocks: paragraphs, headings, lists, tables, code, quotations.

use super::{
    inlines::clean,
    references::References,
    style::Property,
    theme::{Sheet, Theme},
    tree::{Element, Node},
};
use crate::{
    model::{AlertKind, Block, BlockKind, Digest, Directive, Inline, ListItem, TableAlignment},
    render::{PictureSet, RenderError, Scene},
};
use std::{borrow::Cow, collections::BTreeMap};

/// Lists nested deeper than this are not moved further to the right: on a phone the text would
/// have no room left.
const MAX_LIST_DEPTH: usize = 4;

/// Turns blocks into nodes, and remembers what the end of the article has to say.
#[derive(Debug)]
pub(super) struct Writer<'a> {
    pub(super) scene: &'a Scene<'a>,
    pub(super) theme: &'a Theme,
    pub(super) sheet: &'a Sheet,
    pub(super) pictures: &'a PictureSet,
    pub(super) references: References<'a>,
    /// Slots that were used: the picture's digest and its asset file.
    pub(super) slots: BTreeMap<Digest, String>,
    /// A case was told whose people are invented.
    pub(super) fictional: bool,
    /// A table of numbers was shown.
    pub(super) has_hotlines: bool,
    /// The elder family shows the object once, before its first case.
    pub(super) object_pending: bool,
}

/// Where blocks stand: the last paragraph of a padded box has no margin below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In the column.
    Column,
    /// In a box with padding of its own.
    Box,
}

impl<'a> Writer<'a> {
    /// The nodes of blocks.
    pub(super) fn blocks(
        &mut self,
        blocks: &'a [Block],
        place: Place,
    ) -> Result<Vec<Node<'a>>, RenderError> {
        let mut nodes = Vec::with_capacity(blocks.len());
        for (index, block) in blocks.iter().enumerate() {
            let last = place == Place::Box && index + 1 == blocks.len();
            self.block(block, last, &mut nodes)?;
        }
        Ok(nodes)
    }

    fn block(
        &mut self,
        block: &'a Block,
        last: bool,
        nodes: &mut Vec<Node<'a>>,
    ) -> Result<(), RenderError> {
        let parts = &self.sheet.parts;
        match &block.kind {
            BlockKind::Paragraph(content) => {
                let style = if last { &parts.paragraph_last } else { &parts.paragraph };
                let paragraph = Element::new("p").style(style).children(self.inlines(content)?);
                nodes.push(paragraph.into());
            }
            BlockKind::Heading { level, content, .. } => nodes.push(self.heading(*level, content)?),
            BlockKind::List { start, items } => {
                self.list(*start, items, 0, nodes)?;
                self.close_group(last, nodes);
            }
            BlockKind::Quote(blocks) => {
                let content = self.blocks(blocks, Place::Box)?;
                nodes.push(Element::section(&parts.quote).children(content).into());
            }
            BlockKind::Alert { kind, blocks } => {
                let (word, strong) = match kind {
                    AlertKind::Note => ("说明", false),
                    AlertKind::Tip => ("提示", false),
                    AlertKind::Important => ("要点", false),
                    AlertKind::Warning => ("警示", true),
                    AlertKind::Caution => ("当心", true),
                };
                nodes.push(self.callout(word, strong, blocks)?);
            }
            BlockKind::Code { text, .. } => nodes.push(self.code(text)),
            BlockKind::Table { alignments, head, rows } => {
                nodes.push(self.table(alignments, head, rows)?);
            }
            BlockKind::Rule => nodes.push(Element::new("hr").style(&parts.rule).into()),
            // Footnotes stand at the end, with the references.
            BlockKind::Footnote { .. } => {}
            BlockKind::Directive(directive) => {
                self.directive(directive, nodes)?;
                if matches!(
                    directive,
                    Directive::RedFlags(_)
                        | Directive::Steps(_)
                        | Directive::Glossary(_)
                        | Directive::Quiz(_)
                ) {
                    self.close_group(last, nodes);
                }
            }
        }
        Ok(())
    }

    /// The last of several rows keeps a paragraph's distance from what follows, and none at the end
    /// of a box.
    fn close_group(&self, last: bool, nodes: &mut [Node<'a>]) {
        if let Some(Node::Element(row)) = nodes.last_mut() {
            let gap = if last { 0 } else { self.theme.block_gap_px };
            row.set(Property::MarginBottom, format!("{gap}px"));
        }
    }

    fn heading(&mut self, level: u8, content: &'a [Inline]) -> Result<Node<'a>, RenderError> {
        let parts = &self.sheet.parts;
        let text = self.inlines(content)?;
        // Level 1 is the article's title, which WeChat shows above the content.
        if level <= 2 {
            let heading = Element::new("h2").style(&parts.heading).child(stairs());
            let words = Element::span(&parts.heading_text).children(text);
            return Ok(heading.child(words).into());
        }
        let tag = ["h3", "h4", "h5", "h6"][usize::from(level.min(6) - 3)];
        Ok(Element::new(tag).style(&parts.subheading).children(text).into())
    }

    pub(super) fn callout(
        &mut self,
        word: &'static str,
        strong: bool,
        blocks: &'a [Block],
    ) -> Result<Node<'a>, RenderError> {
        let parts = &self.sheet.parts;
        let (style, label) = if strong {
            (&parts.warning, &parts.warning_label)
        } else {
            (&parts.callout, &parts.callout_label)
        };
        let content = self.blocks(blocks, Place::Box)?;
        let label = Element::section(label).text(word);
        Ok(Element::section(style).child(label).children(content).into())
    }

    /// Rows with a marker of their own: WeChat adds bullets and empty items to nested lists.
    fn list(
        &mut self,
        start: Option<u64>,
        items: &'a [ListItem],
        depth: usize,
        nodes: &mut Vec<Node<'a>>,
    ) -> Result<(), RenderError> {
        for (index, item) in items.iter().enumerate() {
            let marker = match (item.task, start) {
                (Some(true), _) => Cow::Borrowed("√"),
                (Some(false), _) => Cow::Borrowed("□"),
                (None, Some(start)) => {
                    Cow::Owned(format!("{}.", start.saturating_add(index as u64)))
                }
                (None, None) => Cow::Borrowed("•"),
            };
            self.list_item(marker, &item.blocks, depth, nodes)?;
        }
        Ok(())
    }

    fn list_item(
        &mut self,
        marker: Cow<'a, str>,
        blocks: &'a [Block],
        depth: usize,
        nodes: &mut Vec<Node<'a>>,
    ) -> Result<(), RenderError> {
        let parts = &self.sheet.parts;
        let (first, rest) = match blocks.split_first() {
            Some((Block { kind: BlockKind::Paragraph(content), .. }, rest)) => {
                (self.inlines(content)?, rest)
            }
            _ => (Vec::new(), blocks),
        };
        let mut row = Element::section(&parts.list_row)
            .child(Element::span(&parts.list_marker).text(marker))
            .child(Element::section(&parts.list_text).children(first));
        if depth > 0 {
            row = row.with(Property::MarginLeft, self.list_indent(depth));
        }
        nodes.push(row.into());
        for block in rest {
            if let BlockKind::List { start, items } = &block.kind {
                self.list(*start, items, depth + 1, nodes)?;
                continue;
            }
            let mut inner = Vec::new();
            self.block(block, true, &mut inner)?;
            let more = Element::section(&parts.list_more)
                .with(Property::MarginLeft, self.list_indent(depth + 1));
            if !inner.is_empty() {
                nodes.push(more.children(inner).into());
            }
        }
        Ok(())
    }

    fn list_indent(&self, depth: usize) -> String {
        format!("{}px", depth.min(MAX_LIST_DEPTH) * self.theme.list_indent_px)
    }

    /// Line ends become `<br>` and spaces no-break spaces: WeChat does not keep `white-space`.
    fn code(&self, text: &'a str) -> Node<'a> {
        let mut code = Element::section(&self.sheet.parts.code);
        for (index, line) in text.trim_end_matches('\n').split('\n').enumerate() {
            if index > 0 {
                code = code.child(Element::new("br"));
            }
            let line = line.trim_end_matches('\r').replace('\t', "    ").replace(' ', "\u{A0}");
            code = code.text(clean(&line).into_owned());
        }
        code.into()
    }

    fn table(
        &mut self,
        alignments: &[TableAlignment],
        head: &'a [Vec<Inline>],
        rows: &'a [Vec<Vec<Inline>>],
    ) -> Result<Node<'a>, RenderError> {
        let parts = &self.sheet.parts;
        let mut table = Element::new("tbody");
        if !head.is_empty() {
            table = table.child(self.table_row("th", alignments, head)?);
        }
        for row in rows {
            table = table.child(self.table_row("td", alignments, row)?);
        }
        let table = Element::new("table").style(&parts.table).child(table);
        Ok(Element::section(&parts.table_scroll).child(table).into())
    }

    fn table_row(
        &mut self,
        tag: &'static str,
        alignments: &[TableAlignment],
        cells: &'a [Vec<Inline>],
    ) -> Result<Element<'a>, RenderError> {
        let parts = &self.sheet.parts;
        let style = if tag == "th" { &parts.table_head } else { &parts.table_cell };
        let mut row = Element::new("tr");
        for (column, content) in cells.iter().enumerate() {
            let cell = Element::new(tag).style(style).children(self.inlines(content)?);
            row = row.child(match alignments.get(column) {
                Some(TableAlignment::Center) => cell.with(Property::TextAlign, "center".into()),
                Some(TableAlignment::Right) => cell.with(Property::TextAlign, "right".into()),
                _ => cell,
            });
        }
        Ok(row)
    }

    /// A picture slot, which delivery fills with the platform's address.
    pub(super) fn slot(&mut self, file: &str, alt: &'a str) -> Result<Element<'a>, RenderError> {
        let picture = self.pictures.get(file).ok_or_else(|| RenderError::Picture {
            file: file.to_owned(),
            reason: "这张图没有准备好".into(),
        })?;
        self.slots.insert(picture.digest, file.to_owned());
        Ok(Element::new("img")
            .attribute("src", format!("caishi-slot:{}", picture.digest))
            .attribute("alt", clean(alt)))
    }
}

/// The house mark before a heading. One drawing in the text's own colour: three empty spans would
/// be longer, the WeChat editor drops empty elements, and dark mode recolours `currentColor`.
fn stairs<'a>() -> Element<'a> {
    let path = |shape: &'static str| {
        Element::new("path").attribute("d", shape).attribute("fill", "currentColor")
    };
    drawing("27", "21", "0 0 27 21")
        .child(path("M0 14h9V7h9v14H0z").attribute("fill-opacity", ".45"))
        .child(path("M18 0h9v21h-9z"))
}

/// An inline drawing without ids.
pub(super) fn drawing<'a>(
    width: &'static str,
    height: &'static str,
    view_box: &'static str,
) -> Element<'a> {
    Element::new("svg")
        .attribute("width", width)
        .attribute("height", height)
        .attribute("viewBox", view_box)
}
