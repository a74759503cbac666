//! Outputs with something marked in them. They are shown where the outputs themselves are, in a
//! sandbox without scripts, and say that they are no bytes that go out.

use super::{
    judged::{Judged, Marked, flow_of, judged},
    outputs::{self, Output},
    pictures,
    source::Found,
    specimens::is_text,
};
use crate::{
    console::{
        Desk,
        language::Language,
        marks::{
            change::{self, Change},
            flow::{Flow, Mark, escaped},
        },
        trouble::Trouble,
    },
    model::{MediaType, slots},
};
use askama::Template;
use axum::{http::StatusCode, response::Response};
use std::{collections::BTreeSet, sync::Arc};

/// A finding beside the output in which it stands.
pub(super) struct Note {
    pub number: usize,
    pub found: Found,
    /// How often its words stand there; none: nowhere.
    pub times: usize,
}

/// What stands before and behind a page with marks.
#[derive(Template)]
#[template(path = "console/html/output-notes.html")]
struct Notes<'a> {
    language: Language,
    sha256: &'a str,
    part: &'a str,
    placed: Vec<Note>,
    absent: Vec<Note>,
    changed: Option<Counted>,
}

/// What changed in a page.
struct Counted {
    added: usize,
    removed: usize,
    pictures_new: usize,
    pictures_gone: usize,
    /// The number of the submission that it is compared with.
    old_number: String,
    old_sha256: String,
}

impl Notes<'_> {
    fn t<'a>(&self, chinese: &'a str, english: &'a str) -> &'a str {
        self.language.of_two(chinese, english)
    }
}

pub(super) fn rendered(template: &impl Template) -> Result<String, Trouble> {
    template.render().map_err(|error| {
        let error: &dyn std::error::Error = &error;
        tracing::error!(error, "成品没有标出来");
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Trouble::new(status, "成品没有标出来", "再试一次；还不行请找运维岗")
    })
}

/// The submission of an output, with what the check says of it.
pub(super) async fn judged_of(
    desk: &Desk,
    output: &Output,
) -> Result<(Arc<Judged>, Arc<crate::work::Content>), Trouble> {
    let review = desk.publisher().store.review_of_manifest(&output.hash).await?;
    let review = review.ok_or_else(|| Trouble::missing("这份清单没有送审过"))?;
    let content = desk.content_of(&review).await?;
    Ok((judged(desk, &review, &content).await?, content))
}

/// `view=marked`: where findings stand.
pub(super) async fn marked(
    desk: &Desk,
    language: Language,
    output: &Output,
) -> Result<Response, Trouble> {
    let file = &output.file;
    if matches!(file.media_type, MediaType::Png | MediaType::Jpeg) {
        return pictures::marked(desk, language, output).await;
    }
    if !is_text(file) {
        return Err(Trouble::missing("这种成品标不出检查发现，请打开原件看"));
    }
    let (judged, _) = judged_of(desk, output).await?;
    let flow = flow_of(file, &output.bytes);
    let marked = judged.marked(file, &flow);
    let (placed, absent) = notes(&judged, &marked);
    let marks = marks_of(&marked, &judged, language);
    let sha256 = file_digest(output);
    let mut told =
        Notes { language, sha256: &sha256, part: "begin", placed, absent, changed: None };
    let begin = rendered(&told)?;
    told.part = "end";
    let end = rendered(&told)?;
    page(desk, output, &flow, &marks, (&begin, &end)).await
}

/// `view=changes`: what came and went since the bytes that were approved before.
pub(super) async fn changes(
    desk: &Desk,
    language: Language,
    before: &Output,
    output: &Output,
) -> Result<Response, Trouble> {
    let file = &output.file;
    if before.file.media_type != file.media_type || before.file.output != file.output {
        return Err(Trouble::missing("两份成品不是一种，比不了"));
    }
    if matches!(file.media_type, MediaType::Png | MediaType::Jpeg) {
        return pictures::changes(desk, language, before, output).await;
    }
    if !is_text(file) {
        return Err(Trouble::missing("这种成品比不出改动，请把两份都打开看"));
    }
    let (old, new) = (flow_of(&before.file, &before.bytes), flow_of(file, &output.bytes));
    let work = move || {
        let changes = change::compare(&old.text, &new.text);
        (changes, new)
    };
    let compared = tokio::task::spawn_blocking(work).await;
    let (changes, flow) = compared.map_err(|error| Trouble::wrong(error.to_string()))?;
    let (added, removed) = change::counted(&changes, &flow.text);
    let (old_pictures, new_pictures) = (slots_of(before), slots_of(output));
    let counted = Counted {
        added,
        removed,
        pictures_new: new_pictures.difference(&old_pictures).count(),
        pictures_gone: old_pictures.difference(&new_pictures).count(),
        old_number: number_of(desk, before).await?,
        old_sha256: before.file.sha256.to_string(),
    };
    let sha256 = file_digest(output);
    let mut notes = Notes {
        language,
        sha256: &sha256,
        part: "begin",
        placed: Vec::new(),
        absent: Vec::new(),
        changed: Some(counted),
    };
    let begin = rendered(&notes)?;
    notes.part = "end";
    let end = rendered(&notes)?;
    let marks: Vec<Mark> = changes.iter().filter_map(of_change).collect();
    page(desk, output, &flow, &marks, (&begin, &end)).await
}

/// The number of the submission that an output belongs to.
pub(super) async fn number_of(desk: &Desk, output: &Output) -> Result<String, Trouble> {
    let review = desk.publisher().store.review_of_manifest(&output.hash).await?;
    Ok(review.map_or(String::new(), |review| review.number))
}

fn file_digest(output: &Output) -> String {
    output.file.sha256.to_string()
}

fn slots_of(output: &Output) -> BTreeSet<String> {
    let html = String::from_utf8_lossy(&output.bytes);
    slots(&html).iter().map(|slot| slot.picture.to_string()).collect()
}

/// The page around the marks: its own, or one like the reader's.
async fn page(
    desk: &Desk,
    output: &Output,
    flow: &Flow,
    marks: &[Mark],
    (begin, end): (&str, &str),
) -> Result<Response, Trouble> {
    let html = if output.file.media_type == MediaType::Html {
        flow.with(marks, begin, end)
    } else {
        let words = flow.with(marks, "", "");
        format!("{begin}<p style=\"white-space:pre-wrap;padding:16px;margin:0\">{words}</p>{end}")
    };
    let html = outputs::look(desk, &output.manifest.files, &html, false).await?;
    Ok(outputs::view(&output.file, html))
}

/// The findings that have a place, in the order of their places, and those that have none.
pub(super) fn notes(judged: &Judged, marked: &Marked) -> (Vec<Note>, Vec<Note>) {
    let note = |number: usize| {
        let found = judged.finding(number)?.clone();
        let times = marked.spots.iter().filter(|spot| spot.finding == number).count();
        Some(Note { number, found, times })
    };
    let mut numbers: Vec<usize> = Vec::new();
    for spot in &marked.spots {
        if !numbers.contains(&spot.finding) {
            numbers.push(spot.finding);
        }
    }
    let absent = marked.absent.iter().copied();
    (numbers.into_iter().filter_map(note).collect(), absent.filter_map(note).collect())
}

/// Words between two places where a finding begins or ends, with the findings that cover them.
pub(super) fn segments(marked: &Marked) -> Vec<(std::ops::Range<usize>, Vec<usize>)> {
    let bounds: BTreeSet<usize> =
        marked.spots.iter().flat_map(|spot| [spot.range.start, spot.range.end]).collect();
    let bounds: Vec<usize> = bounds.into_iter().collect();
    let covering = |pair: &[usize]| {
        let covers =
            |range: &std::ops::Range<usize>| range.start <= pair[0] && pair[1] <= range.end;
        let own = marked.spots.iter().filter(|spot| covers(&spot.range));
        (pair[0]..pair[1], own.map(|spot| spot.finding).collect::<Vec<usize>>())
    };
    bounds.windows(2).map(covering).filter(|(_, findings)| !findings.is_empty()).collect()
}

/// Findings as marks. Each place begins with its finding's number and rule, which leads to the
/// reason; what is waived has another shape.
fn marks_of(marked: &Marked, judged: &Judged, language: Language) -> Vec<Mark> {
    let mut met: BTreeSet<usize> = BTreeSet::new();
    let mut marks = Vec::new();
    for (range, findings) in segments(marked) {
        let (mut linked, mut plain) = (String::new(), String::new());
        for spot in marked.spots.iter().filter(|spot| spot.range.start == range.start) {
            let number = spot.finding;
            let Some(found) = judged.finding(number) else { continue };
            let waived = found.waiver.as_ref().map_or("", |_| language.of_two(" 豁免", " waived"));
            let badge = format!("{number} {}{waived}", escaped(found.code));
            let id = if met.insert(number) {
                format!(" id=\"caishi-p{number}\"")
            } else {
                String::new()
            };
            linked.push_str(&format!(
                "<sup class=\"caishi-no\"{id}><a href=\"#caishi-f{number}\">{badge}</a></sup>"
            ));
            plain.push_str(&format!("<sup class=\"caishi-no\"{id}>{badge}</sup>"));
        }
        let is_waived =
            |number: &usize| judged.finding(*number).is_some_and(|f| f.waiver.is_some());
        let waived = if findings.iter().all(is_waived) { " caishi-waived" } else { "" };
        marks.push(Mark {
            range,
            open: format!("<mark class=\"caishi-mark{waived}\">"),
            close: "</mark>".to_owned(),
            badge: (linked, plain),
        });
    }
    marks
}

fn of_change(change: &Change) -> Option<Mark> {
    match change {
        Change::Same(_) => None,
        Change::Added(range) => Some(Mark {
            range: range.clone(),
            open: "<ins class=\"caishi-ins\">".to_owned(),
            close: "</ins>".to_owned(),
            badge: (String::new(), String::new()),
        }),
        Change::Removed(text, at) => {
            let words = escaped(text.trim_matches('\n')).replace('\n', "<br>");
            let gone = format!("<del class=\"caishi-del\">{words}</del>");
            let is_blank = text.trim().is_empty();
            (!is_blank).then(|| Mark {
                range: *at..*at,
                open: String::new(),
                close: String::new(),
                badge: (gone.clone(), gone),
            })
        }
    }
}
