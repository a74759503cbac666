//! `/packs`: the repository as static files, enrolment, the nudge and reports.
//!
//! The files need no protection: everything in them is signed, and posters are public. What
//! branches tell is signed by their keys.

use crate::{
    model::{Digest, MediaType},
    packs::{
        Source,
        wire::{BRANCH_HEADER, EnrolRequest, REPORT_LIMIT, SIGNATURE_HEADER},
    },
    work::{Publisher, branches::BranchError},
};
use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::{DefaultBodyLimit, Path, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use futures_util::StreamExt as _;
use std::{
    io::SeekFrom,
    path::{Path as FilePath, PathBuf},
    sync::{Arc, Weak},
    time::Duration,
};
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;

/// How often the repository is looked at for a newer timestamp, for all listeners together.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The same where the repository is on another machine.
const LOOK_AFAR_EVERY: Duration = Duration::from_secs(15);
/// How often a listener hears that the line still stands.
const HEARTBEAT: Duration = Duration::from_secs(25);
/// How much of a file is read at a time.
const PIECE: usize = 64 * 1024;

#[derive(Clone)]
struct Packs {
    publisher: Publisher,
    root: Option<Arc<PathBuf>>,
    /// What was published last: the digest of `timestamp.json`.
    latest: Arc<Latest>,
}

type Latest = tokio::sync::watch::Sender<Option<Digest>>;

/// The routes. Looks at the repository for something newer from now on.
pub(super) fn router(publisher: Publisher) -> Router {
    let latest = Arc::new(Latest::new(None));
    let mut root = None;
    let repository = publisher.channels.values().find_map(|channel| channel.pack_repository());
    if let Some(repository) = repository {
        root = repository.folder.map(|folder| Arc::new(folder.to_owned()));
        let every = if root.is_some() { LOOK_EVERY } else { LOOK_AFAR_EVERY };
        tokio::spawn(watch(repository.source, every, Arc::downgrade(&latest)));
    }
    let packs = Packs { publisher, root, latest };
    Router::new()
        .route("/packs/{folder}/{name}", get(file).head(file))
        .route("/packs/events", get(events))
        .route("/packs/enrol", post(enrol))
        .route("/packs/report", post(report))
        .layer(DefaultBodyLimit::max(REPORT_LIMIT))
        .with_state(packs)
}

/// Looks for a newer timestamp until the router is gone.
async fn watch(source: Arc<dyn Source>, every: Duration, latest: Weak<Latest>) {
    while let Some(latest) = latest.upgrade() {
        let bytes = source.metadata("timestamp.json", 1 << 20).await.ok().flatten();
        let found = bytes.map(|bytes| Digest::of(&bytes));
        latest.send_if_modified(|known| {
            let changed = found.is_some() && *known != found;
            if changed {
                *known = found;
            }
            changed
        });
        drop(latest);
        tokio::time::sleep(every).await;
    }
}

/// A file of the repository: `metadata/…` is asked for again and again, `targets/…` never changes.
async fn file(
    State(packs): State<Packs>,
    Path((folder, name)): Path<(String, String)>,
    request: Request,
) -> Response {
    let is_plain = !name.starts_with('.')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
    let fixed = match folder.as_str() {
        "metadata" => false,
        "targets" => true,
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    let (Some(root), true) = (&packs.root, is_plain) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let path = root.join(&folder).join(&name);
    let head = request.method() == axum::http::Method::HEAD;
    match send(&path, &name, fixed, request.headers(), head).await {
        Ok(response) => response,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            StatusCode::NOT_FOUND.into_response()
        }
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "读不了 {}", path.display());
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

async fn send(
    path: &FilePath,
    name: &str,
    fixed: bool,
    asked: &HeaderMap,
    head: bool,
) -> std::io::Result<Response> {
    let mut file = tokio::fs::File::open(path).await?;
    let length = file.metadata().await?.len();
    let small = if fixed {
        None
    } else {
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).await?;
        Some(bytes)
    };
    // A target is named after its content; metadata is small enough to be digested each time.
    let tag = match &small {
        Some(bytes) => format!("\"{}\"", &Digest::of(bytes).to_string()[..32]),
        None => format!("\"{}\"", &name[..name.len().min(64)]),
    };
    let mut headers = HeaderMap::new();
    let value = |text: &str| HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""));
    headers.insert(header::ETAG, value(&tag));
    let cache = if fixed { "public, max-age=31536000, immutable" } else { "no-cache" };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type(name)));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    let text = |name| asked.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    if text(header::IF_NONE_MATCH).is_some_and(|tags| tags.contains(&tag)) {
        return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    let whole = text(header::IF_RANGE).is_some_and(|range_tag| range_tag != tag);
    let range = text(header::RANGE).filter(|_| !whole);
    let (status, start, end) = match range.map_or(Wanted::Whole, |range| parse(range, length)) {
        Wanted::Whole => (StatusCode::OK, 0, length),
        Wanted::Part(start, end) => {
            let span = format!("bytes {start}-{}/{length}", end - 1);
            headers.insert(header::CONTENT_RANGE, value(&span));
            (StatusCode::PARTIAL_CONTENT, start, end)
        }
        Wanted::Outside => {
            headers.insert(header::CONTENT_RANGE, value(&format!("bytes */{length}")));
            return Ok((StatusCode::RANGE_NOT_SATISFIABLE, headers).into_response());
        }
    };
    headers.insert(header::CONTENT_LENGTH, value(&(end - start).to_string()));
    let body = if head {
        Body::empty()
    } else if let Some(bytes) = small {
        let from = usize::try_from(start).unwrap_or(0).min(bytes.len());
        let to = usize::try_from(end).unwrap_or(0).min(bytes.len());
        Body::from(Bytes::from(bytes).slice(from..to))
    } else {
        file.seek(SeekFrom::Start(start)).await?;
        Body::from_stream(ReaderStream::with_capacity(file.take(end - start), PIECE))
    };
    Ok((status, headers, body).into_response())
}

/// What a request wants of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// All of it.
    Whole,
    /// From here up to, not including, there.
    Part(u64, u64),
    /// What lies behind its end.
    Outside,
}

/// One range of bytes (RFC 9110 §14.1.2); what is not understood is ignored, as it says.
fn parse(range: &str, length: u64) -> Wanted {
    let Some((from, to)) = range.strip_prefix("bytes=").and_then(|range| range.split_once('-'))
    else {
        return Wanted::Whole;
    };
    if from.is_empty() {
        return match to.parse::<u64>() {
            Ok(last) if last > 0 && length > 0 => Wanted::Part(length.saturating_sub(last), length),
            Ok(_) => Wanted::Outside,
            Err(_) => Wanted::Whole,
        };
    }
    let end = if to.is_empty() {
        Some(length)
    } else {
        to.parse::<u64>().ok().map(|to| to.saturating_add(1))
    };
    match (from.parse::<u64>(), end) {
        (Ok(from), _) if from >= length => Wanted::Outside,
        (Ok(from), Some(end)) if from < end => Wanted::Part(from, end.min(length)),
        _ => Wanted::Whole,
    }
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("json") => MediaType::Json.as_str(),
        Some("png") => MediaType::Png.as_str(),
        Some("jpg") => MediaType::Jpeg.as_str(),
        Some("pdf") => MediaType::Pdf.as_str(),
        Some("zip") => MediaType::Zip.as_str(),
        _ => "application/octet-stream",
    }
}

/// Says that something was published, and nothing else: whoever hears it asks for the timestamp.
async fn events(State(packs): State<Packs>) -> Response {
    let mut latest = packs.latest.subscribe();
    latest.mark_unchanged();
    let stream = futures_util::stream::unfold((latest, true), |(mut latest, first)| async move {
        if first {
            return Some((Ok::<_, std::io::Error>("retry: 5000\n: \n\n"), (latest, false)));
        }
        let text = match tokio::time::timeout(HEARTBEAT, latest.changed()).await {
            Ok(Ok(())) => "event: changed\ndata: timestamp\n\n",
            Ok(Err(_)) => return None,
            Err(_) => ": \n\n",
        };
        Some((Ok(text), (latest, false)))
    });
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    (headers, Body::from_stream(stream.boxed())).into_response()
}

async fn enrol(State(packs): State<Packs>, Json(request): Json<EnrolRequest>) -> Response {
    match packs.publisher.enrol(&request).await {
        Ok(answer) => Json(answer).into_response(),
        Err(error) => refuse(&error),
    }
}

async fn report(State(packs): State<Packs>, headers: HeaderMap, body: Bytes) -> Response {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (branch, signature) = (text(BRANCH_HEADER), text(SIGNATURE_HEADER));
    match packs.publisher.take_report(branch, signature, &body).await {
        Ok(answer) => Json(answer).into_response(),
        Err(error) => refuse(&error),
    }
}

fn refuse(error: &BranchError) -> Response {
    let status = match error {
        BranchError::Code | BranchError::Signature => StatusCode::FORBIDDEN,
        BranchError::Garbled(_) => StatusCode::BAD_REQUEST,
        BranchError::Chain(_) => StatusCode::CONFLICT,
        BranchError::Work(_) => StatusCode::SERVICE_UNAVAILABLE,
    };
    if let BranchError::Work(error) = error {
        tracing::error!(error = error as &dyn std::error::Error, "网点的请求没有处理成");
    }
    (status, Json(serde_json::json!({ "error": error.to_string() }))).into_response()
}
