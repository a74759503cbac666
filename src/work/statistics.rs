//! What the platforms counted of what is out: asked for, and kept for when they say no more.

use super::{Publisher, WorkError, books::StoreBooks};
use crate::{
    deliver::{Books as _, Scope, Statistic},
    model::{DeliveryState, Receipt},
    store::Delivery,
};
use jiff::Timestamp;

/// Where the last numbers of a delivery are kept.
const STEP: &str = "statistics/last";

/// What was counted of one delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// The delivery.
    pub delivery: Delivery,
    /// The numbers, as the platform names them; empty where there never were any.
    pub numbers: Vec<Statistic>,
    /// When they were asked for.
    pub as_of: Option<Timestamp>,
    /// Why they are not of now, in Chinese; empty where they are.
    pub fault: String,
}

impl Publisher {
    /// The numbers of every delivery that is out over a channel that counts: of all of them, or of
    /// the delivery, campaign, schedule or lesson that `name` is. New numbers are kept.
    ///
    /// # Errors
    /// [`WorkError::Unknown`] where the ledger has none of that name, and the ledger's; what a
    /// platform refuses is said with the delivery instead.
    pub async fn statistics(
        &self,
        name: Option<&str>,
        actor: &str,
    ) -> Result<Vec<Counted>, WorkError> {
        let deliveries = match name {
            None => self.store.deliveries(&crate::store::DeliveryFilter::default()).await?,
            Some(name) => match self.store.delivery(name).await {
                Ok(delivery) => vec![delivery],
                Err(_) => self.carrying(name).await?,
            },
        };
        let mut counted = Vec::new();
        for delivery in deliveries {
            if delivery.state == DeliveryState::Confirmed {
                counted.extend(self.count(delivery, actor).await?);
            }
        }
        Ok(counted)
    }

    async fn count(&self, delivery: Delivery, actor: &str) -> Result<Option<Counted>, WorkError> {
        let Some(channel) = self.channels.get(&delivery.channel) else { return Ok(None) };
        if !channel.capability().statistics {
            return Ok(None);
        }
        let books =
            StoreBooks::of_channel(&self.store, &channel.account(), actor).reading(&delivery.id);
        let kept = books.read(Scope::Delivery, STEP).await.map_err(storage)?;
        let (kept_at, kept) = kept.as_deref().and_then(read).unzip();
        let mut counted = Counted {
            numbers: kept.unwrap_or_default(),
            as_of: kept_at,
            fault: String::new(),
            delivery,
        };
        let delivery = &counted.delivery;
        let receipt = Receipt {
            remote_ref: delivery.remote_ref.clone().unwrap_or_default(),
            url: delivery.url.clone(),
            at: self.out_since(delivery).await?,
            detail: String::new(),
        };
        match channel.statistics(&receipt, &books).await {
            Ok(numbers) if numbers.is_empty() => {
                "平台还没有数：发布后第二天才有，满 30 天就不再更新".clone_into(&mut counted.fault);
            }
            Ok(numbers) => {
                let now = self.store.now().await?;
                let text = written(now, &numbers);
                books.write(Scope::Delivery, STEP, &text).await.map_err(storage)?;
                counted.numbers = numbers;
                counted.as_of = Some(now);
            }
            Err(error) => counted.fault = format!("没有取到：{error}。{}", error.next_step),
        }
        Ok(Some(counted))
    }
}

impl Publisher {
    /// When it was confirmed to be out; later changes of the row do not count.
    async fn out_since(&self, delivery: &Delivery) -> Result<Timestamp, WorkError> {
        let attempts = self.store.attempts(&delivery.id).await?;
        let confirmed = attempts.iter().find(|line| line.to == DeliveryState::Confirmed);
        Ok(confirmed.map_or(delivery.changed_at, |line| line.at))
    }
}

fn storage(error: crate::deliver::BooksError) -> WorkError {
    WorkError::Deliver(error.into())
}

fn written(at: Timestamp, numbers: &[Statistic]) -> String {
    let numbers: Vec<(&str, i64)> =
        numbers.iter().map(|number| (number.name.as_str(), number.value)).collect();
    serde_json::json!({ "at": at.to_string(), "numbers": numbers }).to_string()
}

fn read(text: &str) -> Option<(Timestamp, Vec<Statistic>)> {
    let kept: serde_json::Value = serde_json::from_str(text).ok()?;
    let at = kept["at"].as_str()?.parse().ok()?;
    let numbers = kept["numbers"].as_array()?.iter().filter_map(|pair| {
        Some(Statistic { name: pair[0].as_str()?.to_owned(), value: pair[1].as_i64()? })
    });
    Some((at, numbers.collect()))
}
