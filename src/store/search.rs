//! The audit chain searched: by words, by an approval number and everything that was signed and
//! sent under it, between two moments.

use super::{
    Answer, AuditRow, Store,
    audit::{COLUMNS, read},
    value::Value,
};
use jiff::Timestamp;
use sqlx::AssertSqlSafe;

/// Which rows of the audit chain.
#[derive(Debug, Clone)]
pub struct AuditSearch {
    /// In actor, action or subject; empty for every row. Words that are, or stand in, an approval
    /// number find what was decided about its manifests and what became of their deliveries, too:
    /// those rows name a digest or a delivery.
    pub words: String,
    /// Only from this moment on.
    pub from: Option<Timestamp>,
    /// Only before this moment.
    pub until: Option<Timestamp>,
    /// Only rows before this number.
    pub before: i64,
    /// At most so many.
    pub limit: u32,
}

impl AuditSearch {
    /// The newest rows with these words.
    #[must_use]
    pub fn of(words: &str, limit: u32) -> Self {
        Self { words: words.to_owned(), from: None, until: None, before: i64::MAX, limit }
    }

    /// The conditions and their values.
    fn conditions(&self) -> (String, Vec<Value>) {
        let mut values = vec![Value::from(self.before)];
        let mut conditions = vec!["seq < $1".to_owned()];
        for (sign, moment) in [(">=", self.from), ("<", self.until)] {
            if let Some(moment) = moment {
                values.push(moment.into());
                conditions.push(format!("at {sign} ${}", values.len()));
            }
        }
        let words = self.words.trim();
        if !words.is_empty() {
            values.push(Value::from(format!("%{}%", literal(&words.to_ascii_lowercase()))));
            let like = format!("LIKE ${} ESCAPE '!'", values.len());
            conditions.push(format!(
                "(lower(actor) {like} OR lower(action) {like} OR lower(subject) {like} \
                 OR subject IN (SELECT m.manifest FROM review_manifest m \
                 WHERE lower(m.review) {like}) \
                 OR subject IN (SELECT d.id FROM delivery d \
                 JOIN review_manifest m ON m.manifest = d.manifest WHERE lower(m.review) {like}))"
            ));
        }
        (conditions.join(" AND "), values)
    }
}

/// A text for `LIKE … ESCAPE '!'`, in which nothing has a meaning of its own.
pub(super) fn literal(text: &str) -> String {
    let escaped = |c: char| if "!%_".contains(c) { vec!['!', c] } else { vec![c] };
    text.chars().flat_map(escaped).collect()
}

impl Store {
    /// The newest rows that are searched for, the newest first.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn audit_search(&self, search: &AuditSearch) -> Answer<Vec<AuditRow>> {
        let (conditions, mut values) = search.conditions();
        values.push(search.limit.into());
        let sql = format!(
            "SELECT {} FROM audit WHERE {conditions} ORDER BY seq DESC LIMIT ${}",
            COLUMNS.join(", "),
            values.len()
        );
        let rows = self.database.all("读审计记录", AssertSqlSafe(sql), values).await?;
        rows.iter().map(read).collect()
    }
}
