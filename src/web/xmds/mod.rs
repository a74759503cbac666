//! The poster packs as Xibo players see them: XMDS version 5, SOAP over HTTP.
//!
//! ```text
//! player ─RegisterDisplay─► which screen of which branch
//!        ─RequiredFiles───► posters and layouts, with MD5 and size
//!        ─GetFile─────────► a piece of one of them
//!        ─Schedule────────► which layout from when to when, in local time
//!        ─GetResource─────► the card, where the backend has no picture of it
//!        ─SubmitStats, MediaInventory, NotifyStatus, SubmitLog─► what it says of itself
//! ```
//!
//! 1. [`soap`] reads a call, strictly and within bounds, and writes an answer or a fault.
//! 2. [`plan`] turns a branch's indexes into posters, layouts and events: pure.
//! 3. [`document`] writes the documents that the answers carry: pure.
//! 4. [`service`] joins them to an [`XmdsBackend`].
//!
//! Every poster is a layout of its own with one picture over the whole screen. Numbers are made
//! from digests, so they are the same on every machine and after every restart.
//!
//! What a foreign player cannot promise: it checks no signature, knows files by MD5 (which the
//! protocol wants; nobody should trust it against an attacker), and takes a poster down at its own
//! next tick. Files are given by `GetFile` only, not by signed links.

mod books;
mod document;
mod plan;
mod service;
mod soap;
mod xml;

pub use books::{Inventory, PlayerStatus};
pub use plan::{Plan, PlannedEvent, PlannedPoster, plan};
pub use service::router;

use crate::model::{BranchId, Digest, PackIndex};
use async_trait::async_trait;
use axum::body::Bytes;
use jiff::Timestamp;

/// What a player says of itself when it registers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Registration {
    /// The key that all players of the bank share.
    pub server_key: String,
    /// The player's own, which it made up itself.
    pub hardware_key: String,
    /// What it calls itself.
    pub name: String,
    /// `windows`, `android`, `linux`, …
    pub client: String,
    /// Its version.
    pub version: String,
}

/// A screen that a player was assigned to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Display {
    /// The branch.
    pub branch: BranchId,
    /// The screen's name within the branch.
    pub screen: String,
}

/// How a player stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Somebody assigned it to a screen.
    Ready(Display),
    /// It is known and waits for that.
    Waiting,
    /// It does not have the key.
    WrongKey,
}

/// What a player tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// What it says it showed.
    Played(Vec<Played>),
    /// Which files it has.
    Inventory(Inventory),
    /// How it is.
    Status(PlayerStatus),
    /// A file that it cannot play, and why.
    Broken(Digest, String),
    /// Lines of its log.
    Log(Vec<String>),
}

/// A span in which a player says it showed a poster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Played {
    /// The poster.
    pub sha256: Digest,
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// How often.
    pub count: u32,
}

/// What the view needs of the head office.
///
/// # Behaviour
/// - Nothing is given to a player that nobody assigned.
/// - `indexes` are those that the branch itself would trust now: its pack and its takeovers.
#[async_trait]
pub trait XmdsBackend: Send + Sync + 'static {
    /// The moment.
    async fn now(&self) -> anyhow::Result<Timestamp>;

    /// Notes a player, and says how it stands.
    async fn register(&self, registration: &Registration) -> anyhow::Result<Standing>;

    /// How a player stands, by the shared key and its own.
    async fn standing(&self, server_key: &str, hardware_key: &str) -> anyhow::Result<Standing>;

    /// What the branch may show.
    async fn indexes(&self, branch: &BranchId) -> anyhow::Result<Vec<PackIndex>>;

    /// A file of the packs.
    async fn bytes(&self, sha256: &Digest) -> anyhow::Result<Option<Bytes>>;

    /// The card of a screen as a PNG of so many pixels; `None` for one made of words alone.
    async fn card(
        &self,
        display: &Display,
        width: u32,
        height: u32,
    ) -> anyhow::Result<Option<Bytes>>;

    /// Takes what a player tells.
    async fn record(&self, display: &Display, news: News) -> anyhow::Result<()>;
}
