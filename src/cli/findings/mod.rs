//! Findings in the forms people and machines read: a terminal, JSON, SARIF, GitHub.

mod github;
mod json;
mod sarif;
mod text;

use crate::model::{Finding, Severity};
use clap::ValueEnum;

/// In which form findings are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people: source line, marked words, reason, basis, help.
    Text,
    /// One array of objects.
    Json,
    /// SARIF 2.1.0 (OASIS), for code hosts and editors.
    Sarif,
    /// GitHub workflow commands.
    Github,
}

/// The findings in a form. `base` is the content folder, which paths are shown under.
#[must_use]
pub fn render(findings: &[Finding], format: Format, base: &std::path::Path) -> String {
    match format {
        Format::Text => text::render(findings, base),
        Format::Json => json::render(findings, base),
        Format::Sarif => sarif::render(findings, base),
        Format::Github => github::render(findings, base),
    }
}

/// The path of a file as the person who runs the command would write it.
fn shown(path: &std::path::Path, base: &std::path::Path) -> String {
    let path = if path.is_absolute() || path.starts_with(base) {
        path.to_owned()
    } else {
        base.join(path)
    };
    path.to_string_lossy().replace('\\', "/")
}

/// The name machines use for a severity.
fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Information => "note",
    }
}

/// First and last position, lines and columns from 1, columns in characters.
fn region(finding: &Finding) -> Option<((usize, usize), (usize, usize))> {
    let diagnostic = &finding.diagnostic;
    let span = diagnostic.span?;
    if diagnostic.file.text.is_empty() {
        return None;
    }
    Some((diagnostic.file.position(span.start), diagnostic.file.position(span.end)))
}

/// Reason, basis and help in one line.
fn message(finding: &Finding) -> String {
    let diagnostic = &finding.diagnostic;
    format!("{}。依据：{}。{}", diagnostic.reason, finding.basis, diagnostic.help)
}
