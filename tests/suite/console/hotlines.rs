//! A number changes: the file, what is live, what takes its place, and in which order.

use super::Office;
use crate::publishing::town::MONDAY;
use caishi::{model::DeliveryState, work::hotlines::edit};
use std::fs;

const FORM: [(&str, &str); 5] = [
    ("number", "95123"),
    ("source", "总行公告"),
    ("verified_on", "2026-11-30"),
    ("verified_by", "投放岗丁"),
    ("was", "95XXX"),
];

async fn monday() -> Office {
    monday_of(Office::new().await).await
}

/// Monday, when the first week's outputs are out.
pub async fn monday_of(office: Office) -> Office {
    let review = office.town.submit().await;
    office.town.approve(&review).await;
    office.town.set_clock(MONDAY).await;
    office.town.tick().await;
    office.town.work().await;
    office
}

/// The bank's number is changed on Monday, after the first week went out.
async fn changed(further: &[(&str, &str)]) -> (Office, String) {
    let office = monday().await;
    let desk = office.browser("publisher").await;
    let page = desk.post("/console/hotlines/bank/preview", &FORM).await;
    assert_eq!(page.status, 200, "{}", page.text);
    assert!(page.text.contains("95XXX → 95123") && page.text.contains("撤不回"), "{}", page.text);
    let old = fs::read_to_string(office.town.path("content/hotlines.toml")).unwrap();
    let fields: Vec<_> = FORM.into_iter().chain(further.iter().copied()).collect();
    let answer = desk.post("/console/hotlines/bank", &fields).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    let (path, _) = answer.location().split_once('?').unwrap();
    let new = fs::read_to_string(office.town.path("content/hotlines.toml")).unwrap();
    let differing = old.lines().zip(new.lines()).filter(|(one, other)| one != other);
    assert_eq!((old.lines().count(), differing.count()), (new.lines().count(), 4));
    // Who looked at the number before has to look again.
    assert_eq!(desk.post("/console/hotlines/bank", &fields).await.status, 422);
    let path = path.to_owned();
    (office, path)
}

/// How the deliveries over a channel stand, the oldest first.
async fn states(office: &Office, channel: &str) -> Vec<DeliveryState> {
    let mut rows = office.town.deliveries().await;
    rows.retain(|row| row.channel.as_str() == channel);
    rows.sort_by_key(|row| row.slot);
    rows.iter().map(|row| row.state).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_number_takes_the_old_ones_place() {
    let (office, path) = changed(&[("republish", "yes")]).await;
    let publisher = &office.town.publisher;
    assert!(publisher.tend_hotline_changes().await.unwrap());
    let page = office.browser("auditor").await.get(&path).await.text;
    assert!(page.contains("已送审，等批准") && page.contains("还在外面"), "{page}");
    assert_eq!(states(&office, "branches").await, [DeliveryState::Confirmed]);
    assert!(!publisher.tend_hotline_changes().await.unwrap(), "not again at once");

    let reviews = publisher.store.reviews(None).await.unwrap();
    let review = reviews.iter().find(|review| review.author.as_str() == "publisher").unwrap();
    office.town.approve(review).await;
    for _ in 0..3 {
        office.town.move_clock(jiff::SignedDuration::from_secs(11));
        publisher.tend_hotline_changes().await.unwrap();
        office.town.work().await;
    }
    office.town.move_clock(jiff::SignedDuration::from_mins(11));
    publisher.tend_hotline_changes().await.unwrap();
    let page = office.browser("auditor").await.get(&path).await.text;
    // The intranet takes nothing back: somebody has to ask there.
    assert!(page.contains("件要人去撤") && !page.contains("banner done"), "{page}");
    let ended = [DeliveryState::Recalled, DeliveryState::Confirmed];
    assert_eq!(states(&office, "branches").await, ended);
    let shown = office.browser("auditor").await.get("/console/hotlines/bank").await.text;
    assert!(shown.contains("95123"), "{shown}");
    assert_eq!(publisher.store.verify_audit().await.unwrap().map(|rows| rows > 0), Ok(true));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dangerous_number_comes_down_at_once() {
    let (office, path) = changed(&[("at_once", "yes")]).await;
    assert!(office.town.publisher.tend_hotline_changes().await.unwrap());
    assert_eq!(states(&office, "branches").await, [DeliveryState::Recalled]);
    let page = office.browser("auditor").await.get(&path).await.text;
    assert!(page.contains("已送审，等批准") && page.contains("已撤"), "{page}");
}

/// What follows is submitted in the name of the person whose token it is.
#[tokio::test(flavor = "multi_thread")]
async fn a_program_changes_a_number() {
    let office = monday().await;
    let program = office.program("publisher", &["hotlines.change"]).await;
    let mut body: serde_json::Map<String, serde_json::Value> =
        FORM.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
    body.extend(
        [("at_once", ""), ("republish", "yes")].map(|(name, value)| (name.into(), value.into())),
    );
    let answer = program.post("/api/v1/hotlines/bank", &body.into()).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert!(office.town.publisher.tend_hotline_changes().await.unwrap());
    let reviews = office.town.publisher.store.reviews(None).await.unwrap();
    let own = reviews.iter().filter(|review| review.author.as_str() == "publisher");
    assert!(own.count() > 0, "{reviews:?}");
}

#[test]
fn one_entry_is_changed_and_nothing_else() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(folder.join("content/hotlines.toml")).unwrap();
    let id = |name: &str| caishi::model::HotlineId::new(name).unwrap();
    let values = [("number", edit::quoted("1\"2\\3"))];
    let new = edit::edited(&text, &id("antifraud"), &values).unwrap();
    let differing: Vec<_> = text.lines().zip(new.lines()).filter(|(a, b)| a != b).collect();
    assert_eq!(differing.len(), 1, "{differing:?}");
    assert!(differing[0].0.contains("96110"));
    // A comment behind the value stays.
    let commented = text.replacen("number = \"110\"", "number='110'   # 不要改 \"", 1);
    let new = edit::edited(&commented, &id("police"), &[("number", edit::quoted("119"))]).unwrap();
    assert!(new.contains("number=\"119\"   # 不要改 \""), "{new}");
    for (text, hotline, key) in [
        (text.as_str(), "nobody", "number"),
        (&text, "police", "nothing"),
        ("[[hotline]", "police", "number"),
        (&text.replacen("number = \"110\"", "number = \"\"\"\n110\"\"\"", 1), "police", "number"),
    ] {
        let error = edit::edited(text, &id(hotline), &[(key, "\"1\"".into())]).unwrap_err();
        assert!(error.to_string().contains("content/hotlines.toml"), "{error}");
    }
    assert!(edit::edited(&text, &id("police"), &[("number", "[".into())]).is_err());
}
