//! `/console/reviews`: what waits for whom, the most urgent first.

use super::place::{self, Replaced};
use crate::{
    console::{
        Desk,
        caller::Caller,
        filters,
        page::{Page, Shown, render},
        trouble::Trouble,
    },
    model::{Approval, Decision, LessonId, Priority},
    review::{self, Standing},
    schedule,
    store::Review,
    work::{Content, people::Called, replaced::Reviewed},
};
use askama::Template;
use axum::{
    Json,
    extract::{Query, State},
    response::Response,
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// What was decided or replaced and submitted before this is only shown on request.
const RECENT: SignedDuration = SignedDuration::from_hours(24 * 30);

/// So many slots of a schedule are looked at to find when something goes out.
const SLOTS: usize = 12;

/// A submission in the queue.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ReviewQueued)]
pub struct Queued {
    /// The approval number.
    pub number: String,
    /// The campaign edition.
    pub campaign: String,
    /// The lessons' titles.
    pub titles: Vec<String>,
    /// Who submitted.
    pub author: String,
    /// When, RFC 3339.
    #[schema(value_type = String)]
    pub submitted_at: Timestamp,
    /// When it is to go out, where a schedule will.
    #[schema(value_type = Option<String>)]
    pub fires_at: Option<Timestamp>,
    /// Whether a lesson is of high priority.
    pub high: bool,
    /// How it stands, in Chinese.
    pub standing: String,
    /// `approved`, `waiting`, `returned`, `expired`, or `replaced` by newer submissions.
    pub state: &'static str,
    /// The channels that newer submissions carry; all of them where the state is `replaced`.
    pub replaced: Vec<Replaced>,
    /// Who signed.
    pub signed: Vec<String>,
    /// Whether whoever asks can sign a step that is open.
    pub mine: bool,
}

/// Which submissions.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub struct Asked {
    /// `all` for those that were decided or replaced long ago, too.
    show: Option<String>,
}

#[derive(Template)]
#[template(path = "console/html/reviews.html")]
struct QueuePage {
    page: Page,
    waiting: Vec<Queued>,
    decided: Vec<Queued>,
    all: bool,
}

pub(in crate::console) async fn page(
    State(desk): State<Desk>,
    shown: Shown,
    caller: Caller,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    let all = asked.show.as_deref() == Some("all");
    let queue = queue(&desk, &caller, all).await?;
    let (decided, waiting) = queue.into_iter().partition(Queued::is_past);
    let page = Page::new(&desk, &shown, Some(caller), ("审批", "Reviews")).await;
    render(&QueuePage { page, waiting, decided, all })
}

/// Submissions, those first that wait and go out soonest.
#[utoipa::path(get, path = "/api/v1/reviews", tag = "reviews", params(Asked),
    responses((status = 200, body = [Queued])))]
pub(in crate::console) async fn list(
    State(desk): State<Desk>,
    caller: Caller,
    Query(asked): Query<Asked>,
) -> Result<Json<Vec<Queued>>, Trouble> {
    Ok(Json(queue(&desk, &caller, asked.show.as_deref() == Some("all")).await?))
}

/// Submissions with how they stand for whoever asks, the most urgent first; what was approved last.
pub(in crate::console) async fn queue(
    desk: &Desk,
    caller: &Caller,
    all: bool,
) -> Result<Vec<Queued>, Trouble> {
    let publisher = desk.publisher();
    let content = desk.content().await?;
    let now = publisher.store.now().await?;
    let since = now.checked_sub(RECENT).unwrap_or(Timestamp::MIN);
    let slots = slots(desk, &content, now).await?;
    let called = publisher.called().await?;
    let mut queue = Vec::new();
    let replaced_since = if all { Timestamp::MIN } else { since };
    for one in publisher.all_reviews(replaced_since).await? {
        let Reviewed { review, standing, approvals, successors } = one;
        let is_approved = matches!(standing, Standing::Approved { .. });
        if !all && is_approved && review.submitted_at < since {
            continue;
        }
        let able = review::may_decide(&caller.person, &review.steps, &approvals, &review.excluded);
        let open = match &standing {
            _ if successors.are_all() => Vec::new(),
            Standing::Missing(steps) => steps.clone(),
            Standing::Expired { step, .. } => vec![step.clone()],
            _ => Vec::new(),
        };
        let (state, standing) = place::state(&standing, &successors);
        // The newer one goes out in its place.
        let own_slots = slots.iter().filter(|_| !successors.are_all());
        queue.push(Queued {
            number: review.number.clone(),
            campaign: review.campaign.to_string(),
            titles: titles(&content, &review),
            author: called.one(&review.author),
            submitted_at: review.submitted_at,
            fires_at: own_slots
                .filter(|(_, campaign, lessons)| {
                    *campaign == review.campaign.to_string() && *lessons == review.lessons
                })
                .map(|(at, _, _)| *at)
                .next(),
            high: is_high(&content, &review),
            state,
            replaced: place::replaced(&successors),
            signed: signed(&approvals, &called),
            mine: able.is_ok_and(|step| open.contains(&step)),
            standing,
        });
    }
    let rank = |one: &Queued| {
        let place = ["approved", "replaced"].iter().position(|state| *state == one.state);
        (place, one.fires_at.unwrap_or(Timestamp::MAX), !one.high)
    };
    queue.sort_by_key(|one| (rank(one), std::cmp::Reverse(one.submitted_at)));
    Ok(queue)
}

/// Who approved, each once.
fn signed(approvals: &[Approval], called: &Called) -> Vec<String> {
    let approved = approvals.iter().filter(|one| one.decision == Decision::Approved);
    let mut signed: Vec<String> = Vec::new();
    for name in approved.map(|one| called.one(&one.actor)) {
        if !signed.contains(&name) {
            signed.push(name);
        }
    }
    signed
}

impl Queued {
    /// Whether nobody has to look at it any more.
    fn is_past(&self) -> bool {
        matches!(self.state, "approved" | "replaced")
    }

    /// How it stands, without what replaced it.
    fn was(&self) -> &str {
        let replaced = self.state == "replaced";
        let rest = self.standing.split_once('；').filter(|_| replaced);
        rest.map_or(&self.standing, |(_, rest)| rest)
    }

    /// The newer submissions, each once.
    fn newer(&self) -> Vec<&str> {
        let mut numbers: Vec<&str> = self.replaced.iter().map(|one| one.number.as_str()).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }
}

/// The next slots of every schedule: when, which campaign, which lessons; soonest first.
async fn slots(
    desk: &Desk,
    content: &Content,
    now: Timestamp,
) -> Result<Vec<(Timestamp, String, Vec<LessonId>)>, Trouble> {
    let mut slots = Vec::new();
    for entry in &content.schedules {
        let Some(edition) = content.library.edition(&entry.campaign) else { continue };
        let moves = desk.publisher().store.slot_moves(&entry.id).await?;
        let calendar = &content.library.calendar;
        for slot in schedule::upcoming_moved(entry, calendar, &moves, now, SLOTS) {
            let lessons = schedule::lessons_of_slot(entry, edition, slot.slot);
            slots.push((slot.due, entry.campaign.to_string(), lessons));
        }
    }
    slots.sort();
    Ok(slots)
}

pub(super) fn titles(content: &Content, review: &Review) -> Vec<String> {
    let title = |id: &LessonId| {
        let lesson = content.library.lesson(id);
        let variant = lesson.and_then(|lesson| lesson.variants.values().next());
        variant.map_or_else(|| id.to_string(), |variant| variant.title.value.clone())
    };
    review.lessons.iter().map(title).collect()
}

fn is_high(content: &Content, review: &Review) -> bool {
    review
        .lessons
        .iter()
        .filter_map(|id| content.library.lesson(id))
        .any(|lesson| lesson.variants.values().any(|variant| variant.priority == Priority::High))
}
