//! The platform's documented limits per day, month and minute, and the bank's own send window.
//!
//! Days and months are the platform's, in China Standard Time, which has had no summer time since
//! 1991: a fixed offset.

use crate::deliver::{Books, DeliverError, ErrorKind, QuotaAnswer, QuotaWindow, Retry};
use jiff::{
    Timestamp, ToSpan as _, Zoned,
    civil::Time,
    tz::{TimeZone, offset},
};

/// The daily limits of a new account, by call
/// (<https://developers.weixin.qq.com/doc/service/Message_Management/API_Call_Limits.html>).
/// Sending to all has limits of its own: [`super::mass`].
pub const DAILY_LIMITS: [(&str, u32); 15] = [
    ("draft/add", 1000),
    ("draft/batchget", 1000),
    ("draft/count", 1000),
    ("draft/delete", 1000),
    ("draft/get", 500),
    ("freepublish/batchget", 100),
    ("freepublish/delete", 10),
    ("freepublish/get", 100),
    ("freepublish/getarticle", 100),
    ("freepublish/submit", 100),
    ("material/add_material", 100_000),
    ("media/uploadimg", 100_000),
    ("message/mass/preview", 100),
    ("message/mass/delete", 10),
    ("message/mass/get", 1000),
];

/// The daily limit of a call, where one is known.
#[must_use]
pub fn daily_limit(call: &str) -> Option<u32> {
    DAILY_LIMITS.iter().find(|(name, _)| *name == call).map(|(_, limit)| *limit)
}

/// The platform's time.
pub(super) fn local(now: Timestamp) -> Zoned {
    now.to_zoned(TimeZone::fixed(offset(8)))
}

/// When the window after this one begins.
#[must_use]
pub fn next(window: QuotaWindow, now: Timestamp) -> Timestamp {
    let now = local(now);
    let next = match window {
        QuotaWindow::Minute => {
            let begun = now.with().second(0).subsec_nanosecond(0).build();
            begun.and_then(|minute| minute.checked_add(1.minute()))
        }
        QuotaWindow::Day => now.tomorrow().and_then(|day| day.start_of_day()),
        QuotaWindow::Month => now
            .first_of_month()
            .and_then(|first| first.checked_add(1.month()))
            .and_then(|first| first.start_of_day()),
    };
    // Out of range only at the end of the calendar.
    next.map_or(Timestamp::MAX, |next| next.timestamp())
}

/// The name of the window a moment lies in: `2026-09-07`, `2026-09`.
pub(super) fn name(window: QuotaWindow, now: Timestamp) -> String {
    let pattern = match window {
        QuotaWindow::Minute => "%Y-%m-%dT%H:%M",
        QuotaWindow::Day => "%Y-%m-%d",
        QuotaWindow::Month => "%Y-%m",
    };
    local(now).strftime(pattern).to_string()
}

/// Takes one call out of a quota, or says when there will be one again.
pub(super) async fn take(
    books: &dyn Books,
    call: &str,
    window: QuotaWindow,
    limit: u32,
) -> Result<(), DeliverError> {
    match books.take_quota(call, window, limit).await? {
        QuotaAnswer::Taken { .. } => Ok(()),
        QuotaAnswer::Exhausted { until } => Err(DeliverError::new(
            ErrorKind::Quota,
            Retry::At(until),
            format!("{call} {}", used_up(window, limit)),
            format!("{} 以后会自动再试", local(until).strftime("%-m月%-d日 %H:%M")),
        )),
    }
}

fn used_up(window: QuotaWindow, limit: u32) -> String {
    match window {
        QuotaWindow::Minute => format!("这一分钟的 {limit} 次用完了"),
        QuotaWindow::Day => format!("今天的 {limit} 次用完了"),
        QuotaWindow::Month => format!("本月的 {limit} 次用完了"),
    }
}

/// Hours of the day in which the channel may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SendHours {
    /// From when, included.
    pub opens: Time,
    /// Until when, excluded.
    pub closes: Time,
}

impl SendHours {
    /// Reads `08:00-22:00`. `None` where it is anything else, or would never open.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (opens, closes) = text.split_once('-')?;
        let time = |text: &str| Time::strptime("%H:%M", text.trim()).ok();
        let hours = Self { opens: time(opens)?, closes: time(closes)? };
        (hours.opens < hours.closes).then_some(hours)
    }

    /// When it opens next; `None` while it is open.
    #[must_use]
    pub fn next_opening(&self, now: Timestamp) -> Option<Timestamp> {
        let now = local(now);
        if self.opens <= now.time() && now.time() < self.closes {
            return None;
        }
        let day = if now.time() < self.opens { Ok(now.clone()) } else { now.tomorrow() };
        let opening = day.and_then(|day| day.with().time(self.opens).build());
        Some(opening.map_or(Timestamp::MAX, |opening| opening.timestamp()))
    }
}
