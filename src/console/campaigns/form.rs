//! Planning an edition: the form, the plan before anything is saved, saving, the full dry run.

use super::{
    super::{
        Desk,
        asked::{Asked, trimmed},
        caller::Caller,
        filters,
        jobs::{self, Again, Job, JobLine, Kind, Wish},
        page::{Notice, Page, Shown, render},
        sent::Sent,
        trouble::Trouble,
    },
    draft,
    picks::Picks,
    rhythm::{ScheduleView, WEEKDAYS},
    scheduled,
    stale::stale,
    typed::CampaignForm,
    view::{EditionView, PlanView},
};
use crate::{
    model::{Audience, Digest, Reached},
    work::{
        Content,
        campaigns::{Draft, DraftPlan},
    },
};
use askama::Template;
use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use std::{collections::BTreeSet, sync::Arc};

/// Something that can be ticked.
struct Tick {
    value: String,
    label: String,
    on: bool,
}

#[derive(Template)]
#[template(path = "console/html/campaign.html")]
struct CampaignPage {
    page: Page,
    view: EditionView,
    is_new: bool,
    series: Vec<(String, String)>,
    /// Lessons to pick from.
    picks: Picks,
    channels: Vec<Tick>,
    audiences: Vec<Tick>,
    districts: Vec<Tick>,
    tags: Vec<Tick>,
    weekdays: Vec<(&'static str, &'static str, &'static str)>,
    /// Schedules that show it and that this form does not change.
    others: Vec<(String, String)>,
    faults: Vec<String>,
    plan: Option<DraftPlan>,
}

/// `GET /console/campaigns/edit?id=…`, `?copy=…`, or a new one.
pub(in super::super) async fn edit(
    State(desk): State<Desk>,
    shown: Shown,
    caller: Caller,
    asked: Asked,
) -> Result<Response, Trouble> {
    let content = desk.content().await?;
    let wanted = ["id", "copy"].map(|name| asked.text(name)).concat();
    let mut view = EditionView { schedule: ScheduleView::proposed(), ..EditionView::default() };
    if !wanted.is_empty() {
        let edition = content.edition(&wanted)?;
        // What is shown is what the file says at this moment, of which the digest is.
        let id = edition.id.clone();
        let (series, seen) = desk.publisher().campaign_now(&id.series)?;
        let missing = || Trouble::missing(format!("没有活动“{wanted}”，或文件里有错"));
        let series = series.ok_or_else(missing)?;
        let edition = series.editions.iter().find(|edition| edition.id == id);
        view = EditionView::of(&series, edition.ok_or_else(missing)?, &seen);
        if !asked.text("copy").is_empty() {
            view = draft::next_year(view, &series.editions);
        }
    }
    show(&desk, &shown, caller, view, (StatusCode::OK, Vec::new(), None)).await
}

type Outcome = (StatusCode, Vec<String>, Option<DraftPlan>);

async fn show(
    desk: &Desk,
    shown: &Shown,
    caller: Caller,
    view: EditionView,
    (status, faults, plan): Outcome,
) -> Result<Response, Trouble> {
    let content = desk.content().await?;
    let library = &content.library;
    let config = &desk.publisher().config;
    let tick = |value: &str, label: String, chosen: &[String]| Tick {
        on: chosen.iter().any(|one| one == value),
        value: value.to_owned(),
        label,
    };
    let same = |names: BTreeSet<&str>, chosen: &[String]| -> Vec<Tick> {
        names.into_iter().map(|name| tick(name, name.to_owned(), chosen)).collect()
    };
    let channels = config.channels.iter().map(|entry| {
        tick(entry.id.as_str(), format!("{} · {}", entry.id, entry.kind), &view.channels)
    });
    let audiences =
        Audience::ALL.iter().map(|one| tick(one.as_str(), one.label().to_owned(), &view.audiences));
    let districts = library.branches.iter().map(|branch| branch.district.as_str());
    let tags = library.branches.iter().flat_map(|branch| &branch.tags).map(String::as_str);
    let is_new = !library.campaigns.iter().any(|series| series.id == view.series);
    let mut answer = render(&CampaignPage {
        series: library.campaigns.iter().map(|one| (one.id.clone(), one.name.clone())).collect(),
        picks: Picks::of(library, &view),
        channels: channels.collect(),
        audiences: audiences.collect(),
        districts: same(districts.filter(|name| !name.is_empty()).collect(), &view.districts),
        tags: same(tags.collect(), &view.tags),
        weekdays: WEEKDAYS.to_vec(),
        others: others(&content, &view),
        is_new,
        faults,
        plan,
        page: Page::new(desk, shown, Some(caller), ("编排活动", "Plan a campaign")).await,
        view,
    })?;
    *answer.status_mut() = status;
    Ok(answer)
}

/// The schedules that show an edition besides the one that the form is about.
fn others(content: &Content, view: &EditionView) -> Vec<(String, String)> {
    let name = &view.edits;
    let edition = content.library.campaigns.iter().flat_map(|series| &series.editions);
    let own = edition.filter(|edition| edition.id.to_string() == *name);
    let own: Vec<&str> =
        own.filter_map(|it| it.schedules.first()).map(|entry| entry.id.as_str()).collect();
    let all = content.schedules.iter().filter(|entry| entry.campaign.to_string() == *name);
    all.filter(|entry| !own.contains(&entry.id.as_str())).map(scheduled).collect()
}

fn typed(view: &EditionView, content: &Content) -> Result<Draft, Trouble> {
    draft::read(view, &content.library).map_err(Trouble::wrong_list)
}

async fn planned(desk: &Desk, view: &EditionView) -> Result<(Draft, DraftPlan), Trouble> {
    let content = desk.content().await?;
    let draft = typed(view, &content)?;
    let plan = desk.publisher().draft_plan(&content, &draft).await?;
    Ok((draft, plan))
}

/// `POST /console/campaigns/lessons`: other lessons to pick from; what was typed stays.
pub(in super::super) async fn lessons(
    State(desk): State<Desk>,
    shown: Shown,
    caller: Caller,
    Sent(form): Sent<CampaignForm>,
) -> Result<Response, Trouble> {
    show(&desk, &shown, caller, form.into(), (StatusCode::OK, Vec::new(), None)).await
}

/// `POST /console/campaigns/plan`
pub(in super::super) async fn plan(
    State(desk): State<Desk>,
    shown: Shown,
    caller: Caller,
    Sent(form): Sent<CampaignForm>,
) -> Result<Response, Trouble> {
    let view = EditionView::from(form);
    let outcome = match planned(&desk, &view).await {
        Ok((_, plan)) => (StatusCode::OK, Vec::new(), Some(plan)),
        Err(trouble) if trouble.status.is_client_error() => (trouble.status, trouble.what, None),
        Err(trouble) => return Err(trouble),
    };
    show(&desk, &shown, caller, view, outcome).await
}

/// Saves, or says why not with the plan.
async fn keep(
    desk: &Desk,
    caller: &Caller,
    view: &EditionView,
) -> Result<(), (Trouble, Option<DraftPlan>)> {
    let (draft, plan) = planned(desk, view).await.map_err(|trouble| (trouble, None))?;
    if !plan.is_sound() && !view.anyway {
        let said = if plan.goes_out() {
            "计划里有几条要先看清（列在下面）；就要这样，勾“看清了，就这样存”"
        } else {
            "按这个计划到时发不出去（原因在下面的计划里）；仍要保存，勾“知道发不出去，先存下”"
        };
        return Err((Trouble::wrong(said), Some(plan)));
    }
    let mut seen = view.seen.trim().to_owned();
    if let Some(edits) = &draft.replaces {
        match stale(desk, view, edits).await {
            Ok(None) => {}
            Ok(Some(trouble)) | Err(trouble) => return Err((trouble, Some(plan))),
        }
    } else {
        // A new edition is added to whatever the file says by now: nobody's change is lost.
        let now = desk.publisher().campaign_file(&draft.edition.id.series);
        seen = now.map_err(|error| (error.into(), None))?.1;
    }
    let content = desk.content().await.map_err(|trouble| (trouble, None))?;
    let saved = desk.publisher().save_campaign(&content, &draft, &seen, caller.actor()).await;
    desk.content_changed();
    saved.map_err(|error| (Trouble::from(error), Some(plan)))
}

/// `POST /console/campaigns/save`
pub(in super::super) async fn save(
    State(desk): State<Desk>,
    shown: Shown,
    caller: Caller,
    Sent(form): Sent<CampaignForm>,
) -> Result<Response, Trouble> {
    let mut view = EditionView::from(form);
    match keep(&desk, &caller, &view).await {
        Ok(()) => {
            let done = Notice::Saved.as_str();
            Ok(Redirect::to(&format!("/console/campaigns?done={done}")).into_response())
        }
        Err((trouble, plan)) if trouble.status.is_client_error() => {
            if trouble.status == StatusCode::CONFLICT && plan.is_some() {
                // Both versions are on the page now: saving again is meant.
                view.seen = desk.publisher().campaign_file(view.series.trim())?.1;
            }
            show(&desk, &shown, caller, view, (trouble.status, trouble.what, plan)).await
        }
        Err((trouble, _)) => Err(trouble),
    }
}

/// `POST /console/campaigns/dry-run`
pub(in super::super) async fn dry_run(
    State(desk): State<Desk>,
    shown: Shown,
    caller: Caller,
    Sent(form): Sent<CampaignForm>,
) -> Result<Response, Trouble> {
    let view = EditionView::from(form);
    match start(&desk, &caller, &view).await {
        Ok(job) => Ok(jobs::lead_to(&job)),
        Err(trouble) if trouble.status.is_client_error() => {
            show(&desk, &shown, caller, view, (trouble.status, trouble.what, None)).await
        }
        Err(trouble) => Err(trouble),
    }
}

fn reached(reached: &Reached) -> String {
    format!("，{}", reached.words())
}

async fn start(desk: &Desk, caller: &Caller, view: &EditionView) -> Result<Arc<Job>, Trouble> {
    let (draft, _) = planned(desk, view).await?;
    let content = desk.content().await?;
    let subject = trimmed(&draft.edition.id.to_string(), 100);
    let request = Digest::of(format!("{draft:?}").as_bytes());
    let work = move |desk: Desk, job: Arc<Job>| async move {
        job.doing("等前面的排版做完");
        let _turn = desk.rendering().lock().await;
        job.doing("排版");
        let watch = |done, total| job.reached(done, total);
        let (channels, faults) = desk.publisher().draft_render(&content, &draft, &watch)?;
        for channel in channels {
            let manifest = &channel.manifest;
            job.say(JobLine {
                subject: channel.channel.to_string(),
                ok: true,
                text: format!(
                    "{} 个文件，{:.1} MB，{} 条图文，{} 至 {}{}",
                    manifest.files.len(),
                    channel.bytes() as f64 / 1_048_576.0,
                    manifest.messages.len(),
                    manifest.window.from,
                    manifest.window.until,
                    manifest.reached.as_ref().map_or_else(String::new, reached),
                ),
                link: None,
            });
        }
        if faults.is_empty() { Ok(()) } else { Err(Trouble::wrong_list(faults)) }
    };
    let again = Again {
        action: "/console/campaigns/dry-run".to_owned(),
        look: false,
        fields: view.fields(),
    };
    let wish = Wish { subject: &subject, request, again };
    desk.start_job(Kind::DryRun, wish, caller, work).await
}

/// What an edition would do; nothing is saved.
#[utoipa::path(post, path = "/api/v1/campaigns/plan", tag = "campaigns",
    request_body = EditionView,
    responses((status = 200, body = PlanView), (status = 422, body = super::super::api::Problem)))]
pub(in super::super) async fn api_plan(
    State(desk): State<Desk>,
    Sent(view): Sent<EditionView>,
) -> Result<Json<PlanView>, Trouble> {
    Ok(Json(planned(&desk, &view).await?.1.into()))
}

/// Saves an edition into its series' file.
#[utoipa::path(post, path = "/api/v1/campaigns", tag = "campaigns", request_body = EditionView,
    responses((status = 200, body = EditionView), (status = 409, body = super::super::api::Problem),
        (status = 422, body = super::super::api::Problem)))]
pub(in super::super) async fn api_save(
    State(desk): State<Desk>,
    caller: Caller,
    Sent(view): Sent<EditionView>,
) -> Result<Json<EditionView>, Trouble> {
    keep(&desk, &caller, &view).await.map_err(|(trouble, _)| trouble)?;
    let (_, seen) = desk.publisher().campaign_file(view.series.trim())?;
    let edits = format!("{}/{}", view.series.trim(), view.edition.trim());
    Ok(Json(EditionView { edits, seen, ..view }))
}

/// Renders what an edition would publish, in the background: how big it gets, and what the
/// channels would refuse.
#[utoipa::path(post, path = "/api/v1/campaigns/dry-run", tag = "campaigns",
    request_body = EditionView,
    responses((status = 202, body = jobs::JobView),
        (status = 422, body = super::super::api::Problem)))]
pub(in super::super) async fn api_dry_run(
    State(desk): State<Desk>,
    caller: Caller,
    Sent(view): Sent<EditionView>,
) -> Result<Response, Trouble> {
    Ok(jobs::accepted(&*start(&desk, &caller, &view).await?))
}
