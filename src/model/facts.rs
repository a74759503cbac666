//! Facts with dates: what lessons may rely on, where it was read and when it was last looked at.
//! The check compares lessons with them; people keep them in `content/facts/`.

use super::{SourceFile, Span, output::named_enum};
use jiff::civil::Date;
use std::sync::Arc;

/// Everything of `content/facts/`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Facts {
    /// `laws.toml`
    pub laws: Vec<Law>,
    /// `figures.toml`
    pub figures: Vec<Figure>,
    /// `superseded.toml`
    pub superseded: Vec<SupersededName>,
    /// `jargon.toml`
    pub terms: Vec<Term>,
    /// `domains.toml`
    pub domains: Vec<Domain>,
}

impl Facts {
    /// The law of that name or alias.
    #[must_use]
    pub fn law(&self, name: &str) -> Option<&Law> {
        let name = name.strip_prefix("中华人民共和国").unwrap_or(name);
        self.laws.iter().find(|law| law.name == name || law.aliases.iter().any(|a| a == name))
    }

    /// What each entry is and where it comes from.
    pub fn provenances(&self) -> impl Iterator<Item = (&str, &Provenance)> {
        let laws = self.laws.iter().map(|law| (law.name.as_str(), &law.provenance));
        let figures = self.figures.iter().map(|f| (f.name.as_str(), &f.provenance));
        let names = self.superseded.iter().map(|n| (n.old.as_str(), &n.provenance));
        let terms = self.terms.iter().map(|term| (term.term.as_str(), &term.provenance));
        let domains = self.domains.iter().map(|d| (d.name.as_str(), &d.provenance));
        laws.chain(figures).chain(names).chain(terms).chain(domains)
    }
}

/// Where a fact was read, when it was last looked at, and where its entry stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Provenance {
    /// Where it was read.
    pub source: String,
    /// The day somebody compared it with the source.
    pub verified_on: Date,
    /// The registry file.
    pub file: Arc<SourceFile>,
    /// The entry.
    pub span: Span,
}

/// A law or regulation that lessons may cite.
#[derive(Debug, Clone, PartialEq)]
pub struct Law {
    /// The official name without “中华人民共和国”.
    pub name: String,
    /// Short names in use.
    pub aliases: Vec<String>,
    /// Which text: when it was passed or amended.
    pub version: String,
    /// The first day it counts.
    pub in_force: Date,
    /// How many articles it has, where known.
    pub articles: Option<u16>,
    /// The first day it no longer counts.
    pub repealed: Option<Date>,
    /// What stands in its place.
    pub replaced_by: Option<String>,
    /// Where from.
    pub provenance: Provenance,
}

/// A number that a law sets.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// The key in the registry.
    pub id: String,
    /// What is counted.
    pub name: String,
    /// One of these words stands in a sentence about it.
    pub subject: Vec<String>,
    /// And one of these; empty where the subject is enough.
    pub context: Vec<String>,
    /// The values that are right, in `units`.
    pub values: Vec<f64>,
    /// The units in which it is written: `万元`, `年`.
    pub units: Vec<String>,
    /// `存款保险条例/5`
    pub law: String,
    /// Where from.
    pub provenance: Provenance,
}

/// A name that is no longer right.
#[derive(Debug, Clone, PartialEq)]
pub struct SupersededName {
    /// The name as it was.
    pub old: String,
    /// The name now.
    pub new: String,
    /// The first day of the new name.
    pub since: Date,
    /// Longer phrases in which the old name is right, such as a document's number.
    pub except: Vec<String>,
    /// Where from.
    pub provenance: Provenance,
}

named_enum!(
    /// What kind of word needs an explanation.
    TermKind {
        /// A trade word.
        Jargon = "jargon" / "行话",
        /// Latin letters.
        Abbreviation = "abbreviation" / "缩写",
    }
);

/// A word that customers need explained.
#[derive(Debug, Clone, PartialEq)]
pub struct Term {
    /// The word.
    pub term: String,
    /// Other forms of it.
    pub aliases: Vec<String>,
    /// What it means, in plain words.
    pub plain: String,
    /// Which kind.
    pub kind: TermKind,
    /// Where from.
    pub provenance: Provenance,
}

named_enum!(
    /// Whose internet domain it is.
    DomainKind {
        /// The bank's own.
        Bank = "bank" / "本行",
        /// A public authority's.
        Official = "official" / "官方",
        /// Hides where a link leads.
        Shortener = "shortener" / "短链接",
    }
);

/// An internet domain; its subdomains are meant too.
#[derive(Debug, Clone, PartialEq)]
pub struct Domain {
    /// `example.com`
    pub name: String,
    /// Whose.
    pub kind: DomainKind,
    /// Where from.
    pub provenance: Provenance,
}
