//! Which rules can hit in a text at all: one pass over it for the characters their patterns begin
//! with, instead of one pass for each rule.

use aho_corasick::AhoCorasick;
use regex_syntax::hir::literal::Extractor;
use std::collections::BTreeSet;

/// More beginnings than this say little about a text.
const MOST: usize = 2_000;

/// The beginnings of every rule's patterns.
#[derive(Debug)]
pub(super) struct Beginnings {
    search: AhoCorasick,
    /// For each beginning, its rule.
    rules: Vec<usize>,
    /// Rules that may begin with anything.
    always: Vec<usize>,
}

impl Beginnings {
    /// Takes rules and their expressions.
    pub(super) fn new(patterns: &[(usize, String)]) -> Result<Self, String> {
        let (mut beginnings, mut rules, mut always) = (Vec::new(), Vec::new(), Vec::new());
        for (rule, expression) in patterns {
            let hir = regex_syntax::parse(expression).map_err(|error| error.to_string())?;
            let found = Extractor::new().limit_total(MOST).extract(&hir);
            match found.literals() {
                // A single byte would be half a Chinese character.
                Some(literals) if literals.iter().all(|one| one.as_bytes().len() > 1) => {
                    for literal in literals {
                        beginnings.push(literal.as_bytes().to_vec());
                        rules.push(*rule);
                    }
                }
                _ => always.push(*rule),
            }
        }
        let search = AhoCorasick::new(&beginnings).map_err(|error| error.to_string())?;
        Ok(Self { search, rules, always })
    }

    /// Rules that may hit in the text, in the order of the catalogue.
    pub(super) fn rules_in(&self, text: &str) -> BTreeSet<usize> {
        let mut found: BTreeSet<usize> = self.always.iter().copied().collect();
        let hits = self.search.find_overlapping_iter(text);
        found.extend(hits.map(|hit| self.rules[hit.pattern().as_usize()]));
        found
    }
}
