//! The numbers that people call: when each was verified, which lessons name it, where it is live.
//! [`forms`] changes one; [`changes`] shows what became of that.

pub mod changes;
pub mod forms;

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
    model::{Audience, Hotline, HotlineId, LessonId},
    store::HotlineChange,
    work::{
        feeds::title_of,
        hotlines::{Carrier, plan_of, uses},
    },
};
use askama::Template;
use axum::{
    Json,
    extract::{Path, State},
    response::Response,
};
use jiff::civil::Date;
use serde::Serialize;
use std::{collections::BTreeMap, sync::Arc};
use utoipa::ToSchema;

/// Older than so many days, a number should be verified again.
const OLD: i32 = 180;
/// So many live outputs are listed.
const LISTED: usize = 100;

pub(super) fn routes(routes: Routes) -> Routes {
    let routes = routes
        .get("/console/hotlines", Action::ReadHotlines, page)
        .get("/console/hotlines/{hotline}", Action::ReadHotlines, one)
        .get("/api/v1/hotlines", Action::ReadHotlines, list)
        .get("/api/v1/hotlines/{hotline}", Action::ReadHotlines, show_one);
    changes::routes(forms::routes(routes))
}

/// A number and where it is.
pub(super) struct Line {
    pub(super) hotline: Hotline,
    /// Days since it was verified.
    pub(super) age: i32,
    /// Lessons that name it: id and title.
    pub(super) lessons: Vec<(LessonId, String)>,
    /// How many live outputs show it.
    pub(super) live: usize,
    /// Whether it stands on everything: the bank's own.
    pub(super) everywhere: bool,
}

impl Line {
    fn is_old(&self) -> bool {
        self.age >= OLD
    }
}

fn age(on: Date, today: Date) -> i32 {
    on.until(today).map_or(0, |span| span.get_days())
}

async fn lines(desk: &Desk) -> Result<(Vec<Line>, Arc<Vec<Carrier>>), Trouble> {
    let content = desk.content().await?;
    let today = desk.publisher().today().await?;
    let carriers = desk.publisher().carriers(&content, desk.number_cache()).await?;
    let mut live: BTreeMap<&HotlineId, usize> = BTreeMap::new();
    for id in carriers.iter().filter(|one| one.out).flat_map(|one| one.numbers.keys()) {
        *live.entry(id).or_default() += 1;
    }
    let uses = uses(&content, desk.number_cache()).await;
    let titled = |id: &LessonId| (id.clone(), title_of(&content, id, Audience::General));
    let line = |hotline: &Hotline| Line {
        age: age(hotline.verified_on, today),
        lessons: uses.get(&hotline.id).into_iter().flatten().map(titled).collect(),
        live: live.get(&hotline.id).copied().unwrap_or_default(),
        everywhere: desk.publisher().config.bank.hotline == hotline.id,
        hotline: hotline.clone(),
    };
    let lines = content.library.hotlines.iter().map(line).collect();
    Ok((lines, carriers))
}

/// A change for a list.
struct Past {
    change: HotlineChange,
    was: String,
    becomes: String,
    /// Whether a person has to look at it.
    waits: bool,
}

#[derive(Template)]
#[template(path = "console/html/hotlines.html")]
struct HotlinesPage {
    page: Page,
    lines: Vec<Line>,
    past: Vec<Past>,
}

async fn page(State(desk): State<Desk>, shown: Shown, caller: Caller) -> Result<Response, Trouble> {
    let (lines, _) = lines(&desk).await?;
    let mut past = Vec::new();
    for change in desk.publisher().store.hotline_changes(20).await? {
        let plan = plan_of(&change)?;
        let waits = plan.for_people().is_some();
        past.push(Past { change, was: plan.was, becomes: plan.becomes, waits });
    }
    let page = Page::new(&desk, &shown, Some(caller), ("热线", "Hotlines")).await;
    render(&HotlinesPage { page, lines, past })
}

#[derive(Template)]
#[template(path = "console/html/hotline.html")]
struct HotlinePage {
    page: Page,
    line: Line,
    carriers: Vec<Carrier>,
    more: usize,
    form: forms::NumberForm,
    faults: forms::Faults,
}

impl HotlinePage {
    fn fault(&self, key: &str) -> String {
        let found = self.faults.iter().find(|(own, _)| *own == key);
        found.map(|(_, fault)| fault.clone()).unwrap_or_default()
    }
}

/// The number of that id, and what shows it.
async fn found(desk: &Desk, id: &str) -> Result<(Line, Vec<Carrier>), Trouble> {
    let (lines, carriers) = lines(desk).await?;
    let line = lines.into_iter().find(|line| line.hotline.id.as_str() == id);
    let line = line.ok_or_else(|| Trouble::missing(format!("没有热线“{}”", shortened(id))))?;
    let shows = |carrier: &&Carrier| carrier.numbers.contains_key(&line.hotline.id);
    let carriers = carriers.iter().filter(shows).cloned().collect();
    Ok((line, carriers))
}

async fn one(
    State(desk): State<Desk>,
    shown: Shown,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    let today = desk.publisher().today().await?;
    let (line, carriers) = found(&desk, &id).await?;
    let form = forms::NumberForm::of(&line.hotline, today, &caller.person.name);
    show_form(&desk, &shown, caller, (line, carriers), (form, Vec::new())).await
}

/// The number's page, its form with what was typed.
async fn show_form(
    desk: &Desk,
    shown: &Shown,
    caller: Caller,
    (line, mut carriers): (Line, Vec<Carrier>),
    (form, faults): (forms::NumberForm, forms::Faults),
) -> Result<Response, Trouble> {
    let name = line.hotline.name.clone();
    let page = Page::new(desk, shown, Some(caller), (&name, &name)).await;
    let more = carriers.len().saturating_sub(LISTED);
    carriers.truncate(LISTED);
    let is_refused = !faults.is_empty();
    let mut answer = render(&HotlinePage { page, line, carriers, more, form, faults })?;
    if is_refused {
        *answer.status_mut() = axum::http::StatusCode::UNPROCESSABLE_ENTITY;
    }
    Ok(answer)
}

/// A number.
#[derive(Debug, Serialize, ToSchema)]
pub struct HotlineView {
    /// Its id.
    pub id: String,
    /// The number as shown.
    pub number: String,
    /// Its name.
    pub name: String,
    /// When it was verified.
    pub verified_on: String,
    /// By whom.
    pub verified_by: String,
    /// Where it was found.
    pub source: String,
    /// Days since it was verified.
    pub age_days: i32,
    /// The lessons that name it.
    pub lessons: Vec<String>,
    /// How many live outputs show it.
    pub live: usize,
}

fn view(line: &Line) -> HotlineView {
    let hotline = &line.hotline;
    HotlineView {
        id: hotline.id.to_string(),
        number: hotline.number.clone(),
        name: hotline.name.clone(),
        verified_on: hotline.verified_on.to_string(),
        verified_by: hotline.verified_by.clone(),
        source: hotline.source.clone(),
        age_days: line.age,
        lessons: line.lessons.iter().map(|(id, _)| id.to_string()).collect(),
        live: line.live,
    }
}

/// Every number.
#[utoipa::path(get, path = "/api/v1/hotlines", tag = "hotlines",
    responses((status = 200, body = Vec<HotlineView>)))]
pub(super) async fn list(State(desk): State<Desk>) -> Result<Json<Vec<HotlineView>>, Trouble> {
    let (lines, _) = lines(&desk).await?;
    Ok(Json(lines.iter().map(view).collect()))
}

/// A number and every live output that shows it.
#[derive(Debug, Serialize, ToSchema)]
pub struct HotlineDetail {
    /// The number.
    pub hotline: HotlineView,
    /// What shows it.
    pub outputs: Vec<CarrierView>,
}

/// A live output.
#[derive(Debug, Serialize, ToSchema)]
pub struct CarrierView {
    /// The delivery.
    pub delivery: String,
    /// The channel.
    pub channel: String,
    /// The campaign edition.
    pub campaign: String,
    /// The approval number.
    pub number: Option<String>,
    /// The lessons.
    pub lessons: Vec<String>,
    /// The number as it shows it.
    pub shows: String,
    /// Whether it is out; else it may still go out.
    pub out: bool,
    /// Its last day.
    pub until: String,
    /// How many branches have files of their own in it.
    pub branches: usize,
    /// Why it cannot be taken down, where it cannot.
    pub stays: Option<String>,
}

fn carrier_view(carrier: &Carrier, id: &HotlineId) -> CarrierView {
    let live = &carrier.live;
    CarrierView {
        delivery: live.delivery.clone(),
        channel: live.channel.to_string(),
        campaign: live.campaign.to_string(),
        number: live.number.clone(),
        lessons: live.lessons.iter().map(LessonId::to_string).collect(),
        shows: carrier.numbers.get(id).cloned().unwrap_or_default(),
        out: carrier.out,
        until: carrier.contents.until.to_string(),
        branches: carrier.contents.branches(),
        stays: carrier.stays.map(str::to_owned),
    }
}

/// A number and every live output that shows it.
#[utoipa::path(get, path = "/api/v1/hotlines/{hotline}", tag = "hotlines",
    params(("hotline" = String, Path)),
    responses((status = 200, body = HotlineDetail)))]
pub(super) async fn show_one(
    State(desk): State<Desk>,
    Path(id): Path<String>,
) -> Result<Json<HotlineDetail>, Trouble> {
    let (line, carriers) = found(&desk, &id).await?;
    let outputs = carriers.iter().map(|carrier| carrier_view(carrier, &line.hotline.id));
    Ok(Json(HotlineDetail { outputs: outputs.collect(), hotline: view(&line) }))
}
