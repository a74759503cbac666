//! What a bank changes about the check's rules, without code.

use super::{Located, Severity, SourceFile, Span};
use std::sync::Arc;

/// The bank's rule files, `content/rules/*.toml`, in the order of their names.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RulePack {
    /// Names and versions of the files, such as `bank 2026-11`.
    pub versions: Vec<String>,
    /// What is changed; a later file overrides an earlier one.
    pub changes: Vec<RuleChange>,
}

/// What is changed about one rule.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleChange {
    /// The rule, such as `B204`.
    pub rule: Located<String>,
    /// Off or on.
    pub enabled: Option<bool>,
    /// Another severity.
    pub severity: Option<Severity>,
    /// Words that hit as well.
    pub add: Vec<Located<String>>,
    /// Phrases in which a word does not hit.
    pub except: Vec<Located<String>>,
    /// The file.
    pub file: Arc<SourceFile>,
    /// The table.
    pub span: Span,
}
