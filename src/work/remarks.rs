//! Remarks on submissions: which are open, and who may say that one is dealt with.

use super::{Publisher, WorkError};
use crate::{
    config::Person,
    review,
    store::{Remark, Review},
};

/// So many open remarks are named where there are more.
const LISTED: usize = 5;

/// How many letters of a remark are told.
const LONGEST_TOLD: usize = 30;

/// Where a remark stands and how it begins.
fn told(remark: &Remark, review: &Review) -> String {
    let Remark { path, line, text, .. } = remark;
    let begin: String = text.chars().take(LONGEST_TOLD).collect();
    let more = if text.chars().count() > LONGEST_TOLD { "…" } else { "" };
    let earlier =
        if remark.review == review.number { String::new() } else { format!("{} ", remark.review) };
    format!("{earlier}{path}:{line} {begin}{more}")
}

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

    /// Refuses an approval while remarks are open that nobody said to have read.
    pub(super) async fn refuse_open_remarks(&self, review: &Review) -> Result<(), WorkError> {
        let open = self.open_remarks(review).await?;
        if open.is_empty() {
            return Ok(());
        }
        let told: Vec<_> = open.iter().take(LISTED).map(|remark| told(remark, review)).collect();
        let more = if open.len() > LISTED { "……" } else { "" };
        Err(WorkError::OpenRemarks(format!(
            "还有 {} 条批注没有了结（{}{more}）：逐条了结，或说明批注都看过、仍然批准",
            open.len(),
            told.join("；")
        )))
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
