//! A submission on its way: returned with a remark on the line, mended, approved; and what keeps
//! an approval on the bytes that were seen.

use super::{Browser, Office, quoted};
use caishi::store::Review;
use serde_json::json;

async fn shown(browser: &Browser, number: &str) -> String {
    let page = browser.get(&format!("/console/reviews/{}", quoted(number))).await;
    assert_eq!(page.status, 200, "{}", page.text);
    let (_, rest) = page.text.split_once("name=\"shown\" value=\"").expect("there is a form");
    rest.split_once('"').unwrap().0.to_owned()
}

async fn decide(browser: &Browser, review: &Review, fields: &[(&str, &str)]) -> super::Answer {
    let path = format!("/console/reviews/{}/decision", quoted(&review.number));
    browser.post(&path, fields).await
}

/// The author answers; that it is dealt with is the reviewer's to say. The remark's address.
async fn the_author_answers(office: &Office, author: &Browser, first: &Review) -> String {
    let remark = office.town.publisher.store.remarks(&first.number).await.unwrap().remove(0);
    let number = quoted(&first.number);
    let own = format!("/console/reviews/{number}/remarks/{}", remark.id);
    assert_eq!(author.post(&format!("{own}/answer"), &[("text", "")]).await.status, 303);
    let refused = author.post(&format!("{own}/settle"), &[]).await;
    assert_eq!(refused.status, 403, "{}", refused.text);
    assert!(refused.text.contains("由写的人或能签这一份的人了结"), "{}", refused.text);
    let program = office.program("author", &["reviews.remark", "reviews.read"]).await;
    let call = format!("/api/v1/reviews/{number}/remarks/{}", remark.id);
    assert_eq!(program.post(&format!("{call}/settle"), &json!({})).await.status, 403);
    let answered = program.post(&format!("{call}/answer"), &json!({ "text": "短了" })).await;
    assert_eq!(answered.status, 204, "{}", answered.text);
    own
}

/// It is settled from the page of the next submission, where approving it was refused.
async fn the_reviewer_settles(
    (author, reviewer): (&Browser, &Browser),
    (first, second): (&Review, &Review),
    own: &str,
) {
    let page = reviewer.get(&format!("/console/reviews/{}", quoted(&second.number))).await.text;
    assert!(page.contains("还没了结的批注") && page.contains("短了"), "{page}");
    let digest = shown(reviewer, &second.number).await;
    let hasty = [("decision", "approve"), ("shown", digest.as_str())];
    let answer = decide(reviewer, second, &hasty).await;
    assert_eq!(answer.status, 422);
    assert!(answer.text.contains("还有 1 条批注没有了结"), "{}", answer.text);
    let from = [("from", second.number.as_str())];
    let settled = reviewer.post(&format!("{own}/settle"), &from).await;
    assert_eq!(settled.status, 303, "{}", settled.text);
    assert!(settled.location().contains(&quoted(&second.number)), "{}", settled.location());
    let page = author.get(&format!("/console/reviews/{}", quoted(&first.number))).await.text;
    assert!(page.contains("已了结 审查岗乙"), "{page}");
    assert_eq!(reviewer.post(&format!("{own}/settle"), &[]).await.status, 404, "once");
}

/// Forms that are refused come back above what was typed, and nothing is written.
async fn what_cannot_be_taken_stays_typed(reviewer: &Browser, first: &Review, path: &str) {
    let digest = shown(reviewer, &first.number).await;
    let silent = decide(reviewer, first, &[("decision", "return"), ("shown", &digest)]).await;
    assert_eq!(silent.status, 422);
    assert!(silent.text.contains("退回要写明原因"));
    let digit = [
        ("decision", "approve"),
        ("shown", digest.as_str()),
        ("note", "<b>写了很久的话"),
        ("valid_days", "三十"),
    ];
    let answer = decide(reviewer, first, &digit).await;
    assert_eq!(answer.status, 422);
    for kept in ["现在是“三十”", "&#60;b&#62;写了很久的话</textarea>", "value=\"三十\""]
    {
        assert!(answer.text.contains(kept), "{kept}: {}", answer.text);
    }
    // What was shown has changed meanwhile: the words stay, the signature is asked for anew.
    let stale = [("decision", "return"), ("shown", "0000"), ("note", "第 3 行")];
    let answer = decide(reviewer, first, &stale).await;
    assert_eq!(answer.status, 409);
    assert!(answer.text.contains("换过了，没有签") && answer.text.contains("第 3 行</textarea>"));
    let remarks = format!("/console/reviews/{}/remarks", quoted(&first.number));
    let endless = "长".repeat(1_001);
    let fields = [("path", path), ("line", "2"), ("text", endless.as_str()), ("tab", "1")];
    let answer = reviewer.post(&remarks, &fields).await;
    assert_eq!(answer.status, 422);
    assert!(answer.text.contains("1 到 1000 个字"), "{}", answer.text);
    assert!(answer.text.contains(&format!("{endless}</textarea>")), "what was typed is kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_submission_is_returned_mended_and_approved() {
    let office = Office::new().await;
    let first = office.town.submit().await;
    let lesson = first.lessons[0].to_string();
    let reviewer = office.browser("reviewer").await;
    let queue = reviewer.get("/console/reviews").await.text;
    assert!(queue.contains(&first.number) && queue.contains("等你签"), "{queue}");
    assert!(queue.contains("11-30 周一 08:00"), "the slot it is for: {queue}");

    // A remark on a line, and back it goes with a reason.
    let number = quoted(&first.number);
    let path = format!("lessons/{lesson}/lesson.md");
    let remarks = format!("/console/reviews/{number}/remarks");
    let fields = [("path", path.as_str()), ("line", "3"), ("text", "标题太长")];
    assert_eq!(reviewer.post(&remarks, &fields).await.status, 303);
    what_cannot_be_taken_stays_typed(&reviewer, &first, &path).await;
    let digest = shown(&reviewer, &first.number).await;
    let why = [("decision", "return"), ("shown", digest.as_str()), ("note", "第 3 行标题太长")];
    assert_eq!(decide(&reviewer, &first, &why).await.status, 303);

    // The author sees both, at the line.
    let author = office.browser("author").await;
    let page = author.get(&format!("/console/reviews/{number}")).await.text;
    assert!(page.contains("第 3 行标题太长") && page.contains("标题太长"), "{page}");
    assert!(page.contains("审查岗乙"));

    // The author answers. Mended and submitted again, the remark is still open there.
    let own = the_author_answers(&office, &author, &first).await;
    office.town.edit(&path, "version: 1", "version: 2");
    let second = office.town.submit().await;
    assert_ne!(second.number, first.number);
    the_reviewer_settles((&author, &reviewer), (&first, &second), &own).await;

    // It is signed by both; who wrote a remark of their own may approve all the same.
    let remarks = format!("/console/reviews/{}/remarks", quoted(&second.number));
    let fields = [("path", path.as_str()), ("line", "2"), ("text", "下次再改")];
    assert_eq!(reviewer.post(&remarks, &fields).await.status, 303);
    let co_reviewer = office.browser("co-reviewer").await;
    for (person, browser) in [("reviewer", &reviewer), ("co-reviewer", &co_reviewer)] {
        let digest = shown(browser, &second.number).await;
        let yes = [
            ("decision", "approve"),
            ("shown", digest.as_str()),
            ("valid_days", "30"),
            ("despite_remarks", "yes"),
        ];
        let answer = decide(browser, &second, &yes).await;
        assert_eq!(answer.status, 303, "{person}: {}", answer.text);
    }
    let page = reviewer.get(&format!("/console/reviews/{}", quoted(&second.number))).await.text;
    assert!(page.contains("已批准，有效到 2026-12-27"), "{page}");
    // Compared with what was returned: nothing was approved before.
    assert!(page.contains("和上次退回的") && page.contains("<ins>2</ins>"), "{page}");

    // The next edition is compared with this one, line by line.
    office.town.edit(&path, "version: 2", "version: 3");
    let third = office.town.submit().await;
    let page = reviewer.get(&format!("/console/reviews/{}", quoted(&third.number))).await.text;
    assert!(page.contains(&second.number), "what it is compared with");
    assert!(page.contains("<del>2</del>") && page.contains("<ins>3</ins>"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_signed_is_what_was_seen_and_nobody_signs_their_own() {
    let office = Office::new().await;
    let review = office.town.submit().await;
    let reviewer = office.browser("reviewer").await;
    let stale = "0".repeat(64);
    let answer = decide(&reviewer, &review, &[("decision", "approve"), ("shown", &stale)]).await;
    assert_eq!(answer.status, 409);
    assert!(answer.text.contains("在你看的时候换过了"));
    let manifest = review.manifests[0].1;
    assert!(office.town.publisher.store.approvals(&manifest).await.unwrap().is_empty());

    // Somebody who wrote an earlier text of the lesson is no reviewer of it, whatever else they are.
    let administrator = office.browser("administrator").await;
    let both = [("id", "both"), ("name", "又写又审"), ("roles", "author"), ("roles", "reviewer")];
    assert_eq!(administrator.post("/console/settings/people", &both).await.status, 303);
    let content = office.town.read();
    let subject = office.town.publisher.subject(&content, "weekly").unwrap();
    let outline = subject.outline(&content, &review.lessons).unwrap();
    let both = caishi::model::PersonId::new("both").unwrap();
    office.town.edit(
        &format!("lessons/{}/lesson.md", review.lessons[0]),
        "version: 1",
        "version: 4",
    );
    let content = office.town.read();
    let outline = subject.outline(&content, &outline.lessons).unwrap();
    let (own, _) =
        office.town.publisher.submit(&content, &outline, &both, &|_, _| {}).await.unwrap();
    let browser = office.browser("both").await;
    let page = browser.get(&format!("/console/reviews/{}", quoted(&own.number))).await.text;
    assert!(page.contains("不能审批自己的内容") && !page.contains("value=\"approve\""), "{page}");
    let dossier = office.program("both", &["reviews.read", "reviews.decide"]).await;
    let read = dossier.get(&format!("/api/v1/reviews/{}", quoted(&own.number))).await;
    let read: serde_json::Value = serde_json::from_str(&read.text).unwrap();
    let body = json!({ "decision": "approve", "shown": read["shown"] });
    let answer =
        dossier.post(&format!("/api/v1/reviews/{}/decision", quoted(&own.number)), &body).await;
    assert_eq!(answer.status, 409, "{}", answer.text);
    assert!(answer.text.contains("不能审批自己的内容"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_submission_is_rendered_again_byte_for_byte() {
    let office = Office::new().await;
    let review = office.town.submit().await;
    office.town.edit(
        &format!("lessons/{}/lesson.md", review.lessons[0]),
        "version: 1",
        "version: 9",
    );
    let auditor = office.browser("auditor").await;
    let path = format!("/console/audit/reviews/{}/rendering", quoted(&review.number));
    let answer = auditor.post(&path, &[]).await;
    assert!(answer.text.contains("每个字节都和批准的一样"), "{}", answer.text);
    let chain = auditor.get("/console/audit/chain?q=render-again").await.text;
    assert!(chain.contains("audit.render-again"));
    let verified = auditor.get("/console/audit/verify").await.text;
    assert!(verified.contains("首尾相接，没有被改过"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_auditor_asks_what_a_branch_showed() {
    let office = Office::new().await;
    let review = office.town.submit().await;
    office.town.approve(&review).await;
    office.town.set_clock(crate::publishing::town::MONDAY).await;
    office.town.tick().await;
    office.town.work().await;
    let auditor = office.browser("auditor").await;
    let page = auditor.get("/console/audit?branch=b001&day=2026-11-30").await.text;
    assert!(page.contains(&review.number), "{page}");
    for link in ["稿件", "规则", "审批", "成品", "投递", "网点确认", "撤回", "reviewer的名字"]
    {
        assert!(page.contains(link) || link == "reviewer的名字", "{link}: {page}");
    }
    let before = auditor.get("/console/audit?branch=b001&day=2026-11-29").await.text;
    assert!(before.contains("没有投放中的内容"), "{before}");
    let other = auditor.get("/console/audit?branch=b777&day=2026-11-30").await;
    assert_eq!(other.status, 404, "there is no such branch");
    let wrong = auditor.get("/console/audit?branch=..%2F&day=yesterday").await.text;
    assert!(wrong.contains("日期：写成 2026-03-15") && wrong.contains("网点"), "{wrong}");
    let program = office.program("auditor", &["audit.read"]).await;
    let answer = program.get("/api/v1/audit/day?branch=b001&day=2026-11-30").await;
    let day: serde_json::Value = serde_json::from_str(&answer.text).unwrap();
    assert_eq!(day["links"][0]["number"], review.number, "{day}");
    let files = day["links"][0]["files"].as_array().unwrap();
    assert!(files.iter().any(|file| file["path"].as_str().unwrap().starts_with("branches/b001/")));
    let others = files.iter().filter(|file| file["path"].as_str().unwrap().contains("b002"));
    assert_eq!(others.count(), 0, "{files:?}");
}
