//! Markdown to block tree: pulldown-cmark's events become blocks, directives included.
//!
//! 1. [`super::shadow`] makes the text that the parser can read.
//! 2. [`Builder`] keeps a stack of open containers; a fence opens or closes one among them.
//! 3. What a finished directive means is decided by [`super::convert`].
//!
//! Depth is bounded by [`MAX_DEPTH`], so that neither walking nor dropping a tree can exhaust the
//! stack.

use super::{
    emphasis::MARK,
    faults::Faults,
    frame::{Frame, FrameKind, Table},
    leaf::{Leaf, LeafKind},
    scope::Scope,
    shadow::{FENCE, Shadow},
};
use crate::model::{AlertKind, Block, BlockKind, Span, TableAlignment, Tiers};
use pulldown_cmark::{
    Alignment, BlockQuoteKind, CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd,
};
use std::ops::Range;

/// Containers and emphases within one another.
pub(super) const MAX_DEPTH: usize = 32;

/// A lesson's text.
#[derive(Debug, Default)]
pub(super) struct Body {
    /// The article.
    pub(super) blocks: Vec<Block>,
    /// The texts for one output each.
    pub(super) tiers: Tiers,
}

/// Reads the text that begins at byte `base` of the file.
pub(super) fn read(base: usize, scope: &Scope<'_>, faults: &mut Faults) -> Body {
    let file = std::sync::Arc::clone(faults.file());
    let body = &file.text[base..];
    let shadow = match Shadow::new(body, base) {
        Ok(shadow) => shadow,
        Err(span) => {
            report_depth(span, faults);
            return Body::default();
        }
    };
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_HEADING_ATTRIBUTES
        | Options::ENABLE_GFM;
    let root = Frame::new(FrameKind::Root, Span::new(base, file.text.len()));
    let mut builder = Builder {
        source: &file.text,
        shadow: &shadow,
        scope,
        faults,
        frames: vec![root],
        leaf: None,
        code: None,
        html: None,
        tiers: Tiers::default(),
    };
    for (event, range) in Parser::new_ext(&shadow.text, options).into_offset_iter() {
        if builder.depth() > MAX_DEPTH {
            report_depth(shadow.span(range), builder.faults);
            return Body::default();
        }
        builder.take(event, range);
    }
    builder.finish()
}

fn report_depth(span: Span, faults: &mut Faults) {
    faults.error(
        "read/nesting",
        span,
        format!("嵌套超过 {MAX_DEPTH} 层"),
        "列表、引用、指令块和强调不要套这么深；检查是不是多打了符号。".into(),
    );
}

/// Builds blocks from events.
pub(super) struct Builder<'a, 'f> {
    pub(super) source: &'a str,
    pub(super) shadow: &'a Shadow,
    pub(super) scope: &'a Scope<'a>,
    pub(super) faults: &'f mut Faults,
    pub(super) frames: Vec<Frame>,
    /// The paragraph, heading or cell that is being read.
    leaf: Option<Leaf>,
    code: Option<(String, String)>,
    html: Option<Range<usize>>,
    pub(super) tiers: Tiers,
}

impl Builder<'_, '_> {
    fn depth(&self) -> usize {
        self.frames.len() + self.leaf.as_ref().map_or(0, Leaf::depth)
    }

    fn take(&mut self, event: Event<'_>, range: Range<usize>) {
        let span = self.shadow.span(range.clone());
        match event {
            Event::Start(tag) => self.start(tag, span, range),
            Event::End(tag) => self.end(tag, span),
            Event::Text(text) => self.text(&text, span),
            Event::Code(text) => {
                let text =
                    if text.contains(MARK) { text.replace(MARK, "") } else { text.into_string() };
                self.leaf(span).code(text, span);
            }
            Event::InlineHtml(html) => self.inline_html(&html, span, &range),
            Event::FootnoteReference(label) => self.leaf(span).footnote(&label, span),
            Event::SoftBreak => self.leaf(span).soft_break(span),
            Event::HardBreak => self.leaf(span).hard_break(span),
            Event::Rule => self.block(Block { span, kind: BlockKind::Rule }),
            Event::TaskListMarker(done) => {
                if let Some(frame) = self.frames.last_mut() {
                    frame.task = Some(done);
                }
            }
            // The options for these are off.
            Event::Html(_) | Event::InlineMath(_) | Event::DisplayMath(_) => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>, span: Span, range: Range<usize>) {
        match tag {
            Tag::Paragraph => self.leaf = Some(Leaf::new(LeafKind::Paragraph, span)),
            Tag::Heading { level, id, .. } => self.heading(level, id.as_deref(), span),
            Tag::BlockQuote(kind) => self.open(FrameKind::Quote(kind.map(alert)), span),
            Tag::List(start) => self.open(FrameKind::List(start), span),
            Tag::Item => self.open(FrameKind::Item, span),
            Tag::FootnoteDefinition(label) => {
                self.open(FrameKind::Footnote(label.replace(MARK, "")), span);
            }
            Tag::Table(alignments) => {
                let alignments = alignments.into_iter().map(alignment).collect();
                self.open(FrameKind::Table(Table { alignments, ..Table::default() }), span);
            }
            Tag::TableCell => self.leaf = Some(Leaf::new(LeafKind::Cell, span)),
            Tag::CodeBlock(kind) => {
                self.close_implicit();
                let info = match kind {
                    CodeBlockKind::Fenced(info) => info.replace(MARK, ""),
                    CodeBlockKind::Indented => String::new(),
                };
                let language = info.split_whitespace().next().unwrap_or_default().to_owned();
                self.code = Some((language, String::new()));
            }
            Tag::HtmlBlock => {
                self.close_implicit();
                self.html = Some(range);
            }
            Tag::Emphasis
            | Tag::Strong
            | Tag::Strikethrough
            | Tag::Link { .. }
            | Tag::Image { .. } => {
                self.leaf(span).open(&tag, span);
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd, span: Span) {
        match tag {
            TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::TableCell => self.close_leaf(),
            TagEnd::BlockQuote(_)
            | TagEnd::List(_)
            | TagEnd::Item
            | TagEnd::FootnoteDefinition
            | TagEnd::Table => self.close_container(),
            TagEnd::TableHead | TagEnd::TableRow => self.end_row(tag == TagEnd::TableHead),
            TagEnd::CodeBlock => {
                if let Some((language, text)) = self.code.take() {
                    self.block(Block { span, kind: BlockKind::Code { language, text } });
                }
            }
            TagEnd::HtmlBlock => {
                if let Some(range) = self.html.take() {
                    self.html_block(range, span);
                }
            }
            TagEnd::Emphasis
            | TagEnd::Strong
            | TagEnd::Strikethrough
            | TagEnd::Link
            | TagEnd::Image => {
                if let Some(leaf) = &mut self.leaf {
                    leaf.close(self.scope, self.faults);
                }
            }
            _ => {}
        }
    }

    fn text(&mut self, text: &str, span: Span) {
        if let Some((_, code)) = &mut self.code {
            // Inside code a fence is text again, and only the source still has it.
            if text.contains(MARK) || text.contains(FENCE) {
                code.push_str(&self.source[span.start..span.end]);
            } else {
                code.push_str(text);
            }
        } else if text.contains(MARK) {
            let text = text.replace(MARK, "");
            self.leaf(span).text(&text, span);
        } else {
            self.leaf(span).text(text, span);
        }
    }

    /// The open leaf. The text of a tight list item comes without a paragraph; it gets one here.
    fn leaf(&mut self, span: Span) -> &mut Leaf {
        self.leaf.get_or_insert_with(|| Leaf::new(LeafKind::Implicit, span))
    }

    fn heading(&mut self, level: HeadingLevel, id: Option<&str>, span: Span) {
        self.close_implicit();
        if level == HeadingLevel::H1 {
            self.faults.error(
                "read/heading-level",
                span,
                "正文里不能用一级标题".into(),
                "文章标题写在前言的 title；正文从两个井号（##）开始分节。".into(),
            );
        }
        let kind = LeafKind::Heading(level as u8, id.map(|id| id.replace(MARK, "")));
        self.leaf = Some(Leaf::new(kind, span));
    }

    /// Ends a tight list item's text.
    pub(super) fn close_implicit(&mut self) {
        if self.leaf.as_ref().is_some_and(Leaf::is_implicit) {
            self.close_leaf();
        }
    }

    fn close_leaf(&mut self) {
        let Some(leaf) = self.leaf.take() else { return };
        let (kind, span, content) = leaf.finish(self.scope, self.faults);
        match kind {
            LeafKind::Paragraph | LeafKind::Implicit if content.is_empty() => {}
            LeafKind::Paragraph | LeafKind::Implicit => {
                self.block(Block { span, kind: BlockKind::Paragraph(content) });
            }
            LeafKind::Heading(level, id) => {
                self.block(Block { span, kind: BlockKind::Heading { level, id, content } });
            }
            LeafKind::Cell => {
                if let Some(FrameKind::Table(table)) =
                    self.frames.last_mut().map(|frame| &mut frame.kind)
                {
                    table.row.push(content);
                }
            }
        }
    }

    fn end_row(&mut self, head: bool) {
        if let Some(FrameKind::Table(table)) = self.frames.last_mut().map(|frame| &mut frame.kind) {
            let row = std::mem::take(&mut table.row);
            if head {
                table.head = row;
            } else {
                table.rows.push(row);
            }
        }
    }

    /// Adds a finished block to the innermost container.
    pub(super) fn block(&mut self, block: Block) {
        self.close_implicit();
        if let Some(frame) = self.frames.last_mut() {
            frame.blocks.push(block);
        }
    }

    /// Opens a container.
    pub(super) fn open(&mut self, kind: FrameKind, span: Span) {
        self.close_implicit();
        self.frames.push(Frame::new(kind, span));
    }

    /// Ends a container that the parser knows. Directives that are still open inside it were not
    /// closed where they should have been.
    fn close_container(&mut self) {
        self.close_implicit();
        while self.frames.last().is_some_and(|frame| frame.directive().is_some()) {
            self.close_unclosed();
        }
        match self.frames.pop().map(Frame::into_block) {
            Some(Ok(block)) => self.block(block),
            Some(Err(Some(item))) => {
                if let Some(list) = self.frames.last_mut() {
                    list.items.push(item);
                }
            }
            Some(Err(None)) | None => {}
        }
    }

    fn finish(mut self) -> Body {
        self.close_implicit();
        while self.frames.last().is_some_and(|frame| frame.directive().is_some()) {
            self.close_unclosed();
        }
        let blocks = self.frames.pop().map(|root| root.blocks).unwrap_or_default();
        Body { blocks, tiers: self.tiers }
    }
}

fn alert(kind: BlockQuoteKind) -> AlertKind {
    match kind {
        BlockQuoteKind::Note => AlertKind::Note,
        BlockQuoteKind::Tip => AlertKind::Tip,
        BlockQuoteKind::Important => AlertKind::Important,
        BlockQuoteKind::Warning => AlertKind::Warning,
        BlockQuoteKind::Caution => AlertKind::Caution,
    }
}

fn alignment(alignment: Alignment) -> TableAlignment {
    match alignment {
        Alignment::None => TableAlignment::None,
        Alignment::Left => TableAlignment::Left,
        Alignment::Center => TableAlignment::Center,
        Alignment::Right => TableAlignment::Right,
    }
}
