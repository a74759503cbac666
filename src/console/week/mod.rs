//! Week and calendar: what is planned, scheduled and done; what waits for a person; moving a slot.

mod grid;
mod moving;
pub(super) mod quotas;
pub(super) mod standing;

pub(super) use moving::{
    __path_api_decide, __path_api_move, api_decide, api_move, change, decide, form,
};

use super::{
    Desk,
    asked::Asked,
    caller::Caller,
    filters,
    page::{Page, Shown, render},
    trouble::Trouble,
};
use crate::{
    model::{ChannelId, DeliveryState, Library},
    store::Occurrence,
    work::{
        clock::shanghai,
        slots::{ComingSlot, Readiness},
    },
};
use askama::Template;
use axum::{Json, extract::State, response::Response};
use grid::{Day, Span, Week};
use jiff::{SignedDuration, Timestamp};
use quotas::Quota;
use serde::Serialize;
pub(super) use standing::{Mark, mark_done};
use standing::{mark, moved};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// So many slots of a day are shown in a week, the others behind the day's own link.
const WEEK_ROWS: usize = 10;

/// The same for a day of a month.
const MONTH_ROWS: usize = 5;

/// So many slots that wait for a person are shown; each that is decided makes room for another.
const WAITING: usize = 30;

/// One slot, to come or decided.
struct Entry {
    due: Timestamp,
    anchor: String,
    schedule: String,
    campaign: String,
    titles: String,
    channels: String,
    mark: Mark,
    moved: Option<String>,
    number: Option<String>,
    /// What can be done: move and submit.
    coming: Option<ComingSlot>,
    /// What can be done: run or skip; see the deliveries.
    occurrence: Option<Occurrence>,
    waits: bool,
}

#[derive(Template)]
#[template(path = "console/html/week.html")]
struct WeekPage {
    page: Page,
    span: Span,
    days: Vec<Day>,
    weeks: Vec<Week>,
    waiting: Vec<Entry>,
    more_waiting: usize,
    quotas: Vec<Quota>,
    calendar_note: Option<String>,
}

/// Everything of a span of days, in the order in which it is due.
async fn entries(desk: &Desk, from: Timestamp, until: Timestamp) -> Result<Vec<Entry>, Trouble> {
    let publisher = desk.publisher();
    let content = desk.content().await?;
    let mut counts: BTreeMap<String, Vec<(DeliveryState, u64)>> = BTreeMap::new();
    for (occurrence, state, count) in publisher.store.progress(from, until).await? {
        counts.entry(occurrence).or_default().push((state, count));
    }
    let mut entries = Vec::new();
    for occurrence in publisher.store.occurrences_due(from, until).await? {
        let counts = counts.remove(&occurrence.id).unwrap_or_default();
        entries.push(decided(&content.library, occurrence, &counts));
    }
    for slot in publisher.coming_slots(&content, from, until).await? {
        entries.push(coming(&content.library, slot));
    }
    entries.sort_by_key(|entry| entry.due);
    Ok(entries)
}

fn decided(library: &Library, occurrence: Occurrence, counts: &[(DeliveryState, u64)]) -> Entry {
    use crate::store::OccurrenceState::{Blocked, Held};
    let edition = library.edition(&occurrence.campaign);
    Entry {
        due: occurrence.due,
        anchor: occurrence.id.clone(),
        schedule: occurrence.schedule.to_string(),
        campaign: edition.map_or_else(|| occurrence.campaign.to_string(), |it| it.name.clone()),
        titles: super::titles(library, &occurrence.lessons),
        channels: String::new(),
        mark: mark_done(&occurrence, counts),
        moved: None,
        number: None,
        coming: None,
        waits: matches!(occurrence.state, Held | Blocked),
        occurrence: Some(occurrence),
    }
}

fn coming(library: &Library, slot: ComingSlot) -> Entry {
    let number = match &slot.readiness {
        Readiness::Submitted { number, .. } => Some(number.clone()),
        _ => None,
    };
    let channels: Vec<&str> = slot.channels.iter().map(ChannelId::as_str).collect();
    Entry {
        due: slot.due,
        anchor: format!("{}@{}", slot.schedule, slot.slot),
        schedule: slot.schedule.to_string(),
        campaign: slot.name.clone(),
        titles: super::titles(library, &slot.lessons),
        channels: channels.join("、"),
        mark: mark(&slot),
        moved: moved(&slot),
        number,
        coming: Some(slot),
        occurrence: None,
        waits: false,
    }
}

/// `GET /console/week`
pub(super) async fn page(
    State(desk): State<Desk>,
    shown: Shown,
    caller: Caller,
    asked: Asked,
) -> Result<Response, Trouble> {
    let publisher = desk.publisher();
    let content = desk.content().await?;
    let now = publisher.store.now().await?;
    let span = Span::asked(&asked, shanghai(now).date());
    let (from, until) = span.moments();
    let entries = entries(&desk, from, until).await?;
    let mut waiting = Vec::new();
    for occurrence in publisher.store.waiting_occurrences().await? {
        waiting.push(decided(&content.library, occurrence, &[]));
    }
    waiting.sort_by_key(|entry| entry.due);
    let more_waiting = waiting.len().saturating_sub(WAITING);
    waiting.truncate(WAITING);
    let bands = grid::bands(&content.library, &span);
    let mut days = grid::days(&content.library.calendar, &span, shanghai(now).date(), entries);
    mark_away(&desk, &mut days).await?;
    let unfolded = asked.text("day");
    for day in days.iter_mut().filter(|day| day.date.to_string() != unfolded) {
        day.fold(if span.month { MONTH_ROWS } else { WEEK_ROWS });
    }
    let (days, weeks) = grid::arrange(&span, days, &bands);
    let years = &content.library.calendar.published_years;
    let calendar_note = (!years.contains(&span.until.year())).then(|| {
        format!("{} 年的节假日安排还没有登记为已公布，按推算的日子显示", span.until.year())
    });
    let title = if span.month { ("月历", "Calendar") } else { ("本周排期", "Week") };
    render(&WeekPage {
        quotas: quotas::of_span(&desk, &span, now).await?,
        page: Page::new(&desk, &shown, Some(caller), title).await,
        span,
        days,
        weeks,
        waiting,
        more_waiting,
        calendar_note,
    })
}

/// Notes the slots that were moved away from these days, so that nobody looks for them there.
async fn mark_away(desk: &Desk, days: &mut [Day]) -> Result<(), Trouble> {
    let publisher = desk.publisher();
    let content = desk.content().await?;
    for entry in content.enabled_schedules() {
        for moved in publisher.store.slot_moves(&entry.id).await? {
            let (own, due) = (shanghai(moved.slot), shanghai(moved.due));
            if let Some(day) = days.iter_mut().find(|day| day.date == own.date()) {
                let (from, to) = (own.strftime("%H:%M"), due.strftime("%m-%d %H:%M"));
                day.away.push(format!("{} {from} 改到 {to}", entry.id));
            }
        }
    }
    Ok(())
}

/// A slot, for programs.
#[derive(Debug, Serialize, ToSchema)]
pub struct SlotView {
    /// The schedule; `publish-…` for what a person published.
    schedule: String,
    /// What tells it apart.
    slot: String,
    /// When it is due.
    due: String,
    /// The campaign's name.
    campaign: String,
    /// The lessons.
    lessons: Vec<String>,
    /// Where it goes; empty once it was decided.
    channels: Vec<String>,
    /// `planned`, `submitted`, `scheduled`, `held`, `done`, …
    standing: &'static str,
    /// The same in Chinese.
    label: &'static str,
    /// What is said besides.
    detail: String,
    /// The submission.
    review: Option<String>,
    /// That somebody moved it.
    moved: Option<String>,
    /// The occurrence, once it was decided.
    occurrence: Option<String>,
}

impl From<Entry> for SlotView {
    fn from(entry: Entry) -> Self {
        let (slot, lessons) = match (&entry.coming, &entry.occurrence) {
            (Some(slot), _) => (slot.scheduled, slot.lessons.clone()),
            (None, Some(occurrence)) => (occurrence.slot, occurrence.lessons.clone()),
            (None, None) => (entry.due, Vec::new()),
        };
        let channels = entry.coming.as_ref().map(|slot| slot.channels.clone());
        Self {
            schedule: entry.schedule,
            slot: slot.to_string(),
            due: entry.due.to_string(),
            campaign: entry.campaign,
            lessons: lessons.iter().map(ToString::to_string).collect(),
            channels: channels.unwrap_or_default().iter().map(ToString::to_string).collect(),
            standing: entry.mark.name,
            label: entry.mark.label.0,
            detail: entry.mark.detail,
            review: entry.number,
            moved: entry.moved,
            occurrence: entry.occurrence.map(|occurrence| occurrence.id),
        }
    }
}

/// The slots of some days: from now a week, unless said otherwise; at most 100 days.
#[utoipa::path(get, path = "/api/v1/schedule", tag = "schedule",
    params(("from" = Option<String>, Query, description = "RFC 3339"),
        ("until" = Option<String>, Query, description = "RFC 3339")),
    responses((status = 200, body = [SlotView]), (status = 422, body = super::api::Problem)))]
pub(super) async fn api_schedule(
    State(desk): State<Desk>,
    asked: Asked,
) -> Result<Json<Vec<SlotView>>, Trouble> {
    let read = |name: &str, otherwise: Timestamp| match asked.text(name) {
        "" => Ok(otherwise),
        text => text.parse::<Timestamp>().map_err(|_| {
            Trouble::wrong(format!("{name} 应是 2026-11-30T00:00:00Z 这样的时间（RFC 3339）"))
        }),
    };
    let from = read("from", desk.publisher().store.now().await?)?;
    let after = |hours| from.checked_add(SignedDuration::from_hours(hours));
    let until = read("until", after(24 * 7).unwrap_or(Timestamp::MAX))?;
    let until = until.min(after(24 * 100).unwrap_or(Timestamp::MAX));
    let entries = entries(&desk, from, until).await?;
    Ok(Json(entries.into_iter().map(SlotView::from).collect()))
}
