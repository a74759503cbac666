//! Configuration → channel: one match names every adapter.

use super::{Channel, Egress};
use crate::config::ChannelEntry;
use std::{path::PathBuf, sync::Arc};
use url::Url;

/// What a channel is built with besides its own table.
#[derive(Debug, Clone)]
pub struct BuildContext {
    /// Relative paths of channel tables are below this folder.
    pub folder: PathBuf,
    /// Which addresses may be reached unless the table says otherwise.
    pub egress: Egress,
    /// The stand-in's address, such as `http://127.0.0.1:8787`, for channels with `sandbox = true`.
    pub sandbox: Option<Url>,
    /// Nothing may leave the machine: whatever the tables say, only loopback is reached and
    /// folders are written below this one.
    pub rehearsal: Option<PathBuf>,
}

/// Checks the table of a channel and builds it. Reads its secrets; reaches nothing.
///
/// # Errors
/// Every fault of the table, each naming its key, what was expected and what to do.
pub fn build(
    entry: &ChannelEntry,
    context: &BuildContext,
) -> Result<Arc<dyn Channel>, Vec<String>> {
    match entry.kind.as_str() {
        "folder" | "portal" => super::folder::build(entry, context),
        "packs" => super::packs::build(entry, context),
        "webhook" => super::webhook::build(entry, context),
        "wechat" => super::wechat::build(entry, context),
        other => Err(vec![format!(
            "[channel.{}] kind 是“{other}”，应为 folder、packs、portal、webhook 或 wechat",
            entry.id
        )]),
    }
}
