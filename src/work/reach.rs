//! To which branches an edition goes, and what its channels make of that.

use super::Content;
use crate::{
    config::ChannelEntry,
    model::{ChannelId, Digest, Edition, Reached},
};

/// The name of the input that says which branches a narrowed edition goes to.
pub const INPUT: &str = "campaign/branches";

/// What is wrong with an edition that covers no branch.
pub(super) const NOBODY: &str = "没有一个网点符合选的片区和标签：少选几样，或都不选";

/// The kind that shows one thing everywhere.
pub(super) const PORTAL: &str = "portal";

/// Whether a channel of that kind gives each branch its own, and so can leave some out.
#[must_use]
pub fn knows_branches(kind: &str) -> bool {
    matches!(kind, "folder" | "packs")
}

/// The branches that an edition goes to over a channel, where it is narrowed and the channel can
/// tell them apart.
#[must_use]
pub fn reached(content: &Content, edition: &Edition, entry: &ChannelEntry) -> Option<Reached> {
    let reached = Reached::of(&edition.reach, &content.library.branches)?;
    knows_branches(&entry.kind).then_some(reached)
}

/// Why a narrowed edition cannot go over a channel, if it cannot.
pub(super) fn refusal(
    content: &Content,
    edition: &Edition,
    entry: &ChannelEntry,
) -> Option<String> {
    let reached = Reached::of(&edition.reach, &content.library.branches)?;
    if entry.kind == PORTAL {
        return Some(format!(
            "渠道 {} 的认证页全行同放一期，放不了只到部分网点的活动 {}：\
             请在活动的 channels 里写明别的渠道，不写 {}；或不写 districts、tags",
            entry.id, edition.id, entry.id
        ));
    }
    (knows_branches(&entry.kind) && reached.branches.is_empty()).then(|| NOBODY.to_owned())
}

/// That a narrowed edition leaves a channel out which it did not name, in Chinese.
pub(super) fn left_out(edition: &Edition, channel: &ChannelId) -> String {
    format!("渠道 {channel} 的认证页全行同放一期：只到部分网点的活动 {} 不走它", edition.id)
}

/// What a narrowed edition cannot keep on this channel, in Chinese.
#[must_use]
pub fn warning(edition: &Edition, entry: &ChannelEntry) -> Option<String> {
    let narrowed = !edition.reach.is_everywhere() && !knows_branches(&entry.kind);
    narrowed.then(|| {
        let who = match entry.kind.as_str() {
            "wechat" => "关注者都会看到",
            _ => "收得到的人都会看到",
        };
        format!(
            "渠道 {} 不分网点，{who}：活动 {} 写的片区、标签对它不起作用。\
             不想这样，请在活动的 channels 里不写 {}",
            entry.id, edition.id, entry.id
        )
    })
}

/// What people approve as the reach: what was asked for, and the branches that this comes to.
pub(super) fn input(content: &Content, edition: &Edition, entry: &ChannelEntry) -> Option<Digest> {
    let reach = &edition.reach;
    if reach.is_everywhere() {
        return None;
    }
    let mut fields: Vec<&[u8]> = reach.districts.iter().map(String::as_bytes).collect();
    fields.push(b"");
    fields.extend(reach.tags.iter().map(String::as_bytes));
    let reached = reached(content, edition, entry);
    if let Some(reached) = &reached {
        fields.push(b"");
        fields.extend(reached.branches.iter().map(|branch| branch.as_str().as_bytes()));
    }
    Some(Digest::of_fields(fields))
}
