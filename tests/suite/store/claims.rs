//! Leases, fences, and what becomes of lost workers (P1–P3).

use super::*;
use caishi::store::StoreError;

fn is_fenced<T: std::fmt::Debug>(answer: &Result<T, StoreError>) -> bool {
    matches!(answer, Err(StoreError::Fenced(_)))
}

#[test]
fn a_stalled_worker_cannot_write_after_another_has_taken_over() {
    on_both(async |place| {
        let store = place.open().await;
        approved(&store, &["gh_demo"]).await;
        let stalled = store.claim("worker", LEASE).await.unwrap().unwrap();
        let id = stalled.delivery.id.clone();
        let fence = Some((id.as_str(), stalled.delivery.epoch));
        let wechat = channel("wechat");
        store.write_journal(&wechat, Some(&id), fence, "draft", "1").await.unwrap();

        store.shift_clock(SignedDuration::from_secs(61));
        // Restarted under the same name: only the epoch tells the two apart.
        let taken = store.claim("worker", LEASE).await.unwrap().unwrap();
        assert_eq!(taken.delivery.id, id);
        assert_eq!(store.claim("third", LEASE).await.unwrap(), None);
        for state in [DeliveryState::Prepared, DeliveryState::Sending, DeliveryState::RetryWait] {
            assert!(is_fenced(&store.advance(&stalled, &to(state)).await), "{state}");
        }
        assert!(is_fenced(&store.write_journal(&wechat, Some(&id), fence, "draft", "2").await));
        let journal = store.journal(&wechat, Some(&id), "draft").await.unwrap();
        assert_eq!(journal.as_deref(), Some("1"));

        // The second one goes on, and the line says from whom it took over.
        let sending = store.advance(&taken, &to(DeliveryState::Sending)).await.unwrap();
        assert!(is_fenced(&store.advance(&taken, &to(DeliveryState::Dead)).await));
        store.advance(&sending, &to(DeliveryState::Confirmed)).await.unwrap();
        assert!(is_fenced(&store.advance(&sending, &to(DeliveryState::Dead)).await));
        let lines = store.attempts(&id).await.unwrap();
        assert_eq!(lines[1].message, "worker 的租约已到期，由 worker 接手");
        assert_eq!(store.delivery(&id).await.unwrap().state, DeliveryState::Confirmed);
        assert!(store.verify_audit().await.unwrap().is_ok());
    });
}

#[test]
fn the_irreversible_call_does_not_begin_on_a_lease_that_has_run_out() {
    on_both(async |place| {
        let store = place.open().await;
        approved(&store, &["gh_demo"]).await;
        let claim = store.claim("slow", LEASE).await.unwrap().unwrap();
        store.shift_clock(SignedDuration::from_secs(61));
        // Nobody else has it yet; but anybody could take it during the call.
        assert!(is_fenced(&store.advance(&claim, &to(DeliveryState::Sending)).await));
        let unannounced = Transition { begins_attempt: false, ..to(DeliveryState::Sending) };
        let error = store.advance(&claim, &unannounced).await.unwrap_err();
        assert!(matches!(error, StoreError::Conflict(_)), "{error}");
    });
}

#[test]
fn a_lost_sending_row_becomes_unknown_and_is_never_simply_ready_again() {
    on_both(async |place| {
        let store = place.open().await;
        approved(&store, &["one", "two"]).await;
        let lost = begin_sending(&store, "lost").await;
        // Its end is due again only when the lease is over, held deployment or not.
        store.shift_clock(SignedDuration::from_secs(61));
        store.hold("chen", "演练").await.unwrap();
        assert_eq!(store.claim("second", LEASE).await.unwrap(), None);
        let row = store.delivery(&lost.delivery.id).await.unwrap();
        assert_eq!((row.state, row.attempt), (DeliveryState::Unknown, 1));
        assert_eq!(row.error_class.as_deref(), Some("lost"));
        assert!(row.next_step.contains("caishi resolve"), "{}", row.next_step);
        // The receipt of the lost worker comes too late.
        assert!(is_fenced(&store.advance(&lost, &to(DeliveryState::Confirmed)).await));

        store.release("chen").await.unwrap();
        let mut claims = Vec::new();
        while let Some(claim) = store.claim("second", LEASE).await.unwrap() {
            claims.push((claim.delivery.id.clone(), claim.delivery.state));
        }
        assert!(claims.contains(&(lost.delivery.id.clone(), DeliveryState::Unknown)));
        assert_eq!(claims.len(), 2);

        // Only a probe or a named person gets it out of there.
        let id = &lost.delivery.id;
        let ready = to(DeliveryState::Ready);
        let busy = store.intervene(id, &[DeliveryState::Unknown], &ready, "chen", "").await;
        assert!(busy.unwrap_err().to_string().contains("正由 second 处理"));
        store.shift_clock(SignedDuration::from_secs(61));
        let from = [DeliveryState::Unknown];
        store.intervene(id, &from, &ready, "chen", "平台上没有").await.unwrap();
        let line = store.attempts(id).await.unwrap().pop().unwrap();
        assert_eq!((line.from, line.to), (DeliveryState::Unknown, DeliveryState::Ready));
    });
}

#[test]
fn the_kill_switch_stops_everything_but_following_what_is_out() {
    on_both(async |place| {
        let store = place.open().await;
        approved(&store, &["out", "prepared", "ready"]).await;
        let out = begin_sending(&store, "worker").await;
        let accepted = Transition { remote_ref: Some("7".into()), ..to(DeliveryState::Accepted) };
        store.advance(&out, &accepted).await.unwrap();
        let prepared = loop {
            let claim = store.claim("worker", LEASE).await.unwrap().unwrap();
            if claim.delivery.state == DeliveryState::Preparing {
                break store.advance(&claim, &to(DeliveryState::Prepared)).await.unwrap();
            }
            store.advance(&claim, &accepted).await.unwrap();
        };

        store.hold("chen", "发现错字").await.unwrap();
        assert_eq!(store.deployment().await.unwrap().hold.unwrap().reason, "发现错字");
        // A worker that had it in hand is stopped before the irreversible call.
        let refused = store.advance(&prepared, &to(DeliveryState::Sending)).await.unwrap_err();
        assert!(matches!(refused, StoreError::Refused(_)), "{refused}");
        assert!(refused.to_string().contains("发现错字"), "{refused}");
        let row = store.delivery(&prepared.delivery.id).await.unwrap();
        assert_eq!((row.state, row.attempt), (DeliveryState::Ready, 0));
        let followed = store.claim("worker", LEASE).await.unwrap().unwrap();
        assert_eq!(followed.delivery.id, out.delivery.id);
        assert_eq!(store.claim("worker", LEASE).await.unwrap(), None);
        assert_eq!(store.next_due().await.unwrap(), Some(followed.lease_until));

        store.release("chen").await.unwrap();
        assert!(store.claim("worker", LEASE).await.unwrap().is_some());
        assert!(store.claim("worker", LEASE).await.unwrap().is_some());
    });
}

#[test]
fn a_callback_that_comes_while_a_worker_asks_is_not_lost() {
    on_both(async |place| {
        let store = place.open().await;
        approved(&store, &["gh_demo"]).await;
        let claim = begin_sending(&store, "worker").await;
        let pending = Transition {
            remote_ref: Some("publish-9".to_owned()),
            message: "等待平台回复".to_owned(),
            ..to(DeliveryState::Accepted)
        };
        store.advance(&claim, &pending).await.unwrap();
        let asking = store.claim("worker", LEASE).await.unwrap().unwrap();
        assert!(store.wake_remote(&channel("wechat"), "publish-9").await.unwrap());
        let lines = store.attempts(&asking.delivery.id).await.unwrap().len();
        let in_an_hour = Transition { next_at: later(3600), ..pending };
        store.advance(&asking, &in_an_hour).await.unwrap();
        // No answer is no news: nothing is added to the story.
        assert_eq!(store.attempts(&asking.delivery.id).await.unwrap().len(), lines);
        assert!(store.claim("worker", LEASE).await.unwrap().is_some());
    });
}

#[test]
fn a_waiting_worker_is_woken_by_what_another_process_writes() {
    on_both(async |place| {
        let (store, other) = (place.open().await, place.open().await);
        assert_eq!(store.claim("worker", LEASE).await.unwrap(), None);
        approved(&store, &["gh_demo"]).await;
        // Written after the look and before the wait: it ends at once. An hour would end the test.
        store.wait(Duration::from_hours(1)).await;
        if place.kind == "postgres" {
            let waiting = other.clone();
            assert!(waiting.claim("worker", LEASE).await.unwrap().is_some());
            let waits = tokio::spawn(async move { waiting.wait(Duration::from_hours(1)).await });
            let key = Digest::of(b"again");
            let slot = occurrence("again", later(-1));
            let more = [delivery(&slot, "wechat", "gh_demo", &key)];
            store.open_occurrence(&slot, &more, "scheduler").await.unwrap();
            while !waits.is_finished() {
                // Until the listener stands, notifications go past it.
                store.release("chen").await.unwrap();
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    });
}
