//! Tells a warning from a promise by the words around it.

use super::catalogue::{Excuse, alternatives, compile};
use regex::Regex;
use serde::Deserialize;
use std::ops::Range;

/// The words that excuse, by kind.
#[derive(Debug)]
pub struct Cues {
    negated: Regex,
    not_negated: Regex,
    cautioned: Regex,
    attributed: Regex,
    warned: Regex,
    asked: Regex,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    cues: CuesWire,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CuesWire {
    negated: Vec<String>,
    cautioned: Vec<String>,
    attributed: Vec<String>,
    warned: Vec<String>,
    asked: Vec<String>,
    not_negated: Vec<String>,
}

/// A hit and the sentence around it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Surrounding<'a> {
    /// From the beginning of the sentence to the hit.
    pub before: &'a str,
    /// The hit.
    pub hit: &'a str,
    /// From the hit to the end of the sentence.
    pub after: &'a str,
    /// The next sentence.
    pub next: &'a str,
}

impl Cues {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let wire: Wire = toml::from_str(text).map_err(|error| format!("cues.toml：{error}"))?;
        let one = |list: &[String]| compile(&alternatives(list)).map_err(|error| error.to_string());
        let cues = wire.cues;
        Ok(Self {
            negated: one(&cues.negated)?,
            not_negated: one(&cues.not_negated)?,
            cautioned: one(&cues.cautioned)?,
            attributed: one(&cues.attributed)?,
            warned: one(&cues.warned)?,
            asked: one(&cues.asked)?,
        })
    }

    /// Whether a text as a whole warns: it cautions or says what is wrong.
    pub(super) fn warns(&self, text: &str) -> bool {
        self.cautioned.is_match(text) || self.warned.is_match(text)
    }

    /// Whether one of these kinds of cue excuses the hit.
    pub(super) fn excuses(&self, kinds: &[Excuse], around: Surrounding<'_>) -> bool {
        kinds.iter().any(|kind| match kind {
            Excuse::Negated => self.is_negated(around),
            Excuse::Cautioned => self.cautioned.is_match(around.before),
            Excuse::Attributed => self.attributed.is_match(around.before),
            Excuse::Warned => {
                self.warned.is_match(around.after) || self.warned.is_match(around.next)
            }
            Excuse::Asked => {
                let sentence = format!("{}{}{}", around.before, around.hit, around.after);
                self.asked.is_match(sentence.trim_end_matches(['”', '’', '"', '」']))
            }
        })
    }

    /// A negation in the same clause, unless it is one that only looks so (“不是…不…”).
    fn is_negated(&self, around: Surrounding<'_>) -> bool {
        let clause = last_clause(around.before);
        let mask: Vec<Range<usize>> =
            self.not_negated.find_iter(clause).map(|found| found.range()).collect();
        self.negated
            .find_iter(clause)
            .any(|found| !mask.iter().any(|masked| overlap(masked, &found.range())))
    }
}

fn overlap(left: &Range<usize>, right: &Range<usize>) -> bool {
    left.start < right.end && right.start < left.end
}

/// The part of a sentence behind its last comma that is not inside quotation marks. A list, “保本、
/// 高息”, is one clause.
fn last_clause(text: &str) -> &str {
    let mut start = 0;
    let mut quoted = false;
    for (at, character) in text.char_indices() {
        match character {
            '“' | '「' => quoted = true,
            '”' | '」' => quoted = false,
            '，' | ',' | '；' | ';' | '\n' if !quoted => start = at + character.len_utf8(),
            _ => {}
        }
    }
    &text[start..]
}

/// Bytes (150 字) before a hit in which its sentence is looked for, and twice as many behind it: no
/// reader takes a cue from further off, and a paragraph of a megabyte without a full stop would be
/// read again for each of its hits.
pub(super) const REACH: usize = 450;

/// The sentence around a hit: up to the punctuation that ends one, outside quotation marks.
pub(super) fn surrounding(text: &str, hit: Range<usize>) -> Surrounding<'_> {
    let from = text.floor_char_boundary(hit.start.saturating_sub(REACH));
    let to = text.ceil_char_boundary((hit.end + 2 * REACH).min(text.len()));
    let (text, hit) = (&text[from..to], hit.start - from..hit.end - from);
    let ends = sentence_ends(text);
    let start = ends.iter().copied().rfind(|end| *end <= hit.start).unwrap_or(0);
    let end = ends.iter().copied().find(|end| *end >= hit.end).unwrap_or(text.len());
    let next = ends.iter().copied().find(|next| *next > end).unwrap_or(text.len());
    Surrounding {
        before: &text[start..hit.start],
        hit: &text[hit.clone()],
        after: &text[hit.end..end],
        next: &text[end..next],
    }
}

/// Where sentences end. The full stop inside a quotation ends none; a closing quotation mark
/// behind it does, unless the sentence goes on.
pub(super) fn sentence_ends(text: &str) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut depth = 0_usize;
    let mut stopped = false;
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        let end = at + character.len_utf8();
        match character {
            '“' | '「' | '‘' => depth += 1,
            '”' | '」' | '’' => {
                depth = depth.saturating_sub(1);
                let goes_on = characters
                    .peek()
                    .is_some_and(|(_, next)| !matches!(next, '“' | '「' | '\n' | '”' | '」'));
                if depth == 0 && stopped && !goes_on {
                    ends.push(end);
                }
                stopped = false;
            }
            '。' | '！' | '？' | '!' | '?' | '；' if depth == 0 => ends.push(end),
            '。' | '！' | '？' | '!' | '?' => stopped = true,
            '\n' => {
                ends.push(end);
                depth = 0;
            }
            _ => {}
        }
    }
    if ends.last() != Some(&text.len()) {
        ends.push(text.len());
    }
    ends
}
