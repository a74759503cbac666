//! SARIF 2.1.0 (OASIS standard, 2020-03): what code hosts and editors read.

use super::{level, message, region, shown};
use crate::{check::Catalogue, model::Finding};
use serde_json::{Value, json};
use std::path::Path;

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

pub(super) fn render(findings: &[Finding], base: &Path) -> String {
    let catalogue = Catalogue::built_in().ok();
    let rules: Vec<Value> = catalogue
        .iter()
        .flat_map(|catalogue| catalogue.rules())
        .map(|rule| {
            json!({
                "id": rule.id,
                "name": rule.name,
                "shortDescription": {"text": rule.name},
                "fullDescription": {"text": format!("{}。依据：{}", rule.reason, rule.basis)},
                "help": {"text": rule.help},
                "defaultConfiguration": {"level": level(rule.severity)},
            })
        })
        .collect();
    let results: Vec<Value> = findings.iter().map(|finding| result(finding, base)).collect();
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "caishi",
                "version": env!("CARGO_PKG_VERSION"),
                "informationUri": "https://docs.rs/caishi",
                "language": "zh-CN",
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    serde_json::to_string_pretty(&log).unwrap_or_default() + "\n"
}

fn result(finding: &Finding, base: &Path) -> Value {
    let diagnostic = &finding.diagnostic;
    let mut result = json!({
        "ruleId": diagnostic.code,
        "level": level(diagnostic.severity),
        "message": {"text": message(finding)},
        "locations": [location(&shown(&diagnostic.file.path, base), region(finding), None)],
    });
    let related: Vec<Value> = finding
        .related
        .iter()
        .map(|related| {
            let at = related
                .span
                .filter(|_| !related.file.text.is_empty())
                .map(|span| (related.file.position(span.start), related.file.position(span.end)));
            location(&shown(&related.file.path, base), at, Some(&related.note))
        })
        .collect();
    if !related.is_empty() {
        result["relatedLocations"] = related.into();
    }
    if let Some(fix) = &finding.fix {
        let replacements: Vec<Value> = fix
            .edits
            .iter()
            .map(|(span, to)| {
                let file = &diagnostic.file;
                json!({
                    "deletedRegion": region_json((file.position(span.start), file.position(span.end))),
                    "insertedContent": {"text": to},
                })
            })
            .collect();
        result["fixes"] = json!([{
            "description": {"text": fix.what},
            "artifactChanges": [{
                "artifactLocation": {"uri": uri(&shown(&diagnostic.file.path, base))},
                "replacements": replacements,
            }],
        }]);
    }
    if let Some(waiver) = &finding.waiver {
        result["suppressions"] = json!([{
            "kind": "inSource",
            "justification": format!("{}（到 {}）", waiver.reason, waiver.until),
        }]);
    }
    result
}

type Region = ((usize, usize), (usize, usize));

fn location(path: &str, region: Option<Region>, note: Option<&str>) -> Value {
    let mut physical = json!({"artifactLocation": {"uri": uri(path)}});
    if let Some(region) = region {
        physical["region"] = region_json(region);
    }
    let mut location = json!({"physicalLocation": physical});
    if let Some(note) = note {
        location["message"] = json!({"text": note});
    }
    location
}

fn region_json(((line, column), (end_line, end_column)): Region) -> Value {
    json!({
        "startLine": line,
        "startColumn": column,
        "endLine": end_line,
        "endColumn": end_column,
    })
}

/// A relative path as a URI reference: what is not ASCII or has a meaning is percent-encoded.
fn uri(path: &str) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    let encode =
        |byte: u8| if keep(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    path.bytes().map(encode).collect()
}
