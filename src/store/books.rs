//! What channels remember between calls: journals, quotas, tokens, callbacks that were had.

use super::{
    Answer, Store, StoreError,
    record::later,
    value::{Columns, values},
};
use crate::model::ChannelId;
use jiff::Timestamp;
use sqlx::AssertSqlSafe;
use std::time::Duration;

impl Store {
    /// What was written under `step`; `delivery = None` for the channel's own memory.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn journal(
        &self,
        channel: &ChannelId,
        delivery: Option<&str>,
        step: &str,
    ) -> Answer<Option<String>> {
        let sql = "SELECT value FROM channel_journal \
                   WHERE channel = $1 AND delivery = $2 AND step = $3";
        let values = values![channel, delivery.unwrap_or_default(), step];
        let row = self.database.one("读渠道记事", sql, values).await?;
        row.map(|row| row.text("value")).transpose()
    }

    /// Writes under `step`, replacing what was there. Fenced by `(delivery id, epoch)` where one
    /// is given.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] where the delivery is at another epoch.
    pub async fn write_journal(
        &self,
        channel: &ChannelId,
        delivery: Option<&str>,
        fence: Option<(&str, i64)>,
        step: &str,
        value: &str,
    ) -> Answer<()> {
        let mut writing = self.database.write("写渠道记事").await?;
        let now = writing.now().await?;
        if let Some((id, epoch)) = fence {
            // Shared: a claim by somebody else waits until this is written, or comes first.
            let sql = format!(
                "SELECT id FROM delivery WHERE id = $1 AND epoch = $2{}",
                writing.locking(" FOR SHARE")
            );
            if writing.one(AssertSqlSafe(sql), values![id, epoch]).await?.is_none() {
                return Err(StoreError::Fenced(id.to_owned()));
            }
        }
        let sql = "INSERT INTO channel_journal (channel, delivery, step, value, at) \
                   VALUES ($1, $2, $3, $4, $5) ON CONFLICT (channel, delivery, step) \
                   DO UPDATE SET value = excluded.value, at = excluded.at";
        let values = values![channel, delivery.unwrap_or_default(), step, value, now];
        writing.run(sql, values).await?;
        writing.commit().await
    }

    /// Adds one to the counter unless it has reached `limit`; the count after, or `None`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn take_quota(
        &self,
        channel: &ChannelId,
        call: &str,
        window_start: Timestamp,
        limit: u32,
    ) -> Answer<Option<u32>> {
        if limit == 0 {
            return Ok(None);
        }
        let mut writing = self.database.write("记一次调用").await?;
        // One statement, whose row both databases lock: two processes never take the same one.
        let sql = "INSERT INTO channel_quota (channel, call, window_start, used) \
                   VALUES ($1, $2, $3, 1) ON CONFLICT (channel, call, window_start) \
                   DO UPDATE SET used = channel_quota.used + 1 WHERE channel_quota.used < $4 \
                   RETURNING used";
        let row = writing.one(sql, values![channel, call, window_start, limit]).await?;
        let used = row.map(|row| row.count("used")).transpose()?;
        writing.commit().await?;
        Ok(used)
    }

    /// How many calls the window has had.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn quota_used(
        &self,
        channel: &ChannelId,
        call: &str,
        window_start: Timestamp,
    ) -> Answer<u32> {
        let sql = "SELECT used FROM channel_quota \
                   WHERE channel = $1 AND call = $2 AND window_start = $3";
        let values = values![channel, call, window_start];
        let row = self.database.one("读调用次数", sql, values).await?;
        row.map_or(Ok(0), |row| row.count("used"))
    }

    /// Sealed token, expiry, version.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn token(
        &self,
        channel: &ChannelId,
        account: &str,
    ) -> Answer<Option<(String, Timestamp, i64)>> {
        let sql = "SELECT sealed, expires_at, version FROM channel_token \
                   WHERE channel = $1 AND account = $2 AND sealed IS NOT NULL";
        let row = self.database.one("读令牌", sql, values![channel, account]).await?;
        let read = |row: sqlx::any::AnyRow| {
            Ok((row.text("sealed")?, row.moment("expires_at")?, row.number("version")?))
        };
        row.map(read).transpose()
    }

    /// Asks to be the one that refreshes the token: `false` while another owner's lease runs.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn lease_token(
        &self,
        channel: &ChannelId,
        account: &str,
        owner: &str,
        length: Duration,
    ) -> Answer<bool> {
        let mut writing = self.database.write("申请刷新令牌").await?;
        let now = writing.now().await?;
        let sql = "INSERT INTO channel_token \
                   (channel, account, expires_at, version, lease_owner, lease_until) \
                   VALUES ($1, $2, 0, 0, $3, $4) ON CONFLICT (channel, account) \
                   DO UPDATE SET lease_owner = excluded.lease_owner, \
                   lease_until = excluded.lease_until \
                   WHERE channel_token.lease_owner IS NULL \
                   OR channel_token.lease_owner = excluded.lease_owner \
                   OR channel_token.lease_until <= $5";
        let values = values![channel, account, owner, later(now, length), now];
        let leased = writing.run(sql, values).await? == 1;
        writing.commit().await?;
        Ok(leased)
    }

    /// Stores a refreshed token and ends the lease; its version.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] while another owner's lease runs: that one's token is newer.
    pub async fn store_token(
        &self,
        channel: &ChannelId,
        account: &str,
        owner: &str,
        sealed: &str,
        expires_at: Timestamp,
    ) -> Answer<i64> {
        let mut writing = self.database.write("存令牌").await?;
        let now = writing.now().await?;
        let sql = "INSERT INTO channel_token \
                   (channel, account, sealed, expires_at, version, lease_owner, lease_until) \
                   VALUES ($1, $2, $3, $4, 1, NULL, 0) ON CONFLICT (channel, account) \
                   DO UPDATE SET sealed = excluded.sealed, expires_at = excluded.expires_at, \
                   version = channel_token.version + 1, lease_owner = NULL, lease_until = 0 \
                   WHERE channel_token.lease_owner IS NULL OR channel_token.lease_owner = $5 \
                   OR channel_token.lease_until <= $6 RETURNING version";
        let values = values![channel, account, sealed, expires_at, owner, now];
        let Some(row) = writing.one(sql, values).await? else {
            return Err(StoreError::Fenced(format!("（渠道 {channel} 的令牌）")));
        };
        let version = row.number("version")?;
        writing.commit().await?;
        Ok(version)
    }

    /// Notes a callback; `false` where it was had before.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn note_event(&self, channel: &ChannelId, event_key: &str) -> Answer<bool> {
        let mut writing = self.database.write("记回调").await?;
        let now = writing.now().await?;
        let sql = "INSERT INTO channel_event (channel, event_key, at) VALUES ($1, $2, $3) \
                   ON CONFLICT DO NOTHING";
        let new = writing.run(sql, values![channel, event_key, now]).await? == 1;
        writing.commit().await?;
        Ok(new)
    }

    /// Makes the accepted row of that reference due now; `false` where there is none. Where a
    /// worker is asking at this moment, the row is due again as soon as it is let go of.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn wake_remote(&self, channel: &ChannelId, remote_ref: &str) -> Answer<bool> {
        let mut writing = self.database.write("按回调催办").await?;
        let now = writing.now().await?;
        let sql = "UPDATE delivery SET next_at = $1, \
                   due_at = CASE WHEN owner IS NULL THEN $1 ELSE due_at END, \
                   woken = CASE WHEN owner IS NULL THEN 0 ELSE 1 END \
                   WHERE remote_ref = $2 AND channel = $3 AND state = 'accepted'";
        let woken = writing.run(sql, values![now, remote_ref, channel]).await? > 0;
        if woken {
            writing.wake();
        }
        writing.commit().await?;
        Ok(woken)
    }
}
