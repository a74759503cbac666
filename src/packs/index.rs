//! A branch's index as canonical JSON (RFC 8785), and back. It is a TUF target: its digest and
//! size are signed, and so is, through it, every file that it names.
//!
//! Keys are only ever added: players in branches are updated late.

use super::PacksError;
use crate::model::{
    Audience, BranchId, Daypart, Digest, LessonId, MediaType, OutputKind, PackEntry, PackIndex,
    PackRelease, PackScreen, TakeDown,
};
use jiff::{
    Timestamp,
    civil::{Time, Weekday},
};
use serde::{Deserialize, Serialize};

/// The version of the file.
const FORMAT: u32 = 1;

/// The largest index that a branch reads. A thousand posters are about 400 kB.
pub const INDEX_LIMIT: u64 = 4 << 20;

/// The longest flat name: with a digest before it, it stays below the 255 bytes of file systems.
const NAME_LIMIT: usize = 160;

#[derive(Serialize, Deserialize)]
struct IndexWire {
    format: u32,
    branch: String,
    branch_name: String,
    bank: String,
    hotline: String,
    screens: Vec<ScreenWire>,
    releases: Vec<ReleaseWire>,
    take_down: Vec<TakeDownWire>,
}

#[derive(Serialize, Deserialize)]
struct ScreenWire {
    screen: String,
    profile: String,
    width: u32,
    height: u32,
    dwell_s: u32,
}

#[derive(Serialize, Deserialize)]
struct ReleaseWire {
    key: String,
    series: String,
    campaign: String,
    approval: String,
    activate_at: Timestamp,
    #[serde(default)]
    takeover: bool,
    entries: Vec<EntryWire>,
}

#[derive(Serialize, Deserialize)]
struct EntryWire {
    name: String,
    sha256: String,
    length: u64,
    media_type: String,
    output: String,
    lesson: Option<String>,
    audience: String,
    profile: Option<String>,
    #[serde(default)]
    tags: Vec<String>,
    show_from: Timestamp,
    show_until: Timestamp,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    days: Vec<u8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hours: Option<(Time, Time)>,
    alt: String,
}

#[derive(Serialize, Deserialize)]
struct TakeDownWire {
    key: String,
    lesson: Option<String>,
    title: String,
    since: Timestamp,
    reason: String,
}

/// The file of an index.
///
/// # Errors
/// [`PacksError::Index`] where serialising fails.
pub fn to_json(index: &PackIndex) -> Result<Vec<u8>, PacksError> {
    let wire = IndexWire {
        format: FORMAT,
        branch: index.branch.to_string(),
        branch_name: index.branch_name.clone(),
        bank: index.bank.clone(),
        hotline: index.hotline.clone(),
        screens: index.screens.iter().map(screen_to_wire).collect(),
        releases: index.releases.iter().map(release_to_wire).collect(),
        take_down: index.take_down.iter().map(take_down_to_wire).collect(),
    };
    serde_json_canonicalizer::to_vec(&wire).map_err(|error| PacksError::Index(error.to_string()))
}

fn screen_to_wire(screen: &PackScreen) -> ScreenWire {
    ScreenWire {
        screen: screen.screen.clone(),
        profile: screen.profile.clone(),
        width: screen.width,
        height: screen.height,
        dwell_s: screen.dwell_s,
    }
}

fn release_to_wire(release: &PackRelease) -> ReleaseWire {
    ReleaseWire {
        key: release.key.to_string(),
        series: release.series.clone(),
        campaign: release.campaign.clone(),
        approval: release.number.clone(),
        activate_at: release.activate_at,
        takeover: release.takeover,
        entries: release.entries.iter().map(entry_to_wire).collect(),
    }
}

fn entry_to_wire(entry: &PackEntry) -> EntryWire {
    EntryWire {
        name: entry.name.clone(),
        sha256: entry.sha256.to_string(),
        length: entry.bytes,
        media_type: entry.media_type.to_string(),
        output: entry.output.to_string(),
        lesson: entry.lesson.as_ref().map(ToString::to_string),
        audience: entry.audience.to_string(),
        profile: entry.profile.clone(),
        tags: entry.tags.clone(),
        show_from: entry.show_from,
        show_until: entry.show_until,
        days: entry
            .daypart
            .days
            .iter()
            .map(|day| day.to_monday_one_offset().unsigned_abs())
            .collect(),
        hours: entry.daypart.hours,
        alt: entry.alt.clone(),
    }
}

fn take_down_to_wire(take_down: &TakeDown) -> TakeDownWire {
    TakeDownWire {
        key: take_down.key.to_string(),
        lesson: take_down.lesson.as_ref().map(ToString::to_string),
        title: take_down.title.clone(),
        since: take_down.since,
        reason: take_down.reason.clone(),
    }
}

/// Reads an index that was verified: even so, nothing in it may name a file outside its folder.
///
/// # Errors
/// [`PacksError::Index`] names the field that does not fit.
pub fn from_json(bytes: &[u8]) -> Result<PackIndex, PacksError> {
    let wire: IndexWire =
        serde_json::from_slice(bytes).map_err(|error| PacksError::Index(error.to_string()))?;
    if wire.format != FORMAT {
        return Err(PacksError::Index(format!(
            "format 是 {}，本程序只认 {FORMAT}；请升级网点端的 caishi",
            wire.format
        )));
    }
    Ok(PackIndex {
        branch: identifier(BranchId::new(&wire.branch))?,
        branch_name: wire.branch_name,
        bank: wire.bank,
        hotline: wire.hotline,
        screens: wire
            .screens
            .into_iter()
            .map(|screen| PackScreen {
                screen: screen.screen,
                profile: screen.profile,
                width: screen.width,
                height: screen.height,
                dwell_s: screen.dwell_s.clamp(1, 3600),
            })
            .collect(),
        releases: wire.releases.into_iter().map(release).collect::<Result<_, _>>()?,
        take_down: wire.take_down.into_iter().map(take_down).collect::<Result<_, _>>()?,
    })
}

fn release(wire: ReleaseWire) -> Result<PackRelease, PacksError> {
    Ok(PackRelease {
        key: digest(&wire.key)?,
        series: wire.series,
        campaign: wire.campaign,
        number: wire.approval,
        activate_at: wire.activate_at,
        takeover: wire.takeover,
        entries: wire.entries.into_iter().map(entry).collect::<Result<_, _>>()?,
    })
}

fn entry(wire: EntryWire) -> Result<PackEntry, PacksError> {
    if !is_flat_name(&wire.name) {
        return Err(PacksError::Index(format!(
            "文件名 {:?} 不能用：只能有小写字母、数字、点和连字符，以字母或数字开头，至多 {NAME_LIMIT} 个字符",
            wire.name.chars().take(80).collect::<String>()
        )));
    }
    let unknown = |what: &str, value: &str| PacksError::Index(format!("{what} 不能是 {value:?}"));
    let mut days = Vec::new();
    for day in &wire.days {
        let day = i8::try_from(*day).ok().and_then(|day| Weekday::from_monday_one_offset(day).ok());
        days.push(day.ok_or_else(|| PacksError::Index("days 应为 1（周一）到 7（周日）".into()))?);
    }
    Ok(PackEntry {
        sha256: digest(&wire.sha256)?,
        bytes: wire.length,
        media_type: MediaType::from_name(&wire.media_type)
            .ok_or_else(|| unknown("media_type", &wire.media_type))?,
        output: OutputKind::from_name(&wire.output)
            .ok_or_else(|| unknown("output", &wire.output))?,
        lesson: wire.lesson.as_deref().map(LessonId::new).map(identifier).transpose()?,
        audience: Audience::from_name(&wire.audience)
            .ok_or_else(|| unknown("audience", &wire.audience))?,
        profile: wire.profile,
        tags: wire.tags,
        show_from: wire.show_from,
        show_until: wire.show_until,
        daypart: Daypart { days, hours: wire.hours },
        alt: wire.alt,
        name: wire.name,
    })
}

fn take_down(wire: TakeDownWire) -> Result<TakeDown, PacksError> {
    Ok(TakeDown {
        key: digest(&wire.key)?,
        lesson: wire.lesson.as_deref().map(LessonId::new).map(identifier).transpose()?,
        title: wire.title,
        since: wire.since,
        reason: wire.reason,
    })
}

fn digest(text: &str) -> Result<Digest, PacksError> {
    Digest::from_hex(text)
        .ok_or_else(|| PacksError::Index(format!("{text:?} 不是 64 位十六进制的摘要")))
}

fn identifier<T>(result: Result<T, crate::model::IdError>) -> Result<T, PacksError> {
    result.map_err(|error| PacksError::Index(error.to_string()))
}

/// Whether a name can stand in a URL and in any file system, and names nothing but a file.
#[must_use]
pub fn is_flat_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '.' || c == '-';
    (1..=NAME_LIMIT).contains(&name.len())
        && name.chars().all(plain)
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && !name.contains("..")
        && !name.ends_with('.')
}
