//! The first page: what waits for whoever is signed in, what went wrong, what comes next.

use super::{
    Desk,
    caller::Caller,
    filters,
    jobs::{self, Seen},
    page::{Page, Shown, render},
    permit::Action,
    review::queue::{Queued, queue},
    trouble::Trouble,
    week::{Mark, mark_done},
};
use crate::{
    model::{Audience, DeliveryState, Lesson, LessonId},
    schedule,
    store::Occurrence,
    work::status::{Alert, schedule_alerts},
};
use askama::Template;
use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// So many slots ahead and behind.
const SLOTS: usize = 6;

/// So many submissions that wait for signatures.
const WAITING: usize = 10;

/// A slot that is to come.
struct Coming {
    at: Timestamp,
    schedule: String,
    campaign: String,
    lessons: String,
}

#[derive(Template)]
#[template(path = "console/html/overview.html")]
struct OverviewPage {
    page: Page,
    jobs: Vec<Seen>,
    alerts: Vec<Alert>,
    more_alerts: usize,
    /// What was returned to whoever asks.
    returned: Vec<Queued>,
    waiting: Vec<Queued>,
    more_waiting: usize,
    coming: Vec<Coming>,
    past: Vec<(Occurrence, Mark)>,
    counts: Vec<(&'static str, &'static str, u64)>,
}

pub(super) async fn page(
    State(desk): State<Desk>,
    shown: Shown,
    caller: Caller,
) -> Result<Response, Trouble> {
    if let Some(branch) = caller.only_branch() {
        return Ok(Redirect::to(&format!("/b/{branch}")).into_response());
    }
    let publisher = desk.publisher();
    let mut alerts = schedule_alerts(&*desk.content().await?);
    alerts.extend(publisher.alerts().await?);
    let more_alerts = alerts.len().saturating_sub(8);
    alerts.truncate(8);
    let (mut waiting, returned) = open_reviews(&desk, &caller).await?;
    let more_waiting = waiting.len().saturating_sub(WAITING);
    waiting.truncate(WAITING);
    let jobs = jobs::card(&desk, &caller).await?;
    let page = Page::new(&desk, &shown, Some(caller), ("总览", "Overview")).await;
    render(&OverviewPage {
        jobs,
        alerts,
        more_alerts,
        returned,
        waiting,
        more_waiting,
        coming: coming(&desk).await?,
        past: past(&desk).await?,
        counts: counts(&desk).await?,
        page,
    })
}

/// Something that did not go as planned and is not over.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OverviewAlert)]
pub struct AlertView {
    /// A delivery, an occurrence, `hotline/` and a change of a number, or `campaigns`.
    pub subject: String,
    /// What happened, in Chinese.
    pub what: String,
    /// What to do, in Chinese.
    pub next_step: String,
}

/// A slot that is to come.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OverviewSlot)]
pub struct ComingView {
    /// When, RFC 3339.
    #[schema(value_type = String)]
    pub at: Timestamp,
    /// The schedule.
    pub schedule: String,
    /// The edition's name.
    pub campaign: String,
    /// Titles of its lessons.
    pub lessons: String,
}

/// What the first page says.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Overview)]
pub struct OverviewView {
    /// Why nothing is sent, where sending is held.
    pub held: Option<String>,
    /// All that waits for a person.
    pub alerts: Vec<AlertView>,
    /// What was returned to whoever asks.
    pub returned: Vec<Queued>,
    /// What waits for signatures, the most urgent first.
    pub waiting: Vec<Queued>,
    /// The next slots.
    pub coming: Vec<ComingView>,
    /// How many deliveries are in which state.
    pub deliveries: BTreeMap<&'static str, u64>,
}

/// What waits for people, what comes next, and how all deliveries stand.
#[utoipa::path(get, path = "/api/v1/overview", tag = "overview",
    responses((status = 200, body = OverviewView)))]
pub(super) async fn call(
    State(desk): State<Desk>,
    caller: Caller,
) -> Result<Json<OverviewView>, Trouble> {
    if caller.only_branch().is_some() {
        return Err(Trouble::missing("网点看自己的页面：/api/v1/branches/<网点代号>"));
    }
    let publisher = desk.publisher();
    let mut alerts = schedule_alerts(&*desk.content().await?);
    alerts.extend(publisher.alerts().await?);
    let (waiting, returned) = open_reviews(&desk, &caller).await?;
    let alert = |Alert { subject, what, next_step }| AlertView { subject, what, next_step };
    let slot =
        |Coming { at, schedule, campaign, lessons }| ComingView { at, schedule, campaign, lessons };
    let counts = counts(&desk).await?;
    Ok(Json(OverviewView {
        held: publisher.store.deployment().await?.hold.map(|hold| hold.reason),
        alerts: alerts.into_iter().map(alert).collect(),
        returned,
        waiting,
        coming: coming(&desk).await?.into_iter().map(slot).collect(),
        deliveries: counts.into_iter().map(|(state, _, count)| (state, count)).collect(),
    }))
}

/// What waits for signatures, the most urgent first; and what was returned to whoever asks, who has
/// to mend it: nobody else has anything to do about it.
async fn open_reviews(desk: &Desk, caller: &Caller) -> Result<(Vec<Queued>, Vec<Queued>), Trouble> {
    if !caller.may(Action::ReadReviews) {
        return Ok((Vec::new(), Vec::new()));
    }
    let own = desk.publisher().called().await?.one(&caller.person.id);
    let (mut waiting, mut returned) = (Vec::new(), Vec::new());
    for one in queue(desk, caller, false).await? {
        match one.state {
            "waiting" | "expired" => waiting.push(one),
            "returned" if one.author == own => returned.push(one),
            _ => {}
        }
    }
    Ok((waiting, returned))
}

/// The newest slots, told as the calendar tells them.
async fn past(desk: &Desk) -> Result<Vec<(Occurrence, Mark)>, Trouble> {
    let store = &desk.publisher().store;
    let occurrences = store.occurrences(None, SLOTS as u32).await?;
    let moments = || occurrences.iter().flat_map(|one| [one.slot, one.due]);
    let (Some(from), Some(last)) = (moments().min(), moments().max()) else {
        return Ok(Vec::new());
    };
    let until = last.saturating_add(SignedDuration::from_secs(1)).unwrap_or(Timestamp::MAX);
    let mut counts: BTreeMap<String, Vec<(DeliveryState, u64)>> = BTreeMap::new();
    for (occurrence, state, count) in store.progress(from, until).await? {
        counts.entry(occurrence).or_default().push((state, count));
    }
    let marked = occurrences.into_iter().map(|occurrence| {
        let counts = counts.remove(&occurrence.id).unwrap_or_default();
        let mark = mark_done(&occurrence, &counts);
        (occurrence, mark)
    });
    Ok(marked.collect())
}

async fn coming(desk: &Desk) -> Result<Vec<Coming>, Trouble> {
    let content = desk.content().await?;
    let now = desk.publisher().store.now().await?;
    let mut coming = Vec::new();
    let title = |id: &LessonId| content.library.lesson(id).and_then(title_of).unwrap_or_default();
    for entry in content.enabled_schedules() {
        let moves = desk.publisher().store.slot_moves(&entry.id).await?;
        let calendar = &content.library.calendar;
        for decision in schedule::upcoming_moved(entry, calendar, &moves, now, SLOTS) {
            let edition = content.library.edition(&entry.campaign);
            let lessons = edition
                .map(|edition| schedule::lessons_of_slot(entry, edition, decision.slot))
                .unwrap_or_default();
            coming.push(Coming {
                at: decision.due,
                schedule: entry.id.to_string(),
                campaign: edition.map_or(String::new(), |edition| edition.name.clone()),
                lessons: lessons.iter().map(title).collect::<Vec<_>>().join("、"),
            });
        }
    }
    coming.sort_by_key(|slot| slot.at);
    coming.truncate(SLOTS);
    Ok(coming)
}

async fn counts(desk: &Desk) -> Result<Vec<(&'static str, &'static str, u64)>, Trouble> {
    let mut sums: Vec<(DeliveryState, u64)> = Vec::new();
    for (_, state, count) in desk.publisher().store.counts().await? {
        match sums.iter_mut().find(|(own, _)| *own == state) {
            Some((_, sum)) => *sum += count,
            None => sums.push((state, count)),
        }
    }
    sums.sort();
    Ok(sums.into_iter().map(|(state, sum)| (state.as_str(), state.label(), sum)).collect())
}

/// The title of a lesson's general text.
fn title_of(lesson: &Lesson) -> Option<String> {
    lesson.variants.get(&Audience::General).map(|variant| variant.title.value.clone())
}
