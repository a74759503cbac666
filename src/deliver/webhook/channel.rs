//! The channel: one signed request per attempt.

use super::{config::Success, send::Names, template::Body, wire::Event};
use crate::{
    deliver::{
        Books, BooksError, Capability, Channel, Commit, Confirmation, Deduplication, DeliverError,
        Egress, ErrorKind, Finding, Parcel, Prepared, Probe, RecallAbility, Recalled, Retry, Scope,
    },
    model::{ChannelId, Digest, Receipt},
};
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use reqwest::{Method, header::HeaderMap};
use std::{fmt, time::Duration};
use url::Url;

/// How long a receiver keeps keys, by agreement.
const KEY_WINDOW: Duration = Duration::from_hours(24);
/// How old an attempt whose end nobody saw may be for the same key to be sent again: less than
/// the window by more than clocks differ.
const REPEATABLE: SignedDuration = SignedDuration::from_hours(23);
/// Where the books note an attempt whose end is not known: the moment of the first one.
const OPEN_ATTEMPT: &str = "webhook/open-attempt";

/// Sends to one receiver.
pub(super) struct WebhookChannel {
    pub(super) id: ChannelId,
    pub(super) target: String,
    /// The host, for people: the rest of the address may be secret.
    pub(super) shown: String,
    pub(super) url: Url,
    pub(super) egress: Egress,
    pub(super) allow_http: bool,
    pub(super) client: reqwest::Client,
    pub(super) signer: standardwebhooks::Webhook,
    pub(super) headers: HeaderMap,
    pub(super) body: Body,
    pub(super) content_type: String,
    pub(super) success: Option<Success>,
    pub(super) idempotent: bool,
    pub(super) recall: bool,
    pub(super) timeout: Duration,
}

impl fmt::Debug for WebhookChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookChannel")
            .field("id", &self.id)
            .field("host", &self.shown)
            .finish_non_exhaustive()
    }
}

impl WebhookChannel {
    fn fill(&self, event: Event, parcel: &Parcel) -> Result<String, DeliverError> {
        self.body.fill(event, parcel).map_err(|fault| {
            let advice = "请改这条渠道的 body 模板，重新提交、审批后再发";
            DeliverError::new(ErrorKind::Content, Retry::Never, fault, advice)
        })
    }

    /// Notes that an attempt begins; whether none was open before.
    async fn open_attempt(&self, books: &dyn Books, now: Timestamp) -> Result<bool, BooksError> {
        let open = books.read(Scope::Delivery, OPEN_ATTEMPT).await?;
        let first = open.is_none_or(|since| since.is_empty());
        if first {
            books.write(Scope::Delivery, OPEN_ATTEMPT, &now.to_string()).await?;
        }
        Ok(first)
    }

    /// Whether an earlier attempt is open for longer than the receiver keeps keys.
    async fn is_overdue(&self, books: &dyn Books) -> Result<bool, DeliverError> {
        let open = books.read(Scope::Delivery, OPEN_ATTEMPT).await?;
        let Some(since) = open.and_then(|text| text.parse::<Timestamp>().ok()) else {
            return Ok(false);
        };
        Ok(books.now().await?.duration_since(since) > REPEATABLE)
    }

    fn too_late(&self) -> String {
        format!("{}：上一次发送结果不明，已超过接收方记键的 24 小时，再发可能重复", self.shown)
    }
}

#[async_trait]
impl Channel for WebhookChannel {
    fn id(&self) -> &ChannelId {
        &self.id
    }

    fn capability(&self) -> Capability {
        Capability {
            deduplication: if self.idempotent {
                Deduplication::Key(KEY_WINDOW)
            } else {
                Deduplication::None
            },
            asynchronous_confirmation: false,
            recall: if self.recall {
                RecallAbility::Partial("只能通知接收方撤下；接收方是否照办，要向它确认")
            } else {
                RecallAbility::None(
                    "这个接收方不接受撤回通知（recall = false）；请找接收方的人撤下",
                )
            },
            statistics: false,
            max_request_time: self.timeout,
        }
    }

    fn targets(&self) -> Vec<String> {
        vec![self.target.clone()]
    }

    fn preflight(&self, parcel: &Parcel) -> Vec<String> {
        let mut faults: Vec<String> =
            self.body.fill(Event::Published, parcel).err().into_iter().collect();
        if self.recall {
            faults.extend(self.body.fill(Event::Recalled, parcel).err());
        }
        if parcel.files.is_empty() && parcel.messages.is_empty() {
            faults.push("没有要发的内容；请检查这条渠道的 outputs 和 audiences".to_owned());
        }
        faults.dedup();
        faults
    }

    async fn quotas(&self, _books: &dyn Books) -> Result<Vec<String>, DeliverError> {
        Ok(Vec::new())
    }

    async fn check(&self, _books: &dyn Books) -> Vec<Finding> {
        if let Err(refusal) = self.judge_address() {
            let error = self.refused(&refusal);
            return vec![Finding {
                ok: false,
                what: error.message,
                next_step: Some(error.next_step),
            }];
        }
        // OPTIONS is safe (RFC 9110 §9.2.1): whatever the answer, the receiver was reached.
        let answer = self.client.request(Method::OPTIONS, self.url.clone()).send().await;
        vec![match answer {
            Ok(answer) => {
                let status = answer.status().as_u16();
                let what = format!("{} 可以连上（OPTIONS 得 HTTP {status}）", self.shown);
                Finding { ok: true, what, next_step: None }
            }
            Err(error) => {
                let error = self.failed(error);
                Finding { ok: false, what: error.message, next_step: Some(error.next_step) }
            }
        }]
    }

    async fn prepare(&self, parcel: &Parcel, _books: &dyn Books) -> Result<Prepared, DeliverError> {
        let body = self.fill(Event::Published, parcel)?;
        let note = format!("{}：请求正文 {} 字节", self.shown, body.len());
        Ok(Prepared { reference: Digest::of(body.as_bytes()).to_string(), notes: vec![note] })
    }

    async fn commit(
        &self,
        parcel: &Parcel,
        prepared: &Prepared,
        books: &dyn Books,
    ) -> Result<Commit, DeliverError> {
        let body = self.fill(Event::Published, parcel)?;
        if prepared.reference != Digest::of(body.as_bytes()).to_string() {
            return Err(DeliverError::new(
                ErrorKind::Content,
                Retry::Never,
                format!("{}：备好之后 body 模板变了，同一个键不能带两样内容", self.shown),
                "请把模板改回去再运行 caishi retry，或重新提交、审批后再发",
            ));
        }
        if self.is_overdue(books).await? {
            let advice = "请在接收方那边看收到没有，再运行 caishi resolve";
            return Err(DeliverError::new(
                ErrorKind::Conflict,
                Retry::Ask,
                self.too_late(),
                advice,
            ));
        }
        let now = books.now().await?;
        let first = self.open_attempt(books, now).await?;
        books.reached("webhook/send-begins");
        let names = Names::of(Event::Published, parcel);
        let sent = self.send(&names, body, now).await;
        books.reached("webhook/answered");
        match sent {
            Ok(status) => Ok(Commit::Done(Receipt {
                remote_ref: names.id,
                url: None,
                at: now,
                detail: format!("{} 收下了（HTTP {status}）", self.shown),
            })),
            Err(error) => {
                // This attempt surely did nothing; an earlier one that is open stays open.
                if first && error.retry != Retry::Ask {
                    books.write(Scope::Delivery, OPEN_ATTEMPT, "").await?;
                }
                Err(error)
            }
        }
    }

    async fn confirm(
        &self,
        _parcel: &Parcel,
        remote_ref: &str,
        books: &dyn Books,
    ) -> Result<Confirmation, DeliverError> {
        // The answer to the request was the last word.
        Ok(Confirmation::Published(Receipt {
            remote_ref: remote_ref.to_owned(),
            url: None,
            at: books.now().await?,
            detail: format!("{} 收下了", self.shown),
        }))
    }

    /// A receiver that drops repeated keys is sent the same again: that is how it is asked.
    async fn probe(
        &self,
        _parcel: &Parcel,
        _prepared: &Prepared,
        books: &dyn Books,
    ) -> Result<Probe, DeliverError> {
        if !self.idempotent {
            let reason = format!("{}：接收方不认重复的键，也没有可以查的地方", self.shown);
            return Ok(Probe::Unknown(reason));
        }
        if self.is_overdue(books).await? {
            return Ok(Probe::Unknown(self.too_late()));
        }
        Ok(Probe::NotPublished)
    }

    async fn recall(
        &self,
        parcel: &Parcel,
        _receipt: &Receipt,
        books: &dyn Books,
    ) -> Result<Recalled, DeliverError> {
        if !self.recall {
            let detail = format!("{} 不接受撤回通知；请找接收方的人撤下", self.shown);
            return Ok(Recalled { complete: false, detail });
        }
        let body = self.fill(Event::Recalled, parcel)?;
        let now = books.now().await?;
        let status = self.send(&Names::of(Event::Recalled, parcel), body, now).await?;
        let detail =
            format!("已通知 {} 撤下（HTTP {status}）；是否照办，请向接收方确认", self.shown);
        Ok(Recalled { complete: true, detail })
    }
}
