//! What the check found: a diagnostic with its basis, related places and perhaps a fix.

use super::{Diagnostic, Severity, SourceFile, Span};
use jiff::civil::Date;
use std::sync::Arc;

/// One finding of the check. The diagnostic's `code` is the rule, such as `B201`.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Rule, severity, place, reason and help.
    pub diagnostic: Diagnostic,
    /// Law and article, platform page, or “实务”.
    pub basis: String,
    /// The output in which it shows, where it is not the source itself: `网页摘要`, `横幅`.
    pub output: Option<String>,
    /// The words of a finished output that it is about, where it is about one's words.
    pub words: Option<Words>,
    /// Other places that explain it.
    pub related: Vec<Related>,
    /// A change that is safe to make by machine.
    pub fix: Option<Fix>,
    /// Why it is let through, where a waiver covers it.
    pub waiver: Option<Waiver>,
}

impl Finding {
    /// Whether it counts: a waived finding is shown, and does not.
    #[must_use]
    pub fn counts_as(&self, severity: Severity) -> bool {
        self.waiver.is_none() && self.diagnostic.severity == severity
    }
}

/// Words as a reader meets them, and what stands around them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Words {
    /// What stands before them, in the same paragraph.
    pub before: String,
    /// The words.
    pub words: String,
    /// What stands behind them.
    pub after: String,
}

/// Another place that explains a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Related {
    /// The file.
    pub file: Arc<SourceFile>,
    /// Where in it.
    pub span: Option<Span>,
    /// What is there, in Chinese.
    pub note: String,
}

/// Replacements that do not change what the text says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// What it does, in Chinese.
    pub what: String,
    /// Bytes of the finding's file and what takes their place; no two overlap.
    pub edits: Vec<(Span, String)>,
}

/// `<!-- lint-allow B204 reason="法规原文用语" until=2027-03-31 -->`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiver {
    /// Why.
    pub reason: String,
    /// The last day on which it counts.
    pub until: Date,
}
