//! Who must agree, who may, and whether everybody has (rules A103 and A104).

mod properties;
mod steps;

use crate::sample;
use caishi::{
    config::Person,
    model::{
        Approval, Decision, Digest, LessonId,
        LessonKind::{self, Education, Marketing, Notice, Training},
        PersonId, ReviewStep,
    },
    review::{Refusal, Standing, may_decide, may_settle, open_steps, separation, standing},
};
use jiff::{SignedDuration, Timestamp};

fn id(text: &str) -> PersonId {
    PersonId::new(text).unwrap()
}

fn person(name: &str, roles: &[&str], department: &str) -> Person {
    Person {
        id: id(name),
        name: name.into(),
        roles: roles.iter().map(|role| (*role).into()).collect(),
        department: (!department.is_empty()).then(|| department.into()),
        token_env: None,
        branch: None,
        token_sha256: None,
    }
}

fn step(name: &str, role: &str, department: &str) -> ReviewStep {
    let department = (!department.is_empty()).then(|| department.into());
    ReviewStep { name: name.into(), role: role.into(), department }
}

/// 审查 by a reviewer, 会签 by a co-reviewer of 运营部.
fn two_steps() -> Vec<ReviewStep> {
    vec![step("审查", "reviewer", ""), step("会签", "co-reviewer", "运营部")]
}

/// A moment, so many days after the first submission.
fn day(days: i64) -> Timestamp {
    let start: Timestamp = "2026-11-27T01:00:00Z".parse().unwrap();
    start + SignedDuration::from_hours(24 * days)
}

/// A decision `step person yes|no day`; approvals count for 30 days.
fn decision(text: &str) -> Approval {
    let words: Vec<&str> = text.split(' ').collect();
    let at = day(words[3].parse().unwrap());
    let yes = words[2] == "yes";
    Approval {
        manifest: Digest::of(b"manifest"),
        step: words[0].into(),
        actor: id(words[1]),
        decision: if yes { Decision::Approved } else { Decision::Rejected },
        note: if yes { String::new() } else { "第二段的号码错了".into() },
        at,
        expires_at: at + SignedDuration::from_hours(24 * 30),
    }
}

fn decisions(texts: &[&str]) -> Vec<Approval> {
    texts.iter().map(|text| decision(text)).collect()
}

/// Where it stands on that day, in a few words.
fn where_it_stands(texts: &[&str], excluded: &[&str], on: i64) -> String {
    let excluded: Vec<PersonId> = excluded.iter().map(|name| id(name)).collect();
    match standing(&two_steps(), &decisions(texts), &excluded, day(on)) {
        Standing::Approved { until } => {
            format!("approved until {}", until.duration_since(day(0)).as_hours() / 24)
        }
        Standing::Missing(steps) => {
            let names: Vec<String> = steps.into_iter().map(|step| step.name).collect();
            format!("missing {}", names.join(" "))
        }
        Standing::Rejected { by, note } => format!("rejected by {by}: {note}"),
        Standing::Expired { step, at } => {
            format!("expired {} {}", step.name, at.duration_since(day(0)).as_hours() / 24)
        }
    }
}

/// Decisions as [`decision`] reads them.
type Decisions = &'static [&'static str];
/// Who wrote.
type Names = &'static [&'static str];

const BOTH: [&str; 2] = ["审查 b yes 1", "会签 c yes 2"];

/// Decisions, who wrote, the day, where it stands then, and why.
const STANDINGS: &[(Decisions, Names, i64, &str, &str)] = &[
    (&[], &[], 3, "missing 审查 会签", "nobody decided"),
    (&BOTH, &["a"], 3, "approved until 31", "until the first of them expires"),
    (&["审查 b yes 1"], &["a"], 3, "missing 会签", "one is not enough"),
    (&BOTH, &["a", "b"], 3, "missing 审查", "an editor's approval does not count"),
    (&BOTH, &["a", "b", "c"], 3, "missing 审查 会签", "nor does anybody's who wrote"),
    (&BOTH, &[], 31, "expired 审查 31", "expired on the day, not after it"),
    (&BOTH, &[], 99, "expired 审查 31", "the one that expired first is named"),
    (&["审查 b yes 1"], &[], 31, "missing 审查 会签", "what was never signed and what expired"),
    (
        &["审查 b yes 1", "会签 c yes 2", "审查 d no 3"],
        &[],
        4,
        "rejected by d: 第二段的号码错了",
        "a rejection after an approval counts",
    ),
    (
        &["审查 b no 1", "会签 c yes 2"],
        &[],
        4,
        "rejected by b: 第二段的号码错了",
        "whatever others say",
    ),
    (
        &["审查 b no 1", "会签 c yes 2", "审查 b yes 3"],
        &[],
        4,
        "approved until 32",
        "and may be taken back",
    ),
    (
        &["会签 c yes 2", "审查 b yes 3", "审查 b no 1"],
        &[],
        4,
        "approved until 32",
        "the order of rows is no matter",
    ),
    (
        &["审查 b yes 2", "审查 d no 2", "会签 c yes 2"],
        &[],
        4,
        "rejected by d: 第二段的号码错了",
        "of two at one moment the rejection",
    ),
    (
        &["审查 b yes 1", "会签 b yes 2"],
        &[],
        4,
        "missing 审查",
        "one person signs one step: the last",
    ),
    (&["审查 b yes 2", "会签 b yes 2"], &[], 4, "missing 会签", "at one moment: the first"),
    (
        &["审查 b yes 1", "会签 b yes 2", "审查 d yes 3"],
        &[],
        4,
        "approved until 32",
        "until somebody takes the other",
    ),
    (
        &["审查 b yes 1", "审查 d yes 2", "会签 b yes 3"],
        &[],
        4,
        "approved until 32",
        "b was replaced, and is free",
    ),
    (
        &["审查 a no 1", "审查 b yes 0", "会签 c yes 0"],
        &["a"],
        4,
        "approved until 30",
        "an author cannot even reject",
    ),
    (&["审核 b yes 1", "会签 c yes 2"], &[], 4, "missing 审查", "there is no such step"),
    (
        &["审查 b yes 1", "审查 b yes 20", "会签 c yes 20"],
        &[],
        40,
        "approved until 50",
        "renewed in time",
    ),
];

#[test]
fn where_a_manifest_stands() {
    for (texts, excluded, on, expected, why) in STANDINGS {
        assert_eq!(where_it_stands(texts, excluded, *on), *expected, "{why}: {texts:?}");
    }
}

#[test]
fn without_steps_nothing_is_approved() {
    let decisions = decisions(&["审查 b yes 1"]);
    assert_eq!(standing(&[], &decisions, &[], day(2)), Standing::Missing(vec![]));
}

#[test]
fn who_may_settle_a_remark() {
    let excluded = [id("a")];
    let settles =
        |who: &Person, writer: &str| may_settle(who, &id(writer), &two_steps(), &excluded).is_ok();
    let reviewer = person("b", &["reviewer"], "");
    let author = person("a", &["author", "reviewer"], "");
    assert!(settles(&reviewer, "b") && settles(&reviewer, "c"), "whoever may sign");
    assert!(settles(&author, "a"), "their own");
    assert!(!settles(&author, "b"), "not what was asked of them, whatever else they are");
    let colleague = person("e", &["author"], "");
    let refused = may_settle(&colleague, &id("b"), &two_steps(), &excluded).unwrap_err();
    assert!(matches!(refused, Refusal::Role { .. }), "{refused}");
    let elsewhere = person("y", &["co-reviewer"], "法律部");
    assert!(!settles(&elsewhere, "b"), "another department's");
}

#[test]
fn who_may_decide_what() {
    let excluded = [id("a")];
    let ask = |who: &Person, texts: &[&str]| {
        may_decide(who, &two_steps(), &decisions(texts), &excluded).map(|step| step.name)
    };
    let reviewer = person("b", &["reviewer"], "");
    let both = person("d", &["reviewer", "co-reviewer"], "运营部");
    assert_eq!(ask(&reviewer, &[]).unwrap(), "审查");
    assert_eq!(ask(&both, &[]).unwrap(), "审查", "the first open step");
    assert_eq!(ask(&both, &["审查 b yes 1"]).unwrap(), "会签", "the other is signed");
    assert_eq!(ask(&both, &["审查 b no 1"]).unwrap(), "审查", "a rejected step is open");
    assert_eq!(ask(&both, &["会签 d yes 1"]).unwrap(), "会签", "their own again");
    assert_eq!(ask(&reviewer, &["审查 d yes 1"]).unwrap(), "审查", "to reject what d approved");
    let all = open_steps(&both, &two_steps(), &decisions(&["审查 d yes 1"]), &excluded).unwrap();
    let names: Vec<&str> = all.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(names, ["审查", "会签"], "d may move, where nobody else can sign 会签");
}

#[test]
fn refusals_say_why_and_what_to_do() {
    let excluded = [id("a")];
    let refuse = |who: &Person| may_decide(who, &two_steps(), &[], &excluded).unwrap_err();
    let author = person("a", &["author", "reviewer", "co-reviewer", "administrator"], "运营部");
    let refused = refuse(&author);
    assert!(matches!(refused, Refusal::Author { .. }), "even as administrator");
    assert!(
        refused.to_string().contains("不能审批自己的内容") && refused.to_string().contains("A104")
    );
    let administrator = person("z", &["administrator", "operator"], "");
    let refused = refuse(&administrator).to_string();
    assert!(refused.contains("审查（reviewer）、会签（co-reviewer）"), "{refused}");
    let other = person("y", &["co-reviewer"], "法律部");
    let refused = refuse(&other);
    assert!(matches!(refused, Refusal::Department { .. }), "{refused}");
    assert!(refused.to_string().contains("属于法律部，这次要会签的是运营部"), "{refused}");
    assert!(matches!(may_decide(&other, &[], &[], &[]), Err(Refusal::Role { .. })), "no steps");
}

#[test]
fn education_and_marketing_never_mix() {
    let lessons = ["campus-loan", "card-offer", "notice"].map(|text| LessonId::new(text).unwrap());
    let check = |kinds: &[LessonKind]| separation(lessons.iter().zip(kinds.iter().copied()));
    for fine in [[Education, Notice, Training], [Marketing, Marketing, Marketing]] {
        assert_eq!(check(&fine), Ok(()));
    }
    assert_eq!(check(&[]), Ok(()));
    let mixed = check(&[Education, Marketing, Notice]).unwrap_err();
    assert_eq!(
        mixed.to_string(),
        "教育宣传和营销不能放在一次活动里：card-offer 是营销，campus-loan、notice 不是；把营销的课件移到另一个活动"
    );
    let one = &lessons[0];
    assert!(
        separation([(one, Education), (one, Marketing)]).is_err(),
        "two variants of one lesson"
    );
    let library = sample::library(caishi::model::Audience::General, vec![]);
    let kinds = library
        .lessons
        .iter()
        .flat_map(|lesson| lesson.variants.values().map(|variant| (&lesson.id, variant.kind)));
    assert_eq!(separation(kinds), Ok(()), "the sample teaches");
}
