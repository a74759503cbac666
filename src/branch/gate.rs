//! One gate for every request to the head office, whatever it is for.
//!
//! While all is well it stands open. After a failure only one request goes through at a time, each
//! at least a minute after the one before it failed and at a random moment of a span that doubles
//! (full jitter), up to a quarter of an hour. So three hundred branches whose head office comes
//! back do not knock it over, and none asks oftener than once a minute while it is away.

use crate::{
    model::Digest,
    packs::{Body, Polled, Source, SourceError},
};
use async_trait::async_trait;
use futures_util::StreamExt as _;
use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use tokio::{sync::Mutex, time::Instant};

/// The shortest time between a failure and the next request.
const LEAST: Duration = Duration::from_mins(1);
/// The longest span of the jitter.
const MOST: Duration = Duration::from_mins(15);
/// The longest that a far side can ask to be left alone.
const MOST_ASKED: Duration = Duration::from_hours(6);

/// The gate.
#[derive(Debug)]
pub struct Gate {
    inner: Mutex<Inner>,
    failures: AtomicU32,
    seed: Digest,
}

#[derive(Debug)]
struct Inner {
    open_at: Instant,
    draws: u64,
}

impl Gate {
    /// An open gate. The seed keeps branches apart; it need not be secret.
    #[must_use]
    pub fn new(seed: &[u8]) -> Self {
        let inner = Mutex::new(Inner { open_at: Instant::now(), draws: 0 });
        Self { inner, failures: AtomicU32::new(0), seed: Digest::of(seed) }
    }

    /// Whether the last requests failed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.failures.load(Ordering::Relaxed) > 0
    }

    /// Sends a request as soon as one may be sent.
    ///
    /// # Errors
    /// Those of the request.
    pub async fn pass<T>(
        &self,
        request: impl Future<Output = Result<T, SourceError>>,
    ) -> Result<T, SourceError> {
        if !self.is_closed() {
            let result = request.await;
            if let Err(error @ (SourceError::Broken(_) | SourceError::Busy(_))) = &result {
                self.failed(error).await;
            }
            return result;
        }
        // Whoever else wants to ask waits until this request has failed or come through.
        let mut inner = self.inner.lock().await;
        tokio::time::sleep_until(inner.open_at).await;
        let result = request.await;
        match &result {
            Err(error @ (SourceError::Broken(_) | SourceError::Busy(_))) => {
                self.close(&mut inner, error);
            }
            // Any answer, also a refusal: the head office is there.
            _ => self.failures.store(0, Ordering::Relaxed),
        }
        result
    }

    /// Notes that something failed after its request had come through.
    pub async fn failed(&self, error: &SourceError) {
        let mut inner = self.inner.lock().await;
        self.close(&mut inner, error);
    }

    fn close(&self, inner: &mut Inner, error: &SourceError) {
        let failures = self.failures.fetch_add(1, Ordering::Relaxed);
        let span = LEAST.saturating_mul(1 << failures.min(8)).min(MOST);
        let asked = match error {
            SourceError::Busy(asked) => (*asked).min(MOST_ASKED),
            _ => Duration::ZERO,
        };
        inner.draws += 1;
        let drawn = Digest::of_fields([&self.seed.as_bytes()[..], &inner.draws.to_be_bytes()]);
        let part = f64::from(u16::from_be_bytes([drawn.as_bytes()[0], drawn.as_bytes()[1]]))
            / f64::from(u16::MAX);
        inner.open_at = Instant::now() + LEAST.max(asked) + span.mul_f64(part);
    }
}

/// A source behind the gate.
#[derive(Debug, Clone)]
pub struct GatedSource {
    source: Arc<dyn Source>,
    gate: Arc<Gate>,
}

impl GatedSource {
    /// Puts a source behind the gate.
    #[must_use]
    pub fn new(source: Arc<dyn Source>, gate: Arc<Gate>) -> Self {
        Self { source, gate }
    }
}

#[async_trait]
impl Source for GatedSource {
    async fn metadata(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, SourceError> {
        self.gate.pass(self.source.metadata(name, limit)).await
    }

    async fn poll(&self, tag: Option<&str>) -> Result<Polled, SourceError> {
        self.gate.pass(self.source.poll(tag)).await
    }

    async fn target(&self, file: &str, offset: u64) -> Result<Body, SourceError> {
        let body = self.gate.pass(self.source.target(file, offset)).await?;
        let gate = Arc::clone(&self.gate);
        let stream = body.stream.then(move |part| {
            let gate = Arc::clone(&gate);
            async move {
                if let Err(error) = &part {
                    gate.failed(error).await;
                }
                part
            }
        });
        Ok(Body { start: body.start, stream: stream.boxed() })
    }
}
