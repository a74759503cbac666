//! The keys of a `[channel.<id>]` table with `kind = "wechat"`, checked.

use super::{keys::Keys, quota::SendHours};
use crate::{
    config::{ChannelEntry, PublishMode, SecretReference},
    deliver::{BuildContext, QuotaWindow},
    model::ChannelId,
};
use std::time::Duration;
use toml::Value;
use url::{Host, Url};

/// The platform's addresses: the usual one, and the one for disasters.
const HOSTS: [&str; 2] = ["https://api.weixin.qq.com", "https://api2.weixin.qq.com"];

/// A checked table. Holds references to secrets, never secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WechatConfig {
    /// The channel.
    pub channel: ChannelId,
    /// The account.
    pub app_id: String,
    /// Whether it publishes or stops at the draft.
    pub mode: PublishMode,
    /// How it publishes.
    pub send: SendMethod,
    /// Whether it talks to the stand-in.
    pub sandbox: bool,
    /// Where the account's secret is; `None` with the stand-in, whose secrets are derived.
    pub secret: Option<SecretReference>,
    /// Where the callback's secrets are.
    pub callback: Option<CallbackReference>,
    /// The addresses, without `/cgi-bin`, in the order in which they are tried.
    pub hosts: Vec<Url>,
    /// The fixed way out, where there is one.
    pub proxy: Option<Url>,
    /// How many characters a title may have.
    pub title_limit: usize,
    /// How many articles one message may have.
    pub bundle: usize,
    /// WeChat names that get previews.
    pub test_readers: Vec<String>,
    /// Whether readers may comment.
    pub need_open_comment: bool,
    /// Whether only followers may.
    pub only_fans_can_comment: bool,
    /// When it may send.
    pub send_hours: Option<SendHours>,
    /// How long a draft must have been seen unpublished after a submission whose answer was lost,
    /// before it may be submitted again. A draft stays in the box while the platform works on it.
    pub settle: Duration,
}

/// How it publishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendMethod {
    /// `freepublish/submit`: on the account's page, without a push to followers.
    FreePublish,
    /// `message/mass/sendall`: pushed to followers.
    Mass {
        /// To the followers with this tag; `None` for all.
        tag_id: Option<i64>,
        /// The sort of account, which decides how often.
        account: AccountKind,
    },
}

/// The sort of account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountKind {
    /// 订阅号: one mass message a day.
    Subscription,
    /// 服务号: four a month to every follower.
    Service,
}

impl SendMethod {
    /// How many mass messages in which window. A service account's limit is per follower; sending
    /// to tags, only the platform knows who has had four, so only its limit per day is kept here.
    #[must_use]
    pub fn mass_quota(self) -> (QuotaWindow, u32) {
        match self {
            Self::Mass { account: AccountKind::Service, tag_id: None } => (QuotaWindow::Month, 4),
            Self::Mass { account: AccountKind::Service, tag_id: Some(_) } => {
                (QuotaWindow::Day, 100)
            }
            Self::FreePublish | Self::Mass { .. } => (QuotaWindow::Day, 1),
        }
    }
}

/// Where the callback's secrets are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallbackReference {
    /// The token that signs.
    pub token: SecretReference,
    /// The 43 characters that encrypt; `None` for the platform's plain mode.
    pub aes_key: Option<SecretReference>,
}

impl WechatConfig {
    /// Checks the table.
    ///
    /// # Errors
    /// Every fault, each naming its key.
    pub fn read(entry: &ChannelEntry, context: &BuildContext) -> Result<Self, Vec<String>> {
        let mut keys = Keys::new(entry);
        // A rehearsal reaches nothing but the stand-in, whatever the table says.
        let sandbox = entry.sandbox || context.rehearsal.is_some();
        let app_id = keys.app_id();
        let send = keys.send();
        let secret = keys.secret("secret");
        if secret.is_none() && !sandbox && !keys.has_fault("secret") {
            keys.fault(
                "secret",
                "没有写；应为 { env = \"…\" }、{ file = \"…\" } 或 { command = […] }",
            );
        }
        let callback = keys.callback();
        let hosts = keys.hosts(sandbox, context);
        let proxy = keys.proxy();
        let title_limit = keys.number("title_limit", 1, 64).map_or(32, |n| n as usize);
        let bundle = keys.number("bundle", 1, 8).map_or(8, |n| n as usize);
        let test_readers = keys.strings("test_readers");
        let need_open_comment = keys.boolean("need_open_comment");
        let only_fans_can_comment = keys.boolean("only_fans_can_comment");
        if only_fans_can_comment && !need_open_comment {
            keys.fault("only_fans_can_comment", "只有 need_open_comment = true 时才有用");
        }
        let send_hours = keys.send_hours();
        let settle = keys.number("settle_seconds", 1, 86_400).unwrap_or(600);
        keys.finish()?;
        Ok(Self {
            channel: entry.id.clone(),
            app_id,
            mode: entry.mode,
            send,
            sandbox,
            secret: secret.filter(|_| !sandbox),
            callback: callback.filter(|_| !sandbox),
            hosts,
            proxy: proxy.filter(|_| !sandbox),
            title_limit,
            bundle,
            test_readers,
            need_open_comment,
            only_fans_can_comment,
            // A rehearsal plays the slot whatever the hour is.
            send_hours: send_hours.filter(|_| context.rehearsal.is_none()),
            settle: Duration::from_secs(settle.unsigned_abs()),
        })
    }
}

impl Keys {
    fn app_id(&mut self) -> String {
        let Some(text) = self.string("app_id") else {
            if !self.has_fault("app_id") {
                self.fault("app_id", "没有写；请从公众平台“设置与开发 → 基本配置”抄来");
            }
            return String::new();
        };
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if text.len() > 64 || !text.chars().all(fits) {
            self.fault("app_id", "不像一个 AppID：应为 wx 开头的字母和数字");
        }
        text
    }

    fn callback(&mut self) -> Option<CallbackReference> {
        let value = self.take("callback")?;
        let Value::Table(mut table) = value else {
            self.fault("callback", "应为 { token = { env = \"…\" }, aes_key = { env = \"…\" } }");
            return None;
        };
        let token = table.remove("token");
        let aes_key = table.remove("aes_key");
        for key in table.keys() {
            self.fault("callback", format!("里没有 {key} 这一项，只有 token 和 aes_key"));
        }
        let aes_key = aes_key.and_then(|value| self.reference("callback.aes_key", value));
        let Some(token) = token else {
            self.fault("callback.token", "没有写；请从公众平台的服务器配置抄来");
            return None;
        };
        Some(CallbackReference { token: self.reference("callback.token", token)?, aes_key })
    }

    fn send(&mut self) -> SendMethod {
        let method = self.string("send");
        let tag_id = self.number("tag_id", 0, i64::MAX);
        let tagged = tag_id.is_some();
        let to_all = self.boolean("to_all");
        let account = match self.string("account").as_deref() {
            None | Some("subscription") => AccountKind::Subscription,
            Some("service") => AccountKind::Service,
            Some(other) => {
                self.fault("account", format!("是“{other}”，应为 subscription 或 service"));
                AccountKind::Subscription
            }
        };
        match method.as_deref() {
            None | Some("freepublish") => {
                if tagged || to_all {
                    let key = if tagged { "tag_id" } else { "to_all" };
                    self.fault(key, "只在 send = \"mass\" 时有用");
                }
                SendMethod::FreePublish
            }
            Some("mass") => {
                if tagged == to_all && !self.has_fault("tag_id") && !self.has_fault("to_all") {
                    self.fault("to_all", "和 tag_id 要写其中一个：to_all = true 或 tag_id = 100");
                }
                SendMethod::Mass { tag_id, account }
            }
            Some(other) => {
                self.fault("send", format!("是“{other}”，应为 freepublish 或 mass"));
                SendMethod::FreePublish
            }
        }
    }

    /// The platform's addresses. Others than the platform's own would be given the secret.
    fn hosts(&mut self, sandbox: bool, context: &BuildContext) -> Vec<Url> {
        let written = self.strings("hosts");
        if sandbox {
            return self.sandbox_hosts(&written, context);
        }
        let mut hosts = Vec::new();
        let texts = if written.is_empty() { HOSTS.map(str::to_owned).to_vec() } else { written };
        for text in &texts {
            let url = Url::parse(text).ok().filter(|url| {
                let host = url.host_str().unwrap_or_default();
                url.scheme() == "https" && host.ends_with(".weixin.qq.com") && bare(url)
            });
            match url {
                Some(url) => hosts.push(url),
                None => self.fault("hosts", "应为 https://….weixin.qq.com，不带路径"),
            }
        }
        hosts
    }

    fn sandbox_hosts(&mut self, written: &[String], context: &BuildContext) -> Vec<Url> {
        let stand_in = context.sandbox.as_ref().map(|base| {
            let mut base = base.clone();
            base.set_path(&format!("{}/wechat", base.path().trim_end_matches('/')));
            base
        });
        let Some(stand_in) = stand_in else {
            self.fault("sandbox", "是 true，但没有模拟平台的地址；请先运行 caishi sandbox");
            return Vec::new();
        };
        let mut hosts = vec![stand_in];
        if !written.is_empty() {
            hosts = written.iter().filter_map(|text| Url::parse(text).ok()).collect();
        }
        let own = |url: &Url| match url.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            _ => false,
        };
        if hosts.len() < written.len() || !hosts.iter().all(own) {
            self.fault(
                "hosts",
                "在 sandbox = true 时只能是本机的地址，如 http://127.0.0.1:8787/wechat",
            );
        }
        hosts
    }

    fn proxy(&mut self) -> Option<Url> {
        let text = self.string("proxy")?;
        let url = Url::parse(&text).ok();
        let fits = |url: &Url| {
            matches!(url.scheme(), "http" | "https" | "socks5" | "socks5h") && url.has_host()
        };
        match url {
            Some(url) if !url.username().is_empty() || url.password().is_some() => {
                self.fault("proxy", "里不能写用户名和密码；请让代理按来源 IP 放行");
                None
            }
            Some(url) if fits(&url) => Some(url),
            _ => {
                self.fault("proxy", "应为 http://主机:端口 或 socks5://主机:端口");
                None
            }
        }
    }

    fn send_hours(&mut self) -> Option<SendHours> {
        let text = self.string("send_hours")?;
        let hours = SendHours::parse(&text);
        if hours.is_none() {
            self.fault("send_hours", format!("是“{text}”，应为同一天里的起止时间，如 08:00-22:00"));
        }
        hours
    }
}

fn bare(url: &Url) -> bool {
    url.path() == "/" && url.query().is_none() && url.username().is_empty()
}
