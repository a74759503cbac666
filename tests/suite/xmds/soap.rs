//! The endpoint: who is answered, what is read, what is refused.

use super::office::{KEY, Office, PLAYER, display, entry, office, poster, release};
use axum::body::Bytes;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use caishi::web::{self, xmds};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

const FROM: &str = "2026-11-23T08:00:00+08:00";
const UNTIL: &str = "2026-12-07T08:00:00+08:00";

pub struct Endpoint {
    pub url: String,
    _stop: DropGuard,
}

pub async fn serve(office: &Arc<Office>) -> Endpoint {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let stop = CancellationToken::new();
    tokio::spawn(web::serve(listener, xmds::router(Arc::clone(office) as _), stop.clone()));
    Endpoint { url, _stop: stop.drop_guard() }
}

pub fn standard(card: Option<Bytes>) -> Arc<Office> {
    let poster = poster(7);
    office(vec![release("weekly/1", FROM, vec![entry(&poster, FROM, UNTIL)])], &[poster], card)
}

fn envelope(inner: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:t=\"urn:xmds\"><s:Body>{inner}</s:Body></s:Envelope>"
    )
}

async fn post(url: &str, body: impl Into<reqwest::Body>) -> (u16, String) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = client.post(url).body(body).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

fn call(operation: &str, server: &str, player: &str, rest: &str) -> String {
    envelope(&format!(
        "<t:{operation}><serverKey>{server}</serverKey><hardwareKey>{player}</hardwareKey>{rest}\
         </t:{operation}>"
    ))
}

#[tokio::test]
async fn a_player_without_the_key_or_a_screen_gets_nothing() {
    let office = standard(None);
    let endpoint = serve(&office).await;
    let url = format!("{}/xmds?v=5", endpoint.url);
    for operation in
        ["RequiredFiles", "Schedule", "GetFile", "GetResource", "SubmitStats", "NotifyStatus"]
    {
        for (server, player) in [("other", PLAYER), (KEY, "player-2")] {
            let (status, text) = post(&url, call(operation, server, player, "")).await;
            assert_eq!(status, 500, "{operation}: {text}");
            assert!(text.contains("<faultcode>Sender</faultcode>"), "{text}");
        }
    }
    let (status, text) = post(&url, call("RegisterDisplay", KEY, "player-2", "")).await;
    assert!(status == 200 && text.contains("code=&quot;WAITING&quot;"), "{text}");
    let (status, text) = post(&url, call("RegisterDisplay", "other", PLAYER, "")).await;
    assert!(status == 500 && text.contains("服务器密钥不对"), "{text}");
    assert!(office.news.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_is_not_a_call_is_a_fault_and_entities_are_not_expanded() {
    let office = standard(None);
    let endpoint = serve(&office).await;
    let url = format!("{}/xmds.php?v=5", endpoint.url);
    let deep = "<a>".repeat(40) + &"</a>".repeat(40);
    let bomb = format!(
        "<!DOCTYPE x [<!ENTITY a \"aaaa\">]>{}",
        call("RegisterDisplay", "&a;", PLAYER, "").replace("<?xml version=\"1.0\"?>", "")
    );
    let bad = [
        String::new(),
        "hello".to_owned(),
        "<a/>".to_owned(),
        envelope(""),
        envelope("<t:Schedule>"),
        envelope(&deep),
        bomb,
        call("RegisterDisplay", "&own;", PLAYER, ""),
        call("DropTables", KEY, PLAYER, ""),
        call("SubmitStats", KEY, PLAYER, "<statXml>no</statXml>"),
        call("NotifyStatus", KEY, PLAYER, "<status>[</status>"),
        call("GetFile", KEY, PLAYER, "<fileId>-1</fileId><fileType>media</fileType>"),
        call("GetFile", KEY, PLAYER, "<fileId>1</fileId><fileType>../etc</fileType>"),
        call("GetResource", KEY, PLAYER, "<layoutId>1</layoutId>"),
    ];
    for body in bad {
        let (status, text) = post(&url, body.clone()).await;
        assert_eq!(status, 500, "{body}: {text}");
        assert!(text.contains("<faultcode>Sender</faultcode>"), "{body}: {text}");
    }
    let (status, _) = post(&url, vec![b'a'; 9 << 20]).await;
    assert_eq!(status, 413);
    let (status, text) = post(&url, vec![0xff, 0xfe]).await;
    assert!(status == 500 && text.contains("Fault"), "{text}");
}

#[tokio::test]
async fn pieces_of_a_file_end_where_it_ends() {
    let office = standard(None);
    let endpoint = serve(&office).await;
    let plan = xmds::plan(&[office.index.lock().unwrap().clone()], "s1", super::office::now());
    let id = plan.unwrap().posters[0].media_id;
    let bytes = poster(7);
    for (offset, size) in [(0, 10), (119_990, 50), (200_000, 5), (5, 0)] {
        let rest = format!(
            "<fileId>{id}</fileId><fileType>media</fileType><chunkOffset>{offset}.0</chunkOffset>\
             <chuckSize>{size}</chuckSize>"
        );
        let url = format!("{}/xmds/xmds.php", endpoint.url);
        let (status, text) = post(&url, call("GetFile", KEY, PLAYER, &rest)).await;
        assert_eq!(status, 200, "{text}");
        let piece = text.split("base64Binary\">").nth(1).unwrap().split('<').next().unwrap();
        let (from, until) = (offset.min(bytes.len()), (offset + size).min(bytes.len()));
        assert_eq!(STANDARD.decode(piece).unwrap(), bytes[from..until], "{offset} {size}");
    }
    assert_eq!(display().screen, "s1");
}
