//! Building: incremental and clean builds give the same bytes, interruptions leave nothing behind.

use crate::demo::{demo, files, root};
use caishi::{
    build::{Request, Summary, build},
    model::{Audience, BranchId, LessonId, Library, OutputKind, Screen},
};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
};

/// A small network: two branches, three screens of modest size, two lessons.
fn small() -> Library {
    let mut library = demo().library.clone();
    library.lessons.retain(|lesson| ["telecom-fraud", "campus-loan"].contains(&lesson.id.as_str()));
    library.branches.truncate(2);
    let screen = |branch: &str, profile: &str, width, height| Screen {
        branch: BranchId::new(branch).unwrap(),
        screen: "s1".into(),
        profile: profile.into(),
        width,
        height,
        mm_width: width as f32 * 0.3,
        distance_m: 1.0,
        dwell_s: 20.0,
    };
    library.screens = vec![
        screen("b001", "kiosk", 1024, 768),
        screen("b002", "kiosk", 1024, 768),
        screen("b002", "portrait", 540, 960),
    ];
    library
}

fn request(out: &Path) -> Request {
    // Print takes seconds a lesson; tests/suite/print.rs looks at it.
    let outputs = OutputKind::ALL
        .iter()
        .copied()
        .filter(|kind| {
            !matches!(
                kind,
                OutputKind::Print
                    | OutputKind::Leaflet
                    | OutputKind::Booth
                    | OutputKind::Morning
                    | OutputKind::Notice
            )
        })
        .collect();
    Request { out: out.to_owned(), outputs, ..Request::default() }
}

fn run(library: &Library, request: &Request) -> Summary {
    build(&demo().config, library, request, &|_, _| {}).unwrap()
}

/// Path → bytes of everything but the program's own state.
fn contents(out: &Path) -> BTreeMap<String, Vec<u8>> {
    files(out)
        .into_iter()
        .filter(|path| !path.starts_with(".caishi"))
        .map(|path| (path.clone(), fs::read(out.join(&path)).unwrap()))
        .collect()
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn a_build_lists_exactly_what_it_wrote_and_the_next_one_writes_nothing() {
    let out = folder();
    let library = small();
    let first = run(&library, &request(out.path()));
    assert!(first.failures.is_empty(), "{:?}", first.failures);
    // Two lessons × three audiences × (two kiosks + one portrait).
    let screens = first.listings.iter().filter(|line| line.output == OutputKind::Screen).count();
    assert_eq!(screens, 2 * 3 * 3);
    let manifest: serde_json::Value =
        serde_json::from_slice(&fs::read(out.path().join("manifest.json")).unwrap()).unwrap();
    let lines = manifest.as_array().unwrap();
    assert_eq!(lines.len(), first.listings.len());
    for line in lines {
        let bytes = fs::read(out.path().join(line["path"].as_str().unwrap())).unwrap();
        assert_eq!(line["bytes"], bytes.len(), "{line}");
        assert_eq!(line["sha256"], caishi::model::Digest::of(&bytes).to_string(), "{line}");
    }
    let listed = lines.len() + ["manifest.json", "index.html"].len();
    assert_eq!(contents(out.path()).len(), listed, "nothing is there that is not listed");
    let second = run(&library, &request(out.path()));
    assert_eq!((second.made, second.listings.len()), (0, first.listings.len()));
}

#[test]
fn an_incremental_build_gives_the_bytes_of_a_clean_one() {
    let (incremental, clean) = (folder(), folder());
    let mut library = small();
    run(&library, &request(incremental.path()));
    // A branch moves, a number changes, one file is tampered with and one is lost.
    library.branches[0].address = "新街1号".into();
    library.hotlines.iter_mut().find(|line| line.id.as_str() == "antifraud").unwrap().note =
        "来电请接".into();
    let portal = incremental.path().join("lessons/campus-loan/general/ticker.txt");
    fs::write(&portal, "别人改过的字").unwrap();
    fs::remove_file(incremental.path().join("lessons/campus-loan/general/sms.txt")).unwrap();
    run(&library, &request(incremental.path()));
    run(&library, &request(clean.path()));
    assert!(contents(incremental.path()) == contents(clean.path()));
}

#[test]
fn one_thread_and_many_give_the_same_bytes() {
    let (one, many) = (folder(), folder());
    let library = small();
    let single = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    single.install(|| run(&library, &request(one.path())));
    let four = rayon::ThreadPoolBuilder::new().num_threads(4).build().unwrap();
    four.install(|| run(&library, &request(many.path())));
    assert!(contents(one.path()) == contents(many.path()));
}

#[test]
fn what_is_no_longer_made_is_removed_and_a_partial_build_touches_nothing_else() {
    let out = folder();
    let mut library = small();
    let all = run(&library, &request(out.path())).listings.len();
    let only = Request {
        lessons: vec![LessonId::new("telecom-fraud").unwrap()],
        audiences: vec![Audience::Elder],
        ..request(out.path())
    };
    let partial = run(&library, &only);
    assert_eq!((partial.listings.len(), partial.made, partial.removed), (all, 0, 0));
    library.lessons.pop();
    let everything = Request { out: out.path().to_owned(), ..request(out.path()) };
    let kept = run(&library, &Request { outputs: Vec::new(), ..everything.clone() });
    assert!(
        kept.removed > 0
            && kept
                .listings
                .iter()
                .all(|line| { line.lesson.as_ref().is_none_or(|id| id.as_str() == "campus-loan") })
    );
}

#[test]
fn an_interrupted_run_leaves_no_half_written_file() {
    let out = folder();
    let library = small();
    let part = out.path().join("branches/b001/.caishi-part-1-7");
    fs::create_dir_all(part.parent().unwrap()).unwrap();
    fs::write(&part, "half a poster").unwrap();
    run(&library, &request(out.path()));
    assert!(!part.exists(), "what an earlier run left is gone");
    assert!(files(out.path()).iter().all(|path| !path.contains(".caishi-part")));
}

#[test]
fn a_lesson_that_cannot_be_made_is_named_and_leaves_no_file() {
    let out = folder();
    let mut library = small();
    run(&library, &request(out.path()));
    let variant = library.lessons[0].variants.get_mut(&Audience::General).unwrap();
    variant.tiers.ticker = None;
    variant.digest = caishi::model::Digest::of(b"edited");
    let summary = run(&library, &request(out.path()));
    let named: Vec<&str> = summary.failures.iter().map(|f| f.what.as_str()).collect();
    assert_eq!(named, ["campus-loan 通用版 滚动字幕"]);
    let _ = &summary.failures[0].error;
}

#[test]
fn progress_reaches_its_end() {
    let out = folder();
    let (most, total) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let watch = |settled, of| {
        most.fetch_max(settled, Ordering::Relaxed);
        total.store(of, Ordering::Relaxed);
    };
    build(&demo().config, &small(), &request(out.path()), &watch).unwrap();
    assert_eq!(most.load(Ordering::Relaxed), total.load(Ordering::Relaxed));
}

/// The bytes themselves, held across machines, processes and folders: one lesson at one branch.
/// A change of wording, template, face or engine changes them; read the outputs, then accept.
#[test]
fn golden_digests() {
    let out = folder();
    let mut library = demo().library.clone();
    library.lessons.retain(|lesson| lesson.id.as_str() == "telecom-fraud");
    library.screens.retain(|screen| screen.branch.as_str() == "b003");
    library.branches.retain(|branch| ["b001", "b003"].contains(&branch.id.as_str()));
    let summary = run(&library, &request(out.path()));
    let lines: Vec<String> =
        summary.listings.iter().map(|line| format!("{} {}", line.sha256, line.path)).collect();
    insta::assert_snapshot!("golden_digests", lines.join("\n"));
}

/// The command itself, as a newcomer runs it.
#[test]
fn the_command_builds_reports_and_exits() {
    let out = folder();
    let command = |arguments: &[&str]| {
        std::process::Command::new(env!("CARGO_BIN_EXE_caishi"))
            .args(arguments)
            .current_dir(root())
            .output()
            .unwrap()
    };
    let path = out.path().to_str().unwrap();
    let made = command(&["build", "--out", path, "--lesson", "aml-card", "--output", "ticker"]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let said = String::from_utf8_lossy(&made.stdout);
    assert!(said.contains("滚动字幕") && said.contains("index.html"), "{said}");
    assert_eq!(fs::read_dir(out.path().join("lessons/aml-card")).unwrap().count(), 3);
    for (arguments, expected) in [
        (&["build", "--lesson", "nope"][..], "没有课件“nope”"),
        (&["build", "--branch", "b999"][..], "没有网点“b999”"),
        (&["build", "--output", "poster"][..], "没有“poster”这种输出"),
        (&["--config", "nowhere.toml", "build"][..], "nowhere.toml"),
        (&["new", "lesson", "--topic", "nope"][..], "没有话题“nope”"),
    ] {
        let refused = command(arguments);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(expected), "{arguments:?}: {said}");
    }
}

/// A copy of the demo content's registries and shared pictures, without lessons.
fn project() -> (tempfile::TempDir, PathBuf) {
    let folder = folder();
    let content = root().join("content");
    for path in files(&content).into_iter().filter(|path| !path.starts_with("lessons")) {
        let to = folder.path().join("content").join(&path);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(content.join(&path), to).unwrap();
    }
    fs::copy(root().join("channels.toml"), folder.path().join("channels.toml")).unwrap();
    let path = folder.path().to_owned();
    (folder, path)
}

#[test]
fn a_scaffolded_lesson_builds_at_once() {
    let (_folder, path) = project();
    let command = |arguments: &[&str]| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_caishi"))
            .args(arguments)
            .current_dir(&path)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), said)
    };
    assert_eq!(command(&["new", "lesson", "--topic", "telecom-fraud"]).0, Some(0));
    let lesson = path.join("content/lessons/telecom-fraud/lesson.md");
    for audience in ["elder", "student"] {
        let new = ["new", "lesson", "--topic", "telecom-fraud", "--audience", audience];
        assert_eq!(command(&new).0, Some(0));
    }
    let text = fs::read_to_string(&lesson).unwrap();
    let text = text.replace("audiences: [general] ", "audiences: [general, elder, student] ");
    fs::write(&lesson, text).unwrap();
    let outputs = ["--output", "article", "--output", "screen"];
    let (code, said) = command(&[&["build"][..], &outputs].concat());
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = command(&["new", "lesson", "--topic", "telecom-fraud"]);
    assert_eq!((code, said.contains("已经有了")), (Some(2), true), "{said}");
    // A broken lesson is shown with its line, and the exit code says so.
    let text = fs::read_to_string(&lesson).unwrap().replace("type: education", "type: educating");
    fs::write(&lesson, text).unwrap();
    let (code, said) = command(&["build"]);
    assert_eq!(code, Some(1), "{said}");
    for expected in ["lesson.md:4:", "type: educating", "education"] {
        assert!(said.contains(expected), "{said}");
    }
}
