//! What the tables of several channels have in common: how they are read, and which addresses
//! they may reach.

use super::{BuildContext, Egress};
use crate::config::{ChannelEntry, SecretReference};
use ipnet::IpNet;
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use std::net::IpAddr;
use url::Url;

/// Reads a channel's own keys. The settings type refuses keys that it does not know.
pub(super) fn parse<T: DeserializeOwned>(entry: &ChannelEntry) -> Result<T, Vec<String>> {
    entry.settings.clone().try_into().map_err(|error: toml::de::Error| {
        vec![format!("[channel.{}] {}", entry.id, in_chinese(error.message()))]
    })
}

/// The parser's message, where it is one of the common ones, in Chinese.
fn in_chinese(message: &str) -> String {
    let quoted = |text: &str| text.split('`').nth(1).unwrap_or_default().to_owned();
    if let Some((unknown, known)) = message.split_once(", expected ") {
        if unknown.starts_with("unknown field") {
            let known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
            return format!("不认识的键 {}；可用的键：{}", quoted(unknown), known.join("、"));
        }
        if unknown.starts_with("unknown variant") {
            return format!("{} 不在可选的值里：{known}", quoted(unknown));
        }
        if unknown.starts_with("invalid") {
            return format!("值的类型不对：写的是 {unknown}，应为 {known}");
        }
    }
    if message.starts_with("missing field") {
        return format!("缺少 {}，请补上", quoted(message));
    }
    format!("写错了：{message}")
}

/// Collects the faults of one channel's table.
pub(super) struct Faults<'e> {
    entry: &'e ChannelEntry,
    found: Vec<String>,
}

impl<'e> Faults<'e> {
    pub(super) fn new(entry: &'e ChannelEntry) -> Self {
        Self { entry, found: Vec::new() }
    }

    /// Notes a fault.
    pub(super) fn add(&mut self, fault: impl AsRef<str>) {
        self.found.push(format!("[channel.{}] {}", self.entry.id, fault.as_ref()));
    }

    /// Whether there is none so far.
    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    pub(super) fn into_found(self) -> Vec<String> {
        self.found
    }

    /// Which addresses the channel may reach: the context's, and the ranges of `allow`.
    pub(super) fn egress(&mut self, context: &BuildContext, allow: &[String]) -> Egress {
        let mut ranges = Vec::new();
        for text in allow {
            let range = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
            match range {
                Ok(range) => ranges.push(range),
                Err(_) => self.add(format!("allow 里的“{text}”应写成网段，如 10.0.0.0/8")),
            }
        }
        match &context.egress {
            // A table cannot open what a rehearsal has closed.
            Egress::LoopbackOnly => Egress::LoopbackOnly,
            Egress::Public { allowed } => {
                Egress::Public { allowed: allowed.iter().copied().chain(ranges).collect() }
            }
        }
    }

    /// Reads an address and judges it. Users and passwords do not belong into addresses, which
    /// are shown and logged.
    pub(super) fn url(
        &mut self,
        key: &str,
        text: &str,
        egress: &Egress,
        allow_http: bool,
    ) -> Option<Url> {
        let Ok(url) = Url::parse(text) else {
            self.add(format!("{key} 不是网址，应写成 https://主机/路径"));
            return None;
        };
        if !url.username().is_empty() || url.password().is_some() {
            self.add(format!("{key} 里不能写用户名和密码；请用密钥引用，如 {{ env = \"…\" }}"));
            return None;
        }
        let judged = if allow_http { egress.check_address(&url) } else { egress.check(&url) };
        if let Err(error) = judged {
            self.add(format!("{key}：{error}"));
            return None;
        }
        Some(url)
    }

    /// Fetches a secret.
    pub(super) fn secret(
        &mut self,
        key: &str,
        reference: &SecretReference,
        context: &BuildContext,
    ) -> Option<SecretString> {
        match reference.resolve(&context.folder) {
            Ok(secret) => Some(secret),
            Err(error) => {
                self.add(format!("{key}：{error}"));
                None
            }
        }
    }

    /// A number of seconds within sensible bounds.
    pub(super) fn seconds(&mut self, key: &str, value: u64) -> std::time::Duration {
        if !(1..=600).contains(&value) {
            self.add(format!("{key} 是 {value}，应在 1 到 600 秒之间"));
        }
        std::time::Duration::from_secs(value.clamp(1, 600))
    }
}
