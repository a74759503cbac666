//! Writes every output of a library into a folder: what `caishi build` does.
//!
//! 1. [`plan`] lists what is to be made, with the key of everything each file is made from.
//! 2. Files whose key and state are as the [`index`] remembers are kept.
//! 3. [`single`] outputs are rendered one by one; [`screens`] share a design per lesson and
//!    profile and a strip per branch.
//! 4. Files that are no longer made are removed, then `manifest.json`, the gallery `index.html`
//!    and the index are written.
//!
//! A lesson that cannot be rendered is named in the [`Summary`] and leaves no file behind; the
//! others are made all the same. [`piece`] takes a build apart for whoever shows one lesson.

mod gallery;
mod index;
mod layout;
mod piece;
mod plan;
mod screens;
mod single;
mod wire;

use crate::{
    config::{Config, ConfigError},
    model::{Audience, BranchId, Digest, LessonId, Library, Listing, OutputKind},
    render::{
        Fonts, Palettes, RenderError, Stage, Templates,
        fonts::{FontError, FontFiles},
        palette::PaletteError,
        poster::scale::Scale,
        templates::{BUILT_IN_PALETTES, TemplateError},
    },
};
use index::{Entry, Index};

pub use layout::{LaidPoster, layouts};
pub use piece::{Made, Piece, Role, pieces};
use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::{Mutex, OnceLock},
};

/// What to make, and where. Empty lists mean everything.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The output folder.
    pub out: PathBuf,
    /// Only these lessons.
    pub lessons: Vec<LessonId>,
    /// Only these outputs.
    pub outputs: Vec<OutputKind>,
    /// Only these branches.
    pub branches: Vec<BranchId>,
    /// Only these audiences.
    pub audiences: Vec<Audience>,
    /// The approval number that was reserved for these outputs, for their footers.
    pub approval_number: Option<String>,
}

impl Request {
    fn is_partial(&self) -> bool {
        !(self.lessons.is_empty()
            && self.outputs.is_empty()
            && self.branches.is_empty()
            && self.audiences.is_empty())
    }

    fn wants_output(&self, output: OutputKind) -> bool {
        self.outputs.is_empty() || self.outputs.contains(&output)
    }

    fn wants_branch(&self, branch: &BranchId) -> bool {
        self.branches.is_empty() || self.branches.contains(branch)
    }

    fn wants(&self, lesson: &LessonId, audience: Audience) -> bool {
        (self.lessons.is_empty() || self.lessons.contains(lesson))
            && (self.audiences.is_empty() || self.audiences.contains(&audience))
    }
}

/// What a build did.
#[derive(Debug, Default)]
pub struct Summary {
    /// Every file of the output folder, sorted by path.
    pub listings: Vec<Listing>,
    /// Those that the request asks for: no file that an earlier build left in the folder.
    pub requested: Vec<Listing>,
    /// How many of them were made now; the others were kept.
    pub made: usize,
    /// How many files of earlier builds were removed.
    pub removed: usize,
    /// What could not be made.
    pub failures: Vec<Failure>,
}

/// An output that could not be made.
#[derive(Debug)]
pub struct Failure {
    /// What: lesson, audience, output, profile.
    pub what: String,
    /// Why.
    pub error: RenderError,
}

/// Why a build could not begin or end.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The configuration names something that cannot be read.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A template does not parse.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The palettes do not parse.
    #[error(transparent)]
    Palette(#[from] PaletteError),
    /// A font file cannot be used.
    #[error(transparent)]
    Font(#[from] FontError),
    /// The type scale does not parse.
    #[error(transparent)]
    Scale(#[from] RenderError),
    /// A file cannot be written.
    #[error("写不了 {path}")]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// Watches a build: called with the number of files that are settled, of how many.
pub type Watch<'a> = &'a (dyn Fn(usize, usize) + Sync);

/// Everything rendering needs, loaded; fonts are decoded when the first output is rendered.
pub struct Studio {
    templates: Templates,
    palettes: Palettes,
    scale: Scale,
    font_files: FontFiles,
    fonts: OnceLock<Fonts>,
    key: Digest,
    inputs: BTreeMap<String, Digest>,
}

impl Studio {
    /// Loads templates, palettes and type scale, with the replacements the configuration names.
    ///
    /// # Errors
    /// [`BuildError`] names the file and its line.
    pub fn load(config: &Config) -> Result<Self, BuildError> {
        let mut overrides = config.read_templates()?;
        let palette_text =
            overrides.remove("palettes.toml").unwrap_or_else(|| BUILT_IN_PALETTES.to_owned());
        let scale_text = overrides
            .remove("poster/scale.toml")
            .unwrap_or_else(|| crate::render::poster::scale::BUILT_IN.to_owned());
        let templates = Templates::new(&overrides)?;
        let font_files = FontFiles::new(config.read_fonts()?);
        let bank = &config.bank;
        let key = Digest::of_fields([
            env!("CAISHI_RENDERER").as_bytes(),
            templates.digest().as_bytes(),
            palette_text.as_bytes(),
            scale_text.as_bytes(),
            font_files.digest().as_bytes(),
            bank.name.as_bytes(),
            bank.base_url.as_bytes(),
            bank.hotline.as_str().as_bytes(),
            bank.disclaimer.as_bytes(),
        ]);
        let template_digest = templates.digest();
        let style = [template_digest.as_bytes().as_slice(), palette_text.as_bytes()];
        let about_bank = [&bank.name, &bank.base_url, bank.hotline.as_str(), &bank.disclaimer];
        let inputs = BTreeMap::from([
            (
                "templates".to_owned(),
                Digest::of_fields(style.into_iter().chain([scale_text.as_bytes()])),
            ),
            ("fonts".to_owned(), font_files.digest()),
            ("bank".to_owned(), Digest::of_fields(about_bank.map(str::as_bytes))),
        ]);
        Ok(Self {
            inputs,
            templates,
            palettes: Palettes::parse(&palette_text)?,
            scale: Scale::parse(&scale_text)?,
            font_files,
            fonts: OnceLock::new(),
            key,
        })
    }

    /// What renderers draw with.
    ///
    /// # Errors
    /// [`FontError`] where a face cannot be decoded.
    pub fn stage(&self) -> Result<Stage<'_>, FontError> {
        let fonts = match self.fonts.get() {
            Some(fonts) => fonts,
            None => {
                let fonts = Fonts::load(&self.font_files)?;
                self.fonts.get_or_init(|| fonts)
            }
        };
        Ok(Stage { fonts, templates: &self.templates, palettes: &self.palettes })
    }

    /// Digests of everything but content that outputs are made from, by name: `templates`,
    /// `fonts`, `bank`. The program itself is not among them: approved bytes stay what they are.
    #[must_use]
    pub fn inputs(&self) -> &BTreeMap<String, Digest> {
        &self.inputs
    }

    /// The posters' type scale.
    #[must_use]
    pub fn scale(&self) -> &Scale {
        &self.scale
    }
}

/// Makes what `request` asks for.
///
/// # Errors
/// [`BuildError`] where the build cannot begin or a file cannot be written; what cannot be
/// rendered is in the summary instead.
pub fn build(
    config: &Config,
    library: &Library,
    request: &Request,
    watch: Watch<'_>,
) -> Result<Summary, BuildError> {
    let studio = Studio::load(config)?;
    index::remove_parts(&request.out);
    let plan = plan::plan(config, library, request, &studio);
    let ledger = Ledger::new(&request.out, plan.count(), watch);
    single::make(&plan.singles, &studio, &ledger)?;
    screens::make(&plan.groups, &studio, &ledger)?;
    let planned = || plan.groups.iter().flat_map(|group| &group.lessons).map(|lesson| lesson.key);
    let only = (!request.is_partial()).then(|| planned().collect());
    // A cache that cannot be written costs time, not outputs.
    let _ = ledger.layouts.save(only.as_ref());
    finish(request, ledger, library, &config.bank.name)
}

/// Collects what is made; shared by the threads of a build.
struct Ledger<'a> {
    out: &'a Path,
    before: Index,
    layouts: layout::Cache,
    state: Mutex<State>,
    total: usize,
    watch: Watch<'a>,
}

#[derive(Default)]
struct State {
    settled: usize,
    entries: BTreeMap<String, Entry>,
    made: usize,
    failures: Vec<Failure>,
    first_write_error: Option<BuildError>,
}

impl<'a> Ledger<'a> {
    fn new(out: &'a Path, total: usize, watch: Watch<'a>) -> Self {
        let layouts = layout::Cache::load(out);
        Self { out, before: Index::load(out), layouts, state: Mutex::default(), total, watch }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        // A thread that panicked while holding the lock leaves whole entries behind.
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Keeps the file where it is fresh.
    fn keep(&self, path: &str, key: Digest) -> bool {
        let Some(entry) = self.before.fresh(self.out, path, key) else { return false };
        let mut state = self.lock();
        state.entries.insert(path.to_owned(), entry.clone());
        drop(state);
        self.settle(1);
        true
    }

    /// Keeps all files of one key where every one of them is fresh.
    fn keep_all(&self, key: Digest) -> bool {
        let paths = self.before.paths(key);
        let fresh = |path: &&str| self.before.fresh(self.out, path, key).is_some();
        if paths.is_empty() || !paths.iter().all(fresh) {
            return false;
        }
        let mut state = self.lock();
        for path in paths {
            if let Some(entry) = self.before.entries.get(path) {
                state.entries.insert(path.to_owned(), entry.clone());
            }
        }
        drop(state);
        self.settle(1);
        true
    }

    /// Tells the watcher that so many more steps are done.
    fn settle(&self, steps: usize) {
        let mut state = self.lock();
        state.settled += steps;
        let settled = state.settled;
        drop(state);
        (self.watch)(settled, self.total);
    }

    /// Writes a file and lists it.
    fn write(&self, listing: Listing, key: Digest, parts: &[&[u8]]) {
        let path = self.out.join(&listing.path);
        let written = index::write_file(&path, parts);
        let mut state = self.lock();
        match written {
            Ok(modified_ns) => {
                state.made += 1;
                let entry = Entry { listing, key, modified_ns };
                state.entries.insert(entry.listing.path.clone(), entry);
            }
            Err(source) => {
                state.first_write_error.get_or_insert(BuildError::Write { path, source });
            }
        }
    }

    fn fail(&self, what: String, error: RenderError) {
        self.lock().failures.push(Failure { what, error });
        self.settle(1);
    }

    /// Whether a file could not be written: there is no use in rendering more.
    fn is_stuck(&self) -> bool {
        self.lock().first_write_error.is_some()
    }
}

fn finish(
    request: &Request,
    ledger: Ledger<'_>,
    library: &Library,
    bank: &str,
) -> Result<Summary, BuildError> {
    let out = ledger.out;
    let before = ledger.before;
    let mut state = ledger.state.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(error) = state.first_write_error {
        return Err(error);
    }
    let requested = state.entries.values().map(|entry| entry.listing.clone()).collect();
    let mut removed = 0;
    for (path, entry) in before.entries {
        if state.entries.contains_key(&path) {
            continue;
        }
        if request.is_partial() && out.join(&path).is_file() {
            state.entries.insert(path, entry);
        } else if std::fs::remove_file(out.join(&path)).is_ok() {
            removed += 1;
        }
    }
    state.failures.sort_by(|one, other| one.what.cmp(&other.what));
    let index = Index::new(state.entries);
    let listings: Vec<&Listing> = index.entries.values().map(|entry| &entry.listing).collect();
    let write = |name: &str, text: &str| {
        let path = out.join(name);
        index::write_file(&path, &[text.as_bytes()])
            .map_err(|source| BuildError::Write { path, source })
    };
    write("manifest.json", &wire::manifest(&listings))?;
    write("index.html", &gallery::page(out, bank, &listings, library))?;
    index.save(out).map_err(|source| BuildError::Write { path: out.to_owned(), source })?;
    Ok(Summary {
        listings: listings.into_iter().cloned().collect(),
        requested,
        made: state.made,
        removed,
        failures: state.failures,
    })
}

/// Writes a file whole or not at all.
///
/// # Errors
/// The file system's.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    index::write_file(path, &[bytes]).map(|_| ())
}
