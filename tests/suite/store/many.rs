//! Several workers, schedulers and processes at once: everything once (P6).

use super::*;
use caishi::store::DeliveryFilter;
use std::collections::BTreeSet;
use tokio::task::JoinSet;

#[test]
fn three_workers_take_two_hundred_rows_once_each() {
    on_both(async |place| {
        let store = place.open().await;
        let targets: Vec<String> = (0..200).map(|index| format!("branch-{index:03}")).collect();
        let targets: Vec<&str> = targets.iter().map(String::as_str).collect();
        approved(&store, &targets).await;
        let mut workers = JoinSet::new();
        for worker in 0..3 {
            // A store of its own is a process of its own, as far as the database can tell.
            let store = place.open().await;
            workers.spawn(async move {
                let mut taken = Vec::new();
                while let Some(claim) = store.claim(&format!("w{worker}"), LEASE).await.unwrap() {
                    let sending = store.advance(&claim, &to(DeliveryState::Sending)).await.unwrap();
                    store.advance(&sending, &to(DeliveryState::Confirmed)).await.unwrap();
                    taken.push(claim.delivery.id);
                }
                taken
            });
        }
        let taken: Vec<String> = workers.join_all().await.into_iter().flatten().collect();
        assert_eq!(taken.len(), 200);
        assert_eq!(taken.iter().collect::<BTreeSet<_>>().len(), 200);
        let rows = store.deliveries(&DeliveryFilter::default()).await.unwrap();
        assert!(rows.iter().all(|row| (row.attempt, row.epoch) == (1, 2)));
        assert!(rows.iter().all(|row| row.state == DeliveryState::Confirmed));
        // deployment, submission, two approvals, occurrence, three changes of each row.
        assert_eq!(store.verify_audit().await.unwrap(), Ok(5 + 3 * 200));
    });
}

#[test]
fn of_many_schedulers_one_opens_each_slot() {
    on_both(async |place| {
        let text = manifest("甲");
        let mut schedulers = JoinSet::new();
        let slots: Vec<_> = (0..20).map(|hour| later(-3600 * hour)).collect();
        for scheduler in 0..2 {
            let (store, slots, bytes) = (place.open().await, slots.clone(), text.0);
            schedulers.spawn(async move {
                let mut opened = Vec::new();
                for slot in slots {
                    let slot = occurrence("weekly", slot);
                    let row = [delivery(&slot, "wechat", "gh_demo", &bytes)];
                    let actor = format!("scheduler-{scheduler}");
                    if store.open_occurrence(&slot, &row, &actor).await.unwrap() {
                        opened.push(slot.id);
                    }
                }
                opened
            });
        }
        let opened: Vec<_> = schedulers.join_all().await.into_iter().flatten().collect();
        assert_eq!(opened.len(), 20);
        let store = place.open().await;
        assert_eq!(store.occurrences(None, 0).await.unwrap().len(), 20);
        assert_eq!(store.deliveries(&DeliveryFilter::default()).await.unwrap().len(), 20);
    });
}

#[test]
fn a_held_slot_is_decided_by_one_person() {
    on_both(async |place| {
        let store = place.open().await;
        let held = Occurrence {
            state: OccurrenceState::Held,
            reason: "错过了 3 小时".to_owned(),
            ..occurrence("weekly", later(-3600 * 3))
        };
        store.open_occurrence(&held, &[], "scheduler").await.unwrap();
        let run = [delivery(&held, "wechat", "gh_demo", &Digest::of(b"bytes"))];
        let (from, fired) = (OccurrenceState::Held, OccurrenceState::Fired);
        store.decide_occurrence(&held.id, from, fired, "补发", &run, "chen").await.unwrap();
        let again = store.decide_occurrence(&held.id, from, fired, "补发", &run, "wang").await;
        assert!(again.unwrap_err().to_string().contains("别人已经决定过了"));
        let stored = store.occurrence(&held.id).await.unwrap().unwrap();
        assert_eq!((stored.state, stored.reason.as_str()), (fired, "补发"));
        assert_eq!(store.deliveries(&DeliveryFilter::default()).await.unwrap().len(), 1);
    });
}

/// Approvals given while slots are opened and rows are claimed: no row is left behind waiting.
#[test]
fn an_approval_given_at_the_moment_of_firing_is_not_missed() {
    on_both(async |place| {
        let (store, reviewer) = (place.open().await, place.open().await);
        for round in 0..10 {
            let text = manifest(&format!("第 {round} 轮"));
            let submission = review(round, &[("wechat", &text)]);
            store.submit(&submission, std::slice::from_ref(&text)).await.unwrap();
            store.decide(&[approval(&text.0, "消保审查", "chen")]).await.unwrap();
            let slot = occurrence("weekly", later(-3600 * i64::from(round)));
            let rows = [delivery(&slot, "wechat", "gh_demo", &text.0)];
            let last = [approval(&text.0, "部门会签", "wang")];
            let (opened, decided) = tokio::join!(
                store.open_occurrence(&slot, &rows, "scheduler"),
                reviewer.decide(&last)
            );
            assert!(opened.unwrap());
            decided.unwrap();
        }
        let ready = [(channel("wechat"), DeliveryState::Ready, 10)];
        assert_eq!(store.counts().await.unwrap(), ready);
    });
}
