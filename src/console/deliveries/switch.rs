//! The kill switch: stops all sending, and says what goes out when sending goes on.

use super::{
    super::{
        Desk,
        asked::{Asked, trimmed},
        caller::Caller,
        page::{Notice, Shown},
        sent::Sent,
        trouble::Trouble,
    },
    Refused, show,
};
use crate::store::Backlog;
use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What somebody types to stop, and to go on; in either language.
pub(super) const STOP: [&str; 2] = ["停发", "STOP"];
pub(super) const GO_ON: [&str; 2] = ["恢复", "RESUME"];

/// What waits to be sent.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    /// By channel.
    pub(super) channels: Vec<Backlog>,
    /// What would go out at once.
    pub(super) due: u64,
    /// What is too late.
    pub(super) expired: u64,
}

/// What waits to be sent, where the deployment is held or not.
pub(super) async fn outgoing(desk: &Desk) -> Result<Outgoing, Trouble> {
    let channels = desk.publisher().store.backlog().await?;
    let due = channels.iter().map(|one| one.due).sum();
    let expired = channels.iter().map(|one| one.expired).sum();
    Ok(Outgoing { channels, due, expired })
}

/// Why all sending is stopped.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct Holding {
    /// Why.
    #[serde(default)]
    reason: String,
    /// `停发` or `STOP`, typed.
    #[serde(default)]
    confirm: String,
}

/// That sending goes on.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct Releasing {
    /// `恢复` or `RESUME`, typed.
    #[serde(default)]
    confirm: String,
}

fn confirmed(typed: &str, words: [&str; 2]) -> Option<String> {
    let typed = typed.trim();
    let fits = words.iter().any(|word| typed.eq_ignore_ascii_case(word));
    (!fits).then(|| format!("确认一栏要照样打“{}”（或 {}）", words[0], words[1]))
}

async fn stop(desk: &Desk, caller: &Caller, holding: &Holding) -> Result<(), Trouble> {
    let reason = trimmed(&holding.reason, 300);
    let mut faults = Vec::new();
    if reason.is_empty() {
        faults.push("原因没有写：每个人都会在页面顶上看到它".to_owned());
    }
    faults.extend(confirmed(&holding.confirm, STOP));
    if !faults.is_empty() {
        return Err(Trouble::wrong_list(faults));
    }
    Ok(desk.publisher().store.hold(caller.actor(), &reason).await?)
}

async fn go_on(desk: &Desk, caller: &Caller, releasing: &Releasing) -> Result<(), Trouble> {
    if let Some(fault) = confirmed(&releasing.confirm, GO_ON) {
        return Err(Trouble::wrong(fault));
    }
    let store = &desk.publisher().store;
    if store.deployment().await?.hold.is_none() {
        return Err(Trouble::conflict("现在没有停发，不用恢复"));
    }
    Ok(store.release(caller.actor()).await?)
}

/// Where the switch was moved to, or the board again with what was typed.
async fn moved(
    desk: &Desk,
    mut shown: Shown,
    caller: Caller,
    outcome: Result<Notice, Trouble>,
    reason: &str,
) -> Result<Response, Trouble> {
    let board = "/console/deliveries";
    match outcome {
        Ok(notice) => {
            Ok(Redirect::to(&format!("{board}?done={}", notice.as_str())).into_response())
        }
        Err(trouble) if trouble.status == StatusCode::UNPROCESSABLE_ENTITY => {
            let refused = Refused { faults: trouble.what, reason: trimmed(reason, 300) };
            board.clone_into(&mut shown.path);
            show(desk, &shown, caller, &Asked::default(), refused).await
        }
        Err(trouble) => Err(trouble),
    }
}

/// `POST /console/switch/hold`
pub(in super::super) async fn hold(
    State(desk): State<Desk>,
    shown: Shown,
    caller: Caller,
    Sent(holding): Sent<Holding>,
) -> Result<Response, Trouble> {
    let outcome = stop(&desk, &caller, &holding).await.map(|()| Notice::Held);
    moved(&desk, shown, caller, outcome, &holding.reason).await
}

/// `POST /console/switch/release`
pub(in super::super) async fn release(
    State(desk): State<Desk>,
    shown: Shown,
    caller: Caller,
    Sent(releasing): Sent<Releasing>,
) -> Result<Response, Trouble> {
    let outcome = go_on(&desk, &caller, &releasing).await.map(|()| Notice::Released);
    moved(&desk, shown, caller, outcome, "").await
}

/// The switch, and what waits.
#[derive(Debug, Serialize, ToSchema)]
pub struct SwitchView {
    /// Whether nothing is sent.
    held: bool,
    /// Why.
    reason: Option<String>,
    /// Who stopped it.
    by: Option<String>,
    /// Since when.
    since: Option<String>,
    /// What waits, by channel.
    waiting: Vec<WaitingView>,
}

/// What waits at one channel.
#[derive(Debug, Serialize, ToSchema)]
pub struct WaitingView {
    /// The channel.
    channel: String,
    /// Goes out as soon as sending goes on.
    due: u64,
    /// Its moment comes later.
    later: u64,
    /// Too late: will not go out.
    expired: u64,
}

async fn view(desk: &Desk) -> Result<Json<SwitchView>, Trouble> {
    let hold = desk.publisher().store.deployment().await?.hold;
    let waiting = outgoing(desk).await?.channels.into_iter().map(|one| WaitingView {
        channel: one.channel.to_string(),
        due: one.due,
        later: one.later,
        expired: one.expired,
    });
    Ok(Json(SwitchView {
        held: hold.is_some(),
        waiting: waiting.collect(),
        reason: hold.as_ref().map(|hold| hold.reason.clone()),
        by: hold.as_ref().map(|hold| hold.by.clone()),
        since: hold.map(|hold| hold.at.to_string()),
    }))
}

/// Whether sending is stopped, and what waits.
#[utoipa::path(get, path = "/api/v1/switch", tag = "switch",
    responses((status = 200, body = SwitchView)))]
pub(in super::super) async fn api_switch(
    State(desk): State<Desk>,
) -> Result<Json<SwitchView>, Trouble> {
    view(&desk).await
}

/// Stops all sending.
#[utoipa::path(post, path = "/api/v1/switch/hold", tag = "switch", request_body = Holding,
    responses((status = 200, body = SwitchView),
        (status = 422, body = super::super::api::Problem)))]
pub(in super::super) async fn api_hold(
    State(desk): State<Desk>,
    caller: Caller,
    Sent(holding): Sent<Holding>,
) -> Result<Json<SwitchView>, Trouble> {
    stop(&desk, &caller, &holding).await?;
    view(&desk).await
}

/// Lets sending go on.
#[utoipa::path(post, path = "/api/v1/switch/release", tag = "switch", request_body = Releasing,
    responses((status = 200, body = SwitchView),
        (status = 409, body = super::super::api::Problem),
        (status = 422, body = super::super::api::Problem)))]
pub(in super::super) async fn api_release(
    State(desk): State<Desk>,
    caller: Caller,
    Sent(releasing): Sent<Releasing>,
) -> Result<Json<SwitchView>, Trouble> {
    go_on(&desk, &caller, &releasing).await?;
    view(&desk).await
}
