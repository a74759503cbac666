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
    store::Display,
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
use utoipa::{IntoParams, ToSchema};

/// A branch and a day.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub struct Asked {
    /// The branch.
    branch: Option<String>,
    /// The day in Asia/Shanghai, such as `2026-03-15`.
    day: Option<String>,
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
    /// What was out.
    pub links: Vec<Link>,
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
    let branch = asked.branch.unwrap_or_default();
    let day = asked.day.unwrap_or(today);
    let page = Page::new(&desk, &shown, Some(caller), ("审计", "Audit")).await;
    let branches = content.iter().flat_map(|content| &content.library.branches);
    let branches = branches.map(|branch| (branch.id.to_string(), branch.name.clone())).collect();
    let status = problem.as_ref().map_or(StatusCode::OK, |trouble| trouble.status);
    let mut answer = render(&AuditPage { page, branch, day, branches, found, problem })?;
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
        Some(known) => on(desk, &branch, &known, day).await,
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

async fn on(desk: &Desk, branch: &BranchId, known: &Registered, day: Date) -> Result<Day, Trouble> {
    let zone = shanghai(Timestamp::UNIX_EPOCH).time_zone().clone();
    let start = |day: Date| zone.to_timestamp(day.at(0, 0, 0, 0));
    let wrong = |_| Trouble::wrong("日期：没有这一天");
    let from = start(day).map_err(wrong)?;
    let until = start(day.tomorrow().map_err(wrong)?).map_err(wrong)?;
    let store = &desk.publisher().store;
    let displays = store.displays(branch, from, until).await?;
    let then = desk.publisher().shown_between(branch, from, until).await?;
    let asking = Asking { desk, branch, known, displays: &displays };
    let mut links = Vec::new();
    for out in &then.shown {
        let manifest = desk.manifest(&out.manifest).await?;
        links.push(asking.link(out, &manifest).await?);
    }
    links.retain(|link| !link.files.is_empty());
    // A screen without a connection goes on with what was replaced elsewhere.
    let carried = |links: &[Link], sha256: &str| {
        links.iter().any(|link| link.files.iter().any(|file| file.sha256 == sha256))
    };
    for out in &then.replaced {
        let is_open = |display: &&Display| !carried(&links, &display.sha256);
        let open: Vec<&Display> = displays.iter().filter(is_open).collect();
        if open.is_empty() {
            break;
        }
        let manifest = desk.manifest(&out.manifest).await?;
        let mut own = asking.link(out, &manifest).await?;
        own.files.retain(|file| open.iter().any(|display| display.sha256 == file.sha256));
        own.replaced = true;
        if !own.files.is_empty() {
            links.push(own);
        }
    }
    let mut unexplained: Vec<String> = displays
        .iter()
        .filter(|display| !carried(&links, &display.sha256))
        .map(|display| format!("{} {}", display.screen, display.sha256))
        .collect();
    unexplained.sort();
    unexplained.dedup();
    Ok(Day {
        branch: branch.to_string(),
        name: known.name.clone(),
        registered_today: known.today,
        on: day.to_string(),
        links,
        unexplained,
    })
}
