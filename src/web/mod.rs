//! What `caishi serve` answers over HTTP: `/healthz`, `/readyz`, `/hooks/<channel>`, `/packs`,
//! `/portal` and `/q`, and metrics on a listener of their own.

mod metrics;
mod packs;
mod portal;
mod tls;
mod xibo;
pub mod xmds;

pub use metrics::{MetricsError, Recorder};
pub use portal::Counter;
pub use tls::{TlsError, TlsListener};

use crate::{deliver::HookRequest, model::ChannelId, work::Publisher};
use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, RawQuery, State, connect_info::Connected},
    http::{Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{any, get},
    serve::IncomingStream,
};
use std::{net::SocketAddr, sync::Arc};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Callbacks are a few kilobytes; more is not one.
const LARGEST_BODY: usize = 256 * 1024;

/// Who is at the other end of a connection.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

impl Connected<IncomingStream<'_, TcpListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, TcpListener>) -> Self {
        Self(*stream.remote_addr())
    }
}

/// The routes of the service.
pub fn router(publisher: Publisher) -> Router {
    Service::new(publisher).router
}

/// The routes, and what belongs to guests among them.
#[derive(Clone)]
pub struct Service {
    /// All routes.
    pub router: Router,
    /// Those for guests, for the listener that phones reach with TLS.
    pub guests: Router,
    /// Counts guests; to be written once more when the service ends.
    pub counter: Arc<Counter>,
}

impl Service {
    /// The routes of a deployment.
    pub fn new(publisher: Publisher) -> Self {
        let (guests, counter) = portal::router(publisher.clone());
        Self { router: routes(publisher).merge(guests.clone()), guests, counter }
    }
}

fn routes(publisher: Publisher) -> Router {
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/hooks/{channel}", any(hook))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .with_state(publisher.clone())
        .merge(players(&publisher))
        .merge(packs::router(publisher))
}

/// The view for Xibo players; a key that cannot be fetched keeps the rest from nothing.
fn players(publisher: &Publisher) -> Router {
    match xibo::router(publisher) {
        Ok(router) => router.unwrap_or_default(),
        Err(fault) => {
            tracing::error!("Xibo 播放器接不上：[server] xibo_key：{fault}");
            Router::new()
        }
    }
}

/// Serves until `stop`; requests that are under way are finished.
///
/// # Errors
/// The socket's.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    stop: CancellationToken,
) -> std::io::Result<()> {
    let service = router.into_make_service_with_connect_info::<Peer>();
    axum::serve(listener, service).with_graceful_shutdown(stop.cancelled_owned()).await
}

/// As [`serve`], with TLS.
///
/// # Errors
/// The socket's.
pub async fn serve_tls(
    listener: TlsListener,
    router: Router,
    stop: CancellationToken,
) -> std::io::Result<()> {
    let service = router.into_make_service_with_connect_info::<Peer>();
    axum::serve(listener, service).with_graceful_shutdown(stop.cancelled_owned()).await
}

/// Ready where the ledger answers and nothing holds the deployment.
async fn ready(State(publisher): State<Publisher>) -> Response {
    match publisher.store.deployment().await {
        Ok(deployment) => match deployment.hold {
            None => (StatusCode::OK, "ready\n").into_response(),
            Some(hold) => {
                let text = format!("held: {} ({})\n", hold.reason, hold.by);
                (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
            }
        },
        Err(error) => {
            let chain: &dyn std::error::Error = &error;
            tracing::error!(error = chain, "台账没有回答");
            (StatusCode::SERVICE_UNAVAILABLE, "database unavailable\n").into_response()
        }
    }
}

async fn hook(
    State(publisher): State<Publisher>,
    Path(channel): Path<String>,
    RawQuery(query): RawQuery,
    method: Method,
    body: Bytes,
) -> Response {
    let Ok(channel) = ChannelId::new(&channel) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let request = HookRequest {
        method: method.to_string(),
        query: query.unwrap_or_default(),
        body: body.to_vec(),
    };
    match publisher.receive(&channel, &request).await {
        Ok(Some(reply)) => {
            let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::BAD_GATEWAY);
            let plain = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
            (status, plain, reply.body).into_response()
        }
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(error) => {
            let chain: &dyn std::error::Error = &error;
            tracing::error!(error = chain, channel = %channel, "回调没有处理成，等平台重发");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}
