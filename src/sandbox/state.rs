//! Everything the platform remembers: one value behind one lock, saved as one JSON file.

use super::{
    books::Ledger,
    fault::FaultBoard,
    wechat::{Account, Event, Profile},
};
use crate::model::Digest;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc};

/// The version of the state file's form.
pub(super) const VERSION: u32 = 1;

/// The platform's memory.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct World {
    /// The form of the file.
    pub version: u32,
    /// What identifiers and tokens are derived from. Tokens are never stored, only derived again.
    pub seed: String,
    /// How far the clock was moved, in milliseconds.
    pub shift_ms: i64,
    /// The last number given out.
    pub serial: u64,
    /// The accounts by app id.
    pub accounts: BTreeMap<String, Account>,
    /// What happened.
    pub ledger: Ledger,
    /// Pictures by digest; saved as files of their own.
    #[serde(skip)]
    pub pictures: BTreeMap<String, Arc<[u8]>>,
    /// The faults in force.
    #[serde(skip)]
    pub faults: FaultBoard,
    /// Callbacks that wait to be sent.
    #[serde(skip)]
    pub outbox: Vec<Event>,
    /// What accounts are like that nobody has used yet.
    #[serde(skip)]
    pub profiles: BTreeMap<String, Profile>,
    /// The name that new accounts bear.
    #[serde(skip)]
    pub bank: String,
}

impl World {
    /// An empty world.
    pub(super) fn new(seed: String) -> Self {
        Self {
            version: VERSION,
            seed,
            shift_ms: 0,
            serial: 0,
            accounts: BTreeMap::new(),
            ledger: Ledger::default(),
            pictures: BTreeMap::new(),
            faults: FaultBoard::default(),
            outbox: Vec::new(),
            profiles: BTreeMap::new(),
            bank: String::new(),
        }
    }

    /// The platform's clock.
    pub(super) fn now(&self) -> Timestamp {
        let real = Timestamp::now();
        real.checked_add(SignedDuration::from_millis(self.shift_ms)).unwrap_or(real)
    }

    /// A number that was not given out before.
    pub(super) fn next(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    /// `length` characters that follow from the seed and `label`: the same for the same label.
    pub(super) fn derive(&self, label: &str, length: usize) -> String {
        let mut text = String::with_capacity(length + 43);
        for block in 0_u32.. {
            if text.len() >= length {
                break;
            }
            let block = block.to_be_bytes();
            let digest =
                Digest::of_fields([self.seed.as_bytes(), label.as_bytes(), block.as_slice()]);
            text.push_str(&URL_SAFE_NO_PAD.encode(digest.as_bytes()));
        }
        text.truncate(length);
        text
    }

    /// An identifier of `length` characters that was not given out before.
    pub(super) fn fresh(&mut self, label: &str, length: usize) -> String {
        let number = self.next();
        self.derive(&format!("{label}/{number}"), length)
    }

    /// The account, made on first use.
    pub(super) fn account(&mut self, app_id: &str) -> &mut Account {
        let (profiles, bank) = (&self.profiles, &self.bank);
        self.accounts.entry(app_id.to_owned()).or_insert_with(|| {
            let profile = profiles
                .get(app_id)
                .cloned()
                .unwrap_or_else(|| Profile { name: bank.clone(), ..Profile::default() });
            Account::new(app_id, profile)
        })
    }

    /// Ends the jobs that came due and puts their callbacks into the outbox.
    pub(super) fn settle(&mut self, base: &url::Url) {
        let now = self.now();
        for (app_id, account) in &mut self.accounts {
            for event in account.settle(app_id, now, base) {
                self.outbox.push(event);
            }
        }
    }

    /// When the next job comes due, by the platform's clock.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        let jobs = self.accounts.values().flat_map(|account| &account.dispatches);
        jobs.filter(|job| job.is_running()).map(|job| job.due_at).min()
    }
}
