//! Running text while it is being read: one paragraph, heading or table cell.

use super::{emphasis::MARK, faults::Faults, reference, scope::Scope};
use crate::model::{Inline, InlineKind, Span, plain_text};
use pulldown_cmark::Tag;

/// What the text belongs to.
#[derive(Debug)]
pub(super) enum LeafKind {
    /// A paragraph.
    Paragraph,
    /// The text of a tight list item, which the parser gives without a paragraph.
    Implicit,
    /// A heading: its level and id.
    Heading(u8, Option<String>),
    /// A table cell.
    Cell,
}

/// Running text and the emphases that are open in it.
pub(super) struct Leaf {
    kind: LeafKind,
    span: Span,
    open: Vec<OpenInline>,
    content: Vec<Inline>,
}

struct OpenInline {
    tag: InlineTag,
    span: Span,
    /// What stood before it, on the level around it.
    outside: Vec<Inline>,
}

enum InlineTag {
    Emphasis,
    Strong,
    Strikethrough,
    Link(String),
    Image(String),
}

impl Leaf {
    pub(super) fn new(kind: LeafKind, span: Span) -> Self {
        Self { kind, span, open: Vec::new(), content: Vec::new() }
    }

    pub(super) fn depth(&self) -> usize {
        self.open.len()
    }

    pub(super) fn is_implicit(&self) -> bool {
        matches!(self.kind, LeafKind::Implicit)
    }

    /// Adds characters. The parser cuts text at every special character; the pieces are joined.
    pub(super) fn text(&mut self, text: &str, span: Span) {
        if text.is_empty() {
            return;
        }
        if let Some(Inline { span: last_span, kind: InlineKind::Text(last) }) =
            self.content.last_mut()
        {
            last.push_str(text);
            *last_span = last_span.join(span);
        } else {
            self.push(InlineKind::Text(text.to_owned()), span);
        }
    }

    pub(super) fn code(&mut self, text: String, span: Span) {
        self.push(InlineKind::Code(text), span);
    }

    pub(super) fn footnote(&mut self, label: &str, span: Span) {
        self.push(InlineKind::FootnoteReference(label.replace(MARK, "")), span);
    }

    pub(super) fn soft_break(&mut self, span: Span) {
        self.push(InlineKind::SoftBreak, span);
    }

    pub(super) fn hard_break(&mut self, span: Span) {
        self.push(InlineKind::HardBreak, span);
    }

    fn push(&mut self, kind: InlineKind, span: Span) {
        self.span = self.span.join(span);
        self.content.push(Inline { span, kind });
    }

    /// Opens an emphasis, link or image.
    pub(super) fn open(&mut self, tag: &Tag<'_>, span: Span) {
        let tag = match tag {
            Tag::Strong => InlineTag::Strong,
            Tag::Strikethrough => InlineTag::Strikethrough,
            Tag::Link { dest_url, .. } => InlineTag::Link(dest_url.replace(MARK, "")),
            Tag::Image { dest_url, .. } => InlineTag::Image(dest_url.replace(MARK, "")),
            _ => InlineTag::Emphasis,
        };
        let outside = std::mem::take(&mut self.content);
        self.open.push(OpenInline { tag, span, outside });
    }

    /// Closes the innermost one.
    pub(super) fn close(&mut self, scope: &Scope<'_>, faults: &mut Faults) {
        let Some(open) = self.open.pop() else { return };
        let inside = std::mem::replace(&mut self.content, open.outside);
        let content = reference::resolve(inside, scope, faults);
        let kind = match open.tag {
            InlineTag::Emphasis => InlineKind::Emphasis(content),
            InlineTag::Strong => InlineKind::Strong(content),
            InlineTag::Strikethrough => InlineKind::Strikethrough(content),
            InlineTag::Link(url) => {
                check_link(&url, open.span, faults);
                InlineKind::Link { url, content }
            }
            InlineTag::Image(file) => {
                let written = plain_text(&content, &|_| String::new());
                match scope.picture(&file, &written, open.span, faults) {
                    Some(alt) => InlineKind::Image { file, alt },
                    None => return,
                }
            }
        };
        self.push(kind, open.span);
    }

    /// Everything it held.
    pub(super) fn finish(
        mut self,
        scope: &Scope<'_>,
        faults: &mut Faults,
    ) -> (LeafKind, Span, Vec<Inline>) {
        while !self.open.is_empty() {
            self.close(scope, faults);
        }
        let content = reference::resolve(self.content, scope, faults);
        (self.kind, self.span, content)
    }
}

fn check_link(url: &str, span: Span, faults: &mut Faults) {
    let web = url.starts_with("https://") || url.starts_with("http://") || url.starts_with('#');
    if url.contains("{{") {
        faults.error(
            "read/link-form",
            span,
            "链接地址里不能写 {{…}} 引用".into(),
            "把引用写在正文里，例如“拨打 {{hotline:police}}”。".into(),
        );
    } else if !web {
        faults.error(
            "read/link-form",
            span,
            format!("链接地址“{}”不是网址", super::fields::shorten(url)),
            "写完整的网址，以 https:// 开头；电话写 {{hotline:代号}}。".into(),
        );
    }
}
