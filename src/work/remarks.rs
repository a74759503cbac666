//! Remarks on submissions: which are open, and who may say that one is dealt with.

use super::{Publisher, WorkError};
use crate::{
    config::Person,
    review,
    store::{Remark, Review},
};

impl Publisher {
    /// The open remarks that concern a submission: its own, and those on earlier submissions of the
    /// same lessons for the same campaign, which nobody said were dealt with.
    ///
    /// # Errors
    /// The ledger's.
    pub async fn open_remarks(&self, review: &Review) -> Result<Vec<Remark>, WorkError> {
        let mut open = self.store.remarks(&review.number).await?;
        open.retain(|remark| remark.settled.is_none());
        open.extend(self.earlier_remarks(review).await?);
        Ok(open)
    }

    /// The open remarks on earlier submissions of the same lessons, the newest submission first.
    ///
    /// # Errors
    /// The ledger's.
    pub async fn earlier_remarks(&self, review: &Review) -> Result<Vec<Remark>, WorkError> {
        let Review { campaign, lessons, submitted_at, .. } = review;
        let mut earlier = self.store.open_remarks_before(campaign, lessons, *submitted_at).await?;
        earlier.retain(|remark| remark.review != review.number);
        Ok(earlier)
    }

    /// Says that a remark is dealt with.
    ///
    /// # Errors
    /// [`WorkError::Unknown`] where there is none that is open, [`WorkError::Refused`] where it is
    /// not this person's to say ([`review::may_settle`]).
    pub async fn settle_remark(
        &self,
        review: &Review,
        id: &str,
        person: &Person,
        actor: &str,
    ) -> Result<(), WorkError> {
        let missing = || WorkError::Unknown("没有这条批注，或已经有人了结了".to_owned());
        let remarks = self.store.remarks(&review.number).await?;
        let open = |remark: &&Remark| remark.id == id && remark.settled.is_none();
        let remark = remarks.iter().find(open).ok_or_else(missing)?;
        let may = review::may_settle(person, &remark.author, &review.steps, &review.excluded);
        may.map_err(|refusal| {
            WorkError::Refused(format!("别人的批注，由写的人或能签这一份的人了结；{refusal}"))
        })?;
        if self.store.settle_remark(&review.number, id, actor).await? {
            return Ok(());
        }
        Err(missing())
    }
}
