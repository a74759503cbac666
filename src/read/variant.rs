//! One text of a lesson: front matter and body, without a look at the disk.

use super::{
    faults::Faults,
    front_matter::{self, FrontMatter},
    markdown::{self, Body},
    node, reference,
    registry::Registry,
    scope::Scope,
};
use crate::model::{
    AssetSet, Audience, Diagnostic, Digest, Inline, InlineKind, Located, OutputKind, SourceFile,
    Span, Variant,
};
use std::sync::Arc;

/// What a text may refer to.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    /// The registries.
    pub registry: Registry<'a>,
    /// The pictures of the lesson's folder.
    pub assets: &'a AssetSet,
    /// Whether those pictures were read without a fault; else the text is not blamed for a missing
    /// one.
    pub assets_complete: bool,
}

/// What came of one text.
#[derive(Debug)]
pub struct VariantReading {
    /// Its front matter, inherited keys included; the base of other variants.
    pub front_matter: FrontMatter,
    /// The text; `None` where there is an error.
    pub variant: Option<Variant>,
    /// What is wrong.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads one text. `base` is the general text's front matter, and `None` for the general text
/// itself. Pure: everything it needs is given.
#[must_use]
pub fn read_variant(
    file: &Arc<SourceFile>,
    audience: Audience,
    base: Option<&FrontMatter>,
    surroundings: &Surroundings<'_>,
) -> VariantReading {
    let mut faults = Faults::new(file);
    refuse_control_characters(&mut faults);
    let (own, body_start) = read_front_matter(base.is_none(), &surroundings.registry, &mut faults);
    let own_banner = own.banner.is_some();
    let front = match base {
        Some(base) => own.inherit(base),
        None => own,
    };
    check_dates(&front, &mut faults);
    let scope = Scope {
        registry: surroundings.registry,
        front: &front,
        assets: surroundings.assets,
        assets_complete: surroundings.assets_complete,
    };
    let mut body = markdown::read(body_start, &scope, &mut faults);
    if body.tiers.banner.is_none() {
        body.tiers.banner = front.banner.as_ref().map(|banner| {
            let text = Inline { span: banner.span, kind: InlineKind::Text(banner.value.clone()) };
            // An inherited banner was checked in its own file.
            let mut elsewhere = Faults::new(file);
            let faults = if own_banner { &mut faults } else { &mut elsewhere };
            let value = reference::resolve(vec![text], &scope, faults);
            Located { value, span: banner.span }
        });
    }
    let digest = match base {
        Some(base) => Digest::of_fields([file.text.as_bytes(), base.file.text.as_bytes()]),
        None => Digest::of_fields([file.text.as_bytes()]),
    };
    let variant = if faults.is_empty() {
        assemble(&front, body, &Origin { file, digest, audience })
    } else {
        None
    };
    VariantReading { front_matter: front, variant, diagnostics: faults.into_list() }
}

/// Where a variant comes from.
struct Origin<'a> {
    file: &'a Arc<SourceFile>,
    digest: Digest,
    audience: Audience,
}

fn assemble(front: &FrontMatter, body: Body, origin: &Origin<'_>) -> Option<Variant> {
    let outputs =
        || OutputKind::ALL.iter().copied().filter(|kind| *kind != OutputKind::Newspic).collect();
    Some(Variant {
        file: Arc::clone(origin.file),
        digest: origin.digest,
        audience: origin.audience,
        version: front.version?,
        kind: front.kind?,
        title: front.title.clone()?,
        short_title: front.short_title.clone(),
        english: front.english.as_ref().map(|english| english.value.clone()),
        headline: front.headline.clone()?,
        digest_text: front.digest.clone()?,
        topics: front.topics.clone()?,
        audiences: front.audiences.clone()?.value,
        campaigns: front.campaigns.clone().unwrap_or_default(),
        outputs: front.outputs.clone().unwrap_or_else(outputs),
        priority: front.priority.unwrap_or_default(),
        valid_from: front.valid_from.as_ref()?.value,
        valid_until: front.valid_until.as_ref()?.value,
        facts_review_by: front.facts_review_by.as_ref().map(|date| date.value),
        hotlines: front.hotlines.clone()?,
        owner: front.owner.clone()?,
        co_review: front.co_review.clone().unwrap_or_default(),
        qr_label: front.qr_label.clone().unwrap_or_else(|| "扫码看全文".into()),
        keywords: front.keywords.clone().unwrap_or_default(),
        object_labels: front.object_labels.clone().unwrap_or_default(),
        sources: front.sources.clone().unwrap_or_default(),
        body: body.blocks,
        tiers: body.tiers,
    })
}

/// The front matter and where the text begins.
fn read_front_matter(
    general: bool,
    registry: &Registry<'_>,
    faults: &mut Faults,
) -> (FrontMatter, usize) {
    let file = Arc::clone(faults.file());
    let text = &file.text;
    let first = text.lines().next().unwrap_or_default();
    if first.trim_end() != "---" {
        if general {
            faults.error(
                "read/no-front-matter",
                Span::new(0, first.len()),
                "文件开头没有前言".into(),
                "第一行写 ---，接着写 id、title 等键，再用一行 --- 结束。".into(),
            );
        }
        let front = FrontMatter { sources_broken: general, ..FrontMatter::empty(file) };
        return (front, 0);
    }
    let yaml_start = text.find('\n').map_or(text.len(), |newline| newline + 1);
    let mut at = yaml_start;
    for line in text[yaml_start..].split_inclusive('\n') {
        if line.trim_end() == "---" {
            let yaml = &text[yaml_start..at];
            let front = match node::from_yaml(yaml, yaml_start, faults) {
                Some(node) => front_matter::read(&node, general, registry, faults),
                None => {
                    FrontMatter { sources_broken: true, ..FrontMatter::empty(Arc::clone(&file)) }
                }
            };
            return (front, at + line.len());
        }
        at += line.len();
    }
    faults.error(
        "read/no-front-matter",
        Span::new(0, 3),
        "前言没有收尾".into(),
        "前言写完后，单独写一行 ---。".into(),
    );
    (FrontMatter::empty(Arc::clone(&file)), text.len())
}

fn check_dates(front: &FrontMatter, faults: &mut Faults) {
    let (Some(from), Some(until)) = (&front.valid_from, &front.valid_until) else {
        return;
    };
    let inherited = Span::default();
    if until.value < from.value && (from.span != inherited || until.span != inherited) {
        let span = if until.span == inherited { from.span } else { until.span };
        faults.error(
            "read/dates-reversed",
            span,
            format!("valid_until（{}）早于 valid_from（{}）", until.value, from.value),
            "检查两个日期的年份。".into(),
        );
    }
}

/// Invisible characters break fonts and terminals, and one of them is this room's own mark.
fn refuse_control_characters(faults: &mut Faults) {
    let file = Arc::clone(faults.file());
    let is_bad = |c: char| {
        (c.is_control() && !matches!(c, '\t' | '\n' | '\r'))
            || matches!(c, '\u{FDD0}'..='\u{FDEF}' | '\u{FFFE}' | '\u{FFFF}')
    };
    if let Some((at, bad)) = file.text.char_indices().find(|(_, c)| is_bad(*c)) {
        faults.error(
            "read/control-character",
            Span::new(at, at + bad.len_utf8()),
            format!("这里有一个看不见的控制字符（U+{:04X}）", u32::from(bad)),
            "删掉它；多半是从别的软件复制来的。".into(),
        );
    }
}
