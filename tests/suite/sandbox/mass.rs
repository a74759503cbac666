//! Mass sending: quotas by the kind of account, and the key that keeps from sending twice.

use super::{Desk, refused};
use caishi::sandbox::{AccountKind, Profile};
use jiff::SignedDuration;
use serde_json::{Value, json};

fn service() -> Profile {
    let openids = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Profile {
        kind: AccountKind::Service,
        tags: [(101, openids(&["oAnna", "oBert"])), (102, openids(&["oBert"]))].into(),
        ..Profile::default()
    }
}

fn to_all(media_id: &str, key: &str) -> Value {
    json!({
        "filter": { "is_to_all": true },
        "mpnews": { "media_id": media_id },
        "msgtype": "mpnews",
        "send_ignore_reprint": 0,
        "clientmsgid": key,
    })
}

#[tokio::test]
async fn a_repeated_key_gets_the_message_that_went_out() {
    let mut desk = Desk::of(service()).await;
    let media_id = desk.draft("标题", "<p>正文</p>").await;
    let key = "0123456789abcdef0123456789abcdef";
    let sent = desk.post("message/mass/sendall", to_all(&media_id, key)).await;
    assert_eq!(sent["errmsg"], "send job submission success");
    assert!(sent["msg_data_id"].is_i64());
    let again = desk.post("message/mass/sendall", to_all(&media_id, key)).await;
    refused(&again, 45065);
    assert_eq!(again["msg_id"], sent["msg_id"]);
    let get = desk.post("message/mass/get", json!({ "msg_id": sent["msg_id"] })).await;
    assert_eq!(get["msg_status"], "SEND_SUCCESS");
    refused(&desk.post("draft/get", json!({ "media_id": media_id })).await, 40007);

    // A day later the key is forgotten: what keeps then is that the draft is gone.
    desk.sandbox.shift_clock(SignedDuration::from_hours(25));
    desk.renew().await;
    refused(&desk.post("message/mass/sendall", to_all(&media_id, key)).await, 40007);
    refused(&desk.post("message/mass/sendall", to_all(&media_id, key)).await, 45066);
    let books = desk.books();
    assert_eq!((books.out().count(), books.repeats.len()), (1, 1));
    assert_eq!(books.repeats[0].key, key);
}

#[tokio::test]
async fn without_a_key_range_and_content_are_the_key() {
    let desk = Desk::of(service()).await;
    let first = desk.draft("标题", "<p>正文</p>").await;
    let second = desk.draft("标题", "<p>正文</p>").await;
    let other = desk.draft("标题", "<p>别的正文</p>").await;
    let tagged = |media_id: &str, tag: i64| {
        json!({
            "filter": { "is_to_all": false, "tag_id": tag },
            "mpnews": { "media_id": media_id },
            "msgtype": "mpnews",
        })
    };
    let sent = desk.post("message/mass/sendall", tagged(&first, 101)).await;
    assert_eq!(sent["errcode"], 0, "{sent}");
    for media_id in [&first, &second] {
        let again = desk.post("message/mass/sendall", tagged(media_id, 101)).await;
        refused(&again, 45065);
        assert_eq!(again["msg_id"], sent["msg_id"]);
    }
    assert_eq!(desk.post("message/mass/sendall", tagged(&second, 102)).await["errcode"], 0);
    assert_eq!(desk.post("message/mass/sendall", tagged(&other, 101)).await["errcode"], 0);
}

#[tokio::test]
async fn a_subscription_account_sends_once_a_day() {
    let mut desk = Desk::open().await;
    let (first, second) =
        (desk.draft("一", "<p>一</p>").await, desk.draft("二", "<p>二</p>").await);
    assert_eq!(desk.post("message/mass/sendall", to_all(&first, "a")).await["errcode"], 0);
    refused(&desk.post("message/mass/sendall", to_all(&second, "b")).await, 45028);
    desk.sandbox.shift_clock(SignedDuration::from_hours(24));
    desk.renew().await;
    assert_eq!(desk.post("message/mass/sendall", to_all(&second, "b")).await["errcode"], 0);
    let to_some =
        json!({ "touser": ["oA", "oB"], "mpnews": { "media_id": second }, "msgtype": "mpnews" });
    refused(&desk.post("message/mass/send", to_some).await, 48001);
}

#[tokio::test]
async fn a_service_account_reaches_each_follower_four_times_a_month() {
    let desk = Desk::of(service()).await;
    let send = |number: usize, tag: i64| {
        let desk = &desk;
        async move {
            let media_id = desk.draft(&format!("第{number}条"), &format!("<p>{number}</p>")).await;
            desk.post(
                "message/mass/sendall",
                json!({
                    "filter": { "is_to_all": false, "tag_id": tag },
                    "mpnews": { "media_id": media_id },
                    "msgtype": "mpnews",
                }),
            )
            .await
        }
    };
    for number in 0..4 {
        assert_eq!(send(number, 102).await["errcode"], 0);
    }
    refused(&send(4, 102).await, 45028);
    assert_eq!(send(5, 101).await["errcode"], 0, "somebody else is left");
    let books = desk.books();
    let last = books.account(&desk.app_id).unwrap().mass_sends.last().unwrap().clone();
    assert_eq!(last.recipients, 1, "who had four gets no fifth");
    assert_eq!(send(6, 999).await["errcode"], 40050);
}

#[tokio::test]
async fn what_is_no_mass_send_is_refused_by_its_code() {
    let desk = Desk::of(service()).await;
    let media_id = desk.draft("标题", "<p>正文</p>").await;
    let changed = |field: &str, value: Value| {
        let mut body = to_all(&media_id, "");
        body[field] = value;
        body
    };
    let users = |users: Value| json!({ "touser": users, "mpnews": { "media_id": media_id }, "msgtype": "mpnews" });
    for (path, body, code) in [
        ("sendall", to_all("unknown", ""), 40007),
        ("sendall", changed("clientmsgid", "a".repeat(33).into()), 45067),
        ("sendall", changed("msgtype", "text".into()), 40008),
        ("sendall", changed("send_ignore_reprint", 2.into()), 40097),
        ("sendall", changed("filter", json!({ "is_to_all": false })), 40050),
        ("send", users(json!(["oAnna"])), 40130),
        ("send", users(json!(["oAnna", "oNobody"])), 40003),
        ("send", users(Value::Null), 40031),
        ("get", json!({ "msg_id": 1 }), 40059),
        ("delete", json!({ "msg_id": 1 }), 40059),
        ("speed/set", json!({ "speed": 5 }), 45083),
        ("speed/set", json!({}), 45084),
        (
            "preview",
            json!({ "towxname": "x", "mpnews": { "media_id": media_id }, "msgtype": "mpnews" }),
            40132,
        ),
        (
            "preview",
            json!({ "touser": "oNobody", "mpnews": { "media_id": media_id }, "msgtype": "mpnews" }),
            40003,
        ),
    ] {
        let reply = desk.post(&format!("message/mass/{path}"), body).await;
        assert_eq!(reply["errcode"], code, "{path}: {reply}");
    }
    let preview = json!({ "towxname": "lesson_reader", "mpnews": { "media_id": media_id }, "msgtype": "mpnews" });
    assert_eq!(desk.post("message/mass/preview", preview).await["errcode"], 0);
    let books = desk.books();
    assert_eq!(books.account(&desk.app_id).unwrap().drafts.len(), 1, "a preview consumes nothing");
    assert_eq!(books.out().count(), 0);
    assert_eq!(desk.post("message/mass/speed/set", json!({ "speed": 4 })).await["errcode"], 0);
    let speed = desk.post("message/mass/speed/get", json!({})).await;
    assert_eq!(speed, json!({ "speed": 4, "realspeed": 10 }));
}

#[tokio::test]
async fn sixty_requests_a_minute_are_enough() {
    let desk = Desk::of(service()).await;
    let mut codes = Vec::new();
    for _ in 0..61 {
        let reply = desk.post("message/mass/sendall", to_all("unknown", "")).await;
        codes.push(reply["errcode"].as_i64().unwrap());
    }
    assert!(codes[..60].iter().all(|code| *code == 40007), "{codes:?}");
    assert_eq!(codes[60], 45011);
    desk.sandbox.shift_clock(SignedDuration::from_secs(60));
    assert_eq!(desk.post("message/mass/sendall", to_all("unknown", "")).await["errcode"], 40007);
}

#[tokio::test]
async fn what_was_sent_comes_down_by_number_or_by_address() {
    let desk = Desk::of(service()).await;
    let media_id = desk.draft("标题", "<p>正文</p>").await;
    let sent = desk.post("message/mass/sendall", to_all(&media_id, "a")).await;
    let wrong = json!({ "msg_id": sent["msg_id"], "article_idx": 2 });
    refused(&desk.post("message/mass/delete", wrong).await, 40060);
    let books = desk.books();
    let page = &books.account(&desk.app_id).unwrap().mass_sends[0].articles[0].page;
    let url = format!("{}wechat/s/{page}", desk.sandbox.url());
    assert_eq!(desk.post("message/mass/delete", json!({ "url": url })).await["errcode"], 0);
    let get = desk.post("message/mass/get", json!({ "msg_id": sent["msg_id"] })).await;
    assert_eq!(get["msg_status"], "DELETE");
    let unverified = Desk::of(Profile { verified: false, ..Profile::default() }).await;
    refused(&unverified.post("message/mass/sendall", to_all("x", "")).await, 48001);
}
