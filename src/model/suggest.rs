//! Finds the name somebody probably meant: an author in a lesson, an operator in a table.

use std::fmt::Write as _;

/// The most similar candidate, where one is similar enough to be worth a question.
#[must_use]
pub fn nearest<'a>(text: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A long text is no typo, and the distance costs the product of both lengths.
    if text.len() > 64 {
        return None;
    }
    let budget = (text.chars().count() / 3).clamp(1, 3);
    candidates
        .into_iter()
        .map(|candidate| (distance(text, candidate), candidate))
        .filter(|(distance, candidate)| {
            *distance <= budget
                || (text.len() >= 3 && (candidate.starts_with(text) || text.starts_with(candidate)))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// “是不是想写 x？” where there is something similar, followed by the list of what is known.
#[must_use]
pub fn known<'a>(text: &str, candidates: impl IntoIterator<Item = &'a str> + Clone) -> String {
    let mut help = String::new();
    if let Some(near) = nearest(text, candidates.clone()) {
        // Writing to a string cannot fail.
        let _ = write!(help, "是不是想写 {near}？");
    }
    let all: Vec<&str> = candidates.into_iter().collect();
    if all.is_empty() {
        help.push_str("这里还没有登记任何名字。");
    } else {
        let _ = write!(help, "可以写：{}。", all.join("、"));
    }
    help
}

/// Edits between two names: insert, delete, replace, swap two neighbours.
fn distance(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.chars().collect();
    let right: Vec<char> = right.chars().collect();
    let mut before = vec![0; right.len() + 1];
    let mut previous: Vec<usize> = (0..=right.len()).collect();
    for (row, a) in left.iter().enumerate() {
        let mut current = vec![row + 1; right.len() + 1];
        for (column, b) in right.iter().enumerate() {
            let replaced = previous[column] + usize::from(a != b);
            let mut best = replaced.min(previous[column + 1] + 1).min(current[column] + 1);
            let swapped = row > 0 && column > 0 && *a == right[column - 1] && left[row - 1] == *b;
            if swapped {
                best = best.min(before[column - 1] + 1);
            }
            current[column + 1] = best;
        }
        before = std::mem::replace(&mut previous, current);
    }
    previous[right.len()]
}
