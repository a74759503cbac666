//! Work that takes longer than a page may: it goes on in the background, one at a time for each
//! subject, and has a page and a resource that say how far it is.
//!
//! What a job did is in the ledger; the job itself is forgotten with the process.

use super::{
    Desk,
    caller::{Caller, random_token},
    filters,
    page::{Page, Shown, render},
    permit::Action,
    trouble::Trouble,
};
use crate::model::Digest;
use askama::Template;
use axum::{
    Json,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use jiff::Timestamp;
use serde::Serialize;
use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError},
};
use utoipa::ToSchema;

/// So many jobs are remembered.
const REMEMBERED: usize = 200;

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
    fn as_str(self) -> &'static str {
        match self {
            Self::Submit => "submit",
            Self::Recall => "recall",
            Self::DryRun => "dry-run",
        }
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
}

/// One thing that a job did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct JobLine {
    /// What it is about.
    pub(super) subject: String,
    /// Whether it went well.
    pub(super) ok: bool,
    /// What became of it.
    pub(super) text: String,
    /// Where to look.
    pub(super) link: Option<String>,
}

/// How far a job is.
#[derive(Debug, Clone, Default)]
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
    /// Digest of everything that was asked for.
    request: Digest,
    actor: String,
    started_at: Timestamp,
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
}

/// The jobs of this process.
#[derive(Debug, Default)]
pub(super) struct Jobs {
    all: Mutex<Vec<Arc<Job>>>,
}

impl Jobs {
    fn find(&self, id: &str) -> Option<Arc<Job>> {
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().find(|job| job.id == id).map(Arc::clone)
    }
}

impl Desk {
    /// Starts a job, or finds the one that does the very same. Another one for the same subject
    /// must wait: nothing is dropped unsaid.
    pub(super) async fn start_job<F, W>(
        &self,
        kind: Kind,
        (subject, request): (&str, Digest),
        caller: &Caller,
        work: W,
    ) -> Result<Arc<Job>, Trouble>
    where
        W: FnOnce(Desk, Arc<Job>) -> F + Send + 'static,
        F: Future<Output = Result<(), Trouble>>,
    {
        let job = Arc::new(Job {
            id: random_token()?.chars().take(22).collect(),
            kind,
            subject: subject.to_owned(),
            request,
            actor: caller.actor().to_owned(),
            started_at: self.publisher().store.now().await?,
            progress: Mutex::default(),
        });
        {
            let mut all = self.jobs().all.lock().unwrap_or_else(PoisonError::into_inner);
            let same = |job: &&Arc<Job>| job.kind == kind && job.subject == subject && job.runs();
            if let Some(running) = all.iter().find(same) {
                if running.request == request {
                    return Ok(Arc::clone(running));
                }
                return Err(Trouble::conflict(format!(
                    "{}正在做“{subject}”的另一件，没有再开；等它做完再来一次",
                    running.actor
                )));
            }
            while all.len() >= REMEMBERED {
                let Some(over) = all.iter().position(|job| !job.runs()) else { break };
                all.remove(over);
            }
            all.push(Arc::clone(&job));
        }
        let (desk, own) = (self.clone(), Arc::clone(&job));
        let runtime = tokio::runtime::Handle::current();
        // Rendering keeps a thread busy; pages must not wait for it.
        let running = tokio::task::spawn_blocking(move || runtime.block_on(work(desk, own)));
        let own = Arc::clone(&job);
        tokio::spawn(async move {
            let faults = match running.await {
                Ok(Ok(())) => Vec::new(),
                Ok(Err(trouble)) => trouble.what,
                Err(error) => {
                    tracing::error!(%error, "后台的活断了");
                    vec!["程序出错，没有做完；请把时间告诉运维岗，日志里有详情".to_owned()]
                }
            };
            own.change(|progress| progress.faults = Some(faults));
        });
        Ok(job)
    }
}

/// Leads to a job's page.
pub(super) fn lead_to(job: &Job) -> Response {
    Redirect::to(&format!("/console/jobs/{}", job.id)).into_response()
}

/// Tells a program that a job was started, and where to ask.
pub(super) fn accepted(job: &Job) -> Response {
    let place = format!("/api/v1/jobs/{}", job.id);
    (StatusCode::ACCEPTED, [(header::LOCATION, place)], Json(JobView::of(job))).into_response()
}

/// A job, for programs.
#[derive(Debug, Serialize, ToSchema)]
pub struct JobView {
    /// Its number.
    id: String,
    /// `submit`, `recall` or `dry-run`.
    kind: &'static str,
    /// What it is about.
    subject: String,
    /// Who started it.
    actor: String,
    /// When.
    started_at: String,
    /// `running`, `done` or `failed`.
    state: &'static str,
    /// Files or lines done.
    done: usize,
    /// Of how many; 0 where that is not known yet.
    total: usize,
    /// What it did so far.
    lines: Vec<JobLine>,
    /// Why it failed; files and lines are named.
    faults: Vec<String>,
}

impl JobView {
    fn of(job: &Job) -> Self {
        let progress = job.progress();
        let state = match &progress.faults {
            None => "running",
            Some(faults) if faults.is_empty() => "done",
            Some(_) => "failed",
        };
        Self {
            id: job.id.clone(),
            kind: job.kind.as_str(),
            subject: job.subject.clone(),
            actor: job.actor.clone(),
            started_at: job.started_at.to_string(),
            state,
            done: progress.done,
            total: progress.total,
            lines: progress.lines,
            faults: progress.faults.unwrap_or_default(),
        }
    }
}

fn found(desk: &Desk, caller: &Caller, id: &str) -> Result<Arc<Job>, Trouble> {
    let job = desk.jobs().find(id).filter(|job| caller.may(job.kind.action()));
    job.ok_or_else(|| {
        Trouble::missing("没有这件后台的活：服务重启过就不再记得；做成的都在台账里，去审批或投递看")
    })
}

#[derive(Template)]
#[template(path = "console/html/job.html")]
struct JobPage {
    page: Page,
    label: (&'static str, &'static str),
    kind: Kind,
    subject: String,
    actor: String,
    started_at: Timestamp,
    progress: Progress,
    running: bool,
}

/// `GET /console/jobs/{id}`
pub(super) async fn page(
    State(desk): State<Desk>,
    shown: Shown,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    let job = found(&desk, &caller, &id)?;
    let label = job.kind.labels();
    let page = Page::new(&desk, &shown, Some(caller), label).await;
    let progress = job.progress();
    render(&JobPage {
        page,
        label,
        kind: job.kind,
        subject: job.subject.clone(),
        actor: job.actor.clone(),
        started_at: job.started_at,
        running: progress.faults.is_none(),
        progress,
    })
}

/// How far a job is: ask again every second or two until it is `done` or `failed`.
#[utoipa::path(get, path = "/api/v1/jobs/{id}", tag = "jobs",
    params(("id" = String, Path, description = "后台的活的编号")),
    responses((status = 200, body = JobView), (status = 404, body = super::api::Problem)))]
pub(super) async fn api_job(
    State(desk): State<Desk>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<JobView>, Trouble> {
    Ok(Json(JobView::of(&*found(&desk, &caller, &id)?)))
}
