//! A content folder with one lesson, made from a case of the corpus.

use caishi::{
    check::{Checker, LaidOutput, RenderedText, Subject},
    model::{
        Audience, Bank, Finding, HotlineId, LayoutReport, LessonId, MediaType, OutputKind,
        SourceFile,
    },
    read::{Reading, read_library},
};
use jiff::civil::{Date, date};
use serde::Deserialize;
use std::{fs, path::Path, sync::Arc};

/// The day of every check that does not name another.
pub const TODAY: Date = date(2026, 11, 27);

/// A layout report, and the screen it is held to.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Layout {
    pub min_glyph_px: f32,
    pub colours: Vec<(String, String)>,
    pub large_colours: Vec<(String, String)>,
    pub overflow: Vec<String>,
    pub missing: String,
    pub words: usize,
    pub seconds: f32,
    pub mm_per_px: Option<f32>,
    pub distance_m: Option<f32>,
    pub dwell_s: Option<f32>,
}

/// One text of `tests/rules/`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// `hit` or `pass`
    pub expect: String,
    /// Where the text stands.
    #[serde(default)]
    pub place: Option<String>,
    /// The text.
    #[serde(default)]
    pub text: Option<String>,
    /// Or the whole article.
    #[serde(default)]
    pub body: Option<String>,
    /// Lines that replace those of the front matter; `-key` takes one out.
    #[serde(default)]
    pub front: Option<String>,
    /// Which variant.
    #[serde(default)]
    pub audience: Option<String>,
    /// The lesson's `assets.toml`.
    #[serde(default)]
    pub assets: Option<String>,
    /// Another lesson's article.
    #[serde(default)]
    pub other: Option<String>,
    /// Another `hotlines.toml`.
    #[serde(default)]
    pub hotlines: Option<String>,
    /// Another `facts/domains.toml`.
    #[serde(default)]
    pub facts: Option<String>,
    /// The kind of a finished output, which is what is checked then: its page or its layout.
    #[serde(default)]
    pub output: Option<String>,
    /// The finished output's text: HTML, or plain where its kind is a short text.
    #[serde(default)]
    pub page: Option<String>,
    /// How many times the page's text stands in it.
    #[serde(default)]
    pub times: Option<usize>,
    /// What was measured of the finished output.
    #[serde(default)]
    pub layout: Option<Layout>,
    /// The day of the check.
    #[serde(default)]
    pub today: Option<String>,
    /// Why, for people.
    #[serde(default)]
    pub why: String,
}

/// The front matter of every case, before it is changed.
const FRONT: &[(&str, &str)] = &[
    ("id", "case"),
    ("version", "1"),
    ("type", "education"),
    ("title", "每天记一笔账"),
    ("short_title", "记账的习惯"),
    ("headline", "每天记一笔账"),
    ("digest", "记账三个月，钱花在哪里一目了然。"),
    ("banner", "每天记一笔账"),
    ("topics", "[telecom-fraud]"),
    ("audiences", "[general]"),
    ("campaigns", "[routine/weekly]"),
    ("priority", "normal"),
    ("valid_from", "2026-09-01"),
    ("valid_until", "2027-08-31"),
    ("facts_review_by", "2027-02-28"),
    ("hotlines", "[police, antifraud, bank]"),
    ("owner", "消费者权益保护部"),
    ("keywords", "[记账]"),
];

/// A warning that follows quoted words.
const WARNING: &str = "\n:::warning\n这是骗子的话，别信。\n:::\n";

/// The lesson's other texts: nothing in them hits or excuses.
const TIERS: &str = include_str!("../cases/rules-tiers.md");

impl Case {
    fn place(&self) -> &str {
        self.place.as_deref().unwrap_or("body")
    }

    /// The whole file of the variant that has the text.
    fn lesson(&self) -> String {
        let mut front: Vec<(String, String)> =
            FRONT.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        if let Some(audience) = &self.audience {
            set(&mut front, "audiences", &format!("[general, {audience}]"));
        }
        let text = self.text.as_deref().unwrap_or("");
        let place = self.place();
        if ["title", "short_title", "headline", "digest", "banner"].contains(&place) {
            let quoted = format!("{text:?}");
            set(&mut front, place, &quoted);
        }
        for line in self.front.iter().flat_map(|front| front.lines()) {
            if let Some(key) = line.strip_prefix('-') {
                front.retain(|(own, _)| own != key.trim());
            } else if let Some((key, value)) = line.split_once(':') {
                set(&mut front, key.trim(), value.trim());
            }
        }
        let front: String = front.iter().map(|(key, value)| format!("{key}: {value}\n")).collect();
        format!("---\n{front}---\n\n{}\n{}", self.article(), self.tiers())
    }

    fn article(&self) -> String {
        if let Some(body) = &self.body {
            return body.clone();
        }
        let text = self.text.as_deref().unwrap_or("");
        match self.place() {
            "body" => text.to_owned(),
            "scam" => format!("老张在群里看到一条消息。\n\n:::scam\n{text}\n:::\n{WARNING}"),
            "quote" => {
                format!("电话里这样讲：\n\n:::quote{{speaker=骗子}}\n{text}\n:::\n{WARNING}")
            }
            "redflag" => format!("## 这些话\n\n:::redflag\n- {text}\n:::\n"),
            "dialogue" => {
                format!(":::dialogue\n- 骗子：{text}\n- 我：我挂了。\n:::\n{WARNING}")
            }
            "tip" => format!(":::tip\n{text}\n:::\n"),
            "quiz" => {
                format!(":::quiz\n1. {text}\n   - [x] 对\n   - [ ] 错\n   > 记住就好。\n:::\n")
            }
            "option" => format!(
                ":::quiz\n1. 该怎么办？\n   - [x] 记账\n   - [ ] {text}\n   > 记住就好。\n:::\n"
            ),
            "answer" => format!(
                ":::quiz\n1. 该怎么办？\n   - [x] {text}\n   - [ ] 都不对\n   > 记住就好。\n:::\n"
            ),
            _ => "每天睡前，把花的钱写下来。".to_owned(),
        }
    }

    fn tiers(&self) -> String {
        let text = self.text.as_deref().unwrap_or("");
        let mut tiers = TIERS.to_owned();
        let marks = [("ticker", "TICKER"), ("sms", "SMS"), ("post", "POST"), ("staff", "STAFF")];
        for (place, mark) in marks {
            let default = match place {
                "staff" => "问客户：您平时记账吗？",
                _ => "每天记一笔账，月底看一看。",
            };
            tiers = tiers.replace(mark, if self.place() == place { text } else { default });
        }
        let lines = [("portal", "PORTAL"), ("screen", "SCREEN"), ("poster", "PRINTED")];
        for (place, mark) in lines {
            let line = if self.place() == place { text } else { "记账不难" };
            tiers = tiers.replace(mark, line);
        }
        tiers
    }
}

fn set(front: &mut Vec<(String, String)>, key: &str, value: &str) {
    match front.iter_mut().find(|(own, _)| own == key) {
        Some((_, own)) => value.clone_into(own),
        None => front.push((key.to_owned(), value.to_owned())),
    }
}

/// Builds the folder of a case and reads it.
pub fn build(case: &Case, folder: &Path) -> Reading {
    let content = Path::new(env!("CARGO_MANIFEST_DIR")).join("content");
    let to = folder.join("content");
    fs::create_dir_all(to.join("lessons/case")).unwrap();
    for name in ["topics.toml", "calendar.toml", "hotlines.toml"] {
        fs::copy(content.join(name), to.join(name)).unwrap();
    }
    for folder in ["campaigns", "facts"] {
        fs::create_dir_all(to.join(folder)).unwrap();
        for entry in fs::read_dir(content.join(folder)).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), to.join(folder).join(entry.file_name())).unwrap();
        }
    }
    if let Some(facts) = &case.facts {
        fs::write(to.join("facts/domains.toml"), facts).unwrap();
    }
    if let Some(hotlines) = &case.hotlines {
        fs::write(to.join("hotlines.toml"), hotlines).unwrap();
    }
    let lesson = to.join("lessons/case");
    let object = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 10 10\"><path d=\"M0 0h10v10z\"/></svg>";
    let mut assets = "[[asset]]\nfile = \"object.svg\"\nalt = \"一本账本\"\nauthor = \"宣教组\"\nlicence = \"CC0-1.0\"\nsource = \"本项目绘制\"\n".to_owned();
    if let Some(own) = &case.assets {
        if own.contains("\"object.svg\"") {
            assets.clear();
        }
        assets.push_str(own);
    }
    for name in picture_names(&assets).chain(["object.svg".to_owned()]) {
        fs::write(lesson.join(name), object).unwrap();
    }
    fs::write(lesson.join("assets.toml"), assets).unwrap();
    match case.audience.as_deref() {
        Some(audience @ ("elder" | "student")) => {
            let general = Case { audience: case.audience.clone(), ..empty() };
            fs::write(lesson.join("lesson.md"), general.lesson()).unwrap();
            fs::write(lesson.join(format!("lesson.{audience}.md")), case.lesson()).unwrap();
        }
        _ => fs::write(lesson.join("lesson.md"), case.lesson()).unwrap(),
    }
    if let Some(other) = &case.other {
        let folder = to.join("lessons/other");
        fs::create_dir_all(&folder).unwrap();
        let other = Case {
            body: Some(other.clone()),
            front: Some("id: other\ntitle: 另外一课\ndigest: 这里讲的是别的事情，请往下看。\nheadline: 另外一课".into()),
            ..empty()
        };
        let text = other.lesson();
        let cut = text.find(":::screen").map_or(text.len(), |at| at);
        fs::write(folder.join("lesson.md"), &text[..cut]).unwrap();
        fs::copy(lesson.join("object.svg"), folder.join("object.svg")).unwrap();
        fs::write(folder.join("assets.toml"), "[[asset]]\nfile = \"object.svg\"\nalt = \"一本账本\"\nauthor = \"宣教组\"\nlicence = \"CC0-1.0\"\nsource = \"本项目绘制\"\n").unwrap();
    }
    read_library(&to)
}

/// A case without a text.
pub fn empty() -> Case {
    Case {
        expect: "pass".into(),
        place: None,
        text: None,
        body: None,
        front: None,
        audience: None,
        assets: None,
        other: None,
        hotlines: None,
        facts: None,
        output: None,
        page: None,
        times: None,
        layout: None,
        today: None,
        why: String::new(),
    }
}

fn picture_names(assets: &str) -> impl Iterator<Item = String> {
    let names = assets.lines().filter_map(|line| line.trim().strip_prefix("file"));
    names.filter_map(|line| Some(line.split('"').nth(1)?.to_owned()))
}

/// The demo bank.
pub fn bank() -> Bank {
    Bank {
        name: "山城示范银行".into(),
        base_url: "https://edu.shancheng.example".into(),
        hotline: HotlineId::new("bank").unwrap(),
        disclaimer: "本文为金融知识普及，不构成投资建议。".into(),
    }
}

/// Checks what a case is about: its sources, or the finished output it gives.
pub fn findings(case: &Case, today: Date) -> Vec<Finding> {
    let folder = tempfile::tempdir().unwrap();
    let reading = build(case, folder.path());
    let bank = bank();
    let subject = Subject {
        library: &reading.library,
        diagnostics: &reading.diagnostics,
        bank: &bank,
        today,
    };
    let checker = Checker::new(subject).unwrap();
    let Some(output) = &case.output else { return checker.sources() };
    let audience = case
        .audience
        .as_deref()
        .map_or(Audience::General, |name| Audience::from_name(name).unwrap());
    let lesson = LessonId::new("case").unwrap();
    let page = case.page.as_ref().map(|page| RenderedText {
        path: "out/file".into(),
        lesson: lesson.clone(),
        audience,
        output: OutputKind::from_name(output).unwrap(),
        media_type: if page.starts_with('<') { MediaType::Html } else { MediaType::Text },
        text: page.repeat(case.times.unwrap_or(1)),
    });
    let file = &reading.library.lesson(&lesson).unwrap().variants[&audience].file;
    let laid = case.layout.as_ref().map(|layout| layout.laid(output, audience, Arc::clone(file)));
    checker.outputs(page.as_slice(), laid.as_slice())
}

impl Layout {
    fn laid(&self, output: &str, audience: Audience, file: Arc<SourceFile>) -> LaidOutput {
        let own = self.clone();
        LaidOutput {
            file,
            what: output.to_owned(),
            audience,
            report: LayoutReport {
                min_glyph_px: own.min_glyph_px,
                colours: own.colours,
                large_colours: own.large_colours,
                overflow: own.overflow,
                missing_glyphs: own.missing.chars().map(|missing| (missing, None)).collect(),
                word_count: own.words,
                reading_seconds: own.seconds,
                ..LayoutReport::default()
            },
            mm_per_px: own.mm_per_px,
            distance_m: own.distance_m,
            dwell_s: own.dwell_s,
        }
    }
}

/// Checks the sources of a reading.
pub fn check(reading: &Reading, today: Date) -> Vec<Finding> {
    let bank = bank();
    let subject = Subject {
        library: &reading.library,
        diagnostics: &reading.diagnostics,
        bank: &bank,
        today,
    };
    Checker::new(subject).unwrap().sources()
}
