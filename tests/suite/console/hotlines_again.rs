//! A change of a number that does not go smoothly: a process that dies between the ledger and the
//! file, people who press at the same time, a file that is edited by hand meanwhile.

use super::{Browser, Office};
use crate::publishing::town::MONDAY;
use caishi::{
    model::{DeliveryState, Digest, HotlineId},
    store::HotlineChange,
    work::{
        Publisher, WorkError,
        hotlines::{ChangePlan, GroupState, HotlineCache, NewNumber, edit, plan_of},
    },
};
use jiff::SignedDuration;
use std::fs;

const OLD: &str = "95XXX";
const NEW: &str = "95123";

fn bank() -> HotlineId {
    HotlineId::new("bank").unwrap()
}

async fn monday() -> Office {
    let office = Office::new().await;
    let review = office.town.submit().await;
    office.town.approve(&review).await;
    office.town.set_clock(MONDAY).await;
    office.town.tick().await;
    office.town.work().await;
    office
}

fn file(office: &Office) -> String {
    fs::read_to_string(office.town.path("content/hotlines.toml")).unwrap()
}

/// Somebody edits the file itself.
fn by_hand(office: &Office, from: &str, to: &str) {
    let text = file(office);
    let line = |number: &str| format!("number = \"{number}\"");
    assert!(text.contains(&line(from)), "{text}");
    let new = text.replacen(&line(from), &line(to), 1);
    fs::write(office.town.path("content/hotlines.toml"), new).unwrap();
}

fn wanted(number: &str, was: Option<&str>) -> NewNumber {
    NewNumber {
        hotline: bank(),
        number: number.to_owned(),
        was: was.map(str::to_owned),
        source: "总行公告".to_owned(),
        verified_on: "2026-11-30".parse().unwrap(),
        verified_by: "投放岗丁".to_owned(),
        at_once: true,
        republish: false,
    }
}

/// The ledger's half of a change, as a process leaves it that dies before it writes the file.
async fn died(office: &Office) -> HotlineChange {
    let publisher = &office.town.publisher;
    let content = office.town.read();
    let cache = HotlineCache::default();
    let (carriers, groups) =
        publisher.hotline_groups(&content, &cache, &bank(), NEW).await.unwrap();
    assert!(!carriers.is_empty() && !groups.is_empty());
    let entry = [
        ("number", edit::quoted(NEW)),
        ("source", edit::quoted("总行公告")),
        ("verified_on", "2026-11-30".to_owned()),
        ("verified_by", edit::quoted("投放岗丁")),
    ];
    let plan = ChangePlan {
        was: OLD.to_owned(),
        becomes: NEW.to_owned(),
        at_once: true,
        republish: false,
        groups,
        entry: entry.map(|(key, value)| (key.to_owned(), value)).into(),
        written: false,
        stuck: None,
        found: None,
        over: None,
        ended: None,
    };
    let change = HotlineChange {
        id: "0123456789ab".to_owned(),
        hotline: bank(),
        actor: "publisher".to_owned(),
        at: publisher.store.now().await.unwrap(),
        open: true,
        plan: serde_json::to_string(&plan).unwrap(),
    };
    let note = serde_json::json!({ "number": NEW });
    publisher.store.add_hotline_change(&change, &note, &note).await.unwrap();
    change
}

/// How it stands, and what it says.
async fn stands(office: &Office, id: &str) -> (HotlineChange, ChangePlan) {
    let change = office.town.publisher.store.hotline_change(id).await.unwrap().unwrap();
    let plan = plan_of(&change).unwrap();
    (change, plan)
}

async fn branches(office: &Office) -> Vec<DeliveryState> {
    let mut rows = office.town.deliveries().await;
    rows.retain(|row| row.channel.as_str() == "branches");
    rows.iter().map(|row| row.state).collect()
}

async fn page(office: &Office, browser: &Browser, id: &str) -> String {
    let answer = browser.get(&format!("/console/hotlines/changes/{id}")).await;
    assert_eq!(answer.status, 200, "{}", office.url);
    answer.text
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dead_process_did_not_write_is_written_first() {
    let office = monday().await;
    let publisher = &office.town.publisher;
    let change = died(&office).await;
    assert!(!publisher.tend_hotline_changes().await.unwrap(), "its writer may still be at it");
    office.town.move_clock(SignedDuration::from_secs(61));
    assert!(publisher.tend_hotline_changes().await.unwrap());
    assert!(file(&office).contains(&format!("number = \"{NEW}\"")), "{}", file(&office));
    let (_, plan) = stands(&office, &change.id).await;
    assert!(plan.written && plan.stuck.is_none(), "{plan:?}");
    assert!(plan.groups.iter().all(|group| group.state == GroupState::Submitted), "{plan:?}");
    assert_eq!(branches(&office).await, [DeliveryState::Recalled], "at once, as was asked");
    // What was made shows the new number.
    let number = plan.groups[0].review.clone().unwrap();
    let review = publisher.store.review(&number).await.unwrap().unwrap();
    let content = publisher.content_of(&review).await.unwrap();
    assert_eq!(content.library.hotline(&bank()).unwrap().number, NEW);
    let rows = publisher.store.trail("hotline/bank", 10).await.unwrap();
    assert!(rows.iter().any(|row| row.action == "hotline.written"), "{rows:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_third_number_in_the_file_stops_everything_until_a_person_decides() {
    let office = monday().await;
    let publisher = &office.town.publisher;
    let change = died(&office).await;
    by_hand(&office, OLD, "95000");
    office.town.move_clock(SignedDuration::from_secs(61));
    assert!(publisher.tend_hotline_changes().await.unwrap());
    assert!(!publisher.tend_hotline_changes().await.unwrap(), "nothing goes on by itself");
    assert_eq!(branches(&office).await, [DeliveryState::Confirmed], "nothing was taken down");
    assert!(file(&office).contains("95000"), "nothing was overwritten");
    let (kept, plan) = stands(&office, &change.id).await;
    assert!(!kept.open && plan.groups.iter().all(|group| group.review.is_none()), "{plan:?}");
    let desk = office.browser("publisher").await;
    let shown = page(&office, &desk, &change.id).await;
    assert!(shown.contains("停下来等人决定") && shown.contains("现在是 95000"), "{shown}");
    assert!(shown.contains("取消这次变更"), "{shown}");
    for list in ["/console", "/console/hotlines"] {
        let list = desk.get(list).await.text;
        assert!(list.contains(&format!("/console/hotlines/changes/{}", change.id)), "{list}");
    }
    assert!(desk.get("/console").await.text.contains("现在是 95000"), "it waits for a person");
    let auditor = office.browser("auditor").await;
    assert!(!page(&office, &auditor, &change.id).await.contains("取消这次变更</button>"));

    // The new number all the same.
    let path = format!("/console/hotlines/changes/{}", change.id);
    assert_eq!(desk.post(&format!("{path}/retry"), &[]).await.status, 303);
    assert!(publisher.tend_hotline_changes().await.unwrap());
    assert!(file(&office).contains(NEW) && !file(&office).contains("95000"));
    assert_eq!(branches(&office).await, [DeliveryState::Recalled]);
    assert_eq!(desk.post(&format!("{path}/cancel"), &[]).await.status, 409, "it goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_taken_back_by_hand_is_not_acted_on_and_can_be_given_up() {
    let office = monday().await;
    let publisher = &office.town.publisher;
    let change = died(&office).await;
    office.town.move_clock(SignedDuration::from_secs(61));
    publisher.tend_hotline_changes().await.unwrap();
    by_hand(&office, NEW, OLD);
    let (_, plan) = stands(&office, &change.id).await;
    for group in &plan.groups {
        let number = group.review.as_ref().unwrap();
        let review = publisher.store.review(number).await.unwrap().unwrap();
        office.town.approve(&review).await;
    }
    office.town.move_clock(SignedDuration::from_secs(11));
    assert!(publisher.tend_hotline_changes().await.unwrap());
    let (_, plan) = stands(&office, &change.id).await;
    assert!(plan.stuck.as_ref().is_some_and(|why| why.contains(OLD)), "{plan:?}");
    assert!(plan.groups.iter().all(|group| group.state == GroupState::Submitted), "{plan:?}");
    let program = office.program("publisher", &["hotlines.change"]).await;
    let call = format!("/api/v1/hotlines/changes/{}/cancel", change.id);
    let answer = program.post(&call, &serde_json::json!({})).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert!(answer.text.contains("publisher（口令"), "{}", answer.text);
    assert!(!publisher.tend_hotline_changes().await.unwrap());
    let retry = publisher.retry_hotline_change(&change.id, "publisher").await;
    assert!(matches!(retry, Err(WorkError::Refused(_))), "{retry:?}");
    let desk = office.browser("publisher").await;
    assert!(page(&office, &desk, &change.id).await.contains("了结了"));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_try_again_one_does() {
    let office = monday().await;
    let change = died(&office).await;
    let publisher = &office.town.publisher;
    by_hand(&office, OLD, NEW);
    // The same failed group, written by a service that runs beside the console.
    let (before, mut plan) = stands(&office, &change.id).await;
    plan.written = true;
    plan.groups.iter_mut().for_each(|group| group.state = GroupState::Failed);
    let mut after = before.clone();
    after.plan = serde_json::to_string(&plan).unwrap();
    after.open = false;
    let now = publisher.store.now().await.unwrap();
    assert!(publisher.store.save_hotline_change(&before, &after, Some(now), None).await.unwrap());
    let other = office.town.another().await;
    let tries = tokio::join!(
        publisher.retry_hotline_change(&change.id, "publisher"),
        other.retry_hotline_change(&change.id, "operator"),
    );
    let done = [&tries.0, &tries.1].iter().filter(|tried| tried.is_ok()).count();
    assert_eq!(done, 1, "{tries:?}");
    let rows = publisher.store.trail("hotline/bank", 20).await.unwrap();
    assert_eq!(rows.iter().filter(|row| row.action == "hotline.retry").count(), 1, "{rows:?}");
    // And again while the service works on it: what either writes is kept.
    let (worked, pressed) = tokio::join!(
        publisher.tend_hotline_changes(),
        other.retry_hotline_change(&change.id, "operator"),
    );
    assert!(worked.unwrap());
    assert!(matches!(pressed, Err(WorkError::Refused(_))), "{pressed:?}");
    let (kept, plan) = stands(&office, &change.id).await;
    assert!(kept.open && plan.groups.iter().all(|group| group.review.is_some()), "{plan:?}");
}

async fn change(publisher: &Publisher, office: &Office, new: NewNumber) -> Result<String, String> {
    let content = office.town.read();
    let cache = HotlineCache::default();
    let changed = publisher.change_hotline(&content, &cache, &new, "publisher").await;
    changed.map(|change| change.id).map_err(|error| error.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_change_the_same_number_one_does() {
    let office = monday().await;
    let (here, other) = (office.town.publisher.clone(), office.town.another().await);
    let both = tokio::join!(
        change(&here, &office, wanted(NEW, Some(OLD))),
        change(&other, &office, wanted("95124", Some(OLD))),
    );
    let told = format!("{both:?}");
    assert_eq!([&both.0, &both.1].iter().filter(|one| one.is_ok()).count(), 1, "{told}");
    assert!(told.contains("刚被别人改"), "{told}");
    let (winner, number) = match &both.0 {
        Ok(id) => (id.clone(), NEW),
        Err(_) => (both.1.clone().unwrap(), "95124"),
    };
    assert!(file(&office).contains(number), "{told}");
    // Who changes it after having seen that takes over; the first change is not acted on.
    let second = change(&here, &office, wanted("95125", Some(number))).await.unwrap();
    for _ in 0..4 {
        office.town.move_clock(SignedDuration::from_secs(61));
        here.tend_hotline_changes().await.unwrap();
    }
    let (first, plan) = stands(&office, &winner).await;
    assert!(!first.open && plan.ended.unwrap().contains("95125"), "the later one takes over");
    let (_, plan) = stands(&office, &second).await;
    assert!(plan.written && plan.stuck.is_none() && plan.ended.is_none(), "{plan:?}");
    assert_eq!(Digest::of(file(&office).as_bytes()), {
        let content = office.town.read();
        content.files["hotlines.toml"]
    });
}
