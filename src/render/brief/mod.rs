//! Short texts: post, ticker, banner, text message, and the staff card.
//!
//! The author's whole text is used or nothing: a cut could lose the negation ("不要转账" →
//! "转账"), so a text that is too long is an error and never shortened. A missing text is an error
//! too; only the banner may take the headline, which is a whole sentence with its negation.

mod plain;

use super::{Limits, RenderError, Scene};
use crate::model::{Artifact, Inline, Located, MediaType, OutputKind, count_words};

/// The short post: the whole of `:::post`.
///
/// # Errors
/// [`RenderError::MissingText`] without `:::post`, [`RenderError::OverLimit`] above
/// [`Limits::post_characters`].
pub fn post(scene: &Scene<'_>, limits: &Limits) -> Result<Artifact, RenderError> {
    let tier = scene.variant.tiers.post.as_ref();
    let text = written(scene, tier, ":::post", "请写 100–130 字的短文")?;
    let help = "请改短 :::post";
    at_most("短文", text.chars().count(), limits.post_characters.value, "个字符", help)?;
    Ok(artifact(scene, OutputKind::Post, text))
}

/// The ticker line: the whole of `:::ticker`, on one line, in characters that a lamp panel has.
///
/// # Errors
/// [`RenderError::MissingText`] without `:::ticker`, [`RenderError::OverLimit`] above
/// [`Limits::ticker_words`], [`RenderError::DoesNotFit`] for emoji and the like.
pub fn ticker(scene: &Scene<'_>, limits: &Limits) -> Result<Artifact, RenderError> {
    let tier = scene.variant.tiers.ticker.as_ref();
    let text = one_line(&written(scene, tier, ":::ticker", "请写一句话，动词开头，至多 40 字")?);
    if let Some(character) = text.chars().find(|character| !is_plain(*character)) {
        return Err(RenderError::DoesNotFit {
            what: "滚动字幕".into(),
            detail: format!(
                "“{character}”（U+{:04X}）不是普通文字，字幕屏显示不了，请去掉",
                u32::from(character)
            ),
        });
    }
    let help = "请改短 :::ticker";
    at_most("滚动字幕", count_words(&text), limits.ticker_words.value, "字", help)?;
    Ok(artifact(scene, OutputKind::Ticker, text))
}

/// The banner: the whole of the banner text, else the whole headline.
///
/// # Errors
/// [`RenderError::MissingText`] where neither is written, [`RenderError::OverLimit`] above
/// [`Limits::banner_words`].
pub fn banner(scene: &Scene<'_>, limits: &Limits) -> Result<Artifact, RenderError> {
    let text = match &scene.variant.tiers.banner {
        Some(banner) => scene.plain(&banner.value),
        None => scene.variant.headline.value.plain(),
    };
    let text = one_line(&text);
    if text.is_empty() {
        let help = "请写横幅，至多 20 字".into();
        return Err(RenderError::MissingText { block: "banner", help });
    }
    let help = "请改短前言里的 banner";
    at_most("横幅", count_words(&text), limits.banner_words.value, "字", help)?;
    Ok(artifact(scene, OutputKind::Banner, text))
}

/// The text message: `【银行】` and the whole of `:::sms`. Who writes the signature may leave it
/// out; the law wants the sender named, so it is always there, once and first.
///
/// # Errors
/// [`RenderError::MissingText`] without `:::sms`, [`RenderError::OverLimit`] above
/// [`Limits::sms_units`].
pub fn sms(scene: &Scene<'_>, limits: &Limits) -> Result<Artifact, RenderError> {
    let tier = scene.variant.tiers.sms.as_ref();
    let text = one_line(&written(scene, tier, ":::sms", "请写一条短信，连签名至多 70 个字符")?);
    let signature = format!("【{}】", scene.bank.name);
    let text = if text.starts_with(&signature) { text } else { format!("{signature}{text}") };
    let help = "连签名算；请改短 :::sms，超出就要分成几条发";
    at_most("短信", text.encode_utf16().count(), limits.sms_units.value, "个字符", help)?;
    Ok(artifact(scene, OutputKind::Sms, text))
}

/// The talking points of the lobby: a heading that says whom they are for, and the whole of
/// `:::staff` as plain text. The limit counts the author's text, not the heading.
///
/// # Errors
/// [`RenderError::MissingText`] without `:::staff`, [`RenderError::OverLimit`] above
/// [`Limits::staff_words`].
pub fn staff_card(scene: &Scene<'_>, limits: &Limits) -> Result<Artifact, RenderError> {
    let text = scene.variant.tiers.staff.as_deref();
    let text = text.map(|blocks| plain::text(scene, blocks)).filter(|text| !text.is_empty());
    let text = text.ok_or_else(|| RenderError::MissingText {
        block: ":::staff",
        help: "请写 3 个问题和 2 个回答".into(),
    })?;
    at_most("厅堂话术卡", count_words(&text), limits.staff_words.value, "字", "请改短 :::staff")?;
    let title = &scene.variant.title.value;
    let card = format!("厅堂话术卡（仅供员工）\n{title}\n\n{text}");
    Ok(artifact(scene, OutputKind::StaffCard, card))
}

fn written(
    scene: &Scene<'_>,
    tier: Option<&Located<Vec<Inline>>>,
    block: &'static str,
    help: &str,
) -> Result<String, RenderError> {
    let text = tier.map(|tier| scene.plain(&tier.value).trim().to_owned());
    text.filter(|text| !text.is_empty())
        .ok_or_else(|| RenderError::MissingText { block, help: help.into() })
}

/// The text on one line; a line end that was asked for becomes a space, nothing is lost.
fn one_line(text: &str) -> String {
    text.split('\n').map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Letters, digits, Han characters and their punctuation: what every lamp panel can show.
fn is_plain(character: char) -> bool {
    matches!(character,
        ' '..='~' | '·' | '—' | '–' | '‘'..='”' | '…' | '℃' | '\u{3000}'..='\u{303F}'
        | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{FF01}'..='\u{FF5E}' | '￥')
}

fn at_most(
    field: &str,
    actual: usize,
    limit: usize,
    unit: &'static str,
    help: &str,
) -> Result<(), RenderError> {
    if actual <= limit {
        return Ok(());
    }
    Err(RenderError::OverLimit { field: field.into(), actual, limit, unit, help: help.into() })
}

fn artifact(scene: &Scene<'_>, output: OutputKind, text: String) -> Artifact {
    let (lesson, audience) = (&scene.lesson.id, scene.variant.audience);
    Artifact {
        path: format!("lessons/{lesson}/{audience}/{output}.txt").into(),
        lesson: Some(lesson.clone()),
        output,
        audience,
        profile: None,
        branch: None,
        media_type: MediaType::Text,
        bytes: text.into_bytes(),
        layout: None,
    }
}
