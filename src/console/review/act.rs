//! Approve or return, bound to what was shown.

use super::{
    dossier::{find, shown},
    remarks::{LONGEST_NOTE, short},
    show::{Asked, Typed, address, with},
};
use crate::{
    console::{
        Desk,
        caller::Caller,
        language::say,
        page::{Notice, Shown},
        sent::Sent,
        trouble::Trouble,
    },
    model::Decision,
    store::Review,
    work::{Verdict, WorkError},
};
use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
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

/// Decides. `how`: how whoever asks says that open remarks have been read.
async fn decide(
    desk: &Desk,
    caller: &Caller,
    review: &Review,
    sent: &Decided,
    how: &str,
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
    let successors = publisher.store.successors(&review.number).await?;
    if let (Decision::Approved, Some(why)) = (decision, successors.refusal(&review.number)) {
        let next = format!("看 {}", successors.numbers().join("、"));
        return Err(Trouble::new(StatusCode::CONFLICT, why, &next));
    }
    let despite_remarks = sent.despite_remarks == "yes";
    let verdict = Verdict { decision, note, valid_days: days, despite_remarks };
    let decided = publisher.decide(review, &caller.person, verdict).await;
    let decisions = decided.map_err(|error| match error {
        WorkError::OpenRemarks(what) => Trouble { next: how.to_owned(), ..Trouble::wrong(what) },
        other => other.into(),
    })?;
    let standing = publisher.standing(review).await?;
    Ok(Signed {
        step: decisions.first().map(|one| one.step.clone()).unwrap_or_default(),
        standing: standing.first().map(ToString::to_string).unwrap_or_default(),
    })
}

/// Back to the submission's page; `place`: what its address ends with.
pub(super) fn back(number: &str, notice: Notice, place: &str) -> Response {
    let to = format!("{}?done={}{place}", address(number), notice.as_str());
    Redirect::to(&to).into_response()
}

/// Decides. What cannot be taken is told above the form, which keeps what was typed.
pub(in crate::console) async fn decide_form(
    State(desk): State<Desk>,
    shown: Shown,
    caller: Caller,
    Path(number): Path<String>,
    Sent(sent): Sent<Decided>,
) -> Result<Response, Trouble> {
    let review = find(&desk, &number).await?;
    let how = say(
        "逐条了结，或勾“批注我都看过，仍然批准”再批准",
        "Settle them, or say that you have read them and approve all the same",
    );
    match decide(&desk, &caller, &review, &sent, how).await {
        Ok(_) if sent.decision == "approve" => Ok(back(&number, Notice::Approved, "")),
        Ok(_) => Ok(back(&number, Notice::Returned, "")),
        Err(trouble)
            if matches!(
                trouble.status,
                StatusCode::UNPROCESSABLE_ENTITY | StatusCode::CONFLICT
            ) =>
        {
            let typed = Typed {
                note: sent.note,
                valid_days: Some(sent.valid_days),
                despite_remarks: sent.despite_remarks == "yes",
                refused: Some(trouble),
                ..Typed::default()
            };
            with(&desk, &shown, caller, &number, (Asked::default(), typed)).await
        }
        Err(trouble) => Err(trouble),
    }
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
    let how = "逐条了结，或写 despite_remarks：yes（批注都看过，仍然批准）";
    Ok(Json(decide(&desk, &caller, &review, &sent, how).await?))
}
