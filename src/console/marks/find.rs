//! Where in an output the words of a finding stand.
//!
//! Words are compared without white space, so that neither mark-up nor a line break hides them;
//! a telephone reference stands for the number that the output has in its place. Where the same
//! words occur more than once, those count whose surroundings are the source's.

use super::flow::Flow;
use crate::{check::passage::REFERENCE, model::Words};
use std::ops::Range;

/// Characters around the words that are compared.
const AROUND: usize = 16;
/// Words as long as this are found wherever they stand; shorter ones need their surroundings.
const TELLING: usize = 6;
/// Surroundings of so many characters say enough.
const ENOUGH: usize = 2;
/// The longest that an output has for a telephone reference.
const NUMBER: usize = 24;
/// Longer words are never looked for as a whole: a page could make that take for ever.
const LONGEST: usize = 4_000;
/// Words longer than this are looked for sentence by sentence, where they are not there as a whole.
const LONG: usize = 16;

/// A text made ready to be looked through.
#[derive(Debug, Clone)]
pub struct Folded {
    characters: Vec<char>,
    /// Where each of them begins in the text.
    at: Vec<usize>,
}

impl Folded {
    /// Of a page or text.
    #[must_use]
    pub fn new(flow: &Flow) -> Self {
        let mut raised = flow.raised.iter().peekable();
        let (mut characters, mut at) = (Vec::new(), Vec::new());
        for (index, c) in flow.text.char_indices() {
            while raised.peek().is_some_and(|range| range.end <= index) {
                raised.next();
            }
            let is_raised = raised.peek().is_some_and(|range| range.start <= index);
            if !is_raised && !is_blank(c) {
                characters.push(c);
                at.push(index);
            }
        }
        Self { characters, at }
    }

    /// The places of the words, in order; none where they do not occur.
    #[must_use]
    pub fn find(&self, words: &Words) -> Vec<Range<usize>> {
        let whole = self.places(words);
        if !whole.is_empty() {
            return whole;
        }
        let sentences = sentences(&words.words);
        if sentences.len() < 2 || folded(&words.words).len() < LONG {
            return Vec::new();
        }
        let mut places: Vec<Range<usize>> = sentences
            .into_iter()
            .filter(|sentence| folded(sentence).len() >= TELLING)
            .flat_map(|sentence| {
                self.places(&Words { words: sentence.to_owned(), ..Words::default() })
            })
            .collect();
        places.sort_by_key(|place| place.start);
        places.dedup();
        places
    }

    fn places(&self, words: &Words) -> Vec<Range<usize>> {
        let (before, after) = (tail(&words.before), head(&words.after));
        let around = before.len() + after.len();
        let pattern = folded(&words.words);
        let letters = pattern.iter().filter(|c| **c != REFERENCE).count();
        if pattern.is_empty() || pattern.len() > LONGEST || (letters == 0 && around == 0) {
            return Vec::new();
        }
        let hits = self.hits(&pattern, &before);
        let scored = hits.into_iter().map(|hit| (self.score(&hit, &before, &after), hit));
        let scored: Vec<(usize, Range<usize>)> = scored.collect();
        let Some(best) = scored.iter().map(|(score, _)| *score).max() else { return Vec::new() };
        let needed = if letters >= TELLING { 0 } else { ENOUGH.min(around) };
        if best < needed {
            return Vec::new();
        }
        let best = scored.into_iter().filter(|(score, _)| *score == best);
        best.map(|(_, hit)| self.bytes(hit)).collect()
    }

    /// Every place where the pattern fits.
    fn hits(&self, pattern: &[char], before: &[char]) -> Vec<Range<usize>> {
        let text = &self.characters;
        // A number alone has no letters to be found by: what stands before it leads there.
        let leads = pattern.iter().all(|c| *c == REFERENCE);
        let sought: Vec<char> =
            if leads { before.iter().chain(pattern).copied().collect() } else { pattern.to_vec() };
        let skipped = if leads { before.len() } else { 0 };
        if leads && before.is_empty() {
            return Vec::new();
        }
        let first = sought[0];
        let mut hits = Vec::new();
        let mut at = 0;
        while at < text.len() {
            let fits = (first == REFERENCE || text[at] == first)
                .then(|| self.fit(at, &sought))
                .flatten()
                .filter(|end| *end > at + skipped);
            match fits {
                Some(end) => {
                    hits.push(at + skipped..end);
                    at = end;
                }
                None => at += 1,
            }
        }
        hits
    }

    /// Where the pattern ends that begins here.
    fn fit(&self, mut at: usize, pattern: &[char]) -> Option<usize> {
        for (index, c) in pattern.iter().enumerate() {
            if *c != REFERENCE {
                if self.characters.get(at) != Some(c) {
                    return None;
                }
                at += 1;
                continue;
            }
            let number = self.characters[at..].iter().take(NUMBER);
            let most = number.take_while(|c| is_dialled(**c)).count();
            let rest = &pattern[index + 1..];
            return (1..=most).rev().find_map(|length| self.fit(at + length, rest));
        }
        Some(at)
    }

    fn score(&self, hit: &Range<usize>, before: &[char], after: &[char]) -> usize {
        let text = &self.characters;
        let same = |(one, other): &(&char, &char)| one == other;
        let left = text[..hit.start].iter().rev().zip(before.iter().rev()).take_while(same);
        let right = text[hit.end..].iter().zip(after).take_while(same);
        left.count() + right.count()
    }

    fn bytes(&self, hit: Range<usize>) -> Range<usize> {
        let last = hit.end - 1;
        self.at[hit.start]..self.at[last] + self.characters[last].len_utf8()
    }
}

/// Numbers as outputs write them, with what stands between their digits.
fn is_dialled(c: char) -> bool {
    c.is_ascii_digit() || "-－—–+()（）/转".contains(c)
}

fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{AD}' | '\u{200B}'..='\u{200D}' | '\u{2060}' | '\u{FEFF}')
}

fn folded(text: &str) -> Vec<char> {
    text.chars().filter(|c| !is_blank(*c)).collect()
}

/// The end of what stands before, as far back as it can be compared.
fn tail(text: &str) -> Vec<char> {
    let text = text.rsplit(REFERENCE).next().unwrap_or_default();
    let all = folded(text);
    all[all.len().saturating_sub(AROUND)..].to_vec()
}

fn head(text: &str) -> Vec<char> {
    let text = text.split(REFERENCE).next().unwrap_or_default();
    folded(text).into_iter().take(AROUND).collect()
}

fn sentences(text: &str) -> Vec<&str> {
    text.split_inclusive(['。', '！', '？', '；', '\n']).collect()
}
