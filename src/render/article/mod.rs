//! Block tree → article HTML that the WeChat editor keeps intact (`channels/wechat.md` §4).
//!
//! 1. [`theme`] holds one style per part, as data, in a palette's colours;
//! 2. [`compose`], [`blocks`], [`directives`] and [`inlines`] build a [`tree`] of styled nodes;
//! 3. [`tree::serialise`] writes it, leaving out what a child inherits;
//! 4. the limits of the platform are measured on the finished bytes.
//!
//! This module never uploads and never draws: pictures are slots, made before by
//! [`PictureSet::build`], and delivery fills in their addresses. The same lesson, theme, palette
//! and pictures give the same bytes.

mod blocks;
mod compose;
mod directives;
mod inlines;
mod preview;
mod references;
mod style;
mod theme;
mod tree;

pub(in crate::render) use theme::Theme;

use self::{blocks::Writer, references::References};
use super::{Limits, PictureSet, RenderError, Scene, Stage};
use crate::model::{Artifact, Digest, Limit, MediaType, OutputKind, counted_with_slots};
use std::{collections::BTreeMap, path::PathBuf};

/// A finished article and what WeChat wants to know besides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Article {
    /// The content of draft/add, exactly; pictures are slots.
    pub html: String,
    /// The title, 1–32 characters.
    pub title: String,
    /// The author: the bank's name.
    pub author: String,
    /// The digest, never empty.
    pub digest: String,
    /// The picture of every slot, by the asset's file name.
    pub slots: BTreeMap<Digest, String>,
    /// 字 a reader meets, headings, tables and footer included.
    pub words: usize,
    /// Characters as WeChat counts them after the slots are filled, at most.
    pub characters: usize,
}

/// The article of a scene.
///
/// # Errors
/// [`RenderError::OverLimit`] where title, author, digest or content exceed WeChat's limits,
/// [`RenderError::MissingText`] for an empty title or digest, [`RenderError::Picture`] for a
/// picture that `pictures` lacks, [`RenderError::Unknown`] for a palette or source that does not
/// exist.
pub fn render(
    scene: &Scene<'_>,
    stage: &Stage<'_>,
    pictures: &PictureSet,
    limits: &Limits,
) -> Result<Article, RenderError> {
    let theme = stage.templates.theme(scene.variant.audience);
    let sheet = theme.paint(scene.palette(stage.palettes)?);
    let mut writer = Writer {
        scene,
        theme,
        sheet: &sheet,
        pictures,
        references: References::new(&scene.variant.body, scene.variant.audience),
        slots: BTreeMap::new(),
        fictional: false,
        has_hotlines: false,
        object_pending: true,
    };
    let root = writer.article()?;
    let words = compose::words(&root);
    let html = tree::serialise(&root);
    let slots = writer.slots;
    let article = Article {
        characters: counted_with_slots(&html).0,
        html,
        title: scene.variant.title.value.trim().to_owned(),
        author: scene.bank.name.clone(),
        digest: scene.variant.digest_text.value.trim().to_owned(),
        slots,
        words,
    };
    article.check(limits)?;
    Ok(article)
}

/// The files of an article: the content, its pictures, and a page for people.
///
/// # Errors
/// As [`render`].
pub fn artifacts(
    scene: &Scene<'_>,
    stage: &Stage<'_>,
    pictures: &PictureSet,
    limits: &Limits,
) -> Result<Vec<Artifact>, RenderError> {
    let article = render(scene, stage, pictures, limits)?;
    let folder = PathBuf::from(format!("lessons/{}/{}", scene.lesson.id, scene.variant.audience));
    let artifact = |name: String, media_type, bytes| Artifact {
        path: folder.join(name),
        lesson: Some(scene.lesson.id.clone()),
        output: OutputKind::Article,
        audience: scene.variant.audience,
        profile: None,
        branch: None,
        media_type,
        bytes,
        layout: None,
    };
    let preview = preview::page(&article, pictures);
    let mut artifacts =
        vec![artifact("article.preview.html".into(), MediaType::Html, preview.into_bytes())];
    for (digest, file) in &article.slots {
        if let Some(picture) = pictures.get(file) {
            let extension = if picture.media_type == MediaType::Jpeg { "jpg" } else { "png" };
            let name = format!("article/{digest}.{extension}");
            artifacts.push(artifact(name, picture.media_type, picture.bytes.to_vec()));
        }
    }
    artifacts
        .insert(0, artifact("article.html".into(), MediaType::Html, article.html.into_bytes()));
    Ok(artifacts)
}

impl Article {
    fn check(&self, limits: &Limits) -> Result<(), RenderError> {
        if self.title.is_empty() {
            let help = "请在前言里写文章标题".into();
            return Err(RenderError::MissingText { block: "title", help });
        }
        if self.digest.is_empty() {
            let help = "请写一句摘要；不写的话，微信会截取正文开头，可能正好截到骗子的话".into();
            return Err(RenderError::MissingText { block: "digest", help });
        }
        let at_most = |field: &str, text: &str, limit: Limit, help: &str| {
            let (actual, limit) = (text.chars().count(), limit.value);
            if actual <= limit {
                Ok(())
            } else {
                Err(over(field, actual, limit, "个字符", help))
            }
        };
        at_most("标题", &self.title, limits.article_title, "请改短前言里的 title")?;
        at_most("作者", &self.author, limits.article_author, "请改短 channels.toml 里的银行名称")?;
        at_most("摘要", &self.digest, limits.article_digest, "请改短前言里的 digest")?;
        // The platform says "less than", so the limit itself is already too long.
        let help = "请删短正文，或拆成两课";
        let characters = limits.article_characters.value.saturating_sub(1);
        if self.characters > characters {
            return Err(over("文章", self.characters, characters, "个字符", help));
        }
        let bytes = limits.article_bytes.value.saturating_sub(1);
        let (_, actual) = counted_with_slots(&self.html);
        if actual > bytes {
            return Err(over("文章", actual, bytes, "字节", help));
        }
        Ok(())
    }
}

fn over(field: &str, actual: usize, limit: usize, unit: &'static str, help: &str) -> RenderError {
    RenderError::OverLimit { field: field.into(), actual, limit, unit, help: help.into() }
}
