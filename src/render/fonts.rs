//! The embedded faces, and what they can draw.

use crate::model::Digest;
use skrifa::{
    FontRef, MetadataProvider,
    instance::{LocationRef, Size},
};
use std::{borrow::Cow, fmt};
use takumi_core::{Fonts as EngineFonts, resources::font::FontResource};

const REGULAR: &[u8] = include_bytes!("../../assets/fonts/CaishiSans-Regular.woff2");
const BOLD: &[u8] = include_bytes!("../../assets/fonts/CaishiSans-Bold.woff2");

/// The embedded faces as WOFF2, regular and bold, for pages that a browser draws.
pub const EMBEDDED: [&[u8]; 2] = [REGULAR, BOLD];

/// The family every template names.
pub const FAMILY: &str = "Caishi Sans";

/// Font files before they are decoded: cheap to hold, and all that a render's key needs.
#[derive(Debug, Clone)]
pub struct FontFiles {
    files: Vec<(String, Cow<'static, [u8]>)>,
    digest: Digest,
}

impl FontFiles {
    /// The embedded faces and then `further` ones (file name and bytes: TTF, OTF or WOFF2), which
    /// serve characters that the embedded faces lack.
    #[must_use]
    pub fn new(further: Vec<(String, Vec<u8>)>) -> Self {
        let embedded = [("CaishiSans-Regular.woff2", REGULAR), ("CaishiSans-Bold.woff2", BOLD)];
        let files: Vec<(String, Cow<'static, [u8]>)> = embedded
            .into_iter()
            .map(|(name, bytes)| (name.to_owned(), Cow::Borrowed(bytes)))
            .chain(further.into_iter().map(|(name, bytes)| (name, Cow::Owned(bytes))))
            .collect();
        let digest = Digest::of_fields(files.iter().map(|(_, bytes)| bytes.as_ref()));
        Self { files, digest }
    }

    /// The digest of all font files; part of each render's key.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }
}

/// The faces, decoded once and shared by every render.
pub struct Fonts {
    engine: EngineFonts,
    covered: Vec<char>,
    regular: Advances,
    bold: Advances,
}

/// The two weights of the embedded family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// 400
    Regular,
    /// 700
    Bold,
}

/// Advance widths by character, in em.
type Advances = std::collections::HashMap<char, f32>;

impl fmt::Debug for Fonts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fonts").field("covered", &self.covered.len()).finish_non_exhaustive()
    }
}

/// Why a font file cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("字体 {name} 用不了：{reason}")]
pub struct FontError {
    /// The file's name.
    pub name: String,
    /// What the reader says.
    pub reason: String,
}

/// A character no face can draw, and where it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingGlyph {
    /// The character.
    pub character: char,
    /// Where it stands: `path:line` or the field's name.
    pub place: String,
}

impl fmt::Display for MissingGlyph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "“{}”（U+{:04X}，{}）", self.character, self.character as u32, self.place)
    }
}

impl Fonts {
    /// Decodes the files.
    ///
    /// # Errors
    /// [`FontError`] names the file.
    pub fn load(files: &FontFiles) -> Result<Self, FontError> {
        let mut engine = EngineFonts::default();
        let mut covered = Vec::new();
        let mut weights = Vec::new();
        for (name, bytes) in &files.files {
            let failed = |reason: String| FontError { name: name.clone(), reason };
            let decoded = if bytes.starts_with(b"wOF2") {
                wuff::decompress_woff2(bytes).map_err(|error| failed(format!("{error:?}")))?
            } else {
                bytes.to_vec()
            };
            let advances = advances(&decoded).map_err(failed)?;
            covered.extend(advances.keys());
            weights.push(advances);
            engine
                .register(FontResource::new(decoded))
                .map_err(|error| FontError { name: name.clone(), reason: error.to_string() })?;
        }
        covered.sort_unstable();
        covered.dedup();
        let mut weights = weights.into_iter();
        let regular = weights.next().unwrap_or_default();
        let bold = weights.next().unwrap_or_default();
        Ok(Self { engine, covered, regular, bold })
    }

    /// What the layout engine draws with.
    #[must_use]
    pub fn engine(&self) -> &EngineFonts {
        &self.engine
    }

    /// The width of one line of `text` in em, without kerning and with full-width punctuation, so
    /// never less than what the engine lays out. Characters of further faces count 1 em.
    #[must_use]
    pub fn advance_em(&self, text: &str, weight: Weight) -> f64 {
        let advances = match weight {
            Weight::Regular => &self.regular,
            Weight::Bold => &self.bold,
        };
        text.chars().map(|c| f64::from(advances.get(&c).copied().unwrap_or(1.0))).sum()
    }

    /// The characters of `text` that no face can draw, once each.
    #[must_use]
    pub fn missing(&self, text: &str) -> Vec<char> {
        let mut missing: Vec<char> = text
            .chars()
            .filter(|c| !c.is_control() && self.covered.binary_search(c).is_err())
            .collect();
        missing.sort_unstable();
        missing.dedup();
        missing
    }
}

fn advances(bytes: &[u8]) -> Result<Advances, String> {
    let font = FontRef::new(bytes).map_err(|error| error.to_string())?;
    let metrics = font.glyph_metrics(Size::new(1.0), LocationRef::default());
    let width = |glyph| metrics.advance_width(glyph).unwrap_or(1.0);
    let mappings = font.charmap().mappings();
    Ok(mappings.filter_map(|(code, glyph)| Some((char::from_u32(code)?, width(glyph)))).collect())
}
