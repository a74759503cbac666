//! Signing in with a real OpenID Connect provider: node-oidc-provider, on loopback.

use super::{Answer, Browser, CHANNELS, Office};
use crate::servers::{program, skip_unless_required};
use reqwest::Method;
use std::{
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

struct Provider {
    child: Child,
    issuer: String,
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _waited = self.child.wait();
    }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Starts it for a client that comes back to `console`.
async fn provider(console: &str) -> Option<Provider> {
    let home = PathBuf::from(std::env::var("HOME").unwrap_or_default());
    let modules = home.join(".cache/caishi/node/console/node_modules");
    let Some(node) = program("node").filter(|_| modules.join("oidc-provider").is_dir()) else {
        skip_unless_required("oidc", "没有 node 或 oidc-provider（npm ci）");
        return None;
    };
    let port = free_port();
    let issuer = format!("http://127.0.0.1:{port}");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/console/provider.mjs");
    let child = Command::new(node)
        .arg(script)
        .args([&issuer, &format!("{console}/console/oidc/callback")])
        .env("CAISHI_NODE_MODULES", &modules)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let provider = Provider { child, issuer };
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    for _ in 0..200 {
        let address = format!("{}/.well-known/openid-configuration", provider.issuer);
        if client.get(address).send().await.is_ok_and(|answer| answer.status().is_success()) {
            return Some(provider);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the provider does not answer");
}

/// Follows redirects between the provider and us, as a browser would, until somebody shows a page.
/// The provider's own pages are its development forms: a name, and a consent.
async fn walk(browser: &Browser, provider: &Browser, mut path: String, name: &str) -> Answer {
    for _ in 0..20 {
        let ours = path.starts_with(&browser.url) || path.starts_with("/console");
        let side = if ours { browser } else { provider };
        let short = path.strip_prefix(&side.url).unwrap_or(&path).to_owned();
        let answer = side.get(&short).await;
        if answer.status.is_redirection() {
            path = answer.location().to_owned();
            continue;
        }
        if ours {
            return answer;
        }
        let form = answer.text.split_once("action=\"").and_then(|(_, rest)| rest.split_once('"'));
        let action =
            form.map_or_else(|| panic!("{}", answer.text), |(action, _)| action.to_owned());
        let action = action.strip_prefix(&provider.url).unwrap_or(&action).to_owned();
        let prompt = if answer.text.contains("value=\"login\"") { "login" } else { "consent" };
        let fields = [("prompt", prompt), ("login", name), ("password", "anything")];
        let answer = provider.send(Method::POST, &action, &[], Some(&fields)).await;
        path = answer.location().to_owned();
    }
    panic!("no end of redirects");
}

async fn office(port: u16, issuer: &str) -> Office {
    let channels = format!(
        "{CHANNELS}\n[console]\nurl = \"http://127.0.0.1:{port}\"\n[console.oidc]\nname = \"行内统一认证\"\n\
         issuer = \"{issuer}\"\nclient_id = \"caishi\"\nclient_secret = {{ command = [\"printf\", \"a secret of the client\"] }}\n"
    );
    Office::at(&channels, port).await
}

#[tokio::test(flavor = "multi_thread")]
async fn people_sign_in_with_the_banks_own_provider() {
    let port = free_port();
    let Some(provider) = provider(&format!("http://127.0.0.1:{port}")).await else { return };
    let office = office(port, &provider.issuer).await;
    let browser = office.stranger();
    assert!(browser.get("/console/sign-in").await.text.contains("行内统一认证"));
    let theirs = Browser { url: provider.issuer.clone(), ..office.stranger() };
    let start = "/console/oidc/start?back=%2Fconsole%2Faudit".to_owned();
    let page = walk(&browser, &theirs, start, "auditor").await;
    assert_eq!(page.status, 200, "{}", page.text);
    assert!(page.text.contains("审计岗戊") && page.text.contains("网点代号"), "{}", page.text);

    // Somebody whom the provider knows and we do not.
    let theirs = Browser { url: provider.issuer.clone(), ..office.stranger() };
    let page = walk(&office.stranger(), &theirs, "/console/oidc/start".into(), "mallory").await;
    assert_eq!(page.status, 403);
    assert!(page.text.contains("还不是这里的人"), "{}", page.text);

    // An answer that belongs to another browser, or to none.
    for path in
        ["/console/oidc/callback?code=x&state=y", "/console/oidc/callback?error=access_denied"]
    {
        let stranger = office.stranger();
        assert_eq!(stranger.get(path).await.status, 403);
        stranger.get("/console/oidc/start").await;
        assert_eq!(stranger.get(path).await.status, 403);
    }
    drop(provider);
    let answer = office.stranger().get("/console/oidc/start").await;
    assert_eq!(answer.status, 502, "{}", answer.text);
    assert!(answer.text.contains("认证服务"));
}
