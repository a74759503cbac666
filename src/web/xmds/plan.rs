//! From a branch's indexes to what one player downloads and shows, and when.

use crate::model::{
    Daypart, Digest, MediaType, OutputKind, PackEntry, PackIndex, PackRelease, PackScreen,
    bank_zone,
};
use jiff::{SignedDuration, Timestamp, ToSpan as _, civil::Time};
use std::collections::BTreeMap;

/// How far ahead windows of days and hours are written out. A player that has heard nothing for
/// longer shows the card in their place.
const AHEAD: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Above everything else.
const TAKEOVER_PRIORITY: u32 = 100;

/// What one player downloads and shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The screen.
    pub screen: PackScreen,
    /// The bank's name, for the card.
    pub bank: String,
    /// The branch's.
    pub branch: String,
    /// The number that people call.
    pub hotline: String,
    /// The posters, by digest.
    pub posters: Vec<PlannedPoster>,
    /// When they show, by beginning.
    pub events: Vec<PlannedEvent>,
}

/// A poster: a file and the layout that shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedPoster {
    /// Its digest.
    pub sha256: Digest,
    /// Its size.
    pub bytes: u64,
    /// `png` or `jpg`.
    pub extension: &'static str,
    /// The file's number.
    pub media_id: u32,
    /// The layout's.
    pub layout_id: u32,
    /// Its title.
    pub alt: String,
}

/// A span in which a layout shows, half-open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedEvent {
    /// The layout.
    pub layout_id: u32,
    /// Its number.
    pub schedule_id: u32,
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// The highest of a moment shows alone.
    pub priority: u32,
}

/// Makes the plan of a screen; `None` where no index names it.
#[must_use]
pub fn plan(indexes: &[PackIndex], screen: &str, now: Timestamp) -> Option<Plan> {
    let named = |index: &PackIndex| index.screens.iter().find(|own| own.screen == screen).cloned();
    let (first, screen) = indexes.iter().find_map(|index| Some((index, named(index)?)))?;
    let mut posters: BTreeMap<Digest, (&PackEntry, &'static str)> = BTreeMap::new();
    let mut windows: Vec<(Digest, Timestamp, Timestamp, bool)> = Vec::new();
    for index in indexes {
        for release in &index.releases {
            let until = replaced(index, release);
            for entry in
                release.entries.iter().filter(|entry| shows(index, release, entry, &screen))
            {
                let Some(extension) = extension(entry.media_type) else { continue };
                let from = entry.show_from.max(release.activate_at);
                let until = entry.show_until.min(until);
                let spans = spans(&entry.daypart, from, until, now);
                if spans.is_empty() {
                    continue;
                }
                posters.insert(entry.sha256, (entry, extension));
                let takeover = release.takeover;
                windows.extend(spans.into_iter().map(|(a, b)| (entry.sha256, a, b, takeover)));
            }
        }
    }
    let posters = numbered(&posters, &screen);
    let layouts: BTreeMap<Digest, u32> =
        posters.iter().map(|poster| (poster.sha256, poster.layout_id)).collect();
    let mut events: Vec<PlannedEvent> = windows
        .into_iter()
        .filter_map(|(sha256, from, until, takeover)| {
            let layout_id = *layouts.get(&sha256)?;
            let priority = if takeover { TAKEOVER_PRIORITY } else { 0 };
            let fields = [&layout_id.to_le_bytes()[..], &from.as_second().to_le_bytes()[..]];
            let schedule_id = number(&Digest::of_fields(fields));
            Some(PlannedEvent { layout_id, schedule_id, from, until, priority })
        })
        .collect();
    events.sort_by_key(|event| (event.from, event.layout_id, event.until));
    events.dedup();
    Some(Plan {
        screen,
        bank: first.bank.clone(),
        branch: first.branch_name.clone(),
        hotline: first.hotline.clone(),
        posters,
        events,
    })
}

/// When the next release of the series takes the place of one.
fn replaced(index: &PackIndex, release: &PackRelease) -> Timestamp {
    let later = index
        .releases
        .iter()
        .filter(|other| other.series == release.series && other.activate_at > release.activate_at);
    later.map(|other| other.activate_at).min().unwrap_or(Timestamp::MAX)
}

/// Whether the screen may show an entry at all.
fn shows(index: &PackIndex, release: &PackRelease, entry: &PackEntry, screen: &PackScreen) -> bool {
    let down = index.take_down.iter().any(|down| {
        down.key == release.key && (down.lesson.is_none() || down.lesson == entry.lesson)
    });
    let fits = entry.profile.as_deref() == Some(screen.profile.as_str());
    !down && fits && entry.output == OutputKind::Screen
}

fn extension(media_type: MediaType) -> Option<&'static str> {
    match media_type {
        MediaType::Png => Some("png"),
        MediaType::Jpeg => Some("jpg"),
        _ => None,
    }
}

/// The spans of a window that are not over, cut by days and hours.
fn spans(
    daypart: &Daypart,
    from: Timestamp,
    until: Timestamp,
    now: Timestamp,
) -> Vec<(Timestamp, Timestamp)> {
    let open = |from: Timestamp, until: Timestamp| from < until && now < until;
    if daypart.days.is_empty() && daypart.hours.is_none() {
        return if open(from, until) { vec![(from, until)] } else { Vec::new() };
    }
    let mut spans = Vec::new();
    let first = from.max(now).to_zoned(bank_zone()).date();
    // The evening before may run over midnight into the first day.
    let mut date = first.yesterday().unwrap_or(first);
    let last = now.saturating_add(AHEAD).unwrap_or(Timestamp::MAX).min(until);
    let last = last.to_zoned(bank_zone()).date();
    while date <= last {
        let next = date.saturating_add(1.day());
        if daypart.days.is_empty() || daypart.days.contains(&date.weekday()) {
            let (begin, end) = daypart.hours.unwrap_or((Time::MIN, Time::MIN));
            let ends_on = if begin < end { date } else { next };
            let moment = |date: jiff::civil::Date, time: Time| {
                date.to_datetime(time).to_zoned(bank_zone()).ok().map(|zoned| zoned.timestamp())
            };
            if let (Some(begin), Some(end)) = (moment(date, begin), moment(ends_on, end)) {
                let (begin, end) = (begin.max(from), end.min(until));
                if open(begin, end) {
                    spans.push((begin, end));
                }
            }
        }
        if next == date {
            break;
        }
        date = next;
    }
    spans
}

/// Numbers the posters; where two digests would give one number, the later takes the next.
fn numbered(
    posters: &BTreeMap<Digest, (&PackEntry, &'static str)>,
    screen: &PackScreen,
) -> Vec<PlannedPoster> {
    let mut taken = std::collections::BTreeSet::new();
    let mut free = |wanted: u32| {
        let mut number = wanted;
        while !taken.insert(number) {
            number = number % 0x7fff_ffff + 1;
        }
        number
    };
    let shape = [screen.width, screen.height, screen.dwell_s].map(u32::to_le_bytes).concat();
    posters
        .iter()
        .map(|(sha256, (entry, extension))| PlannedPoster {
            sha256: *sha256,
            bytes: entry.bytes,
            extension,
            media_id: free(number(sha256)),
            layout_id: free(number(&Digest::of_fields([&shape[..], &sha256.as_bytes()[..]]))),
            alt: entry.alt.clone(),
        })
        .collect()
}

/// A number from 1 to 2³¹−1: players keep them in signed 32 bits.
pub(super) fn number(digest: &Digest) -> u32 {
    let bytes = digest.as_bytes();
    let number = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) & 0x7fff_ffff;
    number.max(1)
}
