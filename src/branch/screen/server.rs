//! The routes.

use super::{
    assets::{self, Faces},
    guard, paper,
    report::Reports,
    source::ScreenSource,
    wire::{self, PageReport, Playlist},
};
use crate::model::Digest;
use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, Query, State},
    http::{HeaderMap, StatusCode, header},
    middleware,
    response::{
        Html, IntoResponse as _, Response,
        sse::{Event, Sse},
    },
    routing::{get, post},
};
use futures_util::stream;
use serde::Deserialize;
use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;

/// A report has a line per poster of the playlist.
const LARGEST_REPORT: usize = 256 * 1024;
/// How often the playlist is looked at without being told, should the source have missed an edge.
const LOOK: Duration = Duration::from_secs(1);
/// How often a page hears that its server lives, and sets its clock.
const SIGN_OF_LIFE: Duration = Duration::from_secs(10);

/// Why the screens' server does not run.
#[derive(Debug, thiserror::Error)]
pub enum ScreenError {
    /// It would be open to the network.
    #[error("屏幕页面只在本机提供，{0} 不是本机地址；请用 127.0.0.1")]
    NotLoopback(SocketAddr),
    /// The socket's.
    #[error("屏幕页面的端口用不了")]
    Socket(#[source] std::io::Error),
}

#[derive(Clone)]
pub(super) struct Shared {
    pub(super) source: Arc<dyn ScreenSource>,
    reports: Arc<Reports>,
    faces: Faces,
    stop: CancellationToken,
}

/// The routes of the screens' server. Requests need the address of their peer; [`serve`] sees to
/// it.
pub fn router(source: Arc<dyn ScreenSource>, faces: Faces, stop: CancellationToken) -> Router {
    let shared = Shared { source, reports: Arc::default(), faces, stop };
    Router::new()
        .route("/", get(index))
        .route("/screen/{name}", get(player))
        .route("/events", get(events))
        .route("/playlist", get(playlist))
        .route("/poster/{sha256}", get(poster))
        .route("/displayed", post(displayed))
        .route("/paper", get(paper::page).post(paper::confirm))
        .route("/paper/{sha256}", get(paper::file))
        .route("/page/{file}", get(page_file))
        .route("/font/{file}", get(font))
        .route("/worker.js", get(worker))
        .layer(DefaultBodyLimit::max(LARGEST_REPORT))
        .layer(middleware::from_fn(guard::guard))
        .with_state(shared)
}

/// Serves the screens' pages until `stop`.
///
/// # Errors
/// [`ScreenError::NotLoopback`] where the listener can be reached from outside.
pub async fn serve(
    listener: TcpListener,
    source: Arc<dyn ScreenSource>,
    faces: Faces,
    stop: CancellationToken,
) -> Result<(), ScreenError> {
    let address = listener.local_addr().map_err(ScreenError::Socket)?;
    if !address.ip().is_loopback() {
        return Err(ScreenError::NotLoopback(address));
    }
    let router = router(source, faces, stop.clone());
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let served = axum::serve(listener, service).with_graceful_shutdown(stop.cancelled_owned());
    served.await.map_err(ScreenError::Socket)
}

async fn index(State(shared): State<Shared>, headers: HeaderMap) -> Html<String> {
    let host = guard::host(&headers).unwrap_or("127.0.0.1");
    Html(assets::index(host, &shared.source.card(), &shared.source.screens()))
}

async fn player(State(shared): State<Shared>, Path(name): Path<String>) -> Response {
    let known = shared.source.screens().iter().any(|screen| screen.screen == name);
    // Before the first pull no screen is known. The page shows the card and waits for its playlist.
    if !known && !shared.source.screens().is_empty() {
        return no_such_screen();
    }
    Html(assets::player(&name, &shared.source.card())).into_response()
}

fn no_such_screen() -> Response {
    let text = "本网点没有这块屏。屏幕的名字见 / 页面。\n";
    (StatusCode::NOT_FOUND, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text)
        .into_response()
}

#[derive(Deserialize)]
struct Which {
    screen: String,
}

async fn playlist(State(shared): State<Shared>, Query(which): Query<Which>) -> Response {
    match shared.playlist(&which.screen) {
        Some(playlist) => Json(playlist).into_response(),
        None => no_such_screen(),
    }
}

async fn events(State(shared): State<Shared>, Query(which): Query<Which>) -> Response {
    let changes = shared.source.changes();
    let told = Told { shared, screen: which.screen, changes, last: None };
    let stream = stream::unfold(told, |mut told| async move {
        let event = told.next().await?;
        Some((Ok::<_, Infallible>(event), told))
    });
    Sse::new(stream).into_response()
}

/// What one page was told, and when.
struct Told {
    shared: Shared,
    screen: String,
    changes: watch::Receiver<u64>,
    last: Option<(Digest, Instant)>,
}

impl Told {
    /// The next event: at once, when the playlist changes, and as a sign of life. `None` when the
    /// server stops.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if self.shared.stop.is_cancelled() {
                return None;
            }
            // A screen that is not known yet, or no more, plays nothing.
            let playlist = self.shared.playlist(&self.screen);
            let playlist = playlist.unwrap_or_else(|| self.shared.nothing());
            let face = playlist.face();
            let due =
                self.last.is_none_or(|(told, at)| told != face || at.elapsed() >= SIGN_OF_LIFE);
            if due {
                self.last = Some((face, Instant::now()));
                let event = Event::default().event("playlist").retry(Duration::from_secs(2));
                return event.json_data(&playlist).ok();
            }
            tokio::select! {
                () = self.shared.stop.cancelled() => return None,
                changed = self.changes.changed() => {
                    // Without its sender the source is gone: nothing will change any more.
                    if changed.is_err() {
                        tokio::time::sleep(LOOK).await;
                    }
                }
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }
}

impl Shared {
    fn playlist(&self, screen: &str) -> Option<Playlist> {
        let playlist = wire::playlist(self.source.as_ref(), screen)?;
        let posters = playlist.items.iter().filter_map(|item| Digest::from_hex(&item.sha256));
        self.reports.give(screen, posters);
        Some(playlist)
    }

    fn nothing(&self) -> Playlist {
        wire::nothing(self.source.as_ref())
    }

    /// The type of a poster that some screen plays now.
    fn playing(&self, sha256: &Digest) -> Option<&'static str> {
        let screens = self.source.screens();
        let playlists = screens.iter().filter_map(|screen| self.source.playlist(&screen.screen));
        let found = playlists.flatten().find(|showing| showing.sha256 == *sha256)?;
        Some(found.media_type.as_str())
    }
}

async fn poster(State(shared): State<Shared>, Path(sha256): Path<String>) -> Response {
    let Some(sha256) = Digest::from_hex(&sha256) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let Some(media_type) = shared.playing(&sha256) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let source = Arc::clone(&shared.source);
    let read = tokio::task::spawn_blocking(move || {
        // Hashed again: disks rot between the moment of the pull and this one.
        source.poster(&sha256).filter(|bytes| Digest::of(bytes) == sha256)
    });
    match read.await {
        Ok(Some(bytes)) => ([(header::CONTENT_TYPE, media_type)], bytes).into_response(),
        Ok(None) | Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn displayed(State(shared): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let json = headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
    if !guard::same_origin(&headers) || !json {
        return (StatusCode::FORBIDDEN, "只收屏幕页面自己的报告\n").into_response();
    }
    let Ok(report) = serde_json::from_slice::<PageReport>(&body) else {
        return (StatusCode::BAD_REQUEST, "报告读不懂\n").into_response();
    };
    match shared.reports.take(shared.source.as_ref(), &report) {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(fault) => {
            tracing::warn!(screen = report.screen, fault = %fault, "屏幕页面的报告没有收");
            (StatusCode::UNPROCESSABLE_ENTITY, format!("{fault}\n")).into_response()
        }
    }
}

async fn page_file(Path(name): Path<String>) -> Response {
    match assets::file(&name) {
        Some((kind, text)) => ([(header::CONTENT_TYPE, kind)], text).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn font(State(shared): State<Shared>, Path(name): Path<String>) -> Response {
    let bytes = match name.as_str() {
        "regular.woff2" => shared.faces.regular,
        "bold.woff2" => shared.faces.bold,
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    ([(header::CONTENT_TYPE, "font/woff2")], Bytes::from_static(bytes)).into_response()
}

async fn worker() -> Response {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], assets::WORKER).into_response()
}
