//! Which newer submissions took a submission's place. A slot fires for the newest submission of the
//! same campaign and the same lessons over the same channel, so channel by channel is how one
//! replaces another.

use super::{
    Answer, Review, Store,
    database::Writing,
    value::{Columns, values},
};
use crate::model::{CampaignId, ChannelId, LessonId};
use sqlx::any::AnyRow;
use std::collections::{BTreeMap, btree_map::Entry};

/// By channel of a submission, the number of the newest one that carries the same over it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Successors {
    channels: Vec<(ChannelId, Option<String>)>,
}

impl Successors {
    /// Those of every submission of a list, newest first.
    #[must_use]
    pub fn of_all(reviews: &[Review]) -> Vec<Self> {
        let mut newest: BTreeMap<(&CampaignId, &[LessonId], &ChannelId), &str> = BTreeMap::new();
        let mut all = Vec::new();
        for review in reviews {
            let mut channels = Vec::new();
            for (channel, _) in &review.manifests {
                let by = match newest.entry((&review.campaign, &review.lessons, channel)) {
                    Entry::Occupied(known) => Some((*known.get()).to_owned()),
                    Entry::Vacant(first) => {
                        first.insert(&review.number);
                        None
                    }
                };
                channels.push((channel.clone(), by));
            }
            all.push(Self { channels });
        }
        all
    }

    /// Whether nothing of the submission is left: every channel has a newer one.
    #[must_use]
    pub fn are_all(&self) -> bool {
        !self.channels.is_empty() && self.channels.iter().all(|(_, by)| by.is_some())
    }

    /// The channels that have a newer one, with its number.
    pub fn channels(&self) -> impl Iterator<Item = (&ChannelId, &str)> {
        self.channels.iter().filter_map(|(channel, by)| Some((channel, by.as_deref()?)))
    }

    /// The numbers of the newer ones, each once, in order.
    #[must_use]
    pub fn numbers(&self) -> Vec<String> {
        let mut numbers: Vec<String> = self.channels().map(|(_, by)| by.to_owned()).collect();
        numbers.sort();
        numbers.dedup();
        numbers
    }

    /// Why the submission of that number is not signed any more, in Chinese; none while something
    /// of it is left.
    #[must_use]
    pub fn refusal(&self, number: &str) -> Option<String> {
        let numbers = self.numbers().join("、");
        self.are_all().then(|| {
            format!(
                "{number} 已被 {numbers} 代替，没有签。请看 {numbers}；\
                 要发的又是 {number} 那一份，请作者把稿件改回去重新送审"
            )
        })
    }
}

/// The newest submission after one, by channel of that one.
const SUCCESSORS: &str = "SELECT m.channel, (SELECT r.number FROM review r \
     JOIN review_manifest n ON n.review = r.number \
     WHERE r.campaign = o.campaign AND r.lessons = o.lessons AND n.channel = m.channel \
     AND (r.submitted_at > o.submitted_at \
          OR (r.submitted_at = o.submitted_at AND r.number > o.number)) \
     ORDER BY r.submitted_at DESC, r.number DESC LIMIT 1) AS newer \
     FROM review o JOIN review_manifest m ON m.review = o.number \
     WHERE o.number = $1 ORDER BY m.channel";

fn read(rows: &[AnyRow]) -> Answer<Successors> {
    let pair = |row: &AnyRow| {
        let channel = row.parsed("channel", |text| ChannelId::new(text).ok())?;
        Ok((channel, row.maybe_text("newer")?))
    };
    Ok(Successors { channels: rows.iter().map(pair).collect::<Answer<_>>()? })
}

/// The same in a transaction.
pub(super) async fn successors(writing: &mut Writing<'_>, number: &str) -> Answer<Successors> {
    read(&writing.all(SUCCESSORS, values![number]).await?)
}

impl Store {
    /// Which newer submissions took the place of the one of that number.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn successors(&self, number: &str) -> Answer<Successors> {
        read(&self.database.all("读审批单", SUCCESSORS, values![number]).await?)
    }
}
