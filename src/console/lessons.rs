//! `/console/lessons`: what there is, in what state, how fresh its facts are, where it is out.

use super::{
    Desk,
    api::Problem,
    caller::Caller,
    filters,
    page::{Page, Shown, render},
    trouble::Trouble,
};
use crate::{
    model::{Audience, Diagnostic, Lesson, LessonId, Severity, Variant},
    review::Standing,
    store::{Out, Review},
    work::{Content, clock::shanghai, people::Called},
};
use askama::Template;
use axum::{
    Json,
    extract::{Path, Query, State},
    response::Response,
};
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// Rows of a page.
const ROWS: usize = 100;

/// What was carried where, at most, on a lesson's own page.
const HISTORY: u32 = 100;

/// A lesson in the list.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = LessonListed)]
pub struct Listed {
    /// Its id.
    pub id: String,
    /// The title.
    pub title: String,
    /// The audiences that have a text of their own, for people.
    pub audiences: Vec<String>,
    /// The version.
    pub version: u32,
    /// Errors and warnings of reading.
    pub errors: usize,
    /// Warnings.
    pub warnings: usize,
    /// The day its facts must have been looked at again.
    #[schema(value_type = Option<String>)]
    pub facts_review_by: Option<Date>,
    /// `fresh`, `soon`, `stale`, `unknown`.
    pub freshness: &'static str,
    /// The last day it may be shown.
    #[schema(value_type = Option<String>)]
    pub valid_until: Option<Date>,
    /// How its last submission stands, in Chinese.
    pub standing: String,
    /// That submission.
    pub review: Option<String>,
    /// The channels on which it is out.
    pub out: Vec<String>,
}

/// Which lessons.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub struct Asked {
    /// Words in id or title.
    q: Option<String>,
    /// The page, from one; of the page only.
    page: Option<String>,
}

#[derive(Template)]
#[template(path = "console/html/lessons.html")]
struct LessonsPage {
    page: Page,
    lessons: Vec<Listed>,
    q: String,
    all: usize,
    /// The number of this page, and of them all.
    number: usize,
    pages: usize,
}

pub(super) async fn page(
    State(desk): State<Desk>,
    shown: Shown,
    caller: Caller,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    let all = list_of(&desk).await?;
    let q = asked.q.unwrap_or_default();
    let count = all.len();
    let fitting: Vec<Listed> = all.into_iter().filter(|one| matches(one, &q)).collect();
    let pages = fitting.len().div_ceil(ROWS).max(1);
    let number = asked.page.and_then(|page| page.parse::<usize>().ok()).unwrap_or(1);
    let number = number.clamp(1, pages);
    let lessons = fitting.into_iter().skip((number - 1) * ROWS).take(ROWS).collect();
    let page = Page::new(&desk, &shown, Some(caller), ("课件", "Lessons")).await;
    render(&LessonsPage { page, lessons, q, all: count, number, pages })
}

/// Every lesson with its state.
#[utoipa::path(get, path = "/api/v1/lessons", tag = "lessons", params(Asked),
    responses((status = 200, body = [Listed])))]
pub(super) async fn list(
    State(desk): State<Desk>,
    Query(asked): Query<Asked>,
) -> Result<Json<Vec<Listed>>, Trouble> {
    let q = asked.q.unwrap_or_default();
    let lessons = list_of(&desk).await?;
    Ok(Json(lessons.into_iter().filter(|one| matches(one, &q)).collect()))
}

fn matches(one: &Listed, q: &str) -> bool {
    let q = q.trim().to_lowercase();
    q.is_empty() || one.id.contains(&q) || one.title.to_lowercase().contains(&q)
}

async fn list_of(desk: &Desk) -> Result<Vec<Listed>, Trouble> {
    let publisher = desk.publisher();
    let content = desk.content().await?;
    let today = shanghai(publisher.store.now().await?).date();
    let mut standings: BTreeMap<LessonId, (String, Standing)> = BTreeMap::new();
    for (review, standing, _) in publisher.current_reviews().await? {
        for lesson in &review.lessons {
            let own = (review.number.clone(), standing.clone());
            standings.entry(lesson.clone()).or_insert(own);
        }
    }
    let mut out: BTreeMap<LessonId, Vec<String>> = BTreeMap::new();
    for (lessons, channel) in publisher.store.out_now().await? {
        for lesson in lessons {
            let channels = out.entry(lesson).or_default();
            if !channels.contains(&channel) {
                channels.push(channel.clone());
            }
        }
    }
    let warn_days = publisher.config.review.warn_days;
    let faults = faults(&content);
    let mut lessons: Vec<Listed> = content
        .library
        .lessons
        .iter()
        .map(|lesson| {
            let mut listed = listed(lesson, today, warn_days);
            if let Some((number, standing)) = standings.get(&lesson.id) {
                listed.standing = standing.to_string();
                listed.review = Some(number.clone());
            }
            listed.out = out.remove(&lesson.id).unwrap_or_default();
            (listed.errors, listed.warnings) = faults.get(&listed.id).copied().unwrap_or_default();
            listed
        })
        .collect();
    // A lesson with errors is not in the library; people look for it here all the same.
    for (id, (errors, warnings)) in faults {
        if errors > 0 && !lessons.iter().any(|one| one.id == id) {
            lessons.push(broken(&id, errors, warnings));
        }
    }
    lessons.sort_by(|one, other| one.id.cmp(&other.id));
    Ok(lessons)
}

fn listed(lesson: &Lesson, today: Date, warn_days: u16) -> Listed {
    let general = lesson.variants.get(&Audience::General);
    let facts_review_by = general.and_then(|variant| variant.facts_review_by);
    let soon = today.saturating_add(jiff::Span::new().days(i64::from(warn_days)));
    Listed {
        id: lesson.id.to_string(),
        title: general.map_or(String::new(), |variant| variant.title.value.clone()),
        audiences: lesson.variants.keys().map(|one| one.label().to_owned()).collect(),
        version: general.map_or(0, |variant| variant.version),
        errors: 0,
        warnings: 0,
        facts_review_by,
        freshness: match facts_review_by {
            None => "unknown",
            Some(day) if day < today => "stale",
            Some(day) if day <= soon => "soon",
            Some(_) => "fresh",
        },
        valid_until: general.map(|variant| variant.valid_until),
        standing: String::new(),
        review: None,
        out: Vec::new(),
    }
}

fn broken(id: &str, errors: usize, warnings: usize) -> Listed {
    Listed {
        id: id.to_owned(),
        title: String::new(),
        audiences: Vec::new(),
        version: 0,
        errors,
        warnings,
        facts_review_by: None,
        freshness: "unknown",
        valid_until: None,
        standing: String::new(),
        review: None,
        out: Vec::new(),
    }
}

/// The lesson that a diagnostic is about.
fn lesson_of(found: &Diagnostic) -> Option<&str> {
    let path = found.file.path.strip_prefix("lessons").ok()?;
    path.iter().next()?.to_str()
}

/// Errors and warnings by lesson.
fn faults(content: &Content) -> BTreeMap<String, (usize, usize)> {
    let mut faults: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for found in &content.diagnostics {
        let Some(lesson) = lesson_of(found) else { continue };
        let counts = faults.entry(lesson.to_owned()).or_default();
        match found.severity {
            Severity::Error => counts.0 += 1,
            Severity::Warning => counts.1 += 1,
            Severity::Information => {}
        }
    }
    faults
}

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

pub(super) async fn lesson_page(
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
pub(super) async fn one(
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
    let reviews = store.reviews(None).await?;
    let own = reviews.into_iter().filter(|review| review.lessons.contains(&lesson_id));
    let history = store.out_of_lesson(&lesson_id, HISTORY).await?;
    let wrong = content.diagnostics.iter().filter(|found| lesson_of(found) == Some(id));
    Ok(Whole {
        variants: variants.collect(),
        faults: wrong.map(told).collect(),
        submissions: own.map(|review| submitted(&called, &review)).collect(),
        history: history.into_iter().map(carried).collect(),
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

fn carried(out: Out) -> Carried {
    Carried {
        delivery: out.delivery,
        channel: out.channel,
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
