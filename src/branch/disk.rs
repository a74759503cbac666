//! Files that are either old or new after a power cut, and never half of each.

use super::error::{BranchError, at};
use std::{
    fs, io,
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU64, Ordering},
};

/// What names a file begins with while it is being written.
const HALF: &str = ".half-";

static COUNT: AtomicU64 = AtomicU64::new(0);

/// Writes a whole file in the place of the one before it.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), BranchError> {
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let half = folder_of(path).join(format!("{HALF}{}-{number}", process::id()));
    let written = (|| {
        let mut file = fs::File::create(&half)?;
        io::Write::write_all(&mut file, bytes)?;
        file.sync_all()?;
        rename(&half, path)
    })();
    if written.is_err() {
        drop(fs::remove_file(&half));
    }
    written.map_err(at(path))
}

/// Gives a file its final name; after a power cut it still has it.
pub(super) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    sync_folder(folder_of(to))
}

/// Makes names in a folder last.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    fs::File::open(folder)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}

/// The folder of a file; a bare name is in the current one, whose path is not the empty one.
fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Removes what processes left that were killed while writing.
pub(super) fn sweep(folder: &Path) {
    let own = format!("{HALF}{}-", process::id());
    for (name, path) in names(folder) {
        if name.starts_with(HALF) && !name.starts_with(&own) {
            drop(fs::remove_file(path));
        }
    }
}

/// The files of a folder, by name; none where there is no folder.
pub(super) fn names(folder: &Path) -> Vec<(String, PathBuf)> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<(String, PathBuf)> = entries
        .flatten()
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path()))
        .collect();
    names.sort();
    names
}
