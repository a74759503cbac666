//! A slot that somebody moved.

use jiff::Timestamp;

/// A slot of a schedule that is due at another moment than the rule says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotMove {
    /// The rule's own moment, before the calendar shifted it: what the slot is known by, whatever
    /// becomes of it. Its lessons are those of this moment.
    pub slot: Timestamp,
    /// When it is due instead.
    pub due: Timestamp,
    /// Who moved it last.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
    /// Whether it was decided: it fired, or was held or skipped. Then it counts no more.
    pub decided: bool,
}
