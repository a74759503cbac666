//! The body: the default one, or a template of the bank's own.
//!
//! Strict mode is on, and `if` and `unless` are ours, because Handlebars' own `{{#if typo}}` is
//! silently false: a name that is not there is an error before anything is sent.

use super::wire::{Event, View};
use crate::deliver::Parcel;
use handlebars::{
    Context, Handlebars, Helper, HelperDef, HelperResult, Output, PathAndJson, RenderContext,
    RenderError, RenderErrorReason, Renderable as _,
};

/// The name under which the template is registered.
const BODY: &str = "body";

/// Makes bodies.
pub(super) enum Body {
    /// The default one.
    Default,
    /// From a template.
    Template {
        /// With the template registered.
        registry: Box<Handlebars<'static>>,
        /// Whether the result must be JSON.
        json: bool,
    },
}

impl Body {
    /// Reads a template. Values inside JSON strings are escaped as JSON wants it; `{{json x}}`
    /// writes a whole value, quotes included.
    ///
    /// # Errors
    /// Where and why, in Chinese.
    pub(super) fn template(text: &str, json: bool) -> Result<Self, String> {
        let mut registry = Handlebars::new();
        registry.set_strict_mode(true);
        if json {
            registry.register_escape_fn(json_text);
        } else {
            registry.register_escape_fn(handlebars::no_escape);
        }
        registry.register_helper("json", Box::new(JsonHelper));
        registry.register_helper("if", Box::new(Conditional { when: true }));
        registry.register_helper("unless", Box::new(Conditional { when: false }));
        registry
            .register_template_string(BODY, text)
            .map_err(|error| format!("body 模板写错了：{}", error.reason()))?;
        Ok(Self::Template { registry: Box::new(registry), json })
    }

    /// The body for a parcel.
    ///
    /// # Errors
    /// What the template asks for and is not there, or why the result is not JSON, in Chinese.
    pub(super) fn fill(&self, event: Event, parcel: &Parcel) -> Result<String, String> {
        let view = View::of(event, parcel);
        match self {
            Self::Default => serde_json::to_string(&view).map_err(|error| error.to_string()),
            Self::Template { registry, json } => {
                let body = registry
                    .render(BODY, &view)
                    .map_err(|error| format!("body 模板填不出来：{}", why(&error)))?;
                if *json {
                    serde_json::from_str::<serde::de::IgnoredAny>(&body).map_err(|error| {
                        format!("body 模板填出来不是 JSON：{error}；字符串里的值不必再写引号转义")
                    })?;
                }
                Ok(body)
            }
        }
    }
}

fn why(error: &RenderError) -> String {
    let place = error.line_no.map(|line| format!("第 {line} 行，")).unwrap_or_default();
    match error.reason() {
        RenderErrorReason::MissingVariable(Some(name)) => format!("{place}没有叫 {name} 的值"),
        other => format!("{place}{other}"),
    }
}

/// A text as it stands inside the quotes of a JSON string.
fn json_text(text: &str) -> String {
    let quoted = serde_json::to_string(text).unwrap_or_default();
    quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default().to_owned()
}

/// `{{json value}}`: the value as JSON.
struct JsonHelper;

impl HelperDef for JsonHelper {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _registry: &'reg Handlebars<'reg>,
        _context: &'rc Context,
        _render: &mut RenderContext<'reg, 'rc>,
        output: &mut dyn Output,
    ) -> HelperResult {
        let value =
            helper.param(0).ok_or_else(|| RenderErrorReason::ParamNotFoundForIndex("json", 0))?;
        if value.is_value_missing() {
            let name = value.relative_path().cloned();
            return Err(RenderErrorReason::MissingVariable(name).into());
        }
        output.write(&value.value().to_string())?;
        Ok(())
    }
}

/// `{{#if value}}` and `{{#unless value}}`.
struct Conditional {
    /// The truth of the value for which the block stands.
    when: bool,
}

impl HelperDef for Conditional {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        registry: &'reg Handlebars<'reg>,
        context: &'rc Context,
        render: &mut RenderContext<'reg, 'rc>,
        output: &mut dyn Output,
    ) -> HelperResult {
        let value = present(helper, if self.when { "if" } else { "unless" })?;
        let truthy = handlebars::JsonTruthy::is_truthy(value.value(), false);
        let arm = if truthy == self.when { helper.template() } else { helper.inverse() };
        arm.map_or(Ok(()), |arm| arm.render(registry, context, render, output))
    }
}

/// The helper's value, which must be there.
fn present<'h, 'rc>(
    helper: &'h Helper<'rc>,
    name: &'static str,
) -> Result<&'h PathAndJson<'rc>, RenderError> {
    let value = helper.param(0).ok_or(RenderErrorReason::ParamNotFoundForIndex(name, 0))?;
    if value.is_value_missing() {
        let path = value.relative_path().cloned();
        return Err(RenderErrorReason::MissingVariable(path).into());
    }
    Ok(value)
}
