//! The branch's clock, which never goes back: a poster that came down stays down, whatever
//! somebody does to the machine's clock and however often it is restarted.
//!
//! Its time is the latest of what the machine's clock says, what was known when the process began
//! plus what has passed since, and what an earlier process wrote down. This is the only place at
//! a branch that reads the machine's clock.

use super::{
    disk,
    error::{BranchError, at},
};
use jiff::{SignedDuration, Timestamp};
use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};
use tokio::time::Instant;

/// What says the time of day; in tests it is told what to say.
pub trait Wall: fmt::Debug + Send + Sync {
    /// The time it believes it is.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy)]
pub struct MachineWall;

impl Wall for MachineWall {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// How much of a difference is none: clocks are corrected by fractions of a second all the time.
const TOLERANCE: SignedDuration = SignedDuration::from_secs(5);

/// A clock that never goes back. Clones are the same clock.
#[derive(Debug, Clone)]
pub struct BranchClock {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    wall: Arc<dyn Wall>,
    path: PathBuf,
    known: Mutex<Known>,
}

/// The latest time known, and when in the life of this process that was.
#[derive(Debug, Clone, Copy)]
struct Known {
    time: Timestamp,
    since: Instant,
    /// How often an operator has put the clock right by hand.
    resets: u64,
}

impl BranchClock {
    /// Goes on from what is written down in the state folder.
    ///
    /// # Errors
    /// [`BranchError::File`] where the file is there and cannot be read.
    pub fn open(state: &Path, wall: Arc<dyn Wall>) -> Result<Self, BranchError> {
        let path = state.join("clock");
        let (time, resets) = read(&path)?;
        let known = Known { time: time.max(wall.now()), since: Instant::now(), resets };
        Ok(Self { shared: Arc::new(Shared { wall, path, known: Mutex::new(known) }) })
    }

    /// The time: never earlier than it was before.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let mut known = self.shared.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (now, since) = (self.shared.wall.now(), Instant::now());
        let passed = SignedDuration::try_from(since - known.since).unwrap_or(SignedDuration::ZERO);
        let steady = known.time.saturating_add(passed).unwrap_or(Timestamp::MAX);
        (known.time, known.since) = (steady.max(now), since);
        known.time
    }

    /// How far the machine's clock is behind; zero where it is right.
    #[must_use]
    pub fn behind(&self) -> SignedDuration {
        let behind = self.shared.wall.now().duration_until(self.now());
        if behind > TOLERANCE { behind } else { SignedDuration::ZERO }
    }

    /// Writes the time down, so that the next process does not begin before it. Takes over what
    /// another process wrote, also where an operator put the clock right meanwhile.
    ///
    /// # Errors
    /// [`BranchError::File`].
    pub fn save(&self) -> Result<Timestamp, BranchError> {
        let now = self.now();
        let (written, resets) = read(&self.shared.path)?;
        let mut known = self.shared.known.lock().unwrap_or_else(PoisonError::into_inner);
        if resets > known.resets {
            let time = written.max(self.shared.wall.now());
            *known = Known { time, since: Instant::now(), resets };
        } else if written > now {
            known.time = written;
        }
        write(&self.shared.path, known.time, known.resets)?;
        Ok(known.time)
    }

    /// Begins again from the machine's clock: for an operator whose machine once ran far ahead
    /// and now believes that every poster has expired. Running services follow within a minute.
    ///
    /// # Errors
    /// [`BranchError::File`].
    pub fn reset(&self) -> Result<Timestamp, BranchError> {
        let (_, resets) = read(&self.shared.path)?;
        let time = self.shared.wall.now();
        let mut known = self.shared.known.lock().unwrap_or_else(PoisonError::into_inner);
        *known = Known { time, since: Instant::now(), resets: resets + 1 };
        write(&self.shared.path, time, known.resets)?;
        Ok(time)
    }
}

fn write(path: &Path, time: Timestamp, resets: u64) -> Result<(), BranchError> {
    disk::write(path, format!("{time} {resets}\n").as_bytes())
}

/// What is written down; the beginning of time where nothing is. A file that cannot be read as
/// one is treated as missing: the machine's clock is then all there is, and posters that came
/// down are deleted besides.
fn read(path: &Path) -> Result<(Timestamp, u64), BranchError> {
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((Timestamp::MIN, 0)),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => String::new(),
        other => other.map_err(at(path))?,
    };
    let (time, resets) = text.trim().split_once(' ').unwrap_or_default();
    Ok((time.parse().unwrap_or(Timestamp::MIN), resets.parse().unwrap_or(0)))
}
