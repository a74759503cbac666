//! Which slot a person means who plans, submits or publishes: slots that somebody moved are where
//! they were moved to, with their own lessons, as they will fire.

use super::{Content, Publisher, Subject, WorkError};
use crate::{
    model::{LessonId, SlotMove},
    schedule,
};
use jiff::Timestamp;

/// A slot that is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedSlot {
    /// When it is due.
    pub due: Timestamp,
    /// That somebody moved it there.
    pub moved: Option<SlotMove>,
    /// The lessons it shows.
    pub lessons: Vec<LessonId>,
}

impl Publisher {
    /// The slots of a subject's schedule that are due next after a moment, at most `count`; none
    /// where it has no schedule, or one that is switched off.
    ///
    /// # Errors
    /// The ledger's.
    pub async fn next_slots(
        &self,
        content: &Content,
        subject: &Subject,
        after: Timestamp,
        count: usize,
    ) -> Result<Vec<AskedSlot>, WorkError> {
        let Some(entry) = &subject.schedule else { return Ok(Vec::new()) };
        let moves = self.store.slot_moves(&entry.id).await?;
        let calendar = &content.library.calendar;
        let next = schedule::upcoming_moved(entry, calendar, &moves, after, count).into_iter();
        let slots = next.map(|next| AskedSlot {
            due: next.due,
            moved: moves.iter().find(|one| one.slot == next.scheduled).cloned(),
            lessons: subject.lessons_at(next.slot),
        });
        Ok(slots.collect())
    }

    /// The slot that is due next after a moment; what the subject shows at that moment where it
    /// has no slots.
    ///
    /// # Errors
    /// The ledger's.
    pub async fn next_slot(
        &self,
        content: &Content,
        subject: &Subject,
        after: Timestamp,
    ) -> Result<AskedSlot, WorkError> {
        let next = self.next_slots(content, subject, after, 1).await?.pop();
        Ok(next.unwrap_or_else(|| AskedSlot {
            due: after,
            moved: None,
            lessons: subject.lessons_at(after),
        }))
    }

    /// The slot that is meant by a moment: the one that was moved there, or away from there; else
    /// what the schedule shows at that moment.
    ///
    /// # Errors
    /// The ledger's.
    pub async fn slot_at(&self, subject: &Subject, at: Timestamp) -> Result<AskedSlot, WorkError> {
        let moves = match &subject.schedule {
            Some(entry) => self.store.slot_moves(&entry.id).await?,
            None => Vec::new(),
        };
        let there = moves.iter().find(|one| one.due == at);
        let moved = there.or_else(|| moves.iter().find(|one| one.slot == at)).cloned();
        Ok(AskedSlot {
            due: moved.as_ref().map_or(at, |moved| moved.due),
            lessons: subject.lessons_at(moved.as_ref().map_or(at, |moved| moved.slot)),
            moved,
        })
    }
}
