//! Rules A102, A105 and A106: dates of the front matter.

use super::Context;
use crate::model::{Finding, Related, Variant};
use jiff::{ToSpan as _, civil::Date};

/// Topics whose facts move: laws, rates, tricks.
const MOVING: [&str; 8] = ["fraud", "scam", "credit", "loan", "law", "aml", "fundraising", "info"];

/// A lesson lives at most this long.
const LONGEST_MONTHS: i32 = 24;

/// Facts are looked at again within this many days.
pub(super) const REVIEW_DAYS: i32 = 180;

pub(super) fn check(context: &Context<'_>, variant: &Variant) -> Vec<Finding> {
    let own = |key: &str| variant.file.text.lines().any(|line| line.starts_with(key));
    let mut findings = Vec::new();
    if own("valid_until:") || own("valid_from:") {
        findings.extend(lifetime(context, variant));
    }
    if own("topics:") {
        findings.extend(review(context, variant));
    }
    if own("campaigns:") || own("valid_until:") {
        findings.extend(campaigns(context, variant));
    }
    findings
}

fn lifetime(context: &Context<'_>, variant: &Variant) -> Option<Finding> {
    let (from, until) = (variant.valid_from, variant.valid_until);
    let longest = from.saturating_add(LONGEST_MONTHS.months());
    if until > from && until <= longest {
        return None;
    }
    let reason = if until <= from {
        format!("valid_until（{until}）没有晚于 valid_from（{from}）")
    } else {
        format!("有效期从 {from} 到 {until}，超过 {LONGEST_MONTHS} 个月，至多到 {longest}")
    };
    context.at_key("A102", variant, "valid_until", reason)
}

fn review(context: &Context<'_>, variant: &Variant) -> Option<Finding> {
    let topic = variant
        .topics
        .iter()
        .find(|topic| MOVING.iter().any(|word| topic.as_str().contains(word)))?;
    let last: Date = context.today.saturating_add(REVIEW_DAYS.days());
    let reason = match variant.facts_review_by {
        None => format!("“{topic}”这类课文的事实会变，没有写 facts_review_by"),
        Some(day) if day > last => {
            format!("facts_review_by（{day}）太晚，至多 {REVIEW_DAYS} 天后，也就是 {last}")
        }
        Some(day) if day < context.today => {
            format!("facts_review_by（{day}）已经过去，事实还没有复核")
        }
        Some(_) => return None,
    };
    context.at_key("A105", variant, "facts_review_by", reason)
}

fn campaigns(context: &Context<'_>, variant: &Variant) -> Vec<Finding> {
    let editions = variant.campaigns.iter().filter_map(|id| context.library.edition(id));
    let apart = editions
        .filter(|edition| edition.until < variant.valid_from || variant.valid_until < edition.from);
    apart
        .filter_map(|edition| {
            let reason = format!(
                "课文有效期 {} 至 {}，和活动“{}”（{} 至 {}）不重合",
                variant.valid_from, variant.valid_until, edition.name, edition.from, edition.until
            );
            let mut finding = context.at_key("A106", variant, "campaigns", reason)?;
            finding.related.push(Related {
                file: std::sync::Arc::new(crate::model::SourceFile {
                    path: format!("campaigns/{}.toml", edition.id.series).into(),
                    text: "".into(),
                }),
                span: None,
                note: format!("活动“{}”登记在这里", edition.id),
            });
            Some(finding)
        })
        .collect()
}
