//! What the bank changed: rules off or on, other severities, words more or less.

use super::catalogue::{Catalogue, Rule};
use crate::model::{Diagnostic, RulePack, Severity, suggest};
use std::{collections::BTreeMap, ops::Range, sync::Arc};

/// The bank's changes, by rule.
#[derive(Debug, Default)]
pub(super) struct Settings<'a> {
    by_rule: BTreeMap<&'a str, Setting>,
    catalogue: Option<&'a Catalogue>,
}

#[derive(Debug, Default)]
struct Setting {
    enabled: Option<bool>,
    severity: Option<Severity>,
    add: Vec<String>,
    except: Vec<String>,
}

impl<'a> Settings<'a> {
    /// Takes the pack's changes; what names no rule, or gives words to a rule that reads none, is
    /// a fault of the pack.
    pub(super) fn new(catalogue: &'a Catalogue, pack: &RulePack) -> (Self, Vec<Diagnostic>) {
        let mut settings = Self { by_rule: BTreeMap::new(), catalogue: Some(catalogue) };
        let mut faults = Vec::new();
        for change in &pack.changes {
            let mut fault = |span, reason: String, help: String| {
                faults.push(Diagnostic {
                    code: "check/rule-pack",
                    severity: Severity::Error,
                    file: Arc::clone(&change.file),
                    span: Some(span),
                    reason,
                    help,
                });
            };
            let Some(rule) = catalogue.rule(&change.rule.value) else {
                let known = catalogue.rules().iter().map(|rule| rule.id.as_str());
                fault(
                    change.rule.span,
                    format!("没有规则“{}”", change.rule.value),
                    suggest::known(&change.rule.value, known),
                );
                continue;
            };
            if rule.wording.is_none()
                && let Some(word) = change.add.iter().chain(&change.except).next()
            {
                fault(
                    word.span,
                    format!("规则 {} 不看用词，不能加词", rule.id),
                    "把词加到看用词的规则里，例如 B201；caishi explain 列出全部规则。".into(),
                );
            }
            let setting = settings.by_rule.entry(&rule.id).or_default();
            setting.enabled = change.enabled.or(setting.enabled);
            setting.severity = change.severity.or(setting.severity);
            setting.add.extend(change.add.iter().map(|word| word.value.clone()));
            setting.except.extend(change.except.iter().map(|word| word.value.clone()));
        }
        (settings, faults)
    }

    pub(super) fn is_enabled(&self, rule: &Rule) -> bool {
        self.by_rule.get(rule.id.as_str()).and_then(|setting| setting.enabled).unwrap_or(true)
    }

    pub(super) fn severity(&self, rule: &Rule) -> Severity {
        let own = self.by_rule.get(rule.id.as_str()).and_then(|setting| setting.severity);
        own.unwrap_or(rule.severity)
    }

    /// Rules for which the bank added a word that the text has.
    pub(super) fn added(&self, text: &str) -> Vec<&'a Rule> {
        let hit = self
            .by_rule
            .iter()
            .filter(|(_, setting)| setting.add.iter().any(|word| text.contains(word.as_str())));
        hit.filter_map(|(id, _)| self.catalogue?.rule(id)).collect()
    }

    /// Where the bank's own words for a rule stand.
    pub(super) fn added_hits(&self, rule: &Rule, text: &str) -> Vec<Range<usize>> {
        self.ranges(rule, text, |setting| &setting.add)
    }

    /// Where the bank's exceptions for a rule stand.
    pub(super) fn excepted(&self, rule: &Rule, text: &str) -> Vec<Range<usize>> {
        self.ranges(rule, text, |setting| &setting.except)
    }

    fn ranges(
        &self,
        rule: &Rule,
        text: &str,
        words: impl Fn(&Setting) -> &Vec<String>,
    ) -> Vec<Range<usize>> {
        let words = self.by_rule.get(rule.id.as_str()).map(words).into_iter().flatten();
        let found = words.flat_map(|word| {
            text.match_indices(word.as_str()).map(|(at, word)| at..at + word.len())
        });
        found.collect()
    }
}
