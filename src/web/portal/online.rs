//! Which phones have got on, for the captive-portal API alone: in memory, hashed with a key that
//! ends with the process, and forgotten when the session ends.

use std::{
    collections::{HashMap, hash_map::RandomState},
    hash::BuildHasher as _,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// More phones than all branches have guests; beyond, the API answers as if it had not seen them.
const MOST: usize = 200_000;

/// How often those whose session has ended are forgotten.
const SWEPT_EVERY: Duration = Duration::from_mins(1);

/// Whether a phone is on.
pub(super) enum Standing {
    /// Not that this service knows.
    Captive,
    /// It is, and so much of its session remains where that is known.
    Online { remaining: Option<Duration> },
}

pub(super) struct Online {
    session: Duration,
    /// Whether gateways end sessions after that time.
    is_known: bool,
    hasher: RandomState,
    until: Mutex<HashMap<u64, Instant>>,
    /// When those whose session has ended were forgotten last.
    swept: Mutex<Instant>,
}

impl Online {
    pub(super) fn new(session: Duration, is_known: bool) -> Self {
        Self {
            session,
            is_known,
            hasher: RandomState::new(),
            until: Mutex::default(),
            swept: Mutex::new(Instant::now()),
        }
    }

    /// A phone has got on.
    pub(super) fn came(&self, address: IpAddr) {
        let now = Instant::now();
        let mut until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        let mut swept = self.swept.lock().unwrap_or_else(PoisonError::into_inner);
        if now.duration_since(*swept) >= SWEPT_EVERY {
            until.retain(|_, until| *until > now);
            *swept = now;
        }
        let key = self.hasher.hash_one(address);
        // Looking at the page again makes no session longer.
        let is_on = until.get(&key).is_some_and(|until| *until > now);
        if until.len() < MOST && !is_on {
            until.insert(key, now + self.session);
        }
    }

    /// Whether a phone is on.
    pub(super) fn standing(&self, address: IpAddr) -> Standing {
        let now = Instant::now();
        let until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        match until.get(&self.hasher.hash_one(address)) {
            Some(until) if *until > now => {
                Standing::Online { remaining: self.is_known.then(|| *until - now) }
            }
            _ => Standing::Captive,
        }
    }
}
