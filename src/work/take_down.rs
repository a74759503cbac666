//! What must come down at a branch, thing by thing: a lesson's posters and leaflets together, the
//! notice of complaint numbers by itself. Whoever stands before a wall has to tell the old from the
//! new: each thing says what is printed on it.

use super::{Publisher, WorkError, branches::what_text, hotlines::plan_of};
use crate::{
    model::{BranchId, Digest, IdError, LessonId, MediaType, OutputKind, PackIndex, TakeDown},
    packs::{Catalogue, Release, ReleaseFile, wire::ConfirmedWhat},
    store::Confirmation,
};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// So many changes of numbers are looked through for what is printed on the old outputs.
const CHANGES: u32 = 60;

/// What is before the name of an output in the ledger, where a lesson's name would stand.
const OUTPUT: char = '@';

/// What of a release hangs or is taken down together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// All of it.
    All,
    /// What belongs to a lesson.
    Lesson(LessonId),
    /// Papers of no lesson, by what they are.
    Output(OutputKind),
}

impl Part {
    /// The part that a file belongs to.
    #[must_use]
    pub fn of(lesson: Option<&LessonId>, output: OutputKind) -> Self {
        lesson.map_or(Self::Output(output), |lesson| Self::Lesson(lesson.clone()))
    }

    /// Its name as the ledger has it: a lesson's, or `@notice`; `None` for all of it.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        match self {
            Self::All => None,
            Self::Lesson(lesson) => Some(lesson.to_string()),
            Self::Output(output) => Some(format!("{OUTPUT}{output}")),
        }
    }

    /// Reads what [`Part::name`] writes; an empty text is all of it.
    ///
    /// # Errors
    /// [`IdError`] where it is neither a lesson's name nor an output's.
    pub fn read(text: &str) -> Result<Self, IdError> {
        if text.is_empty() {
            return Ok(Self::All);
        }
        match text.strip_prefix(OUTPUT).map(OutputKind::from_name) {
            Some(Some(output)) => Ok(Self::Output(output)),
            Some(None) => Err(IdError { text: text.chars().take(80).collect() }),
            None => LessonId::new(text).map(Self::Lesson),
        }
    }

    /// Whether a confirmation that names `lesson` is about it.
    fn is_meant(&self, lesson: Option<&str>) -> bool {
        lesson.is_none() || lesson == self.name().as_deref()
    }
}

/// What somebody said, and of what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Of which part it was said.
    pub of: Part,
}

/// What was said of a part of a release, if anything.
#[must_use]
pub fn said_of(
    said: &[Confirmation],
    key: &Digest,
    part: &Part,
    what: ConfirmedWhat,
) -> Option<Said> {
    let what = what_text(what);
    let found = said
        .iter()
        .find(|one| one.key == *key && one.what == what && part.is_meant(one.lesson.as_deref()))?;
    let of = Part::read(found.lesson.as_deref().unwrap_or_default()).unwrap_or(Part::All);
    Some(Said { by: found.by.clone(), at: found.at, of })
}

/// A picture of what hung.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldPicture {
    /// Its digest.
    pub sha256: Digest,
    /// Its type.
    pub media_type: MediaType,
}

/// Something that must come down.
#[derive(Debug, Clone)]
pub struct GivenTakeDown {
    /// The release.
    pub key: Digest,
    /// What of it.
    pub part: Part,
    /// What is written over it: the titles.
    pub title: String,
    /// The approval number that is printed on it.
    pub number: String,
    /// What there is of it: posters, leaflets.
    pub outputs: Vec<OutputKind>,
    /// What it looks like.
    pub picture: Option<OldPicture>,
    /// Since when.
    pub since: Timestamp,
    /// Why.
    pub reason: String,
    /// The approval numbers of what hangs in its place: that stays.
    pub instead: Vec<String>,
    /// Who said that it is down.
    pub done: Option<Said>,
}

impl GivenTakeDown {
    /// The beginning of the release's key that people type and read out.
    #[must_use]
    pub fn code(&self) -> String {
        super::given::code_of(&self.key)
    }

    /// The lesson, where it is one's.
    #[must_use]
    pub fn lesson(&self) -> Option<&LessonId> {
        match &self.part {
            Part::Lesson(lesson) => Some(lesson),
            _ => None,
        }
    }
}

/// Whether all of an item is down at a branch: it said so of the whole, or of each thing.
#[must_use]
pub fn is_down(
    said: &[Confirmation],
    item: &TakeDown,
    branch: &BranchId,
    catalogue: &Catalogue,
) -> bool {
    let own: Vec<Confirmation> = said
        .iter()
        .filter(|one| one.branch == *branch && one.key == item.key)
        .filter(|one| one.what == what_text(ConfirmedWhat::TakenDown))
        .cloned()
        .collect();
    let told = |part: &Part| said_of(&own, &item.key, part, ConfirmedWhat::TakenDown).is_some();
    match &item.lesson {
        _ if own.is_empty() => false,
        Some(lesson) => told(&Part::Lesson(lesson.clone())),
        None => told(&Part::All) || parts(catalogue.release(&item.key), branch).iter().all(told),
    }
}

/// The things of a release that a branch has; all of it where nothing more is known.
fn parts(release: Option<&Release>, branch: &BranchId) -> BTreeSet<Part> {
    let files = release.into_iter().flat_map(|release| files_of(release, branch));
    let parts: BTreeSet<Part> =
        files.map(|file| Part::of(file.lesson.as_ref(), file.output)).collect();
    if parts.is_empty() { BTreeSet::from([Part::All]) } else { parts }
}

fn files_of<'r>(
    release: &'r Release,
    branch: &'r BranchId,
) -> impl Iterator<Item = &'r ReleaseFile> {
    release.files_of(branch).filter(|file| file.media_type != MediaType::Zip)
}

/// What must come down by an index, thing by thing. `old` says what is printed on what shows an
/// old number, by delivery.
#[must_use]
pub fn things(
    catalogue: &Catalogue,
    index: &PackIndex,
    branch: &BranchId,
    said: &[Confirmation],
    old: &BTreeMap<String, String>,
) -> Vec<GivenTakeDown> {
    let by_itself: BTreeSet<(Digest, &LessonId)> = index
        .take_down
        .iter()
        .filter_map(|item| item.lesson.as_ref().map(|lesson| (item.key, lesson)))
        .collect();
    let mut things = Vec::new();
    for item in &index.take_down {
        let release = catalogue.release(&item.key);
        let parts = match &item.lesson {
            Some(lesson) => BTreeSet::from([Part::Lesson(lesson.clone())]),
            None => parts(release, branch),
        };
        for part in parts {
            let has_own = |lesson: &LessonId| by_itself.contains(&(item.key, lesson));
            if matches!(&part, Part::Lesson(own) if item.lesson.is_none() && has_own(own)) {
                continue;
            }
            things.push(thing(item, release, part, (branch, said, old)));
        }
    }
    things
}

fn thing(
    item: &TakeDown,
    release: Option<&Release>,
    part: Part,
    (branch, said, old): (&BranchId, &[Confirmation], &BTreeMap<String, String>),
) -> GivenTakeDown {
    let is_own = |file: &&ReleaseFile| Part::of(file.lesson.as_ref(), file.output) == part;
    let mut files: Vec<&ReleaseFile> = release
        .into_iter()
        .flat_map(|release| files_of(release, branch))
        .filter(|file| part == Part::All || is_own(file))
        .collect();
    // The branch's own sheet before the common one, paper before screens.
    files.sort_by_key(|file| {
        (super::given::place(file.output), file.audience, file.branch.is_none(), &file.name)
    });
    let mut titles: Vec<&str> = Vec::new();
    let mut outputs: Vec<OutputKind> = Vec::new();
    for file in &files {
        if !titles.contains(&&*file.alt) {
            titles.push(&file.alt);
        }
        if !outputs.contains(&file.output) {
            outputs.push(file.output);
        }
    }
    let is_picture = |kind: MediaType| matches!(kind, MediaType::Png | MediaType::Jpeg);
    // What hangs is looked for: a poster is known from afar, a page of text is not.
    let rank = |output: OutputKind| match output {
        OutputKind::Print => 0,
        OutputKind::Notice => 1,
        OutputKind::Leaflet => 2,
        OutputKind::Screen => 3,
        _ => 4,
    };
    let pictures = files.iter().filter(|file| is_picture(file.media_type));
    let picture = pictures.min_by_key(|file| (rank(file.output), file.audience));
    let delivery = delivery_of(&item.key);
    GivenTakeDown {
        key: item.key,
        title: if titles.is_empty() { item.title.clone() } else { titles.join("、") },
        number: release.map(|release| release.number.clone()).unwrap_or_default(),
        picture: picture
            .map(|file| OldPicture { sha256: file.sha256, media_type: file.media_type }),
        since: item.since,
        reason: old.get(&delivery).cloned().unwrap_or_else(|| item.reason.clone()),
        instead: Vec::new(),
        done: said_of(said, &item.key, &part, ConfirmedWhat::TakenDown),
        outputs,
        part,
    }
}

/// The delivery's number, which begins as its key does.
fn delivery_of(key: &Digest) -> String {
    key.to_string().chars().take(12).fold("d".to_owned(), |id, digit| id + &digit.to_string())
}

impl Publisher {
    /// What is printed on deliveries that were made before a number changed, by delivery.
    ///
    /// # Errors
    /// The ledger's.
    pub(super) async fn old_numbers(&self) -> Result<BTreeMap<String, String>, WorkError> {
        let mut old: BTreeMap<String, BTreeMap<String, (String, String)>> = BTreeMap::new();
        // The newest first: of one number the oldest change says what was printed.
        for change in self.store.hotline_changes(CHANGES).await? {
            let plan = plan_of(&change)?;
            if !plan.written {
                continue;
            }
            for delivery in plan.groups.iter().flat_map(|group| &group.deliveries) {
                let known = old.entry(delivery.clone()).or_default();
                let now = known.remove(change.hotline.as_str()).map(|(_, now)| now);
                let now = now.unwrap_or_else(|| plan.becomes.clone());
                known.insert(change.hotline.to_string(), (plan.was.clone(), now));
            }
        }
        let told = |numbers: BTreeMap<String, (String, String)>| {
            let lines = numbers.into_values().map(|(was, now)| {
                if was == now {
                    "号码重新核对过".to_owned()
                } else {
                    format!("上面印的是旧号码 {was}（现在是 {now}）")
                }
            });
            lines.collect::<Vec<_>>().join("、")
        };
        Ok(old.into_iter().map(|(delivery, numbers)| (delivery, told(numbers))).collect())
    }
}
