//! How everything stands: computed from the ledger, never stored.

use super::{
    Content, Publisher, WorkError,
    live::{LiveOut, Standing as Seen},
    replaced::Submissions,
};
use crate::{
    model::{Approval, DeliveryState, PersonId},
    review::Standing,
    schedule::{self, Warning},
    store::{Delivery, DeliveryFilter, Deployment, Occurrence, Review},
};
use jiff::{Timestamp, ToSpan as _, civil::Date};
use std::collections::BTreeMap;

/// For so many days after its last one, people are asked about what can still be seen.
const ASKED: i32 = 60;

/// Everything `caishi status` shows.
#[derive(Debug, Clone)]
pub struct Overview {
    /// The ledger's clock.
    pub now: Timestamp,
    /// Which deployment, and whether it is held.
    pub deployment: Deployment,
    /// The newest occurrences and their deliveries.
    pub occurrences: Vec<(Occurrence, Vec<Delivery>)>,
    /// What a person must look at.
    pub alerts: Vec<Alert>,
    /// What will become a trouble in some days.
    pub warnings: Vec<Warning>,
    /// Submissions that wait for somebody, with how they stand.
    pub waiting: Vec<(Review, Standing)>,
}

/// Something that did not go as planned and is not over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// What it is about: a delivery, an occurrence, `hotline/` and a change of a number, or
    /// `campaigns`.
    pub subject: String,
    /// What happened, in Chinese.
    pub what: String,
    /// What to do, in Chinese.
    pub next_step: String,
}

/// Schedules in campaigns' files that do not fire: nobody would miss them before their day is over.
#[must_use]
pub fn schedule_alerts(content: &Content) -> Vec<Alert> {
    let alert = |fault: &String| Alert {
        subject: "campaigns".to_owned(),
        what: format!("{fault}。它不会发"),
        next_step: "改活动文件，或在控制台的“活动”里改".to_owned(),
    };
    content.schedule_faults.iter().map(alert).collect()
}

impl Publisher {
    /// How everything stands now. `campaign` narrows it to a campaign, schedule or lesson.
    ///
    /// # Errors
    /// The ledger's, or where `campaign` is unknown to it.
    pub async fn overview(
        &self,
        content: Option<&Content>,
        campaign: Option<&str>,
        limit: u32,
    ) -> Result<Overview, WorkError> {
        let now = self.store.now().await?;
        let mut by_occurrence: BTreeMap<String, Vec<Delivery>> = BTreeMap::new();
        let deliveries = match campaign {
            Some(name) => self.carrying(name).await?,
            None => self.store.deliveries(&DeliveryFilter::default()).await?,
        };
        for delivery in deliveries {
            by_occurrence.entry(delivery.occurrence.clone()).or_default().push(delivery);
        }
        let mut occurrences = Vec::new();
        for occurrence in self.store.occurrences(None, limit).await? {
            let own = by_occurrence.remove(&occurrence.id).unwrap_or_default();
            if campaign.is_none() || !own.is_empty() {
                occurrences.push((occurrence, own));
            }
        }
        let submissions = self.submissions().await?;
        let waiting = submissions.waiting(now);
        Ok(Overview {
            now,
            deployment: self.store.deployment().await?,
            alerts: self
                .alerts()
                .await?
                .into_iter()
                .chain(content.map(schedule_alerts).unwrap_or_default())
                .collect(),
            warnings: match content {
                Some(content) => self.warnings(content, now, &submissions),
                None => Vec::new(),
            },
            occurrences,
            waiting,
        })
    }

    /// Every row past its slot and not over, and every slot that waits for a person (P7).
    ///
    /// # Errors
    /// The ledger's.
    pub async fn alerts(&self) -> Result<Vec<Alert>, WorkError> {
        let mut alerts = Vec::new();
        for delivery in self.store.overdue().await? {
            let next_step = if delivery.next_step.is_empty() {
                default_step(&delivery)
            } else {
                delivery.next_step.clone()
            };
            alerts.push(Alert {
                what: format!(
                    "渠道 {} {}：{}",
                    delivery.channel,
                    delivery.state.label(),
                    if delivery.message.is_empty() { "已过时间" } else { &delivery.message }
                ),
                subject: delivery.id,
                next_step,
            });
        }
        for occurrence in self.store.waiting_occurrences().await? {
            alerts.push(Alert {
                what: occurrence.reason,
                next_step: format!(
                    "补发：caishi slots run {id}；跳过：caishi slots skip {id}",
                    id = occurrence.id
                ),
                subject: occurrence.id,
            });
        }
        alerts.extend(self.overstaying().await?);
        for (change, what) in self.hotlines_for_people().await? {
            alerts.push(Alert {
                subject: format!("hotline/{}", change.id),
                what: format!("热线 {}：{what}", change.hotline),
                next_step: format!("在控制台打开 /console/hotlines/changes/{}", change.id),
            });
        }
        Ok(alerts)
    }

    /// What people can still read although its last day is over, for as long as somebody is asked
    /// to decide about it.
    async fn overstaying(&self) -> Result<Vec<Alert>, WorkError> {
        let today = self.today().await?;
        let is_asked = |until: Date| until.saturating_add(ASKED.days()) >= today;
        let live = self.live().await?;
        let overstays = live.iter().filter(|one| {
            one.standing == Seen::Overstays
                && is_asked(one.contents.until)
                && self.stays_for_good(&one.out.channel).is_none()
        });
        let alert = |one: &LiveOut| Alert {
            subject: one.out.delivery.clone(),
            what: format!(
                "渠道 {}：{} 的投放日期 {} 已经过了，读者还看得到",
                one.out.channel, one.out.campaign, one.contents.until
            ),
            next_step: format!(
                "撤下：caishi recall {} --as <代号> --note 过了投放日期",
                one.out.delivery
            ),
        };
        Ok(overstays.map(alert).collect())
    }

    fn warnings(
        &self,
        content: &Content,
        now: Timestamp,
        submissions: &Submissions,
    ) -> Vec<Warning> {
        let mut approvals: Vec<(String, Approval)> = Vec::new();
        for review in submissions.current() {
            let own = submissions.approvals(review).iter().cloned();
            approvals.extend(own.map(|approval| (review.number.clone(), approval)));
        }
        let days = self.config.review.warn_days;
        schedule::warnings(now, days, &approvals, &content.library)
    }

    /// Who has something to do with a submission: its author and editors.
    #[must_use]
    pub fn names(&self, people: &[PersonId]) -> String {
        let name = |id: &PersonId| {
            let person = self.config.people.iter().find(|person| person.id == *id);
            person.map_or_else(|| id.to_string(), |person| format!("{}（{id}）", person.name))
        };
        people.iter().map(name).collect::<Vec<_>>().join("、")
    }
}

fn default_step(delivery: &Delivery) -> String {
    match delivery.state {
        DeliveryState::WaitingApproval => {
            "请审批人处理：caishi approve <编号> --as <代号>".to_owned()
        }
        DeliveryState::Unknown => {
            format!("caishi resolve {} --as published（或 not-published）--by <代号>", delivery.id)
        }
        DeliveryState::NeedsHuman => format!("处理后运行 caishi retry {}", delivery.id),
        _ => "请确认 caishi serve 或 caishi worker 在运行".to_owned(),
    }
}
