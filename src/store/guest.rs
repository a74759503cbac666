//! What guests did, counted: branch, lesson and day, and nobody's name, address or device.

use super::{
    Answer, Store,
    value::{Columns, values},
};
use crate::model::{BranchId, LessonId};
use jiff::civil::Date;
use sqlx::any::AnyRow;

/// What a guest did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HitKind {
    /// Saw the portal page.
    View,
    /// Got on.
    Continue,
    /// Looked at what there is to read after login.
    Venue,
    /// Read a lesson after login.
    Read,
    /// Came by a poster's QR code.
    Scan,
}

impl HitKind {
    /// Its name in the ledger.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Continue => "continue",
            Self::Venue => "venue",
            Self::Read => "read",
            Self::Scan => "scan",
        }
    }
}

/// How often something was done at a branch on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// The branch.
    pub branch: BranchId,
    /// The lesson.
    pub lesson: LessonId,
    /// The day in Asia/Shanghai.
    pub day: Date,
    /// What.
    pub kind: HitKind,
    /// How often.
    pub count: u32,
}

/// How often an option of a quiz was chosen at a branch on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The branch.
    pub branch: BranchId,
    /// The lesson.
    pub lesson: LessonId,
    /// The day in Asia/Shanghai.
    pub day: Date,
    /// The question, counted from one.
    pub question: u32,
    /// The option's letter.
    pub choice: char,
    /// How often.
    pub count: u32,
}

/// One line of a tally: branch, lesson, day, what, how often.
pub type TallyLine = (String, String, String, String, i64);

impl Store {
    /// Adds to the counters, all or none.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn count_guests(&self, hits: &[Hit], choices: &[Choice]) -> Answer<()> {
        let mut writing = self.database.write("记客人的次数").await?;
        for hit in hits {
            let sql = "INSERT INTO hit (branch, lesson, day, kind, count) \
                       VALUES ($1, $2, $3, $4, $5) ON CONFLICT (branch, lesson, day, kind) \
                       DO UPDATE SET count = hit.count + excluded.count";
            let day = hit.day.to_string();
            let (branch, lesson) = (hit.branch.as_str(), hit.lesson.as_str());
            writing.run(sql, values![branch, lesson, day, hit.kind.as_str(), hit.count]).await?;
        }
        for choice in choices {
            let sql = "INSERT INTO answer (branch, lesson, day, question, choice, count) \
                       VALUES ($1, $2, $3, $4, $5, $6) \
                       ON CONFLICT (branch, lesson, day, question, choice) \
                       DO UPDATE SET count = answer.count + excluded.count";
            let day = choice.day.to_string();
            let (branch, lesson) = (choice.branch.as_str(), choice.lesson.as_str());
            let letter = choice.choice.to_string();
            let row = values![branch, lesson, day, choice.question, letter, choice.count];
            writing.run(sql, row).await?;
        }
        writing.commit().await
    }

    /// What guests did from a day on, sorted.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn hits_since(&self, day: Date) -> Answer<Vec<TallyLine>> {
        let sql = "SELECT branch, lesson, day, kind AS what, count FROM hit WHERE day >= $1 \
                   ORDER BY day, branch, lesson, kind";
        let rows = self.database.all("读客人的次数", sql, values![day.to_string()]).await?;
        rows.iter().map(read_line).collect()
    }

    /// What guests chose in quizzes from a day on, sorted; the question and the letter are one
    /// text, such as `2B`.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn answers_since(&self, day: Date) -> Answer<Vec<TallyLine>> {
        let sql = "SELECT branch, lesson, day, CAST(question AS TEXT) || choice AS what, count \
                   FROM answer WHERE day >= $1 ORDER BY day, branch, lesson, question, choice";
        let rows = self.database.all("读客人的答案", sql, values![day.to_string()]).await?;
        rows.iter().map(read_line).collect()
    }
}

fn read_line(row: &AnyRow) -> Answer<TallyLine> {
    Ok((
        row.text("branch")?,
        row.text("lesson")?,
        row.text("day")?,
        row.text("what")?,
        row.number("count")?,
    ))
}
