//! Rules F601, F607 and F609: what a channel takes.

use super::{
    Context,
    passage::{Passage, Place, REFERENCE},
    walk::Texts,
};
use crate::model::{Finding, Limits, Variant, count_words};

pub(super) fn check(context: &Context<'_>, variant: &Variant, texts: &Texts<'_>) -> Vec<Finding> {
    let limits = Limits::default();
    let mut findings = Vec::new();
    let (title, digest) = (limits.article_title.value, limits.article_digest.value);
    let author = context.bank.name.chars().count();
    let most = limits.article_author.value;
    if author > most {
        let reason =
            format!("微信文章的作者“{}”有 {author} 个字符，至多 {most}", context.bank.name);
        findings.extend(context.at_key("F601", variant, "title", reason));
    }
    for passage in texts.passages.iter().filter(|passage| !passage.inherited) {
        let text = &passage.text;
        let (rule, reason) = match passage.place {
            Place::Title => ("F601", over(text.chars().count(), title, "微信标题", "个字符")),
            Place::Digest => ("F601", over(text.chars().count(), digest, "微信摘要", "个字符")),
            Place::Ticker if has_link(texts, passage) => {
                ("F607", Some("滚动字幕里放了链接，客户点不了".to_owned()))
            }
            Place::Ticker => ("F607", ticker(text, limits.ticker_words.value)),
            Place::Sms => ("F609", sms(context, variant, text, limits.sms_units.value)),
            _ => continue,
        };
        if let Some(reason) = reason {
            findings.extend(finding(context, variant, passage, rule, reason));
        }
    }
    findings
}

fn finding(
    context: &Context<'_>,
    variant: &Variant,
    passage: &Passage<'_>,
    rule: &str,
    reason: String,
) -> Option<Finding> {
    let span = Some(passage.source(0..passage.text.len()));
    let mut finding = context.finding(rule, &variant.file, span, reason)?;
    finding.output = Some(passage.place.label().into());
    Some(finding)
}

fn has_link(texts: &Texts<'_>, passage: &Passage<'_>) -> bool {
    let span = passage.span;
    let inside = texts.links.iter().any(|l| span.start <= l.span.start && l.span.end <= span.end);
    inside || !super::links::addresses(&passage.text).is_empty()
}

fn over(count: usize, limit: usize, what: &str, unit: &str) -> Option<String> {
    (count > limit).then(|| format!("{what} {count} {unit}，至多 {limit}"))
}

fn ticker(text: &str, most: usize) -> Option<String> {
    let odd = text.chars().find(|c| !is_plain(*c) && *c != REFERENCE);
    if let Some(odd) = odd {
        return Some(format!("滚动字幕里的“{odd}”不是普通文字，字幕屏显示不了"));
    }
    over(count_words(text), most, "滚动字幕", "字")
}

/// Letters, digits, Chinese characters and their marks.
fn is_plain(character: char) -> bool {
    matches!(character,
        ' '..='~' | '·' | '—' | '–' | '‘'..='”' | '…' | '℃' | '\u{3000}'..='\u{303F}' | '\n'
        | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{FF01}'..='\u{FF5E}' | '￥')
}

fn sms(context: &Context<'_>, variant: &Variant, text: &str, most: usize) -> Option<String> {
    let numbers = variant.hotlines.iter().filter_map(|id| context.library.hotline(id));
    let longest = numbers.map(|hotline| hotline.number.len()).max().unwrap_or(5);
    let signature = format!("【{}】", context.bank.name);
    let body = text.strip_prefix(&signature).unwrap_or(text);
    if body.starts_with('【') {
        return Some("短信的署名不是本行的名字".into());
    }
    let units = |c: char| if c == REFERENCE { longest } else { c.len_utf16() };
    let length: usize = signature.chars().chain(body.chars()).map(units).sum();
    if !super::links::addresses(body).is_empty() {
        return Some("短信里放了网址，客户分不清真假".into());
    }
    over(length, most, "短信连署名", "个字符")
}
