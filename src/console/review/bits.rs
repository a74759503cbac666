//! Short texts with findings or changes marked, for the page itself.

use super::{
    judged::{Marked, Spot},
    source::Found,
    specimens::Place,
    views::segments,
};
use crate::console::marks::change::{self, Change};
use std::ops::Range;

/// A stretch of a text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Bit {
    pub text: String,
    /// Findings that begin here: number, rule, whether it is waived.
    pub begins: Vec<(usize, &'static str, bool)>,
    /// Whether findings cover it.
    pub marked: bool,
    /// Whether all of them are waived.
    pub waived: bool,
    /// Whether it is new.
    pub added: bool,
    /// Whether it is gone.
    pub removed: bool,
}

/// A text with its findings.
pub(super) fn bits(text: &str, places: &[Place], findings: &[Found]) -> Vec<Bit> {
    let byte = |at: usize| text.char_indices().nth(at).map_or(text.len(), |(at, _)| at);
    let spot =
        |place: &Place| Spot { finding: place.finding, range: byte(place.from)..byte(place.to) };
    let marked = Marked { spots: places.iter().map(spot).collect(), ..Marked::default() };
    let found = |number: usize| number.checked_sub(1).and_then(|index| findings.get(index));
    let is_waived = |number: &usize| found(*number).is_some_and(|found| found.waiver.is_some());
    let plain = |range: Range<usize>| Bit { text: text[range].to_owned(), ..Bit::default() };
    let (mut bits, mut at) = (Vec::new(), 0);
    for (range, numbers) in segments(&marked) {
        if at < range.start {
            bits.push(plain(at..range.start));
        }
        at = range.end;
        let begin = marked.spots.iter().filter(|spot| spot.range.start == range.start);
        let begins = begin.filter_map(|spot| {
            let found = found(spot.finding)?;
            Some((spot.finding, found.code, found.waiver.is_some()))
        });
        bits.push(Bit {
            begins: begins.collect(),
            marked: true,
            waived: numbers.iter().all(is_waived),
            ..plain(range)
        });
    }
    if at < text.len() {
        bits.push(plain(at..text.len()));
    }
    bits
}

/// A text with what came and went.
pub(super) fn changed_bits(old: &str, new: &str) -> Vec<Bit> {
    let bit = |change: Change| match change {
        Change::Same(range) => Bit { text: new[range].to_owned(), ..Bit::default() },
        Change::Added(range) => Bit { text: new[range].to_owned(), added: true, ..Bit::default() },
        Change::Removed(text, _) => Bit { text, removed: true, ..Bit::default() },
    };
    change::compare(old, new).into_iter().map(bit).collect()
}
