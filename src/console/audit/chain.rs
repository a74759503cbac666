//! The rows of the audit chain: searched, verified, exported.

use super::told::{Told, told};
use crate::{
    console::{
        Desk,
        caller::Caller,
        filters,
        language::say,
        page::{Page, Shown, render},
        trouble::Trouble,
    },
    model::bank_zone,
    store::{AuditRow, AuditSearch},
};
use askama::Template;
use axum::{
    Json,
    body::Body,
    extract::{Query, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Rows of a page: so many are drawn at once within 100 KB.
const ROWS: u32 = 40;

/// Rows of an answer to a program.
const ANSWERED: u32 = 100;

/// Which rows.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub struct Asked {
    /// Words in actor, action or subject; those of an approval number find its signatures and
    /// deliveries, too.
    q: Option<String>,
    /// From this day on, in Asia/Shanghai: `2026-03-15`.
    from: Option<String>,
    /// Up to this day, which counts.
    until: Option<String>,
    /// Only rows before this number.
    before: Option<String>,
}

/// A row.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = AuditRow)]
pub struct Row {
    /// Its number.
    pub seq: i64,
    /// When, RFC 3339.
    #[schema(value_type = String)]
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// What was done.
    pub action: String,
    /// To what.
    pub subject: String,
    /// Before, canonical JSON or empty.
    pub before: String,
    /// After.
    pub after: String,
    /// The hash of the row before.
    pub prev_hash: String,
    /// SHA-256 over all other fields.
    pub hash: String,
}

fn row(row: AuditRow) -> Row {
    Row {
        seq: row.seq,
        at: row.at,
        actor: row.actor,
        action: row.action,
        subject: row.subject,
        before: row.before,
        after: row.after,
        prev_hash: row.prev_hash,
        hash: row.hash,
    }
}

/// What is searched for; names every field that cannot be read.
fn read(asked: &Asked, limit: u32) -> Result<AuditSearch, Trouble> {
    let mut faults = Vec::new();
    let before = match asked.before.as_deref().map(str::trim) {
        None | Some("") => i64::MAX,
        Some(text) => text.parse::<i64>().unwrap_or_else(|_| {
            faults
                .push(("before", say("写一个整数，只看它之前的记录", "A whole number").to_owned()));
            0
        }),
    };
    let mut moment = |name: &'static str, text: Option<&String>, after: bool| {
        let text = text.map(|text| text.trim()).filter(|text| !text.is_empty())?;
        let found = start(text, after);
        if found.is_none() {
            let wanted = say("写成 2026-03-15（北京时间的一天）", "A day such as 2026-03-15");
            faults.push((name, wanted.to_owned()));
        }
        found
    };
    let from = moment("from", asked.from.as_ref(), false);
    let until = moment("until", asked.until.as_ref(), true);
    if from.zip(until).is_some_and(|(from, until)| from >= until) {
        let wanted = say("要和 from 同一天，或在它之后", "On or after the day of “from”");
        faults.push(("until", wanted.to_owned()));
    }
    if !faults.is_empty() {
        return Err(Trouble::wrong_fields(faults));
    }
    let words = asked.q.as_deref().unwrap_or_default().trim().chars().take(100).collect();
    Ok(AuditSearch { words, from, until, before, limit })
}

/// The beginning of a day in Asia/Shanghai, or of the day after it.
fn start(text: &str, after: bool) -> Option<Timestamp> {
    let day = text.parse::<Date>().ok().filter(|day| (1990..=2200).contains(&day.year()))?;
    let day = if after { day.tomorrow().ok()? } else { day };
    Some(day.to_zoned(bank_zone()).ok()?.timestamp())
}

async fn rows(desk: &Desk, asked: &Asked, limit: u32) -> Result<Vec<Row>, Trouble> {
    let search = read(asked, limit)?;
    let rows = desk.publisher().store.audit_search(&search).await?;
    Ok(rows.into_iter().map(row).collect())
}

#[derive(Template)]
#[template(path = "console/html/chain.html")]
struct ChainPage {
    page: Page,
    rows: Vec<Told>,
    q: String,
    from: String,
    until: String,
    older: Option<i64>,
    problem: Option<Trouble>,
    verified: Option<Result<u64, (i64, String)>>,
}

pub(in crate::console) async fn page(
    State(desk): State<Desk>,
    shown: Shown,
    caller: Caller,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    show(&desk, &shown, caller, asked, None).await
}

async fn show(
    desk: &Desk,
    shown: &Shown,
    caller: Caller,
    asked: Asked,
    verified: Option<Result<u64, (i64, String)>>,
) -> Result<Response, Trouble> {
    let (rows, problem) = match rows(desk, &asked, ROWS).await {
        Ok(rows) => (rows, None),
        Err(trouble) if trouble.status.is_client_error() => (Vec::new(), Some(trouble)),
        Err(trouble) => return Err(trouble),
    };
    let full = rows.len() >= ROWS as usize;
    let older = rows.last().map(|row| row.seq).filter(|seq| full && *seq > 1);
    let status = problem.as_ref().map_or(StatusCode::OK, |trouble| trouble.status);
    let mut answer = render(&ChainPage {
        page: Page::new(desk, shown, Some(caller), ("审计记录", "Audit chain")).await,
        rows: rows.into_iter().map(told).collect(),
        q: asked.q.unwrap_or_default(),
        from: asked.from.unwrap_or_default(),
        until: asked.until.unwrap_or_default(),
        older,
        problem,
        verified,
    })?;
    *answer.status_mut() = status;
    Ok(answer)
}

/// Walks the whole chain.
pub(in crate::console) async fn verify_page(
    State(desk): State<Desk>,
    shown: Shown,
    caller: Caller,
) -> Result<Response, Trouble> {
    let verified = desk.publisher().store.verify_audit().await?;
    show(&desk, &shown, caller, Asked::default(), Some(verified)).await
}

/// Rows of the audit chain, newest first, 100 at a time.
#[utoipa::path(get, path = "/api/v1/audit/rows", tag = "audit", params(Asked),
    responses((status = 200, body = [Row]), (status = 422, body = crate::console::api::Problem)))]
pub(in crate::console) async fn list(
    State(desk): State<Desk>,
    Query(asked): Query<Asked>,
) -> Result<Json<Vec<Row>>, Trouble> {
    Ok(Json(rows(&desk, &asked, ANSWERED).await?))
}

/// Whether the chain is whole.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = AuditVerified)]
pub struct Verified {
    /// Whether every row follows on the one before.
    pub whole: bool,
    /// How many rows; up to the first that does not fit.
    pub rows: i64,
    /// What does not fit.
    pub reason: Option<String>,
}

/// Walk the whole chain.
#[utoipa::path(get, path = "/api/v1/audit/verification", tag = "audit",
    responses((status = 200, body = Verified)))]
pub(in crate::console) async fn verify(
    State(desk): State<Desk>,
) -> Result<Json<Verified>, Trouble> {
    Ok(Json(match desk.publisher().store.verify_audit().await? {
        Ok(rows) => {
            Verified { whole: true, rows: i64::try_from(rows).unwrap_or(i64::MAX), reason: None }
        }
        Err((row, reason)) => Verified { whole: false, rows: row - 1, reason: Some(reason) },
    }))
}

/// Every row as JSON Lines, streamed.
#[utoipa::path(get, path = "/api/v1/audit/export", tag = "audit",
    responses((status = 200, content_type = "application/x-ndjson", body = String)))]
pub(in crate::console) async fn export(State(desk): State<Desk>) -> Response {
    let lines = stream::try_unfold((desk, 1_i64), |(desk, next)| async move {
        let rows = desk.publisher().store.audit_rows(next, 1000).await?;
        let Some(last) = rows.last() else { return Ok::<_, crate::store::StoreError>(None) };
        let next = last.seq + 1;
        let mut text = String::new();
        for one in rows {
            text += &serde_json::to_string(&row(one)).unwrap_or_default();
            text.push('\n');
        }
        Ok(Some((text, (desk, next))))
    });
    let headers = [
        (header::CONTENT_TYPE, "application/x-ndjson"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"audit.jsonl\""),
    ];
    (headers, Body::from_stream(lines)).into_response()
}
