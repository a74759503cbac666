//! The texts an author writes for one output each.

use super::{Block, Inline, Located, Span, Step, Turn};

/// The short tiers of a variant. What is absent was not written.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tiers {
    /// `:::screen`, at most 45 字.
    pub screen: Option<PosterText>,
    /// `:::poster`, at most 120 字.
    pub poster: Option<PosterText>,
    /// `:::portal`, at most 300 字.
    pub portal: Option<PosterText>,
    /// `:::leaflet`.
    pub leaflet: Option<Vec<Block>>,
    /// `:::ticker`, one sentence.
    pub ticker: Option<Located<Vec<Inline>>>,
    /// `:::sms`.
    pub sms: Option<Located<Vec<Inline>>>,
    /// `:::post`.
    pub post: Option<Located<Vec<Inline>>>,
    /// `:::banner`, or the front matter's `banner`.
    pub banner: Option<Located<Vec<Inline>>>,
    /// `:::staff`: must never reach a customer.
    pub staff: Option<Vec<Block>>,
}

/// The structured text of a poster or portal page.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PosterText {
    /// The block in the source.
    pub span: Span,
    /// One warning and one imperative.
    pub lead: Option<Lead>,
    /// Lines not to cross.
    pub lines: Vec<Vec<Inline>>,
    /// The clause before the steps.
    pub cue: Option<Vec<Inline>>,
    /// The steps.
    pub steps: Vec<Step>,
    /// A conversation, in the student family.
    pub dialogue: Vec<Turn>,
}

/// The sentence under the headline.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Lead {
    /// The warning.
    pub plain: Vec<Inline>,
    /// The imperative, which is shown twice as loud; possibly empty.
    pub imperative: Vec<Inline>,
}
