//! Campaigns: the editions there are, and planning one.

mod draft;
mod form;
mod past;
mod picks;
mod rhythm;
mod stale;
mod typed;
mod view;

pub(super) use form::{
    __path_api_dry_run, __path_api_plan, __path_api_save, api_dry_run, api_plan, api_save, dry_run,
    edit, lessons, plan, save,
};
pub(super) use past::{
    __path_api_past, __path_api_restore, __path_api_version, api_past, api_restore, api_version,
    page as past, restore,
};

use super::{
    Desk,
    caller::Caller,
    page::{Page, Shown, render},
    trouble::Trouble,
};
use crate::model::{ChannelId, Edition, ScheduleEntry};
use askama::Template;
use axum::{Json, extract::State, response::Response};
use jiff::civil::Date;
use view::EditionView;

/// An edition as the list shows it.
struct Line {
    edition: Edition,
    shape: &'static str,
    tone: &'static str,
    label: (&'static str, &'static str),
    titles: String,
    schedules: Vec<(String, String)>,
    reach: String,
}

/// A series and its editions, the newest first.
struct Series {
    id: String,
    name: String,
    description: String,
    lines: Vec<Line>,
}

#[derive(Template)]
#[template(path = "console/html/campaigns.html")]
struct CampaignsPage {
    page: Page,
    series: Vec<Series>,
}

fn standing(
    edition: &Edition,
    today: Date,
) -> (&'static str, &'static str, (&'static str, &'static str)) {
    if edition.until < today {
        ("✓", "", ("已结束", "Over"))
    } else if edition.from <= today {
        ("◑", "good", ("进行中", "Running"))
    } else {
        ("○", "wait", ("还没开始", "To come"))
    }
}

/// Where an edition goes, in words; empty where nothing narrows it.
fn reach(edition: &Edition) -> String {
    let reach = &edition.reach;
    let mut words = Vec::new();
    let mut some = |what: &str, names: Vec<&str>| {
        if !names.is_empty() {
            words.push(format!("{what}{}", names.join("、")));
        }
    };
    some("只发渠道 ", reach.channels.iter().map(ChannelId::as_str).collect());
    some("只发 ", reach.audiences.iter().map(|audience| audience.label()).collect());
    some("只到片区 ", reach.districts.iter().map(String::as_str).collect());
    some("只到标签 ", reach.tags.iter().map(String::as_str).collect());
    words.join("；")
}

/// A schedule with when it fires, in Chinese and in English.
fn scheduled(entry: &ScheduleEntry) -> (String, String) {
    let (zh, en) = rhythm::described(entry);
    (format!("{}：{zh}", entry.id), format!("{}: {en}", entry.id))
}

/// `GET /console/campaigns`
pub(super) async fn page(
    State(desk): State<Desk>,
    shown: Shown,
    caller: Caller,
) -> Result<Response, Trouble> {
    let content = desk.content().await?;
    let today = desk.publisher().today().await?;
    let schedules = &content.schedules;
    let line = |edition: &Edition| {
        let (shape, tone, label) = standing(edition, today);
        let own = schedules.iter().filter(|entry| entry.campaign == edition.id);
        Line {
            titles: super::titles(&content.library, &edition.lessons),
            schedules: own.map(scheduled).collect(),
            reach: reach(edition),
            shape,
            tone,
            label,
            edition: edition.clone(),
        }
    };
    let series = content.library.campaigns.iter().map(|series| Series {
        id: series.id.clone(),
        name: series.name.clone(),
        description: series.description.clone(),
        lines: series.editions.iter().rev().map(line).collect(),
    });
    let series = series.collect();
    let page = Page::new(&desk, &shown, Some(caller), ("活动", "Campaigns")).await;
    render(&CampaignsPage { page, series })
}

/// Every edition of every campaign.
#[utoipa::path(get, path = "/api/v1/campaigns", tag = "campaigns",
    responses((status = 200, body = [EditionView])))]
pub(super) async fn api_list(State(desk): State<Desk>) -> Result<Json<Vec<EditionView>>, Trouble> {
    let content = desk.content().await?;
    let mut views = Vec::new();
    for series in &content.library.campaigns {
        // The edition and the digest are of the same bytes; a file that cannot be read now has none.
        let (now, digest) = desk.publisher().campaign_now(&series.id)?;
        let seen = if now.is_some() { digest } else { String::new() };
        let series = now.as_ref().unwrap_or(series);
        views.extend(series.editions.iter().map(|edition| EditionView::of(series, edition, &seen)));
    }
    Ok(Json(views))
}
