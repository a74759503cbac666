//! Faults: what is cut before has no effect, what is cut after has, and rules are read as written.

use super::{Desk, client, news, refused};
use caishi::sandbox::{Fault, FaultKind, Occurrence, SandboxOptions};
use jiff::SignedDuration;
use serde_json::json;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

impl Desk {
    fn strike(&self, rules: &[&str]) {
        self.sandbox.set_faults(rules.iter().map(|rule| rule.parse().unwrap()).collect());
    }
}

#[test]
fn rules_are_read_as_they_are_written() {
    let only = Occurrence::only;
    let cases = [
        ("freepublish/submit#1=cut-after", "freepublish/submit", only(1), FaultKind::CutAfter),
        ("draft/*=error:45011", "draft/*", Occurrence::EVERY, FaultKind::ErrorCode(45011)),
        ("*#2-4=error:-1", "*", Occurrence { first: 2, last: Some(4) }, FaultKind::ErrorCode(-1)),
        (
            "draft/#3+=latency:5",
            "draft/",
            Occurrence { first: 3, last: None },
            FaultKind::Latency(5),
        ),
        ("token#2=clock-skew:-60", "token", only(2), FaultKind::ClockSkew(-60)),
        ("draft/get#1=status:502", "draft/get", only(1), FaultKind::Status(502)),
        ("draft/add#1=error-after:-1", "draft/add", only(1), FaultKind::ErrorAfter(-1)),
        ("callback/*#1=lose-callback", "callback/*", only(1), FaultKind::LoseCallback),
    ];
    for (text, path, nth, kind) in cases {
        let fault: Fault = text.parse().unwrap();
        assert_eq!(fault, Fault { path: path.to_owned(), nth, kind });
        assert_eq!(fault.to_string(), text, "and written as they are read");
    }
    for wrong in [
        "freepublish/submit",
        "=cut-after",
        "draft/add#0=cut-after",
        "draft/add#4-2=cut-after",
        "draft/add=explode",
        "draft/add=error",
        "draft/add=cut-after:3",
        "draft/add=status:99",
    ] {
        let error = wrong.parse::<Fault>().unwrap_err().to_string();
        assert!(error.contains(wrong) && error.contains("写法如"), "{error}");
    }
}

#[tokio::test]
async fn a_connection_cut_before_has_no_effect_and_one_cut_after_has() {
    let desk = Desk::open().await;
    let media_id = desk.draft("标题", "<p>正文</p>").await;
    let body = || json!({ "media_id": media_id }).to_string();
    desk.strike(&["freepublish/submit#1=cut-before", "freepublish/submit#2=cut-after"]);

    let error = desk.try_post("freepublish/submit", body()).await.unwrap_err();
    assert!(error.status().is_none() && !error.is_decode(), "no answer at all: {error:?}");
    assert_eq!(desk.books().out().count(), 0);
    assert_eq!(desk.books().calls.last().unwrap().errcode, None);

    let error = desk.try_post("freepublish/submit", body()).await.unwrap_err();
    assert!(error.status().is_none() && !error.is_decode(), "no answer at all: {error:?}");
    let books = desk.books();
    assert_eq!(books.out().count(), 1, "it was carried out all the same");
    let call = books.calls.last().unwrap();
    assert_eq!(
        (call.errcode, call.faults.as_slice()),
        (Some(0), ["cut-after".to_owned()].as_slice())
    );
    assert_eq!(desk.get("draft/count").await["total_count"], 0, "the next call is well");
}

#[tokio::test]
async fn a_cut_connection_ends_without_a_byte() {
    let desk = Desk::open().await;
    desk.strike(&["draft/count=cut-after"]);
    let port = desk.sandbox.url().port().unwrap();
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let token = &desk.token;
    let request = format!(
        "GET /wechat/cgi-bin/draft/count?access_token={token} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut seen = Vec::new();
    match stream.read_to_end(&mut seen).await {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset),
    }
    assert!(seen.is_empty(), "{}", String::from_utf8_lossy(&seen));
}

#[tokio::test]
async fn each_kind_of_fault_does_what_it_says() {
    let desk = Desk::open().await;
    let cover = desk.cover().await;
    let body = || json!({ "articles": [news(&cover, "标题", "<p>正文</p>")] });
    let drafts = || desk.books().account(&desk.app_id).unwrap().drafts.len();

    desk.strike(&["draft/add#1=error:45009", "draft/add#2=error-after:-1"]);
    refused(&desk.post("draft/add", body()).await, 45009);
    assert_eq!(drafts(), 0);
    refused(&desk.post("draft/add", body()).await, -1);
    assert_eq!(drafts(), 1, "busy, it said, and did it");

    desk.strike(&["draft/add#1=garbage", "draft/add#2=status:502"]);
    assert!(desk.try_post("draft/add", body().to_string()).await.unwrap_err().is_decode());
    assert_eq!(drafts(), 2);
    let request = desk.client.post(desk.url("draft/add")).query(&[("access_token", &desk.token)]);
    let reply = request.body(body().to_string()).send().await.unwrap();
    assert_eq!((reply.status().as_u16(), drafts()), (502, 2));

    desk.strike(&["stable_token=refuse-ip"]);
    refused(&desk.stable_token(false).await, 40164);

    desk.strike(&["draft/count#1=clock-skew:7300"]);
    refused(&desk.get("draft/count").await, 42001);
    assert_eq!(desk.get("draft/count").await["total_count"], 2);
}

#[tokio::test]
async fn a_client_that_hangs_up_does_not_stop_what_it_asked_for() {
    let desk = Desk::open().await;
    let media_id = desk.draft("标题", "<p>正文</p>").await;
    desk.strike(&["freepublish/submit#1=latency:300"]);
    let request = client()
        .post(desk.url("freepublish/submit"))
        .query(&[("access_token", &desk.token)])
        .timeout(Duration::from_millis(100))
        .body(json!({ "media_id": media_id }).to_string());
    assert!(request.send().await.unwrap_err().is_timeout());
    desk.until("the submit was carried out", |books| books.out().count() == 1).await;
}

#[tokio::test]
async fn other_processes_set_faults_clock_and_accounts_and_read_the_books() {
    let desk = Desk::open().await;
    let put = |route: &str, body: serde_json::Value| {
        let url = desk.sandbox.url().join("_sandbox/").unwrap().join(route).unwrap();
        desk.client.put(url).body(body.to_string())
    };
    let status = |request: reqwest::RequestBuilder| async {
        let reply = request.send().await.unwrap();
        (reply.status().as_u16(), reply.text().await.unwrap())
    };
    assert_eq!(status(put("faults", json!(["draft/count#1=error:45011"]))).await.0, 204);
    refused(&desk.get("draft/count").await, 45011);
    let (code, message) = status(put("faults", json!(["draft/count", "x=y"]))).await;
    assert!(
        code == 400 && message.contains("缺少等号") && message.contains("没有“y”"),
        "{message}"
    );

    assert_eq!(status(put("clock", json!({ "shift_seconds": 7201 }))).await.0, 204);
    refused(&desk.get("draft/count").await, 42001);
    let account = json!({ "app_id": desk.app_id, "kind": "service", "verified": false });
    assert_eq!(status(put("account", account)).await.0, 204);
    let wrong = json!({ "app_id": desk.app_id, "verifeid": true });
    assert_eq!(status(put("account", wrong)).await.0, 400, "a typo is no account");

    let url = desk.sandbox.url().join("_sandbox/books").unwrap();
    let books: caishi::sandbox::Books =
        desk.client.get(url.clone()).send().await.unwrap().json().await.unwrap();
    assert_eq!(books.count("draft/count", 45011), 1);
    assert_eq!(books.accounts[0].kind, caishi::sandbox::AccountKind::Service);

    // Another site's page in the browser gets nothing, by whatever name it calls this machine.
    for (name, value, code) in [
        ("origin", "https://example.cn", 403),
        ("origin", "null", 403),
        ("sec-fetch-site", "cross-site", 403),
        ("sec-fetch-site", "same-origin", 200),
        ("host", "example.cn", 421),
    ] {
        let reply = desk.client.get(url.clone()).header(name, value).send().await.unwrap();
        assert_eq!(reply.status().as_u16(), code, "{name}: {value}");
    }
}

#[tokio::test]
async fn tokens_may_live_short_lives() {
    let options = SandboxOptions { token_seconds: 20, ..SandboxOptions::default() };
    let desk = Desk::with(options).await;
    desk.sandbox.shift_clock(SignedDuration::from_secs(9));
    assert_eq!(desk.stable_token(false).await["access_token"], desk.token.as_str());
    desk.sandbox.shift_clock(SignedDuration::from_secs(2));
    assert_ne!(desk.stable_token(false).await["access_token"], desk.token.as_str());
    desk.sandbox.shift_clock(SignedDuration::from_secs(10));
    refused(&desk.get("draft/count").await, 42001);
}
