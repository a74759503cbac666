//! A branch's day: what it was given, posting, taking down, the six numbers; and the head office,
//! which sees who has not said so, and keeps the tables.

use super::{Browser, CHANNELS, Office};
use crate::publishing::town::MONDAY;
use reqwest::Method;
use std::fs;

/// The first week is out at the branches, and somebody of another branch is there as well.
async fn monday() -> Office {
    let other = "\n[[people]]\nid = \"neighbour\"\nname = \"二号网点\"\nroles = [\"branch\"]\n\
                 branch = \"b002\"\n";
    let office = Office::with(&(CHANNELS.to_owned() + other)).await;
    let review = office.town.submit().await;
    office.town.approve(&review).await;
    office.town.set_clock(MONDAY).await;
    office.town.tick().await;
    office.town.work().await;
    office
}

/// What stands behind `before`, up to the next quote.
fn after<'t>(text: &'t str, before: &str) -> &'t str {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("no {before} in {text}"));
    rest.split_once('"').unwrap().0
}

#[tokio::test(flavor = "multi_thread")]
async fn a_branch_posts_and_takes_down() {
    let office = monday().await;
    let lobby = office.browser("branch").await;
    let page = lobby.get("/b/b001").await;
    assert_eq!(page.status, 200, "{}", page.text);
    assert!(page.text.contains("每张 15 秒") && page.text.contains("没有要撤下的"));
    let picture = after(&page.text, "/b/b001/small/").to_owned();
    let key = after(&page.text, "name=\"key\" value=\"").to_owned();
    let lesson = after(&page.text, "name=\"lesson\" value=\"").to_owned();
    for (path, kind) in [("file", "image/png"), ("small", "image/png")] {
        let file = lobby.get(&format!("/b/b001/{path}/{picture}")).await;
        assert_eq!((file.status.as_u16(), file.header("content-type")), (200, kind));
        assert!(file.header("content-security-policy").contains("sandbox"));
    }
    assert!(lobby.get("/b/b001/print").await.text.contains(&key[..8]));
    assert_eq!(lobby.get("/b/b001/zip").await.header("content-type"), "application/zip");

    // The code on the poster leads to the same button.
    let scanned = format!("/b/b001/posted/{lesson}");
    assert!(lobby.get(&scanned).await.text.contains("已上墙</button>"));
    let fields =
        [("key", key.as_str()), ("lesson", &lesson), ("what", "posted"), ("back", &scanned)];
    let done = lobby.post("/b/b001/confirm", &fields).await;
    assert_eq!(done.location(), format!("{scanned}?done=confirmed"));
    let page = lobby.get(&format!("/b/b001/confirm/{}", &key[..8])).await.text;
    assert!(page.contains("已上墙</span> branch "), "{page}");
    let away = [
        ("key", key.as_str()),
        ("lesson", &lesson),
        ("what", "posted"),
        ("back", "//evil.example"),
    ];
    assert_eq!(lobby.post("/b/b001/confirm", &away).await.location(), "/b/b001?done=confirmed");

    // It is recalled: both branches have it to take down, and the head office sees who did not.
    let publisher = &office.town.publisher;
    let plan = publisher.recall_plan("weekly").await.unwrap();
    publisher.recall(plan, "号码写错", "operator").await.unwrap();
    let page = lobby.get("/b/b001").await.text;
    assert!(page.contains("要撤下") && page.contains("已撤下<span"), "{page}");
    let down = [("key", key.as_str()), ("lesson", ""), ("what", "taken-down")];
    assert_eq!(lobby.post("/b/b001/confirm", &down).await.status, 303);
    let office_page = office.browser("publisher").await.get("/console/branches").await.text;
    assert!(office_page.contains("1/2 个网点已确认") && office_page.contains("/b/b002\">b002"));
    assert!(!office_page.contains("/b/b001\">b001 "), "{office_page}");
    // What is recalled is handed out no more.
    assert_eq!(lobby.get(&format!("/b/b001/file/{picture}")).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn branches_do_not_exist_for_each_other() {
    let office = monday().await;
    let lobby = office.browser("branch").await;
    let page = office.browser("auditor").await.get("/b/b002").await;
    let own = lobby.get("/b/b001").await.text;
    let key = after(&own, "name=\"key\" value=\"").to_owned();
    let foreign: Vec<&str> =
        page.text.split("/b/b002/small/").skip(1).map(|rest| &rest[..64]).collect();
    let foreign = foreign.into_iter().find(|digest| !own.contains(digest)).expect("its own poster");
    for path in [
        "/b/b002",
        "/b/b002/print",
        "/b/b002/zip",
        "/b/b002/events",
        &format!("/b/b002/confirm/{}", &key[..8]),
        "/b/b002/posted/telecom-fraud",
        &format!("/b/b002/file/{foreign}"),
        &format!("/b/b001/file/{foreign}"),
        &format!("/b/b001/small/{foreign}"),
        "/b/nowhere",
        "/b/B%2F..",
    ] {
        let answer = lobby.get(path).await;
        assert_eq!(answer.status, 404, "{path}");
    }
    let confirm = [("key", key.as_str()), ("lesson", ""), ("what", "posted")];
    assert_eq!(lobby.post("/b/b002/confirm", &confirm).await.status, 404);
    assert_eq!(lobby.post("/b/b002/events", &[("day", "2026-11-30")]).await.status, 404);
    assert_eq!(lobby.get("/console/branches").await.status, 403);
    let program =
        office.program("branch", &["branch.read", "branch.confirm", "branch.event"]).await;
    assert_eq!(program.get("/api/v1/branches/b001").await.status, 200);
    for path in
        ["/api/v1/branches/b002", "/api/v1/branches/b002/events", "/api/v1/branches/b002/zip"]
    {
        assert_eq!(program.get(path).await.status, 404, "{path}");
    }
    let body = serde_json::json!({ "key": key, "what": "posted" });
    assert_eq!(program.post("/api/v1/branches/b002/confirmations", &body).await.status, 404);
    assert_eq!(program.post("/api/v1/branches/b001/confirmations", &body).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn six_numbers_are_taken_doubted_and_corrected() {
    let office = monday().await;
    let lobby = office.browser("branch").await;
    let page = lobby.get("/b/b001/events").await.text;
    let once = after(&page, "name=\"once\" value=\"").to_owned();
    let form = |once: &str, audience: &str, staff: &str, replaces: &str| {
        let fields = [
            ("once", once),
            ("day", "2026-11-30"),
            ("title", "讲座<script>"),
            ("campaign", "routine/weekly"),
            ("staff", staff),
            ("audience", audience),
            ("priority_audience", "３０"),
            ("leaflets", "50"),
            ("consultations", "2"),
            ("online", "0"),
            ("replaces", replaces),
        ];
        fields.map(|(name, value)| (name.to_owned(), value.to_owned()))
    };
    let send = async |lobby: &Browser, fields: [(String, String); 11]| {
        let fields = fields.each_ref().map(|(name, value)| (name.as_str(), value.as_str()));
        lobby.post("/b/b001/events", &fields).await
    };
    let bad = send(&lobby, form(&once, "many", "", "")).await;
    assert_eq!(bad.status, 422);
    assert!(bad.text.contains("“many”不是") && bad.text.contains("没有就写 0"), "{}", bad.text);
    assert!(bad.text.contains("value=\"many\""), "what was typed is kept");
    // Twice the same form is one event; unlikely is no reason to refuse.
    for _ in 0..2 {
        assert_eq!(send(&lobby, form(&once, "5,000", "4", "")).await.status, 303);
    }
    let page = lobby.get("/b/b001/events").await.text;
    assert_eq!(page.matches("需核实").count(), 1, "{page}");
    assert!(page.contains("5000 人次，多于通常的") && !page.contains("讲座<script>"));
    let id = after(&page, "correct=").to_owned();
    assert_eq!(send(&lobby, form("again", "50", "4", &id)).await.status, 303);
    let page = lobby.get("/b/b001/events").await.text;
    assert!(page.contains("已更正") && !page.contains("需核实"), "{page}");
    assert_eq!(send(&lobby, form("third", "51", "4", &id)).await.status, 409);
    let neighbour = office.browser("neighbour").await;
    assert_eq!(neighbour.get(&format!("/b/b002/events?correct={id}")).await.status, 404);
}

/// Sends a file as the page's form would.
async fn upload(browser: &Browser, path: &str, bytes: &[u8]) -> (u16, String) {
    let secret = browser.secret().await.unwrap();
    let cookies = browser.cookies.lock().unwrap().clone();
    let cookie: Vec<String> =
        cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let mut body =
        b"--x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n".to_vec();
    body.extend_from_slice(bytes);
    body.extend_from_slice(b"\r\n--x--\r\n");
    let request =
        browser.client.request(Method::POST, format!("{}{path}?form={secret}", browser.url));
    let request = request.header("cookie", cookie.join("; ")).header("origin", &browser.url);
    let answer =
        request.header("content-type", "multipart/form-data; boundary=x").body(body).send().await;
    let answer = answer.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_looked_at_applied_and_put_back() {
    let office = Office::new().await;
    let desk = office.browser("publisher").await;
    let file = office.town.path("content/branches.csv");
    let before = fs::read_to_string(&file).unwrap();
    let preview = "/console/branches/tables/branches/preview";

    let (status, page) = upload(&desk, preview, "id,name\nB,\n".as_bytes()).await;
    assert_eq!(status, 422, "{page}");
    assert!(page.contains("表头缺少 district"), "{page}");
    let header = before.lines().next().unwrap();
    let bad = format!("{header}\nB1,,,,,,,\nb002,=1,,,,,,\nb002,二,,,,,,\n");
    let (status, page) = upload(&desk, preview, bad.as_bytes()).await;
    assert_eq!(status, 422);
    for told in ["“B1”", "name 这一列是空的", "公式", "写了两行"] {
        assert!(page.contains(told), "{told}: {page}");
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), before, "nothing half-imported");

    let row = "b003,新<b>支行,上梯区,elder,一号,,,\n";
    let (gbk, _, _) = encoding_rs::GBK.encode(&before);
    let mut new = gbk.into_owned();
    new.extend_from_slice(&encoding_rs::GBK.encode(row).0);
    let (status, page) = upload(&desk, preview, &new).await;
    assert_eq!(status, 200, "{page}");
    assert!(page.contains("b003") && !page.contains("新<b>"), "{page}");
    assert_eq!(fs::read_to_string(&file).unwrap(), before, "only looked at");
    let digest = after(&page, "name=\"digest\" value=\"").to_owned();
    let base = after(&page, "name=\"base\" value=\"").to_owned();
    let apply = "/console/branches/tables/branches/apply";
    let fields = [("digest", digest.as_str()), ("base", base.as_str())];
    assert_eq!(desk.post(apply, &fields).await.status, 303);
    assert!(fs::read_to_string(&file).unwrap().contains("新<b>支行"));
    assert_eq!(
        desk.post(apply, &fields).await.status,
        409,
        "it was looked at before another change"
    );
    assert!(desk.get("/console/branches").await.text.contains("新&#60;b&#62;支行"));

    // The old one is there to be put back, and the chain knows both.
    let kept = [("digest", base.as_str())];
    let page = desk.post("/console/branches/tables/branches/kept", &kept).await.text;
    let now = after(&page, "name=\"base\" value=\"").to_owned();
    assert_eq!(desk.post(apply, &[("digest", base.as_str()), ("base", &now)]).await.status, 303);
    assert_eq!(fs::read_to_string(&file).unwrap(), before);
    let rows = office.town.publisher.store.trail("content/branches.csv", 9).await.unwrap();
    assert_eq!(rows.len(), 2);
    assert!(rows[1].after.contains(&base) && rows[1].after.contains(&digest));

    for format in ["csv", "gbk", "xlsx"] {
        let path = format!("/console/branches/tables/branches?format={format}");
        let answer = desk.get(&path).await;
        assert!(answer.header("content-disposition").starts_with("attachment"), "{format}");
    }
    assert_eq!(desk.get("/console/branches/tables/branches?format=doc").await.status, 422);
    assert_eq!(desk.get("/console/branches/tables/lessons").await.status, 404);
    assert_eq!(office.browser("auditor").await.post(apply, &fields).await.status, 403);
}
