//! The code of an edition: a new one never takes another's place, and what the ledger knows keeps
//! its own.

use super::{Content, Publisher, WorkError, campaigns::Draft};
use crate::model::{Campaign, CampaignId, Lesson};

/// Why an edition cannot have its code in this series: another one has it, or the one that it takes
/// the place of is not there.
pub(super) fn taken(series: Option<&Campaign>, draft: &Draft) -> Option<String> {
    let id = &draft.edition.id;
    let editions = series.map(|series| series.editions.as_slice()).unwrap_or_default();
    let find = |id: &CampaignId| editions.iter().find(|one| one.id == *id);
    if draft.replaces.as_ref() == Some(id) {
        return None;
    }
    if let Some(old) = draft.replaces.as_ref().filter(|old| old.series != id.series) {
        return Some(format!(
            "系列：{old} 不能挪到系列 {} 里，改回 {}；要在那里另起一期，用“照着再做一期”",
            id.series, old.series
        ));
    }
    if let Some(other) = find(id) {
        return Some(format!(
            "期次代号“{}”：{} 这一期已经有了（{}，{} 至 {}），换一个代号；要改那一期，从“活动”里按它的“改”",
            id.edition, id, other.name, other.from, other.until
        ));
    }
    let replaced = draft.replaces.as_ref()?;
    let gone = || {
        format!("文件里没有 {replaced} 这一期了（别人改了代号，或把它删了）；回到“活动”再看一遍")
    };
    find(replaced).is_none().then(gone)
}

impl Publisher {
    /// That an edition may get another code: nothing in the ledger, no lesson, and no schedule
    /// outside of its file, knows it by the old one.
    pub(super) async fn may_be_renamed(
        &self,
        content: &Content,
        draft: &Draft,
    ) -> Result<(), WorkError> {
        let id = &draft.edition.id;
        let Some(old) = draft.replaces.as_ref().filter(|old| *old != id) else { return Ok(()) };
        let Some(why) = self.why_known(content, old).await? else { return Ok(()) };
        Err(WorkError::Faults(vec![format!(
            "期次代号：“{}”改不成“{}”：{why}。改回“{}”再保存；要另起一期，用“照着再做一期”",
            old.edition, id.edition, old.edition
        )]))
    }
    /// Why an edition cannot go from its file: something outside of it knows it.
    pub(super) async fn why_known(
        &self,
        content: &Content,
        id: &CampaignId,
    ) -> Result<Option<String>, WorkError> {
        let own = content.library.edition(id).map(|edition| edition.schedules.as_slice());
        let own = own.unwrap_or_default();
        let mut others = content.schedules.iter().filter(|entry| entry.campaign == *id);
        let other = others.find(|entry| own.iter().all(|one| one.id != entry.id));
        let named = |lesson: &&Lesson| {
            lesson.variants.values().any(|variant| variant.campaigns.contains(id))
        };
        Ok(if let Some(entry) = other {
            Some(format!("channels.toml 的排期 {} 指着它", entry.id))
        } else if let Some(lesson) = content.library.lessons.iter().find(named) {
            Some(format!("课件 {} 的前言 campaigns 里写着它", lesson.id))
        } else {
            let reviews = self.store.reviews(Some(id)).await?;
            let told = |number: &String| format!("它送过审（{number}），台账按这个代号记着它");
            reviews.first().map(|review| told(&review.number))
        })
    }
}
