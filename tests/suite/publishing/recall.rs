//! One lesson of several comes down by itself where the channel can part them; where not, what
//! else comes down is said before it does.

use super::town::{CHANNELS, MONDAY, Town};
use caishi::{model::DeliveryState, work::Verdict};

/// Two lessons a week, and one signature.
fn two_lessons() -> String {
    let channels = CHANNELS.replace("rule = ", "lessons_per_slot = 2\nrule = ");
    let end = channels.find("[[review.step]]\nname = \"业务会签\"").unwrap();
    channels[..end].to_owned()
}

async fn published(channels: &str) -> Town {
    let town = Town::with(channels).await;
    let review = town.submit().await;
    assert_eq!(review.lessons.len(), 2);
    town.publisher.decide(&review, &town.reviewer, Verdict::approved()).await.unwrap();
    town.set_clock(MONDAY).await;
    town.move_clock(jiff::SignedDuration::from_secs(5));
    town.tick().await;
    town.work().await;
    assert_eq!(town.states().await, super::ALL_CONFIRMED);
    town
}

async fn recalls(town: &Town, method: &str, kept: DeliveryState) {
    let plan = town.publisher.recall_plan("personal-info").await.unwrap();
    // Said before: folders cannot part them, and a webhook takes nothing back anyway.
    let warnings = plan.warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("渠道 branches"), "{warnings:?}");
    assert!(warnings[0].contains("同一推送里的 telecom-fraud 也会下架"), "{warnings:?}");
    let lines = town.publisher.recall(plan, "数字有误", "reviewer").await.unwrap();
    assert_eq!(lines.len(), 3, "{lines:?}");
    for line in &lines {
        match line.delivery.channel.as_str() {
            "wechat" => {
                assert_eq!(line.delivery.state, kept, "{line:?}");
                assert!(
                    line.detail.contains("只撤了 personal-info，telecom-fraud 还在"),
                    "{line:?}"
                );
            }
            "branches" => {
                assert_eq!(line.delivery.state, DeliveryState::Recalled);
                assert!(line.detail.contains("telecom-fraud 也一起下架了"), "{line:?}");
            }
            _ => assert!(!line.complete, "{line:?}"),
        }
    }
    let deletions = town.sandbox.books().deletions;
    assert_eq!(deletions.len(), 1, "{deletions:?}");
    assert_eq!((deletions[0].path.as_str(), deletions[0].index), (method, Some(2)));
    // With the other lesson everything is down.
    let plan = town.publisher.recall_plan("telecom-fraud").await.unwrap();
    assert_eq!(plan.warnings(), Vec::<String>::new(), "nothing else is up any more");
    let lines = town.publisher.recall(plan, "数字有误", "reviewer").await.unwrap();
    let wechat = lines.iter().find(|line| line.delivery.channel.as_str() == "wechat").unwrap();
    assert_eq!(wechat.delivery.state, DeliveryState::Recalled, "{wechat:?}");
    let last = town.sandbox.books().deletions.pop().unwrap();
    assert_eq!(last.index, None, "all of it");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_article_of_a_publication_comes_down_alone() {
    let town = published(&two_lessons()).await;
    recalls(&town, "freepublish/delete", DeliveryState::Confirmed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_article_of_a_mass_send_comes_down_alone() {
    let mass = "app_id = \"wx5a0d0000demo0001\"\nsend = \"mass\"\nto_all = true";
    let channels = two_lessons().replace("app_id = \"wx5a0d0000demo0001\"", mass);
    let town = published(&channels).await;
    recalls(&town, "message/mass/delete", DeliveryState::Confirmed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_campaign_comes_down_as_one() {
    let town = published(&two_lessons()).await;
    let plan = town.publisher.recall_plan("routine/weekly").await.unwrap();
    assert!(plan.lesson.is_none() && plan.warnings().is_empty(), "{plan:?}");
    let lines = town.publisher.recall(plan, "口号临时更换", "reviewer").await.unwrap();
    assert_eq!(lines.len(), 3);
    assert_eq!(town.sandbox.books().deletions[0].index, None);
}
