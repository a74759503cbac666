//! Due slots → occurrences with their deliveries.
//!
//! A slot fires for what people approved: today's content is compared with the approved manifest,
//! channel by channel. What changed keeps only its own channel from going out, and is named.

use super::{Content, Outline, Publisher, WorkError, difference, wire};
use crate::{
    config::ScheduleEntry,
    model::{CampaignId, ChannelId, DeliveryKey, ScheduleId, Window},
    schedule::{self, Verdict},
    store::{DeliveryFilter, NewDelivery, Occurrence, OccurrenceState, Review},
};
use jiff::{Timestamp, tz::TimeZone};
use std::collections::BTreeSet;

/// What became of a slot, or would become of it.
#[derive(Debug, Clone)]
pub struct Firing {
    /// The occurrence.
    pub occurrence: Occurrence,
    /// Its deliveries.
    pub deliveries: Vec<NewDelivery>,
    /// Why channels are missing, by channel.
    pub blocked: Vec<(ChannelId, Vec<String>)>,
}

/// The moment that an outline is to go out at, and whose it is.
#[derive(Debug, Clone)]
pub(super) struct Slot {
    /// The schedule, or what stands for one where a person publishes.
    pub schedule: ScheduleId,
    /// When.
    pub at: Timestamp,
    /// The zone whose days windows are counted in.
    pub zone: TimeZone,
    /// When something newer takes its place.
    pub useful_until: Timestamp,
}

/// What the approvals allow of an outline.
#[derive(Debug, Clone, Default)]
struct Cleared {
    /// Channels whose outputs are what was submitted, with what is approved.
    channels: Vec<(ChannelId, crate::model::Digest, Vec<String>, Timestamp)>,
    /// Why the others may not go.
    blocked: Vec<(ChannelId, Vec<String>)>,
}

impl Publisher {
    /// Looks at one schedule: decides every slot since the last look and fires what is due.
    /// Called again and again; the ledger sees to it that each slot is decided once (P6).
    ///
    /// # Errors
    /// The ledger's. What keeps a slot from firing is written into its occurrence instead.
    pub async fn tick(
        &self,
        content: &Content,
        entry: &ScheduleEntry,
        actor: &str,
    ) -> Result<Vec<Occurrence>, WorkError> {
        let now = self.store.now().await?;
        let decided = self.store.decided_until(&entry.id).await?;
        let calendar = &content.library.calendar;
        let mut occurrences = Vec::new();
        let edition = content.edition(&entry.campaign.to_string())?;
        let window = Window { from: edition.from, until: edition.until };
        for decision in schedule::decide(entry, window, calendar, decided, now) {
            let (state, reason) = match decision.verdict {
                Verdict::Fire => (OccurrenceState::Fired, String::new()),
                Verdict::Hold(reason) => (OccurrenceState::Held, reason),
                Verdict::Skip(reason) => (OccurrenceState::Skipped, reason),
            };
            let mut firing = self.firing(content, entry, decision.slot, state, reason).await?;
            if state == OccurrenceState::Skipped {
                firing.deliveries.clear();
            }
            let opened =
                self.store.open_occurrence(&firing.occurrence, &firing.deliveries, actor).await?;
            if opened {
                occurrences.push(firing.occurrence);
            }
        }
        // A clock that was put back does not make slots due again.
        let until = decided.map_or(now, |decided| decided.max(now));
        self.store.set_decided_until(&entry.id, until).await?;
        self.look_again(content, entry, now, actor).await?;
        Ok(occurrences)
    }

    /// Slots that were blocked fire when what blocked them is mended within the grace; after
    /// that a person decides.
    async fn look_again(
        &self,
        content: &Content,
        entry: &ScheduleEntry,
        now: Timestamp,
        actor: &str,
    ) -> Result<(), WorkError> {
        for occurrence in self.store.occurrences(Some(&entry.id), 20).await? {
            if occurrence.state != OccurrenceState::Blocked {
                continue;
            }
            let late = occurrence.slot.duration_until(now) > entry.grace;
            let firing = self
                .firing(content, entry, occurrence.slot, OccurrenceState::Fired, String::new())
                .await?;
            let fresh = self.missing(&occurrence.id, firing.deliveries).await?;
            if late {
                let reason = format!(
                    "{}；已过了宽限时间，请决定：caishi slots run {id} 或 caishi slots skip {id}",
                    occurrence.reason,
                    id = occurrence.id
                );
                let state = OccurrenceState::Held;
                self.store
                    .decide_occurrence(
                        &occurrence.id,
                        OccurrenceState::Blocked,
                        state,
                        &reason,
                        &[],
                        actor,
                    )
                    .await?;
            } else if !fresh.is_empty() || firing.occurrence.state == OccurrenceState::Fired {
                self.store
                    .decide_occurrence(
                        &occurrence.id,
                        OccurrenceState::Blocked,
                        firing.occurrence.state,
                        &firing.occurrence.reason,
                        &fresh,
                        actor,
                    )
                    .await?;
            }
        }
        Ok(())
    }

    /// Deliveries that the occurrence does not have yet.
    pub(super) async fn missing(
        &self,
        occurrence: &str,
        mut deliveries: Vec<NewDelivery>,
    ) -> Result<Vec<NewDelivery>, WorkError> {
        let filter =
            DeliveryFilter { occurrence: Some(occurrence.to_owned()), ..DeliveryFilter::default() };
        let there: BTreeSet<(ChannelId, String)> = self
            .store
            .deliveries(&filter)
            .await?
            .into_iter()
            .map(|delivery| (delivery.channel, delivery.target))
            .collect();
        deliveries.retain(|new| !there.contains(&(new.channel.clone(), new.target.clone())));
        Ok(deliveries)
    }

    pub(super) async fn firing(
        &self,
        content: &Content,
        entry: &ScheduleEntry,
        slot: Timestamp,
        state: OccurrenceState,
        reason: String,
    ) -> Result<Firing, WorkError> {
        let name = entry.id.as_str();
        let subject = match self.subject(content, name) {
            Ok(subject) => subject,
            Err(error) => {
                let (campaign, reason) = (&entry.campaign, error.to_string());
                return Ok(empty(campaign, &entry.id, slot, state, reason));
            }
        };
        let lessons = subject.lessons_at(slot);
        let outline = match subject.outline(content, &lessons) {
            Ok(outline) => outline,
            Err(error) => {
                let (campaign, reason) = (&entry.campaign, error.to_string());
                return Ok(empty(campaign, &entry.id, slot, state, reason));
            }
        };
        let next = schedule::upcoming(entry, &content.library.calendar, slot, 1)
            .first()
            .map_or(Timestamp::MAX, |next| next.slot);
        let slot = Slot {
            schedule: entry.id.clone(),
            at: slot,
            zone: entry.time_zone.clone(),
            useful_until: next,
        };
        self.fire(content, &outline, &slot, (state, reason)).await
    }

    /// The occurrence of an outline at a slot, with a delivery for every channel whose outputs
    /// are what was submitted. Deliveries without approvals wait for them.
    pub(super) async fn fire(
        &self,
        content: &Content,
        outline: &Outline,
        slot: &Slot,
        (state, reason): (OccurrenceState, String),
    ) -> Result<Firing, WorkError> {
        let cleared = self.clear(content, outline, slot).await?;
        let id = format!("{}@{}", slot.schedule, slot.at);
        let mut deliveries = Vec::new();
        for (channel, manifest, targets, window_end) in &cleared.channels {
            for target in targets {
                deliveries.push(NewDelivery {
                    channel: channel.clone(),
                    target: target.clone(),
                    manifest: *manifest,
                    key: DeliveryKey::new(&id, channel, target, manifest),
                    next_at: slot.at,
                    expires_at: (*window_end).min(slot.useful_until),
                });
            }
        }
        let mut reasons = vec![reason];
        for (channel, why) in &cleared.blocked {
            reasons.push(format!("渠道 {channel} 没有发：{}", why.join("；")));
        }
        reasons.retain(|reason| !reason.is_empty());
        let state = match state {
            OccurrenceState::Fired if !cleared.blocked.is_empty() => OccurrenceState::Blocked,
            other => other,
        };
        if state == OccurrenceState::Held {
            deliveries.clear();
        }
        let occurrence = Occurrence {
            id,
            schedule: slot.schedule.clone(),
            slot: slot.at,
            state,
            reason: reasons.join("；"),
            campaign: outline.edition.id.clone(),
            lessons: outline.lessons.clone(),
        };
        Ok(Firing { occurrence, deliveries, blocked: cleared.blocked })
    }

    /// Compares an outline with what was submitted for the same campaign and lessons.
    async fn clear(
        &self,
        content: &Content,
        outline: &Outline,
        slot: &Slot,
    ) -> Result<Cleared, WorkError> {
        let mut cleared = Cleared::default();
        let reviews = self.store.reviews(Some(&outline.edition.id)).await?;
        let same: Vec<&Review> =
            reviews.iter().filter(|review| review.lessons == outline.lessons).collect();
        // The day it goes out: the slot's, or today for a slot that is made up for later.
        let day = slot.zone.to_datetime(slot.at.max(self.store.now().await?)).date();
        for channel in &outline.channels {
            let id = &channel.entry.id;
            let mut found = None;
            let mut newest_changes = None;
            // Newest first: the newest submission that is what we have today counts.
            for review in &same {
                let Some((_, hash)) = review.manifests.iter().find(|(own, _)| own == id) else {
                    continue;
                };
                let json = self.store.manifest(hash).await?.unwrap_or_default();
                let approved = wire::from_json(&json)?;
                let pack = &outline.rule_pack;
                let changes =
                    difference::changes(&self.store, review, &approved, channel, pack, content)
                        .await?;
                if changes.is_empty() {
                    found = Some((*hash, approved));
                    break;
                }
                newest_changes.get_or_insert((review.number.clone(), changes));
            }
            match (found, newest_changes) {
                (Some((hash, manifest)), _) if manifest.window.contains(day) => {
                    let end = manifest.window.until.tomorrow().unwrap_or(manifest.window.until);
                    let end = end.to_zoned(slot.zone.clone());
                    let end = end.map_or(Timestamp::MAX, |end| end.timestamp());
                    cleared.channels.push((id.clone(), hash, manifest.targets, end));
                }
                (Some((_, manifest)), _) => cleared.blocked.push((
                    id.clone(),
                    vec![format!(
                        "要发的日子 {day} 不在投放日期 {} 至 {} 内，请换一个时间，或改活动、课件的日期后重新送审",
                        manifest.window.from, manifest.window.until
                    )],
                )),
                (None, Some((number, changes))) => {
                    let mut why = vec![format!("送审（{number}）之后有改动")];
                    why.extend(changes);
                    why.push("改回来，或重新送审".to_owned());
                    cleared.blocked.push((id.clone(), why));
                }
                (None, None) => cleared.blocked.push((
                    id.clone(),
                    vec![format!("还没有送审：caishi submit {} --as <代号>", outline.edition.id)],
                )),
            }
        }
        Ok(cleared)
    }
}

/// An occurrence that could not even be outlined.
fn empty(
    campaign: &CampaignId,
    schedule: &ScheduleId,
    slot: Timestamp,
    state: OccurrenceState,
    reason: String,
) -> Firing {
    let state = if state == OccurrenceState::Fired { OccurrenceState::Blocked } else { state };
    Firing {
        occurrence: Occurrence {
            id: format!("{schedule}@{slot}"),
            schedule: schedule.clone(),
            slot,
            state,
            reason,
            campaign: campaign.clone(),
            lessons: Vec::new(),
        },
        deliveries: Vec::new(),
        blocked: Vec::new(),
    }
}
