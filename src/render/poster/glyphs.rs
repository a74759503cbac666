//! Characters that no face can draw are named, with where they stand, instead of drawn as boxes.

use crate::{
    model::LayoutReport,
    render::{Fonts, RenderError, Scene, fonts::MissingGlyph},
};

/// Refuses a layout in which a character has no face: looks at every line that was laid out, and at
/// the names and addresses of every branch, whose strips come later.
///
/// # Errors
/// [`RenderError::MissingGlyphs`].
pub(super) fn refuse_missing(
    report: &LayoutReport,
    scene: &Scene<'_>,
    fonts: &Fonts,
) -> Result<(), RenderError> {
    let mut text: String = report.boxes.iter().map(|line| line.text.as_str()).collect();
    for branch in &scene.library.branches {
        text.extend([branch.name.as_str(), branch.address.as_str()]);
        text.push_str(branch.hotline.as_deref().unwrap_or_default());
    }
    missing_glyphs(&text, scene, fonts)
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
