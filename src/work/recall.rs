//! Takes a lesson or a campaign down everywhere it went, and says plainly what stays.

use super::{Publisher, WorkError, books::StoreBooks, intervene::NOT_OUT, outcome::change, parcel};
use crate::{
    deliver::{RecallAbility, Recalled},
    model::{DeliveryState, LessonId, Receipt},
    store::{Delivery, DeliveryFilter, Transition},
};

/// What became of one delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecallLine {
    /// The delivery as it is now.
    pub delivery: Delivery,
    /// Whether nothing of it is public any more.
    pub complete: bool,
    /// What was taken down and what stays, in Chinese.
    pub detail: String,
}

impl Publisher {
    /// The deliveries that carry a lesson, or belong to a campaign edition or schedule.
    ///
    /// # Errors
    /// [`WorkError::Unknown`] where the ledger has none.
    pub async fn carrying(&self, name: &str) -> Result<Vec<Delivery>, WorkError> {
        let lesson = LessonId::new(name).ok();
        let mut found = Vec::new();
        for delivery in self.store.deliveries(&DeliveryFilter::default()).await? {
            let campaign = &delivery.campaign;
            let of_campaign = campaign.to_string() == name
                || campaign.series == name
                || campaign.edition == name
                || delivery.occurrence.split('@').next() == Some(name);
            let of_lesson = match &lesson {
                Some(lesson) => self
                    .store
                    .occurrence(&delivery.occurrence)
                    .await?
                    .is_some_and(|occurrence| occurrence.lessons.contains(lesson)),
                None => false,
            };
            if of_campaign || of_lesson {
                found.push(delivery);
            }
        }
        if found.is_empty() {
            return Err(WorkError::Unknown(format!(
                "台账里没有“{name}”的投递；可写课件、活动（系列/期次）或排期的代号"
            )));
        }
        Ok(found)
    }

    /// Takes them down, every channel; one that fails keeps the others from nothing.
    ///
    /// # Errors
    /// The ledger's; what a channel refuses is a line instead.
    pub async fn recall(
        &self,
        deliveries: Vec<Delivery>,
        note: &str,
        actor: &str,
    ) -> Result<Vec<RecallLine>, WorkError> {
        let mut lines = Vec::new();
        for delivery in deliveries {
            let line = match delivery.state {
                DeliveryState::Confirmed | DeliveryState::Accepted => {
                    self.take_down(delivery, note, actor).await?
                }
                state if NOT_OUT.contains(&state) => {
                    let delivery = self.cancel(&delivery.id, note, actor).await?;
                    RecallLine {
                        delivery, complete: true, detail: "还没有发出，已取消".into()
                    }
                }
                DeliveryState::Sending | DeliveryState::Unknown => RecallLine {
                    detail: format!(
                        "正在发或结果不明，现在撤不了；先运行 caishi resolve {} --as published --by <代号>，再撤回",
                        delivery.id
                    ),
                    complete: false,
                    delivery,
                },
                _ => continue,
            };
            lines.push(line);
        }
        Ok(lines)
    }

    async fn take_down(
        &self,
        delivery: Delivery,
        note: &str,
        actor: &str,
    ) -> Result<RecallLine, WorkError> {
        let channel = match self.channel(&delivery.channel) {
            Ok(channel) => channel,
            Err(error) => {
                return Ok(RecallLine { delivery, complete: false, detail: error.to_string() });
            }
        };
        if let RecallAbility::None(why) = channel.capability().recall {
            let detail = format!("撤不回来：{why}");
            return Ok(RecallLine { delivery, complete: false, detail });
        }
        let subject = delivery.id.clone();
        self.store.audit(actor, "recall.begin", &subject, note).await?;
        let parcel = parcel::of_delivery(&self.store, &delivery).await?;
        let receipt = Receipt {
            remote_ref: delivery.remote_ref.clone().unwrap_or_default(),
            url: delivery.url.clone(),
            at: delivery.changed_at,
            detail: String::new(),
        };
        let books =
            StoreBooks::of_channel(&self.store, &channel.account(), actor).reading(&delivery.id);
        match channel.recall(&parcel, &receipt, &books).await {
            Ok(Recalled { complete, detail }) => {
                let now = self.store.now().await?;
                let recalled = Transition {
                    message: detail.clone(),
                    url: None,
                    ..change(&delivery, DeliveryState::Recalled, now)
                };
                let from = [DeliveryState::Confirmed, DeliveryState::Accepted];
                let delivery =
                    self.store.intervene(&delivery.id, &from, &recalled, actor, note).await?;
                Ok(RecallLine { delivery, complete, detail })
            }
            Err(error) => {
                let detail = format!("没有撤成：{error}。{}", error.next_step);
                Ok(RecallLine { delivery, complete: false, detail })
            }
        }
    }
}
