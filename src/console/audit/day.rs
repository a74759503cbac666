//! `/console/audit`: “what did branch 137 show on 15 March, who approved it, under which rules”.

use super::link::{Asking, Link};
use crate::{
    console::{
        Desk,
        api::Problem,
        caller::Caller,
        filters,
        language::say,
        page::{Page, Shown, render},
        trouble::Trouble,
    },
    model::{Branch, BranchId, suggest},
    store::Out,
    work::{Content, clock::shanghai, registered::Registered},
};
use askama::Template;
use axum::{
    Json,
    extract::{Query, State},
    http::StatusCode,
    response::Response,
};
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// So many deliveries are told of at once.
const LINKS: usize = 10;

/// A branch and a day.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub struct Asked {
    /// The branch.
    branch: Option<String>,
    /// The day in Asia/Shanghai, such as `2026-03-15`.
    day: Option<String>,
    /// Only what comes behind this delivery: `next` of the answer before.
    after: Option<String>,
    /// Only this delivery.
    delivery: Option<String>,
}

/// What a branch showed on a day.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = AuditDay)]
pub struct Day {
    /// The branch.
    pub branch: String,
    /// Its name: today's, or the last one that it had.
    pub name: String,
    /// Whether it stands in today's register of branches.
    pub registered_today: bool,
    /// The day.
    pub on: String,
    /// What was out, in the order of its slots; at most 10 at once, and behind the last of all
    /// what screens went on with after it was replaced.
    pub links: Vec<Link>,
    /// The delivery behind which they begin.
    pub after: Option<String>,
    /// Where there is more: the delivery to ask for the next ones with, as `after`.
    pub next: Option<String>,
    /// Posters that a player says it showed and that no delivery of that day carries.
    pub unexplained: Vec<String>,
}

#[derive(Template)]
#[template(path = "console/html/audit.html")]
struct AuditPage {
    page: Page,
    branch: String,
    day: String,
    /// Today's branches, to choose from: id and name.
    branches: Vec<(String, String)>,
    found: Option<Day>,
    /// Whether one delivery alone was asked for: then each of its files is listed.
    alone: bool,
    problem: Option<Trouble>,
}

pub(in crate::console) async fn page(
    State(desk): State<Desk>,
    shown: Shown,
    caller: Caller,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    let today = shanghai(desk.publisher().store.now().await?).date().to_string();
    let content = desk.content().await.ok();
    let (mut found, mut problem) = (None, None);
    if asked.branch.as_ref().is_some_and(|branch| !branch.trim().is_empty()) {
        match answer(&desk, content.as_deref(), &asked).await {
            Ok(day) => found = Some(day),
            Err(trouble) if trouble.status.is_client_error() => problem = Some(trouble),
            Err(trouble) => return Err(trouble),
        }
    }
    let alone = asked.delivery.is_some_and(|delivery| !delivery.is_empty());
    let branch = asked.branch.unwrap_or_default();
    let day = asked.day.unwrap_or(today);
    let page = Page::new(&desk, &shown, Some(caller), ("审计", "Audit")).await;
    let branches = content.iter().flat_map(|content| &content.library.branches);
    let branches = branches.map(|branch| (branch.id.to_string(), branch.name.clone())).collect();
    let status = problem.as_ref().map_or(StatusCode::OK, |trouble| trouble.status);
    let mut answer = render(&AuditPage { page, branch, day, branches, found, alone, problem })?;
    *answer.status_mut() = status;
    Ok(answer)
}

/// What a branch showed on a day, and everything behind it.
#[utoipa::path(get, path = "/api/v1/audit/day", tag = "audit", params(Asked),
    responses((status = 200, body = Day), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
pub(in crate::console) async fn call(
    State(desk): State<Desk>,
    Query(asked): Query<Asked>,
) -> Result<Json<Day>, Trouble> {
    let content = desk.content().await.ok();
    Ok(Json(answer(&desk, content.as_deref(), &asked).await?))
}

/// What was asked, answered where there is or was such a branch.
async fn answer(desk: &Desk, content: Option<&Content>, asked: &Asked) -> Result<Day, Trouble> {
    let (branch, day) = read(asked)?;
    match desk.publisher().registered(&branch, content).await? {
        Some(known) => on(desk, &branch, &known, day, asked).await,
        None => Err(unknown(&branch, content)),
    }
}

/// That there is no such branch, and which one may be meant.
fn unknown(branch: &BranchId, content: Option<&Content>) -> Trouble {
    let branches = content.map(|content| content.library.branches.as_slice()).unwrap_or_default();
    let what = match say("zh", "en") {
        "en" => format!(
            "There is no branch {branch}: not in today's register, in none that was frozen with a \
             submission, and no machine and nobody ever reported from it"
        ),
        _ => format!(
            "没有网点 {branch}：今天的网点名录里没有，历次送审冻结的名录里没有，也没有机器或人从它那里回报过"
        ),
    };
    let named = |branch: &Branch| format!("{} {}", branch.id, branch.name);
    let near = suggest::nearest(branch.as_str(), branches.iter().map(|branch| branch.id.as_str()));
    let near = near.and_then(|near| branches.iter().find(|branch| branch.id.as_str() == near));
    let next = match (near, branches.first().zip(branches.last())) {
        (Some(near), _) => {
            format!("{}{}{}", say("是不是要查 ", "Do you mean "), named(near), say("？", "? "))
        }
        (None, Some((first, last))) => format!(
            "{} {} {} {}{}",
            say("名录里有", "The register has"),
            branches.len(),
            say("个网点，从", "branches, from"),
            named(first),
            match say("zh", "en") {
                "en" => format!(" to {}. ", named(last)),
                _ => format!(" 到 {}。", named(last)),
            }
        ),
        (None, None) => String::new(),
    };
    let pick =
        say("从“网点代号”的列表里选一个，再查一次", "Choose one from the list and ask again");
    Trouble::new(StatusCode::NOT_FOUND, what, &format!("{next}{pick}"))
}

fn read(asked: &Asked) -> Result<(BranchId, Date), Trouble> {
    let mut faults = Vec::new();
    let branch = BranchId::new(asked.branch.as_deref().unwrap_or_default().trim());
    let branch = branch.map_err(|error| faults.push(format!("网点：{error}"))).ok();
    let text = asked.day.as_deref().unwrap_or_default().trim();
    let day = text.parse::<Date>().ok().filter(|day| (1990..=2200).contains(&day.year()));
    if day.is_none() {
        faults.push("日期：写成 2026-03-15".to_owned());
    }
    branch.zip(day).ok_or_else(|| Trouble::wrong_list(faults))
}

async fn on(
    desk: &Desk,
    branch: &BranchId,
    known: &Registered,
    day: Date,
    asked: &Asked,
) -> Result<Day, Trouble> {
    let zone = shanghai(Timestamp::UNIX_EPOCH).time_zone().clone();
    let start = |day: Date| zone.to_timestamp(day.at(0, 0, 0, 0));
    let wrong = |_| Trouble::wrong("日期：没有这一天");
    let from = start(day).map_err(wrong)?;
    let until = start(day.tomorrow().map_err(wrong)?).map_err(wrong)?;
    let publisher = desk.publisher();
    let displays = publisher.store.displays(branch, from, until).await?;
    let called = publisher.called().await?;
    let history = publisher.history().await?;
    let then = publisher.shown_between(branch, from, until).await?;
    let (displays, called, history) = (&displays[..], &called, &*history);
    let asking = Asking { desk, branch, known, displays, called, history };
    let played = asking.played(&then).await?;
    let Part { shown, after, is_alone } = part(&then.shown, asked)?;
    let (mut links, mut next) = (Vec::new(), None);
    let mut rest = shown.iter().peekable();
    while let Some(out) = rest.next() {
        let link = asking.link(out, &*desk.manifest(&out.manifest).await?).await?;
        links.extend(Some(link).filter(|link| !link.files.is_empty()));
        if links.len() >= LINKS && rest.peek().is_some() {
            next = Some(out.delivery.clone());
            break;
        }
    }
    if next.is_none() && !is_alone {
        links.extend(asking.went_on(&played).await?);
    }
    Ok(Day {
        branch: branch.to_string(),
        name: known.name.clone(),
        registered_today: known.today,
        on: day.to_string(),
        links,
        after,
        next,
        unexplained: played.unexplained,
    })
}

/// What of a day is asked for.
struct Part<'t> {
    shown: &'t [Arc<Out>],
    /// Behind this delivery.
    after: Option<String>,
    /// One delivery alone.
    is_alone: bool,
}

fn part<'t>(shown: &'t [Arc<Out>], asked: &Asked) -> Result<Part<'t>, Trouble> {
    let named = |field: &'static str, delivery: &Option<String>| {
        let Some(delivery) = delivery.as_ref().filter(|id| !id.is_empty()) else {
            return Ok(None);
        };
        let place = shown.iter().position(|out| out.delivery == *delivery);
        let what = say("那天没有这件投递", "No delivery of that day");
        place.map(Some).ok_or_else(|| Trouble::wrong_fields(vec![(field, what.to_owned())]))
    };
    if let Some(place) = named("delivery", &asked.delivery)? {
        return Ok(Part { shown: &shown[place..=place], after: None, is_alone: true });
    }
    let place = named("after", &asked.after)?;
    Ok(Part {
        shown: &shown[place.map_or(0, |place| place + 1)..],
        after: place.map(|place| shown[place].delivery.clone()),
        is_alone: false,
    })
}
