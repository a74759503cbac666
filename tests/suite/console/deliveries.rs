//! The day of a publisher and an operator: plan, submit, move, watch, settle, stop, take down.

use super::{Answer, Browser, Office};
use caishi::model::DeliveryState;
use std::time::Duration;

const MONDAY: &str = "2026-11-30T00:00:00Z";

/// The page that a form led to, once the job is over.
async fn finished(browser: &Browser, answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", answer.text);
    let place = answer.location().to_owned();
    assert!(place.starts_with("/console/jobs/"), "{place}");
    for _ in 0..600 {
        let page = browser.get(&place).await;
        assert_eq!(page.status, 200);
        if !page.text.contains("正在做") {
            return page.text;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    panic!("the job never ends");
}

/// An office whose slot of Monday is submitted from the page, approved, fired and delivered.
pub(super) async fn delivered() -> Office {
    let office = Office::new().await;
    let author = office.browser("author").await;
    let fields = [("name", "weekly"), ("slot", MONDAY)];
    let answer = author.post("/console/submit", &fields).await;
    let page = finished(&author, &answer).await;
    assert!(page.contains("做完了") && page.contains("宣教审〔2026〕0001号"), "{page}");
    let review = office.town.publisher.store.review("宣教审〔2026〕0001号").await.unwrap().unwrap();
    office.town.approve(&review).await;
    office.town.set_clock("2026-11-30T00:00:05Z").await;
    office.town.tick().await;
    office.town.work().await;
    office
}

#[tokio::test(flavor = "multi_thread")]
async fn submitting_says_what_is_wrong_with_file_and_line() {
    let office = Office::new().await;
    let author = office.browser("author").await;
    let page = author.get("/console/submit").await;
    assert!(page.text.contains("还没有送审") && page.text.contains(MONDAY), "{}", page.text);
    let none = author.post("/console/submit", &[("name", "weekly")]).await;
    assert_eq!(none.status, 422);
    let unknown = author.post("/console/submit", &[("name", "nightly"), ("slot", MONDAY)]).await;
    assert_eq!(unknown.status, 404, "{}", unknown.text);
    // The lesson of that Monday is broken.
    let content = office.town.read();
    let subject = office.town.publisher.subject(&content, "weekly").unwrap();
    let lesson = subject.lessons_at(MONDAY.parse().unwrap()).remove(0);
    office.town.edit(&format!("lessons/{lesson}/lesson.md"), "\ntitle:", "\ntitel:");
    let answer = author.post("/console/submit", &[("name", "weekly"), ("slot", MONDAY)]).await;
    let page = finished(&author, &answer).await;
    let place = format!("lessons/{lesson}/lesson.md 第");
    assert!(page.contains("没有做成") && page.contains(&place), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lesson_comes_down_with_its_name_typed_and_a_reason() {
    let office = delivered().await;
    let publisher = office.browser("publisher").await;
    let board = publisher.get("/console/deliveries").await.text;
    assert!(board.contains("已送达") && board.contains("branches"), "{board}");
    let lesson = office.town.publisher.store.occurrences(None, 1).await.unwrap().remove(0);
    let lesson = lesson.lessons[0].to_string();
    let page = publisher.get(&format!("/console/recall?name={lesson}")).await.text;
    assert!(page.contains("会下架") && page.contains("撤不回来"), "{page}");
    let seen = page.split_once("name=\"seen\" value=\"").unwrap().1.split_once('"').unwrap().0;
    let try_with = async |confirm: &str, reason: &str, seen: &str| {
        let fields =
            [("name", lesson.as_str()), ("confirm", confirm), ("reason", reason), ("seen", seen)];
        publisher.post("/console/recall", &fields).await
    };
    let bad = try_with("yes", "", seen).await;
    assert_eq!(bad.status, 422);
    assert!(bad.text.contains("原因没有写") && bad.text.contains("照样打"), "{}", bad.text);
    let stale = try_with(&lesson, "数字有误", "0000").await;
    assert_eq!(stale.status, 409);
    let states = office.town.states().await;
    assert_eq!(states, ["branches confirmed", "intranet confirmed"], "nothing came down yet");
    let page = finished(&publisher, &try_with(&lesson, "数字有误", seen).await).await;
    assert!(page.contains("撤不回来") && page.contains("没有净"), "{page}");
    assert_eq!(office.town.states().await, ["branches recalled", "intranet confirmed"]);
    let author = office.browser("author").await;
    assert_eq!(author.get(&format!("/console/recall?name={lesson}")).await.status, 403);
    let strange = publisher.get("/console/recall?name=%22%3E%3Cscript%3E").await;
    assert_eq!(strange.status, 404);
    assert!(!strange.text.contains("\"><script>"), "{}", strange.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_delivery_is_settled_once_with_a_note() {
    let office = Office::new().await;
    let town = &office.town;
    let review = town.submit().await;
    town.approve(&review).await;
    town.set_clock("2026-11-30T00:00:05Z").await;
    town.tick().await;
    // A worker begins to send and is never heard of again.
    let store = &town.publisher.store;
    let id = super::stage::lose_an_answer(&office).await.unwrap();

    let operator = office.browser("operator").await;
    let place = format!("/console/deliveries/{id}");
    let page = operator.get(&place).await.text;
    for said in ["凭什么判断", "第 1 次发送", "连接断在应答之前", "没有发出，重发", "不再发"]
    {
        assert!(page.contains(said), "{said}: {page}");
    }
    let epoch = page.split_once("name=\"epoch\" value=\"").unwrap().1.split_once('"').unwrap().0;
    let settle = async |what: &str, note: &str, epoch: &str| {
        let fields = [("do", what), ("note", note), ("epoch", epoch)];
        operator.post(&format!("{place}/settle"), &fields).await
    };
    let silent = settle("published", " ", epoch).await;
    assert_eq!(silent.status, 422);
    assert!(silent.text.contains("没有写"), "{}", silent.text);
    let retry = settle("retry", "再发一次", epoch).await;
    assert_eq!(retry.status, 409, "an unknown one is never sent again blindly");
    assert!(retry.text.contains("再发一次"), "what was typed is kept: {}", retry.text);
    let done = settle("published", "公告栏里看到了 <b>", epoch).await;
    assert_eq!(done.status, 303, "{}", done.text);
    assert_eq!(store.delivery(&id).await.unwrap().state, DeliveryState::Confirmed);
    let again = settle("not-published", "没看到", epoch).await;
    assert_eq!(again.status, 409, "somebody settled it meanwhile: {}", again.text);
    let page = operator.get(&place).await.text;
    assert!(page.contains("公告栏里看到了 &#60;b&#62;") || page.contains("&lt;b&gt;"), "{page}");
    // For programs.
    let program = office.program("operator", &["deliveries.read", "deliveries.settle"]).await;
    let one = program.get(&format!("/api/v1/deliveries/{id}")).await;
    let one: serde_json::Value = serde_json::from_str(&one.text).unwrap();
    assert_eq!(one["delivery"]["state"], "confirmed");
    assert_eq!(one["attempts"].as_array().unwrap().len(), 4 + 1);
    let body = serde_json::json!({ "do": "cancel", "note": "x", "epoch": 0 });
    let late = program.post(&format!("/api/v1/deliveries/{id}/settle"), &body).await;
    assert_eq!(late.status, 409, "{}", late.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_switch_needs_the_word_and_says_what_goes_out() {
    let office = Office::new().await;
    let review = office.town.submit().await;
    office.town.approve(&review).await;
    office.town.set_clock("2026-11-30T00:00:05Z").await;
    office.town.tick().await;
    let publisher = office.browser("publisher").await;
    let hold = async |reason: &str, confirm: &str| {
        let fields = [("reason", reason), ("confirm", confirm)];
        publisher.post("/console/switch/hold", &fields).await
    };
    let bad = hold("", "停").await;
    assert_eq!(bad.status, 422);
    assert!(bad.text.contains("原因没有写") && bad.text.contains("停发"), "{}", bad.text);
    assert_eq!(hold("全国哀悼日", "停发").await.status, 303);
    let page = publisher.get("/console/deliveries").await.text;
    assert!(page.contains("全国哀悼日") && page.contains("马上会发出"), "{page}");
    assert!(!page.contains("/console/switch/release"), "an operator lets go");
    let confirm = [("confirm", "恢复")];
    assert_eq!(publisher.post("/console/switch/release", &confirm).await.status, 403);
    let operator = office.browser("operator").await;
    let no = operator.post("/console/switch/release", &[("confirm", "")]).await;
    assert_eq!(no.status, 422);
    assert_eq!(operator.post("/console/switch/release", &confirm).await.status, 303);
    assert_eq!(operator.post("/console/switch/release", &confirm).await.status, 409);
    let program = office.program("operator", &["deliveries.read", "hold"]).await;
    let body = serde_json::json!({ "reason": "演练", "confirm": "STOP" });
    let held = program.post("/api/v1/switch/hold", &body).await;
    assert!(held.status == 200 && held.text.contains("\"held\":true"), "{}", held.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_is_moved_on_the_page_and_a_missed_one_is_run() {
    let office = Office::new().await;
    let review = office.town.submit().await;
    office.town.approve(&review).await;
    let publisher = office.browser("publisher").await;
    let week = publisher.get("/console/week?week=2026-11-30").await.text;
    assert!(week.contains("已排定") && week.contains("◉"), "{week}");
    let month = publisher.get("/console/week?view=month&week=2026-12-05").await;
    assert_eq!(month.status, 200);
    let form = publisher.get(&format!("/console/week/move?schedule=weekly&slot={MONDAY}")).await;
    assert!(form.text.contains("2026-11-30 08:00"), "{}", form.text);
    let change = async |seen: &str, day: &str, time: &str, reason: &str| {
        let fields = [
            ("schedule", "weekly"),
            ("slot", MONDAY),
            ("seen", seen),
            ("day", day),
            ("time", time),
            ("reason", reason),
        ];
        publisher.post("/console/week/move", &fields).await
    };
    let bad = change(MONDAY, "31 Dec", "25:00", "").await;
    assert_eq!(bad.status, 422);
    for said in ["日子“31 Dec”", "时间“25:00”", "原因没有写"] {
        assert!(bad.text.contains(said), "{said}: {}", bad.text);
    }
    let same = change(MONDAY, "2026-11-30", "08:00", "盘点").await;
    assert_eq!(same.status, 422, "{}", same.text);
    assert!(same.text.contains("时间没有变：这一次现在就是 11-30 周一 08:00"), "{}", same.text);
    let past = change(MONDAY, "2026-11-24", "09:00", "盘点").await;
    assert!(past.text.contains("11-30 周一 08:00 这一次没有动"), "{}", past.text);
    let moved = change(MONDAY, "2026-12-01", "10:00", "盘点").await;
    assert_eq!(moved.status, 303, "{}", moved.text);
    assert_eq!(moved.location(), "/console/week?week=2026-12-01&done=moved");
    let week = publisher.get("/console/week?week=2026-12-01").await.text;
    assert!(week.contains("从 11-30 08:00 改到这里：盘点"), "{week}");
    let stale = change(MONDAY, "2026-12-02", "10:00", "盘点").await;
    assert_eq!(stale.status, 409, "{}", stale.text);
    assert!(stale.text.contains("现在是 12-01 周二 10:00；刷新后再决定"), "{}", stale.text);

    // Missed by a day: a person runs it.
    office.town.set_clock("2026-12-02T03:00:00Z").await;
    office.town.tick().await;
    // Five days later the session is over.
    let publisher = office.browser("publisher").await;
    let week = publisher.get("/console/week").await.text;
    assert!(week.contains("等人决定") && week.contains("补发"), "{week}");
    let id = format!("weekly@{MONDAY}");
    let author = office.browser("author").await;
    let fields = [("id", id.as_str()), ("do", "run")];
    assert_eq!(author.post("/console/week/decide", &fields).await.status, 403);
    assert_eq!(publisher.post("/console/week/decide", &fields).await.status, 303);
    assert_eq!(publisher.post("/console/week/decide", &fields).await.status, 409);
    office.town.work().await;
    assert_eq!(office.town.states().await, ["branches confirmed", "intranet confirmed"]);
    let program = office.program("publisher", &["schedule.read"]).await;
    let from = "from=2026-11-30T00:00:00Z&until=2026-12-20T00:00:00Z";
    let slots = program.get(&format!("/api/v1/schedule?{from}")).await;
    let slots: serde_json::Value = serde_json::from_str(&slots.text).unwrap();
    assert_eq!(slots[0]["standing"], "done", "{slots}");
    assert_eq!(slots[1]["standing"], "planned", "{slots}");
    assert_eq!(program.get("/api/v1/schedule?from=yesterday").await.status, 422);
}
