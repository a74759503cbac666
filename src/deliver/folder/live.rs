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
    wire::{self, FileEntry, Generation, Pointer},
};
use crate::{
    deliver::{
        Books, DeliverError, Finding, LiveFile, LivePages, Parcel, PortalPages,
        storage::{Effect, StorageError, absent_is_none, off_thread},
    },
    model::{Audience, BranchId, Digest, LessonId, MediaType, OutputKind},
};
use async_trait::async_trait;
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fs, path::Path};

const FORMAT: u32 = 1;
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
    format: u32,
    /// `None` where nothing may be shown.
    pub(super) key: Option<String>,
    series: String,
    from: String,
    pub(super) until: String,
}

impl Live {
    fn of(generation: &Generation) -> Self {
        Self {
            format: FORMAT,
            key: Some(generation.key.clone()),
            series: series_of(generation),
            from: generation.window.from.clone(),
            until: generation.window.until.clone(),
        }
    }
}

fn series_of(generation: &Generation) -> String {
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
    fn names<'g>(&self, generation: &'g Generation) -> BTreeMap<String, &'g FileEntry> {
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
            for (name, file) in &names {
                self.copy(name, file).await.map_err(explain)?;
            }
        }
        let state = Live::of(generation);
        self.write_state(&state).await.map_err(explain)
    }

    /// Shows what is being published. The evergreen series waits until it is needed.
    pub(super) async fn show_parcel(
        &self,
        rules: &PortalRules,
        parcel: &Parcel,
    ) -> Result<(), DeliverError> {
        let explain = |error| self.explain(error, "读认证页", Effect::Harmless);
        if parcel.campaign.series == rules.evergreen {
            let live = self.live().await.map_err(explain)?;
            if live.is_some_and(|live| live.key.is_some() && live.series != rules.evergreen) {
                return Ok(());
            }
        }
        self.show(rules, &Generation::of(parcel)).await
    }

    async fn copy(&self, name: &str, file: &FileEntry) -> Result<(), StorageError> {
        let Some(bytes) = self.repository.read(&wire::blob_path(&file.sha256)).await? else {
            return Err(StorageError::Garbled {
                path: wire::blob_path(&file.sha256),
                reason: "不在了".into(),
            });
        };
        self.repository.write(&format!("live/{name}"), bytes, &file.media_type).await
    }

    async fn write_state(&self, state: &Live) -> Result<(), StorageError> {
        let (_, version) = self.repository.read_versioned(STATE).await?;
        self.repository.replace(STATE, ".live", wire::to_json(state), &version).await
    }

    /// What guests see now.
    pub(super) async fn live(&self) -> Result<Option<Live>, StorageError> {
        self.parsed(STATE).await
    }

    async fn parsed<T: serde::de::DeserializeOwned>(
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

    /// Shows something else instead of `gone`: what may be shown today, else the evergreen
    /// series. What it is, for people.
    pub(super) async fn give_way(
        &self,
        rules: &PortalRules,
        gone: &str,
        today: Date,
    ) -> Result<String, DeliverError> {
        let explain = |error| self.explain(error, "找替补的页", Effect::Harmless);
        match self.substitute(rules, gone, today).await.map_err(explain)? {
            Some(generation) => {
                self.show(rules, &generation).await?;
                let until = &generation.window.until;
                Ok(format!("认证页换成 {}（到 {until}）", generation.campaign))
            }
            None => {
                let empty = Live {
                    format: FORMAT,
                    key: None,
                    series: String::new(),
                    from: today.to_string(),
                    until: today.to_string(),
                };
                self.write_state(&empty).await.map_err(explain)?;
                self.clear().await.map_err(explain)?;
                Ok(format!(
                    "没有别的页可换，{} 也没有发布过：客人只看到不带课文的页",
                    rules.evergreen
                ))
            }
        }
    }

    async fn clear(&self) -> Result<(), StorageError> {
        if let Some((root, _)) = self.repository.folder() {
            let root = root.clone();
            return off_thread(move || {
                tree::remove_if_there(fs::remove_file(root.join("live")))?;
                sweep(&root, "")
            })
            .await;
        }
        let operator = self.repository.operator()?;
        let folder = self.repository.path("live/");
        let options = opendal::options::ListOptions { recursive: true, ..Default::default() };
        let listed = self.repository.within(operator.list_options(&folder, options)).await;
        for entry in absent_is_none(listed)?.unwrap_or_default() {
            if entry.metadata().is_file() {
                self.repository.within(operator.delete(entry.path())).await?;
            }
        }
        Ok(())
    }

    /// The newest generation, other than `gone`, whose window has today in it; else what the
    /// evergreen series published last, whatever its window.
    async fn substitute(
        &self,
        rules: &PortalRules,
        gone: &str,
        today: Date,
    ) -> Result<Option<Generation>, StorageError> {
        let mut best: Option<Generation> = None;
        let mut evergreen: Option<Generation> = None;
        for pointer in self.pointers().await? {
            let keys = pointer.history.iter().filter(|past| !past.recalled && past.key != gone);
            for past in keys {
                let path = wire::generation_path(&past.key);
                let Some(found) = self.parsed::<Generation>(&path).await? else { continue };
                let holds = |from: &str, until: &str| {
                    from.parse::<Date>().is_ok_and(|from| from <= today)
                        && until.parse::<Date>().is_ok_and(|until| today <= until)
                };
                if series_of(&found) == rules.evergreen {
                    evergreen = Some(newer(evergreen, found));
                } else if holds(&found.window.from, &found.window.until) {
                    best = Some(newer(best, found));
                }
            }
        }
        Ok(best.or(evergreen))
    }

    async fn pointers(&self) -> Result<Vec<Pointer>, StorageError> {
        let operator = self.repository.operator()?;
        let folder = self.repository.path("current/");
        let listed = self.repository.within(operator.list(&folder)).await;
        let mut pointers = Vec::new();
        for entry in absent_is_none(listed)?.unwrap_or_default() {
            let name = entry.name();
            // What starts with a full stop is about to replace one of them.
            let series = name.strip_suffix(".json").filter(|series| !series.starts_with('.'));
            if entry.metadata().is_file() && series.is_some() {
                pointers.extend(self.parsed::<Pointer>(&format!("current/{name}")).await?);
            }
        }
        Ok(pointers)
    }

    /// Gives way where the window of what guests see has ended.
    pub(super) async fn expire(
        &self,
        rules: &PortalRules,
        books: &dyn Books,
    ) -> Result<Option<String>, DeliverError> {
        let today = day(books.now().await?);
        let explain = |error| self.explain(error, "看认证页的期限", Effect::Harmless);
        let Some(live) = self.live().await.map_err(explain)? else { return Ok(None) };
        let is_over = live.until.parse::<Date>().is_ok_and(|until| until < today);
        let Some(key) = live.key.filter(|_| is_over && live.series != rules.evergreen) else {
            return Ok(None);
        };
        self.give_way(rules, &key, today).await.map(Some)
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

fn newer(best: Option<Generation>, found: Generation) -> Generation {
    match best {
        Some(best) if best.slot >= found.slot => best,
        _ => found,
    }
}

/// Removes what was shown before, except `kept`.
fn sweep(root: &Path, kept: &str) -> std::io::Result<()> {
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
