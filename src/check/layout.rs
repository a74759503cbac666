//! Rules F604, F605, F606 and E504: how an output was laid out.

use super::{
    Context,
    contrast::{contrast, least_contrast},
};
use crate::model::{Audience, Finding, LayoutReport, Limits, SourceFile};
use std::sync::Arc;

/// A poster as it was laid out, and the screen it hangs on.
#[derive(Debug, Clone)]
pub struct LaidOutput {
    /// The lesson's text it was made from; findings are reported there.
    pub file: Arc<SourceFile>,
    /// What it is, for people: `屏幕海报 lobby-portrait`.
    pub what: String,
    /// For whom.
    pub audience: Audience,
    /// What was measured.
    pub report: LayoutReport,
    /// Millimetres of one pixel, where the size of the screen is known.
    pub mm_per_px: Option<f32>,
    /// From how far it is read, in metres.
    pub distance_m: Option<f32>,
    /// For how long it is shown, in seconds.
    pub dwell_s: Option<f32>,
}

/// Elder readers' letters are this much higher.
const ELDER: f32 = 1.5;

pub(super) fn check(context: &Context<'_>, laid: &LaidOutput) -> Vec<Finding> {
    let report = &laid.report;
    let mut faults: Vec<(&str, &str, String)> = Vec::new();
    for fault in &report.overflow {
        faults.push(("F604", "headline", fault.clone()));
    }
    for (missing, _) in &report.missing_glyphs {
        faults.push(("F604", "headline", format!("字体里没有“{missing}”这个字")));
    }
    if let Some(dwell) = laid.dwell_s
        && report.reading_seconds > dwell
    {
        faults.push((
            "F605",
            "headline",
            format!(
                "{} 字要读 {:.0} 秒，只停 {dwell:.0} 秒",
                report.word_count, report.reading_seconds
            ),
        ));
    }
    if let (Some(mm), Some(distance)) = (laid.mm_per_px, laid.distance_m) {
        let parts = Limits::default().distance_parts.value as f32;
        let elder = if laid.audience == Audience::Elder { ELDER } else { 1.0 };
        let least = distance * 1000.0 / parts * elder;
        let height = report.min_glyph_px * mm;
        // Half a pixel is rounding.
        if report.min_glyph_px > 0.0 && height + mm / 2.0 < least {
            faults.push((
                "F606",
                "headline",
                format!("最小的字 {height:.1} 毫米，{distance} 米外至少要 {least:.1} 毫米"),
            ));
        }
    }
    let pairs = report.colours.iter().map(|pair| (pair, false));
    for ((ink, paper), large) in pairs.chain(report.large_colours.iter().map(|pair| (pair, true))) {
        let least = least_contrast(laid.audience, large);
        if let Some(ratio) = contrast(ink, paper)
            && ratio < least
        {
            let reason = format!("{ink} 在 {paper} 上的对比度是 {ratio:.1}，至少 {least}");
            faults.push(("E504", "headline", reason));
        }
    }
    let found = faults.into_iter().filter_map(|(rule, key, reason)| {
        let span = Some(super::key_span(&laid.file, key));
        let mut finding =
            context.finding(rule, &laid.file, span, format!("{}：{reason}", laid.what))?;
        finding.output = Some(laid.what.clone());
        Some(finding)
    });
    found.collect()
}
