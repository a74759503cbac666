//! Moments as people and platforms of the country say them: in Asia/Shanghai.

use super::WorkError;
use jiff::{Timestamp, ToSpan as _, Zoned, tz::TimeZone};

/// The moment in Asia/Shanghai; the zone is compiled in.
#[must_use]
pub fn shanghai(at: Timestamp) -> Zoned {
    at.to_zoned(TimeZone::get("Asia/Shanghai").unwrap_or(TimeZone::fixed(jiff::tz::offset(8))))
}

/// The moment that `--at` means: an RFC 3339 time, or `2026-11-30 08:00` in Asia/Shanghai.
///
/// # Errors
/// [`WorkError::Unknown`] says what is expected.
pub fn moment(text: &str) -> Result<Timestamp, WorkError> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    let zone = shanghai(Timestamp::UNIX_EPOCH).time_zone().clone();
    text.replace('/', "-")
        .parse::<jiff::civil::DateTime>()
        .ok()
        .and_then(|at| at.to_zoned(zone).ok())
        .map(|at| at.timestamp())
        .ok_or_else(|| {
            WorkError::Unknown(format!("看不懂时间“{text}”，请写成 2026-11-30 08:00（北京时间）"))
        })
}

/// The moment without its fraction of a second: what an occurrence is named by.
#[must_use]
pub fn this_second(now: Timestamp) -> Timestamp {
    now.checked_sub(i64::from(now.subsec_nanosecond()).nanoseconds()).unwrap_or(now)
}
