//! What the auditor is told, and what they are not: branches that never were, signatures by their
//! number, and until when each thing hung.

use super::{CHANNELS, Office, quoted};
use crate::publishing::town::MONDAY;
use caishi::{store::Review, work::publish::Order};
use jiff::SignedDuration;
use serde_json::Value;

/// An office whose first Monday is over: what was submitted, signed and sent.
async fn monday() -> (Office, Review) {
    monday_of(CHANNELS).await
}

async fn monday_of(channels: &str) -> (Office, Review) {
    let office = Office::with(channels).await;
    let review = office.town.submit().await;
    office.town.approve(&review).await;
    office.town.set_clock(MONDAY).await;
    office.town.tick().await;
    office.town.work().await;
    (office, review)
}

/// The same once more, a while later.
async fn again(office: &Office, review: &Review) {
    let town = &office.town;
    town.move_clock(SignedDuration::from_mins(30));
    let content = town.read();
    let subject = town.publisher.subject(&content, "weekly").unwrap();
    let at = town.publisher.store.now().await.unwrap();
    let order = Order { lessons: &review.lessons, at, again: true, dry_run: false };
    town.publisher.publish(&content, &subject, &order, "publisher").await.unwrap();
    town.work().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_branch_that_never_was_is_not_answered_for() {
    let (office, review) = monday().await;
    let auditor = office.browser("auditor").await;
    let answer = auditor.get("/console/audit?branch=b901&day=2026-11-30").await;
    assert_eq!(answer.status, 404);
    assert!(answer.text.contains("没有网点 b901"), "{}", answer.text);
    assert!(answer.text.contains("是不是要查 b001") && !answer.text.contains(&review.number));
    let far = auditor.get("/console/audit?branch=b999&day=2026-11-30").await;
    assert_eq!(far.status, 404);
    assert!(far.text.contains("名录里有 2 个网点，从 b001"), "{}", far.text);
    let program = office.program("auditor", &["audit.read"]).await;
    let answer = program.get("/api/v1/audit/day?branch=b999&day=2026-11-30").await;
    assert_eq!(answer.status, 404, "{}", answer.text);
    assert!(answer.text.contains("没有网点 b999"), "{}", answer.text);
    // There is one; nothing was out.
    let before = auditor.get("/console/audit?branch=b001&day=2026-11-29").await;
    assert_eq!(before.status, 200);
    assert!(before.text.contains("没有投放中的内容"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_branch_that_is_closed_now_is_answered_for_as_of_then() {
    let (office, review) = monday().await;
    let path = office.town.path("content/branches.csv");
    let text = std::fs::read_to_string(&path).unwrap();
    let kept: Vec<&str> = text.lines().filter(|line| !line.starts_with("b002")).collect();
    std::fs::write(path, kept.join("\n") + "\n").unwrap();
    office.desk.content_changed();
    let auditor = office.browser("auditor").await;
    let answer = auditor.get("/console/audit?branch=b002&day=2026-11-30").await;
    assert_eq!(answer.status, 200);
    assert!(answer.text.contains(&review.number), "{}", answer.text);
    assert!(answer.text.contains("大学坡支行") && answer.text.contains("名录里没有这个网点了"));
    // One that opened since is told apart.
    office.town.edit("branches.csv", "b001,", "b009,新开支行,上梯区,,云梯路,,,\nb001,");
    office.desk.content_changed();
    let program = office.program("auditor", &["audit.read"]).await;
    for (branch, registered, today) in
        [("b001", true, true), ("b002", true, false), ("b009", false, true)]
    {
        let answer =
            program.get(&format!("/api/v1/audit/day?branch={branch}&day=2026-11-30")).await;
        let day: Value = serde_json::from_str(&answer.text).unwrap();
        assert_eq!(day["registered_today"], today, "{branch}");
        for link in day["links"].as_array().unwrap() {
            assert_eq!(link["registered"], registered, "{branch}: {link}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_card_says_what_it_was_and_until_when_it_hung() {
    let (office, review) = monday().await;
    again(&office, &review).await;
    let auditor = office.browser("auditor").await;
    let page = auditor.get("/console/audit?branch=b001&day=2026-11-30").await.text;
    assert!(page.contains("青石坡支行") && page.contains("请立刻挂断"), "{page}");
    assert_eq!(page.matches("起由下一件代替").count(), 1, "{page}");
    let program = office.program("auditor", &["audit.read"]).await;
    let day = async || -> Vec<Value> {
        let answer = program.get("/api/v1/audit/day?branch=b001&day=2026-11-30").await;
        let day: Value = serde_json::from_str(&answer.text).unwrap();
        day["links"].as_array().unwrap().clone()
    };
    let links = day().await;
    assert_eq!(links.len(), 2, "{links:?}");
    let (old, new) = (&links[0], &links[1]);
    assert_eq!(old["end"]["why"], "replaced");
    assert_eq!(old["end"]["by"], new["delivery"]);
    assert_eq!(old["end"]["at"], new["out_at"]);
    assert_eq!(new["end"]["why"], "over");

    let publisher = &office.town.publisher;
    let id = new["delivery"].as_str().unwrap();
    let plan = publisher.recall_plan(id).await.unwrap();
    publisher.recall(plan, "数字写错", "publisher").await.unwrap();
    let links = day().await;
    let new = links.iter().find(|link| link["delivery"] == id).unwrap();
    assert_eq!(new["end"]["why"], "recalled", "{new}");
    assert_eq!(new["end"]["at"], new["recalled_at"]);
    let page = auditor.get("/console/audit?branch=b001&day=2026-11-30").await.text;
    assert!(page.contains(" 撤下"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_with_many_things_is_told_page_by_page() {
    let many = CHANNELS.replace(
        "outputs = [\"screen\", \"article\", \"post\"]\naudiences = [\"general\"]",
        "outputs = [\"screen\", \"print\", \"leaflet\"]",
    );
    let (office, review) = monday_of(&many).await;
    for _ in 0..11 {
        again(&office, &review).await;
    }
    let program = office.program("auditor", &["audit.read"]).await;
    let path = "/api/v1/audit/day?branch=b001&day=2026-11-30";
    let day = async |after: &str| -> Value {
        let answer = program.get(&format!("{path}&after={after}")).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        serde_json::from_str(&answer.text).unwrap()
    };
    let first = day("").await;
    let next = first["next"].as_str().unwrap();
    let second = day(next).await;
    assert_eq!(second["next"], Value::Null);
    let both = [&first, &second].map(|day| day["links"].as_array().unwrap());
    assert_eq!(both.map(Vec::len), [10, 2]);
    assert_eq!(both[0][9]["delivery"], next);
    // Each of them once, each replaced by the one behind it, over the border of the pages, too.
    let all: Vec<&Value> = both.into_iter().flatten().collect();
    for pair in all.windows(2) {
        assert_eq!(pair[0]["end"]["by"], pair[1]["delivery"]);
    }
    for field in ["after", "delivery"] {
        let unknown = program.get(&format!("{path}&{field}=d000000000000")).await;
        assert_eq!(unknown.status, 422);
        let told = format!("{field}：那天没有这件投递");
        assert!(unknown.text.contains(&told), "{}", unknown.text);
    }

    let auditor = office.browser("auditor").await;
    let page = auditor.get("/console/audit?branch=b001&day=2026-11-30").await.text;
    assert!(
        page.contains(&format!("&amp;after={next}\">接着看")) && !page.contains("这一天的全部")
    );
    let rest =
        auditor.get(&format!("/console/audit?branch=b001&day=2026-11-30&after={next}")).await;
    assert!(rest.text.contains("这一天的全部") && !rest.text.contains("接着看"), "{}", rest.text);

    // Among others the first files of each are listed; alone, all of them.
    let files = both[0][3]["files"].as_array().unwrap();
    assert!(files.len() > 8, "{files:?}");
    let only = both[0][3]["delivery"].as_str().unwrap();
    let link = format!("&amp;delivery={only}\">全部文件： {}<", files.len());
    assert!(page.contains(&link), "{page}");
    let path = format!("/console/audit?branch=b001&day=2026-11-30&delivery={only}");
    let alone = auditor.get(&path).await.text;
    assert_eq!(alone.matches("<ol class=\"chain\">").count(), 1, "{alone}");
    for file in files {
        assert!(alone.contains(file["sha256"].as_str().unwrap()), "{file}");
    }
    assert!(!alone.contains("全部文件"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_number_finds_its_signatures_and_deliveries() {
    let (office, review) = monday().await;
    let auditor = office.browser("auditor").await;
    let program = office.program("auditor", &["audit.read"]).await;
    let actions = async |query: &str| -> Vec<String> {
        let answer = program.get(&format!("/api/v1/audit/rows?{query}")).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let rows: Vec<Value> = serde_json::from_str(&answer.text).unwrap();
        rows.iter().map(|row| row["action"].as_str().unwrap().to_owned()).collect()
    };
    let number = quoted(&review.number);
    let found = actions(&format!("q={number}")).await;
    let count = |action: &str| found.iter().filter(|own| *own == action).count();
    assert_eq!(count("submit"), 1, "{found:?}");
    assert_eq!(count("approve"), 2 * review.manifests.len(), "{found:?}");
    assert!(count("delivery.state") > 0, "{found:?}");
    let on_monday = actions(&format!("q={number}&from=2026-11-30&until=2026-11-30")).await;
    assert!(on_monday.iter().all(|action| action == "delivery.state"), "{on_monday:?}");
    assert!(!on_monday.is_empty());
    assert_eq!(actions(&format!("q={number}&from=2026-12-01")).await, Vec::<String>::new());

    let page = auditor.get(&format!("/console/audit/chain?q={number}")).await.text;
    for said in ["批准", "有效到", "投递变化", "已送达", "原样", "消保审查"] {
        assert!(page.contains(said), "{said}: {page}");
    }
    let wrong = auditor.get("/console/audit/chain?from=gestern&until=2026-13-01").await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.text.contains("from：写成") && wrong.text.contains("until：写成"));
    let turned = program.get("/api/v1/audit/rows?from=2026-12-02&until=2026-12-01").await;
    assert_eq!(turned.status, 422, "{}", turned.text);
}
