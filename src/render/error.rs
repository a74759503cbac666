//! Why an output could not be made.

use super::{fonts::MissingGlyph, palette::PaletteError, templates::TemplateError};

/// Why an output could not be made. Messages name the thing; the caller adds lesson and output.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// A template is wrong.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The palettes are wrong.
    #[error(transparent)]
    Palette(#[from] PaletteError),
    /// Text that this output needs was not written.
    #[error("缺少 {block}：{help}")]
    MissingText {
        /// The block or key, such as `:::screen`.
        block: &'static str,
        /// What to write.
        help: String,
    },
    /// Text does not fit even in its shortest tier at its smallest size.
    #[error("{what}放不下：{detail}")]
    DoesNotFit {
        /// The profile or field.
        what: String,
        /// Which lines, and what to do.
        detail: String,
    },
    /// A limit of the platform is exceeded by the finished bytes.
    #[error("{field}有 {actual}{unit}，上限是 {limit}{unit}：{help}")]
    OverLimit {
        /// What is too long.
        field: String,
        /// How long it is.
        actual: usize,
        /// How long it may be.
        limit: usize,
        /// 字, 个字符, 字节.
        unit: &'static str,
        /// What to do.
        help: String,
    },
    /// Characters that no face can draw.
    #[error("没有字体能显示这些字：{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("；"))]
    MissingGlyphs(Vec<MissingGlyph>),
    /// The layout engine refused.
    #[error("排版失败：{0}")]
    Engine(String),
    /// A picture cannot be used.
    #[error("图片 {file} 用不了：{reason}")]
    Picture {
        /// Its file name.
        file: String,
        /// Why.
        reason: String,
    },
    /// A name in the registries does not exist.
    #[error("没有{kind}“{name}”：{help}")]
    Unknown {
        /// 话题, 配色, …
        kind: &'static str,
        /// The name.
        name: String,
        /// Where it should be.
        help: String,
    },
    /// The finished package breaks rules of its gateway; all of them.
    #[error("{gateway} 的认证页包有 {} 处不合要求：{}", .faults.len(), .faults.join("；"))]
    Gateway {
        /// The gateway, for people.
        gateway: String,
        /// Each with the file, the count and what to do.
        faults: Vec<String>,
    },
}
