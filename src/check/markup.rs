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

/// What a page holds.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// Every opening tag.
    pub tags: Vec<Opening>,
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
    state.page
}

#[derive(Default)]
struct Sink {
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    page: Page,
    block: String,
    /// Inside `script` or `style`, whose text nobody reads.
    silent: Option<String>,
}

impl State {
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

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut state = self.state.borrow_mut();
        match token {
            Token::TagToken(Tag { kind, name, attrs, .. }) => {
                if !INLINE.contains(&&*name) {
                    state.end_block();
                }
                if kind == TagKind::EndTag {
                    if state.silent.as_deref() == Some(&*name) {
                        state.silent = None;
                    }
                    return TokenSinkResult::Continue;
                }
                let attributes = attrs
                    .iter()
                    .map(|one| (one.name.local.to_string(), one.value.to_string()))
                    .collect();
                state.page.tags.push(Opening { name: name.to_string(), attributes });
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
                    None => state.block.push_str(&text),
                    Some("style") => state.page.styles.push_str(&text),
                    Some(_) => {}
                }
                TokenSinkResult::Continue
            }
            _ => TokenSinkResult::Continue,
        }
    }
}
