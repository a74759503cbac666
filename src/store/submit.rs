//! Submitting: a number, and the manifests that people decide about under it.

use super::{
    Answer, Review, Store, StoreError,
    audit::Entry,
    database::Writing,
    decide::let_go,
    review::{lessons_text, people_text, read_people, reasons_of, reasons_text, steps_text},
    value::{Columns, corrupt, values},
};
use crate::model::{Digest, PersonId};
use serde_json::json;
use sqlx::AssertSqlSafe;

impl Store {
    /// The running number of `plan_key` in that year, reserved at first asking. Numbers have no
    /// gaps.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn reserve_number(&self, year: i16, plan_key: &Digest) -> Answer<u32> {
        let year = i64::from(year);
        let known = "SELECT seq FROM review_number WHERE year = $1 AND plan_key = $2";
        if let Some(row) = self.database.one("读审批编号", known, values![year, plan_key]).await?
        {
            return row.count("seq");
        }
        let mut writing = self.database.write("预留审批编号").await?;
        // Locks the year's counter, so that the next two statements see everything before them.
        let lock = "INSERT INTO review_counter (year, last) VALUES ($1, 0) \
                    ON CONFLICT (year) DO UPDATE SET last = review_counter.last \
                    RETURNING last";
        let last = writing.one(lock, values![year]).await?;
        let last = last.ok_or_else(|| corrupt("审批编号", ""))?.number("last")?;
        if let Some(row) = writing.one(known, values![year, plan_key]).await? {
            return row.count("seq");
        }
        let next = last + 1;
        let bump = "UPDATE review_counter SET last = $2 WHERE year = $1";
        writing.run(bump, values![year, next]).await?;
        let row = vec![values![year, next, plan_key]];
        writing.insert("review_number", &["year", "seq", "plan_key"], row).await?;
        writing.commit().await?;
        u32::try_from(next).map_err(|_| corrupt("审批编号", &next.to_string()))
    }

    /// Records a submission with the canonical JSON of its manifests (hash → JSON). The same
    /// number again replaces it only while nobody has decided about other manifests; whoever was
    /// excluded before stays excluded.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where it may not be replaced, or a manifest is missing or does not
    /// have the hash it is given under.
    pub async fn submit(&self, review: &Review, manifests: &[(Digest, String)]) -> Answer<()> {
        check_submission(review, manifests)?;
        let mut writing = self.database.write("提交审批").await?;
        let now = writing.now().await?;
        let lock = writing.locking(" FOR UPDATE");
        let sql = format!("SELECT author, excluded, reasons FROM review WHERE number = $1{lock}");
        let former = writing.one(AssertSqlSafe(sql), values![&review.number]).await?;
        let mut excluded = review.excluded.clone();
        excluded.push(review.author.clone());
        let mut reasons = review.reasons.clone();
        let mut before = None;
        if let Some(former) = former {
            let known = reasons_of(&former)?;
            reasons.extend(known.into_iter().filter(|one| !review.reasons.contains(one)));
            excluded.extend(former.parsed("excluded", read_people)?);
            before = Some(json!({ "author": former.text("author")? }));
            withdraw(&mut writing, review).await?;
        }
        excluded.sort();
        excluded.dedup();
        for (hash, body) in manifests {
            let sql = "INSERT INTO manifest (hash, body) VALUES ($1, $2) ON CONFLICT DO NOTHING";
            writing.run(sql, values![hash, body]).await?;
        }
        let frozen = Review { excluded, reasons, ..review.clone() };
        write_review(&mut writing, &frozen).await?;
        for (_, manifest) in &review.manifests {
            // Steps may have become fewer.
            let_go(&mut writing, manifest, now).await?;
        }
        let became = json!({
            "author": review.author.as_str(),
            "campaign": review.campaign.to_string(),
            "excluded": excluded_told(&frozen),
            "manifests": review.manifests.iter()
                .map(|(channel, hash)| (channel.to_string(), json!(hash.to_string())))
                .collect::<serde_json::Map<_, _>>(),
            "steps": review.steps.iter().map(|step| &step.name).collect::<Vec<_>>(),
        });
        let entry = Entry::new(review.author.as_str(), "submit", &review.number, &became);
        writing.note(match before {
            Some(before) => entry.after(&before),
            None => entry,
        });
        writing.commit().await
    }
}

fn check_submission(review: &Review, manifests: &[(Digest, String)]) -> Answer<()> {
    for (hash, body) in manifests {
        if Digest::of(body.as_bytes()) != *hash {
            return Err(StoreError::Conflict(format!("清单 {hash} 的内容与它的哈希不符")));
        }
    }
    for (channel, hash) in &review.manifests {
        if !manifests.iter().any(|(given, _)| given == hash) {
            return Err(StoreError::Conflict(format!(
                "审批单 {} 少了渠道 {channel} 的清单 {hash}",
                review.number
            )));
        }
    }
    Ok(())
}

/// Takes a former submission away, unless somebody has decided about other bytes under its number.
async fn withdraw(writing: &mut Writing<'_>, review: &Review) -> Answer<()> {
    let sql = "SELECT DISTINCT m.manifest, a.actor FROM review_manifest m \
               JOIN approval a ON a.manifest = m.manifest WHERE m.review = $1";
    for row in writing.all(sql, values![&review.number]).await? {
        let manifest = row.parsed("manifest", Digest::from_hex)?;
        if !review.manifests.iter().any(|(_, hash)| *hash == manifest) {
            return Err(StoreError::Conflict(format!(
                "{} 已对 {} 的原内容作过决定，改过的内容不能沿用这个编号；请重新预留编号再提交",
                row.text("actor")?,
                review.number
            )));
        }
    }
    let sql = "DELETE FROM review_manifest WHERE review = $1";
    writing.run(sql, values![&review.number]).await?;
    Ok(())
}

/// Who may not sign, and why, for the audit row: what counts can be shown not to have been changed.
fn excluded_told(review: &Review) -> serde_json::Value {
    let own = |person: &PersonId| -> Vec<&String> {
        review.reasons.iter().filter(|(id, _)| id == person).map(|(_, why)| why).collect()
    };
    let all = review.excluded.iter().map(|id| (id.to_string(), json!(own(id))));
    all.collect::<serde_json::Map<_, _>>().into()
}

async fn write_review(writing: &mut Writing<'_>, review: &Review) -> Answer<()> {
    let sql = "INSERT INTO review (number, campaign, lessons, plan_key, revision, author, \
               excluded, steps, submitted_at, reasons) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
               ON CONFLICT (number) DO UPDATE SET campaign = excluded.campaign, \
               lessons = excluded.lessons, plan_key = excluded.plan_key, \
               revision = excluded.revision, author = excluded.author, \
               excluded = excluded.excluded, steps = excluded.steps, \
               submitted_at = excluded.submitted_at, reasons = excluded.reasons";
    let values = values![
        &review.number,
        review.campaign.to_string(),
        lessons_text(&review.lessons),
        &review.plan_key,
        &review.revision,
        review.author.as_str(),
        people_text(&review.excluded),
        steps_text(&review.steps),
        review.submitted_at,
        reasons_text(&review.reasons),
    ];
    writing.run(sql, values).await?;
    for (channel, manifest) in &review.manifests {
        let sql = "INSERT INTO review_manifest (manifest, review, channel) VALUES ($1, $2, $3) \
                   ON CONFLICT DO NOTHING";
        if writing.run(sql, values![manifest, &review.number, channel]).await? == 0 {
            return Err(StoreError::Conflict(format!(
                "清单 {manifest} 已属于另一份审批单，或渠道 {channel} 重复了"
            )));
        }
    }
    Ok(())
}
