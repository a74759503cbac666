//! The forms in which a build's results are written: `manifest.json` and the index.

use super::index::Entry;
use crate::model::{
    Audience, BranchId, Digest, LayoutReport, LessonId, Listing, MediaType, OutputKind,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A line of `manifest.json` (CONTRACTS: build listing).
#[derive(Serialize)]
struct ManifestLine<'a> {
    path: &'a str,
    lesson: Option<&'a str>,
    output: &'a str,
    audience: &'a str,
    profile: Option<&'a str>,
    branch: Option<&'a str>,
    media_type: &'a str,
    bytes: u64,
    sha256: String,
}

/// `manifest.json`: an array, sorted by path, one object a line.
#[must_use]
pub fn manifest(listings: &[&Listing]) -> String {
    let lines: Vec<String> = listings
        .iter()
        .map(|listing| {
            let line = ManifestLine {
                path: &listing.path,
                lesson: listing.lesson.as_ref().map(LessonId::as_str),
                output: listing.output.as_str(),
                audience: listing.audience.as_str(),
                profile: listing.profile.as_deref(),
                branch: listing.branch.as_ref().map(BranchId::as_str),
                media_type: listing.media_type.as_str(),
                bytes: listing.bytes,
                sha256: listing.sha256.to_string(),
            };
            // A struct of strings and numbers always serialises.
            serde_json::to_string(&line).unwrap_or_default()
        })
        .collect();
    format!("[\n{}\n]\n", lines.join(",\n"))
}

/// One index line: tab-separated, because it is read and written thousands of lines at a time.
pub fn line_from_entry(entry: &Entry) -> String {
    let listing = &entry.listing;
    [
        listing.path.clone(),
        entry.key.to_string(),
        entry.modified_ns.to_string(),
        listing.bytes.to_string(),
        listing.sha256.to_string(),
        listing.lesson.as_ref().map_or_else(String::new, ToString::to_string),
        listing.output.to_string(),
        listing.audience.to_string(),
        listing.profile.clone().unwrap_or_default(),
        listing.branch.as_ref().map_or_else(String::new, ToString::to_string),
        listing.media_type.to_string(),
    ]
    .join("\t")
}

/// Reads an index line; `None` for anything that is not one.
pub fn entry_from_line(line: &str) -> Option<Entry> {
    let fields: Vec<&str> = line.split('\t').collect();
    let [path, key, modified, bytes, sha256, lesson, output, audience, profile, branch, media] =
        fields[..]
    else {
        return None;
    };
    let optional = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Some(Entry {
        listing: Listing {
            path: path.to_owned(),
            lesson: LessonId::new(lesson).ok(),
            output: OutputKind::from_name(output)?,
            audience: Audience::from_name(audience)?,
            profile: optional(profile),
            branch: BranchId::new(branch).ok(),
            media_type: MediaType::from_name(media)?,
            bytes: bytes.parse().ok()?,
            sha256: Digest::from_hex(sha256)?,
        },
        key: Digest::from_hex(key)?,
        modified_ns: modified.parse().ok()?,
    })
}

/// A line of `layouts.json`: what the check reads of a layout.
#[derive(Serialize, Deserialize)]
struct LayoutLine {
    min_glyph_px: f32,
    colours: Vec<(String, String)>,
    #[serde(default)]
    large_colours: Vec<(String, String)>,
    qr_rects: Vec<(u32, u32, u32, u32)>,
    overflow: Vec<String>,
    missing_glyphs: Vec<char>,
    word_count: usize,
    reading_seconds: f32,
}

/// Layout reports by key, as one JSON object.
#[must_use]
pub fn layouts_to_json(reports: &BTreeMap<Digest, LayoutReport>) -> String {
    let lines: BTreeMap<String, LayoutLine> = reports
        .iter()
        .map(|(key, report)| {
            let line = LayoutLine {
                min_glyph_px: report.min_glyph_px,
                colours: report.colours.clone(),
                large_colours: report.large_colours.clone(),
                qr_rects: report.qr_rects.clone(),
                overflow: report.overflow.clone(),
                missing_glyphs: report.missing_glyphs.iter().map(|(glyph, _)| *glyph).collect(),
                word_count: report.word_count,
                reading_seconds: report.reading_seconds,
            };
            (key.to_string(), line)
        })
        .collect();
    // Strings and numbers always serialise.
    serde_json::to_string(&lines).unwrap_or_default()
}

/// Reads [`layouts_to_json`]; what is not one gives nothing.
#[must_use]
pub fn layouts_from_json(text: &str) -> BTreeMap<Digest, LayoutReport> {
    let lines: BTreeMap<String, LayoutLine> = serde_json::from_str(text).unwrap_or_default();
    let report = |line: LayoutLine| LayoutReport {
        boxes: Vec::new(),
        min_glyph_px: line.min_glyph_px,
        colours: line.colours,
        large_colours: line.large_colours,
        qr_rects: line.qr_rects,
        overflow: line.overflow,
        missing_glyphs: line.missing_glyphs.into_iter().map(|glyph| (glyph, None)).collect(),
        word_count: line.word_count,
        reading_seconds: line.reading_seconds,
    };
    lines
        .into_iter()
        .filter_map(|(key, line)| Some((Digest::from_hex(&key)?, report(line))))
        .collect()
}
