//! What people do with a browser, and programs with the interface: plan, review, watch, settle,
//! confirm, look back.
//!
//! | module | what it does |
//! |---|---|
//! | [`permit`] | the table of roles and actions |
//! | [`gate`] | before every page: who, may they, is the form theirs; errors → pages or JSON |
//! | [`caller`] [`cookie`] [`password`] [`limits`] | sessions, tokens, argon2id, rate limits |
//! | [`sign_in`] [`oidc`] | the ways in |
//! | [`overview`] | the first page: what waits for whom |
//! | [`week`] [`campaigns`] | calendar and slots; editions planned, tried and saved |
//! | [`deliveries`] [`recall`] | the board, settling, the kill switch; taking down |
//! | [`submit`] [`jobs`] | handing to the reviewers; what goes on in the background |
//! | [`branches`] [`branch`] | all branches and their tables; a branch's own page |
//! | [`hotlines`] | numbers: where they are used, what changing one means |
//! | [`sheet`] | CSV and XLSX in and out |
//! | [`lessons`] | what there is, how fresh, where it is out |
//! | [`marks`] | findings and changes, found and marked in pages, texts and pictures |
//! | [`review`] | the queue, a submission, decisions and remarks, the outputs themselves |
//! | [`audit`] | what was shown where, the chain, rendering again |
//! | [`settings`] | people, tokens, channels, what `doctor` says |
//! | [`shelf`] [`past`] | the content folder as last read; frozen content and manifests |
//! | [`api`] [`sent`] | the interface for programs and its OpenAPI description |
//! | [`page`] [`language`] [`trouble`] [`filters`] [`statics`] | what every page has |
//! | [`routes`] | every page with the action that it needs; what the tests walk through |
//!
//! Pages are rendered here (askama) and work without scripts; the one script makes boards live.
//! This room decides nothing about publishing: it asks `work` and shows what it says.

mod account;
pub mod api;
mod asked;
mod audit;
pub mod branch;
pub mod branches;
pub mod caller;
mod campaigns;
mod cookie;
mod deliveries;
mod filters;
pub mod foreign;
mod gate;
pub mod hotlines;
mod jobs;
pub mod language;
mod lessons;
mod limits;
pub mod marks;
mod oidc;
mod overview;
pub mod page;
mod password;
mod past;
pub mod permit;
mod recall;
mod recall_find;
mod review;
mod routes;
mod sent;
mod settings;
pub mod sheet;
mod shelf;
mod sign_in;
mod statics;
mod submit;
mod terms;
pub mod trouble;
mod week;

pub use routes::{Routes, Row, router, rows};

use crate::{
    model::{Audience, Digest, LessonId, Library, PersonId},
    work::{Content, FeedCache, Publisher, hotlines::HotlineCache},
};
use branch::files::Smalls;
use branches::RollShelf;
use jiff::{SignedDuration, Timestamp};
use jobs::Jobs;
use limits::Limits;
use password::Passwords;
use past::Past;
use settings::health::LastCheckup;
use shelf::Shelf;
use std::sync::Arc;
use trouble::Trouble;

/// What every page needs.
#[derive(Debug, Clone)]
pub struct Desk(Arc<Inside>);

#[derive(Debug)]
struct Inside {
    publisher: Publisher,
    passwords: Passwords,
    limits: Limits,
    shelf: Arc<Shelf>,
    jobs: Jobs,
    past: Past,
    /// Held by whoever renders for a page: one at a time.
    rendering: Arc<tokio::sync::Mutex<()>>,
    /// Archives are made whole in memory: two at a time.
    archives: tokio::sync::Semaphore,
    /// Pictures are unpacked and compared: two at a time.
    looking: tokio::sync::Semaphore,
    secure: bool,
    feeds: FeedCache,
    roll: RollShelf,
    smalls: Smalls,
    numbers: HotlineCache,
    checkup: LastCheckup,
    /// Held by whoever changes files of the content folder.
    content_turn: tokio::sync::Mutex<()>,
}

/// Why there is no console.
#[derive(Debug, thiserror::Error)]
#[error("控制台开不了：{0}")]
pub struct ConsoleError(String);

impl Desk {
    /// The desk of a deployment.
    ///
    /// # Errors
    /// [`ConsoleError`] where the system has no random numbers.
    pub fn new(publisher: Publisher) -> Result<Self, ConsoleError> {
        let console = &publisher.config.console;
        let secure = console.url.as_ref().is_some_and(|url| url.starts_with("https://"));
        let passwords = Passwords::new(console.password_length)
            .map_err(|error| ConsoleError(error.to_string()))?;
        let shelf = Shelf::new(Arc::clone(&publisher.config));
        let limits = Limits::new(console.proxies.clone());
        Ok(Self(Arc::new(Inside {
            publisher,
            passwords,
            limits,
            shelf,
            jobs: Jobs::new().map_err(|error| ConsoleError(error.to_string()))?,
            past: Past::default(),
            rendering: Arc::default(),
            archives: tokio::sync::Semaphore::new(2),
            looking: tokio::sync::Semaphore::new(2),
            secure,
            feeds: FeedCache::default(),
            roll: RollShelf::default(),
            smalls: Smalls::default(),
            numbers: HotlineCache::default(),
            checkup: LastCheckup::default(),
            content_turn: tokio::sync::Mutex::default(),
        })))
    }

    /// The deployment.
    #[must_use]
    pub fn publisher(&self) -> &Publisher {
        &self.0.publisher
    }

    /// Whether browsers reach us over TLS.
    #[must_use]
    pub fn secure(&self) -> bool {
        self.0.secure
    }

    /// The content folder as last read; never more than some seconds old.
    ///
    /// # Errors
    /// [`Trouble`] where it cannot be read.
    pub async fn content(&self) -> Result<Arc<Content>, Trouble> {
        self.0.shelf.content().await
    }

    /// The content folder is read anew with the next page: something here changed it.
    pub fn content_changed(&self) {
        self.0.shelf.forget();
    }

    fn jobs(&self) -> &Jobs {
        &self.0.jobs
    }

    /// The turn of whoever changes files of the content folder: one at a time.
    async fn content_turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.0.content_turn.lock().await
    }

    fn feed_cache(&self) -> &FeedCache {
        &self.0.feeds
    }

    fn roll_shelf(&self) -> &RollShelf {
        &self.0.roll
    }

    fn smalls(&self) -> &Smalls {
        &self.0.smalls
    }

    fn number_cache(&self) -> &HotlineCache {
        &self.0.numbers
    }

    fn checkup(&self) -> &LastCheckup {
        &self.0.checkup
    }

    fn passwords(&self) -> &Passwords {
        &self.0.passwords
    }

    fn rendering(&self) -> &tokio::sync::Mutex<()> {
        &self.0.rendering
    }

    async fn rendering_turn(&self) -> tokio::sync::OwnedMutexGuard<()> {
        Arc::clone(&self.0.rendering).lock_owned().await
    }

    fn archives(&self) -> &tokio::sync::Semaphore {
        &self.0.archives
    }

    fn looking(&self) -> &tokio::sync::Semaphore {
        &self.0.looking
    }

    fn past(&self) -> &Past {
        &self.0.past
    }

    fn limits(&self) -> &Limits {
        &self.0.limits
    }
}

/// Invites somebody: the address where they choose a password, shown once, and until when.
///
/// # Errors
/// [`Trouble`] where the ledger does not answer.
pub async fn invite(
    publisher: &Publisher,
    person: &PersonId,
    life: SignedDuration,
    actor: &str,
) -> Result<(String, Timestamp), Trouble> {
    let code = caller::random_token()?;
    let until = publisher.store.invite(person, &invitation_digest(&code), life, actor).await?;
    let config = &publisher.config;
    let own = || format!("http://{}", config.server.listen);
    let base = config.console.url.clone().unwrap_or_else(own);
    Ok((format!("{base}/console/invite/{code}"), until))
}

/// The titles of lessons, for people; the id of one that is not there.
fn titles(library: &Library, lessons: &[LessonId]) -> String {
    let title = |id: &LessonId| {
        let general = library.lesson(id).and_then(|lesson| lesson.variants.get(&Audience::General));
        general.map_or_else(|| id.to_string(), |variant| variant.title.value.clone())
    };
    lessons.iter().map(title).collect::<Vec<_>>().join("、")
}

/// What the ledger keeps of an invitation's code.
fn invitation_digest(code: &str) -> Digest {
    Digest::of_fields([b"caishi invite".as_slice(), code.as_bytes()])
}
