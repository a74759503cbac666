//! `/console/audit`: “what did branch 137 show on 15 March, who approved it, under which rules”.

use crate::{
    console::{
        Desk,
        api::Problem,
        caller::Caller,
        filters,
        page::{Page, Shown, render},
        trouble::Trouble,
    },
    model::{Approval, BranchId, Decision, DeliveryState, Manifest},
    store::{Display, Out},
    work::{clock::shanghai, feeds::is_given, live::went_out, people::Called},
};
use askama::Template;
use axum::{
    Json,
    extract::{Query, State},
    response::Response,
};
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// A branch and a day.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub struct Asked {
    /// The branch.
    branch: Option<String>,
    /// The day in Asia/Shanghai, such as `2026-03-15`.
    day: Option<String>,
}

/// A signature.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Signature {
    /// The step.
    pub step: String,
    /// Who.
    pub by: String,
    /// `approved` or `rejected`.
    pub decision: &'static str,
    /// When, RFC 3339.
    #[schema(value_type = String)]
    pub at: Timestamp,
    /// Until when it counted.
    #[schema(value_type = String)]
    pub until: Timestamp,
}

/// A file that the branch was given.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = AuditFile)]
pub struct Given {
    /// Its path.
    pub path: String,
    /// Its digest.
    pub sha256: String,
    /// Where it can be seen.
    pub href: String,
    /// On which screens its player says that it stood, and how long in all, in Chinese; empty where
    /// no player told.
    pub shown: Vec<String>,
}

/// Something that was out at the branch on that day, and everything behind it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = AuditLink)]
pub struct Link {
    /// The delivery.
    pub delivery: String,
    /// The channel.
    pub channel: String,
    /// How far it got, in Chinese.
    pub state: String,
    /// When it was due.
    #[schema(value_type = String)]
    pub slot: Timestamp,
    /// When the far side said that it was out.
    #[schema(value_type = Option<String>)]
    pub out_at: Option<Timestamp>,
    /// When it was taken down.
    #[schema(value_type = Option<String>)]
    pub recalled_at: Option<Timestamp>,
    /// The far side's name for it.
    pub remote: Option<String>,
    /// The manifest: what was approved.
    pub manifest: String,
    /// The approval number.
    pub number: String,
    /// The digest of the frozen content.
    pub revision: String,
    /// The rules that the texts were checked under.
    pub rule_pack: String,
    /// The lessons with audience, version and digest of their sources.
    pub lessons: Vec<String>,
    /// Who signed.
    pub signatures: Vec<Signature>,
    /// What the branch was given.
    pub files: Vec<Given>,
    /// What the branch confirmed.
    pub confirmations: Vec<String>,
    /// Whether something newer had its place by then: a screen of the branch went on with it.
    pub replaced: bool,
}

/// What a branch showed on a day.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = AuditDay)]
pub struct Day {
    /// The branch.
    pub branch: String,
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
    found: Option<Day>,
    problem: Option<String>,
}

pub(in crate::console) async fn page(
    State(desk): State<Desk>,
    shown: Shown,
    caller: Caller,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    let today = shanghai(desk.publisher().store.now().await?).date().to_string();
    let (mut found, mut problem) = (None, None);
    if asked.branch.as_ref().is_some_and(|branch| !branch.trim().is_empty()) {
        match read(&asked) {
            Ok((branch, day)) => found = Some(on(&desk, &branch, day).await?),
            Err(trouble) => problem = Some(trouble.what.join("；")),
        }
    }
    let branch = asked.branch.unwrap_or_default();
    let day = asked.day.unwrap_or(today);
    let page = Page::new(&desk, &shown, Some(caller), ("审计", "Audit")).await;
    render(&AuditPage { page, branch, day, found, problem })
}

/// What a branch showed on a day, and everything behind it.
#[utoipa::path(get, path = "/api/v1/audit/day", tag = "audit", params(Asked),
    responses((status = 200, body = Day), (status = 422, body = Problem)))]
pub(in crate::console) async fn call(
    State(desk): State<Desk>,
    Query(asked): Query<Asked>,
) -> Result<Json<Day>, Trouble> {
    let (branch, day) = read(&asked)?;
    Ok(Json(on(&desk, &branch, day).await?))
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

async fn on(desk: &Desk, branch: &BranchId, day: Date) -> Result<Day, Trouble> {
    let zone = shanghai(Timestamp::UNIX_EPOCH).time_zone().clone();
    let start = |day: Date| zone.to_timestamp(day.at(0, 0, 0, 0));
    let wrong = |_| Trouble::wrong("日期：没有这一天");
    let from = start(day).map_err(wrong)?;
    let until = start(day.tomorrow().map_err(wrong)?).map_err(wrong)?;
    let store = &desk.publisher().store;
    let displays = store.displays(branch, from, until).await?;
    let then = desk.publisher().shown_between(branch, from, until).await?;
    let mut links = Vec::new();
    for out in &then.shown {
        let manifest = desk.manifest(&out.manifest).await?;
        links.push(link(desk, branch, out, &manifest, &displays).await?);
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
        let mut own = link(desk, branch, out, &manifest, &displays).await?;
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
    Ok(Day { branch: branch.to_string(), on: day.to_string(), links, unexplained })
}

/// Everything behind one delivery, as far as the branch is concerned.
async fn link(
    desk: &Desk,
    branch: &BranchId,
    out: &Out,
    manifest: &Arc<Manifest>,
    displays: &[Display],
) -> Result<Link, Trouble> {
    let store = &desk.publisher().store;
    let delivery = store.delivery(&out.delivery).await?;
    let attempts = store.attempts(&out.delivery).await?;
    let when =
        |state: DeliveryState| attempts.iter().find(|line| line.to == state).map(|line| line.at);
    let review = store.review_of_manifest(&out.manifest).await?;
    let approvals = store.approvals(&out.manifest).await?;
    let called = desk.publisher().called().await?;
    let confirmations = store.confirmations(delivery.key.digest()).await?;
    let own = confirmations.into_iter().filter(|one| one.branch == *branch);
    let kind = desk.publisher().entry(&manifest.channel).map(|entry| entry.kind.clone());
    let shared = kind.is_ok_and(|kind| matches!(kind.as_str(), "folder" | "packs"));
    let files = manifest.files.iter().filter(|file| {
        file.branch.as_ref() == Some(branch) || (shared && is_given(manifest, file, branch))
    });
    Ok(Link {
        replaced: false,
        delivery: out.delivery.clone(),
        channel: out.channel.to_string(),
        state: out.state.label().to_owned(),
        slot: out.slot,
        out_at: went_out(&attempts),
        recalled_at: when(DeliveryState::Recalled),
        remote: delivery.remote_ref,
        manifest: out.manifest.to_string(),
        number: manifest.number.clone(),
        revision: review.map(|review| review.revision.to_string()).unwrap_or_default(),
        rule_pack: manifest.rule_pack.clone(),
        lessons: manifest
            .lessons
            .iter()
            .map(|one| {
                format!("{}（{}）v{} {}", one.lesson, one.audience.label(), one.version, one.digest)
            })
            .collect(),
        signatures: approvals.iter().map(|one| signature(one, &called)).collect(),
        files: files
            .map(|file| Given {
                path: file.path.clone(),
                sha256: file.sha256.to_string(),
                href: format!("/console/outputs/{}/{}", out.manifest, file.sha256),
                shown: shown(&file.sha256.to_string(), displays),
            })
            .collect(),
        confirmations: own
            .map(|one| {
                let what = if one.what == "posted" { "已上墙" } else { "已撤下" };
                let at = shanghai(one.at).strftime("%Y-%m-%d %H:%M").to_string();
                format!("{what} {} {} {at}", one.lesson.unwrap_or_default(), one.by)
            })
            .collect(),
    })
}

fn signature(approval: &Approval, called: &Called) -> Signature {
    Signature {
        step: approval.step.clone(),
        by: called.one(&approval.actor),
        decision: match approval.decision {
            Decision::Approved => "approved",
            Decision::Rejected => "rejected",
        },
        at: approval.at,
        until: approval.expires_at,
    }
}

/// On which screens a poster stood, how often and how long.
fn shown(sha256: &str, displays: &[Display]) -> Vec<String> {
    let mut screens: Vec<(&str, u32, i64)> = Vec::new();
    for display in displays.iter().filter(|display| display.sha256 == sha256) {
        let seconds = display.from.duration_until(display.until).as_secs();
        match screens.iter_mut().find(|(screen, _, _)| *screen == display.screen) {
            Some((_, times, sum)) => {
                *times += 1;
                *sum += seconds;
            }
            None => screens.push((&display.screen, 1, seconds)),
        }
    }
    let told = screens.into_iter().map(|(screen, times, seconds)| {
        format!("{screen}：{times} 次，共 {} 分 {} 秒", seconds / 60, seconds % 60)
    });
    told.collect()
}
