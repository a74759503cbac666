//! Lesson → [`Artifact`](crate::model::Artifact), pure: the same lesson, templates, fonts and
//! configuration give the same bytes.
//!
//! Every renderer takes a [`Scene`] (what it is for) and a [`Stage`] (what it draws with). Local
//! pictures come with the library; nothing here touches files, clock, network or system fonts.
//!
//! Invariant: this room uses only [`crate::model`].

pub mod article;
pub mod brief;
pub mod error;
pub mod fonts;
pub mod palette;
pub mod picture;
pub mod portal;
pub mod poster;
pub mod print;
pub mod templates;
mod text;

pub use error::RenderError;
pub use fonts::Fonts;
pub use palette::{Palette, Palettes};
pub use picture::{Picture, PictureSet};
pub use templates::Templates;

pub use crate::model::Limits;

use crate::model::{Asset, Audience, Bank, Branch, Lesson, Library, Variant};

/// What renderers draw with; loaded once.
#[derive(Debug, Clone, Copy)]
pub struct Stage<'a> {
    /// The faces.
    pub fonts: &'a Fonts,
    /// The templates.
    pub templates: &'a Templates,
    /// The colours.
    pub palettes: &'a Palettes,
}

/// What an output is for: one variant of one lesson, perhaps at one branch.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    /// The bank.
    pub bank: &'a Bank,
    /// The registries and shared pictures.
    pub library: &'a Library,
    /// The lesson.
    pub lesson: &'a Lesson,
    /// The variant; its audience decides the family.
    pub variant: &'a Variant,
    /// The branch, where the output carries one.
    pub branch: Option<&'a Branch>,
    /// The approval number that was reserved for these outputs; shown in the footers of article,
    /// portal page, leaflet and the sheet of the morning meeting.
    pub approval_number: Option<&'a str>,
}

impl<'a> Scene<'a> {
    /// The poster's corner tag, from the lesson's first topic.
    #[must_use]
    pub fn tag(&self) -> &'a str {
        self.topic().map_or("", |topic| topic.tag.as_str())
    }

    fn topic(&self) -> Option<&'a crate::model::Topic> {
        self.variant.topics.first().and_then(|id| self.library.topic(id))
    }

    /// The colours: the first topic's palette in the audience's family.
    ///
    /// # Errors
    /// [`RenderError::Unknown`] where `topics.toml` names a palette that does not exist.
    pub fn palette(&self, palettes: &'a Palettes) -> Result<&'a Palette, RenderError> {
        let name = self.topic().map_or("", |topic| topic.palette.as_str());
        palettes.get(self.variant.audience, name).ok_or_else(|| RenderError::Unknown {
            kind: "配色",
            name: name.to_owned(),
            help: "请改 topics.toml 里的 palette，或在 palettes.toml 里补上".into(),
        })
    }

    /// The object picture of the audience's family: `object.elder.svg` and `object.student.svg`
    /// where they were drawn, else `object.svg`.
    ///
    /// # Errors
    /// [`RenderError::Picture`] where the lesson has none.
    pub fn object(&self) -> Result<&'a Asset, RenderError> {
        let own = match self.variant.audience {
            Audience::General => None,
            Audience::Elder => self.lesson.assets.get("object.elder.svg"),
            Audience::Student => self.lesson.assets.get("object.student.svg"),
        };
        own.or_else(|| self.lesson.assets.get("object.svg")).ok_or_else(|| RenderError::Picture {
            file: "object.svg".into(),
            reason: "课件文件夹里没有这张图".into(),
        })
    }

    /// What footers say of the approval, where there is a number.
    #[must_use]
    pub fn approval_line(&self) -> Option<String> {
        self.approval_number.map(|number| format!("审批编号 {number}"))
    }

    /// The address a QR code leads to: `{base_url}/q/{lesson}/{branch}`, without the branch where
    /// the output carries none.
    #[must_use]
    pub fn qr_address(&self) -> String {
        let lesson = &self.lesson.id;
        match self.branch {
            Some(branch) => format!("{}/q/{lesson}/{}", self.bank.base_url, branch.id),
            None => format!("{}/q/{lesson}", self.bank.base_url),
        }
    }
}
