//! What a guest's phone asks `caishi serve`: the page before going online, the captive-portal API
//! (RFC 8908), openNDS's authentication (FAS), and what there is to read afterwards.
//!
//! | path | what |
//! |---|---|
//! | `/portal/<branch>` | the approved page, its form leading to `welcome` |
//! | `/portal/<branch>/fas?fas=…` | the same page, its form leading to the openNDS gateway |
//! | `/portal/<branch>/ready` | whether `fas` could let a guest on: the gateway's script asks |
//! | `/portal/<branch>/api` | RFC 8908 |
//! | `/portal/<branch>/welcome` | where the gateway sends a guest who is online |
//! | `/portal/<branch>/venue` `/lesson/<lesson>` `/quiz/<lesson>` | to read, to look at, to answer |
//! | `/portal/file/<sha256>` | posters and pictures of what is live |
//! | `/q/<lesson>[/<branch>]` | where QR codes on posters lead |
//!
//! Pages are the approved bytes; only the address of a form and, after a quiz, the letters that
//! were chosen are put in. Nothing about a guest is stored: no cookie, no address, no device.
//! What a protocol needs to answer a phone lives in memory, hashed, with a short life.

mod counter;
mod fas;
mod online;
mod page;
mod quiz;
mod venue;

use crate::{
    deliver::{LiveFile, LivePages},
    model::{BranchId, Digest, LessonId, MediaType, OutputKind},
    store::HitKind,
    work::Publisher,
};
use axum::{
    Json, Router,
    body::Bytes,
    extract::{ConnectInfo, DefaultBodyLimit, Path, Query, Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
pub use counter::Counter;
use online::{Online, Standing};
use secrecy::SecretString;
use std::{
    collections::{HashMap, hash_map::RandomState},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// For how long what is live is not asked for again.
const FRESH: Duration = Duration::from_secs(1);
/// The same after it could not be read.
const AFTER_FAILURE: Duration = Duration::from_secs(10);
/// For how long a guest waits for a store that does not answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// Pages are small and kept; pictures and paper are read each time.
const MOST_BLOBS: usize = 2_000;
const LARGEST_BLOB: usize = 64 * 1024;
/// The place of pages without a branch.
const BANK: &str = "bank";
/// A quiz's answers are a few letters.
const LARGEST_ANSWER: usize = 4 * 1024;
/// How long a guest is taken to be online where gateways do not say.
const USUAL_SESSION: Duration = Duration::from_hours(12);

pub(super) struct Portal {
    publisher: Publisher,
    /// Until when it holds, and what it is.
    live: tokio::sync::Mutex<Option<(Instant, Option<Arc<LivePages>>)>>,
    blobs: Mutex<HashMap<Digest, Bytes>>,
    counter: Arc<Counter>,
    online: Online,
    /// Known to gateways that were asked to let a guest on, and to nobody else.
    let_on: String,
    key: Option<SecretString>,
}

type Shared = State<Arc<Portal>>;

/// The routes, and what writes the counters when the service ends.
pub(super) fn router(publisher: Publisher) -> (Router, Arc<Counter>) {
    let server = &publisher.config.server;
    let key = server.opennds_key.as_ref().and_then(|reference| {
        let key = reference.resolve(&publisher.config.folder);
        key.map_err(|fault| tracing::error!("[server] opennds_key：{fault}")).ok()
    });
    let known = server.session_minutes.map(|minutes| Duration::from_secs(u64::from(minutes) * 60));
    let counter = Counter::start(publisher.store.clone());
    let portal = Portal {
        live: tokio::sync::Mutex::default(),
        blobs: Mutex::default(),
        counter: Arc::clone(&counter),
        online: Online::new(known.unwrap_or(USUAL_SESSION), known.is_some()),
        let_on: format!("{:016x}", std::hash::BuildHasher::hash_one(&RandomState::new(), ())),
        key,
        publisher,
    };
    let router = Router::new()
        .route("/portal/{branch}", get(before))
        .route("/portal/{branch}/fas", get(fas::page))
        .route("/portal/{branch}/ready", get(fas::ready))
        .route("/portal/{branch}/api", get(api))
        .route("/portal/{branch}/welcome", get(welcome))
        .route("/portal/{branch}/venue", get(look_around))
        .route("/portal/{branch}/lesson/{lesson}", get(read))
        .route("/portal/{branch}/quiz/{lesson}", get(quiz::ask).post(quiz::answer))
        .route("/portal/file/{digest}", get(file))
        .route("/q/{lesson}", get(scan_at_bank))
        .route("/q/{lesson}/{branch}", get(scan))
        .layer(DefaultBodyLimit::max(LARGEST_ANSWER))
        .with_state(Arc::new(portal));
    (router, counter)
}

impl Portal {
    /// What guests may see now. Where it cannot be read, what was last seen stays.
    async fn live(&self) -> Option<Arc<LivePages>> {
        let mut known = self.live.lock().await;
        if let Some((until, live)) = &*known
            && Instant::now() < *until
        {
            return live.clone();
        }
        let pages = self.publisher.channels.values().find_map(|channel| channel.portal_pages());
        let found = match pages {
            None => Ok(None),
            Some(pages) => match tokio::time::timeout(PATIENCE, pages.live_pages()).await {
                Ok(found) => found.map_err(|error| error.message),
                Err(_) => Err(format!("{} 秒没有回答", PATIENCE.as_secs())),
            },
        };
        let before = known.take().and_then(|(_, live)| live);
        let mut fresh = FRESH;
        let live = match found {
            Ok(live) => {
                let changed =
                    live.as_ref().map(|live| &live.key) != before.as_ref().map(|b| &b.key);
                if changed {
                    self.blobs.lock().unwrap_or_else(PoisonError::into_inner).clear();
                }
                live.map(Arc::new)
            }
            Err(reason) => {
                tracing::error!("读不了认证页：{reason}");
                fresh = AFTER_FAILURE;
                // What is over is not shown, whatever cannot be read.
                before.filter(|live| !is_over(live))
            }
        };
        *known = Some((Instant::now() + fresh, live.clone()));
        live
    }

    /// The bytes of a live file, kept while it is live.
    async fn bytes(&self, digest: Digest) -> Option<Bytes> {
        let kept = |blobs: &Mutex<HashMap<Digest, Bytes>>| {
            blobs.lock().unwrap_or_else(PoisonError::into_inner).get(&digest).cloned()
        };
        if let Some(bytes) = kept(&self.blobs) {
            return Some(bytes);
        }
        let pages = self.publisher.channels.values().find_map(|channel| channel.portal_pages())?;
        let bytes = match pages.page_bytes(&digest).await {
            Ok(bytes) => Bytes::from(bytes?),
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "读不了认证页");
                return None;
            }
        };
        let mut blobs = self.blobs.lock().unwrap_or_else(PoisonError::into_inner);
        if blobs.len() < MOST_BLOBS && bytes.len() <= LARGEST_BLOB {
            blobs.insert(digest, bytes.clone());
        }
        Some(bytes)
    }

    async fn text(&self, file: &LiveFile) -> Option<String> {
        String::from_utf8(self.bytes(file.sha256).await?.to_vec()).ok()
    }

    fn base(&self) -> &str {
        &self.publisher.config.bank.base_url
    }

    /// Where guests reach this service before they are online.
    fn guest_base(&self) -> &str {
        let own = self.publisher.config.server.guest_url.as_deref();
        own.unwrap_or_else(|| self.base())
    }

    /// The page of a branch with its form leading to `form`, and the lesson that is on it. Without
    /// anything that may be shown, a plain page: a guest always gets online.
    async fn page(&self, branch: &str, form: &page::Form) -> Response {
        let live = self.live().await;
        let main = live.as_deref().and_then(|live| main_page(live, branch));
        let html = match main {
            Some(file) => self.text(file).await,
            None => None,
        };
        match (html, main.and_then(|file| file.lesson.as_ref())) {
            (Some(html), Some(lesson)) => {
                self.count(live.as_deref(), branch, lesson, HitKind::View);
                page::before(&html, &self.publisher.config.bank.name, form)
            }
            _ => page::plain(&self.publisher.config.bank.name, form),
        }
    }

    /// Counts where pages were made for the branch and the lesson: addresses can be made up.
    fn count(&self, live: Option<&LivePages>, branch: &str, lesson: &LessonId, kind: HitKind) {
        let known = live.is_some_and(|live| {
            has_branch(live, branch) && live.files.iter().any(|f| f.lesson.as_ref() == Some(lesson))
        });
        if let (true, Ok(branch)) = (known, BranchId::new(branch)) {
            self.counter.hit(branch, lesson.clone(), kind);
        }
    }
}

/// Whether the last day has passed.
fn is_over(live: &LivePages) -> bool {
    let zone = jiff::tz::TimeZone::get("Asia/Shanghai").unwrap_or(jiff::tz::TimeZone::UTC);
    let today = jiff::Timestamp::now().to_zoned(zone).date();
    live.until.parse::<jiff::civil::Date>().is_ok_and(|until| until < today)
}

fn has_branch(live: &LivePages, branch: &str) -> bool {
    branch == BANK
        || live
            .files
            .iter()
            .any(|file| file.branch.as_ref().is_some_and(|own| own.as_str() == branch))
}

/// The page that a branch shows; the bank's for a branch without one.
fn main_page<'l>(live: &'l LivePages, branch: &str) -> Option<&'l LiveFile> {
    let main = |wanted: Option<&str>| {
        live.files
            .iter()
            .find(|file| file.is_main && file.branch.as_ref().map(BranchId::as_str) == wanted)
    };
    main(Some(branch)).or_else(|| main(None))
}

async fn before(State(portal): Shared, Path(branch): Path<String>) -> Response {
    if BranchId::new(&branch).is_err() {
        return StatusCode::NOT_FOUND.into_response();
    }
    let gateway = portal.publisher.config.server.gateway_url.clone();
    let to = gateway.unwrap_or_else(|| format!("/portal/{branch}/welcome"));
    portal.page(&branch, &page::Form::to(to)).await
}

/// RFC 8908 §5. `captive` is true of a phone that no gateway has sent to `welcome`. Not there where
/// phones cannot be told apart: a wrong answer keeps guests from the portal.
async fn api(State(portal): Shared, Path(branch): Path<String>, request: Request) -> Response {
    if BranchId::new(&branch).is_err() || !portal.publisher.config.server.sees_phones {
        return StatusCode::NOT_FOUND.into_response();
    }
    let standing = peer(&request).map_or(Standing::Captive, |peer| portal.online.standing(peer));
    let base = portal.base();
    let mut state = serde_json::json!({
        "captive": matches!(standing, Standing::Captive),
        "user-portal-url": format!("{base}/portal/{branch}"),
        "venue-info-url": format!("{base}/portal/{branch}/venue"),
    });
    if let Standing::Online { remaining: Some(remaining) } = standing {
        state["seconds-remaining"] = remaining.as_secs().into();
    }
    let headers = [
        (header::CONTENT_TYPE, "application/captive+json"),
        // RFC 8908 §4.1: the answer is about one phone.
        (header::CACHE_CONTROL, "private, no-store"),
    ];
    (headers, Json(state).into_response().into_body()).into_response()
}

fn peer(request: &Request) -> Option<std::net::IpAddr> {
    let info = request.extensions().get::<ConnectInfo<super::Peer>>();
    info.map(|ConnectInfo(super::Peer(address))| address.ip())
}

async fn welcome(State(portal): Shared, Path(branch): Path<String>, request: Request) -> Response {
    let sent = format!("on={}", portal.let_on);
    if request.uri().query() == Some(sent.as_str())
        && let Some(peer) = peer(&request)
    {
        portal.online.came(peer);
    }
    let live = portal.live().await;
    let main = live.as_deref().and_then(|live| main_page(live, &branch));
    if let Some(lesson) = main.and_then(|file| file.lesson.as_ref()) {
        portal.count(live.as_deref(), &branch, lesson, HitKind::Continue);
    }
    venue::page(&portal, &branch, live.as_deref(), true).await
}

async fn look_around(State(portal): Shared, Path(branch): Path<String>) -> Response {
    let live = portal.live().await;
    let main = live.as_deref().and_then(|live| main_page(live, &branch));
    if let Some(lesson) = main.and_then(|file| file.lesson.as_ref()) {
        portal.count(live.as_deref(), &branch, lesson, HitKind::Venue);
    }
    venue::page(&portal, &branch, live.as_deref(), false).await
}

async fn scan_at_bank(State(portal): Shared, Path(lesson): Path<String>) -> Response {
    scan(State(portal), Path((lesson, BANK.to_owned()))).await
}

/// A QR code on a poster.
async fn scan(State(portal): Shared, Path((lesson, branch)): Path<(String, String)>) -> Response {
    let (Ok(lesson), Ok(branch)) = (LessonId::new(&lesson), BranchId::new(&branch)) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let live = portal.live().await;
    portal.count(live.as_deref(), branch.as_str(), &lesson, HitKind::Scan);
    let is_live = live
        .is_some_and(|live| live.files.iter().any(|file| file.lesson.as_ref() == Some(&lesson)));
    // A poster hangs longer than its week: what is live now is better than nothing.
    let to = if is_live {
        format!("/portal/{branch}/lesson/{lesson}")
    } else {
        format!("/portal/{branch}/venue")
    };
    Redirect::to(&to).into_response()
}

async fn read(
    State(portal): Shared,
    Path((branch, lesson)): Path<(String, String)>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    let live = portal.live().await;
    let (Some(live), Ok(lesson)) = (live.as_deref(), LessonId::new(&lesson)) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    portal.count(Some(live), &branch, &lesson, HitKind::Read);
    venue::lesson(&portal, live, &branch, &lesson, &query).await
}

/// A picture or a poster of what is live. Everything else is not there.
async fn file(
    State(portal): Shared,
    Path(digest): Path<String>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    let live = portal.live().await;
    let wanted = Digest::from_hex(&digest);
    let found = live.as_deref().zip(wanted).and_then(|(live, wanted)| {
        live.files.iter().find(|file| file.sha256 == wanted && is_for_guests(file))
    });
    let Some(found) = found else { return StatusCode::NOT_FOUND.into_response() };
    let tag = format!("\"{digest}\"");
    if headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
        return StatusCode::NOT_MODIFIED.into_response();
    }
    let Some(bytes) = portal.bytes(found.sha256).await else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let disposition = if query.contains_key("save") {
        format!("attachment; filename=\"{}\"", ascii_name(&found.name))
    } else {
        "inline".to_owned()
    };
    let headers = [
        (header::CONTENT_TYPE, found.media_type.as_str().to_owned()),
        (header::CACHE_CONTROL, "private, max-age=3600".to_owned()),
        (header::ETAG, tag),
        (header::CONTENT_DISPOSITION, disposition),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; sandbox".to_owned(),
        ),
    ];
    (headers, bytes).into_response()
}

/// Pictures and paper; pages have addresses of their own, and packages are for gateways.
fn is_for_guests(file: &LiveFile) -> bool {
    let is_picture = matches!(
        file.media_type,
        MediaType::Png | MediaType::Jpeg | MediaType::Svg | MediaType::Pdf
    );
    is_picture && !file.output.is_for_staff() && file.output != OutputKind::Booth
}

/// A name that can stand in a header.
fn ascii_name(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || ".-_".contains(c) { c } else { '_' };
    name.chars().map(plain).collect()
}
