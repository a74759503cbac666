//! Finished outputs: their text, and how they were laid out.

use super::town::TODAY;
use caishi::{
    build::{Request, build, layouts},
    check::{Checker, LaidOutput, RenderedText, Subject},
    config::Config,
    model::{MediaType, OutputKind},
    read::read_library,
};
use std::{fs, path::Path, sync::Arc};

/// What renderers join and cut is judged as it stands, and what they show word for word was judged
/// in the lesson.
#[test]
fn finished_texts_of_the_eight_lessons_have_no_error() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut config = Config::load(&package.join("channels.toml")).unwrap();
    config.content = package.join("content");
    let reading = read_library(&config.content);
    let mut library = reading.library;
    library.branches.clear();
    library.screens.clear();
    let out = tempfile::tempdir().unwrap();
    let outputs = [
        OutputKind::Article,
        OutputKind::Portal,
        OutputKind::Post,
        OutputKind::Ticker,
        OutputKind::Banner,
        OutputKind::Sms,
        OutputKind::StaffCard,
    ];
    let request =
        Request { out: out.path().to_owned(), outputs: outputs.to_vec(), ..Request::default() };
    let summary = build(&config, &library, &request, &|_, _| {}).unwrap();
    let texts: Vec<RenderedText> = summary
        .listings
        .iter()
        .filter(|listing| matches!(listing.media_type, MediaType::Html | MediaType::Text))
        .filter(|listing| !listing.path.ends_with(".preview.html"))
        .map(|listing| RenderedText {
            path: listing.path.clone().into(),
            lesson: listing.lesson.clone().unwrap(),
            audience: listing.audience,
            output: listing.output,
            media_type: listing.media_type,
            text: fs::read_to_string(out.path().join(&listing.path)).unwrap(),
        })
        .collect();
    assert!(texts.len() >= 8 * 3 * 7, "{}", texts.len());
    let subject = Subject { library: &library, diagnostics: &[], bank: &config.bank, today: TODAY };
    let findings = Checker::new(subject).unwrap().outputs(&texts, &[]);
    let listed: Vec<String> = findings
        .iter()
        .map(|found| {
            format!("{} {}", found.diagnostic.file.path.display(), found.diagnostic.reason)
        })
        .collect();
    assert_eq!(listed, Vec::<String>::new());
}

/// What every family's palette puts on paper can be read: the check would say so otherwise.
#[test]
fn screens_and_paper_of_the_eight_lessons_have_no_error() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut config = Config::load(&package.join("channels.toml")).unwrap();
    config.content = package.join("content");
    let mut library = read_library(&config.content).library;
    library.screens.clear();
    let out = tempfile::tempdir().unwrap();
    let request = Request { out: out.path().to_owned(), ..Request::default() };
    let laid: Vec<LaidOutput> = layouts(&config, &library, &request)
        .unwrap()
        .into_iter()
        .map(|poster| LaidOutput {
            file: Arc::clone(
                &library.lesson(&poster.lesson).unwrap().variants[&poster.audience].file,
            ),
            what: poster.what,
            audience: poster.audience,
            report: poster.report,
            mm_per_px: poster.mm_per_px,
            distance_m: poster.distance_m,
            dwell_s: poster.dwell_s,
        })
        .collect();
    assert_eq!(laid.len(), 8 * 3, "one for each lesson and audience");
    assert!(laid.iter().all(|paper| paper.report.colours.len() >= 10));
    let subject = Subject { library: &library, diagnostics: &[], bank: &config.bank, today: TODAY };
    let findings = Checker::new(subject).unwrap().outputs(&[], &laid);
    let listed: Vec<&str> = findings.iter().map(|f| f.diagnostic.reason.as_str()).collect();
    assert_eq!(listed, Vec::<&str>::new());
}
