//! Every rule on its corpus, `tests/rules/<rule>.toml`: texts that must hit and near-misses that
//! must not. `cargo test --release -- rules_on_their_corpus --nocapture` prints the table.

use super::town::{self, Case};
use caishi::{
    check::Catalogue,
    model::{Finding, Severity},
};
use jiff::civil::{Date, date};
use rayon::prelude::*;
use serde::Deserialize;
use std::{fmt::Write as _, fs, path::Path};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    rule: String,
    #[serde(rename = "case")]
    cases: Vec<Case>,
}

fn corpus() -> Vec<File> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rules");
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    let file = |path: &std::path::PathBuf| {
        toml::from_str(&fs::read_to_string(path).unwrap())
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    names.iter().map(file).collect()
}

fn today(case: &Case) -> Date {
    case.today.as_ref().map_or(date(2026, 11, 27), |day| day.parse().unwrap())
}

fn findings(case: &Case) -> Vec<Finding> {
    town::findings(case, today(case))
}

/// What a rule did on its corpus.
#[derive(Debug, Default)]
struct Score {
    hits: usize,
    found: usize,
    passes: usize,
    false_alarms: usize,
}

impl Score {
    fn precision(&self) -> f64 {
        let reported = self.found + self.false_alarms;
        if reported == 0 { 1.0 } else { self.found as f64 / reported as f64 }
    }

    fn recall(&self) -> f64 {
        if self.hits == 0 { 1.0 } else { self.found as f64 / self.hits as f64 }
    }
}

#[test]
fn rules_on_their_corpus() {
    let corpus = corpus();
    let texts: usize = corpus.iter().map(|file| file.cases.len()).sum();
    assert!(texts >= 250, "{texts}");
    let results: Vec<(String, Score, Vec<String>)> = corpus
        .par_iter()
        .map(|file| {
            let mut score = Score::default();
            let mut wrong = Vec::new();
            for case in &file.cases {
                let found = findings(case);
                let reported = found.iter().any(|f| f.diagnostic.code == file.rule);
                let expected = case.expect == "hit";
                score.hits += usize::from(expected);
                score.passes += usize::from(!expected);
                score.found += usize::from(expected && reported);
                score.false_alarms += usize::from(!expected && reported);
                if expected != reported {
                    let shown = [&case.text, &case.body, &case.page];
                    let shown = shown.into_iter().flatten().next().map_or("", String::as_str);
                    let codes: Vec<&str> = found.iter().map(|f| f.diagnostic.code).collect();
                    wrong.push(format!(
                        "{} {} [{}] {shown:?} ({}) front={:?} → {codes:?}",
                        file.rule,
                        if expected { "MISSED" } else { "FALSE ALARM" },
                        case.place.as_deref().unwrap_or("body"),
                        case.why,
                        case.front,
                    ));
                }
            }
            (file.rule.clone(), score, wrong)
        })
        .collect();
    let mut table = String::from("规则   应报 报出  放过 误报  精确率  召回率\n");
    let mut mistakes = Vec::new();
    let mut false_alarms_of_errors = Vec::new();
    let catalogue = Catalogue::built_in().unwrap();
    for (rule, score, wrong) in &results {
        let _ = writeln!(
            table,
            "{rule}  {:>4} {:>4}  {:>4} {:>4}   {:>5.1}%  {:>5.1}%",
            score.hits,
            score.found,
            score.passes,
            score.false_alarms,
            100.0 * score.precision(),
            100.0 * score.recall(),
        );
        mistakes.extend(wrong.iter().cloned());
        let severity = catalogue.rule(rule).unwrap().severity;
        if severity == Severity::Error && score.false_alarms > 0 {
            false_alarms_of_errors.push(rule.clone());
        }
    }
    println!("{table}{texts} 条\n{}", mistakes.join("\n"));
    assert!(false_alarms_of_errors.is_empty(), "{false_alarms_of_errors:?}");
    for (rule, score, _) in &results {
        assert!(score.found > 0, "{rule} never hits");
        assert!(score.recall() >= 0.8 && score.precision() >= 0.8, "{rule}: {score:?}");
    }
}

#[derive(Debug, Deserialize)]
struct Unseen {
    case: Vec<UnseenCase>,
}

#[derive(Debug, Deserialize)]
struct UnseenCase {
    rule: String,
    expect: String,
    place: String,
    text: String,
    why: String,
}

/// Texts that no rule was tuned on, written by somebody who had not seen the rules: the honest
/// figures. `cargo test --release -- rules_on_unseen_texts --nocapture` prints them.
#[test]
fn rules_on_unseen_texts() {
    // What was measured, less a little: it may get better, not worse.
    for (name, least_precision, least_recall) in
        [("wording.toml", 0.83, 0.48), ("second.toml", 0.95, 0.65)]
    {
        let (precision, recall) = unseen(name);
        assert!(
            precision >= least_precision && recall >= least_recall,
            "{name}: {precision} {recall}"
        );
    }
}

/// Precision and recall on one of the files.
fn unseen(name: &str) -> (f64, f64) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rules-unseen").join(name);
    let unseen: Unseen = toml::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let results: Vec<(bool, bool, String)> = unseen
        .case
        .par_iter()
        .map(|unseen| {
            let case = Case {
                place: Some(unseen.place.clone()),
                text: Some(unseen.text.clone()),
                ..town::empty()
            };
            let found = findings(&case);
            let reported = found.iter().any(|f| f.diagnostic.code == unseen.rule);
            let expected = unseen.expect == "hit";
            let codes: Vec<&str> = found.iter().map(|f| f.diagnostic.code).collect();
            let UnseenCase { rule, place, text, why, .. } = unseen;
            (expected, reported, format!("{rule} [{place}] {text} ({why}) → {codes:?}"))
        })
        .collect();
    let count = |e, r| results.iter().filter(|(x, y, _)| (*x, *y) == (e, r)).count();
    let (hit, missed, alarm) = (count(true, true), count(true, false), count(false, true));
    let (precision, recall) =
        (hit as f64 / (hit + alarm) as f64, hit as f64 / (hit + missed) as f64);
    println!(
        "没见过的 {name} {} 条：精确率 {:.1}%，召回率 {:.1}%",
        results.len(),
        100.0 * precision,
        100.0 * recall
    );
    for (_, _, text) in results.iter().filter(|(expected, reported, _)| expected != reported) {
        println!("{text}");
    }
    (precision, recall)
}

#[test]
fn every_rule_has_a_text_that_hits_and_one_that_passes() {
    let corpus = corpus();
    for rule in Catalogue::built_in().unwrap().rules() {
        assert!(!rule.hit.is_empty() && !rule.pass.is_empty(), "{}", rule.id);
        let file = corpus.iter().find(|file| file.rule == rule.id);
        let file = file.unwrap_or_else(|| panic!("{} has no corpus", rule.id));
        for expect in ["hit", "pass"] {
            assert!(file.cases.iter().any(|case| case.expect == expect), "{} {expect}", rule.id);
        }
    }
}
