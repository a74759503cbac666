//! What a submission is compared with: what was approved before it, or what was returned since.

use crate::{
    console::{Desk, trouble::Trouble},
    model::Decision,
    review::{self, Standing},
    store::Review,
    work::people::Called,
};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

/// Which of the earlier submissions is wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Against {
    /// What was decided last: what was returned, where that is newer than the last approval.
    #[default]
    Decided,
    /// What was approved last.
    Approved,
}

/// Why the submission before was returned.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ReviewReturned)]
pub struct Returned {
    /// Its number.
    pub number: String,
    /// Who returned it.
    pub by: String,
    /// When, RFC 3339.
    #[schema(value_type = String)]
    pub at: Timestamp,
    /// Their words.
    pub note: String,
}

/// The earlier submission that one is compared with.
#[derive(Debug, Clone)]
pub(super) struct Basis {
    /// `approved`, `returned`.
    pub kind: &'static str,
    /// The submission.
    pub review: Review,
}

/// The earlier submissions that one can be compared with.
#[derive(Debug, Clone, Default)]
pub(super) struct Bases {
    approved: Option<Review>,
    returned: Option<(Review, Returned)>,
}

impl Bases {
    /// Those with a lesson of this submission that were decided before it, the last of each sort.
    pub(super) async fn of(desk: &Desk, review: &Review, called: &Called) -> Result<Self, Trouble> {
        let store = &desk.publisher().store;
        let mut bases = Self::default();
        for number in store.earlier_reviews(review.submitted_at, &review.lessons).await? {
            let Some(other) = store.review(&number).await? else { continue };
            let Some((_, manifest)) = other.manifests.first() else { continue };
            let approvals = store.approvals(manifest).await?;
            // What had expired by now was approved all the same: looked at when it was signed.
            let at = approvals.iter().map(|one| one.at).max().unwrap_or(other.submitted_at);
            match review::standing(&other.steps, &approvals, &other.excluded, at) {
                Standing::Approved { .. } => {
                    bases.approved = Some(other);
                    break;
                }
                Standing::Rejected { by, note }
                    if bases.returned.is_none() && other.campaign == review.campaign =>
                {
                    let said = approvals.iter().rev().find(|one| {
                        one.decision == Decision::Rejected && one.actor == by && one.note == note
                    });
                    let at = said.map_or(at, |one| one.at);
                    let returned = Returned { number, by: called.one(&by), at, note };
                    bases.returned = Some((other, returned));
                }
                _ => {}
            }
        }
        Ok(bases)
    }

    /// The one to compare with.
    pub(super) fn choose(&self, against: Against) -> Option<Basis> {
        let approved = self.approved.clone().map(|review| Basis { kind: "approved", review });
        let returned = self.returned.as_ref();
        let returned =
            returned.map(|(review, _)| Basis { kind: "returned", review: review.clone() });
        match against {
            Against::Decided => returned.or(approved),
            Against::Approved => approved.or(returned),
        }
    }

    /// Why what was submitted before was returned, where nothing was approved since.
    pub(super) fn returned(&self) -> Option<Returned> {
        self.returned.as_ref().map(|(_, returned)| returned.clone())
    }

    /// Whether there is one of either sort to choose from.
    pub(super) fn are_both(&self) -> bool {
        self.approved.is_some() && self.returned.is_some()
    }
}
