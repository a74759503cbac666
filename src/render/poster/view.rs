//! What poster templates see.

use super::scale::Sizes;
use crate::render::Palette;
use serde::Serialize;

/// The view of everything above the branch strip. Lengths are pixels of the profile unless they
/// stand in `at`, which holds the design's own numbers for `{{px …}}`.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "template names; the templates show their use")]
pub struct PosterView<'a> {
    pub unit: f64,
    pub at: &'a Sizes,
    pub width: u32,
    pub height: u32,
    pub palette: &'a Palette,
    #[serde(rename = "type")]
    pub fonts: FontSizes,
    pub margin: u32,
    pub column: u32,
    pub copy_width: u32,
    pub copy_height: u32,
    pub stair: u32,
    pub mark: &'a str,
    pub bank: &'a str,
    pub tag: &'a str,
    pub dash: bool,
    pub headline: Vec<Vec<PartView>>,
    pub lead: Option<LeadView>,
    /// Lead and cue as lines, for schemes that set them in one paragraph.
    pub sentence: Vec<String>,
    pub cue: Vec<String>,
    pub cue_bottom: u32,
    pub treads: Vec<TreadView>,
    pub slabs: Vec<SlabView>,
    pub slabs_left: u32,
    pub slab_direction: &'static str,
    pub slab_align: &'static str,
    pub lead_left: u32,
    pub lead_width: u32,
    pub number: Option<NumberView>,
    pub turns: Vec<TurnView>,
    pub panel_left: u32,
    pub chat_left: u32,
    pub object: Option<ObjectView>,
}

/// Font sizes in pixels.
#[derive(Debug, Clone, Copy, Serialize)]
#[expect(missing_docs, reason = "named as in scale.toml")]
pub struct FontSizes {
    pub brand: u32,
    pub mark: u32,
    pub tag: u32,
    pub headline: u32,
    pub lead: u32,
    pub imperative: u32,
    pub cue: u32,
    pub word: u32,
    pub slab: u32,
    pub bubble: u32,
    pub numeral: u32,
    pub number: u32,
}

/// A part of a headline line.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "named as in the model")]
pub struct PartView {
    pub text: String,
    pub lure: bool,
    /// Where two lines are set as one, what begins the second stands a little apart.
    pub gap: bool,
}

/// The lead.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "named as in the model")]
pub struct LeadView {
    pub plain: String,
    pub imperative: String,
}

/// One stair tread.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "template names")]
pub struct TreadView {
    pub index: usize,
    pub left: u32,
    pub width: u32,
    pub height: u32,
    pub padding: u32,
    pub ground: String,
    pub text: String,
    pub numeral: String,
    pub word: String,
    pub word_px: u32,
    pub icon: Option<String>,
    pub number: Option<String>,
    pub number_px: u32,
}

/// One slab of the elder family.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "template names")]
pub struct SlabView {
    pub ground: String,
    pub word: String,
    pub text: String,
}

/// A telephone number and its label, in lines.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "template names")]
pub struct NumberView {
    pub label: Vec<String>,
    pub number: String,
    pub font: u32,
}

/// One bubble of a conversation.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "template names")]
pub struct TurnView {
    pub mine: bool,
    pub align: &'static str,
    pub ground: String,
    pub text: String,
    pub words: String,
    pub avatar: String,
}

/// The object and the labels laid over it.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "template names")]
pub struct ObjectView {
    pub left: i32,
    pub top: i32,
    pub width: u32,
    pub height: u32,
    pub svg: String,
    pub labels: Vec<LabelView>,
}

/// A label: a box whose centre is where the author put it.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "template names")]
pub struct LabelView {
    pub left: i32,
    pub top: i32,
    pub width: u32,
    pub height: u32,
    pub font: u32,
    pub colour: String,
    pub weight: u32,
    pub rotate: f32,
    pub text: String,
}

/// The branch strip.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "template names")]
pub struct StripView {
    pub unit: f64,
    pub width: u32,
    pub height: u32,
    pub margin: u32,
    pub fill: String,
    pub text: String,
    pub mute: String,
    pub inline: bool,
    pub where_top: u32,
    pub where_width: u32,
    pub where_direction: &'static str,
    pub where_justify: &'static str,
    pub where_align: &'static str,
    pub name: String,
    pub name_px: u32,
    pub address: Vec<String>,
    pub address_px: u32,
    pub ask_left: u32,
    pub ask_top: u32,
    pub ask_width: u32,
    pub ask_height: u32,
    pub label: String,
    pub label_px: u32,
    pub number: String,
    pub number_px: u32,
    pub qr_label: Vec<String>,
    pub qr_label_right: u32,
    pub qr_left: u32,
    pub qr_top: u32,
    pub qr_side: u32,
    pub qr_modules: usize,
    /// Empty where the code is drawn in pixels afterwards.
    pub qr_path: String,
}
