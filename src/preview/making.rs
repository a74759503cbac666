//! Making a view's outputs: texts all at once, pictures and paper one by one.

use super::{
    approved::Past,
    cache::Outcome,
    desk::{Desk, Kind, lock},
    sheet::{Output, Sheet, State, Words},
    snapshot::{Snapshot, chain},
    view::View,
};
use crate::{
    build::{Piece, Request, Role, Studio, pieces},
    model::OutputKind,
};
use std::{collections::HashMap, sync::Arc};

/// Sheets of pages that nobody looks at any more, at most.
const SHEETS: usize = 24;

impl Desk {
    /// Makes a view's texts and puts them into its sheet.
    pub(super) fn make_texts(&self, view: &View, snapshot: &Snapshot) {
        let Some(lesson) = snapshot.library.lesson(&view.lesson) else {
            let mut sheets = lock(&self.sheets);
            let before = sheets.remove(view);
            sheets.insert(view.clone(), Sheet::broken(before, snapshot.number));
            return;
        };
        self.with_pieces(view, snapshot, |pieces, studio| {
            let texts = pieces.iter().filter(|piece| piece.role == Role::Text);
            let (articles, others): (Vec<_>, Vec<_>) =
                texts.partition(|piece| piece.output == OutputKind::Article);
            let make_all = |texts: Vec<&Piece<'_>>| {
                for piece in texts {
                    // What came of it is asked for again below.
                    let _ = self.cache.get_or_make(piece.key, || make(piece, studio));
                }
            };
            // The article takes as long as all the others. Threads of our own: a pool's thread that
            // waits for what another makes could be given that very work.
            std::thread::scope(|scope| {
                scope.spawn(|| make_all(articles));
                make_all(others);
            });
            let mut sheets = lock(&self.sheets);
            let before = sheets.get(view);
            if before.is_some_and(|sheet| sheet.number > snapshot.number) {
                return;
            }
            let mut sheet = Sheet::renewed(before, snapshot.number, pieces, &self.cache);
            sheet.words = lesson.variants.get(&view.audience).map(Words::of).unwrap_or_default();
            sheets.insert(view.clone(), sheet);
            self.forget(&mut sheets);
        });
    }

    fn forget(&self, sheets: &mut HashMap<View, Sheet>) {
        if sheets.len() > SHEETS {
            let open = lock(&self.open);
            let oldest = sheets.iter().filter(|(view, _)| !open.contains_key(*view));
            let oldest = oldest.min_by_key(|(_, sheet)| sheet.number).map(|(view, _)| view.clone());
            if let Some(view) = oldest {
                sheets.remove(&view);
                lock(&self.begun).remove(&view);
            }
        }
    }

    /// Has the pieces of a view made up; nothing where the look cannot be loaded or the lesson not
    /// be read.
    pub(super) fn with_pieces<T>(
        &self,
        view: &View,
        snapshot: &Snapshot,
        then: impl FnOnce(&[Piece<'_>], &Studio) -> T,
    ) -> Option<T> {
        let studio = snapshot.studio(&view.look).ok()?;
        let library = snapshot.library(&view.look);
        let number = match self.past(&view.lesson).as_deref() {
            Some(Past::Approved(approved)) if view.numbered => Some(approved.number.clone()),
            _ => None,
        };
        let request = request(view, number);
        let branch = view.branch.as_ref();
        let pieces = pieces(snapshot.config(), &library, &request, studio, branch);
        Some(then(&pieces, studio))
    }

    /// Makes what is not text, piece by piece, until a newer snapshot is there.
    pub(super) fn make_pictures(&self, view: &View, snapshot: &Snapshot) {
        self.with_pieces(view, snapshot, |pieces, studio| {
            for piece in pieces.iter().filter(|piece| piece.role != Role::Text) {
                if !self.is_latest(snapshot) {
                    return;
                }
                let outcome = match self.cache.known(piece.key) {
                    Some(known) => known,
                    None => {
                        let _turn = lock(&self.slow);
                        if !self.is_latest(snapshot) {
                            return;
                        }
                        self.cache.get_or_make(piece.key, || make(piece, studio))
                    }
                };
                if self.settle(view, snapshot, piece, outcome) {
                    self.tell(Kind::Output, Some(view), snapshot.number);
                }
            }
        });
    }

    /// Puts what was made into the sheet; whether that was new to it.
    fn settle(
        &self,
        view: &View,
        snapshot: &Snapshot,
        piece: &Piece<'_>,
        outcome: Outcome,
    ) -> bool {
        let mut sheets = lock(&self.sheets);
        let sheet = sheets.get_mut(view).filter(|sheet| sheet.number == snapshot.number);
        let outputs = sheet.into_iter().flat_map(|sheet| &mut sheet.outputs);
        let waiting = |output: &&mut Output| {
            output.key == piece.key && matches!(output.state, State::Waiting)
        };
        match outputs.into_iter().find(waiting) {
            Some(output) => {
                output.settle(outcome);
                true
            }
            None => false,
        }
    }
}

fn request(view: &View, approval_number: Option<String>) -> Request {
    Request {
        lessons: vec![view.lesson.clone()],
        audiences: vec![view.audience],
        approval_number,
        ..Request::default()
    }
}

/// Makes a piece.
pub(super) fn make(piece: &Piece<'_>, studio: &Studio) -> Outcome {
    match piece.make(studio) {
        Ok(made) => Ok(made.into_iter().map(Arc::new).collect()),
        Err(error) => Err(chain(&error)),
    }
}
