//! A small library made of model values, for the tests of renderers.
//!
//! Longer than 400 lines: one library written out as values, which splitting would scatter.

use caishi::{
    model::*,
    render::{Fonts, Palettes, Stage, Templates, fonts::FontFiles, templates::BUILT_IN_PALETTES},
};
use jiff::civil::date;
use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

/// Faces, templates and colours, loaded once for all tests.
pub fn stage() -> Stage<'static> {
    static LOADED: OnceLock<(Fonts, Templates, Palettes)> = OnceLock::new();
    let (fonts, templates, palettes) = LOADED.get_or_init(|| {
        let fonts = Fonts::load(&FontFiles::new(Vec::new())).unwrap();
        let templates = Templates::new(&BTreeMap::new()).unwrap();
        (fonts, templates, Palettes::parse(BUILT_IN_PALETTES).unwrap())
    });
    Stage { fonts, templates, palettes }
}

/// The bank of all tests.
pub fn bank() -> Bank {
    Bank {
        name: "山城示范银行".into(),
        base_url: "https://edu.example.cn".into(),
        hotline: HotlineId::new("bank").unwrap(),
        disclaimer: "本文为金融知识普及，不构成投资建议。".into(),
    }
}

/// A branch.
pub fn branch() -> Branch {
    Branch {
        id: BranchId::new("b001").unwrap(),
        name: "青石坡支行".into(),
        district: "上梯区".into(),
        tags: vec![],
        address: "梯坎大道88号".into(),
        hotline: None,
        hours: "周一至周五 9:00-17:00".into(),
        gateway: None,
    }
}

/// One lesson with one variant for `audience`, whose body the caller fills.
pub fn library(audience: Audience, body: Vec<Block>) -> Library {
    let hotline = |id: &str, number: &str, note: &str, kind| Hotline {
        id: HotlineId::new(id).unwrap(),
        number: number.into(),
        name: note.into(),
        short: note.chars().take(2).collect(),
        note: note.into(),
        kind,
        hours: "24小时".into(),
        source: "公开".into(),
        verified_on: date(2026, 11, 10),
        verified_by: "消费者权益保护部".into(),
        file: registry("hotlines.toml"),
        span: Span::default(),
    };
    let topic = Topic {
        id: TopicId::new("telecom-fraud").unwrap(),
        name: "防范电信网络诈骗".into(),
        tag: "防骗一课".into(),
        palette: "telecom-fraud".into(),
        department: "运营管理部".into(),
    };
    let mut assets = AssetSet::default();
    assets.by_file.insert("object.svg".into(), asset("object.svg", OBJECT));
    assets.by_file.insert("four-steps.svg".into(), asset("four-steps.svg", OBJECT));
    let lesson = Lesson {
        id: LessonId::new("telecom-fraud").unwrap(),
        variants: BTreeMap::from([(audience, variant(audience, body))]),
        assets,
    };
    Library {
        lessons: vec![lesson],
        topics: vec![topic],
        hotlines: vec![
            hotline("police", "110", "转了钱，马上报警", HotlineKind::Emergency),
            hotline("antifraud", "96110", "反诈来电，请接听", HotlineKind::Advice),
            hotline("bank", "95XXX", "本行客服，挂失冻结", HotlineKind::Bank),
        ],
        branches: vec![branch()],
        ..Library::default()
    }
}

/// A drawing with a palette colour.
pub const OBJECT: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" width="76" height="80" viewBox="0 0 76 80"><rect x="33" y="3" width="37" height="74" rx="5" fill="var(--paper,#F4EFE4)"/><circle cx="20" cy="50" r="16" fill="var(--alert,#F0563A)"/></svg>"##;

fn asset(file: &str, svg: &str) -> Asset {
    Asset {
        file: file.into(),
        path: file.into(),
        alt: "一只手挡住手机".into(),
        author: "本项目".into(),
        licence: "CC0-1.0".into(),
        source: "本项目绘制".into(),
        tags: vec!["object".into()],
        media_type: MediaType::Svg,
        bytes: Arc::from(svg.as_bytes()),
        digest: Digest::of(svg.as_bytes()),
        listed_in: registry("assets.toml"),
        entry: Span::default(),
    }
}

/// A registry file without text.
fn registry(path: &str) -> Arc<SourceFile> {
    Arc::new(SourceFile { path: path.into(), text: "".into() })
}

fn variant(audience: Audience, body: Vec<Block>) -> Variant {
    let file = SourceFile { path: "lessons/telecom-fraud/lesson.md".into(), text: "".into() };
    Variant {
        file: Arc::new(file),
        digest: Digest::of(b"sample"),
        audience,
        version: 1,
        kind: LessonKind::Education,
        title: located("对方让你共享屏幕？请立刻挂断".into()),
        short_title: None,
        english: Some("Real staff never ask you to share your screen.".into()),
        headline: located(headline("正规客服不会|要你[共享屏幕]")),
        digest_text: located("冒充客服、刷单垫款、远程控屏，三种套路一次讲清。".into()),
        topics: vec![TopicId::new("telecom-fraud").unwrap()],
        audiences: vec![audience],
        campaigns: vec![],
        outputs: OutputKind::ALL.to_vec(),
        priority: Priority::Normal,
        valid_from: date(2026, 9, 1),
        valid_until: date(2027, 8, 31),
        facts_review_by: Some(date(2027, 2, 28)),
        hotlines: ids(&["police", "antifraud", "bank"]),
        owner: "消费者权益保护部".into(),
        co_review: vec![],
        qr_label: "扫码看全文".into(),
        keywords: vec![],
        object_labels: vec![],
        sources: vec![Source {
            claim: "victim-age".into(),
            title: "公安部公布十大高发电信网络诈骗类型".into(),
            publisher: "中国新闻网".into(),
            date: Some(date(2024, 6, 25)),
            url: None,
            checked: None,
        }],
        body,
        tiers: Tiers::default(),
    }
}

/// A headline as authors write it.
pub fn headline(text: &str) -> Headline {
    let line = |line: &str| {
        let mut parts = Vec::new();
        for (index, part) in line.split(['[', ']']).enumerate() {
            if !part.is_empty() {
                parts.push(HeadlinePart { text: part.into(), lure: index % 2 == 1 });
            }
        }
        parts
    };
    Headline { lines: text.split('|').map(line).collect() }
}

/// A value without a place.
pub fn located<T>(value: T) -> Located<T> {
    Located { value, span: Span::default() }
}

/// Hotline identifiers.
pub fn ids(names: &[&str]) -> Vec<HotlineId> {
    names.iter().map(|name| HotlineId::new(name).unwrap()).collect()
}

/// A block without a place.
pub fn block(kind: BlockKind) -> Block {
    Block { span: Span::default(), kind }
}

/// A directive block.
pub fn directive(directive: Directive) -> Block {
    block(BlockKind::Directive(directive))
}

/// An inline without a place.
pub fn inline(kind: InlineKind) -> Inline {
    Inline { span: Span::default(), kind }
}

/// Running text: `**strong**`, `{{hotline:id}}`, `[^note]` and line ends are understood.
pub fn text(source: &str) -> Vec<Inline> {
    let mut inlines = Vec::new();
    let mut rest = source;
    let marks = ["**", "{{", "[^", "\n"];
    while let Some(at) = marks.iter().filter_map(|mark| rest.find(mark)).min() {
        if at > 0 {
            inlines.push(inline(InlineKind::Text(rest[..at].into())));
        }
        rest = &rest[at..];
        let (kind, length) = if let Some(inner) = rest.strip_prefix("**") {
            let end = inner.find("**").unwrap();
            (InlineKind::Strong(text(&inner[..end])), end + 4)
        } else if let Some(inner) = rest.strip_prefix("{{") {
            let end = inner.find("}}").unwrap();
            let kind = match &inner[..end] {
                "bank:name" => InlineKind::BankName,
                "branch:name" => InlineKind::BranchName,
                other => InlineKind::Hotline(
                    HotlineId::new(other.strip_prefix("hotline:").unwrap()).unwrap(),
                ),
            };
            (kind, end + 4)
        } else if let Some(inner) = rest.strip_prefix("[^") {
            let end = inner.find(']').unwrap();
            (InlineKind::FootnoteReference(inner[..end].into()), end + 3)
        } else {
            (InlineKind::SoftBreak, 1)
        };
        inlines.push(inline(kind));
        rest = &rest[length..];
    }
    if !rest.is_empty() {
        inlines.push(inline(InlineKind::Text(rest.into())));
    }
    inlines
}

/// A link.
pub fn link(label: &str, url: &str) -> Inline {
    inline(InlineKind::Link { url: url.into(), content: text(label) })
}

/// A paragraph.
pub fn p(source: &str) -> Block {
    block(BlockKind::Paragraph(text(source)))
}

/// A level 2 heading.
pub fn h2(source: &str) -> Block {
    block(BlockKind::Heading { level: 2, id: None, content: text(source) })
}

/// A list; `start` numbers it.
pub fn list(start: Option<u64>, items: Vec<Vec<Block>>) -> Block {
    let items = items.into_iter().map(|blocks| ListItem { task: None, blocks }).collect();
    block(BlockKind::List { start, items })
}

/// A step.
pub fn step(word: &str, sentence: &str, hotline: Option<&str>) -> Step {
    Step {
        span: Span::default(),
        word: word.into(),
        sentence: text(sentence),
        hotline: hotline.map(|id| HotlineId::new(id).unwrap()),
    }
}

/// A turn of a conversation.
pub fn turn(speaker: &str, words: &str) -> Turn {
    Turn { span: Span::default(), speaker: speaker.into(), content: text(words) }
}

/// A question; the option that begins with `*` is right.
pub fn question(source: &str, options: &[&str], explanation: &str) -> Question {
    let option = |option: &&str| QuestionOption {
        correct: option.starts_with('*'),
        content: text(option.trim_start_matches('*')),
    };
    Question {
        span: Span::default(),
        text: text(source),
        options: options.iter().map(option).collect(),
        explanation: text(explanation),
    }
}

/// A line of arithmetic.
pub fn sum(label: &str, expression: &str, result: &str) -> Calculation {
    Calculation {
        span: Span::default(),
        label: label.into(),
        expression: expression.into(),
        result: result.into(),
        unit: "元".into(),
        approximate: false,
    }
}

/// A body with every directive.
pub fn rich_body() -> Vec<Block> {
    let mut body = vec![
        p(
            "谁在电话里让你打开屏幕共享，就先挂断谁的电话。手机已经不听使唤了，也有四个动作能把它拉回来。",
        ),
        h2("小林的两分钟"),
        directive(Directive::Case {
            fictional: true,
            consent: None,
            blocks: vec![
                p("小林正在开会，“平台客服”打来电话，说她误开了“百万保障”，不取消每月要扣两千元。"),
                directive(Directive::Scam(vec![p("您装个会议软件，打开共享，我手把手教您。")])),
                p("她照着装了，两分钟后手机黑了屏。想起网点讲过的课，她按住电源键关了机。"),
            ],
        }),
        h2("一句话说清"),
        p(
            "隔着电话和网络编一个理由，骗你把钱转出去，这就是**电信网络诈骗**。理由天天换，转钱这一步从来不换[^top]。",
        ),
        directive(Directive::Law {
            cite: "反电信网络诈骗法/30".into(),
            blocks: vec![p("银行要向客户讲反诈知识，办业务时要提醒，有了新骗术也要提醒。")],
        }),
        directive(Directive::Statistic {
            value: "62.1%".into(),
            source: "victim-age".into(),
            label: text("2023年的受害人里，18到40岁的占了这么多。"),
        }),
        directive(Directive::Dialogue(vec![
            turn("假客服", "今天不取消，明天就扣两千"),
            turn("我", "那要怎么取消？"),
            turn("假客服", "先装软件，把屏幕共享给我"),
            turn("我", "我自己拨官方电话问。"),
        ])),
        directive(Directive::Quotation {
            speaker: "柜员".into(),
            blocks: vec![p("您先别急，我陪您问一遍。")],
        }),
        directive(Directive::Calculation(vec![
            sum("一共返给他", "5 + 8 + 10", "23"),
            sum("垫了再补", "300 + 600", "900"),
            sum("里外差多少", "900 - 23", "877"),
        ])),
        directive(Directive::Glossary(vec![GlossaryEntry {
            term: "安全账户".into(),
            explanation: text("骗子的说法，钱转进去就到了他手里"),
        }])),
        directive(Directive::Callout {
            kind: CalloutKind::Warning,
            blocks: vec![p("验证码谁要都不给。")],
        }),
        directive(Directive::Image {
            file: "four-steps.svg".into(), alt: "四步自救图".into()
        }),
    ];
    body.extend(rich_ending());
    body
}

fn rich_ending() -> Vec<Block> {
    vec![
        h2("听到这些话，先挂断"),
        directive(Directive::RedFlags(vec![
            text("来电帮你“退款”“取消业务”"),
            text("要你下载没听过的软件"),
            text("要你把钱转到“安全账户”"),
        ])),
        h2("手机失控，走这四步"),
        directive(Directive::Steps(vec![
            step("关机", "强制关机或者重启，让共享停下来。", None),
            step("拔卡", "拔出电话卡，先收在一边。", None),
            step("断网", "关掉无线网络，不让手机再连上。", None),
            step("报警", "换一部电话请银行冻结账户，再拨", Some("police")),
        ])),
        block(BlockKind::Alert {
            kind: AlertKind::Tip,
            blocks: vec![p("看到{{hotline:antifraud}}打来，请接起来。")],
        }),
        h2("钱已经转出去了"),
        directive(Directive::Emergency(vec![list(
            Some(1),
            vec![
                vec![p("换一部电话拨{{hotline:bank}}，请银行挂失或冻结账户。")],
                vec![p("接着拨{{hotline:police}}，说清什么时候、转了多少、转给谁。")],
            ],
        )])),
        h2("考考你"),
        directive(Directive::Quiz(vec![question(
            "“客服”要求共享屏幕，怎么办？",
            &["照做，反正他看不到密码", "*挂断，自己拨官方电话核实", "先共享，看到不对再关"],
            "一共享，密码和验证码对方都看得见。",
        )])),
        block(BlockKind::Footnote {
            label: "top".into(),
            blocks: vec![p("类型和名次每年会变，“先返小钱，再要垫款”的路数不变。")],
        }),
    ]
}

/// The texts of every tier.
pub fn tiers() -> Tiers {
    let portal = PosterText {
        span: Span::default(),
        lead: Some(Lead { plain: text("谁让你开共享，"), imperative: text("先挂断。") }),
        lines: vec![
            text("不下载对方发来的软件"),
            text("不共享屏幕，密码会被看见"),
            text("不往“安全账户”转钱"),
        ],
        cue: Some(text("手机失控，走四步：")),
        steps: vec![
            step("关机", "强制关机或重启", None),
            step("拔卡", "拔出电话卡", None),
            step("断网", "关掉无线网络", None),
            step("报警", "换电话找银行冻结", Some("police")),
        ],
        dialogue: vec![],
    };
    Tiers {
        portal: Some(portal),
        ticker: Some(located(text("挂断让你共享屏幕的“客服”电话，受骗请拨{{hotline:police}}。"))),
        sms: Some(located(text("“客服”来电要您共享屏幕，请先挂断，再拨{{hotline:bank}}核实。"))),
        post: Some(located(text(
            "“平台客服”要你装软件、开共享？先挂断。再拨{{hotline:police}}报警。",
        ))),
        banner: Some(located(text("让你共享屏幕的，先挂断再说"))),
        staff: Some(vec![
            p("**先问客户三句话**"),
            list(Some(1), vec![vec![p("这笔钱是谁让您转的？")], vec![p("他让您装软件了吗？")]]),
        ]),
        ..Tiers::default()
    }
}
