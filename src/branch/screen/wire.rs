//! What the page and its server say to each other.

use super::{
    assets::BUILD,
    source::{ScreenSource, Showing},
};
use crate::model::{Digest, MediaType};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// The playlist of a screen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Playlist {
    /// Of the pages' files.
    pub build: String,
    /// The branch's time, in milliseconds since 1970.
    pub now_ms: i64,
    pub bank: String,
    pub branch: String,
    pub hotline: String,
    pub items: Vec<Item>,
}

/// One poster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Item {
    pub sha256: String,
    pub media_type: &'static str,
    pub alt: String,
    pub dwell_ms: u64,
    /// Counted from `now_ms`.
    pub remaining_ms: i64,
    pub takeover: bool,
}

/// A page tells what it saw painted.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PageReport {
    pub screen: String,
    /// Drawn by lot when the page was loaded.
    pub page: String,
    /// Counts the page's reports; one that comes again is taken once.
    pub number: u64,
    /// What stands there; `None` for the card.
    pub standing: Option<String>,
    pub spans: Vec<Span>,
}

/// A span of time in which one poster stood there.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Span {
    pub sha256: String,
    pub from_ms: i64,
    pub until_ms: i64,
    pub count: u32,
    pub shown_ms: u64,
}

/// The playlist of a screen as it is now; `None` where it is no screen of the branch.
pub(super) fn playlist(source: &dyn ScreenSource, screen: &str) -> Option<Playlist> {
    let items = source.playlist(screen)?;
    let items = items.iter().filter(|item| item.plays()).map(Item::from).collect();
    Some(Playlist { items, ..nothing(source) })
}

/// The playlist of a screen that has nothing to play.
pub(super) fn nothing(source: &dyn ScreenSource) -> Playlist {
    let card = source.card();
    Playlist {
        build: BUILD.clone(),
        now_ms: source.now().as_millisecond(),
        bank: card.bank,
        branch: card.branch,
        hotline: card.hotline,
        items: Vec::new(),
    }
}

impl Playlist {
    /// What is the same for as long as nothing changes.
    pub(super) fn face(&self) -> Digest {
        let mut face = self.clone();
        face.now_ms = 0;
        face.items.iter_mut().for_each(|item| item.remaining_ms = 0);
        Digest::of(serde_json::to_string(&face).unwrap_or_default().as_bytes())
    }
}

impl Showing {
    /// Whether a page can show it: a picture with time left.
    fn plays(&self) -> bool {
        let picture = matches!(self.media_type, MediaType::Png | MediaType::Jpeg);
        picture && self.remaining > SignedDuration::ZERO && self.dwell_s > 0
    }
}

impl From<&Showing> for Item {
    fn from(showing: &Showing) -> Self {
        Self {
            sha256: showing.sha256.to_string(),
            media_type: showing.media_type.as_str(),
            alt: showing.alt.clone(),
            dwell_ms: u64::from(showing.dwell_s) * 1000,
            remaining_ms: i64::try_from(showing.remaining.as_millis()).unwrap_or(i64::MAX),
            takeover: showing.takeover,
        }
    }
}
