//! `/console/reviews/<number>`: everything that a reviewer needs, on one page.

use super::{
    basis::Against,
    bits::{Bit, bits, changed_bits},
    dossier::{Dossier, dossier},
    source::{Fate, Found, Text},
    specimens::{Fate as Became, Specimen},
};
use crate::console::{
    Desk,
    caller::Caller,
    filters,
    page::{Page, Shown, render},
    permit::Action,
    trouble::Trouble,
};
use askama::Template;
use axum::{
    Json,
    extract::{Path, Query, State},
    http::StatusCode,
    response::Response,
};
use serde::Deserialize;

/// Which of the texts is shown, counted from one, and on which of its lines somebody is about to
/// write a remark.
#[derive(Debug, Default, Deserialize)]
pub(in crate::console) struct Asked {
    text: Option<String>,
    line: Option<String>,
    /// Whether pictures with the approved bytes are shown as pictures, too.
    all: Option<String>,
    /// `approved`: compared with what was approved last, though something was returned since.
    against: Option<String>,
}

impl Asked {
    /// A line of a text, for a remark.
    pub(super) fn line(text: String, line: String) -> Self {
        Self { text: Some(text), line: Some(line), ..Self::default() }
    }
}

/// What somebody typed into a form of the page that could not be taken, and why.
#[derive(Debug, Default)]
pub(super) struct Typed {
    /// Why it was not taken.
    pub refused: Option<Trouble>,
    /// The note of a decision.
    pub note: String,
    /// For how many days an approval counts.
    pub valid_days: Option<String>,
    /// Whether open remarks are said to have been read.
    pub despite_remarks: bool,
    /// The words of a remark.
    pub remark: String,
}

/// A text in the list of them.
struct Tab {
    number: usize,
    path: String,
    changed: Option<usize>,
    findings: usize,
    remarks: usize,
    here: bool,
}

#[derive(Template)]
#[template(path = "console/html/review.html")]
struct ReviewPage {
    page: Page,
    dossier: Dossier,
    /// Whether there is a button to approve.
    approves: bool,
    /// Whether there is one to return.
    returns: bool,
    remarks: bool,
    /// Its own address; empty where that is the one it was asked for under. It stands at every line.
    here: String,
    /// Whether it is compared with what was approved although something was returned since.
    against: bool,
    tabs: Vec<Tab>,
    text: Option<Text>,
    text_number: usize,
    valid_days: String,
    typed: Typed,
    articles: Vec<Specimen>,
    pictures: Vec<Specimen>,
    /// Those with the approved bytes, by name only.
    unchanged: Vec<Specimen>,
    documents: Vec<Specimen>,
    texts: Vec<Words>,
    /// How the outputs fared, all of them.
    tally: Tally,
}

/// A text output, with findings and with changes.
struct Words {
    one: Specimen,
    marked: Vec<Bit>,
    changed: Vec<Bit>,
}

/// How many outputs fared how.
#[derive(Default)]
struct Tally {
    same: usize,
    /// Those in which only numbers differ left out.
    changed: usize,
    only_number: usize,
    new: usize,
    gone: usize,
}

impl Tally {
    fn of(dossier: &Dossier) -> Self {
        let fates = || dossier.specimens.iter().map(|one| one.fates);
        Self {
            same: fates().map(|fates| fates.same).sum(),
            changed: fates().map(|fates| fates.changed - fates.only_number).sum(),
            only_number: fates().map(|fates| fates.only_number).sum(),
            new: fates().map(|fates| fates.new).sum(),
            gone: dossier.gone.iter().map(|gone| gone.count).sum(),
        }
    }
}

impl Words {
    fn new(one: Specimen, findings: &[Found]) -> Self {
        let text = one.text.as_deref().unwrap_or_default();
        let marked = bits(text, &one.places, findings);
        let changed = one.old_text.as_deref().map(|old| changed_bits(old, text));
        Self { marked, changed: changed.unwrap_or_default(), one }
    }
}

pub(in crate::console) async fn page(
    State(desk): State<Desk>,
    shown: Shown,
    caller: Caller,
    Path(number): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    with(&desk, &shown, caller, &number, (asked, Typed::default())).await
}

/// The page with what was typed before.
pub(super) async fn with(
    desk: &Desk,
    shown: &Shown,
    caller: Caller,
    number: &str,
    (asked, mut typed): (Asked, Typed),
) -> Result<Response, Trouble> {
    let against = match asked.against.as_deref() {
        Some("approved") => Against::Approved,
        _ => Against::Decided,
    };
    let mut dossier = dossier(desk, &caller, number, against).await?;
    let remarks = caller.may(Action::Remark);
    let tabs = tabs(&dossier, asked.text.as_deref());
    let here = tabs.iter().position(|tab| tab.here).unwrap_or(0);
    let mut text = dossier.texts.into_iter().nth(here);
    dossier.texts = Vec::new();
    let wanted = asked.line.and_then(|line| line.parse::<u32>().ok()).filter(|line| *line > 0);
    if remarks && let Some(text) = &mut text {
        for line in text.lines.iter_mut().filter(|line| Some(line.number) == wanted) {
            line.writing = true;
        }
    }
    let tally = Tally::of(&dossier);
    let [articles, mut pictures, texts, documents] = piles(std::mem::take(&mut dossier.specimens));
    let is_told = |one: &mut Specimen| asked.all.is_none() && one.is_unchanged();
    let unchanged = pictures.extract_if(.., is_told).collect();
    let texts = texts.into_iter().map(|one| Words::new(one, &dossier.findings)).collect();
    let (approves, returns) = dossier.buttons(caller.may(Action::Decide));
    let usual = || desk.publisher().config.review.valid_days.to_string();
    let valid_days = typed.valid_days.take().unwrap_or_else(usual);
    let status = typed.refused.as_ref().map_or(StatusCode::OK, |trouble| trouble.status);
    let own = typed.refused.as_ref().map(|_| address(number)).unwrap_or_default();
    let page = Page::new(desk, shown, Some(caller), (number, number)).await;
    let mut answer = render(&ReviewPage {
        page,
        dossier,
        approves,
        returns,
        against: against == Against::Approved,
        remarks,
        here: own,
        tabs,
        text,
        text_number: here + 1,
        valid_days,
        articles,
        pictures,
        unchanged,
        documents,
        texts,
        tally,
        typed,
    })?;
    *answer.status_mut() = status;
    Ok(answer)
}

impl Dossier {
    /// Whether there are buttons to approve and to return. Who has approved can return it still,
    /// even where a newer one took its place: its bytes may be on their way.
    fn buttons(&self, may_decide: bool) -> (bool, bool) {
        let (may_decide, is_replaced) =
            (may_decide && self.mine.is_some(), self.state == "replaced");
        match self.own_decision {
            Some("approved") => (false, may_decide),
            Some(_) => (false, false),
            None => (may_decide && !is_replaced, may_decide && !is_replaced),
        }
    }

    /// The newer submissions that took its place, each once.
    fn newer(&self) -> Vec<&str> {
        let mut numbers: Vec<&str> = self.replaced.iter().map(|one| one.number.as_str()).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    /// What it is compared with, in Chinese and English.
    fn basis(&self) -> (&'static str, &'static str) {
        match self.compared_is {
            Some("returned") => ("上次退回的", "returned before"),
            _ => ("上次批准的", "approved before"),
        }
    }
}

/// Pages, pictures, short texts, documents.
fn piles(specimens: Vec<Specimen>) -> [Vec<Specimen>; 4] {
    let mut piles: [Vec<Specimen>; 4] = Default::default();
    for specimen in specimens {
        let pile = match specimen.media_type.split(['/', ';']).nth(1) {
            Some("html") => 0,
            Some("png" | "jpeg" | "svg+xml") => 1,
            Some("plain") => 2,
            _ => 3,
        };
        piles[pile].push(specimen);
    }
    piles
}

/// The address of a submission's page.
pub(super) fn address(number: &str) -> String {
    let number: String = url::form_urlencoded::byte_serialize(number.as_bytes()).collect();
    format!("/console/reviews/{number}")
}

/// The texts, and which is shown: the one that was asked for, else the first with something to say.
fn tabs(dossier: &Dossier, wanted: Option<&str>) -> Vec<Tab> {
    let tab = |(index, text): (usize, &Text)| {
        let findings = text.lines.iter().map(|line| line.findings.len()).sum();
        let remarks = text.lines.iter().map(|line| line.remarks.len()).sum();
        let (number, path) = (index + 1, text.path.clone());
        Tab { number, path, changed: text.changed, findings, remarks, here: false }
    };
    let mut tabs: Vec<Tab> = dossier.texts.iter().enumerate().map(tab).collect();
    let asked = wanted.and_then(|number| number.parse::<usize>().ok());
    let asked = asked.filter(|number| (1..=tabs.len()).contains(number)).map(|number| number - 1);
    let notable =
        |tab: &Tab| tab.changed.is_some_and(|lines| lines > 0) || tab.findings + tab.remarks > 0;
    let plain = || tabs.iter().position(|tab| tab.path.ends_with("/lesson.md"));
    let first = asked.or_else(|| tabs.iter().position(notable)).or_else(plain).unwrap_or(0);
    if let Some(tab) = tabs.get_mut(first) {
        tab.here = true;
    }
    tabs
}

/// A submission with steps, manifests, outputs, findings, sources, texts and remarks.
#[utoipa::path(get, path = "/api/v1/reviews/{number}", tag = "reviews",
    params(("number" = String, Path, description = "审批编号")),
    responses((status = 200, body = Dossier), (status = 404, body = crate::console::api::Problem)))]
pub(in crate::console) async fn one(
    State(desk): State<Desk>,
    caller: Caller,
    Path(number): Path<String>,
) -> Result<Json<Dossier>, Trouble> {
    Ok(Json(dossier(&desk, &caller, &number, Against::default()).await?))
}
