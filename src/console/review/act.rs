//! Approve, return, remark: each bound to what was shown.

use super::dossier::{find, shown};
use crate::{
    console::{Desk, caller::Caller, page::Notice, sent::Sent, trouble::Trouble},
    model::Decision,
    store::Review,
    work::difference::read_revision,
};
use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Longer words belong into a document.
const LONGEST_NOTE: usize = 1_000;

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
    let decisions = publisher.decide(review, &caller.person, decision, note, days).await?;
    let standing = publisher.standing(review).await?;
    Ok(Signed {
        step: decisions.first().map(|one| one.step.clone()).unwrap_or_default(),
        standing: standing.first().map(ToString::to_string).unwrap_or_default(),
    })
}

fn short(text: &str) -> String {
    text.chars().take(20).collect()
}

fn back(number: &str, notice: Notice, anchor: &str) -> Response {
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

/// A remark.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = RemarkWanted)]
pub struct Remarked {
    /// The file, under the content folder.
    path: String,
    /// The line, from one; 0 for the whole file.
    line: String,
    /// What is to be said, at most 1,000 characters.
    text: String,
}

async fn remark(
    desk: &Desk,
    caller: &Caller,
    review: &Review,
    sent: &Remarked,
) -> Result<String, Trouble> {
    let store = &desk.publisher().store;
    let files = read_revision(store, &review.revision).await?;
    let mut faults = Vec::new();
    let text = sent.text.trim();
    if text.is_empty() || text.chars().count() > LONGEST_NOTE {
        faults.push(format!("批注要写 1 到 {LONGEST_NOTE} 个字"));
    }
    let lines = match files.get(&sent.path) {
        Some(digest) => String::from_utf8_lossy(&store.blob(digest).await?).lines().count(),
        None => {
            faults.push(format!("送审的内容里没有文件“{}”", short(&sent.path)));
            0
        }
    };
    let line = sent.line.trim().parse::<u32>().ok().filter(|line| *line as usize <= lines);
    if line.is_none() && lines > 0 {
        faults.push(format!("行号应是 0 到 {lines} 的整数，现在是“{}”", short(&sent.line)));
    }
    let (Some(line), true) = (line, faults.is_empty()) else {
        return Err(Trouble::wrong_list(faults));
    };
    Ok(store.add_remark(&review.number, &sent.path, line, &caller.person.id, text).await?)
}

pub(in crate::console) async fn remark_form(
    State(desk): State<Desk>,
    caller: Caller,
    Path(number): Path<String>,
    Sent(sent): Sent<Remarked>,
) -> Result<Response, Trouble> {
    let review = find(&desk, &number).await?;
    remark(&desk, &caller, &review, &sent).await?;
    Ok(back(&number, Notice::Remarked, "#texts"))
}

/// A remark's name.
#[derive(Debug, Serialize, ToSchema)]
pub struct RemarkId {
    /// Its name.
    pub id: String,
}

/// Write a remark on a line of a submission.
#[utoipa::path(post, path = "/api/v1/reviews/{number}/remarks", tag = "reviews",
    params(("number" = String, Path, description = "审批编号")), request_body = Remarked,
    responses((status = 201, body = RemarkId), (status = 404, body = crate::console::api::Problem),
        (status = 422, body = crate::console::api::Problem)))]
pub(in crate::console) async fn remark_call(
    State(desk): State<Desk>,
    caller: Caller,
    Path(number): Path<String>,
    Sent(sent): Sent<Remarked>,
) -> Result<(StatusCode, Json<RemarkId>), Trouble> {
    let review = find(&desk, &number).await?;
    let id = remark(&desk, &caller, &review, &sent).await?;
    Ok((StatusCode::CREATED, Json(RemarkId { id })))
}

pub(in crate::console) async fn settle_form(
    State(desk): State<Desk>,
    caller: Caller,
    Path((number, id)): Path<(String, String)>,
) -> Result<Response, Trouble> {
    settle(&desk, &caller, &number, &id).await?;
    Ok(back(&number, Notice::Saved, "#texts"))
}

/// Say that a remark is dealt with.
#[utoipa::path(post, path = "/api/v1/reviews/{number}/remarks/{id}/settle", tag = "reviews",
    params(("number" = String, Path, description = "审批编号"), ("id" = String, Path, description = "批注")),
    responses((status = 204), (status = 404, body = crate::console::api::Problem)))]
pub(in crate::console) async fn settle_call(
    State(desk): State<Desk>,
    caller: Caller,
    Path((number, id)): Path<(String, String)>,
) -> Result<StatusCode, Trouble> {
    settle(&desk, &caller, &number, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn settle(desk: &Desk, caller: &Caller, number: &str, id: &str) -> Result<(), Trouble> {
    let review = find(desk, number).await?;
    let store = &desk.publisher().store;
    if store.settle_remark(&review.number, id, caller.actor()).await? {
        return Ok(());
    }
    Err(Trouble::missing("没有这条批注，或已经有人标过了"))
}
