//! Who may act: `[[people]]` of `channels.toml`, and those whom an administrator added besides.

use super::{Publisher, WorkError};
use crate::{config::Person, model::PersonId, store::Account};
use std::collections::BTreeMap;

impl Publisher {
    /// Everybody, by id. Where the file names somebody, the file is right.
    ///
    /// # Errors
    /// The ledger's.
    pub async fn people(&self) -> Result<Vec<Person>, WorkError> {
        let mut people = self.config.people.clone();
        let accounts = self.store.accounts().await?;
        let added = accounts.into_iter().filter(|account| {
            !account.roles.is_empty() && self.config.person(&account.person).is_none()
        });
        people.extend(added.map(person_of));
        people.sort_by(|one, other| one.id.cmp(&other.id));
        Ok(people)
    }

    /// Everybody who could sign something today: known, and not closed.
    ///
    /// # Errors
    /// The ledger's.
    pub async fn signers(&self) -> Result<Vec<Person>, WorkError> {
        let accounts = self.store.accounts().await?;
        let closed =
            |id: &PersonId| accounts.iter().any(|account| account.person == *id && !account.active);
        let mut people = self.people().await?;
        people.retain(|person| !closed(&person.id));
        Ok(people)
    }

    /// What everybody is called.
    ///
    /// # Errors
    /// The ledger's.
    pub async fn called(&self) -> Result<Called, WorkError> {
        let people = self.people().await?;
        Ok(Called(people.into_iter().map(|person| (person.id, person.name)).collect()))
    }

    /// Somebody.
    ///
    /// # Errors
    /// The ledger's.
    pub async fn person(&self, id: &PersonId) -> Result<Option<Person>, WorkError> {
        if let Some(person) = self.config.person(id) {
            return Ok(Some(person.clone()));
        }
        let account = self.store.account(id).await?;
        Ok(account.filter(|account| !account.roles.is_empty()).map(person_of))
    }
}

/// As a program is called in the audit chain: the person in whose name it acts, and its token.
#[must_use]
pub fn program_actor(person: &PersonId, token: &str) -> String {
    format!("{person}（口令 {token}）")
}

/// The person behind a name of the audit chain; `None` for those of the service itself.
#[must_use]
pub fn person_of_actor(actor: &str) -> Option<PersonId> {
    PersonId::new(actor.split('（').next().unwrap_or_default()).ok()
}

/// What people are called.
#[derive(Debug, Clone, Default)]
pub struct Called(BTreeMap<PersonId, String>);

impl Called {
    /// Name and id; the id alone of somebody who is gone.
    #[must_use]
    pub fn one(&self, id: &PersonId) -> String {
        self.0.get(id).map_or_else(|| id.to_string(), |name| format!("{name}（{id}）"))
    }

    /// The same of several.
    #[must_use]
    pub fn list(&self, ids: &[PersonId]) -> String {
        ids.iter().map(|id| self.one(id)).collect::<Vec<_>>().join("、")
    }
}

fn person_of(account: Account) -> Person {
    Person {
        id: account.person,
        name: account.name,
        roles: account.roles,
        department: account.department,
        branch: account.branch,
        token_env: None,
        token_sha256: None,
    }
}
