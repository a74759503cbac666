//! The portal page: one file, no script, no request.

use crate::{
    html::{Piece, pieces, visible},
    sample::*,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use caishi::{
    model::*,
    render::{
        Limits, RenderError, Scene,
        portal::{self, PortalOptions},
    },
};
use sha2::{Digest as _, Sha256};

fn made(
    audience: Audience,
    branch: Option<&Branch>,
    edit: &dyn Fn(&mut Library),
) -> Result<String, RenderError> {
    let (stage, bank) = (stage(), bank());
    let mut library = library(audience, rich_body());
    library.lessons[0].variants.get_mut(&audience).unwrap().tiers = tiers();
    edit(&mut library);
    let lesson = &library.lessons[0];
    let variant = &lesson.variants[&audience];
    let scene =
        Scene { bank: &bank, library: &library, lesson, variant, branch, approval_number: None };
    let artifact = portal::render(&scene, &stage, &PortalOptions::default(), &Limits::default())?;
    Ok(String::from_utf8(artifact.bytes).unwrap())
}

fn page(audience: Audience) -> String {
    made(audience, Some(&branch()), &|_| ()).unwrap()
}

fn edit_variant(library: &mut Library) -> &mut Variant {
    library.lessons[0].variants.values_mut().next().unwrap()
}

#[test]
fn pages_ask_nobody_for_anything() {
    for audience in Audience::ALL.iter().copied() {
        let html = page(audience);
        assert!(html.len() <= 20_000, "{audience}: {} bytes", html.len());
        let mut headings = 0;
        for piece in pieces(&html) {
            let Piece::Open { tag, attributes } = &piece else { continue };
            assert!(!["script", "link", "iframe", "object", "input"].contains(&tag.as_str()));
            headings += usize::from(tag == "h1");
            for (name, value) in attributes {
                assert!(!name.starts_with("on") && name != "style", "<{tag} {name}>");
                let inner = match name.as_str() {
                    "src" => value.starts_with("data:image/svg+xml,"),
                    "href" => value.starts_with("tel:"),
                    "action" => value == "/continue",
                    _ => true,
                };
                assert!(inner, "{name}={value}");
            }
            if tag == "img" {
                assert!(!piece.attribute("alt").unwrap().is_empty());
            }
        }
        assert_eq!(headings, 1, "one h1");
        assert!(!html.contains("url(") && !html.contains("@import"));
        assert!(html.starts_with("<!doctype html>\n<html lang=\"zh-CN\">"));
    }
}

#[test]
fn the_policy_names_exactly_the_sheet() {
    let html = page(Audience::General);
    let pieces = pieces(&html);
    let policy = pieces
        .iter()
        .find(|piece| piece.attribute("http-equiv").is_some())
        .and_then(|piece| piece.attribute("content"))
        .unwrap();
    let at = pieces
        .iter()
        .position(|piece| matches!(piece, Piece::Open { tag, .. } if tag == "style"))
        .unwrap();
    let Piece::Text(sheet) = &pieces[at + 1] else { panic!("no sheet") };
    let digest = STANDARD.encode(Sha256::digest(sheet.as_bytes()));
    assert!(policy.contains("default-src 'none'"));
    assert!(policy.contains(&format!("style-src 'sha256-{digest}'")));
}

#[test]
fn the_way_on_is_a_form_before_and_after_the_lesson() {
    let html = page(Audience::General);
    let form = "<form action=\"/continue\" method=\"get\"><button type=\"submit\">";
    let places: Vec<_> = html.match_indices(form).map(|(at, _)| at).collect();
    assert_eq!(places.len(), 2);
    let lesson = html.find("守住三条线").unwrap();
    assert!(places[0] < lesson && lesson < places[1]);
}

#[test]
fn each_family_as_a_whole() {
    for audience in Audience::ALL.iter().copied() {
        let html = page(audience);
        let start = html.find("<body>").unwrap();
        insta::assert_snapshot!(format!("portal_{audience}"), &html[start..]);
    }
}

#[test]
fn numbers_are_dialled_and_placeholders_are_not() {
    let html = page(Audience::General);
    assert!(html.contains("href=\"tel:110\"") && html.contains("href=\"tel:96110\""));
    assert!(!html.contains("tel:95"), "95XXX cannot be dialled");
    let own = Branch { hotline: Some("023-6611 2233".into()), ..branch() };
    let html = made(Audience::General, Some(&own), &|_| ()).unwrap();
    assert!(html.contains("href=\"tel:02366112233\"") && html.contains("客服 023-6611 2233"));
}

#[test]
fn what_is_not_written_leaves_no_trace() {
    let bare = |library: &mut Library| {
        let variant = edit_variant(library);
        variant.body = vec![p("开篇。")];
        variant.facts_review_by = None;
        let tier = variant.tiers.portal.as_mut().unwrap();
        *tier = PosterText { lines: vec![], steps: vec![], lead: None, cue: None, ..tier.clone() };
    };
    for audience in Audience::ALL.iter().copied() {
        let html = made(audience, None, &bare).unwrap();
        let body = &html[html.find("<body>").unwrap()..];
        for absent in
            ["<details", "守住", "class=\"lead\"", "<ol", "青石坡", "内容核对", "class=\"chat\""]
        {
            assert!(!body.contains(absent), "{audience}: {absent}");
        }
        pieces(&html);
    }
    let talk = |library: &mut Library| {
        let tier = edit_variant(library).tiers.portal.as_mut().unwrap();
        tier.dialogue = vec![turn("放贷人", "借5000"), turn("我", "不借。")];
        tier.lead.as_mut().unwrap().imperative = vec![];
        tier.steps[3].hotline = Some(HotlineId::new("bank").unwrap());
    };
    let html = made(Audience::Student, None, &talk).unwrap();
    assert!(html.contains("<li class=\"they\">") && html.contains("<li class=\"me\">"));
    assert!(html.contains("<p class=\"lead\">谁让你开共享，</p>"));
    assert!(html.contains("<strong>95XXX</strong>"));
}

#[test]
fn hostile_text_is_only_text() {
    let words = "<script>alert(1)</script>\" onclick=\"x $(mac) $(if logged)";
    let hostile = |library: &mut Library| {
        library.lessons[0].assets.by_file.values_mut().for_each(|asset| {
            asset.alt = words.into();
            let svg = OBJECT.replace("<rect", "<script>alert('1')</script><rect");
            asset.bytes = svg.as_bytes().into();
        });
        let variant = edit_variant(library);
        variant.title.value = words.into();
        variant.headline.value = headline("<b>|[<i>]");
        let tier = variant.tiers.portal.as_mut().unwrap();
        tier.lines.push(vec![inline(InlineKind::Text(words.into())), link("x", "javascript:y")]);
        tier.cue = Some(vec![inline(InlineKind::Text(words.into()))]);
    };
    let branch = Branch { name: words.into(), address: words.into(), ..branch() };
    let html = made(Audience::General, Some(&branch), &hostile).unwrap();
    assert!(!html.contains("$(") && !html.contains("javascript:") && !html.contains("<script"));
    for piece in pieces(&html) {
        assert_eq!(piece.attribute("onclick"), None);
    }
    assert!(visible(&html).contains(words));
}

#[test]
fn labels_are_drawn_into_the_object() {
    let labelled = |library: &mut Library| {
        edit_variant(library).object_labels = vec![ObjectLabel {
            text: Located { value: "4200".into(), span: Span::default() },
            x: 50.0,
            y: 50.0,
            size: 20.0,
            rotate: 8.0,
            colour: "white".into(),
            bold: true,
        }];
    };
    let html = made(Audience::Student, None, &labelled).unwrap();
    assert!(html.contains("4200%3C/text%3E"));
}

#[test]
fn only_addresses_lead_on() {
    let (stage, bank, mut library) = (stage(), bank(), library(Audience::General, vec![]));
    edit_variant(&mut library).tiers = tiers();
    let lesson = &library.lessons[0];
    let variant = &lesson.variants[&Audience::General];
    let scene = Scene {
        bank: &bank,
        library: &library,
        lesson,
        variant,
        branch: None,
        approval_number: None,
    };
    let render = |url: &str| {
        let options = PortalOptions { continue_url: url.into() };
        portal::render(&scene, &stage, &options, &Limits::default())
    };
    for url in ["/continue", "#go", "http://192.168.1.1:2050/auth?tok=a&redir=\"x"] {
        pieces(std::str::from_utf8(&render(url).unwrap().bytes).unwrap());
    }
    assert!(render("javascript:alert(1)").unwrap_err().to_string().contains("javascript"));
}

#[test]
fn a_page_without_text_or_above_its_size_is_refused() {
    let missing = made(Audience::General, None, &|library| {
        edit_variant(library).tiers.portal = None;
    });
    assert!(missing.unwrap_err().to_string().contains("缺少 :::portal"));
    let large = made(Audience::General, None, &|library| {
        let lines = &mut edit_variant(library).tiers.portal.as_mut().unwrap().lines;
        lines.push(text(&"字".repeat(100_000)));
    });
    assert!(large.unwrap_err().to_string().contains("上限是 300000字节"));
}
