//! The deliveries as a board shows them: a page at a time, with how many there are.

use super::{
    Answer, Delivery, Store,
    delivery::{self, COLUMNS},
    review::read_lessons,
    search::literal,
    value::{Columns, Value, placeholders, values},
};
use crate::model::{ChannelId, DeliveryState, LessonId};
use jiff::Timestamp;
use sqlx::{AssertSqlSafe, any::AnyRow};

/// Which deliveries a board shows. Empty fields do not narrow it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BoardFilter {
    /// Only these states.
    pub states: Vec<DeliveryState>,
    /// Only this channel.
    pub channel: String,
    /// Only this campaign edition, `series/edition`.
    pub campaign: String,
    /// Only this occurrence.
    pub occurrence: String,
    /// A piece of an id, an occurrence, a lesson, a reference, an address or a message.
    pub text: String,
    /// Only what is not over.
    pub open: bool,
}

/// A line of the board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoardRow {
    /// The delivery.
    pub delivery: Delivery,
    /// The lessons of its occurrence.
    pub lessons: Vec<LessonId>,
}

/// What would go out of one channel if nothing held it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backlog {
    /// The channel.
    pub channel: ChannelId,
    /// Deliveries that would go out at once.
    pub due: u64,
    /// Deliveries whose moment comes later.
    pub later: u64,
    /// Deliveries that nobody wants any more: their time is over.
    pub expired: u64,
}

const FROM: &str = "delivery d JOIN occurrence o ON o.id = d.occurrence";

/// What is not over.
const OPEN: &str = "d.state NOT IN ('confirmed', 'dead', 'cancelled', 'expired', 'recalled')";

impl BoardFilter {
    /// The conditions and their values; the states only where `with_states`.
    fn conditions(&self, with_states: bool) -> (String, Vec<Value>) {
        let mut conditions = vec!["1 = 1".to_owned()];
        let mut values: Vec<Value> = Vec::new();
        let equals = [
            ("channel", &self.channel),
            ("campaign", &self.campaign),
            ("occurrence", &self.occurrence),
        ];
        for (column, wanted) in equals {
            if !wanted.is_empty() {
                values.push(wanted.into());
                conditions.push(format!("d.{column} = ${}", values.len()));
            }
        }
        if !self.text.trim().is_empty() {
            let text = literal(&self.text.trim().to_lowercase());
            values.push(format!("%{text}%").into());
            let mark = values.len();
            let columns = [
                "d.id",
                "d.occurrence",
                "o.lessons",
                "d.target",
                "COALESCE(d.remote_ref, '')",
                "COALESCE(d.url, '')",
                "d.message",
            ];
            let like = columns.map(|column| format!("lower({column}) LIKE ${mark} ESCAPE '!'"));
            conditions.push(format!("({})", like.join(" OR ")));
        }
        if self.open {
            conditions.push(OPEN.to_owned());
        }
        if with_states && !self.states.is_empty() {
            let marks = placeholders(values.len() + 1, self.states.len());
            values.extend(self.states.iter().map(|state| Value::from(state.as_str())));
            conditions.push(format!("d.state IN ({marks})"));
        }
        (conditions.join(" AND "), values)
    }
}

fn read(row: &AnyRow) -> Answer<BoardRow> {
    Ok(BoardRow { delivery: delivery::read(row)?, lessons: row.parsed("lessons", read_lessons)? })
}

impl Store {
    /// A page of the board, newest slots first.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn board(
        &self,
        filter: &BoardFilter,
        limit: u32,
        offset: u32,
    ) -> Answer<Vec<BoardRow>> {
        let (conditions, values) = filter.conditions(true);
        let sql = format!(
            "SELECT {COLUMNS}, o.lessons FROM {FROM} WHERE {conditions} \
             ORDER BY d.slot DESC, d.occurrence, d.channel, d.target LIMIT {limit} OFFSET {offset}"
        );
        let rows = self.database.all("读投递", AssertSqlSafe(sql), values).await?;
        rows.iter().map(read).collect()
    }

    /// How many rows the board has in each state, whichever states are asked for.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn board_counts(&self, filter: &BoardFilter) -> Answer<Vec<(DeliveryState, u64)>> {
        let (conditions, values) = filter.conditions(false);
        let sql = format!(
            "SELECT d.state, count(*) AS number FROM {FROM} WHERE {conditions} GROUP BY d.state"
        );
        let rows = self.database.all("数投递", AssertSqlSafe(sql), values).await?;
        let count = |row: &AnyRow| {
            let state = row.parsed("state", DeliveryState::from_name)?;
            Ok((state, row.number("number")?.unsigned_abs()))
        };
        let mut counts = rows.iter().map(count).collect::<Answer<Vec<_>>>()?;
        counts.sort_unstable();
        Ok(counts)
    }

    /// How far the deliveries got that are due in `[from, until)`: occurrence, state, how many.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn progress(
        &self,
        from: Timestamp,
        until: Timestamp,
    ) -> Answer<Vec<(String, DeliveryState, u64)>> {
        let sql = "SELECT occurrence, state, count(*) AS number FROM delivery \
                   WHERE slot >= $1 AND slot < $2 GROUP BY occurrence, state \
                   ORDER BY occurrence, state";
        let rows = self.database.all("数投递", sql, values![from, until]).await?;
        let count = |row: &AnyRow| {
            let state = row.parsed("state", DeliveryState::from_name)?;
            Ok((row.text("occurrence")?, state, row.number("number")?.unsigned_abs()))
        };
        rows.iter().map(count).collect()
    }

    /// What waits to be sent, by channel.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn backlog(&self) -> Answer<Vec<Backlog>> {
        let now = self.now().await?;
        // `CAST` tells Postgres what the placeholders are.
        let sum = |condition: &str| format!("sum(CASE WHEN {condition} THEN 1 ELSE 0 END)");
        let (at, late) = ("CAST($1 AS BIGINT)", "d.expires_at <= CAST($1 AS BIGINT)");
        let sql = format!(
            "SELECT d.channel, {} AS due, {} AS later, {} AS expired FROM delivery d \
             WHERE d.state IN ('ready', 'preparing', 'prepared', 'retry-wait') \
             GROUP BY d.channel ORDER BY d.channel",
            sum(&format!("d.next_at <= {at} AND NOT {late}")),
            sum(&format!("d.next_at > {at} AND NOT {late}")),
            sum(late),
        );
        let rows = self.database.all("数待发的投递", AssertSqlSafe(sql), values![now]).await?;
        let read = |row: &AnyRow| {
            let count = |column| row.number(column).map(i64::unsigned_abs);
            Ok(Backlog {
                channel: row.parsed("channel", |text| ChannelId::new(text).ok())?,
                due: count("due")?,
                later: count("later")?,
                expired: count("expired")?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// The deliveries of a campaign edition, a series, an edition, a schedule or a lesson of that
    /// name, newest slots first.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn deliveries_carrying(&self, name: &str) -> Answer<Vec<Delivery>> {
        let inner = literal(name);
        let sql = format!(
            "SELECT {COLUMNS} FROM {FROM} WHERE d.campaign = $1 OR o.schedule = $1 \
             OR d.campaign LIKE $2 ESCAPE '!' OR d.campaign LIKE $3 ESCAPE '!' \
             OR o.lessons LIKE $4 ESCAPE '!' \
             ORDER BY d.slot DESC, d.occurrence, d.channel, d.target"
        );
        let values =
            values![name, format!("{inner}/%"), format!("%/{inner}"), format!("%\"{inner}\"%")];
        delivery::read_all(&self.database.all("读投递", AssertSqlSafe(sql), values).await?)
    }
}
