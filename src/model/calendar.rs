//! Holidays, make-up workdays and days on which nothing goes out.

use jiff::civil::{Date, Weekday};

/// What `calendar.toml` says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Calendar {
    /// Days off, sorted by day.
    pub holidays: Vec<Holiday>,
    /// Weekend days that are worked (调休), sorted.
    pub makeup_workdays: Vec<Date>,
    /// Days on which nothing goes out, sorted by first day.
    pub blackouts: Vec<Blackout>,
    /// The years whose holidays the authorities have published, sorted. Those of other years are
    /// a guess.
    pub published_years: Vec<i16>,
    /// Where the holidays were looked up.
    pub source: String,
    /// When somebody last looked.
    pub verified_on: Option<Date>,
}

/// A day off.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Holiday {
    /// The day.
    pub day: Date,
    /// The name of its holiday.
    pub name: String,
}

/// Days on which nothing goes out, first and last day included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blackout {
    /// First day.
    pub from: Date,
    /// Last day.
    pub until: Date,
    /// Why.
    pub reason: String,
}

impl Calendar {
    /// The holiday of that day.
    #[must_use]
    pub fn holiday(&self, day: Date) -> Option<&Holiday> {
        self.holidays.iter().find(|holiday| holiday.day == day)
    }

    /// Whether people work on the day: Monday to Friday, less holidays, plus make-up workdays.
    #[must_use]
    pub fn is_workday(&self, day: Date) -> bool {
        let weekend = matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
        self.makeup_workdays.contains(&day) || (!weekend && self.holiday(day).is_none())
    }

    /// The blackout that the day belongs to.
    #[must_use]
    pub fn blackout(&self, day: Date) -> Option<&Blackout> {
        self.blackouts.iter().find(|blackout| blackout.from <= day && day <= blackout.until)
    }
}
