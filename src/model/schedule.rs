//! When lessons go out: a rule of slots, and what becomes of slots that were missed or refused.

use super::{CampaignId, ChannelId, ScheduleId, suggest};
use croner::{
    Cron,
    parser::{CronParser, Seconds, Year},
};
use jiff::{SignedDuration, civil::date, tz::TimeZone};

/// When an edition's lessons go out: a `[schedule.<id>]` table of `channels.toml`, or an
/// `[[edition.schedule]]` of a campaign's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleEntry {
    /// Its name.
    pub id: ScheduleId,
    /// The campaign edition whose lessons it shows.
    pub campaign: CampaignId,
    /// A cron rule of five fields, minute first, such as `0 8 * * MON`.
    pub rule: String,
    /// The zone of the rule; Asia/Shanghai unless said otherwise.
    pub time_zone: TimeZone,
    /// What becomes of slots that were missed.
    pub misfire: Misfire,
    /// How late a slot may still be fired by itself.
    pub grace: SignedDuration,
    /// Where it goes; in a campaign's file empty for every channel that the edition goes over.
    pub channels: Vec<ChannelId>,
    /// How many lessons a slot carries; more than one rotates by that many.
    pub lessons_per_slot: usize,
    /// What becomes of slots on blackout days and, with `workdays_only`, on days off.
    pub on_blackout: OnBlackout,
    /// Whether it only fires on workdays of `calendar.toml`, make-up workdays included.
    pub workdays_only: bool,
    /// Whether it fires at all.
    pub enabled: bool,
}

/// What becomes of missed slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misfire {
    /// The latest one runs, and is held where it is later than `grace`; the others are skipped.
    /// The default.
    RunLatest,
    /// Those later than `grace` wait for a person, the others run.
    Hold,
    /// Those later than `grace` are skipped, the others run.
    Skip,
    /// All of them run, at most the last ten.
    RunAll,
}

impl Misfire {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::RunLatest, Self::Hold, Self::Skip, Self::RunAll];

    /// The name in files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RunLatest => "run_latest",
            Self::Hold => "hold",
            Self::Skip => "skip",
            Self::RunAll => "run_all",
        }
    }

    /// Reads a name; the error names those there are.
    ///
    /// # Errors
    /// What was expected, in Chinese.
    pub fn from_name(text: &str) -> Result<Self, String> {
        let known = || Self::ALL.into_iter();
        known().find(|one| one.as_str() == text).ok_or_else(|| {
            let names = suggest::known(text, known().map(Self::as_str));
            format!("不能是“{}”；{names}", short(text))
        })
    }
}

/// What becomes of a slot on a blackout day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnBlackout {
    /// It is skipped, with the reason; the default.
    Skip,
    /// It moves to the same hour of the next day that is not blacked out.
    NextDay,
}

impl OnBlackout {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Skip, Self::NextDay];

    /// The name in files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Skip => "skip",
            Self::NextDay => "next_day",
        }
    }

    /// Reads a name; the error names those there are.
    ///
    /// # Errors
    /// What was expected, in Chinese.
    pub fn from_name(text: &str) -> Result<Self, String> {
        let known = || Self::ALL.into_iter();
        known().find(|one| one.as_str() == text).ok_or_else(|| {
            let names = suggest::known(text, known().map(Self::as_str));
            format!("不能是“{}”；{names}", short(text))
        })
    }
}

/// The zone of rules that name none.
pub const DEFAULT_ZONE: &str = "Asia/Shanghai";
/// How late a slot may still fire by itself where nothing is said.
pub const DEFAULT_GRACE: SignedDuration = SignedDuration::from_hours(2);

/// Reads a cron rule of five fields, minute first.
///
/// # Errors
/// What was expected, in Chinese.
pub fn parse_rule(text: &str) -> Result<Cron, String> {
    let help = "依次写 分 时 日 月 周 五段，例如 0 8 * * MON 是每周一 8:00";
    let fields = text.split_whitespace().count();
    if fields != 5 {
        return Err(format!("“{}”有 {fields} 段，应有 5 段；{help}", short(text)));
    }
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    let rule = parser.parse(text).map_err(|_| format!("“{}”读不懂；{help}", short(text)))?;
    // The search looks ahead for many years; 31 February has no day in any of them.
    rule.find_next_occurrence(&date(2026, 1, 1).at(0, 0, 0, 0), true)
        .map_err(|_| format!("“{}”永远不会到；检查日和月，{help}", short(text)))?;
    Ok(rule)
}

/// The shortest time between two slots of a rule; `None` where it has only one. Days of a rule are
/// alike, so a few dozen slots show it.
#[must_use]
pub fn shortest_gap(rule: &Cron) -> Option<SignedDuration> {
    let mut at = date(2026, 1, 1).at(0, 0, 0, 0);
    let mut shortest = None;
    for number in 0..60 {
        let Ok(next) = rule.find_next_occurrence(&at, number == 0) else { break };
        if number > 0 {
            let gap = at.duration_until(next);
            shortest = Some(shortest.map_or(gap, |shortest: SignedDuration| shortest.min(gap)));
        }
        at = next;
    }
    shortest
}

/// Reads how late a slot may still fire: `2h`, `90m`, `1h30m`; at most seven days.
///
/// # Errors
/// What was expected, in Chinese.
pub fn parse_grace(text: &str) -> Result<SignedDuration, String> {
    let week = SignedDuration::from_hours(7 * 24);
    match text.parse::<SignedDuration>() {
        Ok(length) if length >= SignedDuration::ZERO && length <= week => Ok(length),
        Ok(_) => Err(format!("“{}”应在 0m 和 168h（七天）之间", short(text))),
        Err(_) => Err(format!("“{}”不是时长；写 2h、90m 或 1h30m", short(text))),
    }
}

/// A text as a message quotes it.
fn short(text: &str) -> String {
    let start: String = text.chars().take(60).collect();
    if start.len() < text.len() { start + "…" } else { start }
}
