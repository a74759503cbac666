//! Rules E501, E502, E505 and E508: long sentences, trade words, heading levels.

use super::{
    Context,
    passage::{Passage, Place, Scope},
    walk::Texts,
};
use crate::model::{Audience, Finding, Related, Severity, Term, TermKind, Variant, count_words};
use std::{collections::BTreeSet, ops::Range, sync::Arc};

/// 字 of a sentence that most readers take in at once, and that elder readers do.
const LONGEST: usize = 40;
const LONGEST_FOR_ELDERS: usize = 25;

pub(super) fn check(context: &Context<'_>, variant: &Variant, texts: &Texts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for passage in texts.passages.iter().filter(|passage| !passage.inherited) {
        if !matches!(passage.scope, Scope::Code | Scope::Law) {
            sentences(context, variant, passage, &mut findings);
        }
    }
    terms(context, variant, texts, &mut findings);
    let mut before = 1;
    for (level, span) in &texts.headings {
        if *level > before + 1 {
            let reason = format!("{before} 级标题后面直接是 {level} 级");
            findings.extend(context.finding("E505", &variant.file, Some(*span), reason));
        }
        before = *level;
    }
    findings
}

/// Rule E501. What staff says to itself may be longer.
fn sentences(
    context: &Context<'_>,
    variant: &Variant,
    passage: &Passage<'_>,
    findings: &mut Vec<Finding>,
) {
    let elder = variant.audience == Audience::Elder && passage.place != Place::Staff;
    let longest = if elder { LONGEST_FOR_ELDERS } else { LONGEST };
    let mut start = 0;
    for end in breaths(&passage.text) {
        let range = trimmed(&passage.text, start..end);
        let words = count_words(&passage.text[range.clone()]);
        start = end;
        if words <= longest {
            continue;
        }
        let reason = format!("这一句 {words} 字，至多 {longest} 字");
        let span = Some(passage.source(range));
        if let Some(mut finding) = context.finding("E501", &variant.file, span, reason) {
            if elder && finding.diagnostic.severity == Severity::Warning {
                finding.diagnostic.severity = Severity::Error;
            }
            findings.push(finding);
        }
    }
}

/// Where a reader takes breath: at every full stop, also inside quotation marks.
fn breaths(text: &str) -> Vec<usize> {
    let stops = text.char_indices().filter(|(_, c)| "。！？!?；\n".contains(*c));
    stops.map(|(at, c)| at + c.len_utf8()).chain([text.len()]).collect()
}

fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let part = &text[range.clone()];
    let start = range.start + (part.len() - part.trim_start().len());
    start..start + part.trim().len()
}

/// The texts a reader meets as one: the article, or one tier.
fn group(place: Place) -> Place {
    match place {
        Place::Heading | Place::Body | Place::Title | Place::Digest | Place::ShortTitle => {
            Place::Body
        }
        other => other,
    }
}

/// Rules E502 and E508: where a word first stands in each text, it is explained there, or
/// anywhere in the article's glossary.
fn terms(context: &Context<'_>, variant: &Variant, texts: &Texts<'_>, findings: &mut Vec<Finding>) {
    let reads = |passage: &&Passage<'_>| {
        !passage.inherited
            && !matches!(passage.scope, Scope::Code | Scope::Law | Scope::Glossary)
            && !matches!(passage.place, Place::Staff | Place::Label)
    };
    // Most terms stand nowhere; one look at the whole text tells.
    let whole: String = texts.passages.iter().flat_map(|p| [p.text.as_str(), "\n"]).collect();
    let groups: BTreeSet<Place> = texts.passages.iter().map(|p| group(p.place)).collect();
    for term in &context.library.facts.terms {
        let forms: Vec<&str> =
            std::iter::once(&term.term).chain(&term.aliases).map(String::as_str).collect();
        if !forms.iter().any(|form| whole.contains(form)) {
            continue;
        }
        let in_glossary =
            texts.explained.iter().any(|known| forms.iter().any(|form| known.contains(form)));
        for place in &groups {
            if in_glossary && *place == Place::Body {
                continue;
            }
            let mut passages = texts
                .passages
                .iter()
                .filter(reads)
                .filter(|passage| group(passage.place) == *place);
            let explained = |passage: &Passage<'_>| explains(term, &passage.text, &forms);
            if texts
                .passages
                .iter()
                .filter(reads)
                .filter(|p| group(p.place) == *place)
                .any(explained)
            {
                continue;
            }
            let hit = passages.find_map(|passage| Some((passage, first(&passage.text, &forms)?)));
            if let Some((passage, range)) = hit {
                findings.extend(unexplained(context, variant, term, passage, range));
                // One text that lacks the explanation is enough to say so.
                break;
            }
        }
    }
}

fn unexplained(
    context: &Context<'_>,
    variant: &Variant,
    term: &Term,
    passage: &Passage<'_>,
    range: Range<usize>,
) -> Option<Finding> {
    let word = &passage.text[range.clone()];
    let rule = match term.kind {
        TermKind::Jargon => "E502",
        TermKind::Abbreviation => "E508",
    };
    let reason = format!("{}里的“{word}”没有解释", passage.place.label());
    let mut finding = context.finding(rule, &variant.file, Some(passage.source(range)), reason)?;
    finding.diagnostic.help =
        format!("第一次出现时写成“{word}（{}）”，或写进 :::glossary。", term.plain);
    finding.related.push(Related {
        file: Arc::clone(&term.provenance.file),
        span: Some(term.provenance.span),
        note: "大白话登记在这里".into(),
    });
    Some(finding)
}

/// Where one of the forms first stands as a word of its own.
fn first(text: &str, forms: &[&str]) -> Option<Range<usize>> {
    let hits = forms.iter().flat_map(|form| text.match_indices(form));
    hits.map(|(at, form)| at..at + form.len())
        .filter(|range| is_word(text, range))
        .min_by_key(|range| range.start)
}

/// `APP` in `WHATSAPP` is no word.
fn is_word(text: &str, range: &Range<usize>) -> bool {
    let latin = |c: char| c.is_ascii_alphanumeric();
    let is_latin = text[range.clone()].starts_with(latin);
    !is_latin || (!text[..range.start].ends_with(latin) && !text[range.end..].starts_with(latin))
}

/// Whether the text explains one of the forms: in brackets behind it, as the bracket itself, or
/// with “就是”, “指”, “也叫”.
fn explains(term: &Term, text: &str, forms: &[&str]) -> bool {
    let hits =
        forms.iter().flat_map(|form| text.match_indices(form).map(|(at, f)| at..at + f.len()));
    hits.into_iter().filter(|range| is_word(text, range)).any(|range| {
        let before = text[..range.start].trim_end_matches(['“', '"']);
        let after = text[range.end..].trim_start_matches(['”', '"']);
        let after = &after[..after.ceil_char_boundary(super::cues::REACH.min(after.len()))];
        let sentence = after.split(['。', '！', '？', '\n']).next().unwrap_or("");
        let behind = [
            "（",
            "(",
            "——",
            "：",
            "，就是",
            "就是",
            "，即",
            "，也就是",
            "，也叫",
            "，又叫",
            "，意思",
            "，指",
            "是指",
            "指的是",
            "，俗称",
            "（即",
            "是一种",
            "，简单说",
            "，说白了",
            "叫",
            "的意思是",
            "，全称",
            "是把",
            "，把",
        ];
        let in_brackets =
            before.ends_with(['（', '(']) && after.starts_with(['）', ')', '，', '、']);
        let named = [
            "也叫",
            "又叫",
            "叫",
            "叫作",
            "叫做",
            "称为",
            "简称",
            "俗称",
            "这就是",
            "就是",
            "所谓的",
            "称作",
        ];
        in_brackets
            || behind.iter().any(|cue| after.starts_with(cue))
            || named.iter().any(|cue| before.ends_with(cue))
            || ["就是", "指的是", "是指", "的意思"].iter().any(|cue| sentence.contains(cue))
            || shares(&term.plain, sentence)
    })
}

/// Whether the sentence has the plain words, or most of them.
fn shares(plain: &str, sentence: &str) -> bool {
    let letters: Vec<char> = plain.chars().filter(|c| c.is_alphanumeric()).collect();
    let pairs: Vec<String> = letters.windows(2).map(|pair| pair.iter().collect()).collect();
    let shared = pairs.iter().filter(|pair| sentence.contains(pair.as_str())).count();
    pairs.len() >= 4 && shared * 10 >= pairs.len() * 6
}
