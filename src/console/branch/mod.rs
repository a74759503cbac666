//! A branch's own page, for the lobby at ten past eight and for a phone: what must come down, what
//! the screens play, what to print, everything as one zip.
//!
//! | module | what it does |
//! |---|---|
//! | [`confirm`] | 已上墙, 已撤下: from the page, a short code, or the code on a poster |
//! | [`events`] | the form of six numbers and its history |
//! | [`files`] | the branch's own files, small pictures of them, the zip |
//!
//! For somebody of another branch none of it exists (404).

pub mod confirm;
pub mod events;
pub mod files;
mod qr;

use super::{
    Desk,
    branches::shortened,
    caller::Caller,
    filters,
    page::{Page, Shown, render},
    permit::Action,
    routes::Routes,
    trouble::Trouble,
};
use crate::{
    model::{Branch, BranchId, CampaignId, LessonId, PackEntry, PackScreen},
    work::{
        given::Given,
        take_down::{GivenTakeDown, Part},
    },
};
use askama::Template;
use axum::{
    Json,
    extract::{Path, State},
    response::Response,
};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

pub(super) fn routes(routes: Routes) -> Routes {
    let routes = routes
        .get("/b/{branch}", Action::ReadBranch, page)
        .get("/b/{branch}/print", Action::ReadBranch, print)
        .get("/api/v1/branches/{branch}", Action::ReadBranch, given);
    files::routes(events::routes(confirm::routes(routes)))
}

/// A branch that the caller may see, with what it has.
pub(super) struct Visited {
    pub(super) branch: Branch,
    pub(super) given: Given,
    /// Whether the caller confirms and reports in its name.
    pub(super) own: bool,
}

fn missing(branch: &str) -> Trouble {
    Trouble::missing(format!("没有网点“{}”的页面", shortened(branch)))
}

/// The branch, where it exists for the caller.
pub(super) async fn seen(desk: &Desk, caller: &Caller, branch: &str) -> Result<Branch, Trouble> {
    let id = BranchId::new(branch).map_err(|_| missing(branch))?;
    if !caller.sees(&id) {
        return Err(missing(branch));
    }
    let content = desk.content().await?;
    content.library.branch(&id).cloned().ok_or_else(|| missing(branch))
}

/// The branch with what it has.
pub(super) async fn visit(desk: &Desk, caller: &Caller, branch: &str) -> Result<Visited, Trouble> {
    let branch = seen(desk, caller, branch).await?;
    let content = desk.content().await?;
    let publisher = desk.publisher();
    let feeds = publisher.feeds(&content, desk.feed_cache()).await?;
    let screens = content.library.screens.iter().filter(|screen| screen.branch == branch.id);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 to 3,600")]
    let screens = screens.map(|screen| PackScreen {
        screen: screen.screen.clone(),
        profile: screen.profile.clone(),
        width: screen.width,
        height: screen.height,
        dwell_s: screen.dwell_s.clamp(1.0, 3600.0).round() as u32,
    });
    let mut given = publisher.given(&feeds, &branch.id, screens.collect()).await?;
    for release in &mut given.releases {
        let edition = CampaignId::new(&release.campaign).ok();
        let edition = edition.and_then(|id| content.library.edition(&id));
        if let Some(edition) = edition {
            release.name.clone_from(&edition.name);
        }
    }
    let own = caller.acts_for(&branch.id).is_ok();
    Ok(Visited { branch, given, own })
}

#[derive(Template)]
#[template(path = "console/html/branch.html")]
struct BranchPage {
    page: Page,
    branch: Branch,
    given: Given,
    own: bool,
    /// The page to come back to; empty for this one.
    back: String,
    now: Timestamp,
    zip_bytes: u64,
}

async fn page(
    State(desk): State<Desk>,
    shown: Shown,
    caller: Caller,
    Path(branch): Path<String>,
) -> Result<Response, Trouble> {
    let Visited { branch, given, own } = visit(&desk, &caller, &branch).await?;
    let now = desk.publisher().store.now().await?;
    let name = branch.name.clone();
    let own = own && caller.may(Action::ConfirmBranch);
    let page = Page::new(&desk, &shown, Some(caller), (&name, &name)).await;
    let zip_bytes = given.named().values().map(|entry| entry.bytes).sum();
    let back = String::new();
    render(&BranchPage { page, branch, given, own, back, now, zip_bytes })
}

/// A release on the printed list, with the code that leads back here.
struct Sheet {
    code: String,
    campaign: String,
    number: String,
    until: Timestamp,
    titles: Vec<String>,
    address: String,
    qr: qr::Qr,
}

#[derive(Template)]
#[template(path = "console/html/branch-print.html")]
struct PrintPage {
    page: Page,
    branch: Branch,
    given: Given,
    down: Vec<DownSheet>,
    sheets: Vec<Sheet>,
    now: Timestamp,
}

/// What must come down of one release, with the code that leads to where that is said.
struct DownSheet {
    things: Vec<GivenTakeDown>,
    address: String,
    qr: Option<qr::Qr>,
}

/// What is still to come down, release by release.
fn down_sheets(given: &Given, base: &str) -> Vec<DownSheet> {
    let mut sheets: Vec<DownSheet> = Vec::new();
    for one in given.open() {
        if let Some(sheet) = sheets.iter_mut().find(|sheet| sheet.things[0].key == one.key) {
            sheet.things.push(one.clone());
            continue;
        }
        let address = format!("{base}/b/{}/confirm/{}", given.branch, one.code());
        let qr = qr::Qr::of(&address);
        sheets.push(DownSheet { things: vec![one.clone()], address, qr });
    }
    sheets
}

async fn print(
    State(desk): State<Desk>,
    shown: Shown,
    caller: Caller,
    Path(branch): Path<String>,
) -> Result<Response, Trouble> {
    let Visited { branch, given, .. } = visit(&desk, &caller, &branch).await?;
    let now = desk.publisher().store.now().await?;
    let base = base(&desk);
    let releases = given.releases.iter().filter(|release| release.active);
    let sheets = releases.filter_map(|release| {
        let address = format!("{base}/b/{}/confirm/{}", branch.id, release.code());
        Some(Sheet {
            code: release.code(),
            campaign: release.name.clone(),
            number: release.number.clone(),
            until: release.show_until,
            titles: release.lessons.iter().map(|lesson| lesson.title.clone()).collect(),
            qr: qr::Qr::of(&address)?,
            address,
        })
    });
    let sheets = sheets.collect();
    let down = down_sheets(&given, &base);
    let page = Page::new(&desk, &shown, Some(caller), ("今天的清单", "Today's list")).await;
    render(&PrintPage { page, branch, given, down, sheets, now })
}

/// Where browsers reach us.
pub(super) fn base(desk: &Desk) -> String {
    let config = &desk.publisher().config;
    let own = || format!("http://{}", config.server.listen);
    config.console.url.clone().unwrap_or_else(own).trim_end_matches('/').to_owned()
}

/// What a branch has now.
#[derive(Debug, Serialize, ToSchema)]
pub struct GivenView {
    /// The branch.
    pub branch: String,
    /// Its name.
    pub name: String,
    /// Its screens with what they play now.
    pub screens: Vec<ScreenView>,
    /// Its releases.
    pub releases: Vec<ReleaseView>,
    /// What must come down and was not confirmed, thing by thing.
    pub take_down: Vec<DownView>,
}

/// Something that must come down.
#[derive(Debug, Serialize, ToSchema)]
pub struct DownView {
    /// The release.
    pub key: String,
    /// The lesson, or `@notice` for the notice of complaint numbers; none for all of the release.
    /// A confirmation names it as it is here.
    pub lesson: Option<String>,
    /// What is written over it.
    pub title: String,
    /// The approval number printed on it.
    pub number: String,
    /// What there is of it.
    pub outputs: Vec<String>,
    /// Why.
    pub reason: String,
    /// Since when.
    pub since: String,
    /// The approval numbers of what hangs in its place.
    pub instead: Vec<String>,
}

fn down_view(one: &GivenTakeDown) -> DownView {
    DownView {
        key: one.key.to_string(),
        lesson: one.part.name(),
        title: one.title.clone(),
        number: one.number.clone(),
        outputs: one.outputs.iter().map(ToString::to_string).collect(),
        reason: one.reason.clone(),
        since: one.since.to_string(),
        instead: one.instead.clone(),
    }
}

/// A screen and what it plays.
#[derive(Debug, Serialize, ToSchema)]
pub struct ScreenView {
    /// Its name.
    pub screen: String,
    /// Its profile.
    pub profile: String,
    /// Seconds that each poster stays.
    pub dwell_s: u32,
    /// The posters, in order.
    pub playlist: Vec<FileView>,
}

/// A release.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReleaseView {
    /// The delivery's key.
    pub key: String,
    /// Series and edition.
    pub campaign: String,
    /// The approval number.
    pub number: String,
    /// From when it counts.
    pub activate_at: String,
    /// When it must be down.
    pub show_until: String,
    /// Whether it counts now.
    pub active: bool,
    /// Its lessons.
    pub lessons: Vec<LessonView>,
}

/// One lesson of a release.
#[derive(Debug, Serialize, ToSchema)]
pub struct LessonView {
    /// The lesson; none for files of no lesson.
    pub lesson: Option<String>,
    /// Its title.
    pub title: String,
    /// Who said that it hangs.
    pub posted_by: Option<String>,
    /// When.
    pub posted_at: Option<String>,
    /// Its files.
    pub files: Vec<FileView>,
}

/// A file.
#[derive(Debug, Serialize, ToSchema)]
pub struct FileView {
    /// Its digest: `/api/v1/branches/{branch}/files/{sha256}`.
    pub sha256: String,
    /// Its size.
    pub bytes: u64,
    /// Its media type.
    pub media_type: String,
    /// What it is.
    pub output: String,
    /// For whom.
    pub audience: String,
    /// The lesson.
    pub lesson: Option<String>,
    /// The title.
    pub title: String,
}

fn file_view(entry: &PackEntry) -> FileView {
    FileView {
        sha256: entry.sha256.to_string(),
        bytes: entry.bytes,
        media_type: entry.media_type.to_string(),
        output: entry.output.to_string(),
        audience: entry.audience.to_string(),
        lesson: entry.lesson.as_ref().map(LessonId::to_string),
        title: entry.alt.clone(),
    }
}

/// What a branch has now: screens, releases, what must come down.
#[utoipa::path(get, path = "/api/v1/branches/{branch}", tag = "branches",
    params(("branch" = String, Path)),
    responses((status = 200, body = GivenView)))]
pub(super) async fn given(
    State(desk): State<Desk>,
    caller: Caller,
    Path(branch): Path<String>,
) -> Result<Json<GivenView>, Trouble> {
    let Visited { branch, given, .. } = visit(&desk, &caller, &branch).await?;
    let screens = given.screens.iter().map(|screen| ScreenView {
        screen: screen.screen.screen.clone(),
        profile: screen.screen.profile.clone(),
        dwell_s: screen.screen.dwell_s,
        playlist: screen.playlist.iter().map(file_view).collect(),
    });
    let releases = given.releases.iter().map(|release| ReleaseView {
        key: release.key.to_string(),
        campaign: release.campaign.clone(),
        number: release.number.clone(),
        activate_at: release.activate_at.to_string(),
        show_until: release.show_until.to_string(),
        active: release.active,
        lessons: release
            .lessons
            .iter()
            .map(|lesson| LessonView {
                lesson: lesson.lesson.as_ref().map(LessonId::to_string),
                title: lesson.title.clone(),
                posted_by: lesson.posted.as_ref().map(|said| said.by.clone()),
                posted_at: lesson.posted.as_ref().map(|said| said.at.to_string()),
                files: lesson.files.iter().map(file_view).collect(),
            })
            .collect(),
    });
    Ok(Json(GivenView {
        screens: screens.collect(),
        releases: releases.collect(),
        take_down: given.open().map(down_view).collect(),
        branch: branch.id.to_string(),
        name: branch.name,
    }))
}
