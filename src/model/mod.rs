//! The nouns every other room speaks.
//!
//! A [`Library`] holds everything that was read from `content/`: [`Lesson`]s with one [`Variant`]
//! per [`Audience`], topics, hotlines, campaigns, branches and screens. Rendering turns a variant
//! into an [`Artifact`]; a build lists artifacts in a [`Listing`].
//!
//! Invariants: nothing here does I/O, reads a clock or knows another room of this crate, and no
//! type here is `Serialize`: each boundary has its own wire type.

mod artifact;
mod asset;
mod bank;
mod block;
mod branch;
mod calendar;
mod campaign;
mod diagnostic;
mod digest;
mod facts;
mod finding;
mod hotline;
mod id;
mod layout;
mod lesson;
mod library;
mod limits;
mod output;
mod pack;
mod publish;
mod rule;
pub mod schedule;
mod slot;
pub mod suggest;
mod tier;

pub use artifact::{Artifact, Listing, MediaType};
pub use asset::{Asset, AssetSet};
pub use bank::Bank;
pub use block::{
    AlertKind, Block, BlockKind, Calculation, CalloutKind, Condition, Directive, GlossaryEntry,
    Inline, InlineKind, ListItem, Question, QuestionOption, Step, TableAlignment, Turn, plain_text,
};
pub use branch::{Branch, Screen};
pub use calendar::{Blackout, Calendar, Holiday};
pub use campaign::{Campaign, Edition, Reach, Reached};
pub use diagnostic::{Diagnostic, Severity, SourceFile};
pub use digest::Digest;
pub use facts::{
    Domain, DomainKind, Facts, Figure, Law, Provenance, SupersededName, Term, TermKind,
};
pub use finding::{Finding, Fix, Related, Waiver, Words};
pub use hotline::{Hotline, HotlineKind, HotlineSet};
pub use id::{
    BranchId, CampaignId, ChannelId, HotlineId, IdError, LessonId, PersonId, ScheduleId, TopicId,
};
pub use layout::{LayoutReport, PlacedBox};
pub use lesson::{
    Headline, HeadlinePart, Lesson, LessonKind, Located, ObjectLabel, Priority, Source, Variant,
};
pub use library::{Library, Topic};
pub use limits::{Limit, Limits};
pub use output::{Audience, OutputKind};
pub use pack::{
    Daypart, PackEntry, PackIndex, PackRelease, PackScreen, TakeDown, bank_zone, spoken,
};
pub use publish::{
    Approval, Decision, DeliveryKey, DeliveryState, LessonRevision, Manifest, Message, Receipt,
    ReviewStep, SlotMove, Window,
};
pub use rule::{RuleChange, RulePack};
pub use schedule::{Misfire, OnBlackout, ScheduleEntry};
pub use slot::{SLOT, SLOT_CHARACTERS, Slot, counted_with_slots, slots};
pub use tier::{Lead, PosterText, Tiers};

/// A range of bytes in one source file, end exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span {
    /// Offset of the first byte.
    pub start: usize,
    /// Offset behind the last byte.
    pub end: usize,
}

impl Span {
    /// The range from `start` up to, not including, `end`.
    #[must_use]
    pub fn new(start: usize, end: usize) -> Self {
        Self { start, end: end.max(start) }
    }

    /// The smallest span that covers both.
    #[must_use]
    pub fn join(self, other: Self) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

/// Counts text the way editors of Chinese copy do: every Han character is one 字, every run of
/// Latin letters or digits is one 字, punctuation and spaces count nothing.
#[must_use]
pub fn count_words(text: &str) -> usize {
    let mut count = 0;
    let mut in_run = false;
    for character in text.chars() {
        let han = matches!(character, '\u{3400}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{323AF}' | '〇');
        let latin = character.is_alphanumeric() && !han;
        if han || (latin && !in_run) {
            count += 1;
        }
        in_run = latin || (in_run && matches!(character, '.' | '%' | ','));
    }
    count
}
