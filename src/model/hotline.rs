//! The registry of telephone numbers: lessons refer to it and never type a number.

use super::{HotlineId, SourceFile, Span};
use jiff::civil::Date;
use std::sync::Arc;

/// One number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hotline {
    /// Its name in lessons.
    pub id: HotlineId,
    /// What is dialled, as shown.
    pub number: String,
    /// Its full name.
    pub name: String,
    /// The label of 2–4 字 on posters.
    pub short: String,
    /// What is said beside it.
    pub note: String,
    /// What sort of number it is; decides the order.
    pub kind: HotlineKind,
    /// When somebody answers.
    pub hours: String,
    /// Where the number was found.
    pub source: String,
    /// The day somebody verified it.
    pub verified_on: Date,
    /// Who did.
    pub verified_by: String,
    /// The registry file.
    pub file: Arc<SourceFile>,
    /// The entry.
    pub span: Span,
}

/// The sorts of number, in the order in which public material shows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HotlineKind {
    /// The police.
    Emergency,
    /// Advice against fraud.
    Advice,
    /// The bank itself.
    Bank,
    /// Regulators.
    Regulator,
    /// The city.
    City,
}

/// A named list of numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HotlineSet {
    /// Its name.
    pub id: String,
    /// Its numbers, in the order shown.
    pub hotlines: Vec<HotlineId>,
}
