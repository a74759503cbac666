//! Nobody approves their own: whoever changed what is in the bytes does not sign them.

use super::{CHANNELS, Office, Program, quoted};
use caishi::{
    model::{Digest, HotlineId, PersonId},
    store::Review,
    work::{
        WorkError,
        hotlines::{HotlineCache, NewNumber},
        registers::Register,
    },
};
use serde_json::{Value, json};

async fn joined(office: &Office, id: &str, roles: &[&str]) {
    let administrator = office.browser("administrator").await;
    let mut fields = vec![("id", id), ("name", "又做又审")];
    fields.extend(roles.iter().map(|role| ("roles", *role)));
    let answer = administrator.post("/console/settings/people", &fields).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
}

/// Changes a lesson, so that what is submitted next is something new.
fn next(office: &Office, from: u32) {
    office.town.edit(
        "lessons/telecom-fraud/lesson.md",
        &format!("version: {from}"),
        &format!("version: {}", from + 1),
    );
}

/// Why somebody may not sign a submission; empty where they may.
fn why(review: &Review, person: &str) -> String {
    let id = PersonId::new(person).unwrap();
    let own = review.reasons.iter().filter(|(who, _)| *who == id).map(|(_, why)| why.as_str());
    let why = own.collect::<Vec<_>>().join("；");
    assert_eq!(review.excluded.contains(&id), !why.is_empty(), "{review:?}");
    why
}

/// A program of somebody's that plans campaigns.
async fn planner(office: &Office, person: &str) -> Program {
    office.program(person, &["campaigns.change", "schedule.read"]).await
}

/// Saves the campaign with another slogan.
async fn save(program: &Program, theme: &str) {
    let all: Value = serde_json::from_str(&program.get("/api/v1/campaigns").await.text).unwrap();
    let mut edition = all
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["series"] == "routine" && one["edition"] == "weekly")
        .unwrap()
        .clone();
    edition["theme"] = theme.into();
    edition["anyway"] = true.into();
    let answer = program.post("/api/v1/campaigns", &edition).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_saved_the_campaign_does_not_sign_it_until_others_have() {
    let office = Office::new().await;
    joined(&office, "both", &["author", "reviewer"]).await;
    let first = office.town.submit().await;
    assert_eq!(why(&first, "both"), "");
    office.town.approve(&first).await;

    // A program saves it in its person's name; somebody else submits.
    let program = planner(&office, "both").await;
    save(&program, "学一点金融").await;
    let second = office.town.submit().await;
    assert_ne!(second.number, first.number);
    let told = why(&second, "both");
    assert!(told.contains("改过活动 routine/weekly") && told.contains("审计第"), "{told}");
    let browser = office.browser("both").await;
    let page = browser.get(&format!("/console/reviews/{}", quoted(&second.number))).await.text;
    assert!(
        page.contains("改过活动 routine/weekly") && !page.contains("value=\"approve\""),
        "{page}"
    );
    assert!(page.contains("送审的人"), "why for each: {page}");
    let reader = office.program("both", &["reviews.read", "reviews.decide"]).await;
    let path = format!("/api/v1/reviews/{}", quoted(&second.number));
    let dossier: Value = serde_json::from_str(&reader.get(&path).await.text).unwrap();
    let hands = dossier["excluded"].as_array().unwrap();
    assert!(hands.iter().any(|hand| hand["me"] == true), "{hands:?}");
    let body = json!({ "decision": "approve", "shown": dossier["shown"] });
    let answer = reader.post(&format!("{path}/decision"), &body).await;
    assert_eq!(answer.status, 409, "{}", answer.text);
    // What was frozen is in the chain.
    let rows = office.town.publisher.store.trail(&second.number, 5).await.unwrap();
    assert!(rows[0].after.contains("改过活动 routine/weekly"), "{rows:?}");

    // Once others have approved it, the change is theirs no more.
    office.town.approve(&second).await;
    next(&office, 1);
    let third = office.town.submit().await;
    assert_eq!(why(&third, "both"), "");
    // And a change that was taken back is in no bytes.
    save(&program, "再改一次").await;
    save(&program, "学一点金融").await;
    next(&office, 2);
    let fourth = office.town.submit().await;
    assert_eq!(why(&fourth, "both"), "", "the file is as it was approved");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_imported_a_table_or_changed_a_number_does_not_sign() {
    let office = Office::new().await;
    joined(&office, "both", &["publisher", "reviewer"]).await;
    let publisher = &office.town.publisher;
    let first = office.town.submit().await;
    office.town.approve(&first).await;
    let rows = publisher.register_rows(Register::Branches).unwrap();
    let before = Digest::of(&std::fs::read(office.town.path("content/branches.csv")).unwrap());
    let mut rows: Vec<_> = (2..).zip(rows).collect();
    rows[0].1[1] = "换了名字的网点".to_owned();
    let new = publisher.consider_register(Register::Branches, &rows).await.unwrap().unwrap();
    let actor = "both（口令 t1）";
    publisher.replace_register(Register::Branches, &new.digest, &before, actor).await.unwrap();
    // Who looked at the old one changes nothing.
    let stale = publisher.replace_register(Register::Branches, &before, &before, "publisher").await;
    assert!(
        matches!(&stale, Err(WorkError::Refused(why)) if why.contains("both（口令 t1）")),
        "{stale:?}"
    );
    let second = office.town.submit().await;
    let told = why(&second, "both");
    assert!(told.contains("导入过网点表（审计第"), "{told}");

    let content = office.town.read();
    let change = NewNumber {
        hotline: HotlineId::new("bank").unwrap(),
        number: "95123".to_owned(),
        was: None,
        source: "总行公告".to_owned(),
        verified_on: "2026-11-27".parse().unwrap(),
        verified_by: "又做又审".to_owned(),
        at_once: false,
        republish: false,
    };
    let cache = HotlineCache::default();
    publisher.change_hotline(&content, &cache, &change, "both").await.unwrap();
    let third = office.town.submit().await;
    let told = why(&third, "both");
    assert!(told.contains("导入过网点表") && told.contains("改过热线 bank"), "{told}");
    office.town.approve(&third).await;
    next(&office, 1);
    assert_eq!(why(&office.town.submit().await, "both"), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_submission_that_nobody_could_sign_says_so_at_once() {
    let only = CHANNELS.replace("roles = [\"reviewer\"]", "roles = [\"reviewer\", \"publisher\"]");
    let office = Office::with(&only).await;
    let first = office.town.submit().await;
    office.town.approve(&first).await;
    save(&planner(&office, "reviewer").await, "学一点金融").await;
    let author = office.browser("author").await;
    let fields = [("name", "weekly"), ("slot", "2026-11-30T00:00:00Z")];
    let answer = author.post("/console/submit", &fields).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    let mut page = String::new();
    for _ in 0..100 {
        page = author.get(answer.location()).await.text;
        if !page.contains("正在做") {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert!(page.contains("没有做成") && page.contains("“消保审查”没有人能签"), "{page}");
    assert!(
        page.contains("改过活动 routine/weekly") && page.contains("请管理员在“设置”里"),
        "{page}"
    );
    assert_eq!(office.town.publisher.store.reviews(None).await.unwrap().len(), 1, "nothing more");

    // Another reviewer is all it takes; one who was closed is none.
    joined(&office, "second", &["reviewer"]).await;
    let administrator = office.browser("administrator").await;
    let account = "/console/settings/people/second/account";
    let closed = administrator.post(account, &[("what", "close")]).await;
    let content = office.town.read();
    let subject = office.town.publisher.subject(&content, "weekly").unwrap();
    let outline = subject.outline(&content, &first.lessons).unwrap();
    let id = &office.town.author.id;
    if closed.status == 303 {
        let refused = office.town.publisher.submit(&content, &outline, id, &|_, _| {}).await;
        assert!(matches!(refused, Err(WorkError::Faults(_))), "{refused:?}");
        let opened = administrator.post(account, &[("what", "open")]).await;
        assert_eq!(opened.status, 303, "{}", opened.text);
    } else {
        panic!("{}", closed.text);
    }
    office.town.publisher.submit(&content, &outline, id, &|_, _| {}).await.unwrap();
}

/// Two people edit one campaign: the second sees both versions before anything is overwritten.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_edit_a_campaign_nobody_loses_a_change_unseen() {
    let office = Office::new().await;
    let author = office.browser("author").await;
    let form = author.get("/console/campaigns/edit?id=routine/weekly").await.text;
    let value = |name: &str| {
        let (_, rest) = form.split_once(&format!("name=\"{name}\"")).unwrap();
        let (_, rest) = rest.split_once("value=\"").unwrap();
        rest.split_once('"').unwrap().0.to_owned()
    };
    let (seen, name) = (value("seen"), value("name"));
    let (from, until) = (value("from"), value("until"));
    save(&planner(&office, "publisher").await, "别人的口号").await;
    let fields = |seen: &str| -> Vec<(String, String)> {
        [
            ("series", "routine"),
            ("edition", "weekly"),
            ("name", &name),
            ("theme", "我的口号"),
            ("from", &from),
            ("until", &until),
            ("lesson", "telecom-fraud"),
            ("order", "1"),
            ("lesson", "personal-info"),
            ("order", "2"),
            ("anyway", "yes"),
            ("edits", "routine/weekly"),
            ("seen", seen),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    };
    let sent = fields(&seen);
    let sent: Vec<_> = sent.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let answer = author.post("/console/campaigns/save", &sent).await;
    assert_eq!(answer.status, 409, "{}", answer.text);
    for told in ["被别人改过", "投放岗丁", "别人的口号”，你写的是“我的口号", "再按一次“保存”"]
    {
        assert!(answer.text.contains(told), "{told}: {}", answer.text);
    }
    let text = std::fs::read_to_string(office.town.path("content/campaigns/routine.toml")).unwrap();
    assert!(text.contains("别人的口号") && !text.contains("我的口号"), "{text}");
    // Having seen both, they may.
    let (_, rest) = answer.text.split_once("name=\"seen\" value=\"").unwrap();
    let sent = fields(rest.split_once('"').unwrap().0);
    let sent: Vec<_> = sent.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let answer = author.post("/console/campaigns/save", &sent).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    let text = std::fs::read_to_string(office.town.path("content/campaigns/routine.toml")).unwrap();
    assert!(text.contains("我的口号"), "{text}");
}
