//! What runs out soon is told some days before.

use super::{at, calendar};
use crate::sample;
use caishi::{
    model::{Approval, Audience, Decision, Digest, Library, PersonId},
    schedule::warnings,
};
use jiff::civil::date;

const NUMBER: &str = "宣教审〔2026〕0001号";

fn approval(at_day: &str, until: &str, decision: Decision) -> (String, Approval) {
    let approval = Approval {
        manifest: Digest::of(b"manifest"),
        step: "消保审查".into(),
        actor: PersonId::new("reviewer-b").unwrap(),
        decision,
        note: String::new(),
        at: at(at_day),
        expires_at: at(until),
    };
    (NUMBER.into(), approval)
}

fn shown(now: &str, approvals: &[(String, Approval)], library: &Library) -> Vec<String> {
    warnings(at(now), 3, approvals, library).iter().map(ToString::to_string).collect()
}

#[test]
fn warnings_come_three_days_before_and_stay() {
    let first = approval("2026-06-06T00:00", "2026-12-03T10:00", Decision::Approved);
    let library = Library::default();
    for (now, expected) in [
        ("2026-11-29T23:59", None),
        ("2026-11-30T00:00", Some("还有 3 天到期（2026-12-03）")),
        ("2026-12-03T09:00", Some("今天到期（2026-12-03）")),
        ("2026-12-05T09:00", Some("已过期 2 天（2026-12-03）")),
    ] {
        let expected: Vec<String> = expected
            .map(|when| format!("{NUMBER} {when}：“消保审查”的签字到期后不再发送；请重新签：caishi approve {NUMBER}"))
            .into_iter()
            .collect();
        assert_eq!(shown(now, std::slice::from_ref(&first), &library), expected, "{now}");
    }
    // What was renewed or refused since is no longer worth a word.
    let renewed = approval("2026-11-30T00:00", "2027-05-30T00:00", Decision::Approved);
    assert_eq!(
        shown("2026-12-01T00:00", &[renewed, first.clone()], &library),
        Vec::<String>::new()
    );
    let refused = approval("2026-11-30T00:00", "2027-05-30T00:00", Decision::Rejected);
    assert_eq!(shown("2026-12-01T00:00", &[first, refused], &library), Vec::<String>::new());
}

#[test]
fn lessons_facts_and_the_calendar_run_out() {
    let mut library = sample::library(Audience::General, vec![]);
    library.calendar = calendar();
    let lesson = &mut library.lessons[0];
    let mut elder = lesson.variants[&Audience::General].clone();
    elder.facts_review_by = Some(date(2026, 12, 1));
    lesson.variants.insert(Audience::Elder, elder);
    let lines = shown("2027-08-30T12:00", &[], &library);
    let heads: Vec<&str> = lines.iter().filter_map(|line| line.split('：').next()).collect();
    assert_eq!(
        heads,
        [
            "telecom-fraud 老年版 已过期 272 天（2026-12-01）",
            "content/calendar.toml 已过期 242 天（2026-12-31）",
            "telecom-fraud 通用版 已过期 183 天（2027-02-28）",
            "telecom-fraud 还有 1 天到期（2027-08-31）",
        ]
    );
    assert_eq!(shown("2026-11-27T12:00", &[], &library), Vec::<String>::new());
}
