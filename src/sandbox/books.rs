//! What happened, for tests and for people: the stand-in's own books, which no client can bend.

use super::{
    state::World,
    wechat::{AccountKind, Dispatch, Draft, Material, Way},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How many calls are kept in full; all are counted.
const CALLS_KEPT: usize = 4000;

/// Codes that say that a limit of the content was broken: a client that checks before it sends
/// never meets one.
pub(super) const LIMIT_CODES: &[i64] = &[
    40005, 40006, 40009, 40012, 40137, 40227, 41039, 44003, 44004, 45001, 45002, 45003, 45004,
    45005, 45008, 45067, 45110, 45166, 53402,
];

/// One call of the API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallRecord {
    /// Its number, from 1.
    pub number: u64,
    /// When, by the platform's clock.
    pub at: Timestamp,
    /// The account, where the call proved it.
    pub app_id: Option<String>,
    /// `GET`, `POST`.
    pub method: String,
    /// `draft/add`; the query is left out, it holds the token.
    pub path: String,
    /// How it ended; `None` where it was cut off or refused by a fault before it was carried out.
    pub errcode: Option<i64>,
    /// The platform's words for a refusal.
    pub message: String,
    /// The request's id, of refusals.
    pub rid: Option<String>,
    /// The faults that struck it.
    pub faults: Vec<String>,
}

/// A token that was given out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenIssue {
    /// The account.
    pub app_id: String,
    /// `token` or `stable_token`: the two know nothing of each other.
    pub line: String,
    /// Its number within the line.
    pub serial: u64,
    /// When.
    pub at: Timestamp,
    /// Whether it was forced.
    pub forced: bool,
}

/// Something that was taken down or thrown away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deletion {
    /// The account.
    pub app_id: String,
    /// By which call: `freepublish/delete`, `message/mass/delete`, `draft/delete`.
    pub path: String,
    /// What: `article_id`, `msg_id`, `media_id`.
    pub what: String,
    /// Which article, from 1; `None` for all.
    pub index: Option<u32>,
    /// When.
    pub at: Timestamp,
}

/// A mass send that was refused because it had been taken before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repeat {
    /// The account.
    pub app_id: String,
    /// The `clientmsgid`, or what stands for it.
    pub key: String,
    /// The `msg_id` that it got again.
    pub msg_id: i64,
    /// When.
    pub at: Timestamp,
}

/// One attempt to call an account back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallbackRecord {
    /// The account.
    pub app_id: String,
    /// `PUBLISHJOBFINISH`, `MASSSENDJOBFINISH`.
    pub event: String,
    /// The `publish_id` or `msg_id`.
    pub reference: i64,
    /// Which attempt, from 1; 0 where none was made.
    pub attempt: u32,
    /// The receiver's HTTP status, or why there was none.
    pub outcome: String,
    /// When.
    pub at: Timestamp,
}

/// The same article, out more than once over one account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Duplicate {
    /// The account.
    pub app_id: String,
    /// The digest of what readers see, whatever the pictures' addresses are.
    pub fingerprint: String,
    /// Its title.
    pub title: String,
    /// The `publish_id`s and `msg_id`s, in order.
    pub references: Vec<i64>,
}

/// One account's side of the books.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AccountBooks {
    /// The account.
    pub app_id: String,
    /// What it is called.
    pub name: String,
    /// What sort.
    pub kind: AccountKind,
    /// The drafts that are left.
    pub drafts: Vec<Draft>,
    /// The permanent material.
    pub materials: Vec<Material>,
    /// How many pictures were uploaded for articles.
    pub pictures: usize,
    /// What was published, with its articles as subscribers see them.
    pub publishes: Vec<Dispatch>,
    /// What was sent to many.
    pub mass_sends: Vec<Dispatch>,
    /// How many previews were sent.
    pub previews: u64,
}

/// Everything that happened, at one moment.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Books {
    /// The platform's clock.
    pub now: Timestamp,
    /// The calls, oldest first: the last few thousand.
    pub calls: Vec<CallRecord>,
    /// How many calls of each path ended with which code; `cut` for those that were not carried out.
    pub counts: BTreeMap<String, BTreeMap<String, u64>>,
    /// The tokens that were given out.
    pub tokens: Vec<TokenIssue>,
    /// The accounts.
    pub accounts: Vec<AccountBooks>,
    /// The callbacks.
    pub callbacks: Vec<CallbackRecord>,
    /// What was taken down.
    pub deletions: Vec<Deletion>,
    /// Mass sends that were refused as repetitions.
    pub repeats: Vec<Repeat>,
    /// Articles that are out more than once: what must never be.
    pub duplicates: Vec<Duplicate>,
    /// Calls that broke a limit which a careful client knows.
    pub limit_errors: Vec<CallRecord>,
    /// The faults in force.
    pub faults: Vec<String>,
}

impl Books {
    pub(super) fn of(world: &World, now: Timestamp) -> Self {
        let ledger = &world.ledger;
        Self {
            now,
            calls: ledger.calls.clone(),
            counts: ledger.counts.clone(),
            tokens: ledger.tokens.clone(),
            accounts: world.accounts.values().map(AccountBooks::of).collect(),
            callbacks: ledger.callbacks.clone(),
            deletions: ledger.deletions.clone(),
            repeats: ledger.repeats.clone(),
            duplicates: duplicates(world),
            limit_errors: ledger.limit_errors.clone(),
            faults: world.faults.list(),
        }
    }

    /// One account's side.
    #[must_use]
    pub fn account(&self, app_id: &str) -> Option<&AccountBooks> {
        self.accounts.iter().find(|account| account.app_id == app_id)
    }

    /// How many calls of a path ended with a code.
    #[must_use]
    pub fn count(&self, path: &str, errcode: i64) -> u64 {
        self.counts
            .get(path)
            .and_then(|codes| codes.get(&errcode.to_string()))
            .copied()
            .unwrap_or(0)
    }

    /// Everything that was published or sent and did not fail, over every account.
    pub fn out(&self) -> impl Iterator<Item = &Dispatch> {
        self.accounts
            .iter()
            .flat_map(|account| account.publishes.iter().chain(&account.mass_sends))
            .filter(|dispatch| dispatch.went_out())
    }
}

impl AccountBooks {
    fn of(account: &super::wechat::Account) -> Self {
        let of_way = |way: Way| -> Vec<Dispatch> {
            account.dispatches.iter().filter(|dispatch| dispatch.way == way).cloned().collect()
        };
        Self {
            app_id: account.app_id.clone(),
            name: account.profile.name.clone(),
            kind: account.profile.kind,
            drafts: account.drafts.values().cloned().collect(),
            materials: account.materials.values().cloned().collect(),
            pictures: account.pictures.len(),
            publishes: of_way(Way::Publish),
            mass_sends: of_way(Way::Mass),
            previews: account.previews,
        }
    }
}

/// Articles that went out, or are about to, more than once.
fn duplicates(world: &World) -> Vec<Duplicate> {
    let mut seen: BTreeMap<(String, String), Duplicate> = BTreeMap::new();
    for account in world.accounts.values() {
        for dispatch in &account.dispatches {
            if !dispatch.went_out() && !dispatch.is_running() {
                continue;
            }
            for article in &dispatch.articles {
                let key = (account.app_id.clone(), article.fingerprint.clone());
                let duplicate = seen.entry(key).or_insert_with(|| Duplicate {
                    app_id: account.app_id.clone(),
                    fingerprint: article.fingerprint.clone(),
                    title: article.title.clone(),
                    references: Vec::new(),
                });
                duplicate.references.push(dispatch.id);
            }
        }
    }
    seen.into_values().filter(|duplicate| duplicate.references.len() > 1).collect()
}

/// The running account of what happened.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Ledger {
    /// How many calls there were.
    pub total: u64,
    /// The last calls.
    pub calls: Vec<CallRecord>,
    /// All calls, counted.
    pub counts: BTreeMap<String, BTreeMap<String, u64>>,
    /// Tokens given out.
    pub tokens: Vec<TokenIssue>,
    /// Callbacks.
    pub callbacks: Vec<CallbackRecord>,
    /// Deletions.
    pub deletions: Vec<Deletion>,
    /// Refused repetitions.
    pub repeats: Vec<Repeat>,
    /// Broken limits.
    pub limit_errors: Vec<CallRecord>,
}

impl Ledger {
    /// Enters a call; its number is given here.
    pub(super) fn enter(&mut self, mut call: CallRecord) {
        self.total += 1;
        call.number = self.total;
        let code = call.errcode.map_or_else(|| "cut".to_owned(), |code| code.to_string());
        *self.counts.entry(call.path.clone()).or_default().entry(code).or_default() += 1;
        if call.errcode.is_some_and(|code| LIMIT_CODES.contains(&code)) {
            self.limit_errors.push(call.clone());
        }
        if self.calls.len() >= CALLS_KEPT {
            // A tenth at once, so that not every call moves all the others.
            self.calls.drain(..CALLS_KEPT / 10);
        }
        self.calls.push(call);
    }
}
