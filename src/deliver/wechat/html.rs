//! Just enough HTML: slots are found in the bytes, everything else in tokens.

use crate::model::{Digest, SLOT, slots};
use html5ever::{
    tendril::StrTendril,
    tokenizer::{
        BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, states::RawKind,
    },
};
use std::cell::RefCell;

/// The pictures of an article's slots, in order, repetitions included.
#[must_use]
pub fn slot_pictures(html: &str) -> Vec<Digest> {
    slots(html).into_iter().map(|slot| slot.picture).collect()
}

/// Replaces each slot's value by the address of its picture; every other byte stays.
///
/// # Errors
/// The first picture without an address.
pub fn fill_slots(
    html: &str,
    address: impl Fn(&Digest) -> Option<String>,
) -> Result<String, Digest> {
    let mut filled = String::with_capacity(html.len());
    let mut done = 0;
    for slot in slots(html) {
        let url = address(&slot.picture).ok_or(slot.picture)?;
        filled.push_str(&html[done..slot.start]);
        filled.push_str(&url.replace('&', "&amp;").replace('"', "&quot;").replace('\'', "&#39;"));
        done = slot.end;
    }
    filled.push_str(&html[done..]);
    Ok(filled)
}

/// One piece of an article.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// An opening tag and its attributes.
    Open(String, Vec<(String, String)>),
    /// Characters, entities decoded.
    Text(String),
}

/// Takes an article apart, as a browser would.
#[must_use]
pub fn pieces(html: &str) -> Vec<Piece> {
    let queue = BufferQueue::default();
    queue.push_back(StrTendril::from_slice(html));
    let tokenizer = Tokenizer::new(Sink::default(), html5ever::tokenizer::TokenizerOpts::default());
    // A script is a token like any other here: feeding goes on until the input is used up.
    while !queue.is_empty() {
        let _ = tokenizer.feed(&queue);
    }
    tokenizer.end();
    tokenizer.sink.pieces.into_inner()
}

#[derive(Default)]
struct Sink {
    pieces: RefCell<Vec<Piece>>,
}

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut pieces = self.pieces.borrow_mut();
        match token {
            Token::TagToken(Tag { kind: TagKind::StartTag, name, attrs, .. }) => {
                let attributes = attrs
                    .into_iter()
                    .map(|attribute| {
                        (attribute.name.local.to_string(), attribute.value.to_string())
                    })
                    .collect();
                pieces.push(Piece::Open(name.to_string(), attributes));
                match &*name {
                    "script" => TokenSinkResult::RawData(RawKind::ScriptData),
                    "style" | "iframe" | "noscript" | "xmp" => {
                        TokenSinkResult::RawData(RawKind::Rawtext)
                    }
                    "textarea" | "title" => TokenSinkResult::RawData(RawKind::Rcdata),
                    _ => TokenSinkResult::Continue,
                }
            }
            Token::CharacterTokens(text) => {
                if let Some(Piece::Text(last)) = pieces.last_mut() {
                    last.push_str(&text);
                } else {
                    pieces.push(Piece::Text(text.to_string()));
                }
                TokenSinkResult::Continue
            }
            _ => TokenSinkResult::Continue,
        }
    }
}

/// Every character a reader sees, white space left out: the platform moves that about.
#[must_use]
pub fn visible_text(html: &str) -> String {
    let mut text = String::new();
    let mut hidden = false;
    for piece in pieces(html) {
        match piece {
            Piece::Open(tag, _) => hidden = matches!(tag.as_str(), "script" | "style"),
            Piece::Text(_) if hidden => hidden = false,
            Piece::Text(part) => text.extend(part.chars().filter(|c| !blank(*c))),
        }
    }
    text
}

fn blank(c: char) -> bool {
    // Zero-width characters come and go with the platform's editor.
    c.is_whitespace() || matches!(c, '\u{200B}'..='\u{200D}' | '\u{2060}' | '\u{FEFF}')
}

/// The declarations of a `style` attribute: name and value, white space made even.
#[must_use]
pub fn declarations(style: &str) -> Vec<(String, String)> {
    let mut declarations = Vec::new();
    let mut rest = style;
    while !rest.is_empty() {
        let end = declaration_end(rest);
        if let Some((name, value)) = rest[..end].split_once(':') {
            let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
            let value = value.replace(", ", ",").replace("&quot;", "\"");
            declarations.push((name.trim().to_lowercase(), value));
        }
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    declarations
}

/// The next `;` outside quotes and brackets.
fn declaration_end(text: &str) -> usize {
    let mut quote = None;
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match (c, quote) {
            (_, Some(open)) if c == open => quote = None,
            ('"' | '\'', None) => quote = Some(c),
            ('(', None) => depth += 1,
            (')', None) => depth = depth.saturating_sub(1),
            (';', None) if depth == 0 => return at,
            _ => {}
        }
    }
    text.len()
}

/// Addresses of pictures that the platform would not load: everything but slots and its own.
#[must_use]
pub fn foreign_pictures(html: &str) -> Vec<String> {
    let mut foreign = Vec::new();
    for piece in pieces(html) {
        let Piece::Open(tag, attributes) = piece else { continue };
        for (name, value) in attributes {
            let picture = match (tag.as_str(), name.as_str()) {
                ("img", "src" | "data-src" | "srcset")
                | ("image", "href" | "xlink:href")
                | (_, "background" | "poster") => Some(value.clone()),
                (_, "style") => style_address(&value),
                _ => None,
            };
            foreign.extend(picture.filter(|address| !is_own(address)));
        }
    }
    foreign
}

fn style_address(style: &str) -> Option<String> {
    let declarations = declarations(style);
    let (_, value) = declarations.iter().find(|(_, value)| value.contains("url("))?;
    let (_, rest) = value.split_once("url(")?;
    let address = rest.split(')').next().unwrap_or(rest);
    Some(address.trim_matches(['"', '\'', ' ']).to_owned())
}

/// Slots, and the platform's own picture hosts.
fn is_own(address: &str) -> bool {
    if address.strip_prefix(SLOT).and_then(Digest::from_hex).is_some() {
        return true;
    }
    url::Url::parse(address.trim()).is_ok_and(|url| {
        matches!(url.host_str(), Some("mmbiz.qpic.cn" | "mmbiz.qlogo.cn" | "mmecoa.qpic.cn"))
    })
}
