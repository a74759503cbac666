//! The approval number stands in the footers that have room for it, and nowhere else.

use crate::demo::demo;
use caishi::{
    build::{Request, build},
    model::{Artifact, Audience, BranchId, LessonId, OutputKind},
    render::{Limits, PictureSet, Scene, article, portal, print},
};
use std::collections::BTreeMap;

/// As long as the configuration lets a number be.
const NUMBER: &str = "示范银行消保宣教审批〔2026〕第1234号";

/// The four outputs that show it, as text.
fn footers(scene: &Scene<'_>) -> BTreeMap<&'static str, String> {
    let stage = demo().studio.stage().unwrap();
    let text = |artifacts: Vec<Artifact>| {
        let lines = artifacts.into_iter().filter_map(|artifact| artifact.layout);
        lines.flat_map(|layout| layout.boxes).map(|line| line.text).collect::<String>()
    };
    let html = |artifact: &Artifact| String::from_utf8(artifact.bytes.clone()).unwrap();
    let pictures = PictureSet::build(scene, &stage).unwrap();
    let limits = Limits::default();
    let articles = article::artifacts(scene, &stage, &pictures, &limits).unwrap();
    let page = portal::render(scene, &stage, &portal::PortalOptions::default(), &limits).unwrap();
    BTreeMap::from([
        ("article", html(&articles[0])),
        ("portal", html(&page)),
        ("leaflet", text(print::leaflet(scene, &stage).unwrap())),
        ("morning", text(print::morning(scene, &stage).unwrap())),
    ])
}

#[test]
fn every_footer_shows_the_number_and_nothing_without_one() {
    for plain in demo().scenes() {
        let numbered = Scene { approval_number: Some(NUMBER), ..plain };
        let (without, with) = (footers(&plain), footers(&numbered));
        for (output, text) in &with {
            let what = format!("{} {} {output}", plain.lesson.id, plain.variant.audience);
            assert!(text.contains(&format!("审批编号 {NUMBER}")), "{what}");
            assert!(!without[output].contains("审批编号"), "{what}");
        }
        for output in ["article", "portal"] {
            let line = format!(" · 审批编号 {NUMBER}");
            assert_eq!(with[output].replace(&line, ""), without[output], "nothing else changes");
        }
    }
}

#[test]
fn a_number_makes_its_own_outputs_anew_and_no_others() {
    let out = tempfile::tempdir().unwrap();
    let mut library = demo().library.clone();
    library.branches.truncate(1);
    library.screens.retain(|screen| screen.branch.as_str() == "b001");
    library.screens.truncate(1);
    let request = |number: Option<&str>| Request {
        out: out.path().to_owned(),
        lessons: vec![LessonId::new("telecom-fraud").unwrap()],
        outputs: vec![
            OutputKind::Article,
            OutputKind::Portal,
            OutputKind::Screen,
            OutputKind::Post,
        ],
        branches: Vec::new(),
        audiences: vec![Audience::General],
        approval_number: number.map(str::to_owned),
    };
    let run = |number| {
        let summary = build(&demo().config, &library, &request(number), &|_, _| {}).unwrap();
        assert!(summary.failures.is_empty(), "{:?}", summary.failures);
        let digests: BTreeMap<String, _> =
            summary.listings.iter().map(|line| (line.path.clone(), line.sha256)).collect();
        (digests, summary.made)
    };
    let (plain, _) = run(None);
    let (numbered, made) = run(Some("宣教审〔2026〕0001号"));
    let changed: Vec<&str> = numbered
        .iter()
        .filter(|(path, digest)| plain[*path] != **digest)
        .map(|(path, _)| path.as_str())
        .collect();
    assert_eq!(
        changed.len(),
        8,
        "article, its preview, portal pages and packages of bank and branch, quiz and answers: \
         {changed:?}"
    );
    assert!(changed.iter().any(|path| path.contains(BranchId::new("b001").unwrap().as_str())));
    assert!(made < numbered.len(), "posters and posts were kept");
    assert_eq!(run(Some("宣教审〔2026〕0001号")).1, 0, "the same number is the same work");
    assert_eq!(run(None).0, plain, "without it, every byte is as before");
}
