//! A schedule's slots: the rule's moments within the campaign's days, moved or refused where the
//! calendar says so.

use super::{
    decision::{SlotDecision, Verdict},
    instants::{Instants, resolve},
};
use crate::model::{
    Blackout, Calendar, OnBlackout, ScheduleEntry, SlotMove, Window, schedule::parse_rule,
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
    pub(super) calendar: &'a Calendar,
    rule: Cron,
    moves: &'a [SlotMove],
}

/// A moment of the rule, the moment it is due, and why it is not to be, where that is known
/// beforehand.
#[derive(Debug, Clone)]
pub(super) struct Planned {
    pub(super) scheduled: Timestamp,
    pub(super) due: Timestamp,
    pub(super) refused: Option<String>,
    pub(super) moved: bool,
}

impl Planned {
    pub(super) fn decided(&self, verdict: Verdict) -> SlotDecision {
        // What was refused because it would meet another slot must not take that one's name.
        // One that a person moved keeps the name it had, so that it cannot fire twice.
        let keeps_name = self.refused.is_some() || self.moved;
        let slot = if keeps_name { self.scheduled } else { self.due };
        SlotDecision { slot, scheduled: self.scheduled, due: self.due, verdict }
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
        Ok(Self { entry, window, calendar, rule, moves: &[] })
    }

    /// The same, with the slots that people moved.
    #[must_use]
    pub fn with_moves(self, moves: &'a [SlotMove]) -> Self {
        Self { moves, ..self }
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

    /// Every slot that is due in `(after, until]`, with what is known beforehand; at most some
    /// thousand.
    #[must_use]
    pub fn between(&self, after: Timestamp, until: Timestamp) -> Vec<SlotDecision> {
        let decided = |one: Planned| {
            let known = one.refused.clone().map(Verdict::Skip);
            let verdict = known.or_else(|| self.on_moved_blackout(&one)).unwrap_or(Verdict::Fire);
            one.decided(verdict)
        };
        self.planned(after, until, super::MAX_AT_ONCE).into_iter().map(decided).collect()
    }

    /// A slot that was moved to a day on which nothing may go out waits for a person.
    pub(super) fn on_moved_blackout(&self, one: &Planned) -> Option<Verdict> {
        let blackout = self.calendar.blackout(self.day(one.due)).filter(|_| one.moved)?;
        let (from, until) = (blackout.from, blackout.until);
        let reason = &blackout.reason;
        Some(Verdict::Hold(format!("改到的那天在停发期 {from} 至 {until}：{reason}；由人决定")))
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
            let counts = planned.refused.is_none()
                && planned.due == moment
                && moment > after
                && !self.is_moved(moment);
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
        // With those that people moved away: they keep the name of their moment, and nothing that
        // the calendar moves there may take it.
        self.refuse_collisions(&mut found);
        found.retain(|planned| !self.is_moved(planned.scheduled));
        let moved = self.moves.iter().filter(|one| !one.decided);
        let moved = moved.filter(|one| after < one.due && one.due <= reached);
        found.extend(moved.map(|one| Planned {
            scheduled: one.slot,
            due: one.due,
            refused: self.switched_off(),
            moved: true,
        }));
        found.sort_by_key(|planned| (planned.due, planned.scheduled));
        found
    }

    /// Whether a person moved the slot that the rule has at that moment.
    fn is_moved(&self, scheduled: Timestamp) -> bool {
        self.moves.iter().any(|one| one.slot == scheduled)
    }

    fn switched_off(&self) -> Option<String> {
        let off = || format!("排期 {} 已停用（enabled = false）", self.entry.id);
        (!self.entry.enabled).then(off)
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
        let place = |due, refused| Planned { scheduled: moment, due, refused, moved: false };
        let refuse = |reason: String| place(moment, Some(reason));
        if let Some(reason) = self.switched_off() {
            return refuse(reason);
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

    /// Where the calendar has a moment of the rule due; itself where the calendar refuses it, and
    /// `None` where the rule has no such moment on the campaign's days.
    #[must_use]
    pub fn own_due(&self, scheduled: Timestamp) -> Option<Timestamp> {
        let found = self.slots(just_before(scheduled), scheduled).next();
        found.filter(|moment| *moment == scheduled).map(|moment| self.place(moment).due)
    }

    /// The blackout that a day belongs to.
    #[must_use]
    pub fn blackout(&self, day: Date) -> Option<&Blackout> {
        self.calendar.blackout(day)
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
