//! From a place in a source to the words that a reader meets: what is to be looked for in an
//! output, whatever mark-up stands in the source or in the output.

use super::{
    passage::{Passage, Place},
    walk,
};
use crate::model::{Bank, OutputKind, Span, Variant, Words};

/// A finding about more paragraphs than this is about the text as a whole.
const MOST: usize = 12;

/// What a place in the source became.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sought {
    /// Where it stands: body, ticker, screen poster.
    pub place: Place,
    /// The words. A telephone reference is [`super::passage::REFERENCE`].
    pub words: Words,
}

/// The words of each of these places of a variant's file, paragraph by paragraph. Nothing for a
/// place without words of its own: a date, a missing key, the beginning of the file.
#[must_use]
pub fn sought(variant: &Variant, bank: &Bank, spans: &[Option<Span>]) -> Vec<Vec<Sought>> {
    let texts = walk::texts(variant, bank);
    let of = |span: &Option<Span>| {
        let Some(span) = *span else { return Vec::new() };
        let own = texts.passages.iter().filter(|passage| !passage.inherited);
        let found: Vec<Sought> = own.filter_map(|passage| part(passage, span)).collect();
        if found.len() > MOST { Vec::new() } else { found }
    };
    spans.iter().map(of).collect()
}

fn part(passage: &Passage<'_>, span: Span) -> Option<Sought> {
    let range = passage.text_of(span)?;
    let words = Words {
        before: passage.text[..range.start].to_owned(),
        words: passage.text[range.clone()].to_owned(),
        after: passage.text[range.end..].to_owned(),
    };
    (!words.words.trim().is_empty()).then_some(Sought { place: passage.place, words })
}

/// Whether an output that is a picture or paper takes words from there. What is text can be looked
/// through; of these it is said which findings may concern them.
#[must_use]
pub fn feeds(place: Place, output: OutputKind) -> bool {
    use Place::{
        Body, Heading, Headline, Label, Leaflet, Poster, Screen, ShortTitle, Staff, Title,
    };
    match output {
        OutputKind::Article => matches!(place, Headline | Label),
        OutputKind::Screen | OutputKind::Newspic => matches!(place, Headline | Screen | Label),
        OutputKind::Print => matches!(place, Headline | Poster | Screen | Label),
        OutputKind::Leaflet => {
            matches!(place, Headline | Title | Leaflet | Poster | Screen | Heading | Body | Label)
        }
        OutputKind::Booth => {
            matches!(place, Headline | Title | ShortTitle | Heading | Body | Label)
        }
        OutputKind::Morning => matches!(place, Title | ShortTitle | Staff | Heading | Body),
        _ => true,
    }
}
