//! The platform's codes: which deserves what, as data.

use super::account::{MORNING, moment};
use caishi::deliver::{
    DeliverError, ErrorKind, QuotaWindow, Retry,
    wechat::error::{self, Effect, Situation},
};
use std::time::Duration;

fn refusal(code: i64, errmsg: &str, effect: Effect) -> DeliverError {
    let situation = Situation {
        call: "freepublish/submit",
        effect,
        now: moment(MORNING),
        mass_window: QuotaWindow::Month,
    };
    error::refusal(code, errmsg, &situation)
}

/// Every code that `channels/wechat.md` names.
const NAMED: [i64; 71] = [
    -1, 40001, 40002, 40005, 40007, 40009, 40013, 40014, 40032, 40059, 40114, 40125, 40130, 40152,
    40164, 40215, 40243, 41002, 41004, 41005, 41039, 41040, 42001, 43002, 44003, 45002, 45003,
    45004, 45005, 45009, 45011, 45028, 45062, 45064, 45065, 45066, 45067, 45083, 45084, 45110,
    45113, 45162, 45166, 47009, 48001, 48004, 48006, 48021, 48022, 50002, 53402, 53500, 53501,
    53502, 53503, 53504, 53505, 53600, 61500, 61501, 61503, 88000, 89503, 89504, 89505, 89506,
    89507, 40132, 45001, 45106, 47001,
];

#[test]
fn every_named_code_says_in_chinese_what_to_do() {
    for code in NAMED {
        let error = refusal(code, "", Effect::Repeatable);
        assert!(!error.message.contains("没有见过"), "{code} is in the table");
        assert_eq!(error.code.as_deref(), Some(code.to_string().as_str()));
        let chinese = |text: &str| text.chars().any(|c| ('一'..='龥').contains(&c));
        assert!(chinese(&error.message) && chinese(&error.next_step), "{code}: {error:?}");
    }
    let unnamed: Vec<_> =
        error::known_codes().into_iter().filter(|code| !NAMED.contains(code)).collect();
    assert_eq!(unnamed, Vec::<i64>::new(), "codes of the table that no test names");
}

#[test]
fn what_a_code_deserves() {
    use Effect::{Irreversible, Repeatable};
    let seconds = |n| Retry::After(Duration::from_secs(n));
    let midnight = Retry::At(moment("2026-09-07T16:00:00Z"));
    let first_of_october = Retry::At(moment("2026-09-30T16:00:00Z"));
    let table = [
        (-1, Repeatable, ErrorKind::Unavailable, seconds(30)),
        (-1, Irreversible, ErrorKind::Unavailable, Retry::Ask),
        (40001, Irreversible, ErrorKind::Authentication, Retry::Never),
        (40164, Repeatable, ErrorKind::Configuration, Retry::Never),
        (45002, Repeatable, ErrorKind::Content, Retry::Never),
        (45009, Irreversible, ErrorKind::Quota, midnight),
        (45011, Irreversible, ErrorKind::RateLimited, seconds(60)),
        (45028, Irreversible, ErrorKind::Quota, first_of_october),
        (45066, Irreversible, ErrorKind::RateLimited, seconds(60)),
        (48001, Irreversible, ErrorKind::Permission, Retry::Never),
        (53501, Irreversible, ErrorKind::RateLimited, seconds(600)),
        (53503, Irreversible, ErrorKind::Content, Retry::Never),
        (88000, Repeatable, ErrorKind::Permission, Retry::Never),
        (99999, Repeatable, ErrorKind::Protocol, Retry::Never),
        // A code nobody knows cannot promise that nothing happened.
        (99999, Irreversible, ErrorKind::Protocol, Retry::Ask),
    ];
    for (code, effect, kind, retry) in table {
        let error = refusal(code, "", effect);
        assert_eq!((error.kind, error.retry), (kind, retry), "{code} {effect:?}");
    }
}

#[test]
fn the_refused_address_is_named() {
    let cases = [
        ("invalid ip 203.0.113.7 ipv6 ::ffff:203.0.113.7, not in whitelist rid: 66", "203.0.113.7"),
        ("invalid ip 2001:db8::7, not in whitelist rid: 6ab-1c", "2001:db8::7"),
    ];
    for (errmsg, address) in cases {
        let error = refusal(40164, errmsg, Effect::Repeatable);
        assert!(error.message.contains(&format!("（IP {address}）")), "{}", error.message);
        assert!(error.next_step.contains("白名单"));
    }
}

#[test]
fn ends_that_are_not_success_have_words() {
    for status in 2..=6 {
        assert!(!error::publish_status(status).contains("没有见过"), "{status}");
    }
    assert!(error::publish_status(9).contains("没有见过"));
    for number in [10001, 20001, 20002, 20004, 20006, 20008, 20013, 21000, 22000, 30003] {
        let words = error::mass_status(&format!("err({number})"));
        assert!(words.contains("停止了群发："), "{words}");
    }
    // Seen in the wild, in no document.
    assert!(error::mass_status("err(20431)").contains("20431"));
    assert!(error::mass_status("send fail").contains("群发失败"));
}
