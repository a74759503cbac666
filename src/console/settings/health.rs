//! `/console/settings`: people, tokens, channels; and what `doctor` says of everything.

use super::{people, tokens};
use crate::{
    console::{
        Desk,
        caller::Caller,
        filters,
        page::{Page, Shown, render},
        permit::{Action, Role},
        trouble::Trouble,
    },
    work::Content,
};
use askama::Template;
use axum::{Json, extract::State, http::StatusCode, response::Response};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

/// A channel as it is configured.
struct Channel {
    id: String,
    kind: String,
    mode: String,
    outputs: String,
    sandbox: bool,
    faults: Vec<String>,
}

#[derive(Template)]
#[template(path = "console/html/settings.html")]
struct SettingsPage {
    page: Page,
    people: Vec<people::Listed>,
    tokens: Vec<tokens::Listed>,
    channels: Vec<Channel>,
    roles: Vec<(&'static str, String)>,
    actions: Vec<(&'static str, String)>,
    /// The departments that topics know.
    departments: Vec<String>,
    adding: people::Adding,
    making: tokens::Making,
    /// Below which address tokens are made and withdrawn.
    place: &'static str,
    withdraws: bool,
}

/// The page's two forms, as they were typed.
#[derive(Debug, Default)]
pub(super) struct Forms {
    pub adding: people::Adding,
    pub making: tokens::Making,
}

pub(in crate::console) async fn page(
    State(desk): State<Desk>,
    shown: Shown,
    caller: Caller,
) -> Result<Response, Trouble> {
    show(&desk, &shown, caller, Forms::default()).await
}

pub(super) async fn show(
    desk: &Desk,
    shown: &Shown,
    caller: Caller,
    Forms { adding, making }: Forms,
) -> Result<Response, Trouble> {
    let refused = making.refused.as_ref().or(adding.refused.as_ref());
    let status = refused.map_or(StatusCode::OK, |trouble| trouble.status);
    let withdraws = caller.may(Action::ChangeTokens);
    let departments = people::departments(&*desk.content().await?);
    let publisher = desk.publisher();
    let channels = publisher.config.channels.iter().map(|entry| Channel {
        id: entry.id.to_string(),
        kind: entry.kind.clone(),
        mode: format!("{:?}", entry.mode).to_lowercase(),
        outputs: entry.outputs.iter().map(|one| one.label()).collect::<Vec<_>>().join("、"),
        sandbox: entry.sandbox,
        faults: publisher.channel_faults.get(&entry.id).cloned().unwrap_or_default(),
    });
    let in_language =
        |labels: (&'static str, &'static str)| shown.language.of_two(labels.0, labels.1).to_owned();
    let roles = Role::ALL.map(|role| (role.as_str(), in_language(role.labels()))).to_vec();
    let actions = Action::ALL.iter().map(|one| (one.as_str(), in_language(one.labels())));
    let (channels, actions) = (channels.collect(), actions.collect());
    let mut answer = render(&SettingsPage {
        people: people::everybody(desk, shown).await?,
        tokens: tokens::tokens(desk).await?,
        page: Page::new(desk, shown, Some(caller), ("设置", "Settings")).await,
        channels,
        roles,
        actions,
        departments,
        adding,
        making,
        place: "/console/settings/tokens",
        withdraws,
    })?;
    *answer.status_mut() = status;
    Ok(answer)
}

/// What was looked at, and what was found.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = DoctorReport)]
pub struct Looked {
    /// What.
    pub what: String,
    /// What was found.
    pub findings: Vec<Finding>,
}

/// One finding of `doctor`.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = DoctorFinding)]
pub struct Finding {
    /// Whether it is well.
    pub ok: bool,
    /// What was found, in Chinese.
    pub what: String,
    /// What to do.
    pub next_step: Option<String>,
}

async fn looked(desk: &Desk) -> Result<Vec<Looked>, Trouble> {
    let content: std::sync::Arc<Content> = desk.content().await?;
    let report = desk.publisher().doctor(Some(&content), Timestamp::now()).await;
    let looked = report.into_iter().map(|(what, findings)| Looked {
        what,
        findings: findings
            .into_iter()
            .map(|one| Finding { ok: one.ok, what: one.what, next_step: one.next_step })
            .collect(),
    });
    Ok(looked.collect())
}

#[derive(Template)]
#[template(path = "console/html/doctor.html")]
struct DoctorPage {
    page: Page,
    looked: Vec<Looked>,
}

pub(in crate::console) async fn doctor_page(
    State(desk): State<Desk>,
    shown: Shown,
    caller: Caller,
) -> Result<Response, Trouble> {
    let looked = looked(&desk).await?;
    let page = Page::new(&desk, &shown, Some(caller), ("体检", "Check-up")).await;
    render(&DoctorPage { page, looked })
}

/// What `caishi doctor` says of database, clock, disk, fonts, content and channels.
#[utoipa::path(get, path = "/api/v1/doctor", tag = "settings",
    responses((status = 200, body = [Looked])))]
pub(in crate::console) async fn doctor(
    State(desk): State<Desk>,
) -> Result<Json<Vec<Looked>>, Trouble> {
    Ok(Json(looked(&desk).await?))
}
