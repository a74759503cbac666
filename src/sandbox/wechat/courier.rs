//! Carries callbacks to the registered addresses.
//!
//! An answer other than 200 within five seconds makes the platform send the same again, up to three
//! times. Faults duplicate, reorder and lose callbacks.

use super::callback::Event;
use crate::sandbox::{books::CallbackRecord, fault::FaultKind, server::Shared};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// How long it waits before it sends again.
const SENT_AGAIN_AFTER: Duration = Duration::from_millis(300);
/// Once, and three times more.
const ATTEMPTS: u32 = 4;
/// How long a callback that is to come after the next one waits for that one.
const HELD_FOR: Duration = Duration::from_secs(10);
/// How long to sleep where nothing is to come.
const IDLE: Duration = Duration::from_hours(1);

/// Sends callbacks as jobs come due, until the stand-in stops.
pub(in crate::sandbox) async fn call_back(shared: Arc<Shared>) {
    let mut held = Held::default();
    while !shared.stop.is_cancelled() {
        let (events, due) = shared.with_world(|world, now| {
            let due = world.next_due().map(|due| due.duration_since(now));
            (std::mem::take(&mut world.outbox), due)
        });
        if events.is_empty() {
            // A moment that has just passed is no time to wait.
            let due = due.map(|due| Duration::try_from(due).unwrap_or(Duration::ZERO));
            let wait = held.left().into_iter().chain(due).min().unwrap_or(IDLE);
            tokio::select! {
                () = shared.stop.cancelled() => {}
                () = shared.bell.notified() => {}
                () = tokio::time::sleep(wait) => {}
            }
            if held.left() == Some(Duration::ZERO) {
                deliver_all(&shared, held.release()).await;
            }
            continue;
        }
        for event in events {
            let batch = struck(&shared, event, &mut held);
            deliver_all(&shared, batch).await;
        }
        shared.save().await;
    }
}

/// Callbacks that are to come after the next one.
#[derive(Default)]
struct Held {
    events: Vec<Event>,
    since: Option<Instant>,
}

impl Held {
    fn keep(&mut self, events: Vec<Event>) {
        self.events.extend(events);
        self.since.get_or_insert_with(Instant::now);
    }

    fn release(&mut self) -> Vec<Event> {
        self.since = None;
        std::mem::take(&mut self.events)
    }

    /// How long they still wait, where there are any.
    fn left(&self) -> Option<Duration> {
        self.since.map(|since| HELD_FOR.saturating_sub(since.elapsed()))
    }
}

/// What faults make of a callback: what is to be sent now.
fn struck(shared: &Shared, event: Event, held: &mut Held) -> Vec<Event> {
    let path = format!("callback/{}", event.name);
    let faults = shared.with_world(|world, _| world.faults.strike(&path));
    if faults.contains(&FaultKind::LoseCallback) {
        shared.enter(&event, 0, "丢失（故障注入）".to_owned());
        return Vec::new();
    }
    let mut batch = vec![event.clone()];
    if faults.contains(&FaultKind::DuplicateCallback) {
        batch.push(event);
    }
    if faults.contains(&FaultKind::ReorderCallbacks) {
        held.keep(batch);
        return Vec::new();
    }
    batch.extend(held.release());
    batch
}

async fn deliver_all(shared: &Shared, events: Vec<Event>) {
    for event in events {
        tokio::select! {
            () = shared.stop.cancelled() => return,
            () = deliver(shared, &event) => {}
        }
    }
}

async fn deliver(shared: &Shared, event: &Event) {
    let registration =
        shared.with_world(|world, _| world.account(&event.app_id).registration.clone());
    let Some(registration) = registration else {
        return shared.enter(event, 0, "没有登记回调地址".to_owned());
    };
    for attempt in 1..=ATTEMPTS {
        let now = shared.with_world(|_, now| now);
        let (url, body) = registration.message(event, now);
        let request = shared.client.post(url).header("content-type", "text/xml").body(body);
        let outcome = match request.send().await {
            Ok(reply) => format!("HTTP {}", reply.status().as_u16()),
            Err(error) => format!("没有应答：{}", error.without_url()),
        };
        let done = outcome == "HTTP 200";
        shared.enter(event, attempt, outcome);
        if done {
            return;
        }
        tokio::time::sleep(SENT_AGAIN_AFTER).await;
    }
}

impl Shared {
    fn enter(&self, event: &Event, attempt: u32, outcome: String) {
        self.with_world(|world, now| {
            world.ledger.callbacks.push(CallbackRecord {
                app_id: event.app_id.clone(),
                event: event.name.to_owned(),
                reference: event.reference,
                attempt,
                outcome,
                at: now,
            });
        });
    }
}
