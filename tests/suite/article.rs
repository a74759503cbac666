//! The article: what WeChat keeps, what people see, what the platform's limits are.
//!
//! Longer than 400 lines: one table of cases after another, which are read together.

use crate::{
    html::{Piece, declarations, pieces, visible},
    sample::*,
};
use caishi::{
    model::*,
    render::{
        Limits, Palettes, PictureSet, RenderError, Scene, Stage, Templates,
        article::{self, Article},
        palette::contrast,
        templates::BUILT_IN_PALETTES,
    },
};
use std::collections::BTreeMap;

fn rendered(library: &Library, audience: Audience) -> Result<Article, RenderError> {
    let (stage, bank, lesson) = (stage(), bank(), &library.lessons[0]);
    let variant = &lesson.variants[&audience];
    let scene =
        Scene { bank: &bank, library, lesson, variant, branch: None, approval_number: None };
    let pictures = PictureSet::build(&scene, &stage)?;
    article::render(&scene, &stage, &pictures, &Limits::default())
}

fn html_of(audience: Audience, body: Vec<Block>) -> String {
    rendered(&library(audience, body), audience).unwrap().html
}

/// What stands between an opening paragraph and a last one.
fn fragment(audience: Audience, blocks: Vec<Block>) -> String {
    let mut body = vec![p("开篇。")];
    body.extend(blocks);
    body.push(p("【完】"));
    let html = html_of(audience, body);
    let start = html.find("开篇。</p>").unwrap() + "开篇。</p>".len();
    let end = html.find("【完】").unwrap();
    let end = html[..end].rfind("<p").unwrap();
    html[start..end].to_owned()
}

/// One line per tag, for snapshots that people read.
fn lines(html: &str) -> String {
    html.replace("><", ">\n<")
}

const TAGS: &[(&str, &[&str])] = &[
    ("section", &["style"]),
    ("p", &["style"]),
    ("span", &["style"]),
    ("h2", &["style"]),
    ("h3", &["style"]),
    ("h4", &["style"]),
    ("h5", &["style"]),
    ("h6", &["style"]),
    ("strong", &["style"]),
    ("em", &["style"]),
    ("s", &[]),
    ("sup", &["style"]),
    ("code", &["style"]),
    ("br", &[]),
    ("hr", &["style"]),
    ("img", &["style", "src", "alt"]),
    ("a", &["style", "href"]),
    ("table", &["style"]),
    ("tbody", &[]),
    ("tr", &[]),
    ("th", &["style"]),
    ("td", &["style"]),
    ("svg", &["width", "height", "viewBox"]),
    ("path", &["d", "fill", "fill-opacity", "stroke", "stroke-width"]),
];

/// Everything rule F603 and the dark mode ask of an article.
#[track_caller]
fn scan(html: &str) {
    for piece in pieces(html) {
        match &piece {
            Piece::Open { tag, attributes } => {
                let (_, allowed) = TAGS
                    .iter()
                    .find(|(known, _)| known == tag)
                    .unwrap_or_else(|| panic!("<{tag}> does not survive in WeChat"));
                for (name, value) in attributes {
                    assert!(allowed.contains(&name.as_str()), "<{tag} {name}>");
                    assert!(!value.contains("url(") && !value.contains("var("), "{value}");
                }
                if let Some(source) = piece.attribute("src") {
                    let digest = source.strip_prefix("caishi-slot:").expect("a slot");
                    assert!(Digest::from_hex(digest).is_some());
                    assert!(!piece.attribute("alt").unwrap().is_empty());
                }
                if let Some(url) = piece.attribute("href") {
                    assert!(url.starts_with("https://mp.weixin.qq.com/"), "{url}");
                }
                scan_style(piece.attribute("style"));
            }
            Piece::Text(text) => {
                assert!(!text.trim_matches([' ', '\n', '\t']).is_empty(), "whitespace node");
                let hidden = |c: char| {
                    c.is_control() || matches!(c, '\u{200B}'..='\u{200F}' | '\u{2060}' | '\u{FEFF}')
                };
                assert!(!text.contains(hidden), "invisible character in {text:?}");
            }
            Piece::Close(_) => {}
        }
    }
}

#[track_caller]
fn scan_style(style: Option<&str>) {
    let declarations = style.map(declarations).unwrap_or_default();
    let has = |wanted| declarations.iter().any(|(name, _)| *name == wanted);
    assert!(!has("position") && !has("transform"));
    assert!(!has("background-color") || has("color"), "ground without text colour: {style:?}");
    for (name, value) in &declarations {
        let again = declarations.iter().filter(|(other, _)| other == name).count();
        assert_eq!(again, 1, "{name} twice in {style:?}");
        assert!(!value.contains(['{', '}']), "{value}");
    }
}

#[test]
fn every_block_survives_in_every_theme() {
    for audience in Audience::ALL.iter().copied() {
        let mut body = rich_body();
        body.extend(markdown_body());
        scan(&html_of(audience, body));
    }
}

/// Ordinary Markdown, every kind of it.
fn markdown_body() -> Vec<Block> {
    let cell = |source: &str| text(source);
    let inner = list(None, vec![vec![p("里层"), list(None, vec![vec![p("最里层")]])]]);
    vec![
        h2("普通写法"),
        block(BlockKind::Heading { level: 3, id: None, content: text("小节") }),
        list(Some(3), vec![vec![p("第三"), p("又一段"), inner], vec![p("第四")]]),
        block(BlockKind::List {
            start: None,
            items: vec![
                ListItem { task: Some(true), blocks: vec![p("已办")] },
                ListItem { task: Some(false), blocks: vec![p("待办")] },
            ],
        }),
        block(BlockKind::Table {
            alignments: vec![TableAlignment::None, TableAlignment::Right],
            head: vec![cell("要什么"), cell("给不给")],
            rows: vec![vec![cell("验证码"), cell("不给")], vec![cell(""), cell("")]],
        }),
        block(BlockKind::Code {
            language: "text".into(),
            text: "第一行  两个空格\n\n\t缩进\n".into(),
        }),
        block(BlockKind::Quote(vec![p("引用"), p("第二段")])),
        block(BlockKind::Rule),
        block(BlockKind::Paragraph(vec![
            inline(InlineKind::Emphasis(text("强调"))),
            inline(InlineKind::Strikethrough(text("删去"))),
            inline(InlineKind::Code("a  b".into())),
            inline(InlineKind::HardBreak),
            link("公安部", "https://www.mps.gov.cn/"),
            link("同一处", "https://www.mps.gov.cn/"),
            link("往期", "https://mp.weixin.qq.com/s/abc"),
            link("打电话", "tel:110"),
            inline(InlineKind::Image { file: "four-steps.svg".into(), alt: "四步".into() }),
        ])),
        directive(Directive::QrCode),
    ]
}

#[test]
fn markdown_blocks_look_as_the_editor_needs_them() {
    insta::assert_snapshot!(
        "article_markdown",
        lines(&fragment(Audience::General, markdown_body()))
    );
}

#[test]
fn directives_of_the_general_theme() {
    let fragment = fragment(Audience::General, rich_body());
    insta::assert_snapshot!("article_directives_general", lines(&fragment));
}

#[test]
fn directives_of_the_elder_theme() {
    let steps = directive(Directive::Steps(vec![
        step("停", "不签字", None),
        step("报", "马上报警", Some("police")),
    ]));
    let hotlines = directive(Directive::HotlineTable(ids(&["police", "bank"])));
    let case = Directive::Case { fictional: true, consent: None, blocks: vec![p("故事。")] };
    let flags = directive(Directive::RedFlags(vec![text("先送礼")]));
    let body = vec![steps, hotlines, directive(case), flags];
    insta::assert_snapshot!("article_directives_elder", lines(&fragment(Audience::Elder, body)));
}

#[test]
fn directives_of_the_student_theme() {
    let chat = Directive::Dialogue(vec![turn("放贷人", "借5000"), turn("我", "不借。")]);
    let steps = Directive::Steps(vec![step("到手", "到账多少？", None)]);
    let sums = Directive::Calculation(vec![sum("到手", "5000 - 800", "4200")]);
    let body = vec![directive(chat), directive(steps), directive(sums)];
    insta::assert_snapshot!(
        "article_directives_student",
        lines(&fragment(Audience::Student, body))
    );
}

#[test]
fn hero_and_ending_of_each_theme() {
    for audience in Audience::ALL.iter().copied() {
        let html = html_of(audience, vec![p("开篇。")]);
        insta::assert_snapshot!(format!("article_frame_{audience}"), lines(&html));
    }
}

#[test]
fn staff_text_and_other_outputs_stay_out() {
    let mut library = library(Audience::General, vec![]);
    let only = |negated, outputs: &[OutputKind], words| {
        let condition = Condition { negated, outputs: outputs.to_vec(), audiences: vec![] };
        directive(Directive::Conditional { condition, blocks: vec![p(words)] })
    };
    let variant = library.lessons[0].variants.get_mut(&Audience::General).unwrap();
    variant.body = vec![
        p("开篇。"),
        only(false, &[OutputKind::Portal], "只在认证页"),
        only(false, &[OutputKind::Article], "只在文章"),
        only(true, &[OutputKind::Article], "不在文章"),
        only(true, &[OutputKind::Portal], "不在认证页"),
    ];
    variant.tiers = tiers();
    let text = visible(&rendered(&library, Audience::General).unwrap().html);
    assert!(text.contains("只在文章") && text.contains("不在认证页"));
    assert!(!text.contains("只在认证页") && !text.contains("不在文章"));
    assert!(!text.contains("先问客户三句话"), "staff text leaked");
}

#[test]
fn line_ends_vanish_between_han_and_part_latin_words() {
    for (source, want) in [
        ("共享\n屏幕", "共享屏幕"),
        ("brave\nnew", "brave new"),
        ("用\nAPP", "用APP"),
        ("brave\n**new**", "brave new"),
        ("（共享）\n屏幕", "（共享）屏幕"),
    ] {
        let text = visible(&fragment(Audience::General, vec![p(source)]));
        assert_eq!(text, want, "{source:?}");
    }
}

#[test]
fn hostile_text_is_only_text() {
    let words = "<script>alert(1)</script> \"quoted\" & $(mac) a\u{200B}b\u{202E}c";
    let mut paragraph = text(words);
    paragraph.push(link("点我", "javascript:alert(1)"));
    paragraph.push(link("x\" onload=\"y", "https://a.example/\"><script>"));
    paragraph.push(inline(InlineKind::Code("</code><style>".into())));
    paragraph.push(inline(InlineKind::Image {
        file: "four-steps.svg".into(),
        alt: "\" onerror=\"alert(1)".into(),
    }));
    let mut body = vec![p("开篇。"), block(BlockKind::Paragraph(paragraph))];
    body.push(directive(Directive::Quotation { speaker: "<b>".into(), blocks: vec![p("话")] }));
    let html = html_of(Audience::General, body);
    scan(&html);
    assert!(!html.contains("javascript:"));
    let text = visible(&html);
    assert!(text.contains("<script>alert(1)</script>") && text.contains("abc"));
}

#[test]
fn references_are_numbered_once_and_footnotes_are_never_lost() {
    let note = |label: &str, words: &str| {
        block(BlockKind::Footnote { label: label.into(), blocks: vec![p(words)] })
    };
    let mut first = text("甲[^b]");
    first.push(link("乙", "https://b.example/"));
    first.extend(text("丙[^b]"));
    first.push(link("https://b.example/", "https://b.example/"));
    let body = vec![
        p("开篇。"),
        block(BlockKind::Paragraph(first)),
        note("unused", "没人提到"),
        note("b", "脚注"),
    ];
    let text = visible(&html_of(Audience::General, body));
    assert!(text.contains("甲[1]乙[2]丙[1]https://b.example/[2]"), "{text}");
    assert!(text.contains("[1] 脚注[2] 乙: https://b.example/[3] 没人提到"), "{text}");
}

#[test]
fn numbers_come_from_the_registry_and_the_bank_stands_for_the_branch() {
    let body = vec![p("开篇。"), p("拨{{hotline:police}}，到{{branch:name}}问{{bank:name}}。")];
    let html = html_of(Audience::General, body);
    let text = visible(&html);
    assert!(text.contains("拨110，到山城示范银行问山城示范银行。"));
    assert_eq!(html.matches("font-size:34px").count(), 3, "the numbers are added once");
    let shown = vec![p("开篇。"), directive(Directive::HotlineTable(ids(&["police"])))];
    assert_eq!(html_of(Audience::General, shown).matches("font-size:34px").count(), 1);
}

#[test]
fn limits_are_measured_on_the_finished_bytes() {
    let check = |edit: &dyn Fn(&mut Variant), want: Option<&str>| {
        let mut library = library(Audience::General, vec![p("开篇。")]);
        edit(library.lessons[0].variants.get_mut(&Audience::General).unwrap());
        let got = rendered(&library, Audience::General).err().map(|error| error.to_string());
        match (got, want) {
            (None, None) => {}
            (Some(got), Some(want)) => assert!(got.contains(want), "{got}"),
            (got, want) => panic!("{got:?}, not {want:?}"),
        }
    };
    check(&|variant| variant.title.value = "题".repeat(32), None);
    check(&|variant| variant.title.value = "题".repeat(33), Some("标题有 33个字符"));
    check(&|variant| variant.title.value = "  ".into(), Some("缺少 title"));
    check(&|variant| variant.digest_text.value = "摘".repeat(128), None);
    check(&|variant| variant.digest_text.value = "摘".repeat(129), Some("摘要有 129个字符"));
    check(&|variant| variant.digest_text.value = String::new(), Some("缺少 digest"));
    let room = 19_999
        - rendered(&library(Audience::General, vec![p("")]), Audience::General).unwrap().characters;
    check(&|variant| variant.body = vec![p(&"字".repeat(room))], None);
    check(&|variant| variant.body = vec![p(&"字".repeat(room + 1))], Some("文章有 20000个字符"));
}

#[test]
fn a_slot_counts_two_hundred_characters() {
    let article =
        rendered(&library(Audience::General, vec![p("开篇。")]), Audience::General).unwrap();
    assert_eq!(article.slots.len(), 1);
    let digest = article.slots.keys().next().unwrap();
    let filled = article.html.replace(&format!("caishi-slot:{digest}"), &"u".repeat(200));
    assert_eq!(article.characters, filled.chars().count());
}

#[test]
fn the_same_lesson_gives_the_same_bytes_and_pictures() {
    let library = library(Audience::Elder, rich_body());
    let once = rendered(&library, Audience::Elder).unwrap();
    assert_eq!(once, rendered(&library, Audience::Elder).unwrap());
}

#[test]
fn artifacts_are_content_preview_and_pictures() {
    let (stage, bank, library) = (stage(), bank(), library(Audience::General, rich_body()));
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
    let pictures = PictureSet::build(&scene, &stage).unwrap();
    let made = article::artifacts(&scene, &stage, &pictures, &Limits::default()).unwrap();
    let paths: Vec<_> = made.iter().map(|made| made.path.to_string_lossy().into_owned()).collect();
    assert_eq!(paths[0], "lessons/telecom-fraud/general/article.html");
    assert_eq!(paths[1], "lessons/telecom-fraud/general/article.preview.html");
    for picture in &made[2..] {
        let name = picture.path.file_stem().unwrap().to_string_lossy();
        assert_eq!(name, Digest::of(&picture.bytes).to_string());
    }
    let preview = String::from_utf8(made[1].bytes.clone()).unwrap();
    assert!(!preview.contains("caishi-slot:") && preview.contains("data:image/png;base64,"));
}

#[test]
fn text_is_readable_in_every_palette() {
    let palettes = Palettes::parse(BUILT_IN_PALETTES).unwrap();
    for (name, _) in palettes.campaigns() {
        let mut library = library(Audience::General, rich_body());
        library.topics[0].palette = name.to_owned();
        contrasts(&rendered(&library, Audience::General).unwrap().html, 4.5);
    }
    contrasts(&html_of(Audience::Elder, rich_body()), 7.0);
    contrasts(&html_of(Audience::Student, rich_body()), 4.5);
}

/// Every text against the ground it stands on.
#[track_caller]
fn contrasts(html: &str, least: f32) {
    let mut stack = vec![("#000000".to_owned(), "#FFFFFF".to_owned())];
    for piece in pieces(html) {
        match &piece {
            Piece::Open { tag, .. } if ["br", "hr", "img"].contains(&tag.as_str()) => {}
            Piece::Open { .. } => {
                let (mut text, mut ground) = stack.last().unwrap().clone();
                for (name, value) in piece.attribute("style").map(declarations).unwrap_or_default()
                {
                    match name {
                        "color" => text = value.to_owned(),
                        "background-color" => ground = value.to_owned(),
                        _ => {}
                    }
                }
                stack.push((text, ground));
            }
            Piece::Close(_) => drop(stack.pop()),
            Piece::Text(words) => {
                let (text, ground) = stack.last().unwrap();
                let ratio = contrast(text, ground).unwrap();
                assert!(ratio >= least, "{words}: {text} on {ground} is {ratio:.1}");
            }
        }
    }
}

#[test]
fn a_wrong_theme_is_refused_with_its_line() {
    let general = include_str!("../../templates/article/general.toml");
    let check = |from: &str, to: &str, want: &str| {
        let overrides =
            BTreeMap::from([("article/general.toml".to_owned(), general.replacen(from, to, 1))]);
        let error = Templates::new(&overrides).unwrap_err().to_string();
        assert!(error.contains("article/general.toml") && error.contains(want), "{error}");
    };
    let line = general.lines().position(|line| line.starts_with("kicker")).unwrap() + 1;
    let line = format!("第 {line} 行");
    check("kicker = \"font-size:14px", "kicker = \"position:fixed", &line);
    check("kicker = \"font-size:14px", "kicker = \"position:fixed", "不能用样式“position”");
    check("color:{mist}", "color:{mits}", "没有“mits”");
    check("lure = \"color:{lure}\"", "lure = \"background-color:{lure}\"", "color");
    check("kicker =", "kiker =", "kiker");
    check("color:{mist}", "color:url(x)", "url(");
}

#[test]
fn an_own_theme_replaces_the_built_in_one() {
    let general = include_str!("../../templates/article/general.toml");
    let own = general.replace("font-size:34px", "font-size:35px");
    let templates =
        Templates::new(&BTreeMap::from([("article/general.toml".to_owned(), own)])).unwrap();
    let (bank, library) = (bank(), library(Audience::General, vec![p("开篇。")]));
    let stage = Stage { templates: &templates, ..stage() };
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
    let pictures = PictureSet::build(&scene, &stage).unwrap();
    let article = article::render(&scene, &stage, &pictures, &Limits::default()).unwrap();
    assert!(article.html.contains("font-size:35px"));
}

#[test]
fn a_picture_that_is_missing_is_named() {
    let image = Directive::Image { file: "none.svg".into(), alt: "图".into() };
    let error = rendered(
        &library(Audience::General, vec![p("开篇。"), directive(image)]),
        Audience::General,
    );
    assert!(error.unwrap_err().to_string().contains("none.svg"));
}
