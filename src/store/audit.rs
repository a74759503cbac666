//! The audit chain: who changed what, each row sealed with the hash of the row before.
//!
//! A row is written in the transaction of the change it records (P8). The chain shows that rows
//! were changed, removed or put in between; it cannot show that somebody with full rights on the
//! database wrote all of it anew. For that, note the last hash elsewhere: `caishi audit export`.

use super::{
    Answer, AuditRow, Store,
    database::{Dialect, Writing},
    value::{Columns, Value, corrupt, fetch_all, fetch_optional, placeholders, values},
};
use crate::model::Digest;
use jiff::Timestamp;
use serde_json::json;
use sqlx::{AssertSqlSafe, any::AnyRow};

/// The hash before the first row.
const BEGINNING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// A row to be written.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) actor: String,
    pub(super) action: String,
    pub(super) subject: String,
    pub(super) was: String,
    pub(super) became: String,
}

impl Entry {
    /// A row whose subject was not there before.
    pub(super) fn new(
        actor: &str,
        action: &str,
        subject: impl Into<String>,
        became: &serde_json::Value,
    ) -> Self {
        Self {
            actor: actor.to_owned(),
            action: action.to_owned(),
            subject: subject.into(),
            was: String::new(),
            became: canonical(became),
        }
    }

    /// The same, with what was there before.
    pub(super) fn after(mut self, was: &serde_json::Value) -> Self {
        self.was = canonical(was);
        self
    }
}

/// Sorted keys, no blanks: the same value gives the same text on every machine.
pub(super) fn canonical(value: &serde_json::Value) -> String {
    // A value made of texts and numbers always has a canonical form.
    serde_json_canonicalizer::to_string(value).unwrap_or_default()
}

fn seal(row: &AuditRow) -> String {
    let (seq, at) = (row.seq.to_string(), row.at.as_millisecond().to_string());
    Digest::of_fields(
        [&seq, &at, &row.actor, &row.action, &row.subject, &row.before, &row.after, &row.prev_hash]
            .map(String::as_bytes),
    )
    .to_string()
}

/// Writes the rows behind the end of the chain. Locks the end until the transaction is over.
pub(super) async fn append(
    writing: &mut Writing<'_>,
    entries: Vec<Entry>,
    now: Timestamp,
) -> Answer<()> {
    let sql = match writing.database.dialect {
        Dialect::Sqlite => "SELECT seq, hash FROM audit_head WHERE single = 1",
        // The end is let go as soon as the transaction is over, not only when the disk has it:
        // others may add their rows meanwhile. `Writing::commit` waits for the disk.
        Dialect::Postgres => {
            "SELECT seq, hash, set_config('synchronous_commit', 'off', true) AS quick \
             FROM audit_head WHERE single = 1 FOR UPDATE"
        }
    };
    let head = writing.one(sql, Vec::new()).await?;
    let head = head.ok_or_else(|| corrupt("审计链的末端", ""))?;
    let (mut seq, mut hash) = (head.number("seq")?, head.text("hash")?);
    let mut rows = Vec::with_capacity(entries.len());
    for entry in entries {
        seq += 1;
        let mut row = AuditRow {
            seq,
            at: now,
            actor: entry.actor,
            action: entry.action,
            subject: entry.subject,
            before: entry.was,
            after: entry.became,
            prev_hash: hash.clone(),
            hash: String::new(),
        };
        row.hash = seal(&row);
        hash.clone_from(&row.hash);
        rows.push(columns_of(row));
    }
    if writing.database.dialect == Dialect::Postgres
        && let [only] = rows.as_mut_slice()
    {
        // One way to the server and back for both.
        let mut values = std::mem::take(only);
        values.extend(values![seq, hash]);
        let sql = format!(
            "WITH head AS (UPDATE audit_head SET seq = $10, hash = $11 WHERE single = 1) \
             INSERT INTO audit ({}) VALUES ({})",
            COLUMNS.join(", "),
            placeholders(1, COLUMNS.len())
        );
        return writing.run(AssertSqlSafe(sql), values).await.map(drop);
    }
    writing.insert("audit", &COLUMNS, rows).await?;
    let sql = "UPDATE audit_head SET seq = $1, hash = $2 WHERE single = 1";
    writing.run(sql, values![seq, hash]).await.map(drop)
}

/// A row's columns, in the order of [`columns_of`].
pub(super) const COLUMNS: [&str; 9] =
    ["seq", "at", "actor", "action", "subject", "was", "became", "prev_hash", "hash"];

fn columns_of(row: AuditRow) -> Vec<Value> {
    values![
        row.seq,
        row.at,
        row.actor,
        row.action,
        row.subject,
        row.before,
        row.after,
        row.prev_hash,
        row.hash,
    ]
}

pub(super) fn read(row: &AnyRow) -> Answer<AuditRow> {
    Ok(AuditRow {
        seq: row.number("seq")?,
        at: row.moment("at")?,
        actor: row.text("actor")?,
        action: row.text("action")?,
        subject: row.text("subject")?,
        before: row.text("was")?,
        after: row.text("became")?,
        prev_hash: row.text("prev_hash")?,
        hash: row.text("hash")?,
    })
}

const PAGE: &str = "SELECT seq, at, actor, action, subject, was, became, prev_hash, hash \
                    FROM audit WHERE seq >= $1 ORDER BY seq LIMIT $2";

/// Where a chain breaks.
fn fault(row: &AuditRow, expected_seq: i64, expected_hash: &str) -> Option<String> {
    if row.seq != expected_seq {
        return Some(format!("缺了第 {expected_seq} 行，下一行是第 {} 行", row.seq));
    }
    if row.prev_hash != expected_hash {
        return Some("记着的上一行哈希与上一行不符：上一行被换过".to_owned());
    }
    (seal(row) != row.hash).then(|| "内容与本行哈希不符：本行被改过".to_owned())
}

impl Store {
    /// An audit row of its own, for what changes no other table. `after` is a text for people or
    /// canonical JSON.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn audit(&self, actor: &str, action: &str, subject: &str, after: &str) -> Answer<()> {
        let mut writing = self.database.write("写审计记录").await?;
        let became = serde_json::from_str(after).unwrap_or_else(|_| json!({ "note": after }));
        writing.note(Entry::new(actor, action, subject, &became));
        writing.commit().await
    }

    /// The rows from `from_seq` on, in order.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn audit_rows(&self, from_seq: i64, limit: u32) -> Answer<Vec<AuditRow>> {
        let rows = self.database.all("读审计记录", PAGE, values![from_seq, limit]).await?;
        rows.iter().map(read).collect()
    }

    /// The number of the newest row; 0 where there is none.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn audit_length(&self) -> Answer<i64> {
        let sql = "SELECT CAST(COALESCE(MAX(seq), 0) AS BIGINT) AS length FROM audit";
        let rows = self.database.all("读审计记录", sql, Vec::new()).await?;
        rows.first().map_or(Ok(0), |row| row.number("length"))
    }

    /// The hash of the newest row. As every change writes a row in its own transaction (P8), the
    /// same hash means that nothing changed: cheaper than reading all of it to find that out.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn audit_head(&self) -> Answer<String> {
        let sql = "SELECT hash FROM audit_head WHERE single = 1";
        let head = self.database.one("读审计链的末端", sql, Vec::new()).await?;
        head.ok_or_else(|| corrupt("审计链的末端", ""))?.text("hash")
    }

    /// Walks the chain; the number of rows, or the first row that does not fit and why.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError) where the rows cannot be read.
    pub async fn verify_audit(&self) -> Answer<Result<u64, (i64, String)>> {
        const WHAT: &str = "核对审计链";
        let mut snapshot = self.database.snapshot(WHAT).await?;
        let (mut seq, mut hash) = (0, BEGINNING.to_owned());
        loop {
            let page = fetch_all(&mut *snapshot, WHAT, PAGE, values![seq + 1, 1000_i64]).await?;
            if page.is_empty() {
                break;
            }
            for row in &page {
                let row = read(row)?;
                if let Some(reason) = fault(&row, seq + 1, &hash) {
                    return Ok(Err((row.seq, reason)));
                }
                (seq, hash) = (row.seq, row.hash);
            }
        }
        let head = "SELECT seq, hash FROM audit_head WHERE single = 1";
        let head = fetch_optional(&mut *snapshot, WHAT, head, Vec::new()).await?;
        let Some(head) = head else {
            return Ok(Err((seq, "审计链末端的标记不见了".to_owned())));
        };
        let (end, sealed) = (head.number("seq")?, head.text("hash")?);
        Ok(if end != seq {
            Err((seq + 1, format!("末尾应是第 {end} 行，后面的行不见了")))
        } else if sealed != hash {
            Err((seq, "最后一行与审计链末端的标记不符".to_owned()))
        } else {
            Ok(seq.unsigned_abs())
        })
    }
}
