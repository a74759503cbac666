//! What poster templates of paper see. Lengths are millimetres of A4, for `{{mm …}}`.

use crate::{
    model::ObjectLabel,
    render::{
        Fonts as FontFaces, Palette,
        fonts::Weight,
        poster::view::{LeadView, PartView},
    },
};
use serde::Serialize;

/// A whole poster.
#[derive(Debug, Clone, Serialize)]
pub(super) struct PosterView<'a> {
    pub palette: &'a Palette,
    #[serde(rename = "type")]
    pub fonts: Fonts,
    pub mark: String,
    pub bank: &'a str,
    pub tag: &'a str,
    pub dash: bool,
    pub headline: Vec<Vec<PartView>>,
    pub lead: Option<LeadView>,
    pub lines: Vec<String>,
    pub cue: String,
    pub boxed: Option<BoxedView>,
    pub steps: Vec<StepView>,
    pub number: Option<String>,
    pub turns: Vec<TurnView>,
    pub object: Option<ObjectView>,
    pub strip: StripView,
}

/// Font sizes.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Fonts {
    pub brand: f64,
    pub tag: f64,
    pub headline: f64,
    pub lead: f64,
    pub imperative: f64,
    pub line: f64,
    pub cue: f64,
    pub word: f64,
    pub numeral: f64,
    pub sentence: f64,
    pub number: f64,
    pub boxed: f64,
    pub note: f64,
}

/// The number in a box beside the checklist.
#[derive(Debug, Clone, Serialize)]
pub(super) struct BoxedView {
    pub number: String,
    pub note: String,
}

/// A step: a tread, a slab or a card.
#[derive(Debug, Clone, Serialize)]
pub(super) struct StepView {
    pub index: usize,
    pub last: bool,
    pub left: f64,
    pub width: f64,
    /// The coloured field, which reaches into the bleed.
    pub field_left: f64,
    pub field_width: f64,
    pub height: f64,
    pub padding: f64,
    pub ground: String,
    pub text: String,
    pub numeral: String,
    pub word: String,
    pub word_size: f64,
    pub sentence: Vec<String>,
    pub number: Option<String>,
    pub number_size: f64,
}

/// A turn of a conversation.
#[derive(Debug, Clone, Serialize)]
pub(super) struct TurnView {
    pub align: &'static str,
    pub ground: String,
    pub text: String,
    pub words: String,
}

/// The object.
#[derive(Debug, Clone, Serialize)]
pub(super) struct ObjectView {
    pub left: f64,
    pub top: f64,
    pub width: f64,
    pub height: f64,
    pub svg: String,
    pub labels: Vec<LabelView>,
}

/// A text laid over the object: a box around its centre.
#[derive(Debug, Clone, Serialize)]
pub(super) struct LabelView {
    pub left: f64,
    pub top: f64,
    pub width: f64,
    pub height: f64,
    pub size: f64,
    pub colour: String,
    pub weight: u32,
    pub rotate: f32,
    pub text: String,
}

impl LabelView {
    /// The author's labels over a drawing at left, top, width and height.
    pub fn all(
        labels: &[ObjectLabel],
        [left, top, width, height]: [f64; 4],
        palette: &Palette,
        fonts: &FontFaces,
        floor: f64,
    ) -> Vec<Self> {
        let label = |label: &ObjectLabel| {
            let size = (f64::from(label.size) / 100.0 * height).max(floor);
            let weight = if label.bold { Weight::Bold } else { Weight::Regular };
            let box_width = fonts.advance_em(&label.text.value, weight) * size + 1.0;
            let box_height = size * 1.1;
            Self {
                left: left + f64::from(label.x) / 100.0 * width - box_width / 2.0,
                top: top + f64::from(label.y) / 100.0 * height - box_height / 2.0,
                width: box_width,
                height: box_height,
                size,
                colour: palette.token(&label.colour).unwrap_or(&palette.ink).to_owned(),
                weight: if label.bold { 700 } else { 400 },
                rotate: label.rotate,
                text: label.text.value.clone(),
            }
        };
        labels.iter().map(label).collect()
    }
}

/// The strip at the foot.
#[derive(Debug, Clone, Serialize)]
pub(super) struct StripView {
    pub fill: String,
    pub text: String,
    pub mute: String,
    pub stacked: bool,
    pub name: String,
    pub name_size: f64,
    pub address: Vec<String>,
    pub address_size: f64,
    pub label: &'static str,
    pub label_size: f64,
    pub number: String,
    pub number_size: f64,
    pub qr_label: Vec<String>,
    pub qr_right: f64,
    pub qr_bottom: f64,
    pub qr_side: f64,
    pub qr_modules: usize,
    pub qr_path: String,
}
