//! The screens' server without a browser: who may ask, what is given out, what is believed.

use super::{
    house::{House, Serving},
    pictures::poster,
};
use caishi::branch::screen::{Faces, ScreenError, ScreenSource, serve};
use caishi::render::fonts::EMBEDDED;
use futures_util::StreamExt as _;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use std::{net::Ipv4Addr, sync::Arc, time::Duration};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

const HOUR: Duration = Duration::from_hours(1);

fn client() -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy().build().unwrap()
}

fn house() -> (Arc<House>, Serving) {
    let house = House::new(&[("s1", 320, 480), ("大厅<竖屏>", 1080, 1920)]);
    let serving = tokio::task::block_in_place(|| Serving::start(&house));
    (house, serving)
}

async fn status(request: reqwest::RequestBuilder) -> StatusCode {
    request.send().await.unwrap().status()
}

#[tokio::test(flavor = "multi_thread")]
async fn only_loopback_names_are_answered_and_every_answer_is_locked_down() {
    let (_house, serving) = house();
    let client = client();
    let named = |host: &str| client.get(serving.url("/screen/s1")).header("host", host.to_owned());
    for host in ["127.0.0.1", "localhost:8080", "[::1]:1"] {
        assert_eq!(status(named(host)).await, StatusCode::OK, "{host}");
    }
    for host in
        ["evil.example", "127.0.0.1.evil.example", "10.0.0.1", "localhost.:80", "a:b@localhost"]
    {
        assert_eq!(status(named(host)).await, StatusCode::FORBIDDEN, "{host}");
    }
    for path in
        ["/", "/screen/s1", "/playlist?screen=s1", "/page/player.js", "/worker.js", "/nothing"]
    {
        let answer = client.get(serving.url(path)).send().await.unwrap();
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        assert!(header("content-security-policy").starts_with("default-src 'none'"), "{path}");
        assert!(!header("content-security-policy").contains("unsafe"), "{path}");
        assert_eq!(header("cache-control"), "no-store", "{path}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header("cross-origin-resource-policy"), "same-origin", "{path}");
    }
    assert_eq!(status(client.get(serving.url("/screen/s9"))).await, StatusCode::NOT_FOUND);
    let page = client.get(serving.url("/")).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("大厅&lt;竖屏&gt;"), "names are escaped: {page}");
    assert!(page.contains(&format!("http://127.0.0.1:{}/screen/s1", serving.port)), "{page}");
    assert!(!page.contains("{{"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_that_others_can_reach_is_refused() {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).await.unwrap();
    let [regular, bold] = EMBEDDED;
    let house = House::new(&[]);
    let served = serve(listener, house, Faces { regular, bold }, CancellationToken::new()).await;
    assert!(matches!(served, Err(ScreenError::NotLoopback(_))), "{served:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_whole_posters_that_play_now_are_given_out() {
    let (house, serving) = house();
    let client = client();
    let (playing, rotten, past) = (poster(0, 32, 48), poster(1, 32, 48), poster(2, 32, 48));
    house.play("s1", &[(&past, 10, HOUR)]);
    house.play("s1", &[(&playing, 10, HOUR), (&rotten, 10, HOUR)]);
    house.rot(&rotten);
    let of = |name: &str| client.get(serving.url(&format!("/poster/{name}")));
    let answer = of(&playing.sha256.to_string()).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "image/png");
    assert_eq!(answer.bytes().await.unwrap(), playing.png);
    for name in [rotten.sha256.to_string(), past.sha256.to_string(), "x".into(), "0".repeat(64)] {
        assert_eq!(status(of(&name)).await, StatusCode::NOT_FOUND, "{name}");
    }
}

/// The events of a screen as they come.
async fn next_event(
    stream: &mut (impl futures_util::Stream<Item = reqwest::Result<bytes::Bytes>> + Unpin),
) -> Value {
    let mut text = String::new();
    while !text.ends_with("\n\n") {
        let wait = tokio::time::timeout(Duration::from_secs(15), stream.next());
        text.push_str(std::str::from_utf8(&wait.await.unwrap().unwrap().unwrap()).unwrap());
    }
    let data = text.lines().find_map(|line| line.strip_prefix("data: ")).unwrap();
    assert!(text.contains("event: playlist"), "{text}");
    serde_json::from_str(data).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn events_tell_the_playlist_at_once_when_it_changes_and_as_a_sign_of_life() {
    let (house, serving) = house();
    let poster = poster(0, 32, 48);
    let answer = client().get(serving.url("/events?screen=s1")).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let mut stream = Box::pin(answer.bytes_stream());
    let first = next_event(&mut stream).await;
    assert_eq!(first["items"], json!([]));
    assert_eq!(first["hotline"], "95XXX");
    house.play("s1", &[(&poster, 7, Duration::from_secs(9))]);
    let second = next_event(&mut stream).await;
    assert_eq!(second["items"][0]["sha256"], poster.sha256.to_string());
    assert_eq!(second["items"][0]["dwell_ms"], 7000);
    let remaining = second["items"][0]["remaining_ms"].as_i64().unwrap();
    assert!((8000..=9000).contains(&remaining), "{remaining}");
    // Nobody said anything: its window ended by itself.
    let third = next_event(&mut stream).await;
    let passed = third["now_ms"].as_i64().unwrap() - second["now_ms"].as_i64().unwrap();
    assert_eq!(third["items"], json!([]), "{third}");
    assert!((8_000..=10_500).contains(&passed), "{passed}");
    let fourth = next_event(&mut stream).await;
    let passed = fourth["now_ms"].as_i64().unwrap() - third["now_ms"].as_i64().unwrap();
    assert!((9_500..=11_500).contains(&passed), "a sign of life after ten seconds: {passed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_are_taken_from_the_page_once_and_only_for_what_it_was_given() {
    let (house, serving) = house();
    let client = client();
    let (given, other) = (poster(0, 32, 48), poster(1, 32, 48));
    house.play("s1", &[(&given, 10, HOUR)]);
    client.get(serving.url("/playlist?screen=s1")).send().await.unwrap();
    let now = house.now().as_millisecond();
    let report = |number: u64, sha256: &str, from: i64, until: i64| {
        json!({ "screen": "s1", "page": "p", "number": number, "standing": null, "spans": [
            { "sha256": sha256, "from_ms": from, "until_ms": until, "count": 1, "shown_ms": until.saturating_sub(from).max(0) },
        ] })
    };
    let own = format!("http://127.0.0.1:{}", serving.port);
    let post = |origin: &str, body: &Value| {
        let request = client.post(serving.url("/displayed")).json(body);
        if origin.is_empty() { request } else { request.header("origin", origin.to_owned()) }
    };
    let (right, wrong) = (given.sha256.to_string(), other.sha256.to_string());
    let good = report(1, &right, now - 4000, now);
    for origin in ["", "null", "http://evil.example", "http://127.0.0.1:1"] {
        assert_eq!(status(post(origin, &good)).await, StatusCode::FORBIDDEN, "{origin}");
    }
    let crossed = post(&own, &good).header("sec-fetch-site", "cross-site");
    assert_eq!(status(crossed).await, StatusCode::FORBIDDEN);
    let simple = client.post(serving.url("/displayed")).header("origin", &own);
    let simple = simple.header("content-type", "text/plain").body(good.to_string());
    assert_eq!(status(simple).await, StatusCode::FORBIDDEN);
    assert_eq!(house.displayed(), Vec::new());

    assert_eq!(status(post(&own, &good)).await, StatusCode::NO_CONTENT);
    assert_eq!(status(post(&own, &good)).await, StatusCode::NO_CONTENT, "told again");
    let displayed = house.displayed();
    assert_eq!(displayed.len(), 1, "and taken once: {displayed:?}");
    assert_eq!((displayed[0].sha256, displayed[0].seconds), (given.sha256, 4));

    let screen = json!({ "screen": "s9", "page": "p", "number": 9, "standing": null, "spans": [] });
    let impossible = [
        report(2, &right, now, now - 1),
        report(2, &right, now, now + 60_000),
        report(2, &right, i64::MIN, i64::MAX),
        screen,
    ];
    for body in &impossible {
        assert_eq!(status(post(&own, body)).await, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
    }
    assert_eq!(status(post(&own, &json!({ "screen": "s1" }))).await, StatusCode::BAD_REQUEST);
    // What it was never given is left out, and the rest is taken.
    let mixed = json!({ "screen": "s1", "page": "p", "number": 3, "standing": wrong, "spans": [
        { "sha256": wrong, "from_ms": now - 10, "until_ms": now, "count": 1, "shown_ms": 10 },
        { "sha256": right, "from_ms": now - 2000, "until_ms": now, "count": 1, "shown_ms": 2000 },
    ] });
    assert_eq!(status(post(&own, &mixed)).await, StatusCode::NO_CONTENT);
    let taken: Vec<_> = house.displayed().iter().map(|span| span.sha256).collect();
    assert_eq!(taken, [given.sha256, given.sha256]);
    assert_eq!(house.standing().pop(), Some(("s1".to_owned(), None)));
}
