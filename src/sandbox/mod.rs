//! Strict stand-ins of the remote platforms, on loopback, for rehearsal, demos and tests.
//!
//! The WeChat Official Account platform is under `/wechat/` ([`wechat`]), a receiver of webhooks
//! under `/webhook/` ([`webhook`]). It enforces the
//! documented limits, life cycles, quotas and error codes and is never kinder than the platform;
//! where the documents are silent it takes the reading that is harder on the caller. `/` shows
//! what subscribers would see, `/_sandbox/` lets other processes read the [`Books`], set
//! [`Fault`]s, move the clock and register callbacks.
//!
//! ```text
//! TCP ─server─► connection that can be cut ─wechat::gate─► faults, token, quota, limits
//!                                                └─► state::World ─save─► JSON file
//!                          callbacks ◄─wechat::callback── jobs that came due
//! ```
//!
//! Any `wx` + 16 letters or digits is an account, its secret is `sandbox-<app id>`. This room knows
//! nothing of `deliver` and `store`: it is the other side.

mod admin;
mod books;
mod client;
mod clock;
mod fault;
mod page;
mod save;
mod server;
mod state;
pub mod webhook;
mod wechat;

pub use books::{
    AccountBooks, Books, CallRecord, CallbackRecord, Deletion, Duplicate, Repeat, TokenIssue,
};
pub use client::register;
pub use fault::{Fault, FaultError, FaultKind, Occurrence};
pub use wechat::{
    AccountKind, Article, ArticleKind, Cover, Dispatch, Draft, Material, MessageMode, Profile,
    Registration, Way,
};

use server::{Setting, Shared};
use std::{
    collections::BTreeMap,
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
};
use url::Url;

/// How the stand-in is started.
#[derive(Debug, Clone)]
pub struct SandboxOptions {
    /// Where it listens; port 0 takes a free one. Anything but loopback is refused.
    pub listen: SocketAddr,
    /// Where the state survives restarts: a JSON file, with the pictures in a folder beside it.
    pub state: Option<PathBuf>,
    /// The faults to begin with.
    pub faults: Vec<Fault>,
    /// How long an access token lives; the platform's 7200.
    pub token_seconds: u32,
    /// How long publishing and mass sending take.
    pub publish_seconds: f32,
    /// The name that accounts bear on the page.
    pub bank: String,
    /// Accounts that are not like [`Profile::default`], by app id.
    pub accounts: BTreeMap<String, Profile>,
}

impl Default for SandboxOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            state: None,
            faults: Vec::new(),
            token_seconds: 7200,
            publish_seconds: 1.0,
            bank: "山城示范银行".to_owned(),
            accounts: BTreeMap::new(),
        }
    }
}

/// Why the stand-in could not be started.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// Only this machine may reach it.
    #[error("沙箱只在本机提供服务，不能监听 {0}：请改用 127.0.0.1 或 [::1]")]
    NotLoopback(IpAddr),
    /// The address is taken or forbidden.
    #[error("沙箱无法监听 {address}：请换一个端口，或用 0 由系统分配")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The state could not be read or written.
    #[error("沙箱无法读写状态文件 {}：请检查路径与权限，或换一个文件", path.display())]
    State {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The state is not ours, or of another version.
    #[error("沙箱看不懂状态文件 {}：请移走它再启动，或指定另一个文件", path.display())]
    Format {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// An account was given that the platform could not have.
    #[error("沙箱账号 {0} 的写法不对：应为 wx 加 16 位小写字母或数字")]
    AppId(String),
    /// A callback address was refused.
    #[error("回调地址登记失败：{0}")]
    Callback(String),
    /// The HTTP client for callbacks could not be made.
    #[error("沙箱无法准备回调用的 HTTP 客户端")]
    Client(#[source] reqwest::Error),
    /// The webhook receiver's secret is none.
    #[error(transparent)]
    Webhook(#[from] webhook::SecretFault),
    /// A page's template is broken.
    #[error("沙箱的页面模板有误")]
    Page(#[source] Box<handlebars::TemplateError>),
}

/// A running stand-in. It stops when it is dropped; [`Sandbox::stop`] also waits for the end.
pub struct Sandbox {
    shared: Arc<Shared>,
    address: SocketAddr,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Sandbox {
    /// Starts listening.
    ///
    /// # Errors
    /// [`SandboxError`] for an address that is not loopback or is taken, and for a state file that
    /// cannot be read.
    pub async fn start(options: SandboxOptions) -> Result<Self, SandboxError> {
        server::start(options).await
    }

    /// Where it listens: `http://127.0.0.1:<port>/`. WeChat's API lies at `wechat/` below it.
    #[must_use]
    pub fn url(&self) -> Url {
        self.shared.setting.url.clone()
    }

    /// Everything that happened so far.
    #[must_use]
    pub fn books(&self) -> Books {
        self.shared.with_world(|world, now| Books::of(world, now))
    }

    /// The receiver of webhooks below `/webhook/`, with books of its own.
    #[must_use]
    pub fn webhooks(&self) -> &webhook::WebhookReceiver {
        &self.shared.webhooks
    }

    /// Replaces the faults; their counting begins anew.
    pub fn set_faults(&self, faults: Vec<Fault>) {
        self.shared.with_world(|world, _| world.faults.set(faults));
    }

    /// Moves the platform's clock: tokens expire, jobs come due, days and months begin.
    pub fn shift_clock(&self, by: jiff::SignedDuration) {
        self.shared.shift_clock(by);
    }

    /// Makes an account what it should be.
    ///
    /// # Errors
    /// [`SandboxError::AppId`].
    pub fn set_profile(&self, app_id: &str, profile: Profile) -> Result<(), SandboxError> {
        self.shared.set_profile(app_id, profile)
    }

    /// Registers where an account's callbacks go, after the platform's check of the address.
    ///
    /// # Errors
    /// [`SandboxError::Callback`] for an address that is not loopback or does not answer the check.
    pub async fn register(
        &self,
        app_id: &str,
        registration: Registration,
    ) -> Result<(), SandboxError> {
        self.shared.register(app_id, registration).await
    }

    /// Stops, writes the state a last time and waits for open connections to end.
    pub async fn stop(mut self) {
        self.shared.stop.cancel();
        for task in self.tasks.drain(..) {
            // A task that panicked has said so; there is nothing left to wait for.
            let _ = task.await;
        }
        self.shared.save().await;
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.shared.stop.cancel();
    }
}

fn setting(options: &SandboxOptions, address: SocketAddr) -> Result<Setting, SandboxError> {
    let url = Url::parse(&format!("http://{address}/"))
        .map_err(|error| SandboxError::Callback(error.to_string()))?;
    Ok(Setting {
        url,
        token_seconds: options.token_seconds,
        publish_seconds: options.publish_seconds,
        bank: options.bank.clone(),
    })
}
