//! Rules E503 and G701 to G705: what pictures show, whose they are, and what is said of them.

use super::{Context, walk::Texts};
use crate::model::{Asset, Finding, Lesson, LessonKind, Severity, Variant};

/// Tags of pictures that only some may use.
const EMBLEMS: [&str; 6] = ["flag", "emblem", "regulator-logo", "anthem", "party-emblem", "seal"];

pub(super) fn check(context: &Context<'_>, lesson: &Lesson) -> Vec<Finding> {
    let kind = lesson.variants.values().map(|variant| variant.kind).next();
    let mut findings = Vec::new();
    for asset in lesson.assets.by_file.values() {
        findings.extend(asset_findings(context, asset, kind));
    }
    findings
}

/// What is wrong with one picture's entry.
pub(super) fn asset_findings(
    context: &Context<'_>,
    asset: &Asset,
    kind: Option<LessonKind>,
) -> Vec<Finding> {
    let faults = faults(asset);
    let found = faults.into_iter().filter_map(|(rule, reason)| {
        let mut finding = context.finding(rule, &asset.listed_in, Some(asset.entry), reason)?;
        let marketing = kind == Some(LessonKind::Marketing);
        if rule == "G702" && !marketing && finding.diagnostic.severity == Severity::Error {
            // In pure education it is a matter for a person to judge.
            finding.diagnostic.severity = Severity::Warning;
        }
        Some(finding)
    });
    found.collect()
}

/// Words that say nothing of where a picture is from.
const VAGUE: [&str; 14] = [
    "未知",
    "不详",
    "网络",
    "百度",
    "网上",
    "unknown",
    "?",
    "？",
    "待补",
    "无",
    "n/a",
    "搜索",
    "转载",
    "来源不明",
];

/// What is wrong with one entry: rule and reason.
fn faults(asset: &Asset) -> Vec<(&'static str, String)> {
    let tagged = |tag: &str| {
        asset.tags.iter().any(|own| {
            own == tag || own.split_once(':').is_some_and(|(k, v)| k == tag && !v.trim().is_empty())
        })
    };
    let mut faults: Vec<(&'static str, String)> = Vec::new();
    let file = &asset.file;
    if tagged("rmb") && !tagged("pbc-approval") && !tagged("rmb-exempt") {
        faults.push(("G701", format!("“{file}”是人民币图样，没有批准文号")));
    }
    if let Some(emblem) = EMBLEMS.iter().find(|tag| tagged(tag)) {
        faults.push(("G702", format!("“{file}”的标签是 {emblem}")));
    }
    if tagged("face") && !tagged("consent") {
        faults.push(("G703", format!("“{file}”有人脸，没有授权编号")));
    }
    let vague = |text: &str| {
        let text = text.trim().to_lowercase();
        text.is_empty()
            || VAGUE
                .iter()
                .any(|word| text == *word || (word.chars().count() > 1 && text.contains(word)))
    };
    for (key, value) in
        [("licence", &asset.licence), ("author", &asset.author), ("source", &asset.source)]
    {
        if vague(value) {
            faults.push(("G703", format!("“{file}”的 {key} 写的是“{value}”，查不到来历")));
        }
    }
    let generated = tagged("ai")
        || tagged("ai-generated")
        || ["AI生成", "AI 生成", "文生图", "生成式"]
            .iter()
            .any(|word| asset.source.contains(word) || asset.author.contains(word));
    let labelled =
        ["AI生成", "AI 生成", "人工智能生成"].iter().any(|word| asset.alt.contains(word));
    if generated && !labelled {
        faults.push(("G705", format!("“{file}”是 AI 生成的，alt 里没有写明")));
    }
    if says_nothing(&asset.alt, file) {
        let alt = asset.alt.trim();
        faults.push(("E503", format!("“{file}”的替代文字是“{alt}”，没有说图里画了什么")));
    }
    faults
}

/// Whether an alternative text is empty, the file's name, or “图片”.
fn says_nothing(alt: &str, file: &str) -> bool {
    const EMPTY: [&str; 8] = ["", "图片", "图", "插图", "照片", "image", "picture", "img"];
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let alt = alt.trim();
    alt.eq_ignore_ascii_case(file)
        || alt.eq_ignore_ascii_case(stem)
        || EMPTY.contains(&alt.to_lowercase().as_str())
}

/// Rule E503 where a text shows a picture under words of its own.
pub(super) fn shown(context: &Context<'_>, variant: &Variant, texts: &Texts<'_>) -> Vec<Finding> {
    let pictures = texts.pictures.iter().filter(|(file, alt, _)| says_nothing(alt, file));
    let found = pictures.filter_map(|(file, alt, span)| {
        let reason = format!("“{file}”的替代文字是“{alt}”，没有说图里画了什么");
        context.finding("E503", &variant.file, Some(*span), reason)
    });
    found.collect()
}
