//! Short texts: whole or not at all.

use crate::sample::*;
use caishi::{
    model::*,
    render::{Limits, RenderError, Scene, brief},
};

type Make = fn(&Scene<'_>, &Limits) -> Result<Artifact, RenderError>;

fn made(make: Make, edit: &dyn Fn(&mut Variant)) -> Result<String, String> {
    let bank = bank();
    let mut library = library(Audience::General, vec![]);
    let variant = library.lessons[0].variants.get_mut(&Audience::General).unwrap();
    variant.tiers = tiers();
    edit(variant);
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
    let artifact = make(&scene, &Limits::default()).map_err(|error| error.to_string())?;
    assert_eq!(artifact.media_type, MediaType::Text);
    Ok(String::from_utf8(artifact.bytes).unwrap())
}

fn tier(words: &str) -> Option<Located<Vec<Inline>>> {
    Some(located(text(words)))
}

#[test]
fn texts_are_used_whole() {
    let whole = |make, want: &str| assert_eq!(made(make, &|_| ()).unwrap(), want);
    whole(brief::post, "“平台客服”要你装软件、开共享？先挂断。再拨110报警。");
    whole(brief::ticker, "挂断让你共享屏幕的“客服”电话，受骗请拨110。");
    whole(brief::banner, "让你共享屏幕的，先挂断再说");
    whole(brief::sms, "【山城示范银行】“客服”来电要您共享屏幕，请先挂断，再拨95XXX核实。");
    whole(
        brief::staff_card,
        "厅堂话术卡（仅供员工）\n对方让你共享屏幕？请立刻挂断\n\n先问客户三句话\n\n1. 这笔钱是谁让您转的？\n2. 他让您装软件了吗？",
    );
}

#[test]
fn each_limit_holds_to_the_character() {
    let check =
        |make: Make, edit: &dyn Fn(&mut Variant, &str), fits: &str, too_long: &str, want: &str| {
            let text = made(make, &|variant| edit(variant, fits)).unwrap();
            assert!(text.contains(fits), "{text}");
            let error = made(make, &|variant| edit(variant, too_long)).unwrap_err();
            assert!(error.contains(want), "{error}");
        };
    let of = |count| "字".repeat(count);
    let post = |variant: &mut Variant, words: &str| variant.tiers.post = tier(words);
    check(brief::post, &post, &of(140), &of(141), "短文有 141个字符，上限是 140");
    let ticker = |variant: &mut Variant, words: &str| variant.tiers.ticker = tier(words);
    check(brief::ticker, &ticker, &of(40), &of(41), "滚动字幕有 41字");
    let banner = |variant: &mut Variant, words: &str| variant.tiers.banner = tier(words);
    check(brief::banner, &banner, &of(20), &of(21), "横幅有 21字");
    let sms = |variant: &mut Variant, words: &str| variant.tiers.sms = tier(words);
    check(brief::sms, &sms, &of(62), &of(63), "短信有 71个字符");
    // A character beyond the first plane takes two units on the air.
    check(brief::sms, &sms, &format!("{}𠮷", of(60)), &format!("{}𠮷", of(61)), "短信有 71");
    let staff = |variant: &mut Variant, words: &str| variant.tiers.staff = Some(vec![p(words)]);
    check(brief::staff_card, &staff, &of(400), &of(401), "厅堂话术卡有 401字");
}

#[test]
fn the_signature_stands_once_and_first() {
    for words in ["请先挂断。", "【山城示范银行】请先挂断。"] {
        let text = made(brief::sms, &|variant| variant.tiers.sms = tier(words)).unwrap();
        assert_eq!(text, "【山城示范银行】请先挂断。");
    }
}

#[test]
fn only_the_banner_has_a_fallback_and_it_keeps_its_negation() {
    let text = made(brief::banner, &|variant| variant.tiers.banner = None).unwrap();
    assert_eq!(text, "正规客服不会要你共享屏幕");
    let missing = |make: Make, block: &str| {
        let error = made(make, &|variant| variant.tiers = Tiers::default()).unwrap_err();
        assert!(error.contains(&format!("缺少 {block}")), "{error}");
    };
    missing(brief::post, ":::post");
    missing(brief::ticker, ":::ticker");
    missing(brief::sms, ":::sms");
    missing(brief::staff_card, ":::staff");
    let blank = made(brief::post, &|variant| variant.tiers.post = tier(" ")).unwrap_err();
    assert!(blank.contains("缺少 :::post"));
}

#[test]
fn lamp_panels_get_plain_text_on_one_line() {
    for words in ["先挂断📵", "先挂断✔", "先\u{200B}挂断"] {
        let error = made(brief::ticker, &|variant| variant.tiers.ticker = tier(words)).unwrap_err();
        assert!(error.contains("不是普通文字"), "{error}");
    }
    let mut lines = text("先挂断");
    lines.push(inline(InlineKind::HardBreak));
    lines.extend(text("再报警"));
    let text = made(brief::ticker, &|variant| variant.tiers.ticker = Some(located(lines.clone())));
    assert_eq!(text.unwrap(), "先挂断 再报警");
}

#[test]
fn a_staff_card_keeps_every_kind_of_block() {
    let (first, second) = (rich_body()[..13].to_vec(), rich_body()[13..].to_vec());
    for (name, blocks) in [("first", first), ("second", second)] {
        let card = made(brief::staff_card, &|variant| variant.tiers.staff = Some(blocks.clone()));
        insta::assert_snapshot!(format!("brief_staff_card_{name}"), card.unwrap());
    }
}
