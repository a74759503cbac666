//! Collects what is wrong with one file.

use crate::model::{Diagnostic, Severity, SourceFile, Span};
use std::sync::Arc;

/// The faults of one file. Reading never stops at the first one.
#[derive(Debug)]
pub(super) struct Faults {
    file: Arc<SourceFile>,
    list: Vec<Diagnostic>,
}

impl Faults {
    /// No faults yet.
    pub(super) fn new(file: &Arc<SourceFile>) -> Self {
        Self {
            file: Arc::clone(file),
            list: Vec::new(),
        }
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
        self.list.push(Diagnostic {
            code,
            severity: Severity::Error,
            file: Arc::clone(&self.file),
            span: Some(span),
            reason,
            help,
        });
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.list.len()
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
