//! A slot that somebody moves fires once, at its new moment, with its own lessons.

use super::{
    ALL_CONFIRMED,
    town::{CHANNELS, FRIDAY, MONDAY, Town},
};
use caishi::{
    model::LessonId,
    schedule::Verdict,
    store::{OccurrenceState, StoreError},
    work::{
        WorkError,
        slots::{ComingSlot, MoveOrder, Readiness},
    },
};
use jiff::Timestamp;

const TUESDAY: &str = "2026-12-01T02:00:00Z";
const NEXT_MONDAY: &str = "2026-12-07T00:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

async fn moving(town: &Town, seen: &str, due: Option<&str>) -> Result<(), WorkError> {
    let order = MoveOrder {
        scheduled: at(MONDAY),
        seen: at(seen),
        due: due.map(at),
        reason: "周一网点盘点",
    };
    town.publisher.move_slot(&town.read(), "weekly", &order, "publisher").await
}

async fn coming(town: &Town) -> Vec<ComingSlot> {
    let until = at("2026-12-14T12:00:00Z");
    town.publisher.coming_slots(&town.read(), at(FRIDAY), until).await.unwrap()
}

async fn occurrences(town: &Town) -> Vec<(Timestamp, Timestamp, OccurrenceState, Vec<LessonId>)> {
    let all = town.publisher.store.occurrences(None, 0).await.unwrap();
    all.into_iter().map(|one| (one.slot, one.due, one.state, one.lessons)).collect()
}

async fn approved() -> Town {
    let town = Town::new().await;
    let review = town.submit().await;
    town.approve(&review).await;
    town
}

#[tokio::test(flavor = "multi_thread")]
async fn a_moved_slot_fires_once_at_its_new_moment() {
    let town = approved().await;
    let before = coming(&town).await;
    moving(&town, MONDAY, Some(TUESDAY)).await.unwrap();
    let after = coming(&town).await;
    assert_eq!(after[0].due, at(TUESDAY));
    assert_eq!(after[0].lessons, before[0].lessons, "its own lessons, not the rotation's next");
    assert_eq!(after[1].lessons, before[1].lessons, "and nobody else's change");
    assert!(after[0].readiness.is_ready(), "{:?}", after[0].readiness);

    // Monday comes and nothing happens, whoever looks.
    town.set_clock("2026-11-30T00:00:05Z").await;
    town.tick().await;
    let other = town.another().await;
    caishi::work::service::look(&other, "other").await.unwrap();
    assert_eq!(occurrences(&town).await, []);

    // Tuesday at ten it goes out, once, whoever looks.
    town.set_clock("2026-12-01T02:00:05Z").await;
    let other = town.another().await;
    let one = caishi::work::service::look(&other, "other");
    let two = caishi::work::service::look(&town.publisher, "scheduler");
    let (one, two) = tokio::join!(one, two);
    one.unwrap();
    two.unwrap();
    let lessons = before[0].lessons.clone();
    let expected = (at(MONDAY), at(TUESDAY), OccurrenceState::Fired, lessons);
    assert_eq!(occurrences(&town).await, [expected]);
    assert!(town.deliveries().await.iter().all(|row| row.slot == at(TUESDAY)));
    town.work().await;
    assert_eq!(town.states().await, ALL_CONFIRMED);
    assert_eq!(town.sandbox.books().out().count(), 1);
    let told = town.publisher.store.occurrences(None, 1).await.unwrap().remove(0).reason;
    assert!(told.contains("publisher 从 11-30 08:00 改到 12-01 10:00（周一网点盘点）"), "{told}");

    // It is decided now: it cannot be moved again, and does not come back.
    let late = moving(&town, TUESDAY, Some("2026-12-03T02:00:00Z")).await;
    assert!(matches!(late, Err(WorkError::Store(StoreError::Conflict(_)))), "{late:?}");
    town.set_clock("2026-12-03T02:00:05Z").await;
    town.tick().await;
    assert_eq!(occurrences(&town).await.len(), 1);
    town.set_clock("2026-12-07T00:00:05Z").await;
    town.tick().await;
    let all = occurrences(&town).await;
    assert_eq!((all.len(), all[0].0), (2, at(NEXT_MONDAY)), "the next week's is untouched");
    assert!(matches!(town.publisher.store.verify_audit().await, Ok(Ok(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_that_is_moved_forward_does_not_fire_again_at_its_old_moment() {
    let town = approved().await;
    moving(&town, MONDAY, Some("2026-11-28T02:00:00Z")).await.unwrap();
    town.set_clock("2026-11-28T02:00:05Z").await;
    town.tick().await;
    town.work().await;
    assert_eq!(town.states().await, ALL_CONFIRMED);
    town.set_clock("2026-11-30T00:00:05Z").await;
    town.tick().await;
    town.work().await;
    assert_eq!(occurrences(&town).await.len(), 1);
    assert_eq!(town.deliveries().await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_can_be_moved_again_and_put_back() {
    let town = approved().await;
    moving(&town, MONDAY, Some(TUESDAY)).await.unwrap();
    // Somebody who still sees Monday is told.
    let stale = moving(&town, MONDAY, Some("2026-12-02T02:00:00Z")).await;
    assert!(matches!(stale, Err(WorkError::Store(StoreError::Conflict(_)))), "{stale:?}");
    moving(&town, TUESDAY, Some("2026-12-02T02:00:00Z")).await.unwrap();
    moving(&town, "2026-12-02T02:00:00Z", None).await.unwrap();
    assert_eq!(
        town.publisher.store.slot_moves(&coming(&town).await[0].schedule).await.unwrap(),
        []
    );
    town.set_clock("2026-11-30T00:00:05Z").await;
    town.tick().await;
    assert_eq!(occurrences(&town).await[0].1, at(MONDAY));
    // After Monday has passed it could not have been put back any more.
    let town = approved().await;
    moving(&town, MONDAY, Some(TUESDAY)).await.unwrap();
    town.set_clock("2026-11-30T06:00:00Z").await;
    town.tick().await;
    let back = moving(&town, TUESDAY, None).await;
    assert!(matches!(back, Err(WorkError::Store(StoreError::Refused(_)))), "{back:?}");
    // But further on it can be moved.
    moving(&town, TUESDAY, Some("2026-12-02T02:00:00Z")).await.unwrap();
    town.set_clock("2026-12-02T02:00:05Z").await;
    town.tick().await;
    assert_eq!(occurrences(&town).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_over_the_new_moment_is_made_up_by_the_misfire_rule() {
    let town = approved().await;
    moving(&town, MONDAY, Some(TUESDAY)).await.unwrap();
    // Nobody looked from Friday until an hour after: within the grace.
    town.set_clock("2026-12-01T03:00:00Z").await;
    town.tick().await;
    assert_eq!(occurrences(&town).await[0].2, OccurrenceState::Fired);

    let town = approved().await;
    moving(&town, MONDAY, Some(TUESDAY)).await.unwrap();
    town.set_clock("2026-12-01T08:00:00Z").await;
    town.tick().await;
    let held = town.publisher.store.occurrences(None, 0).await.unwrap();
    assert_eq!((held.len(), held[0].state), (1, OccurrenceState::Held), "{held:?}");
    assert!(held[0].reason.contains("迟了 6 小时"), "counted from the new moment: {held:?}");
    town.publisher.decide_slot(&town.read(), &held[0].id, true, "publisher").await.unwrap();
    town.work().await;
    assert_eq!(town.states().await, ALL_CONFIRMED);

    // Over the next slot too, the latest runs and the moved one is skipped.
    let town = approved().await;
    moving(&town, MONDAY, Some(TUESDAY)).await.unwrap();
    town.set_clock("2026-12-07T00:30:00Z").await;
    town.tick().await;
    let states: Vec<_> = occurrences(&town).await.into_iter().map(|one| (one.0, one.2)).collect();
    let expected =
        [(at(NEXT_MONDAY), OccurrenceState::Blocked), (at(MONDAY), OccurrenceState::Skipped)];
    assert_eq!(states, expected, "next Monday's was never submitted");
}

#[tokio::test(flavor = "multi_thread")]
async fn approvals_and_changes_are_looked_at_at_the_new_moment() {
    let town = Town::new().await;
    let review = town.submit().await;
    moving(&town, MONDAY, Some(TUESDAY)).await.unwrap();
    let file = format!("lessons/{}/lesson.md", review.lessons[0]);
    town.set_clock("2026-12-01T02:00:05Z").await;
    town.tick().await;
    assert!(town.states().await.iter().all(|state| state.ends_with("waiting-approval")));
    town.approve(&review).await;
    town.work().await;
    assert_eq!(town.states().await, ALL_CONFIRMED);

    let town = approved().await;
    moving(&town, MONDAY, Some(TUESDAY)).await.unwrap();
    town.edit(&file, "。\n", "！\n");
    let changed = &coming(&town).await[0];
    assert!(matches!(changed.readiness, Readiness::Submitted { changed: true, .. }));
    town.set_clock("2026-12-01T02:00:05Z").await;
    town.tick().await;
    assert_eq!(occurrences(&town).await[0].2, OccurrenceState::Blocked);
    // Mended within the grace of the new moment, it goes.
    town.edit(&file, "！\n", "。\n");
    town.set_clock("2026-12-01T03:30:00Z").await;
    town.tick().await;
    assert_eq!(occurrences(&town).await[0].2, OccurrenceState::Fired);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blackout_after_the_move_lets_a_person_decide() {
    let town = approved().await;
    moving(&town, MONDAY, Some(TUESDAY)).await.unwrap();
    let path = town.path("content/calendar.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let blackout = "\n[[blackout]]\nfrom = 2026-12-01\nuntil = 2026-12-01\nreason = \"重大事故\"\n";
    std::fs::write(&path, text + blackout).unwrap();
    assert!(matches!(coming(&town).await[0].verdict, Verdict::Hold(_)));
    town.set_clock("2026-12-01T02:00:05Z").await;
    town.tick().await;
    let held = town.publisher.store.occurrences(None, 0).await.unwrap().remove(0);
    assert_eq!(held.state, OccurrenceState::Held);
    assert!(held.reason.contains("重大事故"), "{held:?}");
    assert_eq!(town.states().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_new_moment_is_said_at_once() {
    let town = Town::with(CHANNELS).await;
    let path = town.path("content/calendar.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let blackout = "\n[[blackout]]\nfrom = 2026-12-13\nuntil = 2026-12-13\nreason = \"公祭日\"\n";
    std::fs::write(&path, text + blackout).unwrap();
    let content = town.read();
    let try_to = async |scheduled: &str, due: &str, reason: &str| {
        let order =
            MoveOrder { scheduled: at(scheduled), seen: at(scheduled), due: Some(at(due)), reason };
        town.publisher.move_slot(&content, "weekly", &order, "publisher").await
    };
    let Err(WorkError::Faults(faults)) = try_to(MONDAY, "2028-01-01T00:00:00Z", " ").await else {
        panic!("it was moved")
    };
    assert_eq!(faults.len(), 2, "{faults:?}");
    assert!(faults[1].contains("不在活动 routine/weekly 的日期"), "{faults:?}");
    let said = |answer: Result<(), WorkError>| answer.unwrap_err().to_string();
    let blackout = said(try_to(MONDAY, "2026-12-13T02:00:00Z", "x").await);
    assert!(blackout.contains("公祭日"), "{blackout}");
    let meets = said(try_to(MONDAY, NEXT_MONDAY, "x").await);
    assert!(meets.contains("已有另一次"), "{meets}");
    let past = said(try_to(MONDAY, "2026-11-26T00:00:00Z", "x").await);
    assert!(past.contains("一分钟"), "{past}");
    let none = said(try_to("2026-12-01T00:00:00Z", TUESDAY, "x").await);
    assert!(none.contains("没有这一次"), "{none}");
    let order = MoveOrder { scheduled: at(MONDAY), seen: at(MONDAY), due: None, reason: "x" };
    let unknown = town.publisher.move_slot(&content, "nightly", &order, "publisher").await;
    assert!(matches!(unknown, Err(WorkError::Unknown(_))), "{unknown:?}");
}

/// What a person plans and submits by hand is what will fire, when it will.
#[tokio::test(flavor = "multi_thread")]
async fn a_moved_slot_is_planned_and_submitted_where_it_was_moved_to() {
    let town = Town::new().await;
    let publisher = &town.publisher;
    let content = town.read();
    let subject = publisher.subject(&content, "weekly").unwrap();
    let plain = publisher.next_slots(&content, &subject, at(FRIDAY), 3).await.unwrap();
    assert_eq!((plain[0].due, &plain[0].moved), (at(MONDAY), &None));

    // Past the next one: they change places, and each keeps its lessons.
    let late = "2026-12-08T02:00:00Z";
    moving(&town, MONDAY, Some(late)).await.unwrap();
    let next = publisher.next_slots(&content, &subject, at(FRIDAY), 3).await.unwrap();
    let dues: Vec<Timestamp> = next.iter().map(|slot| slot.due).collect();
    assert_eq!(dues, [at(NEXT_MONDAY), at(late), plain[2].due]);
    assert_eq!(next[0].lessons, plain[1].lessons);
    assert_eq!(next[1].lessons, plain[0].lessons);
    assert_eq!(next[1].moved.as_ref().unwrap().slot, at(MONDAY));
    let first = publisher.next_slot(&content, &subject, at(FRIDAY)).await.unwrap();
    assert_eq!(first, next[0]);
    // By either of its moments it is the same slot.
    for moment in [MONDAY, late] {
        assert_eq!(publisher.slot_at(&subject, at(moment)).await.unwrap(), next[1]);
    }
    // What the service does is the same.
    let coming = coming(&town).await;
    for (asked, coming) in next.iter().zip(&coming) {
        assert_eq!((asked.due, &asked.lessons), (coming.due, &coming.lessons));
    }
    // Submitted by hand as it is asked for, it fires.
    let outline = subject.outline(&content, &next[1].lessons).unwrap();
    let submitted = publisher.submit(&content, &outline, &town.author.id, &|_, _| {}).await;
    town.approve(&submitted.unwrap().0).await;
    town.set_clock("2026-12-07T00:00:05Z").await;
    town.tick().await;
    town.set_clock("2026-12-08T02:00:05Z").await;
    town.tick().await;
    let fired = occurrences(&town).await;
    let moved = fired.iter().find(|one| one.0 == at(MONDAY)).unwrap();
    assert_eq!((moved.1, moved.2), (at(late), OccurrenceState::Fired), "{fired:?}");

    // A campaign by itself has no slots.
    let alone = publisher.subject(&content, "routine/weekly").unwrap();
    assert_eq!(publisher.next_slots(&content, &alone, at(FRIDAY), 3).await.unwrap(), []);
    assert_eq!(publisher.next_slot(&content, &alone, at(FRIDAY)).await.unwrap().due, at(FRIDAY));
}
