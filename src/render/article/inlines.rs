//! Running text.

use super::{
    blocks::Writer,
    tree::{Element, Node},
};
use crate::{
    model::{Inline, InlineKind},
    render::RenderError,
};
use std::borrow::Cow;

/// What is remembered from one inline to the next.
#[derive(Debug, Default)]
struct Line {
    last: Option<char>,
    soft_break: bool,
}

impl<'a> Writer<'a> {
    /// The nodes of running text.
    pub(super) fn inlines(&mut self, inlines: &'a [Inline]) -> Result<Vec<Node<'a>>, RenderError> {
        let mut nodes = Vec::with_capacity(inlines.len());
        self.line(inlines, &mut Line::default(), &mut nodes)?;
        Ok(nodes)
    }

    fn line(
        &mut self,
        inlines: &'a [Inline],
        line: &mut Line,
        nodes: &mut Vec<Node<'a>>,
    ) -> Result<(), RenderError> {
        let sheet = self.sheet;
        for inline in inlines {
            match &inline.kind {
                InlineKind::Text(text) => line.push(text, nodes),
                InlineKind::Emphasis(content) => {
                    let element = Element::new("em").style(&sheet.parts.emphasis);
                    self.wrapped(element, content, line, nodes)?;
                }
                InlineKind::Strong(content) => {
                    self.wrapped(Element::new("strong"), content, line, nodes)?;
                }
                InlineKind::Strikethrough(content) => {
                    self.wrapped(Element::new("s"), content, line, nodes)?;
                }
                InlineKind::Code(code) => {
                    let mut inner = Vec::new();
                    // Runs of spaces would collapse; single ones stay places to break the line.
                    line.push_owned(code.replace("  ", "\u{A0} "), &mut inner);
                    let code = Element::new("code").style(&sheet.parts.code_inline);
                    nodes.push(code.children(inner).into());
                }
                InlineKind::Link { url, content } => self.link(url, content, line, nodes)?,
                InlineKind::Image { file, alt } => {
                    let image = self.slot(file, alt)?;
                    nodes.push(image.style(&sheet.parts.inline_image).into());
                    line.last = None;
                }
                InlineKind::FootnoteReference(label) => {
                    if let Some(number) = self.references.note(label) {
                        self.reference(number, nodes);
                    }
                }
                InlineKind::SoftBreak => line.soft_break = true,
                InlineKind::HardBreak => {
                    nodes.push(Element::new("br").into());
                    *line = Line::default();
                }
                InlineKind::Hotline(_) | InlineKind::BankName | InlineKind::BranchName => {
                    line.push_owned(self.scene.resolve(&inline.kind), nodes);
                }
            }
        }
        Ok(())
    }

    fn wrapped(
        &mut self,
        element: Element<'a>,
        content: &'a [Inline],
        line: &mut Line,
        nodes: &mut Vec<Node<'a>>,
    ) -> Result<(), RenderError> {
        let mut inner = Vec::with_capacity(content.len());
        self.line(content, line, &mut inner)?;
        if !inner.is_empty() {
            nodes.push(element.children(inner).into());
        }
        Ok(())
    }

    /// Only pages of WeChat itself stay clickable; other web addresses become references. What is
    /// neither (`javascript:`, an anchor, a relative path) is just its text.
    fn link(
        &mut self,
        url: &'a str,
        content: &'a [Inline],
        line: &mut Line,
        nodes: &mut Vec<Node<'a>>,
    ) -> Result<(), RenderError> {
        if url.starts_with("https://mp.weixin.qq.com/") {
            let link = Element::new("a").style(&self.sheet.parts.link).attribute("href", url);
            return self.wrapped(link, content, line, nodes);
        }
        self.line(content, line, nodes)?;
        if let Some(number) = url.strip_prefix("tel:") {
            if !self.scene.plain(content).contains(number) {
                line.push_owned(format!("（{number}）"), nodes);
            }
        } else if ["https://", "http://", "mailto:"].iter().any(|start| url.starts_with(start)) {
            let number = self.references.link(content, url);
            self.reference(number, nodes);
        }
        Ok(())
    }

    fn reference(&self, number: usize, nodes: &mut Vec<Node<'a>>) {
        let mark = Element::new("sup").style(&self.sheet.parts.reference);
        nodes.push(mark.text(format!("[{number}]")).into());
    }
}

impl Line {
    fn push<'a>(&mut self, text: &'a str, nodes: &mut Vec<Node<'a>>) {
        self.append(clean(text), nodes);
    }

    fn push_owned(&mut self, text: String, nodes: &mut Vec<Node<'_>>) {
        let text = if let Cow::Owned(text) = clean(&text) { text } else { text };
        self.append(Cow::Owned(text), nodes);
    }

    fn append<'a>(&mut self, text: Cow<'a, str>, nodes: &mut Vec<Node<'a>>) {
        let Some(first) = text.chars().next() else { return };
        // Between Han characters a line end is nothing, between words it is a space.
        let space =
            self.soft_break && self.last.is_some_and(is_word_character) && is_word_character(first);
        self.soft_break = false;
        self.last = text.chars().next_back();
        let text = if space { Cow::Owned(format!(" {text}")) } else { text };
        match nodes.last_mut() {
            Some(Node::Text(before)) => before.to_mut().push_str(&text),
            _ => nodes.push(Node::Text(text)),
        }
    }
}

fn is_word_character(character: char) -> bool {
    // Latin, Greek and Cyrillic words and their punctuation; not Han and its punctuation.
    character < '\u{2000}' && !character.is_whitespace()
}

/// Text without characters that have no shape: zero-width ones break lines inside WeChat, and
/// direction marks can show a number other than the one that stands there.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unwanted) {
        return Cow::Borrowed(text);
    }
    let kept = text.chars().filter_map(|character| match character {
        '\n' | '\t' => Some(' '),
        unwanted if is_unwanted(unwanted) => None,
        kept => Some(kept),
    });
    Cow::Owned(kept.collect())
}

fn is_unwanted(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{AD}' | '\u{61C}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
}
