//! What is out, and where. A ledger keeps a row for ever: which of those that went out are still to
//! be seen is for whoever knows their manifests and channels.

use super::{
    Answer, Store,
    review::read_lessons,
    value::{Columns, Value, values},
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
    /// When its state changed last.
    pub changed_at: Timestamp,
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
                   d.manifest, d.campaign, d.changed_at, o.schedule, o.lessons, r.revision, r.number \
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
        changed_at: row.moment("changed_at")?,
    })
}

/// How all deliveries stand: by state how many there are, and the sum of the moments at which they
/// came into it. A change of state moves a delivery's moment forward, so that the sum grows; two
/// states that swap deliveries within one millisecond have other counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeliveriesState(BTreeMap<&'static str, (i64, i64)>);

impl DeliveriesState {
    /// How these stand.
    pub fn of<'o>(outs: impl Iterator<Item = &'o Out>) -> Self {
        let mut states: BTreeMap<&'static str, (i64, i64)> = BTreeMap::new();
        for out in outs {
            let (number, moments) = states.entry(out.state.as_str()).or_default();
            *number += 1;
            *moments = moments.saturating_add(out.changed_at.as_millisecond());
        }
        Self(states)
    }
}

fn changed_since(changed: Option<Timestamp>) -> (&'static str, Vec<Value>) {
    match changed {
        Some(moment) => ("WHERE d.changed_at >= $1", values![moment]),
        None => ("", Vec::new()),
    }
}

impl Store {
    /// How all deliveries stand: another one as soon as a delivery was added or changed its state,
    /// and cheaper than reading all of them to find that nothing happened.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn deliveries_state(&self) -> Answer<DeliveriesState> {
        let sql = "SELECT state, count(*) AS number, CAST(sum(changed_at) AS BIGINT) AS moments \
                   FROM delivery GROUP BY state";
        let rows = self.database.all("看投递变了没有", sql, Vec::new()).await?;
        let mut states = BTreeMap::new();
        for row in &rows {
            let state = row.parsed("state", DeliveryState::from_name)?;
            states.insert(state.as_str(), (row.number("number")?, row.number("moments")?));
        }
        Ok(DeliveriesState(states))
    }

    /// Everything that ever was to go out, whatever became of it, the latest slot first; or of it
    /// only what changed at a moment or after it.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn out_ever(&self, changed: Option<Timestamp>) -> Answer<Vec<Out>> {
        let (filter, values) = changed_since(changed);
        let sql = sqlx::AssertSqlSafe(format!("{OUT} {filter} ORDER BY d.slot DESC, d.id"));
        let rows = self.database.all("读以前的内容", sql, values).await?;
        rows.iter().map(read).collect()
    }

    /// From when until when every delivery was to be seen, or each that changed at a moment or
    /// after it; without those that never went out.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn seen(&self, changed: Option<Timestamp>) -> Answer<BTreeMap<String, Seen>> {
        let (filter, values) = changed_since(changed);
        let sql = sqlx::AssertSqlSafe(format!(
            "SELECT a.delivery, a.to_state, CAST(MIN(a.at) AS BIGINT) AS first \
             FROM delivery d JOIN delivery_attempt a ON a.delivery = d.id \
             AND a.to_state IN ('confirmed', 'accepted', 'recalled') {filter} \
             GROUP BY a.delivery, a.to_state"
        ));
        let mut all: BTreeMap<String, Seen> = BTreeMap::new();
        for row in &self.database.all("读投递经过", sql, values).await? {
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
