//! The scheduler and the workers, running by themselves until they are told to stop.

use super::{Content, Publisher, WorkError, books::StoreBooks, hushed::Hushed, worker::Worker};
use crate::{
    deliver::{HookReply, HookRequest},
    model::ChannelId,
};
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// How long the scheduler sleeps at most between two looks at the slots.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// How often changes of numbers are looked for.
const MEND_EVERY: Duration = Duration::from_secs(2);
/// How long a worker waits at most for something to do.
const WAIT_AT_MOST: Duration = Duration::from_secs(5);
/// How long to wait after the database failed.
const AFTER_FAILURE: Duration = Duration::from_secs(5);

/// Looks at the slots of every enabled schedule until `stop`.
pub async fn schedule(publisher: Publisher, actor: String, stop: CancellationToken) {
    let mut hushed = Hushed::every(LOOK_EVERY);
    while !stop.is_cancelled() {
        match look_hushed(&publisher, &actor, &mut hushed).await {
            Ok(()) => {
                if hushed.is_over("look") {
                    tracing::info!("排期又跑得成了");
                }
            }
            Err(error) => {
                let error = chain(&error);
                if hushed.is_news("look", &error) {
                    tracing::error!(
                        error,
                        "排期这一轮没有跑成，每 10 秒再试；没有变化就一小时说一次"
                    );
                }
            }
        }
        tend_hushed(&publisher, &mut hushed).await;
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

/// Takes changes of numbers further until `stop`: submits what is to take the old outputs' place,
/// and takes the old ones down.
pub async fn mend_hotlines(publisher: Publisher, stop: CancellationToken) {
    let mut hushed = Hushed::every(MEND_EVERY);
    while !stop.is_cancelled() {
        match publisher.tend_hotline_changes().await {
            Ok(true) => continue,
            Ok(false) => {
                if hushed.is_over("hotlines") {
                    tracing::info!("热线变更又办得下去了");
                }
            }
            Err(error) => {
                let error = chain(&error);
                if hushed.is_news("hotlines", &error) {
                    tracing::error!(error, "热线变更没有办下去，稍后再试");
                }
            }
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(MEND_EVERY) => {}
        }
    }
}

/// Lets every channel do what it has to from time to time. What fails is tried at the next look.
pub async fn tend(publisher: &Publisher) {
    tend_hushed(publisher, &mut Hushed::every(LOOK_EVERY)).await;
}

async fn tend_hushed(publisher: &Publisher, hushed: &mut Hushed) {
    for (id, channel) in &publisher.channels {
        let books = StoreBooks::of_channel(&publisher.store, id, "scheduler");
        match channel.tend(&books).await {
            Ok(done) => {
                if hushed.is_over(id.as_str()) {
                    tracing::info!(channel = %id, "例行维护又做得成了");
                }
                if let Some(done) = done {
                    tracing::info!(channel = %id, "{done}");
                }
            }
            Err(error) => {
                let error = chain(&error);
                if hushed.is_news(id.as_str(), &error) {
                    tracing::error!(
                        channel = %id, error,
                        "例行维护没有做成，每 10 秒再试；没有变化就一小时说一次"
                    );
                }
            }
        }
    }
}

/// One look at every schedule.
///
/// # Errors
/// Where content, or the ledger, cannot be read.
pub async fn look(publisher: &Publisher, actor: &str) -> Result<(), WorkError> {
    look_hushed(publisher, actor, &mut Hushed::every(LOOK_EVERY)).await
}

async fn look_hushed(
    publisher: &Publisher,
    actor: &str,
    hushed: &mut Hushed,
) -> Result<(), WorkError> {
    let content = Content::load(&publisher.config)?;
    let faults = content.schedule_faults.join("；");
    if faults.is_empty() {
        hushed.is_over("schedules");
    } else if hushed.is_news("schedules", &faults) {
        tracing::error!("{faults}");
    }
    for entry in content.enabled_schedules() {
        for occurrence in publisher.tick(&content, entry, actor).await? {
            tracing::info!(
                occurrence = %occurrence.id, state = ?occurrence.state,
                "排期 {}：{}", occurrence.id, occurrence.reason
            );
        }
    }
    Ok(())
}

/// An error and its causes on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!("：{error}"));
        cause = error.source();
    }
    text
}

/// Delivers what is due until `stop`; the step that is under way is finished first.
pub async fn work(worker: Worker, stop: CancellationToken) {
    let mut hushed = Hushed::every(AFTER_FAILURE);
    while !stop.is_cancelled() {
        match worker.step().await {
            Ok(Some(step)) => {
                let row = &step.delivery;
                metrics::counter!(
                    "caishi_steps_total",
                    "channel" => row.channel.to_string(),
                    "state" => row.state.as_str()
                )
                .increment(1);
            }
            Ok(None) => {
                if hushed.is_over("ledger") {
                    tracing::info!(worker = %worker.name, "台账又好了");
                }
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = worker.publisher.store.wait(WAIT_AT_MOST) => {}
                }
            }
            Err(error) => {
                metrics::counter!("caishi_worker_failures_total").increment(1);
                let error = chain(&error);
                if hushed.is_news("ledger", &error) {
                    tracing::error!(error, worker = %worker.name, "台账出错，稍后再试");
                }
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = tokio::time::sleep(AFTER_FAILURE) => {}
                }
            }
        }
    }
}

impl Publisher {
    /// Answers a callback: what it tells is noted once, and the deliveries it is about become
    /// due, so that a worker asks the platform itself. A forged or stale callback changes
    /// nothing. `None` where the channel does not exist or takes no callbacks.
    ///
    /// # Errors
    /// The ledger's; the platform then tries again.
    pub async fn receive(
        &self,
        channel: &ChannelId,
        request: &HookRequest,
    ) -> Result<Option<HookReply>, WorkError> {
        let Some(adapter) = self.channels.get(channel).map(Arc::clone) else { return Ok(None) };
        let Some(receiver) = adapter.receiver() else { return Ok(None) };
        let now = self.store.now().await?;
        let reply = receiver.receive(request, now).await;
        for event in &reply.events {
            if !self.store.note_event(channel, &event.event_key).await? {
                continue;
            }
            // Channels over one account may have their callbacks arrive at either.
            for (id, other) in &self.channels {
                if other.account() == adapter.account() {
                    self.store.wake_remote(id, &event.remote_ref).await?;
                }
            }
        }
        Ok(Some(reply))
    }
}
