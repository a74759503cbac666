//! The corpus of broken lessons: `tests/suite/cases/broken-lessons.txt`, which says how it is
//! written.

use super::{Content, briefs, case, good_general, render_all};
use caishi::model::Diagnostic;
use std::collections::BTreeMap;

#[derive(Default)]
struct Case {
    name: String,
    general: String,
    elder: String,
    expected: Vec<String>,
}

/// A replacement while its lines are read.
#[derive(Default)]
struct Replacement {
    old: Vec<String>,
    new: Vec<String>,
}

impl Replacement {
    fn apply(&mut self, text: &mut String, name: &str) {
        if self.old.is_empty() {
            return;
        }
        let old = self.old.join("\n").replace("NAME", name);
        assert!(text.contains(&old), "{name}: `{old}` is not in the lesson");
        if self.new.is_empty() {
            *text = text.replacen(&format!("{old}\n"), "", 1);
        } else {
            *text = text.replacen(&old, &self.new.join("\n"), 1);
        }
        *self = Self::default();
    }
}

fn unescape(line: &str) -> String {
    line.replace("\\t", "\t").replace("\\u{8}", "\u{8}").replace("\\u{FDD0}", "\u{FDD0}")
}

fn cases() -> Vec<Case> {
    let corpus = case("broken-lessons.txt");
    let mut cases: Vec<Case> = Vec::new();
    let mut replacement = Replacement::default();
    let mut in_elder = false;
    for line in corpus.lines().chain(["", "== end"]) {
        let (sign, rest) = line.split_at(line.len().min(1));
        let rest = rest.strip_prefix(' ').unwrap_or(rest);
        let ends = match sign {
            "-" => !replacement.new.is_empty(),
            "+" => false,
            _ => true,
        };
        if let (true, Some(case)) = (ends, cases.last_mut()) {
            let text = if in_elder { &mut case.elder } else { &mut case.general };
            replacement.apply(text, &case.name);
        }
        match sign {
            "-" => replacement.old.push(unescape(rest)),
            "+" => replacement.new.push(unescape(rest)),
            "@" => in_elder = rest == "lesson.elder.md",
            "=" if line.starts_with("== ") => {
                let name = line[3..].to_owned();
                cases.push(Case {
                    general: good_general(&name),
                    elder: case_elder(),
                    name,
                    expected: Vec::new(),
                });
                in_elder = false;
            }
            "=" => cases.last_mut().unwrap().expected.push(rest.to_owned()),
            _ => {}
        }
    }
    cases.pop();
    cases
}

fn case_elder() -> String {
    case("lesson.elder.md")
}

#[test]
fn every_fault_of_every_broken_lesson_is_reported() {
    let cases = cases();
    assert!(cases.len() >= 50);
    let content = Content::new();
    content.good_lesson("good");
    for case in &cases {
        content.lesson(&case.name, &case.general, &case.elder);
    }
    let reading = content.read();

    let ids: Vec<&str> = reading.library.lessons.iter().map(|lesson| lesson.id.as_str()).collect();
    assert_eq!(ids, ["good"], "a broken lesson came through, or a good one did not");

    let mut by_lesson: BTreeMap<String, Vec<Diagnostic>> = BTreeMap::new();
    for diagnostic in reading.diagnostics {
        let mut parts = diagnostic.file.path.iter().skip(1);
        let name = parts.next().unwrap().to_str().unwrap().to_owned();
        by_lesson.entry(name).or_default().push(diagnostic);
    }
    let mut differences = String::new();
    let mut shown = String::new();
    for case in cases {
        let found = by_lesson.remove(&case.name).unwrap_or_default();
        let prefix = format!("lessons/{}/", case.name);
        let got: Vec<String> =
            briefs(&found).iter().map(|brief| brief.replace(&prefix, "")).collect();
        if got != case.expected {
            differences +=
                &format!("== {}\n= {}\n{}\n", case.name, got.join("\n= "), render_all(&found));
        }
        shown += &render_all(&found);
        shown.push('\n');
    }
    assert!(differences.is_empty(), "found something else than expected:\n{differences}");
    assert!(by_lesson.is_empty(), "faults outside the corpus: {by_lesson:?}");
    insta::assert_snapshot!(shown);
}
