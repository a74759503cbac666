//! One lesson: its texts, faults and submissions, and where it is and was out.

use super::{Desk, Listed, Problem, lesson_of, list_of};
use crate::{
    console::{
        caller::Caller,
        filters,
        page::{Page, Shown, render},
        trouble::Trouble,
    },
    model::{Diagnostic, LessonId, Variant},
    store::{Out, Review},
    work::{
        live::{LiveOut, Standing as Seen},
        people::Called,
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

/// What was carried where, at most.
const HISTORY: u32 = 100;

/// A variant on a lesson's page.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = LessonVariant)]
pub struct OfAudience {
    /// The audience, for people.
    pub audience: String,
    /// The title.
    pub title: String,
    /// The file, under the content folder.
    pub path: String,
    /// The version.
    pub version: u32,
    /// What is made of it, for people.
    pub outputs: Vec<String>,
    /// The days on which it may be shown.
    pub window: String,
    /// The department that answers for it.
    pub owner: String,
    /// Digest of its sources.
    pub sha256: String,
}

/// Where a lesson is or was out.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = LessonOut)]
pub struct Carried {
    /// The delivery.
    pub delivery: String,
    /// The channel.
    pub channel: String,
    /// How far it got, in Chinese.
    pub state: String,
    /// The slot, RFC 3339.
    #[schema(value_type = String)]
    pub slot: Timestamp,
    /// Where people can see it.
    pub url: Option<String>,
    /// `now`: it can be seen; `overstays`: it can be seen although its last day is over.
    pub seen: Option<&'static str>,
}

/// A submission with the lesson.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = LessonSubmission)]
pub struct Submitted {
    /// The approval number.
    pub number: String,
    /// The campaign edition.
    pub campaign: String,
    /// Who.
    pub author: String,
    /// When, RFC 3339.
    #[schema(value_type = String)]
    pub at: Timestamp,
}

/// A lesson with its history.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Lesson)]
pub struct Whole {
    /// As in the list.
    #[serde(flatten)]
    pub listed: Listed,
    /// Its texts.
    pub variants: Vec<OfAudience>,
    /// What is wrong with it, with file and line.
    pub faults: Vec<String>,
    /// Its submissions, newest first.
    pub submissions: Vec<Submitted>,
    /// Where it is and was, newest first, at most 100.
    pub history: Vec<Carried>,
}

#[derive(Template)]
#[template(path = "console/html/lesson.html")]
struct LessonPage {
    page: Page,
    lesson: Whole,
}

pub(in crate::console) async fn lesson_page(
    State(desk): State<Desk>,
    shown: Shown,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    let lesson = whole(&desk, &id).await?;
    let page = Page::new(&desk, &shown, Some(caller), (&id, &id)).await;
    render(&LessonPage { page, lesson })
}

/// A lesson with its texts, faults, submissions and where it is out.
#[utoipa::path(get, path = "/api/v1/lessons/{id}", tag = "lessons",
    params(("id" = String, Path, description = "课件代号")),
    responses((status = 200, body = Whole), (status = 404, body = Problem)))]
pub(in crate::console) async fn one(
    State(desk): State<Desk>,
    Path(id): Path<String>,
) -> Result<Json<Whole>, Trouble> {
    Ok(Json(whole(&desk, &id).await?))
}

async fn whole(desk: &Desk, id: &str) -> Result<Whole, Trouble> {
    let missing = || Trouble::missing("没有这一课");
    let listed = list_of(desk).await?.into_iter().find(|one| one.id == id).ok_or_else(missing)?;
    let lesson_id = LessonId::new(id).map_err(|_| missing())?;
    let content = desk.content().await?;
    let lesson = content.library.lesson(&lesson_id);
    let variants = lesson.iter().flat_map(|lesson| lesson.variants.values()).map(of_audience);
    let store = &desk.publisher().store;
    let called = desk.publisher().called().await?;
    let submissions = desk.publisher().submissions().await?;
    let own = submissions.reviews.iter().filter(|review| review.lessons.contains(&lesson_id));
    let history = store.out_of_lesson(&lesson_id, HISTORY).await?;
    let live = desk.publisher().live().await?;
    let wrong = content.diagnostics.iter().filter(|found| lesson_of(found) == Some(id));
    Ok(Whole {
        variants: variants.collect(),
        faults: wrong.map(told).collect(),
        submissions: own.map(|review| submitted(&called, review)).collect(),
        history: history.into_iter().map(|out| carried(out, &live)).collect(),
        listed,
    })
}

fn of_audience(variant: &Variant) -> OfAudience {
    OfAudience {
        audience: variant.audience.label().to_owned(),
        title: variant.title.value.clone(),
        path: variant.file.path.to_string_lossy().into_owned(),
        version: variant.version,
        outputs: variant.outputs.iter().map(|output| output.label().to_owned()).collect(),
        window: format!("{} — {}", variant.valid_from, variant.valid_until),
        owner: variant.owner.clone(),
        sha256: variant.digest.to_string(),
    }
}

fn submitted(called: &Called, review: &Review) -> Submitted {
    Submitted {
        number: review.number.clone(),
        campaign: review.campaign.to_string(),
        author: called.one(&review.author),
        at: review.submitted_at,
    }
}

fn carried(out: Out, live: &[LiveOut]) -> Carried {
    let standing = live.iter().find(|one| one.out.delivery == out.delivery);
    Carried {
        seen: standing.and_then(|one| match one.standing {
            Seen::Coming => None,
            Seen::Out => Some("now"),
            Seen::Overstays => Some("overstays"),
        }),
        delivery: out.delivery,
        channel: out.channel.to_string(),
        state: out.state.label().to_owned(),
        slot: out.slot,
        url: out.url.filter(|url| url.starts_with("https://")),
    }
}

fn told(found: &Diagnostic) -> String {
    let line = found.position().map_or(0, |(line, _)| line);
    let path = found.file.path.display();
    format!("{}：{path} 第 {line} 行：{}。{}", found.severity, found.reason, found.help)
}
