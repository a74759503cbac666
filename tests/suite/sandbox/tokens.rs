//! Tokens: two lines that know nothing of each other, and what ends one.

use super::{APP, Desk, client, refused};
use caishi::sandbox::{Profile, Sandbox, SandboxError, SandboxOptions};
use jiff::SignedDuration;
use serde_json::{Value, json};

fn text(reply: &Value) -> String {
    reply["access_token"].as_str().unwrap_or_else(|| panic!("{reply}")).to_owned()
}

async fn good(desk: &Desk, token: &str) -> i64 {
    desk.get_with("draft/count", token).await["errcode"].as_i64().unwrap_or(0)
}

#[tokio::test]
async fn a_plain_token_replaces_the_one_before_after_five_minutes() {
    let desk = Desk::open().await;
    let (first, second) = (text(&desk.plain_token().await), text(&desk.plain_token().await));
    assert_ne!(first, second, "each fetch makes a new one");
    assert_eq!(first.len(), 512, "clients must keep room for 512 characters");
    assert_eq!((good(&desk, &first).await, good(&desk, &second).await), (0, 0));
    let third = text(&desk.plain_token().await);
    assert_eq!(good(&desk, &first).await, 40001, "two refreshes kill a leaked token at once");
    assert_eq!(good(&desk, &second).await, 0);
    desk.sandbox.shift_clock(SignedDuration::from_secs(301));
    assert_eq!((good(&desk, &second).await, good(&desk, &third).await), (40001, 0));
    assert_eq!(good(&desk, &desk.token).await, 0, "stable tokens know nothing of all this");
    desk.sandbox.shift_clock(SignedDuration::from_secs(7200));
    assert_eq!(good(&desk, &third).await, 42001, "two hours are over");
    assert_eq!(good(&desk, "1_nonsense").await, 40001);
    refused(&desk.get_with("draft/count", "").await, 41001);
}

#[tokio::test]
async fn a_stable_token_stays_until_it_is_renewed_or_forced() {
    let desk = Desk::open().await;
    let first = desk.token.clone();
    let again = desk.stable_token(false).await;
    assert_eq!(text(&again), first, "repetition gives the same");
    assert_eq!(good(&desk, &text(&desk.plain_token().await)).await, 0);
    assert_eq!(good(&desk, &first).await, 0, "the plain line does not end the stable one");

    // Five minutes before its end the platform renews it, and both are good until then.
    desk.sandbox.shift_clock(SignedDuration::from_secs(7200 - 299));
    let renewed = desk.stable_token(false).await;
    assert_ne!(text(&renewed), first);
    assert_eq!(renewed["expires_in"], 7200);
    assert_eq!((good(&desk, &first).await, good(&desk, &text(&renewed)).await), (0, 0));
    desk.sandbox.shift_clock(SignedDuration::from_secs(301));
    let later = desk.stable_token(false).await;
    assert_eq!(text(&later), text(&renewed));
    let left = later["expires_in"].as_i64().unwrap();
    assert!((6000..=7200 - 301).contains(&left), "it tells what is left: {left}");
    assert_ne!(good(&desk, &first).await, 0);

    // Forcing: at most every thirty seconds, twenty times a day.
    let forced = desk.stable_token(true).await;
    assert_ne!(text(&forced), text(&renewed));
    refused(&desk.stable_token(true).await, 45011);
    for _ in 1..20 {
        desk.sandbox.shift_clock(SignedDuration::from_secs(31));
        text(&desk.stable_token(true).await);
    }
    desk.sandbox.shift_clock(SignedDuration::from_secs(31));
    refused(&desk.stable_token(true).await, 45009);
    let issued = desk.books().tokens;
    assert_eq!(issued.iter().filter(|token| token.forced).count(), 20);
    assert_eq!(issued.iter().filter(|token| token.line == "token").count(), 1);
}

#[tokio::test]
async fn who_asks_for_a_token_must_prove_it() {
    let desk = Desk::open().await;
    let secret = format!("sandbox-{APP}");
    let grant = "client_credential";
    for (grant, app_id, secret, code) in [
        ("", APP, secret.as_str(), 40002),
        ("password", APP, secret.as_str(), 40002),
        (grant, "", secret.as_str(), 41002),
        (grant, "wx0123", secret.as_str(), 40013),
        (grant, "wx0123456789ABCDEF", secret.as_str(), 40013),
        (grant, APP, "", 41004),
        (grant, APP, "sandbox-wxffffffffffffffff", 40125),
    ] {
        let query = [("grant_type", grant), ("appid", app_id), ("secret", secret)];
        let plain = desk.client.get(desk.url("token")).query(&query).send().await.unwrap();
        refused(&plain.json().await.unwrap(), code);
        let body = json!({ "grant_type": grant, "appid": app_id, "secret": secret }).to_string();
        let stable = desk.client.post(desk.url("stable_token")).body(body).send().await.unwrap();
        refused(&stable.json().await.unwrap(), code);
    }
    let posted = desk.client.post(desk.url("token")).send().await.unwrap();
    refused(&posted.json().await.unwrap(), 43001);
    let got = desk.client.get(desk.url("stable_token")).send().await.unwrap();
    refused(&got.json().await.unwrap(), 43002);
}

#[tokio::test]
async fn an_address_outside_the_whitelist_is_named() {
    let sandbox = Sandbox::start(SandboxOptions::default()).await.unwrap();
    let listed = |list: &[&str]| Profile {
        ip_whitelist: Some(list.iter().map(|entry| (*entry).to_owned()).collect()),
        ..Profile::default()
    };
    let desk = Desk { sandbox, client: client(), app_id: APP.to_owned(), token: String::new() };
    desk.sandbox.set_profile(APP, listed(&["203.0.113.7"])).unwrap();
    for reply in [desk.stable_token(false).await, desk.plain_token().await] {
        refused(&reply, 40164);
        let message = reply["errmsg"].as_str().unwrap();
        assert!(
            message.starts_with("invalid ip 127.0.0.1 ipv6 ::ffff:127.0.0.1, not in whitelist")
        );
    }
    desk.sandbox.set_profile(APP, listed(&["203.0.113.7", "127.0.0.0/8"])).unwrap();
    text(&desk.stable_token(false).await);
}

#[tokio::test]
async fn two_thousand_tokens_a_day_are_enough() {
    let desk = Desk::open().await;
    for _ in 0..2000 {
        text(&desk.plain_token().await);
    }
    refused(&desk.plain_token().await, 45009);
    desk.sandbox.shift_clock(SignedDuration::from_hours(24));
    text(&desk.plain_token().await);
}

#[tokio::test]
async fn it_listens_on_this_machine_only() {
    let listen = "0.0.0.0:0".parse().unwrap();
    let started = Sandbox::start(SandboxOptions { listen, ..SandboxOptions::default() }).await;
    assert!(matches!(started, Err(SandboxError::NotLoopback(_))));
}
