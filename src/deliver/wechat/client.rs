//! One request to the platform and its answer, sorted into what may be concluded from it.
//!
//! * A failure to connect means that nothing was sent: the next address is tried, also for
//!   irreversible calls.
//! * After that, no answer means that nothing is known. A repeatable call may be made again; an
//!   irreversible one must be looked up.
//! * A `200` with an `errcode` is an error; which one, `error.rs` says.
//!
//! The access token stands in the query: no URL gets into an error, and what the platform says is
//! searched for the token and the secret before anybody sees it.

use super::{
    config::WechatConfig,
    error::{self, Effect, Situation, TOKEN_CODES},
    quota,
    token::{self, Token, TokenSeal},
};
use crate::deliver::{Books, DeliverError, ErrorKind, QuotaWindow, Retry};
use jiff::Timestamp;
use reqwest::multipart::{Form, Part};
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::{fmt, time::Duration};
use url::Url;

/// For one request, connecting included.
pub(super) const REQUEST_TIMEOUT: Duration = Duration::from_secs(12);

/// The longest that `commit` takes on the network: a token, a refusal, another token, the call;
/// each after one address that did not answer.
pub(super) const MAX_REQUEST_TIME: Duration = Duration::from_secs(90);

/// The longest answer that is read: eight articles of a megabyte, and some.
const MAX_ANSWER_BYTES: usize = 20 << 20;

/// How long to wait after the network failed.
const NETWORK_PAUSE: Duration = Duration::from_secs(15);

/// What goes with a request.
pub(super) enum Body<'a> {
    /// Nothing: `GET`.
    None,
    /// JSON, in raw UTF-8: the platform stores `\uXXXX` literally.
    Json(&'a Value),
    /// A file as multipart form field `media`.
    File { name: String, media_type: &'static str, bytes: &'a [u8] },
}

/// One request below `/cgi-bin/`.
pub(super) struct Request<'a> {
    /// `draft/add`; also the name of its quota.
    pub(super) call: &'static str,
    /// What else stands in the query.
    pub(super) query: &'static [(&'static str, &'static str)],
    pub(super) body: Body<'a>,
    pub(super) effect: Effect,
}

impl<'a> Request<'a> {
    /// A repeatable call with a JSON body.
    pub(super) fn json(call: &'static str, body: &'a Value) -> Self {
        Self { call, query: &[], body: Body::Json(body), effect: Effect::Repeatable }
    }
}

/// What the platform said.
pub(super) struct Answer {
    /// `errcode`; zero where there is none.
    pub(super) code: i64,
    /// `errmsg`, less secrets.
    pub(super) message: String,
    /// All of it.
    pub(super) body: Value,
}

/// The connection to one account.
pub(super) struct Client {
    http: reqwest::Client,
    hosts: Vec<Url>,
    app_id: String,
    secret: SecretString,
    seal: TokenSeal,
    mass_window: QuotaWindow,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("app_id", &self.app_id)
            .field("hosts", &self.hosts)
            .finish_non_exhaustive()
    }
}

impl Client {
    pub(super) fn new(config: &WechatConfig, http: reqwest::Client, secret: SecretString) -> Self {
        Self {
            http,
            hosts: config.hosts.clone(),
            app_id: config.app_id.clone(),
            seal: TokenSeal::new(&config.app_id, &secret),
            secret,
            mass_window: config.send.mass_quota().0,
        }
    }

    pub(super) fn app_id(&self) -> &str {
        &self.app_id
    }

    pub(super) fn secret(&self) -> &SecretString {
        &self.secret
    }

    pub(super) fn seal(&self) -> &TokenSeal {
        &self.seal
    }

    /// Makes a call, within its quota; any `errcode` is an error.
    pub(super) async fn call(
        &self,
        request: &Request<'_>,
        books: &dyn Books,
    ) -> Result<Value, DeliverError> {
        let answer = self.ask(request, books).await?;
        self.checked(answer, request.call, request.effect, books.now().await?)
    }

    /// Makes a call, within its quota; an `errcode` is for the caller to read.
    pub(super) async fn ask(
        &self,
        request: &Request<'_>,
        books: &dyn Books,
    ) -> Result<Answer, DeliverError> {
        let token = self.ready(request.call, books).await?;
        self.ask_with(token, request, books).await
    }

    /// Takes a call out of its quota and gets a token: everything that can keep it from being
    /// made, before it is written down that it is made.
    pub(super) async fn ready(&self, call: &str, books: &dyn Books) -> Result<Token, DeliverError> {
        if let Some(limit) = quota::daily_limit(call) {
            quota::take(books, call, QuotaWindow::Day, limit).await?;
        }
        token::current(self, books).await
    }

    /// Makes the call. Where the token is refused, refreshes it once and repeats the call once.
    pub(super) async fn ask_with(
        &self,
        token: Token,
        request: &Request<'_>,
        books: &dyn Books,
    ) -> Result<Answer, DeliverError> {
        let answer = self.send(request, &token).await?;
        if !TOKEN_CODES.contains(&answer.code) {
            return Ok(answer);
        }
        // The refusal says that nothing happened, so even an irreversible call may be repeated.
        let fresh = token::after_refusal(self, token.version, books).await?;
        self.send(request, &fresh).await
    }

    /// The answer's body, unless it is a refusal.
    pub(super) fn checked(
        &self,
        answer: Answer,
        call: &str,
        effect: Effect,
        now: Timestamp,
    ) -> Result<Value, DeliverError> {
        match answer.code {
            0 => Ok(answer.body),
            code => Err(self.refusal(code, &answer.message, call, effect, now)),
        }
    }

    pub(super) fn refusal(
        &self,
        code: i64,
        message: &str,
        call: &str,
        effect: Effect,
        now: Timestamp,
    ) -> DeliverError {
        let situation = Situation { call, effect, now, mass_window: self.mass_window };
        error::refusal(code, message, &situation)
    }

    /// `stable_token`, the one call that needs no token.
    pub(super) async fn send_without_token(
        &self,
        call: &'static str,
        body: &Value,
    ) -> Result<Answer, DeliverError> {
        self.try_hosts(&Request::json(call, body), None).await
    }

    async fn send(&self, request: &Request<'_>, token: &Token) -> Result<Answer, DeliverError> {
        self.try_hosts(request, Some(&token.value)).await
    }

    async fn try_hosts(
        &self,
        request: &Request<'_>,
        token: Option<&SecretString>,
    ) -> Result<Answer, DeliverError> {
        let mut unreachable = None;
        for host in &self.hosts {
            match self.built(request, host, token)?.send().await {
                Ok(response) => return self.read(request, response, token).await,
                Err(error) if error.is_connect() => {
                    tracing::warn!(host = host.host_str(), call = request.call, "连不上微信平台");
                    unreachable = Some(error.without_url());
                }
                Err(error) => {
                    let what =
                        if error.is_timeout() { "没有等到答复" } else { "连接中断" };
                    let failure = lost(request.call, request.effect, ErrorKind::Network, what);
                    return Err(failure.caused_by(error.without_url()));
                }
            }
        }
        let failure = DeliverError::new(
            ErrorKind::Network,
            Retry::After(NETWORK_PAUSE),
            format!("微信接口 {} 连不上，什么也没有发出", request.call),
            "请检查网络、代理（proxy）和防火墙；恢复后会自动再试",
        );
        Err(match unreachable {
            Some(error) => failure.caused_by(error),
            None => failure,
        })
    }

    fn built(
        &self,
        request: &Request<'_>,
        host: &Url,
        token: Option<&SecretString>,
    ) -> Result<reqwest::RequestBuilder, DeliverError> {
        let mut url = host.clone();
        // Statistics alone lie outside `/cgi-bin`.
        let below = if request.call.starts_with("datacube/") { "" } else { "/cgi-bin" };
        let base = host.path().trim_end_matches('/');
        url.set_path(&format!("{base}{below}/{}", request.call));
        if let Some(token) = token {
            url.query_pairs_mut().append_pair("access_token", token.expose_secret());
        }
        if !request.query.is_empty() {
            url.query_pairs_mut().extend_pairs(request.query);
        }
        Ok(match &request.body {
            Body::None => self.http.get(url),
            Body::Json(value) => self.http.post(url).json(value),
            Body::File { name, media_type, bytes } => {
                let part = Part::bytes(bytes.to_vec()).file_name(name.clone());
                let part = part.mime_str(media_type).map_err(|error| {
                    lost(request.call, request.effect, ErrorKind::Protocol, "文件类型写不出来")
                        .caused_by(error.without_url())
                })?;
                self.http.post(url).multipart(Form::new().part("media", part))
            }
        })
    }

    async fn read(
        &self,
        request: &Request<'_>,
        mut response: reqwest::Response,
        token: Option<&SecretString>,
    ) -> Result<Answer, DeliverError> {
        let fail = |kind, what: String| lost(request.call, request.effect, kind, &what);
        let status = response.status();
        if !status.is_success() {
            // The platform answers 200 to everything: this came from something in between.
            return Err(fail(ErrorKind::Unavailable, format!("得到的是 HTTP {}", status.as_u16()))
                .code(format!("HTTP {}", status.as_u16())));
        }
        let mut bytes = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if bytes.len() + chunk.len() <= MAX_ANSWER_BYTES => {
                    bytes.extend_from_slice(&chunk);
                }
                Ok(Some(_)) => return Err(fail(ErrorKind::Protocol, "的答复太长".into())),
                Ok(None) => break,
                Err(error) => {
                    return Err(fail(ErrorKind::Network, "的答复没有收完".into())
                        .caused_by(error.without_url()));
                }
            }
        }
        // `uploadimg` says text/plain: the content type is not looked at.
        let body: Value = serde_json::from_slice(&bytes).map_err(|error| {
            fail(ErrorKind::Protocol, "的答复不是 JSON".into()).caused_by(error)
        })?;
        let code = match &body["errcode"] {
            Value::Null => 0,
            code => code
                .as_i64()
                .or_else(|| code.as_str()?.parse().ok())
                .ok_or_else(|| fail(ErrorKind::Protocol, "的 errcode 读不懂".into()))?,
        };
        let message = self.without_secrets(body["errmsg"].as_str().unwrap_or_default(), token);
        Ok(Answer { code, message, body })
    }

    fn without_secrets(&self, text: &str, token: Option<&SecretString>) -> String {
        let mut text = text.replace(self.secret.expose_secret(), "***");
        if let Some(token) = token {
            text = text.replace(token.expose_secret(), "***");
        }
        text.chars().filter(|c| !c.is_control()).take(300).collect()
    }
}

/// The answer as a type.
pub(super) fn understood<T: DeserializeOwned>(
    call: &str,
    body: Value,
    effect: Effect,
) -> Result<T, DeliverError> {
    serde_json::from_value(body).map_err(|error| {
        lost(call, effect, ErrorKind::Protocol, "答复里缺少应有的内容").caused_by(error)
    })
}

/// A call whose answer is missing or makes no sense.
pub(super) fn lost(call: &str, effect: Effect, kind: ErrorKind, what: &str) -> DeliverError {
    let (retry, next_step) = match effect {
        Effect::Repeatable => (Retry::After(NETWORK_PAUSE), "稍后会自动再试"),
        Effect::Irreversible => (Retry::Ask, "不会盲目重发：先向平台查询是否已经生效"),
    };
    DeliverError::new(kind, retry, format!("微信接口 {call} {what}"), next_step)
}
