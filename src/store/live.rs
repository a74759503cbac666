//! What is out, and where: for the pages of lessons and of audits.

use super::{
    Answer, Store,
    review::read_lessons,
    value::{Columns, values},
};
use crate::model::{DeliveryState, Digest, LessonId};
use jiff::Timestamp;
use sqlx::any::AnyRow;

/// Something that is or was out, with the lessons of its slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Out {
    /// The delivery.
    pub delivery: String,
    /// The channel.
    pub channel: String,
    /// Account, group or repository.
    pub target: String,
    /// How far it got.
    pub state: DeliveryState,
    /// The slot.
    pub slot: Timestamp,
    /// Until when it may be out.
    pub expires_at: Timestamp,
    /// Where people can see it.
    pub url: Option<String>,
    /// What was approved.
    pub manifest: Digest,
    /// The lessons.
    pub lessons: Vec<LessonId>,
}

const OUT: &str = "SELECT d.id, d.channel, d.target, d.state, d.slot, d.expires_at, d.url, \
                   d.manifest, o.lessons FROM delivery d JOIN occurrence o ON o.id = d.occurrence";

fn read(row: &AnyRow) -> Answer<Out> {
    Ok(Out {
        delivery: row.text("id")?,
        channel: row.text("channel")?,
        target: row.text("target")?,
        state: row.parsed("state", DeliveryState::from_name)?,
        slot: row.moment("slot")?,
        expires_at: row.moment("expires_at")?,
        url: row.maybe_text("url")?,
        manifest: row.parsed("manifest", Digest::from_hex)?,
        lessons: row.parsed("lessons", read_lessons)?,
    })
}

impl Store {
    /// Which lessons are out now, and over which channels: each pair once.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn out_now(&self) -> Answer<Vec<(Vec<LessonId>, String)>> {
        let now = self.now().await?;
        let sql = "SELECT DISTINCT o.lessons, d.channel FROM delivery d \
                   JOIN occurrence o ON o.id = d.occurrence \
                   WHERE d.state IN ('confirmed', 'accepted') AND d.expires_at > $1 \
                   ORDER BY d.channel, o.lessons";
        let rows = self.database.all("读在外的内容", sql, values![now]).await?;
        let read = |row: &AnyRow| Ok((row.parsed("lessons", read_lessons)?, row.text("channel")?));
        rows.iter().map(read).collect()
    }

    /// Everything that was to go out in a span, whatever became of it, oldest first.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn out_between(&self, from: Timestamp, until: Timestamp) -> Answer<Vec<Out>> {
        let sql = sqlx::AssertSqlSafe(format!(
            "{OUT} WHERE d.slot < $2 AND d.expires_at > $1 ORDER BY d.slot, d.id"
        ));
        let rows = self.database.all("读当天的内容", sql, values![from, until]).await?;
        rows.iter().map(read).collect()
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
