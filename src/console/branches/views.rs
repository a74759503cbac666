//! The list of branches and codes for programs.

use super::{
    super::{Desk, caller::Caller, trouble::Trouble},
    ROWS, Wanted, known,
};
use crate::work::{branches::TakeDownStanding, roll::BranchRow};
use axum::{
    Json,
    extract::{Path, Query, State},
};
use serde::Serialize;
use utoipa::ToSchema;

/// A branch on the roll.
#[derive(Debug, Serialize, ToSchema)]
pub struct BranchView {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its district.
    pub district: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// How many screens it has.
    pub screens: usize,
    /// `take-down`, `trouble` or `fine`.
    pub state: String,
    /// What it has: campaign, approval number, how far.
    pub packs: Vec<PackView>,
    /// When its machine last told something.
    pub seen_at: Option<String>,
    /// What is wrong.
    pub troubles: Vec<String>,
    /// What must come down and was not confirmed.
    pub take_down: Vec<TakeDownView>,
}

/// What a branch has.
#[derive(Debug, Serialize, ToSchema)]
pub struct PackView {
    /// Series and edition.
    pub campaign: String,
    /// The approval number.
    pub number: String,
    /// How far it is.
    pub step: String,
}

/// Something that must come down.
#[derive(Debug, Serialize, ToSchema)]
pub struct TakeDownView {
    /// The release.
    pub key: String,
    /// The lesson; none for all of the release.
    pub lesson: Option<String>,
    /// The titles.
    pub title: String,
    /// Why.
    pub reason: String,
    /// Since when.
    pub since: String,
}

/// Branches that fit, a page of them.
#[derive(Debug, Serialize, ToSchema)]
pub struct BranchList {
    /// How many fit.
    pub found: usize,
    /// The page, from 1.
    pub page: usize,
    /// How many pages there are.
    pub pages: usize,
    /// The branches.
    pub branches: Vec<BranchView>,
    /// Channels that could not be read.
    pub faults: Vec<String>,
}

fn view(row: &BranchRow) -> BranchView {
    let branch = &row.branch;
    let pack = |(campaign, number, step): &(String, String, &'static str)| PackView {
        campaign: campaign.clone(),
        number: number.clone(),
        step: (*step).to_owned(),
    };
    BranchView {
        id: branch.id.to_string(),
        name: branch.name.clone(),
        district: branch.district.clone(),
        tags: branch.tags.clone(),
        screens: row.screens,
        state: row.state().as_str().to_owned(),
        packs: row.packs.iter().map(pack).collect(),
        seen_at: crate::work::roll::last_seen(row).map(|at| at.to_string()),
        troubles: row.troubles.clone(),
        take_down: row.take_down.iter().map(take_down_view).collect(),
    }
}

pub(in super::super) fn take_down_view(item: &crate::model::TakeDown) -> TakeDownView {
    TakeDownView {
        key: item.key.to_string(),
        lesson: item.lesson.as_ref().map(ToString::to_string),
        title: item.title.clone(),
        reason: item.reason.clone(),
        since: item.since.to_string(),
    }
}

/// The branches that fit, and how each stands.
#[utoipa::path(get, path = "/api/v1/branches", tag = "branches", params(Wanted),
    responses((status = 200, body = BranchList)))]
pub(in super::super) async fn list(
    State(desk): State<Desk>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<BranchList>, Trouble> {
    let roll = desk.roll().await?;
    let found: Vec<&BranchRow> = roll.rows.iter().filter(|row| wanted.takes(row)).collect();
    let (page, pages) = wanted.page(found.len());
    let shown = found.iter().skip((page - 1) * ROWS).take(ROWS);
    let branches = shown.map(|row| view(row)).collect();
    let faults = roll.faults.clone();
    Ok(Json(BranchList { found: found.len(), page, pages, branches, faults }))
}

/// A release that must come down, and who has not said that it is.
#[derive(Debug, Serialize, ToSchema)]
pub struct TakeDownList {
    /// The release.
    pub key: String,
    /// The titles.
    pub title: String,
    /// Why.
    pub reason: String,
    /// Since when.
    pub since: String,
    /// How many branches have it to take down.
    pub branches: usize,
    /// Those that have not confirmed.
    pub missing: Vec<String>,
}

/// What must come down, release by release.
#[utoipa::path(get, path = "/api/v1/branches/take-downs", tag = "branches",
    responses((status = 200, body = Vec<TakeDownList>)))]
pub(in super::super) async fn list_take_downs(
    State(desk): State<Desk>,
) -> Result<Json<Vec<TakeDownList>>, Trouble> {
    let roll = desk.roll().await?;
    let view = |item: &TakeDownStanding| TakeDownList {
        key: item.key.to_string(),
        title: item.title.clone(),
        reason: item.reason.clone(),
        since: item.since.to_string(),
        branches: item.branches,
        missing: item.missing.iter().map(|(id, _)| id.to_string()).collect(),
    };
    Ok(Json(roll.take_downs.iter().map(view).collect()))
}

/// A one-time code.
#[derive(Debug, Serialize, ToSchema)]
pub struct CodeView {
    /// The code; it is shown this once.
    pub code: String,
    /// Until when it can be used.
    pub until: String,
}

/// A one-time code for a branch's new machine.
#[utoipa::path(post, path = "/api/v1/branches/{branch}/code", tag = "branches",
    params(("branch" = String, Path)),
    responses((status = 200, body = CodeView)))]
pub(in super::super) async fn make_code(
    State(desk): State<Desk>,
    caller: Caller,
    Path(branch): Path<String>,
) -> Result<Json<CodeView>, Trouble> {
    let (branch, _) = known(&desk, &branch).await?;
    let (code, until) = desk.publisher().enrol_code(&branch, caller.actor()).await?;
    Ok(Json(CodeView { code, until: until.to_string() }))
}
