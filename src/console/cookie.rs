//! Cookies: read by name, written with the attributes that RFC 6265bis asks for.

use axum::http::{HeaderMap, HeaderValue, header};

/// The value of a cookie; the first of that name.
pub(super) fn read<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(own, _)| *own == name)
        .map(|(_, value)| value)
}

/// How long a cookie lives.
#[derive(Debug, Clone, Copy)]
pub(super) enum Life {
    /// Until the browser closes.
    Browser,
    /// So many seconds; 0 deletes it.
    Seconds(u32),
}

/// A `Set-Cookie` value. `value` must be made of unreserved characters.
pub(super) fn write(name: &str, value: &str, life: Life, secure: bool) -> Option<HeaderValue> {
    let age = match life {
        Life::Browser => String::new(),
        Life::Seconds(seconds) => format!("; Max-Age={seconds}"),
    };
    let secure = if secure { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{age}{secure}");
    HeaderValue::from_str(&text).ok()
}
