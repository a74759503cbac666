//! The addresses of a preview. Everything is read; nothing is taken.

use super::{
    desk::Desk,
    guard::{FILE_POLICY, OUTPUT_POLICY, guard},
    page, show,
    snapshot::Snapshot,
    view::{Glasses, Look, Query, View},
};
use crate::model::{Digest, LessonId, MediaType, OutputKind};
use axum::{
    Router,
    extract::{Path, Query as Fields, State},
    http::{HeaderValue, StatusCode, header},
    middleware,
    response::{
        Html, IntoResponse, Response,
        sse::{self, KeepAlive, Sse},
    },
    routing::get,
};
use futures_util::stream;
use std::{convert::Infallible, net::SocketAddr, sync::Arc};
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

const SHEET: &str = include_str!("html/preview.css");
const SCRIPT: &str = include_str!("html/preview.js");

#[derive(Clone)]
struct Shared {
    desk: Arc<Desk>,
    stop: CancellationToken,
}

/// The routes; `address` is what is listened on.
pub fn router(desk: Arc<Desk>, address: SocketAddr, stop: CancellationToken) -> Router {
    Router::new()
        .route("/", get(lessons))
        .route("/lesson/{lesson}", get(lesson))
        .route("/events", get(events))
        .route("/bytes/{digest}/{name}", get(bytes))
        .route("/article/{digest}", get(article))
        .route("/entry/{digest}/{name}", get(entry))
        .route("/preview.css", get(async || plain("text/css; charset=utf-8", SHEET)))
        .route("/preview.js", get(async || plain("text/javascript; charset=utf-8", SCRIPT)))
        .route("/favicon.ico", get(async || StatusCode::NO_CONTENT))
        .fallback(async || missing("这里没有这一页"))
        .with_state(Shared { desk, stop })
        .layer(middleware::from_fn_with_state(address, guard))
}

fn plain(media_type: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, media_type)], text).into_response()
}

fn missing(what: &str) -> Response {
    match page::missing(what) {
        Ok(html) => (StatusCode::NOT_FOUND, Html(html)).into_response(),
        Err(error) => broken(&error),
    }
}

fn broken(error: &askama::Error) -> Response {
    tracing::error!("页面生成不了：{error}");
    (StatusCode::INTERNAL_SERVER_ERROR, "页面生成不了，请看日志\n").into_response()
}

fn answered(page: askama::Result<String>) -> Response {
    match page {
        Ok(html) => Html(html).into_response(),
        Err(error) => broken(&error),
    }
}

async fn lessons(State(shared): State<Shared>) -> Response {
    let snapshot = shared.desk.check_all().await;
    answered(page::lessons(&snapshot))
}

async fn lesson(
    State(shared): State<Shared>,
    Path(lesson): Path<String>,
    Fields(query): Fields<Query>,
) -> Response {
    let snapshot = shared.desk.snapshot();
    let Some(view) = known(&snapshot, &lesson, &query) else {
        return missing("没有这一课，或者没有这个网点");
    };
    let glasses = Glasses::of(&query);
    let snapshot = shared.desk.prepare(&view).await;
    answered(page::lesson(&shared.desk, &snapshot, &view, &glasses))
}

/// The view that an address means, where its lesson and branch exist.
fn known(snapshot: &Snapshot, lesson: &str, query: &Query) -> Option<View> {
    let id = LessonId::new(lesson).ok().filter(|id| snapshot.lessons().contains(id))?;
    let mut view = Some(View::of(id, query)).filter(|view| snapshot.has_branch(view))?;
    if !snapshot.has_look(&view.look) {
        view.look = Look::Current;
    }
    Some(view)
}

/// What becomes new, as it does.
async fn events(State(shared): State<Shared>, Fields(query): Fields<Query>) -> Response {
    let view = match query.get("lesson") {
        None => None,
        Some(lesson) => match known(&shared.desk.snapshot(), lesson, &query) {
            Some(view) => Some(view),
            None => return missing("没有这一课"),
        },
    };
    if let Some(view) = &view {
        let (desk, view) = (Arc::clone(&shared.desk), view.clone());
        // Somebody may have approved it since the ledger was asked.
        tokio::spawn(async move { desk.compare_again(&view).await });
    }
    let listener = shared.desk.listen(view);
    let hello =
        sse::Event::default().event("hello").data(shared.desk.snapshot().number.to_string());
    let hello = Some(Ok::<_, Infallible>(hello));
    let begun = (listener, shared.stop, hello);
    let stream = stream::unfold(begun, |(mut listener, stop, hello)| async move {
        if let Some(hello) = hello {
            return Some((hello, (listener, stop, None)));
        }
        loop {
            let received = tokio::select! {
                () = stop.cancelled() => return None,
                received = listener.events.recv() => received,
            };
            let event = match received {
                Ok(event) if event.is_for(listener.view.as_ref()) => sse::Event::default()
                    .event("new")
                    .data(serde_json::to_string(&event).unwrap_or_default()),
                Ok(_) => continue,
                // Too many at once: the page asks for everything.
                Err(RecvError::Lagged(_)) => sse::Event::default().event("hello").data("0"),
                Err(RecvError::Closed) => return None,
            };
            return Some((Ok(event), (listener, stop, None)));
        }
    });
    Sse::new(stream).keep_alive(KeepAlive::default()).into_response()
}

/// A finished file, by its digest. The name is for whoever saves it.
async fn bytes(
    State(shared): State<Shared>,
    Path((digest, name)): Path<(String, String)>,
) -> Response {
    let made = Digest::from_hex(&digest).and_then(|digest| shared.desk.cache().file(&digest));
    match made.filter(|_| is_file_name(&name)) {
        Some(made) => output(made.listing.media_type, made.bytes.clone()),
        None => missing("这个文件不在了：可能刚刚改过，请刷新课件的页面"),
    }
}

fn is_file_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    !name.starts_with('.') && name.chars().all(plain)
}

/// Bytes in a frame of their own. A digest never means other bytes, so they may be kept.
fn output(media_type: MediaType, bytes: Vec<u8>) -> Response {
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type.as_str()));
    let policy = match media_type {
        MediaType::Html | MediaType::Svg | MediaType::Text => OUTPUT_POLICY,
        _ => FILE_POLICY,
    };
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    let keep = HeaderValue::from_static("private, max-age=86400, immutable");
    headers.insert(header::CACHE_CONTROL, keep);
    response
}

/// An article in WeChat's page.
async fn article(
    State(shared): State<Shared>,
    Path(digest): Path<String>,
    Fields(query): Fields<Query>,
) -> Response {
    let snapshot = shared.desk.snapshot();
    let made = Digest::from_hex(&digest)
        .and_then(|digest| shared.desk.cache().file_of(&digest, OutputKind::Article))
        .filter(|made| made.listing.media_type == MediaType::Html);
    let Some(made) = made else {
        return missing("这篇文章不在了，请刷新课件的页面");
    };
    // The page's own title, which is not part of the article's bytes.
    let lesson = query.get("lesson").and_then(|lesson| LessonId::new(lesson).ok());
    let title = lesson.map_or_else(String::new, |id| {
        let view = View::of(id, &query);
        shared.desk.with_sheet(&view, |sheet| {
            sheet.map_or_else(String::new, |sheet| sheet.words.title.clone())
        })
    });
    let html = String::from_utf8_lossy(&made.bytes);
    let address = |picture: &Digest| {
        let file = shared.desk.cache().file(picture);
        let name = file.as_ref().and_then(|made| made.listing.path.rsplit('/').next());
        format!("/bytes/{picture}/{}", name.unwrap_or("picture"))
    };
    let bank = &snapshot.config().bank.name;
    match show::article(&html, &title, bank, &Glasses::of(&query), address) {
        Ok(page) => {
            let mut response = output(MediaType::Html, page.into_bytes());
            // The title is not part of the digest.
            let keep = HeaderValue::from_static("no-store");
            response.headers_mut().insert(header::CACHE_CONTROL, keep);
            response
        }
        Err(error) => broken(&error),
    }
}

/// A file of a gateway's package, by its whole name.
async fn entry(
    State(shared): State<Shared>,
    Path((digest, name)): Path<(String, String)>,
) -> Response {
    let package = Digest::from_hex(&digest)
        .and_then(|digest| shared.desk.cache().file_of(&digest, OutputKind::Portal))
        .filter(|made| made.listing.media_type == MediaType::Zip);
    let media_type = if show::is_page(&name) { MediaType::Html } else { MediaType::Text };
    match package.and_then(|made| show::entry(&made.bytes, &name)) {
        Some(bytes) => output(media_type, bytes),
        None => missing("包里没有这个文件"),
    }
}
