//! Jobs for people and programs: one, and the newest of one's own.

use super::{Again, Job, Kind, Progress};
use crate::{
    console::{
        Desk,
        caller::Caller,
        filters,
        page::{Page, Shown, render},
        trouble::Trouble,
    },
    store::{JobRow, JobState},
};
use askama::Template;
use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A job of another process that was not seen for so long was cut off.
const SILENT: SignedDuration = SignedDuration::from_secs(30);
/// So many of one's own are listed.
const LISTED: u32 = 50;
/// How long the first page names what somebody began.
const RECENT: SignedDuration = SignedDuration::from_hours(24);

/// One thing that a job did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JobLine {
    /// What it is about.
    pub(in crate::console) subject: String,
    /// Whether it went well.
    pub(in crate::console) ok: bool,
    /// What became of it.
    pub(in crate::console) text: String,
    /// Where to look.
    pub(in crate::console) link: Option<String>,
}

/// How a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::console) enum Standing {
    Running,
    Done,
    Failed,
    /// Its process ended before it did.
    CutOff,
}

impl Standing {
    fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::CutOff => "interrupted",
        }
    }

    /// For people: Chinese, English.
    pub(in crate::console) fn labels(self) -> (&'static str, &'static str) {
        match self {
            Self::Running => ("◔ 正在做", "◔ Under way"),
            Self::Done => ("✓ 做完了", "✓ Done"),
            Self::Failed => ("✕ 没有做成", "✕ Not done"),
            Self::CutOff => ("！ 中断", "! Cut off"),
        }
    }

    /// The look of its tag.
    pub(in crate::console) fn tag(self) -> &'static str {
        match self {
            Self::Running => "wait",
            Self::Done => "good",
            Self::Failed | Self::CutOff => "alarm",
        }
    }
}

/// A job as it is shown.
#[derive(Debug, Clone)]
pub(in crate::console) struct Seen {
    pub(in crate::console) id: String,
    kind: Kind,
    pub(in crate::console) subject: String,
    actor: String,
    pub(in crate::console) started_at: Timestamp,
    /// When it was last seen at work, or ended.
    last_at: Option<Timestamp>,
    pub(in crate::console) standing: Standing,
    progress: Progress,
    again: Again,
}

impl Seen {
    /// One of this process.
    pub(super) fn of(job: &Job) -> Self {
        let progress = job.progress();
        let standing = match &progress.faults {
            None => Standing::Running,
            Some(faults) if faults.is_empty() => Standing::Done,
            Some(_) => Standing::Failed,
        };
        Self {
            id: job.id.clone(),
            kind: job.kind,
            subject: job.subject.clone(),
            actor: job.actor.clone(),
            started_at: job.started_at,
            last_at: None,
            standing,
            progress,
            again: job.again.clone(),
        }
    }

    /// One that the ledger remembers; `None` where a later version wrote it.
    fn kept(row: JobRow, owner: &str, now: Timestamp) -> Option<Self> {
        let silent = row.owner == owner || row.seen_at.duration_until(now) > SILENT;
        let standing = match row.state {
            JobState::Done => Standing::Done,
            JobState::Failed => Standing::Failed,
            JobState::Running if silent => Standing::CutOff,
            JobState::Running => Standing::Running,
        };
        Some(Self {
            kind: Kind::from_name(&row.kind)?,
            last_at: Some(row.finished_at.unwrap_or(row.seen_at)),
            progress: serde_json::from_str(&row.outcome).unwrap_or_default(),
            again: serde_json::from_str(&row.again).unwrap_or_default(),
            id: row.id,
            subject: row.subject,
            actor: row.actor,
            started_at: row.started_at,
            standing,
        })
    }

    pub(in crate::console) fn label(&self) -> (&'static str, &'static str) {
        self.kind.labels()
    }

    /// How many of its lines a person has to see to, of a job that ended.
    pub(in crate::console) fn unsettled(&self) -> usize {
        if self.standing == Standing::Running {
            return 0;
        }
        self.progress.lines.iter().filter(|line| !line.ok).count()
    }

    /// The look of its tag.
    pub(in crate::console) fn tag(&self) -> &'static str {
        if self.standing == Standing::Done && self.unsettled() > 0 {
            return "wait";
        }
        self.standing.tag()
    }

    fn faults(&self) -> &[String] {
        self.progress.faults.as_deref().unwrap_or_default()
    }
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
    /// `running`, `done`, `failed`, or `interrupted` where the service ended before it did: what
    /// it had done by then is in `lines`; begin it anew.
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

impl From<Seen> for JobView {
    fn from(seen: Seen) -> Self {
        Self {
            kind: seen.kind.as_str(),
            started_at: seen.started_at.to_string(),
            state: seen.standing.as_str(),
            done: seen.progress.done,
            total: seen.progress.total,
            faults: seen.faults().to_vec(),
            lines: seen.progress.lines,
            id: seen.id,
            subject: seen.subject,
            actor: seen.actor,
        }
    }
}

async fn found(desk: &Desk, caller: &Caller, id: &str) -> Result<Option<Seen>, Trouble> {
    let store = &desk.publisher().store;
    let here = desk.jobs().find(id).map(|job| Seen::of(&job));
    let seen = match here {
        Some(seen) => Some(seen),
        None => match store.job(id).await? {
            Some(row) => Seen::kept(row, &desk.jobs().owner, store.now().await?),
            None => None,
        },
    };
    Ok(seen.filter(|seen| caller.may(seen.kind.action())))
}

/// The newest jobs of whoever asks.
async fn own(desk: &Desk, caller: &Caller, limit: u32) -> Result<Vec<Seen>, Trouble> {
    let store = &desk.publisher().store;
    let now = store.now().await?;
    let owner = &desk.jobs().owner;
    let rows = store.jobs(&caller.person.id, limit).await?.into_iter();
    let seen = rows.filter_map(|row| match desk.jobs().find(&row.id) {
        Some(job) => Some(Seen::of(&job)),
        None => Seen::kept(row, owner, now),
    });
    Ok(seen.filter(|seen| caller.may(seen.kind.action())).collect())
}

/// What somebody began in the last hours, for the first page.
pub(in crate::console) async fn card(desk: &Desk, caller: &Caller) -> Result<Vec<Seen>, Trouble> {
    let now = desk.publisher().store.now().await?;
    let mut seen = own(desk, caller, 5).await?;
    seen.retain(|seen| seen.started_at.duration_until(now) < RECENT);
    Ok(seen)
}

#[derive(Template)]
#[template(path = "console/html/job.html")]
struct JobPage {
    page: Page,
    seen: Seen,
    /// Whether it may be begun anew by whoever looks.
    may_again: bool,
}

#[derive(Template)]
#[template(path = "console/html/job-gone.html")]
struct GonePage {
    page: Page,
}

/// `GET /console/jobs/{id}`
pub(in crate::console) async fn page(
    State(desk): State<Desk>,
    shown: Shown,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    let Some(seen) = found(&desk, &caller, &id).await? else {
        let title = ("没有这件后台的活", "No such work");
        let page = Page::new(&desk, &shown, Some(caller), title).await;
        let mut answer = render(&GonePage { page })?;
        *answer.status_mut() = StatusCode::NOT_FOUND;
        return Ok(answer);
    };
    let may_again = caller.may(seen.kind.begins()) && !seen.again.action.is_empty();
    let page = Page::new(&desk, &shown, Some(caller), seen.label()).await;
    render(&JobPage { page, seen, may_again })
}

#[derive(Template)]
#[template(path = "console/html/jobs.html")]
struct JobsPage {
    page: Page,
    jobs: Vec<Seen>,
}

/// `GET /console/jobs`
pub(in crate::console) async fn list(
    State(desk): State<Desk>,
    shown: Shown,
    caller: Caller,
) -> Result<Response, Trouble> {
    let jobs = own(&desk, &caller, LISTED).await?;
    let page = Page::new(&desk, &shown, Some(caller), ("后台的活", "Background work")).await;
    render(&JobsPage { page, jobs })
}

/// The newest jobs of the token's person, the newest first.
#[utoipa::path(get, path = "/api/v1/jobs", tag = "jobs",
    responses((status = 200, body = [JobView])))]
pub(in crate::console) async fn api_list(
    State(desk): State<Desk>,
    caller: Caller,
) -> Result<Json<Vec<JobView>>, Trouble> {
    Ok(Json(own(&desk, &caller, LISTED).await?.into_iter().map(JobView::from).collect()))
}

/// How far a job is: ask again every second or two until it is no longer `running`.
#[utoipa::path(get, path = "/api/v1/jobs/{id}", tag = "jobs",
    params(("id" = String, Path, description = "后台的活的编号")),
    responses((status = 200, body = JobView),
        (status = 404, body = crate::console::api::Problem)))]
pub(in crate::console) async fn api_job(
    State(desk): State<Desk>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<JobView>, Trouble> {
    let missing =
        || Trouble::missing("没有这件后台的活：记录只留 30 天；做成的都在台账里，去审批或投递看");
    found(&desk, &caller, &id).await?.map(|seen| Json(seen.into())).ok_or_else(missing)
}
