//! Turns the content folder into a [`Library`].
//!
//! 1. [`files`] reads bytes, within limits and never outside the folder.
//! 2. [`node`] and [`fields`] take YAML and TOML apart, with positions.
//! 3. [`shadow`], [`markdown`] and [`directive`] turn a lesson's text into a block tree;
//!    [`convert`], [`listing`], [`quiz`] and [`tier`] say what its directives mean.
//! 4. [`registry`], [`calendar`], [`table`], [`asset`], [`facts`] and [`rules`] read everything
//!    around the lessons.
//!
//! Reading reports all faults it can find, each with file, place, reason and help in Chinese; a
//! lesson with an error is left out of the library. It never panics, whatever a file holds.
//!
//! This room knows `model` only. It reads files, but neither a clock nor the environment, and it
//! does not judge: how long a title may be and which words are forbidden is the check's business.

mod arithmetic;
mod asset;
mod calendar;
mod campaign;
mod convert;
mod directive;
mod emphasis;
mod facts;
mod faults;
mod fence;
mod fields;
mod files;
mod frame;
mod front_matter;
mod headline;
mod html;
mod inline;
mod leaf;
mod lesson;
mod listing;
mod markdown;
mod node;
mod quiz;
mod reference;
mod registry;
mod rules;
pub mod scaffold;
mod scope;
mod shadow;
mod table;
mod tier;
mod title;
mod variant;

pub use front_matter::FrontMatter;
pub use registry::Registry;
pub use title::title;
pub use variant::{Surroundings, VariantReading, read_variant};

use crate::model::{
    Branch, Campaign, Diagnostic, LessonId, Library, RulePack, SourceFile, suggest,
};
use faults::Faults;
use files::Folder;
use lesson::LessonFolder;
use std::{path::Path, sync::Arc};

/// A library and everything that is wrong with its sources.
#[derive(Debug)]
pub struct Reading {
    /// What could be read.
    pub library: Library,
    /// What is wrong, sorted by path and place.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads the content folder.
#[must_use]
pub fn read_library(content: &Path) -> Reading {
    let mut reader = LibraryReader { library: Library::default(), diagnostics: Vec::new() };
    match Folder::open(content) {
        Ok(folder) => reader.read(&folder),
        Err(diagnostic) => reader.diagnostics.push(diagnostic),
    }
    let mut diagnostics = reader.diagnostics;
    diagnostics
        .sort_by(|left, right| (&left.file.path, left.span).cmp(&(&right.file.path, right.span)));
    Reading { library: reader.library, diagnostics }
}

/// Reads the text of one file of `campaigns/`, named `stem` without `.toml`, before it is there:
/// the series, and everything that is wrong with it.
#[must_use]
pub fn read_campaign(stem: &str, text: &str) -> (Option<Campaign>, Vec<Diagnostic>) {
    let path = Path::new("campaigns").join(format!("{stem}.toml"));
    let file = Arc::new(SourceFile { path, text: text.into() });
    let mut faults = Faults::new(&file);
    let campaign = campaign::read_campaign(stem, &mut faults);
    (campaign, faults.into_list())
}

/// Reads the tables of branches and screens alone, from texts: what would be read if these were the
/// files. Line numbers are those of the texts.
#[must_use]
pub fn read_tables(branches: &str, screens: &str) -> Reading {
    let mut reader = LibraryReader { library: Library::default(), diagnostics: Vec::new() };
    let file = |name: &str, text: &str| SourceFile { path: name.into(), text: text.into() };
    let complete;
    (reader.library.branches, complete) =
        reader.registry(Ok(Arc::new(file("branches.csv", branches))), table::read_branches);
    let known = reader.library.branches.clone();
    let known = complete.then_some(known.as_slice());
    (reader.library.screens, _) = reader
        .registry(Ok(Arc::new(file("screens.csv", screens))), |faults| {
            table::read_screens(known, faults)
        });
    Reading { library: reader.library, diagnostics: reader.diagnostics }
}

/// Reads `hotlines.toml` alone, from a text.
#[must_use]
pub fn read_hotlines(text: &str) -> Reading {
    let mut reader = LibraryReader { library: Library::default(), diagnostics: Vec::new() };
    let file = SourceFile { path: "hotlines.toml".into(), text: text.into() };
    ((reader.library.hotlines, reader.library.hotline_sets), _) =
        reader.registry(Ok(Arc::new(file)), registry::read_hotlines);
    Reading { library: reader.library, diagnostics: reader.diagnostics }
}

struct LibraryReader {
    library: Library,
    diagnostics: Vec<Diagnostic>,
}

impl LibraryReader {
    fn read(&mut self, folder: &Folder) {
        let topics;
        (self.library.topics, topics) =
            self.registry(folder.text(Path::new("topics.toml")), registry::read_topics);
        let hotlines;
        ((self.library.hotlines, self.library.hotline_sets), hotlines) =
            self.registry(folder.text(Path::new("hotlines.toml")), registry::read_hotlines);
        let campaigns = self.campaigns(folder);
        let calendar = Path::new("calendar.toml");
        if folder.has(calendar) {
            (self.library.calendar, _) = self.registry(folder.text(calendar), calendar::read);
        }
        let pictures = asset::read(folder, Path::new("assets"));
        let shared_assets = pictures.diagnostics.is_empty();
        self.library.assets = pictures.set;
        self.diagnostics.extend(pictures.diagnostics);
        self.tables(folder);
        self.facts(folder);
        self.rules(folder);
        let complete = Complete { topics, hotlines, campaigns, shared_assets };
        self.lessons(folder, complete);
    }

    /// Reads one registry; answers whether it is free of faults.
    fn registry<T: Default>(
        &mut self,
        file: Result<Arc<SourceFile>, Diagnostic>,
        read: impl FnOnce(&mut Faults) -> T,
    ) -> (T, bool) {
        match file {
            Ok(file) => {
                let mut faults = Faults::new(&file);
                let value = read(&mut faults);
                let complete = faults.is_empty();
                self.diagnostics.extend(faults.into_list());
                (value, complete)
            }
            Err(diagnostic) => {
                self.diagnostics.push(diagnostic);
                (T::default(), false)
            }
        }
    }

    /// The names in a folder; answers `None` where it can't be listed.
    fn names(&mut self, folder: &Folder, path: &Path) -> Option<Vec<String>> {
        match folder.names(path) {
            Ok(names) => Some(names),
            Err(diagnostic) => {
                self.diagnostics.push(diagnostic);
                None
            }
        }
    }

    fn campaigns(&mut self, folder: &Folder) -> bool {
        let path = Path::new("campaigns");
        let Some(names) = self.names(folder, path) else {
            return false;
        };
        let mut all_complete = true;
        for name in names {
            let Some(stem) = name.strip_suffix(".toml") else {
                continue;
            };
            let (campaign, complete) = self.registry(folder.text(&path.join(&name)), |faults| {
                campaign::read_campaign(stem, faults)
            });
            self.library.campaigns.extend(campaign);
            all_complete &= complete;
        }
        all_complete
    }

    /// Reads what there is of `facts/`; what is absent is not compared.
    fn facts(&mut self, folder: &Folder) {
        for (name, key, entry) in facts::FILES {
            let path = Path::new("facts").join(name);
            if folder.has(&path) {
                let mut facts = std::mem::take(&mut self.library.facts);
                self.registry(folder.text(&path), |faults| {
                    facts::read(name, key, *entry, &mut facts, faults);
                });
                self.library.facts = facts;
            }
        }
    }

    /// Reads what the bank changes about the check's rules.
    fn rules(&mut self, folder: &Folder) {
        let path = Path::new("rules");
        if !folder.is_folder(path) {
            return;
        }
        let mut pack = RulePack::default();
        for name in self.names(folder, path).unwrap_or_default() {
            if let Some(stem) = name.strip_suffix(".toml") {
                self.registry(folder.text(&path.join(&name)), |faults| {
                    rules::read(stem, &mut pack, faults);
                });
            }
        }
        self.library.rules = pack;
    }

    /// Reads the tables; a bank without branches has none.
    fn tables(&mut self, folder: &Folder) {
        let mut complete = true;
        let branches = Path::new("branches.csv");
        if folder.has(branches) {
            (self.library.branches, complete) =
                self.registry(folder.table(branches), table::read_branches);
        }
        let screens = Path::new("screens.csv");
        if folder.has(screens) {
            let branches: Vec<Branch> = self.library.branches.clone();
            let known = complete.then_some(branches.as_slice());
            (self.library.screens, _) =
                self.registry(folder.table(screens), |faults| table::read_screens(known, faults));
        }
    }

    fn lessons(&mut self, folder: &Folder, complete: Complete) {
        let path = Path::new("lessons");
        let names = self.names(folder, path).unwrap_or_default();
        let folders: Vec<String> =
            names.into_iter().filter(|name| folder.is_folder(&path.join(name))).collect();
        let mut lessons = Vec::with_capacity(folders.len());
        for name in &folders {
            let path = path.join(name);
            let Ok(id) = LessonId::new(name) else {
                self.diagnostics.push(files::fault(
                    &path,
                    "read/folder-name",
                    format!("文件夹名“{name}”不能当课文的 id"),
                    "只用小写字母、数字和连字符，以字母开头，例如 telecom-fraud。".into(),
                ));
                continue;
            };
            let lesson = LessonFolder {
                folder,
                path,
                id,
                registry: Registry {
                    library: &self.library,
                    topics_complete: complete.topics,
                    hotlines_complete: complete.hotlines,
                    campaigns_complete: complete.campaigns,
                },
                shared_assets_complete: complete.shared_assets,
                folders: &folders,
            };
            lessons.extend(lesson.read(&mut self.diagnostics));
        }
        self.library.lessons = lessons;
    }
}

/// Which registries were read without a fault.
#[derive(Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "four independent facts, one per registry")]
struct Complete {
    topics: bool,
    hotlines: bool,
    campaigns: bool,
    shared_assets: bool,
}
