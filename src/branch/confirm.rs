//! What people say hangs, or hangs no more. Kept until the head office has acknowledged it.

use super::{
    disk,
    error::{BranchError, at},
};
use crate::{
    model::Digest,
    packs::wire::{Confirmed, ConfirmedWhat},
};
use jiff::Timestamp;
use std::{fs, path::Path};

/// Puts a confirmation into the queue; its number.
///
/// # Errors
/// [`BranchError::File`].
pub fn queue(
    state: &Path,
    key: Digest,
    lesson: Option<String>,
    what: ConfirmedWhat,
    by: &str,
    now: Timestamp,
) -> Result<u64, BranchError> {
    let folder = state.join("confirmed");
    fs::create_dir_all(&folder).map_err(at(&folder))?;
    let path = folder.join("lock");
    let lock = fs::File::create(&path).map_err(at(&path))?;
    // Two people may press at the same time; each waits for a few milliseconds at most.
    lock.lock().map_err(at(&path))?;
    let mut list = waiting(state);
    let last = list.last().map_or(0, |confirmed| confirmed.number);
    let number = last.max(acknowledged(state)) + 1;
    list.push(Confirmed { number, key, lesson, what, by: by.to_owned(), at: now });
    let text: Vec<String> =
        list.iter().filter_map(|confirmed| serde_json::to_string(confirmed).ok()).collect();
    disk::write(&folder.join("queue.jsonl"), text.join("\n").as_bytes())?;
    remember(&folder, list.last())?;
    Ok(number)
}

/// How much of what was said is remembered for the people at the branch: two years of a weekly
/// change.
const REMEMBERED: usize = 400;

fn remember(folder: &Path, confirmed: Option<&Confirmed>) -> Result<(), BranchError> {
    let path = folder.join("said.jsonl");
    let text = fs::read_to_string(&path).unwrap_or_default();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.extend(confirmed.and_then(|confirmed| serde_json::to_string(confirmed).ok()));
    let first = lines.len().saturating_sub(REMEMBERED);
    disk::write(&path, lines[first..].join("\n").as_bytes())
}

/// What people said here, whether or not the head office has it yet; oldest first.
#[must_use]
pub fn said(state: &Path) -> Vec<Confirmed> {
    let text = fs::read_to_string(state.join("confirmed/said.jsonl")).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// What waits for the head office, oldest first.
#[must_use]
pub fn waiting(state: &Path) -> Vec<Confirmed> {
    let acknowledged = acknowledged(state);
    let text = fs::read_to_string(state.join("confirmed/queue.jsonl")).unwrap_or_default();
    text.lines()
        .filter_map(|line| serde_json::from_str::<Confirmed>(line).ok())
        .filter(|confirmed| confirmed.number > acknowledged)
        .collect()
}

fn acknowledged(state: &Path) -> u64 {
    let text = fs::read_to_string(state.join("confirmed/acknowledged")).unwrap_or_default();
    text.trim().parse().unwrap_or(0)
}

/// Notes that the head office keeps confirmations up to this number.
///
/// # Errors
/// [`BranchError::File`].
pub fn acknowledge(state: &Path, number: u64) -> Result<(), BranchError> {
    if number > acknowledged(state) {
        let path = state.join("confirmed/acknowledged");
        disk::write(&path, number.to_string().as_bytes())?;
    }
    Ok(())
}
