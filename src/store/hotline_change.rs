//! Numbers that were changed, and how far what follows got.

use super::{
    Answer, Store,
    audit::Entry,
    value::{Columns, values},
};
use crate::model::HotlineId;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use sqlx::{AssertSqlSafe, any::AnyRow};

/// A number that somebody changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HotlineChange {
    /// Its name.
    pub id: String,
    /// The number.
    pub hotline: HotlineId,
    /// Who changed it.
    pub actor: String,
    /// When.
    pub at: Timestamp,
    /// Whether something is still to be done.
    pub open: bool,
    /// What is to be done and how far it got (JSON); the ledger does not look inside.
    pub plan: String,
}

const COLUMNS: &str = "id, hotline, actor, at, state, lease_until, plan";

fn read(row: &AnyRow) -> Answer<HotlineChange> {
    Ok(HotlineChange {
        id: row.text("id")?,
        hotline: row.parsed("hotline", |text| HotlineId::new(text).ok())?,
        actor: row.text("actor")?,
        at: row.moment("at")?,
        open: row.text("state")? == "open",
        plan: row.text("plan")?,
    })
}

fn state_of(change: &HotlineChange) -> &'static str {
    if change.open { "open" } else { "done" }
}

/// Who did what to a change, for the audit chain.
#[derive(Debug, Clone, Copy)]
pub struct ChangeNote<'a> {
    /// Who.
    pub actor: &'a str,
    /// What: `hotline.retry`.
    pub action: &'a str,
    /// In Chinese.
    pub text: &'a str,
}

impl Store {
    /// Notes a change before the file is touched; `was` and `became` go into the audit row.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn add_hotline_change(
        &self,
        change: &HotlineChange,
        was: &serde_json::Value,
        became: &serde_json::Value,
    ) -> Answer<()> {
        let mut writing = self.database.write("记热线变更").await?;
        let sql = AssertSqlSafe(format!(
            "INSERT INTO hotline_change ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7)"
        ));
        let state = state_of(change);
        let (hotline, actor) = (change.hotline.as_str(), &change.actor);
        // Held until its file is written.
        let lease = change.at.saturating_add(SignedDuration::from_mins(1)).unwrap_or(change.at);
        let row = values![&change.id, hotline, actor, change.at, state, lease, &change.plan];
        writing.run(sql, row).await?;
        let subject = format!("hotline/{}", change.hotline);
        writing.note(Entry::new(actor, "hotline.change", subject, became).after(was));
        writing.commit().await
    }

    /// The newest changes, the newest first.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn hotline_changes(&self, limit: u32) -> Answer<Vec<HotlineChange>> {
        let sql = format!("SELECT {COLUMNS} FROM hotline_change ORDER BY at DESC, id LIMIT $1");
        let rows = self.database.all("读热线变更", AssertSqlSafe(sql), values![limit]).await?;
        rows.iter().map(read).collect()
    }

    /// One change.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn hotline_change(&self, id: &str) -> Answer<Option<HotlineChange>> {
        let sql = format!("SELECT {COLUMNS} FROM hotline_change WHERE id = $1");
        let row = self.database.one("读热线变更", AssertSqlSafe(sql), values![id]).await?;
        row.as_ref().map(read).transpose()
    }

    /// Takes an open change that nobody works on; it is the caller's for so long.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn claim_hotline_change(
        &self,
        life: SignedDuration,
    ) -> Answer<Option<HotlineChange>> {
        let now = self.now().await?;
        let open =
            "SELECT id FROM hotline_change WHERE state = 'open' AND lease_until <= $1 LIMIT 1";
        if self.database.one("找热线变更", open, values![now]).await?.is_none() {
            return Ok(None);
        }
        let mut writing = self.database.write("领热线变更").await?;
        let now = writing.now().await?;
        let until = now.saturating_add(life).unwrap_or(now);
        let sql = AssertSqlSafe(format!(
            "UPDATE hotline_change SET lease_until = $1 WHERE id = (SELECT id FROM hotline_change \
             WHERE state = 'open' AND lease_until <= $2 ORDER BY lease_until LIMIT 1) \
             AND lease_until <= $2 RETURNING {COLUMNS}"
        ));
        let row = writing.one(sql, values![until, now]).await?;
        writing.commit().await?;
        row.as_ref().map(read).transpose()
    }

    /// Writes how far a change got, where it still is as it was read; it is looked at again at
    /// `next`, or when it would have been. `false` where somebody else wrote meanwhile: read it
    /// again. With a note, the audit chain says who did what.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn save_hotline_change(
        &self,
        before: &HotlineChange,
        after: &HotlineChange,
        next: Option<Timestamp>,
        note: Option<ChangeNote<'_>>,
    ) -> Answer<bool> {
        let mut writing = self.database.write("记热线变更").await?;
        let sql = "UPDATE hotline_change SET state = $1, plan = $2, \
                   lease_until = COALESCE($3, lease_until) WHERE id = $4 AND state = $5 AND plan = $6";
        let values =
            values![state_of(after), &after.plan, next, &before.id, state_of(before), &before.plan];
        let is_written = writing.run(sql, values).await? > 0;
        if let (true, Some(note)) = (is_written, note) {
            let subject = format!("hotline/{}", before.hotline);
            let became = json!({ "change": before.id, "note": note.text });
            writing.note(Entry::new(note.actor, note.action, subject, &became));
        }
        writing.commit().await?;
        Ok(is_written)
    }

    /// The newest change of a number.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn latest_hotline_change(
        &self,
        hotline: &HotlineId,
    ) -> Answer<Option<HotlineChange>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM hotline_change WHERE hotline = $1 ORDER BY at DESC, id LIMIT 1"
        );
        let values = values![hotline.as_str()];
        let row = self.database.one("读热线变更", AssertSqlSafe(sql), values).await?;
        row.as_ref().map(read).transpose()
    }
}
