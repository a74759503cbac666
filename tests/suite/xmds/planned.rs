//! Windows, days and hours, editions, takeovers and recalls become events.

use super::office::{at, entry, index, now, poster, release};
use caishi::{
    model::{PackEntry, PackIndex, TakeDown},
    web::xmds::{Plan, plan},
};
use jiff::civil::{Weekday, time};

const FROM: &str = "2026-11-23T08:00:00+08:00";
const UNTIL: &str = "2026-12-07T08:00:00+08:00";

fn planned(index: PackIndex) -> Plan {
    plan(&[index], "s1", now()).unwrap()
}

/// The events as people read them.
fn events(plan: &Plan) -> Vec<String> {
    let zone = jiff::tz::TimeZone::get("Asia/Shanghai").unwrap();
    let text =
        |moment: jiff::Timestamp| moment.to_zoned(zone.clone()).strftime("%m-%d %H:%M").to_string();
    plan.events
        .iter()
        .map(|event| {
            let index = plan.posters.iter().position(|one| one.layout_id == event.layout_id);
            let poster = plan.posters[index.unwrap()].bytes;
            format!("{poster} {}—{} {}", text(event.from), text(event.until), event.priority)
        })
        .collect()
}

fn daily(days: Vec<Weekday>, hours: Option<(i8, i8)>) -> PackEntry {
    let mut entry = entry(b"x", FROM, "2026-11-30T12:00:00+08:00");
    entry.daypart.days = days;
    entry.daypart.hours = hours.map(|(from, until)| (time(from, 0, 0, 0), time(until, 0, 0, 0)));
    entry
}

#[track_caller]
fn check_daypart(entry: PackEntry, expected: &[&str]) {
    let plan = planned(index(vec![release("weekly/1", FROM, vec![entry])]));
    assert_eq!(events(&plan), expected);
}

#[test]
fn the_next_edition_takes_the_place_of_the_last_at_its_moment() {
    let next = "2026-11-30T08:00:00+08:00";
    let plan = planned(index(vec![
        release("weekly/1", FROM, vec![entry(b"one", FROM, UNTIL)]),
        release("weekly/2", next, vec![entry(b"three", FROM, UNTIL)]),
        release("rates/1", FROM, vec![entry(b"other rates", "2026-11-28T00:00:00+08:00", UNTIL)]),
        release("gone/1", FROM, vec![entry(b"over", FROM, "2026-11-27T09:30:00+08:00")]),
    ]));
    assert_eq!(
        events(&plan),
        [
            "3 11-23 08:00—11-30 08:00 0",
            "11 11-28 00:00—12-07 08:00 0",
            "5 11-30 08:00—12-07 08:00 0"
        ]
    );
}

#[test]
fn days_and_hours_are_written_out_for_a_week_within_the_window() {
    check_daypart(
        daily(vec![Weekday::Friday, Weekday::Monday], Some((9, 12))),
        &["1 11-27 09:00—11-27 12:00 0", "1 11-30 09:00—11-30 12:00 0"],
    );
    // Over midnight: the evening belongs to the day it begins on, and the window cuts it.
    check_daypart(
        daily(vec![Weekday::Sunday, Weekday::Thursday], Some((22, 10))),
        &["1 11-26 22:00—11-27 10:00 0", "1 11-29 22:00—11-30 10:00 0"],
    );
    check_daypart(daily(vec![Weekday::Saturday], None), &["1 11-28 00:00—11-29 00:00 0"]);
    check_daypart(daily(vec![Weekday::Monday], None), &["1 11-30 00:00—11-30 12:00 0"]);
}

#[test]
fn a_takeover_stands_above_and_what_was_taken_back_is_gone() {
    let mut urgent = release("urgent/1", FROM, vec![entry(b"now", FROM, UNTIL)]);
    urgent.takeover = true;
    let recalled = release("weekly/1", FROM, vec![entry(b"wrong", FROM, UNTIL)]);
    let key = recalled.key;
    let mut index = index(vec![urgent, recalled]);
    assert_eq!(events(&planned(index.clone())).len(), 2);
    let (title, reason) = (String::new(), String::new());
    index.take_down = vec![TakeDown { key, lesson: None, title, since: now(), reason }];
    assert_eq!(events(&planned(index)), ["3 11-23 08:00—12-07 08:00 100"]);
}

#[test]
fn numbers_follow_from_the_bytes_and_fit_players() {
    let of = |names: &[&[u8]]| {
        let entries = names.iter().map(|name| entry(name, FROM, UNTIL)).collect();
        planned(index(vec![release("weekly/1", FROM, entries)]))
    };
    let (one, both) = (of(&[b"one"]), of(&[b"two", b"one"]));
    let same = both.posters.iter().find(|poster| poster.sha256 == one.posters[0].sha256).unwrap();
    assert_eq!(same, &one.posters[0]);
    let ids: std::collections::BTreeSet<u32> =
        both.posters.iter().flat_map(|poster| [poster.media_id, poster.layout_id]).collect();
    assert_eq!(ids.len(), 4);
    assert!(ids.iter().all(|id| (1..=0x7fff_ffff).contains(id)));
    assert_eq!(plan(&[index(Vec::new())], "s2", now()), None, "no such screen");
    assert!(poster(1) != poster(2) && at(FROM) < now());
}
