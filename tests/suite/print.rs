//! Paper: cut where the printer cuts, readable, within its margins, and the same bytes every time.

use crate::demo::{Demo, demo};
use caishi::{
    model::{
        Artifact, Audience, Block, BlockKind, Branch, HotlineKind, Inline, InlineKind, Library,
        OutputKind, Span, Tiers, Variant,
    },
    render::{
        RenderError, Scene,
        print::{self, NoticeScene},
    },
};
use lopdf::{Document, Object};
use rayon::prelude::*;

const POINTS: f64 = 72.0 / 25.4;

fn scene<'a>(demo: &'a Demo, lesson: &str, audience: Audience) -> Scene<'a> {
    let lesson = demo.library.lessons.iter().find(|l| l.id.as_str() == lesson).unwrap();
    demo.scene(lesson, &lesson.variants[&audience])
}

/// The branch with the longest name, which every strip must hold.
fn longest(library: &Library) -> &Branch {
    library.branches.iter().max_by_key(|branch| branch.name.len()).unwrap()
}

fn artifact<'a>(artifacts: &'a [Artifact], end: &str) -> &'a Artifact {
    artifacts.iter().find(|artifact| artifact.path.to_string_lossy().ends_with(end)).unwrap()
}

/// The lines of an artifact, run together.
fn text(artifact: &Artifact) -> String {
    artifact.layout.as_ref().unwrap().boxes.iter().map(|line| line.text.as_str()).collect()
}

fn rectangle(page: &lopdf::Dictionary, name: &[u8]) -> Vec<f64> {
    let numbers = page.get(name).unwrap().as_array().unwrap();
    numbers.iter().map(|number| f64::from(number.as_float().unwrap())).collect()
}

/// Parses a PDF with another library and checks its boxes and faces.
fn check_pdf(bytes: &[u8], pages: usize, (width, height): (f64, f64)) {
    let document = Document::load_mem(bytes).unwrap();
    assert_eq!(document.get_pages().len(), pages);
    let bleed = print::BLEED_MM;
    for id in document.get_pages().values() {
        let page = document.get_dictionary(*id).unwrap();
        let full = [0.0, 0.0, width + 2.0 * bleed, height + 2.0 * bleed];
        let trim = [bleed, bleed, width + bleed, height + bleed];
        for (name, wanted) in
            [(&b"MediaBox"[..], full), (&b"BleedBox"[..], full), (&b"TrimBox"[..], trim)]
        {
            for (found, wanted) in rectangle(page, name).iter().zip(wanted) {
                assert!((found - wanted * POINTS).abs() < 0.05, "{name:?}: {found} {wanted}");
            }
        }
    }
    let dictionaries = || document.objects.values().filter_map(|object| object.as_dict().ok());
    let descriptors: Vec<_> = dictionaries()
        .filter(|dictionary| {
            dictionary.get(b"Type").and_then(Object::as_name).is_ok_and(|n| n == b"FontDescriptor")
        })
        .collect();
    assert!(!descriptors.is_empty());
    for descriptor in descriptors {
        let name = descriptor.get(b"FontName").and_then(Object::as_name).unwrap();
        assert!(name.windows(11).any(|part| part == b"CaishiSans-"), "{name:?}");
        assert!(name.get(6) == Some(&b'+'), "a subset: {name:?}");
        assert!(descriptor.get(b"FontFile2").or_else(|_| descriptor.get(b"FontFile3")).is_ok());
    }
    let selectable = dictionaries().filter(|font| font.get(b"ToUnicode").is_ok()).count();
    assert!(selectable > 0, "text can be searched and copied");
    for key in [&b"CreationDate"[..], b"ModDate"] {
        assert!(dictionaries().all(|dictionary| dictionary.get(key).is_err()), "no dates");
    }
}

/// Width, height and pixels per metre of a PNG, from its own chunks.
fn png_header(bytes: &[u8]) -> (u32, u32, u32) {
    let reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
    let info = reader.info();
    let dimensions = info.pixel_dims.unwrap();
    assert_eq!((dimensions.xppu, dimensions.unit), (dimensions.yppu, png::Unit::Meter));
    (info.width, info.height, dimensions.xppu)
}

#[test]
fn posters_are_cut_where_the_printer_cuts() {
    let demo = demo();
    let stage = demo.studio.stage().unwrap();
    Audience::ALL.par_iter().for_each(|audience| {
        let scene = scene(demo, "telecom-fraud", *audience);
        let artifacts = print::posters(&scene, &stage).unwrap();
        let paths: Vec<_> = artifacts.iter().map(|artifact| artifact.path.clone()).collect();
        assert_eq!(paths, print::poster_paths(&scene));
        for (format, size, pixels) in
            [("a4", (210.0, 297.0), (2480, 3508)), ("a3", (297.0, 420.0), (3508, 4961))]
        {
            check_pdf(&artifact(&artifacts, &format!("{format}.pdf")).bytes, 1, size);
            let png = artifact(&artifacts, &format!("{format}.png"));
            assert_eq!(png_header(&png.bytes), (pixels.0, pixels.1, 11_811));
            assert_eq!(png.profile.as_deref(), Some(format));
        }
        scan(artifact(&artifacts, "a4.png"), &scene.qr_address());
        let branch = Scene { branch: Some(longest(&demo.library)), ..scene };
        let once = print::posters(&branch, &stage).unwrap();
        assert_eq!(once, print::posters(&branch, &stage).unwrap(), "the same bytes again");
    });
}

/// Reads the code in the field that the layout names.
fn scan(picture: &Artifact, address: &str) {
    let mut reader = png::Decoder::new(std::io::Cursor::new(&picture.bytes)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let width = reader.next_frame(&mut pixels).unwrap().width as usize;
    let (x, y, side, _) = picture.layout.as_ref().unwrap().qr_rects[0];
    let [x, y, side] = [x, y, side].map(|length| length as usize * 300 / 96);
    let grey = |column, row| pixels[((y + row) * width + x + column) * 3];
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(side, side, grey);
    assert_eq!(image.detect_grids()[0].decode().unwrap().1, address);
}

/// Every lesson, for everybody, with the network's longest branch name: nothing leaves its box,
/// nothing stands at the edge, and nobody needs better eyes than the distance asks for.
#[test]
fn every_lesson_is_sound_on_paper() {
    let demo = demo();
    let stage = demo.studio.stage().unwrap();
    let branch = longest(&demo.library);
    let variants =
        demo.library.lessons.iter().flat_map(|l| l.variants.values().map(move |v| (l, v)));
    let scenes: Vec<_> = variants.map(|(lesson, variant)| demo.scene(lesson, variant)).collect();
    scenes.par_iter().for_each(|scene| {
        let scene = Scene { branch: Some(branch), ..*scene };
        let name = format!("{} {}", scene.lesson.id, scene.variant.audience);
        let elder = scene.variant.audience == Audience::Elder;
        let outputs = [
            (print::posters(&scene, &stage), print::poster_paths(&scene), 4.0),
            (print::leaflet(&scene, &stage), print::leaflet_paths(&scene), 3.2),
            (print::booth(&scene, &stage), print::booth_paths(&scene), 2.9),
            (print::morning(&scene, &stage), print::morning_paths(&scene), 2.9),
        ];
        let outputs = outputs.map(|(made, paths, floor_mm)| {
            let made = made.unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(made.iter().map(|a| &a.path).collect::<Vec<_>>(), [&paths[0]], "one PDF");
            let layout = made[0].layout.as_ref().unwrap();
            assert_eq!(layout.overflow, Vec::<String>::new(), "{name} {}", made[0].output);
            let held = matches!(made[0].output, OutputKind::Print | OutputKind::Leaflet);
            let floor_mm = if elder && held { floor_mm * 1.4 } else { floor_mm };
            assert!(layout.min_glyph_px >= floor_mm as f32 / 25.4 * 96.0, "{name} {layout:?}");
            if held {
                assert!(text(&made[0]).contains(&branch.name), "{name}");
                assert!(made[0].output == OutputKind::Print || layout.word_count <= 500, "{name}");
            }
            text(&made[0])
        });
        staff_text_is_in_the_last_only(&scene, &outputs, &name);
    });
}

/// Every sentence of `:::staff` is in the morning sheet and in nothing a customer gets.
fn staff_text_is_in_the_last_only(scene: &Scene<'_>, outputs: &[String; 4], name: &str) {
    let mut words = Vec::new();
    sentences(scene, scene.variant.tiers.staff.as_ref().unwrap(), &mut words);
    assert!(words.len() > 4, "{name}");
    let squeezed = |text: &str| text.split_whitespace().collect::<String>();
    let [public @ .., morning] = outputs.each_ref().map(|text| squeezed(text));
    for sentence in words.iter().map(|sentence| squeezed(sentence)) {
        assert!(morning.contains(&sentence), "{name}: {sentence}");
        assert!(public.iter().all(|text| !text.contains(&sentence)), "{name}: {sentence}");
    }
    assert!(morning.contains("内部使用"));
}

fn sentences(scene: &Scene<'_>, blocks: &[Block], into: &mut Vec<String>) {
    for block in blocks {
        match &block.kind {
            BlockKind::Paragraph(content) => into.push(scene.plain(content)),
            BlockKind::List { items, .. } => {
                items.iter().for_each(|item| sentences(scene, &item.blocks, into));
            }
            _ => {}
        }
    }
}

#[test]
fn the_leaflet_has_two_sides_and_the_authors_own_text_where_there_is_one() {
    let demo = demo();
    let stage = demo.studio.stage().unwrap();
    let scene = scene(demo, "rmb-counterfeit", Audience::General);
    let artifacts = print::leaflet(&scene, &stage).unwrap();
    assert_eq!(
        artifacts.iter().map(|a| a.path.clone()).collect::<Vec<_>>(),
        print::leaflet_paths(&scene)
    );
    check_pdf(&artifacts[0].bytes, 2, (297.0, 210.0));
    for side in &artifacts[1..] {
        assert_eq!(png_header(&side.bytes), (3508, 2480, 11_811));
    }
    let written = text(&artifacts[0]);
    assert!(written.contains("破了的钱，网点免费换"), "`:::leaflet` was written for it");
    assert_eq!(print::leaflet(&scene, &stage).unwrap(), artifacts, "the same bytes again");

    let mut variant = scene.variant.clone();
    variant.tiers.leaflet = None;
    let composed = print::leaflet(&Scene { variant: &variant, ..scene }, &stage).unwrap();
    assert_ne!(text(&composed[0]), written, "else the article tells");
    variant.body.clear();
    let error = print::leaflet(&Scene { variant: &variant, ..scene }, &stage).unwrap_err();
    assert!(matches!(error, RenderError::MissingText { block: ":::leaflet", .. }), "{error}");
}

/// The general scene's variant, changed.
fn changed(change: impl FnOnce(&mut Variant)) -> Variant {
    let mut variant = scene(demo(), "telecom-fraud", Audience::General).variant.clone();
    change(&mut variant);
    variant
}

fn poster(variant: &Variant) -> Result<Artifact, RenderError> {
    let demo = demo();
    let stage = demo.studio.stage().unwrap();
    let lesson = scene(demo, "telecom-fraud", Audience::General).lesson;
    let branch = Some(longest(&demo.library));
    let scene = Scene { branch, ..demo.scene(lesson, variant) };
    print::posters(&scene, &stage).map(|mut artifacts| artifacts.swap_remove(0))
}

#[test]
fn a_poster_leaves_out_what_was_not_written() {
    let poster_text = |variant: &mut Variant| variant.tiers.poster.as_mut().unwrap().clone();
    let full = text(&poster(&changed(|_| {})).unwrap());
    for wanted in ["谁让你开共享，", "不共享屏幕", "乱跳？", "96110", "拔卡", "电话卡", "110"]
    {
        assert!(full.contains(wanted), "{wanted}");
    }
    let bare = changed(|variant| {
        let mut text = poster_text(variant);
        text.lead = None;
        text.lines.clear();
        text.cue = None;
        text.steps.truncate(3);
        for step in &mut text.steps {
            step.sentence.clear();
            step.hotline = None;
        }
        variant.tiers.poster = Some(text);
        variant.hotlines.clear();
    });
    let bare = text(&poster(&bare).unwrap());
    for unwanted in ["谁让你开共享", "不共享屏幕", "乱跳", "96110", "电话卡", "110"]
    {
        assert!(!bare.contains(unwanted), "{unwanted}");
    }
    assert!(bare.contains("断网"));
    // Without an advice number the box shows the last step's.
    let police = changed(|variant| {
        let library = &demo().library;
        variant.hotlines.retain(|id| library.hotline(id).unwrap().kind != HotlineKind::Advice);
    });
    let police = text(&poster(&police).unwrap());
    assert!(!police.contains("96110") && police.contains("马上报警"));
}

#[test]
fn a_poster_falls_to_the_screen_text_and_then_fails_by_name() {
    let screen = changed(|variant| variant.tiers.poster = None);
    assert!(text(&poster(&screen).unwrap()).contains("关机"));
    let none = changed(|variant| variant.tiers = Tiers::default());
    let error = poster(&none).unwrap_err();
    assert!(matches!(error, RenderError::MissingText { block: ":::poster", .. }), "{error}");
    let say = |words: &str| {
        vec![Inline { span: Span::default(), kind: InlineKind::Text(words.to_owned()) }]
    };
    let long = changed(|variant| {
        variant.tiers.screen = None;
        let lines = &mut variant.tiers.poster.as_mut().unwrap().lines;
        *lines = vec![say("不"); 9];
    });
    let error = poster(&long).unwrap_err();
    assert!(matches!(error, RenderError::DoesNotFit { .. }), "{error}");
    let rare = changed(|variant| {
        variant.tiers.poster.as_mut().unwrap().lines[0] = say("不借𰻝卡");
    });
    let error = poster(&rare).unwrap_err();
    assert!(matches!(error, RenderError::MissingGlyphs(_)), "{error}");

    // A student's screen text is a conversation; it stands where the lines would.
    let demo = demo();
    let stage = demo.studio.stage().unwrap();
    let student = scene(demo, "campus-loan", Audience::Student);
    let mut variant = student.variant.clone();
    variant.tiers.poster = None;
    let spoken = print::posters(&Scene { variant: &variant, ..student }, &stage).unwrap();
    assert!(text(&spoken[0]).contains("那就按4200还。"));
}

#[test]
fn the_notice_shows_the_bank_before_the_regulators() {
    let demo = demo();
    let stage = demo.studio.stage().unwrap();
    let whole = NoticeScene { bank: &demo.config.bank, library: &demo.library, branch: None };
    let artifacts = print::notice(&whole, &stage).unwrap();
    assert_eq!(
        artifacts.iter().map(|a| a.path.clone()).collect::<Vec<_>>(),
        print::notice_paths(&whole)
    );
    check_pdf(&artifacts[0].bytes, 1, (210.0, 297.0));
    assert_eq!(png_header(&artifacts[1].bytes), (2480, 3508, 11_811));
    let shown = text(&artifacts[0]);
    let at = |number: &str| shown.find(number).unwrap_or_else(|| panic!("{number}"));
    assert!(at("95XXX") < at("12378") && at("12378") < at("12363"));
    assert!(shown.contains("2026年11月10日") && shown.contains("24小时"));

    let branch = Branch { hotline: Some("95XXX-7".into()), ..longest(&demo.library).clone() };
    let own = print::notice(&NoticeScene { branch: Some(&branch), ..whole }, &stage).unwrap();
    assert_eq!(own.len(), 1);
    assert!(text(&own[0]).contains(&branch.address) && text(&own[0]).contains("95XXX-7"));

    // Without the set, the bank's number and the regulators'; with an emergency number, that first.
    let mut library = demo.library.clone();
    library.hotline_sets.clear();
    let shown =
        text(&print::notice(&NoticeScene { library: &library, ..whole }, &stage).unwrap()[0]);
    assert!(shown.contains("12378") && !shown.contains("96110"));
    library.hotlines.clear();
    let error = print::notice(&NoticeScene { library: &library, ..whole }, &stage).unwrap_err();
    assert!(matches!(error, RenderError::Unknown { kind: "电话表", .. }), "{error}");
}

#[test]
fn the_booth_needs_questions_and_the_meeting_its_text() {
    let demo = demo();
    let stage = demo.studio.stage().unwrap();
    let scene = scene(demo, "telecom-fraud", Audience::General);
    let booth = print::booth(&scene, &stage).unwrap();
    check_pdf(&booth[0].bytes, 1, (210.0, 297.0));
    for wanted in ["参加人数", "发放折页", "咨询人数", "日期", "一共享"] {
        assert!(text(&booth[0]).contains(wanted), "{wanted}");
    }
    let mut variant = scene.variant.clone();
    variant.body.clear();
    variant.tiers.staff = None;
    let empty = Scene { variant: &variant, ..scene };
    assert!(matches!(print::booth(&empty, &stage), Err(RenderError::MissingText { .. })));
    assert!(matches!(print::morning(&empty, &stage), Err(RenderError::MissingText { .. })));
}
