//! Work that goes on behind a page: who began what, how far it was last seen, what came of it.
//!
//! Bookkeeping for people, not the truth about what was done: that is in the rows and audit entries
//! that the work itself writes. So these rows leave no audit entry, and old ones go.

use super::{
    Answer, Store,
    value::{Columns, values},
};
use crate::model::PersonId;
use jiff::{SignedDuration, Timestamp};
use sqlx::{AssertSqlSafe, any::AnyRow};

/// How long ended work is remembered.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(24 * 30);
/// So much of it at most.
const AT_MOST: i64 = 1_000;

/// How a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobState {
    /// Begun, and not ended by whoever began it.
    Running,
    /// Everything was done.
    Done,
    /// It ended, and something was not done.
    Failed,
}

impl JobState {
    /// Its name in the ledger.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::Running, Self::Done, Self::Failed].into_iter().find(|state| state.as_str() == name)
    }
}

/// A job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRow {
    /// Its name.
    pub id: String,
    /// Whose it is.
    pub person: PersonId,
    /// As they are called in the audit chain: the person, and for a program its token besides.
    pub actor: String,
    /// What it does: a name of the console's.
    pub kind: String,
    /// What it is about.
    pub subject: String,
    /// How it stands.
    pub state: JobState,
    /// When it began.
    pub started_at: Timestamp,
    /// When it was last seen at work.
    pub seen_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// The process that does it.
    pub owner: String,
    /// How far it is and what came of it (JSON).
    pub outcome: String,
    /// How to begin it anew (JSON).
    pub again: String,
}

const COLUMNS: &str = "id, person, actor, kind, subject, state, started_at, seen_at, finished_at, \
                       owner, outcome, again";

fn read(row: &AnyRow) -> Answer<JobRow> {
    Ok(JobRow {
        id: row.text("id")?,
        person: row.parsed("person", |text| PersonId::new(text).ok())?,
        actor: row.text("actor")?,
        kind: row.text("kind")?,
        subject: row.text("subject")?,
        state: row.parsed("state", JobState::from_name)?,
        started_at: row.moment("started_at")?,
        seen_at: row.moment("seen_at")?,
        finished_at: row.maybe_moment("finished_at")?,
        owner: row.text("owner")?,
        outcome: row.text("outcome")?,
        again: row.text("again")?,
    })
}

impl Store {
    /// Notes that work begins; what ended long ago is forgotten.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn begin_job(&self, job: &JobRow) -> Answer<()> {
        let mut writing = self.database.write("记后台的活").await?;
        let now = writing.now().await?;
        let before = now.checked_sub(REMEMBERED).unwrap_or(Timestamp::MIN);
        // Rows that were cut off have no end; they go by when they began.
        let old = "DELETE FROM job WHERE started_at < $1";
        writing.run(old, values![before]).await?;
        let over = "DELETE FROM job WHERE id IN (SELECT id FROM job \
                    WHERE finished_at IS NOT NULL ORDER BY started_at DESC, id LIMIT $1 OFFSET $2)";
        writing.run(over, values![AT_MOST, AT_MOST - 1]).await?;
        let sql = AssertSqlSafe(format!(
            "INSERT INTO job ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
        ));
        let row = values![
            &job.id,
            job.person.as_str(),
            &job.actor,
            &job.kind,
            &job.subject,
            job.state.as_str(),
            job.started_at,
            job.seen_at,
            job.finished_at,
            &job.owner,
            &job.outcome,
            &job.again,
        ];
        writing.run(sql, row).await?;
        writing.commit().await
    }

    /// Writes how far work is, or how it ended; ended work stays as it is.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn save_job(&self, id: &str, state: JobState, outcome: &str) -> Answer<()> {
        let mut writing = self.database.write("记后台的活").await?;
        let now = writing.now().await?;
        let ended = (state != JobState::Running).then_some(now);
        let sql = "UPDATE job SET state = $1, outcome = $2, seen_at = $3, finished_at = $4 \
                   WHERE id = $5 AND finished_at IS NULL";
        writing.run(sql, values![state.as_str(), outcome, now, ended, id]).await?;
        writing.commit().await
    }

    /// A job.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn job(&self, id: &str) -> Answer<Option<JobRow>> {
        let sql = format!("SELECT {COLUMNS} FROM job WHERE id = $1");
        let row = self.database.one("读后台的活", AssertSqlSafe(sql), values![id]).await?;
        row.as_ref().map(read).transpose()
    }

    /// The newest jobs of a person, the newest first.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn jobs(&self, person: &PersonId, limit: u32) -> Answer<Vec<JobRow>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM job WHERE person = $1 ORDER BY started_at DESC, id LIMIT $2"
        );
        let values = values![person.as_str(), limit];
        let rows = self.database.all("读后台的活", AssertSqlSafe(sql), values).await?;
        rows.iter().map(read).collect()
    }
}
