//! What is wrong with a source, told so that its author can mend it.

use super::Span;
use std::{fmt, path::PathBuf, sync::Arc};

/// A text that was read, kept so that a diagnostic can show the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// The path as the author would type it, relative to the content folder.
    pub path: PathBuf,
    /// The whole text.
    pub text: Arc<str>,
}

impl SourceFile {
    /// Line and column of a byte offset, both counted from one; columns count characters.
    #[must_use]
    pub fn position(&self, offset: usize) -> (usize, usize) {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let before = &self.text[..offset];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }
}

/// How grave a finding is (`domain`: error blocks, warning needs a reader, information is style).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The source cannot be used, or a rule is breached whatever the context.
    Error,
    /// A person should look.
    Warning,
    /// A matter of style.
    Information,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "错误",
            Self::Warning => "警告",
            Self::Information => "提示",
        })
    }
}

/// One finding: where, what, why and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// A stable code, such as `read/unknown-key`.
    pub code: &'static str,
    /// How grave it is.
    pub severity: Severity,
    /// The file. Its text is empty where the file could not be read as text.
    pub file: Arc<SourceFile>,
    /// The marked bytes, where a place is known.
    pub span: Option<Span>,
    /// What is wrong, in one Chinese sentence that names the field.
    pub reason: String,
    /// What to do about it.
    pub help: String,
}

impl Diagnostic {
    /// Line and column, counted from one, where a place is known.
    #[must_use]
    pub fn position(&self) -> Option<(usize, usize)> {
        self.span.map(|span| self.file.position(span.start))
    }
}
