//! What follows from a change of a number, step by step. Every step is in the ledger when it is
//! done; a service that was stopped goes on where it was.

use super::{
    change::set_stage,
    file::{self, why},
    plan::{ChangePlan, Group, GroupState, lessons_of, plan_of},
};
use crate::{
    deliver::RecallAbility,
    model::{ChannelId, DeliveryState},
    review::Standing,
    store::{ChangeNote, DeliveryFilter, HotlineChange},
    work::{
        Content, Publisher, WorkError, intervene::NOT_OUT, people::person_of_actor, publish::Order,
        recall::RecallPlan,
    },
};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// Rendering a large bank takes some minutes; a service that was killed is waited for no longer.
const LEASE: SignedDuration = SignedDuration::from_mins(6);
/// How long new outputs are waited for before the old ones come down all the same.
const PATIENCE: SignedDuration = SignedDuration::from_mins(10);
/// So many changes are looked through for those that wait for a person.
const NEWEST: u32 = 30;
/// How often approvals are looked for.
const LOOK: SignedDuration = SignedDuration::from_secs(10);

fn later(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.saturating_add(by).unwrap_or(now)
}

/// What failed of a plan is to be done again.
fn again(plan: &mut ChangePlan) -> Result<(), WorkError> {
    if let Some(ended) = &plan.ended {
        return Err(WorkError::Refused(format!("这次变更已经了结：{ended}")));
    }
    let mut to_do = 0;
    if plan.stuck.take().is_some() {
        // Whoever tries again has seen what the file says, and wants the new number all the same.
        plan.over = plan.found.take();
        plan.written = false;
        to_do += 1;
    }
    for group in plan.groups.iter_mut().filter(|group| group.state == GroupState::Failed) {
        // What was made may have been returned, or the texts have changed since: submitting again
        // gives the same number where nothing has.
        if group.published.is_none() {
            group.review = None;
        }
        let submitted = group.review.is_some();
        group.state = if submitted { GroupState::Submitted } else { GroupState::Waiting };
        to_do += 1;
    }
    if to_do == 0 {
        return Err(WorkError::Refused("没有要再试的：都在办，或刚有人按过了".to_owned()));
    }
    Ok(())
}

impl Publisher {
    /// Lets what failed be tried again, or what waits for a person go on: the file then says what
    /// the change says.
    ///
    /// # Errors
    /// [`WorkError::Unknown`], [`WorkError::Refused`] where nothing failed, or somebody else was
    /// quicker.
    pub async fn retry_hotline_change(&self, id: &str, actor: &str) -> Result<(), WorkError> {
        let note = ChangeNote { actor, action: "hotline.retry", text: "再试一次" };
        self.amend_change(id, None, Some(note), again).await.map(drop)
    }

    /// The newest changes that wait for a person, each with why.
    ///
    /// # Errors
    /// The ledger's.
    pub async fn hotlines_for_people(&self) -> Result<Vec<(HotlineChange, String)>, WorkError> {
        let mut waiting = Vec::new();
        for change in self.store.hotline_changes(NEWEST).await? {
            let plan = plan_of(&change)?;
            if let Some(why) = plan.for_people() {
                waiting.push((change, why));
            }
        }
        Ok(waiting)
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
        let groups = plan.groups.len();
        // Once for the file alone, then before each group: somebody may edit it at any time.
        for index in std::iter::once(None).chain((0..groups).map(Some)) {
            (change, plan) = self.look_at_file(change, plan).await?;
            if !change.open || !plan.written {
                return Ok(true);
            }
            let Some(began) = index.map(|index| plan.groups[index].clone()) else { continue };
            // What failed waits for a person.
            if matches!(began.state, GroupState::Failed | GroupState::Done) {
                continue;
            }
            let mut group = began.clone();
            if let Err(error) = self.step(&change, &plan, &mut group).await {
                group.state = GroupState::Failed;
                group.notes.push(match error {
                    WorkError::Faults(faults) => faults.join("；"),
                    other => why(&other),
                });
            }
            let held = later(self.store.now().await?, LEASE);
            let took = |plan: &mut ChangePlan| {
                // Where somebody else took this group further meanwhile, theirs stays.
                let own = index.and_then(|index| plan.groups.get_mut(index));
                if let Some(own) = own.filter(|own| **own == began) {
                    *own = group.clone();
                }
                Ok(())
            };
            (change, plan) = self.amend_change(&change.id, Some(held), None, took).await?;
        }
        let next = later(self.store.now().await?, LOOK);
        self.amend_change(&change.id, Some(next), None, |_| Ok(())).await?;
        Ok(true)
    }

    /// Notes whether the file says what the change says; where it does not, the change is closed
    /// until a person decides.
    async fn look_at_file(
        &self,
        change: HotlineChange,
        plan: ChangePlan,
    ) -> Result<(HotlineChange, ChangePlan), WorkError> {
        let now = self.store.now().await?;
        match self.file_of_change(&change, &plan).await? {
            file::Standing::Holds if plan.written => Ok((change, plan)),
            file::Standing::Holds => {
                let written = |plan: &mut ChangePlan| {
                    plan.written = true;
                    Ok(())
                };
                self.amend_change(&change.id, Some(later(now, LEASE)), None, written).await
            }
            file::Standing::Later => {
                self.amend_change(&change.id, Some(later(now, LOOK)), None, |_| Ok(())).await
            }
            file::Standing::Over(why) => {
                let note = ChangeNote { actor: "system", action: "hotline.superseded", text: &why };
                let over = |plan: &mut ChangePlan| {
                    plan.ended = Some(why.clone());
                    Ok(())
                };
                self.amend_change(&change.id, None, Some(note), over).await
            }
            file::Standing::Stuck(why, found) => {
                let note = ChangeNote { actor: "system", action: "hotline.stuck", text: &why };
                let stuck = |plan: &mut ChangePlan| {
                    plan.stuck = Some(why.clone());
                    plan.found.clone_from(&found);
                    Ok(())
                };
                self.amend_change(&change.id, None, Some(note), stuck).await
            }
        }
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
            group.review = Some(self.submit_again(change, &plan.becomes, group).await?);
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
        becomes: &str,
        group: &Group,
    ) -> Result<String, WorkError> {
        let (publisher, becomes) = (self.clone(), becomes.to_owned());
        let (change, group) = (change.clone(), group.clone());
        let handle = tokio::runtime::Handle::current();
        // Rendering keeps a thread busy.
        let made = tokio::task::spawn_blocking(move || {
            handle.block_on(async move {
                let content = Content::load(&publisher.config)?;
                let subject = publisher.subject(&content, &group.subject)?;
                let outline = subject.outline(&content, &lessons_of(&group)?)?;
                let author = person_of_actor(&change.actor).ok_or_else(|| {
                    WorkError::Unknown(format!("热线变更里写着“{}”，不是一个人", change.actor))
                })?;
                // The very text that is rendered, not only the file of a moment ago.
                let number = content.library.hotline(&change.hotline).map(|one| &one.number);
                if number != Some(&becomes) {
                    return Err(WorkError::Refused(format!(
                        "content/hotlines.toml 里 {} 不是 {becomes}，没有生成；看过文件再试一次",
                        change.hotline
                    )));
                }
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
