//! Source texts line by line, with what is found beside each line.

use super::snapshot::{Snapshot, folder_of};
use crate::model::{Finding, LessonId, Severity, SourceFile, Span};
use std::{collections::BTreeMap, path::Path};

/// A file of a lesson's folder.
#[derive(Debug)]
pub struct File {
    /// Its path under the content folder.
    pub path: String,
    /// Its name, for anchors.
    pub name: String,
    /// Its lines.
    pub lines: Vec<Line>,
    /// What is found in it at no line of it: it is missing, or cannot be read.
    pub whole: Vec<Note>,
    /// Faults and warnings.
    pub faults: usize,
}

/// A line.
#[derive(Debug)]
pub struct Line {
    /// Counted from one.
    pub number: usize,
    /// Its text, taken apart where something is marked.
    pub parts: Vec<Part>,
    /// What is found here.
    pub notes: Vec<Note>,
}

/// A stretch of a line.
#[derive(Debug, PartialEq, Eq)]
pub struct Part {
    /// The characters.
    pub text: String,
    /// How grave what was found here is.
    pub mark: Option<&'static str>,
}

/// Something that was found.
#[derive(Debug, Clone)]
pub struct Note {
    /// `error`, `warning`, `information` or `waived`.
    pub class: &'static str,
    /// The same, in Chinese.
    pub label: String,
    /// The rule.
    pub code: String,
    /// Where: line and column, counted from one.
    pub place: Option<(usize, usize)>,
    /// What is wrong.
    pub reason: String,
    /// What to do.
    pub help: String,
    /// Law and article, platform page, or “实务”.
    pub basis: String,
    /// In which output it shows, where not in the source itself.
    pub output: Option<String>,
    /// Other places that explain it.
    pub related: Vec<String>,
    /// What the program would put instead.
    pub fix: Option<String>,
    /// Why it is let through.
    pub waiver: Option<String>,
}

/// The files of a lesson with what is found in them; files that are found missing are among them.
#[must_use]
pub fn files(snapshot: &Snapshot, lesson: &LessonId) -> Vec<File> {
    let findings = snapshot.findings_of(lesson);
    let mut by_path: BTreeMap<&Path, Vec<&Finding>> = BTreeMap::new();
    for finding in &findings {
        by_path.entry(&finding.diagnostic.file.path).or_default().push(finding);
    }
    let texts = snapshot.texts(lesson);
    let mut files: Vec<File> = texts
        .into_iter()
        .map(|file| self::file(file, by_path.remove(file.path.as_path()).unwrap_or_default()))
        .collect();
    let rest = by_path.into_values().filter_map(|found| {
        let file = &found.first()?.diagnostic.file;
        Some(self::file(file, found.clone()))
    });
    files.extend(rest);
    let folder = folder_of(lesson);
    for file in &mut files {
        file.name = Path::new(&file.path)
            .strip_prefix(&folder)
            .map_or_else(|_| file.path.clone(), |name| name.to_string_lossy().into_owned());
    }
    files
}

fn file(source: &SourceFile, findings: Vec<&Finding>) -> File {
    let path = source.path.to_string_lossy().replace('\\', "/");
    let counts = |finding: &&&Finding| {
        finding.counts_as(Severity::Error) || finding.counts_as(Severity::Warning)
    };
    let faults = findings.iter().filter(counts).count();
    let mut whole = Vec::new();
    let mut at: BTreeMap<usize, Vec<&Finding>> = BTreeMap::new();
    for finding in findings {
        match finding.diagnostic.position() {
            Some((line, _)) if !source.text.is_empty() => at.entry(line).or_default().push(finding),
            _ => whole.push(note(finding)),
        }
    }
    let mut lines = Vec::new();
    let mut start = 0;
    for (index, text) in source.text.split_inclusive('\n').enumerate() {
        let number = index + 1;
        let found = at.remove(&number).unwrap_or_default();
        lines.push(Line {
            number,
            parts: parts(text.trim_end_matches(['\n', '\r']), start, &found),
            notes: found.into_iter().map(note).collect(),
        });
        start += text.len();
    }
    // The text changed since it was read: the next save puts it right.
    whole.extend(at.into_values().flatten().map(note));
    File { path, name: String::new(), lines, whole, faults }
}

/// Takes a line apart where findings mark it. Where two overlap, the first one's mark counts.
fn parts(line: &str, start: usize, findings: &[&Finding]) -> Vec<Part> {
    let mut spans: Vec<(Span, &'static str)> = findings
        .iter()
        .filter_map(|finding| Some((finding.diagnostic.span?, class(finding))))
        .collect();
    spans.sort_by_key(|(span, _)| *span);
    let whole = |offset: usize| {
        let mut offset = offset.saturating_sub(start).min(line.len());
        while !line.is_char_boundary(offset) {
            offset -= 1;
        }
        offset
    };
    let mut parts = Vec::new();
    let mut done = 0;
    let mut push = |text: &str, mark| {
        if !text.is_empty() {
            parts.push(Part { text: text.to_owned(), mark });
        }
    };
    for (span, mark) in spans {
        let (from, to) = (whole(span.start).max(done), whole(span.end));
        if to <= from {
            continue;
        }
        push(&line[done..from], None);
        push(&line[from..to], Some(mark));
        done = to;
    }
    push(&line[done..], None);
    parts
}

fn class(finding: &Finding) -> &'static str {
    match finding.diagnostic.severity {
        _ if finding.waiver.is_some() => "waived",
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Information => "information",
    }
}

/// A finding as it is shown.
#[must_use]
pub fn note(finding: &Finding) -> Note {
    let diagnostic = &finding.diagnostic;
    let related = finding.related.iter().map(|related| {
        let path = related.file.path.display();
        match related.span {
            Some(span) => {
                let (line, column) = related.file.position(span.start);
                format!("{path} 第 {line} 行第 {column} 列：{}", related.note)
            }
            None => format!("{path}：{}", related.note),
        }
    });
    let waived = finding.waiver.as_ref();
    Note {
        class: class(finding),
        label: match waived {
            Some(_) => "已豁免".to_owned(),
            None => diagnostic.severity.to_string(),
        },
        code: diagnostic.code.to_owned(),
        place: diagnostic.position(),
        reason: diagnostic.reason.clone(),
        help: diagnostic.help.clone(),
        basis: finding.basis.clone(),
        output: finding.output.clone(),
        related: related.collect(),
        fix: finding.fix.as_ref().map(|fix| fix.what.clone()),
        waiver: waived.map(|waiver| format!("{}（到 {}）", waiver.reason, waiver.until)),
    }
}
