//! A submission after which another was made: what takes its place, what it is compared with, what
//! whoever has signed is offered.

use super::{Answer, Browser, Office, Program, quoted};
use caishi::{
    model::{ChannelId, Decision},
    store::Review,
    work::{Verdict, WorkError},
};
use serde_json::{Value, json};

const LESSON: &str = "lessons/telecom-fraud/lesson.md";

async fn page(browser: &Browser, review: &Review, further: &str) -> String {
    let path = format!("/console/reviews/{}{further}", quoted(&review.number));
    let page = browser.get(&path).await;
    assert_eq!(page.status, 200, "{}", page.text);
    page.text
}

async fn dossier(program: &Program, review: &Review) -> Value {
    let answer = program.get(&format!("/api/v1/reviews/{}", quoted(&review.number))).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    serde_json::from_str(&answer.text).unwrap()
}

/// A decision by form, on what the interface says is shown.
async fn decide(
    (browser, program): (&Browser, &Program),
    review: &Review,
    decision: &str,
    note: &str,
) -> Answer {
    let shown = dossier(program, review).await["shown"].as_str().unwrap().to_owned();
    let fields = [("decision", decision), ("shown", shown.as_str()), ("note", note)];
    let path = format!("/console/reviews/{}/decision", quoted(&review.number));
    browser.post(&path, &fields).await
}

async fn queue(program: &Program) -> Vec<Value> {
    let answer = program.get("/api/v1/reviews").await;
    serde_json::from_str(&answer.text).unwrap()
}

async fn queued(program: &Program, review: &Review) -> Value {
    let queue = queue(program).await;
    let own = queue.iter().find(|one| one["number"] == review.number);
    own.unwrap_or_else(|| panic!("{}: {queue:?}", review.number)).clone()
}

/// A link to a submission.
fn link(review: &Review) -> String {
    format!("href=\"/console/reviews/{}\">{}</a>", quoted(&review.number), review.number)
}

async fn assert_not_approved(
    office: &Office,
    (reviewer, program): (&Browser, &Program),
    (old, new): (&Review, &Review),
) {
    let seen = page(reviewer, old, "").await;
    assert!(seen.contains("这一份已被") && seen.contains(&link(new)), "{seen}");
    assert!(!seen.contains("value=\"approve\"") && !seen.contains("value=\"return\""), "{seen}");
    let refused = decide((reviewer, program), old, "approve", "").await;
    assert_eq!(refused.status, 409, "{}", refused.text);
    assert!(refused.text.contains(&format!("看 {}", new.number)), "{}", refused.text);
    let read = dossier(program, old).await;
    assert_eq!(read["state"], "replaced");
    assert_eq!(read["replaced"][0]["number"], new.number, "{read}");
    let body = json!({ "decision": "approve", "shown": read["shown"] });
    let path = format!("/api/v1/reviews/{}/decision", quoted(&old.number));
    let answer = program.post(&path, &body).await;
    assert_eq!(answer.status, 409, "{}", answer.text);
    assert!(answer.text.contains(&new.number), "{}", answer.text);
    let town = &office.town;
    let refused = town.publisher.decide(old, &town.reviewer, Verdict::approved()).await;
    assert!(matches!(&refused, Err(WorkError::Refused(why)) if why.contains(&new.number)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_submitted_again_is_not_signed_any_more() {
    let office = Office::new().await;
    let first = office.town.submit().await;
    let reviewer = office.browser("reviewer").await;
    let program = office.program("reviewer", &["reviews.read", "reviews.decide"]).await;
    office.town.edit(LESSON, "version: 1", "version: 2");
    office.desk.content_changed();
    // Changed, not submitted yet: told, and signed all the same if need be.
    let seen = page(&reviewer, &first, "").await;
    assert!(seen.contains("送审之后稿件改过"), "{seen}");
    assert!(seen.contains(&format!("{LESSON} 改过")) && seen.contains("value=\"approve\""));
    assert_eq!(dossier(&program, &first).await["changed_since"], json!([format!("{LESSON} 改过")]));

    let second = office.town.submit().await;
    assert_not_approved(&office, (&reviewer, &program), (&first, &second)).await;
    let list = reviewer.get("/console/reviews").await.text;
    let (open, past) = list.split_once("批过的和被代替的").unwrap();
    assert!(open.contains(&second.number) && !open.contains(&first.number), "{open}");
    assert!(past.contains(&link(&first)) && past.contains(&link(&second)), "{past}");
    let own = queued(&program, &first).await;
    assert_eq!((&own["state"], &own["mine"]), (&json!("replaced"), &json!(false)), "{own}");
    assert_eq!(queued(&program, &second).await["mine"], true);

    // Changed back and submitted once more, the first one is the newest again.
    office.town.edit(LESSON, "version: 2", "version: 1");
    office.desk.content_changed();
    let again = office.town.submit().await;
    assert_eq!(again.number, first.number);
    assert_not_approved(&office, (&reviewer, &program), (&second, &first)).await;
    office.town.approve(&first).await;
    assert_eq!(queued(&program, &first).await["state"], "approved");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_signed_and_then_replaced_stays_in_sight() {
    let office = Office::new().await;
    let first = office.town.submit().await;
    office.town.approve(&first).await;
    office.town.edit(LESSON, "version: 1", "version: 2");
    let second = office.town.submit().await;
    let auditor = office.browser("auditor").await;
    for path in ["/console/reviews", "/console/reviews?show=all"] {
        let list = auditor.get(path).await.text;
        let (_, past) = list.split_once("批过的和被代替的").unwrap();
        let (_, own) = past.split_once(&link(&first)).unwrap();
        for word in [link(&second).as_str(), "已批准，有效到", "审查岗乙（reviewer）、会签岗丙"]
        {
            assert!(own.contains(word), "{word}: {own}");
        }
    }
    let program = office.program("auditor", &["reviews.read"]).await;
    let own = queued(&program, &first).await;
    assert_eq!(own["signed"], json!(["审查岗乙（reviewer）", "会签岗丙（co-reviewer）"]), "{own}");
    // Who signed may still take it back: its bytes may be on their way.
    let reviewer = office.browser("reviewer").await;
    let seen = page(&reviewer, &first, "").await;
    assert!(seen.contains("value=\"return\"") && !seen.contains("value=\"approve\""), "{seen}");
    let back = decide((&reviewer, &program), &first, "return", "数字有误").await;
    assert_eq!(back.status, 303, "{}", back.text);
    // A month later it is asked for.
    office.town.move_clock(jiff::SignedDuration::from_hours(24 * 40));
    let auditor = office.browser("auditor").await;
    let list = auditor.get("/console/reviews").await.text;
    assert!(!list.contains(&first.number) && list.contains(&second.number), "{list}");
    assert!(auditor.get("/console/reviews?show=all").await.text.contains(&first.number));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_submission_of_which_only_a_channel_was_submitted_again_can_be_signed() {
    let office = Office::new().await;
    let town = &office.town;
    let first = town.submit().await;
    town.edit(LESSON, "version: 1", "version: 2");
    let content = town.read();
    let mut subject = town.publisher.subject(&content, "weekly").unwrap();
    let intranet = ChannelId::new("intranet").unwrap();
    subject.channels.retain(|entry| entry.id == intranet);
    let outline = subject.outline(&content, &first.lessons).unwrap();
    let author = &town.author.id;
    let part = town.publisher.submit(&content, &outline, author, &|_, _| {}).await.unwrap().0;
    assert_eq!(part.lessons, first.lessons);

    let reviewer = office.browser("reviewer").await;
    let program = office.program("reviewer", &["reviews.read"]).await;
    let seen = page(&reviewer, &first, "").await;
    assert!(seen.contains("只有一部分渠道被代替") && seen.contains(&link(&part)), "{seen}");
    assert!(seen.contains("value=\"approve\""), "{seen}");
    let own = queued(&program, &first).await;
    assert_eq!(own["state"], "waiting");
    let replaced = json!([{ "channel": "intranet", "number": part.number }]);
    assert_eq!(own["replaced"], replaced, "{own}");
    let signed = decide((&reviewer, &program), &first, "approve", "").await;
    assert_eq!(signed.status, 303, "{}", signed.text);
    // Another slot's lessons are no newer submission of these.
    let other = town.submit_for("2026-12-07T00:00:00Z").await;
    assert_ne!(other.lessons, part.lessons);
    assert_eq!(queued(&program, &part).await["state"], "waiting");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_returned_is_what_its_mending_is_compared_with() {
    let office = Office::new().await;
    let town = &office.town;
    let approved = town.submit().await;
    town.approve(&approved).await;
    town.edit(LESSON, "\n## ", "\n\n以前有一位姓张的阿姨差一点就把钱转了出去。\n\n## ");
    let returned = town.submit().await;
    let reviewer = office.browser("reviewer").await;
    let program = office.program("reviewer", &["reviews.read"]).await;
    let back = decide((&reviewer, &program), &returned, "return", "张阿姨真有其人").await;
    assert_eq!(back.status, 303, "{}", back.text);
    // Who returned it is offered nothing that would fail.
    let seen = page(&reviewer, &returned, "").await;
    assert!(seen.contains("你已退回，等作者修改后重新送审"), "{seen}");
    assert!(!seen.contains("value=\"approve\"") && !seen.contains("value=\"return\""));

    town.edit(LESSON, "姓张的阿姨", "姓李的阿姨");
    let mended = town.submit().await;
    let seen = page(&reviewer, &mended, "").await;
    let (_, top) = seen.split_once("id=\"returned\"").unwrap();
    let (top, _) = top.split_once("</div>").unwrap();
    for word in [link(&returned).as_str(), "审查岗乙", "张阿姨真有其人"] {
        assert!(top.contains(word), "{word}: {top}");
    }
    assert!(seen.contains("上次退回的") && !seen.contains("上次批准的一个字节不差"), "{seen}");
    assert!(seen.contains("和上次退回的一个字节不差"), "{seen}");
    // One character changed, and one is marked.
    assert!(seen.contains("姓<ins>李</ins>的") && seen.contains("姓<del>张</del>的"), "{seen}");
    let read = dossier(&program, &mended).await;
    assert_eq!(read["compared_with"], returned.number);
    assert_eq!(read["compared_is"], "returned");
    assert_eq!(read["returned"]["note"], "张阿姨真有其人");
    let seen = page(&reviewer, &mended, "?against=approved").await;
    assert!(seen.contains("上次批准的") && seen.contains(&link(&approved)), "{seen}");
    assert!(!seen.contains("<del>张</del>") && seen.contains("姓李的阿姨"), "{seen}");

    // Signed: the next one has an approval to be compared with, and nothing to say of a return.
    let signed = decide((&reviewer, &program), &mended, "approve", "").await;
    assert_eq!(signed.status, 303, "{}", signed.text);
    let seen = page(&reviewer, &mended, "").await;
    assert!(seen.contains("你已签") && !seen.contains("value=\"approve\""), "{seen}");
    let decision = town.publisher.decide(&mended, &town.co_reviewer, Verdict::approved()).await;
    assert!(decision.unwrap().iter().all(|one| one.decision == Decision::Approved));
    town.edit(LESSON, "version: 1", "version: 2");
    let next = dossier(&program, &town.submit().await).await;
    assert_eq!((&next["compared_is"], &next["returned"]), (&json!("approved"), &Value::Null));
    assert_eq!(next["compared_with"], mended.number);
}

#[tokio::test(flavor = "multi_thread")]
async fn stamps_are_told_from_words_and_figures_show_their_sentences() {
    let office = Office::new().await;
    let town = &office.town;
    let first = town.submit().await;
    town.approve(&first).await;
    town.edit(LESSON, "version: 1", "version: 2");
    let second = town.submit().await;
    let program = office.program("reviewer", &["reviews.read"]).await;
    let read = dossier(&program, &second).await;
    let article = |read: &Value| {
        let of = |one: &&Value| one["output"] == "article" && one["audience"] == "通用版";
        read["specimens"].as_array().unwrap().iter().find(of).unwrap().clone()
    };
    assert_eq!(article(&read)["only_number"], true, "{}", article(&read));
    assert_eq!(article(&read)["fates"]["only_number"], 1);
    let reviewer = office.browser("reviewer").await;
    let seen = page(&reviewer, &second, "").await;
    assert!(seen.contains("≠ 只有编号不同") && seen.contains("只有编号不同 1</span>"), "{seen}");

    town.edit(LESSON, "\n## ", "\n\n多问一句家人。\n\n## ");
    let third = town.submit().await;
    let words = article(&dossier(&program, &third).await);
    assert_eq!((&words["only_number"], &words["fates"]["changed"]), (&json!(false), &json!(1)));
    let seen = page(&reviewer, &third, "").await;
    let changes = words["changes"].as_str().unwrap().replace('&', "&#38;");
    let marked = words["places"].as_array().unwrap().is_empty();
    assert!(!marked || seen.contains(&format!("src=\"{changes}\"")), "{changes}: {seen}");

    let claim = read["claims"].as_array().unwrap().iter().find(|one| one["name"] == "victim-age");
    let said = &claim.unwrap()["said"][0];
    assert!(said["text"].as_str().unwrap().starts_with("62.1% "), "{said}");
    let (_, claims) = seen.split_once("id=\"claims\"").unwrap();
    assert!(claims.contains("62.1% ") && claims.contains("href=\"?text="), "{claims}");
    assert!(claims.contains("正文里没有数字指到它") || claims.contains("登记在"), "{claims}");
}
