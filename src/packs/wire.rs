//! What branches and the head office say to each other besides the repository's files.
//!
//! ```text
//! POST /packs/enrol    EnrolRequest → EnrolAnswer      a one-time code, once per machine
//! GET  /packs/events?branch=b001                       server-sent events; `changed` carries no
//!                                                      content and needs no trust: poll now
//! POST /packs/report   Report       → ReportAnswer     status, receipts, confirmations
//! ```
//!
//! A report is signed: `Caishi-Branch` names the branch and `Caishi-Signature` is the base64 of
//! the Ed25519 signature of the body by the key that was enrolled. Receipts are lines of JSON,
//! each with the digest of the one before it: the head office sees a gap, and nobody can take a
//! line out or put one in afterwards.

use super::text;
use crate::model::{BranchId, Digest};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The header that names the branch.
pub const BRANCH_HEADER: &str = "caishi-branch";
/// The header with the signature of the body.
pub const SIGNATURE_HEADER: &str = "caishi-signature";
/// The largest report that is taken: a week of receipts of eight screens is about 400 kB.
pub const REPORT_LIMIT: usize = 2 << 20;

/// A machine asks to become a branch's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrolRequest {
    /// The one-time code: `<branch>-<secret>-<first 16 hex digits of the root's digest>`.
    pub code: String,
    /// The machine's public key, 64 hexadecimal digits.
    pub public_key: String,
    /// What the machine calls itself, for the head office's list.
    pub machine: String,
    /// The program's version.
    pub version: String,
}

/// It may.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrolAnswer {
    /// The branch.
    #[serde(with = "text")]
    pub branch: BranchId,
    /// Its name, for people.
    pub branch_name: String,
    /// The root of trust, base64 of `root.json`. Its digest must begin as the code says.
    pub root: String,
}

/// What a branch tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The branch.
    #[serde(with = "text")]
    pub branch: BranchId,
    /// How it stands.
    pub status: Status,
    /// Receipts that were not acknowledged yet, oldest first, each the exact line.
    #[serde(default)]
    pub receipts: Vec<String>,
    /// What people confirmed, oldest first; told until acknowledged.
    #[serde(default)]
    pub confirmations: Vec<Confirmed>,
}

/// How a branch stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// By the branch's clock.
    pub at: Timestamp,
    /// The program's version.
    pub version: String,
    /// The version of the timestamp that it trusts; 0 before the first.
    pub timestamp_version: u64,
    /// When its metadata runs out.
    pub expires: Option<Timestamp>,
    /// The releases that play, by key.
    pub playing: Vec<String>,
    /// The releases that are whole and wait for their moment.
    pub staged: Vec<String>,
    /// Files still to fetch, and their bytes.
    pub missing: (u32, u64),
    /// Free space of the disk, in bytes.
    pub free_bytes: u64,
    /// The screens: name and what stands on each, by digest; `None` for the idle card.
    pub screens: Vec<(String, Option<String>)>,
    /// Seconds that the machine's clock is behind the latest time it knew; 0 where it is right.
    pub clock_behind_s: u64,
    /// What is wrong, in Chinese; empty where all is well.
    pub alarms: Vec<String>,
}

/// A person says that something hangs, or hangs no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmed {
    /// The number within the branch, from 1.
    pub number: u64,
    /// The release.
    #[serde(with = "text")]
    pub key: Digest,
    /// The lesson; `None` for all of it.
    pub lesson: Option<String>,
    /// `posted` or `taken-down`.
    pub what: ConfirmedWhat,
    /// Who says so.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// What was confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConfirmedWhat {
    /// It hangs.
    Posted,
    /// It hangs no more.
    TakenDown,
}

/// What the head office has taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportAnswer {
    /// Receipts up to this number are kept and may be forgotten.
    pub receipts: u64,
    /// Confirmations up to this number are kept.
    pub confirmations: u64,
}

/// One line of the chain: a poster stood on a screen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptLine {
    /// From 1, without gaps.
    pub seq: u64,
    /// The digest of the line before this one; 64 zeros for the first.
    pub prev: String,
    /// The branch.
    pub branch: String,
    /// The screen.
    pub screen: String,
    /// The poster's digest; the name of the release would not outlive a recall.
    pub sha256: String,
    /// The first moment it stood there in this span.
    pub from: Timestamp,
    /// The last.
    pub until: Timestamp,
    /// How often it came round.
    pub count: u32,
    /// How long it stood in all, in seconds.
    pub seconds: u32,
    /// `ok`, or `behind` where the machine's clock was behind what it had known.
    pub clock: String,
}

/// What is wrong with a chain of receipts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// A line that is none.
    #[error("第 {0} 行回执读不懂")]
    Garbled(usize),
    /// A number is missing or comes twice.
    #[error("回执应从第 {expected} 号接着报，收到的是第 {found} 号")]
    Gap {
        /// The next number.
        expected: u64,
        /// What came.
        found: u64,
    },
    /// A line does not follow on the one before it.
    #[error("第 {0} 号回执和前一号接不上，可能被改过")]
    Broken(u64),
}

/// What stands before the first line.
#[must_use]
pub fn chain_start() -> Digest {
    Digest::from_bytes([0; 32])
}

/// Reads lines that follow on number `seq` with the digest `prev`; lines up to `seq` are skipped,
/// because a report may come twice.
///
/// # Errors
/// [`ChainError`] at the first line that does not fit; none of the lines counts then.
pub fn read_chain(
    lines: &[String],
    mut seq: u64,
    mut prev: Digest,
) -> Result<Vec<(ReceiptLine, Digest)>, ChainError> {
    let mut read = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let receipt: ReceiptLine =
            serde_json::from_str(line).map_err(|_| ChainError::Garbled(index + 1))?;
        if receipt.seq <= seq {
            continue;
        }
        if receipt.seq != seq + 1 {
            return Err(ChainError::Gap { expected: seq + 1, found: receipt.seq });
        }
        if receipt.prev != prev.to_string() {
            return Err(ChainError::Broken(receipt.seq));
        }
        seq = receipt.seq;
        prev = Digest::of(line.as_bytes());
        read.push((receipt, prev));
    }
    Ok(read)
}
