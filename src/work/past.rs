//! What was, made present again: the content folder that a submission froze, and the outputs that
//! come of it, byte for byte.

use super::{Content, Plan, Publisher, WorkError, difference::read_revision, wire};
use crate::{
    config::{ChannelEntry, Config},
    model::{ChannelId, Digest, LessonId, Manifest},
    read,
    store::Review,
};
use std::{
    fs,
    path::{Component, Path, PathBuf},
};

/// So many frozen folders are kept unpacked; the blobs keep all of them.
const KEPT: usize = 20;

/// What rendering a submission again gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Again {
    /// Files with the very bytes that were approved.
    pub same: usize,
    /// Files that came out otherwise: channel and path.
    pub different: Vec<(ChannelId, String)>,
    /// What else differs, where a file does: templates, fonts, rules, settings.
    pub reasons: Vec<String>,
}

impl Publisher {
    /// The folder into which a submission's content is unpacked.
    fn unpacked(&self, revision: &Digest) -> PathBuf {
        let beside = self.render_folder.parent().unwrap_or(&self.render_folder);
        beside.join("revisions").join(&revision.to_string()[..32])
    }

    /// The content folder as a submission froze it.
    ///
    /// # Errors
    /// The blob store's, or [`WorkError::File`] where it cannot be unpacked.
    pub async fn content_of(&self, review: &Review) -> Result<Content, WorkError> {
        let folder = self.unpacked(&review.revision);
        if !folder.is_dir() {
            self.unpack(&review.revision, &folder).await?;
        }
        let config = Config { content: folder.clone(), ..(*self.config).clone() };
        let read = tokio::task::spawn_blocking(move || Content::load(&config)).await;
        read.map_err(|error| WorkError::Manifest(error.to_string()))?
    }

    /// The approved manifest of that hash.
    ///
    /// # Errors
    /// [`WorkError::Unknown`] where there is none, [`WorkError::Manifest`] where it is garbled.
    pub async fn manifest(&self, hash: &Digest) -> Result<Manifest, WorkError> {
        let text = self.store.manifest(hash).await?;
        let text = text.ok_or_else(|| WorkError::Unknown(format!("台账里没有清单 {hash}")))?;
        wire::from_json(&text)
    }

    /// What lessons were called in the content that a submission froze; the id of one whose title
    /// cannot be read any more.
    pub async fn frozen_titles(&self, revision: &Digest, lessons: &[LessonId]) -> Vec<String> {
        let frozen = read_revision(&self.store, revision).await.unwrap_or_default();
        let mut titles = Vec::new();
        for lesson in lessons {
            let file = frozen.get(&format!("lessons/{lesson}/lesson.md"));
            let bytes = match file {
                Some(file) => self.store.blob(file).await.ok(),
                None => None,
            };
            let title = bytes.and_then(|bytes| read::title(&String::from_utf8_lossy(&bytes)));
            titles.push(title.unwrap_or_else(|| lesson.to_string()));
        }
        titles
    }

    async fn unpack(&self, revision: &Digest, folder: &Path) -> Result<(), WorkError> {
        let at = |source| WorkError::File { path: folder.to_owned(), source };
        let parent = folder.parent().unwrap_or(folder);
        fs::create_dir_all(parent).map_err(at)?;
        forget_oldest(parent);
        let temporary = tempfile::tempdir_in(parent).map_err(at)?;
        for (path, digest) in read_revision(&self.store, revision).await? {
            let inside = Path::new(&path);
            if !inside.components().all(|part| matches!(part, Component::Normal(_))) {
                return Err(WorkError::Manifest(format!("定稿里有不在文件夹里的路径“{path}”")));
            }
            let file = temporary.path().join(inside);
            let failed = |source| WorkError::File { path: file.clone(), source };
            fs::create_dir_all(file.parent().unwrap_or(parent)).map_err(failed)?;
            fs::write(&file, self.store.blob(&digest).await?).map_err(failed)?;
        }
        match fs::rename(temporary.path(), folder) {
            Ok(()) => {
                // Moved away: nothing is left to be removed.
                let _moved = temporary.keep();
                Ok(())
            }
            // Somebody else has unpacked the same meanwhile.
            Err(_) if folder.is_dir() => Ok(()),
            Err(error) => Err(at(error)),
        }
    }

    /// Renders a submission again from what it froze, and compares every byte.
    ///
    /// # Errors
    /// Where it cannot be rendered at all any more; why is said.
    pub async fn render_again(&self, review: &Review) -> Result<Again, WorkError> {
        let content = self.content_of(review).await?;
        let plan = self.plan_again(review, content).await?;
        let (mut same, mut different, mut reasons) = (0, Vec::new(), Vec::new());
        for (channel, hash) in &review.manifests {
            let approved = self.manifest(hash).await?;
            let now = plan.channels.iter().find(|plan| plan.channel == *channel);
            for file in &approved.files {
                let is_same = now.is_some_and(|now| {
                    now.manifest
                        .files
                        .iter()
                        .any(|one| one.path == file.path && one.sha256 == file.sha256)
                });
                if is_same {
                    same += 1;
                } else {
                    different.push((channel.clone(), file.path.clone()));
                }
            }
            let Some(now) = now else {
                reasons.push(format!("channels.toml 里没有渠道 {channel} 了"));
                continue;
            };
            if now.manifest.rule_pack != approved.rule_pack {
                let (old, new) = (&approved.rule_pack, &now.manifest.rule_pack);
                reasons.push(format!("规则包当时是 {old}，现在是 {new}"));
            }
            for (name, digest) in &approved.inputs {
                if now.manifest.inputs.get(name) != Some(digest) {
                    reasons.push(format!("{name} 和当时不一样"));
                }
            }
        }
        reasons.sort();
        reasons.dedup();
        Ok(Again { same, different, reasons })
    }

    async fn plan_again(&self, review: &Review, content: Content) -> Result<Plan, WorkError> {
        // Several schedules may show the campaign, each over channels of its own: those that were
        // submitted are those of the schedule that it was submitted for.
        let mut subject = self.subject(&content, &review.campaign.to_string())?;
        let submitted =
            |entry: &ChannelEntry| review.manifests.iter().any(|(id, _)| *id == entry.id);
        subject.channels.retain(submitted);
        let outline = subject.outline(&content, &review.lessons)?;
        let number = review.number.clone();
        let beside = self.render_folder.parent().unwrap_or(&self.render_folder).to_owned();
        let publisher = self.clone();
        let rendered = tokio::task::spawn_blocking(move || {
            // A folder of its own: nothing that was rendered before may stand in for it.
            let at = |source| WorkError::File { path: beside.clone(), source };
            fs::create_dir_all(&beside).map_err(at)?;
            let folder = tempfile::tempdir_in(&beside).map_err(at)?;
            let publisher = Self { render_folder: folder.path().to_owned(), ..publisher };
            publisher.render(&content, &outline, &number, &|_, _| {})
        });
        rendered.await.map_err(|error| WorkError::Manifest(error.to_string()))?
    }
}

/// Removes the oldest unpacked folders; they can be unpacked again.
fn forget_oldest(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    let mut folders: Vec<_> = entries
        .flatten()
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    folders.sort();
    let surplus = folders.len().saturating_sub(KEPT);
    // Somebody may be reading one that was unpacked today.
    let is_old = |at: &std::time::SystemTime| {
        at.elapsed().is_ok_and(|age| age > std::time::Duration::from_hours(24))
    };
    for (_, path) in folders.into_iter().take(surplus).filter(|(at, _)| is_old(at)) {
        let _gone = fs::remove_dir_all(path);
    }
}
