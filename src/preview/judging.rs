//! Judging finished outputs: by the check's rules, and by what was approved.

use super::{
    approved::{Approved, Past},
    desk::{Desk, lock},
    making::make,
    sheet::{Compared, Sheet},
    snapshot::Snapshot,
    view::View,
};
use crate::{
    build::{Made, Role},
    check::{LaidOutput, RenderedText},
    model::{Digest, MediaType},
};
use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

impl Desk {
    /// Checks finished outputs: their words, and how they were laid out.
    pub(super) fn check_outputs(&self, view: &View, snapshot: &Snapshot) {
        let lesson = snapshot.library.lesson(&view.lesson);
        let Some(variant) = lesson.and_then(|lesson| lesson.variants.get(&view.audience)) else {
            return;
        };
        let mut texts = Vec::new();
        let mut laid = Vec::new();
        self.with_sheet(view, |sheet| {
            for output in sheet.into_iter().flat_map(|sheet| &sheet.outputs) {
                for made in output.files().iter().filter(|_| !output.is_stale()) {
                    texts.extend(rendered(made, view));
                    let Some(report) = made.layout.clone().filter(|_| output.profile.is_some())
                    else {
                        continue;
                    };
                    let profile = output.profile.as_ref();
                    laid.push(LaidOutput {
                        file: Arc::clone(&variant.file),
                        what: output.what.clone(),
                        audience: view.audience,
                        report,
                        mm_per_px: profile.map(|one| one.mm_width / one.width as f32),
                        distance_m: profile.map(|one| one.distance_m),
                        dwell_s: profile.map(|one| one.dwell_s),
                    });
                }
            }
        });
        let Ok(checker) = snapshot.checker() else { return };
        let findings = checker.outputs(&texts, &laid);
        self.change(view, snapshot, |sheet| sheet.findings = findings);
    }

    fn change(&self, view: &View, snapshot: &Snapshot, change: impl FnOnce(&mut Sheet)) {
        let mut sheets = lock(&self.sheets);
        if let Some(sheet) = sheets.get_mut(view).filter(|sheet| sheet.number == snapshot.number) {
            change(sheet);
        }
    }

    /// Compares every file with the approved one: made under the approval number, as it was then.
    pub(super) fn compare(&self, view: &View, snapshot: &Snapshot) {
        let Some(past) = self.past(&view.lesson) else { return };
        let Past::Approved(approved) = &*past else { return };
        if !view.is_real() || snapshot.library.lesson(&view.lesson).is_none() {
            return;
        }
        let numbered = View { numbered: true, ..view.clone() };
        let compared = self.with_pieces(&numbered, snapshot, |pieces, studio| {
            let mut now = BTreeMap::new();
            for piece in pieces.iter().filter(|piece| piece.role != Role::Proof) {
                if !self.is_latest(snapshot) {
                    return Vec::new();
                }
                let _turn = lock(&self.slow);
                let outcome = self.cache.get_or_make(piece.key, || make(piece, studio));
                for made in outcome.iter().flatten() {
                    now.insert(made.listing.path.clone(), made.listing.sha256);
                }
            }
            compared(approved, &now, view)
        });
        self.change(view, snapshot, |sheet| sheet.compared = compared.unwrap_or_default());
    }
}

fn compared(
    approved: &Approved,
    now: &BTreeMap<String, Digest>,
    view: &View,
) -> Vec<(String, Compared)> {
    let mut compared: Vec<(String, Compared)> = now
        .iter()
        .filter(|(path, _)| !is_for_eyes(path))
        .map(|(path, digest)| {
            let how = match approved.files.get(path) {
                Some(then) if then.sha256 == *digest => Compared::Same,
                Some(_) => Compared::Changed,
                None => Compared::New,
            };
            (path.clone(), how)
        })
        .collect();
    // Other branches' files are not made here, so nothing is said about them.
    let gone = approved.files.values().filter(|file| {
        let is_here = file.branch.is_none() || file.branch == view.branch;
        file.audience == view.audience && is_here && !now.contains_key(&file.path)
    });
    compared.extend(gone.map(|file| (file.path.clone(), Compared::Gone)));
    compared
}

/// Whether a file is made for people to look at, and never sent.
fn is_for_eyes(path: &str) -> bool {
    path.ends_with(".preview.html")
}

/// A finished text for the check. Branch pages differ from the bank's own in name and number only,
/// and the page for people's eyes is never sent.
fn rendered(made: &Made, view: &View) -> Option<RenderedText> {
    let listing = &made.listing;
    let is_text = matches!(listing.media_type, MediaType::Html | MediaType::Text);
    if !is_text || listing.branch.is_some() || is_for_eyes(&listing.path) {
        return None;
    }
    Some(RenderedText {
        path: PathBuf::from(&listing.path),
        lesson: view.lesson.clone(),
        audience: listing.audience,
        output: listing.output,
        media_type: listing.media_type,
        text: String::from_utf8(made.bytes.clone()).ok()?,
    })
}
