//! Posters: what is reused equals what is drawn whole, nothing is clipped, everything can be read
//! and scanned.

use crate::demo::{Demo, demo};
use caishi::{
    model::{Audience, Branch, BranchId, Headline, HeadlinePart, Library},
    render::{
        RenderError, Scene, Stage,
        palette::contrast,
        poster::{
            compose::Tier,
            design::Design,
            engine::Pixels,
            png,
            qr::QrCode,
            scale::{HAN_HEIGHT_EM, Profile, Scheme},
        },
    },
};
use proptest::prelude::*;
use rayon::prelude::*;

fn design(demo: &Demo, scene: &Scene<'_>, stage: &Stage<'_>, profile: &Profile) -> Design {
    let text = scene.variant.tiers.screen.as_ref().unwrap();
    Design::new(scene, stage, demo.studio.scale(), text, profile).unwrap_or_else(|error| {
        panic!("{} {} {}: {error}", scene.lesson.id, scene.variant.audience, profile.name)
    })
}

/// Decodes a PNG with an independent decoder into RGB rows.
fn decode(bytes: &[u8]) -> (u32, u32, Vec<u8>) {
    let mut reader = ::png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    assert_eq!((info.color_type, info.bit_depth), (::png::ColorType::Rgb, ::png::BitDepth::Eight));
    (info.width, info.height, pixels)
}

fn rgb(pixels: &Pixels) -> Vec<u8> {
    pixels.rgba.chunks_exact(4).flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect()
}

fn scan(width: u32, pixels: &[u8], (x, y, side, _): (u32, u32, u32, u32)) -> String {
    let grey = |column: usize, row: usize| {
        let start = ((y as usize + row) * width as usize + x as usize + column) * 3;
        let sum: u32 = pixels[start..start + 3].iter().map(|value| u32::from(*value)).sum();
        (sum / 3) as u8
    };
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(side as usize, side as usize, grey);
    let grids = image.detect_grids();
    assert_eq!(grids.len(), 1, "one code in its field");
    grids[0].decode().unwrap().1
}

/// The promise behind the speed: for every design × profile the file made of reused parts decodes
/// to exactly the pixels of a poster that the engine drew whole, and it is a poster one can use.
#[test]
fn reused_parts_decode_to_the_pixels_of_a_whole_render() {
    let demo = demo();
    let stage = demo.studio.stage().unwrap();
    let profiles = demo.profiles();
    assert!(profiles.len() >= 11, "all profiles of the issue and an odd one");
    let pairs: Vec<_> = demo
        .scenes()
        .into_iter()
        .flat_map(|scene| profiles.iter().map(move |profile| (scene, profile)))
        .collect();
    assert!(pairs.len() >= 24 * 11);
    pairs.par_iter().enumerate().for_each(|(index, (scene, profile))| {
        let design = design(demo, scene, &stage, profile);
        let branch = &demo.library.branches[index % demo.library.branches.len()];
        let here = Scene { branch: Some(branch), ..*scene };
        let code = QrCode::new(&here.qr_address()).unwrap();
        let mut strip = design.strip(&stage, branch).unwrap();
        design.draw_code(&mut strip, &code);
        let head = design.compressed_head(stage.fonts).unwrap();
        let file = head.finish(&strip).unwrap();
        let bytes = file.to_bytes();
        let (width, height, pixels) = decode(&bytes);
        let name = format!("{} {} {}", scene.lesson.id, scene.variant.audience, profile.name);
        assert_eq!((width, height), (profile.width, profile.height), "{name}");
        assert!(pixels == rgb(&design.whole(&stage, branch, &code).unwrap()), "{name}");
        assert_eq!(file.digest(), caishi::model::Digest::of(&bytes), "{name}");
        assert_sound(&design, &here, &name);
        if let Some(rect) = design.code_rect() {
            assert_eq!(scan(width, &pixels, rect), here.qr_address(), "{name}");
        }
        if (profile.width, profile.height) == (1080, 1920) {
            assert!(bytes.len() <= 300_000, "{name}: {} bytes", bytes.len());
        }
    });
}

/// What must hold of every poster: nothing overflows, letters are as high as the distance asks,
/// colours contrast, and the object is there.
fn assert_sound(design: &Design, scene: &Scene<'_>, name: &str) {
    let audience = scene.variant.audience;
    let report = &design.report;
    assert_eq!(report.overflow, Vec::<String>::new(), "{name}");
    assert!(!report.boxes.is_empty(), "{name}");
    let floor = design.profile.floor_font_px(audience) * HAN_HEIGHT_EM;
    assert!(f64::from(report.min_glyph_px) >= floor - 0.5, "{name}: {} px", report.min_glyph_px);
    let least = if audience == Audience::Elder { 7.0 } else { 4.5 };
    for (text, ground) in &report.colours {
        let ratio = contrast(text, ground).unwrap();
        assert!(ratio >= least, "{name}: {text} on {ground} is {ratio:.2}");
    }
    let readable = design.profile.readable_words(audience);
    assert!(report.word_count <= readable || design.tier == Tier::Headline, "{name}");
    assert!(design.has_object(), "{name} has its object");
    let ribbon = Scheme::of(design.profile.width, design.profile.height) == Scheme::Ribbon;
    assert_eq!(design.has_code(), !ribbon, "{name}");
}

#[test]
fn a_slot_too_short_to_read_in_shows_a_shorter_tier() {
    let demo = demo();
    let stage = demo.studio.stage().unwrap();
    let scene = demo.named("telecom-fraud", Audience::General);
    let mut profile = demo.profile("portrait-fhd");
    let tier = |profile: &Profile| design(demo, &scene, &stage, profile).tier;
    assert_eq!(tier(&profile), Tier::Full);
    profile.dwell_s = 7.0;
    assert_eq!(tier(&profile), Tier::Short);
    profile.dwell_s = 3.0;
    assert_eq!(tier(&profile), Tier::Headline);
}

#[test]
fn letters_grow_with_the_distance_and_fail_by_name_when_there_is_no_room() {
    let demo = demo();
    let stage = demo.studio.stage().unwrap();
    let scene = demo.named("telecom-fraud", Audience::General);
    let mut profile = demo.profile("portrait-fhd");
    let near = design(demo, &scene, &stage, &profile).report.min_glyph_px;
    profile.distance_m = 3.8;
    let far = design(demo, &scene, &stage, &profile).report.min_glyph_px;
    assert!(far > near * 1.07, "{near} at 3 m, {far} at 3.8 m");
    profile.distance_m = 30.0;
    let text = scene.variant.tiers.screen.as_ref().unwrap();
    let error = Design::new(&scene, &stage, demo.studio.scale(), text, &profile).unwrap_err();
    assert!(matches!(error, RenderError::DoesNotFit { .. }), "{error}");
    assert!(error.to_string().contains("portrait-fhd"), "{error}");
}

#[test]
fn a_headline_that_cannot_fit_is_named() {
    let demo = demo();
    let stage = demo.studio.stage().unwrap();
    let scene = demo.named("telecom-fraud", Audience::General);
    let mut variant = scene.variant.clone();
    let part = HeadlinePart { text: "很长".repeat(60), lure: false };
    variant.headline.value = Headline { lines: vec![vec![part]] };
    let scene = Scene { variant: &variant, ..scene };
    let profile = demo.profile("landscape-fhd");
    let text = scene.variant.tiers.screen.as_ref().unwrap();
    let error = Design::new(&scene, &stage, demo.studio.scale(), text, &profile).unwrap_err();
    assert!(error.to_string().contains("很长很长"), "{error}");
    assert!(error.to_string().contains("headline"), "{error}");
}

#[test]
fn a_character_without_a_glyph_is_named_with_its_place() {
    let demo = demo();
    let stage = demo.studio.stage().unwrap();
    let scene = demo.named("telecom-fraud", Audience::General);
    let mut variant = scene.variant.clone();
    let headline = variant.file.text.lines().position(|l| l.starts_with("headline:")).unwrap() + 1;
    let text = variant.file.text.replace("正规客服", "正规😀𰻞客服");
    variant.file = std::sync::Arc::new(caishi::model::SourceFile {
        path: variant.file.path.clone(),
        text: text.into(),
    });
    variant.headline.value.lines[0][0].text.insert_str(0, "😀𰻞");
    let scene = Scene { variant: &variant, ..scene };
    let screen = scene.variant.tiers.screen.as_ref().unwrap();
    let profile = demo.profile("portrait-fhd");
    let error = Design::new(&scene, &stage, demo.studio.scale(), screen, &profile).unwrap_err();
    let message = error.to_string();
    for expected in ["“😀”（U+1F600", "“𰻞”（U+30EDE", &format!("lesson.md:{headline}:")]
    {
        assert!(message.contains(expected), "{message} lacks {expected}");
    }
}

#[test]
fn strips_are_fitted_for_the_longest_branch_of_the_network() {
    let demo = demo();
    let stage = demo.studio.stage().unwrap();
    let mut library: Library = demo.library.clone();
    library.branches.push(Branch {
        id: BranchId::new("long").unwrap(),
        name: "名字长到任何屏幕都放不下的一个网点".repeat(3),
        district: String::new(),
        tags: Vec::new(),
        address: "长街1号".into(),
        hotline: None,
        hours: String::new(),
        gateway: None,
    });
    let scene = demo.named("telecom-fraud", Audience::General);
    let scene = Scene { library: &library, ..scene };
    let text = scene.variant.tiers.screen.as_ref().unwrap();
    let profile = demo.profile("portrait-fhd");
    let error = Design::new(&scene, &stage, demo.studio.scale(), text, &profile).unwrap_err();
    assert!(error.to_string().contains("branches.csv"), "{error}");
}

#[test]
fn palettes_keep_shapes_apart_from_their_ground() {
    let demo = demo();
    let stage = demo.studio.stage().unwrap();
    let mut seen = 0;
    for (name, palette) in stage.palettes.campaigns() {
        let ratio = contrast(&palette.alert, &palette.ground).unwrap();
        assert!(ratio >= 3.0, "{name}: the stopping hand has {ratio:.2}");
        seen += 1;
    }
    assert_eq!(seen, 8);
    assert_eq!(contrast("#000000", "#FFFFFF").unwrap().round() as u32, 21);
    assert_eq!(contrast("red", "#FFFFFF"), None);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any screen a branch may declare gets a sound poster or an error with a name, never a panic
    /// and never a clipped line.
    #[test]
    fn any_screen_gets_a_sound_poster_or_a_named_error(
        width in 200_u32..2400,
        height in 200_u32..2400,
        mm_per_px in 0.1_f32..1.2,
        distance_m in 0.3_f32..6.0,
        dwell_s in 3.0_f32..30.0,
        pick in 0_usize..24,
    ) {
        let demo = demo();
        let stage = demo.studio.stage().unwrap();
        let scenes = demo.scenes();
        let scene = &scenes[pick % scenes.len()];
        let profile = Profile {
            name: "any".into(), width, height, mm_width: mm_per_px * width as f32, distance_m, dwell_s,
        };
        let text = scene.variant.tiers.screen.as_ref().unwrap();
        match Design::new(scene, &stage, demo.studio.scale(), text, &profile) {
            Ok(design) => {
                prop_assert!(design.report.overflow.is_empty());
                let head = design.head(stage.fonts).unwrap();
                prop_assert_eq!(head.width, width);
            }
            Err(error) => prop_assert!(matches!(error, RenderError::DoesNotFit { .. }), "{}", error),
        }
    }

    /// Segments joined are the picture, whatever the rows hold.
    #[test]
    fn a_png_in_segments_decodes_to_its_rows(
        width in 1_u32..40,
        head_rows in 1_u32..20,
        tail_rows in 1_u32..20,
        seed in any::<u64>(),
        density in proptest::option::of(1_u32..20_000),
    ) {
        let mut state = seed | 1;
        let mut pixels = |rows: u32| {
            let rgba = (0..width * rows).flat_map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let value = (state >> 60) as u8 * 16;
                [value, value / 2, 7, 255]
            });
            Pixels { width, height: rows, rgba: rgba.collect() }
        };
        let (head, tail) = (pixels(head_rows), pixels(tail_rows));
        let file = png::Head::new(&head, head_rows + tail_rows, density).unwrap();
        let (w, h, decoded) = decode(&file.finish(&tail).unwrap().to_bytes());
        prop_assert_eq!((w, h), (width, head_rows + tail_rows));
        prop_assert_eq!(decoded, [rgb(&head), rgb(&tail)].concat());
    }
}
