//! Passwords: argon2id, as OWASP's cheat sheet asks (19 MiB, 2 passes, 1 lane), one at a time per
//! core so that guessing cannot take the machine's memory.

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash},
};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// KiB of memory, passes and lanes.
const COST: (u32, u32, u32) = (19_456, 2, 1);

/// A longer one would only make work.
const LONGEST: usize = 200;

/// Hashes and verifies on blocking threads, two at a time.
#[derive(Debug, Clone)]
pub(super) struct Passwords {
    at_once: Arc<Semaphore>,
    /// Verified where there is no account, so that the time tells nothing.
    nobody: Arc<str>,
    shortest: usize,
}

/// Why a password was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum PasswordError {
    /// Too short, too long or too plain.
    #[error("{0}")]
    Weak(String),
    /// It could not be hashed.
    #[error("口令没有存成，请再试一次：{0}")]
    Hash(String),
}

impl Passwords {
    pub(super) fn new(shortest: u16) -> Result<Self, PasswordError> {
        let nobody = hash("a password that nobody has")?;
        Ok(Self {
            at_once: Arc::new(Semaphore::new(2)),
            nobody: nobody.into(),
            shortest: usize::from(shortest),
        })
    }

    /// Whether it is the password. Takes as long where there is none.
    pub(super) async fn verify(&self, password: &str, stored: Option<&str>) -> bool {
        let known = stored.is_some();
        let stored = stored.unwrap_or(&self.nobody).to_owned();
        let password: String = password.chars().take(LONGEST).collect();
        let Ok(_permit) = self.at_once.acquire().await else { return false };
        let verified = tokio::task::spawn_blocking(move || {
            let parsed = PasswordHash::new(&stored);
            parsed.is_ok_and(|hash| {
                Argon2::default().verify_password(password.as_bytes(), &hash).is_ok()
            })
        });
        verified.await.unwrap_or(false) && known
    }

    /// The PHC string of a new password, where it is good enough.
    pub(super) async fn hash(&self, password: &str, person: &str) -> Result<String, PasswordError> {
        self.judge(password, person)?;
        let permit = self.at_once.acquire().await;
        let _permit = permit.map_err(|error| PasswordError::Hash(error.to_string()))?;
        let password = password.to_owned();
        let hashed = tokio::task::spawn_blocking(move || hash(&password)).await;
        hashed.map_err(|error| PasswordError::Hash(error.to_string()))?
    }

    /// Length counts, not sorts of characters (NIST SP 800-63B, 5.1.1.2).
    fn judge(&self, password: &str, person: &str) -> Result<(), PasswordError> {
        let length = password.chars().count();
        let mut distinct: Vec<char> = password.chars().collect();
        distinct.sort_unstable();
        distinct.dedup();
        let reason = if length < self.shortest {
            format!("口令只有 {length} 个字符，至少要 {}；可以用几个不相干的词", self.shortest)
        } else if length > LONGEST {
            format!("口令有 {length} 个字符，至多 {LONGEST}")
        } else if distinct.len() < 5 {
            "口令里不同的字符太少，容易猜中；换一个".to_owned()
        } else if password.to_lowercase().contains(&person.to_lowercase()) {
            "口令里有自己的代号，容易猜中；换一个".to_owned()
        } else {
            return Ok(());
        };
        Err(PasswordError::Weak(reason))
    }
}

fn hash(password: &str) -> Result<String, PasswordError> {
    let failed = |error: String| PasswordError::Hash(error);
    let (memory, passes, lanes) = COST;
    let params = Params::new(memory, passes, lanes, None);
    let params = params.map_err(|error| failed(error.to_string()))?;
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash = argon.hash_password(password.as_bytes());
    Ok(hash.map_err(|error| failed(error.to_string()))?.to_string())
}
