//! Freezes a plan and hands it to the reviewers.

use super::{Content, Outline, Plan, Publisher, WorkError, difference};
use crate::{
    build::Watch,
    check::{Checker, RenderedText, Subject},
    model::{Digest, Finding, Lesson, LessonId, PersonId, ReviewStep, Severity},
    review,
    store::Review,
};
use jiff::civil::Date;

/// Whose turn it is to render.
static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

impl Publisher {
    /// The approval number of an outline: the one it has, or the next of this year, reserved.
    /// The outputs carry it, so it is reserved before they are rendered.
    ///
    /// # Errors
    /// The ledger's.
    pub async fn number(&self, outline: &Outline) -> Result<String, WorkError> {
        if let Some(review) = self.store.review_of_plan(&outline.key).await? {
            return Ok(review.number);
        }
        let year = self.today().await?.year();
        let sequence = self.store.reserve_number(year, &outline.key).await?;
        Ok(self
            .config
            .review
            .number
            .replace("{year}", &year.to_string())
            .replace("{seq}", &format!("{sequence:04}")))
    }

    /// The day in Asia/Shanghai, which windows and approval years are counted in.
    ///
    /// # Errors
    /// The ledger's, whose clock it is.
    pub async fn today(&self) -> Result<jiff::civil::Date, WorkError> {
        Ok(super::clock::shanghai(self.store.now().await?).date())
    }

    /// What the check says today of these lessons' sources, waived findings included: for a
    /// submission, a reviewer, a console.
    ///
    /// # Errors
    /// [`WorkError::Check`] where the built-in rules cannot be read; the ledger's, whose clock
    /// it is.
    pub async fn check(
        &self,
        content: &Content,
        lessons: &[LessonId],
    ) -> Result<Vec<Finding>, WorkError> {
        let checker = self.checker(content, self.today().await?)?;
        Ok(lessons.iter().flat_map(|lesson| checker.lesson(lesson)).collect())
    }

    /// What the check says of finished texts: what a renderer joined, cut or added.
    ///
    /// # Errors
    /// [`WorkError::Check`] where the built-in rules cannot be read; the ledger's, whose clock
    /// it is.
    pub async fn check_outputs(
        &self,
        content: &Content,
        texts: &[RenderedText],
    ) -> Result<Vec<Finding>, WorkError> {
        Ok(self.checker(content, self.today().await?)?.outputs(texts, &[]))
    }

    fn checker<'a>(&'a self, content: &'a Content, today: Date) -> Result<Checker<'a>, WorkError> {
        let subject = Subject {
            library: &content.library,
            diagnostics: &content.diagnostics,
            bank: &self.config.bank,
            today,
        };
        Ok(Checker::new(subject)?)
    }

    /// Refuses lessons with errors of the check and steps that nobody is left to sign, renders under
    /// the reserved number, checks what the channels would refuse, freezes content and outputs, and
    /// records the submission.
    ///
    /// # Errors
    /// [`WorkError::Faults`] with everything that the check or a channel refuses, or the steps that
    /// nobody could sign and why; nothing is recorded then.
    pub async fn submit(
        &self,
        content: &Content,
        outline: &Outline,
        author: &PersonId,
        watch: Watch<'_>,
    ) -> Result<(Review, Plan), WorkError> {
        let checked = self.check(content, &outline.lessons).await?;
        let faults: Vec<String> =
            checked.iter().filter(|found| found.counts_as(Severity::Error)).map(told).collect();
        if !faults.is_empty() {
            return Err(WorkError::Faults(faults));
        }
        let steps = self.steps(content, outline);
        let hands = self.hands(content, outline, author).await?;
        self.somebody_left(&steps, &hands).await?;
        let number = self.number(outline).await?;
        // One folder to render into: one submission at a time.
        let _turn = TURN.lock().await;
        let plan = self.render(content, outline, &number, watch)?;
        let faults = self.preflight(&plan)?;
        if !faults.is_empty() {
            return Err(WorkError::Faults(faults));
        }
        if let Some(review) = self.store.review_of_plan(&outline.key).await?
            && review.manifests == manifests(&plan)
            // What was changed and changed back is submitted anew: it is the newest then.
            && !self.store.successors(&review.number).await?.are_all()
        {
            return Ok((review, plan));
        }
        let revision = difference::freeze(&self.store, content).await?;
        difference::keep_files(&self.store, &self.render_folder, &plan.channels, &mut |_, _| {})
            .await?;
        // Somebody may have saved something while this was rendered: what was read before is what is
        // submitted, so nobody is forgotten by it.
        let mut excluded: Vec<PersonId> = hands.iter().map(|(person, _)| person.clone()).collect();
        excluded.sort();
        excluded.dedup();
        let review = Review {
            number,
            campaign: outline.edition.id.clone(),
            lessons: outline.lessons.clone(),
            plan_key: outline.key,
            revision,
            author: author.clone(),
            excluded,
            reasons: hands,
            steps,
            manifests: manifests(&plan),
            submitted_at: self.store.now().await?,
        };
        let stored: Vec<(Digest, String)> =
            plan.channels.iter().map(|channel| (channel.hash, channel.json.clone())).collect();
        self.store.submit(&review, &stored).await?;
        Ok((review, plan))
    }

    fn steps(&self, content: &Content, outline: &Outline) -> Vec<ReviewStep> {
        let library = &content.library;
        let lessons: Vec<&Lesson> =
            outline.lessons.iter().filter_map(|id| library.lesson(id)).collect();
        review::required_steps(&self.config.review.steps, &lessons, &library.topics)
    }

    /// What the channels would refuse about a plan, each line naming its channel.
    ///
    /// # Errors
    /// Where a channel of the plan cannot be built.
    pub fn preflight(&self, plan: &Plan) -> Result<Vec<String>, WorkError> {
        let mut faults = Vec::new();
        for channel in &plan.channels {
            let adapter = self.channel(&channel.channel)?;
            for target in &channel.manifest.targets {
                let parcel = super::parcel::draft(&channel.manifest, &channel.hash, target);
                let refused = adapter.preflight(&parcel).into_iter();
                faults.extend(refused.map(|fault| format!("渠道 {}：{fault}", channel.channel)));
            }
        }
        Ok(faults)
    }
}

/// A finding in one line, with file and line.
fn told(finding: &Finding) -> String {
    let diagnostic = &finding.diagnostic;
    let line = diagnostic.position().map_or(0, |(line, _)| line);
    let path = diagnostic.file.path.display();
    let code = diagnostic.code;
    format!("{path} 第 {line} 行 {code}：{}。{}", diagnostic.reason, diagnostic.help)
}

fn manifests(plan: &Plan) -> Vec<(crate::model::ChannelId, Digest)> {
    let mut manifests: Vec<_> =
        plan.channels.iter().map(|channel| (channel.channel.clone(), channel.hash)).collect();
    manifests.sort();
    manifests
}
