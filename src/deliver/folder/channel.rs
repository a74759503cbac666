//! The channel: prepare, one pointer swap, and what can be asked afterwards.

use super::{
    live::{self, PortalRules},
    recall, tree,
    wire::{self, Generation, Pointer},
};
use crate::{
    deliver::{
        Books, Capability, Channel, Commit, Confirmation, Deduplication, DeliverError, ErrorKind,
        Finding, Parcel, PortalPages, Prepared, Probe, RecallAbility, Recalled, Retry, Scope,
        storage::{Effect, Lock, Storage, StorageError, Version, off_thread},
    },
    model::{ChannelId, Digest, Receipt},
};
use async_trait::async_trait;
use jiff::Timestamp;
use std::{
    collections::BTreeSet,
    path::{Component, Path},
    time::Duration,
};

/// The longest name of a file or folder that file systems take, in bytes.
const NAME_LIMIT: usize = 255;

/// Publishes into one repository.
#[derive(Debug)]
pub(super) struct FolderChannel {
    pub(super) id: ChannelId,
    /// The repository for people and for the delivery's key.
    pub(super) target: String,
    pub(super) repository: Storage,
    /// Whose turn it is among this process's workers. The folder's lock is only tried, because
    /// its holder may be another machine: without this, workers of one process would send each
    /// other away to try again seconds later.
    pub(super) turn: tokio::sync::Mutex<()>,
    /// What makes it a portal channel.
    pub(super) portal: Option<PortalRules>,
}

impl FolderChannel {
    pub(super) fn explain(&self, error: StorageError, doing: &str, effect: Effect) -> DeliverError {
        error.explain(doing, &self.repository.shown, effect)
    }

    /// The lock of a folder; other places have none.
    async fn lock(&self) -> Result<Option<Lock>, DeliverError> {
        let Some((root, _)) = self.repository.folder() else { return Ok(None) };
        let root = root.clone();
        let lock = off_thread(move || Lock::take(&root))
            .await
            .map_err(|error| self.explain(error, "加锁", Effect::Harmless))?;
        match lock {
            Some(lock) => Ok(Some(lock)),
            None => Err(DeliverError::new(
                ErrorKind::Conflict,
                Retry::After(Duration::from_secs(1)),
                format!("{}：另一个进程正在切换当前内容", self.repository.shown),
                "稍后自动再试",
            )),
        }
    }

    fn receipt(&self, parcel: &Parcel, pointer: &Pointer, at: Timestamp) -> Receipt {
        let key = parcel.key.digest().to_string();
        let current = pointer.current.as_ref().is_some_and(|current| current.key == key);
        let place = if self.repository.has_tree() {
            format!("{}/{}", self.repository.shown, wire::release_path(parcel))
        } else {
            format!("{}/{}", self.repository.shown, wire::generation_path(&key))
        };
        let state = if current { "当前内容" } else { "已被更晚的一期取代" };
        let detail = format!("{} 个文件，{state}，见 {place}", parcel.files.len());
        Receipt { remote_ref: key, url: None, at, detail }
    }

    /// Why the pointer may not be moved to the parcel, if it may not.
    fn objection(&self, parcel: &Parcel, pointer: &Pointer) -> Option<DeliverError> {
        let key = parcel.key.digest().to_string();
        let refuse = |message: String, next_step: &str| {
            Some(DeliverError::new(ErrorKind::Conflict, Retry::Never, message, next_step))
        };
        let shown = &self.repository.shown;
        if pointer.past(&key).is_some_and(|past| past.recalled) {
            return refuse(
                format!("{shown}：这一期已经撤回，不会再放回去"),
                "要重新发布，请重新提交、审批后再发",
            );
        }
        let later = pointer.later_than(parcel.slot)?;
        refuse(
            format!("{shown}：{} 已是 {later} 的一期，晚于这一期，没有退回", parcel.campaign),
            "这一期已被取代，不必补发；确要退回，请先撤回较晚的一期",
        )
    }

    async fn swap(
        &self,
        parcel: &Parcel,
        prepared: &Prepared,
        books: &dyn Books,
    ) -> Result<Commit, DeliverError> {
        let listing = Digest::of(&wire::to_json(&Generation::of(parcel)));
        if prepared.reference != listing.to_string() {
            return Err(DeliverError::new(
                ErrorKind::Content,
                Retry::Never,
                format!("{}：备好的清单与这次要发的不是同一份", self.repository.shown),
                "请运行 caishi retry 重新准备",
            ));
        }
        // Asked for first: nothing may fail between the swap and its receipt.
        let now = books.now().await?;
        let series = &parcel.campaign.series;
        let (found, version) = self
            .repository
            .read_pointer(series)
            .await
            .map_err(|error| self.explain(error, "读指针", Effect::Harmless))?;
        let pointer = found.unwrap_or_else(|| Pointer::empty(parcel));
        let key = parcel.key.digest().to_string();
        if pointer.past(&key).is_some_and(|past| !past.recalled) {
            return Ok(Commit::Done(self.receipt(parcel, &pointer, now)));
        }
        if let Some(objection) = self.objection(parcel, &pointer) {
            return Err(objection);
        }
        // A worker that was thought dead and lives is stopped here: its books are closed.
        books.write(Scope::Delivery, "folder/swap", &key).await?;
        books.reached("folder/swap-begins");
        let next = pointer.advanced(parcel, &listing, self.repository.has_tree());
        self.switch_tree(parcel, books).await?;
        if let Some(rules) = &self.portal {
            self.show_parcel(rules, parcel, live::day(now)).await?;
            books.reached("folder/live-switched");
        }
        self.write_pointer(series, &next, &version).await?;
        books.reached("folder/pointer-written");
        Ok(Commit::Done(self.receipt(parcel, &next, now)))
    }

    /// The link goes first: cut off in between, the pointer still says that the delivery is not
    /// out, and it is done again.
    async fn switch_tree(&self, parcel: &Parcel, books: &dyn Books) -> Result<(), DeliverError> {
        let Some((root, true)) = self.repository.folder() else { return Ok(()) };
        let (root, parcel) = (root.clone(), parcel.clone());
        off_thread(move || {
            tree::lay_out(&root, &parcel)?;
            tree::switch(&root, &parcel)
        })
        .await
        .map_err(|error| self.explain(error, "切换文件夹", Effect::Harmless))?;
        books.reached("folder/tree-switched");
        Ok(())
    }

    async fn write_pointer(
        &self,
        series: &str,
        next: &Pointer,
        version: &Version,
    ) -> Result<(), DeliverError> {
        self.repository
            .swap_pointer(series, next, version)
            .await
            .map_err(|error| self.explain(error, "切换当前内容", Effect::Pointer))
    }

    async fn find(&self, parcel: &Parcel, books: &dyn Books) -> Result<Probe, DeliverError> {
        let now = books.now().await?;
        let (pointer, _) = self
            .repository
            .read_pointer(&parcel.campaign.series)
            .await
            .map_err(|error| self.explain(error, "读指针", Effect::Harmless))?;
        let Some(pointer) = pointer else { return Ok(Probe::NotPublished) };
        Ok(match pointer.past(&parcel.key.digest().to_string()) {
            None => Probe::NotPublished,
            Some(past) if past.recalled => {
                Probe::Unknown(format!("{}：这一期发布过，后来撤回了", self.repository.shown))
            }
            Some(_) => Probe::Published(self.receipt(parcel, &pointer, now)),
        })
    }
}

#[async_trait]
impl Channel for FolderChannel {
    fn id(&self) -> &ChannelId {
        &self.id
    }

    fn capability(&self) -> Capability {
        Capability {
            deduplication: Deduplication::ContentAddress,
            asynchronous_confirmation: false,
            recall: RecallAbility::Full,
            statistics: false,
            max_request_time: self.repository.timeout,
        }
    }

    fn targets(&self) -> Vec<String> {
        vec![self.target.clone()]
    }

    fn preflight(&self, parcel: &Parcel) -> Vec<String> {
        let mut faults = Vec::new();
        if parcel.files.is_empty() {
            faults.push("没有要发的文件；请检查这条渠道的 outputs 和 audiences".to_owned());
        }
        let mut seen = BTreeSet::new();
        for file in &parcel.files {
            if let Some(fault) = path_fault(&file.path) {
                faults.push(format!("文件名 {:?} 不能用：{fault}", file.path));
            }
            if !seen.insert(file.path.to_lowercase()) {
                faults.push(format!(
                    "文件 {} 重复（不分大小写）；在 Windows 上会互相覆盖，请改名",
                    file.path
                ));
            }
            if file.bytes == 0 {
                faults.push(format!("文件 {} 是空的；请重新生成", file.path));
            }
        }
        faults
    }

    async fn quotas(&self, _books: &dyn Books) -> Result<Vec<String>, DeliverError> {
        Ok(Vec::new())
    }

    async fn check(&self, _books: &dyn Books) -> Vec<Finding> {
        let shown = &self.repository.shown;
        let looked = self.repository.look().await;
        let failed = looked.is_err();
        let mut findings = vec![match looked {
            Ok(true) => {
                Finding { ok: true, what: format!("{shown} 可以访问"), next_step: None }
            }
            Ok(false) => Finding {
                ok: true,
                what: format!("{shown} 还不存在，第一次投递时会建"),
                next_step: None,
            },
            Err(error) => {
                let error = self.explain(error, "查看", Effect::Harmless);
                Finding { ok: false, what: error.message, next_step: Some(error.next_step) }
            }
        }];
        if let Some((root, _)) = self.repository.folder() {
            let mut own = tree::look(root);
            if failed {
                // What cannot be looked at is not praised besides, and the plainer reason stands
                // for the other.
                own.retain(|finding| !finding.ok);
                if !own.is_empty() {
                    findings.clear();
                }
            }
            findings.extend(own);
        }
        if let Some(rules) = &self.portal {
            findings.extend(self.look_at_live(rules).await);
        }
        findings
    }

    async fn prepare(&self, parcel: &Parcel, books: &dyn Books) -> Result<Prepared, DeliverError> {
        let listing = wire::to_json(&Generation::of(parcel));
        let digest = Digest::of(&listing);
        let path = wire::generation_path(&parcel.key.digest().to_string());
        let found = self.repository.read(&path).await;
        let found = found.map_err(|error| self.explain(error, "读清单", Effect::Harmless))?;
        if found.as_deref() != Some(&listing) {
            let written = self.repository.write(&path, listing, "application/json").await;
            written.map_err(|error| self.explain(error, "写清单", Effect::Harmless))?;
        }
        books.reached("folder/listing-written");
        let uploaded = self.repository.put_blobs(&parcel.files, books).await?;
        books.reached("folder/blobs-written");
        if let Some((root, tree)) = self.repository.folder() {
            let (root, parcel) = (root.clone(), parcel.clone());
            off_thread(move || {
                tree::sweep(&root)?;
                tree::seal(&root, &parcel.files.iter().map(|file| file.sha256).collect())?;
                if tree { tree::lay_out(&root, &parcel) } else { Ok(()) }
            })
            .await
            .map_err(|error| self.explain(error, "整理文件夹", Effect::Harmless))?;
        }
        let note = format!(
            "{}：写入 {} 个文件（{} KB），另有 {} 个早已在那里",
            self.repository.shown,
            uploaded.written,
            uploaded.bytes.div_ceil(1024),
            uploaded.present
        );
        Ok(Prepared { reference: digest.to_string(), notes: vec![note] })
    }

    async fn commit(
        &self,
        parcel: &Parcel,
        prepared: &Prepared,
        books: &dyn Books,
    ) -> Result<Commit, DeliverError> {
        let _turn = self.turn.lock().await;
        let _lock = self.lock().await?;
        // The whole swap ends within the time that the lease was measured for.
        match tokio::time::timeout(self.repository.timeout, self.swap(parcel, prepared, books))
            .await
        {
            Ok(result) => result,
            Err(_) => Err(self.explain(
                StorageError::Timeout(self.repository.timeout.as_secs()),
                "切换当前内容",
                Effect::Pointer,
            )),
        }
    }

    async fn confirm(
        &self,
        parcel: &Parcel,
        _remote_ref: &str,
        books: &dyn Books,
    ) -> Result<Confirmation, DeliverError> {
        Ok(match self.find(parcel, books).await? {
            Probe::Published(receipt) => Confirmation::Published(receipt),
            Probe::NotPublished | Probe::Accepted { .. } => Confirmation::Failed {
                code: "absent".to_owned(),
                reason: format!("{}：指针里没有这一期", self.repository.shown),
            },
            Probe::Unknown(reason) => Confirmation::Failed { code: "recalled".to_owned(), reason },
        })
    }

    async fn probe(
        &self,
        parcel: &Parcel,
        _prepared: &Prepared,
        books: &dyn Books,
    ) -> Result<Probe, DeliverError> {
        self.find(parcel, books).await
    }

    async fn recall(
        &self,
        parcel: &Parcel,
        _receipt: &Receipt,
        books: &dyn Books,
    ) -> Result<Recalled, DeliverError> {
        let _turn = self.turn.lock().await;
        let _lock = self.lock().await?;
        let shown = self.withdraw_live(parcel, books).await?;
        let mut recalled = recall::take_down(&self.repository, parcel, books).await?;
        recalled.detail.extend(shown.map(|shown| format!("；{shown}")));
        Ok(recalled)
    }

    async fn foretold(
        &self,
        parcel: &Parcel,
        books: &dyn Books,
    ) -> Result<Option<String>, DeliverError> {
        self.stands_in(parcel, books).await
    }

    async fn tend(&self, books: &dyn Books) -> Result<Option<String>, DeliverError> {
        let Some(rules) = &self.portal else { return Ok(None) };
        let _turn = self.turn.lock().await;
        let _lock = self.lock().await?;
        self.expire(rules, books).await
    }

    fn portal_pages(&self) -> Option<&dyn PortalPages> {
        self.portal.as_ref().map(|_| self as &dyn PortalPages)
    }
}

/// Why a path cannot be laid out below a folder, if it cannot.
fn path_fault(path: &str) -> Option<&'static str> {
    let parts = Path::new(path).components();
    if path.is_empty() || !parts.clone().all(|part| matches!(part, Component::Normal(_))) {
        return Some("只能是文件夹内的相对路径，不能有 .. 或开头的斜杠");
    }
    if path.contains(['\\', ':', '*', '?', '"', '<', '>', '|']) || path.contains(char::is_control) {
        return Some("含有 Windows 不允许的字符");
    }
    if path.split('/').any(|name| name.is_empty() || name.len() > NAME_LIMIT) {
        return Some("每一级名字应为 1 到 255 字节");
    }
    None
}
