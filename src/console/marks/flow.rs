//! A page as the words that are read, and the page again with marks in it.
//!
//! The page is taken apart into tokens as a browser would and written again token by token, so that
//! a mark can begin and end anywhere in its words. What could act (scripts, frames, handlers) is
//! left out on the way; words are escaped.

use html5ever::{
    tendril::StrTendril,
    tokenizer::{
        BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
        states::RawKind,
    },
};
use std::{cell::RefCell, ops::Range};

/// Words in the order they are read; blocks end with a line break.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flow {
    /// The words.
    pub text: String,
    /// Parts of them that stand above the line, such as the numbers of footnotes.
    pub raised: Vec<Range<usize>>,
    parts: Vec<Part>,
    /// Whether it is a page with a head of its own.
    is_whole: bool,
}

/// A part of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// Mark-up, to be written as it is.
    Markup(String),
    /// Words: their range, and whether they stand in a link.
    Words(Range<usize>, bool),
    /// Where the page's body begins.
    Begin,
    /// Where it ends.
    End,
}

/// Something to be written into a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The words it is about.
    pub range: Range<usize>,
    /// What is written before each piece of them.
    pub open: String,
    /// And behind it.
    pub close: String,
    /// What is written once, before the first piece; the second where no link may stand.
    pub badge: (String, String),
}

/// Elements that stand within a line.
const INLINE: [&str; 19] = [
    "a", "b", "strong", "em", "i", "span", "u", "s", "del", "ins", "sup", "sub", "small", "mark",
    "code", "img", "font", "label", "wbr",
];

/// Elements that hold nothing and are never closed.
const VOID: [&str; 13] = [
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track",
    "wbr",
];

/// Elements whose insides are no words of the page and go with them.
const LEFT_OUT: [&str; 8] =
    ["script", "iframe", "object", "embed", "noembed", "noframes", "xmp", "plaintext"];

/// Elements whose words cannot hold marks: they are drawn, chosen from or stand in the window's
/// title.
const UNMARKED: [&str; 7] = ["title", "textarea", "select", "svg", "math", "style", "template"];

impl Flow {
    /// A page.
    #[must_use]
    pub fn of_page(html: &str) -> Self {
        let queue = BufferQueue::default();
        queue.push_back(StrTendril::from_slice(html));
        let tokenizer = Tokenizer::new(Sink::default(), TokenizerOpts::default());
        // A script only interrupts the feeding.
        while !queue.is_empty() {
            let _ = tokenizer.feed(&queue);
        }
        tokenizer.end();
        tokenizer.sink.state.into_inner().flow
    }

    /// A plain text.
    #[must_use]
    pub fn of_text(text: &str) -> Self {
        let parts = vec![Part::Words(0..text.len(), false)];
        Self { text: text.to_owned(), parts, ..Self::default() }
    }

    /// Whether it is a page with a head of its own, and no fragment.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// The page with marks, which stand in order and do not overlap, and with `begin` and `end` at
    /// the beginning and the end of its body.
    #[must_use]
    pub fn with(&self, marks: &[Mark], begin: &str, end: &str) -> String {
        let mut html = String::with_capacity(self.text.len() * 3);
        let mut begun = vec![false; marks.len()];
        let mut ended = false;
        if !self.parts.contains(&Part::Begin) && !self.is_whole {
            html.push_str(begin);
        }
        let last = self.parts.iter().rposition(|part| self.is_read(part));
        for (index, part) in self.parts.iter().enumerate() {
            match part {
                Part::Markup(markup) => html.push_str(markup),
                Part::Words(range, linked) => {
                    let piece = Piece { range, linked: *linked, last: last == Some(index) };
                    self.words(&piece, marks, &mut begun, &mut html);
                }
                Part::Begin => html.push_str(begin),
                Part::End => {
                    html.push_str(end);
                    ended = true;
                }
            }
        }
        if !ended {
            html.push_str(end);
        }
        html
    }

    fn is_read(&self, part: &Part) -> bool {
        matches!(part, Part::Words(range, _) if !self.text[range.clone()].trim().is_empty())
    }

    fn words(&self, piece: &Piece<'_>, marks: &[Mark], begun: &mut [bool], html: &mut String) {
        let (range, text) = (piece.range, &self.text);
        if text[range.clone()].trim().is_empty() {
            // Between cells and rows no mark can stand.
            html.push_str(&escaped(&text[range.clone()]));
            return;
        }
        let mut at = range.start;
        for (mark, begun) in marks.iter().zip(begun) {
            // What stands between two words belongs to the second.
            let is_point = mark.range.is_empty();
            let behind =
                mark.range.start > range.end || (!is_point && mark.range.start == range.end);
            if behind && !(piece.last && is_point) {
                break;
            }
            let from = mark.range.start.clamp(at, range.end);
            let to = mark.range.end.clamp(from, range.end);
            if (is_point && *begun) || (!is_point && from == to) {
                continue;
            }
            html.push_str(&escaped(&text[at..from]));
            if !*begun {
                html.push_str(if piece.linked { &mark.badge.1 } else { &mark.badge.0 });
                *begun = true;
            }
            if from < to {
                html.push_str(&mark.open);
                html.push_str(&escaped(&text[from..to]));
                html.push_str(&mark.close);
            }
            at = to;
        }
        html.push_str(&escaped(&text[at..range.end]));
    }
}

/// Words that are being written.
struct Piece<'a> {
    range: &'a Range<usize>,
    linked: bool,
    /// Whether no words come behind them.
    last: bool,
}

/// Words as they stand in a page.
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            c => html.push(c),
        }
    }
    html
}

#[derive(Default)]
struct Sink {
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    flow: Flow,
    /// What is open of [`LEFT_OUT`], of [`UNMARKED`], of links, of raised words.
    dropping: Vec<String>,
    unmarked: Vec<String>,
    links: usize,
    raised: usize,
    /// Inside `style`, whose text is written as it is.
    raw: bool,
}

impl State {
    fn markup(&mut self, markup: &str) {
        if let Some(Part::Markup(last)) = self.flow.parts.last_mut() {
            last.push_str(markup);
        } else {
            self.flow.parts.push(Part::Markup(markup.to_owned()));
        }
    }

    fn end_block(&mut self) {
        if !self.flow.text.is_empty() && !self.flow.text.ends_with('\n') {
            self.flow.text.push('\n');
        }
    }

    fn characters(&mut self, text: &str) {
        if !self.dropping.is_empty() {
            return;
        }
        if !self.unmarked.is_empty() {
            let markup = if self.raw { text.to_owned() } else { escaped(text) };
            self.markup(&markup);
            return;
        }
        let flow = &mut self.flow;
        let start = flow.text.len();
        flow.text.push_str(text);
        let end = flow.text.len();
        if self.raised > 0 {
            flow.raised.push(start..end);
        }
        match flow.parts.last_mut() {
            Some(Part::Words(range, _)) if range.end == start => range.end = end,
            _ => flow.parts.push(Part::Words(start..end, self.links > 0)),
        }
    }

    fn open(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        let name = &*tag.name;
        let holds = !VOID.contains(&name) && !tag.self_closing;
        let raw = match name {
            "script" => Some(RawKind::ScriptData),
            "style" | "iframe" | "noembed" | "noframes" | "xmp" => Some(RawKind::Rawtext),
            "textarea" | "title" => Some(RawKind::Rcdata),
            _ => None,
        };
        if !self.dropping.is_empty() || LEFT_OUT.contains(&name) {
            if LEFT_OUT.contains(&name) && name != "plaintext" && holds {
                self.dropping.push(name.to_owned());
            }
            return raw.map_or(TokenSinkResult::Continue, TokenSinkResult::RawData);
        }
        if UNMARKED.contains(&name) && holds {
            self.unmarked.push(name.to_owned());
            self.raw = name == "style";
        }
        self.links += usize::from(name == "a" && holds);
        self.raised += usize::from(name == "sup" && holds);
        self.flow.is_whole |= name == "html";
        let mut markup = format!("<{name}");
        for attribute in &tag.attrs {
            let own = &*attribute.name.local;
            if !own.starts_with("on") {
                markup.push_str(&format!(" {own}=\"{}\"", escaped(&attribute.value)));
            }
        }
        markup.push_str(if tag.self_closing { "/>" } else { ">" });
        self.markup(&markup);
        if name == "body" {
            self.flow.parts.push(Part::Begin);
        }
        raw.map_or(TokenSinkResult::Continue, TokenSinkResult::RawData)
    }

    fn close(&mut self, name: &str) {
        if let Some(depth) = self.dropping.iter().rposition(|own| own == name) {
            self.dropping.truncate(depth);
            return;
        }
        if !self.dropping.is_empty() || LEFT_OUT.contains(&name) {
            return;
        }
        if let Some(depth) = self.unmarked.iter().rposition(|own| own == name) {
            self.unmarked.truncate(depth);
            self.raw = false;
        }
        match name {
            "a" => self.links = self.links.saturating_sub(1),
            "sup" => self.raised = self.raised.saturating_sub(1),
            "body" => self.flow.parts.push(Part::End),
            _ => {}
        }
        self.markup(&format!("</{name}>"));
    }
}

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut state = self.state.borrow_mut();
        match token {
            Token::DoctypeToken(_) => {
                state.flow.is_whole = true;
                state.markup("<!doctype html>");
            }
            Token::TagToken(tag) => {
                if !INLINE.contains(&&*tag.name) && state.unmarked.is_empty() {
                    state.end_block();
                }
                if tag.kind == TagKind::EndTag {
                    state.close(&tag.name);
                } else {
                    return state.open(&tag);
                }
            }
            Token::CharacterTokens(text) => state.characters(&text),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}
