//! What was done to one subject, out of the audit chain.

use super::{Answer, AuditRow, Store, audit, value::values};

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
}
