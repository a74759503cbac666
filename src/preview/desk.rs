//! The state of a preview, and the work: makes what open pages show, texts first, and tells them.
//!
//! Work belongs to the snapshot it was begun for: when a newer one is there, it ends after the piece
//! it is at. Pictures and paper are made one at a time, so that a text never waits for more than one.

use super::{
    approved::{Ledger, Past},
    cache::Cache,
    sheet::Sheet,
    snapshot::{Change, Snapshot},
    view::View,
    watch,
};
use crate::model::LessonId;
use jiff::civil::Date;
use serde::Serialize;
use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

/// What became new.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The texts, or that the lesson cannot be read.
    Text,
    /// What reading and checking find.
    Checked,
    /// A picture or a sheet of paper.
    Output,
    /// How it compares with what was approved.
    Compared,
}

/// Tells a page that something is new.
#[derive(Debug, Clone, Serialize)]
pub struct Event {
    #[serde(skip)]
    view: Option<View>,
    /// What.
    pub kind: Kind,
    /// Of which save.
    pub number: u64,
    /// How many outputs are still to be made.
    pub pending: usize,
    /// Whether the lesson cannot be read.
    pub is_broken: bool,
}

impl Event {
    /// Whether a page of that view wants to know; the list of lessons has none.
    pub fn is_for(&self, view: Option<&View>) -> bool {
        match (&self.view, view) {
            (None, None) => true,
            (Some(own), Some(view)) => own == view,
            _ => false,
        }
    }
}

/// The state of a preview.
pub struct Desk {
    config_file: PathBuf,
    today: fn() -> Date,
    snapshot: RwLock<Arc<Snapshot>>,
    latest: AtomicU64,
    pub(super) cache: Cache,
    pub(super) sheets: Mutex<HashMap<View, Sheet>>,
    /// How many pages of a view listen for events.
    pub(super) open: Mutex<HashMap<View, usize>>,
    /// The snapshot for which a view's slow work was begun.
    pub(super) begun: Mutex<HashMap<View, u64>>,
    /// Whose turn it is to make what is slow.
    pub(super) slow: Mutex<()>,
    events: broadcast::Sender<Event>,
    ledger: Ledger,
    past: Mutex<HashMap<LessonId, Arc<Past>>>,
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is behind these locks is whole after every statement.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Listens for a page, until it is dropped.
pub struct Listener {
    desk: Arc<Desk>,
    /// The view; `None` for the list of lessons.
    pub view: Option<View>,
    /// The events of all views.
    pub events: broadcast::Receiver<Event>,
}

impl Drop for Listener {
    fn drop(&mut self) {
        let Some(view) = &self.view else { return };
        let mut open = lock(&self.desk.open);
        if let Some(count) = open.get_mut(view) {
            *count -= 1;
            if *count == 0 {
                open.remove(view);
            }
        }
    }
}

impl Desk {
    /// A desk with the first snapshot on it.
    pub fn new(config_file: PathBuf, first: Snapshot, today: fn() -> Date) -> Self {
        Self {
            config_file,
            today,
            latest: AtomicU64::new(first.number),
            snapshot: RwLock::new(Arc::new(first)),
            cache: Cache::default(),
            sheets: Mutex::default(),
            open: Mutex::default(),
            begun: Mutex::default(),
            slow: Mutex::default(),
            events: broadcast::channel(256).0,
            ledger: Ledger::default(),
            past: Mutex::default(),
        }
    }

    /// Begins to watch; answers why saves are not noticed at once, where they are not.
    pub fn watch(self: &Arc<Self>, stop: &CancellationToken) -> Option<String> {
        watch::start(self, stop.clone())
    }

    /// The configuration file.
    pub fn config_file(&self) -> &Path {
        &self.config_file
    }

    /// Everything as it is now.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What was made.
    pub fn cache(&self) -> &Cache {
        &self.cache
    }

    /// Listens for a page of that view, or of the list of lessons.
    pub fn listen(self: &Arc<Self>, view: Option<View>) -> Listener {
        if let Some(view) = &view {
            *lock(&self.open).entry(view.clone()).or_default() += 1;
        }
        Listener { desk: Arc::clone(self), view, events: self.events.subscribe() }
    }

    /// Shows a view's sheet to `look`.
    pub fn with_sheet<T>(&self, view: &View, look: impl FnOnce(Option<&Sheet>) -> T) -> T {
        look(lock(&self.sheets).get(view))
    }

    /// What was last approved of a lesson, as far as it was asked.
    pub fn past(&self, lesson: &LessonId) -> Option<Arc<Past>> {
        lock(&self.past).get(lesson).cloned()
    }

    pub(super) fn is_latest(&self, snapshot: &Snapshot) -> bool {
        self.latest.load(Ordering::Acquire) == snapshot.number
    }

    /// Tells the pages of a view, or the list of lessons.
    pub(super) fn tell(&self, kind: Kind, view: Option<&View>, number: u64) {
        let (pending, is_broken) = view.map_or((0, false), |view| {
            self.with_sheet(view, |sheet| {
                sheet.map_or((0, false), |sheet| (sheet.pending(), sheet.is_broken))
            })
        });
        // Nobody may be listening.
        let _ = self.events.send(Event { view: view.cloned(), kind, number, pending, is_broken });
    }

    /// Reads everything again after a save, and has every open page's outputs made. Answers when
    /// everything was read; `None` where a newer save came in between.
    pub async fn read_again(self: &Arc<Self>, change: Change) -> Option<Arc<Snapshot>> {
        let number = self.latest.fetch_add(1, Ordering::AcqRel) + 1;
        let desk = Arc::clone(self);
        let read = move || {
            let next =
                Snapshot::next(number, &desk.snapshot(), change, &desk.config_file, (desk.today)());
            let next = Arc::new(next);
            let mut current = desk.snapshot.write().unwrap_or_else(PoisonError::into_inner);
            if next.number <= current.number {
                return None;
            }
            *current = Arc::clone(&next);
            Some(next)
        };
        let snapshot = spawned(tokio::task::spawn_blocking(read).await).flatten()?;
        let views: Vec<View> = lock(&self.open).keys().cloned().collect();
        let desk = Arc::clone(self);
        let work = Arc::clone(&snapshot);
        tokio::spawn(async move {
            for view in &views {
                desk.texts(view, &work).await;
            }
            desk.check(&work, None).await;
            for view in views {
                desk.finish(&view, &work).await;
            }
        });
        Some(snapshot)
    }

    /// Sees to it that a page's texts are made, and that the rest is under way.
    pub async fn prepare(self: &Arc<Self>, view: &View) -> Arc<Snapshot> {
        let snapshot = self.snapshot();
        let is_fresh = self
            .with_sheet(view, |sheet| sheet.is_some_and(|sheet| sheet.number == snapshot.number));
        if !is_fresh {
            if view.numbered && self.past(&view.lesson).is_none() {
                self.ask_ledger(&snapshot, &view.lesson).await;
            }
            self.texts(view, &snapshot).await;
            let (desk, view, work) = (Arc::clone(self), view.clone(), Arc::clone(&snapshot));
            tokio::spawn(async move {
                desk.check(&work, Some(&view)).await;
                desk.finish(&view, &work).await;
            });
        }
        snapshot
    }

    /// Makes a view's texts, and swaps them in all at once.
    async fn texts(self: &Arc<Self>, view: &View, snapshot: &Arc<Snapshot>) {
        if !self.is_latest(snapshot) {
            return;
        }
        let (desk, own, work) = (Arc::clone(self), view.clone(), Arc::clone(snapshot));
        spawned(tokio::task::spawn_blocking(move || desk.make_texts(&own, &work)).await);
        self.tell(Kind::Text, Some(view), snapshot.number);
    }

    /// Checks all sources, once a snapshot, and tells.
    async fn check(self: &Arc<Self>, snapshot: &Arc<Snapshot>, view: Option<&View>) {
        if !self.is_latest(snapshot) {
            return;
        }
        let was_checked = snapshot.is_checked();
        let work = Arc::clone(snapshot);
        spawned(tokio::task::spawn_blocking(move || work.findings().len()).await);
        let views: Vec<View> = match view {
            Some(view) => vec![view.clone()],
            None => lock(&self.open).keys().cloned().collect(),
        };
        for view in &views {
            self.tell(Kind::Checked, Some(view), snapshot.number);
        }
        if !was_checked {
            self.tell(Kind::Checked, None, snapshot.number);
        }
    }

    /// Has the check made for the list of lessons.
    pub async fn check_all(self: &Arc<Self>) -> Arc<Snapshot> {
        let snapshot = self.snapshot();
        if !snapshot.is_checked() {
            self.check(&snapshot, None).await;
        }
        snapshot
    }

    /// Makes everything of a view that is not text, checks the finished outputs, and compares them.
    async fn finish(self: &Arc<Self>, view: &View, snapshot: &Arc<Snapshot>) {
        if lock(&self.begun).insert(view.clone(), snapshot.number) == Some(snapshot.number) {
            return;
        }
        if self.past(&view.lesson).is_none() {
            self.ask_ledger(snapshot, &view.lesson).await;
        }
        let (desk, own, work) = (Arc::clone(self), view.clone(), Arc::clone(snapshot));
        let finished = tokio::task::spawn_blocking(move || {
            desk.make_pictures(&own, &work);
            desk.check_outputs(&own, &work);
            desk.compare(&own, &work);
        });
        spawned(finished.await);
        if self.is_latest(snapshot) {
            self.tell(Kind::Compared, Some(view), snapshot.number);
        }
    }

    /// Asks the ledger again, and compares again where something else is approved now.
    pub async fn compare_again(self: &Arc<Self>, view: &View) {
        let number = || match self.past(&view.lesson).as_deref() {
            Some(Past::Approved(approved)) => Some(approved.number.clone()),
            _ => None,
        };
        let snapshot = self.snapshot();
        let before = (self.past(&view.lesson).is_some(), number());
        self.ask_ledger(&snapshot, &view.lesson).await;
        if before == (true, number()) || !before.0 {
            // The same, or whoever makes the outputs compares them.
            return;
        }
        let (desk, own, work) = (Arc::clone(self), view.clone(), Arc::clone(&snapshot));
        spawned(tokio::task::spawn_blocking(move || desk.compare(&own, &work)).await);
        self.tell(Kind::Compared, Some(view), snapshot.number);
    }

    async fn ask_ledger(&self, snapshot: &Snapshot, lesson: &LessonId) {
        let past = self.ledger.past(snapshot.config(), lesson).await;
        lock(&self.past).insert(lesson.clone(), Arc::new(past));
    }
}

/// What a blocking thread answered; one that panicked is a fault of the program, which goes on.
fn spawned<T>(answer: Result<T, tokio::task::JoinError>) -> Option<T> {
    match answer {
        Ok(answer) => Some(answer),
        Err(error) => {
            tracing::error!("生成时程序出错，请把这一句告诉维护者：{error}");
            None
        }
    }
}
