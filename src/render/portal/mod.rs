//! The page between the Wi-Fi and the web: one file, no script, no request anywhere.
//!
//! 1. [`view`] makes what the templates see out of the scene;
//! 2. `portal/style.hbs` gives the sheet, whose digest the page's policy names;
//! 3. `portal/page.hbs` gives the page.
//!
//! Gateways that fill in variables of their own (`$(mac)`, MikroTik) must find none in a lesson's
//! words, so `$(` is written with a character reference.
//!
//! [`package`] makes what the branch's gateway takes out of the same templates and those of its
//! [`Flavour`], and [`rules`] reads the finished bytes again.

mod flavour;
mod object;
mod package;
mod rules;
mod style;
mod view;

pub use flavour::{
    Button, FileKind, FileRules, Flavour, FormRules, GENERIC, Message, PackageRules,
};
pub use package::{package, quiz};

use super::{Limits, RenderError, Scene, Stage};
use crate::model::{Artifact, MediaType, OutputKind};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest as _, Sha256};

/// What a gateway wants to have in its page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortalOptions {
    /// Where 继续上网 leads: a path of the gateway, or an `http(s)` address.
    pub continue_url: String,
}

impl Default for PortalOptions {
    fn default() -> Self {
        Self { continue_url: "/continue".into() }
    }
}

/// The portal page of a scene, for its branch or, without one, for the bank.
///
/// # Errors
/// [`RenderError::MissingText`] without `:::portal`, [`RenderError::OverLimit`] above
/// [`Limits::portal_bytes`], [`RenderError::Unknown`] for a `continue_url` that is no address, and
/// what template and picture report.
pub fn render(
    scene: &Scene<'_>,
    stage: &Stage<'_>,
    options: &PortalOptions,
    limits: &Limits,
) -> Result<Artifact, RenderError> {
    let url = options.continue_url.as_str();
    if !["https://", "http://", "/", "#"].iter().any(|start| url.starts_with(start)) {
        return Err(RenderError::Unknown {
            kind: "继续上网的地址",
            name: url.to_owned(),
            help: "请写以 / 开头的路径，或 http:// 、https:// 地址".into(),
        });
    }
    let palette = scene.palette(stage.palettes)?;
    let style = stage.templates.render("portal/style.hbs", &style::Style::new(scene, palette))?;
    let style = style.replace('\n', "");
    let style_hash = STANDARD.encode(Sha256::digest(style.as_bytes()));
    let form = view::Form::leading_to(url);
    let detail = object::Detail::Full;
    let page = view::Page::new(scene, palette, detail, Some(form), (style, style_hash))?;
    let html = stage.templates.render("portal/page.hbs", &page)?.replace("$(", "&#36;(");
    if html.len() > limits.portal_bytes.value {
        return Err(RenderError::OverLimit {
            field: "上网认证页".into(),
            actual: html.len(),
            limit: limits.portal_bytes.value,
            unit: "字节",
            help: "请换一张简单些的图，或删短 :::portal".into(),
        });
    }
    let (lesson, audience) = (&scene.lesson.id, scene.variant.audience);
    let place = scene.branch.map_or("index", |branch| branch.id.as_str());
    Ok(Artifact {
        path: format!("lessons/{lesson}/{audience}/portal/{place}.html").into(),
        lesson: Some(lesson.clone()),
        output: OutputKind::Portal,
        audience,
        profile: None,
        branch: scene.branch.map(|branch| branch.id.clone()),
        media_type: MediaType::Html,
        bytes: html.into_bytes(),
        layout: None,
    })
}
