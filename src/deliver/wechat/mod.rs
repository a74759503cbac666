//! A parcel → an article of a WeChat Official Account.
//!
//! | step | what happens | module |
//! |---|---|---|
//! | configuration | the channel's table, checked | [`config`] |
//! | preflight | every documented limit, before anything is sent | [`preflight`] [`html`] |
//! | prepare | pictures within the limits and up, the draft made, what the platform changed | [`picture`] `media` `draft` [`difference`] |
//! | commit | `freepublish/submit` or `message/mass/sendall` | `publish` `mass` |
//! | confirm | asked sparsely, and told by callbacks | [`poll`] [`callback`] [`crypto`] |
//!
//! Below them, `client` makes one request and says what may be concluded from its answer,
//! [`token`] shares the access token between processes, [`error`] knows the platform's codes, and
//! [`quota`] its limits per day and month. The facts come from the platform's documentation; those
//! that change are data (`errors.toml`) or settings (`title_limit`).

pub mod callback;
mod channel;
mod check;
mod client;
pub mod config;
pub mod crypto;
pub mod difference;
mod draft;
pub mod error;
pub mod html;
mod journal;
mod keys;
mod mass;
mod media;
pub mod picture;
pub mod poll;
pub mod preflight;
mod publish;
pub mod quota;
mod statistics;
pub mod token;
mod wire;
mod xml;

pub use channel::WechatChannel;

use super::{BuildContext, Channel, Egress, egress};
use crate::{config::ChannelEntry, model::Digest};
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use callback::Callback;
use client::Client;
use config::WechatConfig;
use crypto::EncodingKey;
use secrecy::SecretString;
use std::sync::Arc;

/// What an account has on the stand-in: derived from its name, so that both sides know it.
#[derive(Debug, Clone)]
pub struct SandboxCredentials {
    /// The AppSecret.
    pub secret: SecretString,
    /// The token that signs callbacks.
    pub callback_token: SecretString,
    /// The 43 characters that encrypt callbacks.
    pub encoding_aes_key: SecretString,
}

/// The credentials of an account on the stand-in.
#[must_use]
pub fn sandbox_credentials(app_id: &str) -> SandboxCredentials {
    let callback_token = format!("sandbox-callback-{app_id}");
    let key = STANDARD_NO_PAD.encode(Digest::of(callback_token.as_bytes()).as_bytes());
    SandboxCredentials {
        secret: format!("sandbox-{app_id}").into(),
        callback_token: callback_token.into(),
        encoding_aes_key: key.into(),
    }
}

/// Checks the table, reads its secrets and builds the channel. Reaches nothing.
///
/// # Errors
/// Every fault of the table, each naming its key.
pub fn build(
    entry: &ChannelEntry,
    context: &BuildContext,
) -> Result<Arc<dyn Channel>, Vec<String>> {
    let config = WechatConfig::read(entry, context)?;
    let mut faults = Vec::new();
    let secret = secret(&config, context, &mut faults);
    let callback = callback(&config, context, &mut faults);
    // With the stand-in, and in every rehearsal, nothing but this machine is reached.
    let egress = if config.sandbox { &Egress::LoopbackOnly } else { &context.egress };
    let proxy = config.proxy.as_ref();
    let http = egress::client_without_reuse(egress, proxy, client::REQUEST_TIMEOUT);
    let http = http.map_err(|error| faults.push(fault(&config, "proxy", &error.to_string()))).ok();
    match (secret, http) {
        (Some(secret), Some(http)) if faults.is_empty() => {
            let client = Client::new(&config, http, secret);
            Ok(Arc::new(WechatChannel::new(config, client, callback)))
        }
        _ => Err(faults),
    }
}

fn secret(
    config: &WechatConfig,
    context: &BuildContext,
    faults: &mut Vec<String>,
) -> Option<SecretString> {
    let Some(reference) = &config.secret else {
        return Some(sandbox_credentials(&config.app_id).secret);
    };
    let found = reference.resolve(&context.folder);
    found.map_err(|error| faults.push(fault(config, "secret", &error.to_string()))).ok()
}

fn callback(
    config: &WechatConfig,
    context: &BuildContext,
    faults: &mut Vec<String>,
) -> Option<Callback> {
    let (token, key) = if config.sandbox {
        let credentials = sandbox_credentials(&config.app_id);
        (credentials.callback_token, Some(credentials.encoding_aes_key))
    } else {
        let reference = config.callback.as_ref()?;
        let mut resolve = |key: &str, reference: &crate::config::SecretReference| {
            let found = reference.resolve(&context.folder);
            found.map_err(|error| faults.push(fault(config, key, &error.to_string()))).ok()
        };
        let token = resolve("callback.token", &reference.token);
        let key = match &reference.aes_key {
            Some(reference) => Some(resolve("callback.aes_key", reference)?),
            None => None,
        };
        (token?, key)
    };
    let key = match key.as_ref().map(EncodingKey::parse) {
        Some(None) => {
            faults.push(fault(config, "callback.aes_key", "应为公众平台给出的 43 个字符"));
            return None;
        }
        Some(key) => key,
        None => None,
    };
    Some(Callback::new(&config.app_id, config.send, token, key))
}

fn fault(config: &WechatConfig, key: &str, what: &str) -> String {
    format!("[channel.{}] {key}：{what}", config.channel)
}
