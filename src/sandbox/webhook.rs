//! A strict receiver of webhooks: checks signature, timestamp and `Idempotency-Key` as Standard
//! Webhooks wants it, keeps its own books of what came, and misbehaves when told to.
//!
//! `POST /webhook/{channel}` receives; `GET /webhook/{channel}` shows what it has had.

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header::RETRY_AFTER},
    response::{IntoResponse as _, Response},
    routing::get,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use standardwebhooks::Webhook;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use subtle::ConstantTimeEq as _;

/// What requests to the stand-in are signed with; both sides know it, and it protects nothing.
pub const SANDBOX_SECRET: &str = "whsec_Y2Fpc2hpLXNhbmRib3gtd2ViaG9vay1zaWduYXR1cmU=";

/// How far a timestamp may be off (Standard Webhooks, Verifying).
const TOLERANCE_SECONDS: i64 = 5 * 60;

/// What the next request is to meet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WebhookFault {
    /// It is answered with this status, and has no effect.
    Status {
        /// The status.
        status: u16,
        /// `Retry-After`.
        retry_after: Option<String>,
    },
    /// It is answered late.
    Latency(Duration),
    /// The connection is cut before it has any effect.
    CutBefore,
    /// It has its effect, then the connection is cut.
    CutAfter,
    /// It has its effect, then this status is the answer.
    StatusAfter(u16),
    /// It has its effect, and 200 with this body is the answer.
    Body(String),
}

/// A request that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The channel of the path.
    pub channel: String,
    /// `webhook-id`.
    pub id: String,
    /// `Idempotency-Key`.
    pub key: String,
    /// The `type` of the body, where it is JSON and has one.
    pub kind: Option<String>,
    /// The body.
    pub body: String,
    /// When.
    pub at: Timestamp,
}

/// A request that was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The channel of the path.
    pub channel: String,
    /// The status.
    pub status: u16,
    /// Why, in Chinese.
    pub reason: String,
}

#[derive(Default)]
struct Books {
    received: Vec<Received>,
    duplicates: Vec<String>,
    refused: Vec<Refused>,
    faults: VecDeque<WebhookFault>,
    skew: SignedDuration,
}

/// The receiver; its handles share the same books.
#[derive(Clone)]
pub struct WebhookReceiver {
    signer: Arc<Webhook>,
    books: Arc<Mutex<Books>>,
}

/// Why a receiver cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("替身的签名密钥应为 whsec_ 加 base64")]
pub struct SecretFault;

impl WebhookReceiver {
    /// A receiver that checks signatures with this secret (`whsec_…`).
    ///
    /// # Errors
    /// [`SecretFault`] where it is not base64.
    pub fn new(secret: &str) -> Result<Self, SecretFault> {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap_or(secret));
        let signer = Webhook::from_bytes(key.map_err(|_| SecretFault)?).map_err(|_| SecretFault)?;
        Ok(Self { signer: Arc::new(signer), books: Arc::default() })
    }

    /// The routes.
    pub fn router(&self) -> Router {
        Router::new().route("/webhook/{channel}", get(show).post(receive)).with_state(self.clone())
    }

    /// What was taken, each key once, in order.
    pub fn received(&self) -> Vec<Received> {
        self.books().received.clone()
    }

    /// The keys that came again, once per repetition.
    pub fn duplicates(&self) -> Vec<String> {
        self.books().duplicates.clone()
    }

    /// What was not taken, and why.
    pub fn refused(&self) -> Vec<Refused> {
        self.books().refused.clone()
    }

    /// What the next request is to meet; several are met one after another.
    pub fn inject(&self, fault: WebhookFault) {
        self.books().faults.push_back(fault);
    }

    /// Moves the receiver's clock.
    pub fn move_clock(&self, by: SignedDuration) {
        let mut books = self.books();
        books.skew = books.skew.saturating_add(by);
    }

    /// How far the receiver's clock is ahead.
    pub fn skew_clock(&self, by: SignedDuration) {
        self.books().skew = by;
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the request, recognises it, or says why not.
    fn take(&self, channel: &str, headers: &HeaderMap, body: &[u8]) -> (StatusCode, Value) {
        let taken = self.judge(channel, headers, body);
        let mut books = self.books();
        match taken {
            Err((status, reason)) => {
                let channel = channel.to_owned();
                let reply = json!({"error": reason});
                books.refused.push(Refused { channel, status: status.as_u16(), reason });
                (status, reply)
            }
            Ok(new) => match books.received.iter().find(|old| old.key == new.key) {
                Some(old) if old.body == new.body && old.id == new.id => {
                    let reply = json!({"received": true, "repeated": true});
                    books.duplicates.push(new.key);
                    (StatusCode::OK, reply)
                }
                Some(_) => {
                    let status = StatusCode::UNPROCESSABLE_ENTITY;
                    let reason = "同一个 Idempotency-Key 带来了别的内容".to_owned();
                    let channel = channel.to_owned();
                    books.refused.push(Refused { channel, status: status.as_u16(), reason });
                    (status, json!({"error": "idempotency-key reused"}))
                }
                None => {
                    books.received.push(new);
                    (StatusCode::OK, json!({"received": true, "repeated": false}))
                }
            },
        }
    }

    fn judge(
        &self,
        channel: &str,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Received, (StatusCode, String)> {
        let header = |name: &str| {
            headers
                .get(name)
                .and_then(|value| value.to_str().ok())
                .filter(|value| !value.is_empty())
                .map(str::to_owned)
                .ok_or_else(|| (StatusCode::BAD_REQUEST, format!("缺少头部 {name}")))
        };
        let (id, key) = (header("webhook-id")?, header("idempotency-key")?);
        let (moment, signatures) = (header("webhook-timestamp")?, header("webhook-signature")?);
        let unsigned = |reason: &str| (StatusCode::UNAUTHORIZED, reason.to_owned());
        let moment: i64 = moment.parse().map_err(|_| unsigned("webhook-timestamp 不是秒数"))?;
        let now = Timestamp::now().saturating_add(self.books().skew).unwrap_or(Timestamp::MAX);
        if (now.as_second() - moment).abs() > TOLERANCE_SECONDS {
            return Err(unsigned("webhook-timestamp 与本机相差超过 5 分钟"));
        }
        let expected = self
            .signer
            .sign(&id, moment, body)
            .map_err(|_| (StatusCode::BAD_REQUEST, "正文不是 UTF-8".to_owned()))?;
        let valid = signatures
            .split(' ')
            .any(|signature| signature.as_bytes().ct_eq(expected.as_bytes()).into());
        if !valid {
            return Err(unsigned("签名不对"));
        }
        let body = String::from_utf8_lossy(body).into_owned();
        let kind = serde_json::from_str::<Value>(&body)
            .ok()
            .and_then(|value| value.get("type")?.as_str().map(str::to_owned));
        Ok(Received { channel: channel.to_owned(), id, key, kind, body, at: now })
    }
}

async fn receive(
    State(receiver): State<WebhookReceiver>,
    Path(channel): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let fault = receiver.books().faults.pop_front();
    let take = || receiver.take(&channel, &headers, &body);
    match fault {
        Some(WebhookFault::Status { status, retry_after }) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let mut answer = status.into_response();
            if let Some(value) = retry_after.and_then(|text| text.parse().ok()) {
                answer.headers_mut().insert(RETRY_AFTER, value);
            }
            return answer;
        }
        Some(WebhookFault::Latency(time)) => tokio::time::sleep(time).await,
        Some(WebhookFault::CutBefore) => cut(),
        Some(WebhookFault::CutAfter) => {
            take();
            cut()
        }
        Some(WebhookFault::StatusAfter(status)) => {
            take();
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            return status.into_response();
        }
        Some(WebhookFault::Body(text)) => {
            take();
            return text.into_response();
        }
        None => {}
    }
    let (status, reply) = take();
    (status, Json(reply)).into_response()
}

/// Ends the connection without an answer: unwinding ends the task that serves it. No panic hook
/// is called, so nothing is printed.
fn cut() -> ! {
    std::panic::resume_unwind(Box::new("the connection is cut"))
}

async fn show(State(receiver): State<WebhookReceiver>, Path(channel): Path<String>) -> Json<Value> {
    let received: Vec<Value> = receiver
        .received()
        .into_iter()
        .filter(|received| received.channel == channel)
        .map(|received| {
            let body = serde_json::from_str(&received.body)
                .unwrap_or_else(|_| Value::String(received.body.clone()));
            json!({"id": received.id, "at": received.at.to_string(), "body": body})
        })
        .collect();
    let refused: Vec<Value> = receiver
        .refused()
        .into_iter()
        .filter(|refused| refused.channel == channel)
        .map(|refused| json!({"status": refused.status, "reason": refused.reason}))
        .collect();
    let repeated = receiver.duplicates().len();
    Json(json!({"received": received, "repeated": repeated, "refused": refused}))
}
