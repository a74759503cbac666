//! The channel: prepare, one signed switch, and what can be asked afterwards.

use super::{
    release::{Timing, facts_file, flat_name},
    repository::Change,
};
use crate::{
    deliver::{
        Books, Capability, Channel, Commit, Confirmation, Deduplication, DeliverError, ErrorKind,
        Finding, PackRepository, Parcel, Prepared, Probe, RecallAbility, Recalled, Retry, Scope,
        storage::Storage,
    },
    model::{ChannelId, Digest, LessonId, Listing, Receipt},
    packs::{self, Catalogue, KeySet, PackFacts, Release, target_file},
};
use async_trait::async_trait;
use jiff::Timestamp;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Publishes into one repository.
#[derive(Debug)]
pub(super) struct PacksChannel {
    pub(super) id: ChannelId,
    /// The repository for people and for the delivery's key.
    pub(super) target: String,
    pub(super) storage: Arc<Storage>,
    /// The root of trust, signed.
    pub(super) root: Vec<u8>,
    pub(super) keys: KeySet,
    pub(super) timing: Timing,
    /// Whose turn it is among this process's workers.
    pub(super) turn: tokio::sync::Mutex<()>,
}

impl PacksChannel {
    async fn facts(&self, parcel: &Parcel, books: &dyn Books) -> Result<PackFacts, DeliverError> {
        let fault = |what: String| {
            DeliverError::new(
                ErrorKind::Content,
                Retry::Never,
                format!("{}：{what}", self.storage.shown),
                "请重新提交：caishi submit",
            )
        };
        let file = facts_file(parcel).ok_or_else(|| fault("缺 packs.json".to_owned()))?;
        let bytes = books.file(&file.sha256).await?;
        serde_json::from_slice(&bytes).map_err(|error| fault(format!("packs.json：{error}")))
    }

    fn receipt(release: &Release, at: Timestamp) -> Receipt {
        let own: BTreeSet<_> =
            release.files.iter().filter_map(|file| file.branch.as_ref()).collect();
        let branches = release.branches.as_ref().map_or(own.len(), Vec::len);
        let moment = release.activate_at.to_zoned(crate::model::bank_zone());
        let when = if release.takeover {
            "网点收到就换上".to_owned()
        } else {
            moment.strftime("%-m月%-d日 %H:%M 换上").to_string()
        };
        let detail = format!("{} 个文件，{branches} 个网点，{when}", release.files.len());
        Receipt { remote_ref: release.key.to_string(), url: None, at, detail }
    }

    /// Why a release may not be added, if it may not.
    fn objection(&self, catalogue: &Catalogue, release: &Release) -> Option<DeliverError> {
        if catalogue.release(&release.key).is_some_and(|found| found.recalled.is_some()) {
            let next_step = "要重新发布，请重新提交、审批后再发";
            return Some(self.conflict("这一期已经撤回，不会再放回去", next_step));
        }
        let later = catalogue.later_than(release)?;
        Some(self.conflict(
            &format!("{} 已有更晚的一期（{}），没有退回", release.campaign, later.slot),
            "这一期已被取代，不必补发；确要退回，请先撤回较晚的一期",
        ))
    }

    async fn find(&self, parcel: &Parcel, books: &dyn Books) -> Result<Probe, DeliverError> {
        let now = books.now().await?;
        let Some(standing) = self.standing().await? else { return Ok(Probe::NotPublished) };
        Ok(match standing.catalogue.release(parcel.key.digest()) {
            None => Probe::NotPublished,
            Some(release) if release.recalled.is_some() => {
                Probe::Unknown(format!("{}：这一期发布过，后来撤回了", self.storage.shown))
            }
            Some(release) => Probe::Published(Self::receipt(release, now)),
        })
    }

    async fn take_down(
        &self,
        parcel: &Parcel,
        lesson: Option<&LessonId>,
        books: &dyn Books,
    ) -> Result<Recalled, DeliverError> {
        const REASON: &str = "总行撤回";
        let now = books.now().await?;
        let key = *parcel.key.digest();
        let mut known = false;
        let gone = self
            .change(now, books, |catalogue| {
                let before = catalogue.clone();
                known = match lesson {
                    None => catalogue.recall(&key, REASON, now),
                    Some(lesson) => catalogue.recall_lesson(&key, lesson, REASON, now),
                };
                Ok(if *catalogue == before { Change::Nothing } else { Change::Publish })
            })
            .await?;
        let deleted = self.delete(gone).await?;
        let detail = if known {
            format!(
                "已从海报包里撤下，网点下次联络（至迟 15 分钟）就不再放；删去 {deleted} 个文件。\
                 纸质的要靠人：caishi packs status 看哪些网点还没确认撤下"
            )
        } else {
            "海报包里没有这一期".to_owned()
        };
        Ok(Recalled { complete: true, detail })
    }
}

#[async_trait]
impl Channel for PacksChannel {
    fn id(&self) -> &ChannelId {
        &self.id
    }

    fn capability(&self) -> Capability {
        Capability {
            deduplication: Deduplication::ContentAddress,
            asynchronous_confirmation: false,
            recall: RecallAbility::Full,
            statistics: false,
            max_request_time: self.storage.timeout,
        }
    }

    fn targets(&self) -> Vec<String> {
        vec![self.target.clone()]
    }

    fn preflight(&self, parcel: &Parcel) -> Vec<String> {
        let mut faults = Vec::new();
        if facts_file(parcel).is_none() {
            faults.push("缺 packs.json（网点和屏幕的说明）；请重新提交".to_owned());
        }
        if parcel.files.iter().all(|file| file.lesson.is_none()) {
            faults.push("没有要发的海报；请检查这条渠道的 outputs 和 audiences".to_owned());
        }
        for file in &parcel.files {
            if !packs::is_flat_name(&flat_name(file)) {
                faults.push(format!("文件 {} 的名字不能用；请改课件或屏幕规格的代号", file.path));
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
        let shown = &self.storage.shown;
        let fine = |what: String| Finding { ok: true, what, next_step: None };
        match self.storage.look().await {
            Ok(false) => return vec![fine(format!("{shown} 还不存在，第一次投递时会建"))],
            Err(error) => {
                let error = self.explain(error, "查看");
                let next_step = Some(error.next_step);
                return vec![Finding { ok: false, what: error.message, next_step }];
            }
            Ok(true) => {}
        }
        vec![match self.standing().await {
            Ok(None) => fine(format!("{shown} 可以访问，还没有发布过")),
            Ok(Some(standing)) => fine(format!(
                "{shown} 的签名都对（第 {} 版），{} 到期",
                standing.view.versions.timestamp, standing.view.expires.0
            )),
            Err(error) => {
                Finding { ok: false, what: error.message, next_step: Some(error.next_step) }
            }
        }]
    }

    async fn prepare(&self, parcel: &Parcel, books: &dyn Books) -> Result<Prepared, DeliverError> {
        let files: BTreeMap<String, &Listing> = parcel
            .files
            .iter()
            .filter(|file| file.path != packs::FACTS_PATH)
            .map(|file| (format!("targets/{}", target_file(&file.sha256, &flat_name(file))), file))
            .collect();
        let named: Vec<&[u8]> = files.keys().map(String::as_bytes).collect();
        let reference = Digest::of_fields(named).to_string();
        let uploaded = self.storage.put_all(files, books, "packs/target-written").await?;
        books.reached("packs/targets-written");
        let note = format!(
            "{}：写入 {} 个文件（{} KB），另有 {} 个早已在那里",
            self.storage.shown,
            uploaded.written,
            uploaded.bytes.div_ceil(1024),
            uploaded.present
        );
        Ok(Prepared { reference, notes: vec![note] })
    }

    async fn commit(
        &self,
        parcel: &Parcel,
        _prepared: &Prepared,
        books: &dyn Books,
    ) -> Result<Commit, DeliverError> {
        // Asked for first: nothing may fail between the switch and its receipt.
        let now = books.now().await?;
        let facts = self.facts(parcel, books).await?;
        let release = self.timing.release(parcel, &facts);
        let receipt = Self::receipt(&release, now);
        // A worker that was thought dead and lives is stopped here: its books are closed.
        books.write(Scope::Delivery, "packs/switch", &release.key.to_string()).await?;
        let gone = self
            .change(now, books, |catalogue| {
                let found = catalogue.release(&release.key);
                if found.is_some_and(|found| found.recalled.is_none()) {
                    return Ok(Change::Nothing);
                }
                if let Some(objection) = self.objection(catalogue, &release) {
                    return Err(objection);
                }
                catalogue.bank = facts.bank;
                catalogue.hotline = facts.hotline;
                catalogue.branches = facts.branches;
                catalogue.add(release, now);
                Ok(Change::Publish)
            })
            .await?;
        // Deleting what nobody asks for any more is no part of the promise.
        drop(self.delete(gone).await);
        Ok(Commit::Done(receipt))
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
                reason: format!("{}：签名里没有这一期", self.storage.shown),
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
        self.take_down(parcel, None, books).await
    }

    fn recalls_lessons(&self) -> bool {
        true
    }

    async fn recall_lesson(
        &self,
        parcel: &Parcel,
        _receipt: &Receipt,
        lesson: &LessonId,
        books: &dyn Books,
    ) -> Result<Option<Recalled>, DeliverError> {
        self.take_down(parcel, Some(lesson), books).await.map(Some)
    }

    async fn tend(&self, books: &dyn Books) -> Result<Option<String>, DeliverError> {
        self.renew(books.now().await?, books).await
    }

    fn pack_repository(&self) -> Option<PackRepository<'_>> {
        Some(PackRepository {
            root: &self.root,
            source: self.source(),
            folder: self.storage.folder().map(|(root, _)| root.as_path()),
        })
    }
}
