//! Test readers see it first, and afterwards it is known how many read it.

use super::town::{CHANNELS, MONDAY, Town};
use caishi::{model::ChannelId, work::WorkError};
use jiff::SignedDuration;

fn with_readers() -> String {
    let readers = "app_id = \"wx5a0d0000demo0001\"\ntest_readers = [\"lin_edu\", \"wang_edu\"]";
    CHANNELS.replace("app_id = \"wx5a0d0000demo0001\"", readers)
}

#[tokio::test(flavor = "multi_thread")]
async fn test_readers_see_what_was_submitted_and_nothing_is_published() {
    let town = Town::with(&with_readers()).await;
    let review = town.submit().await;
    let send = async |channel: Option<&str>, to: &[&str]| {
        let channel = channel.map(|id| ChannelId::new(id).unwrap());
        let to: Vec<String> = to.iter().map(|&reader| reader.to_owned()).collect();
        town.publisher.send_preview(&review, channel.as_ref(), &to, "author").await
    };
    let account = || town.sandbox.books().account("wx5a0d0000demo0001").unwrap().clone();
    let first = send(None, &["lin_edu"]).await.unwrap();
    assert_eq!((first.channel.as_str(), account().previews), ("wechat", 1));
    assert_eq!(first.sent, "预览已发到 lin_edu 的微信");
    // The same text again is the same draft, to everybody now.
    let second = send(Some("wechat"), &[]).await.unwrap();
    assert_eq!((second.draft, account().previews), (first.draft, 3));
    assert_eq!(account().drafts.len(), 1);
    assert_eq!(town.sandbox.books().out().count(), 0);
    assert_eq!(town.deliveries().await, []);

    // Never to strangers, and not over channels that have no such thing.
    let stranger = send(None, &["somebody_else"]).await;
    assert!(
        matches!(&stranger, Err(WorkError::Unknown(why)) if why.contains("lin_edu、wang_edu")),
        "{stranger:?}"
    );
    let folder = send(Some("branches"), &[]).await;
    assert!(
        matches!(&folder, Err(WorkError::Refused(why)) if why.contains("test_readers")),
        "{folder:?}"
    );
    let none = send(Some("nothing"), &[]).await;
    assert!(matches!(&none, Err(WorkError::Unknown(why)) if why.contains("wechat")), "{none:?}");
    // What the platform refuses is said with what to do.
    town.sandbox.set_faults(vec!["message/mass/preview=error:48001".parse().unwrap()]);
    let refused = send(None, &[]).await;
    assert!(
        matches!(&refused, Err(WorkError::Refused(why)) if why.contains("48001") && why.contains("下一步")),
        "{refused:?}"
    );
    assert_eq!(account().previews, 3);
    town.sandbox.set_faults(Vec::new());

    // The delivery makes a draft of its own and goes out once.
    town.approve(&review).await;
    town.set_clock(MONDAY).await;
    town.move_clock(SignedDuration::from_secs(5));
    town.tick().await;
    town.work().await;
    assert_eq!(town.states().await, super::ALL_CONFIRMED);
    assert_eq!(town.sandbox.books().out().count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_are_asked_for_and_kept() {
    let town = Town::new().await;
    let review = town.submit().await;
    town.approve(&review).await;
    town.set_clock("2026-11-30T00:00:05Z").await;
    town.tick().await;
    town.work().await;
    let ask = async |name: Option<&str>| town.publisher.statistics(name, "statistics").await;
    // Folders and webhooks count nothing; the platform counts from the next day on.
    let today = ask(None).await.unwrap();
    assert_eq!(today.len(), 1);
    assert_eq!(today[0].delivery.channel.as_str(), "wechat");
    assert!(today[0].numbers.is_empty() && today[0].fault.contains("第二天"), "{today:?}");
    town.move_clock(SignedDuration::from_hours(48));
    let counted = ask(Some("weekly")).await.unwrap();
    let numbers = &counted[0].numbers;
    assert!(numbers.iter().any(|one| one.name == "read_user" && one.value > 0), "{counted:?}");
    assert_eq!(counted[0].fault, "");
    // The platform does not answer: the last numbers, and why they are not newer.
    town.sandbox.set_faults(vec!["datacube/*=error:45009".parse().unwrap()]);
    let kept = ask(Some(&counted[0].delivery.id)).await.unwrap();
    assert_eq!((&kept[0].numbers, kept[0].as_of), (numbers, counted[0].as_of));
    assert!(kept[0].fault.contains("没有取到"), "{kept:?}");
    let unknown = ask(Some("nothing-of-that-name")).await;
    assert!(matches!(unknown, Err(WorkError::Unknown(_))), "{unknown:?}");
}
