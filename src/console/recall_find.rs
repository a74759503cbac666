//! What somebody means who wants something taken down: a code, a title, an approval number; what is
//! live is offered, and what comes nearest.

use super::{
    Desk,
    caller::Caller,
    page::{Page, Shown, render},
    trouble::Trouble,
};
use crate::model::suggest;
use askama::Template;
use axum::{
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use std::collections::{BTreeMap, BTreeSet};

/// So many that come near are offered.
const NEAR: usize = 8;
/// So many of what is live are listed; all of it can be found.
const LISTED: usize = 60;

/// Something that can be taken down by name.
#[derive(Debug, Clone)]
pub(super) struct Hit {
    /// What the recall calls it.
    name: String,
    /// What people call it.
    title: String,
    kind: (&'static str, &'static str),
    /// Whether the title is its own.
    titled: bool,
    /// How many deliveries of it are out or may go out.
    live: usize,
}

/// What a typed name comes to.
pub(super) enum Found {
    /// This.
    One(String),
    /// Nothing was typed.
    Nothing,
    /// Several; somebody has to choose.
    Several(Vec<Hit>),
    /// None, and what comes nearest.
    None(Vec<Hit>),
}

impl Found {
    /// Why nothing is taken down yet.
    fn said(&self, typed: &str) -> Option<String> {
        match self {
            Self::One(_) | Self::Nothing => None,
            Self::Several(_) => Some(format!("“{typed}”对得上好几样，选一样")),
            Self::None(near) if near.is_empty() => {
                Some(format!("投出去的里面没有“{typed}”；看看下面在外面的，或换个说法再找"))
            }
            Self::None(_) => Some(format!("投出去的里面没有“{typed}”；相近的列在下面")),
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::One(_) | Self::Nothing | Self::Several(_) => StatusCode::OK,
            Self::None(_) => StatusCode::NOT_FOUND,
        }
    }

    /// The same for programs, which choose by asking again.
    pub(super) fn trouble(self, typed: &str) -> Trouble {
        let what = self.said(typed);
        let (Self::Several(hits) | Self::None(hits)) = self else {
            return Trouble::wrong(
                "没有写撤什么：写课件、活动、排期的代号或标题，审批编号或投递号",
            );
        };
        let names: Vec<String> =
            hits.iter().map(|hit| format!("{}（{}）", hit.name, hit.title)).collect();
        let what = what.unwrap_or_default();
        Trouble::missing(if names.is_empty() {
            what
        } else {
            format!("{what}：{}", names.join("、"))
        })
    }
}

#[derive(Template)]
#[template(path = "console/html/recall-find.html")]
struct FindPage {
    page: Page,
    typed: String,
    fault: Option<String>,
    hits: Vec<Hit>,
    live: Vec<Hit>,
}

/// The page of a recall by its own name.
pub(super) fn lead_to(name: &str) -> Response {
    let name: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
    Redirect::to(&format!("/console/recall?name={name}")).into_response()
}

/// The form again, with what was typed and what it may mean.
pub(super) async fn show(
    desk: &Desk,
    shown: &Shown,
    caller: Caller,
    typed: &str,
    found: Found,
) -> Result<Response, Trouble> {
    let mut live = known(desk).await?;
    live.retain(|hit| hit.live > 0);
    live.truncate(LISTED);
    let (fault, status) = (found.said(typed), found.status());
    let hits = match found {
        Found::Several(hits) | Found::None(hits) => hits,
        Found::One(_) | Found::Nothing => Vec::new(),
    };
    let page = Page::new(desk, shown, Some(caller), ("撤回", "Recall")).await;
    let mut answer = render(&FindPage { page, typed: typed.to_owned(), fault, hits, live })?;
    *answer.status_mut() = status;
    Ok(answer)
}

/// What was typed, without what people put around it.
fn plain(text: &str) -> String {
    let brackets = |c| match c {
        '[' | '(' | '（' | '【' | '［' => '〔',
        ']' | ')' | '）' | '】' | '］' => '〕',
        other => other,
    };
    let kept = text.chars().filter(|c| !c.is_whitespace() && !"《》“”\"".contains(*c));
    kept.map(brackets).flat_map(char::to_lowercase).collect()
}

/// What a typed text means.
pub(super) async fn look_up(desk: &Desk, typed: &str) -> Result<Found, Trouble> {
    if typed.is_empty() {
        return Ok(Found::Nothing);
    }
    let is_known =
        async |name: &str| match desk.publisher().carrying(name).await.map_err(Trouble::from) {
            Ok(_) => Ok(true),
            Err(trouble) if trouble.status.is_client_error() => Ok(false),
            Err(trouble) => Err(trouble),
        };
    if is_known(typed).await? {
        return Ok(Found::One(typed.to_owned()));
    }
    let all = known(desk).await?;
    let text = plain(typed);
    // A title is its lesson's or campaign's; schedules and submissions are meant by their names.
    let title = |hit: &Hit| if hit.titled { plain(&hit.title) } else { String::new() };
    let whole = |hit: &&Hit| title(hit) == text || plain(&hit.name) == text;
    let part = |hit: &&Hit| title(hit).contains(&text) || plain(&hit.name).contains(&text);
    let mut hits: Vec<Hit> = all.iter().filter(whole).cloned().collect();
    if hits.is_empty() && !text.is_empty() {
        hits = all.iter().filter(part).cloned().collect();
    }
    // What was never sent is only worth a word where nothing else is meant.
    if hits.iter().any(|hit| hit.live > 0) {
        hits.retain(|hit| hit.live > 0);
    }
    if let [hit] = hits.as_slice()
        && is_known(&hit.name).await?
    {
        return Ok(Found::One(hit.name.clone()));
    }
    let mut sent = Vec::new();
    for hit in hits.into_iter().take(LISTED) {
        if hit.live > 0 || is_known(&hit.name).await? {
            sent.push(hit);
        }
    }
    Ok(if sent.is_empty() { Found::None(near(&all, &text)) } else { Found::Several(sent) })
}

/// What comes nearest: a slip of the fingers, then what shares most pairs of characters.
fn near(all: &[Hit], text: &str) -> Vec<Hit> {
    let names = all.iter().flat_map(|hit| [hit.name.as_str(), hit.title.as_str()]);
    let slip = suggest::nearest(text, names);
    let pairs =
        |text: &str| -> BTreeSet<(char, char)> { text.chars().zip(text.chars().skip(1)).collect() };
    let own = pairs(text);
    let mut scored: Vec<(usize, &Hit)> = all
        .iter()
        .map(|hit| {
            let shared = pairs(&plain(&hit.title))
                .union(&pairs(&plain(&hit.name)))
                .filter(|pair| own.contains(*pair))
                .count();
            let slipped = slip.is_some_and(|slip| slip == hit.name || slip == hit.title);
            (shared + if slipped { 1000 } else { 0 }, hit)
        })
        .filter(|(score, _)| *score > 0)
        .collect();
    scored.sort_by_key(|(score, hit)| (usize::MAX - score, usize::MAX - hit.live));
    scored.into_iter().take(NEAR).map(|(_, hit)| hit.clone()).collect()
}

/// Everything with a name: what is live first.
async fn known(desk: &Desk) -> Result<Vec<Hit>, Trouble> {
    let content = desk.content().await?;
    let library = &content.library;
    let live = desk.publisher().live().await?;
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut numbers: BTreeMap<String, String> = BTreeMap::new();
    for one in live.iter() {
        let out = &one.out;
        let mut names: BTreeSet<String> = out.lessons.iter().map(ToString::to_string).collect();
        names.extend([out.campaign.to_string(), out.campaign.series.clone()]);
        names.insert(out.schedule.to_string());
        if let Some(number) = &out.number {
            numbers.insert(number.clone(), super::titles(library, &out.lessons));
            names.insert(number.clone());
        }
        for name in names {
            *counts.entry(name).or_default() += 1;
        }
    }
    let mut hits = Vec::new();
    let mut add = |name: String, title: String, kind: (&'static str, &'static str)| {
        let live = counts.get(&name).copied().unwrap_or(0);
        let titled = !matches!(kind, ("排期" | "审批编号", _));
        hits.push(Hit { name, title, kind, titled, live });
    };
    for lesson in &library.lessons {
        let title = super::titles(library, std::slice::from_ref(&lesson.id));
        add(lesson.id.to_string(), title, ("课件", "Lesson"));
    }
    for series in &library.campaigns {
        for edition in &series.editions {
            add(edition.id.to_string(), edition.name.clone(), ("活动", "Campaign"));
        }
        if series.editions.len() > 1 {
            add(series.id.clone(), series.name.clone(), ("系列", "Series"));
        }
    }
    for entry in &content.schedules {
        let edition = library.edition(&entry.campaign);
        let title = edition.map_or_else(String::new, |edition| edition.name.clone());
        add(entry.id.to_string(), title, ("排期", "Schedule"));
    }
    for (number, titles) in numbers {
        add(number, titles, ("审批编号", "Approval number"));
    }
    hits.sort_by_key(|hit| hit.live == 0);
    Ok(hits)
}
