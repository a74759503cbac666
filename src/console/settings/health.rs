//! `/console/settings`: people, tokens, channels; and what `doctor` says of everything.

use super::{people, tokens};
use crate::{
    config::ChannelEntry,
    console::{
        Desk,
        caller::Caller,
        filters,
        page::{Page, Shown, render},
        permit::{Action, Role},
        trouble::Trouble,
    },
    model::ChannelId,
    work::{Content, doctor::channel_name},
};
use askama::Template;
use axum::{Json, extract::State, http::StatusCode, response::Response};
use jiff::Timestamp;
use serde::Serialize;
use std::sync::{Mutex, PoisonError};
use utoipa::ToSchema;

/// A channel as it is configured.
struct Channel {
    id: String,
    kind: String,
    mode: String,
    outputs: String,
    sandbox: bool,
    faults: Vec<String>,
    /// When a check-up last looked at it, and what it found.
    checked: Option<(Timestamp, Looked)>,
}

/// What the last check-up found; forgotten with the service.
#[derive(Debug, Default)]
pub(in crate::console) struct LastCheckup(Mutex<Option<(Timestamp, Vec<Looked>)>>);

impl LastCheckup {
    fn keep(&self, at: Timestamp, looked: &[Looked]) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((at, looked.to_vec()));
    }

    /// When there was one, and what it found of a channel.
    fn of_channel(&self, id: &ChannelId) -> Option<(Timestamp, Looked)> {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, looked) = last.as_ref()?;
        let own = looked.iter().find(|one| one.what == channel_name(id))?;
        Some((*at, own.clone()))
    }
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

fn channels(desk: &Desk) -> Vec<Channel> {
    let publisher = desk.publisher();
    let channel = |entry: &ChannelEntry| Channel {
        id: entry.id.to_string(),
        kind: entry.kind.clone(),
        mode: format!("{:?}", entry.mode).to_lowercase(),
        outputs: entry.outputs.iter().map(|one| one.label()).collect::<Vec<_>>().join("、"),
        sandbox: entry.sandbox,
        faults: publisher.channel_faults.get(&entry.id).cloned().unwrap_or_default(),
        checked: desk.checkup().of_channel(&entry.id),
    };
    publisher.config.channels.iter().map(channel).collect()
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
    let in_language =
        |labels: (&'static str, &'static str)| shown.language.of_two(labels.0, labels.1).to_owned();
    let roles = Role::ALL.map(|role| (role.as_str(), in_language(role.labels()))).to_vec();
    let actions = Action::ALL.iter().map(|one| (one.as_str(), in_language(one.labels())));
    let (channels, actions) = (channels(desk), actions.collect());
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

impl Looked {
    /// `bad`, `warn` or `good`.
    fn tone(&self) -> &'static str {
        let tones = || self.findings.iter().map(Finding::tone);
        ["bad", "warn"].into_iter().find(|tone| tones().any(|own| own == *tone)).unwrap_or("good")
    }
}

impl Finding {
    /// `bad`; `warn` where it is well and there is something to do all the same; `good`.
    fn tone(&self) -> &'static str {
        match (self.ok, &self.next_step) {
            (false, _) => "bad",
            (true, Some(_)) => "warn",
            (true, None) => "good",
        }
    }
}

/// One finding of `doctor`.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = DoctorFinding)]
pub struct Finding {
    /// Whether it is well.
    pub ok: bool,
    /// What was found, in Chinese.
    pub what: String,
    /// What to do; of something that is well, what to do before long.
    pub next_step: Option<String>,
}

async fn looked(desk: &Desk) -> Result<Vec<Looked>, Trouble> {
    let content: std::sync::Arc<Content> = desk.content().await?;
    let at = Timestamp::now();
    let report = desk.publisher().doctor(Some(&content), at).await;
    let finding = |one: crate::deliver::Finding| Finding {
        ok: one.ok,
        what: one.what,
        next_step: one.next_step.map(|step| in_console(&step)),
    };
    let looked = report.into_iter().map(|(what, findings)| Looked {
        what,
        findings: findings.into_iter().map(finding).collect(),
    });
    let looked: Vec<Looked> = looked.collect();
    desk.checkup().keep(at, &looked);
    Ok(looked)
}

/// What to do, for people in front of a browser: the button instead of the command line.
fn in_console(step: &str) -> String {
    const BUTTONS: [(&str, &str); 6] = [
        ("运行 caishi release --as <代号>", "到“投递”页的总开关按“恢复投放”"),
        ("停发（caishi hold）", "停发（“投递”页的总开关）"),
        ("运行 caishi build 看每一处", "到“课件”页看每一处"),
        ("再运行 caishi doctor", "再按“再查一次”"),
        ("再运行 caishi retry", "再到“投递”页重发"),
        ("：caishi doctor", ""),
    ];
    BUTTONS.iter().fold(step.to_owned(), |step, (command, button)| step.replace(command, button))
}

/// A channel as it is configured, and what the last check-up found.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChannelStanding)]
pub struct ChannelView {
    /// Its id in `channels.toml`.
    pub id: String,
    /// What it is: `wechat`, `folder`, `webhook` …
    pub kind: String,
    /// `draft`, `publish` …
    pub mode: String,
    /// What goes over it, in Chinese.
    pub outputs: String,
    /// Whether it goes to the stand-in.
    pub sandbox: bool,
    /// Why it could not be opened, if it could not.
    pub faults: Vec<String>,
    /// When a check-up last looked at it; the service forgets it when it ends.
    #[schema(value_type = Option<String>)]
    pub checked_at: Option<Timestamp>,
    /// What that check-up found.
    pub findings: Vec<Finding>,
}

/// Every channel, with what the last check-up found of it.
#[utoipa::path(get, path = "/api/v1/channels", tag = "settings",
    responses((status = 200, body = [ChannelView])))]
pub(in crate::console) async fn list_channels(
    State(desk): State<Desk>,
) -> Result<Json<Vec<ChannelView>>, Trouble> {
    let view = |one: Channel| {
        let (checked_at, looked) = one.checked.unzip();
        ChannelView {
            id: one.id,
            kind: one.kind,
            mode: one.mode,
            outputs: one.outputs,
            sandbox: one.sandbox,
            faults: one.faults,
            checked_at,
            findings: looked.map(|looked| looked.findings).unwrap_or_default(),
        }
    };
    Ok(Json(channels(&desk).into_iter().map(view).collect()))
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
