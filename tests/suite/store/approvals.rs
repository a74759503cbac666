//! Nothing goes out that was not approved, as it is, by enough people (P5).

use super::*;
use caishi::store::{DeliveryFilter, StoreError};

/// What becomes of a ready row when, after it was written, something happens to its approvals.
#[test]
fn approvals_are_looked_at_again_when_a_row_is_claimed() {
    on_both(async |place| {
        let store = place.open().await;
        let (bytes, occurrence) = approved(&store, &["a", "b"]).await;
        let changed = manifest("甲。");
        let other = delivery(&occurrence, "wechat", "c", &changed.0);
        let slot = super::occurrence("changed", occurrence.slot);
        let other = NewDelivery {
            key: DeliveryKey::new(&slot.id, &other.channel, "c", &changed.0),
            ..other
        };
        store.open_occurrence(&slot, &[other], "scheduler").await.unwrap();

        // One full stop more: other bytes, no approval.
        let states = vec![DeliveryState::WaitingApproval];
        let filter = DeliveryFilter { states, ..DeliveryFilter::default() };
        let waiting = store.deliveries(&filter).await.unwrap();
        assert_eq!(waiting.len(), 1);
        assert_eq!(waiting[0].message, "这份内容没有送审");

        // A no between firing and claiming; then rows wait, and are not handed out.
        let no = Approval {
            decision: Decision::Rejected,
            note: "数字有误".to_owned(),
            ..approval(&bytes, "消保审查", "sun")
        };
        let claim = store.claim("worker", LEASE).await.unwrap().unwrap();
        store.decide(&[no]).await.unwrap();
        let refused = store.advance(&claim, &to(DeliveryState::Sending)).await.unwrap_err();
        assert!(matches!(refused, StoreError::Refused(_)), "{refused}");
        assert_eq!(store.claim("worker", LEASE).await.unwrap(), None);
        for row in store.deliveries(&DeliveryFilter::default()).await.unwrap() {
            assert_eq!(row.state, DeliveryState::WaitingApproval);
            assert_eq!(row.attempt, 0);
        }
        let row = store.delivery(&claim.delivery.id).await.unwrap();
        assert_eq!(row.message, "sun 退回：数字有误");
        assert!(store.verify_audit().await.unwrap().is_ok());
    });
}

#[test]
fn an_approval_that_ends_before_the_slot_stops_it_and_a_new_one_lets_it_go() {
    on_both(async |place| {
        let store = place.open().await;
        let (bytes, _) = approved(&store, &["a", "b", "c"]).await;
        store.shift_clock(SignedDuration::from_hours(25));
        assert_eq!(store.claim("worker", LEASE).await.unwrap(), None);
        let rows = store.deliveries(&DeliveryFilter::default()).await.unwrap();
        assert!(
            rows.iter().all(|row| row.message.starts_with("“消保审查”的签字")
                && row.message.ends_with("到期了")),
            "{rows:?}"
        );
        let renewed = ["消保审查", "部门会签"].into_iter().zip(["chen", "wang"]);
        let renewed: Vec<_> = renewed
            .map(|(step, actor)| {
                let yes = approval(&bytes, step, actor);
                let expires_at = yes.expires_at + SignedDuration::from_hours(48);
                Approval { at: yes.at + SignedDuration::from_hours(25), expires_at, ..yes }
            })
            .collect();
        store.decide(&renewed).await.unwrap();
        assert!(store.claim("worker", LEASE).await.unwrap().is_some());

        // The window ends: what has not gone out will not.
        store.shift_clock(SignedDuration::from_hours(24 * 7));
        assert_eq!(store.claim("worker", LEASE).await.unwrap(), None);
        let counts = store.counts().await.unwrap();
        assert_eq!(counts, [(channel("wechat"), DeliveryState::Expired, 3)]);
    });
}

/// The rules that hold for administrators too, checked in the transaction that writes.
#[test]
fn decisions_that_must_not_be_are_refused_whole() {
    on_both(async |place| {
        let store = place.open().await;
        let (one, two) = (manifest("一"), manifest("二"));
        let submission = review(1, &[("folder", &one), ("wechat", &two)]);
        store.submit(&submission, &[one.clone(), two.clone()]).await.unwrap();
        let good = approval(&one.0, "消保审查", "chen");
        let cases = [
            ("lin 是", approval(&two.0, "部门会签", "lin")),
            ("zhou 是", approval(&two.0, "部门会签", "zhou")),
            ("没有“闲聊”这一步", approval(&two.0, "闲聊", "wang")),
            ("不能再审“部门会签”", approval(&one.0, "部门会签", "chen")),
            ("不必再批", approval(&one.0, "消保审查", "chen")),
            ("没有提交过审批", approval(&Digest::of(b"no"), "消保审查", "wang")),
        ];
        for (expected, bad) in cases {
            let error = store.decide(&[good.clone(), bad]).await.unwrap_err();
            assert!(matches!(error, StoreError::Conflict(_)), "{error}");
            assert!(error.to_string().contains(expected), "{error}");
            assert_eq!(store.approvals(&one.0).await.unwrap(), [], "{expected}: all or none");
        }
        store.decide(std::slice::from_ref(&good)).await.unwrap();
        let no = Approval { decision: Decision::Rejected, at: later(5), ..good.clone() };
        store.decide(&[no]).await.unwrap();
        let yes = Approval { at: later(9), ..good };
        let error = store.decide(&[yes]).await.unwrap_err().to_string();
        assert!(error.contains("修改后重新提交"), "{error}");
    });
}

/// Whoever was closed before signs no more; what they signed before goes on counting.
#[test]
fn a_closed_person_does_not_sign() {
    on_both(async |place| {
        let store = place.open().await;
        let one = manifest("一");
        store.submit(&review(1, &[("wechat", &one)]), std::slice::from_ref(&one)).await.unwrap();
        let account = |active| caishi::store::Account {
            person: person("chen"),
            name: "陈".into(),
            roles: vec!["reviewer".into()],
            department: None,
            branch: None,
            password: None,
            failures: 0,
            locked_until: None,
            active,
            invite_until: None,
            changed_at: Timestamp::UNIX_EPOCH,
        };
        store.save_account(&account(false), "administrator").await.unwrap();
        let yes = approval(&one.0, "消保审查", "chen");
        let error = store.decide(std::slice::from_ref(&yes)).await.unwrap_err();
        assert!(matches!(&error, StoreError::Conflict(_)), "{error}");
        assert!(error.to_string().contains("已经停用"), "{error}");
        store.save_account(&account(true), "administrator").await.unwrap();
        store.decide(std::slice::from_ref(&yes)).await.unwrap();
        store.save_account(&account(false), "administrator").await.unwrap();
        let kept = store.approvals(&one.0).await.unwrap();
        assert_eq!(kept, [yes]);
        let excluded = store.review_of_manifest(&one.0).await.unwrap().unwrap().excluded;
        let steps = [step("消保审查")];
        let standing = caishi::review::standing(&steps, &kept, &excluded, later(60));
        assert!(matches!(standing, caishi::review::Standing::Approved { .. }), "{standing}");
    });
}

#[test]
fn a_number_is_taken_again_only_for_bytes_that_were_decided_about() {
    on_both(async |place| {
        let store = place.open().await;
        let (one, two) = (manifest("一"), manifest("二"));
        store.submit(&review(1, &[("wechat", &one)]), std::slice::from_ref(&one)).await.unwrap();
        // Nobody has said anything: the text may still change.
        store.submit(&review(1, &[("wechat", &two)]), std::slice::from_ref(&two)).await.unwrap();
        assert_eq!(store.review_of_manifest(&one.0).await.unwrap(), None);
        store.decide(&[approval(&two.0, "消保审查", "chen")]).await.unwrap();
        let changed = review(1, &[("wechat", &one)]);
        let error = store.submit(&changed, std::slice::from_ref(&one)).await.unwrap_err();
        assert!(error.to_string().contains("chen 已对"), "{error}");

        // The same bytes by somebody else: who could not approve before still cannot.
        let other =
            Review { author: person("sun"), excluded: vec![], ..review(1, &[("wechat", &two)]) };
        store.submit(&other, std::slice::from_ref(&two)).await.unwrap();
        let stored = store.review_of_manifest(&two.0).await.unwrap().unwrap();
        assert_eq!(stored.excluded, ["lin", "sun", "zhou"].map(person));
        assert_eq!(stored.reasons, [(person("lin"), "送审".to_owned())]);
        assert_eq!(store.approvals(&two.0).await.unwrap().len(), 1);

        let wrong = (two.0, one.1.clone());
        let error = store.submit(&review(2, &[("wechat", &two)]), &[wrong]).await.unwrap_err();
        assert!(error.to_string().contains("不符"), "{error}");
        let error = store.submit(&review(3, &[("wechat", &two)]), &[]).await.unwrap_err();
        assert!(error.to_string().contains("少了渠道 wechat"), "{error}");
        let taken = store.submit(&review(4, &[("x", &two)]), &[two]).await.unwrap_err();
        assert!(taken.to_string().contains("另一份审批单"), "{taken}");
    });
}

#[test]
fn what_a_newer_submission_replaced_is_not_approved_any_more() {
    on_both(async |place| {
        let store = place.open().await;
        let texts = ["一", "二", "三", "四"].map(manifest);
        let [one, two, three, four] = &texts;
        let at = |second: i64, review: Review| Review {
            submitted_at: review.submitted_at + SignedDuration::from_secs(second),
            ..review
        };
        let first = at(0, review(1, &[("intranet", one), ("wechat", two)]));
        store.submit(&first, &texts).await.unwrap();
        assert!(!store.successors(&first.number).await.unwrap().are_all());
        // One channel of two: it can be approved.
        let second = at(1, review(2, &[("wechat", three)]));
        store.submit(&second, std::slice::from_ref(three)).await.unwrap();
        let successors = store.successors(&first.number).await.unwrap();
        assert!(!successors.are_all());
        assert_eq!(successors.numbers(), std::slice::from_ref(&second.number));
        store.decide(&[approval(&one.0, "消保审查", "chen")]).await.unwrap();
        let all = store.first_approvals().await.unwrap();
        assert_eq!(all.get(&one.0), Some(&store.approvals(&one.0).await.unwrap()));
        assert!(!all.contains_key(&three.0));
        // Other lessons of the campaign take no place of these.
        let lessons = vec![caishi::model::LessonId::new("other").unwrap()];
        let other = manifest("别的");
        let beside = Review { lessons, ..at(3, review(3, &[("intranet", &other)])) };
        store.submit(&beside, std::slice::from_ref(&other)).await.unwrap();
        assert!(!store.successors(&first.number).await.unwrap().are_all());
        // The other channel, at the same moment as the one before: the higher number is newer.
        let fourth = at(1, review(4, &[("intranet", four)]));
        store.submit(&fourth, std::slice::from_ref(four)).await.unwrap();
        let all = store.successors(&first.number).await.unwrap();
        assert!(all.are_all());
        assert_eq!(all.numbers(), [second.number.clone(), fourth.number.clone()]);
        let listed = store.reviews(None).await.unwrap();
        let of_all = caishi::store::Successors::of_all(&listed);
        let own = listed.iter().position(|one| one.number == first.number).unwrap();
        assert_eq!(of_all[own], all);
        let error = store.decide(&[approval(&one.0, "部门会签", "wang")]).await.unwrap_err();
        assert!(matches!(&error, StoreError::Conflict(why) if why.contains(&second.number)));
        // What was signed can be taken back still.
        let no = Approval {
            decision: Decision::Rejected,
            at: later(60),
            note: "数字有误".to_owned(),
            ..approval(&one.0, "消保审查", "chen")
        };
        store.decide(&[no]).await.unwrap();
    });
}
