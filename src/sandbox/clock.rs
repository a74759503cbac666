//! The platform's days and months: always those of Asia/Shanghai, which has no summer time.

use jiff::{
    Timestamp, civil,
    tz::{self, Offset},
};

const SHANGHAI: Offset = tz::offset(8);

/// The wall clock there.
pub(super) fn civil(at: Timestamp) -> civil::DateTime {
    SHANGHAI.to_datetime(at)
}

/// The day there.
pub(super) fn day(at: Timestamp) -> civil::Date {
    civil(at).date()
}

/// The quota window that a moment belongs to, as text that changes when the next begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Span {
    /// A minute.
    Minute,
    /// A calendar day.
    Day,
    /// A calendar month.
    Month,
}

impl Span {
    /// Names the window.
    pub(super) fn window(self, at: Timestamp) -> String {
        let civil = civil(at);
        match self {
            Self::Minute => civil.strftime("%Y-%m-%dT%H:%M").to_string(),
            Self::Day => civil.strftime("%Y-%m-%d").to_string(),
            Self::Month => civil.strftime("%Y-%m").to_string(),
        }
    }
}
