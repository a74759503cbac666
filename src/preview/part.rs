//! The parts of a lesson's page beside its outputs: what is shown and how far it is, and the source
//! with its findings.

use super::{
    approved::{Approved, Past, count},
    page::Region,
    sheet::Sheet,
    snapshot::Snapshot,
    source::{self, Note},
    view::{Glasses, Look, View, address},
};
use crate::{
    build::Role,
    model::{Audience, Diagnostic, Severity},
};
use askama::Template;

/// What a page is made of.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// Everything as it is.
    pub snapshot: &'a Snapshot,
    /// What is shown.
    pub view: &'a View,
    /// How it is looked at.
    pub glasses: &'a Glasses,
    /// What was made.
    pub sheet: &'a Sheet,
    /// What was approved, once the ledger was asked.
    pub past: Option<&'a Past>,
}

impl Context<'_> {
    /// The lesson's title, or its name while it cannot be read.
    pub fn title(&self) -> String {
        let words = &self.sheet.words;
        if words.title.is_empty() { self.view.lesson.to_string() } else { words.title.clone() }
    }

    /// The address of this page with another view.
    fn with(&self, change: impl FnOnce(&mut View)) -> String {
        let mut view = self.view.clone();
        change(&mut view);
        address(&view, self.glasses)
    }

    /// What was approved, where something was.
    pub fn approved(&self) -> Option<&Approved> {
        match self.past {
            Some(Past::Approved(approved)) => Some(approved),
            _ => None,
        }
    }
}

/// A link of several, one of which is where we are.
pub struct Choice {
    /// What it says.
    pub label: String,
    /// Where it leads.
    pub address: String,
    /// Whether we are there.
    pub is_current: bool,
}

#[derive(Template)]
#[template(path = "preview/html/head.html")]
struct Head<'a> {
    title: String,
    lesson: &'a str,
    audiences: Vec<Choice>,
    audience: &'static str,
    branch: &'a str,
    branches: Vec<(&'a str, &'a str)>,
    look: String,
    looks: Vec<(String, String)>,
    number: Option<&'a str>,
    numbered: bool,
    kept: Vec<(&'static str, String)>,
    errors: usize,
    warnings: usize,
    hints: usize,
    is_checked: bool,
    is_readable: bool,
    pending: usize,
    total: usize,
}

#[derive(Template)]
#[template(path = "preview/html/banner.html")]
struct Banner {
    style_fault: Option<String>,
    is_broken: bool,
    has_outputs: bool,
    errors: usize,
    first: Option<(String, String)>,
    elsewhere: Vec<(String, String)>,
    has_audience: bool,
    is_trial: bool,
    look_fault: Option<String>,
    failed: Vec<(String, String)>,
}

/// What is shown and how far it is.
///
/// # Errors
/// The template's.
pub fn head(context: &Context<'_>) -> askama::Result<Region> {
    let Context { snapshot, view, sheet, .. } = *context;
    let findings = snapshot.findings_of(&view.lesson);
    let audiences = snapshot.audiences(&view.lesson);
    let choice = |audience: &Audience| Choice {
        label: audience.label().to_owned(),
        address: context.with(|view| view.audience = *audience),
        is_current: *audience == view.audience,
    };
    let branches = &snapshot.library.branches;
    let head = Head {
        title: context.title(),
        lesson: view.lesson.as_str(),
        audiences: audiences.iter().map(choice).collect(),
        audience: view.audience.as_str(),
        branch: view.branch.as_ref().map_or("", |branch| branch.as_str()),
        branches: branches.iter().map(|one| (one.id.as_str(), one.name.as_str())).collect(),
        look: look_name(&view.look),
        looks: looks(context),
        number: context.approved().map(|approved| approved.number.as_str()),
        numbered: view.numbered,
        kept: kept(context.glasses),
        errors: count(&findings, Severity::Error),
        warnings: count(&findings, Severity::Warning),
        hints: count(&findings, Severity::Information),
        is_checked: snapshot.is_checked(),
        is_readable: snapshot.library.lesson(&view.lesson).is_some(),
        pending: sheet.pending(),
        total: sheet.outputs.len(),
    };
    Region::new("head", "head", &head)
}

/// What is wrong with the lesson, or with what is shown, as a whole.
///
/// # Errors
/// The template's.
pub fn banner(context: &Context<'_>) -> askama::Result<Region> {
    let Context { snapshot, view, sheet, .. } = *context;
    let findings = snapshot.findings_of(&view.lesson);
    let errors = count(&findings, Severity::Error);
    let first = findings.iter().find(|finding| finding.counts_as(Severity::Error));
    let banner = Banner {
        style_fault: snapshot.style_fault.clone(),
        is_broken: sheet.is_broken,
        has_outputs: sheet.outputs.iter().any(|output| !output.files().is_empty()),
        errors,
        first: first.map(|finding| placed(&finding.diagnostic)),
        elsewhere: elsewhere(snapshot),
        has_audience: snapshot.audiences(&view.lesson).contains(&view.audience),
        is_trial: !view.is_real(),
        look_fault: snapshot.studio(&view.look).err(),
        failed: sheet
            .failed()
            .filter(|(output, _)| output.role != Role::Proof)
            .map(|(output, reason)| (output.what.clone(), reason.to_owned()))
            .collect(),
    };
    Region::new("banner", "notice", &banner)
}

/// Where something is wrong, and what.
fn placed(diagnostic: &Diagnostic) -> (String, String) {
    let place = diagnostic
        .position()
        .map_or_else(String::new, |(line, column)| format!(" 第 {line} 行第 {column} 列"));
    (format!("{}{place}", diagnostic.file.path.display()), diagnostic.reason.clone())
}

/// What keeps registries from being read: lessons that refer to them cannot be read then, through
/// no fault of theirs.
fn elsewhere(snapshot: &Snapshot) -> Vec<(String, String)> {
    let errors = snapshot.diagnostics.iter().filter(|found| found.severity == Severity::Error);
    let errors = errors.filter(|found| !found.file.path.starts_with("lessons"));
    errors.take(SHOWN_ELSEWHERE).map(placed).collect()
}

/// More faults of other files than these are only in the list of lessons.
const SHOWN_ELSEWHERE: usize = 5;

fn look_name(look: &Look) -> String {
    match look {
        Look::Current => String::new(),
        Look::BuiltIn => "built-in".to_owned(),
        Look::Palette(name) => format!("palette-{name}"),
    }
}

/// The looks there are: the built-in templates where the bank has its own, and each campaign's
/// palette; of the general family, since elders' and students' do not change with campaigns.
fn looks(context: &Context<'_>) -> Vec<(String, String)> {
    let mut looks = Vec::new();
    if context.snapshot.has_own_templates() {
        looks.push(("built-in".to_owned(), "内置模板".to_owned()));
    }
    let studio = context.snapshot.studio(&Look::Current);
    if let (Audience::General, Ok(studio)) = (context.view.audience, studio) {
        let editions = || context.snapshot.library.campaigns.iter().flat_map(|one| &one.editions);
        for palette in studio.palette_names() {
            let uses = editions().find(|edition| edition.palette.as_deref() == Some(palette));
            let label = match uses {
                Some(edition) => format!("配色 {palette}（{}）", edition.name),
                None => format!("配色 {palette}"),
            };
            looks.push((format!("palette-{palette}"), label));
        }
    }
    looks
}

/// What the form with branch and look passes on.
fn kept(glasses: &Glasses) -> Vec<(&'static str, String)> {
    let mut kept = Vec::new();
    if glasses.dark {
        kept.push(("mode", "dark".to_owned()));
    }
    if glasses.size.factor() > 1.0 {
        kept.push(("size", glasses.size.as_str().to_owned()));
    }
    if glasses.stand {
        kept.push(("zoom", "stand".to_owned()));
    }
    kept
}

#[derive(Template)]
#[template(path = "preview/html/source.html")]
struct SourcePart<'a> {
    file: &'a source::File,
    is_own: bool,
    all: Vec<(&'a Note, &'a str)>,
}

#[derive(Template)]
#[template(path = "preview/html/finished.html")]
struct Finished {
    notes: Vec<(String, Note)>,
    is_done: bool,
}

/// The source files with what is found in them, and what is found in finished outputs.
///
/// # Errors
/// The templates'.
pub fn source(context: &Context<'_>) -> askama::Result<Vec<Region>> {
    let files = source::files(context.snapshot, &context.view.lesson);
    let own = match context.view.audience {
        Audience::General => "lesson.md".to_owned(),
        other => format!("lesson.{other}.md"),
    };
    let mut regions = Vec::new();
    let finished = Finished {
        notes: context
            .sheet
            .findings
            .iter()
            .map(|finding| {
                let path = finding.diagnostic.file.path.display().to_string();
                (path, source::note(finding))
            })
            .collect(),
        is_done: context.sheet.pending() == 0,
    };
    // The text that is being looked at first, then the others that are faulty.
    let mut order: Vec<&source::File> = files.iter().collect();
    order.sort_by_key(|file| (file.name != own, file.faults == 0));
    for file in order {
        let notes = file.lines.iter().flat_map(|line| &line.notes).chain(&file.whole);
        let all = notes.map(|note| (note, file.name.as_str())).collect();
        let class = if file.name == own { "source own" } else { "source" };
        let id = format!("source-{}", file.name.replace('.', "-"));
        regions.push(Region::new(id, class, &SourcePart { file, is_own: file.name == own, all })?);
    }
    regions.push(Region::new("finished", "finished", &finished)?);
    Ok(regions)
}
