//! The WeChat picture message: one upright poster of 3:4, for the whole bank.

use super::{
    design::Design,
    png,
    qr::QrCode,
    scale::{Profile, Scale},
};
use crate::{
    model::{Artifact, Branch, BranchId, MediaType, OutputKind},
    render::{RenderError, Scene, Stage},
};
use std::path::PathBuf;

/// A phone: 1080×1440 pixels, 65 mm wide, read at 30 cm.
fn phone() -> Profile {
    Profile {
        name: "newspic".into(),
        width: 1080,
        height: 1440,
        mm_width: 65.0,
        distance_m: 0.3,
        dwell_s: 60.0,
    }
}

/// The picture, as PNG. Its strip carries the bank's name in a branch's place.
///
/// # Errors
/// [`RenderError::MissingText`] without `:::screen`, and what a poster reports.
pub fn pictures(
    scene: &Scene<'_>,
    stage: &Stage<'_>,
    scale: &Scale,
) -> Result<Vec<Artifact>, RenderError> {
    let text = scene.variant.tiers.screen.as_ref().ok_or_else(|| RenderError::MissingText {
        block: ":::screen",
        help: "图片消息用屏幕海报的文字，请写 :::screen".into(),
    })?;
    let profile = phone();
    let design = Design::new(scene, stage, scale, text, &profile)?;
    let bank = Branch {
        id: BranchId::new("bank").map_err(|error| RenderError::Engine(error.to_string()))?,
        name: scene.bank.name.clone(),
        district: String::new(),
        tags: Vec::new(),
        address: "金融知识普及".into(),
        hotline: None,
        hours: String::new(),
        gateway: None,
    };
    let pixels = design.whole(stage, &bank, &QrCode::new(&scene.qr_address())?)?;
    let audience = scene.variant.audience;
    Ok(vec![Artifact {
        path: PathBuf::from(format!("lessons/{}/{audience}/newspic-1.png", scene.lesson.id)),
        lesson: Some(scene.lesson.id.clone()),
        output: OutputKind::Newspic,
        audience,
        profile: Some(profile.name),
        branch: None,
        media_type: MediaType::Png,
        bytes: png::encode(&pixels, None)?,
        layout: Some(design.report),
    }])
}
