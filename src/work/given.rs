//! What one branch has: what its screens play today, its papers, what must come down, all of it as
//! one zip. Files are handed out by this list alone: what a branch was not given is not there.

use super::{
    Feeds, Publisher, WorkError,
    branches::what_text,
    take_down::{GivenTakeDown, Part, Said, said_of, things},
};
use crate::{
    model::{
        BranchId, Digest, LessonId, MediaType, OutputKind, PackEntry, PackIndex, PackRelease,
        PackScreen,
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
    /// What must come down, thing by thing, the latest first.
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

    /// Whether all of it at once can be said to hang: something is open, and it is no single thing,
    /// which has a button of its own.
    #[must_use]
    pub fn is_to_post(&self) -> bool {
        self.active
            && self.lessons.len() != 1
            && self.lessons.iter().any(|lesson| lesson.posted.is_none())
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

/// One lesson's files of a release, or papers of no lesson.
#[derive(Debug, Clone)]
pub struct GivenLesson {
    /// What of the release they are.
    pub part: Part,
    /// The lesson; `None` for papers of no lesson.
    pub lesson: Option<LessonId>,
    /// Its title.
    pub title: String,
    /// Its files.
    pub files: Vec<PackEntry>,
    /// Who said when that it hangs.
    pub posted: Option<Said>,
}

/// The beginning of a release's key that people type and read out.
#[must_use]
pub fn code_of(key: &Digest) -> String {
    key.to_string().chars().take(8).collect()
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

    /// Says of what must come down what hangs in its place.
    fn name_successors(&mut self) {
        for one in &mut self.take_down {
            let releases = self.releases.iter().filter(|release| release.active);
            let same = releases.filter(|release| {
                release.key != one.key && release.lessons.iter().any(|own| own.part == one.part)
            });
            one.instead = same.map(|release| release.number.clone()).collect();
            one.instead.dedup();
        }
    }

    fn has_not(&self) -> WorkError {
        WorkError::Unknown(format!("{} 没有这一份材料，或者已经不用办了", self.branch))
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
        let old = self.old_numbers().await?;
        let mut indexes = Vec::new();
        for feed in &feeds.feeds {
            for mut index in indexes_of(&feed.catalogue, branch, now) {
                given.take_down.extend(things(&feed.catalogue, &index, branch, &said, &old));
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
        }
        let screens = screens.into_iter();
        given.screens = screens.map(|screen| of_screen(screen, &indexes, now)).collect();
        given.name_successors();
        given.take_down.sort_by_key(|one| (one.done.is_some(), std::cmp::Reverse(one.since)));
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
        part: &Part,
        what: ConfirmedWhat,
        actor: &str,
    ) -> Result<(), WorkError> {
        let is_it = |own: &Part| *part == Part::All || own == part;
        let known = match what {
            ConfirmedWhat::Posted => given.releases.iter().any(|release| {
                release.key == *key && release.lessons.iter().any(|own| is_it(&own.part))
            }),
            ConfirmedWhat::TakenDown => {
                given.take_down.iter().any(|one| one.key == *key && is_it(&one.part))
            }
        };
        if !known {
            return Err(given.has_not());
        }
        let confirmation = Confirmation {
            branch: given.branch.clone(),
            key: *key,
            lesson: part.name(),
            what: what_text(what).to_owned(),
            by: actor.to_owned(),
            at: self.store.now().await?,
        };
        Ok(self.store.add_confirmation(&confirmation).await?)
    }

    /// Takes back what was said by mistake of something that the branch still has before it. The
    /// audit chain keeps what was said and that it was taken back.
    ///
    /// # Errors
    /// [`WorkError::Unknown`] where the branch has no such thing, [`WorkError::Refused`] where
    /// nothing of the kind was said, or somebody else has taken it back.
    pub async fn withdraw_given(
        &self,
        given: &Given,
        key: &Digest,
        part: &Part,
        what: ConfirmedWhat,
        actor: &str,
    ) -> Result<(), WorkError> {
        let has = given.releases.iter().any(|release| release.key == *key)
            || given.take_down.iter().any(|one| one.key == *key);
        if !has {
            return Err(given.has_not());
        }
        let (name, what) = (part.name(), what_text(what));
        if self
            .store
            .withdraw_confirmation(&given.branch, key, name.as_deref(), what, actor)
            .await?
        {
            return Ok(());
        }
        Err(WorkError::Refused("没有可以撤销的确认：没有确认过，或刚有人撤销了".to_owned()))
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
        let part = Part::of(entry.lesson.as_ref(), entry.output);
        match lessons.iter_mut().find(|lesson| lesson.part == part) {
            Some(lesson) => lesson.files.push(entry.clone()),
            None => lessons.push(GivenLesson {
                lesson: entry.lesson.clone(),
                title: entry.alt.clone(),
                files: vec![entry.clone()],
                posted: said_of(said, &release.key, &part, ConfirmedWhat::Posted),
                part,
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

/// Paper comes before screens: it is what people have to do something with.
pub(super) fn place(output: OutputKind) -> u8 {
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
