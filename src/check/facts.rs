//! Rules C301 to C306: numbers, laws, names and dates against the registries of facts.

use super::{
    Context,
    cues::surrounding,
    passage::{Passage, Place, Scope},
    patterns::number,
    walk::Texts,
};
use crate::model::{Figure, Finding, Law, Provenance, Related, Variant};
use jiff::civil::Date;
use std::{ops::Range, sync::Arc};

pub(super) fn check(context: &Context<'_>, variant: &Variant, texts: &Texts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (cite, span) in &texts.citations {
        let (law, article) = cite.split_once('/').unwrap_or((cite, ""));
        if let Some((reason, law)) = citation_fault(context, law, article, "") {
            let found = context.finding("C302", &variant.file, Some(*span), reason);
            findings.extend(found.map(|finding| relate(finding, law.map(|law| &law.provenance))));
        }
    }
    for passage in texts.passages.iter().filter(|passage| !passage.inherited) {
        if passage.scope == Scope::Code {
            continue;
        }
        citations(context, variant, passage, &mut findings);
        names(context, variant, passage, &mut findings);
        if passage.scope.is_quoted() {
            continue;
        }
        dates(context, variant, passage, &mut findings);
        figures(context, variant, passage, &mut findings);
        statistics(context, variant, passage, &mut findings);
    }
    findings
}

/// Adds the registry entry to the related places.
fn relate(mut finding: Finding, entry: Option<&Provenance>) -> Finding {
    if let Some(entry) = entry {
        finding.related.push(Related {
            file: Arc::clone(&entry.file),
            span: Some(entry.span),
            note: format!("登记在这里，来源：{}，{} 核对", entry.source, entry.verified_on),
        });
    }
    finding
}

/// Rule C302 in running text.
fn citations(
    context: &Context<'_>,
    variant: &Variant,
    passage: &Passage<'_>,
    findings: &mut Vec<Finding>,
) {
    for captures in context.catalogue.patterns.citation.captures_iter(&passage.text) {
        let (Some(whole), Some(name)) = (captures.get(0), captures.name("law")) else { continue };
        let article = captures.name("articles").map_or("", |articles| articles.as_str());
        let is_law = ["法", "条例"].iter().any(|end| name.as_str().ends_with(end));
        // A contract has articles, too.
        let ends = ["法", "典", "条例", "办法", "规定", "解释", "规则", "细则", "决定"];
        if !is_law && (article.is_empty() || !ends.iter().any(|e| name.as_str().ends_with(e))) {
            continue;
        }
        let around = surrounding(&passage.text, whole.range());
        let sentence = format!("{}{}{}", around.before, around.hit, around.after);
        if let Some((reason, law)) = citation_fault(context, name.as_str(), article, &sentence) {
            let span = Some(passage.source(whole.range()));
            let found = context.finding("C302", &variant.file, span, reason);
            findings.extend(found.map(|finding| relate(finding, law.map(|law| &law.provenance))));
        }
    }
}

/// What is wrong with a citation, and the law where it is known.
fn citation_fault<'a>(
    context: &Context<'a>,
    name: &str,
    article: &str,
    sentence: &str,
) -> Option<(String, Option<&'a Law>)> {
    if context.library.facts.laws.is_empty() {
        return None;
    }
    let Some(law) = context.library.facts.law(name) else {
        return Some((format!("法规表里没有《{name}》"), None));
    };
    let history = ["原", "废止", "失效", "当时", "旧", "曾", "以前", "被取代", "取代", "并入"];
    if let Some(day) = law.repealed.filter(|day| *day <= context.today) {
        if history.iter().any(|word| sentence.contains(word)) {
            return None;
        }
        let now =
            law.replaced_by.as_deref().map_or(String::new(), |new| format!("，现在看《{new}》"));
        return Some((format!("《{name}》{day} 起失效{now}"), Some(law)));
    }
    if law.in_force > context.today && !sentence.contains("施行") {
        return Some((format!("《{name}》{} 才施行", law.in_force), Some(law)));
    }
    let digits = article.trim_start_matches('第').split('条').next().unwrap_or("");
    let asked = number(digits)?;
    let count = f64::from(law.articles?);
    (asked > count || asked < 1.0)
        .then(|| (format!("《{name}》一共 {count} 条，没有第 {asked} 条"), Some(law)))
}

/// Rule C303.
fn names(
    context: &Context<'_>,
    variant: &Variant,
    passage: &Passage<'_>,
    findings: &mut Vec<Finding>,
) {
    let facts = &context.library.facts.superseded;
    let mut taken: Vec<Range<usize>> = Vec::new();
    let mut names: Vec<_> = facts.iter().filter(|name| name.since <= context.today).collect();
    names.sort_by_key(|name| std::cmp::Reverse(name.old.len()));
    for name in names {
        let masks: Vec<Range<usize>> = name
            .except
            .iter()
            .chain([&name.new])
            .filter(|phrase| phrase.contains(&name.old))
            .flat_map(|phrase| passage.text.match_indices(phrase.as_str()))
            .map(|(at, phrase)| at..at + phrase.len())
            .collect();
        for (at, old) in passage.text.match_indices(name.old.as_str()) {
            let range = at..at + old.len();
            let inside = |other: &Range<usize>| other.start < range.end && range.start < other.end;
            if taken.iter().chain(&masks).any(inside) {
                continue;
            }
            taken.push(range.clone());
            if is_history(context, &passage.text, &range, i32::from(name.since.year())) {
                continue;
            }
            let span = Some(passage.source(range));
            let reason = format!("“{old}”{} 起改为“{}”", name.since, name.new);
            let found = context.finding("C303", &variant.file, span, reason);
            findings.extend(found.map(|finding| relate(finding, Some(&name.provenance))));
        }
    }
}

/// The sentence speaks of then: it has a year up to the change, or says so in a word.
fn is_history(context: &Context<'_>, text: &str, range: &Range<usize>, changed: i32) -> bool {
    let around = surrounding(text, range.clone());
    let before = around.before.trim_end_matches(['“', '《', '（']);
    let words = ["原", "时任", "当时的", "曾经的", "（原", "前身是", "改名前", "合并前"];
    if words.iter().any(|word| before.ends_with(word)) || around.after.starts_with("（现") {
        return true;
    }
    let sentence = format!("{}{}{}", around.before, around.hit, around.after);
    let renamed = ["改为", "改名", "更名", "改称", "前身", "不再保留", "撤销", "组建", "并入"];
    if renamed.iter().any(|word| sentence.contains(word)) {
        return true;
    }
    let years = context.catalogue.patterns.year.find_iter(&sentence);
    years.into_iter().any(|year| {
        year.as_str()
            .get(..4)
            .and_then(|year| year.parse::<i32>().ok())
            .is_some_and(|y| y <= changed)
    })
}

/// Rule C304.
fn dates(
    context: &Context<'_>,
    variant: &Variant,
    passage: &Passage<'_>,
    findings: &mut Vec<Finding>,
) {
    let patterns = &context.catalogue.patterns;
    for captures in patterns.day.captures_iter(&passage.text) {
        let Some(whole) = captures.get(0) else { continue };
        let Some(day) = day_of(&captures) else { continue };
        // Inside the lesson's own life it was true.
        if day >= context.today || variant.valid_until <= day {
            continue;
        }
        let around = surrounding(&passage.text, whole.range());
        let open = [
            "将于",
            "将从",
            "将自",
            "即日起至",
            "将在",
            "截至",
            "截止到",
            "截止",
            "最迟",
            "不晚于",
            "有效期至",
            "有效期到",
            "延长至",
            "延期至",
            "执行至",
            "持续到",
            "持续至",
            "预计",
            "计划于",
            "拟于",
            "到期日为",
        ];
        let before = around.before.trim_end_matches(['：', ':', '“', ' ']);
        let ahead = open.iter().any(|word| before.ends_with(word))
            || patterns.future.is_match(around.after);
        let sentence = format!("{}{}{}", around.before, around.hit, around.after);
        let past = [
            "已于",
            "已经",
            "曾",
            "当时",
            "当年",
            "过期",
            "结束了",
            "已结束",
            "统计",
            "数据",
            "已满",
            "历史",
            "以前的做法",
            "止的数据",
            "共发",
            "已在",
            "累计",
        ];
        if ahead && !past.iter().any(|word| sentence.contains(word)) {
            let span = Some(passage.source(whole.range()));
            let reason = format!("“{}”已经过去了，这里说的还是将来", whole.as_str());
            findings.extend(context.finding("C304", &variant.file, span, reason));
        }
    }
}

fn day_of(captures: &regex::Captures<'_>) -> Option<Date> {
    let part = |name: &str| captures.name(name).and_then(|part| part.as_str().parse::<i16>().ok());
    match (part("year"), part("month"), part("day")) {
        (Some(year), Some(month), Some(day)) => {
            Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
        }
        _ => {
            let month = i8::try_from(part("month2")?).ok()?;
            Date::new(part("year2")?, month, 1).ok().map(jiff::civil::Date::last_of_month)
        }
    }
}

/// Rule C306.
fn figures(
    context: &Context<'_>,
    variant: &Variant,
    passage: &Passage<'_>,
    findings: &mut Vec<Finding>,
) {
    for figure in &context.library.facts.figures {
        if !figure.subject.iter().any(|word| passage.text.contains(word.as_str())) {
            continue;
        }
        if let Some((range, written)) = wrong_figure(context, figure, &passage.text) {
            let span = Some(passage.source(range));
            let right: Vec<String> = figure.values.iter().map(ToString::to_string).collect();
            let unit = figure.units.first().map_or("", String::as_str);
            let reason = format!(
                "“{}”写成了“{written}”，应当是 {} {unit}（{}）",
                figure.name,
                right.join(" 或 "),
                figure.law
            );
            let found = context.finding("C306", &variant.file, span, reason);
            findings.extend(found.map(|finding| relate(finding, Some(&figure.provenance))));
        }
    }
}

/// The first quantity that is wrong, in a sentence about the figure in which none is right.
fn wrong_figure(
    context: &Context<'_>,
    figure: &Figure,
    text: &str,
) -> Option<(Range<usize>, String)> {
    let mut start = 0;
    for end in super::cues::sentence_ends(text) {
        let sentence = &text[start..end];
        let about = |words: &[String]| words.iter().any(|word| sentence.contains(word.as_str()));
        if about(&figure.subject) && (figure.context.is_empty() || about(&figure.context)) {
            let mut wrong = None;
            let mut right = false;
            for captures in context.catalogue.patterns.quantity.captures_iter(sentence) {
                let (Some(whole), Some(digits), Some(unit)) =
                    (captures.get(0), captures.name("number"), captures.name("unit"))
                else {
                    continue;
                };
                let Some(value) = number(digits.as_str()) else { continue };
                let is_year = unit.as_str() == "年" && value >= 1900.0;
                let ordinal = sentence[..whole.start()].ends_with('第');
                let ours = figure.units.iter().any(|own| own == unit.as_str());
                let moment = ["前", "后", "以前", "之前", "之后", "以后", "来"];
                let moment = moment.iter().any(|end| sentence[whole.end()..].starts_with(end));
                if is_year || ordinal || moment || !ours {
                    continue;
                }
                right |= figure.values.iter().any(|own| (own - value).abs() < 1e-9);
                let range = start + whole.start()..start + whole.end();
                wrong.get_or_insert((range, whole.as_str().to_owned()));
            }
            if !right && wrong.is_some() {
                return wrong;
            }
        }
        start = end;
    }
    None
}

/// Words of a sentence whose number has a source, is an example, or is a price.
const SOURCED_OR_ASSUMED: [&str; 52] = [
    "例如",
    "比如",
    "假如",
    "假设",
    "如果",
    "算一算",
    "年化",
    "《",
    "规定",
    "条例",
    "据公安",
    "据人民银行",
    "据国家",
    "据中国",
    "据最高",
    "公布",
    "发布",
    "数据来自",
    "来源",
    "百分之百",
    "100%",
    "100％",
    "存款保险",
    "罚款",
    "利率",
    "利息",
    "月返",
    "本金",
    "借",
    "到账",
    "手续费",
    "一成不变",
    "收益",
    "电量",
    "折扣",
    "保底",
    "还款",
    "像",
    "举个例子",
    "打个比方",
    "好比",
    "最高偿付",
    "就是",
    "票面",
    "兑换",
    "残",
    "换",
    "退还",
    "额度",
    "转",
    "存",
    "买",
];

/// Rule C301.
fn statistics(
    context: &Context<'_>,
    variant: &Variant,
    passage: &Passage<'_>,
    findings: &mut Vec<Finding>,
) {
    let telling = matches!(passage.scope, Scope::Own | Scope::Turn)
        && !matches!(passage.place, Place::Label | Place::Staff);
    if !telling || passage.sourced || passage.warns {
        return;
    }
    for found in context.catalogue.patterns.statistic.find_iter(&passage.text) {
        let around = surrounding(&passage.text, found.range());
        let sentence = format!("{}{}{}", around.before, around.hit, around.after);
        if SOURCED_OR_ASSUMED.iter().any(|word| sentence.contains(word)) {
            continue;
        }
        let span = Some(passage.source(found.range()));
        let reason = format!("“{}”没有写出处", found.as_str().trim());
        findings.extend(context.finding("C301", &variant.file, span, reason));
    }
}
