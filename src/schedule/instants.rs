//! Rule and time zone → the moments at which the rule is due.
//!
//! The rule is searched on the plain calendar, where every minute comes once, and each time found
//! is then looked up in the zone. So the choice of what a left-out or doubled hour means is made
//! here, for every sort of rule alike, and not by the library's guess of what the rule is for.

use croner::Cron;
use jiff::{
    SignedDuration, Timestamp,
    civil::DateTime,
    tz::{AmbiguousOffset, TimeZone},
};

/// The moment of a calendar time: where the clock jumps over it, the first moment after the jump;
/// where it comes twice, the first. `None` for a time on a day that does not exist at all.
#[must_use]
pub fn resolve(zone: &TimeZone, time: DateTime) -> Option<Timestamp> {
    let AmbiguousOffset::Gap { before, after } = zone.to_ambiguous_timestamp(time).offset() else {
        return zone.to_ambiguous_timestamp(time).earlier().ok();
    };
    // Read with the later offset, the time lies just before the jump.
    let shortly_before = after.to_timestamp(time).ok()?;
    let jump = zone.following(shortly_before).find(|jump| jump.offset() == after)?.timestamp();
    let last_before = before.to_datetime(jump.checked_sub(SignedDuration::from_nanos(1)).ok()?);
    let first_after = after.to_datetime(jump);
    let whole_day = last_before.date() < time.date() && time.date() < first_after.date();
    (!whole_day).then_some(jump)
}

/// The moments at which a rule is due, strictly increasing, after one moment and up to and
/// including another.
#[derive(Debug, Clone)]
pub struct Instants<'a> {
    rule: &'a Cron,
    zone: &'a TimeZone,
    cursor: DateTime,
    last: Timestamp,
    until: Timestamp,
}

impl<'a> Instants<'a> {
    /// Those in `(after, until]`.
    #[must_use]
    pub fn new(rule: &'a Cron, zone: &'a TimeZone, after: Timestamp, until: Timestamp) -> Self {
        // No time at or before the one shown on the clock can lead to a later moment: `resolve`
        // gives the first moment at which the clock has reached the time.
        let time = zone.to_datetime(after);
        let cursor = time.date().at(time.hour(), time.minute(), time.second(), 0);
        Self { rule, zone, cursor, last: after, until }
    }
}

impl Iterator for Instants<'_> {
    type Item = Timestamp;

    fn next(&mut self) -> Option<Timestamp> {
        loop {
            if self.last >= self.until {
                return None;
            }
            self.cursor = self.rule.find_next_occurrence(&self.cursor, false).ok()?;
            let Some(moment) = resolve(self.zone, self.cursor) else { continue };
            if moment > self.until {
                self.last = self.until;
                return None;
            }
            if moment > self.last {
                self.last = moment;
                return Some(moment);
            }
        }
    }
}
