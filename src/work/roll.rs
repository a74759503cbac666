//! The roll of branches: how every one stands over all channels that feed it, and what each
//! release that must come down still waits for.

use super::{
    Content, Feeds, Publisher, WorkError,
    branches::{BranchStanding, TakeDownStanding, take_downs},
};
use crate::{
    model::{Branch, BranchId, CampaignId, TakeDown},
    store::BranchDevice,
};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// How a branch stands, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum BranchState {
    /// Something must come down and was not confirmed.
    TakeDown,
    /// Its machine is late, silent or in trouble.
    Trouble,
    /// All is well.
    Fine,
}

impl BranchState {
    /// Every state, the gravest first.
    pub const ALL: [Self; 3] = [Self::TakeDown, Self::Trouble, Self::Fine];

    /// Its name in addresses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TakeDown => "take-down",
            Self::Trouble => "trouble",
            Self::Fine => "fine",
        }
    }

    /// By that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// For people: Chinese, English.
    #[must_use]
    pub fn labels(self) -> (&'static str, &'static str) {
        match self {
            Self::TakeDown => ("有要撤下的", "Must take down"),
            Self::Trouble => ("有事", "Trouble"),
            Self::Fine => ("正常", "Fine"),
        }
    }
}

/// A branch on the roll.
#[derive(Debug, Clone)]
pub struct BranchRow {
    /// The branch.
    pub branch: Branch,
    /// How many screens it has.
    pub screens: usize,
    /// Its machine, where one was enrolled.
    pub device: Option<BranchDevice>,
    /// What it has: campaign, approval number, and how far it is.
    pub packs: Vec<(String, String, &'static str)>,
    /// What is wrong.
    pub troubles: Vec<String>,
    /// What must come down and was not confirmed.
    pub take_down: Vec<TakeDown>,
}

impl BranchRow {
    /// How it stands.
    #[must_use]
    pub fn state(&self) -> BranchState {
        if !self.take_down.is_empty() {
            BranchState::TakeDown
        } else if self.troubles.is_empty() {
            BranchState::Fine
        } else {
            BranchState::Trouble
        }
    }
}

/// All branches, and what must come down.
#[derive(Debug, Clone, Default)]
pub struct Roll {
    /// In the order of `branches.csv`; branches that are no longer there come last.
    pub rows: Vec<BranchRow>,
    /// By release, the latest first.
    pub take_downs: Vec<TakeDownStanding>,
    /// Channels that could not be read.
    pub faults: Vec<String>,
}

impl Publisher {
    /// How every branch stands.
    ///
    /// # Errors
    /// The ledger's.
    pub async fn roll(&self, content: &Content, feeds: &Feeds) -> Result<Roll, WorkError> {
        let now = self.store.now().await?;
        let mut rows: BTreeMap<BranchId, BranchRow> = BTreeMap::new();
        let mut roll = Roll { faults: feeds.faults.clone(), ..Roll::default() };
        for feed in &feeds.feeds {
            let standings = self.standings_in(&feed.catalogue, feed.has_machines).await?;
            roll.take_downs.extend(take_downs(&standings));
            for standing in standings {
                let index = feed.catalogue.index(&standing.branch, false, now);
                let row = rows
                    .entry(standing.branch.clone())
                    .or_insert_with(|| row_of(content, &standing.branch, &standing.name));
                for release in index.iter().flat_map(|index| &index.releases) {
                    let key = release.key.to_string();
                    let is_in = |keys: &Vec<String>| keys.contains(&key);
                    let told = standing.status.as_ref();
                    let step = if !feed.has_machines {
                        if release.activate_at <= now { "已给" } else { "待换" }
                    } else if told.is_some_and(|status| is_in(&status.playing)) {
                        "在放"
                    } else if told.is_some_and(|status| is_in(&status.staged)) {
                        "备好"
                    } else {
                        "没取到"
                    };
                    let edition = CampaignId::new(&release.campaign).ok();
                    let edition = edition.and_then(|id| content.library.edition(&id));
                    let name = edition.map_or(&release.campaign, |edition| &edition.name);
                    row.packs.push((name.clone(), release.number.clone(), step));
                }
                add(row, standing);
            }
        }
        for branch in &content.library.branches {
            let row = rows.remove(&branch.id);
            roll.rows.push(row.unwrap_or_else(|| row_of(content, &branch.id, &branch.name)));
        }
        roll.rows.extend(rows.into_values().map(|mut row| {
            row.troubles.push("branches.csv 里没有这个网点了".to_owned());
            row
        }));
        roll.take_downs
            .sort_by_key(|item| std::cmp::Reverse((!item.missing.is_empty(), item.since)));
        Ok(roll)
    }
}

fn add(row: &mut BranchRow, standing: BranchStanding) {
    row.device = standing.device.or(row.device.take());
    row.troubles.extend(standing.troubles);
    row.take_down.extend(standing.take_down);
}

fn row_of(content: &Content, id: &BranchId, name: &str) -> BranchRow {
    let branch = content.library.branch(id).cloned().unwrap_or_else(|| Branch {
        id: id.clone(),
        name: name.to_owned(),
        district: String::new(),
        tags: Vec::new(),
        address: String::new(),
        hotline: None,
        hours: String::new(),
        gateway: None,
    });
    let screens = content.library.screens.iter().filter(|screen| screen.branch == *id).count();
    BranchRow {
        branch,
        screens,
        device: None,
        packs: Vec::new(),
        troubles: Vec::new(),
        take_down: Vec::new(),
    }
}

/// Since when a branch's machine has told nothing.
#[must_use]
pub fn last_seen(row: &BranchRow) -> Option<Timestamp> {
    row.device.as_ref().and_then(|device| device.seen_at)
}
