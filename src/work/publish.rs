//! What a person publishes or decides: now, at a moment, or about a slot that waits.

use super::{
    Content, Publisher, Subject, WorkError,
    clock::shanghai,
    fire::{Firing, Slot},
};
use crate::{
    model::{ChannelId, DeliveryState, LessonId, ScheduleId},
    review::Standing,
    store::{DeliveryFilter, NewDelivery, Occurrence, OccurrenceState},
};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Order<'a> {
    /// The lessons.
    pub lessons: &'a [LessonId],
    /// When.
    pub at: Timestamp,
    /// Whether the same bytes may go over the same channel again.
    pub again: bool,
    /// Whether it is only asked what would happen.
    pub dry_run: bool,
}

impl Publisher {
    /// Publishes a subject once. Nothing is written in a dry run.
    ///
    /// # Errors
    /// [`WorkError::Refused`] where the same bytes went over the same channel before and
    /// [`Order::again`] is not said, or where nothing at all may go; why is said.
    pub async fn publish(
        &self,
        content: &Content,
        subject: &Subject,
        order: &Order<'_>,
        actor: &str,
    ) -> Result<Firing, WorkError> {
        let firing = self.ordered(content, subject, order.lessons, order.at).await?;
        if firing.deliveries.is_empty() {
            return Err(WorkError::Refused(firing.occurrence.reason));
        }
        if !order.again {
            let doubles = self.doubles(&firing.occurrence, &firing.deliveries).await?;
            if !doubles.is_empty() {
                return Err(WorkError::Refused(format!(
                    "同样的内容已经发过：{doubles}。确实要再发一次，请加 --again"
                )));
            }
        }
        if !order.dry_run
            && !self.store.open_occurrence(&firing.occurrence, &firing.deliveries, actor).await?
        {
            return Err(WorkError::Refused(format!("{} 已经发过了", firing.occurrence.id)));
        }
        Ok(firing)
    }

    /// What a person's order would send now, without what is not approved.
    async fn ordered(
        &self,
        content: &Content,
        subject: &Subject,
        lessons: &[LessonId],
        at: Timestamp,
    ) -> Result<Firing, WorkError> {
        let outline = subject.outline(content, lessons)?;
        let zone = subject.schedule.as_ref().map(|entry| entry.time_zone.clone());
        let slot = Slot {
            schedule: stand_in(subject)?,
            name: at,
            at,
            zone: zone.unwrap_or_else(|| shanghai(at).time_zone().clone()),
            useful_until: Timestamp::MAX,
        };
        let state = (OccurrenceState::Fired, String::new());
        let mut firing = self.fire(content, &outline, &slot, state).await?;
        self.take_out_unapproved(&mut firing).await?;
        Ok(firing)
    }

    /// Takes out of a firing what is not approved now: a person who publishes is told at once
    /// instead of waiting.
    async fn take_out_unapproved(&self, firing: &mut Firing) -> Result<(), WorkError> {
        let now = self.store.now().await?;
        let mut refused: BTreeMap<ChannelId, String> = BTreeMap::new();
        let mut kept = Vec::new();
        for delivery in firing.deliveries.drain(..) {
            let why = match self.store.review_of_manifest(&delivery.manifest).await? {
                None => format!(
                    "清单 {} 没有送审记录，请重新送审：caishi submit {} --as <代号>",
                    delivery.manifest, firing.occurrence.campaign
                ),
                Some(review) => {
                    let approvals = self.store.approvals(&delivery.manifest).await?;
                    let standing =
                        crate::review::standing(&review.steps, &approvals, &review.excluded, now);
                    if let Standing::Approved { .. } = standing {
                        kept.push(delivery);
                        continue;
                    }
                    format!("{}：{standing}", review.number)
                }
            };
            refused.insert(delivery.channel, why);
        }
        firing.deliveries = kept;
        for (channel, why) in refused {
            let occurrence = &mut firing.occurrence;
            occurrence.state = OccurrenceState::Blocked;
            if !occurrence.reason.is_empty() {
                occurrence.reason.push('；');
            }
            occurrence.reason.push_str(&format!("渠道 {channel} 没有发：{why}"));
            firing.blocked.push((channel, vec![why]));
        }
        Ok(())
    }

    /// Deliveries of the campaign that carried the same bytes over the same channel, in Chinese;
    /// empty where there is none.
    async fn doubles(
        &self,
        occurrence: &Occurrence,
        deliveries: &[NewDelivery],
    ) -> Result<String, WorkError> {
        let filter = DeliveryFilter {
            campaign: Some(occurrence.campaign.clone()),
            ..DeliveryFilter::default()
        };
        let mut doubles = Vec::new();
        for old in self.store.deliveries(&filter).await? {
            let gone = matches!(
                old.state,
                DeliveryState::Dead
                    | DeliveryState::Cancelled
                    | DeliveryState::Expired
                    | DeliveryState::Recalled
            );
            let same = deliveries.iter().any(|new| {
                (&new.channel, &new.target, &new.manifest)
                    == (&old.channel, &old.target, &old.manifest)
            });
            if same && !gone {
                doubles.push(format!("{} {}（{}）", old.id, old.channel, old.state.label()));
            }
        }
        Ok(doubles.join("、"))
    }

    /// A person runs or skips a held or blocked slot.
    ///
    /// # Errors
    /// Where there is no such occurrence, or it is decided already.
    pub async fn decide_slot(
        &self,
        content: &Content,
        id: &str,
        run: bool,
        actor: &str,
    ) -> Result<Occurrence, WorkError> {
        let occurrence =
            self.store.occurrence(id).await?.ok_or_else(|| {
                WorkError::Unknown(format!("没有排期 {id}，看一眼：caishi slots"))
            })?;
        if !matches!(occurrence.state, OccurrenceState::Held | OccurrenceState::Blocked) {
            return Err(WorkError::Refused(format!("{id} 已经有结果了，不需要再决定")));
        }
        let from = occurrence.state;
        if run {
            let firing = self.made_up(content, &occurrence).await?;
            let fresh = self.missing(id, firing.deliveries).await?;
            if fresh.is_empty() && !firing.blocked.is_empty() {
                return Err(WorkError::Refused(firing.occurrence.reason));
            }
            let reason = format!("{actor} 决定补发；{}", firing.occurrence.reason);
            self.store
                .decide_occurrence(id, from, firing.occurrence.state, &reason, &fresh, actor)
                .await?;
        } else {
            let reason = format!("{}；{actor} 决定跳过", occurrence.reason);
            self.store
                .decide_occurrence(id, from, OccurrenceState::Skipped, &reason, &[], actor)
                .await?;
        }
        self.store.occurrence(id).await?.ok_or_else(|| WorkError::Unknown(format!("没有排期 {id}")))
    }

    /// What a slot that waits would send now: of a schedule, or of what a person published.
    async fn made_up(
        &self,
        content: &Content,
        occurrence: &Occurrence,
    ) -> Result<Firing, WorkError> {
        let schedules = &content.schedules;
        if let Some(entry) = schedules.iter().find(|entry| entry.id == occurrence.schedule) {
            let fired = (OccurrenceState::Fired, String::new());
            let moves = self.store.slot_moves(&entry.id).await?;
            return self.firing(content, entry, occurrence.slot, &moves, fired).await;
        }
        let campaign = occurrence.campaign.to_string();
        let names = schedules.iter().map(|entry| entry.id.as_str()).chain([campaign.as_str()]);
        for name in names {
            let Ok(subject) = self.subject(content, name) else { continue };
            if subject.edition.id == occurrence.campaign
                && stand_in(&subject)? == occurrence.schedule
            {
                let lessons = &occurrence.lessons;
                return self.ordered(content, &subject, lessons, occurrence.slot).await;
            }
        }
        Err(WorkError::Unknown(format!(
            "没有排期“{}”，也没有它的活动 {campaign}。\
             改回名字再补发，或跳过：caishi slots skip {}",
            occurrence.schedule, occurrence.id
        )))
    }
}

/// What stands for a schedule where a person publishes a subject.
fn stand_in(subject: &Subject) -> Result<ScheduleId, WorkError> {
    let id = match &subject.schedule {
        Some(entry) => format!("publish-{}", entry.id),
        None => format!("publish-{}-{}", subject.edition.id.series, subject.edition.id.edition),
    };
    Ok(ScheduleId::new(&id.chars().take(64).collect::<String>())?)
}
