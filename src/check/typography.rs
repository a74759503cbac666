//! Rule E509: marks, digits and characters as the standard of written Chinese has them.

use super::{
    Context,
    passage::{Passage, Scope},
    walk::Texts,
};
use crate::model::{Finding, Fix, Span, Variant};
use encoding_rs::{BIG5, GBK};
use std::ops::Range;

pub(super) fn check(context: &Context<'_>, variant: &Variant, texts: &Texts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for passage in texts.passages.iter().filter(|passage| !passage.inherited) {
        if passage.scope == Scope::Code {
            continue;
        }
        marks(context, variant, passage, &mut findings);
        characters(context, variant, passage, &mut findings);
    }
    findings
}

/// Half-width marks between Chinese characters, and full-width digits: both have a safe fix.
fn marks(
    context: &Context<'_>,
    variant: &Variant,
    passage: &Passage<'_>,
    findings: &mut Vec<Finding>,
) {
    let text = &passage.text;
    let mut at = 0;
    // Neighbouring marks share a character, so each search begins at the last mark.
    while let Some(captures) = context.catalogue.patterns.half_width.captures_at(text, at) {
        let Some(whole) = captures.get(0) else { break };
        let single = captures.name("mark").or_else(|| captures.name("tail"));
        if let Some(mark) = single {
            let to = full_width(mark.as_str());
            mended(context, variant, passage, &[(mark.range(), to)], findings);
            at = mark.end();
        } else if let Some(digits) = captures.name("digits") {
            let to: String = digits.as_str().chars().map(half_width_digit).collect();
            mended(context, variant, passage, &[(digits.range(), to)], findings);
            at = digits.end();
        } else if let (Some(open), Some(close)) = (captures.name("open"), captures.name("close")) {
            let mut edits = vec![(open.range(), "（".to_owned()), (close.range(), "）".to_owned())];
            at = close.end();
            if let Some(after) = captures.name("after").filter(|after| !after.is_empty())
                && !text[after.end()..].starts_with(|c: char| c.is_ascii_alphanumeric())
            {
                edits.push((after.range(), full_width(after.as_str())));
                at = after.end();
            }
            mended(context, variant, passage, &edits, findings);
        } else {
            at = whole.end();
        }
    }
}

fn full_width(mark: &str) -> String {
    match mark {
        "," => "，",
        ";" => "；",
        ":" => "：",
        "?" => "？",
        _ => "！",
    }
    .to_owned()
}

fn half_width_digit(digit: char) -> char {
    char::from_u32(u32::from(digit) - u32::from('０') + u32::from('0')).unwrap_or(digit)
}

fn mended(
    context: &Context<'_>,
    variant: &Variant,
    passage: &Passage<'_>,
    edits: &[(Range<usize>, String)],
    findings: &mut Vec<Finding>,
) {
    let (Some((first, _)), Some((last, _))) = (edits.first(), edits.last()) else { return };
    let written: Vec<&str> = edits.iter().map(|(range, _)| &passage.text[range.clone()]).collect();
    let right: Vec<&str> = edits.iter().map(|(_, to)| to.as_str()).collect();
    let reason = format!("“{}”应当是“{}”", written.join(""), right.join(""));
    let span = passage.source(first.start..last.end);
    let Some(mut finding) = context.finding("E509", &variant.file, Some(span), reason) else {
        return;
    };
    let source = &variant.file.text;
    if edits.iter().all(|(range, _)| {
        passage.is_exact(range, source) && is_text(source, passage.source(range.clone()))
    }) {
        let edits = edits.iter().map(|(range, to)| (passage.source(range.clone()), to.clone()));
        finding.fix =
            Some(Fix { what: "换成规范的标点或数字".into(), edits: edits.collect() });
    }
    findings.push(finding);
}

/// In a line of YAML the colon may be syntax, so front matter is left to its author.
fn is_text(source: &str, span: Span) -> bool {
    !source.starts_with("---") || source[..span.start].contains("\n---")
}

/// Characters that are not in GB 2312 but in Big5: traditional forms and variants.
fn characters(
    context: &Context<'_>,
    variant: &Variant,
    passage: &Passage<'_>,
    findings: &mut Vec<Finding>,
) {
    let mut run: Option<Range<usize>> = None;
    let mut runs = Vec::new();
    for (at, character) in passage.text.char_indices() {
        if is_traditional(character) {
            let end = at + character.len_utf8();
            match &mut run {
                Some(run) if run.end == at => run.end = end,
                _ => runs.extend(run.replace(at..end)),
            }
        }
    }
    runs.extend(run);
    for range in runs {
        let reason = format!("“{}”是繁体字或异体字", &passage.text[range.clone()]);
        let span = Some(passage.source(range));
        findings.extend(context.finding("E509", &variant.file, span, reason));
    }
}

fn is_traditional(character: char) -> bool {
    if !('\u{4E00}'..='\u{9FFF}').contains(&character) {
        return false;
    }
    let text = character.encode_utf8(&mut [0; 4]).to_owned();
    let (gbk, _, missing) = GBK.encode(&text);
    // GB 2312's characters are the rows 16 to 87 of GBK.
    let simplified = !missing && matches!(*gbk, [0xB0..=0xF7, low] if low >= 0xA1);
    !simplified && !BIG5.encode(&text).2
}
