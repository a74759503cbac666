//! Characters that no face can draw are named, with where they stand, instead of drawn as boxes.

use super::{compose::Composer, view::PosterView};
use crate::render::{Fonts, RenderError, Scene, fonts::MissingGlyph};

/// Refuses a poster with characters that no face can draw.
///
/// # Errors
/// [`RenderError::MissingGlyphs`].
pub(super) fn refuse_missing(
    view: &PosterView<'_>,
    composer: &Composer<'_>,
) -> Result<(), RenderError> {
    let mut text: String = view.headline.iter().flatten().map(|part| part.text.as_str()).collect();
    text.push_str(view.bank);
    text.push_str(view.tag);
    if let Some(lead) = &view.lead {
        text.push_str(&lead.plain);
        text.push_str(&lead.imperative);
    }
    view.cue.iter().for_each(|line| text.push_str(line));
    view.treads.iter().for_each(|tread| text.push_str(&tread.word));
    view.slabs.iter().for_each(|slab| text.extend([slab.word.as_str(), slab.text.as_str()]));
    view.turns.iter().for_each(|turn| text.push_str(&turn.words));
    for branch in &composer.scene.library.branches {
        text.extend([branch.name.as_str(), branch.address.as_str()]);
    }
    missing_glyphs(&text, composer.scene, composer.fonts)
}

/// Refuses characters that no face can draw, naming where each stands.
///
/// # Errors
/// [`RenderError::MissingGlyphs`].
pub fn missing_glyphs(text: &str, scene: &Scene<'_>, fonts: &Fonts) -> Result<(), RenderError> {
    let missing: Vec<MissingGlyph> = fonts
        .missing(text)
        .into_iter()
        .map(|character| MissingGlyph { character, place: place(character, scene) })
        .collect();
    if missing.is_empty() { Ok(()) } else { Err(RenderError::MissingGlyphs(missing)) }
}

fn place(character: char, scene: &Scene<'_>) -> String {
    let file = &scene.variant.file;
    if let Some(offset) = file.text.find(character) {
        let (line, column) = file.position(offset);
        return format!("{}:{line}:{column}", file.path.display());
    }
    let named = |text: &str| text.contains(character);
    scene
        .library
        .branches
        .iter()
        .find(|branch| named(&branch.name) || named(&branch.address))
        .map_or_else(|| "电话或银行名称".to_owned(), |b| format!("branches.csv 的 {}", b.id))
}
