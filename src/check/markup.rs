//! A finished page as tags and as blocks of text.

use html5ever::{
    tendril::StrTendril,
    tokenizer::{
        BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
        states::RawKind,
    },
};
use std::cell::RefCell;

/// An opening tag and its attributes, names in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Opening {
    pub name: String,
    pub attributes: Vec<(String, String)>,
}

impl Opening {
    /// The value of an attribute.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}

/// An element and the text that stands in it, not in its children.
#[derive(Debug)]
pub(super) struct Node {
    pub tag: Opening,
    /// The element around it, which stands before it.
    pub parent: Option<usize>,
    /// Its place among its siblings, counted from the last, which is one.
    pub from_last: usize,
    pub text: String,
}

/// What a page holds.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// Every element, in the order of the opening tags.
    pub nodes: Vec<Node>,
    /// The text of every block, white space folded.
    pub blocks: Vec<String>,
    /// The text inside `style`.
    pub styles: String,
}

/// Takes a page apart as a browser would. Never fails: whatever is not markup is text.
pub(super) fn page(html: &str) -> Page {
    let queue = BufferQueue::default();
    queue.push_back(StrTendril::from_slice(html));
    let tokenizer = Tokenizer::new(Sink::default(), TokenizerOpts::default());
    // A script only interrupts the feeding.
    while !queue.is_empty() {
        let _ = tokenizer.feed(&queue);
    }
    tokenizer.end();
    let mut state = tokenizer.sink.state.into_inner();
    state.end_block();
    state.count_siblings();
    state.page
}

#[derive(Default)]
struct Sink {
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    page: Page,
    /// The elements that are open, outermost first.
    open: Vec<usize>,
    block: String,
    /// Inside `script` or `style`, whose text nobody reads.
    silent: Option<String>,
}

impl State {
    fn open(&mut self, tag: Opening, self_closing: bool) {
        let parent = self.open.last().copied();
        if !self_closing && !VOID.contains(&tag.name.as_str()) {
            self.open.push(self.page.nodes.len());
        }
        self.page.nodes.push(Node { tag, parent, from_last: 0, text: String::new() });
    }

    /// A closing tag closes what is open inside it, too; one that nothing matches is ignored.
    fn close(&mut self, name: &str) {
        let of = |index: &usize| self.page.nodes[*index].tag.name == name;
        if let Some(depth) = self.open.iter().rposition(of) {
            self.open.truncate(depth);
        }
    }

    fn count_siblings(&mut self) {
        let mut counts = vec![0; self.page.nodes.len() + 1];
        for node in self.page.nodes.iter_mut().rev() {
            let count = &mut counts[node.parent.map_or(0, |parent| parent + 1)];
            *count += 1;
            node.from_last = *count;
        }
    }

    fn end_block(&mut self) {
        let text = self.block.split_whitespace().collect::<Vec<_>>().join(" ");
        self.block.clear();
        if !text.is_empty() {
            self.page.blocks.push(text);
        }
    }
}

/// Elements that stand within a line.
const INLINE: [&str; 17] = [
    "a", "b", "strong", "em", "i", "span", "u", "s", "del", "sup", "sub", "small", "mark", "code",
    "img", "font", "label",
];

/// Elements that hold nothing and are never closed.
const VOID: [&str; 12] =
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"];

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut state = self.state.borrow_mut();
        match token {
            Token::TagToken(Tag { kind, name, attrs, self_closing, .. }) => {
                if !INLINE.contains(&&*name) {
                    state.end_block();
                }
                if kind == TagKind::EndTag {
                    if state.silent.as_deref() == Some(&*name) {
                        state.silent = None;
                    }
                    state.close(&name);
                    return TokenSinkResult::Continue;
                }
                let attributes = attrs
                    .iter()
                    .map(|one| (one.name.local.to_string(), one.value.to_string()))
                    .collect();
                state.open(Opening { name: name.to_string(), attributes }, self_closing);
                match &*name {
                    "script" | "style" => {
                        state.silent = Some(name.to_string());
                        let kind =
                            if &*name == "script" { RawKind::ScriptData } else { RawKind::Rawtext };
                        TokenSinkResult::RawData(kind)
                    }
                    "iframe" | "xmp" => TokenSinkResult::RawData(RawKind::Rawtext),
                    "textarea" | "title" => TokenSinkResult::RawData(RawKind::Rcdata),
                    _ => TokenSinkResult::Continue,
                }
            }
            Token::CharacterTokens(text) => {
                match state.silent.as_deref() {
                    None => {
                        state.block.push_str(&text);
                        if let Some(node) = state.open.last().copied() {
                            state.page.nodes[node].text.push_str(&text);
                        }
                    }
                    Some("style") => state.page.styles.push_str(&text),
                    Some(_) => {}
                }
                TokenSinkResult::Continue
            }
            _ => TokenSinkResult::Continue,
        }
    }
}
