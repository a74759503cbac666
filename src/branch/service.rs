//! The service of a branch: asks, fetches at night, listens for nudges, reports, and follows time.
//!
//! Everything that goes to the head office passes one [`Gate`]. What is fetched when:
//!
//! - takeovers: at once, at the line's full rate;
//! - packs: in the night's window, from the branch's own moment on, at the capped rate; at the
//!   window's end it stops in the middle of a file and goes on there the next night;
//! - packs that would be late, because the machine was off or the line dead when the last window
//!   ended: as soon as it can, at the capped rate, unless the configuration forbids it.

mod steps;

use self::steps::Step;
use super::{
    clock::BranchClock,
    error::BranchError,
    gate::Gate,
    journal::{Journal, Level},
    office::Office,
    pull::{Missing, Puller},
    report::Reporter,
    stage::Stage,
    window::{Night, Pace, Window, phase},
};
use crate::{
    model::{Digest, PackEntry},
    packs::{Polled, SourceError},
};
use futures_util::StreamExt as _;
use jiff::Timestamp;
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{sync::Notify, time::Instant};
use tokio_util::sync::CancellationToken;

/// How often it is looked whether the night is over: the machine's clock may be put right.
const LOOK_AT_CLOCK: Duration = Duration::from_secs(10);

/// How long to wait for another process that pulls.
const WHILE_BUSY: Duration = Duration::from_secs(30);

/// How long a connection for nudges must have stood for its end to be nobody's fault.
const STOOD_WELL: Duration = Duration::from_mins(1);

/// When what is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timetable {
    /// The window of the night.
    pub window: Window,
    /// The most bytes a second that packs may take.
    pub bytes_per_s: u64,
    /// Whether a missed window is made up for.
    pub catch_up: bool,
    /// How often the head office is asked.
    pub poll: Duration,
}

/// A running branch.
#[derive(Debug)]
pub struct Service {
    puller: Puller,
    office: Arc<dyn Office>,
    gate: Arc<Gate>,
    timetable: Timetable,
    stage: Option<Stage>,
    reporter: Option<Reporter>,
    journal: Journal,
    nudged: Notify,
    draws: AtomicU64,
    own: Mutex<Own>,
}

/// What the pulling loop remembers.
#[derive(Debug, Default)]
struct Own {
    /// The tag of the timestamp that was taken last.
    tag: Option<String>,
    /// The night in which the branch's moment has come.
    begun: Option<Timestamp>,
    /// From when on a missed window is made up for.
    catch_up_from: Option<Timestamp>,
    /// What went wrong last; nothing after a good round.
    trouble: Option<String>,
    /// How many rounds in a row failed although the head office answered.
    failures: u32,
}

impl Service {
    /// Puts a service together. `puller` must ask through `gate`.
    #[must_use]
    pub fn new(
        puller: Puller,
        office: Arc<dyn Office>,
        gate: Arc<Gate>,
        timetable: Timetable,
        stage: Option<Stage>,
        reporter: Option<Reporter>,
    ) -> Self {
        Self {
            journal: Journal::open(&puller.state.root, "run"),
            nudged: Notify::new(),
            draws: AtomicU64::new(0),
            own: Mutex::default(),
            puller,
            office,
            gate,
            timetable,
            stage,
            reporter,
        }
    }

    /// Runs until told to stop.
    pub async fn run(&self, stop: CancellationToken) {
        let stage = async {
            match &self.stage {
                Some(stage) => stage.drive(stop.clone()).await,
                None => stop.cancelled().await,
            }
        };
        let until_stopped = |work| async { _ = stop.run_until_cancelled(work).await };
        let pulling: futures_util::future::BoxFuture<'_, ()> = Box::pin(self.pulling());
        tokio::join!(
            stage,
            until_stopped(pulling),
            until_stopped(Box::pin(self.listening())),
            until_stopped(Box::pin(self.reporting())),
        );
        if let Err(error) = self.clock().save() {
            self.warn(&error);
        }
    }

    fn clock(&self) -> &BranchClock {
        &self.puller.state.clock
    }

    fn own(&self) -> std::sync::MutexGuard<'_, Own> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn warn(&self, error: &BranchError) {
        self.journal.write(self.clock().now(), Level::Warning, &error.to_string());
    }

    /// A part of a span of the branch's own, another one each time.
    fn jitter(&self, span: Duration) -> Duration {
        let draw = self.draws.fetch_add(1, Ordering::Relaxed);
        let drawn = Digest::of_fields([&draw.to_be_bytes()[..]]);
        span.mul_f64(phase(&self.puller.state.branch, &drawn))
    }

    /// The poll's interval, a little shorter or longer each time.
    fn poll_after(&self) -> Duration {
        self.timetable.poll.mul_f64(0.9) + self.jitter(self.timetable.poll.mul_f64(0.1))
    }

    async fn pulling(&self) {
        loop {
            let due = Instant::now() + self.poll_after();
            let round = match self.round(due).await {
                Ok(until) => {
                    let mut own = self.own();
                    (own.trouble, own.failures) = (None, 0);
                    Ok(until)
                }
                Err(error) => Err(self.failed(&error)),
            };
            let rest = async {
                match round {
                    Ok(Some(moment)) => tokio::select! {
                        () = self.passed(moment) => {}
                        () = tokio::time::sleep_until(due) => {}
                    },
                    Ok(None) => tokio::time::sleep_until(due).await,
                    Err(pause) => tokio::time::sleep(pause).await,
                }
            };
            tokio::select! {
                () = rest => {}
                () = self.nudged.notified() => {}
            }
        }
    }

    /// Notes a failure, and says how long to leave it. Where the way failed, the gate says so;
    /// bad metadata, a bad file or a full disk do not get better at once either.
    fn failed(&self, error: &BranchError) -> Duration {
        self.warn(error);
        let mut own = self.own();
        own.trouble = Some(error.to_string());
        match error {
            BranchError::Busy { .. } => WHILE_BUSY,
            BranchError::WindowOver { .. } => self.timetable.poll,
            _ if error.is_unreachable() && self.gate.is_closed() => Duration::ZERO,
            _ => {
                let span = Duration::from_mins(1 << own.failures.min(8)).min(self.timetable.poll);
                own.failures += 1;
                span / 2 + self.jitter(span / 2)
            }
        }
    }

    /// Asks once, and fetches what may be fetched until `due`. Says when to look again at the
    /// latest.
    async fn round(&self, due: Instant) -> Result<Option<Timestamp>, BranchError> {
        let tag = self.own().tag.clone();
        let polled = self.gate.pass(self.office.poll(tag.as_deref())).await?;
        let lock = self.puller.lock()?;
        if let Polled::Changed { tag } = polled {
            self.puller.refresh().await?;
            self.own().tag = tag;
            self.changed();
        } else if let Some(view) = self.puller.view() {
            view.check_expiry(self.clock().now())?;
        }
        loop {
            let missing = self.puller.missing()?;
            let step = self.step(&missing);
            let fetched = match step {
                Step::Wait { until } => return Ok(until),
                Step::Emergency => Some(self.puller.fetch(&missing.emergency, None).await),
                Step::Pack { night } => self.fetch_pack(&missing, night, due).await,
            };
            self.puller.settle()?;
            self.changed();
            match fetched {
                Some(result) => result?,
                None => {
                    drop(lock);
                    return Ok(Some(self.clock().now()));
                }
            }
        }
    }

    /// Fetches packs until they are here, the night is over, it is time to ask again (`None`), or
    /// a nudge comes (`None`).
    async fn fetch_pack(
        &self,
        missing: &Missing,
        night: Option<Night>,
        due: Instant,
    ) -> Option<Result<(), BranchError>> {
        let entries: Vec<PackEntry> = missing.pack.iter().map(|(_, entry)| entry.clone()).collect();
        let mut pace = Pace::new(self.timetable.bytes_per_s);
        let over = async {
            match night {
                Some(night) => self.passed(night.until).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = over => {
                self.attended(night);
                let files = self.puller.missing().map_or(0, |missing| missing.files());
                Some(Err(BranchError::WindowOver { files }))
            }
            () = self.nudged.notified() => {
                self.nudged.notify_one();
                None
            }
            () = tokio::time::sleep_until(due) => None,
            result = self.puller.fetch(&entries, Some(&mut pace)) => Some(result),
        }
    }

    /// Waits until a moment of the branch's clock, which may be put right meanwhile.
    async fn passed(&self, moment: Timestamp) {
        loop {
            let left = self.clock().now().duration_until(moment);
            let Ok(left) = Duration::try_from(left) else { return };
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left.min(LOOK_AT_CLOCK)).await;
        }
    }

    fn changed(&self) {
        if let Some(stage) = &self.stage {
            stage.poke();
        }
        if let Some(reporter) = &self.reporter {
            reporter.wake();
        }
    }

    async fn listening(&self) {
        let branch = &self.puller.state.branch;
        loop {
            let Ok(mut nudges) = self.gate.pass(self.office.events(branch)).await else {
                if !self.gate.is_closed() {
                    // It answered, but not with events: polling must do meanwhile.
                    tokio::time::sleep(STOOD_WELL + self.jitter(STOOD_WELL)).await;
                }
                continue;
            };
            let since = Instant::now();
            // What was published while nobody listened.
            self.nudged.notify_one();
            let mut ended = SourceError::Broken("总行关了通知连接".to_owned());
            while let Some(nudge) = nudges.next().await {
                match nudge {
                    Ok(()) => self.nudged.notify_one(),
                    Err(error) => ended = error,
                }
            }
            if since.elapsed() < STOOD_WELL {
                self.gate.failed(&ended).await;
            } else {
                tokio::time::sleep(Duration::from_secs(5) + self.jitter(Duration::from_secs(10)))
                    .await;
            }
        }
    }

    async fn reporting(&self) {
        let Some(reporter) = &self.reporter else { return std::future::pending().await };
        tokio::time::sleep(Duration::from_secs(2) + self.jitter(Duration::from_secs(20))).await;
        loop {
            let trouble = self.own().trouble.clone();
            let sent = reporter.send(&self.puller, &*self.office, &self.gate, trouble).await;
            match sent {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => {
                    self.warn(&error);
                    if self.gate.is_closed() {
                        continue;
                    }
                }
            }
            tokio::select! {
                () = tokio::time::sleep(self.poll_after()) => {}
                () = reporter.woken() => {
                    // Several things change at once where one does: they are told together.
                    tokio::time::sleep(self.jitter(Duration::from_secs(30))).await;
                }
            }
        }
    }
}
