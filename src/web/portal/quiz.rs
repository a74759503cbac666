//! A quiz without script: a form, and the approved answers with what was chosen put in.

use super::{Portal, Shared, has_branch, page};
use crate::{
    deliver::LiveFile,
    model::{Audience, BranchId, LessonId},
};
use axum::{
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};

/// More questions than any lesson has.
const MOST: u32 = 20;

/// The form's address as the renderer writes it.
const SLOT: &str = "caishi-slot:answers";

pub(super) async fn ask(
    State(portal): Shared,
    Path((branch, lesson)): Path<(String, String)>,
) -> Response {
    let Some(html) = find(&portal, &lesson, "quiz").await else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let address = format!("/portal/{}/quiz/{}", page::escaped(&branch), page::escaped(&lesson));
    page::answer(StatusCode::OK, html.replace(SLOT, &address))
}

pub(super) async fn answer(
    State(portal): Shared,
    Path((branch, lesson)): Path<(String, String)>,
    body: Bytes,
) -> Response {
    let Some(mut html) = find(&portal, &lesson, "answers").await else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let live = portal.live().await;
    let known = live.as_deref().is_some_and(|live| has_branch(live, &branch));
    let counted = BranchId::new(&branch).ok().filter(|_| known).zip(LessonId::new(&lesson).ok());
    for (name, value) in url::form_urlencoded::parse(&body) {
        let question = name.strip_prefix('q').and_then(|number| number.parse::<u32>().ok());
        let mut letters = value.chars();
        let choice = letters.next().filter(|letter| ('A'..='H').contains(letter));
        let (Some(question @ 1..=MOST), Some(choice), None) = (question, choice, letters.next())
        else {
            continue;
        };
        // Only once for a question, and only what the page asks.
        let slot = format!("<!--chosen {question}-->");
        if !html.contains(&slot) {
            continue;
        }
        html = html.replace(&slot, &format!("您选了 {choice}。"));
        if let Some((branch, lesson)) = &counted {
            portal.counter.chose(branch, lesson, question, choice);
        }
    }
    for question in 1..=MOST {
        html = html.replace(&format!("<!--chosen {question}-->"), "");
    }
    let back = format!("/portal/{}/venue", page::escaped(&branch));
    page::answer(StatusCode::OK, html.replace("caishi-slot:venue", &back))
}

async fn find(portal: &Portal, lesson: &str, profile: &str) -> Option<String> {
    let live = portal.live().await?;
    let is_it = |file: &&LiveFile| {
        file.profile.as_deref() == Some(profile)
            && file.lesson.as_ref().is_some_and(|own| own.as_str() == lesson)
    };
    let files = live.files.iter().filter(is_it);
    let found = files.min_by_key(|file| file.audience != Audience::General)?;
    portal.text(found).await
}
