//! Rules about finished texts: what a page carries (D403, D404, F603, F608), and the wording of
//! everything that the lesson does not already have word for word.

use super::{
    Context, contrast,
    markup::{self, Opening, Page},
    passage::Passage,
    privacy, walk, wording,
};
use crate::model::{
    Audience, Finding, LessonId, Limits, MediaType, OutputKind, SLOT, SLOT_CHARACTERS, SourceFile,
    Variant, Words, counted_with_slots,
};
use std::{path::PathBuf, sync::Arc};

/// A finished output that can be read as text.
#[derive(Debug, Clone)]
pub struct RenderedText {
    /// Its path in the output folder.
    pub path: PathBuf,
    /// The lesson.
    pub lesson: LessonId,
    /// For whom.
    pub audience: Audience,
    /// What kind.
    pub output: OutputKind,
    /// HTML or plain text.
    pub media_type: MediaType,
    /// The file.
    pub text: String,
}

/// What WeChat removes from an article.
const REMOVED: [&str; 12] = [
    "script", "style", "link", "iframe", "form", "input", "object", "video", "embed", "button",
    "select", "textarea",
];

pub(super) fn check(context: &Context<'_>, rendered: &RenderedText) -> Vec<Finding> {
    let file =
        Arc::new(SourceFile { path: rendered.path.clone(), text: rendered.text.as_str().into() });
    let mut faults: Vec<(&str, String)> = Vec::new();
    let mut blocks: Vec<String> = Vec::new();
    if rendered.media_type == MediaType::Html {
        let page = markup::page(&rendered.text);
        match rendered.output {
            OutputKind::Article => article(rendered, &page, &mut faults),
            OutputKind::Portal => portal(rendered, &page, &mut faults),
            _ => {}
        }
        faults.extend(contrast::check(context, rendered, &page));
        blocks.extend(page.blocks);
    } else {
        blocks.extend(rendered.text.lines().map(str::to_owned));
    }
    let mut findings: Vec<Finding> = faults
        .into_iter()
        .filter_map(|(rule, reason)| context.finding(rule, &file, None, reason))
        .collect();
    findings.extend(words(context, rendered, &file, &blocks));
    for finding in &mut findings {
        finding.output = Some(rendered.output.label().to_owned());
    }
    findings
}

/// Rules F601 and F603.
fn article(rendered: &RenderedText, page: &Page, faults: &mut Vec<(&'static str, String)>) {
    let limits = Limits::default();
    // What is written is not what is sent: each slot becomes an address that may be long.
    let (characters, bytes) = counted_with_slots(&rendered.text);
    if characters >= limits.article_characters.value || bytes >= limits.article_bytes.value {
        let reason = format!(
            "正文 {characters} 个字符、{bytes} 字节（图片各计 {SLOT_CHARACTERS}），超出微信的限制"
        );
        faults.push(("F601", reason));
    }
    for tag in page.nodes.iter().map(|node| &node.tag) {
        if REMOVED.contains(&tag.name.as_str()) {
            faults.push(("F603", format!("正文里有 <{}>，微信会删掉", tag.name)));
        }
        if let Some((name, _)) = tag.attributes.iter().find(|(name, _)| name.starts_with("on")) {
            faults.push(("F603", format!("<{}> 有 {name}，微信会删掉", tag.name)));
        }
        if tag.attribute("class").is_some() && tag.attribute("style").is_none() {
            faults.push(("F603", format!("<{}> 只有 class，没有行内样式", tag.name)));
        }
        let source = tag.attribute("src").or_else(|| tag.attribute("data-src")).unwrap_or("");
        let uploaded = source.starts_with(SLOT) || source.contains("mmbiz.qpic.cn");
        if tag.name == "img" && !uploaded {
            faults.push(("F603", format!("图片“{source}”没有上传到微信")));
        }
    }
}

/// Rules D403, D404 and F608.
fn portal(rendered: &RenderedText, page: &Page, faults: &mut Vec<(&'static str, String)>) {
    let (bytes, most) = (rendered.text.len(), Limits::default().portal_bytes.value);
    if bytes > most {
        faults.push(("F608", format!("{bytes} 字节，至多 {most}")));
    }
    for tag in page.nodes.iter().map(|node| &node.tag) {
        if let Some(name) = collects(tag) {
            faults.push(("D403", format!("有要人填写的 {name}")));
        }
        if let Some(address) = external(tag) {
            faults.push(("D404", format!("<{}> 引用了外部的 {address}", tag.name)));
        }
        if tag.name == "script" {
            faults.push(("F608", "有脚本，认证页所在的浏览器可能不运行".into()));
        }
    }
    if page.styles.contains("@import")
        || page.styles.contains("url(http")
        || page.styles.contains("url(//")
    {
        faults.push(("D404", "样式引用了外部文件".into()));
    }
    if page.blocks.is_empty() {
        faults.push(("F608", "不运行脚本时没有一个字".into()));
    }
}

/// A field that somebody types into.
fn collects(tag: &Opening) -> Option<String> {
    let kind = tag.attribute("type").unwrap_or("text").to_ascii_lowercase();
    let typed = match tag.name.as_str() {
        "input" => {
            !["hidden", "radio", "checkbox", "submit", "button", "image"].contains(&kind.as_str())
        }
        "textarea" | "select" => true,
        _ => false,
    };
    typed.then(|| format!("<{} name={}>", tag.name, tag.attribute("name").unwrap_or("")))
}

/// What a browser would fetch from elsewhere. A form's and a link's targets are not fetched.
fn external(tag: &Opening) -> Option<&str> {
    let names: &[&str] = match tag.name.as_str() {
        "script" | "img" | "iframe" | "embed" | "audio" | "video" | "source" | "track" => {
            &["src", "srcset"]
        }
        "link" => &["href"],
        "object" => &["data"],
        _ => &["background", "poster"],
    };
    let value = names.iter().find_map(|name| tag.attribute(name))?;
    // An inlined picture names the namespace of SVG, which nobody fetches.
    let outside = ["//", "http://", "https://"].iter().any(|start| value.starts_with(start));
    outside.then_some(value)
}

/// Wording and personal data of the blocks that the lesson's text does not have word for word:
/// what is verbatim was judged there, with its scopes. What a renderer joined or cut stands for
/// itself.
fn words(
    context: &Context<'_>,
    rendered: &RenderedText,
    file: &Arc<SourceFile>,
    blocks: &[String],
) -> Vec<Finding> {
    let variant = context
        .library
        .lesson(&rendered.lesson)
        .and_then(|lesson| lesson.variants.get(&rendered.audience));
    let sources = variant.map(|variant| source_texts(context, variant)).unwrap_or_default();
    let mut findings = Vec::new();
    // A page's title names the bank behind a dot.
    for block in blocks.iter().flat_map(|block| block.split(" · ")) {
        for rule in context.catalogue.wording_in(block) {
            let Some(reading) = &rule.wording else { continue };
            let for_elders = rule.id == "E507" && rendered.audience != Audience::Elder;
            let stands_alone =
                !matches!(rendered.output, OutputKind::Article | OutputKind::Leaflet);
            let headline_only = reading.places == super::catalogue::Places::Headline;
            let extracted_only = reading.places == super::catalogue::Places::Extracted;
            let other_pack = variant.is_some_and(|variant| !rule.applies_to(variant.kind));
            if for_elders || other_pack || headline_only || (extracted_only && !stands_alone) {
                continue;
            }
            for range in wording::unexcused(context, rule, reading, block) {
                let around = super::cues::surrounding(block, range.clone());
                let words = Words {
                    before: around.before.to_owned(),
                    words: around.hit.to_owned(),
                    after: around.after.to_owned(),
                };
                let sentence = format!("{}{}{}", words.before, words.words, words.after);
                if sources.iter().any(|source| source.contains(&letters(&sentence))) {
                    continue;
                }
                let reason = format!(
                    "成品里的“{}”：{}。成品这样写：{}",
                    &block[range],
                    rule.reason,
                    sentence.trim()
                );
                findings.extend(about(context.finding(&rule.id, file, None, reason), words));
            }
        }
        for (range, what) in privacy::personal_data(context, block) {
            let words = Words {
                before: block[..range.start].to_owned(),
                words: block[range.clone()].to_owned(),
                after: block[range.end..].to_owned(),
            };
            let reason = format!("成品里有{what}：{}", mask(&block[range]));
            findings.extend(about(context.finding("D401", file, None, reason), words));
        }
    }
    findings
}

fn about(finding: Option<Finding>, words: Words) -> Option<Finding> {
    finding.map(|finding| Finding { words: Some(words), ..finding })
}

/// The passages of a variant, letters only, with telephone numbers and names filled in.
fn source_texts(context: &Context<'_>, variant: &Variant) -> Vec<String> {
    let texts = walk::texts(variant, context.bank);
    texts.passages.iter().map(|passage: &Passage<'_>| letters(&passage.text)).collect()
}

/// The Chinese characters: what stays the same however a text is set. Digits may be a telephone
/// number that stands in the source as a reference, and a quiz puts letters before its options.
fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphabetic() && !c.is_ascii()).collect()
}

/// Personal data is not repeated in a report.
fn mask(text: &str) -> String {
    let count = text.chars().count();
    let shown: String = text.chars().take(3).collect();
    format!("{shown}{}", "*".repeat(count.saturating_sub(3)))
}
