//! The text that the Markdown parser sees instead of the source.
//!
//! Two things about a lesson are unknown to CommonMark: directive fences and emphasis beside
//! Chinese characters. Both are settled by a copy of the text, the shadow:
//!
//! * A line `:::name{…}` becomes a processing instruction, `<?:?>`. That is an HTML block of its
//!   own wherever a block may begin, also inside lists and quotes, and plain text inside code: the
//!   parser itself finds out what contains what.
//! * Emphasis gets the marks of [`super::emphasis`].
//!
//! Byte positions in the shadow are mapped back to the file by [`Shadow::span`].

use super::emphasis::{self, MARK};
use crate::model::Span;
use std::ops::Range;

/// What stands in the shadow for a directive fence.
pub(super) const FENCE: &str = "<?:?>";
/// Quotes and lists that begin on one line. Deeper nesting is refused before it is parsed.
const MAX_PREFIXES: usize = 32;

/// A directive fence: its place in the shadow and in the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct FenceLine {
    shadow: usize,
    /// From the first colon to the end of the line, in the file.
    pub(super) span: Span,
}

/// The copy, and how to come back from it.
#[derive(Debug)]
pub(super) struct Shadow {
    /// What the Markdown parser reads.
    pub(super) text: String,
    chunks: Vec<Chunk>,
    fences: Vec<FenceLine>,
}

/// A piece that was copied unchanged.
#[derive(Debug, Clone, Copy)]
struct Chunk {
    shadow: usize,
    source: usize,
}

impl Shadow {
    /// Copies the body, which begins at byte `base` of the file. The error is the line that nests
    /// too deep.
    pub(super) fn new(body: &str, base: usize) -> Result<Self, Span> {
        let mut out = Writer::new(body);
        let mut fences = Vec::new();
        let mut start = 0;
        for line in body.split_inclusive('\n') {
            let (prefix, depth) = container_prefix(line);
            if depth > MAX_PREFIXES {
                return Err(Span::new(base + start, base + start + prefix));
            }
            if line[prefix..].starts_with(":::") {
                let end = start + line.trim_end().len();
                let place = start + prefix;
                fences.push(FenceLine {
                    shadow: out.replace(place..end, FENCE),
                    span: Span::new(base + place, base + end),
                });
            } else {
                emphasis::mark(line, start, &mut out);
            }
            start += line.len();
        }
        let (text, mut chunks) = out.finish();
        for chunk in &mut chunks {
            chunk.source += base;
        }
        Ok(Self { text, chunks, fences })
    }

    /// The bytes of the file that a range of the shadow came from.
    pub(super) fn span(&self, range: Range<usize>) -> Span {
        Span::new(self.position(range.start), self.position(range.end))
    }

    fn position(&self, shadow: usize) -> usize {
        let index = self.chunks.partition_point(|chunk| chunk.shadow <= shadow);
        let Some(chunk) = index.checked_sub(1).and_then(|index| self.chunks.get(index)) else {
            return 0;
        };
        let place = chunk.source + (shadow - chunk.shadow);
        // What was inserted has no place of its own: it ends where the next chunk begins.
        self.chunks.get(index).map_or(place, |next| place.min(next.source))
    }

    /// The fence that begins at that position of the shadow, by its number.
    pub(super) fn fence_at(&self, shadow: usize) -> Option<usize> {
        self.fences.binary_search_by_key(&shadow, |fence| fence.shadow).ok()
    }

    /// The fence of that number.
    pub(super) fn fence(&self, index: usize) -> Option<FenceLine> {
        self.fences.get(index).copied()
    }
}

/// Writes the shadow piece by piece.
pub(super) struct Writer<'a> {
    body: &'a str,
    copied: usize,
    text: String,
    chunks: Vec<Chunk>,
}

impl<'a> Writer<'a> {
    fn new(body: &'a str) -> Self {
        Self {
            body,
            copied: 0,
            text: String::with_capacity(body.len() + body.len() / 16),
            chunks: vec![Chunk { shadow: 0, source: 0 }],
        }
    }

    fn copy_to(&mut self, source: usize) {
        self.text.push_str(&self.body[self.copied..source]);
        self.copied = source;
    }

    fn resume(&mut self) {
        self.chunks.push(Chunk { shadow: self.text.len(), source: self.copied });
    }

    /// Inserts a mark at that position of the body.
    pub(super) fn mark_at(&mut self, source: usize) {
        self.copy_to(source);
        self.text.push(MARK);
        self.resume();
    }

    /// Writes `text` instead of a range of the body; answers where it stands in the shadow.
    fn replace(&mut self, source: Range<usize>, text: &str) -> usize {
        self.copy_to(source.start);
        let place = self.text.len();
        self.text.push_str(text);
        self.copied = source.end;
        self.resume();
        place
    }

    fn finish(mut self) -> (String, Vec<Chunk>) {
        self.copy_to(self.body.len());
        (self.text, self.chunks)
    }
}

/// The length of a line's indentation, quote and list markers, and how many of those markers
/// there are.
fn container_prefix(line: &str) -> (usize, usize) {
    let bytes = line.as_bytes();
    let mut at = 0;
    let mut depth = 0;
    loop {
        match bytes.get(at) {
            Some(b' ' | b'\t') => at += 1,
            Some(b'>') => {
                at += 1;
                depth += 1;
            }
            Some(b'-' | b'+' | b'*') if is_blank(bytes.get(at + 1)) => {
                at += 2;
                depth += 1;
            }
            Some(b'0'..=b'9') => {
                let digits = bytes[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
                let dot = matches!(bytes.get(at + digits), Some(b'.' | b')'));
                if digits > 9 || !dot || !is_blank(bytes.get(at + digits + 1)) {
                    return (at, depth);
                }
                at += digits + 2;
                depth += 1;
            }
            _ => return (at, depth),
        }
    }
}

fn is_blank(byte: Option<&u8>) -> bool {
    matches!(byte, Some(b' ' | b'\t'))
}
