//! Who asks: a person with a browser, or a program with a token of theirs.

use super::{
    Desk,
    cookie::{self, Life},
    permit::{Action, Role},
    trouble::Trouble,
};
use crate::{
    config::Person,
    model::{BranchId, Digest, PersonId},
    work::people::program_actor,
};
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderValue, header, request::Parts},
};
use base64::Engine as _;
use jiff::SignedDuration;
use std::convert::Infallible;

/// Whoever asks. The gate puts one into every request that it lets through.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who.
    pub person: Person,
    /// What they may be.
    pub roles: Vec<Role>,
    /// What every form of theirs must carry; empty for programs, which hold no cookie.
    pub form: String,
    /// The digest of what the browser holds; `None` for programs.
    pub session: Option<Digest>,
    /// The only actions of a program; `None` for browsers.
    pub scopes: Option<Vec<Action>>,
    /// As they are called in the ledger: the person, and for a program its token besides.
    pub actor: String,
}

impl Caller {
    /// Whether they may.
    #[must_use]
    pub fn may(&self, action: Action) -> bool {
        let in_scope = self.scopes.as_ref().is_none_or(|scopes| scopes.contains(&action));
        in_scope && action.allowed(&self.roles)
    }

    /// As they are called in the ledger.
    #[must_use]
    pub fn actor(&self) -> &str {
        &self.actor
    }

    /// Whether the person belongs to a branch and to nothing else: then other branches do not
    /// exist for them.
    #[must_use]
    pub fn only_branch(&self) -> Option<&BranchId> {
        let only = self.roles.iter().all(|role| *role == Role::Branch);
        self.person.branch.as_ref().filter(|_| only)
    }

    /// Whether they may look at a branch.
    #[must_use]
    pub fn sees(&self, branch: &BranchId) -> bool {
        self.only_branch().is_none_or(|own| own == branch)
    }

    /// The branch in whose name they confirm and report: their own.
    ///
    /// # Errors
    /// [`Trouble`] 404 where it is another's, so that names of branches cannot be tried out.
    pub fn acts_for(&self, branch: &BranchId) -> Result<(), Trouble> {
        let own = self.roles.contains(&Role::Branch) && self.person.branch.as_ref() == Some(branch);
        own.then_some(()).ok_or_else(|| Trouble::missing(format!("没有网点“{branch}”的页面")))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Trouble> {
        // Behind the gate there always is one; a route without the gate must not work by chance.
        parts.extensions.get::<Self>().cloned().ok_or_else(|| Trouble::missing("没有这个页面"))
    }
}

/// The same where nobody need be signed in.
#[derive(Debug, Clone)]
pub struct MaybeCaller(pub Option<Caller>);

impl<S: Send + Sync> FromRequestParts<S> for MaybeCaller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(parts.extensions.get::<Caller>().cloned()))
    }
}

/// 32 random bytes as unreserved characters.
///
/// # Errors
/// Where the system has no random numbers.
pub fn random_token() -> Result<String, Trouble> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|error| {
        let status = axum::http::StatusCode::INTERNAL_SERVER_ERROR;
        Trouble::new(status, format!("系统给不出随机数：{error}"), "请找运维岗")
    })?;
    Ok(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes))
}

impl Desk {
    /// The cookie's name: with the prefix that browsers hold to TLS and this host (RFC 6265bis,
    /// 4.1.3) where there is TLS.
    pub(super) fn session_cookie(&self) -> &'static str {
        if self.secure() { "__Host-caishi" } else { "caishi" }
    }

    /// Whoever holds these headers; `None` for nobody.
    pub(super) async fn identify(&self, headers: &HeaderMap) -> Result<Option<Caller>, Trouble> {
        if let Some(token) = bearer(headers) {
            return self.program(token).await;
        }
        let Some(token) = cookie::read(headers, self.session_cookie()) else { return Ok(None) };
        let id = Digest::of(token.as_bytes());
        let console = &self.publisher().config.console;
        let idle = SignedDuration::from_mins(i64::from(console.idle_minutes));
        let Some(session) = self.publisher().store.session(&id, idle).await? else {
            return Ok(None);
        };
        let Some(person) = self.acting(&session.person).await? else { return Ok(None) };
        let form = Digest::of_fields([b"caishi form".as_slice(), token.as_bytes()]).to_string();
        let roles = roles(&person);
        let actor = person.id.to_string();
        Ok(Some(Caller { person, roles, form, session: Some(id), scopes: None, actor }))
    }

    /// Somebody who may act: known, and not closed.
    pub(super) async fn acting(&self, id: &PersonId) -> Result<Option<Person>, Trouble> {
        let account = self.publisher().store.account(id).await?;
        if account.is_some_and(|account| !account.active) {
            return Ok(None);
        }
        Ok(self.publisher().person(id).await?)
    }

    async fn program(&self, token: &str) -> Result<Option<Caller>, Trouble> {
        let secret = Digest::of(token.as_bytes());
        let Some(token) = self.publisher().store.use_api_token(&secret).await? else {
            return Ok(None);
        };
        let Some(person) = self.acting(&token.person).await? else { return Ok(None) };
        let actor = program_actor(&person.id, &token.id);
        let scopes = token.scopes.iter().filter_map(|name| Action::from_name(name)).collect();
        let roles = roles(&person);
        Ok(Some(Caller {
            person,
            roles,
            form: String::new(),
            session: None,
            scopes: Some(scopes),
            actor,
        }))
    }

    /// Signs a browser in with a session of its own: what it held before counts no more, so that
    /// nobody can hand somebody a session and wait (fixation).
    pub(super) async fn sign_in(
        &self,
        headers: &HeaderMap,
        person: &Person,
        means: &str,
    ) -> Result<HeaderValue, Trouble> {
        self.sign_out(headers).await?;
        let token = random_token()?;
        let hours = self.publisher().config.console.session_hours;
        let life = SignedDuration::from_hours(i64::from(hours));
        let id = Digest::of(token.as_bytes());
        self.publisher().store.start_session(&id, &person.id, means, life).await?;
        let cookie = cookie::write(self.session_cookie(), &token, Life::Browser, self.secure());
        cookie.ok_or_else(|| Trouble::wrong("登录没有写成"))
    }

    /// Ends the session that these headers hold.
    pub(super) async fn sign_out(&self, headers: &HeaderMap) -> Result<(), Trouble> {
        if let Some(token) = cookie::read(headers, self.session_cookie()) {
            self.publisher().store.end_session(&Digest::of(token.as_bytes())).await?;
        }
        Ok(())
    }
}

fn roles(person: &Person) -> Vec<Role> {
    person.roles.iter().filter_map(|name| Role::from_name(name)).collect()
}

/// A token of RFC 6750, 2.1.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    value.strip_prefix("Bearer ").map(str::trim)
}
