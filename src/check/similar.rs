//! Rule A107: two lessons that are nearly one.

use super::{Context, walk};
use crate::model::{Audience, Finding, Lesson, Related};
use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::Arc,
};

/// Characters of a shingle: long enough that ordinary phrases are not shared by chance.
const SHINGLE: usize = 9;

/// One shingle in this many is kept; the same ones in every lesson.
const SAMPLE: u64 = 8;

/// The share from which two lessons are one, in percent.
const SAME_PERCENT: usize = 80;

/// Fewer sampled shingles than this say nothing.
const FEWEST: usize = 12;

/// Compares every two lessons by the shingles they share, found through an index of them: the
/// cost is that of what is shared, not of all pairs.
pub(super) fn check(context: &Context<'_>) -> Vec<Finding> {
    let lessons = &context.library.lessons;
    let shingles: Vec<BTreeSet<u64>> =
        lessons.iter().map(|lesson| sampled(context, lesson)).collect();
    let mut holders: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (index, set) in shingles.iter().enumerate() {
        set.iter().for_each(|shingle| holders.entry(*shingle).or_default().push(index));
    }
    let mut shared: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    for indexes in holders.values() {
        for (position, one) in indexes.iter().enumerate() {
            for other in &indexes[position + 1..] {
                *shared.entry((*one, *other)).or_default() += 1;
            }
        }
    }
    let mut findings = Vec::new();
    for ((one, other), count) in shared {
        let smaller = shingles[one].len().min(shingles[other].len());
        if smaller >= FEWEST && count * 100 >= smaller * SAME_PERCENT {
            findings.extend(finding(
                context,
                &lessons[one],
                &lessons[other],
                count * 100 / smaller,
            ));
        }
    }
    findings
}

fn finding(context: &Context<'_>, one: &Lesson, other: &Lesson, percent: usize) -> Option<Finding> {
    let file = |lesson: &Lesson| lesson.variants.values().next().map(|v| Arc::clone(&v.file));
    let (first, second) = (file(one)?, file(other)?);
    let reason = format!("和“{}”有 {percent}% 相同", one.id);
    let span = Some(super::key_span(&second, "id"));
    let mut finding = context.finding("A107", &second, span, reason)?;
    finding.related.push(Related {
        span: Some(super::key_span(&first, "id")),
        file: first,
        note: "相同的那一课".into(),
    });
    Some(finding)
}

fn sampled(context: &Context<'_>, lesson: &Lesson) -> BTreeSet<u64> {
    let Some(variant) = lesson.variants.get(&Audience::General) else { return BTreeSet::new() };
    let texts = walk::texts(variant, context.bank);
    let letters: Vec<char> = texts
        .passages
        .iter()
        .flat_map(|passage| passage.text.chars())
        .filter(|character| character.is_alphanumeric())
        .collect();
    letters
        .windows(SHINGLE)
        .map(|window| {
            let mut hasher = DefaultHasher::new();
            window.hash(&mut hasher);
            hasher.finish()
        })
        .filter(|hash| hash % SAMPLE == 0)
        .collect()
}
