//! What was made, by the key of everything it was made from, so that nothing is made twice: not
//! again after another save, and not at once by two threads. Files are found by their digest, which
//! is how pages name them.

use crate::{
    build::Made,
    model::{Digest, OutputKind},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

/// The files of a piece, or why there are none.
pub type Outcome = Result<Vec<Arc<Made>>, String>;

/// So many bytes are kept; what was used longest ago goes first.
const BUDGET: usize = 256 << 20;

/// Everything that was made lately.
#[derive(Debug, Default)]
pub struct Cache(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    pieces: HashMap<Digest, Slot>,
    files: HashMap<Digest, Arc<Made>>,
    /// Counts uses.
    uses: u64,
}

#[derive(Debug, Default)]
struct Slot {
    outcome: Arc<OnceLock<Outcome>>,
    used: u64,
}

impl Slot {
    fn bytes(&self) -> usize {
        let files = self.outcome.get().and_then(|outcome| outcome.as_ref().ok());
        files.map_or(0, |files| files.iter().map(|made| made.bytes.len()).sum())
    }
}

impl Cache {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A thread that panicked while holding the lock leaves whole entries behind.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn slot(&self, key: Digest) -> Arc<OnceLock<Outcome>> {
        let mut state = self.lock();
        state.uses += 1;
        let used = state.uses;
        let slot = state.pieces.entry(key).or_default();
        slot.used = used;
        Arc::clone(&slot.outcome)
    }

    /// What was made under a key, where it was.
    pub fn known(&self, key: Digest) -> Option<Outcome> {
        self.slot(key).get().cloned()
    }

    /// What was made under a key; made now where it was not. Who asks for what another thread is
    /// making waits for it.
    pub fn get_or_make(&self, key: Digest, make: impl FnOnce() -> Outcome) -> Outcome {
        let slot = self.slot(key);
        if let Some(outcome) = slot.get() {
            return outcome.clone();
        }
        let outcome = slot.get_or_init(make).clone();
        let mut state = self.lock();
        for made in outcome.iter().flatten() {
            state.files.insert(made.listing.sha256, Arc::clone(made));
        }
        state.shrink(BUDGET);
        outcome
    }

    /// The file of that digest.
    pub fn file(&self, digest: &Digest) -> Option<Arc<Made>> {
        self.lock().files.get(digest).cloned()
    }

    /// The file of that digest, where it is an output of that kind.
    pub fn file_of(&self, digest: &Digest, output: OutputKind) -> Option<Arc<Made>> {
        self.file(digest).filter(|made| made.listing.output == output)
    }
}

impl State {
    fn shrink(&mut self, budget: usize) {
        let mut total: usize = self.pieces.values().map(Slot::bytes).sum();
        let mut gone = false;
        while total > budget {
            let made = self.pieces.iter().filter(|(_, slot)| slot.bytes() > 0);
            let Some(oldest) = made.min_by_key(|(_, slot)| slot.used).map(|(key, _)| *key) else {
                break;
            };
            total -= self.pieces.remove(&oldest).map_or(0, |slot| slot.bytes());
            gone = true;
        }
        if gone {
            let kept = self.pieces.values().filter_map(|slot| slot.outcome.get());
            let files =
                kept.flatten().flatten().map(|made| (made.listing.sha256, Arc::clone(made)));
            self.files = files.collect();
        }
    }
}
