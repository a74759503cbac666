//! Whatever is decided, by whomever and in whatever order.

use super::{day, id, step};
use caishi::{
    model::{Approval, Decision, Digest, PersonId, ReviewStep},
    review::{Standing, standing},
};
use jiff::SignedDuration;
use proptest::prelude::*;
use std::collections::BTreeSet;

const PEOPLE: [&str; 4] = ["a", "b", "c", "d"];
const STEPS: [&str; 3] = ["审查", "会签", "委员会"];

fn steps(count: usize) -> Vec<ReviewStep> {
    STEPS[..count].iter().map(|name| step(name, "reviewer", "")).collect()
}

prop_compose! {
    fn any_decision()(
        step in prop::sample::select(&["审查", "会签", "委员会", "别的"][..]),
        actor in prop::sample::select(&PEOPLE[..]),
        yes in prop::bool::weighted(0.8),
        at in 0_i64..20,
        length in 1_i64..30,
    ) -> Approval {
        Approval {
            manifest: Digest::of(b"manifest"),
            step: step.into(),
            actor: id(actor),
            decision: if yes { Decision::Approved } else { Decision::Rejected },
            note: String::new(),
            at: day(at),
            expires_at: day(at) + SignedDuration::from_hours(24 * length),
        }
    }
}

/// Whether the steps can be given to different people, each of whom approved theirs by an
/// approval that still counts: tried out in every way.
fn could_be_signed(
    steps: &[ReviewStep],
    approvals: &[Approval],
    excluded: &[PersonId],
    now: jiff::Timestamp,
    taken: &mut BTreeSet<PersonId>,
) -> bool {
    let Some((first, rest)) = steps.split_first() else { return true };
    let candidates = approvals.iter().filter(|one| {
        one.step == first.name
            && one.decision == Decision::Approved
            && one.expires_at > now
            && !excluded.contains(&one.actor)
    });
    for one in candidates {
        if taken.insert(one.actor.clone()) {
            let signed = could_be_signed(rest, approvals, excluded, now, taken);
            taken.remove(&one.actor);
            if signed {
                return true;
            }
        }
    }
    false
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    /// Approved means: as many people as steps, none of whom wrote, each by an approval that is
    /// their step's last word and has not expired.
    #[test]
    fn approved_means_distinct_people_none_of_whom_wrote(
        approvals in prop::collection::vec(any_decision(), 0..14),
        count in 1_usize..=3,
        excluded in prop::sample::subsequence(&PEOPLE[..], 0..=4),
        now in 0_i64..40,
    ) {
        let steps = steps(count);
        let excluded: Vec<PersonId> = excluded.into_iter().map(id).collect();
        let found = standing(&steps, &approvals, &excluded, day(now));
        if let Standing::Approved { until } = found {
            prop_assert!(until > day(now));
            let mut taken = BTreeSet::new();
            prop_assert!(could_be_signed(&steps, &approvals, &excluded, day(now), &mut taken));
            prop_assert!(PEOPLE.len() - excluded.len() >= count, "too few people are left");
        }
    }

    /// What excluded people decide changes nothing, and neither does the order of rows written at
    /// different times.
    #[test]
    fn the_decisions_of_those_who_wrote_and_the_order_of_rows_are_no_matter(
        approvals in prop::collection::vec(any_decision(), 0..14).prop_shuffle(),
        excluded in prop::sample::subsequence(&PEOPLE[..], 0..=3),
        now in 0_i64..40,
    ) {
        let mut approvals: Vec<Approval> = approvals;
        for (index, approval) in approvals.iter_mut().enumerate() {
            approval.at += SignedDuration::from_secs(i64::try_from(index).unwrap());
        }
        let steps = steps(3);
        let excluded: Vec<PersonId> = excluded.into_iter().map(id).collect();
        let found = standing(&steps, &approvals, &excluded, day(now));
        let others: Vec<Approval> =
            approvals.iter().filter(|one| !excluded.contains(&one.actor)).cloned().collect();
        prop_assert_eq!(&standing(&steps, &others, &[], day(now)), &found);
        approvals.reverse();
        prop_assert_eq!(&standing(&steps, &approvals, &excluded, day(now)), &found);
    }

    /// One person alone never fills two steps, however often they decide.
    #[test]
    fn one_person_never_fills_two_steps(
        approvals in prop::collection::vec(any_decision(), 0..14),
        now in 0_i64..40,
    ) {
        let mut approvals: Vec<Approval> = approvals;
        for approval in &mut approvals {
            approval.actor = id("b");
        }
        let found = standing(&steps(2), &approvals, &[], day(now));
        let approved = matches!(found, Standing::Approved { .. });
        prop_assert!(!approved);
    }

    /// After a rejection as the last word nothing but another word at that step helps.
    #[test]
    fn a_last_rejection_stands(
        approvals in prop::collection::vec(any_decision(), 0..14),
        by in prop::sample::select(&["b", "c"][..]),
        now in 0_i64..40,
    ) {
        let mut approvals: Vec<Approval> = approvals;
        let rejection = Approval {
            step: "审查".into(),
            actor: id(by),
            decision: Decision::Rejected,
            at: day(20),
            ..approvals.first().cloned().unwrap_or(Approval {
                manifest: Digest::of(b"manifest"),
                step: String::new(),
                actor: id("b"),
                decision: Decision::Rejected,
                note: String::new(),
                at: day(0),
                expires_at: day(30),
            })
        };
        approvals.push(rejection);
        let found = standing(&steps(2), &approvals, &[id("a")], day(now));
        let rejected = matches!(found, Standing::Rejected { .. });
        prop_assert!(rejected, "{:?}", found);
    }
}
