//! Work in the background, and changes of numbers that several people write at once.

use super::*;
use caishi::{
    model::HotlineId,
    store::{ChangeNote, HotlineChange, JobRow, JobState},
};

fn job(id: &str, at: Timestamp) -> JobRow {
    JobRow {
        id: id.to_owned(),
        person: person("lin"),
        actor: "lin（口令 t1）".to_owned(),
        kind: "submit".to_owned(),
        subject: "weekly".to_owned(),
        state: JobState::Running,
        started_at: at,
        seen_at: at,
        finished_at: None,
        owner: "here".to_owned(),
        outcome: "{}".to_owned(),
        again: "{}".to_owned(),
    }
}

#[test]
fn jobs_are_remembered_for_a_while() {
    on_both(async |place| {
        let store = place.open().await;
        let begun = store.now().await.unwrap();
        let row = job("one", begun);
        store.begin_job(&row).await.unwrap();
        assert_eq!(store.job("one").await.unwrap(), Some(row.clone()));
        assert_eq!(store.job("two").await.unwrap(), None);
        store.shift_clock(SignedDuration::from_secs(5));
        store.save_job("one", JobState::Running, "{\"done\":1}").await.unwrap();
        let seen = store.job("one").await.unwrap().unwrap();
        assert!(seen.seen_at > begun && seen.finished_at.is_none(), "{seen:?}");
        store.save_job("one", JobState::Done, "{\"done\":2}").await.unwrap();
        // A beat that comes late takes nothing back.
        store.save_job("one", JobState::Running, "{\"done\":1}").await.unwrap();
        let ended = store.job("one").await.unwrap().unwrap();
        assert_eq!((ended.state, ended.outcome.as_str()), (JobState::Done, "{\"done\":2}"));
        assert!(ended.finished_at.is_some());
        // One that was cut off has no end, and goes with the others after a month.
        store.begin_job(&job("cut-off", store.now().await.unwrap())).await.unwrap();
        assert_eq!(store.jobs(&person("lin"), 10).await.unwrap().len(), 2);
        assert_eq!(store.jobs(&person("sun"), 10).await.unwrap(), []);
        store.shift_clock(SignedDuration::from_hours(24 * 31));
        store.begin_job(&job("new", store.now().await.unwrap())).await.unwrap();
        let left = store.jobs(&person("lin"), 10).await.unwrap();
        assert_eq!(left.iter().map(|job| job.id.as_str()).collect::<Vec<_>>(), ["new"]);
        // Never more than a thousand that ended.
        for index in 0..1_005 {
            let id = format!("many-{index}");
            let at = later(index + 60 * 60 * 24 * 31);
            store.begin_job(&JobRow { finished_at: Some(at), ..job(&id, at) }).await.unwrap();
        }
        let left = store.jobs(&person("lin"), 2_000).await.unwrap();
        assert_eq!(left.len(), 1_001, "and the one that runs");
        assert_eq!(left[0].id, "many-1004");
    });
}

#[test]
fn a_change_of_a_number_is_written_only_as_it_was_read() {
    on_both(async |place| {
        let store = place.open().await;
        let at = store.now().await.unwrap();
        let change = HotlineChange {
            id: "abc".to_owned(),
            hotline: HotlineId::new("bank").unwrap(),
            actor: "chen".to_owned(),
            at,
            open: false,
            plan: "one".to_owned(),
        };
        let nothing = serde_json::json!({});
        store.add_hotline_change(&change, &nothing, &nothing).await.unwrap();
        let became =
            |plan: &str| HotlineChange { open: true, plan: plan.to_owned(), ..change.clone() };
        let note = |actor| ChangeNote { actor, action: "hotline.retry", text: "再试一次" };
        let (first, second) = (became("by chen"), became("by sun"));
        let writes = tokio::join!(
            store.save_hotline_change(&change, &first, Some(at), Some(note("chen"))),
            store.save_hotline_change(&change, &second, Some(at), Some(note("sun"))),
        );
        let written = [writes.0.unwrap(), writes.1.unwrap()];
        assert_eq!(written.iter().filter(|won| **won).count(), 1, "{written:?}");
        let kept = store.hotline_change("abc").await.unwrap().unwrap();
        assert_eq!(kept, if written[0] { first } else { second });
        let rows = store.trail("hotline/bank", 10).await.unwrap();
        let retries: Vec<_> = rows.iter().filter(|row| row.action == "hotline.retry").collect();
        assert_eq!(retries.len(), 1, "who lost left no entry: {rows:?}");
        assert_eq!(store.latest_hotline_change(&kept.hotline).await.unwrap(), Some(kept.clone()));
        // Without a moment it is looked at when it would have been.
        let held = store.claim_hotline_change(SignedDuration::from_mins(6)).await.unwrap().unwrap();
        assert!(store.save_hotline_change(&held, &held, None, None).await.unwrap());
        assert_eq!(store.claim_hotline_change(SignedDuration::ZERO).await.unwrap(), None);
        assert!(store.save_hotline_change(&held, &held, Some(at), None).await.unwrap());
        assert!(store.claim_hotline_change(SignedDuration::ZERO).await.unwrap().is_some());
    });
}
