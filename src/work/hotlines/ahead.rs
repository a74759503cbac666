//! What was submitted for the slots ahead. Approvals are of every byte that decides an output,
//! `hotlines.toml` among them: with any change of the file they hold no more, and at its slot such a
//! submission would not go out. So it is made and submitted again.

use crate::{
    model::LessonId,
    review::Standing,
    store::Review,
    work::{Content, Publisher, Subject, WorkError},
};
use std::collections::BTreeSet;

/// So many slots ahead of each schedule are looked at.
const AHEAD: usize = 20;
/// So many deliveries of a lesson are looked at for the one that a submission was for.
const DELIVERIES: u32 = 60;

/// A submission for a slot ahead.
#[derive(Debug)]
pub(super) struct Ahead {
    /// The schedule.
    pub(super) subject: String,
    /// The lessons.
    pub(super) lessons: Vec<LessonId>,
    /// Which submission it was, in Chinese.
    pub(super) note: String,
}

impl Publisher {
    /// What was submitted for the slots ahead and was not returned. What was returned is its
    /// author's to mend.
    pub(super) async fn submitted_ahead(&self, content: &Content) -> Result<Vec<Ahead>, WorkError> {
        let now = self.store.now().await?;
        let mut ahead = Vec::new();
        for entry in content.enabled_schedules() {
            let name = entry.id.to_string();
            let Ok(subject) = self.subject(content, &name) else { continue };
            let reviews = self.store.reviews(Some(&subject.edition.id)).await?;
            let mut seen: BTreeSet<Vec<LessonId>> = BTreeSet::new();
            for slot in self.next_slots(content, &subject, now, AHEAD).await? {
                if !seen.insert(slot.lessons.clone()) {
                    continue;
                }
                let note = self.note_of(content, &subject, &slot.lessons, &reviews).await?;
                ahead.extend(note.map(|note| Ahead {
                    subject: name.clone(),
                    lessons: slot.lessons,
                    note,
                }));
            }
        }
        Ok(ahead)
    }

    /// What is to be said of the submission of these lessons; `None` where nothing of it is waiting
    /// for a slot.
    async fn note_of(
        &self,
        content: &Content,
        subject: &Subject,
        lessons: &[LessonId],
        reviews: &[Review],
    ) -> Result<Option<String>, WorkError> {
        let outline = subject.outline(content, lessons).ok();
        let of_plan =
            |review: &&Review| outline.as_ref().is_some_and(|own| own.key == review.plan_key);
        let same = || reviews.iter().filter(|review| review.lessons == lessons);
        let exact = same().find(of_plan);
        let Some(review) = exact.or_else(|| same().next()) else { return Ok(None) };
        let standings = self.standing(review).await?;
        if standings.iter().any(|one| matches!(one, Standing::Rejected { .. })) {
            return Ok(None);
        }
        if exact.is_some() {
            return Ok(Some(format!("原来的送审单：{}", review.number)));
        }
        // The texts have changed since. What went out already was for a slot that is over.
        let Some(lesson) = lessons.first() else { return Ok(None) };
        let out = self.store.out_of_lesson(lesson, DELIVERIES).await?;
        if out.iter().any(|out| out.number.as_ref() == Some(&review.number)) {
            return Ok(None);
        }
        Ok(Some(format!(
            "原来的送审单：{}；送审以后内容又改过，重新送审的是现在的稿",
            review.number
        )))
    }
}
