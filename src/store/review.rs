//! Questions about submissions and decisions, and how they are written into columns. A manifest's
//! body is kept, so that what was approved can be shown for ever.

use super::{
    Answer, Review, Store, StoreError,
    database::Writing,
    value::{Columns, Value, values},
};
use crate::model::{
    Approval, CampaignId, ChannelId, Decision, Digest, LessonId, PersonId, ReviewStep,
};
use jiff::Timestamp;
use serde_json::json;
use sqlx::{AssertSqlSafe, any::AnyRow};
use std::collections::BTreeMap;

/// Who submitted something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submitter {
    /// The approval number.
    pub number: String,
    /// Who.
    pub author: PersonId,
    /// Which lessons.
    pub lessons: Vec<LessonId>,
    /// When.
    pub at: jiff::Timestamp,
}

/// A step as it is stored: name, role, department.
type StoredStep = (String, String, Option<String>);

/// Steps as one column.
pub(super) fn steps_text(steps: &[ReviewStep]) -> String {
    let steps: Vec<StoredStep> = steps
        .iter()
        .map(|step| (step.name.clone(), step.role.clone(), step.department.clone()))
        .collect();
    json!(steps).to_string()
}

/// Steps as [`steps_text`] wrote them.
pub(super) fn read_steps(text: &str) -> Option<Vec<ReviewStep>> {
    let steps: Vec<StoredStep> = serde_json::from_str(text).ok()?;
    let step = |(name, role, department)| ReviewStep { name, role, department };
    Some(steps.into_iter().map(step).collect())
}

fn list_text<T: ToString>(items: &[T]) -> String {
    json!(items.iter().map(ToString::to_string).collect::<Vec<_>>()).to_string()
}

/// People as [`people_text`] wrote them.
pub(super) fn read_people(text: &str) -> Option<Vec<PersonId>> {
    read_list(text, |item| PersonId::new(item).ok())
}

/// Lessons as [`lessons_text`] wrote them.
pub(super) fn read_lessons(text: &str) -> Option<Vec<LessonId>> {
    read_list(text, |item| LessonId::new(item).ok())
}

/// Why people may not sign, as one column.
pub(super) fn reasons_text(reasons: &[(PersonId, String)]) -> String {
    let pairs = reasons.iter().map(|(person, why)| (person.as_str(), why));
    json!(pairs.collect::<Vec<_>>()).to_string()
}

/// Reasons as [`reasons_text`] wrote them.
pub(super) fn read_reasons(text: &str) -> Option<Vec<(PersonId, String)>> {
    let pairs: Vec<(String, String)> = serde_json::from_str(text).ok()?;
    pairs.into_iter().map(|(person, why)| Some((PersonId::new(&person).ok()?, why))).collect()
}

/// The reasons of a row; a version before this one left none.
pub(super) fn reasons_of(row: &AnyRow) -> Answer<Vec<(PersonId, String)>> {
    match row.maybe_text("reasons")? {
        Some(_) => row.parsed("reasons", read_reasons),
        None => Ok(Vec::new()),
    }
}

/// People as one column.
pub(super) fn people_text(people: &[PersonId]) -> String {
    list_text(people)
}

/// Lessons as one column.
pub(super) fn lessons_text(lessons: &[LessonId]) -> String {
    list_text(lessons)
}

fn read_list<T>(text: &str, read: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    let items: Vec<String> = serde_json::from_str(text).ok()?;
    items.iter().map(|item| read(item)).collect()
}

fn read_review(row: &AnyRow) -> Answer<Review> {
    Ok(Review {
        number: row.text("number")?,
        campaign: row.parsed("campaign", |text| CampaignId::new(text).ok())?,
        lessons: row.parsed("lessons", read_lessons)?,
        plan_key: row.parsed("plan_key", Digest::from_hex)?,
        revision: row.parsed("revision", Digest::from_hex)?,
        author: row.parsed("author", |text| PersonId::new(text).ok())?,
        excluded: row.parsed("excluded", read_people)?,
        reasons: reasons_of(row)?,
        steps: row.parsed("steps", read_steps)?,
        manifests: Vec::new(),
        submitted_at: row.moment("submitted_at")?,
    })
}

fn read_manifest(row: &AnyRow) -> Answer<(ChannelId, Digest)> {
    let channel = row.parsed("channel", |text| ChannelId::new(text).ok())?;
    Ok((channel, row.parsed("manifest", Digest::from_hex)?))
}

fn read_approval(row: &AnyRow) -> Answer<Approval> {
    Ok(Approval {
        manifest: row.parsed("manifest", Digest::from_hex)?,
        step: row.text("step")?,
        actor: row.parsed("actor", |text| PersonId::new(text).ok())?,
        decision: row.parsed("decision", |text| match text {
            "approved" => Some(Decision::Approved),
            "rejected" => Some(Decision::Rejected),
            _ => None,
        })?,
        note: row.text("note")?,
        at: row.moment("at")?,
        expires_at: row.moment("expires_at")?,
    })
}

/// A decision as one column.
pub(super) fn decision_text(decision: Decision) -> &'static str {
    match decision {
        Decision::Approved => "approved",
        Decision::Rejected => "rejected",
    }
}

const REVIEW: &str = "r.number, r.campaign, r.lessons, r.plan_key, r.revision, r.author, \
                      r.excluded, r.reasons, r.steps, r.submitted_at";

const APPROVALS: &str = "SELECT manifest, step, actor, at, decision, note, expires_at \
                         FROM approval WHERE manifest = $1 ORDER BY at, step, actor";

const FIRST_APPROVALS: &str = "SELECT a.manifest, a.step, a.actor, a.at, a.decision, a.note, \
                               a.expires_at FROM approval a JOIN (SELECT manifest, ROW_NUMBER() \
                               OVER (PARTITION BY review ORDER BY channel, manifest) AS place \
                               FROM review_manifest) m ON m.manifest = a.manifest \
                               AND m.place = 1 ORDER BY a.at, a.step, a.actor";

/// Decisions about a manifest, in a transaction.
pub(super) async fn approvals_of(
    writing: &mut Writing<'_>,
    manifest: &Digest,
) -> Answer<Vec<Approval>> {
    let rows = writing.all(APPROVALS, values![manifest]).await?;
    rows.iter().map(read_approval).collect()
}

impl Store {
    /// The submission of that number.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn review(&self, number: &str) -> Answer<Option<Review>> {
        let sql = format!("SELECT {REVIEW} FROM review r WHERE r.number = $1");
        self.one_review(sql, values![number]).await
    }

    /// The latest submission of a plan.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn review_of_plan(&self, plan_key: &Digest) -> Answer<Option<Review>> {
        let sql = format!(
            "SELECT {REVIEW} FROM review r WHERE r.plan_key = $1 \
             ORDER BY r.submitted_at DESC, r.number DESC LIMIT 1"
        );
        self.one_review(sql, values![plan_key]).await
    }

    /// The submission that a manifest belongs to.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn review_of_manifest(&self, manifest: &Digest) -> Answer<Option<Review>> {
        let sql = format!(
            "SELECT {REVIEW} FROM review_manifest m JOIN review r ON r.number = m.review \
             WHERE m.manifest = $1"
        );
        self.one_review(sql, values![manifest]).await
    }

    /// All submissions, or those of one campaign; newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn reviews(&self, campaign: Option<&CampaignId>) -> Answer<Vec<Review>> {
        let (filter, values) = match campaign {
            Some(campaign) => ("WHERE r.campaign = $1", values![campaign.to_string()]),
            None => ("", Vec::new()),
        };
        let sql = format!(
            "SELECT {REVIEW} FROM review r {filter} ORDER BY r.submitted_at DESC, r.number DESC"
        );
        let rows = self.database.all("读审批单", AssertSqlSafe(sql), values.clone()).await?;
        let mut reviews = rows.iter().map(read_review).collect::<Answer<Vec<_>>>()?;
        let sql = format!(
            "SELECT m.review, m.channel, m.manifest FROM review_manifest m \
             JOIN review r ON r.number = m.review {filter} ORDER BY m.channel, m.manifest"
        );
        let rows = self.database.all("读审批单", AssertSqlSafe(sql), values).await?;
        let mut manifests: BTreeMap<String, Vec<(ChannelId, Digest)>> = BTreeMap::new();
        for row in &rows {
            manifests.entry(row.text("review")?).or_default().push(read_manifest(row)?);
        }
        for review in &mut reviews {
            review.manifests = manifests.remove(&review.number).unwrap_or_default();
        }
        Ok(reviews)
    }

    /// Who submitted which lessons, under which number and when: all submissions, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn submitters(&self) -> Answer<Vec<Submitter>> {
        let sql = "SELECT number, author, lessons, submitted_at FROM review \
                   ORDER BY submitted_at DESC, number DESC";
        let rows = self.database.all("读审批单", sql, Vec::new()).await?;
        let read = |row: &AnyRow| {
            Ok(Submitter {
                number: row.text("number")?,
                author: row.parsed("author", |text| PersonId::new(text).ok())?,
                lessons: row.parsed("lessons", read_lessons)?,
                at: row.moment("submitted_at")?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// The frozen contents of all submissions, each once, the latest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn revisions(&self) -> Answer<Vec<Digest>> {
        let sql = "SELECT revision, MAX(submitted_at) AS latest FROM review GROUP BY revision \
                   ORDER BY latest DESC, revision";
        let rows = self.database.all("读审批单", sql, Vec::new()).await?;
        rows.iter().map(|row| row.parsed("revision", Digest::from_hex)).collect()
    }

    /// The numbers of the submissions before a moment that hold one of these lessons, latest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn earlier_reviews(
        &self,
        before: Timestamp,
        lessons: &[LessonId],
    ) -> Answer<Vec<String>> {
        let sql = "SELECT number, lessons FROM review WHERE submitted_at < $1 \
                   ORDER BY submitted_at DESC, number DESC";
        let rows = self.database.all("读审批单", sql, values![before]).await?;
        let mut numbers = Vec::new();
        for row in &rows {
            let own = row.parsed("lessons", read_lessons)?;
            if own.iter().any(|lesson| lessons.contains(lesson)) {
                numbers.push(row.text("number")?);
            }
        }
        Ok(numbers)
    }

    async fn one_review(&self, sql: String, values: Vec<Value>) -> Answer<Option<Review>> {
        match self.database.one("读审批单", AssertSqlSafe(sql), values).await? {
            None => Ok(None),
            Some(row) => {
                let mut review = read_review(&row)?;
                review.manifests = self.manifests_of(&review.number).await?;
                Ok(Some(review))
            }
        }
    }

    async fn manifests_of(&self, number: &str) -> Answer<Vec<(ChannelId, Digest)>> {
        let sql = "SELECT channel, manifest FROM review_manifest WHERE review = $1 \
                   ORDER BY channel, manifest";
        let rows = self.database.all("读审批单", sql, values![number]).await?;
        rows.iter().map(read_manifest).collect()
    }

    /// The canonical JSON of a manifest, checked against its hash.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] where it has been changed.
    pub async fn manifest(&self, hash: &Digest) -> Answer<Option<String>> {
        let sql = "SELECT body FROM manifest WHERE hash = $1";
        let Some(row) = self.database.one("读发布清单", sql, values![hash]).await? else {
            return Ok(None);
        };
        let body = row.text("body")?;
        if Digest::of(body.as_bytes()) != *hash {
            return Err(StoreError::Corrupt {
                what: format!("发布清单 {hash}"),
                reason: "内容与 SHA-256 不符，被改过".to_owned(),
            });
        }
        Ok(Some(body))
    }

    /// The one manifest whose hash begins like this; `None` where there is none or several.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn manifest_beginning(&self, digits: &str) -> Answer<Option<Digest>> {
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(None);
        }
        let sql = "SELECT hash FROM manifest WHERE hash LIKE $1 LIMIT 2";
        let pattern = format!("{}%", digits.to_ascii_lowercase());
        let rows = self.database.all("读发布清单", sql, values![pattern]).await?;
        match rows.as_slice() {
            [row] => Ok(Some(row.parsed("hash", Digest::from_hex)?)),
            _ => Ok(None),
        }
    }

    /// The decisions about a manifest, in the order they were made.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn approvals(&self, manifest: &Digest) -> Answer<Vec<Approval>> {
        let rows = self.database.all("读审批意见", APPROVALS, values![manifest]).await?;
        rows.iter().map(read_approval).collect()
    }

    /// The decisions about the first manifest of every submission, each in the order they were
    /// made: all manifests of one are decided together. For lists of submissions, with one question
    /// instead of one for each.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn first_approvals(&self) -> Answer<BTreeMap<Digest, Vec<Approval>>> {
        let rows = self.database.all("读审批意见", FIRST_APPROVALS, Vec::new()).await?;
        let mut all: BTreeMap<Digest, Vec<Approval>> = BTreeMap::new();
        for row in &rows {
            let approval = read_approval(row)?;
            all.entry(approval.manifest).or_default().push(approval);
        }
        Ok(all)
    }
}
