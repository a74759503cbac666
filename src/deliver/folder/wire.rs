//! The JSON files of a repository. Other programs read them: keys are only ever added.

use crate::{
    deliver::Parcel,
    model::{Digest, Listing},
};
use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};

/// The version of both files.
const FORMAT: u32 = 1;

/// How many past generations a pointer remembers: two years of a weekly series.
const HISTORY: usize = 104;

/// `generations/<key>.json`: what one delivery consists of.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Generation {
    format: u32,
    pub(super) key: String,
    pub(super) campaign: String,
    number: String,
    occurrence: String,
    pub(super) slot: String,
    pub(super) window: WindowText,
    /// The only branches that it is for; absent for every branch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    branches: Option<Vec<String>>,
    pub(super) files: Vec<FileEntry>,
}

fn branches_of(parcel: &Parcel) -> Option<Vec<String>> {
    let branches = parcel.branches.as_ref()?;
    Some(branches.iter().map(ToString::to_string).collect())
}

/// First and last day, both included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct WindowText {
    pub(super) from: String,
    pub(super) until: String,
}

/// One file of a generation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct FileEntry {
    pub(super) path: String,
    pub(super) sha256: String,
    pub(super) bytes: u64,
    pub(super) media_type: String,
    pub(super) output: String,
    pub(super) audience: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) lesson: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) profile: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) branch: Option<String>,
}

impl FileEntry {
    fn of(file: &Listing) -> Self {
        Self {
            path: file.path.clone(),
            sha256: file.sha256.to_string(),
            bytes: file.bytes,
            media_type: file.media_type.as_str().to_owned(),
            output: file.output.as_str().to_owned(),
            audience: file.audience.as_str().to_owned(),
            lesson: file.lesson.as_ref().map(ToString::to_string),
            profile: file.profile.clone(),
            branch: file.branch.as_ref().map(ToString::to_string),
        }
    }
}

impl Generation {
    /// The listing of a parcel, files sorted by path.
    pub(super) fn of(parcel: &Parcel) -> Self {
        let mut files: Vec<FileEntry> = parcel.files.iter().map(FileEntry::of).collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Self {
            format: FORMAT,
            key: parcel.key.digest().to_string(),
            campaign: parcel.campaign.to_string(),
            number: parcel.number.clone(),
            occurrence: parcel.occurrence.clone(),
            slot: parcel.slot.to_string(),
            window: WindowText {
                from: parcel.window.from.to_string(),
                until: parcel.window.until.to_string(),
            },
            branches: branches_of(parcel),
            files,
        }
    }
}

/// `current/<series>.json`: which generation of a campaign series counts now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pointer {
    format: u32,
    series: String,
    /// `None` once what was current has been recalled: what came before may be past its window.
    pub(super) current: Option<Current>,
    /// What the pointer has named, newest first.
    pub(super) history: Vec<Past>,
}

/// The generation that counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Current {
    pub(super) key: String,
    campaign: String,
    number: String,
    pub(super) slot: String,
    window: WindowText,
    /// The path of the listing.
    listing: String,
    /// The digest of the listing, so that readers can tell a torn copy.
    sha256: String,
    files: usize,
    bytes: u64,
    /// The only branches that it is for; absent for every branch. The others keep what the last
    /// generation of the history gave them that was for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    branches: Option<Vec<String>>,
    /// The folder with the files under their own names, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    release: Option<String>,
}

/// A generation that the pointer has named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Past {
    pub(super) key: String,
    pub(super) slot: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) recalled: bool,
}

impl Pointer {
    /// The pointer of a series that had nothing yet.
    pub(super) fn empty(parcel: &Parcel) -> Self {
        let series = parcel.campaign.series.clone();
        Self { format: FORMAT, series, current: None, history: Vec::new() }
    }

    /// The campaign series.
    pub(super) fn series(&self) -> &str {
        &self.series
    }

    /// What the pointer says about a key, if it ever named it.
    pub(super) fn past(&self, key: &str) -> Option<&Past> {
        self.history.iter().find(|past| past.key == key)
    }

    /// The slot that counts now, where it is later than `slot`.
    pub(super) fn later_than(&self, slot: Timestamp) -> Option<Timestamp> {
        let current = self.current.as_ref()?.slot.parse::<Timestamp>().ok()?;
        (current > slot).then_some(current)
    }

    /// The pointer with the parcel as what counts now.
    pub(super) fn advanced(&self, parcel: &Parcel, listing: &Digest, tree: bool) -> Self {
        let key = parcel.key.digest().to_string();
        let current = Current {
            key: key.clone(),
            campaign: parcel.campaign.to_string(),
            number: parcel.number.clone(),
            slot: parcel.slot.to_string(),
            window: Generation::of(parcel).window,
            listing: generation_path(&key),
            sha256: listing.to_string(),
            files: parcel.files.len(),
            bytes: parcel.files.iter().map(|file| file.bytes).sum(),
            branches: branches_of(parcel),
            release: tree.then(|| release_path(parcel)),
        };
        let mut history = vec![Past { key, slot: parcel.slot.to_string(), recalled: false }];
        history.extend(self.history.iter().filter(|past| past.key != current.key).cloned());
        history.truncate(HISTORY);
        Self { current: Some(current), history, ..self.clone() }
    }

    /// The pointer with the key taken down.
    pub(super) fn recalled(&self, key: &str, slot: Timestamp) -> Self {
        let mut pointer = self.clone();
        pointer.current = pointer.current.filter(|current| current.key != key);
        match pointer.history.iter_mut().find(|past| past.key == key) {
            Some(past) => past.recalled = true,
            None => {
                let past = Past { key: key.to_owned(), slot: slot.to_string(), recalled: true };
                pointer.history.insert(0, past);
            }
        }
        pointer
    }
}

/// Pretty JSON with a final line break: people look into these files too.
pub(super) fn to_json<T: Serialize>(value: &T) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(value).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

pub(super) fn blob_path(sha256: &str) -> String {
    format!("blobs/{}/{sha256}", &sha256[..2])
}

pub(super) fn generation_path(key: &str) -> String {
    format!("generations/{key}.json")
}

pub(super) fn pointer_path(series: &str) -> String {
    format!("current/{series}.json")
}

/// `releases/<series>/2026-11-30-0800-1a2b3c4d`: in Beijing time, which is what people look for.
pub(super) fn release_path(parcel: &Parcel) -> String {
    let zone = TimeZone::get("Asia/Shanghai").unwrap_or(TimeZone::UTC);
    let slot = parcel.slot.to_zoned(zone).strftime("%Y-%m-%d-%H%M").to_string();
    let key: String = parcel.key.short().chars().take(8).collect();
    format!("releases/{}/{slot}-{key}", parcel.campaign.series)
}
