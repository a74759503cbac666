//! Moved slots in both databases.

use super::*;
use caishi::store::{Moving, StoreError};

#[test]
fn a_slot_is_opened_only_where_it_is_due() {
    on_both(async |place| {
        let store = place.open().await;
        let schedule = ScheduleId::new("weekly").unwrap();
        let now = store.now().await.unwrap();
        let later = |seconds| now + SignedDuration::from_secs(seconds);
        let slot = Timestamp::from_second(later(3600).as_second()).unwrap();
        let due = Timestamp::from_second(later(7200).as_second()).unwrap();
        let moving =
            Moving { schedule: &schedule, slot, own: slot, seen: slot, due, reason: "盘点" };
        store.move_slot(&moving, "publisher").await.unwrap();
        let moves = store.slot_moves(&schedule).await.unwrap();
        assert_eq!((moves.len(), moves[0].due, moves[0].decided), (1, due, false));

        // A scheduler that found it due at its old moment, before it was moved, opens nothing.
        let stale = occurrence("weekly", slot);
        assert!(!store.open_occurrence(&stale, &[], "scheduler").await.unwrap());
        assert_eq!(store.occurrences(None, 0).await.unwrap(), []);
        let own = Occurrence { due, ..stale.clone() };
        assert!(store.open_occurrence(&own, &[], "scheduler").await.unwrap());
        assert!(!store.open_occurrence(&own, &[], "other").await.unwrap(), "once");
        assert_eq!(store.occurrence(&own.id).await.unwrap(), Some(own.clone()));
        let around = store.occurrences_due(due, later(9999)).await.unwrap();
        assert_eq!(around, std::slice::from_ref(&own), "by the moment it is due");

        // It fired: nobody moves it any more.
        let again = Moving { seen: due, due: later(9000), ..moving };
        let refused = store.move_slot(&again, "publisher").await;
        assert!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?}");
        assert!(store.slot_moves(&schedule).await.unwrap()[0].decided);
        let soon = Moving { slot: due, own: due, seen: due, due: later(30), ..moving };
        let refused = store.move_slot(&soon, "publisher").await;
        assert!(matches!(refused, Err(StoreError::Refused(_))), "{refused:?}");
        assert!(matches!(store.verify_audit().await, Ok(Ok(_))));
    });
}

#[test]
fn the_board_pages_counts_and_finds() {
    use caishi::store::BoardFilter;
    on_both(async |place| {
        let store = place.open().await;
        let mut ids = Vec::new();
        for week in 0..3 {
            let one = occurrence("weekly", later(week * 3600));
            let manifest = Digest::of(b"bytes");
            let rows = [
                delivery(&one, "wechat", "gh_demo", &manifest),
                delivery(&one, "folder", "100%_a", &manifest),
            ];
            store.open_occurrence(&one, &rows, "scheduler").await.unwrap();
            ids.push(one.id);
        }
        let all = BoardFilter::default();
        let first = store.board(&all, 4, 0).await.unwrap();
        let second = store.board(&all, 4, 4).await.unwrap();
        assert_eq!((first.len(), second.len()), (4, 2));
        assert_eq!(first[0].lessons[0].as_str(), "safe-account");
        let counts = store.board_counts(&all).await.unwrap();
        assert_eq!(counts.iter().map(|(_, count)| count).sum::<u64>(), 6);
        let found = async |filter: BoardFilter| store.board(&filter, 100, 0).await.unwrap().len();
        let text = |text: &str| BoardFilter { text: text.to_owned(), ..BoardFilter::default() };
        assert_eq!(found(text("SAFE-acc")).await, 6, "by lesson, whatever the case");
        assert_eq!(found(text("100%_A")).await, 3, "percent and underline mean themselves");
        assert_eq!(found(text("100_")).await, 0);
        assert_eq!(found(text("'; DROP TABLE delivery; --")).await, 0);
        assert_eq!(found(BoardFilter { open: true, ..all.clone() }).await, 6);
        assert_eq!(found(BoardFilter { channel: "folder".into(), ..all.clone() }).await, 3);
        let of_one = BoardFilter { occurrence: ids[0].clone(), ..all.clone() };
        assert_eq!(found(of_one).await, 2);
        for name in ["safe-account", "weekly/2026", "weekly", "2026"] {
            let carrying = store.deliveries_carrying(name).await.unwrap();
            assert_eq!(carrying.len(), 6, "{name}");
        }
        assert_eq!(store.deliveries_carrying("safe").await.unwrap(), []);
        assert_eq!(store.deliveries_carrying("%").await.unwrap(), []);
        assert_eq!(store.backlog().await.unwrap(), [], "nothing is approved");
    });
}
