//! One file: goes on where it was cut off, is compared before it gets its name, and is put aside
//! where it is not what was signed.

use super::{
    disk,
    error::{BranchError, at},
    objects::Objects,
    window::Pace,
};
use crate::{
    model::{Digest, PackEntry},
    packs::{Source, SourceError, target_file},
};
use futures_util::StreamExt as _;
use sha2::{Digest as _, Sha256};
use std::{
    fs,
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

/// After how many bytes the disk is told to keep them: what a power cut can cost.
const SYNC_EVERY: u64 = 256 << 10;

/// A file on its way.
struct Part {
    path: PathBuf,
    file: fs::File,
    hasher: Sha256,
    length: u64,
    unsynced: u64,
}

impl Part {
    /// Goes on with what is there of at most `most` bytes.
    fn open(path: PathBuf, most: u64) -> Result<Self, BranchError> {
        let open = || -> io::Result<(fs::File, Sha256, u64)> {
            let mut options = fs::File::options();
            let mut file =
                options.read(true).write(true).create(true).truncate(false).open(&path)?;
            let (mut hasher, mut length) = (Sha256::new(), 0);
            if file.metadata()?.len() > most {
                file.set_len(0)?;
            }
            let mut buffer = vec![0; 64 << 10];
            loop {
                let read = file.read(&mut buffer)?;
                if read == 0 {
                    return Ok((file, hasher, length));
                }
                hasher.update(&buffer[..read]);
                length += read as u64;
            }
        };
        let (file, hasher, length) = open().map_err(at(&path))?;
        Ok(Self { path, file, hasher, length, unsynced: 0 })
    }

    /// Begins again: the far side cannot begin in the middle.
    fn restart(&mut self) -> Result<(), BranchError> {
        let mut restart = || -> io::Result<()> {
            self.file.set_len(0)?;
            io::Seek::rewind(&mut self.file)
        };
        restart().map_err(at(&self.path))?;
        (self.hasher, self.length) = (Sha256::new(), 0);
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), BranchError> {
        let mut write = || -> io::Result<()> {
            self.file.write_all(bytes)?;
            self.unsynced += bytes.len() as u64;
            if self.unsynced >= SYNC_EVERY {
                self.file.sync_data()?;
                self.unsynced = 0;
            }
            Ok(())
        };
        let written = write();
        if written.is_err() {
            // Half a piece that did not fit is not counted: what is there stays a beginning.
            drop(self.file.set_len(self.length));
        }
        written.map_err(at(&self.path))?;
        self.hasher.update(bytes);
        self.length += bytes.len() as u64;
        Ok(())
    }
}

/// Fetches a file that is not there yet, at the rate of `pace`.
///
/// # Errors
/// [`BranchError::BadFile`] where it is not what was signed; [`SourceError`] where it did not come.
pub(super) async fn download(
    source: &dyn Source,
    objects: &Objects,
    incoming: &Path,
    entry: &PackEntry,
    mut pace: Option<&mut Pace>,
) -> Result<(), BranchError> {
    let path = incoming.join(entry.sha256.to_string());
    let mut part = Part::open(path, entry.bytes)?;
    if part.length < entry.bytes {
        let file = target_file(&entry.sha256, &entry.name);
        let mut body = source.target(&file, part.length).await?;
        match body.start {
            start if start == part.length => {}
            0 => part.restart()?,
            start => {
                let text = format!("{} 从 {start} 字节开始，要的是 {}", entry.name, part.length);
                return Err(SourceError::Refused(text).into());
            }
        }
        while part.length < entry.bytes {
            let Some(bytes) = body.stream.next().await else {
                return Err(SourceError::Broken(format!("{} 没有收完", entry.name)).into());
            };
            let bytes = bytes?;
            if part.length + bytes.len() as u64 > entry.bytes {
                // Nothing of it can be trusted to be the beginning of the right file.
                part.restart()?;
                let name = entry.name.clone();
                return Err(SourceError::TooLong { name, limit: entry.bytes }.into());
            }
            part.write(&bytes)?;
            if let Some(pace) = &mut pace {
                pace.spend(bytes.len() as u64).await;
            }
        }
    }
    part.file.sync_all().map_err(at(&part.path))?;
    let found = Digest::from_bytes(part.hasher.finalize().into());
    if found == entry.sha256 {
        return objects.take(&part.path, &found);
    }
    objects.quarantine(&part.path)?;
    Err(BranchError::BadFile { name: entry.name.clone(), expected: entry.sha256 })
}

/// Copies a file for people to where they look for it.
pub(super) fn lay_out(
    objects: &Objects,
    people: &Path,
    entry: &PackEntry,
) -> Result<(), BranchError> {
    let path = people.join(&entry.name);
    let there = fs::read(&path).is_ok_and(|bytes| Digest::of(&bytes) == entry.sha256);
    match objects.bytes(&entry.sha256) {
        Some(bytes) if !there => disk::write(&path, &bytes),
        _ => Ok(()),
    }
}
