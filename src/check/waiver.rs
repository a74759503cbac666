//! Waivers: `<!-- lint-allow B204 reason="法规原文用语" until=2027-03-31 -->` before a paragraph
//! or behind its text, `# lint-allow …` before a key of the front matter.

use super::Context;
use crate::model::{Finding, SourceFile, Span, Waiver};
use jiff::civil::Date;
use std::{collections::HashMap, path::PathBuf, sync::Arc};

/// A waiver as written.
struct Written {
    /// The comment.
    span: Span,
    /// The bytes it covers: the rest of its own line's paragraph, or the next paragraph or key.
    covers: Span,
    rule: String,
    reason: Option<String>,
    until: Option<Result<Date, String>>,
}

impl Written {
    fn waiver(&self, context: &Context<'_>) -> Option<Waiver> {
        context.catalogue.rule(&self.rule)?;
        let until = self.until.as_ref()?.as_ref().ok()?;
        let reason = self.reason.as_ref().filter(|reason| !reason.trim().is_empty())?;
        (*until >= context.today).then(|| Waiver { reason: reason.clone(), until: *until })
    }
}

/// Marks the findings that a valid waiver of their file covers.
pub(super) fn apply(context: &Context<'_>, findings: &mut [Finding]) {
    let mut by_file: HashMap<PathBuf, Vec<Written>> = HashMap::new();
    for finding in findings {
        let diagnostic = &finding.diagnostic;
        let Some(span) = diagnostic.span else { continue };
        // Read once per file: most have none, and a file may have thousands of findings.
        if !by_file.contains_key(&diagnostic.file.path) {
            by_file.insert(diagnostic.file.path.clone(), read(context, &diagnostic.file));
        }
        let Some(written) = by_file.get(&diagnostic.file.path) else { continue };
        let covering = written.iter().find(|waiver| {
            waiver.rule.eq_ignore_ascii_case(diagnostic.code)
                && waiver.covers.start <= span.start
                && span.start < waiver.covers.end
        });
        finding.waiver = covering.and_then(|waiver| waiver.waiver(context));
    }
}

/// Rule A110: waivers that do not count.
pub(super) fn faults(context: &Context<'_>, file: &Arc<SourceFile>) -> Vec<Finding> {
    if !file.text.contains("lint-allow") {
        return Vec::new();
    }
    let fault = |waiver: Written| {
        let reason = match (&waiver.reason, &waiver.until) {
            _ if context.catalogue.rule(&waiver.rule).is_none() => {
                format!("豁免的规则“{}”不存在", waiver.rule)
            }
            (None, _) => "豁免没有写理由".to_owned(),
            (Some(reason), _) if reason.trim().is_empty() => "豁免的理由是空的".to_owned(),
            (_, None) => "豁免没有写期限".to_owned(),
            (_, Some(Err(text))) => format!("豁免的期限“{text}”不是日期"),
            (_, Some(Ok(day))) if *day < context.today => format!("豁免 {day} 就到期了"),
            _ => return None,
        };
        context.finding("A110", file, Some(waiver.span), reason)
    };
    read(context, file).into_iter().filter_map(fault).collect()
}

fn read(context: &Context<'_>, file: &SourceFile) -> Vec<Written> {
    let text = &file.text;
    let found = context.catalogue.patterns.waiver.captures_iter(text).filter_map(|captures| {
        let whole = captures.get(0)?;
        let rest = captures.name("rest")?.as_str();
        let line_start = text[..whole.start()].rfind('\n').map_or(0, |at| at + 1);
        let opening = text[line_start..whole.start()].trim();
        if !opening.ends_with("<!--") && opening != "#" {
            return None;
        }
        let rest = rest.split("-->").next().unwrap_or(rest);
        let rule: String =
            rest.trim_start().chars().take_while(char::is_ascii_alphanumeric).collect();
        let reason = rest.split_once("reason=\"").and_then(|(_, tail)| tail.split_once('"'));
        let until = rest.split_once("until=").map(|(_, tail)| {
            let day: String = tail.chars().take_while(|c| !c.is_whitespace()).collect();
            day.parse::<Date>().map_err(|_| day)
        });
        Some(Written {
            span: Span::new(line_start, whole.end()),
            covers: Span::new(line_start, covered_until(text, whole.end(), opening)),
            rule,
            reason: reason.map(|(reason, _)| reason.to_owned()),
            until,
        })
    });
    found.collect()
}

/// A comment alone on its line covers what follows up to the next empty line; behind text, its
/// own line; in the front matter, the next line.
fn covered_until(text: &str, end: usize, opening: &str) -> usize {
    let line_end = text[end..].find('\n').map_or(text.len(), |at| end + at + 1);
    if opening == "#" {
        return text[line_end..].find('\n').map_or(text.len(), |at| line_end + at + 1);
    }
    if opening != "<!--" {
        return line_end;
    }
    let mut at = line_end;
    let mut begun = false;
    for line in text[line_end..].split_inclusive('\n') {
        let empty = line.trim().is_empty();
        if empty && begun {
            break;
        }
        begun |= !empty;
        at += line.len();
    }
    at
}
