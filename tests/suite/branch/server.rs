//! An HTTP server over a repository's folder that does mischief where it is told to, and counts
//! what it sends.

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Path as UrlPath, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::get,
};
use caishi::{
    branch::http::{HttpOffice, Patience},
    model::Digest,
};
use futures_util::{StreamExt as _, stream};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};
use url::Url;

/// The pieces in which files are sent.
pub const PIECE: usize = 16 * 1024;

/// What is done to requests whose path holds a text.
#[derive(Debug, Clone)]
pub enum Mischief {
    /// Other bytes, under the length of their own.
    Replace(Vec<u8>),
    /// The connection breaks after so many bytes of the body, once.
    CutOnce(u64),
    /// It never ends.
    Endless,
    /// A byte a tenth of a second.
    Drip,
    /// Each piece comes after a pause.
    Slow(Duration),
    /// Somewhere else.
    Redirect(String),
    /// Come back later.
    Busy(u64),
}

type Rules = Arc<Mutex<Vec<(String, Mischief)>>>;

/// The server; it stops with the runtime.
#[derive(Clone)]
pub struct Server {
    pub url: Url,
    root: PathBuf,
    rules: Rules,
    sent: Arc<Mutex<Vec<(String, u64)>>>,
}

impl Server {
    pub async fn over(root: &Path) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let (root, rules) = (root.to_owned(), Rules::default());
        let server = Self { url, root, rules, sent: Arc::default() };
        let router =
            Router::new().route("/packs/{folder}/{name}", get(answer)).with_state(server.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        server
    }

    /// The head office as a branch reaches it, with little patience.
    pub fn office(&self) -> Arc<HttpOffice> {
        let patience = Patience {
            answer: Duration::from_secs(3),
            grace: Duration::from_secs(1),
            least_bytes_per_s: 1000,
            small: Duration::from_secs(3),
        };
        Arc::new(HttpOffice::new(&self.url, None, None, patience).unwrap())
    }

    pub fn on(&self, path: &str, mischief: Mischief) {
        self.rules.lock().unwrap().push((path.to_owned(), mischief));
    }

    pub fn behave(&self) {
        self.rules.lock().unwrap().clear();
    }

    /// Bytes of bodies sent so far of paths that hold a text.
    pub fn sent(&self, part: &str) -> u64 {
        let sent = self.sent.lock().unwrap();
        sent.iter().filter(|(path, _)| path.contains(part)).map(|(_, bytes)| bytes).sum()
    }

    pub fn requests(&self, part: &str) -> usize {
        self.sent.lock().unwrap().iter().filter(|(path, _)| path.contains(part)).count()
    }

    fn rule(&self, path: &str) -> Option<Mischief> {
        let mut rules = self.rules.lock().unwrap();
        let place = rules.iter().position(|(part, _)| path.contains(part.as_str()))?;
        match &rules[place].1 {
            Mischief::CutOnce(_) => Some(rules.remove(place).1),
            other => Some(other.clone()),
        }
    }

    /// Sends pieces and counts them; `cut` breaks the connection after so many bytes.
    fn body(&self, path: &str, bytes: &[u8], cut: Option<u64>, pause: Duration) -> Body {
        let place = self.sent.lock().unwrap().len();
        self.sent.lock().unwrap().push((path.to_owned(), 0));
        let cut = cut.map_or(usize::MAX, |cut| usize::try_from(cut).unwrap());
        let sends = bytes[..bytes.len().min(cut)].to_vec();
        let broken = (sends.len() < bytes.len()).then(|| Err(std::io::Error::other("cut")));
        let pieces: Vec<Bytes> = sends.chunks(PIECE).map(Bytes::copy_from_slice).collect();
        let sent = Arc::clone(&self.sent);
        let pieces = stream::iter(pieces).then(move |piece| {
            let sent = Arc::clone(&sent);
            async move {
                tokio::time::sleep(pause).await;
                sent.lock().unwrap()[place].1 += piece.len() as u64;
                Ok::<_, std::io::Error>(piece)
            }
        });
        let end = stream::iter(broken).then(|broken| async {
            // What was sent before is on the line before it breaks.
            tokio::time::sleep(Duration::from_millis(20)).await;
            broken
        });
        Body::from_stream(pieces.chain(end))
    }
}

async fn answer(
    State(server): State<Server>,
    UrlPath((folder, name)): UrlPath<(String, String)>,
    asked: HeaderMap,
) -> Response {
    let path = format!("{folder}/{name}");
    let rule = server.rule(&path);
    let Ok(mut bytes) = std::fs::read(server.root.join(&path)) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let (mut cut, mut pause) = (None, Duration::ZERO);
    match rule {
        None => {}
        Some(Mischief::Replace(other)) => bytes = other,
        Some(Mischief::CutOnce(after)) => cut = Some(after),
        Some(Mischief::Slow(each)) => pause = each,
        Some(Mischief::Endless) => {
            let zeros =
                stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from(vec![0; PIECE])));
            return Body::from_stream(zeros).into_response();
        }
        Some(Mischief::Drip) => {
            let drops = stream::iter(bytes).then(|byte| async move {
                tokio::time::sleep(Duration::from_millis(100)).await;
                Ok::<_, std::io::Error>(Bytes::from(vec![byte]))
            });
            return Body::from_stream(drops).into_response();
        }
        Some(Mischief::Redirect(to)) => {
            return (StatusCode::FOUND, [(header::LOCATION, to)]).into_response();
        }
        Some(Mischief::Busy(seconds)) => {
            let headers = [(header::RETRY_AFTER, seconds.to_string())];
            return (StatusCode::SERVICE_UNAVAILABLE, headers).into_response();
        }
    }
    let tag = format!("\"{}\"", &Digest::of(&bytes).to_string()[..16]);
    let text = |name| asked.get(name).and_then(|value| value.to_str().ok());
    if text(header::IF_NONE_MATCH) == Some(&tag) {
        server.sent.lock().unwrap().push((format!("304 {path}"), 0));
        return StatusCode::NOT_MODIFIED.into_response();
    }
    let length = bytes.len();
    let from = text(header::RANGE)
        .and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse::<usize>().ok())
        .filter(|from| *from < length && text(header::IF_RANGE).is_none_or(|own| own == tag));
    let status = if from.is_some() { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
    let from = from.unwrap_or(0);
    bytes.drain(..from);
    let mut headers = HeaderMap::new();
    headers.insert(header::ETAG, tag.parse().unwrap());
    headers.insert(header::CONTENT_LENGTH, bytes.len().into());
    if status == StatusCode::PARTIAL_CONTENT {
        let range = format!("bytes {from}-{}/{length}", length - 1);
        headers.insert(header::CONTENT_RANGE, range.parse().unwrap());
    }
    (status, headers, server.body(&path, &bytes, cut, pause)).into_response()
}
