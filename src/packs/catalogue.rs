//! Every release that the repository holds, from which the branches' indexes are derived.
//!
//! The catalogue is itself a target: the repository is its own memory, so that publishing needs
//! nothing but the repository and the parcel, and a lost database loses no poster.

use super::{BranchEntry, PacksError, target_file, text};
use crate::model::{
    Audience, BranchId, Daypart, Digest, LessonId, MediaType, OutputKind, PackEntry, PackIndex,
    PackRelease, PackScreen, TakeDown,
};
use jiff::{
    SignedDuration, Timestamp,
    civil::{Time, Weekday},
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The target that holds it.
pub(super) const CATALOGUE: &str = "catalogue.json";

/// How long the branches are reminded of what must come down.
const REMINDED: SignedDuration = SignedDuration::from_hours(24 * 60);

/// How long files stay after their activation although a newer release plays: for branches that
/// are behind.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 30);

/// How long a release is remembered after its window: for the auditor the ledger remembers more.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(24 * 400);

/// Every release, and the branches as the latest of them knew them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Catalogue {
    /// The bank's name.
    pub bank: String,
    /// The number that people call, as shown.
    pub hotline: String,
    /// The branches, by id.
    pub branches: BTreeMap<String, BranchEntry>,
    /// The releases, oldest first.
    pub releases: Vec<Release>,
}

/// One delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// The delivery's key.
    #[serde(with = "text")]
    pub key: Digest,
    /// Whether it takes the screens over; such a release is named by the emergency role.
    #[serde(default)]
    pub takeover: bool,
    /// The campaign series.
    pub series: String,
    /// Series and edition.
    pub campaign: String,
    /// The approval number.
    pub number: String,
    /// The slot it was due at; later slots are not replaced by earlier ones.
    pub slot: Timestamp,
    /// When branches switch to it.
    pub activate_at: Timestamp,
    /// First moment of its window.
    pub show_from: Timestamp,
    /// End of its window, exclusive.
    pub show_until: Timestamp,
    /// When and why it was recalled, if it was.
    #[serde(default)]
    pub recalled: Option<(Timestamp, String)>,
    /// Lessons of it that were recalled, when and why.
    #[serde(default)]
    pub recalled_lessons: Vec<(String, Timestamp, String)>,
    /// Whether its files were deleted: no branch asks for them any more.
    #[serde(default)]
    pub swept: bool,
    /// Its files.
    pub files: Vec<ReleaseFile>,
}

/// One file of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseFile {
    /// The flat name.
    pub name: String,
    /// The digest.
    #[serde(with = "text")]
    pub sha256: Digest,
    /// The size.
    pub bytes: u64,
    /// The type.
    #[serde(with = "text")]
    pub media_type: MediaType,
    /// What it is.
    #[serde(with = "text")]
    pub output: OutputKind,
    /// The lesson.
    #[serde(with = "text::optional")]
    pub lesson: Option<LessonId>,
    /// For whom.
    #[serde(with = "text")]
    pub audience: Audience,
    /// The screen profile or paper format.
    pub profile: Option<String>,
    /// The branch; `None` for every branch.
    #[serde(with = "text::optional")]
    pub branch: Option<BranchId>,
    /// The weekdays on which it plays; empty is all.
    #[serde(with = "text::days", default)]
    pub days: Vec<Weekday>,
    /// The hours in which it plays.
    #[serde(default)]
    pub hours: Option<(Time, Time)>,
    /// The title.
    pub alt: String,
}

impl Release {
    /// The lessons' titles, for people.
    fn titles(&self, lesson: Option<&str>) -> String {
        let mut titles: Vec<&str> = Vec::new();
        for file in &self.files {
            let of = file.lesson.as_ref().map(LessonId::as_str);
            if of.is_some() && (lesson.is_none() || of == lesson) && !titles.contains(&&*file.alt) {
                titles.push(&file.alt);
            }
        }
        if titles.is_empty() { self.campaign.clone() } else { titles.join("、") }
    }

    fn has_paper(&self) -> bool {
        self.files.iter().any(|file| {
            !matches!(file.output, OutputKind::Screen) && file.media_type == MediaType::Pdf
        })
    }

    fn lesson_is_recalled(&self, lesson: Option<&LessonId>) -> bool {
        lesson.is_some_and(|lesson| {
            self.recalled_lessons.iter().any(|(recalled, _, _)| recalled == lesson.as_str())
        })
    }
}

impl Catalogue {
    /// Reads the catalogue's target.
    ///
    /// # Errors
    /// [`PacksError::Index`].
    pub fn from_json(bytes: &[u8]) -> Result<Self, PacksError> {
        serde_json::from_slice(bytes)
            .map_err(|error| PacksError::Index(format!("{CATALOGUE}：{error}")))
    }

    /// The catalogue's target.
    ///
    /// # Errors
    /// [`PacksError::Index`].
    pub fn to_json(&self) -> Result<Vec<u8>, PacksError> {
        serde_json::to_vec(self).map_err(|error| PacksError::Index(format!("{CATALOGUE}：{error}")))
    }

    /// The release of that delivery.
    #[must_use]
    pub fn release(&self, key: &Digest) -> Option<&Release> {
        self.releases.iter().find(|release| release.key == *key)
    }

    /// The release of the same series whose slot is later than this one, if there is one that
    /// still counts: it would be replaced by something older.
    #[must_use]
    pub fn later_than(&self, series: &str, slot: Timestamp) -> Option<&Release> {
        self.releases.iter().find(|release| {
            release.series == series && release.slot > slot && release.recalled.is_none()
        })
    }

    /// Adds a release, and forgets those that nobody asks about any more.
    pub fn add(&mut self, release: Release, now: Timestamp) {
        self.releases.retain(|old| {
            old.key != release.key
                && old.show_until.saturating_add(REMEMBERED).is_ok_and(|end| end > now)
        });
        self.releases.push(release);
    }

    /// Marks a release as recalled; `false` where it is not there.
    pub fn recall(&mut self, key: &Digest, reason: &str, now: Timestamp) -> bool {
        let Some(release) = self.releases.iter_mut().find(|release| release.key == *key) else {
            return false;
        };
        if release.recalled.is_none() {
            release.recalled = Some((now, reason.to_owned()));
        }
        true
    }

    /// Marks one lesson of a release as recalled; `false` where it is not in it.
    pub fn recall_lesson(
        &mut self,
        key: &Digest,
        lesson: &LessonId,
        reason: &str,
        now: Timestamp,
    ) -> bool {
        let Some(release) = self.releases.iter_mut().find(|release| release.key == *key) else {
            return false;
        };
        let known = release.files.iter().any(|file| file.lesson.as_ref() == Some(lesson));
        if known && !release.lesson_is_recalled(Some(lesson)) {
            release.recalled_lessons.push((lesson.to_string(), now, reason.to_owned()));
        }
        known
    }

    /// The files of releases that no branch is told of any more and that no other release needs:
    /// they may be deleted. The releases count as swept from now on.
    pub fn sweep(&mut self, now: Timestamp) -> Vec<String> {
        let told: Vec<Digest> = [false, true]
            .into_iter()
            .flat_map(|takeover| self.live(now, takeover))
            .map(|release| release.key)
            .collect();
        let recent = |release: &Release| {
            release.recalled.is_none()
                && release.activate_at.saturating_add(KEPT).is_ok_and(|end| end > now)
        };
        let (mut kept, mut gone) = (BTreeSet::new(), BTreeSet::new());
        for release in &mut self.releases {
            let files = release.files.iter().map(|file| target_file(&file.sha256, &file.name));
            if told.contains(&release.key) || recent(release) {
                kept.extend(files);
            } else if !release.swept {
                gone.extend(files);
                release.swept = true;
            }
        }
        gone.into_iter().filter(|file| !kept.contains(file)).collect()
    }

    /// The releases that branches are told of: of each series the one that plays at `now` and
    /// those that are still to come.
    fn live(&self, now: Timestamp, takeover: bool) -> Vec<&Release> {
        let mut live: Vec<&Release> = self
            .releases
            .iter()
            .filter(|release| release.takeover == takeover && release.recalled.is_none())
            .filter(|release| release.show_until > now)
            .collect();
        live.sort_by(|a, b| {
            (&a.series, a.activate_at, a.slot).cmp(&(&b.series, b.activate_at, b.slot))
        });
        let is_past = |release: &&Release| {
            live.iter().any(|other| {
                other.series == release.series
                    && other.activate_at <= now
                    && (other.activate_at, other.slot) > (release.activate_at, release.slot)
            })
        };
        live.iter().copied().filter(|release| !is_past(release)).collect()
    }

    /// What a branch shows, of the ordinary releases or of the takeovers. `None` where the branch
    /// is not known.
    #[must_use]
    pub fn index(&self, branch: &BranchId, takeover: bool, now: Timestamp) -> Option<PackIndex> {
        let entry = self.branches.get(branch.as_str())?;
        let releases = self.live(now, takeover).into_iter();
        let releases = releases.map(|release| of_branch(release, branch, &entry.tags));
        Some(PackIndex {
            branch: branch.clone(),
            branch_name: entry.name.clone(),
            bank: self.bank.clone(),
            hotline: entry.hotline.clone().unwrap_or_else(|| self.hotline.clone()),
            screens: entry
                .screens
                .iter()
                .map(|screen| PackScreen {
                    screen: screen.screen.clone(),
                    profile: screen.profile.clone(),
                    width: screen.width,
                    height: screen.height,
                    dwell_s: screen.dwell_s,
                })
                .collect(),
            releases: releases.filter(|release| !release.entries.is_empty()).collect(),
            take_down: if takeover { Vec::new() } else { self.take_down(branch, now) },
        })
    }

    /// What must come down at a branch: recalled releases and lessons, and paper whose window is
    /// over.
    fn take_down(&self, branch: &BranchId, now: Timestamp) -> Vec<TakeDown> {
        let mut list = Vec::new();
        for release in &self.releases {
            let here = |file: &ReleaseFile| file.branch.as_ref().is_none_or(|own| own == branch);
            if !release.files.iter().any(here) {
                continue;
            }
            let mut add = |lesson: Option<&str>, since: Timestamp, reason: &str| {
                if since <= now && since.saturating_add(REMINDED).is_ok_and(|end| end > now) {
                    list.push(TakeDown {
                        key: release.key,
                        lesson: lesson.and_then(|lesson| LessonId::new(lesson).ok()),
                        title: release.titles(lesson),
                        since,
                        reason: reason.to_owned(),
                    });
                }
            };
            match &release.recalled {
                Some((since, reason)) => add(None, *since, reason),
                None if release.show_until <= now && release.has_paper() => {
                    add(None, release.show_until, "过了有效期");
                }
                None => {}
            }
            for (lesson, since, reason) in &release.recalled_lessons {
                add(Some(lesson), *since, reason);
            }
        }
        list.sort_by(|a, b| (b.since, &a.title).cmp(&(a.since, &b.title)));
        list
    }
}

fn of_branch(release: &Release, branch: &BranchId, tags: &[String]) -> PackRelease {
    let mut entries: Vec<PackEntry> = release
        .files
        .iter()
        .filter(|file| file.branch.as_ref().is_none_or(|own| own == branch))
        .filter(|file| !release.lesson_is_recalled(file.lesson.as_ref()))
        .map(|file| PackEntry {
            name: file.name.clone(),
            sha256: file.sha256,
            bytes: file.bytes,
            media_type: file.media_type,
            output: file.output,
            lesson: file.lesson.clone(),
            audience: file.audience,
            profile: file.profile.clone(),
            tags: tags.to_vec(),
            show_from: release.show_from,
            show_until: release.show_until,
            daypart: Daypart { days: file.days.clone(), hours: file.hours },
            alt: file.alt.clone(),
        })
        .collect();
    entries.sort_by(|a, b| (&a.name, a.sha256).cmp(&(&b.name, b.sha256)));
    PackRelease {
        key: release.key,
        series: release.series.clone(),
        campaign: release.campaign.clone(),
        number: release.number.clone(),
        activate_at: release.activate_at,
        takeover: release.takeover,
        entries,
    }
}
