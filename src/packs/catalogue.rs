//! Every release that the repository holds, from which the branches' indexes are derived.
//!
//! The catalogue is itself a target: the repository is its own memory, so that publishing needs
//! nothing but the repository and the parcel, and a lost database loses no poster.

use super::{BranchEntry, PacksError, Release, target_file};
use crate::model::{BranchId, Digest, LessonId, PackIndex, PackScreen, TakeDown};
use jiff::{SignedDuration, Timestamp};
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
    /// Whether a series stays empty where its newest release was recalled: so it is in a folder,
    /// whose pointer then names nothing. In a pack repository what came before plays again.
    #[serde(skip)]
    pub stays_empty: bool,
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

    /// The release of the same series and for the same branches whose slot is later than this one,
    /// if there is one that still counts: it would be replaced by something older.
    #[must_use]
    pub fn later_than(&self, release: &Release) -> Option<&Release> {
        self.releases.iter().find(|other| {
            other.series == release.series
                && other.slot > release.slot
                && other.recalled.is_none()
                && other.covers(release)
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
            .flat_map(|takeover| self.live(now, takeover, None))
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
    /// those that are still to come. One that goes to some branches replaces the one before it
    /// there and nowhere else; without a branch, those that any of them is told of.
    fn live(&self, now: Timestamp, takeover: bool, branch: Option<&BranchId>) -> Vec<&Release> {
        let mut live: Vec<&Release> = self
            .releases
            .iter()
            .filter(|release| release.takeover == takeover && release.recalled.is_none())
            .filter(|release| release.show_until > now)
            .filter(|release| branch.is_none_or(|branch| release.goes_to(branch)))
            .filter(|release| !self.stays_empty || !self.is_emptied(release, branch))
            .collect();
        live.sort_by(|a, b| {
            (&a.series, a.activate_at, a.slot).cmp(&(&b.series, b.activate_at, b.slot))
        });
        let is_past = |release: &&Release| {
            live.iter().any(|other| {
                other.series == release.series
                    && other.activate_at <= now
                    && (other.activate_at, other.slot) > (release.activate_at, release.slot)
                    && (branch.is_some() || other.covers(release))
            })
        };
        live.iter().copied().filter(|release| !is_past(release)).collect()
    }

    /// Whether something of the same series had replaced a release and was recalled then.
    fn is_emptied(&self, release: &Release, branch: Option<&BranchId>) -> bool {
        self.releases.iter().any(|other| {
            other.series == release.series
                && other.slot > release.slot
                && other.recalled.as_ref().is_some_and(|(at, _)| *at > release.activate_at)
                && branch.map_or_else(|| other.covers(release), |branch| other.goes_to(branch))
        })
    }

    /// What a branch shows, of the ordinary releases or of the takeovers. `None` where the branch
    /// is not known.
    #[must_use]
    pub fn index(&self, branch: &BranchId, takeover: bool, now: Timestamp) -> Option<PackIndex> {
        let entry = self.branches.get(branch.as_str())?;
        let releases = self.live(now, takeover, Some(branch)).into_iter();
        let releases = releases.map(|release| release.of_branch(branch, &entry.tags));
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
            if release.files_of(branch).next().is_none() {
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
