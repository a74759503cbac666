//! Work that takes longer than a page may: it goes on in the background, one at a time for each
//! subject, and has a page and a resource that say how far it is.
//!
//! What a job did is in the ledger, written by the work itself. The job is noted there too: after a
//! restart its page says that it was cut off, what it had done by then, and how to begin it anew.

pub(super) mod show;

pub use show::{JobLine, JobView};
pub(super) use show::{Seen, card};

use super::{
    Desk,
    caller::{Caller, random_token},
    permit::Action,
    trouble::Trouble,
};
use crate::{
    model::{Digest, PersonId},
    store::{JobRow, JobState},
};
use axum::{
    Json,
    http::{StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// So many jobs are kept in memory whose end the ledger would not take.
const KEPT: usize = 200;
/// How often it is noted how far a job is.
const BEAT: Duration = Duration::from_secs(5);
/// How often, and with what pause, the end of a job is offered to the ledger.
const OFFERS: usize = 5;

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Renders and submits.
    Submit,
    /// Takes down.
    Recall,
    /// Renders to see how big it gets; sends and writes nothing.
    DryRun,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Submit, Self::Recall, Self::DryRun];

    fn as_str(self) -> &'static str {
        match self {
            Self::Submit => "submit",
            Self::Recall => "recall",
            Self::DryRun => "dry-run",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    fn labels(self) -> (&'static str, &'static str) {
        match self {
            Self::Submit => ("送审", "Submitting"),
            Self::Recall => ("撤回", "Recall"),
            Self::DryRun => ("试排", "Dry run"),
        }
    }

    /// Who may look at it.
    fn action(self) -> Action {
        match self {
            Self::Submit => Action::ReadReviews,
            Self::Recall => Action::ReadDeliveries,
            Self::DryRun => Action::ChangeCampaigns,
        }
    }

    /// Who may begin it.
    fn begins(self) -> Action {
        match self {
            Self::Submit => Action::Submit,
            Self::Recall => Action::Recall,
            Self::DryRun => Action::ChangeCampaigns,
        }
    }

    /// How many may run at once: of one person, of everybody. Rendering goes one by one, and each
    /// that waits holds a thread; taking something down never waits for renderings.
    fn most(self) -> (usize, usize) {
        match self {
            Self::Submit | Self::DryRun => (3, 8),
            Self::Recall => (10, 30),
        }
    }

    /// Whether they share their limits.
    fn is_like(self, other: Self) -> bool {
        (self == Self::Recall) == (other == Self::Recall)
    }
}

/// How to begin a job anew: a form that is sent, or a page that is opened.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Again {
    /// Where to.
    pub(super) action: String,
    /// Whether it is a page with these as its query: what is to be confirmed anew.
    pub(super) look: bool,
    /// What is sent.
    pub(super) fields: Vec<(String, String)>,
}

/// What is wanted of a job.
pub(super) struct Wish<'a> {
    /// What it is about.
    pub(super) subject: &'a str,
    /// Digest of everything that was asked for.
    pub(super) request: Digest,
    /// How to begin it anew.
    pub(super) again: Again,
}

/// How far a job is; also as the ledger keeps it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct Progress {
    /// Files or lines done, of how many.
    done: usize,
    total: usize,
    what: String,
    lines: Vec<JobLine>,
    /// Empty where all went well; `None` while it runs.
    faults: Option<Vec<String>>,
}

/// A job.
#[derive(Debug)]
pub(super) struct Job {
    id: String,
    kind: Kind,
    subject: String,
    request: Digest,
    person: PersonId,
    actor: String,
    started_at: Timestamp,
    again: Again,
    progress: Mutex<Progress>,
}

impl Job {
    fn change(&self, change: impl FnOnce(&mut Progress)) {
        change(&mut self.progress.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn progress(&self) -> Progress {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Says how far it is.
    pub(super) fn reached(&self, done: usize, total: usize) {
        self.change(|progress| (progress.done, progress.total) = (done, total));
    }

    /// Says what it does now.
    pub(super) fn doing(&self, what: impl Into<String>) {
        let what = what.into();
        self.change(|progress| progress.what = what);
    }

    /// Adds a line to what it did.
    pub(super) fn say(&self, line: JobLine) {
        self.change(|progress| progress.lines.push(line));
    }

    fn runs(&self) -> bool {
        self.progress().faults.is_none()
    }

    fn outcome(&self) -> String {
        serde_json::to_string(&self.progress()).unwrap_or_default()
    }

    fn row(&self, owner: &str) -> JobRow {
        JobRow {
            id: self.id.clone(),
            person: self.person.clone(),
            actor: self.actor.clone(),
            kind: self.kind.as_str().to_owned(),
            subject: self.subject.clone(),
            state: JobState::Running,
            started_at: self.started_at,
            seen_at: self.started_at,
            finished_at: None,
            owner: owner.to_owned(),
            outcome: self.outcome(),
            again: serde_json::to_string(&self.again).unwrap_or_default(),
        }
    }
}

/// The jobs of this process: those that run, and those whose end the ledger does not have yet.
#[derive(Debug)]
pub(super) struct Jobs {
    all: Mutex<Vec<Arc<Job>>>,
    /// This process, among those that share a ledger.
    owner: String,
}

impl Jobs {
    /// None yet.
    ///
    /// # Errors
    /// Where the system has no random numbers.
    pub(super) fn new() -> Result<Self, Trouble> {
        Ok(Self { all: Mutex::default(), owner: random_token()?.chars().take(16).collect() })
    }

    fn find(&self, id: &str) -> Option<Arc<Job>> {
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().find(|job| job.id == id).map(Arc::clone)
    }

    fn forget(&self, id: &str) {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).retain(|job| job.id != id);
    }

    /// Takes a job in, or finds the one that does the very same.
    fn admit(&self, job: &Arc<Job>) -> Result<Option<Arc<Job>>, Trouble> {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let running: Vec<&Arc<Job>> = all.iter().filter(|job| job.runs()).collect();
        let same = |own: &&&Arc<Job>| own.kind == job.kind && own.subject == job.subject;
        if let Some(own) = running.iter().find(same) {
            if own.request == job.request {
                return Ok(Some(Arc::clone(own)));
            }
            return Err(Trouble::conflict(format!(
                "{}正在做“{}”的另一件，没有再开；等它做完再来一次",
                own.actor, job.subject
            )));
        }
        let like: Vec<_> = running.iter().filter(|own| own.kind.is_like(job.kind)).collect();
        let own: Vec<&str> = like
            .iter()
            .filter(|other| other.person == job.person)
            .map(|other| other.subject.as_str())
            .collect();
        let (of_person, of_all) = job.kind.most();
        if own.len() >= of_person {
            return Err(too_many(format!(
                "你有 {} 件后台的活还在做（{}），没有再开",
                own.len(),
                own.join("、")
            )));
        }
        if like.len() >= of_all {
            return Err(too_many(format!("大家已有 {} 件后台的活在排队，没有再开", like.len())));
        }
        while all.len() >= KEPT {
            let Some(over) = all.iter().position(|job| !job.runs()) else { break };
            all.remove(over);
        }
        all.push(Arc::clone(job));
        Ok(None)
    }
}

fn too_many(what: String) -> Trouble {
    let next = "等一件做完再来；做到哪里，在“后台的活”（/console/jobs）看";
    Trouble::new(StatusCode::TOO_MANY_REQUESTS, what, next)
}

impl Desk {
    /// Starts a job, or finds the one that does the very same. Another one for the same subject
    /// must wait, and so must one too many: nothing is dropped unsaid.
    pub(super) async fn start_job<F, W>(
        &self,
        kind: Kind,
        wish: Wish<'_>,
        caller: &Caller,
        work: W,
    ) -> Result<Arc<Job>, Trouble>
    where
        W: FnOnce(Desk, Arc<Job>) -> F + Send + 'static,
        F: Future<Output = Result<(), Trouble>>,
    {
        let store = &self.publisher().store;
        let job = Arc::new(Job {
            id: random_token()?.chars().take(22).collect(),
            kind,
            subject: wish.subject.to_owned(),
            request: wish.request,
            person: caller.person.id.clone(),
            actor: caller.actor().to_owned(),
            started_at: store.now().await?,
            again: wish.again,
            progress: Mutex::default(),
        });
        if let Some(running) = self.jobs().admit(&job)? {
            return Ok(running);
        }
        if let Err(error) = store.begin_job(&job.row(&self.jobs().owner)).await {
            self.jobs().forget(&job.id);
            return Err(error.into());
        }
        let (desk, own) = (self.clone(), Arc::clone(&job));
        let runtime = tokio::runtime::Handle::current();
        // Rendering keeps a thread busy; pages must not wait for it.
        let running = tokio::task::spawn_blocking(move || runtime.block_on(work(desk, own)));
        tokio::spawn(self.clone().watch(Arc::clone(&job), running));
        Ok(job)
    }

    /// Notes how far a job is until it ends, and then how it ended.
    async fn watch(self, job: Arc<Job>, mut running: tokio::task::JoinHandle<Result<(), Trouble>>) {
        let store = &self.publisher().store;
        let ended = loop {
            tokio::select! {
                ended = &mut running => break ended,
                () = tokio::time::sleep(BEAT) => {
                    let noted = store.save_job(&job.id, JobState::Running, &job.outcome()).await;
                    if let Err(error) = noted {
                        tracing::warn!(%error, job = job.id, "后台的活做到哪里，没有记下");
                    }
                }
            }
        };
        let faults = match ended {
            Ok(Ok(())) => Vec::new(),
            Ok(Err(trouble)) => trouble.what,
            Err(error) => {
                tracing::error!(%error, "后台的活断了");
                vec!["程序出错，没有做完；请把时间告诉运维岗，日志里有详情".to_owned()]
            }
        };
        let state = if faults.is_empty() { JobState::Done } else { JobState::Failed };
        job.change(|progress| progress.faults = Some(faults));
        for _ in 0..OFFERS {
            match store.save_job(&job.id, state, &job.outcome()).await {
                Ok(()) => return self.jobs().forget(&job.id),
                Err(error) => tracing::warn!(%error, job = job.id, "后台的活做完了，没有记下"),
            }
            tokio::time::sleep(BEAT).await;
        }
    }
}

/// Leads to a job's page.
pub(super) fn lead_to(job: &Job) -> Response {
    Redirect::to(&format!("/console/jobs/{}", job.id)).into_response()
}

/// Tells a program that a job was started, and where to ask.
pub(super) fn accepted(job: &Job) -> Response {
    let place = format!("/api/v1/jobs/{}", job.id);
    let view = JobView::from(show::Seen::of(job));
    (StatusCode::ACCEPTED, [(header::LOCATION, place)], Json(view)).into_response()
}
