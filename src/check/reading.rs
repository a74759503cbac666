//! Reading's own faults, as findings of the rule they break.

use super::Context;
use crate::model::{Diagnostic, Finding};

/// What reading found, with the rule where there is one.
pub(super) fn finding(context: &Context<'_>, fault: &Diagnostic) -> Finding {
    let name = fault.file.path.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = name.unwrap_or_default();
    let is_lesson = name.starts_with("lesson.");
    let rule = match fault.code {
        "read/missing-key" | "read/empty-value" | "read/no-front-matter" if is_lesson => "A101",
        "read/dates-reversed" if is_lesson => "A102",
        "read/unknown-name" if is_lesson && fault.reason.contains("campaigns") => "A106",
        "read/calc-wrong" => "C305",
        "read/heading-level" => "E505",
        "read/missing-key" | "read/bad-value"
            if name == "assets.toml" && fault.reason.contains("alt") =>
        {
            "E503"
        }
        "read/missing-key" | "read/empty-value" if name == "assets.toml" => "G703",
        "read/picture-without-entry" => "G703",
        "read/remote-image" => "D404",
        "read/raw-html" => raw_html(fault),
        _ => "",
    };
    let of_rule = context.catalogue.rule(rule);
    Finding {
        diagnostic: Diagnostic {
            code: of_rule.map_or(fault.code, |rule| rule.id.as_str()),
            ..fault.clone()
        },
        basis: of_rule.map_or_else(|| "写法".to_owned(), |rule| rule.basis.clone()),
        output: None,
        words: None,
        related: Vec::new(),
        fix: None,
        waiver: None,
    }
}

/// Raw HTML is no part of a lesson; which rule it breaks depends on what it would do.
fn raw_html(fault: &Diagnostic) -> &'static str {
    let start = fault.span.map_or(0, |span| span.start);
    let rest = fault.file.text.get(start..).unwrap_or("");
    let tag: String = rest.chars().take(400).collect::<String>().to_lowercase();
    let end = tag.find("\n\n").unwrap_or(tag.len());
    let tag = &tag[..end];
    let has = |names: &[&str]| names.iter().any(|name| tag.contains(name));
    if has(&["<input", "<textarea", "<select", "<form", "<button"]) {
        "D403"
    } else if has(&[
        "<script", "<iframe", "<link", "<img", "<style", "src=", "<object", "<embed", "url(",
    ]) {
        "D404"
    } else {
        ""
    }
}
