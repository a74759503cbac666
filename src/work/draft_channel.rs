//! What a channel would carry of an edition that somebody plans.

use super::Content;
use crate::model::{LessonId, Manifest, OutputKind, Window};

/// What one channel would carry of a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftChannel {
    /// The channel.
    pub channel: String,
    /// Its kind.
    pub kind: String,
    /// The days on which it may be out.
    pub window: Window,
    /// What it carries.
    pub outputs: Vec<OutputKind>,
    /// How many texts: lessons times audiences.
    pub texts: usize,
    /// For how many branches something of their own is made; 0 where nothing is.
    pub branches: usize,
    /// Files and bytes as they were submitted last, where nothing has changed since.
    pub size: Option<(usize, u64)>,
}

pub(super) fn draft_channel(
    content: &Content,
    channel: &super::plan::ChannelOutline,
    lessons: &[LessonId],
    known: &[Manifest],
) -> DraftChannel {
    let entry = &channel.entry;
    let carried: Vec<_> = super::plan::carried(&content.library, lessons, entry).collect();
    let per_branch =
        [OutputKind::Screen, OutputKind::Print, OutputKind::Portal, OutputKind::Notice];
    let branches = entry.outputs.iter().any(|output| per_branch.contains(output));
    let manifest = known.iter().find(|manifest| manifest.channel == entry.id);
    DraftChannel {
        channel: entry.id.to_string(),
        kind: entry.kind.clone(),
        window: channel.window,
        outputs: entry.outputs.clone(),
        texts: carried.len(),
        branches: if branches { content.library.branches.len() } else { 0 },
        size: manifest.map(|manifest| {
            (manifest.files.len(), manifest.files.iter().map(|file| file.bytes).sum())
        }),
    }
}

/// One line for each channel, over all lessons of a rotation.
pub(super) fn merged(channels: Vec<DraftChannel>) -> Vec<DraftChannel> {
    let mut lines: Vec<DraftChannel> = Vec::new();
    for one in channels {
        match lines.iter_mut().find(|line| line.channel == one.channel) {
            Some(line) => {
                line.texts += one.texts;
                line.window.from = line.window.from.min(one.window.from);
                line.window.until = line.window.until.max(one.window.until);
                line.size = line.size.zip(one.size).map(|(a, b)| (a.0 + b.0, a.1 + b.1));
            }
            None => lines.push(one),
        }
    }
    lines
}
