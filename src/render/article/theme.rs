//! Themes as data: `templates/article/{general,elder,student}.toml`, one style per part.

use super::style::{Style, StyleText};
use crate::render::Palette;
use serde::Deserialize;

macro_rules! parts {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {
        /// One style per part of an article.
        #[derive(Debug, Clone, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(super) struct Parts<Value> {
            $($(#[$doc])* pub(super) $name: Value,)+
        }

        impl Parts<StyleText> {
            fn paint(&self, palette: &Palette) -> Parts<Style> {
                Parts { $($name: self.$name.paint(palette),)+ }
            }
        }
    };
}

parts!(
    /// The root: what everything inherits.
    root,
    /// The field at the top.
    hero,
    /// Its text column.
    hero_text,
    /// Bank and topic.
    kicker,
    /// The headline.
    title,
    /// The headline where a line has more than six characters.
    title_long,
    /// The trap's name in the headline.
    lure,
    /// The box of the object picture.
    hero_picture,
    /// The object picture.
    hero_image,
    /// The column of everything below the hero.
    body,
    /// The first paragraph.
    opening,
    /// Running text.
    paragraph,
    /// The last paragraph of a padded box.
    paragraph_last,
    /// A level 2 heading.
    heading,
    /// The heading's words.
    heading_text,
    /// A level 3 heading.
    subheading,
    /// Emphasis; Han characters have no italics.
    emphasis,
    /// Code within a line.
    code_inline,
    /// A block of code.
    code,
    /// A link that WeChat keeps.
    link,
    /// The number of a reference.
    reference,
    /// A row of a list.
    list_row,
    /// Its marker.
    list_marker,
    /// Its text.
    list_text,
    /// A further block of a list item.
    list_more,
    /// A quotation.
    quote,
    /// 提示, 说明, 要点
    callout,
    /// The callout's word.
    callout_label,
    /// 警示, 当心
    warning,
    /// The warning's word.
    warning_label,
    /// What to do when it has happened.
    emergency,
    /// Its word.
    emergency_label,
    /// A legal article.
    law,
    /// Its name.
    law_label,
    /// Around a table, scrolls sideways.
    table_scroll,
    /// A table.
    table,
    /// A head cell.
    table_head,
    /// A cell.
    table_cell,
    /// A thematic break.
    rule,
    /// Around somebody's words.
    speech,
    /// Who says them.
    speech_label,
    /// The words.
    bubble,
    /// A danger sign.
    flag_row,
    /// Its square.
    flag_key,
    /// Its text.
    flag_text,
    /// A step.
    step_row,
    /// Its word.
    step_key,
    /// Its word where the list has words of two characters.
    step_key_wide,
    /// The word of a last step that ends in a number.
    step_key_act,
    /// Its sentence.
    step_text,
    /// The number that ends it.
    step_number,
    /// A big figure.
    statistic,
    /// The figure.
    statistic_value,
    /// What it says.
    statistic_label,
    /// Where it comes from.
    statistic_source,
    /// Arithmetic.
    sum,
    /// One line of it.
    sum_row,
    /// What is computed.
    sum_label,
    /// The result.
    sum_figure,
    /// The last line.
    total_row,
    /// What the last line computes.
    total_label,
    /// The last result.
    total_figure,
    /// An expression.
    sum_expression,
    /// A conversation.
    chat,
    /// A turn.
    chat_row,
    /// The reader's turn.
    chat_row_mine,
    /// A speaker's mark.
    avatar,
    /// The reader's mark.
    avatar_mine,
    /// A scammer's mark.
    avatar_scammer,
    /// A speaker's words.
    chat_bubble,
    /// The reader's words.
    chat_bubble_mine,
    /// The reader's last words.
    chat_bubble_last,
    /// One question.
    quiz,
    /// Its text.
    question,
    /// An option.
    option,
    /// The answer.
    answer,
    /// A word and its explanation.
    glossary,
    /// The word.
    term,
    /// A table of numbers.
    hotlines,
    /// The first number.
    hotline_first,
    /// A further number.
    hotline_next,
    /// A number of the police.
    hotline_emergency,
    /// The digits.
    hotline_number,
    /// The digits of the first number.
    hotline_number_first,
    /// What the number is for.
    hotline_label,
    /// Around a picture.
    figure,
    /// A picture.
    figure_image,
    /// A picture within a line.
    inline_image,
    /// The address of the lesson.
    address,
    /// The numbered references.
    references,
    /// Sources and review date.
    sources,
    /// Disclaimer and lesson number.
    footer,
);

/// Where the object picture stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum ObjectPlace {
    /// Right of the title.
    Beside,
    /// Under the title, as wide as the column.
    Below,
    /// Before the first case, away from the title.
    Story,
}

/// A theme as its file says it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::render) struct Theme {
    /// Where the object picture stands.
    pub(super) object: ObjectPlace,
    /// Whether steps show their number before the word.
    pub(super) step_numbers: bool,
    /// Pixels by which each step stands further left than the one before it.
    pub(super) step_indent_px: usize,
    /// Whether the label of a telephone number stands above it.
    pub(super) hotline_label_first: bool,
    /// Pixels between a group of rows and what follows.
    pub(super) block_gap_px: usize,
    /// Pixels by which a nested list is moved.
    pub(super) list_indent_px: usize,
    /// Styles of the steps counted from the last one.
    step_levels: Vec<StyleText>,
    parts: Parts<StyleText>,
}

/// A theme in a palette's colours.
#[derive(Debug)]
pub(super) struct Sheet {
    /// One style per part.
    pub(super) parts: Parts<Style>,
    step_levels: Vec<Style>,
    plain: Style,
}

impl Theme {
    /// Reads a theme file.
    ///
    /// # Errors
    /// What is wrong, and the line.
    pub(in crate::render) fn parse(text: &str) -> Result<Self, (usize, String)> {
        toml::from_str(text).map_err(|error| {
            let before = error.span().map_or("", |span| &text[..span.start.min(text.len())]);
            (before.matches('\n').count() + 1, error.message().to_owned())
        })
    }

    /// The theme in a palette's colours.
    pub(super) fn paint(&self, palette: &Palette) -> Sheet {
        Sheet {
            parts: self.parts.paint(palette),
            step_levels: self.step_levels.iter().map(|level| level.paint(palette)).collect(),
            plain: Style::default(),
        }
    }
}

impl Sheet {
    /// The style of the step that many places before the last one.
    pub(super) fn step_level(&self, from_last: usize) -> &Style {
        self.step_levels.get(from_last).or(self.step_levels.last()).unwrap_or(&self.plain)
    }
}
