//! Who said yes, to which bytes.

use crate::model::{Digest, PersonId};
use jiff::Timestamp;

/// One step of review: somebody with this role must say yes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReviewStep {
    /// The step's name, such as 消保审查.
    pub name: String,
    /// The role its person must hold: `reviewer`, `co-reviewer`, `committee`.
    pub role: String,
    /// The department that person must belong to, for a co-review.
    pub department: Option<String>,
}

/// What somebody decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Decision {
    /// Yes, to these bytes.
    Approved,
    /// No, with a note.
    Rejected,
}

/// One decision on one manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// The manifest's hash.
    pub manifest: Digest,
    /// The name of the step.
    pub step: String,
    /// Who decided.
    pub actor: PersonId,
    /// What.
    pub decision: Decision,
    /// Why, or where to look.
    pub note: String,
    /// When.
    pub at: Timestamp,
    /// Until when an approval counts.
    pub expires_at: Timestamp,
}
