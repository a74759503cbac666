//! Lessons take turns, slot by slot, whatever becomes of the slots.

use super::{at, edition, entry};
use caishi::{
    model::{Edition, ScheduleEntry},
    schedule::lessons_of_slot,
};

fn lessons(entry: &ScheduleEntry, edition: &Edition, slot: &str) -> String {
    let lessons = lessons_of_slot(entry, edition, at(slot));
    lessons.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

#[test]
fn each_week_shows_the_next_lesson() {
    let edition = edition();
    // The edition begins on a Tuesday; its first Monday is the 7th.
    for (slot, expected) in [
        ("2026-09-07T08:00", "a"),
        ("2026-09-14T08:00", "b"),
        ("2026-10-26T08:00", "h"),
        ("2026-11-02T08:00", "a"),
        ("2026-12-14T08:00", "g"), // blacked out, and counts all the same
        ("2026-12-21T08:00", "h"),
        ("2026-12-15T08:00", "g"), // where it was moved to
        ("2026-12-16T12:00", "g"), // between two slots: those of the earlier one
        ("2026-09-01T00:00", "a"),
    ] {
        assert_eq!(lessons(&entry(), &edition, slot), expected, "{slot}");
    }
}

#[test]
fn several_lessons_turn_by_that_many() {
    let several = |count| ScheduleEntry { lessons_per_slot: count, ..entry() };
    let edition = edition();
    for (count, slot, expected) in [
        (3, "2026-09-07T08:00", "a b c"),
        (3, "2026-09-14T08:00", "d e f"),
        (3, "2026-09-21T08:00", "g h a"),
        (3, "2026-09-28T08:00", "b c d"),
        (8, "2026-09-14T08:00", "a b c d e f g h"),
        (50, "2026-09-14T08:00", "a b c d e f g h"),
    ] {
        assert_eq!(lessons(&several(count), &edition, slot), expected, "{count} {slot}");
    }
    let none = Edition { lessons: vec![], ..edition };
    assert_eq!(lessons(&entry(), &none, "2026-09-14T08:00"), "");
}
