//! Names what changed since something was approved, down to the line.

use super::{ChannelPlan, Content, WorkError};
use crate::{
    model::{Digest, Manifest},
    store::{Review, Store},
    work::plan::ChannelOutline,
};
use std::{collections::BTreeMap, fs, path::Path};

/// The files of a frozen content folder: path under it → blob.
pub type Revision = BTreeMap<String, Digest>;

/// What differs between the approved manifest and the outline of today, each in Chinese. Empty
/// where today's outputs would be the approved ones.
///
/// # Errors
/// Where the frozen texts cannot be read.
pub async fn changes(
    store: &Store,
    review: &Review,
    approved: &Manifest,
    today: &ChannelOutline,
    rule_pack: &str,
    content: &Content,
) -> Result<Vec<String>, WorkError> {
    let mut changes = Vec::new();
    if approved.rule_pack != rule_pack {
        changes.push(format!(
            "规则包从 {} 换成了 {rule_pack}：请按新规则复核，再提交审批",
            approved.rule_pack
        ));
    }
    if approved.window != today.window {
        let (old, new) = (approved.window, today.window);
        changes.push(format!(
            "投放日期从 {} 至 {} 改成了 {} 至 {}",
            old.from, old.until, new.from, new.until
        ));
    }
    let mut names: Vec<&String> = approved.inputs.keys().chain(today.inputs.keys()).collect();
    names.sort();
    names.dedup();
    let names =
        names.into_iter().filter(|name| approved.inputs.get(*name) != today.inputs.get(*name));
    let changed: Vec<&String> = names.collect();
    if changed.is_empty() {
        return Ok(changes);
    }
    let revision = read_revision(store, &review.revision).await?;
    for name in changed {
        let (old, new) = (approved.inputs.get(name), today.inputs.get(name));
        changes.push(match name.strip_prefix("content/") {
            Some(path) => file_change(store, &revision, path, new.is_some(), &content.folder).await,
            None => named_change(name, old.is_some(), new.is_some()),
        });
    }
    Ok(changes)
}

/// What became of an input of that name, in Chinese.
#[must_use]
pub fn named_change(name: &str, was: bool, is: bool) -> String {
    let label = match name {
        "templates" => "版式模板、配色或字号表".to_owned(),
        "fonts" => "字体".to_owned(),
        "bank" => "channels.toml 的 [bank]".to_owned(),
        "campaign" => "活动名称、主题、日期或配色".to_owned(),
        "campaign/branches" => "活动发到哪些网点".to_owned(),
        _ => match name.strip_prefix("channel/") {
            Some(channel) => format!("channels.toml 的 [channel.{channel}]"),
            None => name.to_owned(),
        },
    };
    match (was, is) {
        (false, _) => format!("{label} 是新加的"),
        (_, false) => format!("{label} 不见了"),
        _ => format!("{label} 改过"),
    }
}

async fn file_change(
    store: &Store,
    revision: &Revision,
    path: &str,
    is_there: bool,
    folder: &Path,
) -> String {
    let shown = format!("content/{path}");
    if !is_there {
        return format!("{shown} 不见了");
    }
    let Some(frozen) = revision.get(path) else { return format!("{shown} 是新加的") };
    let old = store.blob(frozen).await.ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let new = fs::read_to_string(folder.join(path)).ok();
    match (old, new) {
        (Some(old), Some(new)) => match first_difference(&old, &new) {
            Some((line, before, after)) => {
                format!("{shown} 第 {line} 行改过：审批时是“{before}”，现在是“{after}”")
            }
            None => format!("{shown} 改过"),
        },
        _ => format!("{shown} 改过"),
    }
}

/// The first line that differs, counted from one, and a short stretch of both around the first
/// differing character.
fn first_difference(old: &str, new: &str) -> Option<(usize, String, String)> {
    let mut old_lines = old.lines();
    let mut new_lines = new.lines();
    let mut number = 0;
    loop {
        number += 1;
        let (before, after) = (old_lines.next(), new_lines.next());
        if before.is_none() && after.is_none() {
            return None;
        }
        if before != after {
            let (before, after) = (before.unwrap_or(""), after.unwrap_or(""));
            let same =
                before.chars().zip(after.chars()).take_while(|(one, other)| one == other).count();
            return Some((number, stretch(before, same), stretch(after, same)));
        }
    }
}

fn stretch(line: &str, around: usize) -> String {
    let start = around.saturating_sub(8);
    let shown: String = line.chars().skip(start).take(20).collect();
    let before = if start > 0 { "…" } else { "" };
    let after = if line.chars().count() > start + 20 { "…" } else { "" };
    format!("{before}{shown}{after}")
}

/// Freezes the content folder: every file as a blob, and the list of them as one more.
///
/// # Errors
/// Where a file or the blob store fails.
pub async fn freeze(store: &Store, content: &Content) -> Result<Digest, WorkError> {
    let mut list: BTreeMap<&str, String> = BTreeMap::new();
    for (path, digest) in &content.files {
        list.insert(path, digest.to_string());
        if store.has_blob(digest).await? {
            continue;
        }
        let file = content.folder.join(path);
        let bytes =
            fs::read(&file).map_err(|source| WorkError::File { path: file.clone(), source })?;
        if store.put_blob(&bytes).await? != *digest {
            return Err(WorkError::Refused(format!(
                "{} 在提交的时候被改了，请保存好再提交一次",
                file.display()
            )));
        }
    }
    let json = serde_json_canonicalizer::to_string(&list)
        .map_err(|error| WorkError::Manifest(error.to_string()))?;
    Ok(store.put_blob(json.as_bytes()).await?)
}

/// Reads a frozen list.
///
/// # Errors
/// Where it is not one.
pub async fn read_revision(store: &Store, digest: &Digest) -> Result<Revision, WorkError> {
    let bytes = store.blob(digest).await?;
    let list: BTreeMap<String, String> =
        serde_json::from_slice(&bytes).map_err(|error| WorkError::Manifest(error.to_string()))?;
    list.into_iter()
        .map(|(path, hex)| {
            let digest = Digest::from_hex(&hex)
                .ok_or_else(|| WorkError::Manifest(format!("{path} 的摘要是“{hex}”")))?;
            Ok((path, digest))
        })
        .collect()
}

/// Puts every file of the plan into the blob store.
///
/// # Errors
/// Where a file or the blob store fails, or a file is not what was planned.
pub async fn keep_files(
    store: &Store,
    folder: &Path,
    channels: &[ChannelPlan],
    watch: &mut (dyn FnMut(usize, usize) + Send),
) -> Result<(), WorkError> {
    let mut files: BTreeMap<Digest, &str> = BTreeMap::new();
    for channel in channels {
        files.extend(channel.manifest.files.iter().map(|file| (file.sha256, file.path.as_str())));
    }
    let total = files.len();
    for (index, (digest, path)) in files.into_iter().enumerate() {
        if !store.has_blob(&digest).await? {
            let file = folder.join(path);
            let bytes =
                fs::read(&file).map_err(|source| WorkError::File { path: file.clone(), source })?;
            if store.put_blob(&bytes).await? != digest {
                return Err(WorkError::Refused(format!(
                    "{} 在提交的时候变了，请再提交一次",
                    file.display()
                )));
            }
        }
        watch(index + 1, total);
    }
    Ok(())
}
