//! Approve or return, bound to what was shown.

use super::{
    dossier::{find, shown},
    remarks::{LONGEST_NOTE, short},
};
use crate::{
    console::{Desk, caller::Caller, page::Notice, sent::Sent, trouble::Trouble},
    model::Decision,
    store::Review,
};
use axum::{
    Json,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A decision.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ReviewDecision)]
pub struct Decided {
    /// `approve` or `return`.
    decision: String,
    /// The digest that the submission was shown with: `shown`.
    shown: String,
    /// Why; must be said where it is returned.
    #[serde(default)]
    note: String,
    /// For how many days an approval counts, 1 to 730; empty for the usual.
    #[serde(default)]
    valid_days: String,
    /// `yes`: approved although remarks are open that whoever approves has read.
    #[serde(default)]
    despite_remarks: String,
}

/// What was signed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReviewSigned)]
pub struct Signed {
    /// The step.
    pub step: String,
    /// How the submission stands now, in Chinese.
    pub standing: String,
}

async fn decide(
    desk: &Desk,
    caller: &Caller,
    review: &Review,
    sent: &Decided,
) -> Result<Signed, Trouble> {
    let mut faults = Vec::new();
    let decision = match sent.decision.as_str() {
        "approve" => Some(Decision::Approved),
        "return" => Some(Decision::Rejected),
        _ => {
            faults.push("decision：写 approve（批准）或 return（退回）".to_owned());
            None
        }
    };
    let note = sent.note.trim();
    if note.chars().count() > LONGEST_NOTE {
        faults.push(format!("说明太长，至多 {LONGEST_NOTE} 个字；长的写进批注"));
    }
    if decision == Some(Decision::Rejected) && note.is_empty() {
        faults.push("退回要写明原因：第几行，改什么".to_owned());
    }
    let days = match sent.valid_days.trim() {
        "" => None,
        text => match text.parse::<u16>() {
            Ok(days @ 1..=730) => Some(days),
            _ => {
                faults.push(format!("有效天数应是 1 到 730 的整数，现在是“{}”", short(text)));
                None
            }
        },
    };
    let (Some(decision), true) = (decision, faults.is_empty()) else {
        return Err(Trouble::wrong_list(faults));
    };
    if sent.shown != shown(review) {
        return Err(Trouble::conflict(
            "送审的内容在你看的时候换过了，没有签：签的必须是看过的那些字节",
        ));
    }
    let publisher = desk.publisher();
    if decision == Decision::Approved && sent.despite_remarks != "yes" {
        let open = publisher.open_remarks(review).await?.len();
        if open > 0 {
            return Err(Trouble::wrong(format!(
                "还有 {open} 条批注没有了结：逐条了结，或勾“批注我都看过，仍然批准”（despite_remarks）"
            )));
        }
    }
    let decisions = publisher.decide(review, &caller.person, decision, note, days).await?;
    let standing = publisher.standing(review).await?;
    Ok(Signed {
        step: decisions.first().map(|one| one.step.clone()).unwrap_or_default(),
        standing: standing.first().map(ToString::to_string).unwrap_or_default(),
    })
}

pub(super) fn back(number: &str, notice: Notice, anchor: &str) -> Response {
    let number: String = url::form_urlencoded::byte_serialize(number.as_bytes()).collect();
    let to = format!("/console/reviews/{number}?done={}{anchor}", notice.as_str());
    Redirect::to(&to).into_response()
}

pub(in crate::console) async fn decide_form(
    State(desk): State<Desk>,
    caller: Caller,
    Path(number): Path<String>,
    Sent(sent): Sent<Decided>,
) -> Result<Response, Trouble> {
    let review = find(&desk, &number).await?;
    decide(&desk, &caller, &review, &sent).await?;
    let notice = if sent.decision == "approve" { Notice::Approved } else { Notice::Returned };
    Ok(back(&number, notice, ""))
}

/// Approve or return a submission, on every one of its manifests.
#[utoipa::path(post, path = "/api/v1/reviews/{number}/decision", tag = "reviews",
    params(("number" = String, Path, description = "审批编号")), request_body = Decided,
    responses((status = 200, body = Signed), (status = 404, body = crate::console::api::Problem),
        (status = 409, body = crate::console::api::Problem),
        (status = 422, body = crate::console::api::Problem)))]
pub(in crate::console) async fn decide_call(
    State(desk): State<Desk>,
    caller: Caller,
    Path(number): Path<String>,
    Sent(sent): Sent<Decided>,
) -> Result<Json<Signed>, Trouble> {
    let review = find(&desk, &number).await?;
    Ok(Json(decide(&desk, &caller, &review, &sent).await?))
}
