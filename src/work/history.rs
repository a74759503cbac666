//! Everything that ever was to go out, and when it was to be seen.

use super::{Publisher, WorkError};
use crate::store::{DeliveriesState, Out, Seen};
use jiff::Timestamp;
use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError},
};

/// A delivery, and when it was to be seen.
#[derive(Debug, Clone)]
pub(super) struct Past {
    pub(super) out: Arc<Out>,
    pub(super) seen: Seen,
}

/// All deliveries there ever were.
#[derive(Debug)]
pub struct History {
    /// How they stand.
    state: DeliveriesState,
    /// Those of the latest slot first.
    pub(super) pasts: Vec<Past>,
}

impl History {
    /// How many deliveries there ever were.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pasts.len()
    }

    /// Whether there never was one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pasts.is_empty()
    }

    /// When something was to be seen for the first time.
    #[must_use]
    pub fn out_at(&self, delivery: &str) -> Option<Timestamp> {
        self.find(delivery).and_then(|past| past.seen.from())
    }

    /// When it was taken down.
    #[must_use]
    pub fn recalled_at(&self, delivery: &str) -> Option<Timestamp> {
        self.find(delivery).and_then(|past| past.seen.recalled)
    }

    fn find(&self, delivery: &str) -> Option<&Past> {
        self.pasts.iter().find(|past| past.out.delivery == delivery)
    }

    fn of(mut pasts: Vec<Past>) -> Self {
        pasts.sort_by(|one, other| {
            let slots = other.out.slot.cmp(&one.out.slot);
            slots.then_with(|| one.out.delivery.cmp(&other.out.delivery))
        });
        Self { state: DeliveriesState::of(pasts.iter().map(|past| &*past.out)), pasts }
    }

    /// When the last of them changed.
    fn latest(&self) -> Option<Timestamp> {
        self.pasts.iter().map(|past| past.out.changed_at).max()
    }

    /// The same with those that changed since.
    fn with(&self, changed: Vec<Past>) -> Self {
        let changed = changed.into_iter().map(|past| (past.out.delivery.clone(), past));
        let mut changed: BTreeMap<String, Past> = changed.collect();
        let pasts = self.pasts.iter();
        let kept =
            pasts.map(|past| changed.remove(&past.out.delivery).unwrap_or_else(|| past.clone()));
        let mut pasts: Vec<Past> = kept.collect();
        pasts.extend(changed.into_values());
        Self::of(pasts)
    }
}

impl Publisher {
    /// Everything that ever was to go out. Costs one small question while nothing changes, and
    /// after a change what changed.
    ///
    /// # Errors
    /// The ledger's.
    pub async fn history(&self) -> Result<Arc<History>, WorkError> {
        let state = self.store.deliveries_state().await?;
        let known = || self.live.history.lock().unwrap_or_else(PoisonError::into_inner);
        let old = known().clone();
        if let Some(old) = old.as_ref().filter(|old| old.state == state) {
            return Ok(Arc::clone(old));
        }
        let mut read = None;
        if let Some((old, latest)) = old.as_ref().and_then(|old| Some((old, old.latest()?))) {
            let caught_up = old.with(self.pasts(Some(latest)).await?);
            // Where a clock was set back, or something changed just now, more may have changed.
            read = Some(caught_up).filter(|caught_up| caught_up.state == state);
        }
        let read = match read {
            Some(read) => read,
            None => History::of(self.pasts(None).await?),
        };
        let read = Arc::new(read);
        *known() = Some(Arc::clone(&read));
        Ok(read)
    }

    /// All deliveries, or those that changed at a moment or after it.
    async fn pasts(&self, changed: Option<Timestamp>) -> Result<Vec<Past>, WorkError> {
        let outs = self.store.out_ever(changed).await?;
        let mut seen = self.store.seen(changed).await?;
        let past = |out: Out| Past {
            seen: seen.remove(&out.delivery).unwrap_or_default(),
            out: Arc::new(out),
        };
        Ok(outs.into_iter().map(past).collect())
    }
}
