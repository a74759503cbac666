//! Rules A109 and C307: registries that nobody looked at for long; shared pictures.

use super::{Context, pictures};
use crate::model::Finding;
use jiff::{ToSpan as _, civil::Date};

/// Days for which a telephone number counts as verified.
const HOTLINE_DAYS: i32 = 180;
/// Days for which a fact does.
const FACT_DAYS: i32 = 365;

pub(super) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let older = |day: Date, days: i32| day.saturating_add(days.days()) < context.today;
    for hotline in &context.library.hotlines {
        if older(hotline.verified_on, HOTLINE_DAYS) {
            let reason = format!(
                "“{}”上次核对是 {}，超过 {HOTLINE_DAYS} 天",
                hotline.name, hotline.verified_on
            );
            findings.extend(context.finding("A109", &hotline.file, Some(hotline.span), reason));
        }
    }
    for (name, entry) in context.library.facts.provenances() {
        if older(entry.verified_on, FACT_DAYS) {
            let reason = format!("“{name}”上次核对是 {}，超过 {FACT_DAYS} 天", entry.verified_on);
            findings.extend(context.finding("C307", &entry.file, Some(entry.span), reason));
        }
    }
    let shared = context.library.assets.by_file.values();
    findings.extend(shared.flat_map(|asset| pictures::asset_findings(context, asset, None)));
    findings
}
