//! The WeChat channel: which step is done by whom.

use super::{
    callback::Callback,
    check,
    client::{Client, MAX_REQUEST_TIME, Request},
    config::{SendMethod, WechatConfig},
    draft::Drafts,
    mass, preflight, publish, quota, statistics,
};
use crate::{
    config::PublishMode,
    deliver::{
        Books, Capability, Channel, Commit, Confirmation, Deduplication, DeliverError, ErrorKind,
        Finding, HookReply, HookRequest, Parcel, Prepared, Probe, RecallAbility, Recalled,
        Receiver, Retry, SendLimit, Statistic,
    },
    model::{ChannelId, LessonId, Receipt},
};
use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::json;

/// The place that stands for all articles of a message; the first one is 1.
const WHOLE: u8 = 0;

/// One account.
#[derive(Debug)]
pub struct WechatChannel {
    config: WechatConfig,
    client: Client,
    callback: Option<Callback>,
}

impl WechatChannel {
    pub(super) fn new(config: WechatConfig, client: Client, callback: Option<Callback>) -> Self {
        Self { config, client, callback }
    }

    fn drafts<'a>(&'a self, books: &'a dyn Books) -> Drafts<'a> {
        Drafts { config: &self.config, client: &self.client, books }
    }

    fn drafts_only(&self) -> bool {
        self.config.mode == PublishMode::Draft
    }

    /// A draft is all that this channel makes; a person publishes it.
    fn draft_receipt(prepared: &Prepared, at: Timestamp) -> Receipt {
        Receipt {
            remote_ref: prepared.reference.clone(),
            url: None,
            at,
            detail: "草稿已放进公众号草稿箱，请有权限的人在公众平台上发表".to_owned(),
        }
    }

    async fn within_send_hours(&self, books: &dyn Books) -> Result<(), DeliverError> {
        let Some(hours) = self.config.send_hours else { return Ok(()) };
        match hours.next_opening(books.now().await?) {
            None => Ok(()),
            Some(opening) => Err(DeliverError::new(
                ErrorKind::Quota,
                Retry::At(opening),
                format!("现在不在 {} 的发送时段里", self.config.channel),
                format!("{} 会自动发送", quota::local(opening).strftime("%-m月%-d日 %H:%M")),
            )),
        }
    }
}

#[async_trait]
impl Channel for WechatChannel {
    fn id(&self) -> &ChannelId {
        &self.config.channel
    }

    // An app id is an identifier, and checked to be one.
    fn account(&self) -> ChannelId {
        ChannelId::new(&self.config.app_id).unwrap_or_else(|_| self.config.channel.clone())
    }

    fn capability(&self) -> Capability {
        let (deduplication, recall) = match (self.config.mode, self.config.send) {
            (PublishMode::Draft, _) => (
                Deduplication::Probe,
                RecallAbility::Partial("能删除草稿；有人已经发表的，要在公众平台的发表记录里删除"),
            ),
            (PublishMode::Publish, SendMethod::FreePublish) => {
                (Deduplication::Probe, RecallAbility::Full)
            }
            (PublishMode::Publish, SendMethod::Mass { .. }) => (
                Deduplication::Key(mass::REMEMBERED),
                RecallAbility::Partial("文章会删除；已送达会话里的卡片（标题和封面）仍在"),
            ),
        };
        Capability {
            deduplication,
            asynchronous_confirmation: !self.drafts_only(),
            recall,
            statistics: !self.drafts_only(),
            max_request_time: MAX_REQUEST_TIME,
        }
    }

    fn targets(&self) -> Vec<String> {
        vec![self.config.app_id.clone()]
    }

    fn preflight(&self, parcel: &Parcel) -> Vec<String> {
        preflight::parcel(&self.config, parcel)
    }

    fn send_limit(&self) -> Option<SendLimit> {
        Some(check::send_limit(&self.config))
    }

    async fn quotas(&self, books: &dyn Books) -> Result<Vec<String>, DeliverError> {
        check::quotas(self.drafts(books)).await
    }

    async fn check(&self, books: &dyn Books) -> Vec<Finding> {
        check::check(self.drafts(books), self.callback.is_some()).await
    }

    async fn prepare(&self, parcel: &Parcel, books: &dyn Books) -> Result<Prepared, DeliverError> {
        self.drafts(books).prepare(parcel).await
    }

    async fn commit(
        &self,
        parcel: &Parcel,
        prepared: &Prepared,
        books: &dyn Books,
    ) -> Result<Commit, DeliverError> {
        if self.drafts_only() {
            return Ok(Commit::Done(Self::draft_receipt(prepared, books.now().await?)));
        }
        self.within_send_hours(books).await?;
        match self.config.send {
            SendMethod::FreePublish => publish::commit(self.drafts(books), prepared).await,
            SendMethod::Mass { .. } => mass::commit(self.drafts(books), parcel, prepared).await,
        }
    }

    async fn confirm(
        &self,
        _parcel: &Parcel,
        remote_ref: &str,
        books: &dyn Books,
    ) -> Result<Confirmation, DeliverError> {
        match self.config.send {
            SendMethod::FreePublish => publish::confirm(self.drafts(books), remote_ref).await,
            SendMethod::Mass { .. } => mass::confirm(self.drafts(books), remote_ref).await,
        }
    }

    async fn probe(
        &self,
        parcel: &Parcel,
        prepared: &Prepared,
        books: &dyn Books,
    ) -> Result<Probe, DeliverError> {
        let drafts = self.drafts(books);
        if self.drafts_only() {
            // The draft was made in `prepare`; committing it does nothing.
            let now = books.now().await?;
            return Ok(Probe::Published(Self::draft_receipt(prepared, now)));
        }
        match self.config.send {
            SendMethod::FreePublish => publish::probe(drafts, parcel, prepared).await,
            SendMethod::Mass { .. } => mass::probe(drafts, parcel).await,
        }
    }

    async fn recall(
        &self,
        _parcel: &Parcel,
        receipt: &Receipt,
        books: &dyn Books,
    ) -> Result<Recalled, DeliverError> {
        let drafts = self.drafts(books);
        match (self.config.mode, self.config.send) {
            (PublishMode::Draft, _) => publish::recall_draft(drafts, &receipt.remote_ref).await,
            (_, SendMethod::FreePublish) => publish::recall(drafts, receipt, WHOLE).await,
            (_, SendMethod::Mass { .. }) => mass::recall(drafts, receipt, WHOLE).await,
        }
    }

    fn recalls_lessons(&self) -> bool {
        // An article taken out of a draft would make another draft than the one approved.
        !self.drafts_only()
    }

    async fn recall_lesson(
        &self,
        parcel: &Parcel,
        receipt: &Receipt,
        lesson: &LessonId,
        books: &dyn Books,
    ) -> Result<Option<Recalled>, DeliverError> {
        if self.drafts_only() {
            return Ok(None);
        }
        let drafts = self.drafts(books);
        let mut last = None;
        for (place, message) in (1..).zip(&parcel.messages) {
            if message.lesson != *lesson {
                continue;
            }
            last = Some(match self.config.send {
                SendMethod::FreePublish => publish::recall(drafts, receipt, place).await?,
                SendMethod::Mass { .. } => mass::recall(drafts, receipt, place).await?,
            });
        }
        Ok(last)
    }

    async fn statistics(
        &self,
        receipt: &Receipt,
        books: &dyn Books,
    ) -> Result<Vec<Statistic>, DeliverError> {
        if self.drafts_only() {
            return Ok(Vec::new());
        }
        statistics::statistics(self.drafts(books), receipt).await
    }

    fn test_readers(&self) -> Vec<String> {
        self.config.test_readers.clone()
    }

    async fn preview(
        &self,
        prepared: &Prepared,
        readers: &[String],
        books: &dyn Books,
    ) -> Result<Option<String>, DeliverError> {
        for reader in readers {
            let body = json!({
                "towxname": reader,
                "mpnews": { "media_id": prepared.reference },
                "msgtype": "mpnews",
            });
            self.client.call(&Request::json("message/mass/preview", &body), books).await?;
        }
        Ok((!readers.is_empty()).then(|| format!("预览已发到 {} 的微信", readers.join("、"))))
    }

    fn receiver(&self) -> Option<&dyn Receiver> {
        self.callback.is_some().then_some(self as &dyn Receiver)
    }
}

#[async_trait]
impl Receiver for WechatChannel {
    async fn receive(&self, request: &HookRequest, now: Timestamp) -> HookReply {
        match &self.callback {
            Some(callback) => callback.answer(request, now),
            None => HookReply { status: 404, body: String::new(), events: Vec::new() },
        }
    }
}
