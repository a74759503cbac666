//! The first page: what waits for whoever is signed in, what went wrong, what comes next.

use super::{
    Desk,
    caller::Caller,
    filters,
    jobs::{self, Seen},
    page::{Page, Shown, render},
    permit::Action,
    trouble::Trouble,
};
use crate::{
    model::{Audience, DeliveryState, Lesson, LessonId},
    schedule,
    store::{Occurrence, Review},
    work::status::{Alert, schedule_alerts},
};
use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use jiff::Timestamp;

/// So many slots ahead and behind.
const SLOTS: usize = 6;

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
    waiting: Vec<(Review, String)>,
    coming: Vec<Coming>,
    past: Vec<(Occurrence, &'static str)>,
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
    let waiting = if caller.may(Action::ReadReviews) { waiting(&desk).await? } else { Vec::new() };
    let past = publisher.store.occurrences(None, SLOTS as u32).await?;
    let past = past.into_iter().map(|occurrence| {
        let label = occurrence.state.label();
        (occurrence, label)
    });
    let jobs = jobs::card(&desk, &caller).await?;
    let page = Page::new(&desk, &shown, Some(caller), ("总览", "Overview")).await;
    render(&OverviewPage {
        jobs,
        alerts,
        more_alerts,
        waiting,
        coming: coming(&desk).await?,
        past: past.collect(),
        counts: counts(&desk).await?,
        page,
    })
}

/// Submissions that are not approved, with how they stand.
async fn waiting(desk: &Desk) -> Result<Vec<(Review, String)>, Trouble> {
    let mut waiting = desk.publisher().waiting_reviews().await?;
    waiting.truncate(10);
    Ok(waiting.into_iter().map(|(review, standing)| (review, standing.to_string())).collect())
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
