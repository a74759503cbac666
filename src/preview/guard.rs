//! Who is let in: the browser of the person at this machine, looking at this page.
//!
//! Listening on loopback keeps other machines out, not other web pages: those can make a browser
//! here send requests, and a name of theirs can be made to mean 127.0.0.1 (DNS rebinding). So the
//! `Host` must be ours, requests that another site began are refused, and no other origin is given
//! leave to read an answer.

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use std::net::SocketAddr;

/// What pages of ours may do: show what this server gives, run the one script, nothing inline.
pub const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self'; frame-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; \
     frame-ancestors 'none'";

/// What framed outputs may do: look as they will. They run no script, open nothing, load nothing
/// from elsewhere; the sandbox keeps their origin only so that the page can keep their scroll
/// position.
pub const OUTPUT_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; \
     img-src 'self' data:; form-action 'none'; base-uri 'none'; frame-ancestors 'self'; \
     sandbox allow-same-origin";

/// What pictures, paper and packages may do: browsers show PDF only outside of a sandbox, and
/// nothing of these is a page.
pub const FILE_POLICY: &str = "frame-ancestors 'self'";

/// Answers 403 to whoever is not let in, and says in every answer what may be done with it.
pub async fn guard(State(address): State<SocketAddr>, request: Request, next: Next) -> Response {
    let mut response = match refusal(address, request.method(), request.headers()) {
        Some((status, reason)) => (status, reason).into_response(),
        None => next.run(request).await,
    };
    protect(&mut response);
    response
}

fn refusal(
    address: SocketAddr,
    method: &Method,
    headers: &HeaderMap,
) -> Option<(StatusCode, &'static str)> {
    if *method != Method::GET && *method != Method::HEAD {
        return Some((StatusCode::METHOD_NOT_ALLOWED, "只能看\n"));
    }
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let port = address.port();
    let host = text(header::HOST).unwrap_or("").to_ascii_lowercase();
    let ours = [format!("{address}"), format!("localhost:{port}"), format!("127.0.0.1:{port}")];
    if !ours.contains(&host) {
        return Some((StatusCode::FORBIDDEN, "请用 caishi preview 打印的地址打开\n"));
    }
    let site = text(HeaderName::from_static("sec-fetch-site")).unwrap_or("none");
    // A link that somebody follows is a document of its own and shows nothing to where it came from.
    let is_followed = text(HeaderName::from_static("sec-fetch-dest")) == Some("document");
    if !matches!(site, "none" | "same-origin") && !is_followed {
        return Some((StatusCode::FORBIDDEN, "别的网页不能读这里\n"));
    }
    None
}

fn protect(response: &mut Response<Body>) {
    let headers = response.headers_mut();
    let policy = (header::CONTENT_SECURITY_POLICY, PAGE_POLICY);
    if !headers.contains_key(&policy.0) {
        headers.insert(policy.0, HeaderValue::from_static(policy.1));
    }
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}
