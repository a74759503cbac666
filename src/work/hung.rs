//! Until when something could be seen where it hung: until something newer took its place, until it
//! was taken down, or until its last day was over.

use super::{
    Publisher, WorkError,
    history::{History, Past},
    live::is_same_place,
};
use crate::{
    model::{BranchId, bank_zone},
    store::Out,
};
use jiff::Timestamp;

/// Why something could be seen no longer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EndWhy {
    /// This newer delivery took its place.
    Replaced(String),
    /// It was taken down.
    Recalled,
    /// Its last day was over.
    Over,
}

/// The end of something's time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub why: EndWhy,
}

impl Publisher {
    /// When and why something could no longer be seen at a branch, as far as is known now: what
    /// came first. `None` where it was never out, or stays with people.
    ///
    /// # Errors
    /// The ledger's, or a manifest that cannot be read.
    pub async fn end_at(
        &self,
        history: &History,
        out: &Out,
        branch: &BranchId,
    ) -> Result<Option<End>, WorkError> {
        let Some(at) = history.out_at(&out.delivery) else { return Ok(None) };
        let recalled = history.recalled_at(&out.delivery);
        let mut ends: Vec<End> =
            recalled.map(|at| End { at, why: EndWhy::Recalled }).into_iter().collect();
        if !self.stays_with_people(&out.channel) {
            let last = self.contents(&out.manifest).await?.map(|contents| contents.until);
            let over = last.and_then(|last| last.tomorrow().ok()?.to_zoned(bank_zone()).ok());
            ends.extend(over.map(|over| End { at: over.timestamp(), why: EndWhy::Over }));
            ends.extend(self.replaced_at(history, out, at, branch).await?);
        }
        Ok(ends.into_iter().min_by_key(|end| end.at))
    }

    /// When something newer of its series was out in its place.
    async fn replaced_at(
        &self,
        history: &History,
        out: &Out,
        at: Timestamp,
        branch: &BranchId,
    ) -> Result<Option<End>, WorkError> {
        let mut first: Option<End> = None;
        let later = history.pasts.iter().rev().filter(|Past { out: next, .. }| {
            next.slot >= out.slot && next.delivery != out.delivery && is_same_place(next, out)
        });
        for Past { out: next, seen } in later {
            // Later slots go out later still.
            if first.as_ref().is_some_and(|end| end.at <= next.slot) {
                break;
            }
            let Some(newer) = seen.from().filter(|newer| *newer > at) else { continue };
            let contents = self.contents(&next.manifest).await?;
            if contents.is_some_and(|contents| contents.reaches(branch))
                && first.as_ref().is_none_or(|end| newer < end.at)
            {
                first = Some(End { at: newer, why: EndWhy::Replaced(next.delivery.clone()) });
            }
        }
        Ok(first)
    }
}
