//! Waking a worker that waits: a hint, never the truth. What is due is in the rows; a wake-up that
//! is lost only costs the rest of the wait.

use super::Store;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use std::{sync::atomic::Ordering, time::Duration};
use tokio::{sync::watch, task::AbortHandle};

/// The channel of Postgres' notifications.
const CHANNEL: &str = "caishi_due";

/// Counts up whenever rows may have become due.
#[derive(Debug)]
pub(super) struct Wake {
    count: watch::Sender<u64>,
    listener: std::sync::OnceLock<AbortHandle>,
    server: Option<PgConnectOptions>,
}

impl Wake {
    pub(super) fn new(server: Option<PgConnectOptions>) -> Self {
        Self { count: watch::Sender::new(0), listener: std::sync::OnceLock::new(), server }
    }

    /// Wakes everybody in this process.
    pub(super) fn all(&self) {
        self.count.send_modify(|count| *count += 1);
    }

    pub(super) fn count(&self) -> u64 {
        *self.count.borrow()
    }

    /// Listens for the notifications of other processes, from the first wait on.
    fn listen(&self) {
        let Some(server) = self.server.clone() else { return };
        self.listener.get_or_init(|| {
            let count = self.count.clone();
            tokio::spawn(async move {
                loop {
                    let _lost = listen_once(&server, &count).await;
                    // Until the server can be reached again, workers wake by themselves.
                    tokio::time::sleep(Duration::from_secs(5)).await;
                }
            })
            .abort_handle()
        });
    }
}

impl Drop for Wake {
    fn drop(&mut self) {
        if let Some(listener) = self.listener.get() {
            listener.abort();
        }
    }
}

async fn listen_once(server: &PgConnectOptions, count: &watch::Sender<u64>) -> sqlx::Result<()> {
    let pool = PgPoolOptions::new().max_connections(1).connect_with(server.clone()).await?;
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.listen(CHANNEL).await?;
    loop {
        // `None`: the connection was lost and is there again; something may have been missed.
        listener.try_recv().await?;
        count.send_modify(|count| *count += 1);
    }
}

impl Store {
    /// Remembers how often rows had become due, before looking for one: what comes between that
    /// look and the next wait ends the wait at once.
    pub(super) fn remember_wake(&self) {
        self.seen.store(self.database.wake.count(), Ordering::Relaxed);
    }

    /// Waits until a row may be due: a notification (Postgres), this process's own writes, or
    /// `at_most`. Every worker has a clone of the store of its own.
    pub async fn wait(&self, at_most: Duration) {
        let wake = &self.database.wake;
        wake.listen();
        let seen = self.seen.load(Ordering::Relaxed);
        let mut changes = wake.count.subscribe();
        let woken = changes.wait_for(|count| *count != seen);
        // What is returned holds the counter's lock.
        drop(tokio::time::timeout(at_most, woken).await);
        self.remember_wake();
    }
}
