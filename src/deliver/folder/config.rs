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
//! # kind = "portal" has two more:
//! # evergreen = "evergreen"     # the campaign series that steps in
//! # branch_pages = { b004 = "elder" }  # whose page a branch shows
//! ```

use super::{channel::FolderChannel, live::PortalRules};
use crate::{
    config::ChannelEntry,
    deliver::{
        BuildContext, Channel,
        settings::{Faults, parse},
        storage::{S3Settings, SftpSettings, StorageSettings, WebDavSettings},
    },
    model::{Audience, BranchId},
};
use serde::Deserialize;
use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

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
    evergreen: Option<String>,
    #[serde(default)]
    branch_pages: BTreeMap<String, String>,
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
    let portal = portal_rules(entry, &settings, &mut faults);
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
            portal,
        })),
        _ => Err(faults.into_found()),
    }
}

/// The keys that only `kind = "portal"` has.
fn portal_rules(
    entry: &ChannelEntry,
    settings: &Settings,
    faults: &mut Faults<'_>,
) -> Option<PortalRules> {
    if entry.kind != "portal" {
        if settings.evergreen.is_some() || !settings.branch_pages.is_empty() {
            faults.add("evergreen 和 branch_pages 只有 kind = \"portal\" 才有；请改 kind 或删去");
        }
        return None;
    }
    let mut audiences = BTreeMap::new();
    for (branch, audience) in &settings.branch_pages {
        match (BranchId::new(branch), Audience::from_name(audience)) {
            (Ok(branch), Some(audience)) => {
                audiences.insert(branch, audience);
            }
            _ => faults.add(format!(
                "branch_pages 里的 {branch} = \"{audience}\" 应写成 网点 = \"general、elder 或 student\""
            )),
        }
    }
    let evergreen = settings.evergreen.clone().unwrap_or_else(|| "evergreen".to_owned());
    Some(PortalRules { evergreen, audiences })
}
