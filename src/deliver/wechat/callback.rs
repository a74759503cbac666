//! What the platform tells by itself: how publications and mass sends ended.
//!
//! Callbacks come in any order, more than once, or not at all, and under three names for what is
//! documented as one. So an event only ever says which delivery to look at and what was said; the
//! channel's `confirm` has the last word where the event is not enough.

use super::{
    config::SendMethod,
    crypto::{self, EncodingKey},
    mass, publish,
    wire::{ArticleAddress, ArticleDetail, PublishReply},
    xml::Element,
};
use crate::{
    deliver::{Confirmation, HookReply, HookRequest, RemoteEvent},
    model::Receipt,
};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use std::{borrow::Cow, collections::BTreeMap, fmt, time::Duration};
use url::form_urlencoded;

/// Older requests, and requests from the future, are refused: somebody recorded them.
const FRESH_SECONDS: i64 = 600;

/// Callbacks have a kilobyte or two.
const MAX_BODY: usize = 256 << 10;

/// The receiver of one account's callbacks.
pub struct Callback {
    app_id: String,
    send: SendMethod,
    token: SecretString,
    key: Option<EncodingKey>,
}

impl fmt::Debug for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Callback({}, encrypted: {})", self.app_id, self.key.is_some())
    }
}

impl Callback {
    /// The receiver; without a key, for the platform's plain mode.
    #[must_use]
    pub fn new(
        app_id: &str,
        send: SendMethod,
        token: SecretString,
        key: Option<EncodingKey>,
    ) -> Self {
        Self { app_id: app_id.to_owned(), send, token, key }
    }

    /// Answers one request.
    #[must_use]
    pub fn answer(&self, request: &HookRequest, now: Timestamp) -> HookReply {
        let query: BTreeMap<_, _> = form_urlencoded::parse(request.query.as_bytes()).collect();
        let refused = |status, body: &str| HookReply { status, body: body.into(), events: vec![] };
        let field = |name: &str| query.get(name).map_or("", Cow::as_ref);
        let (timestamp, nonce) = (field("timestamp"), field("nonce"));
        let fresh = timestamp
            .parse::<i64>()
            .is_ok_and(|seconds| now.as_second().saturating_sub(seconds).abs() <= FRESH_SECONDS);
        if !fresh {
            return refused(403, "时间戳过期");
        }
        let token = self.token.expose_secret();
        if request.method == "GET" {
            return if crypto::is_signed(field("signature"), &[token, timestamp, nonce]) {
                refused(200, field("echostr"))
            } else {
                refused(403, "签名不对")
            };
        }
        if request.method != "POST" || request.body.len() > MAX_BODY {
            return refused(400, "只接受小于 256 KB 的 POST");
        }
        let Some(outer) = std::str::from_utf8(&request.body).ok().and_then(Element::parse) else {
            return refused(400, "读不懂请求");
        };
        let message = match &self.key {
            // With a key, an unencrypted message is not the platform's: its signature does not
            // cover the body.
            Some(key) => {
                let encrypted = outer.text("Encrypt");
                let parts = [token, timestamp, nonce, encrypted];
                if encrypted.is_empty() || !crypto::is_signed(field("msg_signature"), &parts) {
                    return refused(403, "签名不对");
                }
                match key.decrypt(encrypted, &self.app_id).map(|text| Element::parse(&text)) {
                    Ok(Some(message)) => message,
                    Ok(None) => return refused(400, "读不懂请求"),
                    Err(_) => return refused(403, "解密失败"),
                }
            }
            None if crypto::is_signed(field("signature"), &[token, timestamp, nonce]) => outer,
            None => return refused(403, "签名不对"),
        };
        let events = self.event(&message, now).into_iter().collect();
        HookReply { status: 200, body: "success".to_owned(), events }
    }

    /// What a message tells; nothing where it is about something else.
    fn event(&self, message: &Element, now: Timestamp) -> Option<RemoteEvent> {
        if message.text("MsgType") != "event" {
            return None;
        }
        let name = message.text("Event").to_uppercase();
        let at = message.text("CreateTime").parse().ok();
        let at = at.and_then(|at| Timestamp::from_second(at).ok()).unwrap_or(now);
        let (remote_ref, confirmation) = match name.as_str() {
            "PUBLISHJOBFINISH" | "FREEPUBLISHJOBFINISH" | "MASSSENDJOBFINISH" => {
                match message.child("PublishEventInfo") {
                    Some(info) => published(info, at)?,
                    None => self.sent(message, at)?,
                }
            }
            _ => return None,
        };
        // The platform repeats a callback until it is answered; these stay the same.
        let (from, time) = (message.text("FromUserName"), message.text("CreateTime"));
        let event_key = format!("{from}/{time}/{name}/{remote_ref}");
        Some(RemoteEvent { event_key, remote_ref, confirmation })
    }

    fn sent(&self, message: &Element, at: Timestamp) -> Option<(String, Confirmation)> {
        let id = [message.text("MsgID"), message.text("MsgId"), message.text("publish_id")];
        let id = id.into_iter().find(|id| !id.is_empty())?.to_owned();
        if self.send == SendMethod::FreePublish {
            // Some accounts get this in place of PUBLISHJOBFINISH, without the article: asking is
            // the only way to know.
            return Some((id, Confirmation::Pending(Duration::ZERO)));
        }
        let status = message.text("Status");
        let confirmation = match mass::ended(status) {
            Ok(()) => Confirmation::Published(Receipt {
                remote_ref: id.clone(),
                url: first_address(message),
                at,
                detail: format!(
                    "群发完成：应收 {} 人，成功 {} 人，失败 {} 人",
                    message.text("FilterCount"),
                    message.text("SentCount"),
                    message.text("ErrorCount"),
                ),
            }),
            Err(reason) => Confirmation::Failed { code: status.to_owned(), reason },
        };
        Some((id, confirmation))
    }
}

fn published(info: &Element, at: Timestamp) -> Option<(String, Confirmation)> {
    let publish_id = Some(info.text("publish_id")).filter(|id| !id.is_empty())?.to_owned();
    let number = |element: &Element, name: &str| element.text(name).parse::<i64>().ok();
    let items = info.child("article_detail").map(|detail| detail.all("item")).unwrap_or_default();
    let item = items.into_iter().map(|item| ArticleAddress {
        idx: number(item, "idx").unwrap_or_default(),
        article_url: item.text("article_url").to_owned(),
    });
    let reply = PublishReply {
        publish_status: number(info, "publish_status")?,
        article_id: info.text("article_id").to_owned(),
        article_detail: ArticleDetail { item: item.collect() },
        fail_idx: info.all("fail_idx").iter().filter_map(|i| i.own_text().parse().ok()).collect(),
    };
    // Without the article's name the publication could not be recalled: `confirm` fetches it.
    let incomplete = reply.publish_status == 0 && reply.article_id.is_empty();
    let confirmation = if incomplete || reply.publish_status == 1 {
        Confirmation::Pending(Duration::ZERO)
    } else {
        publish::ended(&publish_id, &reply, at)
    };
    Some((publish_id, confirmation))
}

/// The first address of `ArticleUrlResult`, which may be empty.
fn first_address(message: &Element) -> Option<String> {
    let result = message.child("ArticleUrlResult")?;
    let address = result.all("ArticleUrl").first()?.own_text().to_owned();
    (!address.is_empty()).then_some(address)
}
