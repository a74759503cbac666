//! The channel's table → a checked receiver.
//!
//! ```toml
//! [channel.notice-board]
//! kind = "webhook"
//! url = "https://oa.example/hooks/caishi"   # or { env = "…" } where the address is itself a secret
//! secret = { env = "NOTICE_BOARD_SECRET" }  # whsec_…, Standard Webhooks
//! headers = { Authorization = { env = "NOTICE_BOARD_TOKEN" } }
//! idempotent = true          # the receiver drops a repeated Idempotency-Key for a day
//! recall = false             # it takes {"type": "campaign.recalled"} and acts on it
//! success = { pointer = "/errcode", equals = 0 }   # where 200 alone does not mean success
//! body = '''{"msgtype": "text", "text": {"content": "{{data.number}}"}}'''
//! content_type = "application/json"
//! proxy = "http://10.1.1.1:3128"
//! allow = ["10.0.0.0/8"]     # private networks that may be reached
//! allow_http = false
//! timeout_seconds = 15
//! ```

use super::{channel::WebhookChannel, template::Body};
use crate::{
    config::{ChannelEntry, SecretReference},
    deliver::{
        BuildContext, Channel, Egress, egress,
        settings::{Faults, parse},
    },
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::Value;
use standardwebhooks::Webhook;
use std::{collections::BTreeMap, sync::Arc};
use url::Url;

/// What requests to the stand-in are signed with. Not a secret: rehearsals need none.
pub const SANDBOX_SECRET: &str = "whsec_Y2Fpc2hpLXNhbmRib3gtd2ViaG9vay1zaWduYXR1cmU=";

/// How long a key may be, after decoding (Standard Webhooks, Signature scheme).
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// Headers that the channel itself writes.
const OWN_HEADERS: [&str; 7] = [
    "content-length",
    "content-type",
    "host",
    "idempotency-key",
    "webhook-id",
    "webhook-signature",
    "webhook-timestamp",
];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    url: Text,
    secret: SecretReference,
    #[serde(default)]
    headers: BTreeMap<String, Text>,
    #[serde(default = "yes")]
    idempotent: bool,
    #[serde(default)]
    recall: bool,
    success: Option<Success>,
    body: Option<String>,
    #[serde(default = "json")]
    content_type: String,
    proxy: Option<String>,
    #[serde(default)]
    allow: Vec<String>,
    #[serde(default)]
    allow_http: bool,
    #[serde(default = "default_timeout")]
    timeout_seconds: u64,
}

/// A text, or where to find one that is secret.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "应为文字，或 { env = \"…\" } 这样的密钥引用")]
enum Text {
    Plain(String),
    Secret(SecretReference),
}

/// What an answer's body must say.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Success {
    /// Where to look (RFC 6901).
    pub(super) pointer: String,
    /// What must stand there.
    pub(super) equals: Value,
}

fn yes() -> bool {
    true
}

fn json() -> String {
    "application/json".to_owned()
}

fn default_timeout() -> u64 {
    15
}

/// Builds the channel.
///
/// # Errors
/// Every fault of the table.
pub fn build(
    entry: &ChannelEntry,
    context: &BuildContext,
) -> Result<Arc<dyn Channel>, Vec<String>> {
    let settings: Settings = parse(entry)?;
    let mut faults = Faults::new(entry);
    let to_stand_in = entry.sandbox || context.rehearsal.is_some();
    let egress = faults.egress(context, &settings.allow);
    // The stand-in is on this machine, and nothing that is meant for it may go elsewhere.
    let egress = if to_stand_in { Egress::LoopbackOnly } else { egress };
    let timeout = faults.seconds("timeout_seconds", settings.timeout_seconds);
    let body = settings.body(&mut faults);
    let url = if to_stand_in {
        stand_in_url(&mut faults, entry, context)
    } else {
        settings.url(&mut faults, context, &egress)
    };
    let signer = settings.signer(&mut faults, context, to_stand_in);
    let headers = settings.headers(&mut faults, context, to_stand_in);
    let proxy = settings.proxy(&mut faults);
    let client = match egress::client(&egress, proxy.as_ref(), timeout) {
        Ok(client) => Some(client),
        Err(error) => {
            faults.add(error.to_string());
            None
        }
    };
    match (url, signer, body, client) {
        (Some(url), Some(signer), Some(body), Some(client)) if faults.is_empty() => {
            Ok(Arc::new(WebhookChannel {
                id: entry.id.clone(),
                target: settings.target(entry),
                shown: url.host_str().unwrap_or_default().to_owned(),
                url,
                egress,
                allow_http: settings.allow_http,
                client,
                signer,
                headers,
                body,
                content_type: settings.content_type,
                success: settings.success,
                idempotent: settings.idempotent,
                recall: settings.recall,
                timeout,
            }))
        }
        _ => Err(faults.into_found()),
    }
}

/// `{stand-in}/webhook/<channel>`.
fn stand_in_url(
    faults: &mut Faults<'_>,
    entry: &ChannelEntry,
    context: &BuildContext,
) -> Option<Url> {
    let Some(sandbox) = &context.sandbox else {
        faults.add("sandbox = true，但没有替身的地址；请先运行 caishi sandbox");
        return None;
    };
    let text = format!("{}/webhook/{}", sandbox.as_str().trim_end_matches('/'), entry.id);
    faults.url("替身的地址", &text, &Egress::LoopbackOnly, false)
}

impl Settings {
    /// Whom it reaches, for people and the delivery's key; a secret address is not shown.
    fn target(&self, entry: &ChannelEntry) -> String {
        match &self.url {
            Text::Secret(_) => format!("webhook:{}", entry.id),
            Text::Plain(text) => match Url::parse(text) {
                Ok(url) => format!("{}{}", url.host_str().unwrap_or_default(), url.path()),
                Err(_) => format!("webhook:{}", entry.id),
            },
        }
    }

    fn url(&self, faults: &mut Faults<'_>, context: &BuildContext, egress: &Egress) -> Option<Url> {
        match &self.url {
            Text::Plain(text) => faults.url("url", text, egress, self.allow_http),
            Text::Secret(reference) => {
                let secret = faults.secret("url", reference, context)?;
                let Ok(url) = Url::parse(secret.expose_secret()) else {
                    faults.add(format!("url（{}）不是网址", reference.describe()));
                    return None;
                };
                // Judged without what may be secret, because the judgement is shown.
                let origin = url.origin().ascii_serialization();
                faults.url("url", &origin, egress, self.allow_http)?;
                Some(url)
            }
        }
    }

    fn body(&self, faults: &mut Faults<'_>) -> Option<Body> {
        let Some(text) = &self.body else { return Some(Body::Default) };
        match Body::template(text, self.content_type.starts_with("application/json")) {
            Ok(body) => Some(body),
            Err(fault) => {
                faults.add(fault);
                None
            }
        }
    }

    fn signer(
        &self,
        faults: &mut Faults<'_>,
        context: &BuildContext,
        to_stand_in: bool,
    ) -> Option<Webhook> {
        let secret = if to_stand_in {
            SecretString::from(SANDBOX_SECRET)
        } else {
            faults.secret("secret", &self.secret, context)?
        };
        let text = secret.expose_secret();
        let key = STANDARD.decode(text.strip_prefix("whsec_").unwrap_or(text));
        match key {
            Ok(key) if KEY_BYTES.contains(&key.len()) => Webhook::from_bytes(key).ok(),
            _ => {
                faults.add(format!(
                    "secret（{}）应为 whsec_ 加 24 到 64 字节随机数的 base64；可用 echo whsec_$(openssl rand -base64 32) 生成",
                    self.secret.describe()
                ));
                None
            }
        }
    }

    /// The further headers. The stand-in gets none: they may hold secrets, and it checks none.
    fn headers(
        &self,
        faults: &mut Faults<'_>,
        context: &BuildContext,
        to_stand_in: bool,
    ) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let key = format!("headers.{name}");
            let Ok(header) = HeaderName::from_bytes(name.as_bytes()) else {
                faults.add(format!("{key} 不是合格的头部名"));
                continue;
            };
            if OWN_HEADERS.contains(&header.as_str()) {
                faults.add(format!("{key} 由渠道自己写，请删去"));
                continue;
            }
            let value = match value {
                _ if to_stand_in => continue,
                Text::Plain(text) => Some(SecretString::from(text.as_str())),
                Text::Secret(reference) => faults.secret(&key, reference, context),
            };
            let Some(value) = value else { continue };
            match HeaderValue::from_str(value.expose_secret()) {
                Ok(mut value) => {
                    value.set_sensitive(true);
                    headers.insert(header, value);
                }
                Err(_) => faults.add(format!("{key} 的值含有头部不允许的字符")),
            }
        }
        headers
    }

    fn proxy(&self, faults: &mut Faults<'_>) -> Option<Url> {
        let text = self.proxy.as_ref()?;
        match Url::parse(text) {
            Ok(url) if !url.username().is_empty() || url.password().is_some() => {
                faults.add("proxy 里不能写用户名和密码；请改用按来源地址放行的代理");
                None
            }
            Ok(url) if ["http", "https", "socks5", "socks5h"].contains(&url.scheme()) => Some(url),
            _ => {
                faults.add("proxy 应写成 http://主机:端口 或 socks5h://主机:端口");
                None
            }
        }
    }
}
