//! Ways to send and what surrounds them: mass sends, drafts for people, hours, previews, the
//! doctor, numbers, and ends that are no success.

use super::{
    account::articles,
    stage::{PUBLISHING, Stage, assert_clean},
};
use caishi::{
    config::PublishMode,
    deliver::{Commit, Confirmation, ErrorKind, Probe, RecallAbility, Retry},
    model::{DeliveryKey, Digest},
    sandbox::{AccountKind, Profile},
};
use jiff::SignedDuration;

fn service() -> Profile {
    Profile {
        kind: AccountKind::Service,
        followers: 5,
        tags: [(100, vec!["o_1".into(), "o_2".into()])].into(),
        ..Profile::default()
    }
}

#[tokio::test]
async fn a_mass_send_reaches_followers_once_and_counts_once() {
    let settings = "send = 'mass'\nto_all = true";
    let stage = Stage::with(settings, Profile::default(), PublishMode::Publish).await;
    let parcel = articles(&stage.books, &["课"]);
    let prepared = stage.prepare(&parcel).await.unwrap();
    let commit = || stage.channel.commit(&parcel, &prepared, &stage.books);
    let Commit::Accepted { remote_ref } = commit().await.unwrap() else { panic!() };
    // Sent again, as after a crash: the platform knows the key and says so.
    let Commit::Accepted { remote_ref: again } = commit().await.unwrap() else { panic!() };
    assert_eq!(remote_ref, again);
    assert_eq!(stage.sandbox.books().repeats[0].key, parcel.key.short());
    stage.shift(PUBLISHING);
    let confirmed = stage.channel.confirm(&parcel, &remote_ref, &stage.books).await.unwrap();
    let Confirmation::Published(receipt) = confirmed else { panic!("{confirmed:?}") };
    assert_eq!(stage.account().mass_sends.len(), 1);

    // The day's only send is used up: the next one waits for midnight, and nothing is asked.
    let mut next = articles(&stage.books, &["下一课"]);
    next.key = DeliveryKey::from_digest(Digest::of(b"next"));
    let other = stage.books.of_delivery("d-2");
    let prepared = stage.channel.prepare(&next, &other).await.unwrap();
    let error = stage.channel.commit(&next, &prepared, &other).await.unwrap_err();
    let Retry::At(until) = error.retry else { panic!("{error:?}") };
    assert_eq!(error.kind, ErrorKind::Quota);
    assert_eq!(stage.sandbox.books().count("message/mass/sendall", 45028), 0);
    let now = stage.sandbox.books().now;
    assert_eq!(until.duration_since(now).as_hours(), 13, "from ten to midnight, less a little");

    assert!(matches!(stage.channel.capability().recall, RecallAbility::Partial(_)));
    for _ in 0..2 {
        let recalled = stage.channel.recall(&parcel, &receipt, &stage.books).await.unwrap();
        assert!(recalled.complete && recalled.detail.contains("卡片"), "{}", recalled.detail);
    }
    assert_eq!(stage.account().mass_sends[0].status, 5);
    assert_clean(&stage);
}

#[tokio::test]
async fn a_tag_is_sent_to_by_a_service_account() {
    let settings = "send = 'mass'\ntag_id = 100\naccount = 'service'";
    let stage = Stage::with(settings, service(), PublishMode::Publish).await;
    let lines = stage.channel.quotas(&stage.books).await.unwrap();
    assert!(lines[1].contains("群发：今天还能 100 次（每天 100 次）"), "{lines:?}");
    stage.deliver(&articles(&stage.books, &["课"])).await.unwrap();
    assert_eq!(stage.account().mass_sends[0].range, "tag:100");
    let lines = stage.channel.quotas(&stage.books).await.unwrap();
    assert!(lines[1].contains("今天还能 99 次"), "{lines:?}");
}

#[tokio::test]
async fn a_draft_channel_leaves_the_last_step_to_a_person() {
    let stage = Stage::with("", Profile::default(), PublishMode::Draft).await;
    let parcel = articles(&stage.books, &["课"]);
    let receipt = stage.deliver(&parcel).await.unwrap();
    assert!(receipt.detail.contains("公众平台上发表"), "{}", receipt.detail);
    assert_eq!((stage.account().drafts.len(), stage.account().publishes.len()), (1, 0));
    for _ in 0..2 {
        let recalled = stage.channel.recall(&parcel, &receipt, &stage.books).await.unwrap();
        assert!(recalled.complete, "{}", recalled.detail);
        assert_eq!(stage.account().drafts.len(), 0);
    }
    // A draft that is gone without our doing may be out.
    let other = stage.books.of_delivery("d-2");
    let receipt = stage.deliver_with(&parcel, &other).await.unwrap();
    let body = serde_json::json!({ "media_id": receipt.remote_ref });
    stage.call("draft/delete", &stage.token().await, &body).await;
    let recalled = stage.channel.recall(&parcel, &receipt, &other).await.unwrap();
    assert!(!recalled.complete && recalled.detail.contains("有人已把它发表"), "{recalled:?}");
}

#[tokio::test]
async fn a_draft_that_people_touched_is_not_sent() {
    let stage = Stage::new("").await;
    let parcel = articles(&stage.books, &["课"]);
    let prepared = stage.prepare(&parcel).await.unwrap();
    assert_eq!(stage.prepare(&parcel).await.unwrap(), prepared, "again is the same");
    assert_eq!(stage.count("draft/add"), 1);

    let token = stage.token().await;
    let thumb = &stage.account().drafts[0].articles[0].thumb_media_id;
    let article = serde_json::json!({ "title": "课", "content": "<p>改过</p>",
        "thumb_media_id": thumb });
    let body = serde_json::json!({ "media_id": prepared.reference, "index": 0,
        "articles": article });
    assert_eq!(stage.call("draft/update", &token, &body).await["errcode"], 0);
    let error = stage.prepare(&parcel).await.unwrap_err();
    assert_eq!((error.kind, error.retry), (ErrorKind::Conflict, Retry::Never));

    let body = serde_json::json!({ "media_id": prepared.reference });
    assert_eq!(stage.call("draft/delete", &token, &body).await["errcode"], 0);
    let error = stage.prepare(&parcel).await.unwrap_err();
    assert_eq!((error.kind, error.retry), (ErrorKind::NotFound, Retry::Never));
    // A person looked and said: again.
    stage.deliver(&parcel).await.unwrap();
    assert_eq!(stage.account().publishes.len(), 1);
    assert_clean(&stage);
}

/// The covers in the material library were deleted by somebody: they go up again, by
/// themselves once, then at a person's word.
#[tokio::test]
async fn material_that_somebody_deleted_is_uploaded_again() {
    let stage = Stage::new("").await;
    stage.deliver(&articles(&stage.books, &["一"])).await.unwrap();
    stage.faults(&["draft/add#1=error:40007"]);
    let other = stage.books.of_delivery("d-2");
    stage.deliver_with(&articles(&stage.books, &["二"]), &other).await.unwrap();
    assert_eq!(stage.count("material/add_material"), 2);
    stage.faults(&["draft/add=error:40007"]);
    let third = stage.books.of_delivery("d-3");
    let parcel = articles(&stage.books, &["三"]);
    let error = stage.deliver_with(&parcel, &third).await.unwrap_err();
    assert_eq!((error.code.as_deref(), error.retry), (Some("40007"), Retry::Never));
    assert!(error.next_step.contains("再重发一次"), "{}", error.next_step);
    // Whenever a person says again, what is remembered is not trusted.
    stage.faults(&[]);
    assert_eq!(stage.count("material/add_material"), 3);
    stage.deliver_with(&parcel, &third).await.unwrap();
    assert_eq!(stage.count("material/add_material"), 4);
}

#[tokio::test]
async fn sending_waits_for_its_hours() {
    let stage = Stage::new("send_hours = '08:00-22:00'").await;
    let parcel = articles(&stage.books, &["课"]);
    let prepared = stage.prepare(&parcel).await.unwrap();
    stage.shift(SignedDuration::from_hours(13));
    let error = stage.channel.commit(&parcel, &prepared, &stage.books).await.unwrap_err();
    let Retry::At(opening) = error.retry else { panic!("{error:?}") };
    let now = stage.sandbox.books().now;
    assert_eq!(opening.duration_since(now).as_hours(), 8, "from eleven at night to eight");
    stage.deliver(&parcel).await.unwrap();
    assert_eq!(stage.account().publishes.len(), 1);
}

#[tokio::test]
async fn previews_go_to_named_readers() {
    let stage = Stage::new("test_readers = ['lin_edu', 'wang_edu']").await;
    let parcel = articles(&stage.books, &["课"]);
    let prepared = stage.prepare(&parcel).await.unwrap();
    let readers = stage.channel.test_readers();
    let said = stage.channel.preview(&prepared, &readers, &stage.books).await.unwrap();
    assert_eq!(said.as_deref(), Some("预览已发到 lin_edu、wang_edu 的微信"));
    assert_eq!(stage.account().previews, 2);
    let said = stage.channel.preview(&prepared, &readers[1..], &stage.books).await.unwrap();
    assert_eq!(said.as_deref(), Some("预览已发到 wang_edu 的微信"));
    assert_eq!(stage.account().previews, 3);
    let none = Stage::new("").await;
    assert_eq!(none.channel.test_readers(), Vec::<String>::new());
}

#[tokio::test]
async fn the_doctor_looks_and_leaves_nothing() {
    let stage = Stage::new("").await;
    let findings = stage.channel.check(&stage.books).await;
    assert!(findings.iter().all(|finding| finding.ok), "{findings:?}");
    let account = stage.account();
    assert_eq!((account.drafts.len(), account.materials.len(), account.pictures), (0, 0, 0));

    let without = Profile { publish_right: false, ..Profile::default() };
    let stage = Stage::with("", without, PublishMode::Publish).await;
    let findings = stage.channel.check(&stage.books).await;
    let bad: Vec<_> = findings.iter().filter(|finding| !finding.ok).collect();
    assert_eq!(bad.len(), 1);
    assert!(bad[0].what.contains("48001") && bad[0].next_step.is_some(), "{bad:?}");

    let elsewhere =
        Profile { ip_whitelist: Some(vec!["203.0.113.7".into()]), ..Profile::default() };
    let stage = Stage::with("", elsewhere, PublishMode::Publish).await;
    let findings = stage.channel.check(&stage.books).await;
    assert_eq!(findings.len(), 1);
    assert!(findings[0].what.contains("40164") && findings[0].what.contains("IP 127.0.0.1"));
}

/// The first day's counts are there the day after.
#[tokio::test]
async fn numbers_are_asked_for_when_there_can_be_any() {
    let stage = Stage::new("").await;
    let parcel = articles(&stage.books, &["课"]);
    let receipt = stage.deliver(&parcel).await.unwrap();
    assert_eq!(stage.channel.statistics(&receipt, &stage.books).await.unwrap(), []);
    assert_eq!(stage.count("datacube/getarticletotaldetail"), 0);
    stage.shift(SignedDuration::from_hours(48));
    let numbers = stage.channel.statistics(&receipt, &stage.books).await.unwrap();
    assert_eq!(stage.count("datacube/getarticletotaldetail"), 1);
    assert!(numbers.iter().any(|number| number.name == "read_user"), "{numbers:?}");
}

#[tokio::test]
async fn an_end_that_is_no_success_is_told_with_its_reason() {
    for (title, status) in
        [("【审核不通过】课", "publish_status 4"), ("【发布失败】课", "publish_status 3")]
    {
        let stage = Stage::new("").await;
        let parcel = articles(&stage.books, &[title]);
        let prepared = stage.prepare(&parcel).await.unwrap();
        let commit = stage.channel.commit(&parcel, &prepared, &stage.books).await.unwrap();
        let Commit::Accepted { remote_ref } = commit else { panic!("{commit:?}") };
        stage.shift(PUBLISHING);
        let end = stage.channel.confirm(&parcel, &remote_ref, &stage.books).await.unwrap();
        let Confirmation::Failed { code, reason } = end else { panic!("{end:?}") };
        assert_eq!(code, status);
        assert!(reason.contains("公众平台"), "{reason}");
    }
}

/// A submission that is repeated while the first is still being published would publish twice:
/// the draft is still in the box then. Only time tells.
#[tokio::test]
async fn a_draft_in_the_box_proves_nothing_at_first() {
    let stage = Stage::new("settle_seconds = 600").await;
    let parcel = articles(&stage.books, &["课"]);
    let prepared = stage.prepare(&parcel).await.unwrap();
    stage.faults(&["freepublish/submit#1=cut-after"]);
    let error = stage.channel.commit(&parcel, &prepared, &stage.books).await.unwrap_err();
    assert_eq!(error.retry, Retry::Ask);
    let probe = || stage.channel.probe(&parcel, &prepared, &stage.books);
    let Probe::Unknown(why) = probe().await.unwrap() else { panic!() };
    assert!(why.contains("还在草稿箱"), "{why}");
    stage.shift(PUBLISHING);
    let Probe::Published(receipt) = probe().await.unwrap() else { panic!() };
    assert!(receipt.url.is_some());
    // The receipt is enough to take it down.
    assert!(stage.channel.recall(&parcel, &receipt, &stage.books).await.unwrap().complete);
    assert_clean(&stage);
}
