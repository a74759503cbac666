//! The check: what a compliance officer would say about a lesson, before anybody else sees it.
//!
//! ```text
//! Variant ─walk─► passages ─► wording │ facts │ privacy │ links │ readability │ limits ─► Finding
//! artifacts ─► rendered, layout ───────────────────────────────────────────────────────► Finding
//! ```
//!
//! 1. [`catalogue`] holds the rules as data (`rules/*.toml`); `content/rules/*.toml` changes them.
//! 2. [`walk`] takes a lesson apart into [`passage`]s: text, place, whose words, way back to the
//!    source.
//! 3. [`wording`] reads patterns; [`cues`] tells a warning from a promise.
//! 4. Every other file is a family of rules that no pattern can decide.
//! 5. [`waiver`] lets findings through that somebody answered for; [`fix`] applies the safe ones.
//!
//! Pure: it sees [`crate::model`] only, and today's date is given. Reading's own faults become
//! findings of the rule they break, so that an author sees one list.

mod beginnings;
pub mod catalogue;
mod contrast;
mod cues;
mod facts;
pub mod fix;
mod fold;
mod layout;
mod limits;
mod links;
mod markup;
mod metadata;
pub mod passage;
mod patterns;
mod pictures;
mod privacy;
mod readability;
mod reading;
mod registry;
mod rendered;
mod settings;
mod similar;
mod style;
mod typography;
mod waiver;
mod walk;
mod wording;
pub mod words;

pub use catalogue::{Catalogue, Rule};
pub use layout::LaidOutput;
pub use rendered::RenderedText;

use crate::model::{
    Bank, Diagnostic, Digest, Finding, Lesson, LessonId, Library, Severity, SourceFile, Span,
    Variant,
};
use jiff::civil::Date;
use rayon::prelude::*;
use settings::Settings;
use std::sync::Arc;

/// Why nothing could be checked.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The program was built with a broken rule file.
    #[error("内置的规则读不了：{0}")]
    BuiltIn(String),
}

/// Everything the check looks at.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The content.
    pub library: &'a Library,
    /// What reading found wrong with it.
    pub diagnostics: &'a [Diagnostic],
    /// The bank.
    pub bank: &'a Bank,
    /// The day for which it is checked.
    pub today: Date,
}

/// What rules are checked with.
struct Context<'a> {
    catalogue: &'static Catalogue,
    settings: Settings<'static>,
    library: &'a Library,
    bank: &'a Bank,
    today: Date,
}

/// A check that is ready to look at lessons.
pub struct Checker<'a> {
    subject: Subject<'a>,
    context: Context<'a>,
    pack_faults: Vec<Diagnostic>,
}

impl<'a> Checker<'a> {
    /// Takes the rules and what the bank changed about them.
    ///
    /// # Errors
    /// [`CheckError`] where the built-in rules cannot be read.
    pub fn new(subject: Subject<'a>) -> Result<Self, CheckError> {
        let catalogue = Catalogue::built_in()?;
        let (settings, pack_faults) = Settings::new(catalogue, &subject.library.rules);
        let context = Context {
            catalogue,
            settings,
            library: subject.library,
            bank: subject.bank,
            today: subject.today,
        };
        Ok(Self { subject, context, pack_faults })
    }

    /// Checks everything that needs no rendering: lessons, registries and reading's own faults.
    /// Sorted by file and place.
    #[must_use]
    pub fn sources(&self) -> Vec<Finding> {
        let lessons: Vec<&Lesson> = self.subject.library.lessons.iter().collect();
        let mut findings: Vec<Finding> =
            lessons.par_iter().flat_map_iter(|lesson| self.lesson_alone(lesson)).collect();
        findings.extend(similar::check(&self.context));
        findings.extend(registry::check(&self.context));
        let faults = self.subject.diagnostics.iter().chain(&self.pack_faults);
        findings.extend(faults.map(|fault| reading::finding(&self.context, fault)));
        self.finish(findings)
    }

    /// Checks one lesson's sources alone, for an editor's preview.
    #[must_use]
    pub fn lesson(&self, id: &LessonId) -> Vec<Finding> {
        let lesson = self.subject.library.lesson(id);
        let findings = lesson.map(|lesson| self.lesson_alone(lesson)).unwrap_or_default();
        self.finish(findings)
    }

    /// Checks finished outputs: their text, and how it was laid out.
    #[must_use]
    pub fn outputs(&self, texts: &[RenderedText], layouts: &[LaidOutput]) -> Vec<Finding> {
        let mut findings: Vec<Finding> =
            texts.par_iter().flat_map_iter(|text| rendered::check(&self.context, text)).collect();
        findings.extend(layouts.iter().flat_map(|laid| layout::check(&self.context, laid)));
        self.finish(findings)
    }

    fn lesson_alone(&self, lesson: &Lesson) -> Vec<Finding> {
        let context = &self.context;
        let mut findings = pictures::check(context, lesson);
        for variant in lesson.variants.values() {
            let mut texts = walk::texts(variant, context.bank);
            wording::cover(context, variant, &mut texts);
            findings.extend(wording::check(context, variant, &texts));
            findings.extend(pictures::shown(context, variant, &texts));
            findings.extend(metadata::check(context, variant));
            findings.extend(facts::check(context, variant, &texts));
            findings.extend(privacy::check(context, variant, &texts));
            findings.extend(links::check(context, variant, &texts));
            findings.extend(readability::check(context, variant, &texts));
            findings.extend(typography::check(context, variant, &texts));
            findings.extend(limits::check(context, variant, &texts));
            findings.extend(waiver::faults(context, &variant.file));
        }
        findings
    }

    fn finish(&self, mut findings: Vec<Finding>) -> Vec<Finding> {
        waiver::apply(&self.context, &mut findings);
        findings.sort_by(|left, right| sort_key(left).cmp(&sort_key(right)));
        findings.dedup_by(|left, right| {
            sort_key(left) == sort_key(right)
                && left.diagnostic.reason == right.diagnostic.reason
                && left.output == right.output
        });
        fold::fold(findings)
    }

    /// The name of the rules in force: the built-in pack and the bank's files.
    #[must_use]
    pub fn rule_pack(&self) -> String {
        rule_pack(self.context.catalogue.digest(), &self.subject.library.rules.versions)
    }
}

fn rule_pack(digest: Digest, versions: &[String]) -> String {
    let digest = digest.to_string();
    let built_in = format!("check-{}", &digest[..12]);
    std::iter::once(built_in).chain(versions.iter().cloned()).collect::<Vec<_>>().join(" + ")
}

type SortKey<'a> = (&'a std::path::Path, Option<Span>, &'static str);

fn sort_key(finding: &Finding) -> SortKey<'_> {
    let diagnostic = &finding.diagnostic;
    (&diagnostic.file.path, diagnostic.span, diagnostic.code)
}

impl Context<'_> {
    /// A finding of a rule; `None` where the bank turned the rule off.
    fn finding(
        &self,
        rule: &str,
        file: &Arc<SourceFile>,
        span: Option<Span>,
        reason: String,
    ) -> Option<Finding> {
        let rule = self.catalogue.rule(rule)?;
        if !self.settings.is_enabled(rule) {
            return None;
        }
        Some(Finding {
            diagnostic: Diagnostic {
                code: &rule.id,
                severity: self.settings.severity(rule),
                file: Arc::clone(file),
                span,
                reason,
                help: rule.help.clone(),
            },
            basis: rule.basis.clone(),
            output: None,
            words: None,
            related: Vec::new(),
            fix: None,
            waiver: None,
        })
    }

    /// A finding at the top of a variant's file, or at the key of its front matter.
    fn at_key(&self, rule: &str, variant: &Variant, key: &str, reason: String) -> Option<Finding> {
        self.finding(rule, &variant.file, Some(key_span(&variant.file, key)), reason)
    }
}

/// Where a key stands in a front matter: its whole line.
fn key_span(file: &SourceFile, key: &str) -> Span {
    let mut at = 0;
    for line in file.text.split_inclusive('\n') {
        if at > 0 && line.trim_end() == "---" {
            break;
        }
        if line.strip_prefix(key).is_some_and(|rest| rest.starts_with(':')) {
            return Span::new(at, at + line.trim_end().len());
        }
        at += line.len();
    }
    // A key that is not there is missed at the beginning.
    Span::new(0, file.text.find('\n').unwrap_or(0))
}

/// Whether a finding of this severity stands in the way of publishing.
#[must_use]
pub fn blocks(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.counts_as(Severity::Error))
}
