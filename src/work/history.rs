//! Everything that ever was to go out, and when it was to be seen.

use super::{Publisher, WorkError};
use crate::{
    model::Digest,
    store::{Out, Seen},
};
use jiff::Timestamp;
use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError},
};

/// All deliveries there ever were, as far as a day that is over asks about them.
#[derive(Debug)]
pub struct History {
    /// The deliveries' state of which this was read.
    state: Digest,
    /// The deliveries, those of the latest slot first.
    pub(super) outs: Vec<Out>,
    seen: BTreeMap<String, Seen>,
}

impl History {
    /// How many deliveries there ever were.
    #[must_use]
    pub fn len(&self) -> usize {
        self.outs.len()
    }

    /// Whether there never was one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.outs.is_empty()
    }

    /// When something was to be seen for the first time.
    #[must_use]
    pub fn out_at(&self, delivery: &str) -> Option<Timestamp> {
        self.seen.get(delivery).and_then(Seen::from)
    }

    /// When it was taken down.
    #[must_use]
    pub fn recalled_at(&self, delivery: &str) -> Option<Timestamp> {
        self.seen.get(delivery).and_then(|seen| seen.recalled)
    }
}

impl Publisher {
    /// Everything that ever was to go out. Costs one small question while nothing changes.
    ///
    /// # Errors
    /// The ledger's.
    pub async fn history(&self) -> Result<Arc<History>, WorkError> {
        // Read before everything else: what changes meanwhile makes the next reader read again.
        let state = self.store.deliveries_state().await?;
        let known = || self.live.history.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known().as_ref().filter(|known| known.state == state) {
            return Ok(Arc::clone(known));
        }
        let outs = self.store.out_ever().await?;
        let seen = self.store.seen().await?;
        let read = Arc::new(History { state, outs, seen });
        *known() = Some(Arc::clone(&read));
        Ok(read)
    }
}
