//! The access token: had from `stable_token`, shared by all processes through the books, sealed.
//!
//! `stable_token` gives every caller the same token, so processes do not end each other's; the
//! books' lease keeps them from asking all at once. A refused token is refreshed once, never by
//! force: forcing is limited to 20 a day and would end the token of everybody else.

use super::{
    client::{self, Client},
    error::Effect,
};
use crate::deliver::{Books, DeliverError, ErrorKind, Retry, SealedToken};
use crate::model::Digest;
use aes_gcm::{
    Aes256Gcm, KeyInit as _, Nonce,
    aead::{Aead as _, Payload},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::json;
use std::{fmt, time::Duration};

/// A token that ends sooner than this is not used any more: a request may take that long.
const MARGIN: SignedDuration = SignedDuration::from_secs(60);

/// How long one process may take to refresh it: a request, and some.
const LEASE: Duration = Duration::from_secs(20);

/// Encrypts tokens with a key derived from the account's secret (AES-256-GCM): whoever can read
/// the database but not the secret has nothing.
pub struct TokenSeal {
    cipher: Aes256Gcm,
    app_id: String,
}

impl fmt::Debug for TokenSeal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenSeal({})", self.app_id)
    }
}

/// Bytes of the random nonce, which stands before the encrypted token.
const NONCE: usize = 12;

impl TokenSeal {
    /// The seal of an account.
    #[must_use]
    pub fn new(app_id: &str, secret: &SecretString) -> Self {
        let key = Digest::of_fields([
            b"caishi wechat access token 1".as_slice(),
            app_id.as_bytes(),
            secret.expose_secret().as_bytes(),
        ]);
        Self { cipher: Aes256Gcm::new(key.as_bytes().into()), app_id: app_id.to_owned() }
    }

    /// Encrypts a token. `None` where the system has no randomness.
    #[must_use]
    pub fn seal(&self, token: &SecretString) -> Option<String> {
        let mut sealed = vec![0; NONCE];
        getrandom::fill(&mut sealed).ok()?;
        let payload =
            Payload { msg: token.expose_secret().as_bytes(), aad: self.app_id.as_bytes() };
        let encrypted = self.cipher.encrypt(Nonce::from_slice(&sealed), payload).ok()?;
        sealed.extend(encrypted);
        Some(STANDARD.encode(sealed))
    }

    /// Decrypts a token. `None` where it was sealed for another account, with another secret, or
    /// has been changed.
    #[must_use]
    pub fn open(&self, sealed: &str) -> Option<SecretString> {
        let bytes = STANDARD.decode(sealed).ok()?;
        let (nonce, encrypted) = bytes.split_at_checked(NONCE)?;
        let payload = Payload { msg: encrypted, aad: self.app_id.as_bytes() };
        let token = self.cipher.decrypt(Nonce::from_slice(nonce), payload).ok()?;
        String::from_utf8(token).ok().map(SecretString::from)
    }
}

/// A token that may be used, and which one it is.
pub(super) struct Token {
    pub(super) value: SecretString,
    pub(super) version: i64,
}

#[derive(Deserialize)]
struct TokenReply {
    access_token: String,
    expires_in: i64,
}

/// The token that is valid now; fetched where there is none.
pub(super) async fn current(client: &Client, books: &dyn Books) -> Result<Token, DeliverError> {
    match stored(client, books).await? {
        Some(token) => Ok(token),
        None => refresh(client, books, None).await,
    }
}

/// Another token than the refused one: the stored one where somebody has refreshed it meanwhile,
/// else a fresh one.
pub(super) async fn after_refusal(
    client: &Client,
    refused: i64,
    books: &dyn Books,
) -> Result<Token, DeliverError> {
    match stored(client, books).await? {
        Some(token) if token.version > refused => Ok(token),
        _ => refresh(client, books, Some(refused)).await,
    }
}

async fn stored(client: &Client, books: &dyn Books) -> Result<Option<Token>, DeliverError> {
    let Some(SealedToken { sealed, expires_at, version }) = books.token(client.app_id()).await?
    else {
        return Ok(None);
    };
    let until = books.now().await?.checked_add(MARGIN).unwrap_or(Timestamp::MAX);
    // What cannot be opened was sealed with a former secret: it is fetched anew.
    let token = (expires_at > until).then(|| client.seal().open(&sealed)).flatten();
    Ok(token.map(|value| Token { value, version }))
}

async fn refresh(
    client: &Client,
    books: &dyn Books,
    refused: Option<i64>,
) -> Result<Token, DeliverError> {
    if !books.lease_token(client.app_id(), LEASE).await? {
        return Err(DeliverError::new(
            ErrorKind::Conflict,
            Retry::After(Duration::from_secs(2)),
            format!("另一个进程正在更新公众号 {} 的 access_token", client.app_id()),
            "稍后会自动再试",
        ));
    }
    // Somebody may have stored one between our look and our lease.
    if let Some(token) = stored(client, books).await?
        && refused.is_none_or(|refused| token.version > refused)
    {
        return Ok(token);
    }
    let body = json!({
        "grant_type": "client_credential",
        "appid": client.app_id(),
        "secret": client.secret().expose_secret(),
        "force_refresh": false,
    });
    let now = books.now().await?;
    let answer = client.send_without_token("stable_token", &body).await?;
    let answer = client.checked(answer, "stable_token", Effect::Repeatable, now)?;
    let reply: TokenReply = client::understood("stable_token", answer, Effect::Repeatable)
        // The parser's words may quote what it read.
        .map_err(|error| DeliverError { source: None, ..error })?;
    let value = SecretString::from(reply.access_token);
    books.reached("wechat.token.sent");
    let sealed = client.seal().seal(&value).ok_or_else(|| {
        DeliverError::new(
            ErrorKind::Storage,
            Retry::After(Duration::from_secs(10)),
            "系统的随机数取不出来，access_token 没有保存",
            "请检查 /dev/urandom",
        )
    })?;
    let expires_at = now
        .checked_add(SignedDuration::from_secs(reply.expires_in.clamp(0, 7200)))
        .unwrap_or(Timestamp::MAX);
    let stored = books.store_token(client.app_id(), &sealed, expires_at).await?;
    Ok(Token { value, version: stored.version })
}
