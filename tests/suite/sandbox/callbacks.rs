//! Callbacks: signed, encrypted, repeated until answered, and whatever faults make of them.

use super::{Desk, refused};
use aes::Aes256;
use axum::{
    Router,
    extract::{Query, State},
    http::StatusCode,
    routing::get,
};
use base64::{
    Engine as _, alphabet,
    engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD},
};
use caishi::sandbox::{MessageMode, Registration};
use cbc::cipher::{BlockDecryptMut as _, KeyIvInit as _, block_padding::NoPadding};
use serde_json::json;
use sha1::{Digest as _, Sha1};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

const TOKEN: &str = "canary-callback-token";
/// Its last character has bits that lie behind the key's end.
const AES_KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFH";

/// Somebody who is called back, and what they heard.
struct Ear {
    url: url::Url,
    heard: Arc<Mutex<Heard>>,
}

#[derive(Default)]
struct Heard {
    messages: Vec<(HashMap<String, String>, String)>,
    /// How many messages are answered with 500 first.
    deaf: usize,
}

fn signature(parts: &[&str]) -> String {
    let mut parts = parts.to_vec();
    parts.sort_unstable();
    Sha1::digest(parts.concat()).iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Ear {
    async fn open() -> Self {
        let heard = Arc::new(Mutex::new(Heard::default()));
        let router = Router::new()
            .route(
                "/hooks/wechat",
                get(|Query(query): Query<HashMap<String, String>>| async move {
                    let own = signature(&[TOKEN, &query["timestamp"], &query["nonce"]]);
                    if own == query["signature"] {
                        query["echostr"].clone()
                    } else {
                        "no".to_owned()
                    }
                })
                .post(
                    |State(heard): State<Arc<Mutex<Heard>>>,
                     Query(query): Query<HashMap<String, String>>,
                     body: String| async move {
                        let mut heard = heard.lock().unwrap();
                        if heard.deaf > 0 {
                            heard.deaf -= 1;
                            return StatusCode::INTERNAL_SERVER_ERROR;
                        }
                        heard.messages.push((query, body));
                        StatusCode::OK
                    },
                ),
            )
            .with_state(Arc::clone(&heard));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hooks/wechat", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url: url.parse().unwrap(), heard }
    }

    fn registration(&self, mode: MessageMode) -> Registration {
        Registration { url: self.url.clone(), token: TOKEN.into(), aes_key: AES_KEY.into(), mode }
    }

    fn messages(&self) -> Vec<(HashMap<String, String>, String)> {
        self.heard.lock().unwrap().messages.clone()
    }
}

/// Decrypts as the documents say, written apart from the stand-in's own encryption.
fn decrypt(encrypted: &str) -> (String, String) {
    let lenient = GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true);
    let engine = GeneralPurpose::new(&alphabet::STANDARD, lenient);
    let key: [u8; 32] = engine.decode(format!("{AES_KEY}=")).unwrap().try_into().unwrap();
    let iv: [u8; 16] = key[..16].try_into().unwrap();
    let bytes = STANDARD.decode(encrypted).unwrap();
    assert_eq!(bytes.len() % 32, 0, "padded to 32 bytes");
    let cipher = cbc::Decryptor::<Aes256>::new(&key.into(), &iv.into());
    let plain = cipher.decrypt_padded_vec_mut::<NoPadding>(&bytes).unwrap();
    let padding = usize::from(*plain.last().unwrap());
    assert!((1..=32).contains(&padding));
    let plain = &plain[16..plain.len() - padding];
    let length = u32::from_be_bytes(plain[..4].try_into().unwrap()) as usize;
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&plain[4..4 + length]), text(&plain[4 + length..]))
}

fn element<'a>(xml: &'a str, name: &str) -> &'a str {
    let inner = xml.split(&format!("<{name}>")).nth(1).unwrap_or_else(|| panic!("{name} in {xml}"));
    let inner = inner.split(&format!("</{name}>")).next().unwrap();
    inner.trim_start_matches("<![CDATA[").trim_end_matches("]]>")
}

#[tokio::test]
async fn a_secure_callback_is_signed_and_only_the_key_opens_it() {
    let (desk, ear) = (Desk::open().await, Ear::open().await);
    desk.sandbox.register(&desk.app_id, ear.registration(MessageMode::Secure)).await.unwrap();
    let publish_id = desk.publish(&desk.draft("标题", "<p>正文</p>").await).await;
    desk.until("called back", |books| !books.callbacks.is_empty()).await;
    let (query, body) = ear.messages().remove(0);
    let (timestamp, nonce) = (&query["timestamp"], &query["nonce"]);
    assert_eq!(query["signature"], signature(&[TOKEN, timestamp, nonce]));
    let encrypted = element(&body, "Encrypt");
    assert_eq!(query["msg_signature"], signature(&[TOKEN, timestamp, nonce, encrypted]));
    assert_eq!(query["encrypt_type"], "aes");
    assert!(!body.contains("PUBLISHJOBFINISH"), "nothing is said in the open");
    let (xml, app_id) = decrypt(encrypted);
    assert_eq!(app_id, desk.app_id);
    assert_eq!(element(&xml, "Event"), "PUBLISHJOBFINISH");
    assert_eq!(element(&xml, "publish_id"), publish_id.to_string());
    assert_eq!(element(&xml, "publish_status"), "0");
    let get = desk.published(publish_id).await;
    assert_eq!(element(&xml, "article_id"), get["article_id"].as_str().unwrap());
    assert_eq!(
        element(&xml, "article_url"),
        get["article_detail"]["item"][0]["article_url"].as_str().unwrap()
    );
}

#[tokio::test]
async fn a_plain_callback_tells_how_a_mass_send_went() {
    let (desk, ear) = (Desk::open().await, Ear::open().await);
    desk.sandbox.register(&desk.app_id, ear.registration(MessageMode::Plain)).await.unwrap();
    let media_id = desk.draft("【审核不通过】", "<p>正文</p>").await;
    let body = json!({ "filter": { "is_to_all": true }, "mpnews": { "media_id": media_id }, "msgtype": "mpnews" });
    let sent = desk.post("message/mass/sendall", body).await;
    desk.until("called back", |books| !books.callbacks.is_empty()).await;
    let (_, xml) = ear.messages().remove(0);
    assert_eq!(element(&xml, "Event"), "MASSSENDJOBFINISH");
    assert_eq!(element(&xml, "MsgID"), sent["msg_id"].to_string());
    assert_eq!(element(&xml, "Status"), "err(20004)");
    assert_eq!(element(&xml, "SentCount"), "0");
}

#[tokio::test]
async fn a_compatible_callback_says_it_twice() {
    let (desk, ear) = (Desk::open().await, Ear::open().await);
    desk.sandbox.register(&desk.app_id, ear.registration(MessageMode::Compatible)).await.unwrap();
    desk.publish(&desk.draft("标题", "<p>正文</p>").await).await;
    desk.until("called back", |books| !books.callbacks.is_empty()).await;
    let (_, body) = ear.messages().remove(0);
    let (xml, _) = decrypt(element(&body, "Encrypt"));
    assert_eq!(element(&body, "publish_id"), element(&xml, "publish_id"));
}

#[tokio::test]
async fn an_unanswered_callback_comes_again_the_same() {
    let (desk, ear) = (Desk::open().await, Ear::open().await);
    desk.sandbox.register(&desk.app_id, ear.registration(MessageMode::Plain)).await.unwrap();
    ear.heard.lock().unwrap().deaf = 2;
    desk.publish(&desk.draft("标题", "<p>正文</p>").await).await;
    let books = desk.until("answered at last", |books| books.callbacks.len() == 3).await;
    let outcomes: Vec<_> = books.callbacks.iter().map(|call| call.outcome.as_str()).collect();
    assert_eq!(outcomes, ["HTTP 500", "HTTP 500", "HTTP 200"]);
    ear.heard.lock().unwrap().deaf = 9;
    desk.publish(&desk.draft("标题二", "<p>正文</p>").await).await;
    let books = desk.until("given up", |books| books.callbacks.len() == 7).await;
    assert_eq!(books.callbacks.last().unwrap().attempt, 4, "once, and three times more");
}

#[tokio::test]
async fn callbacks_are_lost_doubled_and_turned_around_on_request() {
    let (desk, ear) = (Desk::open().await, Ear::open().await);
    desk.sandbox.register(&desk.app_id, ear.registration(MessageMode::Plain)).await.unwrap();
    let rules = [
        "callback/PUBLISHJOBFINISH#1=lose-callback",
        "callback/*#2=duplicate-callback",
        "callback/*#3=reorder-callbacks",
    ];
    desk.sandbox.set_faults(rules.iter().map(|rule| rule.parse().unwrap()).collect());
    let mut ids = Vec::new();
    for title in ["一", "二", "三", "四"] {
        let id = desk.publish(&desk.draft(title, "<p>正文</p>").await).await;
        let waits_for = ids.len();
        ids.push(id.to_string());
        if waits_for < 2 {
            desk.until("dealt with", |books| {
                books.callbacks.iter().any(|callback| callback.reference == id)
            })
            .await;
        }
    }
    desk.until("all are heard", |_| ear.messages().len() == 4).await;
    let heard: Vec<String> =
        ear.messages().iter().map(|(_, xml)| element(xml, "publish_id").to_owned()).collect();
    assert_eq!(heard, [&ids[1], &ids[1], &ids[3], &ids[2]].map(Clone::clone));
}

#[tokio::test]
async fn an_address_is_checked_before_it_is_called() {
    let (desk, ear) = (Desk::open().await, Ear::open().await);
    let good = ear.registration(MessageMode::Secure);
    let forged = Registration { token: "another".into(), ..good.clone() };
    let short = Registration { aes_key: "short".into(), ..good.clone() };
    let away = Registration { url: "http://192.0.2.1/hooks".parse().unwrap(), ..good.clone() };
    let silent = Registration { url: desk.sandbox.url().join("nothing").unwrap(), ..good.clone() };
    for (registration, reason) in
        [(forged, "echostr"), (short, "43"), (away, "本机"), (silent, "echostr")]
    {
        let error = desk.sandbox.register(&desk.app_id, registration).await.unwrap_err();
        assert!(error.to_string().contains(reason), "{error}");
    }
    let url = desk.sandbox.url().join("_sandbox/callback").unwrap();
    let body = json!({ "app_id": desk.app_id, "url": ear.url.as_str(), "token": TOKEN, "aes_key": AES_KEY, "mode": "secure" });
    let reply = desk.client.put(url).body(body.to_string()).send().await.unwrap();
    assert_eq!(reply.status().as_u16(), 204);

    // The keys stand neither on the page nor in the books nor in what is printed for debugging.
    desk.publish(&desk.draft("标题", "<p>正文</p>").await).await;
    let books = desk.until("called back", |books| !books.callbacks.is_empty()).await;
    let shown =
        [desk.page("/").await, format!("{books:?} {:?}", desk.sandbox), format!("{good:?}")];
    for text in shown {
        for secret in [TOKEN, AES_KEY, &desk.token] {
            assert!(!text.contains(secret));
        }
    }
    refused(&desk.get_with("draft/count", TOKEN).await, 40001);
}
