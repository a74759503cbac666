//! What an outcome makes of a delivery: pure, so that tables can test it.

use crate::{
    deliver::{DeliverError, Retry},
    model::DeliveryState,
    store::{Delivery, Lease, Transition},
};
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

/// Failures in a row after which a person is asked instead of trying on.
const MOST_FAILURES: u32 = 12;

/// A change to `state` that ends the lease and says nothing.
pub(super) fn change(delivery: &Delivery, state: DeliveryState, now: Timestamp) -> Transition {
    Transition {
        state,
        next_at: now,
        lease: Lease::Release,
        begins_attempt: false,
        failures: delivery.failures,
        prepared_ref: None,
        remote_ref: None,
        url: None,
        error_class: None,
        message: String::new(),
        next_step: String::new(),
    }
}

pub(super) fn later(now: Timestamp, pause: Duration) -> Timestamp {
    SignedDuration::try_from(pause)
        .ok()
        .and_then(|pause| now.checked_add(pause).ok())
        .unwrap_or(Timestamp::MAX)
}

/// What a failure makes of a delivery: pure, so that a table can test it.
#[must_use]
pub fn after_failure(delivery: &Delivery, error: &DeliverError, now: Timestamp) -> Transition {
    let failures = delivery.failures + 1;
    let sending = delivery.state == DeliveryState::Sending;
    // While it is accepted or unknown, a failed question changes nothing about what is out.
    let asking = matches!(delivery.state, DeliveryState::Accepted | DeliveryState::Unknown);
    // Doubles from two seconds to ten minutes.
    let backoff = Duration::from_secs(2_u64.saturating_pow(failures.min(9)).clamp(2, 600));
    let (state, next_at) = match error.retry {
        Retry::Ask if sending => (DeliveryState::Unknown, later(now, Duration::from_secs(5))),
        _ if asking => {
            let at = match error.retry {
                Retry::At(at) => at,
                Retry::After(pause) => later(now, pause.max(backoff)),
                Retry::Never | Retry::Ask => later(now, backoff.max(Duration::from_mins(1))),
            };
            (delivery.state, at)
        }
        Retry::At(at) if at < delivery.expires_at => (DeliveryState::RetryWait, at),
        Retry::After(pause) if failures < MOST_FAILURES => {
            (DeliveryState::RetryWait, later(now, pause.max(backoff)))
        }
        Retry::Ask if failures < MOST_FAILURES => (DeliveryState::RetryWait, later(now, backoff)),
        Retry::Never | Retry::At(_) | Retry::After(_) | Retry::Ask => {
            (DeliveryState::NeedsHuman, now)
        }
    };
    let code = error.code.as_ref().map_or_else(String::new, |code| format!(" {code}"));
    Transition {
        next_at,
        failures,
        error_class: Some(format!("{}{code}", error.kind.as_str())),
        message: error.message.clone(),
        next_step: if state == DeliveryState::NeedsHuman && error.next_step.is_empty() {
            format!("处理后运行 caishi retry {}", delivery.id)
        } else {
            error.next_step.clone()
        },
        ..change(delivery, state, now)
    }
}
