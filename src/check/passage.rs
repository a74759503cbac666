//! A stretch of text as a reader meets it, with the way back to its source.

use crate::model::{Audience, Condition, OutputKind, Span};
use std::ops::Range;

/// Where a passage stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// The title.
    Title,
    /// The short title.
    ShortTitle,
    /// The poster's headline.
    Headline,
    /// The digest that is forwarded with the article.
    Digest,
    /// The banner.
    Banner,
    /// The ticker line.
    Ticker,
    /// The text message.
    Sms,
    /// The short post.
    Post,
    /// A line of the portal page.
    Portal,
    /// A line of the screen poster.
    Screen,
    /// A line of the printed poster.
    Poster,
    /// The leaflet's own text.
    Leaflet,
    /// The staff's talking points.
    Staff,
    /// A heading of the article.
    Heading,
    /// The article.
    Body,
    /// A picture's alternative text, or a word on it.
    Label,
}

impl Place {
    /// Stands alone, without the article around it.
    #[must_use]
    pub fn is_extracted(self) -> bool {
        !matches!(self, Self::Leaflet | Self::Staff | Self::Heading | Self::Body | Self::Label)
    }

    /// A title or headline.
    #[must_use]
    pub fn is_headline(self) -> bool {
        matches!(self, Self::Title | Self::ShortTitle | Self::Headline | Self::Banner)
    }

    /// What people call it.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Title => "标题",
            Self::ShortTitle => "短标题",
            Self::Headline => "海报标题",
            Self::Digest => "摘要",
            Self::Banner => "横幅",
            Self::Ticker => "滚动字幕",
            Self::Sms => "短信",
            Self::Post => "短文",
            Self::Portal => "上网认证页",
            Self::Screen => "屏幕海报",
            Self::Poster => "印刷海报",
            Self::Leaflet => "三折页",
            Self::Staff => "厅堂话术卡",
            Self::Heading => "小标题",
            Self::Body => "正文",
            Self::Label => "图上文字",
        }
    }
}

/// Whose words they are, or what kind of statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Scope {
    /// The bank's own words.
    #[default]
    Own,
    /// `:::scam`
    Scam,
    /// `:::redflag`
    RedFlag,
    /// `:::quote`
    Quote,
    /// A scammer's turn in `:::dialogue`.
    Scammer,
    /// Another turn in `:::dialogue`.
    Turn,
    /// A wrong option of a quiz.
    WrongOption,
    /// A question, right option or explanation of a quiz.
    Quiz,
    /// `:::case`
    Case,
    /// `:::stat`
    Statistic,
    /// `:::calc`
    Calculation,
    /// `:::law`
    Law,
    /// `:::glossary`
    Glossary,
    /// Code.
    Code,
}

impl Scope {
    /// The words are somebody else's, shown so that readers know them.
    #[must_use]
    pub fn is_quoted(self) -> bool {
        matches!(self, Self::Scam | Self::RedFlag | Self::Quote | Self::Scammer | Self::WrongOption)
    }
}

/// Bytes of a passage and the bytes of the source they came from.
#[derive(Debug, Clone, Copy)]
struct Piece {
    at: usize,
    length: usize,
    source: Span,
}

/// A stretch of text: a paragraph, a line, a title.
#[derive(Debug, Clone)]
pub struct Passage<'a> {
    /// As a reader meets it; a telephone reference is [`REFERENCE`].
    pub text: String,
    /// Where it stands.
    pub place: Place,
    /// Whose words.
    pub scope: Scope,
    /// In `:::case{fictional=true}` or with a consent number.
    pub cleared_case: bool,
    /// The section of the article, counted by headings.
    pub section: usize,
    /// It belongs to a warning, a list of steps, an emergency box.
    pub warns: bool,
    /// For quoted words: whether every output that shows them keeps a warning beside them.
    pub covered: bool,
    /// Has a footnote reference.
    pub sourced: bool,
    /// The `:::only` and `:::except` around it.
    pub conditions: Vec<&'a Condition>,
    /// The whole of it in the source.
    pub span: Span,
    /// It was inherited from another text; its span means that text.
    pub inherited: bool,
    pieces: Vec<Piece>,
}

/// What stands for a telephone reference in a passage: the number is the registry's business.
pub const REFERENCE: char = '\u{FFFC}';

impl Passage<'_> {
    /// An empty one.
    pub(super) fn new(place: Place, span: Span) -> Self {
        Self {
            text: String::new(),
            place,
            scope: Scope::Own,
            cleared_case: false,
            section: 0,
            warns: false,
            covered: false,
            sourced: false,
            conditions: Vec::new(),
            span,
            inherited: false,
            pieces: Vec::new(),
        }
    }

    /// Adds text that came from these bytes.
    pub(super) fn push(&mut self, text: &str, source: Span) {
        self.pieces.push(Piece { at: self.text.len(), length: text.len(), source });
        self.text.push_str(text);
    }

    /// The source of a range of the text: exact where the text is the source's own bytes.
    #[must_use]
    pub fn source(&self, range: Range<usize>) -> Span {
        let touched = self
            .pieces
            .iter()
            .filter(|piece| piece.at < range.end && range.start < piece.at + piece.length);
        let part = |piece: &Piece| {
            if piece.source.end - piece.source.start != piece.length {
                return piece.source;
            }
            let from = range.start.saturating_sub(piece.at);
            let to = (range.end - piece.at).min(piece.length);
            Span::new(piece.source.start + from, piece.source.start + to)
        };
        touched.map(part).reduce(Span::join).unwrap_or(self.span)
    }

    /// The range of the text that came from these bytes of the source; `None` where none did.
    #[must_use]
    pub fn text_of(&self, span: Span) -> Option<Range<usize>> {
        let part = |piece: &Piece| {
            let own = piece.source;
            if own.end <= span.start || span.end <= own.start {
                return None;
            }
            // Characters that the source writes otherwise, such as entities, are taken whole.
            let exact = own.end - own.start == piece.length;
            let from = if exact { span.start.saturating_sub(own.start) } else { 0 };
            let to = if exact { (span.end - own.start).min(piece.length) } else { piece.length };
            Some(piece.at + from..piece.at + to)
        };
        let join = |one: Range<usize>, other: Range<usize>| {
            one.start.min(other.start)..one.end.max(other.end)
        };
        let range = self.pieces.iter().filter_map(part).reduce(join)?;
        self.text.get(range.clone()).map(|_| range)
    }

    /// Whether the source's bytes are exactly this range of the text, so that a fix may replace
    /// them.
    #[must_use]
    pub fn is_exact(&self, range: &Range<usize>, source_text: &str) -> bool {
        let span = self.source(range.clone());
        !self.inherited && source_text.get(span.start..span.end) == Some(&self.text[range.clone()])
    }

    /// Whether an output for an audience shows it.
    #[must_use]
    pub fn is_shown_in(&self, output: OutputKind, audience: Audience) -> bool {
        self.conditions.iter().all(|condition| condition.admits(output, audience))
    }
}
