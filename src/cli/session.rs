//! What every publishing command begins with: the configuration, the ledger and the channels, and
//! the person who acts.

use crate::{
    config::{Config, Person},
    deliver::{BuildContext, Egress},
    model::PersonId,
    work::{Content, Publisher},
};
use anyhow::Context as _;
use clap::Args;
use std::{future::Future, path::Path, sync::Arc};
use url::Url;

/// Where the stand-in listens when nothing else is said (`caishi sandbox`).
pub const SANDBOX_ADDRESS: &str = "127.0.0.1:8787";

/// Who acts; their token is in the environment variable that `[[people]]` names.
#[derive(Debug, Args)]
pub struct Actor {
    /// 谁在操作：[[people]] 里的代号；口令从那里写的环境变量里取
    #[arg(long = "as", visible_alias = "by", value_name = "代号")]
    id: String,
}

impl Actor {
    /// Checks the person's token.
    pub fn authenticate<'a>(&self, config: &'a Config) -> anyhow::Result<&'a Person> {
        authenticate(config, &self.id)
    }
}

/// Checks the token of the person of that id.
pub fn authenticate<'a>(config: &'a Config, id: &str) -> anyhow::Result<&'a Person> {
    Ok(config.authenticate(&PersonId::new(id)?)?)
}

/// The configuration and everything opened from it.
pub struct Session {
    /// The configuration.
    pub config: Arc<Config>,
    /// The ledger and the channels.
    pub publisher: Publisher,
}

impl Session {
    /// Opens everything.
    pub async fn open(config: &Path) -> anyhow::Result<Self> {
        let config = Arc::new(Config::load(config)?);
        let context = BuildContext {
            folder: config.folder.clone(),
            egress: Egress::Public { allowed: Vec::new() },
            sandbox: Some(sandbox_address()?),
            rehearsal: None,
        };
        let rendered = config.folder.join("data").join("rendered");
        let publisher = Publisher::open(Arc::clone(&config), &context, rendered).await?;
        Ok(Self { config, publisher })
    }

    /// Reads the content folder; its faults are printed.
    pub fn content(&self) -> anyhow::Result<Content> {
        let content = Content::load(&self.config)?;
        eprint!("{}", super::report::render(&content.diagnostics));
        Ok(content)
    }
}

/// Where channels with `sandbox = true` find the stand-in.
pub fn sandbox_address() -> anyhow::Result<Url> {
    Ok(format!("http://{SANDBOX_ADDRESS}/").parse()?)
}

/// Runs an asynchronous command on a runtime of its own.
pub fn block_on<T>(command: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("启动不了异步运行时")?
        .block_on(command)
}

/// Names of workers: host-wide unique enough, and readable in the ledger.
pub fn worker_name(number: usize) -> String {
    format!("w{}-{number}", std::process::id())
}

/// A bar for rendering.
pub fn progress(bar: &indicatif::ProgressBar) -> impl Fn(usize, usize) + Sync + '_ {
    |settled, total| {
        bar.set_length(total as u64);
        bar.set_position(settled as u64);
    }
}
