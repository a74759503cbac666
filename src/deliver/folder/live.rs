//! What guests see now, for channels of kind `portal`.
//!
//! ```text
//! live.json              which generation guests see, and until which day
//! live/<branch>/…        its pages and packages under names that stay from week to week
//! live/bank/…            the same without a branch
//! ```
//!
//! A folder's `live` is a link and changes in one step; elsewhere each file is replaced whole, and
//! `live.json` last. What expires or is taken down gives way to the newest other generation whose
//! window has today in it, and without one to the evergreen series: a guest always gets a page.

use super::{
    channel::FolderChannel,
    tree,
    wire::{self, FileEntry, Generation},
};
use crate::{
    deliver::{
        DeliverError, Finding, LiveFile, LivePages, Parcel, PortalPages,
        storage::{Effect, StorageError, off_thread, parallel},
    },
    model::{Audience, BranchId, Digest, LessonId, MediaType, OutputKind},
};
use async_trait::async_trait;
use futures_util::{FutureExt as _, StreamExt as _, future::BoxFuture, stream};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fs, path::Path};

pub(super) const FORMAT: u32 = 1;
const STATE: &str = "live.json";
/// The folder's name for what has no branch.
const BANK: &str = "bank";

/// How a portal channel differs from a folder channel.
#[derive(Debug)]
pub(super) struct PortalRules {
    /// The campaign series that steps in where nothing else may be shown.
    pub(super) evergreen: String,
    /// Whose variant a branch's page is, where it is not everybody's.
    pub(super) audiences: BTreeMap<BranchId, Audience>,
}

/// `live.json`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Live {
    pub(super) format: u32,
    /// `None` where nothing may be shown.
    pub(super) key: Option<String>,
    pub(super) series: String,
    #[serde(default)]
    pub(super) slot: String,
    pub(super) from: String,
    pub(super) until: String,
}

impl Live {
    fn of(generation: &Generation) -> Self {
        Self {
            format: FORMAT,
            key: Some(generation.key.clone()),
            series: series_of(generation),
            slot: generation.slot.clone(),
            from: generation.window.from.clone(),
            until: generation.window.until.clone(),
        }
    }
}

pub(super) fn series_of(generation: &Generation) -> String {
    generation.campaign.split('/').next().unwrap_or_default().to_owned()
}

/// The day in the bank's time zone.
pub(super) fn day(now: Timestamp) -> Date {
    let zone = TimeZone::get("Asia/Shanghai").unwrap_or(TimeZone::UTC);
    now.to_zoned(zone).date()
}

impl PortalRules {
    /// The files that guests and gateways fetch, by the names that stay. Of several lessons the
    /// first by path is the page; the others are read after login.
    pub(super) fn names<'g>(&self, generation: &'g Generation) -> BTreeMap<String, &'g FileEntry> {
        let mut names: BTreeMap<String, &FileEntry> = BTreeMap::new();
        let is_page =
            |file: &&FileEntry| file.output == OutputKind::Portal.as_str() && !Self::is_aside(file);
        for file in generation.files.iter().filter(is_page) {
            let place = file.branch.as_deref().unwrap_or(BANK);
            let ending = if file.media_type == MediaType::Zip.as_str() { "zip" } else { "html" };
            let own = format!("{place}/{}.{ending}", file.audience);
            names.entry(own).or_insert(file);
        }
        let places: Vec<String> =
            names.keys().filter_map(|name| Some(name.split_once('/')?.0.to_owned())).collect();
        for place in places {
            for (ending, main) in [("html", "index.html"), ("zip", "package.zip")] {
                let wanted = self.audience(&place).as_str();
                let of =
                    |audience: &str| names.get(&format!("{place}/{audience}.{ending}")).copied();
                let any = || Audience::ALL.iter().find_map(|audience| of(audience.as_str()));
                if let Some(file) = of(wanted).or_else(any) {
                    names.insert(format!("{place}/{main}"), file);
                }
            }
        }
        names
    }

    fn audience(&self, place: &str) -> Audience {
        let own = BranchId::new(place).ok().and_then(|branch| self.audiences.get(&branch).copied());
        own.unwrap_or(Audience::General)
    }

    /// The quiz and its answers are no pages to get on by.
    fn is_aside(file: &FileEntry) -> bool {
        file.media_type == MediaType::Html.as_str() && file.profile.is_some()
    }
}

impl FolderChannel {
    /// Shows a generation to guests. Its blobs are there.
    pub(super) async fn show(
        &self,
        rules: &PortalRules,
        generation: &Generation,
    ) -> Result<(), DeliverError> {
        let names = rules.names(generation);
        let explain = |error| self.explain(error, "切换客人看到的页", Effect::Harmless);
        if let Some((root, _)) = self.repository.folder() {
            let files: Vec<(String, String)> =
                names.iter().map(|(name, file)| (name.clone(), file.sha256.clone())).collect();
            let (root, key) = (root.clone(), generation.key.clone());
            // The rules are part of what is shown: other rules, another folder.
            let state = Digest::of(format!("{key}{files:?}").as_bytes()).to_string();
            off_thread(move || {
                let name = format!(".live-{}", &state[..16]);
                tree::lay_out_as(&root, &root.join(&name), files.into_iter())?;
                tree::point(&root, "live", Path::new(&name))?;
                sweep(&root, &name)
            })
            .await
            .map_err(explain)?;
        } else {
            self.copy_all(rules, &names).await.map_err(explain)?;
        }
        let state = Live::of(generation);
        self.write_state(&state).await.map_err(explain)
    }

    /// Shows what is being published, unless something of a later slot is shown. The evergreen
    /// series waits until it is needed.
    pub(super) async fn show_parcel(
        &self,
        rules: &PortalRules,
        parcel: &Parcel,
        today: Date,
    ) -> Result<(), DeliverError> {
        let explain = |error| self.explain(error, "读认证页", Effect::Harmless);
        let live = self.live().await.map_err(explain)?;
        let live = live.filter(|live| live.key.is_some() && live.series != rules.evergreen);
        if let Some(live) = live {
            let is_later = live.slot.parse::<Timestamp>().is_ok_and(|slot| slot > parcel.slot)
                && live.until.parse::<Date>().is_ok_and(|until| until >= today);
            if parcel.campaign.series == rules.evergreen || is_later {
                return Ok(());
            }
        }
        self.show(rules, &Generation::of(parcel)).await
    }

    /// Puts files where gateways fetch them and takes away what is no longer there. Files that are
    /// the same as before are left.
    async fn copy_all(
        &self,
        rules: &PortalRules,
        names: &BTreeMap<String, &FileEntry>,
    ) -> Result<(), StorageError> {
        let before = self.shown_now().await?;
        let before = before.as_ref().map(|generation| rules.names(generation)).unwrap_or_default();
        let is_same = |name: &String, file: &FileEntry| {
            before.get(name).is_some_and(|b| b.sha256 == file.sha256)
        };
        let operator = self.repository.operator()?;
        let copies: Vec<BoxFuture<'_, Result<(), StorageError>>> = names
            .iter()
            .filter(|(name, file)| !is_same(name, file))
            .map(|(name, file)| self.copy(name, file).boxed())
            .collect();
        let mut copies = stream::iter(copies).buffer_unordered(parallel(&operator));
        while let Some(copied) = copies.next().await {
            copied?;
        }
        let gone = before.keys().filter(|name| !names.contains_key(*name));
        self.repository.delete(gone.map(|name| format!("live/{name}")).collect()).await
    }

    /// The generation that `live.json` names.
    async fn shown_now(&self) -> Result<Option<Generation>, StorageError> {
        let key = self.live().await?.and_then(|live| live.key);
        match key {
            Some(key) => self.parsed(&wire::generation_path(&key)).await,
            None => Ok(None),
        }
    }

    async fn copy(&self, name: &str, file: &FileEntry) -> Result<(), StorageError> {
        let Some(bytes) = self.repository.read(&wire::blob_path(&file.sha256)).await? else {
            return Err(StorageError::Garbled {
                path: wire::blob_path(&file.sha256),
                reason: "不在了".into(),
            });
        };
        let beside = format!("live/.{}", &file.sha256[..16]);
        self.repository.put_whole(&format!("live/{name}"), &beside, bytes, &file.media_type).await
    }

    pub(super) async fn write_state(&self, state: &Live) -> Result<(), StorageError> {
        let (_, version) = self.repository.read_versioned(STATE).await?;
        self.repository.replace(STATE, ".live", wire::to_json(state), &version).await
    }

    /// What guests see now.
    pub(super) async fn live(&self) -> Result<Option<Live>, StorageError> {
        self.parsed(STATE).await
    }

    pub(super) async fn parsed<T: serde::de::DeserializeOwned>(
        &self,
        path: &str,
    ) -> Result<Option<T>, StorageError> {
        let Some(bytes) = self.repository.read(path).await? else { return Ok(None) };
        let parsed = serde_json::from_slice(&bytes).map_err(|error| StorageError::Garbled {
            path: path.to_owned(),
            reason: error.to_string(),
        })?;
        Ok(Some(parsed))
    }

    /// Lines of `caishi doctor`.
    pub(super) async fn look_at_live(&self, rules: &PortalRules) -> Vec<Finding> {
        let (Ok(live), Ok(pointers)) = (self.live().await, self.pointers().await) else {
            return Vec::new();
        };
        let has_evergreen =
            pointers.iter().any(|p| p.series() == rules.evergreen && p.current.is_some());
        let mut findings = vec![Finding {
            // Something to do before it is needed, nothing that keeps a delivery back.
            ok: true,
            what: if has_evergreen {
                format!("常青课 {} 已发布", rules.evergreen)
            } else {
                format!("常青课 {} 还没有发布：到期或撤回后没有页可换", rules.evergreen)
            },
            next_step: (!has_evergreen)
                .then(|| format!("请提交、审批并发布一次 {} 系列的一期", rules.evergreen)),
        }];
        if let Some(live) = live.filter(|live| live.key.is_some()) {
            let what = format!("客人现在看到的是 {}，到 {}", live.series, live.until);
            findings.push(Finding { ok: true, what, next_step: None });
        }
        findings
    }
}

/// Removes what was shown before, except `kept`.
pub(super) fn sweep(root: &Path, kept: &str) -> std::io::Result<()> {
    for entry in fs::read_dir(root)?.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(".live-") && name != kept {
            tree::remove_if_there(fs::remove_dir_all(entry.path()))?;
        }
    }
    Ok(())
}

#[async_trait]
impl PortalPages for FolderChannel {
    async fn live_pages(&self) -> Result<Option<LivePages>, DeliverError> {
        let explain = |error| self.explain(error, "读认证页", Effect::Harmless);
        let Some(rules) = &self.portal else { return Ok(None) };
        let Some(live) = self.live().await.map_err(explain)? else { return Ok(None) };
        let Some(key) = &live.key else { return Ok(None) };
        let path = wire::generation_path(key);
        let Some(generation) = self.parsed::<Generation>(&path).await.map_err(explain)? else {
            return Ok(None);
        };
        let main: Vec<&FileEntry> = rules
            .names(&generation)
            .into_iter()
            .filter(|(name, _)| name.ends_with("/index.html"))
            .map(|(_, file)| file)
            .collect();
        let files = generation.files.iter().filter_map(|file| {
            Some(LiveFile {
                lesson: file.lesson.as_deref().and_then(|id| LessonId::new(id).ok()),
                output: OutputKind::from_name(&file.output)?,
                audience: Audience::from_name(&file.audience)?,
                profile: file.profile.clone(),
                branch: file.branch.as_deref().and_then(|id| BranchId::new(id).ok()),
                media_type: MediaType::from_name(&file.media_type)?,
                sha256: Digest::from_hex(&file.sha256)?,
                name: file.path.rsplit('/').next().unwrap_or_default().to_owned(),
                is_main: main.iter().any(|main| std::ptr::eq(*main, file)),
            })
        });
        let files = files.collect();
        Ok(Some(LivePages { key: key.clone(), until: live.until.clone(), files }))
    }

    async fn page_bytes(&self, sha256: &Digest) -> Result<Option<Vec<u8>>, DeliverError> {
        let path = wire::blob_path(&sha256.to_string());
        let read = self.repository.read(&path).await;
        read.map_err(|error| self.explain(error, "读认证页", Effect::Harmless))
    }
}
