//! The days of a week or month, and the campaigns that lie over them.

use super::{super::asked::Asked, Entry};
use crate::{
    model::{Calendar, Library},
    work::clock::shanghai,
};
use jiff::{Timestamp, ToSpan as _, civil::Date};

/// The days that are shown.
#[derive(Debug, Clone)]
pub(super) struct Span {
    /// Whether it is a month, not a week.
    pub(super) month: bool,
    /// The first day, a Monday.
    pub(super) from: Date,
    /// The last day, a Sunday.
    pub(super) until: Date,
    /// What it is called.
    pub(super) title: String,
    /// The query of the span before, and of the one after.
    pub(super) before: String,
    pub(super) after: String,
    /// A day of it, to switch between week and month.
    pub(super) day: Date,
}

fn monday(day: Date) -> Date {
    day.saturating_sub(i64::from(day.weekday().to_monday_zero_offset()).days())
}

impl Span {
    /// What is asked for: `?week=2026-11-30`, or `?view=month&week=…`; else the week of today.
    pub(super) fn asked(asked: &Asked, today: Date) -> Self {
        // Far away nothing is planned, and dates must stay dates.
        let in_reach = |day: &Date| (2000..=2200).contains(&day.year());
        let day = asked.text("week").parse::<Date>().ok().filter(in_reach).unwrap_or(today);
        let month = asked.text("view") == "month";
        let (from, until) = if month {
            (monday(day.first_of_month()), monday(day.last_of_month()).saturating_add(6.days()))
        } else {
            (monday(day), monday(day).saturating_add(6.days()))
        };
        let (before, after) = if month {
            (
                day.first_of_month().saturating_sub(1.days()),
                day.last_of_month().saturating_add(1.days()),
            )
        } else {
            (from.saturating_sub(7.days()), from.saturating_add(7.days()))
        };
        let view = if month { "view=month&" } else { "" };
        let title =
            if month { day.strftime("%Y-%m").to_string() } else { format!("{from} — {until}") };
        Self {
            month,
            title,
            from,
            until,
            before: format!("?{view}week={before}"),
            after: format!("?{view}week={after}"),
            day: if month { day.first_of_month() } else { from },
        }
    }

    /// From its first moment until the first after it.
    pub(super) fn moments(&self) -> (Timestamp, Timestamp) {
        let zone = shanghai(Timestamp::UNIX_EPOCH).time_zone().clone();
        let start = |day: Date| {
            let zoned = day.to_zoned(zone.clone());
            zoned.map_or(Timestamp::UNIX_EPOCH, |zoned| zoned.timestamp())
        };
        (start(self.from), start(self.until.saturating_add(1.days())))
    }
}

/// One day.
pub(super) struct Day {
    pub(super) date: Date,
    pub(super) weekday: (&'static str, &'static str),
    /// Its holiday, make-up workday or blackout.
    pub(super) holiday: Option<String>,
    pub(super) makeup: bool,
    pub(super) blackout: Option<String>,
    pub(super) is_today: bool,
    /// Whether it belongs to the month that is shown.
    pub(super) inside: bool,
    pub(super) entries: Vec<Entry>,
    /// What was moved away from it, and where to.
    pub(super) away: Vec<String>,
    /// How many of its slots are folded away; the day's own link shows them.
    pub(super) more: usize,
}

impl Day {
    /// Folds a full day: what is an alarm stays, and the first of the others.
    pub(super) fn fold(&mut self, rows: usize) {
        let all = self.entries.len();
        let mut room = rows;
        self.entries.retain(|entry| {
            let fits = room > 0;
            room = room.saturating_sub(1);
            fits || entry.mark.tone == "alarm"
        });
        self.more = all - self.entries.len();
    }
}

const WEEKDAYS: [(&str, &str); 7] = [
    ("周一", "Mon"),
    ("周二", "Tue"),
    ("周三", "Wed"),
    ("周四", "Thu"),
    ("周五", "Fri"),
    ("周六", "Sat"),
    ("周日", "Sun"),
];

/// The days of a span with what is due on each.
pub(super) fn days(calendar: &Calendar, span: &Span, today: Date, entries: Vec<Entry>) -> Vec<Day> {
    let mut entries = entries.into_iter().peekable();
    let mut days = Vec::new();
    for date in span.from.series(1.day()).take_while(|date| *date <= span.until) {
        let offset = date.weekday().to_monday_zero_offset().unsigned_abs();
        let mut own = Vec::new();
        while let Some(entry) = entries.next_if(|entry| shanghai(entry.due).date() <= date) {
            own.push(entry);
        }
        days.push(Day {
            weekday: WEEKDAYS[usize::from(offset) % 7],
            holiday: calendar.holiday(date).map(|holiday| holiday.name.clone()),
            makeup: calendar.makeup_workdays.contains(&date),
            blackout: calendar.blackout(date).map(|blackout| blackout.reason.clone()),
            is_today: date == today,
            inside: !span.month || date.month() == span.day.month(),
            entries: own,
            away: Vec::new(),
            more: 0,
            date,
        });
    }
    days
}

/// A campaign over the days of one week.
#[derive(Debug, Clone)]
pub(super) struct Band {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) from: Date,
    pub(super) until: Date,
    /// Days of the week before it, under it and after it.
    pub(super) before: usize,
    pub(super) under: usize,
    pub(super) behind: usize,
    /// Whether a week before it that is shown has it too.
    pub(super) again: bool,
}

/// The editions that touch a span.
pub(super) fn bands(library: &Library, span: &Span) -> Vec<Band> {
    let editions = library.campaigns.iter().flat_map(|series| &series.editions);
    let mut bands: Vec<Band> = editions
        .filter(|edition| edition.from <= span.until && edition.until >= span.from)
        .map(|edition| Band {
            id: edition.id.to_string(),
            name: edition.name.clone(),
            from: edition.from,
            until: edition.until,
            before: 0,
            under: 7,
            behind: 0,
            again: false,
        })
        .collect();
    bands.sort_by(|one, other| (one.from, &one.id).cmp(&(other.from, &other.id)));
    bands
}

/// The days of a week under the campaigns that lie over them.
pub(super) type Week = (Vec<Band>, Vec<Day>);

/// Days as a list for a week; as weeks under their bands for both.
pub(super) fn arrange(span: &Span, days: Vec<Day>, bands: &[Band]) -> (Vec<Day>, Vec<Week>) {
    let of_week = |first: Date| -> Vec<Band> {
        let last = first.saturating_add(6.days());
        let touching = bands.iter().filter(|band| band.from <= last && band.until >= first);
        touching
            .map(|band| {
                let distance = |from: Date, to: Date| {
                    let days = from.until(to).map_or(0, |span| span.get_days());
                    usize::try_from(days).unwrap_or(0).min(6)
                };
                let before = distance(first, band.from.max(first));
                let behind = distance(band.until.min(last), last);
                Band {
                    again: band.from < first && first > span.from,
                    before,
                    behind,
                    under: 7_usize.saturating_sub(before + behind),
                    ..band.clone()
                }
            })
            .collect()
    };
    if !span.month {
        return (days, vec![(of_week(span.from), Vec::new())]);
    }
    let mut weeks: Vec<Week> = Vec::new();
    for day in days {
        match weeks.last_mut() {
            Some((_, own)) if own.len() < 7 => own.push(day),
            _ => weeks.push((of_week(day.date), vec![day])),
        }
    }
    (Vec::new(), weeks)
}
