//! What a person decides about one delivery: how it ended, again, or not at all.

use super::{
    super::{
        Desk,
        asked::trimmed,
        caller::Caller,
        page::{Notice, Shown},
        sent::Sent,
        trouble::Trouble,
    },
    DeliveryView,
    one::{Refused, find, show},
};
use crate::{model::DeliveryState, work::intervene::Ending};
use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use utoipa::ToSchema;

/// The longest reason that is kept.
const LONGEST_NOTE: usize = 500;

/// What is decided about a delivery.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct Settling {
    /// `published`, `not-published` (of an unknown one), `retry`, `cancel`.
    #[serde(default, rename = "do")]
    what: String,
    /// Why; what was seen, and where.
    #[serde(default)]
    note: String,
    /// The epoch that was seen; where it is no longer that, nothing is done. Empty: not compared.
    #[serde(default)]
    epoch: Option<Epoch>,
}

/// A number, or the text of one as forms send it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum Epoch {
    /// From programs.
    Number(i64),
    /// From forms.
    Text(String),
}

impl Epoch {
    fn number(&self) -> Option<i64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => text.trim().parse().ok(),
        }
    }
}

/// `POST /console/deliveries/{id}/settle`
pub(in super::super) async fn settle(
    State(desk): State<Desk>,
    shown: Shown,
    caller: Caller,
    Path(id): Path<String>,
    Sent(settling): Sent<Settling>,
) -> Result<Response, Trouble> {
    match carry_out(&desk, &caller, &id, &settling).await {
        Ok((id, notice)) => {
            let address = format!("/console/deliveries/{id}?done={}", notice.as_str());
            Ok(Redirect::to(&address).into_response())
        }
        Err(trouble)
            if matches!(
                trouble.status,
                StatusCode::CONFLICT | StatusCode::UNPROCESSABLE_ENTITY
            ) =>
        {
            let fault = trouble.what.join("；");
            let note = trimmed(&settling.note, LONGEST_NOTE);
            let refused = Refused { status: trouble.status, fault, note };
            show(&desk, &shown, caller, &id, Some(refused)).await
        }
        Err(trouble) => Err(trouble),
    }
}

/// Says how a delivery ended, tries it again or calls it off.
#[utoipa::path(post, path = "/api/v1/deliveries/{id}/settle", tag = "deliveries",
    params(("id" = String, Path, description = "投递号")),
    request_body = Settling,
    responses((status = 200, body = DeliveryView),
        (status = 404, body = super::super::api::Problem),
        (status = 409, body = super::super::api::Problem),
        (status = 422, body = super::super::api::Problem)))]
pub(in super::super) async fn api_settle(
    State(desk): State<Desk>,
    caller: Caller,
    Path(id): Path<String>,
    Sent(settling): Sent<Settling>,
) -> Result<Json<DeliveryView>, Trouble> {
    let (id, _) = carry_out(&desk, &caller, &id, &settling).await?;
    Ok(Json(find(&desk, &id).await?.into()))
}

async fn carry_out(
    desk: &Desk,
    caller: &Caller,
    id: &str,
    settling: &Settling,
) -> Result<(String, Notice), Trouble> {
    let publisher = desk.publisher();
    let note = trimmed(&settling.note, LONGEST_NOTE);
    if note.is_empty() {
        return Err(Trouble::wrong("“看到了什么、为什么”没有写：写在哪里看到的，审计里要用"));
    }
    let delivery = publisher.store.delivery(&trimmed(id, 64)).await?;
    let seen = settling.epoch.as_ref().and_then(Epoch::number);
    if seen.is_some_and(|seen| seen != delivery.epoch) {
        return Err(Trouble::conflict(format!(
            "你看的时候之后，{} 已经有了变化，现在是“{}”：{}。按现在的情况再决定",
            delivery.id,
            delivery.state.label(),
            delivery.message
        )));
    }
    let (id, actor) = (delivery.id.as_str(), caller.actor());
    let unknown = delivery.state == DeliveryState::Unknown;
    let notice = match settling.what.as_str() {
        "published" => {
            publisher.resolve(id, Ending::Published, &note, actor).await?;
            Notice::Resolved
        }
        "not-published" if unknown => {
            publisher.resolve(id, Ending::NotPublished, &note, actor).await?;
            Notice::Resolved
        }
        "not-published" => {
            return Err(Trouble::conflict(format!(
                "{id} 现在是“{}”，不是“结果不明”：用重发或取消",
                delivery.state.label()
            )));
        }
        "retry" => {
            publisher.retry_because(id, &note, actor).await?;
            Notice::Retried
        }
        "cancel" => {
            publisher.cancel(id, &note, actor).await?;
            Notice::Cancelled
        }
        other => {
            let other = trimmed(other, 30);
            return Err(Trouble::wrong(format!(
                "不认识“{other}”；应为 published、not-published、retry 或 cancel"
            )));
        }
    };
    Ok((delivery.id, notice))
}
