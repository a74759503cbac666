//! Picture slots: where an article has a picture that delivery will put an address for.

use super::Digest;

/// What stands before the digest in a slot.
pub const SLOT: &str = "caishi-slot:";

/// What a slot counts for, in characters and in bytes: longer than any address WeChat gives.
pub const SLOT_CHARACTERS: usize = 200;

/// A slot: the attribute value `caishi-slot:<sha256>`, quotes excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// Offset of the value.
    pub start: usize,
    /// Offset behind it.
    pub end: usize,
    /// The picture.
    pub picture: Digest,
}

/// The slots of an article, in order. Only whole, quoted attribute values within tags count, so
/// that a lesson may speak about slots.
#[must_use]
pub fn slots(html: &str) -> Vec<Slot> {
    let mut slots = Vec::new();
    let bytes = html.as_bytes();
    let mut at = 0;
    while let Some(open) = html[at..].find('<').map(|found| at + found) {
        if html[open..].starts_with("<!--") {
            at = html[open..].find("-->").map_or(html.len(), |end| open + end + 3);
            continue;
        }
        at = open + 1;
        while at < bytes.len() && bytes[at] != b'>' {
            if !matches!(bytes[at], b'"' | b'\'') {
                at += 1;
                continue;
            }
            let start = at + 1;
            let quote = char::from(bytes[at]);
            let end = html[start..].find(quote).map_or(html.len(), |found| start + found);
            let value = &html[start..end];
            if let Some(picture) = value.strip_prefix(SLOT).and_then(Digest::from_hex) {
                slots.push(Slot { start, end, picture });
            }
            at = (end + 1).min(bytes.len());
        }
    }
    slots
}

/// Characters and bytes of an article as the limits count them: a slot is 200 of each.
#[must_use]
pub fn counted_with_slots(html: &str) -> (usize, usize) {
    let slots = slots(html);
    let slot_bytes: usize = slots.iter().map(|slot| slot.end - slot.start).sum();
    let rest = SLOT_CHARACTERS * slots.len();
    (html.chars().count() - slot_bytes + rest, html.len() - slot_bytes + rest)
}
