//! Shortens a report: of one rule, a line and a file list their first findings only.

use crate::model::{Diagnostic, Finding, Fix, SourceFile};
use std::{collections::HashMap, sync::Arc};

/// Findings of one rule in one line that are listed: whoever has twenty rewrites the paragraph, and
/// a report of thousands hides everything else.
pub(super) const MOST_IN_LINE: usize = 20;

/// And in one file: as many as reading lists of its own faults.
pub(super) const MOST_IN_FILE: usize = 200;

/// How many findings of one rule are listed.
#[derive(Default)]
struct Count {
    in_line: usize,
    in_file: usize,
    /// Where the last of them is in the list.
    last: usize,
}

/// Of findings sorted by file and place, leaves out what is beyond [`MOST_IN_LINE`] and
/// [`MOST_IN_FILE`]. What could be mended by itself still is: its edits go to the last finding that
/// is listed. Findings with a waiver are counted apart.
pub(super) fn fold(findings: Vec<Finding>) -> Vec<Finding> {
    let mut listed: Vec<Finding> = Vec::with_capacity(findings.len());
    let mut counts: HashMap<(&'static str, bool), Count> = HashMap::new();
    let mut previous: Option<(Arc<SourceFile>, usize)> = None;
    for finding in findings {
        let Diagnostic { code, file, span: Some(span), .. } = &finding.diagnostic else {
            listed.push(finding);
            continue;
        };
        match &previous {
            Some((before, from)) if Arc::ptr_eq(before, file) => {
                let between = file.text.get(*from..span.start);
                if between.is_none_or(|between| between.contains('\n')) {
                    counts.values_mut().for_each(|count| count.in_line = 0);
                }
            }
            _ => counts.clear(),
        }
        previous = Some((Arc::clone(file), span.start));
        let count = counts.entry((*code, finding.waiver.is_some())).or_default();
        if count.in_line == MOST_IN_LINE || count.in_file == MOST_IN_FILE {
            merge(&mut listed[count.last], finding.fix);
            continue;
        }
        *count =
            Count { in_line: count.in_line + 1, in_file: count.in_file + 1, last: listed.len() };
        listed.push(finding);
    }
    listed
}

/// Says that there is more, and takes over how it is mended.
fn merge(last: &mut Finding, fix: Option<Fix>) {
    let note =
        format!("（后面还有：同一条规则一行最多列 {MOST_IN_LINE} 处，一个文件 {MOST_IN_FILE} 处）");
    if !last.diagnostic.reason.ends_with(&note) {
        last.diagnostic.reason.push_str(&note);
    }
    let Some(fix) = fix else { return };
    match &mut last.fix {
        // Sorted by place: only the last edit could reach into these.
        Some(own) => {
            let reached = own.edits.iter().rev().take(2).map(|(span, _)| span.end).max();
            if fix.edits.iter().all(|(span, _)| reached.is_none_or(|end| end <= span.start)) {
                own.edits.extend(fix.edits);
            }
        }
        none => *none = Some(fix),
    }
}
