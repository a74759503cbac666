//! `[console]`: how people use `caishi serve` with a browser, and `[console.oidc]`.

use super::{
    ConsoleConfig, OidcConfig,
    storage::{guest_address, web_address},
    table::{Table, shorten},
};

use ipnet::IpNet;
use std::net::IpAddr;

/// Claims that may name a person (OpenID Connect Core 1.0, §5.1). An address is no name: who owns
/// one at another domain would be taken for somebody here.
const CLAIMS: [&str; 2] = ["preferred_username", "sub"];

pub(super) fn read(root: &Table<'_>) -> ConsoleConfig {
    let mut console = ConsoleConfig {
        url: None,
        idle_minutes: 60,
        session_hours: 12,
        password_length: 12,
        proxies: Vec::new(),
        oidc: None,
    };
    let Some(table) = root.table("console") else { return console };
    console.url = table.parsed("url", guest_address);
    console.idle_minutes = table.number("idle_minutes", 5, 720).unwrap_or(console.idle_minutes);
    console.session_hours = table.number("session_hours", 1, 168).unwrap_or(console.session_hours);
    console.password_length =
        table.number("password_length", 10, 64).unwrap_or(console.password_length);
    let proxies = table.list("proxies", |text| {
        let address = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        let help = "应是地址或网段，例如 10.1.2.3、10.1.2.0/24";
        address.map_err(|_| format!("“{}”{help}", shorten(text)))
    });
    console.proxies = proxies.unwrap_or_default();
    console.oidc = table.table("oidc").and_then(|oidc| read_oidc(&oidc));
    table.finish();
    console
}

fn read_oidc(table: &Table<'_>) -> Option<OidcConfig> {
    let name = table.text("name").filter(|name| !name.is_empty());
    let issuer = table.required_parsed("issuer", "写认证服务的地址，https:// 开头", web_address);
    let client_id = table.required("client_id", "写在认证服务登记的客户端代号");
    let client_secret = table.required_secret("client_secret");
    let claim = table.parsed("claim", |text| {
        if CLAIMS.contains(&text) {
            Ok(text.to_owned())
        } else {
            Err(format!("不能是“{}”；可写 {}", shorten(text), CLAIMS.join("、")))
        }
    });
    table.finish();
    Some(OidcConfig {
        name: name.unwrap_or_else(|| "行内统一认证".to_owned()),
        issuer: issuer?,
        client_id: client_id?,
        client_secret: client_secret?,
        claim: claim.unwrap_or_else(|| CLAIMS[0].to_owned()),
    })
}
