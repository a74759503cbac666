//! A rule, a campaign's days and the calendar → slots, and what becomes of each. Pure: the clock
//! is a parameter.
//!
//! | module | what it does |
//! |---|---|
//! | [`instants`] | rule and time zone → moments, across changes of the clock |
//! | [`timetable`] | a schedule's slots: campaign days, blackouts, workdays, rotation |
//! | [`decision`] | slots that are due → fire, hold for a person, or skip with a reason |
//! | [`warning`] | what runs out soon: approvals, facts, lessons, the calendar itself |
//!
//! [`decide`], [`upcoming`] and [`lessons_of_slot`] are the short ways in.
//!
//! A slot is named by the moment at which it is due: `UNIQUE(schedule, slot)` in the ledger lets
//! two schedulers fire it once. Where a blackout moves it, that is the moment it was moved to, and
//! *scheduled* is the moment that the rule had.
//!
//! A slot that a person moved keeps the rule's moment as its name and shows that moment's lessons;
//! it is only *due* at another one ([`Timetable::with_moves`]).
//!
//! Where clocks change: a time that is left out moves forward to the first moment that exists; a
//! time that comes twice counts the first time only; a day that is left out altogether has no
//! slots, as 31 April has none. Several times that fall together are one slot.

mod decision;
mod instants;
mod timetable;
mod warning;

pub use decision::{Decided, MAX_AT_ONCE, MAX_RUN_ALL, SlotDecision, UNATTENDED_DAYS, Verdict};
pub use instants::{Instants, resolve};
pub use timetable::{ScheduleError, Timetable};
pub use warning::{Warning, warnings};

use crate::model::{Calendar, Edition, LessonId, ScheduleEntry, SlotMove, Window};
use jiff::{SignedDuration, Timestamp};

/// How far [`upcoming`] looks ahead: 29 February is at most eight years away.
const HORIZON: SignedDuration = SignedDuration::from_hours(24 * 366 * 8);

/// What becomes of every slot due in `(decided_until, now]`: see
/// [`Timetable::decide`], of which this hands out all portions. Empty for a schedule that was
/// never looked at, for a clock that was put back, and for a rule that cannot be read.
#[must_use]
pub fn decide(
    entry: &ScheduleEntry,
    window: Window,
    calendar: &Calendar,
    decided_until: Option<Timestamp>,
    now: Timestamp,
) -> Vec<SlotDecision> {
    let timetable = Timetable::new(entry, window, calendar);
    timetable.map_or_else(|_| Vec::new(), |timetable| timetable.decide_all(decided_until, now))
}

/// The next slots after a moment that will fire as far as is known, at most `count`, whatever the
/// campaign's days.
#[must_use]
pub fn upcoming(
    entry: &ScheduleEntry,
    calendar: &Calendar,
    after: Timestamp,
    count: usize,
) -> Vec<SlotDecision> {
    upcoming_moved(entry, calendar, &[], after, count)
}

/// The same, with the slots that people moved.
#[must_use]
pub fn upcoming_moved(
    entry: &ScheduleEntry,
    calendar: &Calendar,
    moves: &[SlotMove],
    after: Timestamp,
    count: usize,
) -> Vec<SlotDecision> {
    if !entry.enabled {
        return Vec::new();
    }
    let zone = &entry.time_zone;
    let until = after.checked_add(HORIZON).unwrap_or(Timestamp::MAX);
    let window =
        Window { from: zone.to_datetime(after).date(), until: zone.to_datetime(until).date() };
    let Ok(timetable) = Timetable::new(entry, window, calendar) else { return Vec::new() };
    let mut found = timetable.with_moves(moves).upcoming(after, count);
    found.retain(|one| one.verdict == Verdict::Fire);
    found.truncate(count);
    found
}

/// The lessons that a slot shows: `lessons_per_slot` of the edition's, in its order, and after the
/// last one the first again. The n-th slot since the edition's first day shows the lessons from
/// `n × lessons_per_slot` on. Slots that were skipped or moved count like others, so that a week's
/// lesson is known a year ahead. For a moment between two slots, those of the earlier one.
#[must_use]
pub fn lessons_of_slot(entry: &ScheduleEntry, edition: &Edition, slot: Timestamp) -> Vec<LessonId> {
    let lessons = &edition.lessons;
    let each = entry.lessons_per_slot.min(lessons.len());
    if each == 0 || each == lessons.len() {
        return lessons.clone();
    }
    let calendar = Calendar::default();
    let window = Window { from: edition.from, until: edition.until };
    let Ok(timetable) = Timetable::new(entry, window, &calendar) else { return Vec::new() };
    let number = timetable.slots(Timestamp::MIN, slot).count().saturating_sub(1);
    let first = number % lessons.len() * each % lessons.len();
    lessons.iter().cycle().skip(first).take(each).cloned().collect()
}
