//! Due slots → occurrences with their deliveries.
//!
//! A slot fires for what people approved: today's content is compared with the approved manifest,
//! channel by channel. What changed keeps only its own channel from going out, and is named.

use super::{Content, Outline, Publisher, WorkError, difference, wire};
use crate::{
    model::{CampaignId, ChannelId, DeliveryKey, ScheduleEntry, ScheduleId, SlotMove, Window},
    schedule::{self, Timetable, Verdict},
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
    /// What tells it apart; the same as `at` unless a person moved it.
    pub name: Timestamp,
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
        let moves = self.store.slot_moves(&entry.id).await?;
        let decisions = match Timetable::new(entry, window, calendar) {
            Ok(timetable) => timetable.with_moves(&moves).decide_all(decided, now),
            Err(_) => Vec::new(),
        };
        for decision in decisions {
            let (state, reason) = match decision.verdict {
                Verdict::Fire => (OccurrenceState::Fired, String::new()),
                Verdict::Hold(reason) => (OccurrenceState::Held, reason),
                Verdict::Skip(reason) => (OccurrenceState::Skipped, reason),
            };
            let mut firing =
                self.firing(content, entry, decision.slot, &moves, (state, reason)).await?;
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
        let moves = self.store.slot_moves(&entry.id).await?;
        for occurrence in self.store.occurrences(Some(&entry.id), 20).await? {
            if occurrence.state != OccurrenceState::Blocked {
                continue;
            }
            let late = occurrence.due.duration_until(now) > entry.grace;
            let fired = (OccurrenceState::Fired, String::new());
            let firing = self.firing(content, entry, occurrence.slot, &moves, fired).await?;
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
        name: Timestamp,
        moves: &[SlotMove],
        (state, reason): (OccurrenceState, String),
    ) -> Result<Firing, WorkError> {
        let moved = moves.iter().find(|one| one.slot == name);
        let at = moved.map_or(name, |moved| moved.due);
        let next = schedule::upcoming_moved(entry, &content.library.calendar, moves, at, 1);
        let slot = Slot {
            schedule: entry.id.clone(),
            name,
            at,
            zone: entry.time_zone.clone(),
            useful_until: next.first().map_or(Timestamp::MAX, |next| next.due),
        };
        let mut reasons = vec![moved.map(|moved| moved_text(moved, &slot.zone)), Some(reason)];
        reasons.retain(|reason| reason.as_ref().is_some_and(|reason| !reason.is_empty()));
        let reason = reasons.into_iter().flatten().collect::<Vec<_>>().join("；");
        let outlined = self.subject(content, entry.id.as_str()).and_then(|subject| {
            let lessons = subject.lessons_at(name);
            subject.outline(content, &lessons)
        });
        match outlined {
            Ok(outline) => self.fire(content, &outline, &slot, (state, reason)).await,
            Err(error) => Ok(empty(&entry.campaign, &slot, state, error.to_string())),
        }
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
        let id = format!("{}@{}", slot.schedule, slot.name);
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
            slot: slot.name,
            due: slot.at,
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

/// That a slot was moved, for its occurrence.
fn moved_text(moved: &SlotMove, zone: &TimeZone) -> String {
    let shown = |at: Timestamp| zone.to_datetime(at).strftime("%m-%d %H:%M").to_string();
    let (from, to) = (shown(moved.slot), shown(moved.due));
    format!("{} 从 {from} 改到 {to}（{}）", moved.by, moved.reason)
}

/// An occurrence that could not even be outlined.
fn empty(campaign: &CampaignId, slot: &Slot, state: OccurrenceState, reason: String) -> Firing {
    let state = if state == OccurrenceState::Fired { OccurrenceState::Blocked } else { state };
    Firing {
        occurrence: Occurrence {
            id: format!("{}@{}", slot.schedule, slot.name),
            schedule: slot.schedule.clone(),
            slot: slot.name,
            due: slot.at,
            state,
            reason,
            campaign: campaign.clone(),
            lessons: Vec::new(),
        },
        deliveries: Vec::new(),
        blocked: Vec::new(),
    }
}
