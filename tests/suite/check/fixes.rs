//! Fixes never change what a text says.

use super::town::{self, Case, TODAY};
use caishi::{
    build::{Request, build},
    check::fix,
    config::Config,
    model::OutputKind,
};
use proptest::prelude::*;
use std::{fs, path::Path};

/// Sentences as authors type them: half-width marks, full-width digits, a typed number.
fn sentence() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "转账前",
        "先核实",
        "收款人",
        "一年",
        "还１２次",
        "致电96110",
        "拨12378",
        "（例如）",
        "(见下)",
        "**记住**",
        "3.5%",
        "9:30",
        "A,B",
        "“好”",
        "为什么",
    ]);
    let mark = prop::sample::select(vec![",", "，", ";", ":", "?", "!", "。", "、", " "]);
    prop::collection::vec((word, mark), 1..12)
        .prop_map(|parts| parts.iter().flat_map(|(word, mark)| [*word, *mark]).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn fixing_touches_only_what_was_reported_and_once_is_enough(text in sentence()) {
        let case = Case { body: Some(format!("{text}\n")), ..town::empty() };
        let folder = tempfile::tempdir().unwrap();
        let reading = town::build(&case, folder.path());
        let findings = town::check(&reading, TODAY);
        let fixed = fix::apply(&findings);
        for file in &fixed {
            // Between the reported spans every byte stays.
            let mut edits: Vec<_> = findings
                .iter()
                .filter(|found| found.diagnostic.file.path == file.file.path)
                .filter_map(|found| found.fix.as_ref())
                .flat_map(|fix| fix.edits.clone())
                .collect();
            edits.sort_by_key(|(span, _)| span.start);
            let (mut old, mut new) = (0, 0);
            for (span, to) in &edits {
                let kept = &file.file.text[old..span.start];
                prop_assert_eq!(&file.text[new..new + kept.len()], kept);
                new += kept.len();
                prop_assert!(file.text[new..].starts_with(to.as_str()));
                (old, new) = (span.end, new + to.len());
            }
            prop_assert_eq!(&file.text[new..], &file.file.text[old..]);
            // The fixed lesson reads, and there is nothing left to fix.
            fs::write(folder.path().join("content").join(&file.file.path), &file.text).unwrap();
        }
        // And it renders, with the bank's mark.
        let package = Path::new(env!("CARGO_MANIFEST_DIR"));
        let assets = folder.path().join("content/assets");
        fs::create_dir_all(&assets).unwrap();
        fs::copy(package.join("content/assets/mark.svg"), assets.join("mark.svg")).unwrap();
        let entry = "[[asset]]\nfile = \"mark.svg\"\nalt = \"山城示范银行\"\nauthor = \"宣教组\"\nlicence = \"CC0-1.0\"\nsource = \"本项目绘制\"\n";
        fs::write(assets.join("assets.toml"), entry).unwrap();
        let again = caishi::read::read_library(&folder.path().join("content"));
        prop_assert_eq!(again.diagnostics.len(), reading.diagnostics.len());
        let config = Config::load(&package.join("channels.toml")).unwrap();
        let out = folder.path().join("out");
        let outputs = vec![OutputKind::Article, OutputKind::Portal, OutputKind::Sms];
        let request = Request { out, outputs, ..Request::default() };
        let summary = build(&config, &again.library, &request, &|_, _| {}).unwrap();
        prop_assert!(summary.failures.is_empty(), "{:?}", summary.failures);
        let rest = fix::apply(&town::check(&again, TODAY));
        prop_assert!(rest.is_empty(), "{:?}", rest);
    }
}
