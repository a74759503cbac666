//! Shows diagnostics the way good compilers do: the source line with the marked span.

use crate::model::{Diagnostic, Severity};
use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteDiagnostic, NamedSource, Report,
};
use std::io::IsTerminal;

/// The diagnostics as text for a person, in colour where standard error is a terminal.
pub fn render(diagnostics: &[Diagnostic]) -> String {
    let theme = if std::io::stderr().is_terminal() {
        GraphicalTheme::unicode()
    } else {
        GraphicalTheme::unicode_nocolor()
    };
    let handler = GraphicalReportHandler::new_themed(theme).with_context_lines(1).with_width(100);
    let mut text = String::new();
    for diagnostic in diagnostics {
        let mut shown = MietteDiagnostic::new(diagnostic.reason.clone())
            .with_code(diagnostic.code)
            .with_severity(match diagnostic.severity {
                Severity::Error => miette::Severity::Error,
                Severity::Warning => miette::Severity::Warning,
                Severity::Information => miette::Severity::Advice,
            })
            .with_help(diagnostic.help.clone());
        let path = diagnostic.file.path.display().to_string();
        let has_text = !diagnostic.file.text.is_empty();
        if let Some(span) = diagnostic.span.filter(|_| has_text) {
            let length = span.end.min(diagnostic.file.text.len()).saturating_sub(span.start);
            shown = shown.with_label(LabeledSpan::at(span.start..span.start + length, "这里"));
        } else {
            shown.message = format!("{path}：{}", shown.message);
        }
        let report = Report::new(shown);
        let report = if has_text {
            report.with_source_code(NamedSource::new(path, diagnostic.file.text.to_string()))
        } else {
            report
        };
        // Writing to a string cannot fail.
        let _ = handler.render_report(&mut text, report.as_ref());
        text.push('\n');
    }
    text
}
