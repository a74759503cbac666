//! Where a submission is in the course of things: whether a newer one took its place, whether its
//! texts were changed since, what whoever asks has said of it.

use crate::{
    console::{Desk, language::say, trouble::Trouble},
    model::{Approval, Decision, PersonId},
    review::Standing,
    store::{Review, Successors},
};
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A channel of a submission that a newer one carries.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ReviewReplaced)]
pub struct Replaced {
    /// The channel.
    pub channel: String,
    /// The number of the newest submission that carries the same lessons over it.
    pub number: String,
}

/// The channels that newer submissions carry.
pub(super) fn replaced(successors: &Successors) -> Vec<Replaced> {
    let one = |(channel, number): (&crate::model::ChannelId, &str)| Replaced {
        channel: channel.to_string(),
        number: number.to_owned(),
    };
    successors.channels().map(one).collect()
}

/// How a submission stands: `approved`, `waiting`, `returned`, `expired`, `replaced`, and the same
/// in Chinese.
pub(super) fn state(standing: &Standing, successors: &Successors) -> (&'static str, String) {
    let own = match standing {
        Standing::Approved { .. } => "approved",
        Standing::Missing(_) => "waiting",
        Standing::Rejected { .. } => "returned",
        Standing::Expired { .. } => "expired",
    };
    if !successors.are_all() {
        return (own, standing.to_string());
    }
    let was = match standing {
        Standing::Missing(_) => "没有签齐".to_owned(),
        other => other.to_string(),
    };
    ("replaced", format!("已被 {} 代替；{was}", successors.numbers().join("、")))
}

/// What somebody has said of a submission, where it counts: `approved`, `rejected`.
pub(super) fn own_decision(
    approvals: &[Approval],
    person: &PersonId,
    now: Timestamp,
) -> Option<&'static str> {
    let own = || approvals.iter().filter(|one| one.actor == *person);
    if own().any(|one| one.decision == Decision::Rejected) {
        return Some("rejected");
    }
    own().any(|one| one.expires_at > now).then_some("approved")
}

/// What became of a submission's files in the content folder since, each in words. As publishing
/// compares: what is in its manifests, and what is new in the folders of its lessons.
pub(super) async fn changed_since(desk: &Desk, review: &Review) -> Result<Vec<String>, Trouble> {
    let content = desk.content().await?;
    let mut changed: BTreeMap<String, &'static str> = BTreeMap::new();
    let mut manifests = Vec::new();
    for (_, hash) in &review.manifests {
        manifests.push(desk.manifest(hash).await?);
    }
    for (name, digest) in manifests.iter().flat_map(|manifest| &manifest.inputs) {
        let Some(path) = name.strip_prefix("content/") else { continue };
        match content.files.get(path) {
            Some(now) if now == digest => {}
            Some(_) => drop(changed.insert(path.to_owned(), say("改过", "was changed"))),
            None => drop(changed.insert(path.to_owned(), say("不见了", "is gone"))),
        }
    }
    let known = |path: &str| {
        let name = format!("content/{path}");
        manifests.iter().any(|manifest| manifest.inputs.contains_key(&name))
    };
    for lesson in &review.lessons {
        let folder = format!("lessons/{lesson}/");
        let from = content.files.range(folder.clone()..);
        for (path, _) in from.take_while(|(path, _)| path.starts_with(&folder)) {
            if !known(path) {
                changed.insert(path.clone(), say("是新加的", "is new"));
            }
        }
    }
    Ok(changed.into_iter().map(|(path, what)| format!("{path} {what}")).collect())
}
