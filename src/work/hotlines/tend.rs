//! What follows from a change of a number, step by step. Every step is in the ledger when it is
//! done; a service that was stopped goes on where it was.

use super::change::{ChangePlan, Group, GroupState, json_of, lessons_of, plan_of, set_stage};
use crate::{
    deliver::RecallAbility,
    model::{ChannelId, DeliveryState, PersonId},
    review::Standing,
    store::{DeliveryFilter, HotlineChange},
    work::{Content, Publisher, WorkError, intervene::NOT_OUT, publish::Order, recall::RecallPlan},
};
use jiff::SignedDuration;
use std::collections::{BTreeMap, BTreeSet};

/// Rendering a large bank takes some minutes; a service that was killed is waited for no longer.
const LEASE: SignedDuration = SignedDuration::from_mins(6);
/// How long new outputs are waited for before the old ones come down all the same.
const PATIENCE: SignedDuration = SignedDuration::from_mins(10);
/// How often approvals are looked for.
const LOOK: SignedDuration = SignedDuration::from_secs(10);

impl Publisher {
    /// Lets what failed be tried again.
    ///
    /// # Errors
    /// [`WorkError::Unknown`], [`WorkError::Refused`] where nothing failed.
    pub async fn retry_hotline_change(&self, id: &str, actor: &str) -> Result<(), WorkError> {
        let missing = || WorkError::Unknown(format!("没有热线变更 {id}"));
        let mut change = self.store.hotline_change(id).await?.ok_or_else(missing)?;
        let mut plan = plan_of(&change)?;
        let mut failed = 0;
        for group in plan.groups.iter_mut().filter(|group| group.state == GroupState::Failed) {
            // What was made may have been returned, or the texts have changed since: submitting
            // again gives the same number where nothing has.
            if group.published.is_none() {
                group.review = None;
            }
            let submitted = group.review.is_some();
            group.state = if submitted { GroupState::Submitted } else { GroupState::Waiting };
            failed += 1;
        }
        if failed == 0 {
            return Err(WorkError::Refused("没有要再试的".to_owned()));
        }
        change.open = true;
        change.plan = json_of(&plan)?;
        let now = self.store.now().await?;
        let subject = format!("hotline/{}", change.hotline);
        self.store.audit(actor, "hotline.retry", &subject, id).await?;
        Ok(self.store.save_hotline_change(&change, now).await?)
    }

    /// Takes one open change further; whether there was one.
    ///
    /// # Errors
    /// The ledger's. What cannot be done is noted in the change instead.
    pub async fn tend_hotline_changes(&self) -> Result<bool, WorkError> {
        let Some(mut change) = self.store.claim_hotline_change(LEASE).await? else {
            return Ok(false);
        };
        let mut plan = plan_of(&change)?;
        for index in 0..plan.groups.len() {
            let mut group = plan.groups[index].clone();
            let done = self.step(&change, &plan, &mut group).await;
            if let Err(error) = done {
                group.state = GroupState::Failed;
                group.notes.push(match error {
                    WorkError::Faults(faults) => faults.join("；"),
                    other => other.to_string(),
                });
            }
            plan.groups[index] = group;
            change.plan = json_of(&plan)?;
            let now = self.store.now().await?;
            let held = now.saturating_add(LEASE).unwrap_or(now);
            self.store.save_hotline_change(&change, held).await?;
        }
        let is_open =
            |group: &Group| matches!(group.state, GroupState::Waiting | GroupState::Submitted);
        change.open = plan.groups.iter().any(is_open);
        let now = self.store.now().await?;
        self.store.save_hotline_change(&change, now.saturating_add(LOOK).unwrap_or(now)).await?;
        Ok(true)
    }

    async fn step(
        &self,
        change: &HotlineChange,
        plan: &ChangePlan,
        group: &mut Group,
    ) -> Result<(), WorkError> {
        // What is not out yet must not go out any more, whatever is approved when.
        if !group.stopped {
            self.take_old_down(change, group, true).await?;
            group.stopped = true;
        }
        if plan.at_once && !group.recalled {
            self.take_old_down(change, group, false).await?;
        }
        if group.state == GroupState::Waiting {
            group.review = Some(self.submit_again(change, group).await?);
            group.state = GroupState::Submitted;
        }
        let (GroupState::Submitted, Some(number)) = (group.state, group.review.clone()) else {
            return Ok(());
        };
        let Some(review) = self.store.review(&number).await? else {
            return Err(WorkError::Refused(format!("{number} 不在了，请再试一次")));
        };
        let standings = self.standing(&review).await?;
        if let Some(Standing::Rejected { by, note }) =
            standings.iter().find(|standing| matches!(standing, Standing::Rejected { .. }))
        {
            return Err(WorkError::Refused(format!("{number} 被 {by} 退回：{note}")));
        }
        if !standings.iter().all(|standing| matches!(standing, Standing::Approved { .. })) {
            return Ok(());
        }
        if plan.republish && !group.channels.is_empty() && group.published.is_none() {
            group.published = Some(self.publish_again(change, group).await?);
        }
        if !group.recalled {
            // The new ones first, so that nothing is empty in between; but not for ever.
            if self.is_on_its_way(group).await? {
                return Ok(());
            }
            self.take_old_down(change, group, false).await?;
            self.note_gaps(group).await?;
        }
        group.state = GroupState::Done;
        Ok(())
    }

    /// Makes the outputs with the new number and hands them to the reviewers.
    async fn submit_again(
        &self,
        change: &HotlineChange,
        group: &Group,
    ) -> Result<String, WorkError> {
        let publisher = self.clone();
        let (change, group) = (change.clone(), group.clone());
        let handle = tokio::runtime::Handle::current();
        // Rendering keeps a thread busy.
        let made = tokio::task::spawn_blocking(move || {
            handle.block_on(async move {
                let content = Content::load(&publisher.config)?;
                let subject = publisher.subject(&content, &group.subject)?;
                let outline = subject.outline(&content, &lessons_of(&group)?)?;
                let author = PersonId::new(&change.actor)?;
                let watch = |settled, total| set_stage(Some((change.id.clone(), settled, total)));
                publisher.submit(&content, &outline, &author, &watch).await
            })
        });
        let made = made.await;
        set_stage(None);
        let made = made.map_err(|error| WorkError::Refused(format!("没有生成完：{error}")))?;
        Ok(made?.0.number)
    }

    async fn publish_again(
        &self,
        change: &HotlineChange,
        group: &mut Group,
    ) -> Result<String, WorkError> {
        let content = Content::load(&self.config)?;
        let mut subject = self.subject(&content, &group.subject)?;
        subject.channels.retain(|entry| group.channels.contains(&entry.id.to_string()));
        let lessons = lessons_of(group)?;
        // Approvals are for whole submissions: what goes out must be what they hold.
        let at = crate::work::clock::this_second(self.store.now().await?);
        let order = Order { lessons: &lessons, at, again: false, dry_run: false };
        let firing = self.publish(&content, &subject, &order, &change.actor).await?;
        for (channel, why) in &firing.blocked {
            group.notes.push(format!("渠道 {channel} 没有重新投放：{}", why.join("；")));
        }
        Ok(firing.occurrence.id)
    }

    /// Whether the new outputs were queued a moment ago and are not there yet.
    async fn is_on_its_way(&self, group: &Group) -> Result<bool, WorkError> {
        let Some(id) = &group.published else { return Ok(false) };
        let Some(occurrence) = self.store.occurrence(id).await? else { return Ok(false) };
        let age = occurrence.slot.duration_until(self.store.now().await?);
        if age > PATIENCE {
            return Ok(false);
        }
        let filter = DeliveryFilter { occurrence: Some(id.clone()), ..DeliveryFilter::default() };
        let deliveries = self.store.deliveries(&filter).await?;
        Ok(deliveries.iter().any(|delivery| !delivery.state.is_terminal()))
    }

    /// Says where the old number is gone and the new outputs did not arrive.
    async fn note_gaps(&self, group: &mut Group) -> Result<(), WorkError> {
        let Some(id) = &group.published else { return Ok(()) };
        let filter = DeliveryFilter { occurrence: Some(id.clone()), ..DeliveryFilter::default() };
        for delivery in self.store.deliveries(&filter).await? {
            if !matches!(delivery.state, DeliveryState::Confirmed | DeliveryState::Accepted) {
                group.notes.push(format!(
                    "渠道 {} 现在什么都没有：旧的撤下了，新的{}（{}）",
                    delivery.channel,
                    delivery.state.label(),
                    delivery.id
                ));
            }
        }
        Ok(())
    }

    /// Takes down what shows the old number, or only calls off what is not out yet.
    async fn take_old_down(
        &self,
        change: &HotlineChange,
        group: &mut Group,
        only_waiting: bool,
    ) -> Result<(), WorkError> {
        let mut deliveries = Vec::new();
        for id in &group.deliveries {
            let delivery = self.store.delivery(id).await?;
            let wanted = if only_waiting {
                NOT_OUT.contains(&delivery.state)
            } else {
                delivery.state != DeliveryState::Recalled
            };
            if wanted {
                deliveries.push(delivery);
            }
        }
        let plan = RecallPlan { deliveries, lesson: None, along: BTreeMap::new() };
        let note = format!("热线 {} 换了号码（{}）", change.hotline, change.id);
        let mut left = BTreeSet::new();
        for line in self.recall(plan, &note, &change.actor).await? {
            let delivery = &line.delivery;
            let note = format!("{} {}：{}", delivery.id, delivery.channel, line.detail);
            if !group.notes.contains(&note) {
                group.notes.push(note);
            }
            let is_over =
                matches!(delivery.state, DeliveryState::Recalled | DeliveryState::Cancelled);
            if !line.complete && !is_over && !self.stays(&delivery.channel) {
                left.insert(delivery.id.clone());
            }
        }
        if only_waiting || left.is_empty() {
            group.recalled |= !only_waiting;
            return Ok(());
        }
        let left: Vec<String> = left.into_iter().collect();
        Err(WorkError::Refused(format!("还没有撤下：{}；处理后再试一次", left.join("、"))))
    }

    /// Whether nothing can be taken down over a channel: then nobody waits for it.
    fn stays(&self, channel: &ChannelId) -> bool {
        let known = self.channels.get(channel);
        known.is_some_and(|it| matches!(it.capability().recall, RecallAbility::None(_)))
    }
}
