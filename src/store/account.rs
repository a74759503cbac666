//! Ways in for people: passwords (as digests), lock-out, one-time invitations, sessions.
//!
//! What a browser or a mail holds never stands here, only its SHA-256: whoever reads the database
//! cannot sign in with what they read. Passwords are argon2id, made in `console`.

use super::{
    Answer, Store,
    audit::Entry,
    database::Writing,
    value::{Columns, values},
};
use crate::model::{BranchId, Digest, PersonId};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use sqlx::any::AnyRow;

/// So many wrong passwords in a row lock an account.
pub const FAILURES_UNTIL_LOCKED: u32 = 5;

/// For so long.
const LOCKED_FOR: SignedDuration = SignedDuration::from_mins(15);

/// A session's `seen_at` is written at most this often.
const SEEN_EVERY: SignedDuration = SignedDuration::from_secs(60);

/// Somebody's way in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Who.
    pub person: PersonId,
    /// Their name; empty where `[[people]]` has it.
    pub name: String,
    /// Their roles; empty where `[[people]]` has them.
    pub roles: Vec<String>,
    /// Their department.
    pub department: Option<String>,
    /// Their branch, with the role `branch`.
    pub branch: Option<BranchId>,
    /// The password as a PHC string; `None` before one was chosen.
    pub password: Option<String>,
    /// Wrong passwords since the last right one.
    pub failures: u32,
    /// No password is looked at before.
    pub locked_until: Option<Timestamp>,
    /// Whether they may sign in at all.
    pub active: bool,
    /// Until when an invitation waits to be used.
    pub invite_until: Option<Timestamp>,
    /// When anything of this changed.
    pub changed_at: Timestamp,
}

/// A browser that is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// Who.
    pub person: PersonId,
    /// How: `password`, `oidc`, `invite`.
    pub means: String,
    /// Since when.
    pub started_at: Timestamp,
    /// When last a page was asked for, to the minute.
    pub seen_at: Timestamp,
    /// When it ends in any case.
    pub expires_at: Timestamp,
}

const ACCOUNT: &str = "SELECT person, name, roles, department, branch, password, failures, \
                       locked_until, active, invite_until, changed_at FROM account";

fn read_account(row: &AnyRow) -> Answer<Account> {
    let branch = row.maybe_text("branch")?;
    Ok(Account {
        person: row.parsed("person", |text| PersonId::new(text).ok())?,
        name: row.text("name")?,
        roles: row.parsed("roles", |text| serde_json::from_str(text).ok())?,
        department: row.maybe_text("department")?,
        branch: branch.and_then(|text| BranchId::new(&text).ok()),
        password: row.maybe_text("password")?,
        failures: row.count("failures")?,
        locked_until: row.maybe_moment("locked_until")?,
        active: row.number("active")? == 1,
        invite_until: row.maybe_moment("invite_until")?,
        changed_at: row.moment("changed_at")?,
    })
}

impl Store {
    /// Every account, by person.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn accounts(&self) -> Answer<Vec<Account>> {
        let sql = sqlx::AssertSqlSafe(format!("{ACCOUNT} ORDER BY person"));
        let rows = self.database.all("读账号", sql, Vec::new()).await?;
        rows.iter().map(read_account).collect()
    }

    /// Somebody's account.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn account(&self, person: &PersonId) -> Answer<Option<Account>> {
        let sql = sqlx::AssertSqlSafe(format!("{ACCOUNT} WHERE person = $1"));
        let row = self.database.one("读账号", sql, values![person.as_str()]).await?;
        row.as_ref().map(read_account).transpose()
    }

    /// Writes name, roles, department, branch and whether they may sign in; the rest of the
    /// account stays. Whoever may not sign in any more is signed out.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn save_account(&self, account: &Account, actor: &str) -> Answer<()> {
        let mut writing = self.database.write("存账号").await?;
        let now = writing.now().await?;
        let roles = json!(account.roles).to_string();
        let active = i64::from(account.active);
        let branch = account.branch.as_ref().map(BranchId::as_str);
        let sql = "INSERT INTO account (person, name, roles, department, branch, failures, \
                   active, changed_at) VALUES ($1, $2, $3, $4, $5, 0, $6, $7) \
                   ON CONFLICT (person) DO UPDATE SET name = excluded.name, \
                   roles = excluded.roles, department = excluded.department, \
                   branch = excluded.branch, active = excluded.active, \
                   changed_at = excluded.changed_at";
        let person = account.person.as_str();
        let department = account.department.as_deref();
        let row = values![person, &account.name, &roles, department, branch, active, now];
        writing.run(sql, row).await?;
        if !account.active {
            let sql = "DELETE FROM session WHERE person = $1";
            writing.run(sql, values![person]).await?;
            // What programs of theirs hold ends with them.
            let sql = "UPDATE api_token SET revoked_at = $1 \
                       WHERE person = $2 AND revoked_at IS NULL";
            writing.run(sql, values![now, person]).await?;
        }
        let note = json!({
            "name": account.name, "roles": account.roles, "department": account.department,
            "branch": branch, "active": account.active,
        });
        writing.note(Entry::new(actor, "account.save", format!("person/{person}"), &note));
        writing.commit().await
    }

    /// Writes a one-time invitation; one before it is worth nothing any more.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn invite(
        &self,
        person: &PersonId,
        invite: &Digest,
        life: SignedDuration,
        actor: &str,
    ) -> Answer<Timestamp> {
        let mut writing = self.database.write("写邀请").await?;
        let now = writing.now().await?;
        let until = now.saturating_add(life).unwrap_or(now);
        let sql = "INSERT INTO account (person, name, roles, failures, active, invite, \
                   invite_until, changed_at) VALUES ($1, '', '[]', 0, 1, $2, $3, $4) \
                   ON CONFLICT (person) DO UPDATE SET invite = excluded.invite, \
                   invite_until = excluded.invite_until, changed_at = excluded.changed_at";
        writing.run(sql, values![person.as_str(), invite, until, now]).await?;
        let note = json!({ "until": until.to_string() });
        writing.note(Entry::new(actor, "account.invite", format!("person/{person}"), &note));
        writing.commit().await?;
        Ok(until)
    }

    /// Whose invitation it is, where it may still be used.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn invited(&self, invite: &Digest) -> Answer<Option<PersonId>> {
        let now = self.now().await?;
        let sql = "SELECT person FROM account \
                   WHERE invite = $1 AND invite_until > $2 AND active = 1";
        let row = self.database.one("读邀请", sql, values![invite, now]).await?;
        row.map(|row| row.parsed("person", |text| PersonId::new(text).ok())).transpose()
    }

    /// Uses an invitation up: the password is theirs from now on, and whoever was signed in as
    /// them is signed out. `None` where it is used, ran out or never was.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn accept_invite(&self, invite: &Digest, password: &str) -> Answer<Option<PersonId>> {
        let mut writing = self.database.write("设口令").await?;
        let now = writing.now().await?;
        let sql = "UPDATE account SET password = $1, invite = NULL, invite_until = NULL, \
                   failures = 0, locked_until = NULL, changed_at = $2 \
                   WHERE invite = $3 AND invite_until > $2 AND active = 1 RETURNING person";
        let Some(row) = writing.one(sql, values![password, now, invite]).await? else {
            return Ok(None);
        };
        let person = row.parsed("person", |text| PersonId::new(text).ok())?;
        sign_out(&mut writing, &person).await?;
        let subject = format!("person/{person}");
        writing.note(Entry::new(person.as_str(), "account.password", subject, &json!({})));
        writing.commit().await?;
        Ok(Some(person))
    }

    /// Writes a new password and signs out every browser of theirs.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn set_password(&self, person: &PersonId, password: &str) -> Answer<()> {
        let mut writing = self.database.write("改口令").await?;
        let now = writing.now().await?;
        let sql = "UPDATE account SET password = $1, failures = 0, locked_until = NULL, \
                   changed_at = $2 WHERE person = $3";
        writing.run(sql, values![password, now, person.as_str()]).await?;
        sign_out(&mut writing, person).await?;
        let subject = format!("person/{person}");
        writing.note(Entry::new(person.as_str(), "account.password", subject, &json!({})));
        writing.commit().await
    }

    /// Counts a wrong password; until when the account is locked, where it is now.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn count_failure(&self, person: &PersonId) -> Answer<Option<Timestamp>> {
        let mut writing = self.database.write("记口令错误").await?;
        let now = writing.now().await?;
        let sql = "UPDATE account SET failures = failures + 1 WHERE person = $1 \
                   RETURNING failures";
        let Some(row) = writing.one(sql, values![person.as_str()]).await? else {
            return Ok(None);
        };
        let failures = row.count("failures")?;
        let locked = (failures >= FAILURES_UNTIL_LOCKED)
            .then(|| now.saturating_add(LOCKED_FOR).unwrap_or(now));
        if let Some(until) = locked {
            let sql = "UPDATE account SET locked_until = $1 WHERE person = $2";
            writing.run(sql, values![until, person.as_str()]).await?;
        }
        let until = locked.map(|until| until.to_string());
        let note = json!({ "failures": failures, "locked_until": until });
        let subject = format!("person/{person}");
        writing.note(Entry::new(person.as_str(), "session.refuse", subject, &note));
        writing.commit().await?;
        Ok(locked)
    }

    /// Opens a locked account.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn unlock(&self, person: &PersonId, actor: &str) -> Answer<()> {
        let mut writing = self.database.write("解锁账号").await?;
        let sql = "UPDATE account SET failures = 0, locked_until = NULL WHERE person = $1";
        writing.run(sql, values![person.as_str()]).await?;
        writing.note(Entry::new(actor, "account.unlock", format!("person/{person}"), &json!({})));
        writing.commit().await
    }

    /// Signs a browser in; `id` is the digest of what it holds. Sessions that ended are
    /// forgotten, and wrong passwords before this one, too.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn start_session(
        &self,
        id: &Digest,
        person: &PersonId,
        means: &str,
        life: SignedDuration,
    ) -> Answer<()> {
        let mut writing = self.database.write("登录").await?;
        let now = writing.now().await?;
        let until = now.saturating_add(life).unwrap_or(now);
        writing.run("DELETE FROM session WHERE expires_at < $1", values![now]).await?;
        let sql = "INSERT INTO session (id, person, means, started_at, seen_at, expires_at) \
                   VALUES ($1, $2, $3, $4, $4, $5)";
        writing.run(sql, values![id, person.as_str(), means, now, until]).await?;
        let sql = "UPDATE account SET failures = 0, locked_until = NULL WHERE person = $1";
        writing.run(sql, values![person.as_str()]).await?;
        let note = json!({ "means": means });
        let subject = format!("person/{person}");
        writing.note(Entry::new(person.as_str(), "session.start", subject, &note));
        writing.commit().await
    }

    /// The session, where it has not ended: not too old, and not idle for longer than `idle`.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn session(&self, id: &Digest, idle: SignedDuration) -> Answer<Option<SignedIn>> {
        let sql = "SELECT person, means, started_at, seen_at, expires_at FROM session \
                   WHERE id = $1";
        let Some(row) = self.database.one("读登录", sql, values![id]).await? else {
            return Ok(None);
        };
        let session = read_session(&row)?;
        let now = self.now().await?;
        let unseen = session.seen_at.duration_until(now);
        if now >= session.expires_at || unseen > idle {
            return Ok(None);
        }
        if unseen > SEEN_EVERY {
            let mut writing = self.database.write("记登录").await?;
            let sql = "UPDATE session SET seen_at = $1 WHERE id = $2";
            writing.run(sql, values![now, id]).await?;
            writing.commit().await?;
        }
        Ok(Some(session))
    }

    /// Signs a browser out.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn end_session(&self, id: &Digest) -> Answer<()> {
        let mut writing = self.database.write("退出").await?;
        let sql = "DELETE FROM session WHERE id = $1 RETURNING person";
        if let Some(row) = writing.one(sql, values![id]).await? {
            let person = row.text("person")?;
            let subject = format!("person/{person}");
            writing.note(Entry::new(&person, "session.end", subject, &json!({})));
        }
        writing.commit().await
    }

    /// Signs out every browser of somebody.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn end_sessions(&self, person: &PersonId, actor: &str) -> Answer<()> {
        let mut writing = self.database.write("退出全部登录").await?;
        sign_out(&mut writing, person).await?;
        writing.note(Entry::new(actor, "session.end-all", format!("person/{person}"), &json!({})));
        writing.commit().await
    }
}

fn read_session(row: &AnyRow) -> Answer<SignedIn> {
    Ok(SignedIn {
        person: row.parsed("person", |text| PersonId::new(text).ok())?,
        means: row.text("means")?,
        started_at: row.moment("started_at")?,
        seen_at: row.moment("seen_at")?,
        expires_at: row.moment("expires_at")?,
    })
}

async fn sign_out(writing: &mut Writing<'_>, person: &PersonId) -> Answer<()> {
    let sql = "DELETE FROM session WHERE person = $1";
    writing.run(sql, values![person.as_str()]).await.map(drop)
}
