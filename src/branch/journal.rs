//! The branch's own log: small, and readable on a machine that nobody can reach.
//!
//! A head office that is away for three days must not fill the disk of three hundred branches: the
//! same message again is counted, not written, until something else happens or an hour has passed,
//! and the files never grow beyond [`Journal::LIMIT`] each.

use jiff::{SignedDuration, Timestamp};
use std::{
    fmt, fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

/// How often a message that does not change is written again.
const AGAIN: SignedDuration = SignedDuration::from_hours(1);

/// How many messages are compared with: two that take turns are repetitions as well.
const REMEMBERED: usize = 8;

/// How bad something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// It went as it should.
    Note,
    /// Somebody should look.
    Warning,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Note => "正常",
            Self::Warning => "警告",
        })
    }
}

/// A message that was written, and how often it came since.
#[derive(Debug)]
struct Repeated {
    text: String,
    at: Timestamp,
    times: u32,
}

/// A log file of a state folder.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    recent: Mutex<Vec<Repeated>>,
}

impl Journal {
    /// The most bytes of one log file; the one before it is kept as well.
    pub const LIMIT: u64 = 192 << 10;

    /// The log of that name.
    #[must_use]
    pub fn open(state: &Path, name: &str) -> Self {
        let folder = state.join("log");
        drop(fs::create_dir_all(&folder));
        Self { path: folder.join(format!("{name}.log")), recent: Mutex::default() }
    }

    /// Writes a message down, unless it was written lately.
    pub fn write(&self, now: Timestamp, level: Level, text: &str) {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let mut times = 0;
        if let Some(place) = recent.iter().position(|known| known.text == text) {
            let known = &mut recent[place];
            if known.at.duration_until(now) < AGAIN {
                known.times = known.times.saturating_add(1);
                return;
            }
            times = recent.remove(place).times;
        }
        if recent.len() >= REMEMBERED {
            recent.remove(0);
        }
        recent.push(Repeated { text: text.to_owned(), at: now, times: 0 });
        match level {
            Level::Note => tracing::info!("{text}"),
            Level::Warning => tracing::warn!("{text}"),
        }
        let again =
            if times > 0 { format!("（此前又有 {times} 次）") } else { String::new() };
        // The log is the last to complain: a full disk is said by what needs the room.
        drop(self.append(&format!("{now} {level} {}{again}\n", text.replace('\n', " "))));
    }

    fn append(&self, line: &str) -> io::Result<()> {
        let length = fs::metadata(&self.path).map_or(0, |file| file.len());
        if length + line.len() as u64 > Self::LIMIT {
            fs::rename(&self.path, self.path.with_extension("log.1"))?;
        }
        let mut file = fs::File::options().append(true).create(true).open(&self.path)?;
        file.write_all(line.as_bytes())
    }
}
