//! Everybody makes the tokens of their own programs; what a token may not do is said as such.

use super::{Office, Program, quoted};
use reqwest::Method;
use serde_json::{Value, json};

/// The secret on the page that answers the form.
fn secret(page: &str) -> String {
    let (_, rest) = page.split_once("id=\"secret\">").unwrap_or_else(|| panic!("{page}"));
    rest.split_once('<').unwrap().0.to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn people_make_tokens_for_what_only_they_can_say() {
    let office = Office::new().await;
    let branch = office.browser("branch").await;
    let page = branch.get("/console/account").await.text;
    assert!(page.contains("value=\"branch.confirm\""), "{page}");
    assert!(!page.contains("value=\"reviews.decide\""), "not of this role: {page}");

    // What cannot be taken stays as it was typed.
    let odd = [("name", "大堂平板"), ("days", "很久"), ("scopes", "branch.confirm")];
    let refused = branch.post("/console/account/tokens", &odd).await;
    assert_eq!(refused.status, 422);
    for kept in
        ["天数（days）", "value=\"大堂平板\"", "value=\"很久\"", "\"branch.confirm\" checked"]
    {
        assert!(refused.text.contains(kept), "{kept}: {}", refused.text);
    }
    let other = [("name", "x"), ("days", "9"), ("scopes", "people.change")];
    let refused = branch.post("/console/account/tokens", &other).await;
    assert!(refused.text.contains("不是这个人的角色能做的"), "{}", refused.text);
    let hidden = [("name", "a\u{202e}b"), ("days", "9"), ("scopes", "own")];
    assert_eq!(branch.post("/console/account/tokens", &hidden).await.status, 422);

    let fields =
        [("name", "大堂平板"), ("days", "30"), ("scopes", "branch.confirm"), ("scopes", "own")];
    let made = branch.post("/console/account/tokens", &fields).await;
    assert_eq!(made.status, 200, "{}", made.text);
    let program = Program {
        url: branch.url.clone(),
        client: branch.client.clone(),
        secret: secret(&made.text),
    };

    // It acts as the person, within its scopes; a missing one is told as a missing scope.
    let own: Value = serde_json::from_str(&program.get("/api/v1/me/tokens").await.text).unwrap();
    assert_eq!(own[0]["name"], "大堂平板");
    let confirmed = program.post("/api/v1/branches/b001/confirmations", &json!({})).await;
    assert_eq!(confirmed.status, 422, "let in, the body is what is wrong: {}", confirmed.text);
    let narrow = program.get("/api/v1/branches/b001").await;
    assert_eq!(narrow.status, 403);
    assert!(narrow.text.contains("这个口令没有 branch.read（看网点页）"), "{}", narrow.text);
    let foreign = program.get("/api/v1/people").await;
    assert!(foreign.text.contains("要有审计岗、运维岗、管理员的角色"), "{}", foreign.text);

    // A token makes none, and nobody withdraws another's.
    let child = json!({ "name": "又一个", "scopes": ["own"], "days": "300" });
    let refused = program.post("/api/v1/me/tokens", &child).await;
    assert_eq!(refused.status, 403);
    assert!(refused.text.contains("口令不能再发口令"), "{}", refused.text);
    let id = own[0]["id"].as_str().unwrap();
    let author = office.browser("author").await;
    let place = format!("/console/account/tokens/{id}/revocation");
    assert_eq!(author.post(&place, &[]).await.status, 404);
    assert_eq!(branch.post(&place, &[]).await.status, 303);
    assert_eq!(program.get("/api/v1/me").await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_makes_none_that_speaks_for_others_nor_a_token_a_token() {
    let office = Office::new().await;
    let administrator = office.browser("administrator").await;
    let fields = [
        ("person", "reviewer"),
        ("name", "替他签"),
        ("days", "30"),
        ("scopes", "reviews.decide"),
        ("scopes", "reviews.read"),
    ];
    let refused = administrator.post("/console/settings/tokens", &fields).await;
    assert_eq!(refused.status, 422);
    for said in ["请本人在“我的账号”里发自己的口令", "value=\"替他签\"", "\"reviews.read\" checked"]
    {
        assert!(refused.text.contains(said), "{said}: {}", refused.text);
    }
    let minting = office.program("administrator", &["tokens.change"]).await;
    let wide = json!({ "person": "administrator", "name": "宽的", "days": "366",
        "scopes": ["people.change", "tokens.change"] });
    assert_eq!(minting.post("/api/v1/tokens", &wide).await.status, 403);

    // Somebody whose name would turn the line around, and a department that no topic has.
    let odd = [
        ("id", "li"),
        ("name", "李\r\n四"),
        ("roles", "co-reviewer"),
        ("department", "不存在的部"),
    ];
    let refused = administrator.post("/console/settings/people", &odd).await;
    assert_eq!(refused.status, 422);
    for said in ["一行，不用控制字符", "现有：", "value=\"不存在的部\"", "\"co-reviewer\" checked"]
    {
        assert!(refused.text.contains(said), "{said}: {}", refused.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_asked_wrongly_is_told_like_everything_else() {
    let office = Office::new().await;
    let author = office.browser("author").await;
    let program = office.program("author", &["lessons.read"]).await;
    // A form's address, opened as a page, leads to the page above it.
    let above = author.get("/console/reviews/x/decision").await;
    assert_eq!((above.status.as_u16(), above.location()), (303, "/console/reviews/x"));
    for (path, status) in [("/api/v1/submissions", 405), ("/api/v1/lessons/%ff", 400)] {
        let told = program.get(path).await;
        assert_eq!(told.status, status, "{path}: {}", told.text);
        assert_eq!(told.header("content-type"), "application/problem+json", "{path}");
        assert!(told.text.contains("openapi.json"), "{}", told.text);
    }
    let page = author.get("/console/lessons/%ff").await;
    assert!(page.status == 400 && page.text.contains("读不懂"), "{}", page.text);
    let deleted = author.send(Method::DELETE, "/console/lessons", &[], None).await;
    assert_eq!(deleted.status, 405);
    assert!(deleted.text.contains("不接受 DELETE"), "{}", deleted.text);

    // Every call's description says which scope it needs.
    let openapi = office.stranger().get("/api/v1/openapi.json").await.text;
    let openapi: Value = serde_json::from_str(&openapi).unwrap();
    let decide = &openapi["paths"]["/api/v1/reviews/{number}/decision"]["post"];
    assert_eq!(decide["security"], json!([{ "token": ["reviews.decide"] }]));
    assert!(decide["description"].as_str().unwrap().contains("范围 `reviews.decide`"), "{decide}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_outlives_the_session() {
    let office = Office::new().await;
    let review = office.town.submit().await;
    let stranger = office.stranger();
    let place = format!("/console/reviews/{}", quoted(&review.number));
    let referer = format!("{}{place}", stranger.url);
    let fields = [
        ("decision", "return"),
        ("shown", "00ff"),
        ("note", "第 3 行：</textarea><b>金额"),
        ("password", "not this"),
    ];
    let headers = [("origin", stranger.url.as_str()), ("referer", &referer)];
    let decision = format!("{place}/decision");
    let answer = stranger.send(Method::POST, &decision, &headers, Some(&fields)).await;
    assert_eq!(answer.status, 401, "{}", answer.text);
    assert!(answer.text.contains("表单没有执行"), "{}", answer.text);
    assert!(answer.text.contains("第 3 行：&#60;/textarea&#62;&#60;b&#62;金额</textarea>"));
    assert!(!answer.text.contains("not this") && !answer.text.contains("00ff"));
    let back = answer.text.split_once("name=\"back\" value=\"").unwrap().1;
    assert_eq!(back.split_once('"').unwrap().0, place);

    // Another site's words are not shown on our page.
    let headers = [("origin", "https://evil.example"), ("referer", "https://evil.example/")];
    let answer = stranger.send(Method::POST, &decision, &headers, Some(&fields)).await;
    assert_eq!(answer.status, 303);
}
