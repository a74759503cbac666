//! What one branch is to show and hang up: its index of releases, and what plays at a moment.

use super::{Audience, BranchId, Digest, LessonId, MediaType, OutputKind};
use jiff::{
    Timestamp,
    civil::{Time, Weekday},
    tz::TimeZone,
};

/// Everything that one branch may show, as one signed file: the current release of every series,
/// the next one where it is already there, and what must come down.
#[derive(Debug, Clone, PartialEq)]
pub struct PackIndex {
    /// The branch.
    pub branch: BranchId,
    /// Its name as shown.
    pub branch_name: String,
    /// The bank's name, for the card of a screen that has nothing to show.
    pub bank: String,
    /// The number that people call, as shown.
    pub hotline: String,
    /// The screens of the branch.
    pub screens: Vec<PackScreen>,
    /// Sorted by series, then by activation.
    pub releases: Vec<PackRelease>,
    /// What must come down from walls and out of racks, newest first.
    pub take_down: Vec<TakeDown>,
}

/// One screen of a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackScreen {
    /// Its name within the branch.
    pub screen: String,
    /// The profile its posters are cut to.
    pub profile: String,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// How long one poster stays, in seconds.
    pub dwell_s: u32,
}

/// What one delivery brings to one branch. A release takes the place of the one before it in its
/// series, whole and at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackRelease {
    /// The delivery's key.
    pub key: Digest,
    /// The campaign series; releases of one series replace each other.
    pub series: String,
    /// Series and edition, `routine/weekly`.
    pub campaign: String,
    /// The approval number.
    pub number: String,
    /// The moment from which it plays.
    pub activate_at: Timestamp,
    /// Whether it takes every screen over while it lasts.
    pub takeover: bool,
    /// Its files, sorted by name.
    pub entries: Vec<PackEntry>,
}

/// One file of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackEntry {
    /// A flat name: no folders, only `a-z 0-9 . -`. The file is `targets/<sha256>.<name>`.
    pub name: String,
    /// Its digest.
    pub sha256: Digest,
    /// Its size.
    pub bytes: u64,
    /// Its type.
    pub media_type: MediaType,
    /// What it is: `screen` plays, the rest is for people.
    pub output: OutputKind,
    /// The lesson.
    pub lesson: Option<LessonId>,
    /// For whom it was written.
    pub audience: Audience,
    /// The screen profile or paper format.
    pub profile: Option<String>,
    /// The tags of the branch it was chosen by.
    pub tags: Vec<String>,
    /// The first moment it may be shown.
    pub show_from: Timestamp,
    /// The moment from which it may not: the window is half-open.
    pub show_until: Timestamp,
    /// When within its window it plays.
    pub daypart: Daypart,
    /// The title, which is also its text for people who cannot see it.
    pub alt: String,
}

/// On which days and between which times of day something plays, in Asia/Shanghai.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Daypart {
    /// The weekdays; empty is every day.
    pub days: Vec<Weekday>,
    /// From when to when, half-open; a window that ends before it begins runs over midnight and
    /// belongs to the day it begins on.
    pub hours: Option<(Time, Time)>,
}

/// Something that was public and must no longer hang anywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakeDown {
    /// The delivery it came with.
    pub key: Digest,
    /// The lesson; `None` for everything of the delivery.
    pub lesson: Option<LessonId>,
    /// What people look for: the titles.
    pub title: String,
    /// Since when.
    pub since: Timestamp,
    /// Why, in Chinese.
    pub reason: String,
}

impl Daypart {
    /// Whether it plays at that moment.
    #[must_use]
    pub fn contains(&self, moment: Timestamp) -> bool {
        let local = moment.to_zoned(bank_zone());
        let on = |day: Weekday| self.days.is_empty() || self.days.contains(&day);
        let (today, time) = (local.weekday(), local.time());
        match self.hours {
            None => on(today),
            Some((from, until)) if from < until => on(today) && from <= time && time < until,
            // Over midnight: the early hours belong to the evening before.
            Some((from, until)) => {
                (from <= time && on(today)) || (time < until && on(today.previous()))
            }
        }
    }
}

/// The zone whose days and hours count for every bank of the country (GB/T 7408.1).
#[must_use]
pub fn bank_zone() -> TimeZone {
    TimeZone::get("Asia/Shanghai").unwrap_or_else(|_| TimeZone::fixed(jiff::tz::offset(8)))
}

/// A moment as people say it in messages, in the bank's zone: `12-02 周三 10:30`.
#[must_use]
pub fn spoken(at: Timestamp) -> String {
    let at = at.to_zoned(bank_zone());
    let days = ["一", "二", "三", "四", "五", "六", "日"];
    let day = days[usize::from(at.weekday().to_monday_zero_offset().unsigned_abs()) % 7];
    format!("{} 周{day} {}", at.strftime("%m-%d"), at.strftime("%H:%M"))
}

impl PackRelease {
    /// The bytes of its files for screens.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.entries.iter().map(|entry| entry.bytes).sum()
    }
}

impl PackIndex {
    /// The release of each series that plays at a moment: the latest that is due and whole.
    /// Until the next one is whole, the one before it plays on.
    pub fn active(
        &self,
        now: Timestamp,
        whole: impl Fn(&PackRelease) -> bool,
    ) -> Vec<&PackRelease> {
        let mut active: Vec<&PackRelease> = Vec::new();
        for release in &self.releases {
            if release.activate_at > now || !whole(release) {
                continue;
            }
            match active.iter_mut().find(|other| other.series == release.series) {
                Some(other) if other.activate_at <= release.activate_at => *other = release,
                Some(_) => {}
                None => active.push(release),
            }
        }
        active
    }

    /// What a screen of that profile plays at a moment, in order: the posters of the active
    /// releases that are within their windows. While a takeover has something for the profile,
    /// nothing else plays. Empty where there is nothing valid: the idle card.
    #[must_use]
    pub fn playlist(
        &self,
        profile: &str,
        now: Timestamp,
        whole: impl Fn(&PackRelease) -> bool,
    ) -> Vec<(&PackRelease, &PackEntry)> {
        let shows = |entry: &&PackEntry| {
            entry.output == OutputKind::Screen
                && entry.profile.as_deref() == Some(profile)
                && entry.show_from <= now
                && now < entry.show_until
                && entry.daypart.contains(now)
        };
        let mut playing: Vec<(&PackRelease, &PackEntry)> = Vec::new();
        for release in self.active(now, whole) {
            playing.extend(release.entries.iter().filter(shows).map(|entry| (release, entry)));
        }
        if playing.iter().any(|(release, _)| release.takeover) {
            playing.retain(|(release, _)| release.takeover);
        }
        playing
    }

    /// The next moment after `now` at which a playlist could change without new metadata: an
    /// activation, a window's edge or a daypart's edge; `None` where nothing is to come.
    #[must_use]
    pub fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        let mut moments: Vec<Timestamp> = Vec::new();
        for release in &self.releases {
            moments.push(release.activate_at);
            for entry in &release.entries {
                moments.extend([entry.show_from, entry.show_until]);
                moments.extend(entry.daypart.edges(now));
            }
        }
        moments.into_iter().filter(|moment| *moment > now).min()
    }
}

impl Daypart {
    /// The edges of this day and the next.
    fn edges(&self, now: Timestamp) -> Vec<Timestamp> {
        if self.days.is_empty() && self.hours.is_none() {
            return Vec::new();
        }
        let today = now.to_zoned(bank_zone()).date();
        let (from, until) = self.hours.unwrap_or((Time::MIN, Time::MIN));
        let days = [Some(today), today.tomorrow().ok()];
        let moment = |day: jiff::civil::Date, time: Time| {
            day.to_datetime(time).to_zoned(bank_zone()).ok().map(|zoned| zoned.timestamp())
        };
        days.into_iter()
            .flatten()
            .flat_map(|day| [moment(day, from), moment(day, until)])
            .flatten()
            .collect()
    }
}
