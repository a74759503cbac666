//! What branches did: six numbers each. Nothing is changed afterwards: a correction is a new row
//! that takes the place of the one it names.

use super::{
    Answer, Store, StoreError,
    audit::Entry,
    value::{Columns, values},
};
use crate::model::{BranchId, CampaignId, Digest};
use jiff::{Timestamp, civil::Date};
use serde_json::json;
use sqlx::{AssertSqlSafe, any::AnyRow};

/// The six numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EventNumbers {
    /// 参与员工
    pub staff: u32,
    /// 现场受众
    pub audience: u32,
    /// 其中重点人群
    pub priority_audience: u32,
    /// 发放资料
    pub leaflets: u32,
    /// 现场咨询
    pub consultations: u32,
    /// 线上人次
    pub online: u32,
}

impl EventNumbers {
    /// In the order of the form.
    #[must_use]
    pub fn list(&self) -> [u32; 6] {
        [
            self.staff,
            self.audience,
            self.priority_audience,
            self.leaflets,
            self.consultations,
            self.online,
        ]
    }
}

/// An event to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// Chosen by the form, so that a form that is sent twice writes once.
    pub once: String,
    /// The branch.
    pub branch: BranchId,
    /// The day.
    pub day: Date,
    /// What it was.
    pub title: String,
    /// The campaign edition it belonged to.
    pub campaign: Option<CampaignId>,
    /// The numbers.
    pub numbers: EventNumbers,
    /// The event whose place it takes.
    pub replaces: Option<String>,
}

/// An event as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BranchEvent {
    /// Its name.
    pub id: String,
    /// The branch.
    pub branch: BranchId,
    /// The day.
    pub day: Date,
    /// What it was.
    pub title: String,
    /// The campaign edition it belonged to.
    pub campaign: Option<CampaignId>,
    /// The numbers.
    pub numbers: EventNumbers,
    /// Who wrote it.
    pub author: String,
    /// When.
    pub at: Timestamp,
    /// The event whose place it took.
    pub replaces: Option<String>,
    /// The event that took its place; then it counts no more.
    pub replaced_by: Option<String>,
}

const COLUMNS: &str = "id, branch, day, title, campaign, staff, audience, priority_audience, \
     leaflets, consultations, online, author, at, replaces, replaced_by";

fn read(row: &AnyRow) -> Answer<BranchEvent> {
    let campaign = row.maybe_text("campaign")?;
    Ok(BranchEvent {
        id: row.text("id")?,
        branch: row.parsed("branch", |text| BranchId::new(text).ok())?,
        day: row.parsed("day", |text| text.parse().ok())?,
        title: row.text("title")?,
        campaign: campaign.and_then(|text| CampaignId::new(&text).ok()),
        numbers: EventNumbers {
            staff: row.count("staff")?,
            audience: row.count("audience")?,
            priority_audience: row.count("priority_audience")?,
            leaflets: row.count("leaflets")?,
            consultations: row.count("consultations")?,
            online: row.count("online")?,
        },
        author: row.text("author")?,
        at: row.moment("at")?,
        replaces: row.maybe_text("replaces")?,
        replaced_by: row.maybe_text("replaced_by")?,
    })
}

impl Store {
    /// Writes an event; its name. The same form sent again is the same event.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where the branch has no event that is replaced,
    /// [`StoreError::Conflict`] where it was replaced already.
    pub async fn add_event(&self, event: &NewEvent, author: &str) -> Answer<String> {
        let branch = event.branch.as_str();
        let once = [b"caishi event".as_slice(), branch.as_bytes(), event.once.as_bytes()];
        let id = Digest::of_fields(once).to_string()[..12].to_owned();
        let mut writing = self.database.write("记活动数字").await?;
        let now = writing.now().await?;
        let numbers = event.numbers;
        let sql = sqlx::AssertSqlSafe(format!(
            "INSERT INTO branch_event ({COLUMNS}) VALUES \
             ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, NULL) \
             ON CONFLICT (id) DO NOTHING"
        ));
        let row = values![
            &id,
            branch,
            event.day.to_string(),
            &event.title,
            event.campaign.as_ref().map(ToString::to_string),
            numbers.staff,
            numbers.audience,
            numbers.priority_audience,
            numbers.leaflets,
            numbers.consultations,
            numbers.online,
            author,
            now,
            event.replaces.clone(),
        ];
        if writing.run(sql, row).await? == 0 {
            return Ok(id);
        }
        let mut was = None;
        if let Some(old) = &event.replaces {
            let sql = AssertSqlSafe(format!(
                "UPDATE branch_event SET replaced_by = $1 \
                 WHERE id = $2 AND branch = $3 AND replaced_by IS NULL RETURNING {COLUMNS}"
            ));
            match writing.one(sql, values![&id, old, branch]).await? {
                Some(row) => was = Some(read(&row)?),
                None => return Err(self.why_not_replaced(old, &event.branch).await?),
            }
        }
        let became = note(event.day, &event.title, numbers);
        let entry = Entry::new(author, "branch.event", format!("branch/{branch}"), &became);
        writing.note(match was {
            Some(was) => entry.after(&note(was.day, &was.title, was.numbers)),
            None => entry,
        });
        writing.commit().await?;
        Ok(id)
    }

    async fn why_not_replaced(&self, id: &str, branch: &BranchId) -> Answer<StoreError> {
        Ok(match self.event(branch, id).await? {
            Some(_) => StoreError::Conflict("这一条已经更正过了，请更正最新的那一条".to_owned()),
            None => StoreError::NotFound(format!("活动 {id}")),
        })
    }

    /// An event of a branch.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn event(&self, branch: &BranchId, id: &str) -> Answer<Option<BranchEvent>> {
        let sql = format!("SELECT {COLUMNS} FROM branch_event WHERE id = $1 AND branch = $2");
        let values = values![id, branch.as_str()];
        let row = self.database.one("读活动", AssertSqlSafe(sql), values).await?;
        row.as_ref().map(read).transpose()
    }

    /// The events of a branch, the latest day first; also those that were replaced.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn events_of(&self, branch: &BranchId, limit: u32) -> Answer<Vec<BranchEvent>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM branch_event WHERE branch = $1 \
             ORDER BY day DESC, at DESC, id LIMIT $2"
        );
        let values = values![branch.as_str(), limit];
        let rows = self.database.all("读活动", AssertSqlSafe(sql), values).await?;
        rows.iter().map(read).collect()
    }

    /// Every branch's events that count, from a day on to a day.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn events_between(&self, from: Date, until: Date) -> Answer<Vec<BranchEvent>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM branch_event \
             WHERE day >= $1 AND day <= $2 AND replaced_by IS NULL ORDER BY day, branch, id"
        );
        let values = values![from.to_string(), until.to_string()];
        let rows = self.database.all("读活动", AssertSqlSafe(sql), values).await?;
        rows.iter().map(read).collect()
    }
}

fn note(day: Date, title: &str, numbers: EventNumbers) -> serde_json::Value {
    json!({ "day": day.to_string(), "title": title, "numbers": numbers.list() })
}
