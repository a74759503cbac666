//! What a person publishes or decides: now, at a moment, or about a slot that waits.

use super::{Content, Publisher, Subject, WorkError, fire::Firing};
use crate::{
    model::{DeliveryState, LessonId, ScheduleId},
    review::Standing,
    store::{DeliveryFilter, Occurrence, OccurrenceState},
};
use jiff::Timestamp;

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
        let outline = subject.outline(content, order.lessons)?;
        let id = match &subject.schedule {
            Some(entry) => format!("publish-{}", entry.id),
            None => format!("publish-{}-{}", outline.edition.id.series, outline.edition.id.edition),
        };
        let schedule = ScheduleId::new(&id.chars().take(64).collect::<String>())?;
        let state = (OccurrenceState::Fired, String::new());
        let mut firing =
            self.fire(content, &outline, &schedule, order.at, Timestamp::MAX, state).await?;
        if firing.deliveries.is_empty() {
            return Err(WorkError::Refused(firing.occurrence.reason));
        }
        let refused = self.not_approved(&mut firing).await?;
        if firing.deliveries.is_empty() {
            return Err(WorkError::Refused(refused.join("；")));
        }
        if !order.again {
            self.refuse_doubles(&firing).await?;
        }
        if !order.dry_run
            && !self.store.open_occurrence(&firing.occurrence, &firing.deliveries, actor).await?
        {
            return Err(WorkError::Refused(format!("{} 已经发过了", firing.occurrence.id)));
        }
        Ok(firing)
    }

    /// Takes out of a firing what is not approved now: `publish` says so at once instead of
    /// waiting.
    async fn not_approved(&self, firing: &mut Firing) -> Result<Vec<String>, WorkError> {
        let now = self.store.now().await?;
        let mut refused = Vec::new();
        let mut kept = Vec::new();
        for delivery in firing.deliveries.drain(..) {
            let Some(review) = self.store.review_of_manifest(&delivery.manifest).await? else {
                continue;
            };
            let approvals = self.store.approvals(&delivery.manifest).await?;
            let standing =
                crate::review::standing(&review.steps, &approvals, &review.excluded, now);
            if let Standing::Approved { .. } = standing {
                kept.push(delivery);
            } else {
                let why = format!("{}：{standing}", review.number);
                firing.blocked.push((delivery.channel.clone(), vec![why.clone()]));
                refused.push(format!("渠道 {} 没有发：{why}", delivery.channel));
            }
        }
        firing.deliveries = kept;
        if !refused.is_empty() {
            firing.occurrence.state = OccurrenceState::Blocked;
            let mut reasons = vec![firing.occurrence.reason.clone()];
            reasons.extend(refused.clone());
            reasons.retain(|reason| !reason.is_empty());
            firing.occurrence.reason = reasons.join("；");
        }
        Ok(refused)
    }

    async fn refuse_doubles(&self, firing: &Firing) -> Result<(), WorkError> {
        let filter = DeliveryFilter {
            campaign: Some(firing.occurrence.campaign.clone()),
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
            let same = firing.deliveries.iter().any(|new| {
                (&new.channel, &new.target, &new.manifest)
                    == (&old.channel, &old.target, &old.manifest)
            });
            if same && !gone {
                doubles.push(format!("{} {}（{}）", old.id, old.channel, old.state.label()));
            }
        }
        if doubles.is_empty() {
            return Ok(());
        }
        Err(WorkError::Refused(format!(
            "同样的内容已经发过：{}。确实要再发一次，请加 --again",
            doubles.join("、")
        )))
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
            let entry = self
                .config
                .schedules
                .iter()
                .find(|entry| entry.id == occurrence.schedule)
                .ok_or_else(|| {
                    WorkError::Unknown(format!("channels.toml 里没有排期“{}”", occurrence.schedule))
                })?;
            let fired = (OccurrenceState::Fired, String::new());
            let firing = self.firing(content, entry, occurrence.slot, fired.0, fired.1).await?;
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
}
