//! Rules A108, D401, D402 and D407: telephone numbers, personal data, real people, minors.

use super::{
    Context,
    catalogue::Excuse,
    cues::surrounding,
    passage::{Passage, Place, Scope},
    walk::Texts,
};
use crate::model::{Audience, Finding, Related, Variant};
use iso_7064::MOD11_2;
use std::ops::Range;

pub(super) fn check(context: &Context<'_>, variant: &Variant, texts: &Texts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for passage in texts.passages.iter().filter(|passage| !passage.inherited) {
        let personal = personal_data(context, &passage.text);
        for (range, what) in &personal {
            let span = Some(passage.source(range.clone()));
            let reason = format!("{}里有{what}", passage.place.label());
            findings.extend(context.finding("D401", &variant.file, span, reason));
        }
        if passage.scope != Scope::Code {
            telephones(context, variant, passage, &personal, &mut findings);
        }
        findings.extend(person(context, variant, passage));
        findings.extend(contest(context, variant, passage));
        findings.extend(form(context, variant, passage));
    }
    findings
}

/// Personal data in a text: where, and what it is.
pub(super) fn personal_data(
    context: &Context<'_>,
    text: &str,
) -> Vec<(Range<usize>, &'static str)> {
    let patterns = &context.catalogue.patterns;
    let mut found: Vec<(Range<usize>, &'static str)> = Vec::new();
    for captures in patterns.identity.captures_iter(text) {
        // GB 11643: the last character is the check character of ISO 7064 MOD 11-2.
        if let Some(number) = captures.name("number")
            && MOD11_2.verify_lax(&number.as_str().replace([' ', '-'], "").to_uppercase())
        {
            found.push((number.range(), "身份证号"));
        }
    }
    for captures in patterns.card.captures_iter(text) {
        let Some(number) = captures.name("number") else { continue };
        let digits: String = number.as_str().chars().filter(char::is_ascii_digit).collect();
        let long_enough = (15..=19).contains(&digits.len());
        let taken =
            found.iter().any(|(range, _)| range.start < number.end() && number.start() < range.end);
        if long_enough && !taken && luhn::valid(&digits) {
            found.push((number.range(), "银行卡号"));
        }
    }
    for captures in patterns.mobile.captures_iter(text) {
        if let Some(number) = captures.name("number") {
            found.push((number.range(), "手机号"));
        }
    }
    let public = [
        "网点",
        "支行",
        "营业",
        "分行",
        "银行",
        "派出所",
        "公安局",
        "大厅",
        "中心",
        "地址：",
        "法院",
    ];
    for address in patterns.address.find_iter(text) {
        let around = surrounding(text, address.range());
        let sentence = format!("{}{}{}", around.before, around.hit, around.after);
        if !public.iter().any(|word| sentence.contains(word)) {
            found.push((address.range(), "住址"));
        }
    }
    found
}

/// Rule A108.
fn telephones(
    context: &Context<'_>,
    variant: &Variant,
    passage: &Passage<'_>,
    personal: &[(Range<usize>, &'static str)],
    findings: &mut Vec<Finding>,
) {
    // What a scammer's screen shows is shown, not dialled.
    if passage.scope.is_quoted() || passage.place == Place::Label {
        return;
    }
    let patterns = &context.catalogue.patterns;
    let text = &passage.text;
    let shaped = patterns.telephone.captures_iter(text);
    let short = patterns.short_telephone.captures_iter(text);
    let mut ranges: Vec<Range<usize>> = shaped
        .chain(short)
        .filter_map(|captures| captures.name("number").or_else(|| captures.name("number2")))
        .map(|number| number.range())
        .collect();
    let labels = ["订单号", "编号", "单号", "尾号", "流水号", "验证码", "券号", "密码"];
    let registered = context.library.hotlines.iter().filter(|hotline| hotline.number.len() > 3);
    ranges.extend(registered.flat_map(|hotline| {
        text.match_indices(hotline.number.as_str())
            .filter(|(at, number)| stands_alone(text, *at..*at + number.len()))
            .map(|(at, number)| at..at + number.len())
    }));
    ranges.sort_by_key(|range| (range.start, range.end));
    ranges.dedup_by_key(|range| range.start);
    ranges.retain(|range| {
        let before: String = text[..range.start].chars().rev().take(6).collect();
        let before: String = before.chars().rev().collect();
        let numbered = labels.iter().any(|label| before.contains(label));
        let taken = |other: &Range<usize>| other.start < range.end && range.start < other.end;
        !numbered && !personal.iter().any(|(other, _)| taken(other))
    });
    for range in ranges {
        let number = &text[range.clone()];
        let known = context.library.hotlines.iter().find(|hotline| hotline.number == number);
        let span = passage.source(range.clone());
        let reason = format!("电话写成了数字“{number}”");
        let Some(mut finding) = context.finding("A108", &variant.file, Some(span), reason) else {
            continue;
        };
        if let Some(hotline) = known {
            finding.diagnostic.help =
                format!("写成 {{{{hotline:{}}}}}：号码在 hotlines.toml 里。", hotline.id);
            finding.related.push(Related {
                file: std::sync::Arc::clone(&hotline.file),
                span: Some(hotline.span),
                note: format!("{}登记在这里", hotline.name),
            });
            if passage.is_exact(&range, &variant.file.text) {
                finding.fix = Some(crate::model::Fix {
                    what: "号码换成引用".into(),
                    edits: vec![(span, format!("{{{{hotline:{}}}}}", hotline.id))],
                });
            }
        }
        findings.push(finding);
    }
}

fn stands_alone(text: &str, range: Range<usize>) -> bool {
    let joined = |c: char| c.is_ascii_alphanumeric() || c == '*' || c == '.';
    !text[..range.start].ends_with(joined) && !text[range.end..].starts_with(joined)
}

/// Rule D402.
fn person(context: &Context<'_>, variant: &Variant, passage: &Passage<'_>) -> Option<Finding> {
    let telling =
        matches!(passage.scope, Scope::Own | Scope::Case | Scope::Turn | Scope::Statistic);
    if !telling || passage.cleared_case || passage.text.contains("化名") {
        return None;
    }
    let patterns = &context.catalogue.patterns;
    let name = patterns.person.find(&passage.text)?;
    let fact = patterns.identifying.find(&passage.text)?;
    let name_text = name.as_str().trim_end_matches(['，', '、', '（', ',']);
    let name_text = name_text.trim_end_matches("今年");
    let reason = format!("写了“{name_text}”，又写了“{}”，认得出是谁", fact.as_str());
    context.finding("D402", &variant.file, Some(passage.source(name.range())), reason)
}

/// Rule D403 in words: a line to fill in, or a request to.
fn form(context: &Context<'_>, variant: &Variant, passage: &Passage<'_>) -> Option<Finding> {
    if passage.scope.is_quoted() || passage.place == Place::Staff {
        return None;
    }
    let hit = context.catalogue.patterns.form.find_iter(&passage.text).find(|found| {
        !context.catalogue.cues.excuses(&EXCUSES, surrounding(&passage.text, found.range()))
    })?;
    let reason = format!("“{}”在收集个人信息", hit.as_str());
    context.finding("D403", &variant.file, Some(passage.source(hit.range())), reason)
}

/// What excuses a demand: that it is forbidden, somebody else's, or warned of.
const EXCUSES: [Excuse; 5] =
    [Excuse::Negated, Excuse::Cautioned, Excuse::Attributed, Excuse::Warned, Excuse::Asked];

/// Rule D407.
fn contest(context: &Context<'_>, variant: &Variant, passage: &Passage<'_>) -> Option<Finding> {
    if passage.scope.is_quoted() || passage.place == Place::Staff {
        return None;
    }
    let minors = [
        "小学生",
        "中学生",
        "儿童",
        "小朋友",
        "未满14",
        "未满十四",
        "未成年",
        "初中",
        "高中生",
        "孩子",
    ];
    let for_minors = variant.audience == Audience::Student
        || minors.iter().any(|word| passage.text.contains(word));
    if !for_minors {
        return None;
    }
    let patterns = &context.catalogue.patterns;
    let hit = patterns.contest.find_iter(&passage.text).find(|found| {
        !context.catalogue.cues.excuses(&EXCUSES, surrounding(&passage.text, found.range()))
    })?;
    let reason = format!("给未成年人的内容里有“{}”", hit.as_str());
    context.finding("D407", &variant.file, Some(passage.source(hit.range())), reason)
}
