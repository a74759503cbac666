//! Applies fixes that do not change what a text says.

use crate::model::{Finding, SourceFile, Span};
use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

/// A file with its fixes applied.
#[derive(Debug, Clone, PartialEq)]
pub struct Fixed {
    /// The file as it was.
    pub file: Arc<SourceFile>,
    /// Its text with the fixes.
    pub text: String,
    /// How many places were changed.
    pub count: usize,
}

/// Applies every fix of every finding that counts, file by file. Where two would touch the same
/// bytes the first wins; the other comes with the next run.
#[must_use]
pub fn apply(findings: &[Finding]) -> Vec<Fixed> {
    let mut by_file: BTreeMap<PathBuf, (Arc<SourceFile>, Vec<&Finding>)> = BTreeMap::new();
    for finding in findings.iter().filter(|found| found.fix.is_some() && found.waiver.is_none()) {
        let file = &finding.diagnostic.file;
        let entry =
            by_file.entry(file.path.clone()).or_insert_with(|| (Arc::clone(file), Vec::new()));
        entry.1.push(finding);
    }
    by_file.into_values().map(|(file, findings)| one_file(file, &findings)).collect()
}

fn one_file(file: Arc<SourceFile>, findings: &[&Finding]) -> Fixed {
    let mut edits: BTreeMap<usize, (usize, &str)> = BTreeMap::new();
    let mut count = 0;
    for fix in findings.iter().filter_map(|finding| finding.fix.as_ref()) {
        // Edits do not overlap, so the last that begins before a span's end is the one to ask.
        let touches = |span: &Span| {
            edits.range(..span.end).next_back().is_some_and(|(_, (end, _))| span.start < *end)
        };
        if fix.edits.iter().any(|(span, _)| touches(span)) {
            continue;
        }
        edits.extend(fix.edits.iter().map(|(span, to)| (span.start, (span.end, to.as_str()))));
        count += fix.edits.len();
    }
    let mut text = String::with_capacity(file.text.len());
    let mut at = 0;
    for (start, (end, to)) in edits {
        text.push_str(&file.text[at..start]);
        text.push_str(to);
        at = end;
    }
    text.push_str(&file.text[at..]);
    Fixed { file, text, count }
}
