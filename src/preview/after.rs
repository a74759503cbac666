//! The parts of a lesson's page below its outputs: what changed since the approved version, and all
//! files with their digests.

use super::{
    approved::{Approved, Past},
    page::Region,
    part::Context,
    sheet::{Compared, Output, Sheet},
};
use crate::build::Made;
use askama::Template;
use similar::{ChangeTag, TextDiff};
use std::path::{Path, PathBuf};

/// A file in a table or below a frame.
pub struct FileFacts {
    /// Where it lies below the output folder.
    pub path: String,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: &'static str,
    /// Where it is had.
    pub address: String,
    /// Its size.
    pub bytes: usize,
    /// Its digest.
    pub sha256: String,
    /// How it compares with the approved one: class and words.
    pub compared: Option<(&'static str, &'static str)>,
    /// Whether it was made from an earlier save.
    pub is_stale: bool,
}

impl FileFacts {
    /// Of a file.
    pub fn of(made: &Made, sheet: &Sheet, is_stale: bool) -> Self {
        let listing = &made.listing;
        let name = listing.path.rsplit('/').next().unwrap_or(&listing.path).to_owned();
        Self {
            address: format!("/bytes/{}/{name}", listing.sha256),
            name,
            kind: listing.output.label(),
            bytes: made.bytes.len(),
            sha256: listing.sha256.to_string(),
            compared: sheet.comparison(&listing.path).map(words),
            path: listing.path.clone(),
            is_stale,
        }
    }
}

fn words(compared: Compared) -> (&'static str, &'static str) {
    match compared {
        Compared::Same => ("same", "与批准的一致"),
        Compared::Changed => ("changed", "和批准的不同"),
        Compared::New => ("new", "没有批准过"),
        Compared::Gone => ("gone", "批准过，现在没有了"),
    }
}

#[derive(Template)]
#[template(path = "preview/html/files.html")]
struct AllFiles {
    files: Vec<FileFacts>,
    is_real: bool,
    is_numbered: bool,
}

#[derive(Template)]
#[template(path = "preview/html/changes.html")]
struct Changes<'a> {
    unknown: Option<&'a str>,
    never: bool,
    asked: bool,
    approved: Option<&'a Approved>,
    is_real: bool,
    is_compared: bool,
    texts: Vec<TextChange>,
    inputs: Vec<String>,
    same: usize,
    different: usize,
    new: usize,
    changed: Vec<(String, &'static str, &'static str)>,
}

/// A source file that changed.
struct TextChange {
    path: String,
    lines: Vec<ChangedLine>,
}

struct ChangedLine {
    /// `added`, `removed`, `kept` or `gap`.
    class: &'static str,
    sign: &'static str,
    old: String,
    new: String,
    text: String,
}

/// What changed since the approved version, and all files.
///
/// # Errors
/// The templates'.
pub fn after(context: &Context<'_>) -> askama::Result<Vec<Region>> {
    let Context { snapshot, view, sheet, past, .. } = *context;
    let approved = context.approved();
    let differing = sheet.compared.iter().filter(|(_, how)| *how != Compared::Same);
    let changes = Changes {
        unknown: past.and_then(|past| match past {
            Past::Unknown(reason) => Some(reason.as_str()),
            _ => None,
        }),
        never: matches!(past, Some(Past::Never)),
        asked: past.is_some(),
        approved,
        is_real: view.is_real(),
        is_compared: !sheet.compared.is_empty(),
        texts: approved.map_or_else(Vec::new, |approved| text_changes(context, approved)),
        inputs: approved
            .map_or_else(Vec::new, |approved| approved.changed_inputs(snapshot, &view.lesson)),
        same: sheet.compared.len() - differing.clone().count(),
        different: differing.clone().filter(|(_, how)| *how != Compared::New).count(),
        new: differing.clone().filter(|(_, how)| *how == Compared::New).count(),
        changed: differing
            .map(|(path, how)| {
                let (class, label) = words(*how);
                (path.clone(), class, label)
            })
            .collect(),
    };
    let stale = |path: &str| {
        let own = sheet
            .outputs
            .iter()
            .find(|output| output.files().iter().any(|made| made.listing.path == path));
        sheet.is_broken || own.is_some_and(Output::is_stale)
    };
    let files = AllFiles {
        files: sheet
            .all_files()
            .into_iter()
            .map(|made| FileFacts::of(made, sheet, stale(&made.listing.path)))
            .collect(),
        is_real: view.is_real(),
        is_numbered: view.numbered,
    };
    Ok(vec![Region::new("changes", "changes", &changes)?, Region::new("files", "files", &files)?])
}

fn text_changes(context: &Context<'_>, approved: &Approved) -> Vec<TextChange> {
    let now = context.snapshot.texts(&context.view.lesson);
    let text_now =
        |path: &Path| now.iter().find(|file| file.path == path).map_or("", |file| &*file.text);
    let mut paths: Vec<&Path> = approved.texts.keys().map(PathBuf::as_path).collect();
    paths.extend(now.iter().map(|file| file.path.as_path()));
    paths.sort_unstable();
    paths.dedup();
    let change = |path: &Path| {
        let old = approved.texts.get(path).map_or("", String::as_str);
        let old = old.strip_prefix('\u{FEFF}').unwrap_or(old);
        let lines = changed_lines(old, text_now(path));
        (!lines.is_empty()).then(|| TextChange { path: path.display().to_string(), lines })
    };
    paths.into_iter().filter_map(change).collect()
}

fn changed_lines(old: &str, new: &str) -> Vec<ChangedLine> {
    let diff = TextDiff::from_lines(old, new);
    let mut lines = Vec::new();
    for (index, group) in diff.grouped_ops(2).iter().enumerate() {
        if index > 0 {
            let empty = String::new;
            let gap = ChangedLine {
                class: "gap",
                sign: "",
                old: empty(),
                new: empty(),
                text: "…".into(),
            };
            lines.push(gap);
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let (class, sign) = match change.tag() {
                ChangeTag::Equal => ("kept", " "),
                ChangeTag::Delete => ("removed", "−"),
                ChangeTag::Insert => ("added", "+"),
            };
            let number =
                |index: Option<usize>| index.map_or_else(String::new, |i| (i + 1).to_string());
            lines.push(ChangedLine {
                class,
                sign,
                old: number(change.old_index()),
                new: number(change.new_index()),
                text: change.value().trim_end_matches(['\n', '\r']).to_owned(),
            });
        }
    }
    lines
}
