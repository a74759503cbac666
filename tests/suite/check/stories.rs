//! What an author, a reviewer and a bank see of the check.

use super::town::{self, Case, TODAY};
use caishi::{
    check::Catalogue,
    model::{Diagnostic, Finding, Severity},
    read::read_library,
};
use jiff::civil::date;
use std::{fs, path::Path, process::Command};

/// The rules of the findings that are not waived.
pub fn codes(findings: &[Finding]) -> Vec<&'static str> {
    let counted = findings.iter().filter(|finding| finding.waiver.is_none());
    counted.map(|finding| finding.diagnostic.code).collect()
}

fn check(case: &Case) -> Vec<Finding> {
    let folder = tempfile::tempdir().unwrap();
    town::check(&town::build(case, folder.path()), TODAY)
}

#[test]
fn the_eight_lessons_have_no_error_and_few_warnings() {
    let content = Path::new(env!("CARGO_MANIFEST_DIR")).join("content");
    let findings = town::check(&read_library(&content), TODAY);
    let count = |severity| findings.iter().filter(|found| found.counts_as(severity)).count();
    let listed: Vec<String> = findings
        .iter()
        .map(|found| format!("{} {}", found.diagnostic.code, found.diagnostic.reason))
        .collect();
    assert_eq!(count(Severity::Error), 0, "{listed:#?}");
    assert!(count(Severity::Warning) <= 8, "{listed:#?}");
}

#[test]
fn a_safe_body_does_not_excuse_an_excerpt_that_lost_its_warning() {
    let body = "骗子说“高收益、零风险”，听到这种话，先报警。";
    for (place, text) in [
        ("headline", "高收益、零风险"),
        ("digest", "高收益、零风险，老师带您月月领钱。周师傅后来怎么样了，请看全文。"),
        ("ticker", "高收益，零风险，人人可以参加"),
        ("banner", "高收益，零风险"),
        ("sms", "高收益，零风险，人人可以参加。"),
        ("portal", "高收益，零风险"),
        ("screen", "高收益，零风险"),
    ] {
        let safe = Case { body: Some(body.into()), ..town::empty() };
        assert!(!codes(&check(&safe)).contains(&"F610"), "{place}");
        let case = Case {
            place: Some(place.into()),
            text: Some(text.into()),
            body: Some(body.into()),
            ..town::empty()
        };
        let findings = check(&case);
        assert!(codes(&findings).contains(&"F610"), "{place}: {:?}", codes(&findings));
        let finding = findings.iter().find(|f| f.diagnostic.code == "F610").unwrap();
        assert!(finding.output.is_some());
    }
}

#[test]
fn a_text_that_begins_with_a_reference_is_read_too() {
    for text in
        ["{{bank:name}}：高收益，零风险，人人可以参加。", "{{hotline:bank}}：高收益，零风险。"]
    {
        let case = Case { place: Some("sms".into()), text: Some(text.into()), ..town::empty() };
        let findings = check(&case);
        assert!(codes(&findings).contains(&"F610"), "{text}: {:?}", codes(&findings));
    }
}

#[test]
fn a_waiver_needs_a_rule_a_reason_and_a_day_to_come() {
    let body = |waiver: &str| Case {
        body: Some(format!("{waiver}\n按时还款，才是最好的修复。\n")),
        ..town::empty()
    };
    let waived = check(&body("<!-- lint-allow B204 reason=\"沿用去年口号\" until=2027-03-31 -->"));
    assert!(!codes(&waived).contains(&"B204"));
    let kept = waived.iter().find(|found| found.diagnostic.code == "B204").unwrap();
    assert_eq!(kept.waiver.as_ref().unwrap().reason, "沿用去年口号");
    for (waiver, why) in [
        ("<!-- lint-allow B204 until=2027-03-31 -->", "没有写理由"),
        ("<!-- lint-allow B204 reason=\"口号\" -->", "没有写期限"),
        ("<!-- lint-allow B204 reason=\"口号\" until=2026-01-31 -->", "到期"),
        ("<!-- lint-allow B999 reason=\"口号\" until=2027-03-31 -->", "不存在"),
    ] {
        let findings = check(&body(waiver));
        assert!(codes(&findings).contains(&"B204"), "{waiver}");
        let fault = findings.iter().find(|found| found.diagnostic.code == "A110").unwrap();
        assert!(fault.diagnostic.reason.contains(why), "{}", fault.diagnostic.reason);
    }
}

#[test]
fn a_bank_changes_rules_without_code() {
    let case = Case {
        text: Some("按时还款，才是最好的修复。稳稳的幸福等您来。".into()),
        ..town::empty()
    };
    let folder = tempfile::tempdir().unwrap();
    town::build(&case, folder.path());
    let content = folder.path().join("content");
    fs::create_dir_all(content.join("rules")).unwrap();
    let rules = "version = \"2026-11\"\n\n[[rule]]\nid = \"B204\"\nenabled = false\n\n\
                 [[rule]]\nid = \"B209\"\nseverity = \"warning\"\nadd = [\"稳稳的幸福\"]\n";
    fs::write(content.join("rules/bank.toml"), rules).unwrap();
    let findings = town::check(&read_library(&content), TODAY);
    assert!(!codes(&findings).contains(&"B204"));
    let added = findings.iter().find(|found| found.diagnostic.code == "B209").unwrap();
    assert_eq!(added.diagnostic.severity, Severity::Warning);
    fs::write(content.join("rules/bank.toml"), "version = \"1\"\n[[rule]]\nid = \"B999\"\n")
        .unwrap();
    let findings = town::check(&read_library(&content), TODAY);
    let fault = findings.iter().find(|found| found.diagnostic.code == "check/rule-pack").unwrap();
    assert!(fault.diagnostic.reason.contains("B999") && fault.diagnostic.span.is_some());
}

#[test]
fn facts_that_nobody_looked_at_for_a_year_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let reading = town::build(&town::empty(), folder.path());
    assert!(!codes(&town::check(&reading, TODAY)).contains(&"C307"));
    let later = town::check(&reading, date(2027, 12, 1));
    let old = later.iter().find(|found| found.diagnostic.code == "C307").unwrap();
    assert_eq!(old.diagnostic.severity, Severity::Information);
    assert!(old.diagnostic.file.path.starts_with("facts"));
}

/// Runs the command in a folder: its exit code, what it printed and what it said.
pub fn caishi(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_caishi"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

/// A folder with a lesson that breaks three rules, and a configuration.
fn faulty() -> tempfile::TempDir {
    let case = Case {
        text: Some("本行产品保本高收益,稳赚不赔。致电96110咨询。".into()),
        ..town::empty()
    };
    folder_with(&case)
}

/// A folder with the lesson of a case, and a configuration.
pub fn folder_with(case: &Case) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    town::build(case, folder.path());
    let config = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("channels.toml"));
    fs::write(folder.path().join("channels.toml"), config.unwrap()).unwrap();
    folder
}

#[test]
fn sarif_is_what_the_standard_says() {
    let folder = faulty();
    let (code, sarif, _) = caishi(
        folder.path(),
        &["check", "--text-only", "--format", "sarif", "--today", "2026-11-27"],
    );
    assert_eq!(code, 1);
    let log: serde_json::Value = serde_json::from_str(&sarif).unwrap();
    let schema = serde_json::from_str(&fs::read_to_string(schema_file()).unwrap()).unwrap();
    let mut compiler = boon::Compiler::new();
    compiler.set_default_draft(boon::Draft::V7);
    compiler.add_resource("https://caishi.invalid/sarif.json", schema).unwrap();
    let mut schemas = boon::Schemas::new();
    let index = compiler.compile("https://caishi.invalid/sarif.json", &mut schemas).unwrap();
    schemas.validate(&log, index).map_err(|error| error.to_string()).unwrap();
    // And a reader of SARIF finds the rule, the line and the fix.
    let typed: serde_sarif::sarif::Sarif = serde_json::from_str(&sarif).unwrap();
    let results = typed.runs[0].results.as_ref().unwrap();
    assert!(results.iter().any(|result| result.rule_id.as_deref() == Some("B201")));
    assert!(results.iter().any(|result| result.fixes.is_some()));
}

/// The schema of OASIS, which the `serde-sarif` package carries.
fn schema_file() -> std::path::PathBuf {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline", "--locked"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let package = packages.iter().find(|package| package["name"] == "serde-sarif").unwrap();
    let manifest = Path::new(package["manifest_path"].as_str().unwrap());
    manifest.parent().unwrap().join("src/schema.json")
}

#[test]
fn github_shows_each_finding_at_its_line() {
    let folder = faulty();
    let (_, text, _) = caishi(
        folder.path(),
        &["check", "--text-only", "--format", "github", "--today", "2026-11-27"],
    );
    let line = text.lines().find(|line| line.contains("title=B201")).unwrap();
    assert!(line.starts_with("::error file=content/lessons/case/lesson.md,line="), "{line}");
    assert!(line.contains(",col=") && line.contains("::正文里的"), "{line}");
}

#[test]
fn an_author_sees_what_is_wrong_and_lets_the_safe_part_be_mended() {
    let folder = faulty();
    let check = |arguments: &[&str]| {
        let all: Vec<&str> = ["check", "--text-only", "--today", "2026-11-27"]
            .iter()
            .chain(arguments)
            .copied()
            .collect();
        caishi(folder.path(), &all)
    };
    let (code, text, summary) = check(&[]);
    assert_eq!(code, 1);
    for part in ["B201", "广告法", "依据", "E509", "A108", "lesson.md"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(summary.contains("可以自动改"), "{summary}");
    let file = folder.path().join("content/lessons/case/lesson.md");
    let before = fs::read_to_string(&file).unwrap();
    let (_, diff, _) = check(&["--fix", "--dry-run"]);
    assert!(
        diff.contains("+本行产品保本高收益，稳赚不赔。致电{{hotline:antifraud}}咨询。"),
        "{diff}"
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), before);
    check(&["--fix"]);
    let after = fs::read_to_string(&file).unwrap();
    assert!(after.contains("本行产品保本高收益，稳赚不赔。致电{{hotline:antifraud}}咨询。"));
    // What needs a person is still reported.
    let (code, text, _) = check(&[]);
    assert!(code == 1 && text.contains("B201") && !text.contains("E509"));
    let (code, _, error) = check(&["no-such-lesson"]);
    assert!(code == 2 && error.contains("no-such-lesson"), "{error}");
}

#[test]
fn every_rule_explains_itself() {
    let folder = tempfile::tempdir().unwrap();
    for rule in Catalogue::built_in().unwrap().rules() {
        for text in [&rule.name, &rule.reason, &rule.basis, &rule.help] {
            assert!(!text.is_empty(), "{}", rule.id);
        }
    }
    let (code, text, _) = caishi(folder.path(), &["explain", "b201"]);
    assert!(code == 0 && text.contains("会报") && text.contains("lint-allow B201"), "{text}");
    let (code, _, error) = caishi(folder.path(), &["explain", "B20"]);
    assert!(code == 2 && error.contains("B201"), "{error}");
}

/// What fuzzing found: a place that is no place makes an editor panic.
#[test]
fn every_finding_marks_whole_characters() {
    for body in [":::嗮一件事\n:::\n", ":::“tip”\n字\n:::\n", ":::tip{嗮=1}\n字\n:::\n"]
    {
        let findings = check(&Case { body: Some(body.into()), ..town::empty() });
        assert!(findings.iter().any(|found| found.diagnostic.code.starts_with("read/")), "{body}");
        for Diagnostic { file, span, reason, .. } in findings.iter().map(|found| &found.diagnostic)
        {
            let Some(span) = span else { continue };
            assert!(file.text.get(span.start..span.end).is_some(), "{body} {reason} {span:?}");
        }
    }
}
