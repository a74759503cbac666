//! A parcel → a release: flat names, moments, dayparts.

use crate::{
    deliver::Parcel,
    model::{Audience, LessonId, Listing, MediaType, bank_zone},
    packs::{FACTS_PATH, PackFacts, Release, ReleaseFile},
};
use jiff::{
    SignedDuration, Timestamp, ToSpan as _,
    civil::{Date, Time, Weekday},
};

/// When a release is switched to and plays.
#[derive(Debug, Clone)]
pub(super) struct Timing {
    /// The time of day at which branches switch.
    pub(super) activate: Time,
    /// What lies at least between a slot and that moment.
    pub(super) stage: SignedDuration,
    /// Whether releases take screens over at once.
    pub(super) takeover: bool,
    /// When what plays.
    pub(super) dayparts: Vec<DaypartRule>,
}

/// When the files of these audiences and lessons play; empty lists mean all.
#[derive(Debug, Clone, Default)]
pub(super) struct DaypartRule {
    pub(super) audiences: Vec<Audience>,
    pub(super) lessons: Vec<LessonId>,
    pub(super) days: Vec<Weekday>,
    pub(super) hours: Option<(Time, Time)>,
}

impl DaypartRule {
    fn is_for(&self, file: &Listing) -> bool {
        (self.audiences.is_empty() || self.audiences.contains(&file.audience))
            && (self.lessons.is_empty()
                || file.lesson.as_ref().is_some_and(|lesson| self.lessons.contains(lesson)))
    }
}

impl Timing {
    /// The moment at which branches switch to what was due at `slot`: the first `activate` that
    /// leaves them the time to fetch it.
    pub(super) fn activation(&self, slot: Timestamp) -> Timestamp {
        if self.takeover {
            return slot;
        }
        let ready = slot.saturating_add(self.stage).unwrap_or(slot);
        let day = ready.to_zoned(bank_zone()).date();
        let on = |day: Date| {
            day.to_datetime(self.activate).to_zoned(bank_zone()).ok().map(|at| at.timestamp())
        };
        let days = [Some(day), day.tomorrow().ok()];
        let moments = days.into_iter().flatten().filter_map(on);
        moments.into_iter().find(|at| *at >= ready).unwrap_or(ready)
    }

    /// The release that a parcel is.
    pub(super) fn release(&self, parcel: &Parcel, facts: &PackFacts) -> Release {
        let midnight =
            |day: Date| day.to_zoned(bank_zone()).map_or(Timestamp::MAX, |zoned| zoned.timestamp());
        let after = parcel.window.until.checked_add(1.day()).map_or(Timestamp::MAX, midnight);
        let files = parcel.files.iter().filter(|file| file.path != FACTS_PATH);
        let mut files: Vec<ReleaseFile> = files.map(|file| self.file(file, facts)).collect();
        files.sort_by(|a, b| (&a.branch, &a.name, a.sha256).cmp(&(&b.branch, &b.name, b.sha256)));
        Release {
            key: *parcel.key.digest(),
            takeover: self.takeover,
            series: parcel.campaign.series.clone(),
            campaign: parcel.campaign.to_string(),
            number: parcel.number.clone(),
            slot: parcel.slot,
            activate_at: self.activation(parcel.slot),
            show_from: midnight(parcel.window.from),
            show_until: after,
            recalled: None,
            recalled_lessons: Vec::new(),
            swept: false,
            branches: parcel.branches.clone(),
            files,
        }
    }

    fn file(&self, file: &Listing, facts: &PackFacts) -> ReleaseFile {
        let daypart = self.dayparts.iter().find(|rule| rule.is_for(file));
        let title = file.lesson.as_ref().and_then(|lesson| {
            facts.titles.get(&format!("{lesson}/{}", file.audience)).map(String::as_str)
        });
        ReleaseFile {
            name: flat_name(file),
            sha256: file.sha256,
            bytes: file.bytes,
            media_type: file.media_type,
            output: file.output,
            lesson: file.lesson.clone(),
            audience: file.audience,
            profile: file.profile.clone(),
            branch: file.branch.clone(),
            days: daypart.map(|rule| rule.days.clone()).unwrap_or_default(),
            hours: daypart.and_then(|rule| rule.hours),
            alt: title.unwrap_or(file.output.label()).to_owned(),
        }
    }
}

/// A name without folders, of characters that every file system and URL takes: the digest before
/// it tells files apart, the name is for people.
pub(super) fn flat_name(file: &Listing) -> String {
    let extension = match file.media_type {
        MediaType::Svg => "svg",
        MediaType::Png => "png",
        MediaType::Jpeg => "jpg",
        MediaType::Pdf => "pdf",
        MediaType::Html => "html",
        MediaType::Text => "txt",
        MediaType::Json => "json",
        MediaType::Zip => "zip",
    };
    let lesson = file.lesson.as_ref().map_or("pack", |lesson| lesson.as_str());
    let mut name = format!("{lesson}.{}.{}", file.output, file.audience);
    if let Some(profile) = &file.profile {
        let plain = |c: char| {
            let c = c.to_ascii_lowercase();
            if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '-' }
        };
        name.push('.');
        name.extend(profile.chars().map(plain).take(40));
    }
    format!("{}.{extension}", name.trim_end_matches(['-', '.']))
}

/// The file with what the delivery says about branches and lessons.
pub(super) fn facts_file(parcel: &Parcel) -> Option<&Listing> {
    parcel.files.iter().find(|file| file.path == FACTS_PATH)
}
