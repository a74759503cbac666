//! The templates people edit: Handlebars pages and article themes, the built-in ones and a folder
//! that may replace them.
//!
//! Strict mode is on, and the block helpers are ours, because Handlebars' own `{{#if typo}}` is
//! silently false: a name that the view does not have is an error with the template's line.

use super::{article::Theme, portal::Flavour};
use crate::model::{Audience, Digest};
use handlebars::{
    Context, Handlebars, Helper, HelperDef, Output, RenderContext, RenderError, RenderErrorReason,
    Renderable,
};
use serde::Serialize;
use std::collections::BTreeMap;

/// The templates that come with the program: name and text. The name is the path under
/// `templates/`, which is also the path of a replacement in an override folder.
const BUILT_IN: &[(&str, &str)] = &[
    ("article/general.toml", include_str!("../../templates/article/general.toml")),
    ("article/elder.toml", include_str!("../../templates/article/elder.toml")),
    ("article/student.toml", include_str!("../../templates/article/student.toml")),
    ("article/cover.hbs", include_str!("../../templates/article/cover.hbs")),
    ("portal/page.hbs", include_str!("../../templates/portal/page.hbs")),
    ("portal/style.hbs", include_str!("../../templates/portal/style.hbs")),
    ("portal/style-small.hbs", include_str!("../../templates/portal/style-small.hbs")),
    ("portal/form.hbs", include_str!("../../templates/portal/form.hbs")),
    ("portal/small.hbs", include_str!("../../templates/portal/small.hbs")),
    ("portal/quiz.hbs", include_str!("../../templates/portal/quiz.hbs")),
    ("portal/answers.hbs", include_str!("../../templates/portal/answers.hbs")),
    ("portal/message.hbs", include_str!("../../templates/portal/message.hbs")),
    ("portal/generic/rules.toml", include_str!("../../templates/portal/generic/rules.toml")),
    ("portal/generic/readme.hbs", include_str!("../../templates/portal/generic/readme.hbs")),
    ("portal/opennds/rules.toml", include_str!("../../templates/portal/opennds/rules.toml")),
    ("portal/opennds/theme.hbs", include_str!("../../templates/portal/opennds/theme.hbs")),
    ("portal/opennds/readme.hbs", include_str!("../../templates/portal/opennds/readme.hbs")),
    ("portal/comware/rules.toml", include_str!("../../templates/portal/comware/rules.toml")),
    ("portal/mikrotik/rules.toml", include_str!("../../templates/portal/mikrotik/rules.toml")),
    ("poster/base.hbs", include_str!("../../templates/poster/base.hbs")),
    ("poster/brandbar.hbs", include_str!("../../templates/poster/brandbar.hbs")),
    ("poster/headline.hbs", include_str!("../../templates/poster/headline.hbs")),
    ("poster/object.hbs", include_str!("../../templates/poster/object.hbs")),
    ("poster/treads.hbs", include_str!("../../templates/poster/treads.hbs")),
    ("poster/slabs.hbs", include_str!("../../templates/poster/slabs.hbs")),
    ("poster/turns.hbs", include_str!("../../templates/poster/turns.hbs")),
    ("poster/strip.hbs", include_str!("../../templates/poster/strip.hbs")),
    ("poster/general-portrait.hbs", include_str!("../../templates/poster/general-portrait.hbs")),
    ("poster/general-landscape.hbs", include_str!("../../templates/poster/general-landscape.hbs")),
    ("poster/general-bar.hbs", include_str!("../../templates/poster/general-bar.hbs")),
    ("poster/elder-portrait.hbs", include_str!("../../templates/poster/elder-portrait.hbs")),
    ("poster/elder-landscape.hbs", include_str!("../../templates/poster/elder-landscape.hbs")),
    ("poster/elder-bar.hbs", include_str!("../../templates/poster/elder-bar.hbs")),
    ("poster/student-portrait.hbs", include_str!("../../templates/poster/student-portrait.hbs")),
    ("poster/student-landscape.hbs", include_str!("../../templates/poster/student-landscape.hbs")),
    ("poster/student-bar.hbs", include_str!("../../templates/poster/student-bar.hbs")),
    ("print/base.hbs", include_str!("../../templates/print/base.hbs")),
    ("print/brandbar.hbs", include_str!("../../templates/print/brandbar.hbs")),
    ("print/headline.hbs", include_str!("../../templates/print/headline.hbs")),
    ("print/object.hbs", include_str!("../../templates/print/object.hbs")),
    ("print/strip.hbs", include_str!("../../templates/print/strip.hbs")),
    ("print/poster-general.hbs", include_str!("../../templates/print/poster-general.hbs")),
    ("print/poster-elder.hbs", include_str!("../../templates/print/poster-elder.hbs")),
    ("print/poster-student.hbs", include_str!("../../templates/print/poster-student.hbs")),
    ("print/prose-css.hbs", include_str!("../../templates/print/prose-css.hbs")),
    ("print/blocks.hbs", include_str!("../../templates/print/blocks.hbs")),
    ("print/leaflet-outside.hbs", include_str!("../../templates/print/leaflet-outside.hbs")),
    ("print/leaflet-inside.hbs", include_str!("../../templates/print/leaflet-inside.hbs")),
    ("print/morning.hbs", include_str!("../../templates/print/morning.hbs")),
    ("print/notice.hbs", include_str!("../../templates/print/notice.hbs")),
    ("print/booth.hbs", include_str!("../../templates/print/booth.hbs")),
];

/// Palettes that come with the program; `palettes.toml` in an override folder replaces them.
pub const BUILT_IN_PALETTES: &str = include_str!("../../templates/palettes.toml");

/// Why a template cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// It does not parse.
    #[error("模板 {name} 第 {line} 行写错了：{reason}")]
    Syntax {
        /// Its path under the template folder.
        name: String,
        /// Counted from one.
        line: usize,
        /// What Handlebars says.
        reason: String,
    },
    /// It names something the view does not have, or a partial that does not exist.
    #[error("模板 {name} 第 {line} 行：{reason}")]
    Render {
        /// Its path under the template folder.
        name: String,
        /// Counted from one.
        line: usize,
        /// What is missing.
        reason: String,
    },
    /// An override replaces nothing.
    #[error("模板文件夹里的 {name} 没有对应的内置模板；可以替换的有：{known}")]
    Unknown {
        /// Its path under the override folder.
        name: String,
        /// What can be replaced.
        known: String,
    },
}

/// All templates, compiled.
pub struct Templates {
    registry: Handlebars<'static>,
    themes: BTreeMap<Audience, Theme>,
    flavours: BTreeMap<String, Flavour>,
    digest: Digest,
}

impl std::fmt::Debug for Templates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Templates").field("digest", &self.digest).finish_non_exhaustive()
    }
}

impl Templates {
    /// Compiles the built-in templates with those of `overrides` (path to text) in their place.
    ///
    /// # Errors
    /// [`TemplateError`] for the first template that does not parse, and for an override that
    /// replaces nothing (a misspelt file name would otherwise have no effect).
    pub fn new(overrides: &BTreeMap<String, String>) -> Result<Self, TemplateError> {
        if let Some(name) = overrides.keys().find(|name| !is_known(name, overrides)) {
            let known = BUILT_IN.iter().map(|(name, _)| *name).collect::<Vec<_>>().join("、");
            return Err(TemplateError::Unknown { name: name.clone(), known });
        }
        let mut registry = Handlebars::new();
        registry.set_strict_mode(true);
        registry.register_escape_fn(escape);
        registry.register_helper("if", Box::new(Conditional { when: true }));
        registry.register_helper("unless", Box::new(Conditional { when: false }));
        registry.register_helper("px", Box::new(pixels));
        registry.register_helper("mm", Box::new(millimetres));
        let mut themes = BTreeMap::new();
        let mut flavours = BTreeMap::new();
        let mut texts = Vec::new();
        let replaced = BUILT_IN
            .iter()
            .map(|(name, text)| (*name, overrides.get(*name).map_or(*text, String::as_str)));
        let added = overrides
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_str()))
            .filter(|(name, _)| !is_built_in(name));
        for (name, text) in replaced.chain(added) {
            texts.push(name.as_bytes());
            texts.push(text.as_bytes());
            let syntax =
                |(line, reason)| TemplateError::Syntax { name: name.to_owned(), line, reason };
            if let Some(audience) = theme_audience(name) {
                themes.insert(audience, Theme::parse(text).map_err(syntax)?);
                continue;
            }
            if let Some(flavour) = flavour_of(name).filter(|_| name.ends_with("/rules.toml")) {
                flavours.insert(flavour.to_owned(), Flavour::parse(text).map_err(syntax)?);
                continue;
            }
            registry.register_template_string(name, text).map_err(|error| {
                TemplateError::Syntax {
                    name: name.to_owned(),
                    line: error.pos().map_or(1, |(line, _)| line),
                    reason: error.reason().to_string(),
                }
            })?;
        }
        let digest = Digest::of_fields(texts);
        Ok(Self { registry, themes, flavours, digest })
    }

    /// The digest of every template's name and text; part of each render's key.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The article theme of an audience.
    pub(super) fn theme(&self, audience: Audience) -> &Theme {
        // `BUILT_IN` has one per audience, and `new` has parsed each.
        &self.themes[&audience]
    }

    /// The rules of a kind of gateway.
    #[must_use]
    pub fn flavour(&self, name: &str) -> Option<&Flavour> {
        self.flavours.get(name)
    }

    /// The kinds of gateway that there are rules for, sorted.
    pub fn flavours(&self) -> impl Iterator<Item = &str> {
        self.flavours.keys().map(String::as_str)
    }

    /// Fills the template `name` with `view`.
    ///
    /// # Errors
    /// [`TemplateError::Render`] with the template's line.
    pub fn render<View: Serialize>(
        &self,
        name: &str,
        view: &View,
    ) -> Result<String, TemplateError> {
        self.registry.render(name, view).map_err(|error| TemplateError::Render {
            name: error.template_name.clone().unwrap_or_else(|| name.to_owned()),
            line: error.line_no.unwrap_or(1),
            reason: explain(error.reason()),
        })
    }
}

fn is_built_in(name: &str) -> bool {
    BUILT_IN.iter().any(|(known, _)| *known == name)
}

/// Whether a file of an override folder has a meaning: it replaces one, or belongs to a kind of
/// gateway that has its rules.
fn is_known(name: &str, overrides: &BTreeMap<String, String>) -> bool {
    let has_rules = |flavour: &str| {
        let rules = format!("portal/{flavour}/rules.toml");
        is_built_in(&rules) || overrides.contains_key(&rules)
    };
    is_built_in(name) || flavour_of(name).is_some_and(has_rules)
}

/// The kind of gateway that a template belongs to: `portal/<flavour>/…`.
fn flavour_of(name: &str) -> Option<&str> {
    name.strip_prefix("portal/")?.split_once('/').map(|(flavour, _)| flavour)
}

/// The audience whose article theme a template is.
fn theme_audience(name: &str) -> Option<Audience> {
    let name = name.strip_prefix("article/")?.strip_suffix(".toml")?;
    Audience::from_name(name)
}

fn explain(reason: &RenderErrorReason) -> String {
    match reason {
        RenderErrorReason::MissingVariable(Some(path)) => format!("没有“{path}”这一项"),
        RenderErrorReason::PartialNotFound(partial) => format!("没有名为“{partial}”的片段"),
        other => other.to_string(),
    }
}

/// Escapes text for HTML content and double-quoted attributes.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // Stands for `$` in the variables of gateways, which only their own rules may name.
            '\u{E000}' => {}
            _ => escaped.push(character),
        }
    }
    escaped
}

/// `{{#if}}` and `{{#unless}}` that refuse a name the view does not have.
struct Conditional {
    when: bool,
}

impl HelperDef for Conditional {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        registry: &'reg Handlebars<'reg>,
        context: &'rc Context,
        render: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> Result<(), RenderError> {
        let condition = helper.param(0).ok_or(RenderErrorReason::ParamNotFoundForIndex("if", 0))?;
        if condition.is_value_missing() {
            let path = condition.relative_path().cloned();
            return Err(RenderErrorReason::MissingVariable(path).into());
        }
        let truthy = handlebars::JsonTruthy::is_truthy(condition.value(), false);
        let arm = if truthy == self.when { helper.template() } else { helper.inverse() };
        arm.map_or(Ok(()), |template| template.render(registry, context, render, out))
    }
}

/// `{{px 72}}`: a length of the design in whole pixels of the profile, by the view's `unit`.
fn pixels(
    helper: &Helper<'_>,
    _: &Handlebars<'_>,
    context: &Context,
    _: &mut RenderContext<'_, '_>,
    out: &mut dyn Output,
) -> Result<(), RenderError> {
    let unit = context.data().get("unit").and_then(serde_json::Value::as_f64);
    let length = helper.param(0).and_then(|param| param.value().as_f64());
    let (Some(unit), Some(length)) = (unit, length) else {
        return Err(RenderErrorReason::Other("px 需要一个数，视图需要 unit".into()).into());
    };
    out.write(&format!("{}px", (length * unit).round()))?;
    Ok(())
}

/// `{{mm 15}}`: millimetres of a design made for A4 as pixels, by the view's `unit`. Unlike `px`
/// it keeps fractions: a PDF has few pixels and no pixel grid.
fn millimetres(
    helper: &Helper<'_>,
    _: &Handlebars<'_>,
    context: &Context,
    _: &mut RenderContext<'_, '_>,
    out: &mut dyn Output,
) -> Result<(), RenderError> {
    let unit = context.data().get("unit").and_then(serde_json::Value::as_f64);
    let length = helper.param(0).and_then(|param| param.value().as_f64());
    let (Some(unit), Some(length)) = (unit, length) else {
        return Err(RenderErrorReason::Other("mm 需要一个数，视图需要 unit".into()).into());
    };
    out.write(&format!("{:.3}px", length * unit))?;
    Ok(())
}
