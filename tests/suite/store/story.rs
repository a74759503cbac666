//! One story from submission to recall, told to both databases.

use super::*;
use caishi::store::DeliveryFilter;
use std::path::Path;

#[test]
fn a_campaign_goes_from_submission_to_recall() {
    on_both(async |place| {
        let store = place.open().await;
        let deployment = store.deployment().await.unwrap();
        assert_eq!((deployment.generation, deployment.hold), (1, None));
        assert_eq!(store.blob_folder().as_deref(), Some(&*place.folder.path().join("blobs")));

        keeps_blobs(&store, place.folder.path()).await;
        let (wechat, folder) = (manifest("微信"), manifest("文件夹"));
        submitted_and_approved(&store, &wechat, &folder).await;
        let occurrence = fired(&store, &wechat.0, &folder.0).await;
        delivered(&store).await;
        recalled(&store).await;
        seen(&store).await;

        // Everything is told, in order, and a new process sees the same.
        let again = place.open().await;
        assert_eq!(again.occurrence(&occurrence.id).await.unwrap(), Some(occurrence));
        assert_eq!(again.deployment().await.unwrap().hold, None);
        let rows = again.audit_rows(1, 100).await.unwrap();
        let actions: Vec<_> = rows.iter().map(|row| row.action.as_str()).collect();
        assert_eq!(
            actions,
            [
                "deployment.create",
                "submit",
                "approve",
                "approve",
                "occurrence.open",
                "approve",
                "approve",
                "delivery.state",
                "delivery.state",
                "delivery.state",
                "delivery.state",
                "delivery.state",
                "delivery.state",
                "delivery.state",
                "delivery.state",
                "delivery.state"
            ]
        );
        assert_eq!(again.verify_audit().await.unwrap(), Ok(16));
        assert_eq!(again.audit_head().await.unwrap(), rows[15].hash);
    });
}

async fn keeps_blobs(store: &Store, folder: &Path) {
    let digest = store.put_blob("一张海报".as_bytes()).await.unwrap();
    assert_eq!(store.put_blob("一张海报".as_bytes()).await.unwrap(), digest);
    assert!(store.has_blob(&digest).await.unwrap());
    assert!(!store.has_blob(&Digest::of(b"other")).await.unwrap());
    assert_eq!(store.blob(&digest).await.unwrap(), "一张海报".as_bytes());
    let name = digest.to_string();
    let file = folder.join("blobs/sha256").join(&name[..2]).join(&name);
    std::fs::write(&file, "另一张海报").unwrap();
    let error = store.blob(&digest).await.unwrap_err().to_string();
    assert!(error.contains(&name) && error.contains("不符"), "{error}");
    // A rest of a broken write is replaced.
    store.put_blob("一张海报".as_bytes()).await.unwrap();
    assert_eq!(store.blob(&digest).await.unwrap(), "一张海报".as_bytes());
}

async fn submitted_and_approved(
    store: &Store,
    wechat: &(Digest, String),
    folder: &(Digest, String),
) {
    let key = Digest::of(b"plan");
    assert_eq!(store.reserve_number(2026, &key).await.unwrap(), 1);
    assert_eq!(store.reserve_number(2026, &Digest::of(b"other")).await.unwrap(), 2);
    assert_eq!(store.reserve_number(2026, &key).await.unwrap(), 1);
    assert_eq!(store.reserve_number(2027, &key).await.unwrap(), 1);

    let review = review(1, &[("folder", folder), ("wechat", wechat)]);
    store.submit(&review, &[wechat.clone(), folder.clone()]).await.unwrap();
    assert_eq!(store.review(&review.number).await.unwrap().as_ref(), Some(&review));
    let found = store.review_of_plan(&review.plan_key).await.unwrap();
    assert_eq!(found.as_ref(), Some(&review));
    let found = store.review_of_manifest(&folder.0).await.unwrap();
    assert_eq!(found.as_ref(), Some(&review));
    assert_eq!(store.reviews(Some(&review.campaign)).await.unwrap(), [review]);
    let other = CampaignId::new("sept/2026").unwrap();
    assert_eq!(store.reviews(Some(&other)).await.unwrap(), []);
    assert_eq!(store.manifest(&wechat.0).await.unwrap().as_ref(), Some(&wechat.1));

    let decisions =
        [approval(&folder.0, "消保审查", "chen"), approval(&folder.0, "部门会签", "wang")];
    store.decide(&decisions).await.unwrap();
    assert_eq!(store.approvals(&folder.0).await.unwrap(), decisions);
    assert_eq!(store.approvals(&wechat.0).await.unwrap(), []);
}

/// The folder's delivery is ready; WeChat's waits until its approvals are complete.
async fn fired(store: &Store, wechat: &Digest, folder: &Digest) -> Occurrence {
    let schedule = ScheduleId::new("weekly").unwrap();
    let slot = Timestamp::from_second(later(-10).as_second()).unwrap();
    assert_eq!(store.decided_until(&schedule).await.unwrap(), None);
    let occurrence = occurrence("weekly", slot);
    let deliveries = [
        delivery(&occurrence, "wechat", "gh_demo", wechat),
        delivery(&occurrence, "folder", "repository", folder),
    ];
    assert!(store.open_occurrence(&occurrence, &deliveries, "scheduler").await.unwrap());
    assert!(!store.open_occurrence(&occurrence, &deliveries, "scheduler").await.unwrap());
    store.set_decided_until(&schedule, slot).await.unwrap();
    store.set_decided_until(&schedule, slot - SignedDuration::from_secs(9)).await.unwrap();
    assert_eq!(store.decided_until(&schedule).await.unwrap(), Some(slot));
    let listed = store.occurrences(Some(&schedule), 10).await.unwrap();
    assert_eq!(listed, std::slice::from_ref(&occurrence));

    let waiting = DeliveryFilter {
        states: vec![DeliveryState::WaitingApproval],
        ..DeliveryFilter::default()
    };
    let rows = store.deliveries(&waiting).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].message, "还差签字：消保审查、部门会签");
    store.decide(&[approval(wechat, "消保审查", "chen")]).await.unwrap();
    assert_eq!(store.deliveries(&waiting).await.unwrap().len(), 1);
    store.decide(&[approval(wechat, "部门会签", "wang")]).await.unwrap();
    assert_eq!(store.deliveries(&waiting).await.unwrap(), []);
    occurrence
}

/// Through every state, with what is remembered on the way.
async fn delivered(store: &Store) {
    use DeliveryState::{Accepted, Confirmed, NeedsHuman, Prepared, Preparing, Ready, Sending};
    let filter = DeliveryFilter { channel: Some(channel("wechat")), ..DeliveryFilter::default() };
    let row = store.deliveries(&filter).await.unwrap().remove(0);
    assert_eq!(store.delivery(&row.id[..6]).await.unwrap().id, row.id);
    assert!(store.next_due().await.unwrap().unwrap() <= store.now().await.unwrap());
    assert_eq!(store.overdue().await.unwrap().len(), 2);

    let mut claims = [
        store.claim("worker-1", LEASE).await.unwrap().unwrap(),
        store.claim("worker-2", LEASE).await.unwrap().unwrap(),
    ];
    claims.sort_by_key(|claim| claim.delivery.channel.as_str() == "wechat");
    assert_eq!(store.claim("worker-3", LEASE).await.unwrap(), None);
    let [folder, wechat] = claims;
    assert_eq!((wechat.delivery.state, wechat.delivery.epoch), (Preparing, 2));

    let prepared = Transition {
        prepared_ref: Some("draft-7".to_owned()),
        message: "草稿已建".to_owned(),
        ..to(Prepared)
    };
    let claim = store.advance(&wechat, &prepared).await.unwrap();
    let claim = store.advance(&claim, &to(Sending)).await.unwrap();
    assert_eq!((claim.delivery.attempt, claim.delivery.epoch), (1, 3));
    let accepted = Transition {
        remote_ref: Some("publish-9".to_owned()),
        next_at: later(3600),
        ..to(Accepted)
    };
    let claim = store.advance(&claim, &accepted).await.unwrap();
    assert_eq!(claim.delivery.owner, None);
    assert_eq!(claim.delivery.prepared_ref.as_deref(), Some("draft-7"));
    assert_eq!(store.claim("worker-1", LEASE).await.unwrap(), None);

    // The callback makes it due, once.
    assert!(store.note_event(&channel("wechat"), "event-1").await.unwrap());
    assert!(!store.note_event(&channel("wechat"), "event-1").await.unwrap());
    assert!(!store.wake_remote(&channel("wechat"), "publish-8").await.unwrap());
    assert!(store.wake_remote(&channel("wechat"), "publish-9").await.unwrap());
    let claim = store.claim("worker-1", LEASE).await.unwrap().unwrap();
    assert_eq!((claim.delivery.state, claim.delivery.epoch), (Accepted, 4));
    let url = Some("https://mp.example/s/1".to_owned());
    let confirmed = Transition { url: url.clone(), ..to(Confirmed) };
    store.advance(&claim, &confirmed).await.unwrap();
    assert_eq!(store.delivery(&row.id).await.unwrap().url, url);

    let states: Vec<_> = store.attempts(&row.id).await.unwrap().iter().map(|l| l.to).collect();
    assert_eq!(states, [Ready, Preparing, Prepared, Sending, Accepted, Confirmed]);
    assert_eq!(
        store.counts().await.unwrap(),
        [(channel("folder"), Preparing, 1), (channel("wechat"), Confirmed, 1)]
    );
    assert_eq!(store.overdue().await.unwrap().len(), 1);
    // The other worker gives its row back for a person.
    store.advance(&folder, &to(NeedsHuman)).await.unwrap();
    assert_eq!(store.next_due().await.unwrap(), None);
}

/// From when until when each of them was to be seen is what their attempts say.
async fn seen(store: &Store) {
    use DeliveryState::{Accepted, Confirmed, Recalled};
    let all = store.out_ever(None).await.unwrap();
    assert_eq!(all.len(), 2);
    let seen = store.seen(None).await.unwrap();
    let state = store.deliveries_state().await.unwrap();
    assert_eq!(caishi::store::DeliveriesState::of(all.iter()), state);
    // What changed last is what changed since.
    let last = all.iter().map(|out| out.changed_at).max();
    let since = store.out_ever(last).await.unwrap();
    assert_eq!(since.len(), 1);
    assert!(Some(since[0].changed_at) == last && all.contains(&since[0]));
    let own = store.seen(last).await.unwrap();
    assert_eq!(own.get(&since[0].delivery), seen.get(&since[0].delivery));
    assert!(own.len() <= 1);
    for out in all {
        let attempts = store.attempts(&out.delivery).await.unwrap();
        let first = |state| attempts.iter().find(|line| line.to == state).map(|line| line.at);
        let own = seen.get(&out.delivery).copied();
        if out.channel.as_str() == "wechat" {
            let own = own.unwrap();
            assert!(own.from().is_some() && own.recalled >= own.from());
            assert_eq!(own.confirmed, first(Confirmed));
            assert_eq!(own.accepted, first(Accepted));
            assert_eq!(own.recalled, first(Recalled));
        } else {
            assert_eq!(own, None, "it never went out");
        }
    }
}

async fn recalled(store: &Store) {
    let filter = DeliveryFilter { limit: 1, ..DeliveryFilter::default() };
    assert_eq!(store.deliveries(&filter).await.unwrap().len(), 1);
    let filter =
        DeliveryFilter { states: vec![DeliveryState::Confirmed], ..DeliveryFilter::default() };
    let row = store.deliveries(&filter).await.unwrap().remove(0);
    let wrong = [DeliveryState::Unknown, DeliveryState::NeedsHuman];
    let error = store.intervene(&row.id, &wrong, &to(DeliveryState::Ready), "chen", "").await;
    assert_eq!(
        error.unwrap_err().to_string(),
        format!("投递 {} 现在是“已送达”，只有“结果不明、需人工处理”的投递可以这样处理", row.id)
    );
    let from = [DeliveryState::Confirmed];
    let change = to(DeliveryState::Recalled);
    let after = store.intervene(&row.id, &from, &change, "chen", "内容有误").await.unwrap();
    assert_eq!((after.state, after.epoch), (DeliveryState::Recalled, row.epoch + 1));
    let line = store.attempts(&row.id).await.unwrap().pop().unwrap();
    assert_eq!((line.actor.as_str(), line.message.as_str()), ("chen", "内容有误"));
}
