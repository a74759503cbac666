//! Slots: when a rule is due, what the calendar and the misfire policy make of it, and which
//! lessons take turns.

mod decisions;
mod rotation;
mod warnings;
mod zones;

use caishi::{
    model::{
        Blackout, Calendar, CampaignId, ChannelId, Edition, Holiday, LessonId, Misfire, OnBlackout,
        Reach, ScheduleEntry, ScheduleId, Window,
    },
    schedule::{SlotDecision, Timetable, Verdict},
};
use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, date},
    tz::TimeZone,
};

/// Every Monday at eight in Asia/Shanghai.
fn entry() -> ScheduleEntry {
    ScheduleEntry {
        id: ScheduleId::new("weekly").unwrap(),
        campaign: CampaignId::new("routine/weekly").unwrap(),
        rule: "0 8 * * MON".into(),
        time_zone: TimeZone::get("Asia/Shanghai").unwrap(),
        misfire: Misfire::RunLatest,
        grace: SignedDuration::from_hours(2),
        channels: vec![ChannelId::new("portal").unwrap()],
        lessons_per_slot: 1,
        on_blackout: OnBlackout::Skip,
        workdays_only: false,
        enabled: true,
    }
}

/// From September to the next August, lessons `a` to `h`.
fn edition() -> Edition {
    Edition {
        id: CampaignId::new("routine/weekly").unwrap(),
        name: "每周一课".into(),
        theme: String::new(),
        from: date(2026, 9, 1),
        until: date(2027, 8, 31),
        lessons: ["a", "b", "c", "d", "e", "f", "g", "h"]
            .map(|id| LessonId::new(id).unwrap())
            .to_vec(),
        topics: vec![],
        palette: None,
        note: String::new(),
        reach: Reach::default(),
        schedules: vec![],
    }
}

/// National Day 2026 with its make-up workdays, and a blackout in December.
fn calendar() -> Calendar {
    let holiday = |day| Holiday { day: date(2026, 10, day), name: "国庆节".into() };
    Calendar {
        source: "通知".into(),
        verified_on: Some(date(2026, 11, 27)),
        published_years: vec![2026],
        holidays: (1..=7).map(holiday).collect(),
        makeup_workdays: vec![date(2026, 9, 20), date(2026, 10, 10)],
        blackouts: vec![Blackout {
            from: date(2026, 12, 13),
            until: date(2026, 12, 14),
            reason: "公祭日".into(),
        }],
    }
}

/// A time in Asia/Shanghai, `2026-11-30T08:00`.
fn at(text: &str) -> Timestamp {
    let time: jiff::civil::DateTime = text.parse().unwrap();
    time.to_zoned(TimeZone::get("Asia/Shanghai").unwrap()).unwrap().timestamp()
}

/// Decisions as text, each `scheduled[>slot] verdict`, times in Asia/Shanghai.
fn shown(decisions: &[SlotDecision]) -> Vec<String> {
    let zone = TimeZone::get("Asia/Shanghai").unwrap();
    let time = |moment: Timestamp| zone.to_datetime(moment).strftime("%m-%d %H:%M").to_string();
    let line = |decision: &SlotDecision| {
        let moved = if decision.slot == decision.scheduled {
            String::new()
        } else {
            format!(">{}", time(decision.slot))
        };
        let verdict = match &decision.verdict {
            Verdict::Fire => "fire".to_owned(),
            Verdict::Hold(reason) => format!("hold: {reason}"),
            Verdict::Skip(reason) => format!("skip: {reason}"),
        };
        format!("{}{moved} {verdict}", time(decision.scheduled))
    };
    decisions.iter().map(line).collect()
}

fn timetable<'a>(
    entry: &'a ScheduleEntry,
    edition: &'a Edition,
    calendar: &'a Calendar,
) -> Timetable<'a> {
    let window = Window { from: edition.from, until: edition.until };
    Timetable::new(entry, window, calendar).unwrap()
}

fn days(from: Date, until: Date) -> Edition {
    Edition { from, until, ..edition() }
}

#[test]
fn a_timetable_needs_a_sound_rule() {
    let calendar = calendar();
    let window = Window { from: date(2026, 9, 1), until: date(2027, 8, 31) };
    let broken = ScheduleEntry { rule: "0 8 * *".into(), ..entry() };
    let error = Timetable::new(&broken, window, &calendar).unwrap_err().to_string();
    assert!(error.contains("[schedule.weekly] rule") && error.contains("5 段"), "{error}");
}
