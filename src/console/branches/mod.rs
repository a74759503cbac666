//! All branches: how each stands, what it has, what must come down and who has not said that it is;
//! codes for new machines. [`tables`] takes their tables in and out,
//! [`views`] is the same for programs.

pub mod programs;
pub mod tables;
pub mod views;

use super::{
    Desk,
    caller::Caller,
    filters,
    page::{Page, Shown, render},
    permit::Action,
    routes::Routes,
    trouble::Trouble,
};
use crate::{
    model::{BranchId, Digest},
    work::{
        branches::TakeDownStanding,
        given::code_of,
        roll::{BranchRow, BranchState, Roll},
    },
};
use askama::Template;
use axum::{
    extract::{Path, Query, State},
    response::Response,
};
use jiff::Timestamp;
use serde::Deserialize;
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use utoipa::IntoParams;

/// So many rows are on a page: with a hundred, it would be more than 100 KB.
const ROWS: usize = 50;
/// So many missing branches of one release are named.
const NAMED: usize = 30;
/// So many releases that must come down are listed.
const LISTED: usize = 20;
/// How long the roll is taken to be right; confirmations made here are seen at once.
const FRESH: Duration = Duration::from_secs(5);

/// The roll as last made.
#[derive(Debug, Default)]
pub(super) struct RollShelf {
    last: Mutex<Option<(Instant, Arc<Roll>)>>,
    turn: tokio::sync::Mutex<()>,
}

impl RollShelf {
    fn last(&self) -> Option<Arc<Roll>> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = last.as_ref().filter(|(at, _)| at.elapsed() < FRESH);
        fresh.map(|(_, roll)| Arc::clone(roll))
    }
}

impl Desk {
    /// How every branch stands; some seconds old at most.
    pub(super) async fn roll(&self) -> Result<Arc<Roll>, Trouble> {
        let shelf = self.roll_shelf();
        if let Some(roll) = shelf.last() {
            return Ok(roll);
        }
        let _turn = shelf.turn.lock().await;
        if let Some(roll) = shelf.last() {
            return Ok(roll);
        }
        let content = self.content().await?;
        let feeds = self.publisher().feeds(&content, self.feed_cache()).await?;
        let roll = Arc::new(self.publisher().roll(&content, &feeds).await?);
        let kept = Some((Instant::now(), Arc::clone(&roll)));
        *shelf.last.lock().unwrap_or_else(PoisonError::into_inner) = kept;
        Ok(roll)
    }

    /// Something was confirmed or imported: the roll is made anew with the next page.
    pub(super) fn roll_changed(&self) {
        *self.roll_shelf().last.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// The routes of branches' tables and list.
pub(super) fn routes(routes: Routes) -> Routes {
    let routes = routes
        .get("/console/branches", Action::ReadBranches, page)
        .post("/console/branches/{branch}/code", Action::ChangeBranches, code)
        .get("/api/v1/branches", Action::ReadBranches, views::list)
        .get("/api/v1/branches/take-downs", Action::ReadBranches, views::list_take_downs)
        .post("/api/v1/branches/{branch}/code", Action::ChangeBranches, views::make_code);
    tables::routes(routes)
}

/// Which branches.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
pub struct Wanted {
    /// Part of the id, name or address.
    #[serde(default)]
    text: String,
    /// The district.
    #[serde(default)]
    district: String,
    /// A tag.
    #[serde(default)]
    tag: String,
    /// `take-down`, `trouble` or `fine`.
    #[serde(default)]
    state: String,
    /// The page, from 1.
    #[serde(default)]
    page: String,
}

impl Wanted {
    fn takes(&self, row: &BranchRow) -> bool {
        let text = self.text.trim().to_lowercase();
        let branch = &row.branch;
        let has = |own: &str| own.to_lowercase().contains(&text);
        (text.is_empty() || has(branch.id.as_str()) || has(&branch.name) || has(&branch.address))
            && (self.district.is_empty() || branch.district == self.district)
            && (self.tag.is_empty() || branch.tags.contains(&self.tag))
            && (self.state.is_empty() || row.state().as_str() == self.state)
    }

    /// The page wanted, counted from one, of so many rows.
    fn page(&self, rows: usize) -> (usize, usize) {
        let pages = rows.div_ceil(ROWS).max(1);
        let page = self.page.parse().unwrap_or(1_usize).clamp(1, pages);
        (page, pages)
    }

    /// The same question for another page.
    fn query(&self, page: usize) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        let own = [
            ("text", &self.text),
            ("district", &self.district),
            ("tag", &self.tag),
            ("state", &self.state),
        ];
        for (name, value) in own.into_iter().filter(|(_, value)| !value.is_empty()) {
            query.append_pair(name, value);
        }
        query.append_pair("page", &page.to_string()).finish()
    }
}

#[derive(Template)]
#[template(path = "console/html/branches.html")]
struct BranchesPage {
    page: Page,
    wanted: Wanted,
    districts: Vec<String>,
    tags: Vec<String>,
    states: Vec<(&'static str, &'static str, usize)>,
    rows: Vec<BranchRow>,
    found: usize,
    at: usize,
    pages: usize,
    take_downs: Vec<TakeDownStanding>,
    faults: Vec<String>,
    has_packs: bool,
}

async fn page(
    State(desk): State<Desk>,
    shown: Shown,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Trouble> {
    let roll = desk.roll().await?;
    let page = Page::new(&desk, &shown, Some(caller), ("网点", "Branches")).await;
    let found: Vec<&BranchRow> = roll.rows.iter().filter(|row| wanted.takes(row)).collect();
    let (at, pages) = wanted.page(found.len());
    let districts: BTreeSet<&String> = roll.rows.iter().map(|row| &row.branch.district).collect();
    let tags: BTreeSet<&String> = roll.rows.iter().flat_map(|row| &row.branch.tags).collect();
    let states = BranchState::ALL.map(|state| {
        let count = roll.rows.iter().filter(|row| row.state() == state).count();
        (state.as_str(), page.pair(&state.labels()), count)
    });
    let states = states.to_vec();
    render(&BranchesPage {
        states,
        districts: districts.into_iter().filter(|name| !name.is_empty()).cloned().collect(),
        tags: tags.into_iter().cloned().collect(),
        rows: found.iter().skip((at - 1) * ROWS).take(ROWS).map(|row| (*row).clone()).collect(),
        found: found.len(),
        at,
        pages,
        take_downs: roll.take_downs.clone(),
        faults: roll.faults.clone(),
        has_packs: desk.publisher().pack_channel(None).is_ok(),
        wanted,
        page,
    })
}

#[derive(Template)]
#[template(path = "console/html/branches-code.html")]
struct CodePage {
    page: Page,
    branch: BranchId,
    name: String,
    code: String,
    until: Timestamp,
    server: String,
}

async fn code(
    State(desk): State<Desk>,
    shown: Shown,
    caller: Caller,
    Path(branch): Path<String>,
) -> Result<Response, Trouble> {
    let (branch, name) = known(&desk, &branch).await?;
    let (code, until) = desk.publisher().enrol_code(&branch, caller.actor()).await?;
    let config = &desk.publisher().config;
    let server = config.console.url.clone();
    let server = server.unwrap_or_else(|| format!("http://{}", config.server.listen));
    let page = Page::new(&desk, &shown, Some(caller), ("登记码", "Enrolment code")).await;
    render(&CodePage { page, branch, name, code, until, server })
}

/// The branch of that id in `branches.csv`, and its name.
pub(super) async fn known(desk: &Desk, id: &str) -> Result<(BranchId, String), Trouble> {
    let content = desk.content().await?;
    let found = BranchId::new(id).ok();
    let found = found.and_then(|id| content.library.branch(&id).cloned());
    let branch = found.ok_or_else(|| Trouble::missing(format!("没有网点“{}”", shortened(id))))?;
    Ok((branch.id, branch.name))
}

/// Text of a request, as it may be said back.
pub(super) fn shortened(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(40).collect()
}

/// For templates: the code of a release.
fn release_code(key: &Digest) -> String {
    code_of(key)
}
