//! Which words of a text came and went.

use similar::{Algorithm, DiffOp, capture_diff_slices_deadline};
use std::{
    ops::Range,
    time::{Duration, Instant},
};
use unicode_segmentation::UnicodeSegmentation as _;

/// Two long texts that have nothing in common are told apart roughly.
const PATIENCE: Duration = Duration::from_millis(250);

/// What stayed between two changes and is no longer than this many words is shown as changed: a
/// reader follows whole phrases.
const SPLINTER: usize = 2;

/// A stretch of the new text, or of the old one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// As it was: where in the new text.
    Same(Range<usize>),
    /// New: where in the new text.
    Added(Range<usize>),
    /// Gone: its words, and where in the new text it would stand.
    Removed(String, usize),
}

/// Compares two texts word by word; Chinese character by character.
#[must_use]
pub fn compare(old: &str, new: &str) -> Vec<Change> {
    let (before, after) = (words(old), words(new));
    let [one, other] = [&before, &after]
        .map(|words| -> Vec<&str> { words.iter().map(|(_, word)| *word).collect() });
    let deadline = Some(Instant::now() + PATIENCE);
    let ops = capture_diff_slices_deadline(Algorithm::Myers, &one, &other, deadline);
    let mut changes = Vec::new();
    for (old_range, new_range, is_same) in merged(&ops) {
        let (from, to) = (start(&after, new_range.start, new), start(&after, new_range.end, new));
        if is_same {
            changes.push(Change::Same(from..to));
            continue;
        }
        let gone = start(&before, old_range.start, old)..start(&before, old_range.end, old);
        if !gone.is_empty() {
            changes.push(Change::Removed(old[gone].to_owned(), from));
        }
        if from < to {
            changes.push(Change::Added(from..to));
        }
    }
    changes
}

/// How many characters came and how many went, white space not counted.
#[must_use]
pub fn counted(changes: &[Change], new: &str) -> (usize, usize) {
    let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).count();
    let (mut added, mut removed) = (0, 0);
    for change in changes {
        match change {
            Change::Added(range) => added += letters(&new[range.clone()]),
            Change::Removed(text, _) => removed += letters(text),
            Change::Same(_) => {}
        }
    }
    (added, removed)
}

type Stretch = (Range<usize>, Range<usize>, bool);

/// Neighbouring changes as one, with the splinters between them.
fn merged(ops: &[DiffOp]) -> Vec<Stretch> {
    let mut stretches: Vec<Stretch> = Vec::new();
    for (index, op) in ops.iter().enumerate() {
        let (old, new) = (op.old_range(), op.new_range());
        let inside = index > 0 && index + 1 < ops.len();
        let is_same = matches!(op, DiffOp::Equal { .. }) && !(inside && new.len() <= SPLINTER);
        match stretches.last_mut() {
            Some((old_before, new_before, false)) if !is_same => {
                old_before.end = old.end;
                new_before.end = new.end;
            }
            _ => stretches.push((old, new, is_same)),
        }
    }
    stretches
}

fn words(text: &str) -> Vec<(usize, &str)> {
    text.split_word_bound_indices().collect()
}

fn start(words: &[(usize, &str)], index: usize, text: &str) -> usize {
    words.get(index).map_or(text.len(), |(at, _)| *at)
}
