//! Reading and checking never panic and never hang, whatever a lesson holds: as a whole file, as
//! the article behind a front matter that is right, and as a finished page.

#![no_main]

use caishi::{
    check::{Checker, RenderedText, Subject, fix},
    model::{
        Audience, Bank, HotlineId, Lesson, LessonId, Library, MediaType, OutputKind, SourceFile,
    },
    read::{Registry, Surroundings, read_library, read_variant},
};
use libfuzzer_sys::fuzz_target;
use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, OnceLock},
};

const FRONT: &str = "---\nid: fuzz\nversion: 1\ntype: education\ntitle: 每天记一笔账\nshort_title: 记账\nheadline: 每天记一笔账\ndigest: 记账三个月，一目了然。\nbanner: 每天记账\ntopics: [telecom-fraud]\naudiences: [general]\ncampaigns: [routine/weekly]\nvalid_from: 2026-09-01\nvalid_until: 2027-08-31\nfacts_review_by: 2027-02-28\nhotlines: [police, bank]\nowner: 消费者权益保护部\n---\n\n";

/// The demo's registries and facts, without lessons.
fn registries() -> &'static Library {
    static LIBRARY: OnceLock<Library> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let content = Path::new(env!("CARGO_MANIFEST_DIR")).join("../content");
        let mut library = read_library(&content).library;
        library.lessons.clear();
        library
    })
}

fn look(text: &str) {
    let base = registries();
    let file = Arc::new(SourceFile { path: "lessons/fuzz/lesson.md".into(), text: text.into() });
    let surroundings = Surroundings {
        registry: Registry::complete(base),
        assets: &base.assets,
        assets_complete: true,
    };
    let reading = read_variant(&file, Audience::General, None, &surroundings);
    let mut library = base.clone();
    let id = LessonId::new("fuzz").expect("a plain name");
    if let Some(variant) = reading.variant {
        let variants = BTreeMap::from([(Audience::General, variant)]);
        library.lessons.push(Lesson { id, variants, assets: library.assets.clone() });
    }
    let bank = Bank {
        name: "山城示范银行".into(),
        base_url: "https://edu.shancheng.example".into(),
        hotline: HotlineId::new("bank").expect("a plain name"),
        disclaimer: String::new(),
    };
    let subject = Subject {
        library: &library,
        diagnostics: &reading.diagnostics,
        bank: &bank,
        today: jiff::civil::date(2026, 11, 27),
    };
    let checker = Checker::new(subject).expect("the built-in rules");
    let findings = checker.sources();
    for finding in &findings {
        // A place that is no place would make an editor panic.
        if let Some(span) = finding.diagnostic.span
            && finding.diagnostic.file.path == file.path
        {
            assert!(file.text.get(span.start..span.end).is_some(), "{finding:?}");
        }
    }
    let _ = fix::apply(&findings);
    // And the same characters as a finished page.
    let pages = [OutputKind::Article, OutputKind::Portal].map(|output| RenderedText {
        path: "out/page.html".into(),
        lesson: LessonId::new("fuzz").expect("a plain name"),
        audience: Audience::General,
        output,
        media_type: MediaType::Html,
        text: text.to_owned(),
    });
    let _ = checker.outputs(&pages, &[]);
}

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    if text.starts_with("---") {
        look(&text);
    } else {
        look(&format!("{FRONT}{text}"));
    }
});
