//! What happens around the people of a walk: texts are mended, days pass, answers are lost.

use super::{Browser, Office};
use crate::publishing::town::MONDAY;
use caishi::{
    model::DeliveryState,
    store::{Lease, Review, Transition},
    work::Verdict,
};
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::{fmt::Write as _, fs, time::Duration};

/// Does what `walk.mjs` asks for.
pub async fn follow(office: &Office, order: &str) {
    let town = &office.town;
    match order {
        "edit" => {
            town.edit("lessons/telecom-fraud/lesson.md", "version: 1", "version: 2");
            office.desk.content_changed();
        }
        "monday" => {
            town.set_clock(MONDAY).await;
            town.tick().await;
            town.work().await;
        }
        "unknown" => {
            town.set_clock(MONDAY).await;
            town.tick().await;
            while lose_an_answer(office).await.is_some() {}
        }
        "work" => town.work().await,
        other => panic!("nobody knows how to {other}"),
    }
}

/// A worker sends the next delivery, and the line breaks before the answer. Its name.
pub async fn lose_an_answer(office: &Office) -> Option<String> {
    let store = &office.town.publisher.store;
    let lease = Duration::from_mins(5);
    let claim = store.claim("worker-9", lease).await.unwrap()?;
    let step = |state, begins_attempt, message: &str| Transition {
        state,
        next_at: claim.delivery.next_at,
        lease: Lease::Extend(lease),
        begins_attempt,
        failures: 0,
        prepared_ref: None,
        remote_ref: None,
        url: None,
        error_class: None,
        message: message.to_owned(),
        next_step: String::new(),
    };
    let claim = store.advance(&claim, &step(DeliveryState::Prepared, false, "")).await.unwrap();
    let claim = store.advance(&claim, &step(DeliveryState::Sending, true, "")).await.unwrap();
    let lost = step(DeliveryState::Unknown, false, "连接断在应答之前");
    // Nobody asks the platform by itself before people have looked.
    let later = store.now().await.unwrap() + SignedDuration::from_hours(12);
    let lost = Transition { lease: Lease::Release, next_at: later, ..lost };
    Some(store.advance(&claim, &lost).await.unwrap().delivery.id)
}

/// Waits for the job that a form led to; its address.
async fn job(browser: &Browser, path: &str, fields: &[(&str, &str)]) -> String {
    let answer = browser.post(path, fields).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    let place = answer.location().to_owned();
    for _ in 0..600 {
        if !browser.get(&place).await.text.contains("正在做") {
            return place;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    panic!("{place} never ends");
}

/// A bank in the middle of its work: something of everything. Further addresses for people.
pub async fn busy(office: &Office) -> Value {
    let town = &office.town;
    let slots = [MONDAY, "2026-12-07T00:00:00Z", "2026-12-14T00:00:00Z", "2026-12-21T00:00:00Z"];
    let (submitted, reviews) = submit(office, &slots[..2]).await;
    town.approve(&reviews[0]).await;
    // The second lesson is another department's.
    let mut technology = town.co_reviewer.clone();
    technology.department = Some("信息科技部".to_owned());
    for person in [&town.reviewer, &technology] {
        let decided = town.publisher.decide(&reviews[1], person, Verdict::approved());
        decided.await.unwrap();
    }
    for slot in &slots[..2] {
        town.set_clock(slot).await;
        town.tick().await;
        town.work().await;
    }
    // The third comes back with a remark, the fourth waits.
    town.edit("lessons/telecom-fraud/lesson.md", "version: 1", "version: 2");
    let (_, reviews) = submit(office, &slots[2..3]).await;
    send_back(office, &reviews[2].number).await;
    town.edit("lessons/personal-info/lesson.md", "version: 1", "version: 2");
    submit(office, &slots[3..]).await;
    town.set_clock(slots[2]).await;
    town.tick().await;
    town.move_clock(SignedDuration::from_hours(3));
    town.tick().await;

    let publisher = office.browser("publisher").await;
    let recalled = recall(&publisher, "telecom-fraud").await;
    let lobby = office.browser("branch").await;
    event(&lobby, "讲座", "50").await;
    event(&lobby, "广场宣传", "5000").await;
    let changed = change_number(&publisher).await;
    next_edition(&publisher).await;
    many_branches(office);
    json!({
        "publisher": [recalled, changed, "/console/recall?name=personal-info", "/console/nothing-here"],
        "author": [submitted],
        "branch": ["/b/b001/posted/personal-info", "/b/b001/posted/telecom-fraud"],
        "auditor": ["/console/audit?branch=b001&day=2026-11-30", "/console/audit/verify"],
    })
}

/// The author submits slots; the job's address, and all reviews by number.
async fn submit(office: &Office, slots: &[&str]) -> (String, Vec<Review>) {
    office.desk.content_changed();
    let author = office.browser("author").await;
    let mut fields = vec![("name", "weekly")];
    fields.extend(slots.iter().map(|slot| ("slot", *slot)));
    let place = job(&author, "/console/submit", &fields).await;
    let mut reviews = office.town.publisher.store.reviews(None).await.unwrap();
    reviews.sort_by(|one, other| one.number.cmp(&other.number));
    (place, reviews)
}

/// A review with a remark on a line, returned.
async fn send_back(office: &Office, number: &str) {
    let reviewer = office.browser("reviewer").await;
    let place = format!("/console/reviews/{}", super::quoted(number));
    let remark = [("path", "lessons/telecom-fraud/lesson.md"), ("line", "3"), ("text", "请改短")];
    let answer = reviewer.post(&format!("{place}/remarks"), &remark).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    let page = reviewer.get(&place).await.text;
    let (_, shown) = page.split_once("name=\"shown\" value=\"").unwrap();
    let shown = shown.split_once('"').unwrap().0;
    let back = [("decision", "return"), ("note", "见批注"), ("shown", shown)];
    let answer = reviewer.post(&format!("{place}/decision"), &back).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
}

/// Takes a lesson down; the job's address.
pub async fn recall(publisher: &Browser, name: &str) -> String {
    let page = publisher.get(&format!("/console/recall?name={name}")).await.text;
    let (_, seen) = page.split_once("name=\"seen\" value=\"").unwrap();
    let seen = seen.split_once('"').unwrap().0;
    let fields = [("name", name), ("confirm", name), ("reason", "数字有误"), ("seen", seen)];
    job(publisher, "/console/recall", &fields).await
}

/// Six numbers of an event.
async fn event(lobby: &Browser, title: &str, audience: &str) {
    let fields = [
        ("once", title),
        ("day", "2026-12-14"),
        ("title", title),
        ("campaign", ""),
        ("staff", "4"),
        ("audience", audience),
        ("priority_audience", "30"),
        ("leaflets", "50"),
        ("consultations", "2"),
        ("online", "0"),
        ("replaces", ""),
    ];
    let answer = lobby.post("/b/b001/events", &fields).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
}

/// The bank's own number changes; the change's address.
/// An edition more of a campaign: its file has an earlier version.
async fn next_edition(publisher: &Browser) {
    let fields = [
        ("series", "rights-day"),
        ("edition", "2028"),
        ("name", "2028 年 3·15 教育宣传"),
        ("from", "2028-03-09"),
        ("until", "2028-03-15"),
        ("lesson", "telecom-fraud"),
        ("order", "1"),
        ("anyway", "yes"),
    ];
    let answer = publisher.post("/console/campaigns/save", &fields).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
}

async fn change_number(publisher: &Browser) -> String {
    let fields = [
        ("number", "95123"),
        ("source", "总行公告"),
        ("verified_on", "2026-12-14"),
        ("verified_by", "投放岗丁"),
        ("was", "95XXX"),
        ("republish", "yes"),
    ];
    let answer = publisher.post("/console/hotlines/bank", &fields).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    answer.location().split_once('?').unwrap().0.to_owned()
}

/// Three hundred branches: lists are as long as they are in real life.
fn many_branches(office: &Office) {
    let path = office.town.path("content/branches.csv");
    let mut text = fs::read_to_string(&path).unwrap();
    for number in 3..=300 {
        writeln!(text, "b{number:03},雾溪新城云梯大道第{number}社区支行,雾溪区,elder;community,云梯大道{number}号,,周一至周五 9:00-17:00,").unwrap();
    }
    fs::write(path, text).unwrap();
    office.desk.content_changed();
}
