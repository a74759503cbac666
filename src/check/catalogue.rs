//! The rules as data: `rules/*.toml`, built into the program and versioned with it.

use super::{CheckError, beginnings::Beginnings, cues::Cues, patterns::Patterns};
use crate::model::{Digest, LessonKind, Severity};
use regex::Regex;
use serde::Deserialize;
use std::sync::OnceLock;

/// The files, one for each letter.
const FILES: &[(&str, &str)] = &[
    ("a.toml", include_str!("rules/a.toml")),
    ("b.toml", include_str!("rules/b.toml")),
    ("c.toml", include_str!("rules/c.toml")),
    ("d.toml", include_str!("rules/d.toml")),
    ("e.toml", include_str!("rules/e.toml")),
    ("f.toml", include_str!("rules/f.toml")),
    ("g.toml", include_str!("rules/g.toml")),
];

const CUES: &str = include_str!("rules/cues.toml");

/// One rule of the built-in pack.
#[derive(Debug)]
pub struct Rule {
    /// `B201`
    pub id: String,
    /// How bad a finding is, unless the bank says otherwise.
    pub severity: Severity,
    /// A few words for lists.
    pub name: String,
    /// Why it is wrong, in one line.
    pub reason: String,
    /// Law and article, platform page, or “实务”.
    pub basis: String,
    /// What to do instead.
    pub help: String,
    /// What hits, for people.
    pub hit: Vec<String>,
    /// What comes close and passes, for people.
    pub pass: Vec<String>,
    /// How it reads wording, where it does.
    pub wording: Option<Wording>,
}

/// A rule that reads wording: patterns, what they do not mean, and what excuses them.
#[derive(Debug)]
pub struct Wording {
    /// What hits.
    pub patterns: Regex,
    /// Phrases in which a hit is none.
    pub except: Option<Regex>,
    /// Must stand in the same sentence.
    pub needs: Option<Regex>,
    /// Which cues excuse a hit.
    pub excuse: Vec<Excuse>,
    /// Where it reads.
    pub places: Places,
}

/// What excuses a hit; `rules/cues.toml` says in which words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Excuse {
    /// A negation before it.
    Negated,
    /// A verb of caution before it.
    Cautioned,
    /// Somebody else says so.
    Attributed,
    /// A warning behind it.
    Warned,
    /// A doubting question.
    Asked,
}

/// Where a rule reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Places {
    /// Everywhere.
    #[default]
    All,
    /// What stands alone: title, headline, digest, ticker, portal lines.
    Extracted,
    /// Titles and headlines.
    Headline,
}

/// All rules and what they are read with.
#[derive(Debug)]
pub struct Catalogue {
    rules: Vec<Rule>,
    /// The words that excuse.
    pub cues: Cues,
    /// Shapes of numbers, dates and citations.
    pub patterns: Patterns,
    beginnings: Beginnings,
    digest: Digest,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileWire {
    rule: Vec<RuleWire>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleWire {
    id: String,
    severity: String,
    name: String,
    reason: String,
    basis: String,
    help: String,
    hit: Vec<String>,
    pass: Vec<String>,
    #[serde(default)]
    patterns: Vec<String>,
    #[serde(default)]
    except: Vec<String>,
    #[serde(default)]
    needs: Option<String>,
    #[serde(default)]
    excuse: Vec<Excuse>,
    #[serde(default)]
    places: Places,
}

impl Catalogue {
    /// The built-in rules, read once.
    ///
    /// # Errors
    /// [`CheckError::BuiltIn`] where the program was built with a broken file; a test keeps that
    /// from happening.
    pub fn built_in() -> Result<&'static Self, CheckError> {
        static BUILT_IN: OnceLock<Result<Catalogue, String>> = OnceLock::new();
        BUILT_IN.get_or_init(Self::parse).as_ref().map_err(|why| CheckError::BuiltIn(why.clone()))
    }

    fn parse() -> Result<Self, String> {
        let mut wires: Vec<RuleWire> = Vec::new();
        for (name, text) in FILES {
            let wire: FileWire = toml::from_str(text).map_err(|e| format!("{name}：{e}"))?;
            wires.extend(wire.rule);
        }
        let wording: Vec<(usize, String)> = wires
            .iter()
            .enumerate()
            .filter(|(_, rule)| !rule.patterns.is_empty())
            .map(|(index, rule)| (index, alternatives(&rule.patterns)))
            .collect();
        let compile = |wire: RuleWire| {
            let id = wire.id.clone();
            Rule::new(wire).map_err(|error| format!("{id}：{error}"))
        };
        // Compiling expressions is most of what a cold start takes. Not on rayon's threads: one that
        // waits there may take up another check, which would wait for these very rules.
        let (rules, beginnings) = std::thread::scope(|scope| {
            let beginnings = scope.spawn(|| Beginnings::new(&wording));
            let rules = wires.into_iter().map(compile).collect::<Result<Vec<Rule>, String>>();
            let failed = || Err("准备规则的线程停了".to_owned());
            (rules, beginnings.join().unwrap_or_else(|_| failed()))
        });
        let texts = FILES.iter().map(|(_, text)| text.as_bytes()).chain([CUES.as_bytes()]);
        Ok(Self {
            rules: rules?,
            cues: Cues::parse(CUES)?,
            patterns: Patterns::new().map_err(|e| e.to_string())?,
            beginnings: beginnings?,
            digest: Digest::of_fields(texts),
        })
    }

    /// All rules, by letter and number.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The rule of that id, in any case.
    #[must_use]
    pub fn rule(&self, id: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.id.eq_ignore_ascii_case(id))
    }

    /// The rules whose patterns may occur in the text.
    pub(super) fn wording_in<'a>(&'a self, text: &str) -> impl Iterator<Item = &'a Rule> + use<'a> {
        self.beginnings.rules_in(text).into_iter().map(|index| &self.rules[index])
    }

    /// The digest of every built-in rule: part of what people approve under.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }
}

impl Rule {
    fn new(wire: RuleWire) -> Result<Self, String> {
        let regex = |text: &str| compile(text).map_err(|error| error.to_string());
        let severity = match wire.severity.as_str() {
            "error" => Severity::Error,
            "warning" => Severity::Warning,
            "information" => Severity::Information,
            other => return Err(format!("没有这种级别：{other}")),
        };
        let wording = if wire.patterns.is_empty() {
            None
        } else {
            let except = (!wire.except.is_empty()).then(|| alternatives(&wire.except));
            Some(Wording {
                patterns: regex(&alternatives(&wire.patterns))?,
                except: except.as_deref().map(regex).transpose()?,
                needs: wire.needs.as_deref().map(regex).transpose()?,
                excuse: wire.excuse,
                places: wire.places,
            })
        };
        Ok(Self {
            id: wire.id,
            severity,
            name: wire.name,
            reason: wire.reason,
            basis: wire.basis,
            help: wire.help,
            hit: wire.hit,
            pass: wire.pass,
            wording,
        })
    }

    /// Whether it holds for lessons of this kind: marketing has a rule pack of its own, in which
    /// products may be named.
    #[must_use]
    pub fn applies_to(&self, kind: LessonKind) -> bool {
        kind != LessonKind::Marketing || !["B207", "B208", "B209"].contains(&self.id.as_str())
    }
}

/// One expression of several.
pub(super) fn alternatives(patterns: &[String]) -> String {
    format!("(?:{})", patterns.join("|"))
}

/// Compiles an expression of the catalogue.
pub(super) fn compile(text: &str) -> Result<Regex, regex::Error> {
    regex::RegexBuilder::new(text).size_limit(32 << 20).dfa_size_limit(32 << 20).build()
}
