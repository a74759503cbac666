//! What the service does next with what is missing, and whether a night was missed.

use super::Service;
use crate::branch::{
    disk,
    pull::Missing,
    window::{Night, phase},
};
use jiff::{SignedDuration, Timestamp};
use std::{fs, path::PathBuf};

/// How late a branch may begin to catch up, so that a district whose power comes back does not
/// come all at once.
const CATCH_UP_SPREAD: SignedDuration = SignedDuration::from_mins(10);

/// What is to be done next.
#[derive(Debug, PartialEq)]
pub(super) enum Step {
    Emergency,
    Pack { night: Option<Night> },
    Wait { until: Option<Timestamp> },
}

impl Service {
    /// What is to be done with what is missing now.
    pub(super) fn step(&self, missing: &Missing) -> Step {
        if !missing.emergency.is_empty() {
            return Step::Emergency;
        }
        let (now, window) = (self.clock().now(), self.timetable.window);
        let night = window.open_at(now);
        let Some(release) = missing.release else {
            self.own().catch_up_from = None;
            self.attended(night);
            return Step::Wait { until: None };
        };
        if let Some(night) = night {
            let rate = self.timetable.bytes_per_s;
            let begin = night.begin(&self.puller.state.branch, &release, missing.bytes(), rate);
            let mut own = self.own();
            if own.begun == Some(night.from) || begin <= now {
                if own.begun != Some(night.from) {
                    self.puller.forgive();
                }
                own.begun = Some(night.from);
                return Step::Pack { night: Some(night) };
            }
            return Step::Wait { until: Some(begin) };
        }
        let next = window.after(now);
        if self.is_late(missing, next, now) {
            let spread =
                CATCH_UP_SPREAD.as_millis() as f64 * phase(&self.puller.state.branch, &release);
            let from = *self
                .own()
                .catch_up_from
                .get_or_insert(now + SignedDuration::from_millis(spread as i64));
            if from <= now {
                return Step::Pack { night: None };
            }
            return Step::Wait { until: Some(from) };
        }
        Step::Wait { until: next.map(|night| night.from) }
    }

    /// Whether something missing would be late if it came next night, and it is not the branch's
    /// line alone that was too slow last night.
    fn is_late(&self, missing: &Missing, next: Option<Night>, now: Timestamp) -> bool {
        if !self.timetable.catch_up {
            return false;
        }
        let late = |at: &Timestamp| next.is_none_or(|next| *at < next.until);
        let last = self.timetable.window.before(now);
        let text = fs::read_to_string(self.attended_path()).unwrap_or_default();
        let attended: Timestamp = text.trim().parse().unwrap_or(Timestamp::MIN);
        let missed = last.is_none_or(|night| attended < night.until);
        missed && missing.pack.iter().any(|(at, _)| late(at))
    }

    fn attended_path(&self) -> PathBuf {
        self.puller.state.root.join("attended")
    }

    /// Notes that the branch had its chance in a night.
    pub(super) fn attended(&self, night: Option<Night>) {
        let Some(night) = night else { return };
        let (path, text) = (self.attended_path(), night.until.to_string());
        if fs::read_to_string(&path).is_ok_and(|known| known == text) {
            return;
        }
        if let Err(error) = disk::write(&path, text.as_bytes()) {
            self.warn(&error);
        }
    }
}
