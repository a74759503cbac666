//! One lesson folder, and one text of it.

use super::{
    asset,
    faults::Faults,
    files::{self, Folder},
    front_matter::{self, FrontMatter},
    markdown::{self, Body},
    node, reference,
    registry::Registry,
    scope::Scope,
    suggest,
};
use crate::model::{
    AssetSet, Audience, Diagnostic, Digest, Inline, InlineKind, Lesson, LessonId, Located,
    OutputKind, SourceFile, Span, Variant,
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

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
        assemble(&front, body, Origin { file, digest, audience })
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

fn assemble(front: &FrontMatter, body: Body, origin: Origin<'_>) -> Option<Variant> {
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
        return (FrontMatter::empty(file), 0);
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

/// A lesson folder while it is read.
pub(super) struct LessonFolder<'a> {
    /// The content folder.
    pub(super) folder: &'a Folder,
    /// The lesson's folder, relative to it.
    pub(super) path: PathBuf,
    /// The folder's name.
    pub(super) id: LessonId,
    /// The registries.
    pub(super) registry: Registry<'a>,
    /// Whether the pictures of `content/assets/` were read without a fault.
    pub(super) shared_assets_complete: bool,
    /// The names of all lesson folders.
    pub(super) folders: &'a [String],
}

impl LessonFolder<'_> {
    /// Reads the lesson. `None` where anything in its folder is wrong.
    pub(super) fn read(&self, diagnostics: &mut Vec<Diagnostic>) -> Option<Lesson> {
        let before = diagnostics.len();
        let pictures = asset::read(self.folder, &self.path);
        let assets_complete = pictures.diagnostics.is_empty() && self.shared_assets_complete;
        diagnostics.extend(pictures.diagnostics);
        if !self.folder.has(&self.path.join("object.svg")) {
            diagnostics.push(files::fault(
                &self.path.join("object.svg"),
                "read/missing-object",
                "缺少 object.svg".into(),
                "画出海报上的那件东西，存成 object.svg，并在 assets.toml 里登记。".into(),
            ));
        }
        let surroundings =
            Surroundings { registry: self.registry, assets: &pictures.set, assets_complete };
        let variants = self.read_variants(&surroundings, diagnostics);
        (diagnostics.len() == before).then(|| Lesson {
            id: self.id.clone(),
            variants,
            assets: pictures.set,
        })
    }

    fn read_variants(
        &self,
        surroundings: &Surroundings<'_>,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> BTreeMap<Audience, Variant> {
        let mut variants = BTreeMap::new();
        self.refuse_strange_texts(diagnostics);
        let Some(general) = self.read_text(Audience::General, None, surroundings, diagnostics)
        else {
            return variants;
        };
        let front = general.front_matter;
        variants.extend(general.variant.map(|variant| (Audience::General, variant)));
        for audience in [Audience::Elder, Audience::Student] {
            let listed =
                front.audiences.as_ref().map(|audiences| audiences.value.contains(&audience));
            let path = self.path.join(file_name(audience));
            let there = self.folder.has(&path);
            if there {
                let reading = self.read_text(audience, Some(&front), surroundings, diagnostics);
                let variant = reading.and_then(|reading| reading.variant);
                variants.extend(variant.map(|variant| (audience, variant)));
            }
            let mut faults = Faults::new(&front.file);
            let span = front.audiences.as_ref().map(|audiences| audiences.span).unwrap_or_default();
            match listed {
                Some(true) if !there => faults.error(
                    "read/missing-variant",
                    span,
                    format!("audiences 里有 {audience}，文件夹里没有 {}", file_name(audience)),
                    "写好这个文件，或者从 audiences 里去掉它。".into(),
                ),
                Some(false) if there => faults.error(
                    "read/unlisted-variant",
                    span,
                    format!("文件夹里有 {}，audiences 里没有 {audience}", file_name(audience)),
                    "把它加进 audiences，或者删掉文件。".into(),
                ),
                _ => {}
            }
            diagnostics.extend(faults.into_list());
        }
        variants
    }

    fn read_text(
        &self,
        audience: Audience,
        base: Option<&FrontMatter>,
        surroundings: &Surroundings<'_>,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Option<VariantReading> {
        let path = self.path.join(file_name(audience));
        if !self.folder.has(&path) {
            diagnostics.push(files::fault(
                &path,
                "read/missing-lesson",
                "文件夹里没有 lesson.md".into(),
                "写好 lesson.md，或者删掉这个文件夹。".into(),
            ));
            return None;
        }
        match self.folder.text(&path) {
            Ok(file) => {
                let mut reading = read_variant(&file, audience, base, surroundings);
                diagnostics.append(&mut reading.diagnostics);
                self.check_id(&file, &reading.front_matter, diagnostics);
                Some(reading)
            }
            Err(diagnostic) => {
                diagnostics.push(diagnostic);
                None
            }
        }
    }

    fn check_id(
        &self,
        file: &Arc<SourceFile>,
        front: &FrontMatter,
        diagnostics: &mut Vec<Diagnostic>,
    ) {
        let Some(id) =
            front.id.as_ref().filter(|id| id.value != self.id && id.span != Span::default())
        else {
            return;
        };
        let mut faults = Faults::new(file);
        if self.folders.iter().any(|folder| folder == id.value.as_str()) {
            faults.error(
                "read/duplicate-id",
                id.span,
                format!("id“{}”已经是另一课的", id.value),
                format!("每课一个 id，和文件夹同名：这里写 {}。", self.id),
            );
        } else {
            faults.error(
                "read/id-mismatch",
                id.span,
                format!("id“{}”和文件夹名“{}”不一致", id.value, self.id),
                format!("写成 id: {}，或者给文件夹改名。", self.id),
            );
        }
        diagnostics.extend(faults.into_list());
    }

    fn refuse_strange_texts(&self, diagnostics: &mut Vec<Diagnostic>) {
        let known: Vec<String> =
            Audience::ALL.iter().map(|audience| file_name(*audience)).collect();
        for name in self.folder.names(&self.path).unwrap_or_default() {
            let markdown = Path::new(&name).extension().is_some_and(|extension| extension == "md");
            if markdown && !known.contains(&name) {
                diagnostics.push(files::fault(
                    &self.path.join(&name),
                    "read/unknown-file",
                    format!("不认识课文文件 {name}"),
                    suggest::known(&name, known.iter().map(String::as_str)),
                ));
            }
        }
    }
}

fn file_name(audience: Audience) -> String {
    match audience {
        Audience::General => "lesson.md".into(),
        other => format!("lesson.{other}.md"),
    }
}
