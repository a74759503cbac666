//! Collects what is wrong with one file.

use crate::model::{Diagnostic, Severity, SourceFile, Span};
use std::sync::Arc;

/// Nobody reads more faults of one file than this, and a hostile file could have a million.
const MAX_LISTED: usize = 200;

/// The faults of one file. Reading never stops at the first one.
#[derive(Debug)]
pub(super) struct Faults {
    file: Arc<SourceFile>,
    list: Vec<Diagnostic>,
    count: usize,
}

impl Faults {
    /// No faults yet.
    pub(super) fn new(file: &Arc<SourceFile>) -> Self {
        Self { file: Arc::clone(file), list: Vec::new(), count: 0 }
    }

    /// The file's text.
    pub(super) fn text(&self) -> &str {
        &self.file.text
    }

    /// The file.
    pub(super) fn file(&self) -> &Arc<SourceFile> {
        &self.file
    }

    /// Adds an error at a place.
    pub(super) fn error(&mut self, code: &'static str, span: Span, reason: String, help: String) {
        self.count += 1;
        let (code, reason, help) = match self.count {
            0..=MAX_LISTED => (code, reason, help),
            count if count == MAX_LISTED + 1 => (
                "read/too-many",
                format!("错误超过 {MAX_LISTED} 处，后面的不再列出"),
                "先改正前面的；多半是同一个原因。".into(),
            ),
            _ => return,
        };
        self.list.push(Diagnostic {
            code,
            severity: Severity::Error,
            file: Arc::clone(&self.file),
            span: Some(span),
            reason,
            help,
        });
    }

    /// How many there are, listed or not.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Hands them over, in the order of the text.
    pub(super) fn into_list(mut self) -> Vec<Diagnostic> {
        self.list.sort_by_key(|fault| fault.span);
        self.list
    }
}
