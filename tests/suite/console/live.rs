//! What can still be seen: not what the ledger may still send, but what nobody replaced or took
//! down.

use super::{CHANNELS, Office, hotlines::monday_of};
use caishi::{
    model::{BranchId, DeliveryState, PersonId},
    work::live::Standing,
};

const WECHAT: &str = r#"
[channel.wechat]
kind = "wechat"
sandbox = true
app_id = "wx5a0d0000demo0001"
mode = "publish"
outputs = ["article"]
audiences = ["general"]
"#;

/// Monday, when the first week's outputs are out at the branches, on the intranet and as an article.
async fn monday() -> Office {
    let schedule =
        CHANNELS.replace(r#"["branches", "intranet"]"#, r#"["branches", "intranet", "wechat"]"#);
    monday_of(Office::with(&format!("{schedule}{WECHAT}")).await).await
}

/// How everything stands that can be seen: channel and standing.
async fn standings(office: &Office) -> Vec<(String, Standing)> {
    let live = office.town.publisher.live().await.unwrap();
    let mut own: Vec<(String, Standing)> =
        live.iter().map(|one| (one.out.channel.to_string(), one.standing)).collect();
    own.sort_by(|one, other| one.0.cmp(&other.0));
    own
}

fn out(channels: &[&str]) -> Vec<(String, Standing)> {
    channels.iter().map(|channel| ((*channel).to_owned(), Standing::Out)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_old_stays_up_where_the_next_slot_did_not_fire() {
    let office = monday().await;
    assert_eq!(standings(&office).await, out(&["branches", "intranet", "wechat"]));
    // Nobody submitted the second week: its slot is blocked, and the first week's posters hang on.
    office.town.set_clock("2026-12-09T02:00:00Z").await;
    office.town.tick().await;
    assert_eq!(standings(&office).await, out(&["branches", "intranet", "wechat"]));
    let auditor = office.browser("auditor").await;
    let page = auditor.get("/console/audit?branch=b001&day=2026-12-09").await.text;
    assert!(page.contains("branches · ") && !page.contains("没有投放中的内容"), "{page}");
    let page = auditor.get("/console/lessons/telecom-fraud").await.text;
    assert_eq!(page.matches("现在看得到").count(), 3, "{page}");
    let page = auditor.get("/console/hotlines/bank").await.text;
    assert_eq!(page.matches("/console/deliveries/d").count(), 3, "{page}");
    // On the day before the first slot nothing was out.
    let page = auditor.get("/console/audit?branch=b001&day=2026-11-29").await.text;
    assert!(page.contains("没有投放中的内容"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_takes_the_place_of_the_old_at_the_branches_and_not_with_the_readers() {
    let mut office = monday().await;
    office.town.co_reviewer.id = PersonId::new("co-reviewer-2").unwrap();
    office.town.co_reviewer.department = Some("信息科技部".to_owned());
    let publisher = &office.town.publisher;
    office.town.set_clock("2026-12-04T02:00:00Z").await;
    let review = office.town.submit_for("2026-12-07T00:00:00Z").await;
    office.town.approve(&review).await;
    office.town.set_clock("2026-12-07T00:00:00Z").await;
    office.town.tick().await;
    office.town.work().await;
    let all = ["branches", "intranet", "intranet", "wechat", "wechat"];
    assert_eq!(standings(&office).await, out(&all));

    let branch = BranchId::new("b001").unwrap();
    let moment = |text: &str| text.parse().unwrap();
    let names = async |from: &str, until: &str| {
        let then = publisher.shown_between(&branch, moment(from), moment(until)).await.unwrap();
        let weeks = |outs: &[std::sync::Arc<caishi::store::Out>]| -> Vec<String> {
            outs.iter().map(|out| out.lessons[0].to_string()).collect()
        };
        (weeks(&then.shown), weeks(&then.replaced))
    };
    let [first, second] = ["telecom-fraud", "personal-info"].map(str::to_owned);
    // On the day of the change both were to be seen; later only the second.
    let days = names("2026-12-06T16:00:00Z", "2026-12-07T16:00:00Z").await;
    assert_eq!(days, (vec![first.clone(), second.clone()], vec![]));
    let days = names("2026-12-07T16:00:00Z", "2026-12-08T16:00:00Z").await;
    assert_eq!(days, (vec![second.clone()], vec![first.clone()]));

    // Taken back, the second is gone at once, and the first does not come back: the folder's
    // pointer names nothing.
    let recalled = publisher.recall_plan("personal-info").await.unwrap();
    publisher.recall(recalled, "有错", "tester").await.unwrap();
    let seen = standings(&office).await;
    let at_branches = |one: &&(String, Standing)| one.0 == "branches";
    assert_eq!(seen.iter().filter(at_branches).count(), 0, "{seen:?}");
    let days = names("2026-12-08T16:00:00Z", "2026-12-09T16:00:00Z").await;
    assert!(days.0.is_empty(), "{days:?}");
    let rows = office.town.deliveries().await;
    assert!(rows.iter().any(|row| row.state == DeliveryState::Recalled));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_article_past_its_last_day_is_somebodys_to_take_down() {
    let office = monday().await;
    office.town.set_clock("2027-09-20T02:00:00Z").await;
    let overstays = |channel: &str| (channel.to_owned(), Standing::Overstays);
    let seen = standings(&office).await;
    assert_eq!(seen, [overstays("intranet"), overstays("wechat")], "the branches' ended by itself");
    let alerts = office.town.publisher.alerts().await.unwrap();
    let asks: Vec<_> = alerts.iter().filter(|one| one.what.contains("读者还看得到")).collect();
    assert!(asks.iter().any(|one| one.what.contains("wechat")), "{alerts:?}");
    assert!(asks.iter().all(|one| one.next_step.contains("caishi recall d")), "{asks:?}");
    let page = office.browser("operator").await.get("/console").await.text;
    assert!(page.contains("读者还看得到"), "{page}");
    // What people can read is found by its number, too.
    let page = office.browser("auditor").await.get("/console/hotlines/bank").await.text;
    assert!(page.contains("wechat"), "{page}");
    // Two months later nobody is asked any more.
    office.town.set_clock("2027-12-01T02:00:00Z").await;
    let alerts = office.town.publisher.alerts().await.unwrap();
    assert!(!alerts.iter().any(|one| one.what.contains("读者还看得到")), "{alerts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_day_is_folded_and_opens() {
    let hourly = CHANNELS.replace("0 8 * * MON", "0 * * * MON");
    let office = Office::with(&hourly).await;
    let desk = office.browser("publisher").await;
    let page = desk.get("/console/week?week=2026-11-30").await.text;
    assert!(
        page.contains("这一天还有 14 场") && !page.contains("<strong>23:00</strong>"),
        "{page}"
    );
    let page = desk.get("/console/week?week=2026-11-30&day=2026-11-30").await.text;
    assert!(!page.contains("这一天还有") && page.contains("<strong>23:00</strong>"), "{page}");
    let page = desk.get("/console/week?view=month&week=2026-11-30").await.text;
    assert!(page.contains("还有 19 场"), "{page}");
}
