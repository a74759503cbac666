//! A text as its author wrote it: lines with numbers, what changed since it was last approved, and
//! what the check and people say of each line.

use crate::{
    console::marks::change::{self, Change},
    model::{Finding, Severity},
    store::Remark,
    work::people::{Called, person_of_actor},
};
use jiff::Timestamp;
use serde::Serialize;
use similar::{DiffTag, TextDiff};
use utoipa::ToSchema;

/// One part in so many of two texts must be the same for the rest to be told apart.
const ALIKE: usize = 4;

/// What became of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Fate {
    /// As it was.
    Same,
    /// New.
    Added,
    /// Gone.
    Removed,
}

/// A stretch of a line; `changed` where it differs within a line that is otherwise alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ReviewPart)]
pub struct Part {
    /// Whether it changed.
    pub changed: bool,
    /// The characters.
    pub text: String,
}

/// A line.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ReviewLine)]
pub struct Line {
    /// Its number in the submitted text, from one; 0 for lines that are gone.
    pub number: u32,
    /// What became of it.
    pub fate: Fate,
    /// Its text.
    pub parts: Vec<Part>,
    /// What the check says of it.
    pub findings: Vec<Found>,
    /// What people said of it.
    pub remarks: Vec<Said>,
    /// Whether somebody is about to write a remark on it.
    #[serde(skip)]
    pub writing: bool,
}

/// What the check found.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ReviewFinding)]
pub struct Found {
    /// Its number within the submission, from one: what marks in outputs carry.
    pub number: usize,
    /// The rule.
    pub code: &'static str,
    /// `error`, `warning`, `information`.
    pub severity: &'static str,
    /// The severity for people.
    pub label: String,
    /// What is wrong.
    pub reason: String,
    /// What to do.
    pub help: String,
    /// Law and article.
    pub basis: String,
    /// The file, under the content folder.
    pub path: String,
    /// The line.
    pub line: u32,
    /// Why it is let through and until when, where a waiver covers it.
    pub waiver: Option<String>,
    /// The output in which it shows, where it is not the source.
    pub output: Option<String>,
    /// The outputs in which its words were found, for people; with “（可能）” pictures and paper that
    /// take over such words.
    pub shown_in: Vec<String>,
}

/// What somebody said of a line.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Remark)]
pub struct Said {
    /// Its name.
    pub id: String,
    /// The file.
    pub path: String,
    /// The line; 0 for the whole file.
    pub line: u32,
    /// Who.
    pub by: String,
    /// When, RFC 3339.
    #[schema(value_type = String)]
    pub at: Timestamp,
    /// What.
    pub text: String,
    /// The number of the submission that it is on.
    pub review: String,
    /// What was said to it last.
    pub answer: Option<Reply>,
    /// Who said that it is dealt with.
    pub settled: Option<String>,
    /// Whether whoever asks may say so.
    pub may_settle: bool,
}

/// What somebody said to a remark.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = RemarkReply)]
pub struct Reply {
    /// Who.
    pub by: String,
    /// When, RFC 3339.
    #[schema(value_type = String)]
    pub at: Timestamp,
    /// What.
    pub text: String,
}

/// A file of a submission.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ReviewText)]
pub struct Text {
    /// The file, under the content folder.
    pub path: String,
    /// Its lines, with those that are gone where they stood.
    pub lines: Vec<Line>,
    /// How many lines are new or gone; `None` where there is nothing to compare with.
    pub changed: Option<usize>,
}

/// What the check found, for people and programs.
pub(super) fn found(finding: &Finding) -> Found {
    let diagnostic = &finding.diagnostic;
    let line = diagnostic.position().map_or(0, |(line, _)| line);
    Found {
        number: 0,
        code: diagnostic.code,
        severity: match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Information => "information",
        },
        label: diagnostic.severity.to_string(),
        reason: diagnostic.reason.clone(),
        help: diagnostic.help.clone(),
        basis: finding.basis.clone(),
        path: diagnostic.file.path.to_string_lossy().into_owned(),
        line: u32::try_from(line).unwrap_or(u32::MAX),
        waiver: finding
            .waiver
            .as_ref()
            .map(|waiver| format!("{}（到 {}）", waiver.reason, waiver.until)),
        output: finding.output.clone(),
        shown_in: Vec::new(),
    }
}

/// What somebody said, with the names of everybody concerned.
pub(super) fn said(remark: &Remark, called: &Called, may_settle: bool) -> Said {
    let name =
        |actor: &str| person_of_actor(actor).map_or_else(|| actor.to_owned(), |id| called.one(&id));
    Said {
        review: remark.review.clone(),
        may_settle,
        id: remark.id.clone(),
        path: remark.path.clone(),
        line: remark.line,
        by: called.one(&remark.author),
        at: remark.at,
        text: remark.text.clone(),
        answer: remark.answer.as_ref().map(|answer| Reply {
            by: name(&answer.by),
            at: answer.at,
            text: answer.text.clone(),
        }),
        settled: remark.settled.as_ref().map(|(by, _)| name(by)),
    }
}

/// The lines of a text, against the text that was approved before, where there is one.
pub(in crate::console) fn lines(
    path: &str,
    old: Option<&str>,
    new: &str,
    findings: &[Found],
    remarks: &[Said],
) -> Text {
    let mut lines = match old {
        Some(old) if old != new => compared(old, new),
        _ => new.lines().map(|line| plain(line, Fate::Same)).collect(),
    };
    let mut number = 0;
    for line in lines.iter_mut().filter(|line| line.fate != Fate::Removed) {
        number += 1;
        line.number = number;
        let here = |own: &String, at: u32| own == path && at == number;
        line.findings = findings.iter().filter(|one| here(&one.path, one.line)).cloned().collect();
        line.remarks = remarks.iter().filter(|one| here(&one.path, one.line)).cloned().collect();
    }
    let changed = old.map(|_| lines.iter().filter(|line| line.fate != Fate::Same).count());
    Text { path: path.to_owned(), lines, changed }
}

fn plain(text: &str, fate: Fate) -> Line {
    let parts = vec![Part { changed: false, text: text.to_owned() }];
    Line { number: 0, fate, parts, findings: Vec::new(), remarks: Vec::new(), writing: false }
}

fn compared(old: &str, new: &str) -> Vec<Line> {
    let diff = TextDiff::from_lines(old, new);
    let (before, after) = (diff.old_slices(), diff.new_slices());
    let mut lines = Vec::new();
    for operation in diff.ops() {
        let (gone, come) = (&before[operation.old_range()], &after[operation.new_range()]);
        let whole =
            |fate: Fate| move |line: &&str| plain(line.trim_end_matches(['\n', '\r']), fate);
        match operation.tag() {
            DiffTag::Equal => lines.extend(come.iter().map(whole(Fate::Same))),
            DiffTag::Delete => lines.extend(gone.iter().map(whole(Fate::Removed))),
            DiffTag::Insert => lines.extend(come.iter().map(whole(Fate::Added))),
            DiffTag::Replace => lines.extend(inside(&gone.concat(), &come.concat())),
        }
    }
    lines
}

/// Lines that took the place of others, with what differs within them: as in finished outputs,
/// Chinese character by character. Where they have hardly a word in common nothing is told apart.
fn inside(old: &str, new: &str) -> Vec<Line> {
    let changes = change::compare(old, new);
    let (mut gone, mut come) = (Lines::new(Fate::Removed), Lines::new(Fate::Added));
    let mut kept = 0;
    for change in &changes {
        match change {
            Change::Same(range) => {
                let text = &new[range.clone()];
                kept += text.trim().len();
                gone.push(false, text);
                come.push(false, text);
            }
            Change::Added(range) => come.push(true, &new[range.clone()]),
            Change::Removed(text, _) => gone.push(true, text),
        }
    }
    let is_alike = kept * ALIKE >= old.len().max(new.len());
    gone.finished(is_alike).chain(come.finished(is_alike)).collect()
}

/// Lines in the making.
struct Lines {
    fate: Fate,
    made: Vec<Line>,
    is_open: bool,
}

impl Lines {
    fn new(fate: Fate) -> Self {
        Self { fate, made: Vec::new(), is_open: false }
    }

    fn push(&mut self, changed: bool, text: &str) {
        for piece in text.split_inclusive('\n') {
            if !self.is_open {
                let mut line = plain("", self.fate);
                line.parts.clear();
                self.made.push(line);
            }
            self.is_open = !piece.ends_with('\n');
            let words = piece.trim_end_matches(['\n', '\r']);
            if let Some(line) = self.made.last_mut().filter(|_| !words.is_empty()) {
                line.parts.push(Part { changed, text: words.to_owned() });
            }
        }
    }

    fn finished(self, is_alike: bool) -> impl Iterator<Item = Line> {
        self.made.into_iter().map(move |mut line| {
            if !is_alike {
                let text = line.parts.iter().map(|part| part.text.as_str()).collect();
                line.parts = vec![Part { changed: false, text }];
            }
            line
        })
    }
}
