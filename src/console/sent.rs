//! What a form or a program sent, read alike: a form's fields or a JSON object.

use super::trouble::Trouble;
use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::header,
};
use serde::de::DeserializeOwned;

/// Whether something is the name of a thing: one line of 1 to `longest` letters, none of which acts
/// on how the others are drawn (control characters, line separators, Unicode's directional
/// formatting, UAX 9).
pub(super) fn is_plain(name: &str, longest: usize) -> bool {
    let acts = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    (1..=longest).contains(&name.chars().count()) && !name.chars().any(acts)
}

/// The body as a `T`. Fields of forms that people fill in should be texts, which the handler reads
/// itself, so that every fault is named at once.
#[derive(Debug)]
pub struct Sent<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Sent<T> {
    type Rejection = Trouble;

    async fn from_request(request: Request, state: &S) -> Result<Self, Trouble> {
        let kind = request.headers().get(header::CONTENT_TYPE);
        let kind = kind.and_then(|value| value.to_str().ok()).unwrap_or_default();
        let is_json = kind.starts_with("application/json");
        let is_form = kind.starts_with("application/x-www-form-urlencoded");
        let bytes = Bytes::from_request(request, state).await;
        let bytes = bytes.map_err(|error| Trouble::wrong(error.body_text()))?;
        let unread = |error: String| {
            Trouble::wrong(format!("发来的内容读不懂：{error}；字段见 /api/v1/openapi.json"))
        };
        if is_json {
            serde_json::from_slice(&bytes).map(Self).map_err(|error| unread(error.to_string()))
        } else if is_form || bytes.is_empty() {
            serde_html_form::from_bytes(&bytes).map(Self).map_err(|error| unread(error.to_string()))
        } else {
            Err(unread("Content-Type 应为 application/json".to_owned()))
        }
    }
}
