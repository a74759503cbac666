//! What an edition that somebody plans does otherwise than they may mean: channels that get nothing,
//! schedules that fire often, more slots than a channel may send.

use super::{Content, Publisher, WorkError, books::StoreBooks, clock::shanghai, plan};
use crate::{
    config::ChannelEntry,
    deliver::{Books as _, Channel, QuotaWindow},
    model::{
        Audience, ChannelId, Edition, OutputKind,
        schedule::{parse_rule, shortest_gap},
        suggest,
    },
    render::{palette::Palettes, templates::BUILT_IN_PALETTES},
    schedule::Verdict,
};
use jiff::{SignedDuration, Timestamp, civil::Date};
use std::collections::BTreeMap;

/// How far ahead slots are counted against the quotas of channels.
const AHEAD: SignedDuration = SignedDuration::from_hours(24 * 70);

impl Publisher {
    /// What is to be confirmed of an edition before it is saved, and what is only worth a word.
    pub(super) async fn cautions(
        &self,
        content: &Content,
        edition: &Edition,
    ) -> Result<(Vec<String>, Vec<String>), WorkError> {
        let mut cautions = self.unreached(content, edition);
        cautions.extend(dense(content, edition));
        cautions.extend(self.over_quota(content, edition).await?);
        let mut silent = Vec::new();
        // Where no channel was chosen, one that takes other readers is not missed.
        if edition.reach.channels.is_empty() {
            let channels = self.config.channels.iter();
            silent.extend(channels.filter_map(|entry| wrong_readers(edition, entry)));
        }
        Ok((cautions, silent))
    }

    /// Channels that were chosen and would get nothing.
    fn unreached(&self, content: &Content, edition: &Edition) -> Vec<String> {
        let own = || content.schedules.iter().filter(|entry| entry.campaign == edition.id);
        let chosen = |id: &&ChannelId| self.config.channels.iter().find(|entry| entry.id == **id);
        let mut cautions = Vec::new();
        for entry in edition.reach.channels.iter().filter_map(|id| chosen(&id)) {
            if let Some(why) = nothing_for(content, edition, entry) {
                cautions.push(why);
            } else if own().next().is_some() && !own().any(|one| one.channels.contains(&entry.id)) {
                let names: Vec<&str> = own().map(|one| one.id.as_str()).collect();
                cautions.push(format!(
                    "渠道 {} 没有可发的：排期 {} 自己写了 channels，里面没有它。\
                     在文件里给排期补上它，或不勾它",
                    entry.id,
                    names.join("、")
                ));
            }
        }
        cautions
    }

    /// Channels that may not send as often as the edition would want with everything else that is
    /// scheduled; what is too much is put off by itself.
    async fn over_quota(
        &self,
        content: &Content,
        edition: &Edition,
    ) -> Result<Vec<String>, WorkError> {
        if !content.schedules.iter().any(|entry| entry.campaign == edition.id) {
            return Ok(Vec::new());
        }
        let now = self.store.now().await?;
        let until = now.checked_add(AHEAD).unwrap_or(Timestamp::MAX);
        let coming = self.coming_slots(content, now, until).await?;
        let mut cautions = Vec::new();
        for (id, channel) in &self.channels {
            let Some(limit) = channel.send_limit() else { continue };
            let first = |due: Timestamp| window_of(limit.window, due);
            let mut wanted: BTreeMap<Date, (usize, bool)> = BTreeMap::new();
            for slot in coming.iter().filter(|slot| slot.verdict == Verdict::Fire) {
                let count = self.on_account(channel.as_ref(), &slot.channels);
                let own = slot.campaign == edition.id && slot.channels.contains(id);
                let sum = wanted.entry(first(slot.due)).or_default();
                *sum = (sum.0 + count, sum.1 || own);
            }
            let used = StoreBooks::of_channel(&self.store, &channel.account(), "plan")
                .quota_used(limit.call, limit.window)
                .await
                .unwrap_or(0);
            for (day, (count, own)) in wanted {
                let used = if day == first(now) { used } else { 0 };
                let left = limit.times.saturating_sub(used);
                if own && count > usize::try_from(left).unwrap_or(usize::MAX) {
                    cautions.push(exceeded(id, limit.what, limit.window, day, (left, count)));
                    break;
                }
            }
        }
        Ok(cautions)
    }

    /// How many of these channels send over the account of this one.
    pub(crate) fn on_account(&self, channel: &dyn Channel, ids: &[ChannelId]) -> usize {
        let account = channel.account();
        let own = |id: &&ChannelId| {
            self.channels
                .get(*id)
                .is_some_and(|other| other.account() == account && other.send_limit().is_some())
        };
        ids.iter().filter(own).count()
    }

    /// That the colours of an edition are not among those there are.
    pub(super) fn unknown_palette(&self, edition: &Edition) -> Option<String> {
        let palette = edition.palette.as_deref()?;
        let mut replaced = self.config.read_templates().ok()?;
        let text = replaced.remove("palettes.toml");
        let palettes = Palettes::parse(text.as_deref().unwrap_or(BUILT_IN_PALETTES)).ok()?;
        let names: Vec<&str> = palettes.campaigns().map(|(name, _)| name).collect();
        let known = suggest::known(palette, names.iter().copied());
        let said = || format!("配色“{palette}”没有：{known}空着用主题自己的");
        (!names.contains(&palette)).then(said)
    }
}

/// The first day of the time over which a quota counts.
fn window_of(window: QuotaWindow, at: Timestamp) -> Date {
    let day = shanghai(at).date();
    if window == QuotaWindow::Month { day.first_of_month() } else { day }
}

fn exceeded(
    id: &ChannelId,
    what: &str,
    window: QuotaWindow,
    day: Date,
    (left, count): (u32, usize),
) -> String {
    let when = match window {
        QuotaWindow::Month => day.strftime("%Y-%m").to_string(),
        _ => day.to_string(),
    };
    format!(
        "渠道 {id} 在 {when} 还能{what} {left} 次，连同别的排期排了 {count} 次：多出来的会往后顺延，\
         可能过了日子发不出去。排疏一些，或不勾这个渠道"
    )
}

fn labels(audiences: &[Audience]) -> String {
    audiences.iter().map(|one| one.label()).collect::<Vec<_>>().join("、")
}

/// That a channel takes none of the readers whom an edition is for.
fn wrong_readers(edition: &Edition, entry: &ChannelEntry) -> Option<String> {
    let wanted = &edition.reach.audiences;
    let meets = wanted.is_empty() || entry.audiences.iter().any(|one| wanted.contains(one));
    (!meets).then(|| {
        format!(
            "渠道 {} 没有可发的：它只收{}，这一期只给{}",
            entry.id,
            labels(&entry.audiences),
            labels(wanted)
        )
    })
}

/// Why a channel would get nothing of an edition, where it would not.
fn nothing_for(content: &Content, edition: &Edition, entry: &ChannelEntry) -> Option<String> {
    if let Some(why) = wrong_readers(edition, entry) {
        return Some(format!("{why}。读者里补上它收的，或不勾这个渠道"));
    }
    let mut narrowed = entry.clone();
    if !edition.reach.audiences.is_empty() {
        narrowed.audiences.retain(|one| edition.reach.audiences.contains(one));
    }
    if plan::carries_anything(content, &edition.lessons, &narrowed) {
        return None;
    }
    let readers = labels(&narrowed.audiences);
    if plan::carried(&content.library, &edition.lessons, &narrowed).next().is_none() {
        return Some(format!(
            "渠道 {} 没有可发的：它收{readers}，选的课都没有{readers}。换课，或不勾这个渠道",
            entry.id
        ));
    }
    let outputs: Vec<&str> = entry.outputs.iter().map(|one: &OutputKind| one.label()).collect();
    Some(format!(
        "渠道 {} 没有可发的：它发{}，选的课都不出这些。换课，或不勾这个渠道",
        entry.id,
        outputs.join("、")
    ))
}

/// Schedules that fire more often than once a day.
fn dense(content: &Content, edition: &Edition) -> Vec<String> {
    let own = content.schedules.iter().filter(|entry| entry.campaign == edition.id);
    own.filter_map(|entry| {
        let gap = shortest_gap(&parse_rule(&entry.rule).ok()?)?;
        let minutes = gap.as_mins();
        let said = if minutes < 60 {
            format!("每 {minutes} 分钟就发一次")
        } else {
            format!("一天不止发一次（最密时隔 {} 小时）", minutes / 60)
        };
        let id = &entry.id;
        (gap < SignedDuration::from_hours(24))
            .then(|| format!("排期 {id} {said}，规则是 {}：确认要这么密，或改疏", entry.rule))
    })
    .collect()
}
