//! The form of six numbers, for a phone at the end of an event; corrections; the branch's own
//! history. Unlikely numbers are taken and shown as 需核实.

use super::{
    super::{
        Desk,
        branches::shortened,
        caller::{Caller, random_token},
        filters,
        page::{Notice, Page, Shown, render},
        permit::Action,
        routes::Routes,
        sent::Sent,
        trouble::Trouble,
    },
    seen,
};
use crate::{
    model::{Branch, CampaignId},
    store::{BranchEvent, EventNumbers, NewEvent},
    work::events::{JudgedEvent, NAMES},
};
use askama::Template;
use axum::{
    Json,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// So many events are shown.
const SHOWN: u32 = 200;
/// More people than any event has; a slip of the finger.
const MOST: u32 = 10_000_000;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/b/{branch}/events", Action::ReadBranch, page)
        .post("/b/{branch}/events", Action::ReportEvent, report)
        .get("/api/v1/branches/{branch}/events", Action::ReadBranch, list)
        .post("/api/v1/branches/{branch}/events", Action::ReportEvent, add)
}

/// What was typed; every field is a text, so that every fault can be told.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct EventForm {
    /// Chosen by whoever sends it: the same twice is one event.
    once: String,
    /// The day, `2026-11-30`.
    day: String,
    /// What it was.
    title: String,
    /// The campaign edition, `series/edition`; may be empty.
    campaign: String,
    /// 参与员工
    staff: String,
    /// 现场受众
    audience: String,
    /// 其中重点人群
    priority_audience: String,
    /// 发放资料
    leaflets: String,
    /// 现场咨询
    consultations: String,
    /// 线上人次
    online: String,
    /// The event whose place it takes.
    replaces: String,
}

/// A field of the form as the page shows it.
struct Field {
    key: &'static str,
    label: &'static str,
    unit: &'static str,
    value: String,
    fault: String,
}

const KEYS: [&str; 6] =
    ["staff", "audience", "priority_audience", "leaflets", "consultations", "online"];

impl EventForm {
    fn numbers(&self) -> [&str; 6] {
        [
            &self.staff,
            &self.audience,
            &self.priority_audience,
            &self.leaflets,
            &self.consultations,
            &self.online,
        ]
    }

    fn of(event: &BranchEvent) -> Self {
        let [staff, audience, priority_audience, leaflets, consultations, online] =
            event.numbers.list().map(|number| number.to_string());
        Self {
            once: String::new(),
            day: event.day.to_string(),
            title: event.title.clone(),
            campaign: event.campaign.as_ref().map(ToString::to_string).unwrap_or_default(),
            staff,
            audience,
            priority_audience,
            leaflets,
            consultations,
            online,
            replaces: event.id.clone(),
        }
    }
}

/// Faults by the field's name.
type Faults = Vec<(&'static str, String)>;

/// Reads a number as phones write it: full-width digits and commas too.
fn count(text: &str) -> Result<u32, String> {
    let plain: String = text
        .trim()
        .chars()
        .filter(|c| !matches!(c, ',' | '，' | ' '))
        .map(|c| match c {
            '０'..='９' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
            other => other,
        })
        .collect();
    if plain.is_empty() {
        return Err("没有填；没有就写 0".to_owned());
    }
    let number = plain.parse::<u32>().ok().filter(|number| *number <= MOST);
    number.ok_or_else(|| format!("“{}”不是 0 到 {MOST} 的整数", shortened(text)))
}

async fn read(
    desk: &Desk,
    branch: &Branch,
    form: &EventForm,
) -> Result<Result<NewEvent, Faults>, Trouble> {
    let mut faults: Faults = Vec::new();
    let today = desk.publisher().today().await?;
    let day = form.day.trim().parse::<Date>().ok();
    match day {
        None => faults.push(("day", "写成 2026-11-30 这样的日期".to_owned())),
        Some(day) if day > today => faults.push(("day", "还没有到这一天，办完再填".to_owned())),
        Some(_) => {}
    }
    let title: String = form.title.trim().chars().filter(|c| !c.is_control()).collect();
    match title.chars().count() {
        0 => faults.push(("title", "写一句是什么活动，如“社区防诈骗讲座”".to_owned())),
        1..=100 => {}
        long => faults.push(("title", format!("有 {long} 个字，至多 100 个"))),
    }
    let content = desk.content().await?;
    let campaign = Some(form.campaign.trim()).filter(|name| !name.is_empty());
    let campaign = campaign.and_then(|name| match CampaignId::new(name) {
        Ok(id) if content.library.edition(&id).is_some() => Some(id),
        _ => {
            faults.push(("campaign", format!("没有活动“{}”", shortened(name))));
            None
        }
    });
    let mut numbers = [0; 6];
    for ((number, text), key) in numbers.iter_mut().zip(form.numbers()).zip(KEYS) {
        match count(text) {
            Ok(read) => *number = read,
            Err(fault) => faults.push((key, fault)),
        }
    }
    let (Some(day), true) = (day, faults.is_empty()) else { return Ok(Err(faults)) };
    let [staff, audience, priority_audience, leaflets, consultations, online] = numbers;
    let once = if form.once.is_empty() { random_token()? } else { form.once.clone() };
    Ok(Ok(NewEvent {
        once,
        branch: branch.id.clone(),
        day,
        title,
        campaign,
        numbers: EventNumbers {
            staff,
            audience,
            priority_audience,
            leaflets,
            consultations,
            online,
        },
        replaces: Some(form.replaces.clone()).filter(|id| !id.is_empty()),
    }))
}

#[derive(Template)]
#[template(path = "console/html/branch-events.html")]
struct EventsPage {
    page: Page,
    branch: Branch,
    own: bool,
    form: EventForm,
    faults: Faults,
    fields: Vec<Field>,
    campaigns: Vec<(String, String)>,
    events: Vec<JudgedEvent>,
}

impl EventsPage {
    fn fault(&self, key: &str) -> String {
        let found = self.faults.iter().find(|(own, _)| *own == key);
        found.map(|(_, fault)| fault.clone()).unwrap_or_default()
    }
}

#[derive(Debug, Default, Deserialize)]
struct Correct {
    correct: Option<String>,
}

async fn page(
    State(desk): State<Desk>,
    shown: Shown,
    caller: Caller,
    Path(branch): Path<String>,
    Query(query): Query<Correct>,
) -> Result<Response, Trouble> {
    let branch = seen(&desk, &caller, &branch).await?;
    let mut form = EventForm::default();
    if let Some(id) = &query.correct {
        let old = desk.publisher().store.event(&branch.id, id).await?;
        let old = old.ok_or_else(|| Trouble::missing("没有这一条活动"))?;
        form = EventForm::of(&old);
    } else {
        form.day = desk.publisher().today().await?.to_string();
    }
    form.once = random_token()?;
    show(&desk, &shown, caller, branch, (form, Vec::new())).await
}

async fn show(
    desk: &Desk,
    shown: &Shown,
    caller: Caller,
    branch: Branch,
    (form, faults): (EventForm, Faults),
) -> Result<Response, Trouble> {
    let content = desk.content().await?;
    let today = desk.publisher().today().await?;
    let own = caller.acts_for(&branch.id).is_ok() && caller.may(Action::ReportEvent);
    let page = Page::new(desk, shown, Some(caller), ("活动数字", "Events")).await;
    let fields = KEYS.into_iter().zip(NAMES).zip(form.numbers());
    let fields = fields.map(|((key, (chinese, english, unit)), value)| Field {
        key,
        label: page.t(chinese, english),
        unit,
        value: value.to_owned(),
        fault: faults.iter().find(|(own, _)| *own == key).map_or(String::new(), |f| f.1.clone()),
    });
    let fields = fields.collect();
    let editions = content.library.campaigns.iter().flat_map(|campaign| &campaign.editions);
    let near = editions.filter(|edition| {
        let span = jiff::Span::new().days(120);
        edition.from <= today && today <= edition.until.saturating_add(span)
    });
    let mut campaigns: Vec<(String, String)> =
        near.map(|edition| (edition.id.to_string(), edition.name.clone())).collect();
    if !form.campaign.is_empty() && !campaigns.iter().any(|(id, _)| *id == form.campaign) {
        campaigns.push((form.campaign.clone(), form.campaign.clone()));
    }
    let events = desk.publisher().judged_events(&content, &branch.id, SHOWN).await?;
    let is_refused = !faults.is_empty();
    let template = EventsPage { page, branch, own, form, faults, fields, campaigns, events };
    let mut answer = render(&template)?;
    if is_refused {
        *answer.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    }
    Ok(answer)
}

async fn report(
    State(desk): State<Desk>,
    shown: Shown,
    caller: Caller,
    Path(branch): Path<String>,
    Sent(form): Sent<EventForm>,
) -> Result<Response, Trouble> {
    let branch = seen(&desk, &caller, &branch).await?;
    caller.acts_for(&branch.id)?;
    match read(&desk, &branch, &form).await? {
        Err(faults) => show(&desk, &shown, caller, branch, (form, faults)).await,
        Ok(event) => {
            desk.publisher().store.add_event(&event, caller.actor()).await?;
            let done = Notice::Reported.as_str();
            Ok(Redirect::to(&format!("/b/{}/events?done={done}", branch.id)).into_response())
        }
    }
}

/// An event.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventView {
    /// Its name.
    pub id: String,
    /// The day.
    pub day: String,
    /// What it was.
    pub title: String,
    /// The campaign edition.
    pub campaign: Option<String>,
    /// 参与员工
    pub staff: u32,
    /// 现场受众
    pub audience: u32,
    /// 其中重点人群
    pub priority_audience: u32,
    /// 发放资料
    pub leaflets: u32,
    /// 现场咨询
    pub consultations: u32,
    /// 线上人次
    pub online: u32,
    /// Who wrote it.
    pub author: String,
    /// The event whose place it took.
    pub replaces: Option<String>,
    /// The event that took its place.
    pub replaced_by: Option<String>,
    /// What should be looked at again.
    pub doubts: Vec<String>,
}

fn view(judged: JudgedEvent) -> EventView {
    let JudgedEvent { event, doubts } = judged;
    let numbers = event.numbers;
    EventView {
        id: event.id,
        day: event.day.to_string(),
        title: event.title,
        campaign: event.campaign.map(|id| id.to_string()),
        staff: numbers.staff,
        audience: numbers.audience,
        priority_audience: numbers.priority_audience,
        leaflets: numbers.leaflets,
        consultations: numbers.consultations,
        online: numbers.online,
        author: event.author,
        replaces: event.replaces,
        replaced_by: event.replaced_by,
        doubts,
    }
}

/// A branch's events, the latest first.
#[utoipa::path(get, path = "/api/v1/branches/{branch}/events", tag = "branches",
    params(("branch" = String, Path)),
    responses((status = 200, body = Vec<EventView>)))]
pub(in super::super) async fn list(
    State(desk): State<Desk>,
    caller: Caller,
    Path(branch): Path<String>,
) -> Result<Json<Vec<EventView>>, Trouble> {
    let branch = seen(&desk, &caller, &branch).await?;
    let content = desk.content().await?;
    let events = desk.publisher().judged_events(&content, &branch.id, SHOWN).await?;
    Ok(Json(events.into_iter().map(view).collect()))
}

/// The event that was written.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventAnswer {
    /// Its name.
    pub id: String,
}

/// Reports an event of one's own branch, or corrects one.
#[utoipa::path(post, path = "/api/v1/branches/{branch}/events", tag = "branches",
    params(("branch" = String, Path)), request_body = EventForm,
    responses((status = 200, body = EventAnswer)))]
pub(in super::super) async fn add(
    State(desk): State<Desk>,
    caller: Caller,
    Path(branch): Path<String>,
    Sent(form): Sent<EventForm>,
) -> Result<Json<EventAnswer>, Trouble> {
    let branch = seen(&desk, &caller, &branch).await?;
    caller.acts_for(&branch.id)?;
    let event = read(&desk, &branch, &form).await?.map_err(Trouble::wrong_fields)?;
    let id = desk.publisher().store.add_event(&event, caller.actor()).await?;
    Ok(Json(EventAnswer { id }))
}
