//! Remarks of reviewers on single lines of a submitted file.
//!
//! Who may settle one is decided outside ([`may_settle`](crate::review::may_settle)); here it is
//! written once, with its audit row.

use super::{
    Answer, Store,
    audit::Entry,
    deployment::new_id,
    review::lessons_text,
    value::{Columns, values},
};
use crate::model::{CampaignId, LessonId, PersonId};
use jiff::Timestamp;
use serde_json::json;
use sqlx::{AssertSqlSafe, any::AnyRow};

/// A remark on a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// Its name.
    pub id: String,
    /// The number of the submission.
    pub review: String,
    /// The file, under the content folder.
    pub path: String,
    /// The line, counted from one; 0 for the whole file.
    pub line: u32,
    /// Who wrote it.
    pub author: PersonId,
    /// When.
    pub at: Timestamp,
    /// What.
    pub text: String,
    /// What somebody said to it last: that it is mended, or why not.
    pub answer: Option<RemarkAnswer>,
    /// Who said that it is dealt with, and when.
    pub settled: Option<(String, Timestamp)>,
}

/// What somebody said to a remark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemarkAnswer {
    /// What.
    pub text: String,
    /// Who, as they are called in the audit chain.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

const COLUMNS: &str = "m.id, m.review, m.path, m.line, m.author, m.at, m.text, m.settled_by, \
                       m.settled_at, m.answer, m.answered_by, m.answered_at";

fn read(row: &AnyRow) -> Answer<Remark> {
    let said = row.maybe_text("answer")?.zip(row.maybe_text("answered_by")?);
    let answer = said.zip(row.maybe_moment("answered_at")?);
    Ok(Remark {
        id: row.text("id")?,
        review: row.text("review")?,
        path: row.text("path")?,
        line: row.count("line")?,
        author: row.parsed("author", |text| PersonId::new(text).ok())?,
        at: row.moment("at")?,
        text: row.text("text")?,
        answer: answer.map(|((text, by), at)| RemarkAnswer { text, by, at }),
        settled: row.maybe_text("settled_by")?.zip(row.maybe_moment("settled_at")?),
    })
}

impl Store {
    /// Writes a remark; its name.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn add_remark(
        &self,
        review: &str,
        path: &str,
        line: u32,
        author: &PersonId,
        text: &str,
    ) -> Answer<String> {
        let id = new_id()?[..12].to_owned();
        let mut writing = self.database.write("写批注").await?;
        let now = writing.now().await?;
        let sql = "INSERT INTO remark (id, review, path, line, author, at, text) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let row = values![&id, review, path, line, author.as_str(), now, text];
        writing.run(sql, row).await?;
        let note = json!({ "path": path, "line": line, "text": text });
        writing.note(Entry::new(author.as_str(), "remark", format!("review/{review}"), &note));
        writing.commit().await?;
        Ok(id)
    }

    /// The remarks on a submission, by file and line.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn remarks(&self, review: &str) -> Answer<Vec<Remark>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM remark m WHERE m.review = $1 \
             ORDER BY m.path, m.line, m.at, m.id"
        );
        let rows = self.database.all("读批注", AssertSqlSafe(sql), values![review]).await?;
        rows.iter().map(read).collect()
    }

    /// The open remarks on earlier submissions of these lessons of a campaign, the newest
    /// submission first.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn open_remarks_before(
        &self,
        campaign: &CampaignId,
        lessons: &[LessonId],
        before: Timestamp,
    ) -> Answer<Vec<Remark>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM remark m JOIN review r ON r.number = m.review \
             WHERE r.campaign = $1 AND r.lessons = $2 AND r.submitted_at < $3 \
             AND m.settled_by IS NULL ORDER BY r.submitted_at DESC, m.path, m.line, m.at, m.id"
        );
        let values = values![campaign.to_string(), lessons_text(lessons), before];
        let rows = self.database.all("读批注", AssertSqlSafe(sql), values).await?;
        rows.iter().map(read).collect()
    }

    /// Says something to an open remark, in place of what was said before; `false` where there is
    /// none that is open.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn answer_remark(
        &self,
        review: &str,
        id: &str,
        text: &str,
        actor: &str,
    ) -> Answer<bool> {
        let mut writing = self.database.write("回批注").await?;
        let now = writing.now().await?;
        let sql = "UPDATE remark SET answer = $1, answered_by = $2, answered_at = $3 \
                   WHERE id = $4 AND review = $5 AND settled_by IS NULL";
        let found = writing.run(sql, values![text, actor, now, id, review]).await? > 0;
        if found {
            let note = json!({ "remark": id, "text": text });
            writing.note(Entry::new(actor, "remark.answer", format!("review/{review}"), &note));
        }
        writing.commit().await?;
        Ok(found)
    }

    /// Says that a remark is dealt with; `false` where there is none that is open.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn settle_remark(&self, review: &str, id: &str, actor: &str) -> Answer<bool> {
        let mut writing = self.database.write("了结批注").await?;
        let now = writing.now().await?;
        let sql = "UPDATE remark SET settled_by = $1, settled_at = $2 \
                   WHERE id = $3 AND review = $4 AND settled_by IS NULL";
        let found = writing.run(sql, values![actor, now, id, review]).await? > 0;
        if found {
            let note = json!({ "remark": id });
            writing.note(Entry::new(actor, "remark.settle", format!("review/{review}"), &note));
        }
        writing.commit().await?;
        Ok(found)
    }
}
