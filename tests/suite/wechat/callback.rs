//! Callbacks: who may speak, and what was said.

use super::account::{APP_ID, moment};
use aes::cipher::{BlockEncryptMut as _, KeyIvInit as _, block_padding::NoPadding};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use caishi::deliver::{
    Confirmation, HookReply, HookRequest,
    wechat::{
        callback::Callback,
        config::{AccountKind, SendMethod},
        crypto::{self, CryptoError, EncodingKey},
    },
};
use jiff::Timestamp;
use secrecy::SecretString;
use std::time::Duration;

/// Of the platform's own examples; its last character has bits that belong to no byte.
const KEY: &str = "kWxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1aR";

fn key(text: &str) -> Option<EncodingKey> {
    EncodingKey::parse(&SecretString::from(text))
}

#[test]
fn the_platforms_own_signatures() {
    let table = [
        (["AAAAA", "1714036504", "1514711492"], "f464b24fc39322e44b38aa78f5edd27bd1441696"),
        (["AAAAA", "1714037059", "486452656"], "899cf89e464efb63f54ddac96b0a0a235f53aa78"),
    ];
    for (parts, signature) in table {
        assert!(crypto::is_signed(signature, &parts));
        assert!(!crypto::is_signed(&signature.to_uppercase(), &parts));
        assert!(!crypto::is_signed("", &parts));
        assert!(!crypto::is_signed(signature, &["AAAAB", parts[1], parts[2]]));
    }
    let echo =
        "4ByGGj+sVCYcvGeQYhaKIk1o0pQRNbRjxybjTGblXrBaXlTXeOo1+bXFXDQQb1o6co6Yh9Bv41n7hOchLF6p+Q==";
    let parts = ["123456", "1411443780", "437374425", echo];
    assert!(crypto::is_signed("dd6b9c95b495b3f7e2901bfbc76c664930ffdb96", &parts));
}

#[test]
fn the_platforms_own_ciphertexts() {
    let key = key(KEY).unwrap();
    let sealed = "9s4gMv99m88kKTh/H8IdkNiFGeG9pd7vNWl50fGRWXY=";
    assert_eq!(key.decrypt(sealed, "rust"), Ok("test".to_owned()));
    assert_eq!(key.decrypt(sealed, "rusty"), Err(CryptoError::OtherAccount));
    assert_eq!(key.decrypt("AAAA", "rust"), Err(CryptoError::Ciphertext));
    assert_eq!(key.decrypt("不", "rust"), Err(CryptoError::Ciphertext));
    let echo =
        "4ByGGj+sVCYcvGeQYhaKIk1o0pQRNbRjxybjTGblXrBaXlTXeOo1+bXFXDQQb1o6co6Yh9Bv41n7hOchLF6p+Q==";
    assert!(key.decrypt(echo, "wx49f0ab532d5d035a").is_ok());
}

#[test]
fn keys_with_bits_to_spare_are_keys() {
    assert!(key(KEY).is_some());
    assert!(key("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG").is_some());
    for wrong in ["", &KEY[1..], &format!("{KEY}="), "!WxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1aR"]
    {
        assert!(key(wrong).is_none(), "{wrong}");
    }
}

/// Encrypts as the platform does; written from its description, apart from the code under test.
fn encrypt(message: &str, app_id: &str) -> String {
    use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
    let lenient = GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true);
    let engine = GeneralPurpose::new(&base64::alphabet::STANDARD, lenient);
    let key = engine.decode(format!("{KEY}=")).unwrap();
    let mut plain = b"1234567890123456".to_vec();
    plain.extend((message.len() as u32).to_be_bytes());
    plain.extend(message.as_bytes());
    plain.extend(app_id.as_bytes());
    let padding = 32 - plain.len() % 32;
    plain.extend(vec![padding as u8; padding]);
    let cipher = cbc::Encryptor::<aes::Aes256>::new_from_slices(&key, &key[..16]).unwrap();
    STANDARD.encode(cipher.encrypt_padded_vec_mut::<NoPadding>(&plain))
}

const NOW: &str = "2026-09-07T02:00:00Z";

fn receiver(send: SendMethod, encrypted: bool) -> Callback {
    let key = encrypted.then(|| key(KEY).unwrap());
    Callback::new(APP_ID, send, SecretString::from("a-token"), key)
}

fn ask(callback: &Callback, method: &str, query: &str, body: &str) -> HookReply {
    let request =
        HookRequest { method: method.into(), query: query.into(), body: body.as_bytes().to_vec() };
    callback.answer(&request, moment(NOW))
}

fn signed_query(at: Timestamp, extra: &[&str], name: &str) -> String {
    let time = at.as_second().to_string();
    let mut parts = vec!["a-token", time.as_str(), "77"];
    parts.extend(extra);
    format!("timestamp={time}&nonce=77&{name}={}", crypto::signature(&parts))
}

fn tell(callback: &Callback, message: &str, encrypted: bool) -> HookReply {
    if !encrypted {
        return ask(callback, "POST", &signed_query(moment(NOW), &[], "signature"), message);
    }
    let sealed = encrypt(message, APP_ID);
    let query = signed_query(moment(NOW), &[&sealed], "msg_signature");
    let body =
        format!("<xml><ToUserName>gh</ToUserName><Encrypt><![CDATA[{sealed}]]></Encrypt></xml>");
    ask(callback, "POST", &format!("{query}&encrypt_type=aes"), &body)
}

fn event(name: &str, inner: &str) -> String {
    format!(
        "<xml><ToUserName><![CDATA[gh_1]]></ToUserName><FromUserName><![CDATA[o_1]]></FromUserName>\
         <CreateTime>1788746400</CreateTime><MsgType><![CDATA[event]]></MsgType>\
         <Event><![CDATA[{name}]]></Event>{inner}</xml>"
    )
}

const PUBLISHED: &str = "<PublishEventInfo><publish_id>2650177668</publish_id>\
    <publish_status>0</publish_status><article_id><![CDATA[A_1]]></article_id><article_detail>\
    <count>2</count><item><idx>2</idx><article_url><![CDATA[https://mp.weixin.qq.com/s/2]]>\
    </article_url></item><item><idx>1</idx><article_url>https://mp.weixin.qq.com/s?a=1&amp;b=2\
    </article_url></item></article_detail></PublishEventInfo>";

#[test]
fn the_address_check_is_echoed_only_to_the_platform() {
    let callback = receiver(SendMethod::FreePublish, true);
    let query = format!("{}&echostr=8%2B1", signed_query(moment(NOW), &[], "signature"));
    let reply = ask(&callback, "GET", &query, "");
    assert_eq!((reply.status, reply.body.as_str()), (200, "8+1"));
    let reply = ask(&callback, "GET", &query.replace("nonce=77", "nonce=78"), "");
    assert_eq!(reply.status, 403);
    assert!(!reply.body.contains("8+1"));
    for (late, status) in [(600, 200), (601, 403), (-600, 200), (-601, 403)] {
        let at = moment(NOW) - jiff::SignedDuration::from_secs(late);
        let query = format!("{}&echostr=1", signed_query(at, &[], "signature"));
        assert_eq!(ask(&callback, "GET", &query, "").status, status, "{late} s old");
    }
    for rubbish in ["", "timestamp=abc", "timestamp=99999999999999999999&nonce=1&signature=1"] {
        assert_eq!(ask(&callback, "GET", rubbish, "").status, 403, "{rubbish}");
    }
    assert_eq!(ask(&callback, "PUT", &query, "").status, 400);
}

#[test]
fn all_three_names_tell_how_a_publication_ended() {
    for encrypted in [false, true] {
        let callback = receiver(SendMethod::FreePublish, encrypted);
        for name in ["PUBLISHJOBFINISH", "FREEPUBLISHJOBFINISH", "MASSSENDJOBFINISH"] {
            let reply = tell(&callback, &event(name, PUBLISHED), encrypted);
            assert_eq!((reply.status, reply.body.as_str()), (200, "success"));
            let [told] = reply.events.as_slice() else { panic!("{name}: {:?}", reply.events) };
            assert_eq!(told.remote_ref, "2650177668");
            assert_eq!(told.event_key, format!("o_1/1788746400/{name}/2650177668"));
            let Confirmation::Published(receipt) = &told.confirmation else { panic!("{told:?}") };
            assert_eq!(receipt.url.as_deref(), Some("https://mp.weixin.qq.com/s?a=1&b=2"));
            assert_eq!(receipt.detail, "article_id A_1");
            assert_eq!(receipt.at.as_second(), 1_788_746_400);
            // The same callback again has the same key, for the ledger to drop.
            let again = tell(&callback, &event(name, PUBLISHED), encrypted);
            assert_eq!(again.events[0].event_key, told.event_key);
        }
    }
}

#[test]
fn what_ends_otherwise_is_a_failure_or_a_question() {
    let callback = receiver(SendMethod::FreePublish, false);
    let refused = "<PublishEventInfo><publish_id>7</publish_id><publish_status>4</publish_status>\
                   <fail_idx>2</fail_idx></PublishEventInfo>";
    let reply = tell(&callback, &event("PUBLISHJOBFINISH", refused), false);
    let Confirmation::Failed { code, reason } = &reply.events[0].confirmation else { panic!() };
    assert_eq!(code, "publish_status 4");
    assert!(reason.starts_with("第 2 篇：平台审核没有通过"), "{reason}");
    let asks = [
        // Out, but under what name is not said: without it there is no recall.
        (
            "PUBLISHJOBFINISH",
            "<PublishEventInfo><publish_id>7</publish_id><publish_status>0</publish_status></PublishEventInfo>",
        ),
        // What several accounts get instead.
        ("MASSSENDJOBFINISH", "<MsgID>7</MsgID><Status>send success</Status>"),
    ];
    for (name, inner) in asks {
        let reply = tell(&callback, &event(name, inner), false);
        assert_eq!(reply.events[0].remote_ref, "7", "{name}");
        assert_eq!(reply.events[0].confirmation, Confirmation::Pending(Duration::ZERO), "{name}");
    }
}

#[test]
fn mass_sends_end_well_or_with_a_reason() {
    let send = SendMethod::Mass { tag_id: None, account: AccountKind::Service };
    let callback = receiver(send, true);
    let told = |status: &str, inner: &str| {
        let inner =
            format!("<MsgID>3147483650</MsgID><Status><![CDATA[{status}]]></Status>{inner}");
        tell(&callback, &event("MASSSENDJOBFINISH", &inner), true).events.remove(0)
    };
    let address = "<ArticleUrlResult><Count>1</Count><ResultList><item><ArticleIdx>1</ArticleIdx>\
                   <ArticleUrl><![CDATA[https://mp.weixin.qq.com/s/1]]></ArticleUrl></item>\
                   </ResultList></ArticleUrlResult>";
    for (inner, url) in [(address, Some("https://mp.weixin.qq.com/s/1")), ("", None)] {
        for status in ["send success", "sendsuccess"] {
            let event = told(status, inner);
            assert_eq!(event.remote_ref, "3147483650");
            let Confirmation::Published(receipt) = event.confirmation else { panic!("{status}") };
            assert_eq!(receipt.url.as_deref(), url);
        }
    }
    for (status, reason) in
        [("err(20004)", "涉嫌社会"), ("send fail", "群发失败"), ("err(20431)", "20431")]
    {
        let Confirmation::Failed { code, reason: found } = told(status, "").confirmation else {
            panic!("{status}")
        };
        assert_eq!(code, status);
        assert!(found.contains(reason), "{found}");
    }
}

#[test]
fn nobody_else_is_believed() {
    let callback = receiver(SendMethod::FreePublish, true);
    let plain = event("PUBLISHJOBFINISH", PUBLISHED);
    let signed = signed_query(moment(NOW), &[], "signature");
    let sealed = encrypt(&plain, APP_ID);
    let wrap = |sealed: &str| format!("<xml><Encrypt>{sealed}</Encrypt></xml>");
    let query = |sealed: &str| signed_query(moment(NOW), &[sealed], "msg_signature");
    let other = encrypt(&plain, "wxffffffffffffffff");
    let hours_old = moment(NOW) - jiff::SignedDuration::from_hours(3);
    let entity = "<!DOCTYPE x [<!ENTITY a \"aaaa\">]><xml><Encrypt>&a;</Encrypt></xml>";
    let table: [(&str, String, String, u16); 8] = [
        ("unencrypted, though there is a key", signed.clone(), plain.clone(), 403),
        ("another body under the same signature", query(&sealed), wrap(&other), 403),
        ("meant for another account", query(&other), wrap(&other), 403),
        ("unsigned", "timestamp=1788746400&nonce=77".into(), wrap(&sealed), 403),
        ("recorded", signed_query(hours_old, &[&sealed], "msg_signature"), wrap(&sealed), 403),
        ("no XML", query(&sealed), "{}".into(), 400),
        ("a document type", query("aaaa"), entity.into(), 400),
        ("deep", query("a"), "<a>".repeat(50) + &"</a>".repeat(50), 400),
    ];
    for (what, query, body, status) in table {
        let reply = ask(&callback, "POST", &query, &body);
        assert_eq!((reply.status, reply.events.len()), (status, 0), "{what}");
        assert!(!reply.body.contains("a-token"), "{what}");
    }
    let big = HookRequest { method: "POST".into(), query: signed, body: vec![b' '; 300 << 10] };
    assert_eq!(callback.answer(&big, moment(NOW)).status, 400);
}

#[test]
fn other_messages_are_answered_and_tell_nothing() {
    let callback = receiver(SendMethod::FreePublish, false);
    let messages = [
        event("subscribe", ""),
        event("PUBLISHJOBFINISH", ""),
        "<xml><MsgType>text</MsgType><Content>你好</Content></xml>".to_owned(),
    ];
    for message in messages {
        let reply = tell(&callback, &message, false);
        assert_eq!((reply.status, reply.events.len()), (200, 0), "{message}");
    }
}
