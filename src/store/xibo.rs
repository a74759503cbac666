//! Players that speak Xibo's protocol.

use super::{
    Answer, Display, Store, XiboPlayer,
    audit::Entry,
    value::{Columns, values},
};
use crate::model::BranchId;
use serde_json::json;
use sqlx::any::AnyRow;

const PLAYER: &str =
    "SELECT hardware_key, name, client, branch, screen, seen_at, status FROM xibo_player";

/// Players that nobody assigned are kept no longer than this many; the oldest go.
const WAITING: i64 = 500;

fn read_player(row: &AnyRow) -> Answer<XiboPlayer> {
    let branch = row.maybe_text("branch")?.and_then(|text| BranchId::new(&text).ok());
    Ok(XiboPlayer {
        hardware_key: row.text("hardware_key")?,
        name: row.text("name")?,
        client: row.text("client")?,
        place: branch.zip(row.maybe_text("screen")?),
        seen_at: row.moment("seen_at")?,
        status: row.text("status")?,
    })
}

impl Store {
    /// Notes that a player registered.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn note_xibo_player(&self, key: &str, name: &str, client: &str) -> Answer<()> {
        let mut writing = self.database.write("记 Xibo 播放器").await?;
        let now = writing.now().await?;
        let sql = "INSERT INTO xibo_player (hardware_key, name, client, seen_at, status) \
                   VALUES ($1, $2, $3, $4, '') ON CONFLICT (hardware_key) DO UPDATE SET \
                   name = excluded.name, client = excluded.client, seen_at = excluded.seen_at";
        writing.run(sql, values![key, name, client, now]).await?;
        // Anybody who knows the shared key can make up players.
        let sql = "DELETE FROM xibo_player WHERE branch IS NULL AND hardware_key NOT IN \
                   (SELECT hardware_key FROM xibo_player WHERE branch IS NULL \
                   ORDER BY seen_at DESC LIMIT $1)";
        writing.run(sql, values![WAITING]).await?;
        writing.commit().await
    }

    /// A player by its key.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn xibo_player(&self, key: &str) -> Answer<Option<XiboPlayer>> {
        let sql = sqlx::AssertSqlSafe(format!("{PLAYER} WHERE hardware_key = $1"));
        let row = self.database.one("读 Xibo 播放器", sql, values![key]).await?;
        row.as_ref().map(read_player).transpose()
    }

    /// Every player.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn xibo_players(&self) -> Answer<Vec<XiboPlayer>> {
        let sql = sqlx::AssertSqlSafe(format!("{PLAYER} ORDER BY branch, screen, hardware_key"));
        let rows = self.database.all("读 Xibo 播放器", sql, Vec::new()).await?;
        rows.iter().map(read_player).collect()
    }

    /// Gives a player a screen, or takes it away. `false` where no such player registered.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn assign_xibo_player(
        &self,
        key: &str,
        place: Option<(&BranchId, &str)>,
        actor: &str,
    ) -> Answer<bool> {
        let mut writing = self.database.write("分配 Xibo 播放器").await?;
        let sql = "UPDATE xibo_player SET branch = $1, screen = $2 WHERE hardware_key = $3";
        let (branch, screen) = place.unzip();
        let branch = branch.map(BranchId::as_str);
        let changed = writing.run(sql, values![branch, screen, key]).await? > 0;
        if changed {
            let note = json!({ "branch": branch, "screen": screen });
            writing.note(Entry::new(actor, "xibo.assign", format!("xibo/{key}"), &note));
        }
        writing.commit().await?;
        Ok(changed)
    }

    /// Notes what a player told of itself.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn set_xibo_status(&self, key: &BranchId, screen: &str, status: &str) -> Answer<()> {
        let mut writing = self.database.write("记 Xibo 播放器的状态").await?;
        let now = writing.now().await?;
        let sql = "UPDATE xibo_player SET status = $1, seen_at = $2 \
                   WHERE branch = $3 AND screen = $4";
        writing.run(sql, values![status, now, key.as_str(), screen]).await?;
        writing.commit().await
    }

    /// Takes what a player says it showed: unsigned, so under enrolment 0, which no machine of
    /// ours has.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn add_foreign_displays(
        &self,
        branch: &BranchId,
        displays: &[Display],
    ) -> Answer<()> {
        let mut writing = self.database.write("记 Xibo 播放记录").await?;
        let sql = "SELECT COALESCE(MAX(seq), 0) AS last FROM display \
                   WHERE branch = $1 AND enrolment = 0";
        let row = writing.one(sql, values![branch.as_str()]).await?;
        let mut seq = row.map_or(Ok(0), |row| row.number("last"))?;
        for display in displays {
            seq += 1;
            let sql = "INSERT INTO display (branch, enrolment, seq, screen, sha256, shown_from, \
                       shown_until, line) VALUES ($1, 0, $2, $3, $4, $5, $6, $7)";
            let values = values![
                branch.as_str(),
                seq,
                &display.screen,
                &display.sha256,
                display.from,
                display.until,
                &display.line,
            ];
            writing.run(sql, values).await?;
        }
        writing.commit().await
    }
}
