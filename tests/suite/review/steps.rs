//! Rules and lessons → steps; whether anybody is left to sign them.

use super::{id, person, step};
use crate::sample;
use caishi::{
    config::{Person, ReviewRule},
    model::{Audience, Lesson, Library, Priority, ReviewStep, Topic, TopicId},
    review::{required_steps, unfillable},
};

fn rule(name: &str, role: &str) -> ReviewRule {
    ReviewRule {
        name: name.into(),
        role: role.into(),
        topics: vec![],
        priority: None,
        topic_department: false,
    }
}

/// The rules of the demo bank.
fn rules() -> Vec<ReviewRule> {
    vec![
        rule("消保审查", "reviewer"),
        ReviewRule { topic_department: true, ..rule("业务会签", "co-reviewer") },
        ReviewRule { priority: Some(Priority::High), ..rule("消保委员会", "committee") },
    ]
}

fn library() -> Library {
    let mut library = sample::library(Audience::General, vec![]);
    library.topics.push(Topic {
        id: TopicId::new("credit-record").unwrap(),
        department: "信贷管理部".into(),
        ..library.topics[0].clone()
    });
    library
}

fn lesson(library: &Library, topic: &str, co_review: &[&str], priority: Priority) -> Lesson {
    let mut lesson = library.lessons[0].clone();
    for variant in lesson.variants.values_mut() {
        variant.topics = vec![TopicId::new(topic).unwrap()];
        variant.co_review = co_review.iter().map(|name| (*name).into()).collect();
        variant.priority = priority;
    }
    lesson
}

fn names(steps: &[ReviewStep]) -> String {
    steps.iter().map(|step| step.name.as_str()).collect::<Vec<_>>().join(" ")
}

#[test]
fn steps_follow_topics_departments_and_priority() {
    let library = library();
    let of = |rules: &[ReviewRule], lessons: &[&Lesson]| {
        names(&required_steps(rules, lessons, &library.topics))
    };
    let fraud = lesson(&library, "telecom-fraud", &["运营管理部"], Priority::Normal);
    let credit = lesson(&library, "credit-record", &["法律合规部", " "], Priority::Normal);
    let grave = lesson(&library, "telecom-fraud", &[], Priority::High);
    assert_eq!(of(&rules(), &[&fraud]), "消保审查 业务会签（运营管理部）", "one department, once");
    assert_eq!(
        of(&rules(), &[&fraud, &credit]),
        "消保审查 业务会签（信贷管理部） 业务会签（法律合规部） 业务会签（运营管理部）"
    );
    assert_eq!(of(&rules(), &[&grave]), "消保审查 业务会签（运营管理部） 消保委员会");
    assert_eq!(of(&rules(), &[&credit, &grave]).split(' ').count(), 5, "the strictest of all");
    let only_credit = vec![ReviewRule {
        topics: vec![TopicId::new("credit-record").unwrap()],
        ..rule("征信审查", "reviewer")
    }];
    assert_eq!(of(&only_credit, &[&credit]), "征信审查");
    assert_eq!(of(&only_credit, &[&fraud]), "审查", "nothing goes out without a reviewer");
    assert_eq!(of(&[], &[]), "审查");
    let steps = required_steps(&rules(), &[&fraud], &library.topics);
    assert_eq!(steps[1].department.as_deref(), Some("运营管理部"));
    assert_eq!((steps[1].role.as_str(), &steps[0].department), ("co-reviewer", &None));
}

#[test]
fn one_grave_variant_makes_the_lesson_grave() {
    let library = library();
    let mut lesson = lesson(&library, "telecom-fraud", &[], Priority::Normal);
    let mut elder = lesson.variants[&Audience::General].clone();
    elder.priority = Priority::High;
    lesson.variants.insert(Audience::Elder, elder);
    let steps = required_steps(&rules(), &[&lesson], &library.topics);
    assert!(names(&steps).ends_with("消保委员会"), "{steps:?}");
}

#[test]
fn steps_that_nobody_can_sign_are_told_beforehand() {
    let steps = [
        step("审查", "reviewer", ""),
        step("复审", "reviewer", ""),
        step("会签", "co-reviewer", "运营部"),
    ];
    let left = |people: &[Person], excluded: &[&str]| {
        let excluded: Vec<_> = excluded.iter().map(|name| id(name)).collect();
        let left = unfillable(&steps, people, &excluded);
        left.iter().map(|step| step.name.as_str()).collect::<Vec<_>>().join(" ")
    };
    let b = person("b", &["reviewer"], "");
    let c = person("c", &["reviewer", "co-reviewer"], "运营部");
    let d = person("d", &["co-reviewer"], "运营部");
    assert_eq!(left(&[], &[]), "审查 复审 会签");
    assert_eq!(left(&[c.clone(), b.clone(), d.clone()], &[]), "", "c takes 复审, d 会签");
    assert_eq!(left(&[b.clone(), c.clone()], &[]), "会签", "nobody signs two");
    assert_eq!(left(&[b, c, d], &["d"]), "会签", "the author is left out");
    let committee = crate::demo::demo();
    let topics = &committee.library.topics;
    for lesson in &committee.library.lessons {
        let steps = required_steps(&committee.config.review.steps, &[lesson], topics);
        let nobody = unfillable(&steps, &committee.config.people, &[id("author-a")]);
        assert_eq!(nobody, Vec::<&ReviewStep>::new(), "{}", lesson.id);
    }
}
