//! What was submitted, as test readers would see it on their phones. Nothing is published.

use super::{Publisher, WorkError, books::StoreBooks, parcel, wire};
use crate::{
    deliver::{Channel, DeliverError, Parcel},
    model::{ChannelId, Digest},
    store::Review,
};
use std::sync::Arc;

/// A preview that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// Over which channel.
    pub channel: ChannelId,
    /// To whom, in Chinese.
    pub sent: String,
    /// The draft that it was made of. It stays on the platform, and is used again for the next
    /// preview of the same text.
    pub draft: String,
    /// What the author should know: what the platform changed.
    pub notes: Vec<String>,
}

impl Publisher {
    /// Sends what was submitted under `review` to test readers; nothing is published. `channel`
    /// may be left out where the submission goes over one channel only that has test readers;
    /// `to` empty is all of its `test_readers`.
    ///
    /// # Errors
    /// [`WorkError::Unknown`] for a channel or reader that is none, [`WorkError::Refused`] with
    /// the next step where the platform does not take it.
    pub async fn send_preview(
        &self,
        review: &Review,
        channel: Option<&ChannelId>,
        to: &[String],
        actor: &str,
    ) -> Result<Preview, WorkError> {
        let (id, manifest) = self.previewed(review, channel)?;
        let adapter = self.channel(&id)?;
        let readers = readers(&id, &adapter.test_readers(), to)?;
        let parcel = self.preview_parcel(&id, &manifest).await?;
        let subject = format!("{} {id}", review.number);
        self.store.audit(actor, "preview.send", &subject, &readers.join(" ")).await?;
        let books = StoreBooks::of_channel(&self.store, &adapter.account(), actor)
            .reading(&parcel.delivery);
        let refused = |error: DeliverError| {
            WorkError::Refused(format!("预览没有发成：{error}。下一步：{}", error.next_step))
        };
        let prepared = adapter.prepare(&parcel, &books).await.map_err(refused)?;
        let sent = adapter.preview(&prepared, &readers, &books).await.map_err(refused)?;
        let sent = sent.ok_or_else(|| without_readers(&id))?;
        Ok(Preview { channel: id, sent, draft: prepared.reference, notes: prepared.notes })
    }

    /// Which channel of the submission is meant, and what it carries.
    fn previewed(
        &self,
        review: &Review,
        channel: Option<&ChannelId>,
    ) -> Result<(ChannelId, Digest), WorkError> {
        let names = |of: &[&(ChannelId, Digest)]| {
            of.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>().join("、")
        };
        if let Some(channel) = channel {
            let all: Vec<_> = review.manifests.iter().collect();
            let found = all.iter().find(|(id, _)| id == channel);
            return found.map(|found| (*found).clone()).ok_or_else(|| {
                WorkError::Unknown(format!(
                    "{} 没有送审渠道“{channel}”，有：{}",
                    review.number,
                    names(&all)
                ))
            });
        }
        let has_readers = |adapter: &Arc<dyn Channel>| !adapter.test_readers().is_empty();
        let able: Vec<_> = review
            .manifests
            .iter()
            .filter(|(id, _)| self.channels.get(id).is_some_and(has_readers))
            .collect();
        match able[..] {
            [one] => Ok(one.clone()),
            [] => Err(WorkError::Refused(
                "没有能发预览的渠道：请在 channels.toml 的公众号渠道里写 test_readers = [\"微信号\"]"
                    .to_owned(),
            )),
            _ => Err(WorkError::Refused(format!(
                "能发预览的渠道有 {}，请用 --channel 指明一个",
                names(&able)
            ))),
        }
    }

    /// A parcel that no delivery has: its draft is nobody else's, and found again by its bytes.
    async fn preview_parcel(
        &self,
        channel: &ChannelId,
        manifest: &Digest,
    ) -> Result<Parcel, WorkError> {
        let json = self
            .store
            .manifest(manifest)
            .await?
            .ok_or_else(|| WorkError::Manifest(format!("台账里没有清单 {manifest}")))?;
        let frozen = wire::from_json(&json)?;
        let target = frozen.targets.first().map_or("", String::as_str);
        let draft = parcel::draft(&frozen, manifest, target);
        Ok(Parcel {
            delivery: format!("preview-{channel}-{}", &manifest.to_string()[..12]),
            ..draft
        })
    }
}

/// The readers meant: never one whom the configuration does not name.
fn readers(
    channel: &ChannelId,
    known: &[String],
    asked: &[String],
) -> Result<Vec<String>, WorkError> {
    if known.is_empty() {
        return Err(without_readers(channel));
    }
    if asked.is_empty() {
        return Ok(known.to_vec());
    }
    match asked.iter().find(|reader| !known.contains(reader)) {
        None => Ok(asked.to_vec()),
        Some(stranger) => Err(WorkError::Unknown(format!(
            "“{stranger}”不在 [channel.{channel}] 的 test_readers 里，现有：{}。\
             要发给别人，先把微信号写进去",
            known.join("、")
        ))),
    }
}

fn without_readers(channel: &ChannelId) -> WorkError {
    WorkError::Refused(format!(
        "渠道 {channel} 没有测试读者，发不了预览。\
         公众号渠道请写 test_readers = [\"微信号\"]（要先关注本号）；别的渠道没有预览"
    ))
}
