//! Remarks on lines: written by authors and reviewers, answered by anybody who may write them,
//! settled by whoever wrote one or may sign the submission.

use super::{
    act::back,
    dossier::find,
    show::{Asked, Typed, with},
};
use crate::{
    console::{
        Desk,
        caller::Caller,
        page::{Notice, Shown},
        sent::Sent,
        trouble::Trouble,
    },
    store::Review,
    work::{WorkError, difference::read_revision},
};
use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Longer words belong into a document.
pub(super) const LONGEST_NOTE: usize = 1_000;

/// The beginning of what somebody sent, to be told back.
pub(super) fn short(text: &str) -> String {
    text.chars().take(20).collect()
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
    /// Which of the texts is shown on the page where it was written; programs leave it out.
    #[serde(default)]
    tab: String,
}

impl Remarked {
    /// Where on the page it stands: what an address ends with after its query.
    fn place(&self) -> String {
        match (self.tab.parse::<u32>(), self.line.trim().parse::<u32>()) {
            (Ok(tab), Ok(line)) if line > 0 => format!("&text={tab}#l{line}"),
            _ => "#texts".to_owned(),
        }
    }
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
    shown: Shown,
    caller: Caller,
    Path(number): Path<String>,
    Sent(sent): Sent<Remarked>,
) -> Result<Response, Trouble> {
    let review = find(&desk, &number).await?;
    match remark(&desk, &caller, &review, &sent).await {
        // The same text as before, at the same line.
        Ok(_) => Ok(back(&number, Notice::Remarked, &sent.place())),
        Err(trouble) if trouble.status == StatusCode::UNPROCESSABLE_ENTITY => {
            let asked = Asked::line(sent.tab, sent.line);
            let typed = Typed { remark: sent.text, refused: Some(trouble), ..Typed::default() };
            with(&desk, &shown, caller, &number, (asked, typed)).await
        }
        Err(trouble) => Err(trouble),
    }
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

/// The submission on whose page somebody pressed a button: remarks of earlier ones are there too.
#[derive(Debug, Default, Deserialize)]
pub(in crate::console) struct Came {
    #[serde(default)]
    from: String,
}

impl Came {
    fn back(&self, number: &str) -> Response {
        let number = if self.from.is_empty() { number } else { &self.from };
        back(number, Notice::Saved, "#remarks")
    }
}

/// What is said to a remark.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = RemarkAnswerWanted)]
pub struct Answered {
    /// That it is mended, or why not: at most 1,000 characters; empty: 改好了.
    #[serde(default)]
    text: String,
    /// The submission on whose page it was written; programs leave it out.
    #[serde(default)]
    from: String,
}

async fn answer(
    desk: &Desk,
    caller: &Caller,
    (number, id): (&str, &str),
    sent: &Answered,
) -> Result<(), Trouble> {
    let review = find(desk, number).await?;
    let text = sent.text.trim();
    if text.chars().count() > LONGEST_NOTE {
        return Err(Trouble::wrong(format!("回复太长，至多 {LONGEST_NOTE} 个字")));
    }
    let text = if text.is_empty() { "改好了" } else { text };
    let store = &desk.publisher().store;
    if store.answer_remark(&review.number, id, text, caller.actor()).await? {
        return Ok(());
    }
    Err(Trouble::missing("没有这条批注，或已经了结了"))
}

pub(in crate::console) async fn answer_form(
    State(desk): State<Desk>,
    caller: Caller,
    Path((number, id)): Path<(String, String)>,
    Sent(sent): Sent<Answered>,
) -> Result<Response, Trouble> {
    answer(&desk, &caller, (&number, &id), &sent).await?;
    Ok(Came { from: sent.from }.back(&number))
}

/// Answer a remark: that it is mended, or why not. It stays open until it is settled.
#[utoipa::path(post, path = "/api/v1/reviews/{number}/remarks/{id}/answer", tag = "reviews",
    params(("number" = String, Path, description = "审批编号"), ("id" = String, Path, description = "批注")),
    request_body = Answered,
    responses((status = 204), (status = 404, body = crate::console::api::Problem),
        (status = 422, body = crate::console::api::Problem)))]
pub(in crate::console) async fn answer_call(
    State(desk): State<Desk>,
    caller: Caller,
    Path((number, id)): Path<(String, String)>,
    Sent(sent): Sent<Answered>,
) -> Result<StatusCode, Trouble> {
    answer(&desk, &caller, (&number, &id), &sent).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(in crate::console) async fn settle_form(
    State(desk): State<Desk>,
    caller: Caller,
    Path((number, id)): Path<(String, String)>,
    Sent(came): Sent<Came>,
) -> Result<Response, Trouble> {
    settle(&desk, &caller, &number, &id).await?;
    Ok(came.back(&number))
}

/// Say that a remark is dealt with: whoever wrote it, or may sign the submission.
#[utoipa::path(post, path = "/api/v1/reviews/{number}/remarks/{id}/settle", tag = "reviews",
    params(("number" = String, Path, description = "审批编号"), ("id" = String, Path, description = "批注")),
    responses((status = 204), (status = 403, body = crate::console::api::Problem),
        (status = 404, body = crate::console::api::Problem)))]
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
    let publisher = desk.publisher();
    match publisher.settle_remark(&review, id, &caller.person, caller.actor()).await {
        Err(WorkError::Refused(what)) => Err(Trouble::new(
            StatusCode::FORBIDDEN,
            what,
            "改好了就回复“改好了”；请写批注的人，或能签这一份的人来了结",
        )),
        other => Ok(other?),
    }
}
