//! Finished outputs: their text, and how they were laid out.

use super::{
    stories::codes,
    town::{self, TODAY},
};
use caishi::{
    build::{Request, build},
    check::{Checker, LaidOutput, RenderedText, Subject},
    config::Config,
    model::{Audience, LayoutReport, LessonId, MediaType, OutputKind},
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

fn rendered(output: OutputKind, media_type: MediaType, text: &str) -> Vec<&'static str> {
    let folder = tempfile::tempdir().unwrap();
    let reading = town::build(&town::empty(), folder.path());
    let bank = town::bank();
    let subject =
        Subject { library: &reading.library, diagnostics: &[], bank: &bank, today: TODAY };
    let text = RenderedText {
        path: "out/file".into(),
        lesson: LessonId::new("case").unwrap(),
        audience: Audience::General,
        output,
        media_type,
        text: text.into(),
    };
    codes(&Checker::new(subject).unwrap().outputs(&[text], &[]))
}

#[test]
fn finished_pages_are_read_as_they_go_out() {
    let html = MediaType::Html;
    for (output, page, rule) in [
        (OutputKind::Article, "<section><script>1</script>字</section>", "F603"),
        (OutputKind::Article, "<p><img src=\"https://a.example/b.png\">字</p>", "F603"),
        (OutputKind::Portal, "<p>字</p><input name=\"phone\">", "D403"),
        (OutputKind::Portal, "<p>字</p><script src=\"//cdn.example/x.js\"></script>", "D404"),
        (
            OutputKind::Portal,
            "<p>字</p><link rel=\"stylesheet\" href=\"https://c.example/a.css\">",
            "D404",
        ),
        (OutputKind::Portal, "<script>document.write('字')</script>", "F608"),
        (OutputKind::Portal, "<p>高收益、零风险，人人可以参加</p>", "F610"),
        (OutputKind::Article, "<p>本行这款产品保本高收益</p>", "B201"),
        (OutputKind::Article, "<p>卡号 9999000000000000 已登记</p>", "F601"),
    ] {
        let found = rendered(output, html, page);
        if rule == "F601" {
            assert!(!found.contains(&"D401"), "{found:?}");
        } else {
            assert!(found.contains(&rule), "{page}: {found:?}");
        }
    }
    let safe = "<p>每天记一笔账</p><form action=\"/go\"><button>继续上网</button></form><input type=\"radio\" name=\"a\">";
    assert_eq!(rendered(OutputKind::Portal, html, safe), Vec::<&str>::new());
    assert!(rendered(OutputKind::Sms, MediaType::Text, "高收益零风险，速来").contains(&"F610"));
}

#[test]
fn a_layout_is_held_to_its_screen() {
    let folder = tempfile::tempdir().unwrap();
    let reading = town::build(&town::empty(), folder.path());
    let bank = town::bank();
    let subject =
        Subject { library: &reading.library, diagnostics: &[], bank: &bank, today: TODAY };
    let checker = Checker::new(subject).unwrap();
    let lesson = LessonId::new("case").unwrap();
    let file = &reading.library.lesson(&lesson).unwrap().variants[&Audience::General].file;
    // A 43-inch portrait screen seen from three metres: 0.496 mm a pixel.
    let laid = |audience, report| LaidOutput {
        file: Arc::clone(file),
        what: "屏幕海报 lobby".into(),
        audience,
        report,
        mm_per_px: Some(0.496),
        distance_m: Some(3.0),
        dwell_s: Some(10.0),
    };
    let good = || LayoutReport {
        min_glyph_px: 46.0,
        colours: vec![("#1F1F1F".into(), "#FFFFFF".into())],
        word_count: 36,
        reading_seconds: 9.0,
        ..LayoutReport::default()
    };
    let found = |audience, report| codes(&checker.outputs(&[], &[laid(audience, report)]));
    for audience in [Audience::General, Audience::Elder] {
        assert_eq!(found(audience, good()), Vec::<&str>::new());
    }
    let small = LayoutReport { min_glyph_px: 24.0, ..good() };
    assert_eq!(found(Audience::General, small), ["F606"]);
    // What the general reader sees is too small for an elder one.
    let middle = LayoutReport { min_glyph_px: 34.0, ..good() };
    assert_eq!(found(Audience::General, middle.clone()), Vec::<&str>::new());
    assert_eq!(found(Audience::Elder, middle), ["F606"]);
    let long = LayoutReport { word_count: 90, reading_seconds: 22.5, ..good() };
    assert_eq!(found(Audience::General, long), ["F605"]);
    let pale = LayoutReport { colours: vec![("#B8B8B8".into(), "#FFFFFF".into())], ..good() };
    assert_eq!(found(Audience::General, pale), ["E504"]);
    let grey = LayoutReport { colours: vec![("#666666".into(), "#FFFFFF".into())], ..good() };
    assert_eq!(found(Audience::General, grey.clone()), Vec::<&str>::new());
    assert_eq!(found(Audience::Elder, grey), ["E504"]);
    let cut = LayoutReport {
        overflow: vec!["“先挂断”超出了它的框".into()],
        missing_glyphs: vec![('𠮷', None)],
        ..good()
    };
    assert_eq!(found(Audience::General, cut), ["F604", "F604"]);
}
