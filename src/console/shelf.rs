//! The content folder as last read. Reading it takes a moment, pages must not: they get what was
//! read last, and a change is read in the background.

use super::trouble::Trouble;
use crate::{config::Config, work::Content};
use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// The folder is looked at this often, at most.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// What was read, and when the folder was last looked at.
#[derive(Debug, Clone)]
struct Read {
    content: Arc<Content>,
    /// Names, sizes and times of every file, in one number.
    look: u64,
    looked_at: Instant,
}

/// The last reading.
#[derive(Debug)]
pub(super) struct Shelf {
    config: Arc<Config>,
    last: Mutex<Option<Read>>,
    /// Held by whoever reads: one at a time.
    reading: Arc<tokio::sync::Mutex<()>>,
}

impl Shelf {
    pub(super) fn new(config: Arc<Config>) -> Arc<Self> {
        Arc::new(Self { config, last: Mutex::new(None), reading: Arc::default() })
    }

    /// What was read last; the first time, and after [`Self::forget`], it is waited for.
    pub(super) async fn content(self: &Arc<Self>) -> Result<Arc<Content>, Trouble> {
        let Some(read) = self.last() else {
            let _turn = self.reading.lock().await;
            return match self.last() {
                Some(read) => Ok(read.content),
                None => self.read_now().await,
            };
        };
        if read.looked_at.elapsed() > LOOK_EVERY
            && let Ok(turn) = Arc::clone(&self.reading).try_lock_owned()
        {
            let (shelf, read) = (Arc::clone(self), read.clone());
            tokio::spawn(async move {
                let _turn = turn;
                shelf.look_again(read).await;
            });
        }
        Ok(read.content)
    }

    /// What was changed here must be seen at once.
    pub(super) fn forget(&self) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn last(&self) -> Option<Read> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn look_again(&self, mut read: Read) {
        let folder = self.config.content.clone();
        let Ok(look) = tokio::task::spawn_blocking(move || look(&folder)).await else { return };
        if look == read.look {
            read.looked_at = Instant::now();
            *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(read);
        } else if let Err(trouble) = self.read_now().await {
            tracing::warn!("课件没有重新读成：{}", trouble.what.join("；"));
        }
    }

    async fn read_now(&self) -> Result<Arc<Content>, Trouble> {
        let config = Arc::clone(&self.config);
        let read = tokio::task::spawn_blocking(move || {
            let look = look(&config.content);
            Content::load(&config).map(|content| (look, Arc::new(content)))
        });
        let (look, content) = read.await.map_err(|error| Trouble::wrong(error.to_string()))??;
        let read = Read { content: Arc::clone(&content), look, looked_at: Instant::now() };
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(read);
        Ok(content)
    }
}

/// One number over every file's name, size and time.
fn look(folder: &Path) -> u64 {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    for entry in walkdir::WalkDir::new(folder).sort_by_file_name().into_iter().flatten() {
        let Ok(metadata) = entry.metadata() else { continue };
        if metadata.is_file() {
            entry.path().hash(&mut hasher);
            metadata.len().hash(&mut hasher);
            metadata.modified().ok().hash(&mut hasher);
        }
    }
    hasher.finish()
}
