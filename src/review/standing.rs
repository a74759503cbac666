//! The decisions so far → where a manifest stands.

use crate::model::{Approval, Decision, PersonId, ReviewStep};
use jiff::Timestamp;

/// Where a manifest stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Every step is signed, by as many people.
    Approved {
        /// Until the first approval expires.
        until: Timestamp,
    },
    /// These steps are not signed, or no longer.
    Missing(Vec<ReviewStep>),
    /// The last word at a step was no.
    Rejected {
        /// Who said it.
        by: PersonId,
        /// Why.
        note: String,
    },
    /// Every step was signed, but an approval has expired.
    Expired {
        /// The step of the one that expired first.
        step: ReviewStep,
        /// When.
        at: Timestamp,
    },
}

/// Where a manifest stands after these decisions on its hash.
///
/// * Decisions of people in `excluded`, the author and every editor, do not count, whatever other
///   roles they hold.
/// * At each step the latest decision counts: a rejection after an approval, and an approval
///   after a rejection. Of two at one moment the rejection counts.
/// * One person signs one step: where they approved several, the last one. A rejection does not
///   go away by approving elsewhere.
/// * Without steps nothing is approved: `Missing` of nothing.
#[must_use]
pub fn standing(
    steps: &[ReviewStep],
    approvals: &[Approval],
    excluded: &[PersonId],
    now: Timestamp,
) -> Standing {
    let latest: Vec<Option<&Approval>> =
        steps.iter().map(|step| latest(step, approvals, excluded)).collect();
    let rejection = latest.iter().flatten().find(|last| last.decision == Decision::Rejected);
    if let Some(Approval { actor, note, .. }) = rejection {
        return Standing::Rejected { by: actor.clone(), note: note.clone() };
    }
    let mut missing = Vec::new();
    let mut expired: Option<(Timestamp, &ReviewStep)> = None;
    let mut until = Timestamp::MAX;
    for (index, step) in steps.iter().enumerate() {
        match latest[index].filter(|_| stands_here(index, &latest)) {
            Some(approval) if approval.expires_at <= now => {
                missing.push(step.clone());
                if expired.is_none_or(|(at, _)| approval.expires_at < at) {
                    expired = Some((approval.expires_at, step));
                }
            }
            Some(approval) => until = until.min(approval.expires_at),
            None => missing.push(step.clone()),
        }
    }
    let unsigned =
        (0..steps.len()).any(|index| latest[index].is_none() || !stands_here(index, &latest));
    match expired {
        Some((at, step)) if !unsigned => Standing::Expired { step: step.clone(), at },
        _ if missing.is_empty() && !steps.is_empty() => Standing::Approved { until },
        _ => Standing::Missing(missing),
    }
}

/// The last decision at a step by somebody who may decide.
pub(super) fn latest<'a>(
    step: &ReviewStep,
    approvals: &'a [Approval],
    excluded: &[PersonId],
) -> Option<&'a Approval> {
    let here = approvals
        .iter()
        .filter(|approval| approval.step == step.name && !excluded.contains(&approval.actor));
    // Of several equal ones `max_by_key` gives the last: the one that was written last.
    here.max_by_key(|approval| (approval.at, approval.decision == Decision::Rejected))
}

/// Whether the person who approved a step approved no other one later. Of two at one moment the
/// earlier step counts.
pub(super) fn stands_here(index: usize, latest: &[Option<&Approval>]) -> bool {
    let Some(own) = latest[index] else { return false };
    !latest.iter().enumerate().any(|(other, approval)| {
        approval.is_some_and(|approval| {
            other != index
                && approval.actor == own.actor
                && (approval.at > own.at || (approval.at == own.at && other < index))
        })
    })
}
