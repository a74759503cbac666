//! The channel's table → a checked repository.
//!
//! ```toml
//! [channel.branches]
//! kind = "folder"
//! path = "outbox/branches"      # or one of the following
//! # s3 = { endpoint = "https://…", bucket = "…", region = "…", root = "caishi",
//! #        access_key = { env = "…" }, secret_key = { env = "…" }, conditional = true }
//! # webdav = { endpoint = "https://…", root = "…", user = "…", password = { file = "…" } }
//! # sftp = { endpoint = "ssh://host:22", root = "/…", user = "…", key = "…", known_hosts = "strict" }
//! tree = true                   # folders: also lay files out under their own names
//! allow = ["10.0.0.0/8"]        # private networks that may be reached
//! allow_http = false
//! timeout_seconds = 60
//! ```

use super::channel::FolderChannel;
use crate::{
    config::ChannelEntry,
    deliver::{
        BuildContext, Channel,
        settings::{Faults, parse},
        storage::{S3Settings, SftpSettings, StorageSettings, WebDavSettings},
    },
};
use serde::Deserialize;
use std::{path::PathBuf, sync::Arc};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    path: Option<PathBuf>,
    s3: Option<S3Settings>,
    webdav: Option<WebDavSettings>,
    sftp: Option<SftpSettings>,
    tree: Option<bool>,
    #[serde(default)]
    allow: Vec<String>,
    #[serde(default)]
    allow_http: bool,
    #[serde(default = "default_timeout")]
    timeout_seconds: u64,
}

fn default_timeout() -> u64 {
    60
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
    if settings.tree == Some(true) && settings.path.is_none() {
        faults.add("tree 只能和 path 一起用；对象存储里没有可以打开的文件夹，请删去 tree");
    }
    let storage = StorageSettings {
        path: settings.path,
        s3: settings.s3,
        webdav: settings.webdav,
        sftp: settings.sftp,
        tree: settings.tree.unwrap_or(true),
        allow: settings.allow,
        allow_http: settings.allow_http,
        timeout_seconds: settings.timeout_seconds,
    };
    match storage.build(&mut faults, context, entry.id.as_str()) {
        Some((repository, target)) if faults.is_empty() => Ok(Arc::new(FolderChannel {
            id: entry.id.clone(),
            target,
            repository,
            turn: tokio::sync::Mutex::default(),
        })),
        _ => Err(faults.into_found()),
    }
}
