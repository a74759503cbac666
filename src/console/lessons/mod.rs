//! `/console/lessons`: what there is, in what state, how fresh its facts are, where it is out.

mod one;

pub(super) use one::{__path_one, lesson_page, one};

use super::{
    Desk,
    api::Problem,
    caller::Caller,
    page::{Page, Shown, render},
    trouble::Trouble,
};
use crate::{
    model::{Audience, Diagnostic, Lesson, LessonId, Severity},
    review::Standing,
    work::{Content, clock::shanghai, live::Standing as Seen},
};
use askama::Template;
use axum::{
    Json,
    extract::{Query, State},
    response::Response,
};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// Rows of a page.
const ROWS: usize = 100;

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
    for one in publisher.current_reviews().await? {
        for lesson in &one.review.lessons {
            let own = (one.review.number.clone(), one.standing.clone());
            standings.entry(lesson.clone()).or_insert(own);
        }
    }
    let mut out: BTreeMap<LessonId, Vec<String>> = BTreeMap::new();
    let live = publisher.live().await?;
    for one in live.iter().filter(|one| one.standing != Seen::Coming) {
        for lesson in &one.out.lessons {
            let channels = out.entry(lesson.clone()).or_default();
            if !channels.iter().any(|own| own == one.out.channel.as_str()) {
                channels.push(one.out.channel.to_string());
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
