//! What each answer means, and what a table may say.

use super::*;

#[test]
fn what_each_status_means() {
    let now: Timestamp = "2026-11-30T00:00:00Z".parse().unwrap();
    let after = |seconds| Retry::After(Duration::from_secs(seconds));
    let cases = [
        (200, None, None),
        (202, None, None),
        (204, None, None),
        (301, None, Some((ErrorKind::Configuration, Retry::Never))),
        (307, None, Some((ErrorKind::Configuration, Retry::Never))),
        (400, None, Some((ErrorKind::Content, Retry::Never))),
        (401, None, Some((ErrorKind::Authentication, Retry::Never))),
        (403, None, Some((ErrorKind::Permission, Retry::Never))),
        (404, None, Some((ErrorKind::NotFound, Retry::Never))),
        (407, None, Some((ErrorKind::Configuration, Retry::Never))),
        (408, None, Some((ErrorKind::Unavailable, after(60)))),
        (409, None, Some((ErrorKind::Conflict, after(60)))),
        (410, None, Some((ErrorKind::NotFound, Retry::Never))),
        (413, None, Some((ErrorKind::Content, Retry::Never))),
        (422, None, Some((ErrorKind::Content, Retry::Never))),
        (425, None, Some((ErrorKind::Unavailable, after(60)))),
        (429, Some("7"), Some((ErrorKind::RateLimited, after(7)))),
        (429, Some("0"), Some((ErrorKind::RateLimited, after(1)))),
        (429, Some("86400"), Some((ErrorKind::RateLimited, after(3600)))),
        (429, Some("soon"), Some((ErrorKind::RateLimited, after(60)))),
        (500, None, Some((ErrorKind::Unavailable, Retry::Ask))),
        (501, None, Some((ErrorKind::Configuration, Retry::Never))),
        (502, None, Some((ErrorKind::Unavailable, Retry::Ask))),
        (503, Some("Mon, 30 Nov 2026 00:02:00 GMT"), Some((ErrorKind::Unavailable, after(120)))),
        (503, Some("Mon, 30 Nov 2020 00:02:00 GMT"), Some((ErrorKind::Unavailable, after(1)))),
        (504, None, Some((ErrorKind::Unavailable, Retry::Ask))),
        (999, None, Some((ErrorKind::Protocol, Retry::Ask))),
    ];
    for (status, retry_after, expected) in cases {
        let verdict = judge(Answer { status, retry_after, idempotent: true, now });
        let found = verdict.as_ref().err().map(|error| (error.kind, error.retry));
        assert_eq!(found, expected, "{status} {retry_after:?}");
        if let Err(error) = verdict {
            assert!(error.message.contains(&format!("HTTP {status}")), "{error}");
            assert!(!error.next_step.is_empty());
        }
    }
    let strict = judge(Answer { status: 409, retry_after: None, idempotent: false, now });
    assert_eq!(strict.unwrap_err().retry, Retry::Ask, "it may have been taken before");
}

#[test]
fn every_fault_of_a_table_is_named() {
    let secret = format!("secret = {{ command = [\"echo\", \"{CANARY_SECRET}\"] }}\n");
    let good = "url = \"https://oa.example/hook\"\n";
    let cases = [
        (format!("{good}{secret}"), ""),
        (good.to_owned(), "缺少 secret"),
        (format!("{good}{secret}nme = 1"), "不认识的键 nme；可用的键：url、secret、"),
        (format!("url = \"oa.example\"\n{secret}"), "url 不是网址"),
        (format!("url = \"http://oa.example/\"\n{secret}"), "allow_http = true"),
        (format!("url = \"https://10.1.2.3/\"\n{secret}"), "allow = [\"10.1.2.3/32\"]"),
        (format!("url = \"https://169.254.169.254/\"\n{secret}"), "内网或保留地址"),
        (format!("url = \"https://me:canary@oa.example/\"\n{secret}"), "不能写用户名和密码"),
        (
            format!("url = {{ command = [\"echo\", \"http://oa.example/canary\"] }}\n{secret}"),
            "allow_http",
        ),
        (format!("{good}secret = {{ command = [\"echo\", \"whsec_c2hvcnQ=\"] }}"), "24 到 64 字节"),
        (format!("{good}secret = {{ env = \"CAISHI_TEST_UNSET\" }}"), "CAISHI_TEST_UNSET 没有设置"),
        (
            format!("{good}{secret}headers = {{ Webhook-Id = \"1\" }}"),
            "headers.Webhook-Id 由渠道自己写",
        ),
        (format!("{good}{secret}headers = {{ \"a b\" = \"1\" }}"), "不是合格的头部名"),
        (format!("{good}{secret}body = '''{{{{#each x}}}}'''"), "body 模板写错了"),
        (format!("{good}{secret}proxy = \"10.1.1.1\""), "proxy 应写成"),
        (format!("{good}{secret}proxy = \"http://u:canary@p:1\""), "proxy 里不能写用户名和密码"),
        (format!("{good}{secret}timeout_seconds = 3600"), "1 到 600 秒"),
    ];
    for (settings, expected) in cases {
        let found = match build(&entry(&settings, false), &context(Path::new("."))) {
            Ok(_) => String::new(),
            Err(faults) => faults.join("\n"),
        };
        assert!(found.contains(expected), "{settings}: {found}");
        assert_eq!(found.is_empty(), expected.is_empty(), "{settings}: {found}");
        assert!(!found.contains("canary"), "{found}");
    }
}

#[test]
fn a_sandbox_channel_without_a_stand_in_says_so() {
    let settings = "url = \"https://oa.example/hook\"\nsecret = { env = \"CAISHI_TEST_UNSET\" }";
    let faults = build(&entry(settings, true), &context(Path::new("."))).unwrap_err();
    assert_eq!(
        faults,
        ["[channel.notice-board] sandbox = true，但没有替身的地址；请先运行 caishi sandbox"]
    );
}
