//! The tables of branches and screens for programs.

use super::{
    super::{Desk, caller::Caller, sent::Sent, trouble::Trouble},
    tables::{ApplyForm, Wish, applied, export, look, register},
};
use crate::work::registers::{Candidate, RowFate, RowFault};
use axum::{
    Json,
    body::Bytes,
    extract::{Path, Query, State},
    response::Response,
};
use serde::Serialize;
use utoipa::ToSchema;

/// What a table would change.
#[derive(Debug, Serialize, ToSchema)]
pub struct PreviewView {
    /// The digest to apply; none where there are faults.
    pub digest: Option<String>,
    /// The digest of the file that it was compared with.
    pub base: Option<String>,
    /// How many rows are new.
    pub new: usize,
    /// How many rows change.
    pub changed: usize,
    /// How many rows go.
    pub gone: usize,
    /// How many rows stay.
    pub same: usize,
    /// The rows that change, each with its fate.
    pub rows: Vec<RowView>,
    /// Every fault of every row; then nothing can be applied.
    pub faults: Vec<FaultView>,
}

/// A row that would not be as it was.
#[derive(Debug, Serialize, ToSchema)]
pub struct RowView {
    /// `new`, `changed` or `gone`.
    pub fate: String,
    /// Its key.
    pub key: String,
    /// Column, what it was, what it becomes.
    pub fields: Vec<[String; 3]>,
}

/// A fault of a row.
#[derive(Debug, Serialize, ToSchema)]
pub struct FaultView {
    /// The row in the file; 0 for the whole file.
    pub row: usize,
    /// The column.
    pub column: String,
    /// What is wrong.
    pub what: String,
    /// What was expected.
    pub expected: String,
}

fn fate_text(fate: RowFate) -> &'static str {
    match fate {
        RowFate::New => "new",
        RowFate::Changed => "changed",
        RowFate::Gone => "gone",
    }
}

fn view(looked_at: Result<Candidate, Vec<RowFault>>) -> PreviewView {
    let (found, faults) = match looked_at {
        Ok(found) => (Some(found), Vec::new()),
        Err(faults) => (None, faults),
    };
    let count = |fate| found.as_ref().map_or(0, |found| found.count(fate));
    let changes = found.iter().flat_map(|found| &found.changes);
    let fault = |own: RowFault| FaultView {
        row: own.row,
        column: own.column,
        what: own.what,
        expected: own.expected,
    };
    PreviewView {
        new: count(RowFate::New),
        changed: count(RowFate::Changed),
        gone: count(RowFate::Gone),
        same: found.as_ref().map_or(0, |found| found.same),
        rows: changes
            .map(|change| RowView {
                fate: fate_text(change.fate).to_owned(),
                key: change.key.clone(),
                fields: change
                    .fields
                    .iter()
                    .map(|(name, was, now)| [(*name).to_owned(), was.clone(), now.clone()])
                    .collect(),
            })
            .collect(),
        digest: found.as_ref().map(|found| found.digest.to_string()),
        base: found.as_ref().map(|found| found.base.to_string()),
        faults: faults.into_iter().map(fault).collect(),
    }
}

/// A table as a file.
#[utoipa::path(get, path = "/api/v1/tables/{register}", tag = "branches",
    params(("register" = String, Path, description = "branches, screens"),
        ("format" = Option<String>, Query, description = "csv, gbk, xlsx")),
    responses((status = 200, content((Vec<u8> = "text/csv"),
        (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")))))]
pub(in super::super) async fn export_table(
    desk: State<Desk>,
    name: Path<String>,
    wish: Query<Wish>,
) -> Result<Response, Trouble> {
    export(desk, name, wish).await
}

/// What a file (CSV or XLSX, as the body) would change, or every fault of it. Nothing is changed.
#[utoipa::path(post, path = "/api/v1/tables/{register}/preview", tag = "branches",
    params(("register" = String, Path, description = "branches, screens")),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = PreviewView)))]
pub(in super::super) async fn preview_table(
    State(desk): State<Desk>,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<Json<PreviewView>, Trouble> {
    Ok(Json(view(look(&desk, register(&name)?, body).await?)))
}

/// Puts a table that was looked at, or one that was kept, in place of the one it was compared with.
#[utoipa::path(post, path = "/api/v1/tables/{register}/apply", tag = "branches",
    params(("register" = String, Path, description = "branches, screens")),
    request_body = ApplyForm,
    responses((status = 200, body = PreviewView)))]
pub(in super::super) async fn apply_table(
    State(desk): State<Desk>,
    caller: Caller,
    Path(name): Path<String>,
    Sent(form): Sent<ApplyForm>,
) -> Result<Json<PreviewView>, Trouble> {
    let done = applied(&desk, &caller, register(&name)?, &form).await?;
    Ok(Json(view(Ok(done))))
}
