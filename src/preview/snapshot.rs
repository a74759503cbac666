//! Everything as it was at one save: configuration, templates, content, faults. A snapshot never
//! changes; the next save makes another one.

use super::{
    PreviewError,
    view::{Look, View},
};
use crate::{
    build::{BuildError, Studio},
    check::{Checker, Subject},
    config::Config,
    model::{Audience, Diagnostic, Finding, LessonId, Library, SourceFile},
    read,
};
use jiff::civil::Date;
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    error::Error,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

/// What was saved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Change {
    /// Configuration, templates or faces, besides content.
    pub style: bool,
}

/// Configuration and what is drawn with; kept while only content changes.
struct Style {
    config: Config,
    studio: Studio,
    built_in: OnceLock<Result<Studio, BuildError>>,
}

/// Everything as it was at one save.
pub struct Snapshot {
    /// Counts saves.
    pub number: u64,
    style: Arc<Style>,
    /// The content.
    pub library: Library,
    /// What reading found.
    pub diagnostics: Vec<Diagnostic>,
    /// Why configuration or templates are still the ones before.
    pub style_fault: Option<String>,
    texts: BTreeMap<PathBuf, Arc<SourceFile>>,
    lessons: BTreeSet<LessonId>,
    findings: OnceLock<Vec<Finding>>,
    today: Date,
}

impl Snapshot {
    /// The first one.
    ///
    /// # Errors
    /// Where configuration, templates or faces cannot be used.
    pub fn first(config: &Path, today: fn() -> Date) -> Result<Self, PreviewError> {
        let style = Arc::new(Style::load(config)?);
        Ok(Self::read(0, style, None, today()))
    }

    /// The one after a save. Where configuration or templates have become unusable, those of
    /// `before` stay in use, and it is said why.
    #[must_use]
    pub fn next(number: u64, before: &Self, change: Change, config: &Path, today: Date) -> Self {
        if !change.style {
            let fault = before.style_fault.clone();
            return Self::read(number, Arc::clone(&before.style), fault, today);
        }
        match Style::load(config) {
            Ok(style) => Self::read(number, Arc::new(style), None, today),
            Err(error) => Self::read(number, Arc::clone(&before.style), Some(chain(&error)), today),
        }
    }

    fn read(number: u64, style: Arc<Style>, style_fault: Option<String>, today: Date) -> Self {
        let reading = read::read_library(&style.config.content);
        let (lessons, texts) = sources(&style.config.content, &reading.library);
        Self {
            number,
            style,
            library: reading.library,
            diagnostics: reading.diagnostics,
            style_fault,
            texts,
            lessons,
            findings: OnceLock::new(),
            today,
        }
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.style.config
    }

    /// What outputs are drawn with in a view's look.
    ///
    /// # Errors
    /// Where the built-in templates cannot be loaded with the bank's faces.
    pub fn studio(&self, look: &Look) -> Result<&Studio, String> {
        if *look != Look::BuiltIn {
            return Ok(&self.style.studio);
        }
        let load = || Studio::load(&Config { templates: None, ..self.style.config.clone() });
        self.style.built_in.get_or_init(load).as_ref().map_err(|error| chain(error))
    }

    /// Whether the bank has templates of its own, so that the built-in ones look different.
    pub fn has_own_templates(&self) -> bool {
        self.style.config.templates.is_some()
    }

    /// Whether there is such a look.
    pub fn has_look(&self, look: &Look) -> bool {
        match look {
            Look::Current => true,
            Look::BuiltIn => self.has_own_templates(),
            Look::Palette(name) => self.style.studio.palette_names().any(|own| own == name),
        }
    }

    /// The content in a view's look.
    pub fn library(&self, look: &Look) -> Cow<'_, Library> {
        let Look::Palette(name) = look else { return Cow::Borrowed(&self.library) };
        let mut library = self.library.clone();
        for topic in &mut library.topics {
            topic.palette.clone_from(name);
        }
        Cow::Owned(library)
    }

    /// Every lesson that has a folder, faulty ones too.
    pub fn lessons(&self) -> &BTreeSet<LessonId> {
        &self.lessons
    }

    /// The texts of a lesson's folder, by path under the content folder; `lesson.md` first.
    pub fn texts(&self, lesson: &LessonId) -> Vec<&Arc<SourceFile>> {
        let folder = folder_of(lesson);
        let own = self.texts.values().filter(|file| file.path.starts_with(&folder));
        let mut files: Vec<&Arc<SourceFile>> = own.collect();
        files.sort_by_key(|file| (!file.path.ends_with("lesson.md"), file.path.clone()));
        files
    }

    /// The audiences that a lesson has a text for, whether or not it can be read.
    pub fn audiences(&self, lesson: &LessonId) -> Vec<Audience> {
        let folder = folder_of(lesson);
        let file = |audience: &Audience| match audience {
            Audience::General => "lesson.md".to_owned(),
            other => format!("lesson.{other}.md"),
        };
        let there = |audience: &&Audience| self.texts.contains_key(&folder.join(file(audience)));
        Audience::ALL.iter().filter(there).copied().collect()
    }

    /// What reading and checking find in all sources, sorted by file and place.
    pub fn findings(&self) -> &[Finding] {
        self.findings.get_or_init(|| match self.checker() {
            Ok(checker) => checker.sources(),
            // The rules are the program's own; without them reading's faults are still shown.
            Err(_) => self.diagnostics.iter().cloned().map(unruled).collect(),
        })
    }

    /// What is found in a lesson's folder: at once what reading found, later everything.
    pub fn findings_of(&self, lesson: &LessonId) -> Vec<Finding> {
        let folder = folder_of(lesson);
        let own = |finding: &Finding| finding.diagnostic.file.path.starts_with(&folder);
        match self.findings.get() {
            Some(all) => all.iter().filter(|finding| own(finding)).cloned().collect(),
            None => self.diagnostics.iter().cloned().map(unruled).filter(own).collect(),
        }
    }

    /// Whether [`Snapshot::findings`] are there already.
    pub fn is_checked(&self) -> bool {
        self.findings.get().is_some()
    }

    /// The check.
    ///
    /// # Errors
    /// Where the program's rules cannot be read.
    pub fn checker(&self) -> Result<Checker<'_>, crate::check::CheckError> {
        Checker::new(Subject {
            library: &self.library,
            diagnostics: &self.diagnostics,
            bank: &self.style.config.bank,
            today: self.today,
        })
    }

    /// Whether the branch of a view, where it names one, exists.
    pub fn has_branch(&self, view: &View) -> bool {
        view.branch.as_ref().is_none_or(|id| self.library.branch(id).is_some())
    }
}

impl Style {
    fn load(path: &Path) -> Result<Self, PreviewError> {
        let config = Config::load(path)?;
        let studio = Studio::load(&config)?;
        Ok(Self { config, studio, built_in: OnceLock::new() })
    }
}

/// A lesson's folder under the content folder.
pub fn folder_of(lesson: &LessonId) -> PathBuf {
    Path::new("lessons").join(lesson.as_str())
}

/// An error with everything behind it.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}：{error}");
        source = error.source();
    }
    text
}

fn unruled(diagnostic: Diagnostic) -> Finding {
    Finding {
        diagnostic,
        basis: "写法".to_owned(),
        output: None,
        words: None,
        related: Vec::new(),
        fix: None,
        waiver: None,
    }
}

/// The texts of lesson folders. What was read as a text comes from the library, so that places fit;
/// the others are read here.
fn sources(
    content: &Path,
    library: &Library,
) -> (BTreeSet<LessonId>, BTreeMap<PathBuf, Arc<SourceFile>>) {
    let mut lessons = BTreeSet::new();
    let mut texts = BTreeMap::new();
    for variant in library.lessons.iter().flat_map(|lesson| lesson.variants.values()) {
        texts.insert(variant.file.path.clone(), Arc::clone(&variant.file));
    }
    for folder in fs::read_dir(content.join("lessons")).into_iter().flatten().flatten() {
        let Ok(id) = LessonId::new(&folder.file_name().to_string_lossy()) else { continue };
        if !folder.path().is_dir() {
            continue;
        }
        for file in fs::read_dir(folder.path()).into_iter().flatten().flatten() {
            let name = file.file_name().to_string_lossy().into_owned();
            let path = folder_of(&id).join(&name);
            if is_source(&name)
                && !texts.contains_key(&path)
                && let Some(text) = text(&file.path())
            {
                texts.insert(path.clone(), Arc::new(SourceFile { path, text }));
            }
        }
        lessons.insert(id);
    }
    (lessons, texts)
}

fn is_source(name: &str) -> bool {
    let lesson = name.starts_with("lesson.")
        && Path::new(name).extension().is_some_and(|extension| extension == "md");
    lesson || name == "assets.toml"
}

/// A text of at most a megabyte in a file that is one: a pipe would wait for ever.
fn text(path: &Path) -> Option<Arc<str>> {
    let metadata = fs::symlink_metadata(path).ok()?;
    if !metadata.is_file() || metadata.len() > 1 << 20 {
        return None;
    }
    let text = fs::read_to_string(path).ok()?;
    Some(text.strip_prefix('\u{FEFF}').unwrap_or(&text).into())
}
