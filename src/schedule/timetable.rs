//! A schedule's slots: the rule's moments within the campaign's days, moved or refused where the
//! calendar says so.

use super::{
    decision::{SlotDecision, Verdict},
    instants::{Instants, resolve},
};
use crate::{
    config::{OnBlackout, ScheduleEntry, parse_rule},
    model::{Calendar, Window},
};
use croner::Cron;
use jiff::{SignedDuration, Timestamp, ToSpan as _, civil::Date};

/// How many days a slot may be moved; a longer blackout drops it.
const MAX_DAYS_MOVED: usize = 31;

/// Why there is no timetable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// The rule cannot be read.
    #[error("[schedule.{schedule}] rule：{reason}")]
    Rule {
        /// Which schedule.
        schedule: String,
        /// What was expected.
        reason: String,
    },
}

/// The slots of one schedule.
#[derive(Debug, Clone)]
pub struct Timetable<'a> {
    pub(super) entry: &'a ScheduleEntry,
    window: Window,
    calendar: &'a Calendar,
    rule: Cron,
}

/// A moment of the rule, the moment it is due, and why it is not to be, where that is known
/// beforehand.
#[derive(Debug, Clone)]
pub(super) struct Planned {
    pub(super) scheduled: Timestamp,
    pub(super) due: Timestamp,
    pub(super) refused: Option<String>,
}

impl Planned {
    pub(super) fn decided(&self, verdict: Verdict) -> SlotDecision {
        // What was refused because it would meet another slot must not take that one's name.
        let slot = if self.refused.is_some() { self.scheduled } else { self.due };
        SlotDecision { slot, scheduled: self.scheduled, verdict }
    }
}

impl<'a> Timetable<'a> {
    /// A schedule on a campaign's days under a calendar.
    ///
    /// # Errors
    /// [`ScheduleError`] where the rule cannot be read.
    pub fn new(
        entry: &'a ScheduleEntry,
        window: Window,
        calendar: &'a Calendar,
    ) -> Result<Self, ScheduleError> {
        let rule = parse_rule(&entry.rule)
            .map_err(|reason| ScheduleError::Rule { schedule: entry.id.to_string(), reason })?;
        Ok(Self { entry, window, calendar, rule })
    }

    /// The rule's moments in `(after, until]` on the campaign's days, whatever becomes of them.
    pub fn slots(&self, after: Timestamp, until: Timestamp) -> Instants<'_> {
        let after = after.max(self.before_first_day());
        let until = until.min(self.end_of_last_day());
        Instants::new(&self.rule, &self.entry.time_zone, after, until)
    }

    /// The next slots after `now`, with what is known beforehand: until `count` are found that
    /// will fire, or the campaign ends.
    #[must_use]
    pub fn upcoming(&self, now: Timestamp, count: usize) -> Vec<SlotDecision> {
        let planned = self.planned(now, self.end_of_last_day(), count);
        let mut left = count;
        let mut slots = Vec::new();
        for one in planned {
            if left == 0 {
                break;
            }
            left -= usize::from(one.refused.is_none());
            slots.push(one.decided(one.refused.clone().map_or(Verdict::Fire, Verdict::Skip)));
        }
        slots
    }

    /// The day of a moment in the schedule's zone.
    #[must_use]
    pub fn day(&self, moment: Timestamp) -> Date {
        self.entry.time_zone.to_datetime(moment).date()
    }

    /// Slots that are due in `(after, until]`, in that order. Of more than `enough` slots that are
    /// not refused, some of the last may be left out, but none between two that are given.
    pub(super) fn planned(
        &self,
        after: Timestamp,
        until: Timestamp,
        enough: usize,
    ) -> Vec<Planned> {
        let mut found: Vec<Planned> = Vec::new();
        let mut in_place = 0;
        let mut reached = until;
        for moment in self.slots(self.first_that_may_move_past(after), until) {
            let planned = self.place(moment);
            let counts = planned.refused.is_none() && planned.due == moment && moment > after;
            in_place += usize::from(counts);
            found.push(planned);
            // Slots only ever move later, so all that are due up to here are known.
            if in_place > enough {
                reached = moment;
                break;
            }
        }
        found.retain(|planned| after < planned.due && planned.due <= reached);
        found.sort_by_key(|planned| (planned.due, planned.scheduled));
        self.refuse_collisions(&mut found);
        found
    }

    /// A slot that would move to a moment that another one has is dropped: the one that belongs
    /// there stays, else the first that moved.
    fn refuse_collisions(&self, planned: &mut [Planned]) {
        for group in planned.chunk_by_mut(|one, other| one.due == other.due) {
            let stays = |one: &Planned| one.refused.is_none();
            let native = group.iter().position(|one| stays(one) && one.scheduled == one.due);
            let keeper = native.or_else(|| group.iter().position(stays));
            for (index, one) in group.iter_mut().enumerate() {
                if Some(index) != keeper && one.refused.is_none() {
                    let due = self.entry.time_zone.to_datetime(one.due);
                    let due = due.strftime("%Y-%m-%d %H:%M");
                    one.refused = Some(format!("要顺延到 {due}，那时已有另一次，合成一次"));
                }
            }
        }
    }

    /// Where the calendar puts a moment of the rule.
    fn place(&self, moment: Timestamp) -> Planned {
        let place = |due, refused| Planned { scheduled: moment, due, refused };
        let refuse = |reason: String| place(moment, Some(reason));
        if !self.entry.enabled {
            return refuse(format!("排期 {} 已停用（enabled = false）", self.entry.id));
        }
        let time = self.entry.time_zone.to_datetime(moment);
        let Some(reason) = self.refusal(time.date()) else { return place(moment, None) };
        if self.entry.on_blackout == OnBlackout::Skip {
            return refuse(reason);
        }
        let following = time.date().series(1.day()).skip(1).take(MAX_DAYS_MOVED);
        let moved = following
            .filter(|day| self.refusal(*day).is_none())
            .find_map(|day| resolve(&self.entry.time_zone, day.to_datetime(time.time())));
        match moved {
            Some(due) if due <= self.end_of_last_day() => place(due, None),
            Some(_) => refuse(format!("{reason}；顺延后已过活动最后一天 {}", self.window.until)),
            None => refuse(format!("{reason}；{MAX_DAYS_MOVED} 天内没有可以顺延到的日子")),
        }
    }

    /// Why nothing goes out on a day, where nothing does.
    fn refusal(&self, day: Date) -> Option<String> {
        if let Some(blackout) = self.calendar.blackout(day) {
            return Some(format!(
                "{} 至 {} 停发：{}",
                blackout.from, blackout.until, blackout.reason
            ));
        }
        if !self.entry.workdays_only || self.calendar.is_workday(day) {
            return None;
        }
        let why = self.calendar.holiday(day).map_or("周末", |holiday| holiday.name.as_str());
        Some(format!("{day} 是{why}，这个排期只在工作日发"))
    }

    /// The moment after which the rule has slots that may be due later than `after`: those of the
    /// refused days right before it move past it.
    fn first_that_may_move_past(&self, after: Timestamp) -> Timestamp {
        if self.entry.on_blackout == OnBlackout::Skip {
            return after;
        }
        let today = self.day(after);
        let before = today.series(-1.day()).skip(1).take(MAX_DAYS_MOVED);
        let refused = before.take_while(|day| self.refusal(*day).is_some()).count();
        if refused == 0 && self.refusal(today).is_none() {
            return after;
        }
        let first = today.series(-1.day()).nth(refused).unwrap_or(today);
        just_before(self.start_of(first)).min(after)
    }

    fn before_first_day(&self) -> Timestamp {
        just_before(self.start_of(self.window.from))
    }

    fn end_of_last_day(&self) -> Timestamp {
        let next = self.window.until.tomorrow().map(|day| just_before(self.start_of(day)));
        next.unwrap_or(Timestamp::MAX)
    }

    /// The first moment of a day; of the next one where the zone leaves the day out.
    fn start_of(&self, day: Date) -> Timestamp {
        let zoned = day.to_zoned(self.entry.time_zone.clone());
        zoned.map_or(Timestamp::MAX, |zoned| zoned.timestamp())
    }
}

fn just_before(moment: Timestamp) -> Timestamp {
    moment.checked_sub(SignedDuration::from_nanos(1)).unwrap_or(moment)
}
