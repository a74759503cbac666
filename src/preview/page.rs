//! Whole pages: the list of lessons, and a lesson with everything that is made of it.

use super::{
    after,
    approved::count,
    desk::Desk,
    frames,
    part::{self, Context},
    snapshot::{Snapshot, folder_of},
    view::{Glasses, View, query},
};
use crate::model::{Audience, Digest, Finding, LessonId, Severity};
use askama::Template;

/// A part of a page that is swapped when its version differs.
#[derive(Debug)]
pub struct Region {
    /// The element's id.
    pub id: String,
    /// Its class.
    pub class: &'static str,
    /// What is in it, finished HTML.
    pub html: String,
    /// Digest of that.
    pub version: String,
}

impl Region {
    /// A filled template.
    ///
    /// # Errors
    /// The template's.
    pub fn new(
        id: impl Into<String>,
        class: &'static str,
        template: &impl Template,
    ) -> askama::Result<Self> {
        let html = template.render()?;
        let version = Digest::of(html.as_bytes()).to_string()[..12].to_owned();
        Ok(Self { id: id.into(), class, html, version })
    }
}

#[derive(Template)]
#[template(path = "preview/html/missing.html")]
struct Missing<'a> {
    what: &'a str,
}

/// A page that is not there.
///
/// # Errors
/// The template's.
pub fn missing(what: &str) -> askama::Result<String> {
    Missing { what }.render()
}

#[derive(Template)]
#[template(path = "preview/html/lessons.html")]
struct Lessons<'a> {
    bank: &'a str,
    list: &'a Region,
}

#[derive(Template)]
#[template(path = "preview/html/list.html")]
struct List {
    style_fault: Option<String>,
    rows: Vec<Row>,
    elsewhere: Vec<super::source::Note>,
}

/// A lesson in the list.
struct Row {
    id: LessonId,
    title: String,
    audiences: Vec<(Audience, &'static str)>,
    is_readable: bool,
    errors: usize,
    warnings: usize,
    hints: usize,
    valid: String,
}

/// The list of lessons.
///
/// # Errors
/// The template's.
pub fn lessons(snapshot: &Snapshot) -> askama::Result<String> {
    let rows = snapshot.lessons().iter().map(|id| row(snapshot, id)).collect();
    let lessons = |finding: &&Finding| !finding.diagnostic.file.path.starts_with("lessons");
    let elsewhere = snapshot.findings().iter().filter(lessons);
    let elsewhere = elsewhere.filter(|finding| !finding.counts_as(Severity::Information));
    let list = List {
        style_fault: snapshot.style_fault.clone(),
        rows,
        elsewhere: elsewhere
            .map(|finding| {
                let mut note = super::source::note(finding);
                let path = finding.diagnostic.file.path.display();
                note.reason = format!("{path}：{}", note.reason);
                note
            })
            .collect(),
    };
    let list = Region::new("list", "list", &list)?;
    Lessons { bank: &snapshot.config().bank.name, list: &list }.render()
}

fn row(snapshot: &Snapshot, id: &LessonId) -> Row {
    let lesson = snapshot.library.lesson(id);
    let general = lesson.and_then(|lesson| lesson.variants.get(&Audience::General));
    let folder = folder_of(id);
    let own = |finding: &&Finding| finding.diagnostic.file.path.starts_with(&folder);
    let findings: Vec<Finding> = snapshot.findings().iter().filter(own).cloned().collect();
    Row {
        id: id.clone(),
        title: general.map_or_else(|| id.to_string(), |variant| variant.title.value.clone()),
        audiences: snapshot.audiences(id).into_iter().map(|one| (one, one.label())).collect(),
        is_readable: lesson.is_some(),
        errors: count(&findings, Severity::Error),
        warnings: count(&findings, Severity::Warning),
        hints: count(&findings, Severity::Information),
        valid: general.map_or_else(String::new, |variant| {
            format!("{} 至 {}", variant.valid_from, variant.valid_until)
        }),
    }
}

#[derive(Template)]
#[template(path = "preview/html/lesson.html")]
struct LessonPage<'a> {
    title: String,
    events: String,
    head: &'a Region,
    banner: &'a Region,
    source: &'a [Region],
    outputs: &'a [Region],
    after: &'a [Region],
}

/// A lesson with everything that is made of it.
///
/// # Errors
/// The templates'.
pub fn lesson(
    desk: &Desk,
    snapshot: &Snapshot,
    view: &View,
    glasses: &Glasses,
) -> askama::Result<String> {
    let past = desk.past(&view.lesson);
    // A copy of what is known, so that nobody waits for the page to be written.
    let sheet = desk.with_sheet(view, |sheet| sheet.cloned().unwrap_or_default());
    let context = Context { snapshot, view, glasses, sheet: &sheet, past: past.as_deref() };
    let page = LessonPage {
        title: context.title(),
        events: format!("/events?{}", query(view)),
        head: &part::head(&context)?,
        banner: &part::banner(&context)?,
        source: &part::source(&context)?,
        outputs: &frames::outputs(&context)?,
        after: &after::after(&context)?,
    };
    page.render()
}
