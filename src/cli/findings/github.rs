//! GitHub's workflow commands: `::error file=…,line=…::message`.

use super::{message, region, shown};
use crate::model::{Finding, Severity};
use std::{fmt::Write as _, path::Path};

pub(super) fn render(findings: &[Finding], base: &Path) -> String {
    let mut text = String::new();
    for finding in findings.iter().filter(|finding| finding.waiver.is_none()) {
        let command = match finding.diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Information => "notice",
        };
        let mut properties =
            format!("file={}", property(&shown(&finding.diagnostic.file.path, base)));
        if let Some(((line, column), (end_line, end_column))) = region(finding) {
            let _ = write!(properties, ",line={line},col={column},endLine={end_line}");
            // GitHub refuses columns that span lines.
            if end_line == line {
                let _ = write!(properties, ",endColumn={end_column}");
            }
        }
        let title =
            property(&format!("{} {}", finding.diagnostic.code, finding.diagnostic.severity));
        let _ =
            writeln!(text, "::{command} {properties},title={title}::{}", data(&message(finding)));
    }
    text
}

/// Escapes a message (actions/toolkit, `escapeData`).
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes a property (actions/toolkit, `escapeProperty`).
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
