//! What programs sign in with: tokens with an owner, a few allowed actions and an end.

use super::{
    Answer, Store,
    audit::Entry,
    deployment::new_id,
    value::{Columns, values},
};
use crate::model::{Digest, PersonId};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use sqlx::any::AnyRow;

/// A token's row. The token itself is shown once and kept as its SHA-256 only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiToken {
    /// Its name in lists and in the audit chain.
    pub id: String,
    /// As whom the program acts.
    pub person: PersonId,
    /// What it is for, as its maker wrote.
    pub name: String,
    /// The actions it may do, of those that its person may.
    pub scopes: Vec<String>,
    /// Since when.
    pub created_at: Timestamp,
    /// Until when.
    pub expires_at: Timestamp,
    /// Whether it was withdrawn.
    pub revoked_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub used_at: Option<Timestamp>,
}

const TOKEN: &str = "SELECT id, person, name, scopes, created_at, expires_at, revoked_at, \
                     used_at FROM api_token";

fn read(row: &AnyRow) -> Answer<ApiToken> {
    Ok(ApiToken {
        id: row.text("id")?,
        person: row.parsed("person", |text| PersonId::new(text).ok())?,
        name: row.text("name")?,
        scopes: row.parsed("scopes", |text| serde_json::from_str(text).ok())?,
        created_at: row.moment("created_at")?,
        expires_at: row.moment("expires_at")?,
        revoked_at: row.maybe_moment("revoked_at")?,
        used_at: row.maybe_moment("used_at")?,
    })
}

impl Store {
    /// Writes a token whose digest is `secret`.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn add_api_token(
        &self,
        secret: &Digest,
        person: &PersonId,
        name: &str,
        scopes: &[String],
        life: SignedDuration,
        actor: &str,
    ) -> Answer<ApiToken> {
        let id = new_id()?[..12].to_owned();
        let mut writing = self.database.write("发接口口令").await?;
        let now = writing.now().await?;
        let expires_at = now.saturating_add(life).unwrap_or(now);
        let sql = "INSERT INTO api_token (id, secret, person, name, scopes, created_at, \
                   expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let text = json!(scopes).to_string();
        let row = values![&id, secret, person.as_str(), name, &text, now, expires_at];
        writing.run(sql, row).await?;
        let note = json!({
            "person": person.as_str(), "name": name, "scopes": scopes,
            "expires_at": expires_at.to_string(),
        });
        writing.note(Entry::new(actor, "token.create", format!("token/{id}"), &note));
        writing.commit().await?;
        Ok(ApiToken {
            id,
            person: person.clone(),
            name: name.to_owned(),
            scopes: scopes.to_vec(),
            created_at: now,
            expires_at,
            revoked_at: None,
            used_at: None,
        })
    }

    /// Every token, newest first.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn api_tokens(&self) -> Answer<Vec<ApiToken>> {
        let sql = sqlx::AssertSqlSafe(format!("{TOKEN} ORDER BY created_at DESC, id"));
        let rows = self.database.all("读接口口令", sql, Vec::new()).await?;
        rows.iter().map(read).collect()
    }

    /// The token with that digest, where it may be used now.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn use_api_token(&self, secret: &Digest) -> Answer<Option<ApiToken>> {
        let sql = sqlx::AssertSqlSafe(format!("{TOKEN} WHERE secret = $1"));
        let Some(row) = self.database.one("读接口口令", sql, values![secret]).await? else {
            return Ok(None);
        };
        let token = read(&row)?;
        let now = self.now().await?;
        if token.revoked_at.is_some() || now >= token.expires_at {
            return Ok(None);
        }
        let minute = SignedDuration::from_mins(1);
        if token.used_at.is_none_or(|used| used.duration_until(now) > minute) {
            let mut writing = self.database.write("记接口口令").await?;
            let sql = "UPDATE api_token SET used_at = $1 WHERE id = $2";
            writing.run(sql, values![now, &token.id]).await?;
            writing.commit().await?;
        }
        Ok(Some(token))
    }

    /// Withdraws a token; `false` where there is no such token that still counts.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn revoke_api_token(&self, id: &str, actor: &str) -> Answer<bool> {
        let mut writing = self.database.write("收回接口口令").await?;
        let now = writing.now().await?;
        let sql = "UPDATE api_token SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL";
        let found = writing.run(sql, values![now, id]).await? > 0;
        if found {
            writing.note(Entry::new(actor, "token.revoke", format!("token/{id}"), &json!({})));
        }
        writing.commit().await?;
        Ok(found)
    }
}
