//! A branch's machine, put together from its configuration.

use super::{
    clock::Wall,
    config::{BranchConfig, Place},
    error::BranchError,
    gate::{Gate, GatedSource},
    http::{HttpOffice, Patience},
    office::Office,
    pull::Puller,
    report::Reporter,
    service::Service,
    stage::Stage,
    state::{BranchState, Doing, Lock},
    window::Pace,
};
use crate::{
    model::PackEntry,
    packs::{FolderSource, SigningKey, Source},
};
use std::{path::Path, sync::Arc, time::Duration};

/// How often a pull that a person started goes on after the line broke.
const TRIES: u32 = 5;
const BETWEEN_TRIES: Duration = Duration::from_secs(2);

/// How a person wants to pull.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// As the service would: packs only in the night's window, at the capped rate.
    AsScheduled,
    /// Everything at once.
    Now,
}

/// What a pull did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pulled {
    /// The version of the timestamp that is trusted now.
    pub version: u64,
    /// Files that came.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Files that wait for the night.
    pub waiting: usize,
}

/// A machine with its configuration and state.
#[derive(Debug)]
pub struct Machine {
    /// The configuration.
    pub config: BranchConfig,
    /// The state.
    pub state: Arc<BranchState>,
}

impl Machine {
    /// Opens the machine that a `branch.toml` describes.
    ///
    /// # Errors
    /// [`BranchError::Config`]; [`BranchError::File`].
    pub fn open(config: &Path, wall: Arc<dyn Wall>) -> Result<Self, BranchError> {
        let config = BranchConfig::load(config)?;
        let state = Arc::new(BranchState::open(&config.state, config.branch.clone(), wall)?);
        Ok(Self { config, state })
    }

    fn office(&self) -> Result<Arc<dyn Office>, BranchError> {
        Ok(match &self.config.place {
            Place::Folder(folder) => Arc::new(FolderSource::new(folder)),
            Place::Server { url, mirror } => {
                let authority = self.config.authority.as_deref();
                Arc::new(HttpOffice::new(url, mirror.as_ref(), authority, Patience::default())?)
            }
        })
    }

    /// What pulls, straight from its place or from the folder that is given.
    ///
    /// # Errors
    /// [`BranchError::NotEnrolled`].
    pub async fn puller(&self, from: Option<&Path>) -> Result<Puller, BranchError> {
        let source: Arc<dyn Source> = match from {
            Some(folder) => Arc::new(FolderSource::new(folder)),
            None => self.office()?,
        };
        Puller::open(Arc::clone(&self.state), source, self.config.wanted.clone()).await
    }

    /// Pulls once, for a person who waits.
    ///
    /// # Errors
    /// What kept it from being whole; the next pull goes on from there.
    pub async fn pull(&self, from: Option<&Path>, urgency: Urgency) -> Result<Pulled, BranchError> {
        let puller = self.puller(from).await?;
        let _lock = puller.lock()?;
        again(async || puller.refresh().await).await?;
        let missing = puller.missing()?;
        let emergency = &missing.emergency;
        again(async || puller.fetch(emergency, None).await).await?;
        let entries: Vec<PackEntry> = missing.pack.into_iter().map(|(_, entry)| entry).collect();
        let timetable = self.config.timetable;
        let is_night = timetable.window.open_at(self.state.clock.now()).is_some();
        let now = urgency == Urgency::Now || from.is_some();
        if now || is_night {
            let fetched = again(async || {
                let mut pace = (!now).then(|| Pace::new(timetable.bytes_per_s));
                puller.fetch(&still(&puller, &entries), pace.as_mut()).await
            })
            .await;
            puller.settle()?;
            fetched?;
        }
        puller.settle()?;
        let waiting = puller.missing()?.files();
        let came = emergency.iter().chain(&entries);
        let came: Vec<&PackEntry> =
            came.filter(|entry| self.state.objects.path(&entry.sha256).is_some()).collect();
        self.state.clock.save()?;
        Ok(Pulled {
            version: puller.view().map_or(0, |view| view.versions.timestamp),
            files: came.len(),
            bytes: came.iter().map(|entry| entry.bytes).sum(),
            waiting,
        })
    }

    /// The service. The lock keeps a second one away for as long as it is held.
    ///
    /// # Errors
    /// [`BranchError::Busy`] where one runs already; [`BranchError::NotEnrolled`].
    pub async fn service(
        &self,
        stage: Option<Stage>,
        version: &str,
    ) -> Result<(Service, Lock), BranchError> {
        let lock = self.state.lock(Doing::Serving)?;
        let office = self.office()?;
        let gate = Arc::new(Gate::new(self.state.branch.as_str().as_bytes()));
        let source: Arc<dyn Source> = Arc::clone(&office) as Arc<dyn Source>;
        let source = Arc::new(GatedSource::new(source, Arc::clone(&gate)));
        let wanted = self.config.wanted.clone();
        let puller = Puller::open(Arc::clone(&self.state), source, wanted).await?;
        let reporter = match self.config.place {
            Place::Folder(_) => None,
            Place::Server { .. } => {
                Some(Reporter::new(SigningKey::load(&self.config.key)?, version))
            }
        };
        let timetable = self.config.timetable;
        Ok((Service::new(puller, office, gate, timetable, stage, reporter), lock))
    }
}

/// What has not come yet.
fn still(puller: &Puller, entries: &[PackEntry]) -> Vec<PackEntry> {
    let missing = |entry: &&PackEntry| puller.state.objects.path(&entry.sha256).is_none();
    entries.iter().filter(missing).cloned().collect()
}

async fn again(work: impl AsyncFn() -> Result<(), BranchError>) -> Result<(), BranchError> {
    for _ in 1..TRIES {
        match work().await {
            Err(error) if error.is_unreachable() => tokio::time::sleep(BETWEEN_TRIES).await,
            other => return other,
        }
    }
    work().await
}
