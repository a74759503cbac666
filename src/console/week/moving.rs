//! What a publisher does about a slot: move it, put it back, run it, skip it.

use super::{
    super::{
        Desk,
        asked::{Asked, trimmed},
        caller::Caller,
        filters,
        page::{Notice, Page, Shown, render},
        sent::Sent,
        trouble::Trouble,
    },
    standing::{Mark, mark},
};
use crate::{
    model::spoken,
    work::{
        Content,
        clock::shanghai,
        slots::{ComingSlot, MoveOrder},
    },
};
use askama::Template;
use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, Time},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Template)]
#[template(path = "console/html/week-move.html")]
struct MovePage {
    page: Page,
    slot: ComingSlot,
    titles: String,
    mark: Mark,
    zone: String,
    day: String,
    time: String,
    reason: String,
    faults: Vec<String>,
}

/// A slot that is to be moved.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct MoveForm {
    /// The schedule.
    #[serde(default)]
    schedule: String,
    /// The rule's own moment (RFC 3339): the field `slot` of the schedule.
    #[serde(default)]
    slot: String,
    /// When it was due when it was looked at (RFC 3339); where somebody moved it since, nothing is
    /// done.
    #[serde(default)]
    seen: String,
    /// The new day, `2026-12-01`, in the schedule's zone.
    #[serde(default)]
    day: String,
    /// The new time of day, `10:00`.
    #[serde(default)]
    time: String,
    /// Why.
    #[serde(default)]
    reason: String,
    /// `back` puts it back where the schedule has it; `day` and `time` are not read then.
    #[serde(default, rename = "do")]
    what: String,
}

/// `GET /console/week/move?schedule=…&slot=…`
pub(in super::super) async fn form(
    State(desk): State<Desk>,
    shown: Shown,
    caller: Caller,
    asked: Asked,
) -> Result<Response, Trouble> {
    let form = MoveForm {
        schedule: asked.text("schedule").to_owned(),
        slot: asked.text("slot").to_owned(),
        ..MoveForm::default()
    };
    show(&desk, &shown, caller, form, StatusCode::OK, Vec::new()).await
}

/// The slot that has not been decided yet.
async fn find(desk: &Desk, form: &MoveForm) -> Result<ComingSlot, Trouble> {
    let publisher = desk.publisher();
    let content = desk.content().await?;
    let scheduled = moment(&form.slot, "slot")?;
    let moves = publisher.store.slot_moves(&content.schedule(&form.schedule)?.id).await?;
    let moved = moves.iter().find(|one| one.slot == scheduled).map_or(scheduled, |one| one.due);
    let reach = SignedDuration::from_hours(24 * 32);
    let from = scheduled.min(moved);
    let until = scheduled.max(moved).checked_add(reach).unwrap_or(Timestamp::MAX);
    let coming = publisher.coming_slots(&content, from, until).await?;
    let own =
        |slot: &ComingSlot| slot.schedule.as_str() == form.schedule && slot.scheduled == scheduled;
    coming.into_iter().find(own).ok_or_else(|| {
        Trouble::conflict(format!(
            "排期 {} 在 {} 的这一次已经到点处理过，或没有这一次",
            form.schedule,
            spoken(scheduled)
        ))
    })
}

fn moment(text: &str, name: &str) -> Result<Timestamp, Trouble> {
    text.trim().parse().map_err(|_| {
        let text = trimmed(text, 40);
        Trouble::wrong(format!("{name}“{text}”应是 2026-11-30T00:00:00Z 这样的时间（RFC 3339）"))
    })
}

async fn show(
    desk: &Desk,
    shown: &Shown,
    caller: Caller,
    form: MoveForm,
    status: StatusCode,
    faults: Vec<String>,
) -> Result<Response, Trouble> {
    let slot = find(desk, &form).await?;
    let content = desk.content().await?;
    let zone = &content.schedule(&form.schedule)?.time_zone;
    let due = zone.to_datetime(slot.due);
    let typed = |text: String, otherwise: String| {
        if text.trim().is_empty() { otherwise } else { trimmed(&text, 20) }
    };
    let mut answer = render(&MovePage {
        titles: super::super::titles(&content.library, &slot.lessons),
        mark: mark(&slot),
        zone: zone.iana_name().unwrap_or("Asia/Shanghai").to_owned(),
        day: typed(form.day, due.date().to_string()),
        time: typed(form.time, due.strftime("%H:%M").to_string()),
        reason: trimmed(&form.reason, 300),
        faults,
        page: Page::new(desk, shown, Some(caller), ("改期", "Move a slot")).await,
        slot,
    })?;
    *answer.status_mut() = status;
    Ok(answer)
}

/// `POST /console/week/move`
pub(in super::super) async fn change(
    State(desk): State<Desk>,
    shown: Shown,
    caller: Caller,
    Sent(form): Sent<MoveForm>,
) -> Result<Response, Trouble> {
    match carry_out(&desk, &caller, &form).await {
        Ok(due) => {
            let day = shanghai(due).date();
            let done = Notice::Moved.as_str();
            Ok(Redirect::to(&format!("/console/week?week={day}&done={done}")).into_response())
        }
        Err(Trouble { status, what, .. })
            if matches!(status, StatusCode::CONFLICT | StatusCode::UNPROCESSABLE_ENTITY) =>
        {
            show(&desk, &shown, caller, form, status, what).await
        }
        Err(trouble) => Err(trouble),
    }
}

/// When the slot is due now.
async fn carry_out(desk: &Desk, caller: &Caller, form: &MoveForm) -> Result<Timestamp, Trouble> {
    let publisher = desk.publisher();
    let content = desk.content().await?;
    let scheduled = moment(&form.slot, "slot")?;
    let seen = moment(&form.seen, "seen")?;
    let due = if form.what == "back" { None } else { Some(wanted(&content, form)?) };
    unmoved(desk, form, due, seen).await?;
    let reason = trimmed(&form.reason, 300);
    let order = MoveOrder { scheduled, seen, due, reason: &reason };
    publisher.move_slot(&content, &form.schedule, &order, caller.actor()).await?;
    Ok(due.unwrap_or(scheduled))
}

/// Refuses a move to where the slot is already.
async fn unmoved(
    desk: &Desk,
    form: &MoveForm,
    due: Option<Timestamp>,
    seen: Timestamp,
) -> Result<(), Trouble> {
    let slot = find(desk, form).await?;
    let said = match due {
        _ if slot.due != seen => return Ok(()),
        Some(due) if due == slot.due => "时间没有变",
        None if slot.moved.is_none() => "它没有改过期，不用放回",
        _ => return Ok(()),
    };
    let now = spoken(slot.due);
    Err(Trouble::wrong(format!("{said}：这一次现在就是 {now}。换一个时间，或回到排期")))
}

/// The new moment; what is wrong with it and with the reason, at once.
fn wanted(content: &Content, form: &MoveForm) -> Result<Timestamp, Trouble> {
    let zone = &content.schedule(&form.schedule)?.time_zone;
    let mut faults = Vec::new();
    let day = form.day.trim().parse::<Date>();
    if day.is_err() {
        faults.push(format!("日子“{}”读不懂，写成 2026-12-01", trimmed(&form.day, 20)));
    }
    let time = form.time.trim().parse::<Time>();
    if time.is_err() {
        faults.push(format!("时间“{}”读不懂，写成 10:00", trimmed(&form.time, 20)));
    }
    if form.reason.trim().is_empty() {
        faults.push("原因没有写：写为什么改期，审计里看得到".to_owned());
    }
    let moment = match (day, time) {
        (Ok(day), Ok(time)) => crate::schedule::resolve(zone, day.to_datetime(time)),
        _ => None,
    };
    match moment {
        Some(moment) if faults.is_empty() => Ok(moment),
        _ if faults.is_empty() => Err(Trouble::wrong("那一天没有这个时刻，换一个")),
        _ => Err(Trouble::wrong_list(faults)),
    }
}

/// A slot after it was moved.
#[derive(Debug, Serialize, ToSchema)]
pub struct MovedView {
    /// The schedule.
    schedule: String,
    /// The rule's own moment.
    slot: String,
    /// When it is due now.
    due: String,
}

/// Moves a slot that has not been decided yet, or puts it back.
#[utoipa::path(post, path = "/api/v1/slots/move", tag = "schedule", request_body = MoveForm,
    responses((status = 200, body = MovedView), (status = 404, body = super::super::api::Problem),
        (status = 409, body = super::super::api::Problem),
        (status = 422, body = super::super::api::Problem)))]
pub(in super::super) async fn api_move(
    State(desk): State<Desk>,
    caller: Caller,
    Sent(form): Sent<MoveForm>,
) -> Result<Json<MovedView>, Trouble> {
    carry_out(&desk, &caller, &form).await?;
    let slot = find(&desk, &form).await?;
    Ok(Json(MovedView {
        schedule: form.schedule,
        slot: slot.scheduled.to_string(),
        due: slot.due.to_string(),
    }))
}

/// What is decided about a slot that waits.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct Deciding {
    /// The occurrence, such as `weekly@2026-11-30T00:00:00Z`.
    #[serde(default)]
    id: String,
    /// `run` or `skip`.
    #[serde(default, rename = "do")]
    what: String,
}

async fn settle(
    desk: &Desk,
    caller: &Caller,
    deciding: &Deciding,
) -> Result<crate::store::Occurrence, Trouble> {
    let run = match deciding.what.as_str() {
        "run" => true,
        "skip" => false,
        other => {
            let other = trimmed(other, 30);
            return Err(Trouble::wrong(format!(
                "不认识“{other}”；应为 run（补发）或 skip（跳过）"
            )));
        }
    };
    let content = desk.content().await?;
    let id = trimmed(&deciding.id, 200);
    Ok(desk.publisher().decide_slot(&content, &id, run, caller.actor()).await?)
}

/// `POST /console/week/decide`
pub(in super::super) async fn decide(
    State(desk): State<Desk>,
    caller: Caller,
    Sent(deciding): Sent<Deciding>,
) -> Result<Response, Trouble> {
    let occurrence = settle(&desk, &caller, &deciding).await?;
    let notice = if deciding.what == "run" { Notice::Fired } else { Notice::Skipped };
    let day = shanghai(occurrence.due).date();
    let done = notice.as_str();
    Ok(Redirect::to(&format!("/console/week?week={day}&done={done}")).into_response())
}

/// A slot after it was decided.
#[derive(Debug, Serialize, ToSchema)]
pub struct DecidedView {
    /// The occurrence.
    id: String,
    /// What became of it, in Chinese.
    state: String,
    /// Why.
    reason: String,
}

/// Runs or skips a slot that waits for a person.
#[utoipa::path(post, path = "/api/v1/slots/decide", tag = "schedule", request_body = Deciding,
    responses((status = 200, body = DecidedView), (status = 404, body = super::super::api::Problem),
        (status = 409, body = super::super::api::Problem),
        (status = 422, body = super::super::api::Problem)))]
pub(in super::super) async fn api_decide(
    State(desk): State<Desk>,
    caller: Caller,
    Sent(deciding): Sent<Deciding>,
) -> Result<Json<DecidedView>, Trouble> {
    let occurrence = settle(&desk, &caller, &deciding).await?;
    Ok(Json(DecidedView {
        id: occurrence.id,
        state: occurrence.state.label().to_owned(),
        reason: occurrence.reason,
    }))
}
