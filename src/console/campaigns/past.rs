//! What a campaign's file was before each time somebody saved it, and taking that back.

use crate::{
    console::{
        Desk,
        api::Problem,
        caller::Caller,
        filters,
        page::{Notice, Page, Shown, render},
        review::source::{self, Fate, Line},
        sent::Sent,
        trouble::Trouble,
    },
    model::Digest,
    work::{
        campaign_saves::Save,
        people::{Called, person_of_actor},
    },
};
use askama::Template;
use axum::{
    Json,
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which file, and which of its versions.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub(in super::super) struct Asked {
    /// The series, such as `routine`.
    series: Option<String>,
    /// SHA-256 of a version that it once was.
    version: Option<String>,
}

/// That somebody saved a campaign's file.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = CampaignSave)]
pub(in super::super) struct Saved {
    /// When, RFC 3339.
    #[schema(value_type = String)]
    at: Timestamp,
    /// Who.
    by: String,
    /// The editions that it was about.
    editions: Vec<String>,
    /// SHA-256 of the file before; none where there was no file.
    before: Option<String>,
    /// SHA-256 of what it became.
    after: String,
}

/// A version that a campaign's file once was, against what it is now.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = CampaignVersion)]
pub(in super::super) struct Earlier {
    /// The series.
    series: String,
    /// SHA-256 of the version.
    version: String,
    /// SHA-256 of what the file is now; to be sent back where it is restored.
    seen: String,
    /// The version's lines, with those that would go; numbers are the version's.
    lines: Vec<Line>,
}

/// What is to be restored.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
#[schema(as = CampaignRestoration)]
pub(in super::super) struct Restoration {
    /// The series.
    series: String,
    /// SHA-256 of the version.
    version: String,
    /// SHA-256 of the file as it was seen, so that nobody's change is lost.
    seen: String,
}

#[derive(Template)]
#[template(path = "console/html/campaign-past.html")]
struct PastPage {
    page: Page,
    series: String,
    name: String,
    saves: Vec<Saved>,
    /// SHA-256 of what the file is now.
    now: String,
    version: Option<Earlier>,
    faults: Vec<String>,
}

impl PastPage {
    /// Whether the file is not what was last saved here.
    fn is_edited_since(&self) -> bool {
        self.saves.first().is_some_and(|save| save.after != self.now)
    }
}

fn saved(save: Save, called: &Called) -> Saved {
    let who = person_of_actor(&save.actor);
    Saved {
        at: save.at,
        by: who.map_or_else(|| save.actor.clone(), |id| called.one(&id)),
        editions: save.editions,
        before: save.before.map(|digest| digest.to_string()),
        after: save.after.to_string(),
    }
}

async fn saves(desk: &Desk, series: &str) -> Result<Vec<Saved>, Trouble> {
    let publisher = desk.publisher();
    let content = desk.content().await?;
    let saves = publisher.campaign_saves(series).await?;
    if saves.is_empty() && !content.library.campaigns.iter().any(|one| one.id == series) {
        return Err(Trouble::missing(format!("没有系列“{series}”")));
    }
    let called = publisher.called().await?;
    Ok(saves.into_iter().map(|save| saved(save, &called)).collect())
}

async fn version(desk: &Desk, series: &str, version: &str) -> Result<Earlier, Trouble> {
    let missing = || Trouble::missing(format!("campaigns/{series}.toml 没有这一版"));
    let digest = Digest::from_hex(version).ok_or_else(missing)?;
    let publisher = desk.publisher();
    let then = publisher.campaign_version(series, &digest).await?;
    let (now, seen) = publisher.campaign_file(series)?;
    let path = format!("campaigns/{series}.toml");
    let lines = source::lines(&path, Some(&now.unwrap_or_default()), &then, &[], &[]).lines;
    Ok(Earlier { series: series.to_owned(), version: version.to_owned(), seen, lines })
}

/// `GET /console/campaigns/past?series=…`, and with `&version=…` what restoring it would change.
pub(in super::super) async fn page(
    State(desk): State<Desk>,
    shown: Shown,
    caller: Caller,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    show(&desk, &shown, caller, asked, (StatusCode::OK, Vec::new())).await
}

async fn show(
    desk: &Desk,
    shown: &Shown,
    caller: Caller,
    asked: Asked,
    (status, faults): (StatusCode, Vec<String>),
) -> Result<Response, Trouble> {
    let series = asked.series.unwrap_or_default();
    let saves = saves(desk, &series).await?;
    let version = match asked.version.filter(|version| !version.is_empty()) {
        Some(own) => Some(version(desk, &series, &own).await?),
        None => None,
    };
    let content = desk.content().await?;
    let known = content.library.campaigns.iter().find(|one| one.id == series);
    let mut answer = render(&PastPage {
        name: known.map_or_else(|| series.clone(), |one| one.name.clone()),
        now: desk.publisher().campaign_file(&series)?.1,
        page: Page::new(desk, shown, Some(caller), ("活动的旧版", "Earlier versions")).await,
        series,
        saves,
        version,
        faults,
    })?;
    *answer.status_mut() = status;
    Ok(answer)
}

async fn put_back(desk: &Desk, caller: &Caller, wish: &Restoration) -> Result<(), Trouble> {
    let content = desk.content().await?;
    let series = wish.series.trim();
    let missing = || Trouble::missing(format!("campaigns/{series}.toml 没有这一版"));
    let version = Digest::from_hex(wish.version.trim()).ok_or_else(missing)?;
    let (publisher, seen) = (desk.publisher(), wish.seen.trim());
    let what = (series, &version);
    let restored = publisher.restore_campaign(&content, what, seen, caller.actor()).await;
    desk.content_changed();
    Ok(restored?)
}

/// `POST /console/campaigns/restore`
pub(in super::super) async fn restore(
    State(desk): State<Desk>,
    shown: Shown,
    caller: Caller,
    Sent(wish): Sent<Restoration>,
) -> Result<Response, Trouble> {
    match put_back(&desk, &caller, &wish).await {
        Ok(()) => {
            let done = Notice::Saved.as_str();
            Ok(Redirect::to(&format!("/console/campaigns?done={done}")).into_response())
        }
        Err(trouble) if matches!(trouble.status.as_u16(), 409 | 422) => {
            let asked = Asked { series: Some(wish.series), version: Some(wish.version) };
            show(&desk, &shown, caller, asked, (trouble.status, trouble.what)).await
        }
        Err(trouble) => Err(trouble),
    }
}

/// Who saved a campaign's file when, newest first, and what it was before.
#[utoipa::path(get, path = "/api/v1/campaigns/past", tag = "campaigns", params(Asked),
    responses((status = 200, body = [Saved]), (status = 404, body = Problem)))]
pub(in super::super) async fn api_past(
    State(desk): State<Desk>,
    Query(asked): Query<Asked>,
) -> Result<Json<Vec<Saved>>, Trouble> {
    Ok(Json(saves(&desk, &asked.series.unwrap_or_default()).await?))
}

/// A version that a campaign's file once was, against what it is now.
#[utoipa::path(get, path = "/api/v1/campaigns/version", tag = "campaigns", params(Asked),
    responses((status = 200, body = Earlier), (status = 404, body = Problem)))]
pub(in super::super) async fn api_version(
    State(desk): State<Desk>,
    Query(asked): Query<Asked>,
) -> Result<Json<Earlier>, Trouble> {
    let (series, own) = (asked.series.unwrap_or_default(), asked.version.unwrap_or_default());
    Ok(Json(version(&desk, &series, &own).await?))
}

/// Makes a campaign's file what it once was; one more save, which can be taken back, too.
#[utoipa::path(post, path = "/api/v1/campaigns/restoration", tag = "campaigns",
    request_body = Restoration,
    responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 422, body = Problem)))]
pub(in super::super) async fn api_restore(
    State(desk): State<Desk>,
    caller: Caller,
    Sent(wish): Sent<Restoration>,
) -> Result<StatusCode, Trouble> {
    put_back(&desk, &caller, &wish).await?;
    Ok(StatusCode::NO_CONTENT)
}
