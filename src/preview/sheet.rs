//! What is known of a view: what was made, what is being made, and of what cannot be made now the
//! last good bytes.

use super::cache::{Cache, Outcome};
use crate::{
    build::{Made, Piece, Role},
    model::{BranchId, Digest, Finding, OutputKind, Variant},
    render::poster::scale::Profile,
};
use std::sync::Arc;

/// A view at one snapshot.
#[derive(Debug, Clone, Default)]
pub struct Sheet {
    /// The snapshot's number.
    pub number: u64,
    /// Whether the lesson cannot be read now: the outputs are those of an earlier save.
    pub is_broken: bool,
    /// What the lesson said of itself when it could last be read.
    pub words: Words,
    /// The outputs, texts first.
    pub outputs: Vec<Output>,
    /// What the check finds in finished outputs.
    pub findings: Vec<Finding>,
    /// How the bytes compare with the approved ones: path, and how.
    pub compared: Vec<(String, Compared)>,
}

/// What pages say about a variant, besides its outputs.
#[derive(Debug, Clone, Default)]
pub struct Words {
    /// The article's title.
    pub title: String,
    /// What posters say to those who cannot see them.
    pub headline: String,
    /// The text in lists and where it is shared.
    pub digest_text: String,
}

impl Words {
    /// Of a variant.
    pub fn of(variant: &Variant) -> Self {
        Self {
            title: variant.title.value.trim().to_owned(),
            headline: variant.headline.value.plain(),
            digest_text: variant.digest_text.value.trim().to_owned(),
        }
    }
}

/// How a file compares with the approved one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compared {
    /// The same bytes.
    Same,
    /// Other bytes.
    Changed,
    /// It was not part of what was approved.
    New,
    /// It was approved, and is no longer made.
    Gone,
}

/// A piece of the view.
#[derive(Debug, Clone)]
pub struct Output {
    /// The key of everything it is made from.
    pub key: Digest,
    /// What it is, for people.
    pub what: String,
    /// The kind of output.
    pub kind: OutputKind,
    /// The branch it carries.
    pub branch: Option<BranchId>,
    /// Of a poster: the screen.
    pub profile: Option<Profile>,
    /// What it is for.
    pub role: Role,
    /// How far it is.
    pub state: State,
    /// The last good files, while there are no new ones.
    before: Vec<Arc<Made>>,
}

/// How far an output is.
#[derive(Debug, Clone)]
pub enum State {
    /// It is being made, or waits for its turn.
    Waiting,
    /// Its files.
    Ready(Vec<Arc<Made>>),
    /// Why there are none.
    Failed(String),
}

impl Output {
    /// The files to be shown: its own, else the last good ones.
    pub fn files(&self) -> &[Arc<Made>] {
        match &self.state {
            State::Ready(files) => files,
            _ => &self.before,
        }
    }

    /// Whether what is shown was made from an earlier save.
    pub fn is_stale(&self) -> bool {
        !matches!(self.state, State::Ready(_))
    }

    /// Why it could not be made.
    pub fn fault(&self) -> Option<&str> {
        match &self.state {
            State::Failed(reason) => Some(reason),
            _ => None,
        }
    }

    /// Sets how far it is.
    pub fn settle(&mut self, outcome: Outcome) {
        if let State::Ready(files) = &self.state {
            self.before.clone_from(files);
        }
        self.state = match outcome {
            Ok(files) => State::Ready(files),
            Err(reason) => State::Failed(reason),
        };
    }
}

impl Sheet {
    /// The sheet after a save: what was made from the same things is there at once, what is not
    /// yet shows its last good bytes.
    pub fn renewed(
        before: Option<&Self>,
        number: u64,
        pieces: &[Piece<'_>],
        cache: &Cache,
    ) -> Self {
        let output = |piece: &Piece<'_>| {
            let same = |old: &&Output| old.what == piece.what && old.role == piece.role;
            let old = before.and_then(|sheet| sheet.outputs.iter().find(same));
            let mut output = Output {
                key: piece.key,
                what: piece.what.clone(),
                kind: piece.output,
                branch: piece.branch.clone(),
                profile: piece.profile.clone(),
                role: piece.role,
                state: State::Waiting,
                before: old.map_or_else(Vec::new, |old| old.files().to_vec()),
            };
            if let Some(outcome) = cache.known(piece.key) {
                output.settle(outcome);
            }
            output
        };
        Self {
            number,
            is_broken: false,
            words: Words::default(),
            outputs: pieces.iter().map(output).collect(),
            findings: Vec::new(),
            compared: Vec::new(),
        }
    }

    /// The same outputs, for a lesson that cannot be read since the last save.
    pub fn broken(before: Option<Self>, number: u64) -> Self {
        Self { number, is_broken: true, findings: Vec::new(), ..before.unwrap_or_default() }
    }

    /// How many outputs are still to be made.
    pub fn pending(&self) -> usize {
        let waits = |output: &&Output| matches!(output.state, State::Waiting);
        if self.is_broken { 0 } else { self.outputs.iter().filter(waits).count() }
    }

    /// The outputs that could not be made.
    pub fn failed(&self) -> impl Iterator<Item = (&Output, &str)> {
        self.outputs.iter().filter_map(|output| Some((output, output.fault()?)))
    }

    /// Every output's files of one role and kind.
    pub fn files(&self, kind: OutputKind, role: Role) -> impl Iterator<Item = &Arc<Made>> {
        let wanted = move |output: &&Output| output.kind == kind && output.role == role;
        self.outputs.iter().filter(wanted).flat_map(Output::files)
    }

    /// All files that go out, sorted by path.
    pub fn all_files(&self) -> Vec<&Arc<Made>> {
        let real = self.outputs.iter().filter(|output| output.role != Role::Proof);
        let mut files: Vec<&Arc<Made>> = real.flat_map(Output::files).collect();
        files.sort_by(|one, other| one.listing.path.cmp(&other.listing.path));
        files
    }

    /// How the file of that path compares with the approved one.
    pub fn comparison(&self, path: &str) -> Option<Compared> {
        self.compared.iter().find(|(own, _)| own == path).map(|(_, compared)| *compared)
    }
}
