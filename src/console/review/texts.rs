//! The texts of a submission against those approved before, and where their facts come from.

use super::source::{self, Found, Said, Text};
use crate::{
    console::{Desk, trouble::Trouble},
    model::LessonId,
    store::Review,
    work::{Content, difference::read_revision},
};
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};
use utoipa::ToSchema;

/// Where a fact comes from.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Claim {
    /// The lesson's title and audience.
    pub lesson: String,
    /// Its name in the text.
    pub name: String,
    /// Title and publisher.
    pub source: String,
    /// Published, and when somebody looked at it.
    pub dates: String,
    /// The address.
    pub url: Option<String>,
}

/// Where the facts of the lessons come from, each once.
pub(super) fn claims(content: &Content, review: &Review) -> Vec<Claim> {
    let mut claims = Vec::new();
    for lesson in review.lessons.iter().filter_map(|id| content.library.lesson(id)) {
        for variant in lesson.variants.values() {
            for source in &variant.sources {
                let day = |day: Option<jiff::civil::Date>| {
                    day.map_or("–".to_owned(), |day| day.to_string())
                };
                claims.push(Claim {
                    lesson: format!("{}（{}）", variant.title.value, variant.audience.label()),
                    name: source.claim.clone(),
                    source: format!("{}，{}", source.title, source.publisher),
                    dates: format!("{} / {}", day(source.date), day(source.checked)),
                    url: source.url.clone().filter(|url| url.starts_with("https://")),
                });
            }
        }
    }
    // Variants inherit their sources: the same one is shown once.
    let mut seen = BTreeSet::new();
    claims.retain(|claim| seen.insert((claim.name.clone(), claim.source.clone())));
    claims
}

/// Every text of the lessons, compared with the submission before.
pub(super) async fn texts(
    desk: &Desk,
    review: &Review,
    previous: Option<&Review>,
    findings: &[Found],
    remarks: &[Said],
) -> Result<Vec<Text>, Trouble> {
    let store = &desk.publisher().store;
    let files = read_revision(store, &review.revision).await?;
    let before = match previous {
        Some(previous) => read_revision(store, &previous.revision).await?,
        None => BTreeMap::new(),
    };
    let of_lessons = |path: &str| {
        let own = |id: &LessonId| path.starts_with(&format!("lessons/{id}/"));
        Path::new(path).extension().is_some_and(|kind| kind == "md")
            && review.lessons.iter().any(own)
    };
    let mut texts = Vec::new();
    for (path, digest) in files.iter().filter(|(path, _)| of_lessons(path)) {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let new = text(store.blob(digest).await?);
        let old = match before.get(path) {
            Some(old) => Some(text(store.blob(old).await?)),
            // A file that is new altogether is all added, where its lesson was approved before.
            None => previous
                .filter(|previous| {
                    previous.lessons.iter().any(|id| path.starts_with(&format!("lessons/{id}/")))
                })
                .map(|_| String::new()),
        };
        texts.push(source::lines(path, old.as_deref(), &new, findings, remarks));
    }
    Ok(texts)
}
