//! What a delivery says about branches and their screens.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a delivery says about branches and lessons besides its files: `packs.json`, one of the
/// files that people approve.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PackFacts {
    /// The bank's name.
    pub bank: String,
    /// The number that people call, as shown.
    pub hotline: String,
    /// The branches, by id.
    pub branches: BTreeMap<String, BranchEntry>,
    /// The titles, by `lesson/audience`.
    pub titles: BTreeMap<String, String>,
}

/// The path of [`PackFacts`] among the files of a delivery.
pub const FACTS_PATH: &str = "packs.json";

/// A branch as its index names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BranchEntry {
    /// Its name as shown.
    pub name: String,
    /// Its own number, where it has one.
    #[serde(default)]
    pub hotline: Option<String>,
    /// Its tags.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Its screens.
    #[serde(default)]
    pub screens: Vec<ScreenEntry>,
}

/// A screen as its branch's index names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScreenEntry {
    /// Its name within the branch.
    pub screen: String,
    /// The profile.
    pub profile: String,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Seconds that a poster stays.
    pub dwell_s: u32,
}
