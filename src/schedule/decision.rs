//! Slots that are due → what becomes of each.

use super::timetable::{Planned, Timetable};
use crate::model::Misfire;
use jiff::{SignedDuration, Timestamp};

/// How many missed slots `run_all` runs: the latest ones.
pub const MAX_RUN_ALL: usize = 10;

/// How many slots one call decides; the next call goes on with the rest.
pub const MAX_AT_ONCE: usize = 1_000;

/// After so many days without a decision nothing fires by itself: either nobody has looked after
/// the service for longer than the longest holiday, or the clock has jumped ahead. A person looks
/// first.
pub const UNATTENDED_DAYS: i64 = 14;

/// What becomes of a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It goes out.
    Fire,
    /// A person runs or skips it; why, in Chinese.
    Hold(String),
    /// It does not go out; why, in Chinese.
    Skip(String),
}

/// One slot and what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotDecision {
    /// What tells slots apart: the moment it is due. Of a slot that a person moved, and of one that
    /// is skipped because it would meet another one, the moment that the rule had.
    pub slot: Timestamp,
    /// The moment that the rule had: the same, or earlier where the calendar moved it.
    pub scheduled: Timestamp,
    /// The moment it is due: that of `slot`, except where a person moved it or it is skipped
    /// because it would meet another one.
    pub due: Timestamp,
    /// What becomes of it.
    pub verdict: Verdict,
}

/// What one look at the clock decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// In the order in which they are decided; every slot once, whichever way it ends.
    pub slots: Vec<SlotDecision>,
    /// Everything due up to here is decided: hand it to the next call. Never goes back.
    pub until: Timestamp,
    /// How far the clock is behind what was decided already, where it is: it was put back, or had
    /// run ahead. Nothing is decided again; nothing new is either until the clock has caught up.
    pub clock_behind: Option<SignedDuration>,
}

impl Timetable<'_> {
    /// What becomes of the slots due in `(decided_until, now]`.
    ///
    /// * Without `decided_until`, the schedule starts now: earlier slots are not made up.
    /// * A slot is *late* once `grace` has passed. `run_latest` fires the last slot of those that
    ///   are due and skips the ones before it; late, the last one is held. `hold` and `skip` fire
    ///   every slot that is not late, and hold or skip those that are. `run_all` fires the last
    ///   [`MAX_RUN_ALL`], late or not.
    /// * After [`UNATTENDED_DAYS`] without a decision, what would fire is held.
    /// * With the clock behind `decided_until` nothing is decided: see [`Decided::clock_behind`].
    #[must_use]
    pub fn decide(&self, decided_until: Option<Timestamp>, now: Timestamp) -> Decided {
        let Some(after) = decided_until else {
            return Decided { slots: Vec::new(), until: now, clock_behind: None };
        };
        if now < after {
            let behind = Some(after.duration_since(now));
            return Decided { slots: Vec::new(), until: after, clock_behind: behind };
        }
        let planned = self.planned(after, now, MAX_AT_ONCE + MAX_RUN_ALL);
        let unattended =
            now.duration_since(after) > SignedDuration::from_hours(24 * UNATTENDED_DAYS);
        let mut later = planned.iter().filter(|one| one.refused.is_none()).count();
        let mut slots = Vec::with_capacity(planned.len());
        for one in &planned {
            let verdict = if let Some(reason) = &one.refused {
                Verdict::Skip(reason.clone())
            } else {
                later -= 1;
                let verdict = self.verdict(one, later, now);
                if unattended {
                    hold_unattended(verdict, now.duration_since(after))
                } else {
                    verdict
                }
            };
            slots.push(one.decided(verdict));
        }
        // The rest is left to the next call. Slots that are due at one moment stay together.
        let mut until = now;
        if let Some(next) = planned.get(MAX_AT_ONCE) {
            let kept = match planned.partition_point(|one| one.due < next.due) {
                0 => planned.len(),
                kept => kept,
            };
            slots.truncate(kept);
            until = planned[kept - 1].due;
        }
        Decided { slots, until, clock_behind: None }
    }

    /// The same for everything up to now: all portions together.
    #[must_use]
    pub fn decide_all(
        &self,
        decided_until: Option<Timestamp>,
        now: Timestamp,
    ) -> Vec<SlotDecision> {
        let mut slots = Vec::new();
        let mut after = decided_until;
        loop {
            let decided = self.decide(after, now);
            slots.extend(decided.slots);
            if decided.until >= now {
                return slots;
            }
            after = Some(decided.until);
        }
    }

    /// `later` is how many slots that are due come after this one.
    fn verdict(&self, one: &Planned, later: usize, now: Timestamp) -> Verdict {
        if let Some(hold) = self.on_moved_blackout(one) {
            return hold;
        }
        let lateness = now.duration_since(one.due);
        let late = lateness > self.entry.grace;
        let too_late =
            || format!("迟了{}，超过宽限{}", duration(lateness), duration(self.entry.grace));
        match self.entry.misfire {
            Misfire::RunLatest if later > 0 => {
                Verdict::Skip(format!("错过了{}，由后面的一次代替", duration(lateness)))
            }
            Misfire::RunLatest | Misfire::Hold if late => {
                Verdict::Hold(format!("{}，由人决定补发还是跳过", too_late()))
            }
            Misfire::Skip if late => Verdict::Skip(format!("{}，按排期的设置跳过", too_late())),
            Misfire::RunAll if later >= MAX_RUN_ALL => Verdict::Skip(format!(
                "错过了{}，后面还有 {later} 次；一次至多补 {MAX_RUN_ALL} 次",
                duration(lateness)
            )),
            Misfire::RunLatest | Misfire::Hold | Misfire::Skip | Misfire::RunAll => Verdict::Fire,
        }
    }
}

fn hold_unattended(verdict: Verdict, since: SignedDuration) -> Verdict {
    match verdict {
        Verdict::Fire => Verdict::Hold(format!(
            "距上次处理排期已有{}，可能停机太久，也可能是时钟跳到了将来；核对时钟后由人决定",
            duration(since)
        )),
        other => other,
    }
}

/// A length of time for people, such as `2 小时 5 分`, to the minute.
fn duration(length: SignedDuration) -> String {
    let minutes = length.as_mins();
    let (days, hours, minutes) = (minutes / 1440, minutes / 60 % 24, minutes % 60);
    let mut parts = Vec::new();
    for (count, unit) in [(days, "天"), (hours, "小时"), (minutes, "分钟")] {
        if count > 0 {
            parts.push(format!(" {count} {unit}"));
        }
    }
    if parts.is_empty() { "不到一分钟".into() } else { parts.concat() }
}
