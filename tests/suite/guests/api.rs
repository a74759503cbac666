//! The captive-portal API (RFC 8908) over TLS, and openNDS's authentication.

use super::Lobby;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use caishi::{config::TlsConfig, web};
use reqwest::header;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::{path::Path, process::Command};
use tokio_util::sync::CancellationToken;

/// What RFC 8908 asks of an answer, key by key (§4.1, §5); and the registry of keys is closed here.
fn validated(response_type: &str, cache: &str, state: &Value) -> Result<(), String> {
    if response_type != "application/captive+json" {
        return Err(format!("media type {response_type}"));
    }
    if !cache.contains("private") {
        return Err(format!("Cache-Control: {cache}"));
    }
    let object = state.as_object().ok_or("no object")?;
    for (key, value) in object {
        let is_right = match key.as_str() {
            "captive" | "can-extend-session" => value.is_boolean(),
            "user-portal-url" | "venue-info-url" => value.as_str().is_some_and(|url| {
                url::Url::parse(url)
                    .is_ok_and(|url| url.scheme() == "https" && url.host().is_some())
            }),
            "seconds-remaining" | "bytes-remaining" => value.is_u64(),
            _ => false,
        };
        if !is_right {
            return Err(format!("{key}: {value}"));
        }
    }
    if !object.contains_key("captive") {
        return Err("captive is required".into());
    }
    if object["captive"] == true && !object.contains_key("user-portal-url") {
        return Err("a captive phone needs user-portal-url".into());
    }
    Ok(())
}

#[test]
fn the_validator_refuses_what_the_rfc_does() {
    let good = serde_json::json!({"captive": true, "user-portal-url": "https://a.example/p"});
    validated("application/captive+json", "private", &good).unwrap();
    for (kind, cache, state) in [
        ("application/json", "private", good.clone()),
        ("application/captive+json", "no-cache", good),
        ("application/captive+json", "private", serde_json::json!({"captive": "true"})),
        ("application/captive+json", "private", serde_json::json!({"captive": true})),
        (
            "application/captive+json",
            "private",
            serde_json::json!({"captive": false, "seconds-remaining": -1}),
        ),
        (
            "application/captive+json",
            "private",
            serde_json::json!({"captive": true, "user-portal-url": "http://a.example/p"}),
        ),
    ] {
        assert!(validated(kind, cache, &state).is_err(), "{state}");
    }
}

/// A certificate of localhost in a folder, and a listener that uses it.
fn certificate(folder: &Path) -> TlsConfig {
    std::fs::create_dir_all(folder).unwrap();
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
        ])
        .args(["-keyout", "key.pem", "-out", "cert.pem", "-days", "2", "-subj", "/CN=localhost"])
        .args(["-addext", "subjectAltName=DNS:localhost"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    TlsConfig {
        listen: "127.0.0.1:0".parse().unwrap(),
        certificate: "cert.pem".into(),
        key: "key.pem".into(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn phones_ask_over_tls_whether_they_are_captive() {
    let lobby = Lobby::open().await;
    let folder = lobby.town.path("tls");
    let config = certificate(&folder);
    let listener = web::TlsListener::bind(&config, &folder).await.unwrap();
    let address = axum::serve::Listener::local_addr(&listener).unwrap();
    // Somebody who never finishes the handshake keeps nobody waiting.
    let _silent = tokio::net::TcpStream::connect(address).await.unwrap();
    let stop = CancellationToken::new();
    let web::Service { guests, .. } = web::Service::new(lobby.town.publisher.clone());
    let serving = tokio::spawn(web::serve_tls(listener, guests, stop.clone()));
    let root = reqwest::Certificate::from_pem(&std::fs::read(folder.join("cert.pem")).unwrap());
    let client =
        reqwest::Client::builder().no_proxy().tls_certs_only([root.unwrap()]).build().unwrap();
    let base = format!("https://localhost:{}", address.port());
    let ask = async || {
        let response = client.get(format!("{base}/portal/b002/api")).send().await.unwrap();
        let header = |name| response.headers()[name].to_str().unwrap().to_owned();
        let (kind, cache) = (header(header::CONTENT_TYPE), header(header::CACHE_CONTROL));
        let state: Value = response.json().await.unwrap();
        validated(&kind, &cache, &state).unwrap();
        state
    };
    let state = ask().await;
    assert_eq!(state["captive"], true);
    assert_eq!(state["user-portal-url"], "https://edu.shancheng.example/portal/b002");
    assert_eq!(state.get("seconds-remaining"), None, "only where it is known");
    // Coming by without a gateway that let the guest on changes nothing.
    client.get(format!("{base}/portal/b002/welcome")).send().await.unwrap();
    assert_eq!(ask().await["captive"], true);
    let sent = format!("hid={}, gatewayaddress=10.0.0.1:2050", "ab".repeat(32));
    let page = client.get(format!("{base}/portal/b002/fas?fas={}", fas(&sent))).send().await;
    let page = page.unwrap().text().await.unwrap();
    let back = page.split("name=\"redir\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let back = back.replace("https://edu.shancheng.example", &base);
    client.get(back).send().await.unwrap();
    let state = ask().await;
    assert_eq!(state["captive"], false);
    let left = state["seconds-remaining"].as_u64().unwrap();
    assert!((1_790..=1_800).contains(&left), "{left}");
    // Only what is for guests is there.
    let other = client.get(format!("{base}/healthz")).send().await.unwrap();
    assert_eq!(other.status(), 404);
    stop.cancel();
    serving.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let config = TlsConfig {
        listen: "127.0.0.1:0".parse().unwrap(),
        certificate: "absent.pem".into(),
        key: "key.pem".into(),
    };
    let error = web::TlsListener::bind(&config, folder.path()).await.unwrap_err().to_string();
    assert!(error.contains("certificate") && error.contains("absent.pem"), "{error}");
}

fn fas(text: &str) -> String {
    let encoded = STANDARD.encode(text);
    url::form_urlencoded::byte_serialize(encoded.as_bytes()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_form_leads_to_the_gateway_that_sent_the_guest() {
    let lobby = Lobby::open().await;
    let hid = "ab".repeat(32);
    let sent = format!(
        "hid={hid}, clientip=192.168.77.10, clientmac=02:00:00:00:00:01, client_type=cpd_can, \
         gatewayname=x, gatewayaddress=192.168.77.1:2050, originurl=http%3a%2f%2fx, clientif=lan0, \
         (null)(null)"
    );
    let page = lobby.text(&format!("/portal/b002/fas?fas={}", fas(&sent))).await;
    let token = Sha256::digest(format!("{hid}shared"));
    let token: String = token.iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(
        page.contains("<form action=\"http://192.168.77.1:2050/opennds_auth/\" method=\"get\">")
    );
    assert_eq!(page.matches(&format!("name=\"tok\" value=\"{token}\"")).count(), 2);
    let back = "name=\"redir\" value=\"https://edu.shancheng.example/portal/b002/welcome?on=";
    assert!(page.contains(back));
    // Cut off by the gateway's script, in the middle of a group of four.
    let cut = &STANDARD.encode(&sent)[..301];
    let cut: String = url::form_urlencoded::byte_serialize(cut.as_bytes()).collect();
    assert!(lobby.text(&format!("/portal/b002/fas?fas={cut}")).await.contains(&token));
    // Who is on already is not asked again.
    let again = lobby.get("/portal/b002/fas?status=authenticated&tok=x").await;
    assert_eq!(again.headers()[header::LOCATION], "/portal/b002/venue");
}

/// Everything in `fas` came by way of the guest's phone.
#[tokio::test(flavor = "multi_thread")]
async fn the_form_leads_to_no_other_address() {
    let lobby = Lobby::open().await;
    let hid = "ab".repeat(32);
    for gateway in [
        "203.0.113.9:2050",
        "evil.example:80",
        "192.168.1.1:2050@evil.example",
        "192.168.1.1",
        "127.0.0.1:80",
        "192.168.1.1:2050/\"><script>",
        "",
    ] {
        let sent = format!("hid={hid}, gatewayaddress={gateway}");
        let response = lobby.get(&format!("/portal/b002/fas?fas={}", fas(&sent))).await;
        assert_eq!(response.status(), 400, "{gateway}");
        let page = response.text().await.unwrap();
        assert!(page.contains("再连一次") && !page.contains("<form"), "{page}");
    }
    for sent in [
        "",
        "hid=zz, gatewayaddress=10.0.0.1:2050",
        "\u{4e00}",
        "hid=, gatewayaddress=10.0.0.1:2050",
    ] {
        assert_eq!(lobby.get(&format!("/portal/b002/fas?fas={}", fas(sent))).await.status(), 400);
    }
    for raw in ["%E4%B8%80", "%00", "====", "a", &"A".repeat(9_000)] {
        assert_eq!(lobby.get(&format!("/portal/b002/fas?fas={raw}")).await.status(), 400, "{raw}");
    }
    let directory = format!("hid={hid}, gatewayaddress=10.0.0.1:2050, authdir=../x");
    assert_eq!(lobby.get(&format!("/portal/b002/fas?fas={}", fas(&directory))).await.status(), 400);
}
