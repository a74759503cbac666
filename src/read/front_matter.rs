//! Front matter: the keys above a lesson's text.
//!
//! A variant's file writes only the keys in which it differs, so every field is optional here;
//! [`FrontMatter::inherit`] fills the gaps, and only the general file must have them all.

use super::{
    faults::Faults,
    fields::{Fields, shorten},
    headline,
    node::{Node, Value},
    registry::Registry,
    suggest,
};
use crate::model::{
    Audience, CampaignId, Headline, HotlineId, LessonId, LessonKind, Located, ObjectLabel,
    OutputKind, Priority, Source, SourceFile, Span, TopicId,
};
use jiff::civil::Date;
use std::sync::Arc;

/// What a file's front matter says; `None` where a key is absent or wrong.
#[derive(Debug, Clone, PartialEq)]
pub struct FrontMatter {
    /// The file it was read from.
    pub file: Arc<SourceFile>,
    pub(super) id: Option<Located<LessonId>>,
    pub(super) version: Option<u32>,
    pub(super) kind: Option<LessonKind>,
    pub(super) title: Option<Located<String>>,
    pub(super) short_title: Option<Located<String>>,
    pub(super) headline: Option<Located<Headline>>,
    pub(super) digest: Option<Located<String>>,
    pub(super) banner: Option<Located<String>>,
    pub(super) english: Option<Located<String>>,
    pub(super) topics: Option<Vec<TopicId>>,
    pub(super) audiences: Option<Located<Vec<Audience>>>,
    pub(super) campaigns: Option<Vec<CampaignId>>,
    pub(super) outputs: Option<Vec<OutputKind>>,
    pub(super) priority: Option<Priority>,
    pub(super) valid_from: Option<Located<Date>>,
    pub(super) valid_until: Option<Located<Date>>,
    pub(super) facts_review_by: Option<Located<Date>>,
    pub(super) hotlines: Option<Vec<HotlineId>>,
    pub(super) owner: Option<String>,
    pub(super) co_review: Option<Vec<String>>,
    pub(super) qr_label: Option<String>,
    pub(super) keywords: Option<Vec<String>>,
    pub(super) object_labels: Option<Vec<ObjectLabel>>,
    pub(super) sources: Option<Vec<Source>>,
    /// Whether the file's own `sources` had a fault: then claims are not checked against it.
    pub(super) sources_broken: bool,
}

/// The colours that `object_labels` may name.
const COLOURS: &[&str] = &["paper", "ink", "lure", "alert", "mute", "white", "lemon"];

/// Keys without which a general file is no lesson, each with what to write.
const REQUIRED: &[(&str, &str)] = &[
    ("id", "写文件夹的名字，例如 id: telecom-fraud"),
    ("version", "第一次写 version: 1，每次公开改动加一。"),
    ("type", "写 education、notice、training 或 marketing。"),
    ("title", "写文章标题，至多 32 个字符。"),
    ("headline", "写海报主标题，例如 headline: 正规客服不会|要你[共享屏幕]"),
    ("digest", "写文章摘要，至多 128 个字符。"),
    ("topics", "写 topics.toml 里的主题，例如 topics: [telecom-fraud]"),
    ("audiences", "写有哪几个版本，例如 audiences: [general, elder, student]"),
    ("valid_from", "写开始使用的日子，例如 valid_from: 2026-09-01"),
    ("valid_until", "写最后使用的日子，例如 valid_until: 2027-08-31"),
    ("hotlines", "写文末的电话，例如 hotlines: [police, antifraud, bank]"),
    ("owner", "写负责的部门，例如 owner: 消费者权益保护部"),
];

/// Reads the front matter's tree. `general` says whether every required key must be there.
pub(super) fn read(
    node: &Node,
    general: bool,
    registry: &Registry<'_>,
    faults: &mut Faults,
) -> FrontMatter {
    let entries = match &node.value {
        Value::Mapping(entries) => entries.as_slice(),
        Value::Empty | Value::Refused => &[],
        Value::Scalar(_) | Value::Sequence(_) => {
            faults.error(
                "read/wrong-type",
                node.span,
                "前言应当是“键: 值”".into(),
                "一行一个键，例如 title: 对方让你共享屏幕？".into(),
            );
            &[]
        }
    };
    let file = Arc::clone(faults.file());
    let mut fields = Fields::over(entries, Span::new(0, 3), "前言", faults);
    if general {
        for (key, help) in REQUIRED {
            fields.require(key, help);
        }
    }
    let mut front = FrontMatter::empty(file);
    read_names(&mut front, &mut fields);
    read_lists(&mut front, &mut fields, registry);
    read_review(&mut front, &mut fields);
    let before = fields.faults.len();
    front.sources = read_sources(&mut fields);
    front.sources_broken = fields.faults.len() > before;
    front.object_labels = read_labels(&mut fields);
    fields.finish();
    front
}

impl FrontMatter {
    /// For a file whose front matter is missing or cannot be read at all.
    pub(super) fn empty(file: Arc<SourceFile>) -> Self {
        Self {
            file,
            id: None,
            version: None,
            kind: None,
            title: None,
            short_title: None,
            headline: None,
            digest: None,
            banner: None,
            english: None,
            topics: None,
            audiences: None,
            campaigns: None,
            outputs: None,
            priority: None,
            valid_from: None,
            valid_until: None,
            facts_review_by: None,
            hotlines: None,
            owner: None,
            co_review: None,
            qr_label: None,
            keywords: None,
            object_labels: None,
            sources: None,
            sources_broken: false,
        }
    }

    /// Takes from `base` what this one leaves out. Inherited places are emptied: they belong to
    /// another file.
    pub(super) fn inherit(mut self, base: &Self) -> Self {
        self.id = self.id.or_else(|| elsewhere(base.id.as_ref()));
        self.version = self.version.or(base.version);
        self.kind = self.kind.or(base.kind);
        self.title = self.title.or_else(|| elsewhere(base.title.as_ref()));
        self.short_title = self.short_title.or_else(|| elsewhere(base.short_title.as_ref()));
        self.headline = self.headline.or_else(|| elsewhere(base.headline.as_ref()));
        self.digest = self.digest.or_else(|| elsewhere(base.digest.as_ref()));
        self.banner = self.banner.or_else(|| elsewhere(base.banner.as_ref()));
        self.english = self.english.or_else(|| elsewhere(base.english.as_ref()));
        self.topics = self.topics.or_else(|| base.topics.clone());
        self.audiences = self.audiences.or_else(|| elsewhere(base.audiences.as_ref()));
        self.campaigns = self.campaigns.or_else(|| base.campaigns.clone());
        self.outputs = self.outputs.or_else(|| base.outputs.clone());
        self.priority = self.priority.or(base.priority);
        self.valid_from = self.valid_from.or_else(|| elsewhere(base.valid_from.as_ref()));
        self.valid_until = self.valid_until.or_else(|| elsewhere(base.valid_until.as_ref()));
        self.facts_review_by =
            self.facts_review_by.or_else(|| elsewhere(base.facts_review_by.as_ref()));
        self.hotlines = self.hotlines.or_else(|| base.hotlines.clone());
        self.owner = self.owner.or_else(|| base.owner.clone());
        self.co_review = self.co_review.or_else(|| base.co_review.clone());
        self.qr_label = self.qr_label.or_else(|| base.qr_label.clone());
        self.keywords = self.keywords.or_else(|| base.keywords.clone());
        self.object_labels = self.object_labels.or_else(|| {
            let there = |label: &ObjectLabel| {
                let text = Located { value: label.text.value.clone(), span: Span::default() };
                ObjectLabel { text, ..label.clone() }
            };
            base.object_labels.as_ref().map(|labels| labels.iter().map(there).collect())
        });
        if self.sources.is_none() {
            self.sources.clone_from(&base.sources);
            self.sources_broken |= base.sources_broken;
        }
        self
    }
}

fn elsewhere<T: Clone>(located: Option<&Located<T>>) -> Option<Located<T>> {
    located.map(|located| Located { value: located.value.clone(), span: Span::default() })
}

fn read_names(front: &mut FrontMatter, fields: &mut Fields<'_, '_>) {
    front.id = fields.parsed("id", |text| {
        LessonId::new(text)
            .map_err(|_| "只用小写字母、数字和连字符，以字母开头，和文件夹同名。".into())
    });
    front.version = fields
        .parsed("version", |text| match text.parse::<u32>() {
            Ok(version) if version > 0 => Ok(version),
            _ => Err("写一个从 1 开始的整数。".into()),
        })
        .map(|version| version.value);
    front.kind = fields
        .parsed("type", |text| match text {
            "education" => Ok(LessonKind::Education),
            "notice" => Ok(LessonKind::Notice),
            "training" => Ok(LessonKind::Training),
            "marketing" => Ok(LessonKind::Marketing),
            other => Err(suggest::known(other, ["education", "notice", "training", "marketing"])),
        })
        .map(|kind| kind.value);
    front.title = not_blank(fields, "title");
    front.short_title = fields.text("short_title");
    front.headline = fields.parsed("headline", headline::parse);
    front.digest = not_blank(fields, "digest");
    front.banner = fields.text("banner");
    front.english = fields.parsed("english", english);
    front.owner = fields.text("owner").map(|owner| owner.value);
    front.qr_label = fields.text("qr_label").map(|label| label.value);
}

/// What fits above the lesson on a phone, and on a router's page of 6,000 bytes.
const MOST_ENGLISH: usize = 200;

fn english(text: &str) -> Result<String, String> {
    let count = text.chars().count();
    if count > MOST_ENGLISH {
        return Err(format!("有 {count} 个字符，上限 {MOST_ENGLISH}：写一两句就够。"));
    }
    if text.is_empty() || !text.chars().all(|c| c.is_ascii() && !c.is_control()) {
        return Err("写一两句英文，例如 Never share your screen with a caller.".into());
    }
    Ok(text.to_owned())
}

fn not_blank(fields: &mut Fields<'_, '_>, key: &'static str) -> Option<Located<String>> {
    fields.parsed(key, |text| {
        if text.is_empty() { Err("写上文字。".into()) } else { Ok(text.to_owned()) }
    })
}

fn read_lists(front: &mut FrontMatter, fields: &mut Fields<'_, '_>, registry: &Registry<'_>) {
    let topics = fields.texts("topics");
    front.topics =
        known(fields, topics, "topics.toml 里没有主题", |text| registry.topic(text));
    let campaigns = fields.texts("campaigns");
    front.campaigns =
        known(fields, campaigns, "campaigns/ 里没有活动", |text| registry.campaign(text));
    let hotlines = fields.texts("hotlines");
    front.hotlines =
        known(fields, hotlines, "hotlines.toml 里没有电话", |text| registry.hotline(text))
            .map(|hotlines| registry.in_public_order(hotlines));
    let outputs = fields.texts("outputs");
    front.outputs = known(fields, outputs, "没有输出", |text| {
        OutputKind::from_name(text)
            .ok_or_else(|| suggest::known(text, OutputKind::ALL.iter().map(|kind| kind.as_str())))
    });
    let span = fields.node("audiences").map(|node| node.span);
    let audiences = fields.texts("audiences");
    let audiences = known(fields, audiences, "没有读者", |text| {
        Audience::from_name(text)
            .ok_or_else(|| suggest::known(text, Audience::ALL.iter().map(|kind| kind.as_str())))
    });
    if let (Some(value), Some(span)) = (audiences, span) {
        if !value.contains(&Audience::General) {
            fields.faults.error(
                "read/no-general",
                span,
                "前言的 audiences 里没有 general".into(),
                "lesson.md 就是通用版，把 general 写进列表。".into(),
            );
        }
        front.audiences = Some(Located { value, span });
    }
    front.co_review = plain(fields.texts("co_review"));
    front.keywords = plain(fields.texts("keywords"));
}

fn plain(texts: Option<Vec<Located<String>>>) -> Option<Vec<String>> {
    texts.map(|texts| texts.into_iter().map(|text| text.value).collect())
}

/// Turns names into what they stand for; unknown ones are reported and left out, and so are
/// those written twice.
fn known<T: PartialEq>(
    fields: &mut Fields<'_, '_>,
    texts: Option<Vec<Located<String>>>,
    complaint: &str,
    find: impl Fn(&str) -> Result<T, String>,
) -> Option<Vec<T>> {
    let texts = texts?;
    let mut found = Vec::with_capacity(texts.len());
    for text in texts {
        match find(&text.value) {
            Ok(value) if found.contains(&value) => {}
            Ok(value) => found.push(value),
            Err(help) => fields.faults.error(
                "read/unknown-name",
                text.span,
                format!("{complaint}“{}”", shorten(&text.value)),
                help,
            ),
        }
    }
    Some(found)
}

fn read_review(front: &mut FrontMatter, fields: &mut Fields<'_, '_>) {
    front.priority = fields
        .parsed("priority", |text| match text {
            "normal" => Ok(Priority::Normal),
            "high" => Ok(Priority::High),
            other => Err(suggest::known(other, ["normal", "high"])),
        })
        .map(|priority| priority.value);
    front.valid_from = fields.date("valid_from");
    front.valid_until = fields.date("valid_until");
    front.facts_review_by = fields.date("facts_review_by");
}

fn read_sources(fields: &mut Fields<'_, '_>) -> Option<Vec<Source>> {
    let mut sources: Vec<Source> = Vec::new();
    for item in fields.items("sources")? {
        let Some(mut entry) = Fields::new(item, "sources 的一项", fields.faults) else {
            continue;
        };
        let claim = entry.required_text("claim", "给这条来源起个短名字，例如 claim: victim-age");
        let title = entry.required_text("title", "写网页或法规的标题。");
        let publisher = entry.required_text("publisher", "写是谁发布的。");
        let source = Source {
            claim: claim.unwrap_or_default(),
            title: title.unwrap_or_default(),
            publisher: publisher.unwrap_or_default(),
            date: entry.date("date").map(|date| date.value),
            url: entry.parsed("url", web_address).map(|url| url.value),
            checked: entry.date("checked").map(|date| date.value),
        };
        entry.finish();
        if sources.iter().any(|other| other.claim == source.claim) {
            fields.faults.error(
                "read/duplicate-claim",
                item.span,
                format!("sources 里有两条 claim 都叫“{}”", shorten(&source.claim)),
                "每条来源的 claim 不能相同。".into(),
            );
            continue;
        }
        sources.push(source);
    }
    Some(sources)
}

fn web_address(text: &str) -> Result<String, String> {
    if text.starts_with("https://") || text.starts_with("http://") {
        Ok(text.to_owned())
    } else {
        Err("写完整的网址，以 https:// 开头。".into())
    }
}

fn read_labels(fields: &mut Fields<'_, '_>) -> Option<Vec<ObjectLabel>> {
    let mut labels = Vec::new();
    for item in fields.items("object_labels")? {
        let Some(mut entry) = Fields::new(item, "object_labels 的一项", fields.faults) else {
            continue;
        };
        for key in ["text", "x", "y", "size"] {
            entry.require(
                key,
                "每项都要有 text、x、y、size，例如 {text: \"4200\", x: 42, y: 52, size: 26}",
            );
        }
        let label = ObjectLabel {
            text: entry.text("text").unwrap_or_default(),
            x: entry.number("x").unwrap_or_default(),
            y: entry.number("y").unwrap_or_default(),
            size: entry.number("size").unwrap_or_default(),
            rotate: entry.number("rotate").unwrap_or_default(),
            colour: entry
                .parsed("colour", |text| {
                    if COLOURS.contains(&text) {
                        Ok(text.to_owned())
                    } else {
                        Err(suggest::known(text, COLOURS.iter().copied()))
                    }
                })
                .map_or_else(|| "ink".to_owned(), |colour| colour.value),
            bold: entry.flag("bold").unwrap_or_default(),
        };
        entry.finish();
        labels.push(label);
    }
    Some(labels)
}
