//! The package that a gateway takes: its files, checked as they are, in a zip.

use super::{
    PortalOptions,
    flavour::{FileKind, FileRules, Flavour, GENERIC, VARIABLE_MARK},
    object::Detail,
    rules,
    style::Style,
    view::{Form, Page},
};
use crate::{
    model::{Artifact, MediaType, OutputKind},
    render::{RenderError, Scene, Stage},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest as _, Sha256};
use std::io::{Cursor, Write as _};
use zip::{CompressionMethod, DateTime, ZipWriter, write::SimpleFileOptions};

/// The package of the scene's branch for its gateway; of the bank, for any web server.
///
/// # Errors
/// [`RenderError::Unknown`] for a gateway without rules, [`RenderError::Gateway`] with everything
/// that the finished files break, and what [`super::render`] reports.
pub fn package(
    scene: &Scene<'_>,
    stage: &Stage<'_>,
    options: &PortalOptions,
) -> Result<Artifact, RenderError> {
    let name = scene.branch.and_then(|branch| branch.gateway.as_deref()).unwrap_or(GENERIC);
    let flavour = stage.templates.flavour(name).ok_or_else(|| RenderError::Unknown {
        kind: "网关种类",
        name: name.to_owned(),
        help: format!(
            "branches.csv 的 gateway 可以写 {}；新的种类见 docs/portal.md",
            stage.templates.flavours().collect::<Vec<_>>().join("、")
        ),
    })?;
    let files = files(scene, stage, options, flavour)?;
    let (lesson, audience) = (&scene.lesson.id, scene.variant.audience);
    let place = scene.branch.map_or("index", |branch| branch.id.as_str());
    // Some gateways take letters, digits and underscores only.
    let file = format!("{place}_{name}").replace('-', "_");
    Ok(Artifact {
        path: format!("lessons/{lesson}/{audience}/portal/{file}.zip").into(),
        lesson: Some(lesson.clone()),
        output: OutputKind::Portal,
        audience,
        profile: Some(name.to_owned()),
        branch: scene.branch.map(|branch| branch.id.clone()),
        media_type: MediaType::Zip,
        bytes: zipped(&files).map_err(|error| RenderError::Engine(error.to_string()))?,
        layout: None,
    })
}

/// A finished file: name and text.
type File = (String, String);

/// The files, as rich in pictures as the gateway's limits allow.
fn files(
    scene: &Scene<'_>,
    stage: &Stage<'_>,
    options: &PortalOptions,
    flavour: &Flavour,
) -> Result<Vec<File>, RenderError> {
    let mut faults = Vec::new();
    for detail in [Detail::Full, Detail::Rounded, Detail::None] {
        let mut made = Vec::with_capacity(flavour.files.len());
        for rules in &flavour.files {
            let text = file(scene, stage, options, (flavour, rules), detail)?;
            made.push((rules.name.clone(), text));
        }
        faults = rules::faults(flavour, &made, &options.continue_url);
        if faults.is_empty() {
            return Ok(made);
        }
        if !faults.iter().any(|fault| fault.is_size) {
            break;
        }
    }
    Err(RenderError::Gateway {
        gateway: flavour.name.clone(),
        faults: faults.into_iter().map(|fault| fault.text).collect(),
    })
}

fn file(
    scene: &Scene<'_>,
    stage: &Stage<'_>,
    options: &PortalOptions,
    (flavour, rules): (&Flavour, &FileRules),
    detail: Detail,
) -> Result<String, RenderError> {
    let palette = scene.palette(stage.palettes)?;
    // Every byte counts where a router's shell sends the page.
    let is_small = rules.kind != FileKind::Page || rules.message.is_some();
    let sheet = if is_small { "portal/style-small.hbs" } else { "portal/style.hbs" };
    let style = stage.templates.render(sheet, &Style::new(scene, palette))?.replace('\n', "");
    let hash = STANDARD.encode(Sha256::digest(style.as_bytes()));
    let form = rules.form.as_ref().map(|form| Form::new(flavour, form, &options.continue_url));
    let mut page = Page::new(scene, palette, detail, form, (style, hash))?;
    page.twice = rules.forms > 1;
    page.message = rules.message.as_ref();
    page.gateway = Some(&flavour.settings);
    let text = stage.templates.render(&rules.template, &page)?;
    Ok(text.replace("$(", "&#36;(").replace(VARIABLE_MARK, "$"))
}

/// The quiz as a form and its answers, for after login: two pages, or none where the lesson has no
/// quiz. Their addresses are put in by whoever shows them.
///
/// # Errors
/// What [`super::render`] reports.
pub fn quiz(scene: &Scene<'_>, stage: &Stage<'_>) -> Result<Vec<Artifact>, RenderError> {
    let palette = scene.palette(stage.palettes)?;
    let sheet = stage.templates.render("portal/style-small.hbs", &Style::new(scene, palette))?;
    let style = sheet.replace('\n', "");
    let hash = STANDARD.encode(Sha256::digest(style.as_bytes()));
    let page = Page::new(scene, palette, Detail::None, None, (style, hash))?;
    if !page.has_quiz() {
        return Ok(Vec::new());
    }
    let (lesson, audience) = (&scene.lesson.id, scene.variant.audience);
    ["quiz", "answers"]
        .into_iter()
        .map(|name| {
            let html = stage.templates.render(&format!("portal/{name}.hbs"), &page)?;
            Ok(Artifact {
                path: format!("lessons/{lesson}/{audience}/portal/{name}.html").into(),
                lesson: Some(lesson.clone()),
                output: OutputKind::Portal,
                audience,
                profile: Some(name.to_owned()),
                branch: None,
                media_type: MediaType::Html,
                bytes: html.into_bytes(),
                layout: None,
            })
        })
        .collect()
}

/// The same files give the same bytes: no times, the order of the rules.
fn zipped(files: &[File]) -> zip::result::ZipResult<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .last_modified_time(DateTime::default())
        .compression_method(CompressionMethod::Deflated);
    for (name, text) in files {
        zip.start_file(name.as_str(), options)?;
        zip.write_all(text.as_bytes())?;
    }
    Ok(zip.finish()?.into_inner())
}
