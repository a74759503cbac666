//! Poster packs as a repository of The Update Framework (TUF 1.0.34): written by the head office,
//! verified by every branch, over plain static HTTP, S3, a folder or a USB stick.
//!
//! ```text
//! metadata/N.root.json  timestamp.json  N.snapshot.json  N.targets.json  N.emergency.json
//! targets/<sha256>.<name>     posters, prints, zips: flat names, addressed by content
//! targets/<sha256>.pack-<branch>.json   what one branch shows: a TUF target
//! targets/<sha256>.catalogue.json       every release: what the next publication starts from
//! ```
//!
//! The signed metadata names one index per branch, not every poster: a branch reads the digests
//! and sizes of its own files from its index, whose own digest is signed. So 300 branches poll a
//! few hundred bytes, and a pull costs one line per branch and one index instead of every line
//! about every poster of every branch.
//!
//! Roles (TUF §4.1): `root` 2 of 3 offline keys, 365 days; `targets` 14 days; `snapshot` 7 days;
//! `timestamp` 24 hours; `emergency`, delegated, may name `emergency-*` only. Expiries are whole
//! seconds, because python-tuf reads no others.
//!
//! Invariants: what [`Reader::refresh`] returns was signed, is no older than what was seen before
//! and had not expired at the moment it was told; nothing here reads a clock.

mod catalogue;
mod error;
mod facts;
mod index;
mod keys;
mod publish;
mod read;
mod release;
mod root;
mod source;
mod standing;
mod text;
mod transport;
pub mod wire;

pub use catalogue::Catalogue;
pub use error::{Attack, PacksError};
pub use facts::{BranchEntry, FACTS_PATH, PackFacts, ScreenEntry};
pub use index::{INDEX_LIMIT, from_json, is_flat_name, to_json};
pub use keys::{KeySet, SigningKey, hex, verify_signature};
pub use publish::{Publication, publish, refresh};
pub use read::{Reader, TargetFile, TrustedView, Versions};
pub use release::{Release, ReleaseFile};
pub use root::{RootKeys, RootSummary, new_root, next_root, root_digest, sign_root, summary};
pub use source::{Body, FolderSource, Polled, Source, SourceError};
pub use standing::Standing;

/// The target that names a branch's index.
#[must_use]
pub fn index_name(branch: &crate::model::BranchId) -> String {
    format!("pack-{branch}.json")
}

/// The target of the emergency role that names a branch's takeovers.
#[must_use]
pub fn emergency_name(branch: &crate::model::BranchId) -> String {
    format!("emergency-{branch}.json")
}

/// The file of a target under consistent snapshots (TUF §6.2): `<sha256>.<name>`.
#[must_use]
pub fn target_file(sha256: &crate::model::Digest, name: &str) -> String {
    format!("{sha256}.{name}")
}
