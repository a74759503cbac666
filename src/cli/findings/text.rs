//! Findings as good compilers show them.

use super::shown;
use crate::model::{Finding, Severity};
use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteDiagnostic, NamedSource, Report,
};
use std::{fmt::Write as _, io::IsTerminal, ops::Range, path::Path};

pub(super) fn render(findings: &[Finding], base: &Path) -> String {
    let theme = if std::io::stdout().is_terminal() {
        GraphicalTheme::unicode()
    } else {
        GraphicalTheme::unicode_nocolor()
    };
    let handler = GraphicalReportHandler::new_themed(theme).with_context_lines(1).with_width(100);
    let mut text = String::new();
    for finding in findings {
        one(finding, base, &handler, &mut text);
        text.push('\n');
    }
    text
}

fn one(finding: &Finding, base: &Path, handler: &GraphicalReportHandler, text: &mut String) {
    let diagnostic = &finding.diagnostic;
    let path = shown(&diagnostic.file.path, base);
    let mut help = String::new();
    let _ = write!(help, "{}\n依据：{}", diagnostic.help, finding.basis);
    for related in &finding.related {
        let line = related.span.filter(|_| !related.file.text.is_empty());
        let line = line.map_or(String::new(), |s| format!(":{}", related.file.position(s.start).0));
        let _ = write!(help, "\n参看：{}{line} {}", shown(&related.file.path, base), related.note);
    }
    if finding.fix.is_some() {
        help.push_str("\n可以自动改：caishi check --fix");
    }
    let mut reason = diagnostic.reason.clone();
    if let Some(waiver) = &finding.waiver {
        let _ = write!(reason, "（已豁免到 {}：{}）", waiver.until, waiver.reason);
    }
    let severity = match diagnostic.severity {
        _ if finding.waiver.is_some() => miette::Severity::Advice,
        Severity::Error => miette::Severity::Error,
        Severity::Warning => miette::Severity::Warning,
        Severity::Information => miette::Severity::Advice,
    };
    let mut shown = MietteDiagnostic::new(reason)
        .with_code(diagnostic.code)
        .with_severity(severity)
        .with_help(help);
    let source = &diagnostic.file.text;
    let span = diagnostic.span.filter(|span| !source.is_empty() && span.start <= source.len());
    let report = if let Some(span) = span {
        let end = span.end.min(source.len());
        // An entry of a registry has many lines; its first one is enough to find it.
        let first_line = source[span.start..end].find('\n').map_or(end, |at| span.start + at);
        let (text, span) = excerpt(source, span.start..first_line);
        shown = shown.with_label(LabeledSpan::at(span, "这里"));
        Report::new(shown).with_source_code(NamedSource::new(path, text))
    } else {
        shown.message = format!("{path}：{}", shown.message);
        Report::new(shown)
    };
    // Writing to a string cannot fail.
    let _ = handler.render_report(text, report.as_ref());
}

/// The longest line that is shown whole, in bytes. The library that draws the marks counts columns
/// up to 65,535 and panics beyond; and a line of a megabyte for each of its findings takes minutes.
const LONGEST_LINE: usize = 4_000;

/// How much of a longer line is shown on either side of the mark, in bytes.
const AROUND: usize = 240;

/// The text that is shown, and where the mark is in it: the whole file, or the same line number
/// with what stands around the mark, where the line is too long.
fn excerpt(source: &str, mark: Range<usize>) -> (String, Range<usize>) {
    let line_start = source[..mark.start].rfind('\n').map_or(0, |at| at + 1);
    let line_end = source[mark.start..].find('\n').map_or(source.len(), |at| mark.start + at);
    if line_end - line_start <= LONGEST_LINE {
        return (source.to_owned(), mark);
    }
    let from = source.floor_char_boundary(mark.start.saturating_sub(AROUND).max(line_start));
    let end = source.floor_char_boundary(mark.end.min(mark.start + LONGEST_LINE / 4));
    let to = source.floor_char_boundary((end + AROUND).min(line_end));
    let mut text = "\n".repeat(source[..line_start].matches('\n').count());
    text.push('…');
    let start = text.len() + (mark.start - from);
    text.push_str(&source[from..to]);
    text.push('…');
    (text, start..start + (end - mark.start))
}
