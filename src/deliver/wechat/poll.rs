//! How often the end of a publication is asked for: `freepublish/get` may be called 100 times a
//! day for the whole account, and callbacks usually tell first.

use super::journal;
use crate::deliver::{Books, DeliverError};
use jiff::Timestamp;
use std::time::Duration;

/// Seconds to wait after the first question, the second, and so on; then as the last.
const PAUSES: [u64; 6] = [30, 120, 600, 1800, 3600, 7200];

/// How long to wait after so many questions without an end.
#[must_use]
pub fn pause(asked: u32) -> Duration {
    let index = usize::try_from(asked.saturating_sub(1)).unwrap_or(usize::MAX);
    let last = PAUSES[PAUSES.len() - 1];
    Duration::from_secs(PAUSES.get(index).copied().unwrap_or(last))
}

/// Counts a question and says how long to wait before the next.
pub(super) async fn count(books: &dyn Books) -> Result<Duration, DeliverError> {
    let before: u32 =
        journal::read(books, journal::POLLS).await?.and_then(|text| text.parse().ok()).unwrap_or(0);
    let asked = before.saturating_add(1);
    journal::write(books, journal::POLLS, &asked.to_string()).await?;
    Ok(pause(asked))
}

/// How long it is until then; at least a second.
pub(super) fn until(then: Timestamp, now: Timestamp) -> Duration {
    let seconds = then.as_second().saturating_sub(now.as_second()).max(1);
    Duration::from_secs(seconds.unsigned_abs())
}
