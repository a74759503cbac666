//! Makes emphasis work beside Chinese characters.
//!
//! CommonMark decides by the neighbours of `**` whether it opens or closes, and counts `。` as
//! punctuation: in `**理财有风险。**投资` the second run can't close, because nothing but a letter
//! follows the punctuation. The rule of `markdown-cjk-friendly`, which comrak implements, amounts
//! to this: a run between two characters that are not white space, at least one of them Chinese,
//! Japanese or Korean, both opens and closes.
//!
//! `pulldown-cmark` has no such option. So [`mark`] puts [`MARK`] on both sides of those runs before
//! parsing: to the parser it is a letter, and a run between letters does both. The marks leave
//! again when text is taken out of the parser's events; positions are mapped by
//! [`super::shadow::Shadow`].
//!
//! A single `~` stands for “to” in Chinese prices, `1~2 元`; the same marks, with a letter on both
//! sides, keep it from ever being a strikethrough.

use super::shadow::Writer;

/// A noncharacter (Unicode §23.7), so no text may hold it; lessons that do are refused.
pub(super) const MARK: char = '\u{FDD0}';

/// Copies one line into the shadow, with marks where they are needed.
pub(super) fn mark(line: &str, start: usize, out: &mut Writer<'_>) {
    let bytes = line.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if bytes.get(at + 1).is_some_and(u8::is_ascii_punctuation) => at += 2,
            delimiter @ (b'*' | b'~') => {
                let length = bytes[at..].iter().take_while(|byte| **byte == delimiter).count();
                if needs_marks(line, at, length) {
                    out.mark_at(start + at);
                    out.mark_at(start + at + length);
                }
                at += length;
            }
            // A heading's last braces would be taken for its attributes, reference or not.
            b'}' if bytes[at + 1..].starts_with(b"}") => {
                at += 2;
                if line[at..].trim().is_empty() {
                    out.mark_at(start + at);
                }
            }
            _ => at += 1,
        }
    }
}

fn needs_marks(line: &str, at: usize, length: usize) -> bool {
    if line.as_bytes()[at] == b'~' && length != 2 {
        return length == 1;
    }
    let mut before = line[..at].chars().rev();
    let (Some(previous), Some(next)) = (before.next(), line[at + length..].chars().next()) else {
        return false;
    };
    if previous.is_whitespace() || next.is_whitespace() {
        return false;
    }
    is_cjk(next) || is_cjk_before(previous, before.next())
}

/// Whether the character before a run counts as CJK; a variation selector speaks for the
/// character that it varies.
fn is_cjk_before(previous: char, second: Option<char>) -> bool {
    match previous {
        '\u{FE00}'..='\u{FE0E}' => second.is_some_and(|second| {
            is_cjk(second) || (previous == '\u{FE01}' && matches!(second, '‘' | '’' | '“' | '”'))
        }),
        '\u{E0100}'..='\u{E01EF}' => true,
        other => is_cjk(other),
    }
}

/// The list of `markdown-cjk-friendly` (`ranges.md`): characters of East Asian width W, F or H that
/// are no emoji, and their neighbours in the CJK blocks.
fn is_cjk(character: char) -> bool {
    if character < '\u{1100}' {
        return false;
    }
    matches!(u32::from(character),
        0x1100..=0x11ff | 0x20a9 | 0x2329..=0x232a | 0x2630..=0x2637 | 0x268a..=0x268f
        | 0x2e80..=0x2e99 | 0x2e9b..=0x2ef3 | 0x2f00..=0x2fd5 | 0x2ff0..=0x303e
        | 0x3041..=0x3096 | 0x3099..=0x30ff | 0x3105..=0x312f | 0x3131..=0x318e
        | 0x3190..=0x31e5 | 0x31ef..=0x321e | 0x3220..=0x3247 | 0x3250..=0xa48c
        | 0xa490..=0xa4c6 | 0xa960..=0xa97c | 0xac00..=0xd7a3 | 0xd7b0..=0xd7c6
        | 0xd7cb..=0xd7fb | 0xf900..=0xfaff | 0xfe10..=0xfe19 | 0xfe30..=0xfe52
        | 0xfe54..=0xfe66 | 0xfe68..=0xfe6b | 0xff01..=0xffbe | 0xffc2..=0xffc7
        | 0xffca..=0xffcf | 0xffd2..=0xffd7 | 0xffda..=0xffdc | 0xffe0..=0xffe6
        | 0xffe8..=0xffee | 0x16fe0..=0x16fe4 | 0x16ff0..=0x16ff6 | 0x17000..=0x18cda
        | 0x18cff..=0x18d20 | 0x18d80..=0x18df2 | 0x18e00..=0x19191 | 0x191a0..=0x191d2
        | 0x1aff0..=0x1aff3 | 0x1aff5..=0x1affb | 0x1affd..=0x1affe | 0x1b000..=0x1b128
        | 0x1b132 | 0x1b150..=0x1b152 | 0x1b155 | 0x1b164..=0x1b168 | 0x1b170..=0x1b2fb
        | 0x1d300..=0x1d356 | 0x1d360..=0x1d376 | 0x1f200 | 0x1f202 | 0x1f210..=0x1f219
        | 0x1f21b..=0x1f22e | 0x1f230..=0x1f231 | 0x1f237 | 0x1f23b | 0x1f240..=0x1f248
        | 0x1f260..=0x1f265 | 0x20000..=0x3fffd
    )
}
