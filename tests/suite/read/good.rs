//! A good lesson comes out whole: every block of the dialect, in its place.

use super::{Content, case, good_general};
use caishi::model::{
    Audience, Block, BlockKind, Directive, InlineKind, OutputKind, Span, Variant, plain_text,
};

fn general() -> Variant {
    let content = Content::new();
    content.good_lesson("good");
    let mut library = content.expect(&[]).library;
    library.lessons.remove(0).variants.remove(&Audience::General).unwrap()
}

/// The general variant of the good lesson with another body.
fn with_body(body: &str) -> Vec<Block> {
    let content = Content::new();
    let good = good_general("good");
    let front = &good[..good.rfind("---\n").unwrap() + 4];
    content.lesson("good", &format!("{front}\n{body}\n"), &case("lesson.elder.md"));
    let mut library = content.expect(&[]).library;
    library.lessons.remove(0).variants.remove(&Audience::General).unwrap().body
}

/// The blocks' kinds, nested, in one line.
fn outline(blocks: &[Block]) -> String {
    blocks.iter().map(|block| outline_of(&block.kind)).collect::<Vec<_>>().join(" ")
}

fn outline_of(kind: &BlockKind) -> String {
    let text = |content: &[_]| plain_text(content, &|kind| format!("<{kind:?}>"));
    match kind {
        BlockKind::Paragraph(content) => text(content),
        BlockKind::Heading { level, content, .. } => format!("h{level}({})", text(content)),
        BlockKind::List { items, .. } => {
            let items = items.iter().map(|item| format!("({})", outline(&item.blocks)));
            format!("list{}", items.collect::<String>())
        }
        BlockKind::Quote(blocks) => format!("quote({})", outline(blocks)),
        BlockKind::Alert { kind, blocks } => format!("{kind:?}({})", outline(blocks)),
        BlockKind::Code { language, text } => format!("code[{language}]({})", text.escape_debug()),
        BlockKind::Table { head, rows, .. } => format!("table({}x{})", head.len(), rows.len()),
        BlockKind::Rule => "rule".into(),
        BlockKind::Footnote { label, blocks } => format!("note[{label}]({})", outline(blocks)),
        BlockKind::Directive(Directive::Scam(blocks)) => format!("scam({})", outline(blocks)),
        BlockKind::Directive(Directive::Callout { blocks, .. }) => {
            format!("tip({})", outline(blocks))
        }
        BlockKind::Directive(Directive::Case { blocks, .. }) => {
            format!("case({})", outline(blocks))
        }
        BlockKind::Directive(other) => {
            let name = format!("{other:?}");
            name.split(['(', ' ', '{']).next().unwrap().to_owned()
        }
    }
}

#[track_caller]
fn check(body: &str, expected: &str) {
    assert_eq!(outline(&with_body(body)), expected);
}

#[test]
fn every_block_of_the_good_lesson_is_there() {
    assert_eq!(
        outline(&general().body),
        "谁让你共享屏幕，先挂断。再打<Hotline(HotlineId(\"police\"))>。 note[1](公安部提示。) h2(一句话说清) \
         quote(引用里也能放块： scam(您打开共享，我教您。)) list(列表里也能放块： tip(先挂断，再核实。)) RedFlags \
         Steps Statistic Calculation Quiz Dialogue Glossary 一只手挡住手机"
    );
}

#[test]
fn directives_nest_with_equal_or_more_colons() {
    check(":::case\n甲\n:::scam\n乙\n:::\n丙\n:::\n丁", "case(甲 scam(乙) 丙) 丁");
    check("::::case\n:::scam\n乙\n:::\n丙\n::::\n丁", "case(scam(乙) 丙) 丁");
    check("甲\n:::tip\n乙\n:::\n丙", "甲 tip(乙) 丙");
    check(
        "> :::tip\n> - 甲\n>\n>   :::scam\n>   乙\n>   :::\n> :::",
        "quote(tip(list(甲 scam(乙))))",
    );
    check("- :::tip\n  甲\n  :::\n- 乙", "list(tip(甲))(乙)");
    check("| 甲 | 乙 |\n|---|---|\n| 丙 | 丁 |\n:::tip\n戊\n:::", "table(2x1) tip(戊)");
    check("::: tip\r\n甲\r\n:::\r\n", "tip(甲)");
}

#[test]
fn fences_in_code_are_text() {
    check("```text\n:::tip\n**甲。**乙\n:::\n```", "code[text](:::tip\\n**甲。**乙\\n:::\\n)");
    check("> ~~~\n> :::tip\n> ~~~", "quote(code[](:::tip\\n))");
    check("    :::tip\n    1~2", "code[](:::tip\\n1~2\\n)");
    check("`:::tip` 和 `**甲。**乙`", ":::tip 和 **甲。**乙");
    check("<!--\n:::tip\n-->\n甲<!-- 注 -->乙", "甲乙");
}

#[test]
fn blocks_without_content_may_leave_out_the_closing_fence() {
    check(":::hotline{set=fraud}\n\n甲", "HotlineTable 甲");
    check(":::hotline\n:::\n甲", "HotlineTable 甲");
    check(":::tip\n:::qr{target=self}\n甲\n:::\n乙", "tip(QrCode 甲) 乙");
}

#[test]
fn gfm_is_read() {
    check("> [!TIP]\n> 甲", "Tip(甲)");
    check("- [x] 甲\n- [ ] 乙\n\n---", "list(甲)(乙) rule");
    check("## 打{{hotline:police}}", "h2(打<Hotline(HotlineId(\"police\"))>)");
    check("{{bank:name}}的~~旧~~价", "<BankName>的旧价");
}

#[test]
fn spans_point_at_the_source() {
    let variant = general();
    let text = |span: Span| &variant.file.text[span.start..span.end];
    let BlockKind::Paragraph(opening) = &variant.body[0].kind else { panic!() };
    assert_eq!(text(opening[0].span), "**谁让你共享屏幕，先挂断。**");
    assert_eq!(text(opening[1].span), "再打");
    assert_eq!(text(opening[2].span), "{{hotline:police}}");
    assert_eq!(text(opening[4].span), "[^1]");
    let BlockKind::Quote(quote) = &variant.body[3].kind else { panic!() };
    assert_eq!(text(quote[1].span), ":::scam\n> 您打开共享，我教您。\n> :::");
    assert_eq!(text(variant.title.span), variant.title.value);
}

#[test]
fn a_variant_inherits_what_it_leaves_out() {
    let content = Content::new();
    content.good_lesson("good");
    let library = content.expect(&[]).library;
    let lesson = &library.lessons[0];
    let (general, elder) =
        (&lesson.variants[&Audience::General], &lesson.variants[&Audience::Elder]);
    assert_eq!(elder.title.value, "电话里让您共享屏幕，先挂断");
    assert_eq!(elder.headline.value, general.headline.value);
    assert_eq!(elder.headline.span, Span::default());
    assert_ne!(elder.digest, general.digest);
    assert_eq!(
        general.hotlines.iter().map(caishi::model::HotlineId::as_str).collect::<Vec<_>>(),
        ["police", "bank"]
    );
    assert_eq!(general.qr_label, "扫码看全文");
    assert_eq!(general.outputs.len(), OutputKind::ALL.len() - 1);
    assert!(!general.outputs.contains(&OutputKind::Newspic));
    let lines: Vec<Vec<(&str, bool)>> = general
        .headline
        .value
        .lines
        .iter()
        .map(|line| line.iter().map(|part| (part.text.as_str(), part.lure)).collect())
        .collect();
    assert_eq!(lines, [vec![("正规客服不会", false)], vec![("要你", false), ("共享屏幕", true)]]);
    assert_eq!(lesson.assets.get("object.svg").unwrap().alt, "一只手挡住手机");
}

#[test]
fn tiers_are_taken_out_of_the_article() {
    let tiers = general().tiers;
    let plain = |content: &[_]| plain_text(content, &|_| String::new());
    let screen = tiers.screen.unwrap();
    let lead = screen.lead.unwrap();
    assert_eq!(
        (plain(&lead.plain), plain(&lead.imperative)),
        ("谁让你开共享，".into(), "先挂断。".into())
    );
    assert_eq!(screen.steps[1].word, "报警");
    assert!(screen.steps[1].sentence.is_empty());
    assert_eq!(screen.steps[1].hotline.as_ref().unwrap().as_str(), "police");
    assert_eq!(plain(&tiers.ticker.unwrap().value), "挂断共享屏幕的电话。");
    let banner = tiers.banner.unwrap();
    assert_eq!(plain(&banner.value), "谁要共享屏幕，谁就是骗子", "the front matter's banner");
    assert!(tiers.poster.is_none() && tiers.staff.is_none());
}

#[test]
fn a_poster_has_its_parts_in_order() {
    let body = ":::poster\n别信，**先停。**\n\n- 不转账\n- 不共享\n\n手机失控？\n\n1. **关** 强制关机\n2. **报** 马上打{{hotline:police}}\n:::";
    let content = Content::new();
    let text = good_general("good") + "\n" + body + "\n";
    content.lesson("good", &text, &case("lesson.elder.md"));
    let library = content.expect(&[]).library;
    let poster = library.lessons[0].variants[&Audience::General].tiers.poster.clone().unwrap();
    let plain = |content: &[_]| plain_text(content, &|_| String::new());
    assert_eq!(
        poster.lines.iter().map(|line| plain(line)).collect::<Vec<_>>(),
        ["不转账", "不共享"]
    );
    assert_eq!(plain(&poster.cue.unwrap()), "手机失控？");
    assert_eq!(plain(&poster.steps[1].sentence), "马上打");
    assert!(poster.steps[1].hotline.is_some());
    assert!(matches!(poster.lead.unwrap().plain[0].kind, InlineKind::Text(_)));
}

#[test]
fn arithmetic_is_exact() {
    check(
        ":::calc\n相加：0.1 + 0.2 = 0.3 元\n三分之一：1000 ÷ 3 ≈ 333.33 元\n混合：(5,000 - 800) × 2 = 8400 元\n\
         万：1.2 万 + 3000 = 1.5 万元\n百分比：800 / 5000 = 16%\n年化：800 ÷ 4200 ÷ 30 × 365 ≈ 231.7%\n星号：2 * 3 * 4 = 24\n:::",
        "Calculation",
    );
}
