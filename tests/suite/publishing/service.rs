//! What `caishi serve` answers over HTTP.

use super::town::{CHANNELS, Town};
use caishi::web;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

async fn listen(router: axum::Router, stop: &CancellationToken) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(web::serve(listener, router, stop.clone()));
    format!("http://{address}")
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
