//! Submissions and how they stand, with those that newer ones replaced told apart.

use super::{Publisher, WorkError};
use crate::{
    model::Approval,
    review::{self, Standing},
    store::{Review, Successors},
};
use jiff::Timestamp;

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

/// Submissions, newest first, without those that newer ones replace wholly.
pub(super) fn replaced_left_out(reviews: &[Review]) -> impl Iterator<Item = &Review> {
    let successors = Successors::of_all(reviews);
    reviews.iter().zip(successors).filter(|(_, by)| !by.are_all()).map(|(review, _)| review)
}

impl Publisher {
    /// Every submission, newest first; of those that newer ones replaced, only what was submitted
    /// since then.
    ///
    /// # Errors
    /// The ledger's.
    pub async fn all_reviews(&self, replaced_since: Timestamp) -> Result<Vec<Reviewed>, WorkError> {
        let now = self.store.now().await?;
        let reviews = self.store.reviews(None).await?;
        let successors = Successors::of_all(&reviews);
        let approvals = self.store.all_approvals().await?;
        let mut all = Vec::new();
        for (review, successors) in reviews.into_iter().zip(successors) {
            if successors.are_all() && review.submitted_at < replaced_since {
                continue;
            }
            let Some((_, manifest)) = review.manifests.first() else { continue };
            let approvals = approvals.get(manifest).cloned().unwrap_or_default();
            let standing = review::standing(&review.steps, &approvals, &review.excluded, now);
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
        self.waiting_of(&self.store.reviews(None).await?).await
    }

    pub(super) async fn waiting_of(
        &self,
        reviews: &[Review],
    ) -> Result<Vec<(Review, Standing)>, WorkError> {
        let now = self.store.now().await?;
        let approvals = self.store.all_approvals().await?;
        let mut waiting = Vec::new();
        for review in replaced_left_out(reviews) {
            // All manifests of a submission are decided together.
            let Some((_, manifest)) = review.manifests.first() else { continue };
            let approvals = approvals.get(manifest).map_or(&[][..], Vec::as_slice);
            let standing = review::standing(&review.steps, approvals, &review.excluded, now);
            if !matches!(standing, Standing::Approved { .. }) {
                waiting.push((review.clone(), standing));
            }
        }
        Ok(waiting)
    }
}
