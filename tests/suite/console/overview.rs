//! The first page says what waits as the queue does, and what went out as the calendar does; the
//! settings and the doctor say of a channel what was seen of it.

use super::{CHANNELS, Office, quoted};
use crate::publishing::town::MONDAY;
use std::fs;

const PORTAL: &str = "\n[channel.portal]\nkind = \"portal\"\npath = \"portal\"\n\
                      outputs = [\"portal\"]\naudiences = [\"general\"]\n";

async fn decide(office: &Office, number: &str, decision: &str) {
    let reviewer = office.browser("reviewer").await;
    let place = format!("/console/reviews/{}", quoted(number));
    let page = reviewer.get(&place).await.text;
    let (_, shown) = page.split_once("name=\"shown\" value=\"").unwrap();
    let shown = shown.split_once('"').unwrap().0;
    let fields = [("decision", decision), ("note", "数字写错了"), ("shown", shown)];
    let answer = reviewer.post(&format!("{place}/decision"), &fields).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
}

/// The card of that heading.
fn card<'p>(page: &'p str, heading: &str) -> &'p str {
    let (_, rest) = page.split_once(&format!("<h2>{heading}</h2>")).unwrap();
    rest.split_once("</section>").unwrap().0
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_listed_by_urgency_and_what_is_returned_is_its_authors() {
    let office = Office::new().await;
    let first = office.town.submit().await;
    let second = office.town.submit_for("2026-12-07T00:00:00Z").await;
    let page = office.browser("reviewer").await.get("/console").await.text;
    let waiting = card(&page, "等签字");
    let place = |text: &str| waiting.find(text).unwrap_or_else(|| panic!("{text}: {waiting}"));
    assert!(place(&first.number) < place(&second.number), "what goes out first comes first");
    assert!(waiting.contains("请立刻挂断") && waiting.contains("等你签"), "{waiting}");
    assert!(waiting.contains("11-30 周一 08:00"), "{waiting}");

    decide(&office, &first.number, "return").await;
    for (person, has) in [("author", true), ("reviewer", false)] {
        let page = office.browser(person).await.get("/console").await.text;
        assert!(!card(&page, "等签字").contains(&first.number), "nobody has to sign it");
        let own = card(&page, "要人处理");
        assert_eq!(own.contains(&first.number) && own.contains("退回"), has, "{person}: {own}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_with_parts_that_wait_is_not_called_sent() {
    let office = Office::new().await;
    let review = office.town.submit().await;
    office.town.approve(&review).await;
    office.town.set_clock(MONDAY).await;
    office.town.tick().await;
    fs::write(office.town.path("published"), "in the way").unwrap();
    office.town.worker("worker").drain().await.unwrap();
    let states = office.town.states().await;
    assert!(states.contains(&"branches retry-wait".to_owned()), "{states:?}");
    let browser = office.browser("publisher").await;
    let page = browser.get("/console").await.text;
    let recent = card(&page, "最近投放");
    assert!(recent.contains("正在发") && recent.contains("待重试 1"), "{recent}");
    assert!(!recent.contains("已投放"), "{recent}");
    let deliveries = office.town.deliveries().await;
    let stuck = deliveries.iter().find(|one| one.channel.as_str() == "branches").unwrap();
    for path in ["/console/deliveries".to_owned(), format!("/console/deliveries/{}", stuck.id)] {
        let page = browser.get(&path).await.text;
        assert!(page.contains("下一次再试：11-30 08:"), "{page}");
    }
    fs::remove_file(office.town.path("published")).unwrap();
    office.town.work().await;
    let page = browser.get("/console").await.text;
    assert!(card(&page, "最近投放").contains("已发完"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_say_of_channels_what_the_last_check_up_saw() {
    let office = Office::with(&format!("{CHANNELS}{PORTAL}")).await;
    let operator = office.browser("operator").await;
    let page = operator.get("/console/settings").await.text;
    assert!(page.contains("还没有体检过") && !page.contains("接上了"), "{page}");
    fs::write(office.town.path("published"), "in the way").unwrap();
    office.town.publisher.store.hold("operator", "演练").await.unwrap();
    let report = operator.get("/console/settings/doctor").await.text;
    assert!(report.contains("是一个文件，不是文件夹"), "{report}");
    for wrong in ["查看失败", "caishi doctor", "caishi release"] {
        assert!(!report.contains(wrong), "{wrong}: {report}");
    }
    assert!(report.contains("到“投递”页的总开关按“恢复投放”"), "{report}");
    let evergreen = report.split("常青课").next().unwrap().rsplit("<li>").next().unwrap();
    assert!(evergreen.contains("要留意"), "{report}");
    let page = operator.get("/console/settings").await.text;
    assert!(page.contains("是一个文件，不是文件夹") && !page.contains("还没有体检过"), "{page}");
    fs::remove_file(office.town.path("published")).unwrap();
    operator.get("/console/settings/doctor").await;
    let page = operator.get("/console/settings").await.text;
    assert!(!page.contains("是一个文件"), "{page}");
}
