//! `[channel.<id>]`: the keys that every channel has. The rest is for its adapter to check.

use super::{
    ChannelEntry, PublishMode,
    table::{SECRET_HELP, Table},
};
use crate::model::{Audience, ChannelId, OutputKind, suggest};

/// The channels, and whether the list can be trusted: where a table has a fault, schedules are
/// not blamed for naming it.
pub(super) struct Channels {
    pub(super) entries: Vec<ChannelEntry>,
    /// Every id that is written, sound or not.
    pub(super) names: Vec<String>,
}

pub(super) fn read(root: &Table<'_>, plain: &toml::Table) -> Channels {
    let mut channels = Channels { entries: Vec::new(), names: Vec::new() };
    let mut portal: Option<(String, usize)> = None;
    for (name, table) in root.tables_by_name("channel") {
        channels.names.push(name.to_owned());
        let written = plain.get("channel").and_then(|all| all.get(name)).and_then(|t| t.as_table());
        let entry = read_one(name, &table, written);
        if entry.as_ref().is_some_and(|entry| entry.kind == "portal") {
            match &portal {
                Some((first, line)) => table.fault("kind", second_portal(first, *line)),
                None => portal = Some((name.to_owned(), table.line())),
            }
        }
        channels.entries.extend(entry);
    }
    channels
}

/// Guests see the pages of one channel: a second one would be published and never shown.
fn second_portal(first: &str, line: usize) -> String {
    format!(
        "第 {line} 行的 [channel.{first}] 已经是 portal，认证页只能有一条渠道：\
         留一条，outputs、audiences、branch_pages 写在一起；只想再存一份文件，改成 kind = \"folder\"，\
         删去 evergreen 和 branch_pages"
    )
}

fn read_one(name: &str, table: &Table<'_>, written: Option<&toml::Table>) -> Option<ChannelEntry> {
    let id =
        ChannelId::new(name).map_err(|error| table.fault("渠道的名字", error.to_string())).ok();
    let kind = table.required("kind", "写渠道的种类：folder、packs、portal、webhook 或 wechat");
    let sandbox = table.flag("sandbox").unwrap_or_default();
    // A channel that nobody said may publish stops at the draft.
    let mode = table
        .parsed("mode", |text| match text {
            "draft" => Ok(PublishMode::Draft),
            "publish" => Ok(PublishMode::Publish),
            other => {
                Err(format!("不能是“{other}”；{}", suggest::known(other, ["draft", "publish"])))
            }
        })
        .unwrap_or(PublishMode::Draft);
    if !table.has("outputs") {
        table.fault("outputs", "没有写；写这个渠道发哪些输出，例如 outputs = [\"article\"]");
    }
    let outputs = table.list("outputs", |text| {
        let names = || OutputKind::ALL.iter().map(|kind| kind.as_str());
        OutputKind::from_name(text)
            .ok_or_else(|| format!("没有输出“{text}”；{}", suggest::known(text, names())))
    });
    if outputs.as_ref().is_some_and(Vec::is_empty) && table.is_sound() {
        table.fault("outputs", "是空的；写这个渠道发哪些输出，例如 [\"article\"]");
    }
    let audiences = table.list("audiences", |text| {
        let names = || Audience::ALL.iter().map(|audience| audience.as_str());
        Audience::from_name(text)
            .ok_or_else(|| format!("没有读者“{text}”；{}", suggest::known(text, names())))
    });
    if audiences.as_ref().is_some_and(Vec::is_empty) && table.is_sound() {
        table.fault("audiences", "是空的；写 [\"general\"]，或删掉这个键，三种读者都发");
    }
    check_others(table);
    let mut settings = written.cloned().unwrap_or_default();
    for key in table.asked() {
        settings.remove(key);
    }
    table.is_sound().then_some(ChannelEntry {
        id: id?,
        kind: kind?,
        sandbox,
        mode,
        outputs: outputs.unwrap_or_default(),
        audiences: audiences.unwrap_or_else(|| Audience::ALL.to_vec()),
        settings,
    })
}

/// The adapter refuses keys it does not know; here only slips of the keys that all channels have
/// are told, and secrets that were written out.
fn check_others(table: &Table<'_>) {
    let shared = table.asked();
    for (key, is_text) in table.others() {
        let near = suggest::nearest(key, shared.iter().copied());
        if let Some(near) = near.filter(|near| !key.starts_with(near)) {
            table.fault(key, format!("没有这个键；是不是想写 {near}？"));
        }
        if is_text && names_a_secret(key) {
            table.fault(key, SECRET_HELP);
        }
    }
}

/// Whether a key of that name holds a secret, whatever the adapter.
fn names_a_secret(key: &str) -> bool {
    const NAMES: [&str; 5] = ["secret", "password", "token", "aes_key", "secret_key"];
    NAMES.iter().any(|name| {
        key.strip_suffix(name).is_some_and(|before| before.is_empty() || before.ends_with('_'))
    })
}
