//! `[console]` and `[console.oidc]`: how people use it with a browser.

use super::{BANK, load, refused};

const OIDC: &str = "[console.oidc]\nissuer = \"https://sso.shancheng.example\"\n\
                    client_id = \"caishi\"\nclient_secret = { env = \"X\" }\n";

#[test]
fn nothing_said_is_an_hour_idle_and_twelve_in_all() {
    let console = load(BANK).unwrap().console;
    assert_eq!(
        (console.idle_minutes, console.session_hours, console.password_length),
        (60, 12, 12)
    );
    assert_eq!((console.url, console.oidc, console.proxies), (None, None, Vec::new()));
    let text = format!(
        "{BANK}[console]\nurl = \"https://console.shancheng.example/\"\n\
         proxies = [\"10.1.2.3\", \"10.2.0.0/16\"]\n{OIDC}"
    );
    let console = load(&text).unwrap().console;
    assert_eq!(console.url.as_deref(), Some("https://console.shancheng.example"));
    assert_eq!(console.proxies.len(), 2);
    let oidc = console.oidc.unwrap();
    assert_eq!((oidc.name.as_str(), oidc.claim.as_str()), ("行内统一认证", "preferred_username"));
}

#[test]
fn a_typo_in_the_console_is_named() {
    for (text, expected) in [
        ("[console]\nurl = \"console\"", "[console] url：应为 http:// 或 https:// 开头的网址"),
        ("[console]\nidle_minutes = 0", "[console] idle_minutes"),
        ("[console]\npassword_length = 4", "[console] password_length"),
        ("[console]\nproxies = [\"everywhere\"]", "“everywhere”应是地址或网段"),
        ("[console]\nidle = 3", "没有这个键"),
        ("[console.oidc]\nclient_id = \"x\"", "issuer：没有写"),
        ("[console.oidc]\nissuer = \"http://sso.shancheng.example\"", "不加密"),
        ("[console.oidc]\nclaim = \"phone\"", "不能是“phone”；可写 preferred_username"),
    ] {
        refused(&format!("{BANK}{text}\n"), &[expected]);
    }
}

#[test]
fn somebody_of_a_branch_says_which() {
    let person = "[[people]]\nid = \"b\"\nname = \"大堂经理\"\nroles = [\"branch\"]\n";
    refused(&format!("{BANK}{person}"), &["branch：网点人员要写自己的网点代号"]);
    let config = load(&format!("{BANK}{person}branch = \"b003\"\n")).unwrap();
    assert_eq!(config.people[0].branch.as_ref().map(caishi::model::BranchId::as_str), Some("b003"));
}
