//! What one branch has: what its screens play today, its papers, what must come down, all of it as
//! one zip. Files are handed out by this list alone: what a branch was not given is not there.

use super::{Feeds, Publisher, WorkError, branches::what_text};
use crate::{
    model::{
        BranchId, Digest, LessonId, MediaType, OutputKind, PackEntry, PackIndex, PackRelease,
        PackScreen, TakeDown,
    },
    packs::{Catalogue, wire::ConfirmedWhat},
    store::Confirmation,
};
use jiff::Timestamp;
use std::collections::BTreeSet;

/// What one branch has now.
#[derive(Debug, Clone)]
pub struct Given {
    /// The branch.
    pub branch: BranchId,
    /// Its screens with what they play now, in order.
    pub screens: Vec<GivenScreen>,
    /// The releases that count now or are to come, by campaign series.
    pub releases: Vec<GivenRelease>,
    /// What must come down, the latest first.
    pub take_down: Vec<GivenTakeDown>,
}

/// A screen and its playlist.
#[derive(Debug, Clone)]
pub struct GivenScreen {
    /// The screen.
    pub screen: PackScreen,
    /// What it plays now, in order.
    pub playlist: Vec<PackEntry>,
    /// How long one round takes, in seconds.
    pub round_s: u32,
}

/// A release as a branch has it.
#[derive(Debug, Clone)]
pub struct GivenRelease {
    /// The delivery's key.
    pub key: Digest,
    /// Series and edition.
    pub campaign: String,
    /// The edition's name, where it is known.
    pub name: String,
    /// The approval number.
    pub number: String,
    /// From when it counts.
    pub activate_at: Timestamp,
    /// When it must be down, exclusive.
    pub show_until: Timestamp,
    /// Whether it counts now; else it is to come.
    pub active: bool,
    /// Its files by lesson; what belongs to no lesson comes last.
    pub lessons: Vec<GivenLesson>,
}

impl GivenRelease {
    /// The beginning of the key that people type and read out.
    #[must_use]
    pub fn code(&self) -> String {
        code_of(&self.key)
    }

    /// Whether all of it at once can be said to hang: something is open, and it is no single
    /// lesson, which has a button of its own.
    #[must_use]
    pub fn is_to_post(&self) -> bool {
        let single = matches!(&self.lessons[..], [GivenLesson { lesson: Some(_), .. }]);
        self.active && !single && self.lessons.iter().any(|lesson| lesson.posted.is_none())
    }
}

/// What people print of one kind.
#[derive(Debug, Clone)]
pub struct Papers<'g> {
    /// What it is.
    pub output: OutputKind,
    /// To print or to read.
    pub files: Vec<&'g PackEntry>,
    /// The same as pictures.
    pub pictures: Vec<&'g PackEntry>,
}

impl GivenLesson {
    /// What people print, kind by kind.
    #[must_use]
    pub fn papers(&self) -> Vec<Papers<'_>> {
        let mut papers: Vec<Papers<'_>> = Vec::new();
        for entry in self.files.iter().filter(|entry| entry.output != OutputKind::Screen) {
            let index = papers.iter().position(|own| own.output == entry.output);
            let index = index.unwrap_or_else(|| {
                let output = entry.output;
                papers.push(Papers { output, files: Vec::new(), pictures: Vec::new() });
                papers.len() - 1
            });
            match entry.media_type {
                MediaType::Png | MediaType::Jpeg => papers[index].pictures.push(entry),
                _ => papers[index].files.push(entry),
            }
        }
        papers
    }
}

/// One lesson's files of a release.
#[derive(Debug, Clone)]
pub struct GivenLesson {
    /// The lesson; `None` for files of no lesson.
    pub lesson: Option<LessonId>,
    /// Its title.
    pub title: String,
    /// Its files.
    pub files: Vec<PackEntry>,
    /// Who said when that it hangs.
    pub posted: Option<(String, Timestamp)>,
}

/// Something that must come down.
#[derive(Debug, Clone)]
pub struct GivenTakeDown {
    /// What.
    pub item: TakeDown,
    /// Who said when that it is down.
    pub done: Option<(String, Timestamp)>,
}

/// The beginning of a release's key that people type and read out.
#[must_use]
pub fn code_of(key: &Digest) -> String {
    key.to_string().chars().take(8).collect()
}

/// Whether a confirmation says that something is down at a branch.
#[must_use]
pub fn says_down(confirmation: &Confirmation, item: &TakeDown, branch: &BranchId) -> bool {
    let lesson = item.lesson.as_ref().map(LessonId::as_str);
    confirmation.branch == *branch
        && confirmation.key == item.key
        && confirmation.what == what_text(ConfirmedWhat::TakenDown)
        && (confirmation.lesson.is_none() || confirmation.lesson.as_deref() == lesson)
}

impl Given {
    /// The file of that digest, where this branch was given it.
    #[must_use]
    pub fn file(&self, digest: &Digest) -> Option<&PackEntry> {
        self.entries().find(|entry| entry.sha256 == *digest)
    }

    /// Every file.
    pub fn entries(&self) -> impl Iterator<Item = &PackEntry> {
        let lessons = self.releases.iter().flat_map(|release| &release.lessons);
        lessons.flat_map(|lesson| &lesson.files)
    }

    /// What is still to come down.
    pub fn open(&self) -> impl Iterator<Item = &GivenTakeDown> {
        self.take_down.iter().filter(|item| item.done.is_none())
    }
}

impl Publisher {
    /// What one branch has.
    ///
    /// # Errors
    /// The ledger's.
    pub async fn given(
        &self,
        feeds: &Feeds,
        branch: &BranchId,
        screens: Vec<PackScreen>,
    ) -> Result<Given, WorkError> {
        let now = self.store.now().await?;
        let said = self.store.branch_confirmations(branch).await?;
        let mut given = Given {
            branch: branch.clone(),
            screens: Vec::new(),
            releases: Vec::new(),
            take_down: Vec::new(),
        };
        let mut indexes = Vec::new();
        for feed in &feeds.feeds {
            for mut index in indexes_of(&feed.catalogue, branch, now) {
                for release in &mut index.releases {
                    own_instead_of_common(&feed.catalogue, release, branch);
                }
                indexes.push(index);
            }
        }
        for index in &indexes {
            let active: BTreeSet<Digest> =
                index.active(now, |_| true).iter().map(|release| release.key).collect();
            let releases = index.releases.iter();
            given.releases.extend(
                releases.map(|release| of_release(release, active.contains(&release.key), &said)),
            );
            given.take_down.extend(index.take_down.iter().map(|item| GivenTakeDown {
                done: said.iter().find(|one| says_down(one, item, branch)).map(by_and_at),
                item: item.clone(),
            }));
        }
        let screens = screens.into_iter();
        given.screens = screens.map(|screen| of_screen(screen, &indexes, now)).collect();
        given.take_down.sort_by_key(|one| (one.done.is_some(), std::cmp::Reverse(one.item.since)));
        Ok(given)
    }

    /// Says that something hangs at a branch, or hangs no more; it must be the branch's own.
    ///
    /// # Errors
    /// [`WorkError::Unknown`] where the branch was not given it, or need not take it down.
    pub async fn confirm_given(
        &self,
        given: &Given,
        key: &Digest,
        lesson: Option<&LessonId>,
        what: ConfirmedWhat,
        actor: &str,
    ) -> Result<(), WorkError> {
        let known = match what {
            ConfirmedWhat::Posted => given.releases.iter().any(|release| {
                let has = |own: &GivenLesson| lesson.is_none() || own.lesson.as_ref() == lesson;
                release.key == *key && release.lessons.iter().any(has)
            }),
            ConfirmedWhat::TakenDown => given
                .take_down
                .iter()
                .any(|one| one.item.key == *key && one.item.lesson.as_ref() == lesson),
        };
        if !known {
            return Err(WorkError::Unknown(format!(
                "{} 没有这一份材料，或者已经不用办了",
                given.branch
            )));
        }
        let confirmation = Confirmation {
            branch: given.branch.clone(),
            key: *key,
            lesson: lesson.map(ToString::to_string),
            what: what_text(what).to_owned(),
            by: actor.to_owned(),
            at: self.store.now().await?,
        };
        Ok(self.store.add_confirmation(&confirmation).await?)
    }
}

/// The ordinary releases and those that take over.
fn indexes_of(catalogue: &Catalogue, branch: &BranchId, now: Timestamp) -> Vec<PackIndex> {
    let both = [false, true].map(|takeover| catalogue.index(branch, takeover, now));
    both.into_iter().flatten().collect()
}

/// Where there is a sheet with the branch's own address, the common one is not needed.
fn own_instead_of_common(catalogue: &Catalogue, release: &mut PackRelease, branch: &BranchId) {
    let files = catalogue.release(&release.key).map(|found| &found.files);
    let own: BTreeSet<Digest> = files
        .into_iter()
        .flatten()
        .filter(|file| file.branch.as_ref() == Some(branch))
        .map(|file| file.sha256)
        .collect();
    let kind = |entry: &PackEntry| {
        let lesson = entry.lesson.as_ref().map(ToString::to_string);
        (lesson, entry.output, entry.audience, entry.profile.clone(), entry.media_type.as_str())
    };
    let kinds: BTreeSet<_> =
        release.entries.iter().filter(|entry| own.contains(&entry.sha256)).map(kind).collect();
    release.entries.retain(|entry| own.contains(&entry.sha256) || !kinds.contains(&kind(entry)));
}

fn of_screen(screen: PackScreen, indexes: &[PackIndex], now: Timestamp) -> GivenScreen {
    let mut playing: Vec<(&PackRelease, &PackEntry)> = Vec::new();
    for index in indexes {
        playing.extend(index.playlist(&screen.profile, now, |_| true));
    }
    if playing.iter().any(|(release, _)| release.takeover) {
        playing.retain(|(release, _)| release.takeover);
    }
    let mut seen = BTreeSet::new();
    let fresh = playing.into_iter().filter(|(_, entry)| seen.insert(entry.sha256));
    let playlist: Vec<PackEntry> = fresh.map(|(_, entry)| entry.clone()).collect();
    let count = u32::try_from(playlist.len()).unwrap_or(u32::MAX);
    GivenScreen { round_s: screen.dwell_s.saturating_mul(count), screen, playlist }
}

fn of_release(release: &PackRelease, active: bool, said: &[Confirmation]) -> GivenRelease {
    let mut lessons: Vec<GivenLesson> = Vec::new();
    for entry in release.entries.iter().filter(|entry| entry.media_type != MediaType::Zip) {
        match lessons.iter_mut().find(|lesson| lesson.lesson == entry.lesson) {
            Some(lesson) => lesson.files.push(entry.clone()),
            None => lessons.push(GivenLesson {
                lesson: entry.lesson.clone(),
                title: entry.alt.clone(),
                files: vec![entry.clone()],
                posted: posted(release, entry.lesson.as_ref(), said),
            }),
        }
    }
    for lesson in &mut lessons {
        // The title for everybody names the lesson; each file has its own.
        if let Some(entry) = lesson.files.iter().min_by_key(|entry| entry.audience) {
            lesson.title.clone_from(&entry.alt);
        }
        lesson.files.sort_by_key(|entry| (place(entry.output), entry.audience, entry.name.clone()));
    }
    lessons.sort_by_key(|lesson| (lesson.lesson.is_none(), lesson.lesson.clone()));
    let ends = release.entries.iter().map(|entry| entry.show_until);
    GivenRelease {
        key: release.key,
        campaign: release.campaign.clone(),
        name: release.campaign.clone(),
        number: release.number.clone(),
        activate_at: release.activate_at,
        show_until: ends.min().unwrap_or(Timestamp::MAX),
        active,
        lessons,
    }
}

fn posted(
    release: &PackRelease,
    lesson: Option<&LessonId>,
    said: &[Confirmation],
) -> Option<(String, Timestamp)> {
    let what = what_text(ConfirmedWhat::Posted);
    let of = |one: &&Confirmation| {
        one.key == release.key
            && one.what == what
            && (one.lesson.is_none() || one.lesson.as_deref() == lesson.map(LessonId::as_str))
    };
    said.iter().find(of).map(by_and_at)
}

fn by_and_at(confirmation: &Confirmation) -> (String, Timestamp) {
    (confirmation.by.clone(), confirmation.at)
}

/// Paper comes before screens: it is what people have to do something with.
fn place(output: OutputKind) -> u8 {
    match output {
        OutputKind::Morning => 0,
        OutputKind::StaffCard => 1,
        OutputKind::Print => 2,
        OutputKind::Leaflet => 3,
        OutputKind::Booth => 4,
        OutputKind::Notice => 5,
        _ => 6,
    }
}
