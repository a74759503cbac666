//! Rules that read wording: a pattern hits, unless the words around it, or the block that shows
//! them as somebody else's, say that it is a warning.

use super::{
    Context,
    catalogue::{Places, Rule, Wording},
    cues::surrounding,
    passage::{Passage, Scope},
    walk::Texts,
};
use crate::model::{Audience, Finding, OutputKind, Variant};
use std::ops::Range;

/// How many characters of a digest are sure to be seen where an article is forwarded (WeChat
/// shows 54 where the digest is empty; cards cut at about the same place).
const SEEN_OF_DIGEST: usize = 54;

/// Findings of one rule that are looked for in one passage: one more than a file's report lists.
const MOST_IN_PASSAGE: usize = super::fold::MOST_IN_FILE + 1;

/// Reads every passage.
pub(super) fn check(context: &Context<'_>, variant: &Variant, texts: &Texts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for passage in texts.passages.iter().filter(|passage| !passage.inherited) {
        for (rule, ranges) in hits(context, variant, passage) {
            let one = |range| finding(context, variant, passage, rule, range);
            findings.extend(ranges.into_iter().filter_map(one));
        }
        if passage.place == super::passage::Place::Digest {
            findings.extend(seen_part(context, variant, passage));
        }
    }
    findings
}

/// The hits of all rules in one passage.
fn hits<'r>(
    context: &Context<'r>,
    variant: &Variant,
    passage: &Passage<'_>,
) -> Vec<(&'r Rule, Vec<Range<usize>>)> {
    let mut found = Vec::new();
    let added = context.settings.added(&passage.text);
    for rule in context.catalogue.wording_in(&passage.text).chain(added) {
        let Some(wording) = &rule.wording else { continue };
        let for_elder_only = rule.id == "E507" && variant.audience != Audience::Elder;
        if for_elder_only
            || !context.settings.is_enabled(rule)
            || !rule.applies_to(variant.kind)
            || !reads(wording.places, passage)
            || is_in_scope(rule, passage)
            || found.iter().any(|(other, _): &(&Rule, _)| std::ptr::eq(*other, rule))
        {
            continue;
        }
        let ranges = unexcused(context, rule, wording, &passage.text);
        if !ranges.is_empty() {
            found.push((rule, ranges));
        }
    }
    found
}

/// Quoted words are let through where the output keeps the warning; rules about what a page
/// shows, whoever says it, are not.
fn is_in_scope(rule: &Rule, passage: &Passage<'_>) -> bool {
    match passage.scope {
        Scope::Code => true,
        scope if !scope.is_quoted() => false,
        _ if ["B213", "E506"].contains(&rule.id.as_str()) => passage.scope == Scope::RedFlag,
        _ => passage.covered,
    }
}

fn reads(places: Places, passage: &Passage<'_>) -> bool {
    match places {
        Places::All => true,
        Places::Extracted => passage.place.is_extracted(),
        Places::Headline => passage.place.is_headline(),
    }
}

/// The hits of one rule in a text that nothing around them excuses, the first
/// [`MOST_IN_PASSAGE`] of them.
pub(super) fn unexcused(
    context: &Context<'_>,
    rule: &Rule,
    wording: &Wording,
    text: &str,
) -> Vec<Range<usize>> {
    let mut masks: Vec<Range<usize>> =
        wording.except.iter().flat_map(|e| e.find_iter(text)).map(|m| m.range()).collect();
    masks.extend(context.settings.excepted(rule, text));
    // Of masks that overlap the later reaches further: sorted by both ends, they can be searched.
    masks.sort_by_key(|mask| (mask.start, mask.end));
    let mut reached = 0;
    for mask in &mut masks {
        reached = reached.max(mask.end);
        mask.end = reached;
    }
    let is_masked = |range: &Range<usize>| {
        let begun = masks.partition_point(|mask| mask.start < range.end);
        begun.checked_sub(1).is_some_and(|last| range.start < masks[last].end)
    };
    let added = context.settings.added_hits(rule, text);
    let stands = |range: &Range<usize>| {
        let around = surrounding(text, range.clone());
        let needed = wording.needs.as_ref().is_none_or(|needs| {
            needs.is_match(around.before)
                || needs.is_match(around.hit)
                || needs.is_match(around.after)
        });
        needed && !context.catalogue.cues.excuses(&wording.excuse, around)
    };
    let found = wording.patterns.find_iter(text).map(|found| found.range());
    found
        .chain(added)
        .filter(|range| !is_masked(range) && stands(range))
        .take(MOST_IN_PASSAGE)
        .collect()
}

fn finding(
    context: &Context<'_>,
    variant: &Variant,
    passage: &Passage<'_>,
    rule: &Rule,
    range: Range<usize>,
) -> Option<Finding> {
    let words = &passage.text[range.clone()];
    let reason = format!("{}里的“{words}”：{}", passage.place.label(), rule.reason);
    let mut finding =
        context.finding(&rule.id, &variant.file, Some(passage.source(range)), reason)?;
    if passage.place.is_extracted() {
        finding.output = Some(passage.place.label().to_owned());
    }
    if passage.scope.is_quoted() {
        finding.diagnostic.help = format!(
            "这是引用的话，可是同一输出里没有留下提醒；请在它后面写上 :::redflag、:::steps 或一句提醒。{}",
            finding.diagnostic.help
        );
    }
    Some(finding)
}

/// Rule F602: what is seen of the digest must warn by itself.
fn seen_part(context: &Context<'_>, variant: &Variant, digest: &Passage<'_>) -> Option<Finding> {
    let rule = context.catalogue.rule("F610")?;
    let wording = rule.wording.as_ref()?;
    let end =
        digest.text.char_indices().nth(SEEN_OF_DIGEST).map_or(digest.text.len(), |(at, _)| at);
    let range = unexcused(context, rule, wording, &digest.text[..end]).into_iter().next()?;
    let words = &digest.text[range.clone()];
    let reason = format!("摘要前 {SEEN_OF_DIGEST} 个字里的“{words}”没有提醒，转发出去像广告");
    let mut finding = context.finding("F602", &variant.file, Some(digest.source(range)), reason)?;
    finding.output = Some("摘要".into());
    Some(finding)
}

/// The outputs that are made from the article's own text.
const FROM_BODY: [OutputKind; 4] =
    [OutputKind::Article, OutputKind::Leaflet, OutputKind::Booth, OutputKind::Morning];

/// How many passages behind quoted words the warning may follow.
const NEAR: usize = 12;

/// Says of each quoted passage whether every output that shows it keeps a warning beside it:
/// behind it, or before it in the same section.
pub(super) fn cover(context: &Context<'_>, variant: &Variant, texts: &mut Texts<'_>) {
    let cues = &context.catalogue.cues;
    let warns: Vec<bool> = texts
        .passages
        .iter()
        .map(|passage| passage.warns || (!passage.scope.is_quoted() && cues.warns(&passage.text)))
        .collect();
    for index in 0..texts.passages.len() {
        let passage = &texts.passages[index];
        if !passage.scope.is_quoted() {
            continue;
        }
        let keeps = |output: OutputKind| {
            let shown = |other: &Passage<'_>| other.is_shown_in(output, variant.audience);
            let group = |other: &Passage<'_>| is_same_text(passage, other);
            let warning =
                |(at, other): (usize, &Passage<'_>)| warns[at] && at != index && shown(other);
            let all = || texts.passages.iter().enumerate().filter(|(_, other)| group(other));
            all().filter(|(at, _)| *at > index).take(NEAR).any(warning)
                || all()
                    .filter(|(at, other)| *at < index && other.section == passage.section)
                    .any(warning)
        };
        let outputs = FROM_BODY.iter().filter(|output| {
            variant.outputs.contains(output) && passage.is_shown_in(**output, variant.audience)
        });
        let covered = match passage.scope {
            // A list of scam signs and a wrong option are marked as such wherever they stand.
            Scope::RedFlag | Scope::WrongOption => true,
            _ if passage.place.is_extracted() => keeps(OutputKind::Portal),
            _ => outputs.copied().all(keeps),
        };
        texts.passages[index].covered = covered;
    }
}

/// Passages of the article go together, and those of one tier.
fn is_same_text(one: &Passage<'_>, other: &Passage<'_>) -> bool {
    let kind = |passage: &Passage<'_>| match passage.place {
        super::passage::Place::Heading => super::passage::Place::Body,
        place => place,
    };
    kind(one) == kind(other)
}
