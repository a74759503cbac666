//! Where clocks change: left-out times move to the first that exists, doubled times count once,
//! days that are left out have no slots.

use caishi::{
    model::schedule::parse_rule,
    schedule::{Instants, resolve},
};
use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};
use proptest::prelude::*;

/// The slots of a rule between two local times, first excluded, last included, with their offset.
fn slots(zone: &str, rule: &str, after: &str, until: &str) -> Vec<String> {
    let zone = TimeZone::get(zone).unwrap();
    let rule = parse_rule(rule).unwrap();
    let moment = |text: &str| {
        let time: DateTime = text.parse().unwrap();
        zone.to_timestamp(time).unwrap()
    };
    let shown =
        |slot: Timestamp| slot.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M %:z").to_string();
    Instants::new(&rule, &zone, moment(after), moment(until)).map(shown).collect()
}

/// Zone, rule, first bound, last bound, slots, and what happened there.
type Change =
    (&'static str, &'static str, &'static str, &'static str, &'static [&'static str], &'static str);

const CHANGES: &[Change] = &[
    (
        "Asia/Shanghai",
        "30 0 * * *",
        "1986-05-03T12:00",
        "1986-05-05T12:00",
        &["1986-05-04 00:30 +08:00", "1986-05-05 00:30 +09:00"],
        "China had summer time from 1986; at 2:00 the clock went to 3:00",
    ),
    (
        "Asia/Shanghai",
        "30 2 * * SUN",
        "1986-05-03T12:00",
        "1986-05-11T12:00",
        &["1986-05-04 03:00 +09:00", "1986-05-11 02:30 +09:00"],
        "2:30 was left out: the first moment that existed",
    ),
    (
        "Asia/Shanghai",
        "30 1 * * *",
        "1991-09-14T12:00",
        "1991-09-16T12:00",
        &["1991-09-15 01:30 +09:00", "1991-09-16 01:30 +08:00"],
        "1:30 came twice on the last day of summer time: the first time only",
    ),
    (
        "Asia/Hong_Kong",
        "45 3 * * *",
        "1976-04-17T12:00",
        "1976-04-19T12:00",
        &["1976-04-18 04:30 +09:00", "1976-04-19 03:45 +09:00"],
        "Hong Kong changed at 3:30",
    ),
    (
        "Asia/Kathmandu",
        "5 0 1 1 *",
        "1985-12-31T12:00",
        "1986-01-02T00:00",
        &["1986-01-01 00:15 +05:45"],
        "Nepal skipped the first quarter of an hour of 1986",
    ),
    (
        "America/New_York",
        "30 2 * * *",
        "2026-03-07T12:00",
        "2026-03-09T12:00",
        &["2026-03-08 03:00 -04:00", "2026-03-09 02:30 -04:00"],
        "a gap",
    ),
    (
        "America/New_York",
        "*/30 1-3 8 3 *",
        "2026-03-08T00:00",
        "2026-03-08T12:00",
        &[
            "2026-03-08 01:00 -05:00",
            "2026-03-08 01:30 -05:00",
            "2026-03-08 03:00 -04:00",
            "2026-03-08 03:30 -04:00",
        ],
        "times of one gap and the first after it are one slot",
    ),
    (
        "America/New_York",
        "30 1 * * *",
        "2026-10-31T12:00",
        "2026-11-02T12:00",
        &["2026-11-01 01:30 -04:00", "2026-11-02 01:30 -05:00"],
        "a fold",
    ),
    (
        "America/New_York",
        "*/30 1-2 1 11 *",
        "2026-11-01T00:00",
        "2026-11-01T12:00",
        &[
            "2026-11-01 01:00 -04:00",
            "2026-11-01 01:30 -04:00",
            "2026-11-01 02:00 -05:00",
            "2026-11-01 02:30 -05:00",
        ],
        "rules with steps are not doubled either",
    ),
    (
        "Europe/London",
        "30 1 * * SUN",
        "2026-03-28T12:00",
        "2026-04-05T12:00",
        &["2026-03-29 02:00 +01:00", "2026-04-05 01:30 +01:00"],
        "a gap at 1:00",
    ),
    (
        "Europe/London",
        "0 1 * * *",
        "2026-10-24T12:00",
        "2026-10-26T12:00",
        &["2026-10-25 01:00 +01:00", "2026-10-26 01:00 +00:00"],
        "the edge of a fold",
    ),
    (
        "Australia/Lord_Howe",
        "15 2 * * *",
        "2026-10-03T12:00",
        "2026-10-05T12:00",
        &["2026-10-04 02:30 +11:00", "2026-10-05 02:15 +11:00"],
        "half an hour is left out",
    ),
    (
        "Australia/Lord_Howe",
        "45 1 * * *",
        "2026-04-04T12:00",
        "2026-04-06T12:00",
        &["2026-04-05 01:45 +11:00", "2026-04-06 01:45 +10:30"],
        "half an hour is doubled",
    ),
    (
        "Pacific/Apia",
        "0 8 * * *",
        "2011-12-29T00:00",
        "2012-01-01T00:00",
        &["2011-12-29 08:00 -10:00", "2011-12-31 08:00 +14:00"],
        "30 December 2011 was left out: it has no slots, and 31 December has only its own",
    ),
    (
        "Pacific/Apia",
        "0 8 30 * *",
        "2011-12-01T00:00",
        "2012-01-31T00:00",
        &["2012-01-30 08:00 +14:00"],
        "as in February, there was no 30th",
    ),
    (
        "Africa/Casablanca",
        "30 2 * * SUN",
        "2026-02-14T12:00",
        "2026-03-22T12:00",
        &[
            "2026-02-15 02:30 +01:00",
            "2026-02-22 02:30 +00:00",
            "2026-03-01 02:30 +00:00",
            "2026-03-08 02:30 +00:00",
            "2026-03-15 02:30 +00:00",
            "2026-03-22 03:00 +01:00",
        ],
        "Morocco leaves its time for Ramadan; the fold at 3:00 and the gap at 2:00",
    ),
    (
        "Asia/Tehran",
        "30 0 22 3 *",
        "2022-03-21T12:00",
        "2022-03-23T00:00",
        &["2022-03-22 01:00 +04:30"],
        "a gap at midnight",
    ),
    (
        "Asia/Tehran",
        "30 23 21 9 *",
        "2022-09-20T12:00",
        "2022-09-22T12:00",
        &["2022-09-21 23:30 +04:30"],
        "the hour before midnight came twice",
    ),
    (
        "America/Sao_Paulo",
        "0 0 * * *",
        "2018-11-03T12:00",
        "2018-11-05T12:00",
        &["2018-11-04 01:00 -02:00", "2018-11-05 00:00 -02:00"],
        "midnight did not exist",
    ),
    (
        "America/Toronto",
        "45 23 30 3 *",
        "1919-03-30T12:00",
        "1919-03-31T12:00",
        &["1919-03-31 00:30 -04:00"],
        "a gap across midnight leaves out no day",
    ),
    (
        "Asia/Shanghai",
        "0 8 29 2 *",
        "2024-01-01T00:00",
        "2029-01-01T00:00",
        &["2024-02-29 08:00 +08:00", "2028-02-29 08:00 +08:00"],
        "leap days",
    ),
    (
        "Asia/Shanghai",
        "0 8 * * MON",
        "2026-12-20T00:00",
        "2027-01-12T00:00",
        &[
            "2026-12-21 08:00 +08:00",
            "2026-12-28 08:00 +08:00",
            "2027-01-04 08:00 +08:00",
            "2027-01-11 08:00 +08:00",
        ],
        "ISO week 53 of 2026 is a week like others",
    ),
    (
        "Asia/Shanghai",
        "59 23 L * *",
        "2026-01-30T00:00",
        "2026-05-01T00:00",
        &[
            "2026-01-31 23:59 +08:00",
            "2026-02-28 23:59 +08:00",
            "2026-03-31 23:59 +08:00",
            "2026-04-30 23:59 +08:00",
        ],
        "the last minute of months",
    ),
    (
        "Asia/Shanghai",
        "0 8 * * MON",
        "2026-11-30T08:00",
        "2026-12-07T08:00",
        &["2026-12-07 08:00 +08:00"],
        "the first bound is excluded, the last included",
    ),
];

#[test]
fn changes_of_the_clock() {
    for (zone, rule, after, until, expected, why) in CHANGES {
        assert_eq!(slots(zone, rule, after, until), *expected, "{zone} “{rule}”: {why}");
    }
}

const ZONES: [&str; 10] = [
    "Asia/Shanghai",
    "America/New_York",
    "Europe/London",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Africa/Casablanca",
    "America/Sao_Paulo",
    "Asia/Tehran",
    "Asia/Kathmandu",
    "UTC",
];
const RULES: [&str; 7] = [
    "0 8 * * MON",
    "30 2 * * *",
    "*/30 * * * *",
    "15 0 * * *",
    "0 1,2,3 * * SUN",
    "45 23 L * *",
    "0 0 30 * *",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// However the time is cut into ticks, the slots are the same and each comes once, later than
    /// the one before.
    #[test]
    fn no_slot_is_lost_or_doubled_by_the_ticks(
        zone in prop::sample::select(&ZONES[..]),
        rule in prop::sample::select(&RULES[..]),
        start in 500_000_000_i64..1_800_000_000,
        ticks in prop::collection::vec(1_i64..400_000, 1..12),
    ) {
        let zone = TimeZone::get(zone).unwrap();
        let rule = parse_rule(rule).unwrap();
        let start = Timestamp::from_second(start).unwrap();
        let end = start + SignedDuration::from_secs(ticks.iter().sum());
        let whole: Vec<Timestamp> = Instants::new(&rule, &zone, start, end).collect();
        prop_assert!(whole.windows(2).all(|pair| pair[0] < pair[1]));
        prop_assert!(whole.iter().all(|slot| start < *slot && *slot <= end));
        let mut parts = Vec::new();
        let mut from = start;
        for tick in ticks {
            let to = from + SignedDuration::from_secs(tick);
            parts.extend(Instants::new(&rule, &zone, from, to));
            from = to;
        }
        prop_assert_eq!(parts, whole);
    }

    /// Whatever exists, and exists once, is found as it is; nothing else is ever early.
    #[test]
    fn a_time_leads_to_the_first_moment_at_which_the_clock_has_reached_it(
        zone in prop::sample::select(&ZONES[..]),
        second in 300_000_000_i64..1_900_000_000,
    ) {
        let zone = TimeZone::get(zone).unwrap();
        let moment = Timestamp::from_second(second).unwrap();
        let found = resolve(&zone, zone.to_datetime(moment)).unwrap();
        prop_assert!(found <= moment, "a time on the clock is never later than now");
        prop_assert!(zone.to_datetime(found) == zone.to_datetime(moment));
    }
}
