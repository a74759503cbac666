//! The ledger as a channel sees it.

use crate::{
    deliver::{Books, BooksError, QuotaAnswer, QuotaWindow, Scope, SealedToken},
    model::{ChannelId, Digest},
    store::{Store, StoreError},
};
use async_trait::async_trait;
use jiff::{Timestamp, ToSpan as _, Zoned};
use std::{fmt, sync::Arc, time::Duration};

/// Called at every labelled point of a delivery, with its label.
pub type Points = Arc<dyn Fn(&'static str) + Send + Sync>;

/// The books of one channel, and of one delivery where one is held.
#[derive(Clone)]
pub struct StoreBooks {
    store: Store,
    channel: ChannelId,
    worker: String,
    of_delivery: Option<String>,
    held: Option<(String, i64)>,
    points: Points,
}

impl fmt::Debug for StoreBooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreBooks({}, {:?})", self.channel, self.held)
    }
}

impl StoreBooks {
    /// The channel's own books.
    #[must_use]
    pub fn of_channel(store: &Store, channel: &ChannelId, worker: &str) -> Self {
        Self {
            store: store.clone(),
            channel: channel.clone(),
            worker: worker.to_owned(),
            of_delivery: None,
            held: None,
            points: Arc::new(|_| {}),
        }
    }

    /// The books of a delivery that nobody holds: what its channel remembers of it can be read,
    /// and writing is not fenced.
    #[must_use]
    pub fn reading(mut self, delivery: &str) -> Self {
        self.of_delivery = Some(delivery.to_owned());
        self
    }

    /// The books of a delivery held under `epoch`.
    #[must_use]
    pub fn holding(mut self, delivery: &str, epoch: i64, points: Points) -> Self {
        self.of_delivery = Some(delivery.to_owned());
        self.held = Some((delivery.to_owned(), epoch));
        self.points = points;
        self
    }
}

fn wrap(error: StoreError) -> BooksError {
    match error {
        StoreError::Fenced(_) => BooksError::Fenced,
        other => BooksError::Storage { source: Box::new(other) },
    }
}

/// When the window that holds `now` begins and ends, in Asia/Shanghai.
fn bounds(window: QuotaWindow, now: Timestamp) -> Option<(Timestamp, Timestamp)> {
    let local: Zoned = super::clock::shanghai(now);
    let (start, end) = match window {
        QuotaWindow::Minute => {
            let start = Timestamp::from_second(now.as_second() / 60 * 60).ok()?;
            return Some((start, start.checked_add(1.minute()).ok()?));
        }
        QuotaWindow::Day => {
            let start = local.start_of_day().ok()?;
            (start.clone(), start.checked_add(1.day()).ok()?)
        }
        QuotaWindow::Month => {
            let start = local.first_of_month().ok()?.start_of_day().ok()?;
            (start.clone(), start.checked_add(1.month()).ok()?)
        }
    };
    Some((start.timestamp(), end.timestamp()))
}

#[async_trait]
impl Books for StoreBooks {
    async fn now(&self) -> Result<Timestamp, BooksError> {
        self.store.now().await.map_err(wrap)
    }

    async fn read(&self, scope: Scope, step: &str) -> Result<Option<String>, BooksError> {
        let delivery = match scope {
            Scope::Delivery => self.of_delivery.as_deref(),
            Scope::Channel => None,
        };
        self.store.journal(&self.channel, delivery, step).await.map_err(wrap)
    }

    async fn write(&self, scope: Scope, step: &str, value: &str) -> Result<(), BooksError> {
        let delivery = match scope {
            Scope::Delivery => self.of_delivery.as_deref(),
            Scope::Channel => None,
        };
        let fence = self.held.as_ref().map(|(id, epoch)| (id.as_str(), *epoch));
        self.store.write_journal(&self.channel, delivery, fence, step, value).await.map_err(wrap)
    }

    async fn take_quota(
        &self,
        call: &str,
        window: QuotaWindow,
        limit: u32,
    ) -> Result<QuotaAnswer, BooksError> {
        let now = self.now().await?;
        let (start, end) = bounds(window, now).unwrap_or((now, now));
        let taken = self.store.take_quota(&self.channel, call, start, limit).await.map_err(wrap)?;
        Ok(match taken {
            Some(used) => QuotaAnswer::Taken { left: limit.saturating_sub(used) },
            None => QuotaAnswer::Exhausted { until: end },
        })
    }

    async fn quota_used(&self, call: &str, window: QuotaWindow) -> Result<u32, BooksError> {
        let now = self.now().await?;
        let (start, _) = bounds(window, now).unwrap_or((now, now));
        self.store.quota_used(&self.channel, call, start).await.map_err(wrap)
    }

    async fn token(&self, account: &str) -> Result<Option<SealedToken>, BooksError> {
        let token = self.store.token(&self.channel, account).await.map_err(wrap)?;
        Ok(token.map(|(sealed, expires_at, version)| SealedToken { sealed, expires_at, version }))
    }

    async fn lease_token(&self, account: &str, length: Duration) -> Result<bool, BooksError> {
        self.store.lease_token(&self.channel, account, &self.worker, length).await.map_err(wrap)
    }

    async fn store_token(
        &self,
        account: &str,
        sealed: &str,
        expires_at: Timestamp,
    ) -> Result<SealedToken, BooksError> {
        let version = self
            .store
            .store_token(&self.channel, account, &self.worker, sealed, expires_at)
            .await
            .map_err(wrap)?;
        Ok(SealedToken { sealed: sealed.to_owned(), expires_at, version })
    }

    async fn file(&self, sha256: &Digest) -> Result<Vec<u8>, BooksError> {
        self.store.blob(sha256).await.map_err(wrap)
    }

    fn reached(&self, point: &'static str) {
        tracing::debug!(point, channel = %self.channel, "到达");
        (self.points)(point);
    }
}
