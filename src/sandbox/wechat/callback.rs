//! Callbacks: the platform tells how a job ended.
//!
//! What is told ([`Event`]), where it goes and how it is signed and, as the account's mode says,
//! encrypted ([`Registration`]). `courier.rs` carries it there.

use super::{
    crypto,
    dispatch::{Dispatch, Way},
    publish,
};
use crate::{model::Digest, sandbox::server::random_text};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use std::{fmt, sync::Arc, time::Duration};
use url::Url;

/// How long the platform waits for an answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// How messages are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MessageMode {
    /// 明文模式.
    Plain,
    /// 兼容模式: plain and encrypted.
    Compatible,
    /// 安全模式: encrypted.
    Secure,
}

/// Where an account's callbacks go.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registration {
    /// The address, on this machine.
    #[serde(deserialize_with = "address")]
    pub url: Url,
    /// The token that signs.
    pub token: String,
    /// The EncodingAESKey: 43 characters.
    pub aes_key: String,
    /// How messages are sent.
    pub mode: MessageMode,
}

fn address<'de, D: Deserializer<'de>>(text: D) -> Result<Url, D::Error> {
    String::deserialize(text)?.parse().map_err(serde::de::Error::custom)
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration")
            .field("url", &self.url.as_str())
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}

/// A client that reaches this machine without a proxy and follows no one elsewhere.
pub(in crate::sandbox) fn callback_client() -> Result<reqwest::Client, reqwest::Error> {
    let builder = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(ANSWER_WITHIN);
    // Addresses are http on loopback, so any working configuration of TLS does.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    match rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
    {
        Ok(tls) => builder.tls_backend_preconfigured(
            tls.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth(),
        ),
        Err(_) => builder,
    }
    .build()
}

impl Registration {
    /// The platform's check: the address must answer with what it is sent, and know the token.
    pub(in crate::sandbox) async fn verify(
        &self,
        client: &reqwest::Client,
        now: Timestamp,
    ) -> Result<(), String> {
        let local = match self.url.host() {
            Some(url::Host::Domain(name)) => name == "localhost",
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        if !local || self.url.scheme() != "http" {
            return Err(format!("沙箱只回调本机的 http 地址，{} 不是", self.url));
        }
        if self.mode != MessageMode::Plain && crypto::key(&self.aes_key).is_none() {
            return Err("aes_key 应为 43 个字母或数字".to_owned());
        }
        let echo = random_text();
        let mut url = self.signed(now, &nonce());
        url.query_pairs_mut().append_pair("echostr", &echo);
        let failed = |error: reqwest::Error| {
            format!("{} 没有应答验证请求：{}", self.url, error.without_url())
        };
        let reply = client.get(url).send().await.map_err(failed)?;
        let status = reply.status();
        let body = reply.text().await.map_err(failed)?;
        if status.is_success() && body == echo {
            Ok(())
        } else {
            Err(format!("{} 没有原样返回 echostr（HTTP {}）", self.url, status.as_u16()))
        }
    }

    fn signed(&self, now: Timestamp, nonce: &str) -> Url {
        let timestamp = now.as_second().to_string();
        let signature = crypto::signature(&[&self.token, &timestamp, nonce]);
        let mut url = self.url.clone();
        url.query_pairs_mut()
            .append_pair("signature", &signature)
            .append_pair("timestamp", &timestamp)
            .append_pair("nonce", nonce);
        url
    }

    /// The address with its signatures, and the body.
    pub(super) fn message(&self, event: &Event, now: Timestamp) -> (Url, String) {
        let nonce = nonce();
        let mut url = self.signed(now, &nonce);
        url.query_pairs_mut().append_pair("openid", &event.from);
        let key = crypto::key(&self.aes_key).filter(|_| self.mode != MessageMode::Plain);
        let Some(key) = key else { return (url, format!("<xml>{}</xml>", event.fields)) };
        let mut random = [0_u8; 16];
        random.copy_from_slice(&Digest::of(random_text().as_bytes()).as_bytes()[..16]);
        let plain = format!("<xml>{}</xml>", event.fields);
        let encrypted = crypto::encrypt(&key, &random, &plain, &event.app_id);
        let timestamp = now.as_second().to_string();
        let signature = crypto::signature(&[&self.token, &timestamp, &nonce, &encrypted]);
        url.query_pairs_mut()
            .append_pair("encrypt_type", "aes")
            .append_pair("msg_signature", &signature);
        let head = match self.mode {
            MessageMode::Compatible => event.fields.clone(),
            _ => format!("<ToUserName>{}</ToUserName>", cdata(&event.to)),
        };
        (url, format!("<xml>{head}<Encrypt>{}</Encrypt></xml>", cdata(&encrypted)))
    }
}

fn nonce() -> String {
    let digest = Digest::of(random_text().as_bytes());
    let [a, b, c, d, ..] = *digest.as_bytes();
    u32::from_be_bytes([a, b, c, d]).to_string()
}

fn cdata(text: &str) -> String {
    format!("<![CDATA[{}]]>", text.replace("]]>", "]]]]><![CDATA[>"))
}

/// Something to be told to an account.
#[derive(Debug, Clone)]
pub(in crate::sandbox) struct Event {
    /// To which account.
    pub(super) app_id: String,
    /// `PUBLISHJOBFINISH`, `MASSSENDJOBFINISH`.
    pub(super) name: &'static str,
    /// The `publish_id` or `msg_id`.
    pub(super) reference: i64,
    from: String,
    to: String,
    /// The message's elements. They are the same at every repetition.
    fields: String,
}

impl Event {
    /// That a job has ended.
    pub(super) fn of(app_id: &str, dispatch: &Dispatch, now: Timestamp, base: &Url) -> Self {
        let digest = Digest::of(app_id.as_bytes()).to_string();
        let (to, from) = (format!("gh_{}", &digest[..12]), format!("oPlatform{}", &digest[..19]));
        let (name, told) = match dispatch.way {
            Way::Publish => ("PUBLISHJOBFINISH", publish_fields(dispatch, base)),
            Way::Mass => ("MASSSENDJOBFINISH", mass_fields(dispatch, base)),
        };
        let fields = format!(
            "<ToUserName>{}</ToUserName><FromUserName>{}</FromUserName>\
             <CreateTime>{}</CreateTime><MsgType><![CDATA[event]]></MsgType>\
             <Event>{}</Event>{told}",
            cdata(&to),
            cdata(&from),
            now.as_second(),
            cdata(name),
        );
        Self { app_id: app_id.to_owned(), name, reference: dispatch.id, from, to, fields }
    }
}

fn publish_fields(dispatch: &Dispatch, base: &Url) -> String {
    let mut told = format!(
        "<publish_id>{}</publish_id><publish_status>{}</publish_status>",
        dispatch.id, dispatch.status
    );
    if dispatch.went_out() {
        told += &format!("<article_id>{}</article_id>", cdata(&dispatch.article_id));
        told += &format!("<article_detail><count>{}</count>", dispatch.articles.len());
        for (index, url) in publish::addresses(dispatch, base) {
            let url = cdata(&url);
            told += &format!("<item><idx>{index}</idx><article_url>{url}</article_url></item>");
        }
        told += "</article_detail>";
    }
    for index in dispatch.failed_indices() {
        told += &format!("<fail_idx>{index}</fail_idx>");
    }
    format!("<PublishEventInfo>{told}</PublishEventInfo>")
}

fn mass_fields(dispatch: &Dispatch, base: &Url) -> String {
    let (mut results, mut count, mut sent) = (String::new(), 0, 0);
    if dispatch.went_out() {
        sent = dispatch.recipients;
        for (index, url) in publish::addresses(dispatch, base) {
            let url = cdata(&url);
            results += &format!(
                "<item><ArticleIdx>{index}</ArticleIdx><ArticleUrl>{url}</ArticleUrl></item>"
            );
            count = index;
        }
    }
    format!(
        "<MsgID>{}</MsgID><Status>{}</Status><TotalCount>{}</TotalCount>\
         <FilterCount>{}</FilterCount><SentCount>{sent}</SentCount><ErrorCount>0</ErrorCount>\
         <CopyrightCheckResult><Count>0</Count><ResultList></ResultList>\
         <CheckState>2</CheckState></CopyrightCheckResult>\
         <ArticleUrlResult><Count>{count}</Count><ResultList>{results}</ResultList>\
         </ArticleUrlResult>",
        dispatch.id,
        cdata(&dispatch.outcome),
        dispatch.recipients,
        dispatch.recipients,
    )
}
