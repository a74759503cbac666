//! The platform's codes → what happened and what to do. The table is `errors.toml`.

use crate::deliver::{DeliverError, ErrorKind, QuotaWindow, Retry};
use jiff::Timestamp;
use serde::Deserialize;
use std::{collections::BTreeMap, sync::LazyLock, time::Duration};

use super::quota;

/// Codes that say that the token was refused.
pub const TOKEN_CODES: [i64; 3] = [40001, 40014, 42001];

/// What may be left behind by a request whose answer is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It may simply be made again.
    Repeatable,
    /// Making it again could publish twice.
    Irreversible,
}

/// Under what circumstances a code came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Situation<'a> {
    /// The call, such as `draft/add`.
    pub call: &'a str,
    /// What it may leave behind.
    pub effect: Effect,
    /// The ledger's clock.
    pub now: Timestamp,
    /// Over what time the account's mass quota counts.
    pub mass_window: QuotaWindow,
}

/// One row of the table.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    code: i64,
    meaning: String,
    kind: String,
    retry: String,
    seconds: Option<u64>,
    next_step: String,
}

/// What a final status means.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct StatusRow {
    status: i64,
    meaning: String,
    #[serde(default)]
    next_step: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    error: Vec<Row>,
    publish_status: Vec<StatusRow>,
    mass_status: Vec<StatusRow>,
}

/// A faulty file would leave every code unknown, which is safe but unhelpful; a test reads it.
static TABLE: LazyLock<Table> =
    LazyLock::new(|| toml::from_str(include_str!("errors.toml")).unwrap_or_default());

static ROWS: LazyLock<BTreeMap<i64, &'static Row>> =
    LazyLock::new(|| TABLE.error.iter().map(|row| (row.code, row)).collect());

/// Every code of the table, in order.
#[must_use]
pub fn known_codes() -> Vec<i64> {
    ROWS.keys().copied().collect()
}

/// What a refusal means, for people and for `work`. `errmsg` is the platform's own text, in which
/// secrets have been blacked out.
#[must_use]
pub fn refusal(code: i64, errmsg: &str, situation: &Situation<'_>) -> DeliverError {
    let said =
        if errmsg.is_empty() { String::new() } else { format!("；平台的原话：{errmsg}") };
    let call = situation.call;
    let Some(row) = ROWS.get(&code) else {
        // A code we do not know cannot promise that nothing happened.
        let retry = match situation.effect {
            Effect::Repeatable => Retry::Never,
            Effect::Irreversible => Retry::Ask,
        };
        return DeliverError::new(
            ErrorKind::Protocol,
            retry,
            format!("微信接口 {call} 返回了没有见过的错误码 {code}{said}"),
            "请到微信开发文档查这个错误码",
        )
        .code(code.to_string());
    };
    let address = if [40164, 89503, 89506, 89507].contains(&code) {
        address_in(errmsg).map(|address| format!("（IP {address}）")).unwrap_or_default()
    } else {
        String::new()
    };
    let message = format!("微信接口 {call} 返回 {code}：{}{address}{said}", row.meaning);
    DeliverError::new(kind(&row.kind), retry(row, situation), message, row.next_step.clone())
        .code(code.to_string())
}

/// What a final `publish_status` means: what happened, and what to do.
#[must_use]
pub fn publish_status(status: i64) -> String {
    match TABLE.publish_status.iter().find(|row| row.status == status) {
        Some(row) => format!("{}（publish_status {status}）。{}", row.meaning, row.next_step),
        None => format!("平台给出没有见过的发布状态 {status}。请在公众平台查看这篇文章"),
    }
}

/// What the `Status` of MASSSENDJOBFINISH means where it is not success.
#[must_use]
pub fn mass_status(status: &str) -> String {
    let number = status
        .strip_prefix("err(")
        .and_then(|rest| rest.strip_suffix(')'))
        .and_then(|number| number.parse::<i64>().ok());
    let known = TABLE.mass_status.iter().find(|row| Some(row.status) == number);
    match (known, number) {
        (Some(row), _) => {
            format!("平台停止了群发：{}（{status}）。请修改内容后重新提交审批", row.meaning)
        }
        (None, Some(_)) => {
            format!("平台停止了群发（{status}，文档里没有这个号）。请在公众平台查看原因")
        }
        (None, None) => format!("群发失败（{status}）。请在公众平台的发表记录里查看原因"),
    }
}

fn retry(row: &Row, situation: &Situation<'_>) -> Retry {
    let wait = Duration::from_secs(row.seconds.unwrap_or(60));
    match row.retry.as_str() {
        "after" => Retry::After(wait),
        "next-day" => Retry::At(quota::next(QuotaWindow::Day, situation.now)),
        "next-window" => Retry::At(quota::next(situation.mass_window, situation.now)),
        "busy" => match situation.effect {
            Effect::Repeatable => Retry::After(wait),
            Effect::Irreversible => Retry::Ask,
        },
        _ => Retry::Never,
    }
}

fn kind(name: &str) -> ErrorKind {
    const KINDS: [ErrorKind; 9] = [
        ErrorKind::Configuration,
        ErrorKind::Authentication,
        ErrorKind::Permission,
        ErrorKind::Content,
        ErrorKind::Quota,
        ErrorKind::RateLimited,
        ErrorKind::NotFound,
        ErrorKind::Conflict,
        ErrorKind::Unavailable,
    ];
    KINDS.into_iter().find(|kind| kind.as_str() == name).unwrap_or(ErrorKind::Protocol)
}

/// The first IP address in a text such as `invalid ip 1.2.3.4 ipv6 ::ffff:1.2.3.4, not in
/// whitelist rid: …`.
fn address_in(errmsg: &str) -> Option<std::net::IpAddr> {
    errmsg
        .split(|c: char| !(c.is_ascii_hexdigit() || c == '.' || c == ':'))
        .filter(|word| word.contains('.') || word.matches(':').count() > 1)
        .find_map(|word| word.trim_matches(['.']).parse().ok())
}
