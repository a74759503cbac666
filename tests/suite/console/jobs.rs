//! Work in the background: not too much of it, and never lost unsaid.

use super::{Answer, Browser, Office, Program};
use caishi::{
    console::{self, Desk},
    model::PersonId,
    store::{JobRow, JobState},
    web,
};
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::time::Duration;

const MONDAY: &str = "2026-11-30T00:00:00Z";

/// The service after a restart: the same ledger, another process's memory.
async fn restarted(office: &Office) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let publisher = office.town.publisher.clone();
    let desk = Desk::new(publisher.clone()).unwrap();
    let router = web::router(publisher).merge(console::router(&desk));
    tokio::spawn(web::serve(listener, router, tokio_util::sync::CancellationToken::new()));
    url
}

fn at(browser: &Browser, url: &str) -> Browser {
    Browser { url: url.to_owned(), ..browser.clone() }
}

async fn ended(browser: &Browser, place: &str) -> Answer {
    for _ in 0..600 {
        let answer = browser.get(place).await;
        if !answer.text.contains("正在做") {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    panic!("the job never ends");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ended_before_a_restart_is_still_there() {
    let office = Office::new().await;
    let author = office.browser("author").await;
    let answer = author.post("/console/submit", &[("name", "weekly"), ("slot", MONDAY)]).await;
    let place = answer.location().to_owned();
    assert!(ended(&author, &place).await.text.contains("做完了"));
    // The ledger has it a moment after the page.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let author = at(&author, &restarted(&office).await);
    let page = author.get(&place).await.text;
    assert!(page.contains("做完了") && page.contains("宣教审〔2026〕0001号"), "{page}");
    for list in ["/console/jobs", "/console"] {
        let list = author.get(list).await.text;
        assert!(list.contains(&place) && list.contains("做完了"), "{list}");
    }
}

fn cut_off(id: &str, at: jiff::Timestamp) -> JobRow {
    let lines = json!([{ "subject": "宣教审〔2026〕0007号", "ok": true, "text": "一课",
        "link": "/console/reviews/7" }]);
    let fields = json!([["name", "weekly"], ["slot", MONDAY]]);
    JobRow {
        id: id.to_owned(),
        person: PersonId::new("author").unwrap(),
        actor: "author".to_owned(),
        kind: "submit".to_owned(),
        subject: "weekly".to_owned(),
        state: JobState::Running,
        started_at: at,
        seen_at: at,
        finished_at: None,
        owner: "a process that was killed".to_owned(),
        outcome: json!({ "done": 3, "total": 9, "what": "排版", "lines": lines }).to_string(),
        again: json!({ "action": "/console/submit", "look": false, "fields": fields }).to_string(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_restart_cut_off_says_so_and_can_be_begun_anew() {
    let office = Office::new().await;
    let store = &office.town.publisher.store;
    let now = store.now().await.unwrap();
    store.begin_job(&cut_off("lost", now)).await.unwrap();
    let author = office.browser("author").await;
    // Another process may be at it: it was seen a moment ago.
    assert!(author.get("/console/jobs/lost").await.text.contains("正在做"));
    office.town.move_clock(SignedDuration::from_secs(31));
    let page = author.get("/console/jobs/lost").await.text;
    assert!(page.contains("中断") && page.contains("宣教审〔2026〕0007号"), "{page}");
    assert!(page.contains("再来一次</button>"), "{page}");
    let program = office.program("author", &["overview.read", "reviews.read"]).await;
    let job: Value = serde_json::from_str(&program.get("/api/v1/jobs/lost").await.text).unwrap();
    assert_eq!((&job["state"], &job["done"]), (&"interrupted".into(), &3.into()), "{job}");
    let all: Value = serde_json::from_str(&program.get("/api/v1/jobs").await.text).unwrap();
    assert_eq!(all.as_array().unwrap().len(), 1, "{all}");
    // Whoever may not submit sees it, and no button; whoever may not read reviews does not.
    let reviewer = office.browser("reviewer").await;
    let seen = reviewer.get("/console/jobs/lost").await.text;
    assert!(seen.contains("中断") && !seen.contains("再来一次</button>"), "{seen}");
    assert_eq!(office.browser("branch").await.get("/console/jobs/lost").await.status, 404);
    // The button does what was asked for.
    let answer = author.post("/console/submit", &[("name", "weekly"), ("slot", MONDAY)]).await;
    assert!(ended(&author, answer.location()).await.text.contains("做完了"));

    let gone = author.get("/console/jobs/nothing").await;
    assert_eq!(gone.status, 404);
    assert!(gone.text.contains("都在台账里") && gone.text.contains("href=\"/console/reviews\""));
}

fn edition(name: &str) -> Value {
    json!({ "series": "routine", "edition": name, "name": "试排", "theme": "学一点", "from": "2026-11-01",
        "until": "2027-03-01", "lessons": ["telecom-fraud", "personal-info"], "seen": "" })
}

async fn tried(program: &Program, name: &str) -> Answer {
    program.post("/api/v1/campaigns/dry-run", &edition(name)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_fills_the_queue_alone() {
    let office = Office::new().await;
    let program = office.program("author", &["campaigns.change", "overview.read"]).await;
    for name in ["t1", "t2", "t3"] {
        let answer = tried(&program, name).await;
        assert_eq!(answer.status, 202, "{}", answer.text);
    }
    // The very same again is the one that runs.
    assert_eq!(tried(&program, "t3").await.status, 202);
    let refused = tried(&program, "t4").await;
    assert_eq!(refused.status, 429, "{}", refused.text);
    let problem: Value = serde_json::from_str(&refused.text).unwrap();
    assert!(problem["title"].as_str().unwrap().contains("你有 3 件后台的活还在做"), "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("/console/jobs"), "{problem}");
    let other = office.program("publisher", &["campaigns.change"]).await;
    assert_eq!(tried(&other, "t5").await.status, 202, "others are not kept waiting by it");
    // It is told on the page too, with what was typed kept.
    let author = office.browser("author").await;
    let fields = [
        ("series", "routine"),
        ("edition", "t6"),
        ("name", "试排六"),
        ("from", "2026-11-01"),
        ("until", "2027-03-01"),
        ("lesson", "telecom-fraud"),
        ("order", "1"),
    ];
    let page = author.post("/console/campaigns/dry-run", &fields).await;
    assert_eq!(page.status, 429, "{}", page.text);
    assert!(page.text.contains("没有再开") && page.text.contains("试排六"), "{}", page.text);
}
