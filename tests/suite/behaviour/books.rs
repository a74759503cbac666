//! Books in memory: a clock that tests set, files, and points at which a run is cut off.

use async_trait::async_trait;
use caishi::{
    deliver::{Books, BooksError, QuotaAnswer, QuotaWindow, Scope, SealedToken},
    model::Digest,
};
use futures_util::FutureExt as _;
use jiff::{SignedDuration, Timestamp, ToSpan as _, Unit, tz::TimeZone};
use std::{
    collections::{BTreeMap, HashMap},
    panic::{AssertUnwindSafe, resume_unwind},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

/// What a run that was cut off at a labelled point unwinds with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CutOff(pub &'static str);

/// What happens at a point.
type Deed = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct State {
    now: Timestamp,
    journal: BTreeMap<(String, String), String>,
    quotas: HashMap<(String, Timestamp), u32>,
    tokens: HashMap<String, SealedToken>,
    leases: HashMap<String, Timestamp>,
    files: HashMap<Digest, Vec<u8>>,
    reads: usize,
    points: Vec<&'static str>,
    cut: Option<(&'static str, usize)>,
    meanwhile: Option<(&'static str, Deed)>,
    fenced: bool,
    broken: bool,
}

/// The books of one delivery; [`MemoryBooks::of_delivery`] gives those of another one, with the
/// same clock, channel journal, tokens, quotas and files.
#[derive(Clone)]
pub struct MemoryBooks {
    delivery: String,
    state: Arc<Mutex<State>>,
}

impl MemoryBooks {
    /// Empty books, at that moment.
    pub fn new(now: Timestamp) -> Self {
        let state = State { now, ..State::default() };
        Self { delivery: "d-1".to_owned(), state: Arc::new(Mutex::new(state)) }
    }

    /// The books of another delivery of the same channel.
    pub fn of_delivery(&self, delivery: &str) -> Self {
        Self { delivery: delivery.to_owned(), state: Arc::clone(&self.state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// The clock.
    pub fn at(&self) -> Timestamp {
        self.state().now
    }

    /// Moves the clock.
    pub fn advance(&self, by: SignedDuration) {
        let mut state = self.state();
        state.now = state.now.checked_add(by).unwrap();
    }

    /// A file of a parcel.
    pub fn add_file(&self, bytes: &[u8]) -> Digest {
        let digest = Digest::of(bytes);
        self.state().files.insert(digest, bytes.to_vec());
        digest
    }

    /// How often a file was read so far.
    pub fn file_reads(&self) -> usize {
        self.state().reads
    }

    /// The labelled points that were reached, in order.
    pub fn points(&self) -> Vec<&'static str> {
        self.state().points.clone()
    }

    /// Cuts the run off when `point` is reached for the `nth` time (1 = the next time).
    pub fn cut_at(&self, point: &'static str, nth: usize) {
        self.state().cut = Some((point, nth));
    }

    /// Does something else at the moment when `point` is next reached: a race, decided.
    pub fn meanwhile(&self, point: &'static str, deed: impl FnOnce() + Send + 'static) {
        self.state().meanwhile = Some((point, Box::new(deed)));
    }

    /// Whether another worker holds the deliveries.
    pub fn fence(&self, fenced: bool) {
        self.state().fenced = fenced;
    }

    /// Whether every read and write fails, as with a full disk or a database that is gone.
    pub fn break_storage(&self, broken: bool) {
        self.state().broken = broken;
    }

    /// Everything the books hold, as text: where tests look for secrets.
    pub fn dump(&self) -> String {
        let state = self.state();
        let sealed = state.tokens.values().map(|token| token.sealed.as_str());
        let lines = state.journal.iter().map(|((scope, step), value)| [scope, step, value]);
        lines
            .map(|line| line.map(String::as_str).join(" "))
            .chain(sealed.map(str::to_owned))
            .collect::<Vec<_>>()
            .join("\n")
    }

    fn scope(&self, scope: Scope) -> String {
        match scope {
            Scope::Delivery => self.delivery.clone(),
            Scope::Channel => "channel".to_owned(),
        }
    }

    fn usable(&self) -> Result<MutexGuard<'_, State>, BooksError> {
        let state = self.state();
        if state.broken {
            let source = std::io::Error::new(std::io::ErrorKind::StorageFull, "disk full");
            return Err(BooksError::Storage { source: source.into() });
        }
        Ok(state)
    }

    fn writable(&self) -> Result<MutexGuard<'_, State>, BooksError> {
        let state = self.usable()?;
        if state.fenced { Err(BooksError::Fenced) } else { Ok(state) }
    }
}

/// Runs a call whose books may cut it off: `Err` names the point, and the call's future is gone,
/// as after a crash.
pub async fn until_cut_off<T>(call: impl Future<Output = T>) -> Result<T, CutOff> {
    match AssertUnwindSafe(call).catch_unwind().await {
        Ok(value) => Ok(value),
        Err(panic) => match panic.downcast::<CutOff>() {
            Ok(cut) => Err(*cut),
            Err(other) => resume_unwind(other),
        },
    }
}

/// The beginnings of a quota's window and of the next one.
fn window_at(now: Timestamp, window: QuotaWindow) -> (Timestamp, Timestamp) {
    let shanghai = now.to_zoned(TimeZone::get("Asia/Shanghai").unwrap());
    let (start, length) = match window {
        QuotaWindow::Minute => {
            let second = shanghai.second();
            (shanghai.checked_sub(i64::from(second).seconds()).unwrap(), 1.minute())
        }
        QuotaWindow::Day => (shanghai.start_of_day().unwrap(), 1.day()),
        QuotaWindow::Month => {
            (shanghai.first_of_month().unwrap().start_of_day().unwrap(), 1.month())
        }
    };
    let start = start.round(Unit::Second).unwrap();
    (start.timestamp(), start.checked_add(length).unwrap().timestamp())
}

#[async_trait]
impl Books for MemoryBooks {
    async fn now(&self) -> Result<Timestamp, BooksError> {
        Ok(self.usable()?.now)
    }

    async fn read(&self, scope: Scope, step: &str) -> Result<Option<String>, BooksError> {
        let key = (self.scope(scope), step.to_owned());
        Ok(self.usable()?.journal.get(&key).cloned())
    }

    async fn write(&self, scope: Scope, step: &str, value: &str) -> Result<(), BooksError> {
        let key = (self.scope(scope), step.to_owned());
        self.writable()?.journal.insert(key, value.to_owned());
        Ok(())
    }

    async fn take_quota(
        &self,
        call: &str,
        window: QuotaWindow,
        limit: u32,
    ) -> Result<QuotaAnswer, BooksError> {
        let mut state = self.writable()?;
        let (start, until) = window_at(state.now, window);
        let used = state.quotas.entry((format!("{call}/{window:?}"), start)).or_default();
        if *used >= limit {
            return Ok(QuotaAnswer::Exhausted { until });
        }
        *used += 1;
        Ok(QuotaAnswer::Taken { left: limit - *used })
    }

    async fn quota_used(&self, call: &str, window: QuotaWindow) -> Result<u32, BooksError> {
        let state = self.usable()?;
        let (start, _) = window_at(state.now, window);
        Ok(state.quotas.get(&(format!("{call}/{window:?}"), start)).copied().unwrap_or(0))
    }

    async fn token(&self, account: &str) -> Result<Option<SealedToken>, BooksError> {
        Ok(self.usable()?.tokens.get(account).cloned())
    }

    async fn lease_token(&self, account: &str, length: Duration) -> Result<bool, BooksError> {
        let mut state = self.writable()?;
        let now = state.now;
        if state.leases.get(account).is_some_and(|until| *until > now) {
            return Ok(false);
        }
        state.leases.insert(account.to_owned(), now.checked_add(length).unwrap());
        Ok(true)
    }

    async fn store_token(
        &self,
        account: &str,
        sealed: &str,
        expires_at: Timestamp,
    ) -> Result<SealedToken, BooksError> {
        let mut state = self.writable()?;
        let version = state.tokens.get(account).map_or(1, |token| token.version + 1);
        let token = SealedToken { sealed: sealed.to_owned(), expires_at, version };
        state.tokens.insert(account.to_owned(), token.clone());
        state.leases.remove(account);
        Ok(token)
    }

    async fn file(&self, sha256: &Digest) -> Result<Vec<u8>, BooksError> {
        let mut state = self.usable()?;
        state.reads += 1;
        state
            .files
            .get(sha256)
            .cloned()
            .ok_or_else(|| BooksError::Storage { source: format!("no file {sha256}").into() })
    }

    fn reached(&self, point: &'static str) {
        let mut state = self.state();
        state.points.push(point);
        let due = match &mut state.cut {
            Some((wanted, nth)) if *wanted == point => {
                *nth -= 1;
                *nth == 0
            }
            _ => false,
        };
        let deed = state.meanwhile.take_if(|(wanted, _)| *wanted == point);
        if due {
            state.cut = None;
        }
        // The books outlive the run that is cut off, and the deed reads them.
        drop(state);
        if let Some((_, deed)) = deed {
            deed();
        }
        if due {
            // No panic hook is called, so nothing is printed.
            resume_unwind(Box::new(CutOff(point)));
        }
    }
}
