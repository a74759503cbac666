//! What a finished directive block means.

use super::{
    arithmetic::{self, CalcError},
    directive::{Name, Opening},
    faults::Faults,
    inline, listing,
    scope::Scope,
    suggest,
};
use crate::model::{
    Audience, Block, Calculation, CalloutKind, Condition, Directive, OutputKind, Span,
};

/// A block with its opening line and everything between the fences.
pub(super) struct Content {
    /// The opening line.
    pub(super) opening: Opening,
    /// From the first colon to the end of the closing fence.
    pub(super) span: Span,
    /// What is inside.
    pub(super) blocks: Vec<Block>,
}

impl Content {
    /// Reports that the content has another form than the block needs.
    pub(super) fn refuse(&self, faults: &mut Faults, expected: &str, help: &str) {
        let name = self.opening.name.as_str();
        faults.error(
            "read/block-content",
            self.opening.span,
            format!(":::{name} 里应当{expected}"),
            help.to_owned(),
        );
    }

    /// The value of an attribute that must be there.
    fn required(&self, key: &str, help: &str, faults: &mut Faults) -> Option<String> {
        let value = self.opening.get(key).map(|attribute| attribute.value.trim());
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            return Some(value.to_owned());
        }
        faults.error(
            "read/missing-attribute",
            self.opening.span,
            format!(":::{} 缺少属性 {key}", self.opening.name.as_str()),
            help.to_owned(),
        );
        None
    }
}

/// Turns a block that belongs to the article into its directive, or reports why it can't be one.
pub(super) fn directive(
    content: Content,
    scope: &Scope<'_>,
    faults: &mut Faults,
) -> Option<Directive> {
    match content.opening.name {
        Name::Scam => filled(content, faults).map(Directive::Scam),
        Name::Emergency => filled(content, faults).map(Directive::Emergency),
        Name::Tip => callout(content, CalloutKind::Tip, faults),
        Name::Warning => callout(content, CalloutKind::Warning, faults),
        Name::Quote => {
            let speaker = content.required("speaker", "写是谁说的，例如 {speaker=骗子}", faults);
            let blocks = filled(content, faults)?;
            Some(Directive::Quotation { speaker: speaker?, blocks })
        }
        Name::RedFlag => listing::red_flags(content, faults),
        Name::Steps => listing::steps(content, faults),
        Name::Case => case(content, faults),
        Name::Dialogue => listing::dialogue(content, faults).map(Directive::Dialogue),
        Name::Stat => statistic(content, scope, faults),
        Name::Calc => calculation(&content, faults),
        Name::Quiz => super::quiz::read(content, faults),
        Name::Law => {
            let cite = content.required("cite", "写成 {cite=\"反电信网络诈骗法/31\"}", faults);
            let blocks = filled(content, faults)?;
            Some(Directive::Law { cite: cite?, blocks })
        }
        Name::Glossary => listing::glossary(content, faults),
        Name::Hotline => hotline_table(&content, scope, faults),
        Name::Image => image(&content, scope, faults),
        Name::Qr => qr_code(&content, faults),
        Name::Only => conditional(content, false, faults),
        Name::Except => conditional(content, true, faults),
        // The builder sends these to `tier`.
        Name::Screen
        | Name::Poster
        | Name::Leaflet
        | Name::Portal
        | Name::Ticker
        | Name::Sms
        | Name::Post
        | Name::Banner
        | Name::Staff => None,
    }
}

fn filled(content: Content, faults: &mut Faults) -> Option<Vec<Block>> {
    if content.blocks.is_empty() {
        content.refuse(faults, "有内容", "在 :::名字 和 ::: 之间写字，或者删掉这个块。");
        return None;
    }
    Some(content.blocks)
}

fn callout(content: Content, kind: CalloutKind, faults: &mut Faults) -> Option<Directive> {
    let blocks = filled(content, faults)?;
    Some(Directive::Callout { kind, blocks })
}

fn case(content: Content, faults: &mut Faults) -> Option<Directive> {
    let fictional = match content.opening.get("fictional") {
        None => false,
        Some(attribute) if attribute.value == "true" => true,
        Some(attribute) if attribute.value == "false" => false,
        Some(attribute) => {
            faults.error(
                "read/bad-value",
                attribute.span,
                format!("属性 fictional 不能是“{}”", attribute.value),
                "写 true 或 false。".into(),
            );
            return None;
        }
    };
    let consent = content.opening.get("consent").map(|attribute| attribute.value.clone());
    let consent = consent.filter(|consent| consent != "none");
    let blocks = filled(content, faults)?;
    Some(Directive::Case { fictional, consent, blocks })
}

fn statistic(mut content: Content, scope: &Scope<'_>, faults: &mut Faults) -> Option<Directive> {
    let value = content.required(
        "value",
        "写要突出的数字，例如 {value=\"62.1%\" source=victim-age}",
        faults,
    );
    let source = content.required(
        "source",
        "数字必须有来源：写 source=，指向前言 sources 里的 claim。",
        faults,
    );
    if let Some(attribute) = content.opening.get("source").filter(|source| !source.value.is_empty())
        && let Err(help) = scope.check_claim(attribute.value.trim())
    {
        let reason = format!("前言的 sources 里没有来源“{}”", attribute.value);
        faults.error("read/unknown-source", attribute.span, reason, help);
        return None;
    }
    let blocks = std::mem::take(&mut content.blocks);
    let Some(label) = inline::only_paragraph(blocks) else {
        content.refuse(faults, "有一段说明", "写一段话，说明这个数字是什么。");
        return None;
    };
    Some(Directive::Statistic { value: value?, source: source?, label: inline::trim(label) })
}

/// Reads the lines as they stand in the file: Markdown would take `*` for emphasis.
fn calculation(content: &Content, faults: &mut Faults) -> Option<Directive> {
    let file = std::sync::Arc::clone(faults.file());
    let start = content.opening.span.end;
    let inner = file.text.get(start..content.span.end).unwrap_or_default();
    let mut calculations = Vec::new();
    let mut at = start;
    for line in inner.split_inclusive('\n') {
        let text = line.trim_start_matches([' ', '\t', '>', '-']).trim();
        let from = at + line.find(text).unwrap_or_default();
        at += line.len();
        if text.is_empty() || text.bytes().all(|byte| byte == b':') {
            continue;
        }
        let span = Span::new(from, from + text.len());
        match arithmetic::verify(text) {
            Ok(equation) => calculations.push(Calculation {
                span,
                label: equation.label.to_owned(),
                expression: equation.expression.to_owned(),
                result: equation.result.to_owned(),
                unit: equation.unit.to_owned(),
                approximate: equation.approximate,
            }),
            Err(CalcError::Form(why)) => faults.error(
                "read/calc-form",
                span,
                format!("这一行算账看不懂：{why}"),
                "写成“名目：算式 = 结果 单位”，例如 到手：5000 - 800 = 4200 元".into(),
            ),
            Err(CalcError::Wrong(right)) => faults.error(
                "read/calc-wrong",
                span,
                format!("等式不成立，左边{right}"),
                "改正算式或得数；得数是四舍五入来的，就把 = 换成 ≈。".into(),
            ),
        }
    }
    if calculations.is_empty() && content.blocks.is_empty() {
        content.refuse(faults, "至少有一行算式", "例如 到手：5000 - 800 = 4200 元");
        return None;
    }
    Some(Directive::Calculation(calculations))
}

fn hotline_table(content: &Content, scope: &Scope<'_>, faults: &mut Faults) -> Option<Directive> {
    let set = content.opening.get("set");
    match scope.hotline_table(set.map(|set| set.value.as_str())) {
        Ok(hotlines) => Some(Directive::HotlineTable(hotlines)),
        Err(help) => {
            let span = set.map_or(content.opening.span, |set| set.span);
            let name = set.map_or("", |set| set.value.as_str());
            faults.error(
                "read/unknown-name",
                span,
                format!("hotlines.toml 里没有电话表“{name}”"),
                help,
            );
            None
        }
    }
}

fn image(content: &Content, scope: &Scope<'_>, faults: &mut Faults) -> Option<Directive> {
    let file = content.required("src", "写图片的文件名，例如 {src=four-steps.svg}", faults)?;
    let written = content.opening.get("alt").map_or("", |alt| alt.value.as_str());
    let alt = scope.picture(&file, written, content.opening.span, faults)?;
    Some(Directive::Image { file, alt })
}

fn qr_code(content: &Content, faults: &mut Faults) -> Option<Directive> {
    if let Some(target) = content.opening.get("target").filter(|target| target.value != "self") {
        faults.error(
            "read/bad-value",
            target.span,
            format!("属性 target 不能是“{}”", target.value),
            "二维码只能指向本课：写 target=self，或者不写。".into(),
        );
        return None;
    }
    Some(Directive::QrCode)
}

fn conditional(content: Content, negated: bool, faults: &mut Faults) -> Option<Directive> {
    let before = faults.len();
    let outputs = names(&content, "outputs", OutputKind::ALL, OutputKind::as_str, faults);
    let audiences = names(&content, "audience", Audience::ALL, Audience::as_str, faults);
    if faults.len() > before {
        return None;
    }
    if outputs.is_empty() && audiences.is_empty() {
        content.required("outputs", "写 {outputs=portal,leaflet} 或 {audience=elder}", faults);
        return None;
    }
    let blocks = filled(content, faults)?;
    Some(Directive::Conditional { condition: Condition { negated, outputs, audiences }, blocks })
}

/// The values of a comma-separated attribute.
fn names<T: Copy>(
    content: &Content,
    key: &str,
    all: &[T],
    name: fn(T) -> &'static str,
    faults: &mut Faults,
) -> Vec<T> {
    let Some(attribute) = content.opening.get(key) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for text in attribute.value.split([',', '，', '、']).map(str::trim) {
        match all.iter().find(|value| name(**value) == text) {
            Some(value) => found.push(*value),
            None => faults.error(
                "read/unknown-name",
                attribute.span,
                format!("属性 {key} 里没有“{}”", super::fields::shorten(text)),
                suggest::known(text, all.iter().map(|value| name(*value))),
            ),
        }
    }
    found
}
