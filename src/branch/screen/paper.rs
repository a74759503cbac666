//! The page for people at the branch: what to print and hang, what must come down, and a button
//! for each that says it is done. Works without script.

use super::{
    assets, guard,
    server::Shared,
    source::{Confirm, Papers},
};
use crate::{
    model::{Digest, bank_zone},
    packs::wire::ConfirmedWhat,
};
use axum::{
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse as _, Redirect, Response},
};
use jiff::Timestamp;
use std::{fmt::Write as _, sync::Arc};

const PAPER_HTML: &str = include_str!("page/paper.html");

/// The longest name that somebody may sign with, in characters.
const LONGEST_NAME: usize = 40;

pub(super) async fn page(State(shared): State<Shared>) -> Html<String> {
    let (card, papers) = (shared.source.card(), shared.source.papers());
    let page = assets::fill(PAPER_HTML, &[("bank", &card.bank), ("branch", &card.branch)]);
    let page = page.replace("{{{down}}}", &down(&papers));
    Html(page.replace("{{{up}}}", &up(&papers)))
}

fn down(papers: &Papers) -> String {
    let mut rows = String::new();
    for item in &papers.take_down {
        let facts = format!("{}，{} 起", item.reason, moment(item.since));
        let lesson = item.lesson.as_ref().map_or("", |lesson| lesson.as_str());
        let done = papers.is_confirmed(&item.key, lesson, ConfirmedWhat::TakenDown);
        let form = form(&item.key, lesson, ConfirmedWhat::TakenDown, done);
        row(&mut rows, &item.title, &facts, "", &form);
    }
    if rows.is_empty() {
        rows.push_str("<li class=\"none\">没有要撤的。</li>");
    }
    rows
}

fn up(papers: &Papers) -> String {
    let mut rows = String::new();
    for release in &papers.releases {
        let files = release.files.iter().fold(String::new(), |mut files, file| {
            let _ = write!(
                files,
                "<a href=\"/paper/{}\">{}（{}）</a> ",
                file.sha256,
                assets::escape(&file.name),
                size(file.bytes)
            );
            files
        });
        let facts = format!("{}，挂到 {} 为止", release.number, moment(release.show_until));
        let done = papers.is_confirmed(&release.key, "", ConfirmedWhat::Posted);
        let form = form(&release.key, "", ConfirmedWhat::Posted, done);
        row(&mut rows, &release.title, &facts, &files, &form);
    }
    if rows.is_empty() {
        rows.push_str("<li class=\"none\">还没有纸质材料。夜里取到之后会出现在这里。</li>");
    }
    rows
}

fn row(rows: &mut String, title: &str, facts: &str, files: &str, form: &str) {
    let (title, facts) = (assets::escape(title), assets::escape(facts));
    let _ =
        write!(rows, "<li><h3>{title}</h3><p>{facts}</p><p class=\"files\">{files}</p>{form}</li>");
}

fn form(key: &Digest, lesson: &str, what: ConfirmedWhat, done: bool) -> String {
    let (value, said, ask) = match what {
        ConfirmedWhat::Posted => ("posted", "已上墙", "都挂好了"),
        ConfirmedWhat::TakenDown => ("taken-down", "已撤下", "都撤下了"),
    };
    if done {
        return format!("<p class=\"done\">✓ {said}，已报总行或等着上报</p>");
    }
    format!(
        "<form method=\"post\" action=\"/paper\"><input type=\"hidden\" name=\"key\" value=\"{key}\">\
         <input type=\"hidden\" name=\"lesson\" value=\"{lesson}\">\
         <input type=\"hidden\" name=\"what\" value=\"{value}\">\
         <label>姓名 <input name=\"by\" required maxlength=\"{LONGEST_NAME}\" autocomplete=\"name\">\
         </label> <button>{ask}</button></form>"
    )
}

fn moment(at: Timestamp) -> String {
    at.to_zoned(bank_zone()).strftime("%-m月%-d日 %H:%M").to_string()
}

fn size(bytes: u64) -> String {
    if bytes < 1_000_000 {
        format!("{} KB", bytes.div_ceil(1000))
    } else {
        format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000)
    }
}

/// One of the files, to be saved or printed.
pub(super) async fn file(State(shared): State<Shared>, Path(sha256): Path<String>) -> Response {
    let known = Digest::from_hex(&sha256).and_then(|sha256| {
        let papers = shared.source.papers();
        let mut files = papers.releases.iter().flat_map(|release| &release.files);
        files.find(|file| file.sha256 == sha256).cloned()
    });
    let Some(file) = known else { return StatusCode::NOT_FOUND.into_response() };
    let source = Arc::clone(&shared.source);
    let sha256 = file.sha256;
    let read = tokio::task::spawn_blocking(move || {
        source.paper(&sha256).filter(|bytes| Digest::of(bytes) == sha256)
    });
    match read.await {
        Ok(Some(bytes)) => {
            let name = format!("attachment; filename*=UTF-8''{}", assets::encode(&file.name));
            let name = HeaderValue::from_str(&name)
                .unwrap_or_else(|_| HeaderValue::from_static("attachment"));
            let kind = HeaderValue::from_static(file.media_type.as_str());
            ([(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, name)], bytes)
                .into_response()
        }
        Ok(None) | Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}

/// What the form sends.
#[derive(Debug, Default)]
struct Sent {
    key: String,
    lesson: String,
    what: Option<ConfirmedWhat>,
    by: String,
}

impl Sent {
    fn read(body: &[u8]) -> Self {
        let mut sent = Self::default();
        for (name, value) in url::form_urlencoded::parse(body) {
            match name.as_ref() {
                "key" => sent.key = value.into_owned(),
                "lesson" => sent.lesson = value.into_owned(),
                "what" if value == "posted" => sent.what = Some(ConfirmedWhat::Posted),
                "what" if value == "taken-down" => sent.what = Some(ConfirmedWhat::TakenDown),
                "by" => sent.by = value.into_owned(),
                _ => {}
            }
        }
        sent
    }
}

/// Takes a confirmation, and shows the page again.
pub(super) async fn confirm(
    State(shared): State<Shared>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if !guard::same_origin(&headers) {
        return (StatusCode::FORBIDDEN, "请从“纸质材料”页上确认\n").into_response();
    }
    let sent = Sent::read(&body);
    let by: String = sent.by.trim().chars().filter(|c| !c.is_control()).collect();
    let papers = shared.source.papers();
    let key = Digest::from_hex(&sent.key).filter(|key| papers.names(key, &sent.lesson));
    let (Some(key), Some(what), 1..=LONGEST_NAME) = (key, sent.what, by.chars().count()) else {
        let text = "没有记下：姓名要写 1 到 40 个字；或者这一批已经换掉了，请返回刷新再试\n";
        return (StatusCode::UNPROCESSABLE_ENTITY, text).into_response();
    };
    let lesson = Some(sent.lesson).filter(|lesson| !lesson.is_empty());
    match shared.source.confirm(&Confirm { key, lesson, what, by }) {
        Ok(()) => Redirect::to("/paper").into_response(),
        Err(fault) => {
            tracing::error!(fault = %fault, "网点的确认没有记下");
            (StatusCode::INTERNAL_SERVER_ERROR, format!("没有记下：{fault}\n")).into_response()
        }
    }
}
