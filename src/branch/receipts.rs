//! What stood on the screens, as a chain of lines that the head office can count on
//! ([`crate::packs::wire`]).
//!
//! A poster comes round every few minutes; one line a time would fill disks and thin lines. So
//! what is shown is added up per screen and poster, and a span becomes a line after six hours.
//! Where the head office is away for long, spans grow instead of the number of lines: written
//! lines are never rewritten, so the chain never breaks, and the disk never fills.
//!
//! One process writes; any process may read lines and note which were acknowledged.

use super::{
    disk,
    error::{BranchError, at},
};
use crate::{
    model::{BranchId, Digest},
    packs::wire::{ReceiptLine, chain_start},
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

/// The size at which a new file is begun; files whose lines were all acknowledged are deleted.
const SEGMENT: u64 = 256 << 10;

/// Spans of this many bytes are written down once a minute, of twice as many every two minutes.
const LARGE: usize = 64 << 10;

/// How long a span lasts before it becomes a line, by how many bytes wait for the head office.
/// Beyond the last, spans wait until it is back.
const SPANS: [(u64, SignedDuration); 3] = [
    (1 << 20, SignedDuration::from_hours(6)),
    (3 << 20, SignedDuration::from_hours(24)),
    (6 << 20, SignedDuration::from_hours(24 * 7)),
];

/// Something stood on a screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Displayed {
    /// The screen.
    pub screen: String,
    /// The poster.
    pub sha256: Digest,
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// How often it came round; 0 where it had come before and stayed.
    pub count: u32,
    /// How long it stood in all, in seconds.
    pub seconds: u32,
}

/// What has been added up for one poster on one screen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Span {
    screen: String,
    sha256: String,
    from: Timestamp,
    until: Timestamp,
    count: u32,
    seconds: u32,
    behind: bool,
}

/// The spans as they are on the disk.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Open {
    /// The number of the line that comes next: spans that became lines afterwards are not open.
    next: u64,
    spans: Vec<Span>,
}

/// The writer of the chain.
#[derive(Debug)]
pub struct Receipts {
    folder: PathBuf,
    branch: String,
    head: (u64, Digest),
    spans: BTreeMap<(String, String), Span>,
    dirty: bool,
    /// When the spans were written down, and how many bytes they were.
    written: (Timestamp, usize),
}

impl Receipts {
    /// Goes on with the chain of a state folder. A line that was cut off in the middle by a power
    /// cut was never sent; it is removed.
    ///
    /// # Errors
    /// [`BranchError::File`].
    pub fn open(state: &Path, branch: &BranchId) -> Result<Self, BranchError> {
        let folder = state.join("receipts");
        fs::create_dir_all(&folder).map_err(at(&folder))?;
        disk::sweep(&folder);
        let mut head = (0, chain_start());
        let mut late: Vec<ReceiptLine> = Vec::new();
        let open = read_open(&folder);
        for (_, path) in segments(&folder) {
            cut_torn_line(&path).map_err(at(&path))?;
            let text = fs::read_to_string(&path).map_err(at(&path))?;
            for line in text.lines() {
                if let Ok(receipt) = serde_json::from_str::<ReceiptLine>(line) {
                    head = (receipt.seq, Digest::of(line.as_bytes()));
                    late.extend((receipt.seq >= open.next).then_some(receipt));
                }
            }
        }
        let mut spans = BTreeMap::new();
        for span in open.spans {
            let written = late.iter().any(|line| {
                line.screen == span.screen && line.sha256 == span.sha256 && line.until >= span.until
            });
            if !written {
                spans.insert((span.screen.clone(), span.sha256.clone()), span);
            }
        }
        let written = (Timestamp::MIN, 0);
        Ok(Self { folder, branch: branch.to_string(), head, spans, dirty: false, written })
    }

    /// Adds what was shown; `behind` says that the machine's clock was not right.
    pub fn add(&mut self, shown: &Displayed, behind: bool) {
        let key = (shown.screen.clone(), shown.sha256.to_string());
        let span = self.spans.entry(key).or_insert_with_key(|(screen, sha256)| Span {
            screen: screen.clone(),
            sha256: sha256.clone(),
            from: shown.from,
            until: shown.until,
            count: 0,
            seconds: 0,
            behind,
        });
        span.from = span.from.min(shown.from);
        span.until = span.until.max(shown.until);
        span.count = span.count.saturating_add(shown.count);
        span.seconds = span.seconds.saturating_add(shown.seconds);
        span.behind |= behind;
        self.dirty = true;
    }

    /// Turns spans that have lasted long enough into lines, and writes down those that have not.
    /// To be called every minute: what a power cut can lose is what was shown since.
    ///
    /// # Errors
    /// [`BranchError::File`]; nothing is lost or counted twice then.
    pub fn settle(&mut self, now: Timestamp) -> Result<(), BranchError> {
        // First: what was acknowledged makes room for spans that had to wait.
        forget(&self.folder);
        let waiting = waiting_bytes(&self.folder);
        let length = SPANS.iter().find(|(bytes, _)| waiting < *bytes).map(|(_, length)| *length);
        let is_due =
            |span: &Span| length.is_some_and(|length| span.from.duration_until(now) >= length);
        // After months without a head office the spans are megabytes; flash cards do not take
        // those every minute.
        let pause = i64::try_from(self.written.1 / LARGE * 60).unwrap_or(i64::MAX);
        let waits = self.written.0.duration_until(now) < SignedDuration::from_secs(pause);
        if waits && !self.spans.values().any(is_due) {
            return Ok(());
        }
        self.close(is_due)?;
        self.written.0 = now;
        Ok(())
    }

    /// Turns every span into a line: at the end of a process, and before somebody looks.
    ///
    /// # Errors
    /// [`BranchError::File`].
    pub fn close_all(&mut self) -> Result<(), BranchError> {
        let room = waiting_bytes(&self.folder) < SPANS[SPANS.len() - 1].0;
        self.close(|_| room)
    }

    fn close(&mut self, due: impl Fn(&Span) -> bool) -> Result<(), BranchError> {
        let closing: Vec<Span> = self.spans.values().filter(|span| due(span)).cloned().collect();
        if closing.is_empty() && !self.dirty {
            return Ok(());
        }
        let mut text = String::new();
        let mut head = self.head;
        for span in &closing {
            let line = ReceiptLine {
                seq: head.0 + 1,
                prev: head.1.to_string(),
                branch: self.branch.clone(),
                screen: span.screen.clone(),
                sha256: span.sha256.clone(),
                from: span.from,
                until: span.until,
                count: span.count,
                seconds: span.seconds,
                clock: if span.behind { "behind" } else { "ok" }.to_owned(),
            };
            let line = serde_json::to_string(&line)
                .map_err(|error| at(&self.folder)(io::Error::other(error)))?;
            head = (head.0 + 1, Digest::of(line.as_bytes()));
            text += &line;
            text.push('\n');
        }
        if !text.is_empty() {
            self.append(&text)?;
            self.head = head;
            self.spans.retain(|_, span| !due(span));
        }
        let open = Open { next: self.head.0 + 1, spans: self.spans.values().cloned().collect() };
        let bytes =
            serde_json::to_vec(&open).map_err(|error| at(&self.folder)(io::Error::other(error)))?;
        disk::write(&self.folder.join("open.json"), &bytes)?;
        self.written.1 = bytes.len();
        self.dirty = false;
        forget(&self.folder);
        Ok(())
    }

    fn append(&self, text: &str) -> Result<(), BranchError> {
        let last = segments(&self.folder).pop().map(|(_, path)| path);
        let has_room = |path: &PathBuf| fs::metadata(path).is_ok_and(|file| file.len() < SEGMENT);
        let path = last
            .filter(has_room)
            .unwrap_or_else(|| self.folder.join(format!("{:012}.jsonl", self.head.0 + 1)));
        let before = fs::metadata(&path).map_or(0, |file| file.len());
        let write = || -> io::Result<()> {
            let mut file = fs::File::options().append(true).create(true).open(&path)?;
            let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
            if written.is_err() {
                // Half a line would be taken for a torn one; half of several lines would not.
                drop(file.set_len(before));
            }
            written?;
            disk::sync_folder(&self.folder)
        };
        write().map_err(at(&path))
    }
}

fn read_open(folder: &Path) -> Open {
    let bytes = fs::read(folder.join("open.json")).unwrap_or_default();
    serde_json::from_slice(&bytes).unwrap_or_default()
}

/// The files of the chain by the number of their first line.
fn segments(folder: &Path) -> Vec<(u64, PathBuf)> {
    let number = |name: &str| name.strip_suffix(".jsonl").and_then(|name| name.parse().ok());
    let files = disk::names(folder).into_iter();
    files.filter_map(|(name, path)| Some((number(&name)?, path))).collect()
}

fn cut_torn_line(path: &Path) -> io::Result<()> {
    let bytes = fs::read(path)?;
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    if whole < bytes.len() {
        let file = fs::File::options().write(true).open(path)?;
        file.set_len(whole as u64)?;
        file.sync_all()?;
    }
    Ok(())
}

/// The number up to which the head office has acknowledged.
fn acknowledged(folder: &Path) -> u64 {
    let text = fs::read_to_string(folder.join("acknowledged")).unwrap_or_default();
    text.trim().parse().unwrap_or(0)
}

fn waiting_bytes(folder: &Path) -> u64 {
    let length = |(_, path): (u64, PathBuf)| fs::metadata(path).map_or(0, |file| file.len());
    segments(folder).into_iter().map(length).sum()
}

/// Deletes the files whose lines were all acknowledged. The last one stays: the next line follows
/// on its end.
fn forget(folder: &Path) {
    let acknowledged = acknowledged(folder);
    let segments = segments(folder);
    for (file, next) in segments.iter().zip(segments.iter().skip(1)) {
        if next.0 <= acknowledged + 1 {
            drop(fs::remove_file(&file.1));
        }
    }
}

/// The oldest lines that the head office has not acknowledged, at most so many bytes of them.
#[must_use]
pub fn unacknowledged(state: &Path, most_bytes: usize) -> Vec<String> {
    let folder = state.join("receipts");
    let acknowledged = acknowledged(&folder);
    let (mut lines, mut bytes) = (Vec::new(), 0);
    for (_, path) in segments(&folder) {
        let text = fs::read_to_string(path).unwrap_or_default();
        // Only whole lines: another process may be writing.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        for line in whole.lines() {
            let seq = serde_json::from_str::<ReceiptLine>(line).map_or(0, |receipt| receipt.seq);
            if seq <= acknowledged {
                continue;
            }
            bytes += line.len();
            if bytes > most_bytes {
                return lines;
            }
            lines.push(line.to_owned());
        }
    }
    lines
}

/// Notes that the head office keeps lines up to this number. A smaller one than before is an old
/// answer.
///
/// # Errors
/// [`BranchError::File`].
pub fn acknowledge(state: &Path, seq: u64) -> Result<(), BranchError> {
    let folder = state.join("receipts");
    if seq > acknowledged(&folder) {
        disk::write(&folder.join("acknowledged"), seq.to_string().as_bytes())?;
    }
    Ok(())
}
