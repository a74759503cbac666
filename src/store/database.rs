//! One way to talk to both databases: connections, and transactions that end with their audit rows.
//!
//! The same SQL runs on both, with `$1` placeholders; what differs is in [`Dialect`].

use super::{
    Answer, StoreError,
    audit::Entry,
    error::is_lost,
    value::{
        Columns, Value, corrupt, execute, fetch_all, fetch_optional, moment, placeholders, prepared,
    },
    wake::Wake,
};
use jiff::Timestamp;
use sqlx::{Any, AnyPool, SqlSafeStr, Transaction, any::AnyRow};
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

/// Which database it is, and how it says what the other says differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// One file.
    Sqlite,
    /// A server.
    Postgres,
}

impl Dialect {
    /// How a transaction that writes begins. `SQLite` takes its one write lock at once: taken
    /// later, it may be refused without waiting.
    fn begin(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN IMMEDIATE",
            Self::Postgres => "BEGIN",
        }
    }

    /// How a transaction that reads one moment begins.
    fn begin_snapshot(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN",
            Self::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        }
    }

    /// The moment of a statement, in milliseconds, whose `index`th value is
    /// [`Writing::clock_value`]. Stable within the statement, so that an index can be searched
    /// for it.
    pub(super) fn clock(self, index: usize) -> String {
        match self {
            Self::Sqlite => format!("CAST(${index} AS INTEGER)"),
            Self::Postgres => format!(
                "(CAST(extract(epoch FROM statement_timestamp()) * 1000 AS BIGINT) + ${index})"
            ),
        }
    }

    /// The text where rows are locked one by one; `SQLite` has locked everything already.
    pub(super) fn locking(self, clause: &'static str) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => clause,
        }
    }
}

/// The connections.
#[derive(Debug)]
pub(super) struct Database {
    /// Which database.
    pub(super) dialect: Dialect,
    /// For transactions that write: a single connection on `SQLite`, so that this process never
    /// waits for its own lock.
    pub(super) writer: AnyPool,
    /// For questions.
    pub(super) reader: AnyPool,
    /// Added to the clock, in milliseconds.
    pub(super) shift: AtomicI64,
    /// Who waits for rows to become due.
    pub(super) wake: Arc<Wake>,
}

impl Database {
    /// The ledger's clock.
    pub(super) async fn now(&self) -> Answer<Timestamp> {
        match self.dialect {
            Dialect::Sqlite => self.local_now(),
            Dialect::Postgres => {
                let row = self.one("读时钟", CLOCK, Vec::new()).await?;
                self.shifted(&row.ok_or_else(|| corrupt("时钟", ""))?)
            }
        }
    }

    /// The rows of a question.
    pub(super) async fn all(
        &self,
        what: &'static str,
        sql: impl SqlSafeStr,
        values: Vec<Value>,
    ) -> Answer<Vec<AnyRow>> {
        let sql = sql.into_sql_str();
        let ask = || prepared(sql.clone(), values.clone()).fetch_all(&self.reader);
        past_lost_connections(ask).await.map_err(|error| StoreError::database(what, error))
    }

    /// The first row of a question.
    pub(super) async fn one(
        &self,
        what: &'static str,
        sql: impl SqlSafeStr,
        values: Vec<Value>,
    ) -> Answer<Option<AnyRow>> {
        Ok(self.all(what, sql, values).await?.into_iter().next())
    }

    /// Begins a transaction that writes.
    pub(super) async fn write(&self, what: &'static str) -> Answer<Writing<'_>> {
        let begin = || self.writer.begin_with(self.dialect.begin());
        let transaction = past_lost_connections(begin)
            .await
            .map_err(|error| StoreError::database(what, error))?;
        Ok(Writing {
            database: self,
            transaction,
            what,
            entries: Vec::new(),
            wakes: false,
            now: None,
        })
    }

    /// Begins a transaction that sees one moment and writes nothing.
    pub(super) async fn snapshot(&self, what: &'static str) -> Answer<Transaction<'static, Any>> {
        let begin = || self.reader.begin_with(self.dialect.begin_snapshot());
        past_lost_connections(begin).await.map_err(|error| StoreError::database(what, error))
    }

    fn local_now(&self) -> Answer<Timestamp> {
        // On SQLite there is one machine, and its clock is the database's.
        moment(Timestamp::now().as_millisecond() + self.shift.load(Ordering::Relaxed))
    }

    /// The moment in a row's column `now`, read from the database's clock.
    pub(super) fn shifted(&self, row: &AnyRow) -> Answer<Timestamp> {
        moment(row.number("now")? + self.shift.load(Ordering::Relaxed))
    }
}

/// How many connections a pool has, at most.
pub(super) const CONNECTIONS: u32 = 10;

/// Does what changes nothing, once more for every connection that a restarted server has cut in
/// the meantime.
async fn past_lost_connections<T, F: Future<Output = sqlx::Result<T>>>(
    attempt: impl Fn() -> F,
) -> sqlx::Result<T> {
    for _ in 0..CONNECTIONS {
        match attempt().await {
            Err(error) if is_lost(&error) => {}
            done => return done,
        }
    }
    attempt().await
}

const CLOCK: &str = "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) AS now";

/// A transaction that writes. Dropped without [`Writing::commit`], it leaves nothing behind.
pub(super) struct Writing<'d> {
    pub(super) database: &'d Database,
    transaction: Transaction<'static, Any>,
    what: &'static str,
    entries: Vec<Entry>,
    wakes: bool,
    now: Option<Timestamp>,
}

impl Writing<'_> {
    /// When this transaction happens, by the ledger's clock: asked once.
    pub(super) async fn now(&mut self) -> Answer<Timestamp> {
        match (self.now, self.database.dialect) {
            (Some(now), _) => Ok(now),
            (None, Dialect::Sqlite) => {
                let now = self.database.local_now()?;
                Ok(*self.now.insert(now))
            }
            (None, Dialect::Postgres) => {
                let row = self.one(CLOCK, Vec::new()).await?;
                let now = self.database.shifted(&row.ok_or_else(|| corrupt("时钟", ""))?)?;
                Ok(*self.now.insert(now))
            }
        }
    }

    /// The value that belongs to [`Dialect::clock`].
    pub(super) fn clock_value(&mut self) -> Answer<i64> {
        match self.database.dialect {
            Dialect::Postgres => Ok(self.database.shift.load(Ordering::Relaxed)),
            Dialect::Sqlite => {
                let now = self.now.map_or_else(|| self.database.local_now(), Ok)?;
                Ok(self.now.insert(now).as_millisecond())
            }
        }
    }

    /// Keeps the moment in a row's column `now`, made by [`Dialect::clock`].
    pub(super) fn learn_now(&mut self, row: &AnyRow) -> Answer<Timestamp> {
        let now = moment(row.number("now")?)?;
        Ok(*self.now.insert(now))
    }

    /// The text where rows are locked one by one.
    pub(super) fn locking(&self, clause: &'static str) -> &'static str {
        self.database.dialect.locking(clause)
    }

    /// The rows of a question.
    pub(super) async fn all(
        &mut self,
        sql: impl SqlSafeStr,
        values: Vec<Value>,
    ) -> Answer<Vec<AnyRow>> {
        fetch_all(&mut *self.transaction, self.what, sql, values).await
    }

    /// The one row of a question.
    pub(super) async fn one(
        &mut self,
        sql: impl SqlSafeStr,
        values: Vec<Value>,
    ) -> Answer<Option<AnyRow>> {
        fetch_optional(&mut *self.transaction, self.what, sql, values).await
    }

    /// Changes rows; how many.
    pub(super) async fn run(&mut self, sql: impl SqlSafeStr, values: Vec<Value>) -> Answer<u64> {
        execute(&mut *self.transaction, self.what, sql, values).await
    }

    /// Inserts many rows, some hundreds at a time.
    pub(super) async fn insert(
        &mut self,
        table: &str,
        columns: &[&str],
        rows: Vec<Vec<Value>>,
    ) -> Answer<()> {
        // Both databases take more than 32,000 placeholders in a statement.
        let at_once = 16_000 / columns.len();
        let mut rows = rows.into_iter();
        loop {
            let part: Vec<_> = rows.by_ref().take(at_once).collect();
            if part.is_empty() {
                return Ok(());
            }
            let group = |row: usize| match self.database.dialect {
                // Every name of a placeholder is looked for among all of them: nameless ones
                // make this a hundred times faster.
                Dialect::Sqlite => format!("({})", vec!["?"; columns.len()].join(",")),
                Dialect::Postgres => {
                    format!("({})", placeholders(1 + row * columns.len(), columns.len()))
                }
            };
            let groups: Vec<_> = (0..part.len()).map(group).collect();
            let sql = format!(
                "INSERT INTO {table} ({}) VALUES {}",
                columns.join(", "),
                groups.join(", ")
            );
            // A text of its own for each number of rows: only the usual one is worth keeping.
            prepared(sqlx::AssertSqlSafe(sql), part.into_iter().flatten().collect())
                .persistent(groups.len() == 1)
                .execute(&mut *self.transaction)
                .await
                .map_err(|error| StoreError::database(self.what, error))?;
        }
    }

    /// Notes an audit row, written when the transaction ends.
    pub(super) fn note(&mut self, entry: Entry) {
        self.entries.push(entry);
    }

    /// Says that rows may be due after this transaction.
    pub(super) fn wake(&mut self) {
        self.wakes = true;
    }

    /// Writes the audit rows and ends the transaction. The chain's head is locked last and for
    /// as short as can be: all writers wait for it, and as nobody waits for anything else while
    /// holding it, nobody waits in a circle.
    pub(super) async fn commit(mut self) -> Answer<()> {
        if self.wakes && self.database.dialect == Dialect::Postgres {
            self.run("SELECT pg_notify('caishi_due', '')", Vec::new()).await?;
        }
        let entries = std::mem::take(&mut self.entries);
        // `append` lets the head go before the disk has the transaction.
        let flush = !entries.is_empty() && self.database.dialect == Dialect::Postgres;
        if !entries.is_empty() {
            let now = self.now().await?;
            super::audit::append(&mut self, entries, now).await?;
        }
        let Self { database, transaction, what, wakes, .. } = self;
        transaction.commit().await.map_err(|error| StoreError::database(what, error))?;
        if flush {
            execute(&database.writer, what, FLUSH, Vec::new()).await?;
        }
        if wakes {
            database.wake.all();
        }
        Ok(())
    }
}

/// A transaction of its own that changes no row. Its commit waits for the disk, and with it for
/// everything that was committed before: many workers share one write.
const FLUSH: &str = "SELECT CAST(pg_logical_emit_message(true, 'caishi', '') AS TEXT)";
