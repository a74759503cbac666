//! Claims deliveries and takes each one step further, until nothing is due.
//!
//! A step is a claim under a lease, one call or a few of the channel, and fenced writes of how it
//! went. What an error deserves is decided here, in one pure function; adapters only say what
//! happened.

use super::{
    Publisher, WorkError,
    books::{Points, StoreBooks},
    outcome::{after_failure, change, later},
    parcel,
};
use crate::{
    deliver::{
        Books as _, Channel, Commit, Confirmation, Deduplication, DeliverError, ErrorKind, Parcel,
        Prepared, Probe, Retry,
    },
    model::{DeliveryState, Receipt},
    store::{Claim, Delivery, Lease, StoreError, Transition},
};
use jiff::SignedDuration;
use std::{fmt, sync::Arc, time::Duration};

/// One worker: a name, and the labelled points it passes.
#[derive(Clone)]
pub struct Worker {
    /// The configuration, the ledger and the channels.
    pub publisher: Publisher,
    /// Its name in the ledger; two workers never share one.
    pub name: String,
    /// Called at every labelled point.
    pub points: Points,
    /// How long a claim lasts before others may take it over; renewed while work goes on.
    pub lease: Duration,
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Worker({})", self.name)
    }
}

/// What one step did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The row as it is now.
    pub delivery: Delivery,
}

impl Worker {
    /// A worker with a name made of host process and number.
    #[must_use]
    pub fn new(publisher: Publisher, name: &str) -> Self {
        Self {
            publisher,
            name: name.to_owned(),
            points: Arc::new(|_| {}),
            lease: Duration::from_mins(2),
        }
    }

    /// Takes one delivery one step further. `None` where nothing is due.
    ///
    /// # Errors
    /// The ledger's; what goes wrong with a channel is written into the delivery instead.
    pub async fn step(&self) -> Result<Option<Step>, WorkError> {
        let Some(claim) = self.publisher.store.claim(&self.name, self.lease).await? else {
            return Ok(None);
        };
        (self.points)("work.claimed");
        let id = claim.delivery.id.clone();
        match self.take_further(claim).await {
            Ok(claim) => {
                let row = claim.delivery;
                tracing::info!(
                    delivery = %row.id, channel = %row.channel, state = %row.state,
                    "{}：{} {}", row.channel, row.state.label(), row.message
                );
                Ok(Some(Step { delivery: row }))
            }
            // Somebody else holds it, or it may not be sent after all and was put back: whatever
            // happens next is not ours to write.
            Err(WorkError::Store(error @ (StoreError::Fenced(_) | StoreError::Refused(_)))) => {
                tracing::warn!(delivery = %id, "{error}");
                Ok(Some(Step { delivery: self.publisher.store.delivery(&id).await? }))
            }
            Err(error) => Err(error),
        }
    }

    /// Works until nothing is due now; returns the number of steps.
    ///
    /// # Errors
    /// As [`Worker::step`].
    pub async fn drain(&self) -> Result<usize, WorkError> {
        let mut steps = 0;
        while self.step().await?.is_some() {
            steps += 1;
        }
        Ok(steps)
    }

    async fn take_further(&self, claim: Claim) -> Result<Claim, WorkError> {
        let delivery = &claim.delivery;
        let channel = match self.publisher.channel(&delivery.channel) {
            Ok(channel) => Arc::clone(channel),
            Err(error) => {
                let next = format!("改好 channels.toml 后运行 caishi retry {}", delivery.id);
                let error = DeliverError::new(
                    ErrorKind::Configuration,
                    Retry::Never,
                    error.to_string(),
                    next,
                );
                return self.failed(&claim, &error).await;
            }
        };
        let parcel = match parcel::of_delivery(&self.publisher.store, delivery).await {
            Ok(parcel) => parcel,
            Err(WorkError::Manifest(reason)) => {
                let next = "不要重发；请运行 caishi audit verify，查清台账被谁改过";
                let error = DeliverError::new(ErrorKind::Storage, Retry::Never, reason, next);
                return self.failed(&claim, &error).await;
            }
            Err(error) => return Err(error),
        };
        let job = Job { worker: self, channel, parcel };
        match delivery.state {
            DeliveryState::Accepted => job.confirm(claim).await,
            DeliveryState::Unknown => job.probe(claim).await,
            _ => job.send(claim).await,
        }
    }

    fn books(&self, channel: &dyn Channel, claim: &Claim) -> StoreBooks {
        StoreBooks::of_channel(&self.publisher.store, &channel.account(), &self.name).holding(
            &claim.delivery.id,
            claim.delivery.epoch,
            Arc::clone(&self.points),
        )
    }

    async fn failed(&self, claim: &Claim, error: &DeliverError) -> Result<Claim, WorkError> {
        let now = self.publisher.store.now().await?;
        let change = after_failure(&claim.delivery, error, now);
        Ok(self.publisher.store.advance(claim, &change).await?)
    }
}

/// One claimed delivery, with everything its steps need.
struct Job<'a> {
    worker: &'a Worker,
    channel: Arc<dyn Channel>,
    parcel: Parcel,
}

impl Job<'_> {
    /// Prepare, then commit: the intent is written down before the first byte (P1).
    async fn send(&self, claim: Claim) -> Result<Claim, WorkError> {
        let worker = self.worker;
        let refused = self.channel.preflight(&self.parcel);
        if !refused.is_empty() {
            let next = "改短或改好课件，重新送审";
            let reason = refused.join("；");
            let error = DeliverError::new(ErrorKind::Content, Retry::Never, reason, next);
            return worker.failed(&claim, &error).await;
        }
        let prepared = match self.prepare(&claim).await {
            Ok(prepared) => prepared,
            Err(error) if error.kind == ErrorKind::Fenced => return Err(fenced(&claim)),
            Err(error) => return worker.failed(&claim, &error).await,
        };
        (worker.points)("work.prepared");
        let longest = self.channel.capability().max_request_time;
        let now = worker.publisher.store.now().await?;
        let intent = Transition {
            lease: Lease::Extend(longest * 2 + Duration::from_secs(30)),
            begins_attempt: true,
            prepared_ref: Some(prepared.reference.clone()),
            message: prepared.notes.join("；"),
            ..change(&claim.delivery, DeliveryState::Sending, now)
        };
        let claim = worker.publisher.store.advance(&claim, &intent).await?;
        (worker.points)("work.sending");
        // A process that was stopped in between may wake up after its lease: then it must not
        // send, for others already ask what became of this (P3).
        let now = worker.publisher.store.now().await?;
        if now.duration_until(claim.lease_until)
            <= SignedDuration::try_from(longest).unwrap_or_default()
        {
            return Err(fenced(&claim));
        }
        let books = worker.books(self.channel.as_ref(), &claim);
        let commit = self.channel.commit(&self.parcel, &prepared, &books);
        let answer = tokio::time::timeout(longest + Duration::from_secs(5), commit).await;
        (worker.points)("work.committed");
        match answer {
            Ok(Ok(Commit::Accepted { remote_ref })) => {
                self.accepted(&claim, remote_ref, claim.delivery.message.clone()).await
            }
            Ok(Ok(Commit::Done(receipt))) => self.published(&claim, receipt).await,
            Ok(Err(error)) if error.kind == ErrorKind::Fenced => Err(fenced(&claim)),
            Ok(Err(error)) => worker.failed(&claim, &error).await,
            Err(_) => {
                let error = DeliverError::new(
                    ErrorKind::Network,
                    Retry::Ask,
                    "对方没有在限定时间内回答，不知道发出去没有",
                    "系统会先向对方查询，再决定是否重发",
                );
                worker.failed(&claim, &error).await
            }
        }
    }

    /// `prepare`, with the lease renewed meanwhile: many pictures take longer than one lease.
    async fn prepare(&self, claim: &Claim) -> Result<Prepared, DeliverError> {
        let worker = self.worker;
        let books = worker.books(self.channel.as_ref(), claim);
        let prepare = self.channel.prepare(&self.parcel, &books);
        tokio::pin!(prepare);
        loop {
            tokio::select! {
                answer = &mut prepare => return answer,
                () = tokio::time::sleep(worker.lease / 3) => {
                    let renewed = worker.publisher.store.renew(claim, worker.lease).await;
                    if matches!(renewed, Err(StoreError::Fenced(_))) {
                        return Err(crate::deliver::BooksError::Fenced.into());
                    }
                }
            }
        }
    }

    async fn confirm(&self, claim: Claim) -> Result<Claim, WorkError> {
        let worker = self.worker;
        let books = worker.books(self.channel.as_ref(), &claim);
        let remote_ref = claim.delivery.remote_ref.clone().unwrap_or_default();
        let answer = self.channel.confirm(&self.parcel, &remote_ref, &books).await;
        (worker.points)("work.confirmed");
        let now = worker.publisher.store.now().await?;
        match answer {
            Ok(Confirmation::Published(receipt)) => self.published(&claim, receipt).await,
            Ok(Confirmation::Pending(pause)) => {
                let waiting = Transition {
                    next_at: later(now, pause),
                    failures: 0,
                    message: claim.delivery.message.clone(),
                    ..change(&claim.delivery, DeliveryState::Accepted, now)
                };
                Ok(worker.publisher.store.advance(&claim, &waiting).await?)
            }
            Ok(Confirmation::Failed { code, reason }) => {
                let failed = Transition {
                    error_class: Some(format!("refused {code}")),
                    message: reason,
                    next_step: format!("按原因处理后运行 caishi retry {}", claim.delivery.id),
                    ..change(&claim.delivery, DeliveryState::NeedsHuman, now)
                };
                Ok(worker.publisher.store.advance(&claim, &failed).await?)
            }
            Err(error) if error.kind == ErrorKind::Fenced => Err(fenced(&claim)),
            Err(error) => worker.failed(&claim, &error).await,
        }
    }

    /// The only ways out of `unknown`: the far side's word, its de-duplication, or a person (P2).
    async fn probe(&self, claim: Claim) -> Result<Claim, WorkError> {
        let worker = self.worker;
        let books = worker.books(self.channel.as_ref(), &claim);
        let prepared = Prepared {
            reference: claim.delivery.prepared_ref.clone().unwrap_or_default(),
            notes: Vec::new(),
        };
        let now = books.now().await.map_err(DeliverError::from)?;
        if self.channel.capability().deduplication == Deduplication::None {
            let asked = Transition {
                next_at: later(now, Duration::from_hours(24)),
                message: "不知道发出去没有，对方也没有办法查".to_owned(),
                next_step: resolve_hint(&claim.delivery),
                ..change(&claim.delivery, DeliveryState::Unknown, now)
            };
            return Ok(worker.publisher.store.advance(&claim, &asked).await?);
        }
        let answer = self.channel.probe(&self.parcel, &prepared, &books).await;
        (worker.points)("work.probed");
        match answer {
            Ok(Probe::Published(receipt)) => self.published(&claim, receipt).await,
            Ok(Probe::Accepted { remote_ref }) => {
                self.accepted(&claim, remote_ref, "查询得知对方已受理".to_owned()).await
            }
            Ok(Probe::NotPublished) => {
                let again = Transition {
                    message: "查询得知没有发出去，按同一个编号重发".to_owned(),
                    ..change(&claim.delivery, DeliveryState::RetryWait, now)
                };
                Ok(worker.publisher.store.advance(&claim, &again).await?)
            }
            Ok(Probe::Unknown(reason)) => {
                let pause =
                    Duration::from_mins(1) * 2_u32.saturating_pow(claim.delivery.failures.min(7));
                let unclear = Transition {
                    next_at: later(now, pause),
                    failures: claim.delivery.failures + 1,
                    message: reason,
                    next_step: resolve_hint(&claim.delivery),
                    error_class: claim.delivery.error_class.clone(),
                    ..change(&claim.delivery, DeliveryState::Unknown, now)
                };
                Ok(worker.publisher.store.advance(&claim, &unclear).await?)
            }
            Err(error) if error.kind == ErrorKind::Fenced => Err(fenced(&claim)),
            Err(error) => worker.failed(&claim, &error).await,
        }
    }

    async fn accepted(
        &self,
        claim: &Claim,
        remote_ref: String,
        message: String,
    ) -> Result<Claim, WorkError> {
        let store = &self.worker.publisher.store;
        let now = store.now().await?;
        let accepted = Transition {
            remote_ref: Some(remote_ref),
            next_at: later(now, Duration::from_secs(2)),
            failures: 0,
            message,
            ..change(&claim.delivery, DeliveryState::Accepted, now)
        };
        let claim = store.advance(claim, &accepted).await?;
        (self.worker.points)("work.recorded");
        Ok(claim)
    }

    async fn published(&self, claim: &Claim, receipt: Receipt) -> Result<Claim, WorkError> {
        let store = &self.worker.publisher.store;
        let now = store.now().await?;
        let notes = claim.delivery.message.as_str();
        let message = [notes, receipt.detail.as_str()]
            .into_iter()
            .filter(|text| !text.is_empty())
            .collect::<Vec<_>>()
            .join("；");
        let confirmed = Transition {
            remote_ref: Some(receipt.remote_ref),
            url: receipt.url,
            failures: 0,
            message,
            ..change(&claim.delivery, DeliveryState::Confirmed, now)
        };
        let claim = store.advance(claim, &confirmed).await?;
        (self.worker.points)("work.recorded");
        Ok(claim)
    }
}

fn fenced(claim: &Claim) -> WorkError {
    WorkError::Store(StoreError::Fenced(claim.delivery.id.clone()))
}

fn resolve_hint(delivery: &Delivery) -> String {
    format!(
        "请到渠道后台看一眼，再运行 caishi resolve {} --as published（或 not-published）--by <代号>",
        delivery.id
    )
}
