//! One array, one object a finding.

use super::{level, region, shown};
use crate::model::Finding;
use serde::Serialize;
use std::path::Path;

#[derive(Serialize)]
struct Line<'a> {
    rule: &'a str,
    severity: &'a str,
    path: String,
    start: Option<Position>,
    end: Option<Position>,
    output: Option<&'a str>,
    reason: &'a str,
    basis: &'a str,
    help: &'a str,
    related: Vec<RelatedLine<'a>>,
    fix: Option<FixLine<'a>>,
    waiver: Option<WaiverLine<'a>>,
}

#[derive(Serialize)]
struct Position {
    line: usize,
    column: usize,
}

#[derive(Serialize)]
struct RelatedLine<'a> {
    path: String,
    line: Option<usize>,
    note: &'a str,
}

#[derive(Serialize)]
struct FixLine<'a> {
    what: &'a str,
    edits: Vec<(usize, usize, &'a str)>,
}

#[derive(Serialize)]
struct WaiverLine<'a> {
    reason: &'a str,
    until: String,
}

pub(super) fn render(findings: &[Finding], base: &Path) -> String {
    let lines: Vec<Line<'_>> = findings.iter().map(|finding| line(finding, base)).collect();
    // Strings and numbers always serialise.
    serde_json::to_string_pretty(&lines).unwrap_or_default() + "\n"
}

fn line<'a>(finding: &'a Finding, base: &Path) -> Line<'a> {
    let diagnostic = &finding.diagnostic;
    let position = |(line, column)| Position { line, column };
    let region = region(finding);
    Line {
        rule: diagnostic.code,
        severity: level(diagnostic.severity),
        path: shown(&diagnostic.file.path, base),
        start: region.map(|(start, _)| position(start)),
        end: region.map(|(_, end)| position(end)),
        output: finding.output.as_deref(),
        reason: &diagnostic.reason,
        basis: &finding.basis,
        help: &diagnostic.help,
        related: finding
            .related
            .iter()
            .map(|related| RelatedLine {
                path: shown(&related.file.path, base),
                line: related.span.map(|span| related.file.position(span.start).0),
                note: &related.note,
            })
            .collect(),
        fix: finding.fix.as_ref().map(|fix| FixLine {
            what: &fix.what,
            edits: fix.edits.iter().map(|(s, to)| (s.start, s.end, to.as_str())).collect(),
        }),
        waiver: finding
            .waiver
            .as_ref()
            .map(|waiver| WaiverLine { reason: &waiver.reason, until: waiver.until.to_string() }),
    }
}
