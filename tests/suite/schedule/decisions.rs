//! Slots that are due → fire, hold, or skip with a reason.

use super::{at, calendar, days, edition, entry, shown, timetable};
use caishi::{
    model::{Blackout, Calendar, Misfire, OnBlackout, ScheduleEntry, Window},
    schedule::{self, MAX_AT_ONCE, SlotDecision, Verdict},
};
use jiff::{SignedDuration, Timestamp, civil::date};
use proptest::prelude::*;
use std::collections::BTreeSet;

#[track_caller]
fn check(entry: &ScheduleEntry, after: &str, now: &str, expected: &[&str]) {
    let (edition, calendar) = (edition(), calendar());
    let decided = timetable(entry, &edition, &calendar).decide(Some(at(after)), at(now));
    let lines = shown(&decided.slots);
    assert_eq!(lines.len(), expected.len(), "{lines:#?}");
    for (line, expected) in lines.iter().zip(expected) {
        assert!(line.starts_with(expected), "{lines:#?}\nlacks {expected}");
    }
    assert_eq!((decided.until, decided.clock_behind), (at(now), None));
}

#[test]
fn a_slot_fires_once_on_time() {
    check(&entry(), "2026-11-30T07:59", "2026-11-30T08:00", &["11-30 08:00 fire"]);
    check(&entry(), "2026-11-30T08:00", "2026-11-30T08:01", &[]);
    check(&entry(), "2026-11-30T07:00", "2026-11-30T07:59:59", &[]);
}

#[test]
fn missed_slots_follow_the_policy() {
    let with = |misfire| ScheduleEntry { misfire, rule: "0 8 * * *".into(), ..entry() };
    let (three_days, soon) = ("2026-11-27T09:00", "2026-11-30T09:30");
    let late = "2026-11-30T10:01";
    check(
        &with(Misfire::RunLatest),
        three_days,
        soon,
        &[
            "11-28 08:00 skip: 错过了 2 天 1 小时 30 分钟，由后面的一次代替",
            "11-29 08:00 skip: 错过了 1 天 1 小时 30 分钟",
            "11-30 08:00 fire",
        ],
    );
    check(
        &with(Misfire::RunLatest),
        three_days,
        late,
        &[
            "11-28 08:00 skip",
            "11-29 08:00 skip",
            "11-30 08:00 hold: 迟了 2 小时 1 分钟，超过宽限 2 小时，由人决定补发还是跳过",
        ],
    );
    check(
        &with(Misfire::Hold),
        three_days,
        soon,
        &["11-28 08:00 hold: 迟了", "11-29 08:00 hold: 迟了", "11-30 08:00 fire"],
    );
    check(
        &with(Misfire::Skip),
        three_days,
        late,
        &[
            "11-28 08:00 skip: 迟了 2 天 2 小时 1 分钟",
            "11-29 08:00 skip",
            "11-30 08:00 skip: 迟了 2 小时 1 分钟，超过宽限 2 小时，按排期的设置跳过",
        ],
    );
    check(&with(Misfire::Skip), "2026-11-30T07:00", soon, &["11-30 08:00 fire"]);
    check(
        &with(Misfire::RunAll),
        "2026-11-18T09:00",
        late,
        &[
            "11-19 08:00 skip: 错过了 11 天 2 小时 1 分钟，后面还有 11 次；一次至多补 10 次",
            "11-20 08:00 skip",
            "11-21 08:00 fire",
            "11-22 08:00 fire",
            "11-23 08:00 fire",
            "11-24 08:00 fire",
            "11-25 08:00 fire",
            "11-26 08:00 fire",
            "11-27 08:00 fire",
            "11-28 08:00 fire",
            "11-29 08:00 fire",
            "11-30 08:00 fire",
        ],
    );
}

#[test]
fn after_a_long_silence_a_person_looks_first() {
    // Three weeks: nobody was there, or the clock has run ahead.
    check(
        &entry(),
        "2026-11-09T09:00",
        "2026-11-30T08:30",
        &[
            "11-16 08:00 skip",
            "11-23 08:00 skip",
            "11-30 08:00 hold: 距上次处理排期已有 20 天 23 小时 30 分钟，可能停机太久，也可能是时钟跳到了将来",
        ],
    );
}

#[test]
fn a_clock_that_was_put_back_decides_nothing_again() {
    let (entry, edition, calendar) = (entry(), edition(), calendar());
    let timetable = timetable(&entry, &edition, &calendar);
    let decided = timetable.decide(Some(at("2026-11-30T08:05")), at("2026-11-30T07:35"));
    assert_eq!(decided.slots, []);
    assert_eq!(decided.until, at("2026-11-30T08:05"), "what is decided stays so");
    assert_eq!(decided.clock_behind, Some(SignedDuration::from_mins(30)));
    let again = timetable.decide(Some(decided.until), at("2026-11-30T08:06"));
    assert_eq!((again.slots, again.clock_behind), (vec![], None), "it fired before");
}

#[test]
fn a_new_schedule_starts_now() {
    let (entry, edition, calendar) = (entry(), edition(), calendar());
    let decided = timetable(&entry, &edition, &calendar).decide(None, at("2026-11-30T08:05"));
    assert_eq!((decided.slots, decided.until), (vec![], at("2026-11-30T08:05")));
}

#[test]
fn blackouts_holidays_and_a_switched_off_schedule_skip_with_the_reason() {
    let daily = ScheduleEntry {
        rule: "0 8 * * *".into(),
        grace: SignedDuration::from_hours(48),
        misfire: Misfire::Hold,
        ..entry()
    };
    check(
        &daily,
        "2026-12-12T09:00",
        "2026-12-15T09:00",
        &[
            "12-13 08:00 skip: 2026-12-13 至 2026-12-14 停发：公祭日",
            "12-14 08:00 skip: 2026-12-13 至 2026-12-14 停发：公祭日",
            "12-15 08:00 fire",
        ],
    );
    check(&daily, "2026-09-30T09:00", "2026-10-01T09:00", &["10-01 08:00 fire"]);
    let workdays = ScheduleEntry { workdays_only: true, ..daily.clone() };
    check(
        &workdays,
        "2026-10-06T09:00",
        "2026-10-11T09:00",
        &[
            "10-07 08:00 skip: 2026-10-07 是国庆节，这个排期只在工作日发",
            "10-08 08:00 hold",
            "10-09 08:00 hold",
            "10-10 08:00 fire",
            "10-11 08:00 skip: 2026-10-11 是周末",
        ],
    );
    let off = ScheduleEntry { enabled: false, ..entry() };
    check(&off, "2026-11-30T07:00", "2026-11-30T08:01", &["11-30 08:00 skip: 排期 weekly 已停用"]);
}

#[test]
fn a_blackout_may_move_a_slot_to_the_next_day() {
    let moved = ScheduleEntry { on_blackout: OnBlackout::NextDay, ..entry() };
    // Monday 14 December is blacked out: nothing on that day, the slot on the next.
    check(&moved, "2026-12-14T07:00", "2026-12-14T23:00", &[]);
    check(&moved, "2026-12-14T23:00", "2026-12-15T08:00", &["12-14 08:00>12-15 08:00 fire"]);
    check(&moved, "2026-12-15T08:00", "2026-12-16T08:00", &[]);
    // Over a holiday, several slots would meet on the first workday: that day's own stays.
    let daily = ScheduleEntry {
        rule: "0 8 * * *".into(),
        workdays_only: true,
        misfire: Misfire::Hold,
        ..moved.clone()
    };
    check(
        &daily,
        "2026-10-05T09:00",
        "2026-10-08T09:00",
        &[
            "10-01 08:00 skip: 要顺延到 2026-10-08 08:00，那时已有另一次，合成一次",
            "10-02 08:00 skip",
            "10-03 08:00 skip",
            "10-04 08:00 skip",
            "10-05 08:00 skip",
            "10-06 08:00 skip",
            "10-07 08:00 skip",
            "10-08 08:00 fire",
        ],
    );
    // Without one of its own, the first that moved.
    let twice = ScheduleEntry { rule: "0 8 * * SAT,SUN".into(), ..daily };
    check(
        &twice,
        "2026-11-27T09:00",
        "2026-11-30T09:00",
        &["11-28 08:00>11-30 08:00 fire", "11-29 08:00 skip"],
    );
}

#[test]
fn a_blackout_that_outlasts_the_month_or_the_campaign_drops_the_slot() {
    let moved = ScheduleEntry { on_blackout: OnBlackout::NextDay, ..entry() };
    let long = |until| Calendar {
        blackouts: vec![Blackout { from: date(2026, 12, 1), until, reason: "停发".into() }],
        ..calendar()
    };
    let one_day = |edition: &caishi::model::Edition, calendar: &Calendar| {
        let timetable = timetable(&moved, edition, calendar);
        shown(&timetable.decide(Some(at("2026-12-07T07:00")), at("2026-12-07T09:00")).slots)
    };
    let lines = one_day(&edition(), &long(date(2027, 3, 1)));
    assert!(lines[0].ends_with("31 天内没有可以顺延到的日子"), "{lines:?}");
    let lines = one_day(&days(date(2026, 9, 1), date(2026, 12, 10)), &long(date(2026, 12, 20)));
    assert!(lines[0].ends_with("顺延后已过活动最后一天 2026-12-10"), "{lines:?}");
}

#[test]
fn a_campaign_has_slots_on_its_days_only() {
    let (entry, calendar) = (ScheduleEntry { rule: "0 0,8 * * *".into(), ..entry() }, calendar());
    let edition = days(date(2026, 11, 28), date(2026, 11, 29));
    let timetable = timetable(&entry, &edition, &calendar);
    let coming = timetable.upcoming(at("2026-11-01T00:00"), 99);
    assert_eq!(
        shown(&coming),
        ["11-28 00:00 fire", "11-28 08:00 fire", "11-29 00:00 fire", "11-29 08:00 fire"]
    );
    assert_eq!(timetable.upcoming(at("2026-11-29T08:00"), 99), []);
    assert_eq!(timetable.upcoming(at("2026-11-01T00:00"), 1).len(), 1);
    let beyond = schedule::upcoming(&entry, &calendar, at("2026-11-29T08:00"), 2);
    assert_eq!(shown(&beyond), ["11-30 00:00 fire", "11-30 08:00 fire"], "whatever the campaign");
}

#[test]
fn upcoming_slots_tell_what_is_known_beforehand() {
    let (entry, edition, calendar) = (entry(), edition(), calendar());
    let coming = timetable(&entry, &edition, &calendar).upcoming(at("2026-12-01T00:00"), 2);
    assert_eq!(
        shown(&coming),
        [
            "12-07 08:00 fire",
            "12-14 08:00 skip: 2026-12-13 至 2026-12-14 停发：公祭日",
            "12-21 08:00 fire",
        ]
    );
    let firing = |entry: &ScheduleEntry| {
        shown(&schedule::upcoming(entry, &calendar, at("2026-12-13T00:00"), 2))
    };
    assert_eq!(firing(&entry), ["12-21 08:00 fire", "12-28 08:00 fire"]);
    let moved = ScheduleEntry { on_blackout: OnBlackout::NextDay, ..entry.clone() };
    assert_eq!(firing(&moved), ["12-14 08:00>12-15 08:00 fire", "12-21 08:00 fire"]);
    assert_eq!(firing(&ScheduleEntry { enabled: false, ..entry.clone() }), Vec::<String>::new());
    let leap = ScheduleEntry { rule: "0 8 29 2 *".into(), ..entry };
    assert_eq!(firing(&leap).len(), 2, "2028 and 2032");
}

#[test]
fn a_flood_of_missed_slots_is_decided_in_portions() {
    let entry = ScheduleEntry { rule: "* * * * *".into(), ..entry() };
    let (edition, calendar) = (edition(), calendar());
    let timetable = timetable(&entry, &edition, &calendar);
    let (start, now) = (at("2026-11-28T00:00"), at("2026-11-29T16:00"));
    let mut after = start;
    let mut all = Vec::new();
    while after < now {
        let decided = timetable.decide(Some(after), now);
        assert!(decided.slots.len() <= MAX_AT_ONCE && decided.until > after);
        after = decided.until;
        all.extend(decided.slots);
    }
    assert_eq!(all.len(), 40 * 60, "one a minute");
    assert!(all.windows(2).all(|pair| pair[0].slot < pair[1].slot));
    let window = Window { from: edition.from, until: edition.until };
    assert_eq!(schedule::decide(&entry, window, &calendar, Some(start), now), all);
    let fired = all.iter().filter(|one| one.verdict == Verdict::Fire).count();
    assert_eq!((fired, &all.last().unwrap().verdict), (1, &Verdict::Fire), "only the latest");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    /// However the time is cut into ticks, and whatever the policy: every slot is decided once.
    #[test]
    fn every_slot_is_decided_once(
        rule in prop::sample::select(&["0 8 * * MON", "0 8 * * *", "0 8,20 * * *", "30 9 * * SAT,SUN"][..]),
        misfire in prop::sample::select(&[Misfire::RunLatest, Misfire::Hold, Misfire::Skip, Misfire::RunAll][..]),
        on_blackout in prop::sample::select(&[OnBlackout::Skip, OnBlackout::NextDay][..]),
        workdays_only: bool,
        start in 0_i64..80 * 86_400,
        ticks in prop::collection::vec(1_i64..600_000, 1..30),
    ) {
        let entry = ScheduleEntry { rule: rule.into(), misfire, on_blackout, workdays_only, ..entry() };
        let (edition, calendar) = (edition(), calendar());
        let timetable = timetable(&entry, &edition, &calendar);
        let start = at("2026-09-15T00:00") + SignedDuration::from_secs(start);
        let mut after = start;
        let mut decided = Vec::new();
        for tick in &ticks {
            let now = after + SignedDuration::from_secs(*tick);
            let portion = timetable.decide(Some(after), now);
            prop_assert_eq!(portion.until, now);
            decided.extend(portion.slots);
            after = now;
        }
        let mut coming = timetable.upcoming(start, 10_000);
        let key = |one: &SlotDecision| (one.scheduled, one.slot);
        let seen: BTreeSet<_> = decided.iter().map(key).collect();
        // What is decided at the moment of the slot that it would have met is foretold with it.
        coming.truncate(decided.len());
        prop_assert_eq!(&seen, &coming.iter().map(key).collect(), "as was foretold");
        prop_assert_eq!(seen.len(), decided.len(), "nothing twice");
        let slots: BTreeSet<Timestamp> = decided.iter().map(|one| one.slot).collect();
        prop_assert_eq!(slots.len(), decided.len(), "no name twice");
        let window = Window { from: edition.from, until: edition.until };
        let at_once = schedule::decide(&entry, window, &calendar, Some(start), after);
        prop_assert_eq!(&seen, &at_once.iter().map(key).collect(), "one look or many");
        let mut fired: Vec<Timestamp> =
            decided.iter().filter(|one| one.verdict == Verdict::Fire).map(|one| one.slot).collect();
        let count = fired.len();
        fired.dedup();
        prop_assert_eq!(fired.len(), count, "never two at one moment");
        for one in &decided {
            if let Verdict::Hold(reason) | Verdict::Skip(reason) = &one.verdict {
                prop_assert!(!reason.is_empty());
            }
        }
    }
}

/// What the calendar moves to a moment whose own slot a person moved away does not take its name:
/// it would fire under it, or vanish, for the ledger knows every slot by its name once.
#[test]
fn nothing_takes_the_name_of_a_slot_that_was_moved_away() {
    let daily = ScheduleEntry {
        rule: "0 8 * * *".into(),
        workdays_only: true,
        on_blackout: OnBlackout::NextDay,
        ..entry()
    };
    let calendar = calendar();
    let window = Window { from: date(2026, 9, 1), until: date(2027, 8, 31) };
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let monday = at("2026-11-30T00:00:00Z");
    for due in [at("2026-11-28T12:00:00Z"), at("2026-11-30T02:00:00Z")] {
        let moves = [caishi::model::SlotMove {
            slot: monday,
            due,
            by: "publisher".into(),
            at: at("2026-11-27T00:00:00Z"),
            reason: "提前".into(),
            decided: false,
        }];
        let timetable =
            caishi::schedule::Timetable::new(&daily, window, &calendar).unwrap().with_moves(&moves);
        let slots = timetable.between(at("2026-11-27T02:00:00Z"), at("2026-11-30T12:00:00Z"));
        let named: Vec<&SlotDecision> = slots.iter().filter(|one| one.slot == monday).collect();
        assert_eq!(named.len(), 1, "{slots:?}");
        assert_eq!((named[0].due, &named[0].verdict), (due, &Verdict::Fire), "{slots:?}");
        // Saturday's and Sunday's are told to be skipped, under their own names.
        let skipped = slots.iter().filter(|one| matches!(one.verdict, Verdict::Skip(_)));
        assert_eq!(skipped.count(), 2, "{slots:?}");
    }
}
