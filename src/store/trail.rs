//! What was done to one subject, out of the audit chain.

use super::{
    Answer, AuditRow, Store, audit,
    value::{Value, placeholders, values},
};
use sqlx::AssertSqlSafe;

impl Store {
    /// The newest audit rows of a subject, the newest first.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn trail(&self, subject: &str, limit: u32) -> Answer<Vec<AuditRow>> {
        let sql = "SELECT seq, at, actor, action, subject, was, became, prev_hash, hash \
                   FROM audit WHERE subject = $1 ORDER BY seq DESC LIMIT $2";
        let rows = self.database.all("读审计记录", sql, values![subject, limit]).await?;
        rows.iter().map(audit::read).collect()
    }

    /// Every audit row of these subjects with one of these actions, the newest first.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn trail_of(&self, subjects: &[String], actions: &[&str]) -> Answer<Vec<AuditRow>> {
        let mut found = Vec::new();
        // Far below what either database takes in one statement.
        for part in subjects.chunks(200) {
            let sql = format!(
                "SELECT seq, at, actor, action, subject, was, became, prev_hash, hash FROM audit \
                 WHERE subject IN ({}) AND action IN ({})",
                placeholders(1, part.len()),
                placeholders(1 + part.len(), actions.len())
            );
            let values = part.iter().map(Value::from).chain(actions.iter().map(|it| (*it).into()));
            let rows =
                self.database.all("读审计记录", AssertSqlSafe(sql), values.collect()).await?;
            for row in &rows {
                found.push(audit::read(row)?);
            }
        }
        found.sort_by_key(|row| std::cmp::Reverse(row.seq));
        Ok(found)
    }
}
