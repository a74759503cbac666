//! Changing a file of the content folder: whole or not at all, on the disk before anything else is
//! said, and only where nobody else wrote meanwhile.

use super::WorkError;
use crate::model::Digest;
use std::{
    fs,
    io::{self, Write as _},
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Held by whoever writes a file of the content folder.
static WRITING: Mutex<()> = Mutex::new(());

fn turn() -> MutexGuard<'static, ()> {
    WRITING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The bytes of a file; `None` where there is none.
///
/// # Errors
/// [`WorkError::File`].
pub(super) fn bytes_of(path: &Path) -> Result<Option<Vec<u8>>, WorkError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(WorkError::File { path: path.to_owned(), source }),
    }
}

/// Puts bytes in a file's place where it still is what was `seen` (`None`: where there is none).
/// `false` where it is not; nothing is changed then.
///
/// # Errors
/// [`WorkError::File`].
pub(super) fn replace_where(
    path: &Path,
    seen: Option<&Digest>,
    bytes: &[u8],
) -> Result<bool, WorkError> {
    let _turn = turn();
    if bytes_of(path)?.map(|bytes| Digest::of(&bytes)).as_ref() != seen {
        return Ok(false);
    }
    let written = replace(path, bytes);
    written.map_err(|source| WorkError::File { path: path.to_owned(), source })?;
    Ok(true)
}

/// A hidden neighbour is written and put in place when the disk has it: whoever reads sees the old
/// file or the new one, also after a power cut.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let aside = folder.join(format!(".{name}.{}.new", std::process::id()));
    let written = fs::File::create(&aside).and_then(|mut file| {
        if let Ok(old) = fs::metadata(path) {
            file.set_permissions(old.permissions())?;
        }
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&aside, path)
    });
    if written.is_err() {
        // The first error is the one to tell.
        let _ = fs::remove_file(&aside);
    }
    written?;
    // The name is on the disk when the folder is.
    fs::File::open(folder)?.sync_all()
}
