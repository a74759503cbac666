//! What plays on the branch's screens right now, for whoever draws it.
//!
//! A player opens the stage once, runs [`Stage::drive`] beside itself, and then:
//!
//! - [`Stage::watch`] wakes it whenever a playlist may have changed: an activation, the end of a
//!   window, a daypart, a takeover, a recall; to the second (by the branch's clock), with the head
//!   office gone, after a reboot;
//! - [`Stage::playlist`] says what a screen shows from now on. Empty means [`Stage::idle`]: the
//!   card with the bank's name and hotline. A player must not show an item for longer than
//!   `remaining`, even if nothing wakes it;
//! - [`Stage::poster`] gives the bytes of an item, compared with their digest as they were read;
//!   `None` means that the file is damaged or gone: skip the item, never show what is there;
//! - [`Stage::displayed`] takes what really stood on a screen. Call it when an item goes, and at
//!   least once a minute for one that stays; [`Stage::standing`] says what stands there now.
//!
//! Nothing here touches the network. The stage follows what `pull` puts on the disk, also where
//! another process pulls. One process per branch may hold the stage.

use super::{
    disk,
    error::BranchError,
    journal::{Journal, Level},
    objects::Objects,
    receipts::{Displayed, Receipts},
    shelf::Shown,
    state::{BranchState, Doing, Lock},
};
use crate::model::{Digest, MediaType, PackEntry, PackIndex, PackScreen};
use jiff::{SignedDuration, Timestamp};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

/// How often the disk is looked at for what another process changed, and the clock for a jump.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How often receipts and the time are written down.
const SETTLE_EVERY: SignedDuration = SignedDuration::from_mins(1);

/// One poster of a playlist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its digest.
    pub sha256: Digest,
    /// Its flat name.
    pub name: String,
    /// The title, for people who cannot see it.
    pub alt: String,
    /// Its type.
    pub media_type: MediaType,
    /// The verified file. Read it through [`Stage::poster`].
    pub path: PathBuf,
    /// How long it stays before the next one.
    pub dwell: Duration,
    /// How long it may still be shown at all.
    pub remaining: Duration,
    /// The moment from which it may not.
    pub show_until: Timestamp,
}

/// What a screen shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Playlist {
    /// The screen.
    pub screen: PackScreen,
    /// Whether a takeover holds the screen.
    pub takeover: bool,
    /// In order; empty for the idle card.
    pub items: Vec<Item>,
}

/// What stands on a screen that has nothing to show.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IdleCard {
    /// The bank's name; empty before the first pull.
    pub bank: String,
    /// The number that people call.
    pub hotline: String,
    /// The branch.
    pub branch_name: String,
}

/// The bytes of a poster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Poster {
    /// Its type.
    pub media_type: MediaType,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// What plays. Clones are the same stage.
#[derive(Debug, Clone)]
pub struct Stage {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Arc<BranchState>,
    journal: Journal,
    look_every: Duration,
    shown: Mutex<(Option<Vec<u8>>, Shown)>,
    receipts: Mutex<Receipts>,
    standing: Mutex<BTreeMap<String, Option<String>>>,
    seen: Mutex<Seen>,
    changes: watch::Sender<u64>,
    poke: Notify,
    _lock: Lock,
}

/// What was on at the last look.
#[derive(Debug, Default)]
struct Seen {
    playing: Vec<(String, Vec<Digest>)>,
    settled: Option<Timestamp>,
}

fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Stage {
    /// Opens the stage of a branch.
    ///
    /// # Errors
    /// [`BranchError::Busy`] where another process plays; [`BranchError::File`].
    pub fn open(state: Arc<BranchState>) -> Result<Self, BranchError> {
        Self::looking_every(state, LOOK_EVERY)
    }

    /// As [`Stage::open`], looking at the disk less often: for simulations of many branches.
    ///
    /// # Errors
    /// As [`Stage::open`].
    pub fn looking_every(
        state: Arc<BranchState>,
        look_every: Duration,
    ) -> Result<Self, BranchError> {
        let lock = state.lock(Doing::Playing)?;
        let shared = Shared {
            look_every,
            journal: Journal::open(&state.root, "screen"),
            shown: Mutex::new((state.shelf.stamp(), state.shown()?)),
            receipts: Mutex::new(Receipts::open(&state.root, &state.branch)?),
            standing: Mutex::default(),
            seen: Mutex::default(),
            changes: watch::Sender::new(0),
            poke: Notify::new(),
            _lock: lock,
            state,
        };
        let stage = Self { shared: Arc::new(shared) };
        stage.look();
        Ok(stage)
    }

    /// The branch's time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.shared.state.clock.now()
    }

    /// The branch's screens.
    #[must_use]
    pub fn screens(&self) -> Vec<PackScreen> {
        let shown = hold(&self.shared.shown);
        shown.1.pack.as_ref().or(shown.1.emergency.as_ref()).map_or(Vec::new(), screens_of)
    }

    /// What a screen shows now; `None` where the branch has no screen of that name.
    #[must_use]
    pub fn playlist(&self, screen: &str) -> Option<Playlist> {
        let shown = hold(&self.shared.shown);
        let known = |index: &&PackIndex| index.screens.iter().any(|own| own.screen == screen);
        let index = shown.1.pack.as_ref().filter(known).or(shown.1.emergency.as_ref())?;
        let screen = index.screens.iter().find(|own| own.screen == screen)?;
        Some(self.playlist_of(&shown.1, screen))
    }

    fn playlist_of(&self, shown: &Shown, screen: &PackScreen) -> Playlist {
        let now = self.now();
        let of = |index: &PackIndex| -> Vec<Item> {
            let whole = |release: &_| self.shared.state.is_whole(index, release, now);
            let playing = index.playlist(&screen.profile, now, whole).into_iter();
            playing.filter_map(|(_, entry)| self.item(entry, screen, now)).collect()
        };
        let takeover = shown.emergency.as_ref().map(of).unwrap_or_default();
        if !takeover.is_empty() {
            return Playlist { screen: screen.clone(), takeover: true, items: takeover };
        }
        let items = shown.pack.as_ref().map(of).unwrap_or_default();
        Playlist { screen: screen.clone(), takeover: false, items }
    }

    fn item(&self, entry: &PackEntry, screen: &PackScreen, now: Timestamp) -> Option<Item> {
        Some(Item {
            path: self.shared.state.objects.path(&entry.sha256)?,
            sha256: entry.sha256,
            name: entry.name.clone(),
            alt: entry.alt.clone(),
            media_type: entry.media_type,
            dwell: Duration::from_secs(screen.dwell_s.max(1).into()),
            remaining: now.duration_until(entry.show_until).unsigned_abs(),
            show_until: entry.show_until,
        })
    }

    /// What stands on a screen that has nothing to show.
    #[must_use]
    pub fn idle(&self) -> IdleCard {
        let shown = hold(&self.shared.shown);
        let index = shown.1.pack.as_ref().or(shown.1.emergency.as_ref());
        index.map_or_else(IdleCard::default, |index| IdleCard {
            bank: index.bank.clone(),
            hotline: index.hotline.clone(),
            branch_name: index.branch_name.clone(),
        })
    }

    /// The bytes of a poster that plays now on some screen: what has run out is not given out any
    /// more, and neither is a file that is not what was signed.
    #[must_use]
    pub fn poster(&self, sha256: &Digest) -> Option<Poster> {
        let media_type = self.screens().iter().find_map(|screen| {
            let playlist = self.playlist(&screen.screen)?;
            playlist.items.iter().find(|item| item.sha256 == *sha256).map(|item| item.media_type)
        })?;
        Some(Poster { media_type, bytes: self.shared.state.objects.bytes(sha256)? })
    }

    /// What the branch goes by now.
    #[must_use]
    pub fn shown(&self) -> Shown {
        hold(&self.shared.shown).1.clone()
    }

    /// The folder of the branch's state.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.shared.state.root
    }

    /// The verified files.
    #[must_use]
    pub fn objects(&self) -> &Objects {
        &self.shared.state.objects
    }

    /// Wakes whenever a playlist may have changed.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.shared.changes.subscribe()
    }

    /// Notes what stood on a screen.
    pub fn displayed(&self, shown: &Displayed) {
        let behind = !self.shared.state.clock.behind().is_zero();
        hold(&self.shared.receipts).add(shown, behind);
    }

    /// Notes what stands on a screen from now on; `None` is the idle card.
    pub fn standing(&self, screen: &str, sha256: Option<&Digest>) {
        let mut standing = hold(&self.shared.standing);
        standing.insert(screen.to_owned(), sha256.map(ToString::to_string));
    }

    /// Something was pulled in this process: look at once.
    pub fn poke(&self) {
        self.shared.poke.notify_one();
    }

    /// Follows time and disk until told to stop; then everything is written down.
    pub async fn drive(&self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let wait = self.look();
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(wait) => {}
                () = self.shared.poke.notified() => hold(&self.shared.shown).0 = None,
            }
        }
        self.settle(true);
    }

    /// Looks once, and says when to look again.
    fn look(&self) -> Duration {
        let shared = &*self.shared;
        let stamp = shared.state.shelf.stamp();
        if hold(&shared.shown).0 != stamp {
            match shared.state.shown() {
                Ok(shown) => *hold(&shared.shown) = (stamp, shown),
                Err(error) => self.warn(&error),
            }
        }
        let playing = {
            let shown = hold(&shared.shown);
            let index = shown.1.pack.as_ref().or(shown.1.emergency.as_ref());
            let screens = index.map_or(Vec::new(), screens_of);
            let digests = |screen: &PackScreen| {
                let playlist = self.playlist_of(&shown.1, screen);
                playlist.items.iter().map(|item| item.sha256).collect::<Vec<_>>()
            };
            screens
                .iter()
                .map(|screen| (screen.screen.clone(), digests(screen)))
                .collect::<Vec<_>>()
        };
        let changed = hold(&shared.seen).playing != playing;
        if changed {
            // First the time, then the screens: a machine that dies in between must not come back
            // before the moment at which something came down.
            if let Err(error) = shared.state.clock.save() {
                self.warn(&error);
            }
            self.note_change(&playing);
            hold(&shared.seen).playing = playing;
            shared.changes.send_modify(|count| *count += 1);
        }
        if changed && let Ok(_lock) = shared.state.lock(Doing::Pulling) {
            // What came down goes from the disk as well. A pull that is at it does so itself.
            shared.state.tidy();
        }
        let settled = hold(&shared.seen).settled;
        if settled.is_none_or(|at| at.duration_until(self.now()) >= SETTLE_EVERY) {
            self.settle(false);
        }
        self.until_next_change().min(shared.look_every)
    }

    fn note_change(&self, playing: &[(String, Vec<Digest>)]) {
        let counts: Vec<String> =
            playing.iter().map(|(screen, items)| format!("{screen} {} 张", items.len())).collect();
        let text = format!("画面换了：{}", counts.join("，"));
        self.shared.journal.write(self.now(), Level::Note, &text);
    }

    fn until_next_change(&self) -> Duration {
        let now = self.now();
        let shown = hold(&self.shared.shown);
        let next =
            |index: &Option<PackIndex>| index.as_ref().and_then(|index| index.next_change(now));
        let moment = [next(&shown.1.pack), next(&shown.1.emergency)].into_iter().flatten().min();
        moment.map_or(Duration::MAX, |moment| now.duration_until(moment).unsigned_abs())
    }

    /// Writes down the time, the receipts and what stands where.
    fn settle(&self, last: bool) {
        let shared = &*self.shared;
        hold(&shared.seen).settled = Some(self.now());
        let mut receipts = hold(&shared.receipts);
        let settled = if last { receipts.close_all() } else { receipts.settle(self.now()) };
        drop(receipts);
        let standing = serde_json::to_vec(&*hold(&shared.standing)).unwrap_or_default();
        let path = shared.state.root.join("standing.json");
        let same = std::fs::read(&path).is_ok_and(|bytes| bytes == standing);
        let written = if same { Ok(()) } else { disk::write(&path, &standing) };
        let saved = shared.state.clock.save().map(drop);
        for error in [settled, written, saved].into_iter().filter_map(Result::err) {
            self.warn(&error);
        }
    }

    fn warn(&self, error: &BranchError) {
        self.shared.journal.write(self.now(), Level::Warning, &error.to_string());
    }
}

fn screens_of(index: &PackIndex) -> Vec<PackScreen> {
    index.screens.clone()
}
