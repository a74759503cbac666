//! A lesson and its variants.

use super::{
    AssetSet, Audience, Block, CampaignId, Digest, HotlineId, LessonId, OutputKind, SourceFile,
    Span, Tiers, TopicId,
};
use jiff::civil::Date;
use std::{collections::BTreeMap, sync::Arc};

/// A value and where it stands in the source.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// The bytes it came from.
    pub span: Span,
}

/// A lesson: one folder under `content/lessons/`.
#[derive(Debug, Clone, PartialEq)]
pub struct Lesson {
    /// The folder's name.
    pub id: LessonId,
    /// One per audience; [`Audience::General`] is always there.
    pub variants: BTreeMap<Audience, Variant>,
    /// The pictures of the folder.
    pub assets: AssetSet,
}

/// What a lesson says to one audience. Keys that a variant's file leaves out are the general
/// file's.
#[derive(Debug, Clone, PartialEq)]
pub struct Variant {
    /// The file its body was read from.
    pub file: Arc<SourceFile>,
    /// SHA-256 of everything the variant was made from: its own file and, for a variant other
    /// than general, the general file whose front matter it inherits.
    pub digest: Digest,
    /// For whom.
    pub audience: Audience,
    /// Counts up with every published change.
    pub version: u32,
    /// What sort of text it is; education and marketing never mix.
    pub kind: LessonKind,
    /// The article's title, at most 32 characters.
    pub title: Located<String>,
    /// The title in lists.
    pub short_title: Option<Located<String>>,
    /// The lesson in one or two English sentences, for guests who read no Chinese; on the portal
    /// page.
    pub english: Option<String>,
    /// The poster's headline.
    pub headline: Located<Headline>,
    /// The article's digest, at most 128 characters.
    pub digest_text: Located<String>,
    /// The topics; the first one decides colours and corner tag.
    pub topics: Vec<TopicId>,
    /// The audiences the lesson names.
    pub audiences: Vec<Audience>,
    /// The campaign editions it belongs to.
    pub campaigns: Vec<CampaignId>,
    /// What is made of it.
    pub outputs: Vec<OutputKind>,
    /// Decides the steps of review.
    pub priority: Priority,
    /// First day it may be shown.
    pub valid_from: Date,
    /// Last day it may be shown.
    pub valid_until: Date,
    /// The day its facts must have been looked at again.
    pub facts_review_by: Option<Date>,
    /// The numbers it ends with, in the order shown: emergency, advice, bank, regulator.
    pub hotlines: Vec<HotlineId>,
    /// The department that answers for it.
    pub owner: String,
    /// Departments that sign besides.
    pub co_review: Vec<String>,
    /// What stands beside the QR code, at most 5 字.
    pub qr_label: String,
    /// For searching.
    pub keywords: Vec<String>,
    /// Text laid over the object picture.
    pub object_labels: Vec<ObjectLabel>,
    /// Where its facts come from.
    pub sources: Vec<Source>,
    /// The article.
    pub body: Vec<Block>,
    /// The texts for one output each.
    pub tiers: Tiers,
}

impl Variant {
    /// The source whose `claim` this is.
    #[must_use]
    pub fn source(&self, claim: &str) -> Option<&Source> {
        self.sources.iter().find(|source| source.claim == claim)
    }
}

/// The sort of a lesson.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LessonKind {
    /// Public-interest teaching: no product, no rate, no purchase link.
    Education,
    /// A public notice (公示).
    Notice,
    /// For staff.
    Training,
    /// Marketing, under a rule pack of its own.
    Marketing,
}

/// Decides how many people must sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Priority {
    /// The ordinary steps.
    #[default]
    Normal,
    /// The committee signs too.
    High,
}

/// A headline with its line break and its trap word, written `正规客服不会|要你[共享屏幕]`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Headline {
    /// One or two lines of parts.
    pub lines: Vec<Vec<HeadlinePart>>,
}

impl Headline {
    /// The characters without marks, lines joined by nothing.
    #[must_use]
    pub fn plain(&self) -> String {
        self.lines.iter().flatten().map(|part| part.text.as_str()).collect()
    }
}

/// A part of a headline line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeadlinePart {
    /// Its characters.
    pub text: String,
    /// Whether it is the trap's name and takes the lure's colour.
    pub lure: bool,
}

/// A text laid over the object picture.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectLabel {
    /// The characters.
    pub text: Located<String>,
    /// Centre, per cent of the picture's width.
    pub x: f32,
    /// Centre, per cent of the picture's height.
    pub y: f32,
    /// Font size, per cent of the picture's height.
    pub size: f32,
    /// Degrees clockwise.
    pub rotate: f32,
    /// Name of a palette colour.
    pub colour: String,
    /// Whether it is bold.
    pub bold: bool,
}

/// Where a fact comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Name used by `:::stat{source=…}`.
    pub claim: String,
    /// Title of the page or the law.
    pub title: String,
    /// Who published it.
    pub publisher: String,
    /// When, where known.
    pub date: Option<Date>,
    /// Its address, where there is one.
    pub url: Option<String>,
    /// The day somebody looked at it.
    pub checked: Option<Date>,
}
