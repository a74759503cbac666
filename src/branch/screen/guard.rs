//! Who may ask: this machine, under a loopback name, and for reports the page itself.

use axum::{
    extract::{Request, connect_info::ConnectInfo},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use std::net::SocketAddr;

/// Nothing but our own files, no inline script or style, in nobody's frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; \
     font-src 'self'; connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self'; \
     frame-ancestors 'none'";

/// Refuses a request that does not name loopback as its host, and gives every answer its headers.
///
/// A page of the internet whose name was made to point at 127.0.0.1 (DNS rebinding) still says its
/// own name in `Host`.
pub(super) async fn guard(request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let local = peer.is_some_and(|ConnectInfo(peer)| peer.ip().is_loopback());
    let mut response = if local && host(request.headers()).is_some() {
        next.run(request).await
    } else {
        (StatusCode::FORBIDDEN, "只在本机用 127.0.0.1 或 localhost 打开\n").into_response()
    };
    let headers = response.headers_mut();
    let fixed = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        // A taken down poster must not live on in the browser's cache on the disk.
        (header::CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in fixed {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    for name in ["cross-origin-resource-policy", "cross-origin-opener-policy"] {
        headers.insert(name, HeaderValue::from_static("same-origin"));
    }
    response
}

/// The host of a request, where it is loopback.
pub(super) fn host(headers: &HeaderMap) -> Option<&str> {
    let host = headers.get(header::HOST)?.to_str().ok()?;
    let name = match host.rsplit_once(':') {
        Some((name, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => name,
        Some(_) | None => host,
    };
    ["127.0.0.1", "localhost", "[::1]"].contains(&name).then_some(host)
}

/// Whether a request comes from one of our own pages: browsers say so, and nothing else has to
/// report.
pub(super) fn same_origin(headers: &HeaderMap) -> bool {
    let origin = headers.get(header::ORIGIN).and_then(|value| value.to_str().ok());
    let own = host(headers).map(|host| format!("http://{host}"));
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    own.is_some() && origin == own.as_deref() && site.is_none_or(|site| site == b"same-origin")
}
