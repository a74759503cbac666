//! Takes a lesson or a campaign down everywhere it went, and says plainly what stays.

use super::{Publisher, WorkError, books::StoreBooks, intervene::NOT_OUT, outcome::change, parcel};
use crate::{
    deliver::{Books as _, Channel, DeliverError, Parcel, RecallAbility, Recalled, Scope},
    model::{DeliveryState, Digest, LessonId, Receipt},
    store::{Delivery, Transition},
};
use std::collections::{BTreeMap, BTreeSet};

/// Where the lessons of a delivery are kept that were taken down one by one.
const DOWN: &str = "recall/lessons";

/// What became of one delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecallLine {
    /// The delivery as it is now.
    pub delivery: Delivery,
    /// Whether nothing of it is public any more.
    pub complete: bool,
    /// What was taken down and what stays, in Chinese.
    pub detail: String,
}

/// What a name means to `recall`.
#[derive(Debug, Clone)]
pub struct RecallPlan {
    /// The deliveries that carry it.
    pub deliveries: Vec<Delivery>,
    /// The lesson, where the name is one; else everything in them is meant.
    pub lesson: Option<LessonId>,
    /// Other lessons that come down as well, by delivery: their channel cannot part them.
    pub along: BTreeMap<String, Vec<LessonId>>,
}

impl RecallPlan {
    /// What else comes down, in Chinese, one line for each channel.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let lines = self.deliveries.iter().filter_map(|delivery| {
            let others = names(self.along.get(&delivery.id)?);
            Some(format!(
                "渠道 {} 不能只撤一课：同一推送里的 {others} 也会下架（{}）",
                delivery.channel, delivery.id
            ))
        });
        lines.collect()
    }
}

impl Publisher {
    /// The deliveries that carry a lesson, or belong to a campaign edition, a schedule or a
    /// submission.
    ///
    /// # Errors
    /// [`WorkError::Unknown`] where the ledger has none.
    pub async fn carrying(&self, name: &str) -> Result<Vec<Delivery>, WorkError> {
        let mut found = self.store.deliveries_carrying(name).await?;
        // A delivery by its number.
        if found.is_empty() && name.starts_with('d') && name.len() == 13 {
            found.extend(self.store.delivery(name).await.ok());
        }
        // By the number of its submission.
        if found.is_empty()
            && let Some(review) = self.store.review(name).await?
        {
            let own = |delivery: &Delivery| {
                review.manifests.iter().any(|(_, hash)| *hash == delivery.manifest)
            };
            found = self.store.deliveries_carrying(&review.campaign.to_string()).await?;
            found.retain(own);
        }
        if found.is_empty() {
            return Err(WorkError::Unknown(format!(
                "台账里没有“{name}”的投递；可写课件、活动（系列/期次）、排期、审批编号或投递号"
            )));
        }
        Ok(found)
    }

    /// What taking down `name` means: of a lesson, only what carries it, and what else comes down
    /// with it.
    ///
    /// # Errors
    /// [`WorkError::Unknown`] where the ledger has none, [`WorkError::Manifest`] where what was
    /// approved cannot be read.
    pub async fn recall_plan(&self, name: &str) -> Result<RecallPlan, WorkError> {
        let mut plan = RecallPlan {
            deliveries: self.carrying(name).await?,
            lesson: None,
            along: BTreeMap::new(),
        };
        if plan.deliveries.iter().any(|delivery| is_of(delivery, name)) {
            return Ok(plan);
        }
        // What is no name of a lesson is the number of a submission.
        let Ok(lesson) = LessonId::new(name) else { return Ok(plan) };
        // One manifest goes to many targets.
        let mut manifests: BTreeMap<Digest, BTreeSet<LessonId>> = BTreeMap::new();
        for delivery in std::mem::take(&mut plan.deliveries) {
            let carried = match manifests.get(&delivery.manifest) {
                Some(carried) => carried.clone(),
                None => lessons_in(&parcel::of_delivery(&self.store, &delivery).await?),
            };
            manifests.insert(delivery.manifest, carried.clone());
            // A channel that has nothing of the lesson is left alone.
            if !carried.is_empty() && !carried.contains(&lesson) {
                continue;
            }
            let others: Vec<LessonId> =
                carried.into_iter().filter(|other| *other != lesson).collect();
            let out = matches!(delivery.state, DeliveryState::Confirmed | DeliveryState::Accepted);
            let touched = out || NOT_OUT.contains(&delivery.state);
            let channel = self.channels.get(&delivery.channel);
            let parted = out && channel.is_some_and(|channel| channel.recalls_lessons());
            let possible = channel.is_some_and(|channel| {
                !matches!(channel.capability().recall, RecallAbility::None(_))
            });
            if touched && !parted && !others.is_empty() && (possible || !out) {
                plan.along.insert(delivery.id.clone(), others);
            }
            plan.deliveries.push(delivery);
        }
        plan.lesson = Some(lesson);
        Ok(plan)
    }

    /// Takes them down, every channel; one that fails keeps the others from nothing.
    ///
    /// # Errors
    /// The ledger's; what a channel refuses is a line instead.
    pub async fn recall(
        &self,
        plan: RecallPlan,
        note: &str,
        actor: &str,
    ) -> Result<Vec<RecallLine>, WorkError> {
        let mut lines = Vec::new();
        for delivery in plan.deliveries {
            let along = plan.along.get(&delivery.id).map_or_else(String::new, |others| {
                format!("；同一推送里的 {} 也一起下架了", names(others))
            });
            let line = match delivery.state {
                DeliveryState::Confirmed | DeliveryState::Accepted => {
                    let mut line =
                        self.take_down(delivery, plan.lesson.as_ref(), note, actor).await?;
                    if line.delivery.state == DeliveryState::Recalled {
                        line.detail += &along;
                    }
                    line
                }
                state if NOT_OUT.contains(&state) => {
                    let delivery = self.cancel(&delivery.id, note, actor).await?;
                    let detail = format!("还没有发出，已取消{along}");
                    RecallLine { delivery, complete: true, detail }
                }
                DeliveryState::Sending | DeliveryState::Unknown => RecallLine {
                    detail: format!(
                        "正在发或结果不明，现在撤不了；先运行 caishi resolve {} --as published --by <代号>，再撤回",
                        delivery.id
                    ),
                    complete: false,
                    delivery,
                },
                _ => continue,
            };
            lines.push(line);
        }
        Ok(lines)
    }

    async fn take_down(
        &self,
        delivery: Delivery,
        lesson: Option<&LessonId>,
        note: &str,
        actor: &str,
    ) -> Result<RecallLine, WorkError> {
        let channel = match self.channel(&delivery.channel) {
            Ok(channel) => channel,
            Err(error) => {
                return Ok(RecallLine { delivery, complete: false, detail: error.to_string() });
            }
        };
        if let RecallAbility::None(why) = channel.capability().recall {
            let detail = format!("撤不回来：{why}");
            return Ok(RecallLine { delivery, complete: false, detail });
        }
        let subject = delivery.id.clone();
        self.store.audit(actor, "recall.begin", &subject, note).await?;
        let parcel = parcel::of_delivery(&self.store, &delivery).await?;
        let receipt = Receipt {
            remote_ref: delivery.remote_ref.clone().unwrap_or_default(),
            url: delivery.url.clone(),
            at: delivery.changed_at,
            detail: String::new(),
        };
        let books =
            StoreBooks::of_channel(&self.store, &channel.account(), actor).reading(&delivery.id);
        let answer = taken_down(channel.as_ref(), &parcel, &receipt, lesson, &books).await;
        match answer {
            Ok((Recalled { complete, detail }, left)) => {
                let now = self.store.now().await?;
                // What is left of it stays out, and is still this delivery's.
                let (state, url) = if left.is_empty() {
                    (DeliveryState::Recalled, None)
                } else {
                    (delivery.state, delivery.url.clone())
                };
                let detail = match (&lesson, left.is_empty()) {
                    (Some(lesson), false) => {
                        format!("{detail}；只撤了 {lesson}，{} 还在", names(&left))
                    }
                    _ => detail,
                };
                let recalled =
                    Transition { message: detail.clone(), url, ..change(&delivery, state, now) };
                let from = [DeliveryState::Confirmed, DeliveryState::Accepted];
                let delivery =
                    self.store.intervene(&delivery.id, &from, &recalled, actor, note).await?;
                Ok(RecallLine { delivery, complete, detail })
            }
            Err(error) => {
                let detail = format!("没有撤成：{error}。{}", error.next_step);
                Ok(RecallLine { delivery, complete: false, detail })
            }
        }
    }
}

/// Takes down the lesson where it can be parted from the others, else everything; what is left.
async fn taken_down(
    channel: &dyn Channel,
    parcel: &Parcel,
    receipt: &Receipt,
    lesson: Option<&LessonId>,
    books: &StoreBooks,
) -> Result<(Recalled, Vec<LessonId>), DeliverError> {
    let Some(lesson) = lesson.filter(|_| channel.recalls_lessons()) else {
        return Ok((channel.recall(parcel, receipt, books).await?, Vec::new()));
    };
    // Lessons that were taken down one by one are remembered: with the last one it is all down.
    let down = books.read(Scope::Delivery, DOWN).await?.unwrap_or_default();
    let mut down: BTreeSet<String> = down.split_whitespace().map(str::to_owned).collect();
    down.insert(lesson.to_string());
    let mut left = lessons_in(parcel);
    left.retain(|other| !down.contains(other.as_str()));
    if left.is_empty() {
        return Ok((channel.recall(parcel, receipt, books).await?, Vec::new()));
    }
    let Some(recalled) = channel.recall_lesson(parcel, receipt, lesson, books).await? else {
        return Ok((channel.recall(parcel, receipt, books).await?, Vec::new()));
    };
    let down: Vec<String> = down.into_iter().collect();
    books.write(Scope::Delivery, DOWN, &down.join(" ")).await?;
    Ok((recalled, left.into_iter().collect()))
}

/// Whether a delivery belongs to the campaign edition, series or schedule of that name.
fn is_of(delivery: &Delivery, name: &str) -> bool {
    let campaign = &delivery.campaign;
    campaign.to_string() == name
        || campaign.series == name
        || campaign.edition == name
        || delivery.id == name
        || delivery.occurrence.split('@').next() == Some(name)
}

/// The lessons whose messages or files a parcel has.
pub(super) fn lessons_in(parcel: &Parcel) -> BTreeSet<LessonId> {
    let messages = parcel.messages.iter().map(|message| &message.lesson);
    let files = parcel.files.iter().filter_map(|file| file.lesson.as_ref());
    messages.chain(files).cloned().collect()
}

fn names(lessons: &[LessonId]) -> String {
    lessons.iter().map(LessonId::as_str).collect::<Vec<_>>().join("、")
}
