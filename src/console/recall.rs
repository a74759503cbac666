//! Taking down: first the list of what comes down where, then, with a reason and the name typed
//! again, line by line.

use super::{
    Desk,
    asked::{Asked, trimmed},
    caller::Caller,
    filters,
    jobs::{self, Again, Job, JobLine, Kind, Wish},
    page::{Page, Shown, render},
    recall_find::{self, Found},
    sent::Sent,
    trouble::Trouble,
};
use crate::{
    model::{Digest, LessonId},
    work::{
        branches::take_downs,
        recall::RecallPlan,
        recall_steps::{Effect, RecallStep},
    },
};
use askama::Template;
use axum::{Json, extract::State, http::StatusCode, response::Response};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// Lines that a page shows; a recall of more says how many there are.
const SHOWN: usize = 300;

#[derive(Template)]
#[template(path = "console/html/recall.html")]
struct RecallPage {
    page: Page,
    name: String,
    lesson: Option<String>,
    steps: Vec<RecallStep>,
    more: usize,
    acting: usize,
    idle: usize,
    left: usize,
    warnings: Vec<String>,
    branches: Vec<(String, String)>,
    seen: String,
    faults: Vec<String>,
    reason: String,
}

/// A plan, its lines, and a digest of what it would do.
struct Prepared {
    plan: RecallPlan,
    steps: Vec<RecallStep>,
    seen: String,
}

async fn prepare(desk: &Desk, name: &str) -> Result<Prepared, Trouble> {
    if name.is_empty() {
        return Err(Trouble::wrong(
            "没有写撤什么：写课件、活动、排期的代号或标题，审批编号或投递号",
        ));
    }
    let plan = desk.publisher().recall_plan(name).await?;
    let steps = desk.publisher().recall_steps(&plan).await?;
    let mut fields: Vec<Vec<u8>> = Vec::new();
    for step in steps.iter().filter(|step| step.effect != Effect::Nothing) {
        fields.push(step.delivery.id.clone().into_bytes());
        fields.push(step.effect.as_str().into());
    }
    let seen = Digest::of_fields(fields.iter().map(Vec::as_slice)).to_string();
    Ok(Prepared { plan, steps, seen })
}

/// `GET /console/recall?name=…`
pub(super) async fn page(
    State(desk): State<Desk>,
    shown: Shown,
    caller: Caller,
    asked: Asked,
) -> Result<Response, Trouble> {
    let typed = trimmed(asked.text("name"), 100);
    match recall_find::look_up(&desk, &typed).await? {
        Found::One(name) if name == typed => {
            show(&desk, &shown, caller, &name, Vec::new(), String::new()).await
        }
        Found::One(name) => Ok(recall_find::lead_to(&name)),
        other => recall_find::show(&desk, &shown, caller, &typed, other).await,
    }
}

async fn show(
    desk: &Desk,
    shown: &Shown,
    caller: Caller,
    name: &str,
    faults: Vec<String>,
    reason: String,
) -> Result<Response, Trouble> {
    let prepared = prepare(desk, name).await?;
    let content = desk.content().await?;
    let branches = prepared.steps.iter().flat_map(|step| &step.branches);
    let mut branches: Vec<(String, String)> = branches
        .map(|id| {
            let branch = content.library.branch(id);
            (id.to_string(), branch.map_or_else(String::new, |branch| branch.name.clone()))
        })
        .collect();
    branches.sort();
    branches.dedup();
    let mut steps = prepared.steps;
    let idle = steps.iter().filter(|step| step.effect == Effect::Nothing).count();
    steps.retain(|step| step.effect != Effect::Nothing);
    let acting = steps.iter().filter(|step| step.effect.acts()).count();
    let left = steps.len() - acting;
    let more = steps.len().saturating_sub(SHOWN);
    steps.truncate(SHOWN);
    let status = if faults.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let mut answer = render(&RecallPage {
        page: Page::new(desk, shown, Some(caller), ("撤回", "Recall")).await,
        name: name.to_owned(),
        lesson: prepared.plan.lesson.as_ref().map(ToString::to_string),
        warnings: prepared.plan.warnings(),
        seen: prepared.seen,
        steps,
        more,
        acting,
        idle,
        left,
        branches,
        faults,
        reason,
    })?;
    *answer.status_mut() = status;
    Ok(answer)
}

/// What is to come down.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct Recalling {
    /// A lesson, campaign edition, series, schedule or delivery.
    #[serde(default)]
    name: String,
    /// Why.
    #[serde(default)]
    reason: String,
    /// The same name, typed again.
    #[serde(default)]
    confirm: String,
    /// The digest of the plan that was seen; where it is no longer that, nothing is done. Empty:
    /// not compared.
    #[serde(default)]
    seen: String,
}

/// Why a recall is not begun; both faults at once.
fn faults(name: &str, recalling: &Recalling) -> Vec<String> {
    let mut faults = Vec::new();
    if trimmed(&recalling.reason, 500).is_empty() {
        faults.push("原因没有写：网点和审计都看得到它".to_owned());
    }
    if recalling.confirm.trim() != name {
        faults.push(format!("确认一栏要照样打“{name}”"));
    }
    faults
}

/// `POST /console/recall`
pub(super) async fn recall(
    State(desk): State<Desk>,
    shown: Shown,
    caller: Caller,
    Sent(recalling): Sent<Recalling>,
) -> Result<Response, Trouble> {
    let name = trimmed(&recalling.name, 100);
    match recall_find::look_up(&desk, &name).await? {
        Found::One(found) if found == name => {}
        // What is to be confirmed has not been seen yet.
        Found::One(found) => return Ok(recall_find::lead_to(&found)),
        other => return recall_find::show(&desk, &shown, caller, &name, other).await,
    }
    let faults = faults(&name, &recalling);
    if !faults.is_empty() {
        let reason = trimmed(&recalling.reason, 500);
        return show(&desk, &shown, caller, &name, faults, reason).await;
    }
    Ok(jobs::lead_to(&*start(&desk, &caller, &name, &recalling).await?))
}

async fn start(
    desk: &Desk,
    caller: &Caller,
    name: &str,
    recalling: &Recalling,
) -> Result<Arc<Job>, Trouble> {
    let prepared = prepare(desk, name).await?;
    if !recalling.seen.is_empty() && recalling.seen != prepared.seen {
        return Err(Trouble::conflict(
            "你看的时候之后，要撤的东西有了变化（有的刚发出，或别人撤过）；再看一遍清单，再确认",
        ));
    }
    if !prepared.steps.iter().any(|step| step.effect.acts()) {
        return Err(Trouble::conflict("没有要撤的：都已经撤回、取消、没有发出，或撤不回来"));
    }
    let (reason, actor) = (trimmed(&recalling.reason, 500), caller.actor().to_owned());
    let work = move |desk: Desk, job: Arc<Job>| async move {
        carry_out(&desk, &job, prepared, &reason, &actor).await
    };
    // What is left is looked at and confirmed anew.
    let fields = vec![("name".to_owned(), name.to_owned())];
    let again = Again { action: "/console/recall".to_owned(), look: true, fields };
    let wish = Wish { subject: name, request: Digest::of(name.as_bytes()), again };
    desk.start_job(Kind::Recall, wish, caller, work).await
}

/// Takes down one delivery after the other, so that each line is there as soon as it is done.
async fn carry_out(
    desk: &Desk,
    job: &Job,
    prepared: Prepared,
    reason: &str,
    actor: &str,
) -> Result<(), Trouble> {
    let publisher = desk.publisher();
    let RecallPlan { lesson, along, .. } = prepared.plan;
    let steps: Vec<RecallStep> =
        prepared.steps.into_iter().filter(|step| step.effect != Effect::Nothing).collect();
    let mut packs = Vec::new();
    for (done, step) in steps.iter().enumerate() {
        job.reached(done, steps.len());
        job.doing(format!("{} {}", step.delivery.channel, step.delivery.id));
        let plan = RecallPlan {
            deliveries: vec![step.delivery.clone()],
            lesson: lesson.clone(),
            along: along.clone(),
        };
        let link = Some(format!("/console/deliveries/{}", step.delivery.id));
        let subject = format!("{} {}", step.delivery.id, step.delivery.channel);
        // One that fails keeps the others from nothing.
        match publisher.recall(plan, reason, actor).await {
            Ok(lines) => {
                for line in lines {
                    if line.complete && !step.branches.is_empty() {
                        packs.push((step.delivery.channel.clone(), *step.delivery.key.digest()));
                    }
                    job.say(JobLine {
                        subject: subject.clone(),
                        ok: line.complete,
                        text: line.detail,
                        link: link.clone(),
                    });
                }
            }
            Err(error) => {
                let text = format!("没有撤成：{}", Trouble::from(error).what.join("；"));
                job.say(JobLine { subject, ok: false, text, link });
            }
        }
    }
    job.reached(steps.len(), steps.len());
    // Who must take it down is asked about right away.
    desk.roll_changed();
    say_branches(desk, job, &packs).await
}

/// Which branches must take packs down by hand.
async fn say_branches(
    desk: &Desk,
    job: &Job,
    packs: &[(crate::model::ChannelId, Digest)],
) -> Result<(), Trouble> {
    let mut channels: Vec<_> = packs.iter().map(|(channel, _)| channel.clone()).collect();
    channels.sort();
    channels.dedup();
    for channel in channels {
        let standings = desk.publisher().branch_standings(Some(channel.as_str())).await?;
        for item in take_downs(&standings) {
            if !packs.contains(&(channel.clone(), item.key)) {
                continue;
            }
            let names: Vec<String> =
                item.missing.iter().map(|(id, name)| format!("{id} {name}")).collect();
            job.say(JobLine {
                subject: format!("网点要撤下：{}", item.title),
                ok: names.is_empty(),
                text: if names.is_empty() {
                    format!("{} 个网点都已确认", item.branches)
                } else {
                    format!("还差 {} 个网点确认：{}", names.len(), names.join("、"))
                },
                link: Some("/console/branches".to_owned()),
            });
        }
    }
    Ok(())
}

/// One delivery of a recall, for programs.
#[derive(Debug, Serialize, ToSchema)]
pub struct RecallStepView {
    /// The delivery.
    delivery: String,
    /// Its channel.
    channel: String,
    /// Whom it reached.
    target: String,
    /// Its state.
    state: String,
    /// `take-down`, `partly`, `cancel`, `impossible`, `not-now`, `nothing`.
    effect: &'static str,
    /// The same in Chinese, with why.
    detail: String,
    /// Lessons that come down as well.
    along: Vec<String>,
    /// Branches that have to take it down.
    branches: Vec<String>,
    /// What people will see instead, in Chinese, where something takes its place or should.
    instead: Option<String>,
}

/// What a recall would do.
#[derive(Debug, Serialize, ToSchema)]
pub struct RecallPlanView {
    /// What is to come down.
    name: String,
    /// The lesson, where only what carries it is meant.
    lesson: Option<String>,
    /// Send it back with the recall.
    seen: String,
    /// What else comes down, in Chinese.
    warnings: Vec<String>,
    /// Each delivery.
    deliveries: Vec<RecallStepView>,
}

/// What taking something down would do.
#[utoipa::path(get, path = "/api/v1/recall", tag = "recall",
    params(("name" = String, Query, description = "课件、活动、排期的代号或标题，审批编号或投递号")),
    responses((status = 200, body = RecallPlanView), (status = 404, body = super::api::Problem),
        (status = 422, body = super::api::Problem)))]
pub(super) async fn api_plan(
    State(desk): State<Desk>,
    asked: Asked,
) -> Result<Json<RecallPlanView>, Trouble> {
    let typed = trimmed(asked.text("name"), 100);
    let name = match recall_find::look_up(&desk, &typed).await? {
        Found::One(name) => name,
        other => return Err(other.trouble(&typed)),
    };
    let Prepared { plan, steps, seen } = prepare(&desk, &name).await?;
    let deliveries = steps.into_iter().map(|step| RecallStepView {
        effect: step.effect.as_str(),
        detail: step.effect.text(),
        channel: step.delivery.channel.to_string(),
        target: step.delivery.target,
        state: step.delivery.state.as_str().to_owned(),
        delivery: step.delivery.id,
        along: step.along.iter().map(LessonId::to_string).collect(),
        branches: step.branches.iter().map(ToString::to_string).collect(),
        instead: step.instead,
    });
    Ok(Json(RecallPlanView {
        lesson: plan.lesson.as_ref().map(ToString::to_string),
        warnings: plan.warnings(),
        deliveries: deliveries.collect(),
        name,
        seen,
    }))
}

/// Takes something down in the background.
#[utoipa::path(post, path = "/api/v1/recall", tag = "recall", request_body = Recalling,
    responses((status = 202, body = jobs::JobView), (status = 404, body = super::api::Problem),
        (status = 409, body = super::api::Problem), (status = 422, body = super::api::Problem)))]
pub(super) async fn api_recall(
    State(desk): State<Desk>,
    caller: Caller,
    Sent(recalling): Sent<Recalling>,
) -> Result<Response, Trouble> {
    let name = trimmed(&recalling.name, 100);
    let faults = faults(&name, &recalling);
    if !faults.is_empty() {
        return Err(Trouble::wrong_list(faults));
    }
    Ok(jobs::accepted(&*start(&desk, &caller, &name, &recalling).await?))
}
