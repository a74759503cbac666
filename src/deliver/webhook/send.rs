//! One request and its answer.

use super::{
    channel::WebhookChannel,
    status::{self, Answer},
    wire::Event,
};
use crate::deliver::{DeliverError, EgressError, ErrorKind, Parcel, Retry};
use jiff::Timestamp;
use reqwest::{
    Response,
    header::{CONTENT_TYPE, RETRY_AFTER},
};
use std::time::Duration;

/// How much of an answer is read.
const ANSWER_LIMIT: usize = 64 * 1024;

/// The names of one request: the same in every attempt.
pub(super) struct Names {
    pub(super) id: String,
    key: String,
}

impl Names {
    pub(super) fn of(event: Event, parcel: &Parcel) -> Self {
        let short = parcel.key.short();
        let key = parcel.key.digest();
        match event {
            Event::Published => Self { id: format!("msg_{short}"), key: key.to_string() },
            // A key of its own: the receiver would drop it as a repetition.
            Event::Recalled => {
                Self { id: format!("msg_{short}_recalled"), key: format!("{key}-recalled") }
            }
        }
    }
}

impl WebhookChannel {
    pub(super) fn judge_address(&self) -> Result<(), EgressError> {
        if self.allow_http {
            self.egress.check_address(&self.url)
        } else {
            self.egress.check(&self.url)
        }
    }

    /// Sends once. An error that is not `Ask` means that the receiver did not take it.
    pub(super) async fn send(
        &self,
        names: &Names,
        body: String,
        now: Timestamp,
    ) -> Result<u16, DeliverError> {
        self.judge_address().map_err(|refusal| self.refused(&refusal))?;
        let moment = now.as_second();
        let signature = self.signer.sign(&names.id, moment, body.as_bytes()).map_err(|error| {
            let advice = "请核对 secret";
            DeliverError::new(ErrorKind::Configuration, Retry::Never, "签不了名", advice)
                .caused_by(error)
        })?;
        let sent = self
            .client
            .post(self.url.clone())
            .headers(self.headers.clone())
            .header(CONTENT_TYPE, &self.content_type)
            .header("idempotency-key", &names.key)
            .header("webhook-id", &names.id)
            .header("webhook-timestamp", moment)
            .header("webhook-signature", signature)
            .body(body)
            .send()
            .await;
        let answer = sent.map_err(|error| self.failed(error))?;
        let status = answer.status().as_u16();
        let retry_after = answer.headers().get(RETRY_AFTER).cloned();
        let retry_after = retry_after.as_ref().and_then(|value| value.to_str().ok());
        let idempotent = self.idempotent;
        status::judge(Answer { status, retry_after, idempotent, now }).map_err(|mut error| {
            error.message = format!("{}：{}", self.shown, error.message);
            error
        })?;
        self.judge_body(answer).await?;
        Ok(status)
    }

    /// A `200` with an error code inside is an error.
    async fn judge_body(&self, answer: Response) -> Result<(), DeliverError> {
        let Some(success) = &self.success else { return Ok(()) };
        let unclear = |what: &str| {
            DeliverError::new(
                ErrorKind::Protocol,
                Retry::Ask,
                format!("{}：{what}，不知道收下没有", self.shown),
                "请在接收方那边看收到没有，再运行 caishi resolve；并核对 success",
            )
        };
        let bytes = read(answer).await.map_err(|error| unclear("回答没有读完").caused_by(error))?;
        let value: serde_json::Value =
            serde_json::from_slice(&bytes).map_err(|_| unclear("回答不是 JSON"))?;
        match value.pointer(&success.pointer) {
            Some(found) if *found == success.equals => Ok(()),
            Some(found) => {
                let code: String = found.to_string().chars().take(40).collect();
                Err(DeliverError::new(
                    ErrorKind::Content,
                    Retry::Never,
                    format!("{}：回答里 {} 是 {code}", self.shown, success.pointer),
                    "请按接收方的文档查这个代码，改好后运行 caishi retry",
                )
                .code(code))
            }
            None => Err(unclear(&format!("回答里没有 {}", success.pointer))),
        }
    }

    pub(super) fn refused(&self, refusal: &EgressError) -> DeliverError {
        let retry = match refusal {
            EgressError::Resolve { .. } => Retry::After(Duration::from_mins(1)),
            _ => Retry::Never,
        };
        let advice = "请改这条渠道的 url 或 allow，再运行 caishi doctor";
        DeliverError::new(ErrorKind::Network, retry, format!("{}：{refusal}", self.shown), advice)
    }

    /// A request without an answer: before the connection stood, nothing happened; after it,
    /// nobody knows.
    pub(super) fn failed(&self, error: reqwest::Error) -> DeliverError {
        if let Some(refusal) = EgressError::within(&error) {
            return self.refused(&refusal.clone());
        }
        let soon = Retry::After(Duration::from_secs(30));
        let advice = "请检查网络、网址和证书：caishi doctor";
        let ask = "要看接收方收到没有；会重发的接收方自动再发一次，否则请运行 caishi resolve";
        let (kind, retry, what, next_step) = if error.is_builder() {
            (ErrorKind::Configuration, Retry::Never, "请求拼不出来", advice)
        } else if error.is_connect() {
            (ErrorKind::Network, soon, "连接不上", advice)
        } else if error.is_timeout() {
            (ErrorKind::Network, Retry::Ask, "发出后没有等到回答", ask)
        } else {
            (ErrorKind::Network, Retry::Ask, "发出后连接断了", ask)
        };
        let message = format!("{}：{what}", self.shown);
        DeliverError::new(kind, retry, message, next_step).caused_by(error.without_url())
    }
}

async fn read(mut answer: Response) -> Result<Vec<u8>, reqwest::Error> {
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(reqwest::Error::without_url)? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > ANSWER_LIMIT {
            break;
        }
    }
    Ok(bytes)
}
