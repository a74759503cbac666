//! The slots that come, how ready each is, and moving one.

use super::{Content, Publisher, Subject, WorkError};
use crate::{
    model::{CampaignId, ChannelId, LessonId, ScheduleEntry, ScheduleId, SlotMove, Window},
    review::Standing,
    schedule::{Timetable, Verdict},
    store::{Moving, Review},
};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// A slot that was not decided yet.
#[derive(Debug, Clone)]
pub struct ComingSlot {
    /// The schedule.
    pub schedule: ScheduleId,
    /// What tells it apart: the rule's own moment for one that was moved.
    pub slot: Timestamp,
    /// The rule's own moment.
    pub scheduled: Timestamp,
    /// When it is due.
    pub due: Timestamp,
    /// That somebody moved it.
    pub moved: Option<SlotMove>,
    /// The campaign edition.
    pub campaign: CampaignId,
    /// Its name.
    pub name: String,
    /// The lessons it shows.
    pub lessons: Vec<LessonId>,
    /// Where it goes.
    pub channels: Vec<ChannelId>,
    /// What will become of it as far as the calendar says.
    pub verdict: Verdict,
    /// How ready it is.
    pub readiness: Readiness,
}

/// How ready a slot is to fire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readiness {
    /// Planned only: nobody submitted it.
    NotSubmitted,
    /// Submitted, under this number.
    Submitted {
        /// The number of the submission.
        number: String,
        /// How its review stands.
        standing: Standing,
        /// Whether the content is no longer what was submitted.
        changed: bool,
    },
    /// It cannot be planned as things are; why, each in Chinese.
    Faulty(Vec<String>),
}

impl Readiness {
    /// Whether it goes out by itself when its moment comes.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        let approved = |standing: &Standing| matches!(standing, Standing::Approved { .. });
        matches!(self, Self::Submitted { standing, changed: false, .. } if approved(standing))
    }
}

/// What somebody asks a slot to be moved to.
#[derive(Debug, Clone, Copy)]
pub struct MoveOrder<'a> {
    /// The rule's own moment: [`ComingSlot::scheduled`].
    pub scheduled: Timestamp,
    /// When it was due when they looked.
    pub seen: Timestamp,
    /// When it is to be due; `None` puts it back where the schedule has it.
    pub due: Option<Timestamp>,
    /// Why.
    pub reason: &'a str,
}

/// What is looked up once for many slots.
#[derive(Debug, Default)]
struct Reviews {
    by_campaign: BTreeMap<CampaignId, Vec<Review>>,
    standings: BTreeMap<String, Standing>,
    /// Slots of one schedule with the same lessons are equally ready.
    known: BTreeMap<(ScheduleId, Vec<LessonId>), Readiness>,
}

impl Publisher {
    /// The slots of every enabled schedule that are due before `until` and were not decided yet,
    /// in the order in which they are due. Those that the calendar refuses are among them.
    ///
    /// # Errors
    /// The ledger's.
    pub async fn coming_slots(
        &self,
        content: &Content,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<ComingSlot>, WorkError> {
        let now = self.store.now().await?;
        let mut reviews = Reviews::default();
        let mut coming = Vec::new();
        for entry in content.enabled_schedules() {
            let Some(edition) = content.library.edition(&entry.campaign) else { continue };
            let window = Window { from: edition.from, until: edition.until };
            let calendar = &content.library.calendar;
            let Ok(timetable) = Timetable::new(entry, window, calendar) else { continue };
            let moves = self.store.slot_moves(&entry.id).await?;
            let decided = self.store.decided_until(&entry.id).await?.unwrap_or(now);
            let before = from.checked_sub(SignedDuration::from_millis(1)).unwrap_or(from);
            let last = until.checked_sub(SignedDuration::from_millis(1)).unwrap_or(until);
            // A channel that the edition names and nobody has: its slots say so when they fire.
            let Ok(subject) = self.subject(content, entry.id.as_str()) else { continue };
            for decision in timetable.with_moves(&moves).between(decided.max(before), last) {
                let lessons = subject.lessons_at(decision.slot);
                let key = (entry.id.clone(), lessons.clone());
                let readiness = match reviews.known.get(&key) {
                    Some(readiness) => readiness.clone(),
                    None => self.readiness(content, &subject, &lessons, &mut reviews).await?,
                };
                reviews.known.insert(key, readiness.clone());
                coming.push(ComingSlot {
                    schedule: entry.id.clone(),
                    slot: decision.slot,
                    scheduled: decision.scheduled,
                    due: decision.due,
                    moved: moves.iter().find(|one| one.slot == decision.scheduled).cloned(),
                    campaign: edition.id.clone(),
                    name: edition.name.clone(),
                    lessons,
                    channels: subject.channels.iter().map(|entry| entry.id.clone()).collect(),
                    verdict: decision.verdict,
                    readiness,
                });
            }
        }
        coming.sort_by(|one, other| (one.due, &one.schedule).cmp(&(other.due, &other.schedule)));
        Ok(coming)
    }

    /// How ready these lessons of a subject are.
    async fn readiness(
        &self,
        content: &Content,
        subject: &Subject,
        lessons: &[LessonId],
        reviews: &mut Reviews,
    ) -> Result<Readiness, WorkError> {
        let outline = match subject.outline(content, lessons) {
            Ok(outline) => outline,
            Err(WorkError::Faults(faults)) => return Ok(Readiness::Faulty(faults)),
            Err(error) => return Ok(Readiness::Faulty(vec![error.to_string()])),
        };
        let campaign = &subject.edition.id;
        if !reviews.by_campaign.contains_key(campaign) {
            let all = self.store.reviews(Some(campaign)).await?;
            reviews.by_campaign.insert(campaign.clone(), all);
        }
        let all = reviews.by_campaign.get(campaign).map(Vec::as_slice).unwrap_or_default();
        let same = || all.iter().filter(|review| review.lessons == lessons);
        let exact = same().find(|review| review.plan_key == outline.key);
        let Some(review) = exact.or_else(|| same().next()) else {
            return Ok(Readiness::NotSubmitted);
        };
        let standing = match reviews.standings.get(&review.number) {
            Some(standing) => standing.clone(),
            None => self.first_standing(review).await?,
        };
        reviews.standings.insert(review.number.clone(), standing.clone());
        let changed = review.plan_key != outline.key;
        Ok(Readiness::Submitted { number: review.number.clone(), standing, changed })
    }

    /// How a submission stands: all its manifests are decided together.
    async fn first_standing(&self, review: &Review) -> Result<Standing, WorkError> {
        let Some((_, manifest)) = review.manifests.first() else {
            return Ok(Standing::Missing(Vec::new()));
        };
        let now = self.store.now().await?;
        let approvals = self.store.approvals(manifest).await?;
        Ok(crate::review::standing(&review.steps, &approvals, &review.excluded, now))
    }

    /// Moves a slot that was not decided yet, or puts it back. It then fires at its new moment,
    /// once, with its own lessons; approvals and windows are checked as ever.
    ///
    /// # Errors
    /// [`WorkError::Faults`] with everything that is wrong with the new moment;
    /// [`WorkError::Store`] where the slot was decided or moved meanwhile.
    pub async fn move_slot(
        &self,
        content: &Content,
        schedule: &str,
        order: &MoveOrder<'_>,
        actor: &str,
    ) -> Result<(), WorkError> {
        let entry = content.schedule(schedule)?;
        let edition = content.edition(&entry.campaign.to_string())?;
        let window = Window { from: edition.from, until: edition.until };
        let calendar = &content.library.calendar;
        let timetable = Timetable::new(entry, window, calendar)
            .map_err(|error| WorkError::Refused(error.to_string()))?;
        let moves = self.store.slot_moves(&entry.id).await?;
        let known = moves.iter().find(|one| one.slot == order.scheduled);
        let Some(own) = timetable.own_due(order.scheduled).or(known.map(|one| one.slot)) else {
            return Err(WorkError::Unknown(format!(
                "排期 {schedule} 在 {} 没有这一次",
                shown(entry, order.scheduled)
            )));
        };
        let due = order.due.unwrap_or(own);
        let mut faults = Vec::new();
        if order.reason.trim().is_empty() {
            faults.push("原因没有写：写为什么改期，审计里看得到".to_owned());
        }
        if due != own {
            let others: Vec<SlotMove> =
                moves.iter().filter(|one| one.slot != order.scheduled).cloned().collect();
            let timetable = timetable.with_moves(&others);
            faults.extend(refusals(&timetable, entry, window, order.scheduled, due));
        }
        if !faults.is_empty() {
            return Err(WorkError::Faults(faults));
        }
        let moving = Moving {
            schedule: &entry.id,
            slot: order.scheduled,
            own,
            seen: order.seen,
            due,
            reason: order.reason.trim(),
        };
        Ok(self.store.move_slot(&moving, actor).await?)
    }
}

/// Why a slot cannot be moved to a moment.
fn refusals(
    timetable: &Timetable<'_>,
    entry: &ScheduleEntry,
    window: Window,
    scheduled: Timestamp,
    due: Timestamp,
) -> Vec<String> {
    let mut faults = Vec::new();
    let day = timetable.day(due);
    if !window.contains(day) {
        faults.push(format!(
            "{day} 不在活动 {} 的日期 {} 至 {} 内",
            entry.campaign, window.from, window.until
        ));
    }
    if let Some(blackout) = timetable.blackout(day) {
        faults.push(format!(
            "{day} 停发（{} 至 {}：{}），换一天",
            blackout.from, blackout.until, blackout.reason
        ));
    }
    let minute = SignedDuration::from_secs(60);
    let around = |sign: i32| due.checked_add(minute * sign);
    if let (Ok(after), Ok(until)) = (around(-1), around(1)) {
        let meets = timetable.between(after, until).into_iter().any(|other| {
            other.scheduled != scheduled && !matches!(other.verdict, Verdict::Skip(_))
        });
        if meets {
            faults.push(format!("{} 这个排期已有另一次，错开一些", shown(entry, due)));
        }
    }
    faults
}

fn shown(entry: &ScheduleEntry, at: Timestamp) -> String {
    entry.time_zone.to_datetime(at).strftime("%Y-%m-%d %H:%M").to_string()
}
