//! Markdown to block tree: pulldown-cmark's events become blocks, directives included.
//!
//! 1. [`super::shadow`] makes the text that the parser can read.
//! 2. [`Builder`] keeps a stack of open containers; a fence opens or closes one among them.
//! 3. What a finished directive means is decided by [`super::convert`].
//!
//! Depth is bounded by [`MAX_DEPTH`], so that neither walking nor dropping a tree can exhaust the
//! stack.

use super::{
    convert,
    directive::{self, Fence, Opening},
    emphasis::MARK,
    faults::Faults,
    leaf::{Leaf, LeafKind},
    scope::Scope,
    shadow::{FENCE, Shadow},
};
use crate::model::{AlertKind, Block, BlockKind, Inline, ListItem, Span, TableAlignment, Tiers};
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

/// An open container.
struct Frame {
    kind: FrameKind,
    span: Span,
    blocks: Vec<Block>,
    items: Vec<ListItem>,
    task: Option<bool>,
}

enum FrameKind {
    Root,
    Quote(Option<AlertKind>),
    List(Option<u64>),
    Item,
    Footnote(String),
    Table(Table),
    Directive(Opening),
    /// A directive whose opening line is wrong; its colons count, its content is dropped.
    Broken(usize, Span),
}

#[derive(Default)]
struct Table {
    alignments: Vec<TableAlignment>,
    head: Vec<Vec<Inline>>,
    rows: Vec<Vec<Vec<Inline>>>,
    row: Vec<Vec<Inline>>,
}

impl Frame {
    fn new(kind: FrameKind, span: Span) -> Self {
        Self { kind, span, blocks: Vec::new(), items: Vec::new(), task: None }
    }

    /// The colons and the opening line of a directive.
    fn directive(&self) -> Option<(usize, Span)> {
        match &self.kind {
            FrameKind::Directive(opening) => Some((opening.colons, opening.span)),
            FrameKind::Broken(colons, span) => Some((*colons, *span)),
            _ => None,
        }
    }
}

struct Builder<'a, 'f> {
    source: &'a str,
    shadow: &'a Shadow,
    scope: &'a Scope<'a>,
    faults: &'f mut Faults,
    frames: Vec<Frame>,
    /// The paragraph, heading or cell that is being read.
    leaf: Option<Leaf>,
    code: Option<(String, String)>,
    html: Option<Range<usize>>,
    tiers: Tiers,
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
            Event::Html(_) => {}
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
            Event::InlineMath(_) | Event::DisplayMath(_) => {}
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

    fn close_implicit(&mut self) {
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

    fn block(&mut self, block: Block) {
        self.close_implicit();
        if let Some(frame) = self.frames.last_mut() {
            frame.blocks.push(block);
        }
    }

    fn open(&mut self, kind: FrameKind, span: Span) {
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
        let Some(frame) = self.frames.pop() else {
            return;
        };
        let span = frame.span;
        let kind = match frame.kind {
            FrameKind::Quote(None) => BlockKind::Quote(frame.blocks),
            FrameKind::Quote(Some(kind)) => BlockKind::Alert { kind, blocks: frame.blocks },
            FrameKind::List(start) => BlockKind::List { start, items: frame.items },
            FrameKind::Footnote(label) => BlockKind::Footnote { label, blocks: frame.blocks },
            FrameKind::Table(table) => BlockKind::Table {
                alignments: table.alignments,
                head: table.head,
                rows: table.rows,
            },
            FrameKind::Item => {
                if let Some(list) = self.frames.last_mut() {
                    list.items.push(ListItem { task: frame.task, blocks: frame.blocks });
                }
                return;
            }
            FrameKind::Root | FrameKind::Directive(_) | FrameKind::Broken(..) => return,
        };
        self.block(Block { span, kind });
    }

    fn html_block(&mut self, range: Range<usize>, span: Span) {
        let html = &self.shadow.text[range.clone()];
        let start = range.start + html.len() - html.trim_start().len();
        if let Some(index) = self.shadow.fence_at(start) {
            self.fence(index);
            return;
        }
        let html = html.trim();
        match html.strip_prefix("<!--").map(|rest| rest.split_once("-->")) {
            Some(Some((_, after))) if after.trim().is_empty() => {}
            Some(Some(_)) => self.refuse_html(span, "注释后面的字会丢失", "把注释单独写成一行。"),
            Some(None) => self.refuse_html(span, "注释没有收尾", "用 --> 结束注释。"),
            None => self.refuse_tag(span),
        }
    }

    fn inline_html(&mut self, html: &str, span: Span, range: &Range<usize>) {
        if self.shadow.fence_at(range.start).is_some() {
            self.faults.error(
                "read/block-indented",
                span,
                "::: 前面空格太多，不会当作块".into(),
                "把 ::: 移到行首，在列表里就和这一项的文字对齐；前面空一行。".into(),
            );
        } else if !html.starts_with("<!--") {
            self.refuse_tag(span);
        }
    }

    fn refuse_tag(&mut self, span: Span) {
        self.refuse_html(
            span,
            "正文里不能写 HTML 标签",
            "用 Markdown 或指令块；要显示尖括号，就写成 \\< 或放进反引号。",
        );
    }

    fn refuse_html(&mut self, span: Span, reason: &str, help: &str) {
        let end = self.source[span.start..span.end]
            .lines()
            .next()
            .map_or(span.end, |line| span.start + line.len());
        self.faults.error("read/raw-html", Span::new(span.start, end), reason.into(), help.into());
    }
}

/// Directives among the containers.
impl Builder<'_, '_> {
    fn fence(&mut self, index: usize) {
        let Some(line) = self.shadow.fence(index) else {
            return;
        };
        let text = &self.source[line.span.start..line.span.end];
        match directive::parse(text, line.span) {
            Ok(Fence::Close { colons }) => self.close_fence(colons, line.span),
            Ok(Fence::Open(opening)) => {
                let alone = opening.name.is_leaf() && !self.closes_next(index, line.span);
                let span = opening.span;
                self.open(FrameKind::Directive(opening), span);
                if alone {
                    self.finish_directive(span.end);
                }
            }
            Err((colons, faults)) => {
                for fault in faults {
                    self.faults.error(fault.code, fault.span, fault.reason, fault.help);
                }
                self.open(FrameKind::Broken(colons, line.span), line.span);
            }
        }
    }

    /// Whether the next fence is a bare one with nothing in between.
    fn closes_next(&self, index: usize, span: Span) -> bool {
        self.shadow.fence(index + 1).is_some_and(|next| {
            let between = &self.source[span.end..next.span.start];
            let bare = self.source[next.span.start..next.span.end].bytes().all(|byte| byte == b':');
            bare && between.bytes().all(|byte| byte == b'>' || byte.is_ascii_whitespace())
        })
    }

    fn close_fence(&mut self, colons: usize, span: Span) {
        self.close_implicit();
        let open = self.frames.iter().rev().map_while(Frame::directive);
        let open: Vec<usize> = open.map(|(colons, _)| colons).collect();
        if open.is_empty() {
            self.faults.error(
                "read/stray-fence",
                span,
                "这里的 ::: 没有可以收尾的块".into(),
                "删掉它；如果块是在列表或引用里开头的，收尾也要写在里面，缩进相同。".into(),
            );
            return;
        }
        // Same number of colons first, so that one forgotten fence inside is found inside.
        let skipped = open.iter().position(|other| *other == colons).unwrap_or_default();
        for _ in 0..skipped {
            self.close_unclosed();
        }
        self.finish_directive(span.end);
    }

    fn close_unclosed(&mut self) {
        let Some((_, span)) = self.frames.last().and_then(Frame::directive) else {
            return;
        };
        let line = &self.source[span.start..span.end];
        self.faults.error(
            "read/unclosed-block",
            span,
            format!("“{}”没有收尾", super::fields::shorten(line)),
            "在块的末尾单独写一行 :::，缩进和开头一样。".into(),
        );
        // Its content was read for its faults; half a block is not shown.
        self.frames.pop();
    }

    /// Ends the innermost directive at byte `end`.
    fn finish_directive(&mut self, end: usize) {
        let Some(frame) = self.frames.pop() else {
            return;
        };
        let FrameKind::Directive(opening) = frame.kind else {
            return;
        };
        let content = convert::Content {
            span: Span::new(opening.span.start, end),
            opening,
            blocks: frame.blocks,
        };
        let name = content.opening.name;
        if !name.is_tier() {
            let span = content.span;
            if let Some(directive) = convert::directive(content, self.scope, self.faults) {
                self.block(Block { span, kind: BlockKind::Directive(directive) });
            }
        } else if self.frames.len() == 1 {
            super::tier::take(content, &mut self.tiers, self.faults);
        } else {
            self.faults.error(
                "read/misplaced-block",
                content.opening.span,
                format!(":::{} 不能放在别的块、列表或引用里", name.as_str()),
                "各渠道的文案放在正文之后，顶格写。".into(),
            );
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
