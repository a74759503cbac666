//! Remarks of reviewers on single lines of a submitted file.

use super::{
    Answer, Store,
    audit::Entry,
    deployment::new_id,
    value::{Columns, values},
};
use crate::model::PersonId;
use jiff::Timestamp;
use serde_json::json;
use sqlx::any::AnyRow;

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
    /// Who said that it is dealt with, and when.
    pub settled: Option<(String, Timestamp)>,
}

fn read(row: &AnyRow) -> Answer<Remark> {
    Ok(Remark {
        id: row.text("id")?,
        review: row.text("review")?,
        path: row.text("path")?,
        line: row.count("line")?,
        author: row.parsed("author", |text| PersonId::new(text).ok())?,
        at: row.moment("at")?,
        text: row.text("text")?,
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
        let sql = "SELECT id, review, path, line, author, at, text, settled_by, settled_at \
                   FROM remark WHERE review = $1 ORDER BY path, line, at, id";
        let rows = self.database.all("读批注", sql, values![review]).await?;
        rows.iter().map(read).collect()
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
