//! The loopback server: connections that can be cut, the routes, and what all requests share.

use super::{
    Sandbox, SandboxError, SandboxOptions, admin, page,
    save::StateFile,
    setting,
    state::World,
    webhook::{self, WebhookReceiver},
    wechat::{self, Profile, Registration},
};
use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State, connect_info::Connected},
    http::{HeaderMap, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
    routing::{any, get, put},
    serve::{IncomingStream, Listener},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::Notify,
};
use tokio_util::sync::CancellationToken;
use url::Url;

/// What does not change while it runs.
#[derive(Debug)]
pub(super) struct Setting {
    pub url: Url,
    pub token_seconds: u32,
    pub publish_seconds: f32,
    pub bank: String,
}

/// What all requests share.
pub(super) struct Shared {
    pub setting: Setting,
    pub stop: CancellationToken,
    /// Rung when a job was added, the clock was moved or a callback waits.
    pub bell: Notify,
    pub client: reqwest::Client,
    pub pages: page::Pages,
    pub webhooks: WebhookReceiver,
    world: Mutex<World>,
    file: Option<Arc<StateFile>>,
    /// Counts changes; what is on disk is `saved`.
    version: AtomicU64,
    saved: tokio::sync::Mutex<u64>,
}

impl Shared {
    /// Works on the world, with its clock.
    pub(super) fn with_world<T>(&self, work: impl FnOnce(&mut World, Timestamp) -> T) -> T {
        // A panic while the lock was held has already failed that request; the books go on.
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        world.settle(&self.setting.url);
        let now = world.now();
        let result = work(&mut world, now);
        drop(world);
        self.version.fetch_add(1, Ordering::SeqCst);
        result
    }

    /// Moves the clock.
    pub(super) fn shift_clock(&self, by: SignedDuration) {
        self.with_world(|world, _| {
            let by = i64::try_from(by.as_millis()).unwrap_or(0);
            world.shift_ms = world.shift_ms.saturating_add(by);
            world.settle(&self.setting.url);
        });
        self.webhooks.move_clock(by);
        self.bell.notify_one();
    }

    /// Makes an account what it should be.
    pub(super) fn set_profile(&self, app_id: &str, profile: Profile) -> Result<(), SandboxError> {
        if !wechat::is_app_id(app_id) {
            return Err(SandboxError::AppId(app_id.to_owned()));
        }
        self.with_world(|world, _| world.account(app_id).profile = profile);
        Ok(())
    }

    /// Registers where callbacks go.
    pub(super) async fn register(
        &self,
        app_id: &str,
        registration: Registration,
    ) -> Result<(), SandboxError> {
        if !wechat::is_app_id(app_id) {
            return Err(SandboxError::AppId(app_id.to_owned()));
        }
        let now = self.with_world(|_, now| now);
        registration.verify(&self.client, now).await.map_err(SandboxError::Callback)?;
        self.with_world(|world, _| world.account(app_id).registration = Some(registration));
        Ok(())
    }

    /// Writes what has changed; returns when everything that happened before is on disk.
    pub(super) async fn save(&self) {
        let Some(file) = &self.file else { return };
        let wanted = self.version.load(Ordering::SeqCst);
        let mut saved = self.saved.lock().await;
        if *saved >= wanted {
            return;
        }
        let version = self.version.load(Ordering::SeqCst);
        let (json, pictures) = {
            let world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
            (serde_json::to_vec(&*world), world.pictures.clone())
        };
        let json = match json {
            Ok(json) => json,
            Err(error) => return tracing::error!(%error, "沙箱状态无法写成 JSON"),
        };
        let file = Arc::clone(file);
        let written = tokio::task::spawn_blocking(move || file.store(&json, &pictures)).await;
        match written {
            Ok(Ok(())) => *saved = version,
            Ok(Err(error)) => {
                tracing::error!(error = &error as &dyn std::error::Error, "沙箱状态没有存下");
            }
            Err(error) => tracing::error!(%error, "沙箱状态没有存下"),
        }
    }
}

/// Starts everything.
pub(super) async fn start(options: SandboxOptions) -> Result<Sandbox, SandboxError> {
    let address = options.listen;
    if !address.ip().to_canonical().is_loopback() {
        return Err(SandboxError::NotLoopback(address.ip()));
    }
    if let Some(wrong) = options.accounts.keys().find(|app_id| !wechat::is_app_id(app_id)) {
        return Err(SandboxError::AppId(wrong.clone()));
    }
    let file = options.state.clone().map(|path| Arc::new(StateFile::new(path)));
    let world = opened(&options, file.as_deref())?;
    let listen = |source| SandboxError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    let shared = Arc::new(Shared {
        setting: setting(&options, address)?,
        stop: CancellationToken::new(),
        bell: Notify::new(),
        pages: page::Pages::new().map_err(SandboxError::Page)?,
        webhooks: WebhookReceiver::new(webhook::SANDBOX_SECRET)?,
        client: wechat::callback_client().map_err(SandboxError::Client)?,
        world: Mutex::new(world),
        file,
        version: AtomicU64::new(1),
        saved: tokio::sync::Mutex::new(0),
    });
    let stop = shared.stop.clone();
    let router = router(&shared).into_make_service_with_connect_info::<Peer>();
    let serving = tokio::spawn(async move {
        let server = axum::serve(Loopback(listener), router);
        if let Err(error) = server.with_graceful_shutdown(stop.cancelled_owned()).await {
            tracing::error!(%error, "沙箱停止了服务");
        }
    });
    let calling = tokio::spawn(wechat::call_back(Arc::clone(&shared)));
    Ok(Sandbox { shared, address, tasks: vec![serving, calling] })
}

fn opened(options: &SandboxOptions, file: Option<&StateFile>) -> Result<World, SandboxError> {
    let loaded = file.map_or(Ok(None), StateFile::load)?;
    let mut world = match loaded {
        Some(world) => world,
        None => World::new(random_text()),
    };
    world.faults.set(options.faults.clone());
    world.bank.clone_from(&options.bank);
    world.profiles.clone_from(&options.accounts);
    for (app_id, profile) in &options.accounts {
        world.account(app_id).profile = profile.clone();
    }
    Ok(world)
}

/// 32 characters that nobody can guess.
pub(super) fn random_text() -> String {
    let mut bytes = [0_u8; 24];
    if getrandom::fill(&mut bytes).is_err() {
        // Only uniqueness between two stand-ins is needed, not secrecy.
        let nanoseconds = Timestamp::now().as_nanosecond().to_be_bytes();
        bytes[..16].copy_from_slice(&nanoseconds);
    }
    URL_SAFE_NO_PAD.encode(bytes)
}

fn router(shared: &Arc<Shared>) -> Router {
    let state = Arc::clone(shared);
    Router::new()
        .route("/", get(page::front))
        .route("/style.css", get(page::style))
        .route("/wechat/s/{id}", get(page::article))
        .route("/wechat/draft/{account}/{media_id}", get(page::draft))
        .route("/wechat/mmbiz/{*path}", get(page::picture))
        .route("/wechat/cgi-bin/{*path}", any(wechat::entrance))
        .route("/wechat/datacube/{*path}", any(wechat::entrance))
        .route("/_sandbox/books", get(admin::books))
        .route("/_sandbox/faults", put(admin::faults))
        .route("/_sandbox/callback", put(admin::callback))
        .route("/_sandbox/clock", put(admin::clock))
        .route("/_sandbox/account", put(admin::account))
        // The entrance has a limit of its own, above that of the largest file.
        .layer(DefaultBodyLimit::disable())
        .with_state(Arc::clone(&state))
        .merge(shared.webhooks.router())
        .layer(middleware::from_fn_with_state(state, own_requests))
}

/// Refuses what a browser sends on behalf of another site: names that resolve to this machine
/// (DNS rebinding), and requests to the admin routes that another page started.
async fn own_requests(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let port = shared.setting.url.port_or_known_default();
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("");
    if !is_own_host(host, port) {
        return (StatusCode::MISDIRECTED_REQUEST, "沙箱只应答本机地址\n").into_response();
    }
    if request.uri().path().starts_with("/_sandbox/") && is_foreign(headers, port) {
        return (StatusCode::FORBIDDEN, "管理接口不接受别的网页发来的请求\n").into_response();
    }
    next.run(request).await
}

fn is_own_host(host: &str, port: Option<u16>) -> bool {
    let Ok(url) = Url::parse(&format!("http://{host}/")) else { return false };
    let local = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    local && url.port_or_known_default() == port
}

fn is_foreign(headers: &HeaderMap, port: Option<u16>) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let site = text("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none");
    let origin = text("origin").is_some_and(|origin| {
        !origin.strip_prefix("http://").is_some_and(|host| is_own_host(host, port))
    });
    site || origin
}

/// Who is at the other end, and the handle that cuts the connection.
#[derive(Debug, Clone)]
pub(super) struct Peer {
    pub address: SocketAddr,
    cut: Arc<AtomicBool>,
}

impl Peer {
    /// Cuts: nothing more is read or written, and the client sees the connection end.
    pub(super) fn cut(&self) {
        self.cut.store(true, Ordering::SeqCst);
    }
}

impl Connected<IncomingStream<'_, Loopback>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Loopback>) -> Self {
        Self { address: *stream.remote_addr(), cut: Arc::clone(&stream.io().cut) }
    }
}

struct Loopback(TcpListener);

impl Listener for Loopback {
    type Io = Cuttable;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Cuttable, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        (Cuttable { stream, cut: Arc::default() }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// A connection that ends without a word once it is cut.
struct Cuttable {
    stream: TcpStream,
    cut: Arc<AtomicBool>,
}

impl Cuttable {
    fn check(&self) -> io::Result<()> {
        if self.cut.load(Ordering::SeqCst) {
            // A reset instead of an orderly end, as from a router that lost the connection.
            let _ = self.stream.set_zero_linger();
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(())
    }
}

impl AsyncRead for Cuttable {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Cuttable {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
