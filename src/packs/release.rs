//! One delivery as the repository remembers it.

use super::text;
use crate::model::{
    Audience, BranchId, Daypart, Digest, LessonId, MediaType, OutputKind, PackEntry, PackRelease,
};
use jiff::{
    Timestamp,
    civil::{Time, Weekday},
};
use serde::{Deserialize, Serialize};

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
    /// The only branches that it goes to, sorted; `None` for every branch.
    #[serde(with = "text::list", default, skip_serializing_if = "Option::is_none")]
    pub branches: Option<Vec<BranchId>>,
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
    /// The branch; `None` for every branch that the release goes to.
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
    /// Whether a branch has anything of it.
    #[must_use]
    pub fn goes_to(&self, branch: &BranchId) -> bool {
        self.branches.as_ref().is_none_or(|branches| branches.contains(branch))
    }

    /// Whether it goes to every branch that the other one goes to.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        match (&self.branches, &other.branches) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(own), Some(theirs)) => theirs.iter().all(|branch| own.contains(branch)),
        }
    }

    /// The files that a branch has of it: its own, and those that all its branches share.
    pub fn files_of<'r>(&'r self, branch: &'r BranchId) -> impl Iterator<Item = &'r ReleaseFile> {
        let here = self.goes_to(branch);
        let is_own =
            move |file: &&ReleaseFile| file.branch.as_ref().is_none_or(|own| own == branch);
        self.files.iter().filter(move |file| here && is_own(file))
    }

    /// The lessons' titles, for people; where all of it is meant, also what hangs besides, such as
    /// the notice of complaint numbers.
    pub(super) fn titles(&self, lesson: Option<&str>) -> String {
        let mut titles: Vec<&str> = Vec::new();
        let mut files: Vec<&ReleaseFile> =
            self.files.iter().filter(|file| file.media_type != MediaType::Zip).collect();
        files.sort_by_key(|file| file.lesson.is_none());
        for file in files {
            let of = file.lesson.as_ref().map(LessonId::as_str);
            if (lesson.is_none() || of == lesson) && !titles.contains(&&*file.alt) {
                titles.push(&file.alt);
            }
        }
        if titles.is_empty() { self.campaign.clone() } else { titles.join("、") }
    }

    pub(super) fn has_paper(&self) -> bool {
        self.files.iter().any(|file| {
            !matches!(file.output, OutputKind::Screen) && file.media_type == MediaType::Pdf
        })
    }

    pub(super) fn lesson_is_recalled(&self, lesson: Option<&LessonId>) -> bool {
        lesson.is_some_and(|lesson| {
            self.recalled_lessons.iter().any(|(recalled, _, _)| recalled == lesson.as_str())
        })
    }

    /// The release as a branch has it.
    pub(super) fn of_branch(&self, branch: &BranchId, tags: &[String]) -> PackRelease {
        let mut entries: Vec<PackEntry> = self
            .files_of(branch)
            .filter(|file| !self.lesson_is_recalled(file.lesson.as_ref()))
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
                show_from: self.show_from,
                show_until: self.show_until,
                daypart: Daypart { days: file.days.clone(), hours: file.hours },
                alt: file.alt.clone(),
            })
            .collect();
        entries.sort_by(|a, b| (&a.name, a.sha256).cmp(&(&b.name, b.sha256)));
        PackRelease {
            key: self.key,
            series: self.series.clone(),
            campaign: self.campaign.clone(),
            number: self.number.clone(),
            activate_at: self.activate_at,
            takeover: self.takeover,
            entries,
        }
    }
}
