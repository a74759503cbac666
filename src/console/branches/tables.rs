//! The tables of branches and screens out as CSV and XLSX, and in again: read, looked at, applied.

use super::{
    super::{
        Desk,
        caller::Caller,
        filters,
        page::{Notice, Page, Shown, render},
        permit::Action,
        routes::Routes,
        sent::Sent,
        sheet::{self, Fault, Format, Table},
        trouble::Trouble,
    },
    programs, shortened,
};
use crate::{
    model::Digest,
    store::AuditRow,
    work::registers::{Candidate, NumberedRow, Register, RowFate, RowFault},
};
use askama::Template;
use axum::{
    body::Bytes,
    extract::{Multipart, Path, Query, State},
    http::{StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use jiff::Timestamp;
use serde::Deserialize;
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// The form around the file needs some room.
const LONGEST: usize = sheet::MOST_BYTES + 64 * 1024;
/// So many changes are listed; the rest is counted.
const LISTED: usize = 300;

pub(super) fn routes(routes: Routes) -> Routes {
    let routes = routes
        .get("/console/branches/tables", Action::ReadBranches, page)
        .get("/console/branches/tables/{register}", Action::ReadBranches, export)
        .upload(
            "/console/branches/tables/{register}/preview",
            Action::ChangeBranches,
            LONGEST,
            preview,
        )
        .post("/console/branches/tables/{register}/kept", Action::ChangeBranches, preview_kept)
        .post("/console/branches/tables/{register}/apply", Action::ChangeBranches, apply);
    routes
        .get("/api/v1/tables/{register}", Action::ReadBranches, programs::export_table)
        .upload(
            "/api/v1/tables/{register}/preview",
            Action::ChangeBranches,
            LONGEST,
            programs::preview_table,
        )
        .post("/api/v1/tables/{register}/apply", Action::ChangeBranches, programs::apply_table)
}

pub(super) fn register(name: &str) -> Result<Register, Trouble> {
    let missing = || Trouble::missing(format!("没有“{}”这张表", shortened(name)));
    Register::from_name(name).ok_or_else(missing)
}

/// An import that was made.
struct Import {
    at: Timestamp,
    actor: String,
    counts: [u64; 3],
    /// The digest of the file before it.
    before: String,
    after: String,
}

fn import(row: AuditRow) -> Option<Import> {
    let note: serde_json::Value = serde_json::from_str(&row.after).ok()?;
    let text = |name: &str| note.get(name).and_then(|value| value.as_str()).map(str::to_owned);
    let count = |name: &str| note.get(name).and_then(serde_json::Value::as_u64).unwrap_or(0);
    let counts = [count("new"), count("changed"), count("gone")];
    let (before, after) = (text("before")?, text("after")?);
    Some(Import { at: row.at, actor: row.actor, counts, before, after })
}

struct Part {
    register: Register,
    rows: usize,
    columns: Vec<(&'static str, &'static str, bool)>,
    imports: Vec<Import>,
}

#[derive(Template)]
#[template(path = "console/html/branches-tables.html")]
struct TablesPage {
    page: Page,
    parts: Vec<Part>,
}

async fn page(State(desk): State<Desk>, shown: Shown, caller: Caller) -> Result<Response, Trouble> {
    let publisher = desk.publisher();
    let mut parts = Vec::new();
    for register in Register::ALL {
        let history = publisher.register_history(register).await?;
        parts.push(Part {
            register,
            rows: publisher.register_rows(register)?.len(),
            columns: register.columns().to_vec(),
            imports: history.into_iter().filter_map(import).collect(),
        });
    }
    let title = ("网点表和屏幕表", "Tables of branches and screens");
    render(&TablesPage { page: Page::new(&desk, &shown, Some(caller), title).await, parts })
}

/// How a table is wanted.
#[derive(Debug, Default, Deserialize)]
pub struct Wish {
    #[serde(default)]
    format: String,
}

pub(super) async fn export(
    State(desk): State<Desk>,
    Path(name): Path<String>,
    Query(wish): Query<Wish>,
) -> Result<Response, Trouble> {
    let register = register(&name)?;
    let format = match wish.format.as_str() {
        "" => Format::Csv,
        other => Format::from_name(other).ok_or_else(|| {
            Trouble::wrong(format!("format 不能是“{}”，应为 csv、gbk 或 xlsx", shortened(other)))
        })?,
    };
    let rows = desk.publisher().register_rows(register)?;
    let header: Vec<&str> = register.columns().iter().map(|(name, _, _)| *name).collect();
    let bytes = sheet::write(register.label(), &header, &rows, format)
        .map_err(|error| Trouble::wrong(error.to_string()))?;
    let file = format!("{}.{}", register.as_str(), format.extension());
    let headers = [
        (header::CONTENT_TYPE, format.media_type().to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{file}\"")),
    ];
    Ok((headers, bytes).into_response())
}

#[derive(Template)]
#[template(path = "console/html/branches-preview.html")]
struct PreviewPage {
    page: Page,
    register: Register,
    candidate: Option<Candidate>,
    more: usize,
    faults: Vec<RowFault>,
}

async fn show(
    desk: &Desk,
    shown: &Shown,
    caller: Caller,
    register: Register,
    looked_at: Result<Candidate, Vec<RowFault>>,
) -> Result<Response, Trouble> {
    let page = Page::new(desk, shown, Some(caller), ("导入预览", "Import preview")).await;
    let (candidate, faults) = match looked_at {
        Ok(candidate) => (Some(candidate), Vec::new()),
        Err(faults) => (None, faults),
    };
    let more = candidate.as_ref().map_or(0, |found| found.changes.len().saturating_sub(LISTED));
    let is_refused = candidate.is_none();
    let mut answer = render(&PreviewPage { page, register, candidate, more, faults })?;
    if is_refused {
        *answer.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    }
    Ok(answer)
}

async fn preview(
    State(desk): State<Desk>,
    shown: Shown,
    caller: Caller,
    Path(name): Path<String>,
    mut form: Multipart,
) -> Result<Response, Trouble> {
    let register = register(&name)?;
    let unread =
        |error: axum::extract::multipart::MultipartError| Trouble::wrong(error.body_text());
    let mut bytes = None;
    while let Some(field) = form.next_field().await.map_err(unread)? {
        if field.name() == Some("file") {
            bytes = Some(field.bytes().await.map_err(unread)?);
        }
    }
    let bytes = bytes.ok_or_else(|| Trouble::wrong("没有选文件"))?;
    let looked_at = look(&desk, register, bytes).await?;
    show(&desk, &shown, caller, register, looked_at).await
}

/// Reads a file and says what it would change; reading untrusted files keeps a thread busy, and
/// whatever goes wrong in there stays there.
pub(super) async fn look(
    desk: &Desk,
    register: Register,
    bytes: Bytes,
) -> Result<Result<Candidate, Vec<RowFault>>, Trouble> {
    let read = tokio::task::spawn_blocking(move || sheet::read(&bytes)).await;
    let broken = || Fault::file("文件读不懂", "在 Excel 或 WPS 里另存一次再导入");
    let (table, faults) = read.unwrap_or_else(|_| (Table::default(), vec![broken()]));
    let mut faults: Vec<RowFault> = faults.into_iter().map(row_fault).collect();
    if table.header.is_empty() {
        return Ok(Err(faults));
    }
    let publisher = desk.publisher();
    match in_order(register, &table) {
        Ok(rows) if faults.is_empty() => {
            return Ok(publisher.consider_register(register, &rows).await?);
        }
        Ok(rows) => {
            // All faults at once: what the reader says of cells that were not complained about.
            let said: BTreeSet<(usize, String)> =
                faults.iter().map(|fault| (fault.row, fault.column.clone())).collect();
            let more = publisher.register_faults_of(register, &rows)?.into_iter();
            let is_new = |fault: &RowFault| !said.contains(&(fault.row, fault.column.clone()));
            faults.extend(more.filter(is_new));
        }
        Err(more) => faults.extend(more),
    }
    faults.sort_by_key(|fault| fault.row);
    Ok(Err(faults))
}

fn row_fault(fault: Fault) -> RowFault {
    RowFault { row: fault.row, column: fault.column, what: fault.what, expected: fault.expected }
}

/// The rows with their columns in the register's order; the header may be in Chinese.
fn in_order(register: Register, table: &Table) -> Result<Vec<NumberedRow>, Vec<RowFault>> {
    let columns = register.columns();
    let mut faults = Vec::new();
    let mut fault = |column: &str, what: String, expected: String| {
        faults.push(RowFault { row: 1, column: column.to_owned(), what, expected });
    };
    let all: Vec<&str> = columns.iter().map(|(name, _, _)| *name).collect();
    let is = |own: &str, (name, label, _): &(&str, &str, bool)| {
        own.eq_ignore_ascii_case(name) || own == *label
    };
    for (index, own) in table.header.iter().enumerate() {
        let letter = sheet::letters(index);
        if !columns.iter().any(|column| is(own, column)) {
            let what = format!("表头里没有“{}”这一列", shortened(own));
            fault(&letter, what, format!("列名有：{}", all.join("、")));
        } else if table.header[..index]
            .iter()
            .any(|other| columns.iter().any(|c| is(own, c) && is(other, c)))
        {
            fault(&letter, format!("“{}”这一列写了两次", shortened(own)), "留一列".to_owned());
        }
    }
    let mut places = Vec::new();
    for column in columns {
        let place = table.header.iter().position(|own| is(own, column));
        if place.is_none() && !column.2 {
            let what = format!("表头缺少 {} 这一列", column.0);
            fault(column.0, what, format!("第一行写：{}", all.join(",")));
        }
        places.push(place);
    }
    if table.rows.is_empty() {
        let what = "只有表头，没有一条内容".to_owned();
        fault("", what, "导入会换掉整张表；请把要保留的都写上".to_owned());
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let cell = |row: &sheet::Row, place: &Option<usize>| {
        place.and_then(|place| row.cells.get(place)).cloned().unwrap_or_default()
    };
    let ordered = |row: &sheet::Row| {
        (row.number, places.iter().map(|place| cell(row, place)).collect::<Vec<String>>())
    };
    Ok(table.rows.iter().map(ordered).collect())
}

#[derive(Debug, Deserialize)]
struct KeptForm {
    digest: String,
}

fn digest(text: &str) -> Result<Digest, Trouble> {
    Digest::from_hex(text).ok_or_else(|| Trouble::wrong("摘要应为 64 位十六进制"))
}

async fn preview_kept(
    State(desk): State<Desk>,
    shown: Shown,
    caller: Caller,
    Path(name): Path<String>,
    Sent(form): Sent<KeptForm>,
) -> Result<Response, Trouble> {
    let register = register(&name)?;
    let kept = digest(&form.digest)?;
    let looked_at = desk.publisher().consider_kept(register, &kept).await?;
    show(&desk, &shown, caller, register, looked_at).await
}

/// Which table takes the place of which.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ApplyForm {
    /// The digest that the preview named.
    digest: String,
    /// The digest of the file that it was compared with.
    base: String,
}

pub(super) async fn applied(
    desk: &Desk,
    caller: &Caller,
    register: Register,
    form: &ApplyForm,
) -> Result<Candidate, Trouble> {
    let (new, base) = (digest(&form.digest)?, digest(&form.base)?);
    let _turn = desk.content_turn().await;
    let done = desk.publisher().replace_register(register, &new, &base, caller.actor()).await?;
    desk.content_changed();
    desk.roll_changed();
    Ok(done)
}

async fn apply(
    State(desk): State<Desk>,
    caller: Caller,
    Path(name): Path<String>,
    Sent(form): Sent<ApplyForm>,
) -> Result<Redirect, Trouble> {
    applied(&desk, &caller, register(&name)?, &form).await?;
    let done = Notice::Imported.as_str();
    Ok(Redirect::to(&format!("/console/branches/tables?done={done}")))
}
