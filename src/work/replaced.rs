//! Submissions and how they stand, with those that newer ones replaced told apart.

use super::{Publisher, WorkError};
use crate::{
    model::{Approval, Digest},
    review::{self, Standing},
    store::{Review, Successors},
};
use jiff::Timestamp;
use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError},
};

/// A submission, how it stands, and what took its place.
#[derive(Debug, Clone)]
pub struct Reviewed {
    /// The submission.
    pub review: Review,
    /// How it stands by its signatures alone.
    pub standing: Standing,
    /// The decisions on its first manifest; all manifests of one are decided together.
    pub approvals: Vec<Approval>,
    /// The newer submissions that took its place.
    pub successors: Successors,
}

/// All submissions, and the decisions about them.
#[derive(Debug)]
pub struct Submissions {
    /// The end of the audit chain of which this was read.
    head: String,
    /// The submissions, newest first.
    pub reviews: Vec<Review>,
    /// What took the place of each of them.
    pub successors: Vec<Successors>,
    approvals: BTreeMap<Digest, Vec<Approval>>,
}

impl Submissions {
    /// The decisions about a submission, in the order they were made: those on its first manifest,
    /// as all manifests of one are decided together.
    #[must_use]
    pub fn approvals(&self, review: &Review) -> &[Approval] {
        let first = review.manifests.first();
        first.and_then(|(_, manifest)| self.approvals.get(manifest)).map_or(&[], Vec::as_slice)
    }

    /// The submissions, newest first, without those that newer ones replace wholly.
    pub(super) fn current(&self) -> impl Iterator<Item = &Review> {
        let all = self.reviews.iter().zip(&self.successors);
        all.filter(|(_, by)| !by.are_all()).map(|(review, _)| review)
    }

    /// Those of them that wait for somebody, with how they stand.
    pub(super) fn waiting(&self, now: Timestamp) -> Vec<(Review, Standing)> {
        let mut waiting = Vec::new();
        for review in self.current().filter(|review| !review.manifests.is_empty()) {
            let approvals = self.approvals(review);
            let standing = review::standing(&review.steps, approvals, &review.excluded, now);
            if !matches!(standing, Standing::Approved { .. }) {
                waiting.push((review.clone(), standing));
            }
        }
        waiting
    }
}

impl Publisher {
    /// All submissions and the decisions about them. Costs one small question while nothing
    /// changes.
    ///
    /// # Errors
    /// The ledger's.
    pub async fn submissions(&self) -> Result<Arc<Submissions>, WorkError> {
        // Read before everything else: what changes meanwhile makes the next reader read again.
        let head = self.store.audit_head().await?;
        let known = || self.live.submissions.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known().as_ref().filter(|known| known.head == head) {
            return Ok(Arc::clone(known));
        }
        let reviews = self.store.reviews(None).await?;
        let successors = Successors::of_all(&reviews);
        let approvals = self.store.first_approvals().await?;
        let read = Arc::new(Submissions { head, reviews, successors, approvals });
        *known() = Some(Arc::clone(&read));
        Ok(read)
    }

    /// Every submission, newest first; of those that newer ones replaced, only what was submitted
    /// since then.
    ///
    /// # Errors
    /// The ledger's.
    pub async fn all_reviews(&self, replaced_since: Timestamp) -> Result<Vec<Reviewed>, WorkError> {
        let now = self.store.now().await?;
        let submissions = self.submissions().await?;
        let mut all = Vec::new();
        for (review, successors) in submissions.reviews.iter().zip(&submissions.successors) {
            if successors.are_all() && review.submitted_at < replaced_since {
                continue;
            }
            if review.manifests.is_empty() {
                continue;
            }
            let approvals = submissions.approvals(review).to_vec();
            let standing = review::standing(&review.steps, &approvals, &review.excluded, now);
            let (review, successors) = (review.clone(), successors.clone());
            all.push(Reviewed { review, standing, approvals, successors });
        }
        Ok(all)
    }

    /// Every submission that newer ones do not replace, newest first.
    ///
    /// # Errors
    /// The ledger's.
    pub async fn current_reviews(&self) -> Result<Vec<Reviewed>, WorkError> {
        self.all_reviews(Timestamp::MAX).await
    }

    /// Submissions that wait for somebody, newest first, with how they stand.
    ///
    /// # Errors
    /// The ledger's.
    pub async fn waiting_reviews(&self) -> Result<Vec<(Review, Standing)>, WorkError> {
        Ok(self.submissions().await?.waiting(self.store.now().await?))
    }
}
