//! What the screens' server needs of the branch: the one door between it and the pack store.

use crate::{
    branch::receipts::Displayed,
    model::{Digest, MediaType, PackScreen},
};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

/// The branch, as its screens see it.
///
/// # Behaviour
/// - Nothing is told that was not verified, is not within its window or was taken back.
/// - No method waits for the network; [`ScreenSource::poster`] may read a file.
pub trait ScreenSource: Send + Sync + 'static {
    /// The moment by the branch's clock, which never goes back.
    fn now(&self) -> Timestamp;

    /// The screens of the branch, in the order in which people know them.
    fn screens(&self) -> Vec<PackScreen>;

    /// What stands on a screen that has nothing valid to show.
    fn card(&self) -> Card;

    /// What the screen plays now, in order; empty is the card. `None` where it is no screen of
    /// the branch.
    fn playlist(&self, screen: &str) -> Option<Vec<Showing>>;

    /// The bytes of a poster, which are what its digest says; `None` where it is not there or
    /// damaged.
    fn poster(&self, sha256: &Digest) -> Option<Vec<u8>>;

    /// Ticks when a playlist, the card or the list of screens may have changed.
    fn changes(&self) -> watch::Receiver<u64>;

    /// Takes what really stood on a screen.
    fn displayed(&self, displayed: Displayed);

    /// Takes what stands on a screen from now on; `None` is the card.
    fn standing(&self, screen: &str, sha256: Option<Digest>);
}

/// What stands on a screen that has nothing valid to show.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Card {
    /// The bank's name.
    pub bank: String,
    /// The branch's name.
    pub branch: String,
    /// The number that people call, as shown.
    pub hotline: String,
}

/// One poster of a playlist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Showing {
    /// Its digest.
    pub sha256: Digest,
    /// Its type.
    pub media_type: MediaType,
    /// Its text for people who cannot see it.
    pub alt: String,
    /// How long it stays in each round, in seconds.
    pub dwell_s: u32,
    /// How long it may still be shown at most, counted from [`ScreenSource::now`].
    pub remaining: SignedDuration,
    /// Whether it takes the screen over.
    pub takeover: bool,
}
