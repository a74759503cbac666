//! Rules and lessons → the steps that must be signed.

use super::holds;
use crate::{
    config::{Person, ReviewRule},
    model::{Lesson, PersonId, ReviewStep, Topic},
};
use std::collections::BTreeSet;

/// The steps for all of these lessons together, in the order of the rules. A rule with
/// `topic_department` becomes one step per department: that of each lesson's first topic, and
/// those that `co_review` names. Where no rule applies, the step of a reviewer is asked for all
/// the same.
#[must_use]
pub fn required_steps(
    rules: &[ReviewRule],
    lessons: &[&Lesson],
    topics: &[Topic],
) -> Vec<ReviewStep> {
    let mut steps: Vec<ReviewStep> = Vec::new();
    for rule in rules {
        let concerned: Vec<&&Lesson> =
            lessons.iter().filter(|lesson| applies(rule, lesson)).collect();
        if concerned.is_empty() {
            continue;
        }
        if !rule.topic_department {
            steps.push(step(&rule.name, &rule.role, None));
            continue;
        }
        let departments: BTreeSet<String> =
            concerned.iter().flat_map(|lesson| departments(lesson, topics)).collect();
        let per_department = departments.into_iter().map(|department| {
            step(&format!("{}（{department}）", rule.name), &rule.role, Some(department))
        });
        steps.extend(per_department);
    }
    if steps.is_empty() {
        steps.push(step("审查", "reviewer", None));
    }
    steps
}

fn step(name: &str, role: &str, department: Option<String>) -> ReviewStep {
    ReviewStep { name: name.to_owned(), role: role.to_owned(), department }
}

/// Any variant decides: a lesson of which one variant is of high priority is.
fn applies(rule: &ReviewRule, lesson: &Lesson) -> bool {
    let priority = lesson.variants.values().map(|variant| variant.priority).max();
    let topic = rule.topics.is_empty()
        || lesson
            .variants
            .values()
            .flat_map(|variant| &variant.topics)
            .any(|topic| rule.topics.contains(topic));
    let wanted = rule.priority.is_none() || rule.priority == priority;
    topic && wanted
}

fn departments(lesson: &Lesson, topics: &[Topic]) -> Vec<String> {
    let of_topic = lesson.variants.values().filter_map(|variant| {
        let first = variant.topics.first()?;
        topics.iter().find(|topic| topic.id == *first).map(|topic| topic.department.clone())
    });
    let named = lesson.variants.values().flat_map(|variant| variant.co_review.iter().cloned());
    of_topic.chain(named).filter(|department| !department.trim().is_empty()).collect()
}

/// The steps that nobody is left to sign: people who may not, because they wrote, are left out,
/// and nobody signs two. Everybody else is dealt out as well as can be; a step that comes out
/// empty stays so in every deal of the same size.
#[must_use]
pub fn unfillable<'s>(
    steps: &'s [ReviewStep],
    people: &[Person],
    excluded: &[PersonId],
) -> Vec<&'s ReviewStep> {
    let able: Vec<&Person> =
        people.iter().filter(|person| !excluded.contains(&person.id)).collect();
    let mut signs: Vec<Option<usize>> = vec![None; able.len()];
    let mut left = Vec::new();
    for index in 0..steps.len() {
        let mut asked = vec![false; able.len()];
        if !deal(index, steps, &able, &mut signs, &mut asked) {
            left.push(&steps[index]);
        }
    }
    left
}

/// Finds somebody for a step, asking others to take another step in turn (augmenting paths).
fn deal(
    step: usize,
    steps: &[ReviewStep],
    able: &[&Person],
    signs: &mut [Option<usize>],
    asked: &mut [bool],
) -> bool {
    for person in 0..able.len() {
        if asked[person] || !holds(able[person], &steps[step]) {
            continue;
        }
        asked[person] = true;
        let free = match signs[person] {
            None => true,
            Some(other) => deal(other, steps, able, signs, asked),
        };
        if free {
            signs[person] = Some(step);
            return true;
        }
    }
    false
}
