//! Rules E504 and G704 on finished pages: colours that are too pale, a disclaimer that is too small.

use super::{
    Context,
    markup::{Node, Page},
    rendered::RenderedText,
    style::{Sheet, Shown},
};
use crate::model::Audience;
use std::collections::BTreeMap;

/// A disclaimer's letters are at least this part of the text's.
const DISCLAIMER_PART: f32 = 1.0 / 3.0;
/// And stand out from their ground at least so much, whoever reads.
const DISCLAIMER_CONTRAST: f32 = 4.5;
/// From these sizes in pixels on a text is large, by WCAG (18 and 14 points).
const LARGE_PX: f32 = 24.0;
const LARGE_BOLD_PX: f32 = 18.66;

/// What is wrong with a page as it is shown, by day and, where it has colours for that, in the dark.
pub(super) fn check(
    context: &Context<'_>,
    rendered: &RenderedText,
    page: &Page,
) -> Vec<(&'static str, String)> {
    let sheet = Sheet::parse(&page.styles);
    let mut faults = Vec::new();
    let modes = if sheet.has_dark() { &[false, true][..] } else { &[false][..] };
    for dark in modes {
        let shown = sheet.shown(&page.nodes, *dark);
        let texts: Vec<(&Node, &Shown)> =
            page.nodes.iter().zip(&shown).filter(|(node, shown)| is_read(node, shown)).collect();
        let when = if *dark { "深色模式下，" } else { "" };
        faults.extend(pale(rendered.audience, &texts, when));
        faults.extend(disclaimer(&context.bank.disclaimer, &texts, when));
    }
    faults
}

fn is_read(node: &Node, shown: &Shown) -> bool {
    !shown.hidden && node.text.chars().any(char::is_alphanumeric)
}

/// Rule E504, once for each pair of colours.
fn pale(audience: Audience, texts: &[(&Node, &Shown)], when: &str) -> Vec<(&'static str, String)> {
    let mut worst: BTreeMap<(&str, &str), String> = BTreeMap::new();
    for (node, shown) in texts {
        let (Some(ink), Some(paper)) = (&shown.ink, &shown.paper) else { continue };
        let least = least_contrast(audience, is_large(shown));
        let Some(ratio) = contrast(ink, paper).filter(|ratio| *ratio < least) else { continue };
        worst.entry((ink, paper)).or_insert_with(|| {
            let text: String = node.text.trim().chars().take(12).collect();
            format!("{when}“{text}”：{ink} 在 {paper} 上的对比度是 {ratio:.1}，至少 {least}")
        });
    }
    worst.into_values().map(|reason| ("E504", reason)).collect()
}

fn is_large(shown: &Shown) -> bool {
    shown.font_px >= if shown.bold { LARGE_BOLD_PX } else { LARGE_PX }
}

/// Rule G704.
fn disclaimer(
    words: &str,
    texts: &[(&Node, &Shown)],
    when: &str,
) -> Option<(&'static str, String)> {
    let words = words.trim();
    let (_, shown) =
        texts.iter().find(|(node, _)| !words.is_empty() && node.text.contains(words))?;
    let body = body_px(texts);
    if shown.font_px < body * DISCLAIMER_PART {
        let reason = format!("{when}声明的字 {} 像素，正文 {body} 像素", shown.font_px);
        return Some(("G704", reason));
    }
    let (ink, paper) = (shown.ink.as_ref()?, shown.paper.as_ref()?);
    let ratio = contrast(ink, paper).filter(|ratio| *ratio < DISCLAIMER_CONTRAST)?;
    let reason = format!(
        "{when}声明的字 {ink} 在 {paper} 上的对比度是 {ratio:.1}，至少 {DISCLAIMER_CONTRAST}"
    );
    Some(("G704", reason))
}

/// The size that most characters are shown in.
fn body_px(texts: &[(&Node, &Shown)]) -> f32 {
    let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
    for (node, shown) in texts {
        *counts.entry(shown.font_px.to_bits()).or_default() += node.text.trim().chars().count();
    }
    let most = counts.into_iter().max_by_key(|(_, count)| *count);
    most.map_or(16.0, |(bits, _)| f32::from_bits(bits))
}

/// What WCAG 2.2 asks for: 4.5 and 3 for large letters (1.4.3); elders 7 and 4.5 (1.4.6).
pub(super) fn least_contrast(audience: Audience, large: bool) -> f32 {
    match (audience, large) {
        (Audience::Elder, false) => 7.0,
        (Audience::Elder, true) | (_, false) => 4.5,
        (_, true) => 3.0,
    }
}

/// WCAG 2.2's contrast of two colours written `#rrggbb`.
#[must_use]
pub fn contrast(one: &str, other: &str) -> Option<f32> {
    let (one, other) = (luminance(one)?, luminance(other)?);
    Some((one.max(other) + 0.05) / (one.min(other) + 0.05))
}

fn luminance(colour: &str) -> Option<f32> {
    let digits =
        colour.strip_prefix('#').filter(|digits| digits.len() == 6 && digits.is_ascii())?;
    let channel = |at: usize| {
        let value = f32::from(u8::from_str_radix(digits.get(at..at + 2)?, 16).ok()?) / 255.0;
        Some(if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) })
    };
    Some(0.2126 * channel(0)? + 0.7152 * channel(2)? + 0.0722 * channel(4)?)
}
