//! What the screens' server needs of the branch: the one door between it and the pack store.

use crate::{
    branch::receipts::Displayed,
    model::{Digest, MediaType, PackScreen, TakeDown},
    packs::wire::ConfirmedWhat,
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

    /// What people hang up and take down; nothing where a branch has screens only.
    fn papers(&self) -> Papers {
        Papers::default()
    }

    /// The bytes of a file of [`ScreenSource::papers`].
    fn paper(&self, _sha256: &Digest) -> Option<Vec<u8>> {
        None
    }

    /// Takes what somebody said was hung up or taken down; kept until the head office knows it.
    ///
    /// # Errors
    /// Why it could not be kept, in Chinese.
    fn confirm(&self, _confirm: &Confirm) -> Result<(), String> {
        Err("这台机器不收确认".to_owned())
    }
}

/// What people hang up and take down.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Papers {
    /// What is in force or to come, with its files.
    pub releases: Vec<PaperRelease>,
    /// What must come down, the latest first.
    pub take_down: Vec<TakeDown>,
    /// What was said and the head office does not know yet, or was said before.
    pub confirmed: Vec<(Digest, Option<String>, ConfirmedWhat)>,
}

impl Papers {
    /// Whether somebody said so; `lesson` is empty for all of it.
    #[must_use]
    pub fn is_confirmed(&self, key: &Digest, lesson: &str, what: ConfirmedWhat) -> bool {
        self.confirmed.iter().any(|(own, of, said)| {
            own == key
                && *said == what
                && of.as_deref().is_none_or(|of| !lesson.is_empty() && of == lesson)
        })
    }

    /// Whether there is something of that key and lesson to be said about.
    #[must_use]
    pub fn names(&self, key: &Digest, lesson: &str) -> bool {
        let is_it = |item: &TakeDown| {
            item.key == *key && item.lesson.as_ref().map_or("", |own| own.as_str()) == lesson
        };
        self.take_down.iter().any(is_it)
            || (lesson.is_empty() && self.releases.iter().any(|release| release.key == *key))
    }
}

/// The paper of one release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaperRelease {
    /// The release.
    pub key: Digest,
    /// The titles of its lessons.
    pub title: String,
    /// The approval number.
    pub number: String,
    /// Until when it may hang.
    pub show_until: Timestamp,
    /// Its files that are here.
    pub files: Vec<PaperFile>,
}

/// A file for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaperFile {
    /// Its digest.
    pub sha256: Digest,
    /// Its name for people.
    pub name: String,
    /// Its type.
    pub media_type: MediaType,
    /// Its size.
    pub bytes: u64,
}

/// What somebody says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirm {
    /// The release.
    pub key: Digest,
    /// The lesson; `None` for all of it.
    pub lesson: Option<String>,
    /// What was done.
    pub what: ConfirmedWhat,
    /// Who says so.
    pub by: String,
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
