//! Text that is meant to hurt: endless lines, thousands of hits. What it costs is the work of
//! `benches/`; here it must end, and say something a person can read.

use super::{
    stories::{caishi, codes, folder_with},
    town::{self, Case, TODAY},
};
use caishi::check::fix;
use std::fs;

/// A paragraph of a megabyte in one line, with one kind of hit after another.
const MEGABYTE: &[(&str, &str, i32)] = &[
    ("B201", "本行理财保本高收益，稳赚不赔，名额有限快来购买，", 1),
    ("D402", "王某某，今年56岁，身份证110101199003077758，", 1),
    ("D405", "[点这里](http://t.cn/abc)，", 1),
    ("E509", "臺灣，", 0),
    ("E508", "VPN APP KYC ", 0),
    ("C304", "2026年1月1日前将", 0),
    // A hundred thousand paragraphs of one line.
    ("B201", "- 保本\n", 1),
];

#[test]
fn a_megabyte_of_hits_is_a_report_of_a_few_pages() {
    for (rule, words, exit) in MEGABYTE {
        let text = words.repeat(1_000_000 / words.len());
        let folder = folder_with(&Case { body: Some(text), ..town::empty() });
        let arguments = ["check", "--text-only", "--today", "2026-11-27"];
        let (code, report, errors) = caishi(folder.path(), &arguments);
        assert_eq!(code, *exit, "{words}: {errors}");
        assert!(report.contains(rule), "{words}");
        assert!(report.len() < 1_000_000, "{words}: {} bytes", report.len());
        assert!(!errors.contains("panicked"), "{errors}");
    }
}

/// What the report leaves out is mended all the same.
#[test]
fn all_of_a_long_line_is_fixed_at_once() {
    let case = Case { body: Some("他说,先核实,".repeat(2_000) + "\n"), ..town::empty() };
    let folder = tempfile::tempdir().unwrap();
    let reading = town::build(&case, folder.path());
    let findings = town::check(&reading, TODAY);
    let marks: Vec<_> = findings.iter().filter(|found| found.diagnostic.code == "E509").collect();
    assert_eq!(marks.len(), 20);
    assert!(marks[19].diagnostic.reason.contains("后面还有"), "{}", marks[19].diagnostic.reason);
    let fixed = fix::apply(&findings);
    // The mark at the very end has nothing behind it that shows what it is.
    assert!(fixed[0].count >= 3_999, "{}", fixed[0].count);
    fs::write(folder.path().join("content").join(&fixed[0].file.path), &fixed[0].text).unwrap();
    let again = caishi::read::read_library(&folder.path().join("content"));
    assert!(!codes(&town::check(&again, TODAY)).contains(&"E509"));
}

#[test]
fn text_without_ends_or_beginnings_is_read() {
    let long = "别信".repeat(170_000);
    let nested = "“".repeat(5_000) + "保本" + &"”".repeat(5_000);
    for body in [long, nested, "lint-allow ".repeat(2_000), "《".repeat(9_000)] {
        let folder = folder_with(&Case { body: Some(body), ..town::empty() });
        let arguments = ["check", "--text-only", "--today", "2026-11-27", "--format", "json"];
        let (_, report, errors) = caishi(folder.path(), &arguments);
        assert!(!errors.contains("panicked"), "{errors}");
        serde_json::from_str::<serde_json::Value>(&report).unwrap();
    }
}
