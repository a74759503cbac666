//! Manifest + delivery → what a channel is handed. Only this room makes parcels.

use super::{WorkError, wire};
use crate::{
    deliver::Parcel,
    model::{DeliveryKey, Digest, Manifest},
    store::{Delivery, Store},
};
use jiff::Timestamp;

/// The parcel of a claimed delivery: the approved manifest's files and nothing else.
///
/// # Errors
/// Where the manifest is missing, does not have the hash it is stored under, or is another
/// channel's.
pub async fn of_delivery(store: &Store, delivery: &Delivery) -> Result<Parcel, WorkError> {
    let hash = delivery.manifest;
    let json = store
        .manifest(&hash)
        .await?
        .ok_or_else(|| WorkError::Manifest(format!("台账里没有清单 {hash}")))?;
    if Digest::of(json.as_bytes()) != hash {
        return Err(WorkError::Manifest(format!("清单 {hash} 的内容和它的摘要不符，可能被改过")));
    }
    let manifest = wire::from_json(&json)?;
    if manifest.channel != delivery.channel || !manifest.targets.contains(&delivery.target) {
        return Err(WorkError::Manifest(format!(
            "清单 {hash} 批的是渠道 {} 的 {}，不是 {} 的 {}",
            manifest.channel,
            manifest.targets.join("、"),
            delivery.channel,
            delivery.target
        )));
    }
    Ok(Parcel {
        key: delivery.key,
        delivery: delivery.id.clone(),
        campaign: manifest.campaign,
        occurrence: delivery.occurrence.clone(),
        slot: delivery.slot,
        target: delivery.target.clone(),
        number: manifest.number,
        window: manifest.window,
        branches: manifest.reached.map(|reached| reached.branches),
        files: manifest.files,
        messages: manifest.messages,
    })
}

/// A parcel for looking at before there is an occurrence: what `preflight` is asked about.
#[must_use]
pub fn draft(manifest: &Manifest, hash: &Digest, target: &str) -> Parcel {
    Parcel {
        key: DeliveryKey::new("plan", &manifest.channel, target, hash),
        delivery: "plan".to_owned(),
        campaign: manifest.campaign.clone(),
        occurrence: "plan".to_owned(),
        slot: Timestamp::UNIX_EPOCH,
        target: target.to_owned(),
        number: manifest.number.clone(),
        window: manifest.window,
        branches: manifest.reached.as_ref().map(|reached| reached.branches.clone()),
        files: manifest.files.clone(),
        messages: manifest.messages.clone(),
    }
}
