//! Machines of branches, what stood on their screens, and what people confirmed.

use super::{
    Answer, BranchDevice, Confirmation, Display, Store,
    audit::Entry,
    value::{Columns, values},
};
use crate::model::{BranchId, Digest};
use jiff::Timestamp;
use serde_json::json;
use sqlx::any::AnyRow;
use std::time::Duration;

const DEVICE: &str = "SELECT branch, enrolment, machine, public_key, enrolled_at, seen_at, \
                      status, receipt_seq, receipt_hash, confirmation_number FROM branch_device";

fn read_device(row: &AnyRow) -> Answer<BranchDevice> {
    Ok(BranchDevice {
        branch: row.parsed("branch", |text| BranchId::new(text).ok())?,
        enrolment: row.number("enrolment")?,
        machine: row.text("machine")?,
        public_key: row.text("public_key")?,
        enrolled_at: row.moment("enrolled_at")?,
        seen_at: row.maybe_moment("seen_at")?,
        status: row.text("status")?,
        receipt_seq: row.number("receipt_seq")?,
        receipt_hash: row.parsed("receipt_hash", Digest::from_hex)?,
        confirmation_number: row.number("confirmation_number")?,
    })
}

fn read_confirmation(row: &AnyRow) -> Answer<Confirmation> {
    Ok(Confirmation {
        branch: row.parsed("branch", |text| BranchId::new(text).ok())?,
        key: row.parsed("release_key", Digest::from_hex)?,
        lesson: Some(row.text("lesson")?).filter(|lesson| !lesson.is_empty()),
        what: row.text("what")?,
        by: row.text("confirmed_by")?,
        at: row.moment("at")?,
    })
}

impl Store {
    /// Notes a one-time code by its hash. Codes that ran out are forgotten.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn add_enrol_code(
        &self,
        code: &Digest,
        branch: &BranchId,
        life: Duration,
        actor: &str,
    ) -> Answer<Timestamp> {
        let mut writing = self.database.write("记登记码").await?;
        let now = writing.now().await?;
        let expires = now.saturating_add(jiff::SignedDuration::try_from(life).unwrap_or_default());
        let expires = expires.unwrap_or(now);
        writing.run("DELETE FROM enrol_code WHERE expires_at < $1", values![now]).await?;
        let sql = "INSERT INTO enrol_code (code_hash, branch, created_at, expires_at) \
                   VALUES ($1, $2, $3, $4)";
        writing.run(sql, values![code, branch.as_str(), now, expires]).await?;
        let note = json!({ "expires_at": expires.to_string() });
        writing.note(Entry::new(actor, "branch.code", format!("branch/{branch}"), &note));
        writing.commit().await?;
        Ok(expires)
    }

    /// Uses a code up and makes the machine the branch's; the one before it is the branch's no
    /// more. `None` where there is no such code, or it was used or ran out.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn enrol(
        &self,
        code: &Digest,
        machine: &str,
        public_key: &str,
    ) -> Answer<Option<BranchDevice>> {
        let mut writing = self.database.write("登记网点机器").await?;
        let now = writing.now().await?;
        let sql = "UPDATE enrol_code SET used_at = $1 \
                   WHERE code_hash = $2 AND used_at IS NULL AND expires_at > $1 RETURNING branch";
        let Some(row) = writing.one(sql, values![now, code]).await? else { return Ok(None) };
        let branch = row.text("branch")?;
        let start = Digest::from_bytes([0; 32]);
        let sql = "INSERT INTO branch_device (branch, enrolment, machine, public_key, \
                   enrolled_at, status, receipt_seq, receipt_hash, confirmation_number) \
                   VALUES ($1, 1, $2, $3, $4, '', 0, $5, 0) ON CONFLICT (branch) DO UPDATE SET \
                   enrolment = branch_device.enrolment + 1, machine = excluded.machine, \
                   public_key = excluded.public_key, enrolled_at = excluded.enrolled_at, \
                   seen_at = NULL, status = '', receipt_seq = 0, \
                   receipt_hash = excluded.receipt_hash, confirmation_number = 0";
        writing.run(sql, values![&branch, machine, public_key, now, &start]).await?;
        let note = json!({ "machine": machine, "public_key": public_key });
        writing.note(Entry::new(machine, "branch.enrol", format!("branch/{branch}"), &note));
        writing.commit().await?;
        match BranchId::new(&branch) {
            Ok(branch) => self.branch_device(&branch).await,
            Err(_) => Ok(None),
        }
    }

    /// The machine of a branch.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn branch_device(&self, branch: &BranchId) -> Answer<Option<BranchDevice>> {
        let sql = sqlx::AssertSqlSafe(format!("{DEVICE} WHERE branch = $1"));
        let row = self.database.one("读网点机器", sql, values![branch.as_str()]).await?;
        row.as_ref().map(read_device).transpose()
    }

    /// Every machine.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn branch_devices(&self) -> Answer<Vec<BranchDevice>> {
        let sql = sqlx::AssertSqlSafe(format!("{DEVICE} ORDER BY branch"));
        let rows = self.database.all("读网点机器", sql, Vec::new()).await?;
        rows.iter().map(read_device).collect()
    }

    /// Takes a report: status, receipts that follow on what was taken before, and confirmations.
    /// `false` where another report came in between; nothing was taken then.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn take_report(
        &self,
        before: &BranchDevice,
        status: &str,
        receipts: &[(Display, Digest)],
        confirmations: &[(i64, Confirmation)],
    ) -> Answer<bool> {
        let mut writing = self.database.write("收网点回报").await?;
        let now = writing.now().await?;
        let last = receipts.last();
        let seq = last.map_or(before.receipt_seq, |(display, _)| display.seq);
        let hash = last.map_or(&before.receipt_hash, |(_, hash)| hash);
        let newest = confirmations.iter().map(|(number, _)| *number).max();
        let number = newest.unwrap_or(0).max(before.confirmation_number);
        let sql = "UPDATE branch_device SET seen_at = $1, status = $2, receipt_seq = $3, \
                   receipt_hash = $4, confirmation_number = $5 \
                   WHERE branch = $6 AND enrolment = $7 AND receipt_seq = $8";
        let branch = before.branch.as_str();
        let enrolment = before.enrolment;
        let values = values![now, status, seq, hash, number, branch, enrolment, before.receipt_seq];
        if writing.run(sql, values).await? == 0 {
            return Ok(false);
        }
        for (display, _) in receipts {
            let sql = "INSERT INTO display (branch, enrolment, seq, screen, sha256, shown_from, \
                       shown_until, line) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
            let values = values![
                branch,
                enrolment,
                display.seq,
                &display.screen,
                &display.sha256,
                display.from,
                display.until,
                &display.line,
            ];
            writing.run(sql, values).await?;
        }
        for (_, confirmation) in confirmations {
            confirm(&mut writing, confirmation).await?;
        }
        writing.commit().await?;
        Ok(true)
    }

    /// Notes that something hangs or hangs no more. The first confirmation of the same counts.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn add_confirmation(&self, confirmation: &Confirmation) -> Answer<()> {
        let mut writing = self.database.write("记网点确认").await?;
        confirm(&mut writing, confirmation).await?;
        writing.commit().await
    }

    /// Takes a confirmation back that was made by mistake; `false` where there is none. What was
    /// said stays in the audit chain.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn withdraw_confirmation(
        &self,
        branch: &BranchId,
        key: &Digest,
        lesson: Option<&str>,
        what: &str,
        actor: &str,
    ) -> Answer<bool> {
        let mut writing = self.database.write("撤销网点确认").await?;
        let sql = "DELETE FROM confirmation \
                   WHERE branch = $1 AND release_key = $2 AND lesson = $3 AND what = $4";
        let lesson = lesson.unwrap_or_default();
        let values = values![branch.as_str(), key, lesson, what];
        if writing.run(sql, values).await? == 0 {
            return Ok(false);
        }
        let note = json!({ "key": key.to_string(), "lesson": lesson, "what": what });
        writing.note(Entry::new(actor, "branch.withdraw", format!("branch/{branch}"), &note));
        writing.commit().await?;
        Ok(true)
    }

    /// What was confirmed about a release.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn confirmations(&self, key: &Digest) -> Answer<Vec<Confirmation>> {
        let sql = "SELECT branch, release_key, lesson, what, confirmed_by, at FROM confirmation \
                   WHERE release_key = $1 ORDER BY branch, lesson, what";
        let rows = self.database.all("读网点确认", sql, values![key]).await?;
        rows.iter().map(read_confirmation).collect()
    }

    /// What a branch confirmed, of every release.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn branch_confirmations(&self, branch: &BranchId) -> Answer<Vec<Confirmation>> {
        let sql = "SELECT branch, release_key, lesson, what, confirmed_by, at FROM confirmation \
                   WHERE branch = $1 ORDER BY at, release_key, lesson, what";
        let rows = self.database.all("读网点确认", sql, values![branch.as_str()]).await?;
        rows.iter().map(read_confirmation).collect()
    }

    /// What stood on the screens of a branch within a span, oldest first: the exact lines that its
    /// machine signed.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn displays(
        &self,
        branch: &BranchId,
        from: Timestamp,
        until: Timestamp,
    ) -> Answer<Vec<Display>> {
        let sql = "SELECT seq, screen, sha256, shown_from, shown_until, line FROM display \
                   WHERE branch = $1 AND shown_until >= $2 AND shown_from < $3 \
                   ORDER BY shown_from, screen, seq";
        let values = values![branch.as_str(), from, until];
        let rows = self.database.all("读屏幕记录", sql, values).await?;
        let read = |row: &AnyRow| {
            Ok(Display {
                seq: row.number("seq")?,
                screen: row.text("screen")?,
                sha256: row.text("sha256")?,
                from: row.moment("shown_from")?,
                until: row.moment("shown_until")?,
                line: row.text("line")?,
            })
        };
        rows.iter().map(read).collect()
    }
}

async fn confirm(
    writing: &mut super::database::Writing<'_>,
    confirmation: &Confirmation,
) -> Answer<()> {
    let sql = "INSERT INTO confirmation (branch, release_key, lesson, what, confirmed_by, at) \
               VALUES ($1, $2, $3, $4, $5, $6) \
               ON CONFLICT (branch, release_key, lesson, what) DO NOTHING";
    let lesson = confirmation.lesson.as_deref().unwrap_or_default();
    let values = values![
        confirmation.branch.as_str(),
        &confirmation.key,
        lesson,
        &confirmation.what,
        &confirmation.by,
        confirmation.at,
    ];
    if writing.run(sql, values).await? > 0 {
        let note = json!({
            "key": confirmation.key.to_string(), "lesson": lesson, "what": confirmation.what,
        });
        let subject = format!("branch/{}", confirmation.branch);
        writing.note(Entry::new(&confirmation.by, "branch.confirm", subject, &note));
    }
    Ok(())
}
