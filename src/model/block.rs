//! The block tree of a lesson's text, with source spans.

use super::{Audience, HotlineId, OutputKind, Span};

/// A block and where it stands in the source.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// The bytes it came from.
    pub span: Span,
    /// What it is.
    pub kind: BlockKind,
}

/// The kinds of block.
#[derive(Debug, Clone, PartialEq)]
pub enum BlockKind {
    /// Running text.
    Paragraph(Vec<Inline>),
    /// A heading of level 2 to 6 (level 1 belongs to the title).
    Heading {
        /// 1–6 as written.
        level: u8,
        /// The `{#id}` attribute.
        id: Option<String>,
        /// Its text.
        content: Vec<Inline>,
    },
    /// A list.
    List {
        /// The first number of an ordered list; `None` for bullets.
        start: Option<u64>,
        /// Its items.
        items: Vec<ListItem>,
    },
    /// A block quotation.
    Quote(Vec<Block>),
    /// A GitHub-style alert, `> [!TIP]`.
    Alert {
        /// Which.
        kind: AlertKind,
        /// Its content.
        blocks: Vec<Block>,
    },
    /// Code, as written.
    Code {
        /// The info string's first word, possibly empty.
        language: String,
        /// The text, lines ended by `\n`.
        text: String,
    },
    /// A table.
    Table {
        /// One per column.
        alignments: Vec<TableAlignment>,
        /// The header's cells.
        head: Vec<Vec<Inline>>,
        /// The rows' cells.
        rows: Vec<Vec<Vec<Inline>>>,
    },
    /// A thematic break.
    Rule,
    /// The definition of a footnote.
    Footnote {
        /// Its label.
        label: String,
        /// Its content.
        blocks: Vec<Block>,
    },
    /// A directive block, `:::name`.
    Directive(Directive),
}

/// One item of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct ListItem {
    /// `Some(done)` for a task list item.
    pub task: Option<bool>,
    /// Its content; a tight item is one paragraph.
    pub blocks: Vec<Block>,
}

/// Alignment of a table column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableAlignment {
    /// Not said.
    None,
    /// Left.
    Left,
    /// Centre.
    Center,
    /// Right.
    Right,
}

/// The five alerts of GitHub-flavoured Markdown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlertKind {
    /// 说明
    Note,
    /// 提示
    Tip,
    /// 要点
    Important,
    /// 警示
    Warning,
    /// 当心
    Caution,
}

/// `:::tip` and `:::warning`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CalloutKind {
    /// 提示
    Tip,
    /// 警示
    Warning,
}

/// A directive block (`domain/formats.md` §3e). Text tiers such as `:::screen` are not here: they
/// are taken out of the body into [`super::Tiers`].
#[derive(Debug, Clone, PartialEq)]
pub enum Directive {
    /// A tip or warning.
    Callout {
        /// Which.
        kind: CalloutKind,
        /// Its content.
        blocks: Vec<Block>,
    },
    /// A scammer's words.
    Scam(Vec<Block>),
    /// Somebody's words.
    Quotation {
        /// Who says it.
        speaker: String,
        /// The words.
        blocks: Vec<Block>,
    },
    /// Signs of a scam.
    RedFlags(Vec<Vec<Inline>>),
    /// What to do, in order.
    Steps(Vec<Step>),
    /// What to do when it has already happened.
    Emergency(Vec<Block>),
    /// A case told as a story.
    Case {
        /// The people are invented; the outputs say so.
        fictional: bool,
        /// Reference of the consent, for real people.
        consent: Option<String>,
        /// Its content.
        blocks: Vec<Block>,
    },
    /// A conversation.
    Dialogue(Vec<Turn>),
    /// A figure with its source.
    Statistic {
        /// The figure as shown.
        value: String,
        /// The `claim` of one of the lesson's sources.
        source: String,
        /// What it says.
        label: Vec<Inline>,
    },
    /// Arithmetic that was verified when it was read.
    Calculation(Vec<Calculation>),
    /// Questions.
    Quiz(Vec<Question>),
    /// The gist of a legal article.
    Law {
        /// `name/article`.
        cite: String,
        /// Its content.
        blocks: Vec<Block>,
    },
    /// Words explained.
    Glossary(Vec<GlossaryEntry>),
    /// A table of numbers, in the order that is shown.
    HotlineTable(Vec<HotlineId>),
    /// A picture.
    Image {
        /// The asset's file name.
        file: String,
        /// The alternative text, from the block or from `assets.toml`.
        alt: String,
    },
    /// A QR code that leads to this lesson.
    QrCode,
    /// Content for some outputs or audiences only.
    Conditional {
        /// When it is shown.
        condition: Condition,
        /// The content.
        blocks: Vec<Block>,
    },
}

/// When a conditional block is shown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Condition {
    /// `true` for `:::except`: shown where nothing of what follows matches.
    pub negated: bool,
    /// The outputs it names; empty means any.
    pub outputs: Vec<OutputKind>,
    /// The audiences it names; empty means any.
    pub audiences: Vec<Audience>,
}

impl Condition {
    /// Whether the block is shown in this output for this audience.
    #[must_use]
    pub fn admits(&self, output: OutputKind, audience: Audience) -> bool {
        let matches = (self.outputs.is_empty() || self.outputs.contains(&output))
            && (self.audiences.is_empty() || self.audiences.contains(&audience));
        matches != self.negated
    }
}

/// One step of advice.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Where it stands.
    pub span: Span,
    /// The word of one or two characters that is shown large.
    pub word: String,
    /// The sentence; may be empty on a screen.
    pub sentence: Vec<Inline>,
    /// The number that ends it.
    pub hotline: Option<HotlineId>,
}

/// One turn of a conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn {
    /// Where it stands.
    pub span: Span,
    /// Who speaks.
    pub speaker: String,
    /// The words.
    pub content: Vec<Inline>,
}

impl Turn {
    /// Whether the reader speaks: that bubble stands at the right.
    #[must_use]
    pub fn is_mine(&self) -> bool {
        self.speaker == "我"
    }

    /// Whether a scammer speaks: wording rules are off here, and the avatar bites.
    #[must_use]
    pub fn is_scammer(&self) -> bool {
        ["骗子", "放贷人", "假客服", "陌生人"].contains(&self.speaker.as_str())
    }
}

/// One line of arithmetic, verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calculation {
    /// Where it stands.
    pub span: Span,
    /// What is computed.
    pub label: String,
    /// The expression as written, such as `5000 - 800`.
    pub expression: String,
    /// The result as written.
    pub result: String,
    /// The unit, possibly empty.
    pub unit: String,
    /// Whether the result is rounded and was written with `≈`.
    pub approximate: bool,
}

/// One question of a quiz.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// Where it stands.
    pub span: Span,
    /// The question.
    pub text: Vec<Inline>,
    /// The options; exactly one is right.
    pub options: Vec<QuestionOption>,
    /// Why, in one line.
    pub explanation: Vec<Inline>,
}

/// One option of a question.
#[derive(Debug, Clone, PartialEq)]
pub struct QuestionOption {
    /// Whether it is the right one.
    pub correct: bool,
    /// Its text.
    pub content: Vec<Inline>,
}

/// A word and its plain explanation.
#[derive(Debug, Clone, PartialEq)]
pub struct GlossaryEntry {
    /// The word.
    pub term: String,
    /// The explanation.
    pub explanation: Vec<Inline>,
}

/// A piece of running text and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Inline {
    /// The bytes it came from.
    pub span: Span,
    /// What it is.
    pub kind: InlineKind,
}

/// The kinds of inline.
#[derive(Debug, Clone, PartialEq)]
pub enum InlineKind {
    /// Characters, entities decoded.
    Text(String),
    /// `*…*`
    Emphasis(Vec<Inline>),
    /// `**…**`
    Strong(Vec<Inline>),
    /// `~~…~~`
    Strikethrough(Vec<Inline>),
    /// `` `…` ``
    Code(String),
    /// A link.
    Link {
        /// Where to.
        url: String,
        /// Its text.
        content: Vec<Inline>,
    },
    /// A picture from the lesson's folder or `content/assets/`.
    Image {
        /// The asset's file name.
        file: String,
        /// The alternative text, from the Markdown or from `assets.toml`.
        alt: String,
    },
    /// `[^label]`
    FootnoteReference(String),
    /// A line end inside a paragraph. Between Han characters it is nothing, else a space.
    SoftBreak,
    /// A line end that was asked for.
    HardBreak,
    /// `{{hotline:id}}`
    Hotline(HotlineId),
    /// `{{bank:name}}`
    BankName,
    /// `{{branch:name}}`
    BranchName,
}

/// The characters of inlines without markup. `resolve` says what a reference stands for; it gets
/// [`InlineKind::Hotline`], [`InlineKind::BankName`] and [`InlineKind::BranchName`] only.
#[must_use]
pub fn plain_text(inlines: &[Inline], resolve: &dyn Fn(&InlineKind) -> String) -> String {
    let mut text = String::new();
    collect_plain_text(inlines, resolve, &mut text);
    text
}

fn collect_plain_text(
    inlines: &[Inline],
    resolve: &dyn Fn(&InlineKind) -> String,
    text: &mut String,
) {
    for (index, inline) in inlines.iter().enumerate() {
        match &inline.kind {
            InlineKind::Text(part) | InlineKind::Code(part) => text.push_str(part),
            InlineKind::Emphasis(content)
            | InlineKind::Strong(content)
            | InlineKind::Strikethrough(content)
            | InlineKind::Link { content, .. } => collect_plain_text(content, resolve, text),
            InlineKind::Image { alt, .. } => text.push_str(alt),
            InlineKind::FootnoteReference(_) => {}
            InlineKind::SoftBreak => {
                let ascii_before = text.ends_with(|c: char| c.is_ascii());
                let ascii_after = matches!(
                    inlines.get(index + 1).map(|next| &next.kind),
                    Some(InlineKind::Text(next)) if next.starts_with(|c: char| c.is_ascii())
                );
                if ascii_before && ascii_after {
                    text.push(' ');
                }
            }
            InlineKind::HardBreak => text.push('\n'),
            InlineKind::Hotline(_) | InlineKind::BankName | InlineKind::BranchName => {
                text.push_str(&resolve(&inline.kind));
            }
        }
    }
}
