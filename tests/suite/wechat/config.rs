//! The channel's table.

use super::account::{APP_ID, checked, context, entry};
use caishi::{
    config::PublishMode,
    deliver::{
        BuildContext, Egress, QuotaWindow,
        wechat::{
            self,
            config::{SendMethod, WechatConfig},
        },
    },
};

#[test]
fn a_short_table_gets_the_careful_defaults() {
    let config = checked("");
    assert_eq!((config.title_limit, config.bundle, config.settle.as_secs()), (32, 8, 600));
    assert_eq!(config.send, SendMethod::FreePublish);
    assert_eq!(config.hosts[0].as_str(), "http://127.0.0.1:1/wechat");
    assert!(!config.need_open_comment && config.send_hours.is_none() && config.proxy.is_none());
}

#[test]
fn the_account_decides_how_often_it_may_send() {
    let table = [
        ("send = 'mass'\nto_all = true", (QuotaWindow::Day, 1)),
        ("send = 'mass'\ntag_id = 100", (QuotaWindow::Day, 1)),
        ("send = 'mass'\nto_all = true\naccount = 'service'", (QuotaWindow::Month, 4)),
        ("send = 'mass'\ntag_id = 100\naccount = 'service'", (QuotaWindow::Day, 100)),
    ];
    for (settings, quota) in table {
        assert_eq!(checked(settings).send.mass_quota(), quota, "{settings}");
    }
}

/// The wrong values of one table, and a piece of the fault that each must get.
const FAULTS: [(&str, &str); 22] = [
    ("app_id = 7", "app_id 是整数，应为文字"),
    ("app_id = 'wx 1'", "app_id 不像一个 AppID"),
    ("secret = 'canary-0123'", "secret 应为 { env"),
    ("secret = { key = 'canary' }", "secret 应为 { env"),
    ("send = 'spam'", "send 是“spam”，应为 freepublish 或 mass"),
    ("send = 'mass'", "to_all 和 tag_id 要写其中一个"),
    ("send = 'mass'\nto_all = true\ntag_id = 1", "to_all 和 tag_id 要写其中一个"),
    ("tag_id = 1", "tag_id 只在 send = \"mass\" 时有用"),
    ("to_all = true", "to_all 只在 send = \"mass\" 时有用"),
    ("account = 'personal'", "account 是“personal”"),
    ("title_limit = 65", "title_limit 是 65，应在 1 到 64 之间"),
    ("title_limit = '32'", "title_limit 是文字，应为 1 到 64 的整数"),
    ("bundle = 9", "bundle 是 9，应在 1 到 8 之间"),
    ("test_readers = 'lin'", "test_readers 应为文字的列表"),
    ("test_readers = ['lin', '']", "test_readers 应为文字的列表"),
    ("need_open_comment = 1", "need_open_comment 是整数，应为 true 或 false"),
    ("only_fans_can_comment = true", "only_fans_can_comment 只有 need_open_comment = true"),
    ("send_hours = '22:00-08:00'", "send_hours 是“22:00-08:00”"),
    ("proxy = 'ftp://10.0.0.5'", "proxy 应为 http://"),
    ("proxy = 'http://user:canary@10.0.0.5:3128'", "proxy 里不能写用户名和密码"),
    ("callback = { aes_key = { env = 'K' }, mode = 'safe' }", "callback 里没有 mode 这一项"),
    ("tittle_limit = 30", "tittle_limit 不是 wechat 渠道的设置"),
];

#[test]
fn every_fault_names_the_channel_and_the_key() {
    for (settings, fault) in FAULTS {
        let faults =
            WechatConfig::read(&entry(settings), &context("http://127.0.0.1:1")).unwrap_err();
        let wanted = format!("[channel.wechat] {fault}");
        assert!(faults.iter().any(|found| found.starts_with(&wanted)), "{settings}: {faults:?}");
        assert!(!format!("{faults:?}").contains("canary"), "a secret is never shown");
    }
}

#[test]
fn all_faults_come_at_once() {
    let settings = "send = 'spam'\ntitle_limit = 0\nbundle = 0\nunknown = 1\nproxy = ''";
    let faults = WechatConfig::read(&entry(settings), &context("http://127.0.0.1:1")).unwrap_err();
    assert_eq!(faults.len(), 5, "{faults:?}");
}

fn live() -> BuildContext {
    BuildContext {
        folder: "/nonexistent".into(),
        egress: Egress::Public { allowed: Vec::new() },
        sandbox: None,
        rehearsal: None,
    }
}

#[test]
fn the_live_platform_needs_a_secret_and_gets_it_from_nowhere_but_a_reference() {
    let mut table = entry("");
    table.sandbox = false;
    let faults = wechat::build(&table, &live()).unwrap_err();
    assert_eq!(faults.len(), 1);
    assert!(faults[0].starts_with("[channel.wechat] secret 没有写"), "{faults:?}");
    let mut table = entry("secret = { env = 'CAISHI_TEST_NO_SUCH_SECRET' }");
    table.sandbox = false;
    let faults = wechat::build(&table, &live()).unwrap_err();
    assert!(faults[0].contains("环境变量 CAISHI_TEST_NO_SUCH_SECRET 没有设置"), "{faults:?}");
}

/// The secret is posted to the host: it must be the platform's.
#[test]
fn only_the_platform_gets_the_secret() {
    let mut table = entry("secret = { env = 'S' }");
    table.sandbox = false;
    let config = WechatConfig::read(&table, &live()).unwrap();
    let hosts: Vec<_> = config.hosts.iter().map(url::Url::as_str).collect();
    assert_eq!(hosts, ["https://api.weixin.qq.com/", "https://api2.weixin.qq.com/"]);
    for host in [
        "http://api.weixin.qq.com",
        "https://api.weixin.qq.com.evil.example",
        "https://evil.example",
    ] {
        let mut table = entry(&format!("secret = {{ env = 'S' }}\nhosts = ['{host}']"));
        table.sandbox = false;
        assert!(WechatConfig::read(&table, &live()).unwrap_err()[0].contains("hosts"), "{host}");
    }
    let faults = WechatConfig::read(
        &entry("hosts = ['http://192.0.2.1/wechat']"),
        &context("http://127.0.0.1:1"),
    );
    assert!(faults.unwrap_err()[0].contains("只能是本机的地址"));
}

/// A rehearsal turns every account into one of the stand-in, and reads no secret.
#[test]
fn a_rehearsal_reaches_the_stand_in_whatever_the_table_says() {
    let mut table = entry("secret = { env = 'NOT_SET' }\nproxy = 'http://10.0.0.5:3128'");
    table.sandbox = false;
    table.mode = PublishMode::Publish;
    let context =
        BuildContext { rehearsal: Some("/tmp".into()), ..context("http://127.0.0.1:8787") };
    let config = WechatConfig::read(&table, &context).unwrap();
    assert_eq!((config.secret.as_ref(), config.proxy.as_ref()), (None, None));
    assert_eq!(config.hosts[0].as_str(), "http://127.0.0.1:8787/wechat");
    let channel = wechat::build(&table, &context).unwrap();
    assert_eq!(channel.targets(), [APP_ID]);
}
