//! Getting in, staying in, getting out.

use super::{Office, PASSWORD};
use caishi::{model::PersonId, store::AuditSearch};
use jiff::SignedDuration;

#[tokio::test(flavor = "multi_thread")]
async fn somebody_is_invited_signs_in_and_out() {
    let office = Office::new().await;
    let browser = office.stranger();
    let path = office.invitation("auditor").await;
    assert!(browser.get(&path).await.text.contains("auditor"));
    let short = browser.post(&path, &[("password", "short"), ("again", "short")]).await;
    assert_eq!(short.status, 422);
    assert!(short.text.contains("至少要 12"), "{}", short.text);
    let unlike =
        browser.post(&path, &[("password", PASSWORD), ("again", "another long one")]).await;
    assert!(unlike.text.contains("两次输入的口令不一样"));
    let welcome = browser.post(&path, &[("password", PASSWORD), ("again", PASSWORD)]).await;
    assert_eq!(welcome.location(), "/console?done=password-set");
    assert!(browser.get("/console").await.text.contains("审计岗戊"));
    // An invitation is good once.
    assert_eq!(office.stranger().get(&path).await.status, 404);

    let out = browser.post("/console/sign-out", &[]).await;
    assert_eq!(out.location(), "/console/sign-in");
    assert_eq!(browser.get("/console").await.status, 303);
    let form = [("person", "auditor"), ("password", PASSWORD), ("back", "/console/audit")];
    let again = browser.post("/console/sign-in", &form).await;
    assert_eq!(again.location(), "/console/audit");
    assert_eq!(browser.get("/console/audit").await.status, 200);

    let chain = office.town.publisher.store.audit_rows(1, 1000).await.unwrap();
    let done: Vec<&str> = chain.iter().map(|row| row.action.as_str()).collect();
    for action in ["account.invite", "account.password", "session.start", "session.end"] {
        assert!(done.contains(&action), "{action} in {done:?}");
    }
    assert!(!chain.iter().any(|row| row.after.contains(PASSWORD)));
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_locks_the_account_and_an_administrator_opens_it() {
    let office = Office::new().await;
    drop(office.browser("publisher").await);
    let guesser = office.stranger();
    let guess = [("person", "publisher"), ("password", "wrong wrong wrong")];
    let nobody = [("person", "nobody"), ("password", "wrong wrong wrong")];
    let mut said = Vec::new();
    for form in [&guess, &guess, &guess, &guess, &guess, &nobody] {
        let answer = guesser.post("/console/sign-in", form).await;
        assert_eq!(answer.status, 401);
        said.push(answer.text.replace("publisher", "X").replace("nobody", "X"));
    }
    // A name that exists is answered like one that does not.
    assert!(said.iter().all(|text| *text == said[0]));
    let right = [("person", "publisher"), ("password", PASSWORD)];
    assert_eq!(guesser.post("/console/sign-in", &right).await.status, 401);
    let administrator = office.browser("administrator").await;
    let page = administrator.get("/console/settings/people/publisher").await.text;
    assert!(page.contains("锁住了"), "{page}");
    let account = "/console/settings/people/publisher/account";
    assert_eq!(administrator.post(account, &[("what", "unlock")]).await.status, 303);
    assert_eq!(guesser.post("/console/sign-in", &right).await.status, 303);

    // Or it opens by itself after a quarter of an hour.
    for _ in 0..5 {
        office.stranger().post("/console/sign-in", &guess).await;
    }
    assert_eq!(office.stranger().post("/console/sign-in", &right).await.status, 401);
    office.town.move_clock(SignedDuration::from_mins(16));
    assert_eq!(office.stranger().post("/console/sign-in", &right).await.status, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_end_when_idle_when_old_and_when_closed() {
    let office = Office::new().await;
    let browser = office.browser("operator").await;
    office.town.move_clock(SignedDuration::from_mins(59));
    assert_eq!(browser.get("/console").await.status, 200);
    office.town.move_clock(SignedDuration::from_mins(59));
    assert_eq!(browser.get("/console").await.status, 200, "it was seen an hour ago at most");
    office.town.move_clock(SignedDuration::from_mins(61));
    assert_eq!(browser.get("/console").await.status, 303, "idle");

    let browser = office.browser("operator").await;
    for _ in 0..14 {
        office.town.move_clock(SignedDuration::from_mins(55));
        browser.get("/console").await;
    }
    assert_eq!(browser.get("/console").await.status, 303, "older than twelve hours");

    let browser = office.browser("operator").await;
    let administrator = office.browser("administrator").await;
    let account = "/console/settings/people/operator/account";
    assert_eq!(administrator.post(account, &[("what", "close")]).await.status, 303);
    assert_eq!(browser.get("/console").await.status, 303, "closed");
    let form = [("person", "operator"), ("password", PASSWORD)];
    assert_eq!(office.stranger().post("/console/sign-in", &form).await.status, 401);
    let own = "/console/settings/people/administrator/account";
    assert_eq!(administrator.post(own, &[("what", "close")]).await.status, 409);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_cannot_be_planted_and_a_password_change_ends_the_others() {
    let office = Office::new().await;
    let victim = office.stranger();
    let planted = "A".repeat(43);
    victim.cookies.lock().unwrap().insert("caishi".into(), planted.clone());
    let path = office.invitation("author").await;
    let fields = [("password", PASSWORD), ("again", PASSWORD)];
    // As no session of ours it has no secret of its own either.
    let answer = victim.send(reqwest::Method::POST, &path, &[], Some(&fields)).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    assert_ne!(victim.cookies.lock().unwrap()["caishi"], planted);
    let attacker = office.stranger();
    attacker.cookies.lock().unwrap().insert("caishi".into(), planted);
    assert_eq!(attacker.get("/console").await.status, 303);

    let phone = office.stranger();
    let form = [("person", "author"), ("password", PASSWORD)];
    assert_eq!(phone.post("/console/sign-in", &form).await.status, 303);
    let fields = [
        ("current", PASSWORD),
        ("password", "five loud mountains"),
        ("again", "five loud mountains"),
    ];
    let changed = victim.post("/console/account/password", &fields).await;
    assert_eq!(changed.location(), "/console/sign-in");
    assert_eq!(phone.get("/console").await.status, 303, "signed out everywhere");
    assert_eq!(phone.post("/console/sign-in", &form).await.status, 401, "the old password");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_adds_a_reviewer_whose_signature_counts() {
    let office = Office::new().await;
    let administrator = office.browser("administrator").await;
    let bad = [("id", "new one"), ("name", ""), ("roles", "king"), ("branch", "b999")];
    let refused = administrator.post("/console/settings/people", &bad).await;
    assert_eq!(refused.status, 422);
    for fault in ["代号", "姓名", "没有“king”"] {
        assert!(refused.text.contains(fault), "{fault}: {}", refused.text);
    }
    let in_file = [("id", "author"), ("name", "甲"), ("roles", "reviewer")];
    let refused = administrator.post("/console/settings/people", &in_file).await;
    assert!(refused.text.contains("channels.toml"), "{}", refused.text);
    let good = [("id", "reviewer-2"), ("name", "审查岗二"), ("roles", "reviewer")];
    assert_eq!(administrator.post("/console/settings/people", &good).await.status, 303);
    let review = office.town.submit().await;
    let browser = office.browser("reviewer-2").await;
    let number = super::quoted(&review.number);
    let page = browser.get(&format!("/console/reviews/{number}")).await.text;
    assert!(page.contains("你签的是"), "{page}");
    let id = PersonId::new("reviewer-2").unwrap();
    assert!(office.town.publisher.person(&id).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_not_guessed_from_a_session_and_a_closed_person_has_no_token() {
    let office = Office::new().await;
    let browser = office.browser("reviewer").await;
    let wrong = [("current", "no no no no"), ("password", PASSWORD), ("again", PASSWORD)];
    for _ in 0..5 {
        assert_eq!(browser.post("/console/account/password", &wrong).await.status, 422);
    }
    let right =
        [("current", PASSWORD), ("password", "six green valleys"), ("again", "six green valleys")];
    let answer = browser.post("/console/account/password", &right).await;
    assert_eq!(answer.status, 422);
    assert!(answer.text.contains("锁住了"), "{}", answer.text);

    let token = office.program("publisher", &["own"]).await;
    assert_eq!(token.get("/api/v1/me").await.status, 200);
    drop(office.browser("publisher").await);
    let administrator = office.browser("administrator").await;
    let account = "/console/settings/people/publisher/account";
    assert_eq!(administrator.post(account, &[("what", "close")]).await.status, 303);
    assert_eq!(token.get("/api/v1/me").await.status, 401);
    let wanted = [("person", "publisher"), ("name", "x"), ("scopes", "own"), ("days", "1")];
    let refused = administrator.post("/console/settings/tokens", &wanted).await;
    assert!(refused.status == 422 && refused.text.contains("没有这个人"), "{}", refused.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_makes_a_token_that_signs_for_somebody_else() {
    let office = Office::new().await;
    let administrator = office.browser("administrator").await;
    let wanted = [
        ("person", "reviewer"),
        ("name", "代签"),
        ("scopes", "reviews.read"),
        ("scopes", "reviews.decide"),
        ("days", "1"),
    ];
    let refused = administrator.post("/console/settings/tokens", &wanted).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text.contains("要本人来做"), "{}", refused.text);
    let reading = [wanted[0], wanted[1], wanted[2], wanted[4]];
    let made = administrator.post("/console/settings/tokens", &reading).await;
    assert!(made.text.contains("caishi_"), "{}", made.text);
    // What a token does is told apart from what its person does.
    let token = office.program("administrator", &["people.change"]).await;
    let person = serde_json::json!({ "id": "new", "name": "新人", "roles": ["author"] });
    assert_eq!(token.post("/api/v1/people", &person).await.status, 204);
    let chain = office
        .town
        .publisher
        .store
        .audit_search(&AuditSearch::of("account.save", 5))
        .await
        .unwrap();
    assert!(chain[0].actor.starts_with("administrator（口令 "), "{}", chain[0].actor);
}
