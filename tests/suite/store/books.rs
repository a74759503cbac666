//! What two processes share: tokens, quotas, journals.

use super::*;
use caishi::store::StoreError;
use tokio::task::JoinSet;

#[test]
fn one_process_at_a_time_refreshes_a_token() {
    on_both(async |place| {
        let (one, two) = (place.open().await, place.open().await);
        let wechat = channel("wechat");
        let lease = Duration::from_secs(30);
        let until = Timestamp::from_second(later(7200).as_second()).unwrap();
        assert_eq!(one.token(&wechat, "wx1").await.unwrap(), None);
        assert!(one.lease_token(&wechat, "wx1", "one", lease).await.unwrap());
        assert!(!two.lease_token(&wechat, "wx1", "two", lease).await.unwrap());
        assert!(two.lease_token(&wechat, "wx2", "two", lease).await.unwrap(), "another account");
        assert_eq!(one.store_token(&wechat, "wx1", "one", "sealed-1", until).await.unwrap(), 1);
        let stored = Some(("sealed-1".to_owned(), until, 1));
        assert_eq!(two.token(&wechat, "wx1").await.unwrap(), stored);

        // Storing ended the lease; the next refresh may be anybody's.
        assert!(two.lease_token(&wechat, "wx1", "two", lease).await.unwrap());
        // The first one, late, must not overwrite what the second one is fetching.
        let late = one.store_token(&wechat, "wx1", "one", "sealed-old", until).await;
        assert!(matches!(late, Err(StoreError::Fenced(_))), "{late:?}");
        assert_eq!(two.store_token(&wechat, "wx1", "two", "sealed-2", until).await.unwrap(), 2);

        // A process that died while refreshing blocks nobody for longer than its lease.
        assert!(one.lease_token(&wechat, "wx1", "one", lease).await.unwrap());
        two.shift_clock(SignedDuration::from_secs(31));
        assert!(two.lease_token(&wechat, "wx1", "two", lease).await.unwrap());
    });
}

#[test]
fn a_quota_is_never_exceeded_by_two_processes() {
    on_both(async |place| {
        let window = Timestamp::from_second(1_800_000_000).unwrap();
        let mut takers = JoinSet::new();
        for _ in 0..2 {
            let store = place.open().await;
            takers.spawn(async move {
                let mut counts = Vec::new();
                for _ in 0..20 {
                    let taken = store.take_quota(&channel("wechat"), "publish", window, 25).await;
                    counts.extend(taken.unwrap());
                }
                counts
            });
        }
        let mut counts: Vec<u32> = takers.join_all().await.into_iter().flatten().collect();
        counts.sort_unstable();
        assert_eq!(counts, (1..=25).collect::<Vec<_>>());
        let store = place.open().await;
        let wechat = channel("wechat");
        assert_eq!(store.quota_used(&wechat, "publish", window).await.unwrap(), 25);
        assert_eq!(store.quota_used(&wechat, "draft", window).await.unwrap(), 0);
        let next = window + SignedDuration::from_hours(24);
        assert_eq!(store.take_quota(&wechat, "publish", next, 25).await.unwrap(), Some(1));
        assert_eq!(store.take_quota(&wechat, "forbidden", next, 0).await.unwrap(), None);
    });
}

#[test]
fn journals_of_channel_and_delivery_are_apart() {
    on_both(async |place| {
        let store = place.open().await;
        let wechat = channel("wechat");
        store.write_journal(&wechat, None, None, "uploadimg/ab", "https://a").await.unwrap();
        store.write_journal(&wechat, None, None, "uploadimg/ab", "https://b").await.unwrap();
        let journal = store.journal(&wechat, None, "uploadimg/ab").await.unwrap();
        assert_eq!(journal.as_deref(), Some("https://b"));
        assert_eq!(store.journal(&wechat, Some("d1"), "uploadimg/ab").await.unwrap(), None);
        assert_eq!(store.journal(&channel("folder"), None, "uploadimg/ab").await.unwrap(), None);
    });
}
