//! Finished outputs for the check: built where they are not yet, read where they are.

use crate::{
    build::{self, Request},
    check::{Checker, LaidOutput, RenderedText},
    config::Config,
    model::{Finding, Library, MediaType},
};
use std::{fs, path::Path, sync::Arc};

/// Builds what is missing of the texts, lays out the screens, and checks both.
pub(super) fn check(
    checker: &Checker<'_>,
    config: &Config,
    library: &Library,
    out: &Path,
) -> anyhow::Result<Vec<Finding>> {
    let request = Request { out: out.to_owned(), ..Request::default() };
    let bar = super::build::progress_bar();
    let summary = build::build(config, library, &request, &|settled, total| {
        bar.set_length(total as u64);
        bar.set_position(settled as u64);
    })?;
    bar.finish_and_clear();
    for failure in &summary.failures {
        eprintln!("错误：{}：{}", failure.what, failure.error);
    }
    let mut texts = Vec::new();
    for listing in &summary.listings {
        let readable = matches!(listing.media_type, MediaType::Html | MediaType::Text);
        // Branch pages differ from the bank's own in name and number only.
        let (Some(lesson), true, None) = (&listing.lesson, readable, &listing.branch) else {
            continue;
        };
        // Made for people's eyes, and never sent.
        if listing.path.ends_with(".preview.html") {
            continue;
        }
        texts.push(RenderedText {
            path: out.join(&listing.path),
            lesson: lesson.clone(),
            audience: listing.audience,
            output: listing.output,
            media_type: listing.media_type,
            text: fs::read_to_string(out.join(&listing.path))?,
        });
    }
    let laid = build::layouts(config, library, &request)?;
    let laid: Vec<LaidOutput> = laid
        .into_iter()
        .filter_map(|poster| {
            let variant = library.lesson(&poster.lesson)?.variants.get(&poster.audience)?;
            Some(LaidOutput {
                file: Arc::clone(&variant.file),
                what: poster.what,
                audience: poster.audience,
                report: poster.report,
                mm_per_px: poster.mm_per_px,
                distance_m: poster.distance_m,
                dwell_s: poster.dwell_s,
            })
        })
        .collect();
    Ok(checker.outputs(&texts, &laid))
}
