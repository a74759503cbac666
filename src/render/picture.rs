//! Pictures for places that take no SVG: drawn once per lesson and audience, then only referred to.
//!
//! WeChat's upload takes PNG and JPEG below 1 MB (`channels/wechat.md` §3.2). An SVG is painted in
//! the palette's colours, gets its labels and becomes a PNG at twice the width at which it is
//! shown; PNG and JPEG go as they are. The same picture always gives the same bytes.

use super::{
    Fonts, Palette, RenderError, Scene, Stage,
    fonts::FAMILY,
    poster::{
        engine::{self, Sheet},
        png,
    },
};
use crate::model::{
    Asset, Audience, Block, BlockKind, Digest, Directive, Inline, InlineKind, MediaType,
    ObjectLabel,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::{collections::BTreeMap, fmt::Write as _, sync::Arc};

/// The widest column of an article in CSS pixels (677 less its padding), doubled.
const COLUMN_WIDTH_PX: u32 = 1290;
/// The width of an object that stands beside the title, doubled.
const BESIDE_WIDTH_PX: u32 = 520;
/// `media/uploadimg` takes files below this size.
const MAX_UPLOAD_BYTES: usize = 1_000_000;
/// Drawings in lessons are a few hundred units; this only refuses nonsense.
const MAX_SIDE_PX: f32 = 8_000.0;

/// A picture as it is uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// The asset's file name.
    pub file: String,
    /// PNG or JPEG.
    pub media_type: MediaType,
    /// The bytes that are uploaded.
    pub bytes: Arc<[u8]>,
    /// Their digest, which names the slot.
    pub digest: Digest,
}

/// The pictures one variant's article can show, by the asset's file name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PictureSet {
    by_file: BTreeMap<String, Picture>,
}

impl PictureSet {
    /// Draws the object and every picture of the variant's body. This is the slow part of an
    /// article: do it once per lesson and audience.
    ///
    /// # Errors
    /// [`RenderError::Picture`] with the file that is missing, cannot be drawn or is too large.
    pub fn build(scene: &Scene<'_>, stage: &Stage<'_>) -> Result<Self, RenderError> {
        let palette = scene.palette(stage.palettes)?;
        let mut set = Self::default();
        let object = scene.object()?;
        let width = match scene.variant.audience {
            Audience::General => BESIDE_WIDTH_PX,
            Audience::Elder | Audience::Student => COLUMN_WIDTH_PX,
        };
        let labels = &scene.variant.object_labels;
        set.insert(prepare(object, palette, stage.fonts, labels, width)?);
        let mut files = Vec::new();
        files_in_blocks(&scene.variant.body, &mut files);
        for file in files {
            if set.by_file.contains_key(file) {
                continue;
            }
            let asset =
                scene.library.asset(scene.lesson, file).ok_or_else(|| RenderError::Picture {
                    file: file.to_owned(),
                    reason: "课件文件夹和 content/assets/ 里都没有这张图".into(),
                })?;
            set.insert(prepare(asset, palette, stage.fonts, &[], COLUMN_WIDTH_PX)?);
        }
        Ok(set)
    }

    /// Adds a picture under its file name.
    pub fn insert(&mut self, picture: Picture) {
        self.by_file.insert(picture.file.clone(), picture);
    }

    /// The picture made of that asset.
    #[must_use]
    pub fn get(&self, file: &str) -> Option<&Picture> {
        self.by_file.get(file)
    }

    /// Every picture, by file name.
    pub fn iter(&self) -> impl Iterator<Item = &Picture> {
        self.by_file.values()
    }
}

fn prepare(
    asset: &Asset,
    palette: &Palette,
    fonts: &Fonts,
    labels: &[ObjectLabel],
    width_px: u32,
) -> Result<Picture, RenderError> {
    let failed = |reason: String| RenderError::Picture { file: asset.file.clone(), reason };
    let (media_type, bytes): (_, Arc<[u8]>) = match asset.media_type {
        MediaType::Svg => {
            let svg = std::str::from_utf8(&asset.bytes)
                .map_err(|_| failed("SVG 不是 UTF-8 文本".into()))?;
            let labels: Vec<Label<'_>> =
                labels.iter().map(|label| Label::new(label, palette)).collect();
            let png = rasterise(fonts, &palette.paint(svg), &labels, width_px).map_err(failed)?;
            (MediaType::Png, png.into())
        }
        MediaType::Png | MediaType::Jpeg => (asset.media_type, Arc::clone(&asset.bytes)),
        other => return Err(failed(format!("不能放进文章：{other}"))),
    };
    if bytes.len() >= MAX_UPLOAD_BYTES {
        return Err(failed(format!("上传时有 {} 字节，要小于 1 MB", bytes.len())));
    }
    let digest = Digest::of(&bytes);
    Ok(Picture { file: asset.file.clone(), media_type, bytes, digest })
}

/// A text laid over a drawing, its colour resolved.
#[derive(Debug, Clone, Copy)]
pub struct Label<'a> {
    label: &'a ObjectLabel,
    colour: &'a str,
}

impl<'a> Label<'a> {
    /// The label in the palette's colours; an unknown colour name is ink.
    #[must_use]
    pub fn new(label: &'a ObjectLabel, palette: &'a Palette) -> Self {
        Self { label, colour: palette.token(&label.colour).unwrap_or(&palette.ink) }
    }
}

/// Draws a painted SVG and its labels as a PNG of that width; the height follows.
///
/// # Errors
/// The reason, where the SVG has no size or the engine refuses it.
pub fn rasterise(
    fonts: &Fonts,
    svg: &str,
    labels: &[Label<'_>],
    width_px: u32,
) -> Result<Vec<u8>, String> {
    let (width, height) = svg_size(svg).ok_or("SVG 没写 width、height 或 viewBox")?;
    #[expect(clippy::cast_precision_loss, reason = "picture widths are far below 2^23")]
    let scaled_height = (width_px as f32 * height / width).round().max(1.0);
    if scaled_height > MAX_SIDE_PX {
        return Err("SVG 的高比宽大得太多".into());
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 to 8000")]
    let height_px = scaled_height as u32;
    let markup = labelled(svg, labels, (width_px, height_px));
    let sheet = Sheet { html: markup, width: width_px, height: height_px };
    let pixels = engine::raster(&sheet, fonts).map_err(|error| error.to_string())?;
    png::encode_transparent(&pixels).map_err(|error| error.to_string())
}

fn labelled(svg: &str, labels: &[Label<'_>], (width, height): (u32, u32)) -> String {
    let mut markup = format!(
        r#"<div style="position:relative;width:{width}px;height:{height}px;font-family:'{FAMILY}'"><img src="data:image/svg+xml;base64,{}" style="display:block;width:{width}px;height:{height}px">"#,
        STANDARD.encode(svg)
    );
    for Label { label, colour } in labels {
        #[expect(clippy::cast_precision_loss, reason = "picture heights are far below 2^23")]
        let size = label.size / 100.0 * height as f32;
        let weight = if label.bold { 700 } else { 400 };
        // A zero-size flex box at the centre lets the text spread evenly to both sides.
        let _ = write!(
            markup,
            r#"<div style="position:absolute;left:{}%;top:{}%;width:0;height:0;display:flex;align-items:center;justify-content:center"><span style="flex:none;white-space:nowrap;line-height:1;font-size:{size}px;font-weight:{weight};color:{colour};transform:rotate({}deg)">"#,
            label.x, label.y, label.rotate
        );
        for character in label.text.value.chars() {
            match character {
                '<' => markup.push_str("&lt;"),
                '&' => markup.push_str("&amp;"),
                _ => markup.push(character),
            }
        }
        markup.push_str("</span></div>");
    }
    markup.push_str("</div>");
    markup
}

/// Width and height of the drawing in its own units, from `viewBox` or the two attributes.
pub(super) fn svg_size(svg: &str) -> Option<(f32, f32)> {
    let start = svg.find("<svg")?;
    let tag = &svg[start..start + svg[start..].find('>')?];
    let size = attribute(tag, "viewBox")
        .and_then(|value| {
            let mut parts = value.split([' ', ',']).filter(|part| !part.is_empty()).skip(2);
            Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
        })
        .or_else(|| {
            let number = |name| attribute(tag, name)?.trim_end_matches("px").parse::<f32>().ok();
            Some((number("width")?, number("height")?))
        })?;
    (size.0 > 0.0 && size.1 > 0.0 && size.0.is_finite() && size.1.is_finite()).then_some(size)
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let start = tag.find(&format!(" {name}=\""))? + name.len() + 3;
    let rest = &tag[start..];
    Some(&rest[..rest.find('"')?])
}

fn files_in_blocks<'a>(blocks: &'a [Block], files: &mut Vec<&'a str>) {
    for block in blocks {
        match &block.kind {
            BlockKind::Paragraph(inlines) | BlockKind::Heading { content: inlines, .. } => {
                files_in_inlines(inlines, files);
            }
            BlockKind::List { items, .. } => {
                items.iter().for_each(|item| files_in_blocks(&item.blocks, files));
            }
            BlockKind::Quote(blocks)
            | BlockKind::Alert { blocks, .. }
            | BlockKind::Footnote { blocks, .. } => files_in_blocks(blocks, files),
            BlockKind::Table { head, rows, .. } => {
                let cells = head.iter().chain(rows.iter().flatten());
                cells.for_each(|cell| files_in_inlines(cell, files));
            }
            BlockKind::Code { .. } | BlockKind::Rule => {}
            BlockKind::Directive(directive) => files_in_directive(directive, files),
        }
    }
}

fn files_in_directive<'a>(directive: &'a Directive, files: &mut Vec<&'a str>) {
    match directive {
        Directive::Image { file, .. } => files.push(file),
        Directive::Callout { blocks, .. }
        | Directive::Scam(blocks)
        | Directive::Quotation { blocks, .. }
        | Directive::Emergency(blocks)
        | Directive::Case { blocks, .. }
        | Directive::Law { blocks, .. }
        | Directive::Conditional { blocks, .. } => files_in_blocks(blocks, files),
        Directive::RedFlags(lines) => {
            lines.iter().for_each(|line| files_in_inlines(line, files));
        }
        Directive::Steps(steps) => {
            steps.iter().for_each(|step| files_in_inlines(&step.sentence, files));
        }
        Directive::Dialogue(turns) => {
            turns.iter().for_each(|turn| files_in_inlines(&turn.content, files));
        }
        Directive::Statistic { label, .. } => files_in_inlines(label, files),
        Directive::Quiz(questions) => {
            for question in questions {
                files_in_inlines(&question.text, files);
                question.options.iter().for_each(|option| files_in_inlines(&option.content, files));
                files_in_inlines(&question.explanation, files);
            }
        }
        Directive::Glossary(entries) => {
            entries.iter().for_each(|entry| files_in_inlines(&entry.explanation, files));
        }
        Directive::Calculation(_) | Directive::HotlineTable(_) | Directive::QrCode => {}
    }
}

fn files_in_inlines<'a>(inlines: &'a [Inline], files: &mut Vec<&'a str>) {
    for inline in inlines {
        match &inline.kind {
            InlineKind::Image { file, .. } => files.push(file),
            InlineKind::Emphasis(content)
            | InlineKind::Strong(content)
            | InlineKind::Strikethrough(content)
            | InlineKind::Link { content, .. } => files_in_inlines(content, files),
            _ => {}
        }
    }
}
