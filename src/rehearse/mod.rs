//! The whole path on this machine alone: planned, submitted, approved, published, confirmed.
//!
//! 1. A stand-in of the platforms is started on loopback, and a ledger of its own below `out/`.
//! 2. Every channel is rebuilt so that it reaches only loopback, or a folder below `out/`.
//! 3. Rehearsal approvers, one for each step and printed by name, sign; they exist nowhere else.
//! 4. The deliveries are worked off over real HTTP, callbacks included.
//! 5. What subscribers and branches would see is left to look at, with a page that leads to it.
//!
//! Nothing can leave the machine: the HTTP client of a rehearsal refuses every address that is
//! not loopback, whatever the tables say.

pub mod hooks;
mod page;
mod people;

use crate::{
    build::Watch,
    config::{BlobConfig, Config, Person, StorageConfig},
    deliver::{BuildContext, Egress},
    model::DeliveryState,
    review::Standing,
    sandbox::{Sandbox, SandboxOptions},
    store::{Delivery, DeliveryFilter, OccurrenceState, Review},
    web,
    work::{Content, Plan, Publisher, Verdict, WorkError, clock, publish::Order, worker::Worker},
};
use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use url::Url;

/// How long to wait between two looks at what is not over yet.
const PAUSE: Duration = Duration::from_millis(200);
/// After so many looks a rehearsal ends with what it has: two minutes.
const MOST_LOOKS: u32 = 600;

/// Why a rehearsal could not be held.
#[derive(Debug, thiserror::Error)]
pub enum RehearseError {
    /// The stand-in could not be started or asked.
    #[error("本机的模拟平台出错：{0}")]
    Sandbox(String),
    /// A socket or file.
    #[error("读写不了 {what}")]
    Io {
        /// What.
        what: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Planning, approving or publishing failed.
    #[error(transparent)]
    Work(#[from] WorkError),
}

/// A rehearsal under way.
#[derive(Debug)]
pub struct Rehearsal {
    /// Everything that publishing needs, on loopback.
    pub publisher: Publisher,
    /// The content folder.
    pub content: Content,
    /// Who submits.
    pub author: Person,
    /// Where everything is left.
    pub folder: PathBuf,
    sandbox: Sandbox,
    stop: CancellationToken,
    hooks: JoinHandle<io::Result<()>>,
}

/// How a rehearsal ended.
#[derive(Debug)]
pub struct Outcome {
    /// The deliveries.
    pub deliveries: Vec<Delivery>,
    /// Why channels are missing.
    pub blocked: String,
    /// The page that leads to everything.
    pub page: PathBuf,
}

impl Outcome {
    /// Whether everything arrived.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.blocked.is_empty()
            && !self.deliveries.is_empty()
            && self.deliveries.iter().all(|delivery| delivery.state == DeliveryState::Confirmed)
    }
}

impl Rehearsal {
    /// Starts the stand-in and opens an empty ledger below `out/rehearsal/`; what an earlier
    /// rehearsal left there is removed.
    ///
    /// # Errors
    /// [`RehearseError`].
    pub async fn start(config: &Config, out: &Path) -> Result<Self, RehearseError> {
        let folder = out.join("rehearsal");
        clear(&folder)?;
        let bank = config.bank.name.clone();
        let options = SandboxOptions {
            state: Some(folder.join("sandbox.json")),
            publish_seconds: 1.0,
            bank,
            ..SandboxOptions::default()
        };
        let sandbox = Sandbox::start(options)
            .await
            .map_err(|error| RehearseError::Sandbox(error.to_string()))?;
        let mut config = config.clone();
        config.storage = StorageConfig {
            database: format!("sqlite:{}", absolute(&folder.join("ledger.db"))?.display()),
            database_password: None,
            blobs: BlobConfig::Folder { path: absolute(&folder.join("blobs"))? },
        };
        let author = people::author().map_err(WorkError::from)?;
        let context = BuildContext {
            folder: config.folder.clone(),
            egress: Egress::LoopbackOnly,
            sandbox: Some(sandbox.url()),
            rehearsal: Some(absolute(&folder.join("channels"))?),
        };
        // Kept between rehearsals, so that the second one renders nothing again.
        let rendered = out.join("rendered");
        let content = Content::load(&config)?;
        let publisher = Publisher::open(Arc::new(config), &context, rendered).await?;
        let (hooks, stop) = listen(&publisher, &sandbox).await?;
        Ok(Self { publisher, content, author, folder, sandbox, stop, hooks })
    }

    /// Where the stand-in shows what subscribers see, while the rehearsal lasts.
    #[must_use]
    pub fn sandbox_address(&self) -> Url {
        self.sandbox.url()
    }

    /// Plans what the next slot of `name` would carry, and submits it.
    ///
    /// # Errors
    /// [`RehearseError::Work`] with everything that keeps it from being submitted.
    pub async fn submit(
        &self,
        name: &str,
        watch: Watch<'_>,
    ) -> Result<(Review, Plan), RehearseError> {
        let now = self.publisher.store.now().await.map_err(WorkError::from)?;
        let subject = self.publisher.subject(&self.content, name)?;
        let slot = self.publisher.next_slot(&self.content, &subject, now).await?;
        let outline = subject.outline(&self.content, &slot.lessons)?;
        Ok(self.publisher.submit(&self.content, &outline, &self.author.id, watch).await?)
    }

    /// One approver for each step signs; who signed which step.
    ///
    /// # Errors
    /// [`RehearseError::Work`] where the steps cannot be filled.
    pub async fn approve(&self, review: &Review) -> Result<Vec<(String, String)>, RehearseError> {
        let mut signed = Vec::new();
        let approvers = people::approvers(&review.steps).map_err(WorkError::from)?;
        for person in &approvers {
            let standing = self.publisher.standing(review).await?;
            if standing.iter().all(|standing| matches!(standing, Standing::Approved { .. })) {
                break;
            }
            let note = "排练审批";
            let decisions = self
                .publisher
                .decide(
                    review,
                    person,
                    Verdict { note, valid_days: Some(1), ..Verdict::approved() },
                )
                .await?;
            let step = decisions.first().map(|decision| decision.step.clone()).unwrap_or_default();
            signed.push((person.name.clone(), step));
        }
        Ok(signed)
    }

    /// Publishes what was approved, now, and works until everything is confirmed or stuck.
    /// `watch` sees each delivery as it moves.
    ///
    /// # Errors
    /// [`RehearseError::Work`].
    pub async fn publish(
        &self,
        name: &str,
        review: &Review,
        watch: &mut (dyn FnMut(&Delivery) + Send),
    ) -> Result<Vec<Delivery>, RehearseError> {
        let now = self.publisher.store.now().await.map_err(WorkError::from)?;
        let subject = self.publisher.subject(&self.content, name)?;
        let at = clock::this_second(now);
        let order = Order { lessons: &review.lessons, at, again: false, dry_run: false };
        let firing = self.publisher.publish(&self.content, &subject, &order, "rehearsal").await?;
        let worker = Worker::new(self.publisher.clone(), "rehearsal");
        let mut looks = 0;
        let filter = DeliveryFilter {
            occurrence: Some(firing.occurrence.id.clone()),
            ..DeliveryFilter::default()
        };
        loop {
            while let Some(step) = worker.step().await? {
                watch(&step.delivery);
            }
            let deliveries =
                self.publisher.store.deliveries(&filter).await.map_err(WorkError::from)?;
            let over = |delivery: &Delivery| {
                delivery.state.is_terminal() || delivery.state == DeliveryState::NeedsHuman
            };
            looks += 1;
            if deliveries.iter().all(over) || looks > MOST_LOOKS {
                return Ok(deliveries);
            }
            self.publisher.store.wait(PAUSE).await;
        }
    }

    /// Ends the rehearsal: what subscribers saw is written down beside the channels' folders,
    /// with a page that leads to everything.
    ///
    /// # Errors
    /// [`RehearseError`] where a page cannot be fetched or written.
    pub async fn finish(
        self,
        plan: &Plan,
        signed: &[(String, String)],
        deliveries: Vec<Delivery>,
    ) -> Result<Outcome, RehearseError> {
        let occurrences =
            self.publisher.store.occurrences(None, 1).await.map_err(WorkError::from)?;
        let blocked = occurrences
            .first()
            .filter(|occurrence| occurrence.state != OccurrenceState::Fired)
            .map_or_else(String::new, |occurrence| occurrence.reason.clone());
        let snapshot = page::snapshot(&self.sandbox.url(), &self.folder).await?;
        let page =
            page::write(&self.folder, &self.publisher, plan, signed, &deliveries, &snapshot)?;
        self.stop.cancel();
        // The listener ends with the token; how it ended changes nothing any more.
        let _ = self.hooks.await;
        self.sandbox.stop().await;
        Ok(Outcome { deliveries, blocked, page })
    }
}

/// Listens for the stand-in's callbacks and tells it where.
async fn listen(
    publisher: &Publisher,
    sandbox: &Sandbox,
) -> Result<(JoinHandle<io::Result<()>>, CancellationToken), RehearseError> {
    let wrap = |source| RehearseError::Io { what: "本机回环端口".into(), source };
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.map_err(wrap)?;
    let address = listener.local_addr().map_err(wrap)?;
    let stop = CancellationToken::new();
    let router = web::router(publisher.clone());
    let listening = tokio::spawn(web::serve(listener, router, stop.clone()));
    let failed = |error: &dyn std::fmt::Display| RehearseError::Sandbox(error.to_string());
    // In a rehearsal every channel talks to the stand-in.
    let accounts = hooks::registrations(publisher, address, |_| true);
    for (account, registration) in accounts.map_err(|error| failed(&error))? {
        let registered = sandbox.register(account.as_str(), registration).await;
        registered.map_err(|error| failed(&error))?;
    }
    Ok((listening, stop))
}

/// Removes what an earlier rehearsal left; nothing else lies in that folder.
fn clear(folder: &Path) -> Result<(), RehearseError> {
    let wrap = |source| RehearseError::Io { what: folder.display().to_string(), source };
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(wrap(error)),
        _ => {}
    }
    std::fs::create_dir_all(folder).map_err(wrap)
}

fn absolute(path: &Path) -> Result<PathBuf, RehearseError> {
    std::path::absolute(path)
        .map_err(|source| RehearseError::Io { what: path.display().to_string(), source })
}
