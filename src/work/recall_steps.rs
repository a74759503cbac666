//! What a recall would do, line by line, before anybody says yes.

use super::{
    Publisher, WorkError, books::StoreBooks, feeds::is_shared, intervene::NOT_OUT, parcel,
    recall::RecallPlan,
};
use crate::{
    deliver::RecallAbility,
    model::{BranchId, DeliveryState, LessonId},
    packs::{FACTS_PATH, PackFacts},
    store::Delivery,
};
use std::collections::{BTreeMap, BTreeSet};

/// What would become of one delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// It comes down.
    TakeDown,
    /// It comes down in part; what stays.
    Partly(&'static str),
    /// It is not out yet and is called off.
    Cancel,
    /// It cannot be taken back; why.
    Impossible(String),
    /// Not now: it is being sent, or nobody knows whether it is out.
    NotNow,
    /// There is nothing to take down: it is down, off or expired.
    Nothing,
}

impl Effect {
    /// Whether a recall changes something about it.
    #[must_use]
    pub fn acts(&self) -> bool {
        matches!(self, Self::TakeDown | Self::Partly(_) | Self::Cancel)
    }

    /// Its name for programs.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::TakeDown => "take-down",
            Self::Partly(_) => "partly",
            Self::Cancel => "cancel",
            Self::Impossible(_) => "impossible",
            Self::NotNow => "not-now",
            Self::Nothing => "nothing",
        }
    }

    /// In Chinese, for people.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::TakeDown => "会下架".to_owned(),
            Self::Partly(stays) => format!("只能撤一部分：{stays}"),
            Self::Cancel => "还没有发出，会取消".to_owned(),
            Self::Impossible(why) => format!("撤不回来：{why}"),
            Self::NotNow => "正在发，或结果不明：先认定发出没有，再撤".to_owned(),
            Self::Nothing => "不用动".to_owned(),
        }
    }
}

/// One delivery of a recall.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecallStep {
    /// The delivery.
    pub delivery: Delivery,
    /// What would become of it.
    pub effect: Effect,
    /// Other lessons that come down with it.
    pub along: Vec<LessonId>,
    /// The branches that have to take it down, for packs.
    pub branches: Vec<BranchId>,
    /// What people will see instead, in Chinese, where something takes its place or should.
    pub instead: Option<String>,
}

impl Publisher {
    /// What carrying out a plan would do, what acts first.
    ///
    /// # Errors
    /// The ledger's, or where what was approved cannot be read.
    pub async fn recall_steps(&self, plan: &RecallPlan) -> Result<Vec<RecallStep>, WorkError> {
        let mut steps = Vec::new();
        let mut branches: BTreeMap<_, Vec<BranchId>> = BTreeMap::new();
        for delivery in &plan.deliveries {
            let effect = self.effect(delivery);
            let is_pack = self.channels.get(&delivery.channel);
            let is_pack = is_pack.is_some_and(|channel| channel.pack_repository().is_some());
            if is_pack && effect.acts() && !branches.contains_key(&delivery.manifest) {
                branches.insert(delivery.manifest, self.branches_of(delivery).await?);
            }
            steps.push(RecallStep {
                branches: if is_pack && effect.acts() {
                    branches.get(&delivery.manifest).cloned().unwrap_or_default()
                } else {
                    Vec::new()
                },
                instead: self.instead(delivery, &effect).await?,
                along: plan.along.get(&delivery.id).cloned().unwrap_or_default(),
                delivery: delivery.clone(),
                effect,
            });
        }
        steps.sort_by_key(|step| !step.effect.acts());
        Ok(steps)
    }

    /// What people will see instead. A far side that does not answer keeps nobody from taking
    /// something down: it is said.
    async fn instead(
        &self,
        delivery: &Delivery,
        effect: &Effect,
    ) -> Result<Option<String>, WorkError> {
        let channel = self.channels.get(&delivery.channel);
        let Some(channel) = channel.filter(|channel| {
            matches!(effect, Effect::TakeDown) && channel.portal_pages().is_some()
        }) else {
            return Ok(None);
        };
        let parcel = parcel::of_delivery(&self.store, delivery).await?;
        let books = StoreBooks::of_channel(&self.store, &channel.account(), "recall");
        Ok(match channel.foretold(&parcel, &books.reading(&delivery.id)).await {
            Ok(instead) => instead,
            Err(error) => Some(format!("看不到会换成什么：{error}")),
        })
    }

    /// The branches that a pack went to: those of a narrowed campaign; else those that have files
    /// of their own, and all that the pack knew where there are files that they share.
    async fn branches_of(&self, delivery: &Delivery) -> Result<Vec<BranchId>, WorkError> {
        let parcel = parcel::of_delivery(&self.store, delivery).await?;
        if let Some(branches) = parcel.branches {
            return Ok(branches);
        }
        let own = parcel.files.iter().filter_map(|file| file.branch.clone());
        let mut branches: BTreeSet<BranchId> = own.collect();
        let facts = parcel.files.iter().find(|file| file.path == FACTS_PATH);
        if let Some(facts) = facts.filter(|_| parcel.files.iter().any(is_shared)) {
            let bytes = self.store.blob(&facts.sha256).await?;
            let facts: PackFacts = serde_json::from_slice(&bytes)
                .map_err(|error| WorkError::Manifest(format!("{FACTS_PATH}：{error}")))?;
            branches.extend(facts.branches.keys().filter_map(|id| BranchId::new(id).ok()));
        }
        Ok(branches.into_iter().collect())
    }

    fn effect(&self, delivery: &Delivery) -> Effect {
        match delivery.state {
            DeliveryState::Confirmed | DeliveryState::Accepted => {
                let Ok(channel) = self.channel(&delivery.channel) else {
                    let why = format!("渠道 {} 现在用不了，先修好它", delivery.channel);
                    return Effect::Impossible(why);
                };
                match channel.capability().recall {
                    RecallAbility::Full => Effect::TakeDown,
                    RecallAbility::Partial(stays) => Effect::Partly(stays),
                    RecallAbility::None(why) => Effect::Impossible(why.to_owned()),
                }
            }
            state if NOT_OUT.contains(&state) => Effect::Cancel,
            DeliveryState::Sending | DeliveryState::Unknown => Effect::NotNow,
            _ => Effect::Nothing,
        }
    }
}
