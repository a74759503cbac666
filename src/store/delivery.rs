//! Questions about deliveries.

use super::{
    Answer, AttemptLine, Delivery, DeliveryFilter, Store, StoreError,
    value::{Columns, Value, placeholders, values},
};
use crate::model::{CampaignId, ChannelId, DeliveryKey, DeliveryState, Digest};
use jiff::Timestamp;
use sqlx::{AssertSqlSafe, any::AnyRow};

/// A row's columns, where the table is called `d`.
pub(super) const COLUMNS: &str = "d.id, d.occurrence, d.campaign, d.slot, d.channel, d.target, \
     d.manifest, d.idem_key, d.state, d.attempt, d.failures, d.epoch, d.owner, d.lease_until, \
     d.next_at, d.expires_at, d.prepared_ref, d.remote_ref, d.url, d.error_class, d.message, \
     d.next_step, d.changed_at";

/// The same for what a statement returns.
pub(super) const RETURNED: &str = "id, occurrence, campaign, slot, channel, target, manifest, \
     idem_key, state, attempt, failures, epoch, owner, lease_until, next_at, expires_at, \
     prepared_ref, remote_ref, url, error_class, message, next_step, changed_at";

/// Reads a row.
pub(super) fn read(row: &AnyRow) -> Answer<Delivery> {
    Ok(Delivery {
        id: row.text("id")?,
        occurrence: row.text("occurrence")?,
        campaign: row.parsed("campaign", |text| CampaignId::new(text).ok())?,
        slot: row.moment("slot")?,
        channel: row.parsed("channel", |text| ChannelId::new(text).ok())?,
        target: row.text("target")?,
        manifest: row.parsed("manifest", Digest::from_hex)?,
        key: DeliveryKey::from_digest(row.parsed("idem_key", Digest::from_hex)?),
        state: row.parsed("state", DeliveryState::from_name)?,
        attempt: row.count("attempt")?,
        failures: row.count("failures")?,
        epoch: row.number("epoch")?,
        owner: row.maybe_text("owner")?,
        lease_until: row.maybe_moment("lease_until")?,
        next_at: row.moment("next_at")?,
        expires_at: row.moment("expires_at")?,
        prepared_ref: row.maybe_text("prepared_ref")?,
        remote_ref: row.maybe_text("remote_ref")?,
        url: row.maybe_text("url")?,
        error_class: row.maybe_text("error_class")?,
        message: row.text("message")?,
        next_step: row.text("next_step")?,
        changed_at: row.moment("changed_at")?,
    })
}

/// Reads rows.
pub(super) fn read_all(rows: &[AnyRow]) -> Answer<Vec<Delivery>> {
    rows.iter().map(read).collect()
}

fn read_attempt(row: &AnyRow) -> Answer<AttemptLine> {
    Ok(AttemptLine {
        delivery: row.text("delivery")?,
        attempt: row.count("attempt")?,
        at: row.moment("at")?,
        from: row.parsed("from_state", DeliveryState::from_name)?,
        to: row.parsed("to_state", DeliveryState::from_name)?,
        actor: row.text("actor")?,
        message: row.text("message")?,
        error_class: row.maybe_text("error_class")?,
    })
}

const TERMINAL: &str = "('confirmed', 'dead', 'cancelled', 'expired', 'recalled')";

impl Store {
    /// When the next row will be due, where there is one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn next_due(&self) -> Answer<Option<Timestamp>> {
        // Each part is answered by the first entry of an index.
        let sql = "SELECT CASE WHEN hold_by IS NULL \
                     THEN (SELECT min(due_at) FROM delivery WHERE due_at IS NOT NULL) END AS any_due, \
                   (SELECT min(due_at) FROM delivery WHERE state = 'accepted') AS accepted, \
                   (SELECT min(due_at) FROM delivery WHERE state = 'sending') AS sending \
                   FROM deployment WHERE single = 1";
        let Some(row) = self.database.one("问下一次到期", sql, Vec::new()).await? else {
            return Ok(None);
        };
        let due = ["any_due", "accepted", "sending"].map(|column| row.maybe_moment(column));
        let due = due.into_iter().collect::<Answer<Vec<_>>>()?;
        Ok(due.into_iter().flatten().min())
    }

    /// The deliveries that fit, newest slots first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn deliveries(&self, filter: &DeliveryFilter) -> Answer<Vec<Delivery>> {
        let mut conditions = vec!["1 = 1".to_owned()];
        let mut values: Vec<Value> = Vec::new();
        let mut equals = |column: &str, value: Option<String>| {
            if let Some(value) = value {
                values.push(value.into());
                conditions.push(format!("d.{column} = ${}", values.len()));
            }
        };
        equals("campaign", filter.campaign.as_ref().map(ToString::to_string));
        equals("occurrence", filter.occurrence.clone());
        equals("channel", filter.channel.as_ref().map(ToString::to_string));
        if !filter.states.is_empty() {
            let marks = placeholders(values.len() + 1, filter.states.len());
            values.extend(filter.states.iter().map(|state| Value::from(state.as_str())));
            conditions.push(format!("d.state IN ({marks})"));
        }
        let limit = match filter.limit {
            0 => String::new(),
            limit => format!(" LIMIT {limit}"),
        };
        let sql = format!(
            "SELECT {COLUMNS} FROM delivery d WHERE {} \
             ORDER BY d.slot DESC, d.occurrence, d.channel, d.target{limit}",
            conditions.join(" AND ")
        );
        read_all(&self.database.all("读投递", AssertSqlSafe(sql), values).await?)
    }

    /// By id or unambiguous beginning of it.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or [`StoreError::Conflict`] where several begin like that.
    pub async fn delivery(&self, id: &str) -> Answer<Delivery> {
        const WHAT: &str = "读投递";
        let exact = format!("SELECT {COLUMNS} FROM delivery d WHERE d.id = $1");
        if let Some(row) = self.database.one(WHAT, AssertSqlSafe(exact), values![id]).await? {
            return read(&row);
        }
        let length = i64::try_from(id.chars().count()).unwrap_or(i64::MAX);
        let begins = format!(
            "SELECT {COLUMNS} FROM delivery d \
             WHERE substr(d.id, 1, CAST($2 AS INTEGER)) = $1 ORDER BY d.id LIMIT 5"
        );
        let values = values![id, length.min(64)];
        let rows = if id.is_empty() {
            Vec::new()
        } else {
            read_all(&self.database.all(WHAT, AssertSqlSafe(begins), values).await?)?
        };
        match <[Delivery; 1]>::try_from(rows) {
            Ok([delivery]) => Ok(delivery),
            Err(rows) if rows.is_empty() => Err(StoreError::NotFound(format!("投递 {id}"))),
            Err(rows) => {
                let ids: Vec<_> = rows.iter().map(|row| row.id.as_str()).collect();
                Err(StoreError::Conflict(format!(
                    "以 {id} 开头的投递不止一条：{}；请多写几位",
                    ids.join("、")
                )))
            }
        }
    }

    /// Everything that happened to a delivery, in order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn attempts(&self, id: &str) -> Answer<Vec<AttemptLine>> {
        let sql = "SELECT delivery, attempt, at, from_state, to_state, actor, message, \
                   error_class FROM delivery_attempt WHERE delivery = $1 ORDER BY line";
        let rows = self.database.all("读投递经过", sql, values![id]).await?;
        rows.iter().map(read_attempt).collect()
    }

    /// Rows past their slot and not terminal (P7), oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn overdue(&self) -> Answer<Vec<Delivery>> {
        let now = self.now().await?;
        let sql = format!(
            "SELECT {COLUMNS} FROM delivery d \
             WHERE d.slot <= $1 AND d.state NOT IN {TERMINAL} ORDER BY d.slot, d.id"
        );
        read_all(&self.database.all("找逾期的投递", AssertSqlSafe(sql), values![now]).await?)
    }

    /// How many rows are in each state, by channel.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn counts(&self) -> Answer<Vec<(ChannelId, DeliveryState, u64)>> {
        let sql = "SELECT channel, state, count(*) AS number FROM delivery \
                   GROUP BY channel, state ORDER BY channel, state";
        let rows = self.database.all("数投递", sql, Vec::new()).await?;
        let count = |row: &AnyRow| {
            Ok((
                row.parsed("channel", |text| ChannelId::new(text).ok())?,
                row.parsed("state", DeliveryState::from_name)?,
                row.number("number")?.unsigned_abs(),
            ))
        };
        rows.iter().map(count).collect()
    }
}
