//! Reads `content/facts/*.toml`: laws, statutory figures, superseded names, jargon and domains.

use super::{
    faults::Faults,
    fields::Fields,
    node::{self, Node},
    suggest,
};
use crate::model::{
    Domain, DomainKind, Facts, Figure, Law, Located, Provenance, SupersededName, Term, TermKind,
};

/// Reads one registry, from the node of one entry, into the facts.
type ReadEntry = fn(&Node, &mut Facts, &mut Faults) -> Option<()>;

/// The files that may be there: name, the array in it, how an entry is read.
pub(super) const FILES: &[(&str, &str, ReadEntry)] = &[
    ("laws.toml", "law", law),
    ("figures.toml", "figure", figure),
    ("superseded.toml", "name", superseded),
    ("jargon.toml", "term", term),
    ("domains.toml", "domain", domain),
];

/// Reads one of [`FILES`].
pub(super) fn read(
    file: &'static str,
    key: &'static str,
    entry: ReadEntry,
    facts: &mut Facts,
    faults: &mut Faults,
) {
    let root = node::from_toml(faults);
    let Some(mut fields) = Fields::new(&root, file, faults) else { return };
    for item in fields.items(key).unwrap_or_default() {
        // What is wrong with an entry was reported; the others are read all the same.
        let _ = entry(item, facts, fields.faults);
    }
    fields.finish();
}

fn provenance(fields: &mut Fields<'_, '_>, item: &Node) -> Option<Provenance> {
    let source = fields.required_text("source", "写是从哪里查到的。");
    fields.require("verified_on", "写核对的日子，例如 verified_on = 2026-11-10");
    let verified_on = fields.date("verified_on");
    let file = std::sync::Arc::clone(fields.faults.file());
    Some(Provenance { source: source?, verified_on: verified_on?.value, file, span: item.span })
}

fn words(fields: &mut Fields<'_, '_>, key: &'static str) -> Vec<String> {
    let words = fields.texts(key).unwrap_or_default().into_iter();
    words.map(|word| word.value).filter(|word| !word.is_empty()).collect()
}

fn optional(fields: &mut Fields<'_, '_>, key: &'static str) -> Option<String> {
    fields.text(key).map(|text| text.value)
}

fn law(item: &Node, facts: &mut Facts, faults: &mut Faults) -> Option<()> {
    let mut fields = Fields::new(item, "[[law]]", faults)?;
    let name = fields.required_text("name", "写法规的全名，不带“中华人民共和国”。");
    let aliases = words(&mut fields, "aliases");
    let version = fields.required_text("version", "写是哪一版，例如 2022年9月2日通过。");
    fields.require("in_force", "写施行日期，例如 in_force = 2022-12-01");
    let in_force = fields.date("in_force");
    let articles = fields.parsed("articles", |text| {
        text.parse::<u16>().map_err(|_| "写一共有多少条，例如 50。".to_owned())
    });
    let repealed = fields.date("repealed");
    let replaced_by = optional(&mut fields, "replaced_by");
    let provenance = provenance(&mut fields, item);
    fields.finish();
    facts.laws.push(Law {
        name: name?,
        aliases,
        version: version?,
        in_force: in_force?.value,
        articles: articles.map(|count| count.value),
        repealed: repealed.map(|date| date.value),
        replaced_by,
        provenance: provenance?,
    });
    Some(())
}

fn figure(item: &Node, facts: &mut Facts, faults: &mut Faults) -> Option<()> {
    let mut fields = Fields::new(item, "[[figure]]", faults)?;
    let id = fields.required_text("id", "写代号，例如 deposit-insurance。");
    let name = fields.required_text("name", "写这个数说的是什么。");
    let subject = words(&mut fields, "subject");
    let context = words(&mut fields, "context");
    let values = values(&mut fields);
    let mut units = words(&mut fields, "units");
    units.extend(optional(&mut fields, "unit"));
    if units.is_empty() || subject.is_empty() {
        fields.require("unit", "写单位，例如 unit = \"万元\"");
        fields.require("subject", "写句子里会出现的词，例如 subject = [\"存款保险\"]");
    }
    let law = fields.required_text("law", "写依据，例如 law = \"存款保险条例/5\"");
    let provenance = provenance(&mut fields, item);
    // For people who read the file.
    let _ = fields.text("note");
    fields.finish();
    // The longer unit first: 万元 before 元.
    units.sort_by_key(|unit| std::cmp::Reverse(unit.len()));
    units.dedup();
    facts.figures.push(Figure {
        id: id?,
        name: name?,
        subject,
        context,
        values: values?,
        units,
        law: law?,
        provenance: provenance?,
    });
    Some(())
}

/// `value = 50` or `values = [2, 3]`.
fn values(fields: &mut Fields<'_, '_>) -> Option<Vec<f64>> {
    const HELP: &str = "写一个数，例如 value = 50，或几个数 values = [2, 3]";
    let mut written: Vec<Located<String>> = fields.texts("values").unwrap_or_default();
    written.extend(fields.text("value"));
    if written.is_empty() {
        fields.require("value", HELP);
        return None;
    }
    let parse = |text: &Located<String>| match text.value.parse::<f64>() {
        Ok(value) if value.is_finite() => Some(value),
        _ => {
            fields.faults.error(
                "read/bad-value",
                text.span,
                format!("“{}”不是数", text.value),
                HELP.into(),
            );
            None
        }
    };
    written.iter().map(parse).collect()
}

fn superseded(item: &Node, facts: &mut Facts, faults: &mut Faults) -> Option<()> {
    let mut fields = Fields::new(item, "[[name]]", faults)?;
    let old = fields.required_text("old", "写旧名。");
    let new = fields.required_text("new", "写现在的名字。");
    fields.require("since", "写从哪天起用新名，例如 since = 2023-05-18");
    let since = fields.date("since");
    let except = words(&mut fields, "except");
    let provenance = provenance(&mut fields, item);
    fields.finish();
    facts.superseded.push(SupersededName {
        old: old?,
        new: new?,
        since: since?.value,
        except,
        provenance: provenance?,
    });
    Some(())
}

fn term(item: &Node, facts: &mut Facts, faults: &mut Faults) -> Option<()> {
    let mut fields = Fields::new(item, "[[term]]", faults)?;
    let term = fields.required_text("term", "写这个词。");
    let aliases = words(&mut fields, "aliases");
    let plain = fields.required_text("plain", "写大白话的意思。");
    fields.require("kind", "写 jargon 或 abbreviation。");
    let kind = fields.parsed("kind", named(TermKind::from_name, TermKind::ALL));
    let provenance = provenance(&mut fields, item);
    fields.finish();
    facts.terms.push(Term {
        term: term?,
        aliases,
        plain: plain?,
        kind: kind?.value,
        provenance: provenance?,
    });
    Some(())
}

fn domain(item: &Node, facts: &mut Facts, faults: &mut Faults) -> Option<()> {
    let mut fields = Fields::new(item, "[[domain]]", faults)?;
    let name = fields.required_text("name", "写域名，例如 example.com。");
    fields.require("kind", "写 bank、official 或 shortener。");
    let kind = fields.parsed("kind", named(DomainKind::from_name, DomainKind::ALL));
    let provenance = provenance(&mut fields, item);
    fields.finish();
    let name = name?.to_lowercase();
    facts.domains.push(Domain { name, kind: kind?.value, provenance: provenance? });
    Some(())
}

fn named<T: Copy + std::fmt::Display>(
    from_name: fn(&str) -> Option<T>,
    all: &'static [T],
) -> impl Fn(&str) -> Result<T, String> {
    move |text| {
        let names: Vec<String> = all.iter().map(ToString::to_string).collect();
        from_name(text).ok_or_else(|| suggest::known(text, names.iter().map(String::as_str)))
    }
}
