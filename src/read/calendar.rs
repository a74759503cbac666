//! Reads `calendar.toml`: holidays, make-up workdays and blackouts.

use super::{
    faults::Faults,
    fields::{Fields, parse_date, shorten},
    node::{self, Node},
};
use crate::model::{Blackout, Calendar, Holiday, Span};
use jiff::{
    ToSpan as _,
    civil::{Date, Weekday},
};

/// No holiday is as long as so many days.
const LONGEST_HOLIDAY: usize = 31;

/// Reads the file. What can be read is given even where there are faults.
pub(super) fn read(faults: &mut Faults) -> Calendar {
    let root = node::from_toml(faults);
    let mut calendar = Calendar::default();
    let Some(mut fields) = Fields::new(&root, "calendar.toml", faults) else {
        return calendar;
    };
    calendar.source =
        fields.required_text("source", "写节假日安排是从哪里查到的。").unwrap_or_default();
    fields.require("verified_on", "写核对的日子，例如 verified_on = 2026-11-10");
    calendar.verified_on = fields.date("verified_on").map(|date| date.value);
    let mut years: Vec<i16> = Vec::new();
    for item in fields.items("year").unwrap_or_default() {
        let Some(year) = read_year(item, &mut calendar, fields.faults) else { continue };
        if years.contains(&year) {
            fields.faults.error(
                "read/duplicate-id",
                item.span,
                format!("{year} 年登记了两次"),
                "合成一段 [[year]]。".into(),
            );
        }
        years.push(year);
    }
    for item in fields.items("blackout").unwrap_or_default() {
        calendar.blackouts.extend(read_blackout(item, fields.faults));
    }
    fields.finish();
    calendar.holidays.sort();
    calendar.makeup_workdays.sort_unstable();
    calendar.published_years.sort_unstable();
    calendar.blackouts.sort_by_key(|blackout| (blackout.from, blackout.until));
    calendar
}

/// Reads one year into the calendar; answers which.
fn read_year(item: &Node, calendar: &mut Calendar, faults: &mut Faults) -> Option<i16> {
    let mut entry = Fields::new(item, "[[year]]", faults)?;
    entry.require("year", "写年份，例如 year = 2026");
    let year = entry.parsed("year", |text| match text.parse::<i16>() {
        Ok(year) if (2000..=2200).contains(&year) => Ok(year),
        _ => Err("写四位的年份，例如 2026。".into()),
    });
    let year = year.map(|year| year.value);
    entry.require("published", "安排公布了写 true，还没有公布写 false。");
    let published = entry.flag("published");
    // For people who read the file.
    let _ = entry.text("note");
    let mut holidays = Vec::new();
    for item in entry.items("holiday").unwrap_or_default() {
        holidays.extend(read_holiday(item, year, entry.faults).unwrap_or_default());
    }
    calendar.makeup_workdays.extend(read_workdays(&mut entry, year, &holidays));
    calendar.holidays.extend(holidays);
    entry.finish();
    calendar.published_years.extend(year.filter(|_| published == Some(true)));
    year
}

/// The days of one holiday.
fn read_holiday(item: &Node, year: Option<i16>, faults: &mut Faults) -> Option<Vec<Holiday>> {
    let mut entry = Fields::new(item, "[[year.holiday]]", faults)?;
    let name = entry.required_text("name", "写节名。");
    let days = read_days(&mut entry, true);
    entry.finish();
    let (from, until) = days?;
    // New Year's days off may begin in the year before.
    if let Some(year) = year.filter(|year| from.year() != *year && until.year() != *year) {
        faults.error(
            "read/bad-value",
            item.span,
            format!("{from} 不在 {year} 年"),
            "检查年份，或移到那一年的 [[year]] 里。".into(),
        );
        return None;
    }
    let name = name?;
    let days = from.series(1.day()).take_while(|day| *day <= until).take(LONGEST_HOLIDAY);
    let days: Vec<Holiday> = days.map(|day| Holiday { day, name: name.clone() }).collect();
    if days.len() == LONGEST_HOLIDAY {
        faults.error(
            "read/bad-value",
            item.span,
            format!("{name}从 {from} 放到 {until}，太长了"),
            "检查两个日期的月份。".into(),
        );
    }
    Some(days)
}

fn read_workdays(entry: &mut Fields<'_, '_>, year: Option<i16>, holidays: &[Holiday]) -> Vec<Date> {
    let mut workdays: Vec<Date> = Vec::new();
    for text in entry.texts("workdays").unwrap_or_default() {
        let mut refuse = |what: &str, help: &str| {
            let reason = format!("调休上班日“{}”{what}", shorten(&text.value));
            entry.faults.error("read/bad-value", text.span, reason, help.into());
        };
        let Some(day) = parse_date(&text.value) else {
            refuse("不是日期", "写成 年-月-日，例如 2026-02-14。");
            continue;
        };
        if year.is_some_and(|year| day.year() != year) {
            refuse("不在这一年", "检查年份，或移到那一年的 [[year]] 里。");
        } else if !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) {
            refuse("不是周末", "只登记要上班的周六、周日。");
        } else if holidays.iter().any(|holiday| holiday.day == day) {
            refuse("在放假的日子里", "从两处中的一处删掉它。");
        } else if workdays.contains(&day) {
            refuse("写了两次", "只留一个。");
        } else {
            workdays.push(day);
        }
    }
    workdays
}

fn read_blackout(item: &Node, faults: &mut Faults) -> Option<Blackout> {
    let mut entry = Fields::new(item, "[[blackout]]", faults)?;
    let days = read_days(&mut entry, false);
    let reason = entry.required_text("reason", "写为什么停发；跳过的每一次都会附上它。");
    entry.finish();
    let (from, until) = days?;
    Some(Blackout { from, until, reason: reason? })
}

/// The two dates; one day may leave out `until`.
fn read_days(entry: &mut Fields<'_, '_>, one_is_enough: bool) -> Option<(Date, Date)> {
    entry.require("from", "写第一天，例如 from = 2026-10-01");
    if !one_is_enough {
        entry.require("until", "写最后一天，例如 until = 2026-10-07");
    }
    let from = entry.date("from");
    let has_until = entry.has("until");
    let until = entry.date("until");
    let from = from?;
    let until = match until {
        Some(until) => until,
        None if has_until || !one_is_enough => return None,
        None => from.clone(),
    };
    if until.value < from.value {
        entry.faults.error(
            "read/dates-reversed",
            Span::new(from.span.start, until.span.end),
            format!("until（{}）早于 from（{}）", until.value, from.value),
            "检查两个日期的年份。".into(),
        );
        return None;
    }
    Some((from.value, until.value))
}
