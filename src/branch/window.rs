//! When files may be fetched: a window of the night in which the branch's line is free, and within
//! it a moment of each branch's own, so that three hundred do not come at once.

use crate::model::{BranchId, Digest, bank_zone};
use aws_lc_rs::hmac;
use jiff::{
    SignedDuration, Timestamp, ToSpan as _,
    civil::{Date, Time},
};
use std::time::Duration;

/// The latest end of a window: branches open at eight, and their lines are theirs then.
pub const LATEST_END: Time = Time::constant(7, 45, 0, 0);

/// What is left at the end of a window for files that come slower than hoped.
const RESERVE: SignedDuration = SignedDuration::from_mins(30);

/// A window of every night, in Asia/Shanghai.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Its beginning.
    pub from: Time,
    /// Its end, exclusive; before its beginning where it runs over midnight.
    pub until: Time,
}

/// One night's window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Night {
    /// Its beginning.
    pub from: Timestamp,
    /// Its end, exclusive.
    pub until: Timestamp,
}

impl Window {
    /// The window that begins on that day.
    fn beginning_on(self, day: Date) -> Option<Night> {
        let last = if self.until <= self.from { day.tomorrow().ok()? } else { day };
        let moment = |day: Date, time: Time| {
            day.to_datetime(time).to_zoned(bank_zone()).ok().map(|zoned| zoned.timestamp())
        };
        Some(Night { from: moment(day, self.from)?, until: moment(last, self.until)? })
    }

    fn nights(self, now: Timestamp) -> impl Iterator<Item = Night> {
        let today = now.to_zoned(bank_zone()).date();
        let days = (-2..=2).filter_map(move |days| today.checked_add(i64::from(days).days()).ok());
        days.filter_map(move |day: Date| self.beginning_on(day))
    }

    /// The night that is now, if one is.
    #[must_use]
    pub fn open_at(self, now: Timestamp) -> Option<Night> {
        self.nights(now).find(|night| night.from <= now && now < night.until)
    }

    /// The night that comes next.
    #[must_use]
    pub fn after(self, now: Timestamp) -> Option<Night> {
        self.nights(now).find(|night| night.from > now)
    }

    /// The night that ended last.
    #[must_use]
    pub fn before(self, now: Timestamp) -> Option<Night> {
        self.nights(now).filter(|night| night.until <= now).last()
    }
}

impl Night {
    /// When a branch begins with that many bytes: its own moment in the part of the night after
    /// which there is still time for one and a half times as long as they should take.
    #[must_use]
    pub fn begin(&self, branch: &BranchId, release: &Digest, bytes: u64, rate: u64) -> Timestamp {
        let needed = i64::try_from(bytes * 3 / 2 / rate.max(1)).unwrap_or(i64::MAX);
        let whole = self.from.duration_until(self.until);
        let spare = whole - RESERVE.min(whole / 4);
        let spare =
            spare.saturating_sub(SignedDuration::from_secs(needed)).max(SignedDuration::ZERO);
        let offset = spare.as_millis() as f64 * phase(branch, release);
        self.from + SignedDuration::from_millis(offset as i64)
    }
}

/// The place of a branch among all branches, in `0..1`, another one for each release: HMAC-SHA256
/// (RFC 2104) spreads them evenly without anybody handing out places.
#[must_use]
pub fn phase(branch: &BranchId, release: &Digest) -> f64 {
    let key = hmac::Key::new(hmac::HMAC_SHA256, branch.as_str().as_bytes());
    let tag = hmac::sign(&key, release.as_bytes());
    let first = tag.as_ref().iter().take(8).fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
    first as f64 / (u64::MAX as f64 + 1.0)
}

/// Spends bytes no faster than a rate: a token bucket that may be overdrawn by one piece.
#[derive(Debug)]
pub struct Pace {
    bytes_per_s: u64,
    free_at: tokio::time::Instant,
}

impl Pace {
    /// At most so many bytes a second, after at most one second's worth at once.
    #[must_use]
    pub fn new(bytes_per_s: u64) -> Self {
        Self { bytes_per_s: bytes_per_s.max(1), free_at: tokio::time::Instant::now() }
    }

    /// Waits until the bytes that came are paid for.
    pub async fn spend(&mut self, bytes: u64) {
        let now = tokio::time::Instant::now();
        let earliest = now.checked_sub(Duration::from_secs(1)).unwrap_or(now);
        let cost = Duration::from_secs_f64(bytes as f64 / self.bytes_per_s as f64);
        self.free_at = self.free_at.max(earliest) + cost;
        tokio::time::sleep_until(self.free_at).await;
    }
}
