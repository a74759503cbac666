//! What an output folder holds, remembered so that the next build renders only what changed.
//!
//! The index maps each path to the key of everything the file was made from, and to the size,
//! modification time and digest the file had when it was written. A file is kept where its key is
//! the same and the file is untouched; otherwise it is made again. Keys are digests of contents,
//! never of times, so a clean build and an incremental one give the same bytes.

use crate::model::{Digest, Listing};
use std::{
    collections::{BTreeMap, HashMap},
    fs, io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::UNIX_EPOCH,
};

/// The folder inside the output folder that belongs to the program.
const STATE_FOLDER: &str = ".caishi";

/// What is known of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The listing's line.
    pub listing: Listing,
    /// Digest of everything the file was made from.
    pub key: Digest,
    /// Modification time in nanoseconds since 1970.
    pub modified_ns: u128,
}

/// The index of one output folder.
#[derive(Debug, Default)]
pub struct Index {
    /// By path.
    pub entries: BTreeMap<String, Entry>,
    by_key: HashMap<Digest, Vec<String>>,
}

impl Index {
    /// Reads the index of `out`; an absent or unreadable one is empty, and everything is made
    /// again.
    #[must_use]
    pub fn load(out: &Path) -> Self {
        let text = fs::read_to_string(index_path(out)).unwrap_or_default();
        let entries = text.lines().filter_map(super::wire::entry_from_line);
        Self::new(entries.map(|entry| (entry.listing.path.clone(), entry)).collect())
    }

    /// An index of these entries.
    #[must_use]
    pub fn new(entries: BTreeMap<String, Entry>) -> Self {
        let mut by_key: HashMap<Digest, Vec<String>> = HashMap::new();
        for (path, entry) in &entries {
            by_key.entry(entry.key).or_default().push(path.clone());
        }
        Self { entries, by_key }
    }

    /// Writes the index.
    ///
    /// # Errors
    /// The file system's.
    pub fn save(&self, out: &Path) -> io::Result<()> {
        let mut text = String::new();
        for entry in self.entries.values() {
            text.push_str(&super::wire::line_from_entry(entry));
            text.push('\n');
        }
        write_file(&index_path(out), &[text.as_bytes()]).map(|_| ())
    }

    /// The paths of the files made under one key.
    #[must_use]
    pub fn paths(&self, key: Digest) -> Vec<&str> {
        self.by_key.get(&key).into_iter().flatten().map(String::as_str).collect()
    }

    /// The entry of `path` where its key is `key` and the file is as it was written.
    #[must_use]
    pub fn fresh(&self, out: &Path, path: &str, key: Digest) -> Option<&Entry> {
        let entry = self.entries.get(path).filter(|entry| entry.key == key)?;
        let metadata = fs::metadata(out.join(path)).ok()?;
        let untouched = metadata.len() == entry.listing.bytes
            && modified_ns(&metadata) == Some(entry.modified_ns);
        untouched.then_some(entry)
    }
}

fn index_path(out: &Path) -> PathBuf {
    state_file(out, "index.tsv")
}

/// A file of the program's own in an output folder.
pub fn state_file(out: &Path, name: &str) -> PathBuf {
    out.join(STATE_FOLDER).join(name)
}

fn modified_ns(metadata: &fs::Metadata) -> Option<u128> {
    Some(metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?.as_nanos())
}

static PART: AtomicU64 = AtomicU64::new(0);

/// Writes a file whole or not at all: into a neighbour, then renamed. Returns the modification
/// time.
///
/// # Errors
/// The file system's; the neighbour is removed.
pub fn write_file(path: &Path, parts: &[&[u8]]) -> io::Result<u128> {
    use io::Write as _;
    let folder = path.parent().unwrap_or(Path::new("."));
    let number = PART.fetch_add(1, Ordering::Relaxed);
    let part = folder.join(format!(".caishi-part-{}-{number}", std::process::id()));
    let create = || match fs::File::create(&part) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(folder)?;
            fs::File::create(&part)
        }
        other => other,
    };
    let written = create().and_then(|mut file| {
        parts.iter().try_for_each(|bytes| file.write_all(bytes))?;
        let modified = modified_ns(&file.metadata()?).unwrap_or_default();
        fs::rename(&part, path)?;
        Ok(modified)
    });
    if written.is_err() {
        // The neighbour may not exist; the first error is the one to tell.
        let _ = fs::remove_file(&part);
    }
    written
}

/// Removes what an interrupted run left behind.
pub fn remove_parts(out: &Path) {
    for entry in walkdir::WalkDir::new(out).into_iter().flatten() {
        if entry.file_name().to_string_lossy().starts_with(".caishi-part-") {
            let _ = fs::remove_file(entry.path());
        }
    }
}
