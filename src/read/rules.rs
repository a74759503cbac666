//! Reads `content/rules/*.toml`: what a bank changes about the check's rules. Which rules there
//! are is the check's business; it names a wrong one at the place that is kept here.

use super::{
    faults::Faults,
    fields::Fields,
    node::{self, Node},
    suggest,
};
use crate::model::{RuleChange, RulePack, Severity};

/// Reads one file into the pack; `stem` is its name without `.toml`.
pub(super) fn read(stem: &str, pack: &mut RulePack, faults: &mut Faults) {
    let root = node::from_toml(faults);
    let Some(mut fields) = Fields::new(&root, "规则文件", faults) else { return };
    let version = fields.required_text("version", "写版本，例如 version = \"2026-11\"");
    pack.versions.extend(version.map(|version| format!("{stem} {version}")));
    // For people who read the file.
    let _ = fields.text("note");
    for item in fields.items("rule").unwrap_or_default() {
        pack.changes.extend(change(item, fields.faults));
    }
    fields.finish();
}

fn change(item: &Node, faults: &mut Faults) -> Option<RuleChange> {
    let mut fields = Fields::new(item, "[[rule]]", faults)?;
    fields.require("id", "写规则的编号，例如 id = \"B204\"");
    let rule = fields.text("id");
    let enabled = fields.flag("enabled");
    let severity = fields.parsed("severity", |text| match text {
        "error" => Ok(Severity::Error),
        "warning" => Ok(Severity::Warning),
        "information" => Ok(Severity::Information),
        other => Err(suggest::known(other, ["error", "warning", "information"])),
    });
    let add = fields.texts("add").unwrap_or_default();
    let except = fields.texts("except").unwrap_or_default();
    let _ = fields.text("note");
    let file = std::sync::Arc::clone(fields.faults.file());
    fields.finish();
    Some(RuleChange {
        rule: rule?,
        enabled,
        severity: severity.map(|severity| severity.value),
        add: add.into_iter().filter(|word| !word.value.is_empty()).collect(),
        except: except.into_iter().filter(|word| !word.value.is_empty()).collect(),
        file,
        span: item.span,
    })
}
