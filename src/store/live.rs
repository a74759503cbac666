//! What is out, and where. A ledger keeps a row for ever: which of those that went out are still to
//! be seen is for whoever knows their manifests and channels.

use super::{
    Answer, Store,
    review::read_lessons,
    value::{Columns, values},
};
use crate::model::{CampaignId, ChannelId, DeliveryState, Digest, LessonId, ScheduleId};
use jiff::Timestamp;
use sqlx::any::AnyRow;
use std::collections::BTreeMap;

/// Something that is or was out or may go out, with the lessons of its slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Out {
    /// The delivery.
    pub delivery: String,
    /// The channel.
    pub channel: ChannelId,
    /// Account, group or repository.
    pub target: String,
    /// How far it got.
    pub state: DeliveryState,
    /// The slot.
    pub slot: Timestamp,
    /// Until when it may be sent; what is out by then stays longer.
    pub expires_at: Timestamp,
    /// Where people can see it.
    pub url: Option<String>,
    /// What was approved.
    pub manifest: Digest,
    /// The campaign edition.
    pub campaign: CampaignId,
    /// The schedule of its occurrence, or what stands for one.
    pub schedule: ScheduleId,
    /// The lessons.
    pub lessons: Vec<LessonId>,
    /// The frozen content it was made of, where its submission is known.
    pub revision: Option<Digest>,
    /// The approval number.
    pub number: Option<String>,
}

impl Out {
    /// Whether it went out and was not taken back.
    #[must_use]
    pub fn is_out(&self) -> bool {
        matches!(self.state, DeliveryState::Confirmed | DeliveryState::Accepted)
    }
}

/// When something came to be seen, and to be seen no longer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seen {
    /// When the far side was first known to show it.
    pub confirmed: Option<Timestamp>,
    /// When the far side first took it.
    pub accepted: Option<Timestamp>,
    /// When it was first taken down.
    pub recalled: Option<Timestamp>,
}

impl Seen {
    /// When it was to be seen for the first time.
    #[must_use]
    pub fn from(&self) -> Option<Timestamp> {
        self.confirmed.or(self.accepted)
    }
}

const OUT: &str = "SELECT d.id, d.channel, d.target, d.state, d.slot, d.expires_at, d.url, \
                   d.manifest, d.campaign, o.schedule, o.lessons, r.revision, r.number \
                   FROM delivery d JOIN occurrence o ON o.id = d.occurrence \
                   LEFT JOIN review_manifest m ON m.manifest = d.manifest \
                   LEFT JOIN review r ON r.number = m.review";

fn read(row: &AnyRow) -> Answer<Out> {
    Ok(Out {
        delivery: row.text("id")?,
        channel: row.parsed("channel", |text| ChannelId::new(text).ok())?,
        target: row.text("target")?,
        state: row.parsed("state", DeliveryState::from_name)?,
        slot: row.moment("slot")?,
        expires_at: row.moment("expires_at")?,
        url: row.maybe_text("url")?,
        manifest: row.parsed("manifest", Digest::from_hex)?,
        campaign: row.parsed("campaign", |text| CampaignId::new(text).ok())?,
        schedule: row.parsed("schedule", |text| ScheduleId::new(text).ok())?,
        lessons: row.parsed("lessons", read_lessons)?,
        revision: row.maybe_text("revision")?.and_then(|text| Digest::from_hex(&text)),
        number: row.maybe_text("number")?,
    })
}

impl Store {
    /// A digest that is another one as soon as a delivery was added or changed its state: cheaper
    /// than reading all of them to find that nothing happened.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn deliveries_state(&self) -> Answer<Digest> {
        // A change of state moves `changed_at` forward, so that the sum grows; two states that
        // swap rows within one millisecond have other counts.
        let sql = "SELECT state, count(*) AS number, CAST(sum(changed_at) AS BIGINT) AS moments \
                   FROM delivery GROUP BY state ORDER BY state";
        let rows = self.database.all("看投递变了没有", sql, Vec::new()).await?;
        let mut fields: Vec<Vec<u8>> = Vec::new();
        for row in &rows {
            fields.push(row.text("state")?.into_bytes());
            fields.push(row.number("number")?.to_be_bytes().to_vec());
            fields.push(row.number("moments")?.to_be_bytes().to_vec());
        }
        Ok(Digest::of_fields(fields.iter().map(Vec::as_slice)))
    }

    /// Everything that went out and was not taken back, and what may still go out; the newest
    /// first. Of what went out long ago nobody may be seeing anything any more.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn out_or_coming(&self) -> Answer<Vec<Out>> {
        let sql = sqlx::AssertSqlSafe(format!(
            "{OUT} WHERE d.state IN ('confirmed', 'accepted') OR (d.expires_at > $1 AND \
             d.state NOT IN ('dead', 'cancelled', 'expired', 'recalled')) \
             ORDER BY d.slot DESC, d.id"
        ));
        let now = self.now().await?;
        let rows = self.database.all("读在外的内容", sql, values![now]).await?;
        rows.iter().map(read).collect()
    }

    /// Everything that went out and was taken back, the newest first.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn recalled(&self) -> Answer<Vec<Out>> {
        let sql = sqlx::AssertSqlSafe(format!(
            "{OUT} WHERE d.state = 'recalled' ORDER BY d.slot DESC, d.id"
        ));
        let rows = self.database.all("读撤回的内容", sql, Vec::new()).await?;
        rows.iter().map(read).collect()
    }

    /// Everything that ever was to go out, whatever became of it, the latest slot first.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn out_ever(&self) -> Answer<Vec<Out>> {
        let sql = sqlx::AssertSqlSafe(format!("{OUT} ORDER BY d.slot DESC, d.id"));
        let rows = self.database.all("读以前的内容", sql, Vec::new()).await?;
        rows.iter().map(read).collect()
    }

    /// From when until when every delivery was to be seen; without those that never went out.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn seen(&self) -> Answer<BTreeMap<String, Seen>> {
        let sql = "SELECT delivery, to_state, CAST(MIN(at) AS BIGINT) AS first \
                   FROM delivery_attempt WHERE to_state IN ('confirmed', 'accepted', 'recalled') \
                   GROUP BY delivery, to_state";
        let mut all: BTreeMap<String, Seen> = BTreeMap::new();
        for row in &self.database.all("读投递经过", sql, Vec::new()).await? {
            let first = Some(row.moment("first")?);
            let seen = all.entry(row.text("delivery")?).or_default();
            match row.parsed("to_state", DeliveryState::from_name)? {
                DeliveryState::Confirmed => seen.confirmed = first,
                DeliveryState::Accepted => seen.accepted = first,
                _ => seen.recalled = first,
            }
        }
        Ok(all)
    }

    /// Everything that ever carried a lesson, newest first, at most so many.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn out_of_lesson(&self, lesson: &LessonId, limit: u32) -> Answer<Vec<Out>> {
        // The column is a JSON list of ids, which hold no quotation marks.
        let sql = sqlx::AssertSqlSafe(format!(
            "{OUT} WHERE o.lessons LIKE $1 ORDER BY d.slot DESC, d.id LIMIT $2"
        ));
        let like = format!("%\"{lesson}\"%");
        let rows = self.database.all("读课件的投递", sql, values![&like, limit]).await?;
        rows.iter().map(read).collect()
    }
}
