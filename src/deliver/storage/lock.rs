//! One writer at a time in a folder, and file work off the asynchronous threads.

use super::StorageError;
use std::{
    fs::{self, File, TryLockError},
    io,
    path::Path,
};

/// Runs file work off the asynchronous threads.
pub(in crate::deliver) async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, StorageError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Ok(done?),
        Err(stopped) => Err(StorageError::File(io::Error::other(stopped))),
    }
}

/// The one process that may replace pointers and links of this folder. Let go of on drop.
pub(in crate::deliver) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock without waiting; `None` while another process has it.
    pub(in crate::deliver) fn take(root: &Path) -> io::Result<Option<Self>> {
        fs::create_dir_all(root)?;
        let file =
            File::options().create(true).truncate(false).write(true).open(root.join(".lock"))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            // Some network file systems have no locks: the ledger's lease has to do.
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
                Ok(Some(Self { _file: file }))
            }
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}
