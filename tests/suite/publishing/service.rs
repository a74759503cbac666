//! What `caishi serve` answers over HTTP.

use super::town::{CHANNELS, Town};
use caishi::{model::DeliveryState, rehearse::hooks, web};
use std::{net::SocketAddr, time::Duration};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

async fn listen_at(router: axum::Router, stop: &CancellationToken) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(web::serve(listener, router, stop.clone()));
    address
}

async fn listen(router: axum::Router, stop: &CancellationToken) -> String {
    format!("http://{}", listen_at(router, stop).await)
}

async fn get(address: &str) -> (u16, String) {
    let answer = reqwest::get(address).await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn health_readiness_hooks_and_metrics() {
    let town = Town::with(CHANNELS).await;
    let stop = CancellationToken::new();
    let base = listen(web::router(town.publisher.clone()), &stop).await;
    let recorder = web::Recorder::install().unwrap();
    let metrics = listen(recorder.router(town.publisher.clone()), &stop).await;

    assert_eq!(get(&format!("{base}/healthz")).await.0, 200);
    assert_eq!(get(&format!("{base}/readyz")).await.0, 200);
    for nobody in ["/hooks/nobody", "/hooks/branches", "/hooks/%2e%2e", "/metrics"] {
        assert_eq!(get(&format!("{base}{nobody}")).await.0, 404, "{nobody}");
    }
    let forged =
        get(&format!("{base}/hooks/wechat?signature=0&timestamp=1&nonce=2&echostr=x")).await;
    assert!((400..500).contains(&forged.0), "{forged:?}");

    let review = town.submit().await;
    town.approve(&review).await;
    town.set_clock("2026-11-30T00:00:05Z").await;
    town.tick().await;
    let (status, text) = get(&format!("{metrics}/metrics")).await;
    assert_eq!(status, 200);
    let ready = "caishi_deliveries{channel=\"wechat\",state=\"ready\"} 1";
    assert!(text.contains(ready), "{text}");
    town.work().await;
    let text = get(&format!("{metrics}/metrics")).await.1;
    assert!(text.contains("caishi_deliveries{channel=\"wechat\",state=\"ready\"} 0"), "{text}");
    assert!(text.contains("caishi_deliveries{channel=\"wechat\",state=\"confirmed\"} 1"), "{text}");
    assert!(text.contains("caishi_alerts 0"), "{text}");

    town.publisher.store.hold("operator", "重大事件").await.unwrap();
    let (status, text) = get(&format!("{base}/readyz")).await;
    assert_eq!(status, 503);
    assert!(text.contains("重大事件"), "{text}");
    assert!(get(&format!("{metrics}/metrics")).await.1.contains("caishi_held 1"));
    stop.cancel();
}

/// What `caishi serve` does for channels with `sandbox = true`: the stand-in is told where to
/// call back, and a delivery is confirmed without waiting for the next question.
#[tokio::test(flavor = "multi_thread")]
async fn the_stand_in_is_told_where_to_call_back() {
    let town = Town::publishing_within(CHANNELS, 0.5).await;
    let stop = CancellationToken::new();
    let address = listen_at(web::router(town.publisher.clone()), &stop).await;
    let (publisher, stand_in) = (town.publisher.clone(), town.sandbox.url());
    let telling = tokio::spawn(hooks::keep_registered(publisher, stand_in, address, stop.clone()));
    let review = town.submit().await;
    town.approve(&review).await;
    town.set_clock("2026-11-30T00:00:05Z").await;
    town.tick().await;
    town.worker("worker").drain().await.unwrap();
    let told = || {
        let callbacks = town.sandbox.books().callbacks;
        callbacks.iter().any(|call| call.outcome == "HTTP 200" && call.event.ends_with("FINISH"))
    };
    for _ in 0..100 {
        if told() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(told(), "{:?}", town.sandbox.books().callbacks);
    // The clock has not been moved: what is due now is due because of the callback.
    town.worker("worker").drain().await.unwrap();
    let deliveries = town.deliveries().await;
    let wechat = deliveries.iter().find(|row| row.channel.as_str() == "wechat").unwrap();
    assert_eq!(wechat.state, DeliveryState::Confirmed, "{wechat:?}");
    stop.cancel();
    telling.await.unwrap();
}

/// Channels that are not on the stand-in are none of its business, and one that is not there is
/// waited for.
#[tokio::test(flavor = "multi_thread")]
async fn only_channels_on_the_stand_in_are_registered() {
    let town = Town::with(CHANNELS).await;
    let address: SocketAddr = "0.0.0.0:8780".parse().unwrap();
    let found = hooks::registrations(&town.publisher, address, |entry| entry.sandbox).unwrap();
    let urls: Vec<&str> = found.values().map(|one| one.url.as_str()).collect();
    assert_eq!(urls, ["http://127.0.0.1:8780/hooks/wechat"]);
    let none = hooks::registrations(&town.publisher, address, |_| false).unwrap();
    assert!(none.is_empty());
    // Nobody there: it goes on trying, and ends when it is told to.
    let nobody = format!("http://127.0.0.1:{}/", crate::servers::free_port()).parse().unwrap();
    let stop = CancellationToken::new();
    let telling =
        tokio::spawn(hooks::keep_registered(town.publisher.clone(), nobody, address, stop.clone()));
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!telling.is_finished());
    stop.cancel();
    telling.await.unwrap();
}
