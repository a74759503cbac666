//! Who says yes to which bytes, and who may.

use super::{Content, Publisher, WorkError};
use crate::{
    config::Person,
    model::{Approval, Decision},
    review::{self, Standing},
    store::Review,
};
use jiff::{SignedDuration, Timestamp};

/// What somebody says about a submission.
#[derive(Debug, Clone, Copy)]
pub struct Verdict<'a> {
    /// Yes or no.
    pub decision: Decision,
    /// Why; must be said where it is returned.
    pub note: &'a str,
    /// For how many days an approval counts; the usual number where it is not said.
    pub valid_days: Option<u16>,
    /// Approved although remarks are open, which whoever approves has read.
    pub despite_remarks: bool,
}

impl<'a> Verdict<'a> {
    /// Yes, for the usual number of days.
    #[must_use]
    pub fn approved() -> Self {
        Self { decision: Decision::Approved, note: "", valid_days: None, despite_remarks: false }
    }

    /// No, and why.
    #[must_use]
    pub fn returned(note: &'a str) -> Self {
        Self { decision: Decision::Rejected, note, ..Self::approved() }
    }
}

impl Publisher {
    /// The submission that `name` means: an approval number, or a campaign or schedule whose
    /// newest submission is meant.
    ///
    /// # Errors
    /// [`WorkError::Unknown`] lists what waits.
    pub async fn find_review(&self, name: &str) -> Result<Review, WorkError> {
        if let Some(review) = self.store.review(name).await? {
            return Ok(review);
        }
        // Without the content folder there are still numbers and campaigns to go by.
        let content = Content::load(&self.config).ok();
        let scheduled = content.as_ref().and_then(|content| content.schedule(name).ok());
        let campaign = scheduled.map(|entry| entry.campaign.clone());
        let submissions = self.submissions().await?;
        let reviews = &submissions.reviews;
        let alike = |review: &&Review| match &campaign {
            Some(campaign) => review.campaign == *campaign,
            None => {
                review.campaign.to_string() == name
                    || review.campaign.series == name
                    || review.campaign.edition == name
                    || review.lessons.iter().any(|lesson| lesson.as_str() == name)
            }
        };
        if let Some(review) = reviews.iter().find(alike) {
            return Ok(review.clone());
        }
        let known: Vec<&str> = reviews.iter().map(|review| review.number.as_str()).collect();
        Err(WorkError::Unknown(if known.is_empty() {
            format!("没有“{name}”的送审记录。先送审：caishi submit {name} --as <代号>")
        } else {
            format!("没有“{name}”的送审记录，现有：{}", known.join("、"))
        }))
    }

    /// Records one person's decision about the next step they may fill, on every manifest of the
    /// submission.
    ///
    /// # Errors
    /// [`WorkError::Refused`] says why this person may not decide (A103, A104), or which newer
    /// submission replaced the one to be approved,
    /// [`WorkError::OpenRemarks`] which remarks are still open.
    pub async fn decide(
        &self,
        review: &Review,
        person: &Person,
        Verdict { decision, note, valid_days, despite_remarks }: Verdict<'_>,
    ) -> Result<Vec<Approval>, WorkError> {
        if decision == Decision::Rejected && note.trim().is_empty() {
            return Err(WorkError::Refused("退回要写明原因：--note \"第几行，改什么\"".to_owned()));
        }
        let successors = self.store.successors(&review.number).await?;
        if let (Decision::Approved, Some(why)) = (decision, successors.refusal(&review.number)) {
            return Err(WorkError::Refused(why));
        }
        let now = self.store.now().await?;
        let days = valid_days.unwrap_or(self.config.review.valid_days);
        let expires_at = now
            .checked_add(SignedDuration::from_hours(24 * i64::from(days)))
            .unwrap_or(Timestamp::MAX);
        let mut decisions = Vec::new();
        for (_, manifest) in &review.manifests {
            let approvals = self.store.approvals(manifest).await?;
            let step = review::may_decide(person, &review.steps, &approvals, &review.excluded)
                .map_err(|refusal| WorkError::Refused(refusal.to_string()))?;
            decisions.push(Approval {
                manifest: *manifest,
                step: step.name,
                actor: person.id.clone(),
                decision,
                note: note.trim().to_owned(),
                at: now,
                expires_at,
            });
        }
        if decision == Decision::Approved && !despite_remarks {
            self.refuse_open_remarks(review).await?;
        }
        self.store.decide(&decisions).await?;
        Ok(decisions)
    }

    /// How the review of each manifest stands.
    ///
    /// # Errors
    /// The ledger's.
    pub async fn standing(&self, review: &Review) -> Result<Vec<Standing>, WorkError> {
        let now = self.store.now().await?;
        let mut standings = Vec::new();
        for (_, manifest) in &review.manifests {
            let approvals = self.store.approvals(manifest).await?;
            standings.push(review::standing(&review.steps, &approvals, &review.excluded, now));
        }
        Ok(standings)
    }
}
