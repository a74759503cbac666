//! What runs out soon, some days before it stops a slot.

use crate::model::{Approval, Decision, Lesson, Library};
use jiff::{Timestamp, ToSpan as _, civil::Date, tz::TimeZone};
use std::{collections::BTreeMap, fmt};

/// Something that counts up to and including a day.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Warning {
    /// The last day on which it counts.
    pub day: Date,
    /// What it is about: an approval number, a lesson, a file.
    pub subject: String,
    /// What ends, and what to do, in Chinese.
    pub what: String,
    /// Days that are left after today; below zero once it has run out.
    pub days_left: i32,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let when = match self.days_left {
            ..0 => format!("已过期 {} 天", self.days_left.unsigned_abs()),
            0 => "今天到期".into(),
            left => format!("还有 {left} 天到期"),
        };
        write!(f, "{} {}（{}）：{}", self.subject, when, self.day, self.what)
    }
}

/// Everything that has run out or will within `days`, the most pressing first. `approvals` come
/// with the number of their review; what the same step renewed or refused later is left out.
/// Variants that run out together are named once.
#[must_use]
pub fn warnings(
    now: Timestamp,
    days: u16,
    approvals: &[(String, Approval)],
    library: &Library,
) -> Vec<Warning> {
    let zone = TimeZone::get("Asia/Shanghai").unwrap_or(TimeZone::UTC);
    let today = zone.to_datetime(now).date();
    let last_day = today.saturating_add(i32::from(days).days());
    let mut found = of_approvals(approvals, &zone);
    library.lessons.iter().for_each(|lesson| of_lesson(lesson, &mut found));
    found.extend(of_calendar(library));
    found.retain(|(day, ..)| *day <= last_day);
    found.sort();
    found.dedup();
    let warning = |(day, subject, what): (Date, String, String)| {
        let days_left = today.until(day).map_or(0, |span| span.get_days());
        Warning { day, subject, what, days_left }
    };
    found.into_iter().map(warning).collect()
}

type Expiry = (Date, String, String);

fn of_approvals(approvals: &[(String, Approval)], zone: &TimeZone) -> Vec<Expiry> {
    let counts = |(number, approval): &&(String, Approval)| {
        let replaced = approvals.iter().any(|(other, later)| {
            other == number
                && later.step == approval.step
                && later.manifest == approval.manifest
                && later.at > approval.at
        });
        approval.decision == Decision::Approved && !replaced
    };
    let expiry = |(number, approval): &(String, Approval)| {
        let day = zone.to_datetime(approval.expires_at).date();
        let what =
            format!("“{}”的签字到期后不再发送；请重新签：caishi approve {number}", approval.step);
        (day, number.clone(), what)
    };
    approvals.iter().filter(counts).map(expiry).collect()
}

fn of_lesson(lesson: &Lesson, found: &mut Vec<Expiry>) {
    const FACTS: &str = "请核对数字、法规和电话，改前言里的 facts_review_by，再重新送审";
    const VALID: &str = "有效期到后不再发送；到期撤下，或改 valid_until 后重新送审";
    let mut by_day: BTreeMap<(Date, &str), Vec<&str>> = BTreeMap::new();
    for (audience, variant) in &lesson.variants {
        by_day.entry((variant.valid_until, VALID)).or_default().push(audience.label());
        if let Some(day) = variant.facts_review_by {
            by_day.entry((day, FACTS)).or_default().push(audience.label());
        }
    }
    for ((day, what), audiences) in by_day {
        let whole = audiences.len() == lesson.variants.len();
        let which = if whole { String::new() } else { format!(" {}", audiences.join("、")) };
        found.push((day, format!("{}{which}", lesson.id), what.to_owned()));
    }
}

fn of_calendar(library: &Library) -> Option<Expiry> {
    let last_year = library.calendar.published_years.iter().max()?;
    let last_day = Date::new(*last_year, 12, 31).ok()?;
    let what = "这以后的节假日没有登记，按周一到周五算；安排公布后请补上";
    Some((last_day, "content/calendar.toml".into(), what.into()))
}
