//! Tokens of programs: made for a person, with some of that person's actions and an end. An
//! administrator makes them for anybody; everybody makes their own, which alone may say what only
//! the person can say. A token makes no tokens: what is withdrawn stays withdrawn.

use super::health::Forms;
use crate::{
    console::{
        Desk,
        api::Problem,
        caller::{Caller, random_token},
        page::{Notice, Shown},
        permit::{Action, Role},
        sent::{Sent, is_plain},
        trouble::Trouble,
    },
    model::{Digest, PersonId},
    store::ApiToken,
};
use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A token without its secret.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Token)]
pub struct Listed {
    /// Its name in the audit chain.
    pub id: String,
    /// As whom the program acts.
    pub person: String,
    /// What it is for.
    pub name: String,
    /// The actions it may do.
    pub scopes: Vec<String>,
    /// Since when, RFC 3339.
    #[schema(value_type = String)]
    pub created_at: Timestamp,
    /// Until when.
    #[schema(value_type = String)]
    pub expires_at: Timestamp,
    /// Whether it may be used now.
    pub active: bool,
    /// When it was last used.
    #[schema(value_type = Option<String>)]
    pub used_at: Option<Timestamp>,
}

fn listed(token: ApiToken, now: Timestamp) -> Listed {
    Listed {
        active: token.revoked_at.is_none() && token.expires_at > now,
        id: token.id,
        person: token.person.to_string(),
        name: token.name,
        scopes: token.scopes,
        created_at: token.created_at,
        expires_at: token.expires_at,
        used_at: token.used_at,
    }
}

pub(super) async fn tokens(desk: &Desk) -> Result<Vec<Listed>, Trouble> {
    let store = &desk.publisher().store;
    let now = store.now().await?;
    Ok(store.api_tokens().await?.into_iter().map(|token| listed(token, now)).collect())
}

/// Every token, newest first.
#[utoipa::path(get, path = "/api/v1/tokens", tag = "tokens",
    responses((status = 200, body = [Listed])))]
pub(in crate::console) async fn list(
    State(desk): State<Desk>,
) -> Result<Json<Vec<Listed>>, Trouble> {
    Ok(Json(tokens(&desk).await?))
}

/// The tokens that act as somebody.
pub(in crate::console) async fn own(
    desk: &Desk,
    person: &PersonId,
) -> Result<Vec<Listed>, Trouble> {
    let mut own = tokens(desk).await?;
    own.retain(|token| token.person == person.as_str());
    Ok(own)
}

/// The tokens that act as whoever asks, newest first.
#[utoipa::path(get, path = "/api/v1/me/tokens", tag = "tokens",
    responses((status = 200, body = [Listed])))]
pub(in crate::console) async fn list_own(
    State(desk): State<Desk>,
    caller: Caller,
) -> Result<Json<Vec<Listed>>, Trouble> {
    Ok(Json(own(&desk, &caller.person.id).await?))
}

/// A token to be made.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[schema(as = TokenWanted)]
pub struct Wanted {
    /// As whom the program acts; whoever makes it for themselves leaves it out.
    #[serde(default)]
    pub person: String,
    /// What it is for.
    pub name: String,
    /// The actions it may do, by name.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// For how many days, 1 to 366, as text.
    pub days: String,
}

/// What a page shows about making tokens.
#[derive(Debug, Default)]
pub(in crate::console) struct Making {
    /// A new one, shown once.
    pub secret: Option<String>,
    /// What was typed and could not be taken.
    pub typed: Wanted,
    /// Why.
    pub refused: Option<Trouble>,
}

impl Making {
    /// What was typed, and why it was not taken.
    ///
    /// # Errors
    /// [`Trouble`] that is none of the form's.
    pub fn refused(typed: Wanted, trouble: Trouble) -> Result<Self, Trouble> {
        if trouble.status != StatusCode::UNPROCESSABLE_ENTITY {
            return Err(trouble);
        }
        Ok(Self { secret: None, typed, refused: Some(trouble) })
    }

    /// Whether the form had that scope.
    pub fn chose(&self, scope: &str) -> bool {
        self.typed.scopes.iter().any(|one| one == scope)
    }

    /// How many days the form begins with.
    pub fn days(&self) -> &str {
        if self.refused.is_some() { &self.typed.days } else { "90" }
    }
}

/// A token with its secret, shown once.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TokenMade)]
pub struct Made {
    /// The token.
    #[serde(flatten)]
    pub listed: Listed,
    /// What the program sends as `Authorization: Bearer …`.
    pub secret: String,
}

/// What is wrong with the scopes of a token for somebody with these roles; `own`: made by the
/// person it acts as.
fn faults_of_scopes(scopes: &[String], roles: &[Role], own: bool) -> Vec<String> {
    let fault = |scope: &String| match Action::from_name(scope) {
        None => Some(format!("范围（scopes）：没有“{scope}”")),
        Some(action) if action.is_personal() && !own => Some(format!(
            "范围（scopes）：{}要本人来做，不能替别人发；请本人在“我的账号”里发自己的口令",
            action.labels().0
        )),
        Some(action) if !action.allowed(roles) => {
            Some(format!("范围（scopes）：{}不是这个人的角色能做的", action.labels().0))
        }
        Some(_) => None,
    };
    if scopes.is_empty() {
        return vec!["范围（scopes）：至少选一项".to_owned()];
    }
    scopes.iter().filter_map(fault).collect()
}

pub(in crate::console) async fn make(
    desk: &Desk,
    caller: &Caller,
    sent: &Wanted,
) -> Result<Made, Trouble> {
    if caller.session.is_none() {
        return Err(Trouble::new(
            StatusCode::FORBIDDEN,
            "口令不能再发口令：收回一个口令，就不该还有从它来的",
            "请本人登录控制台，在“我的账号”里发；管理员在“设置”里发",
        ));
    }
    let mut faults = Vec::new();
    let person = match PersonId::new(sent.person.trim()) {
        Ok(id) => desk.acting(&id).await?,
        Err(_) => None,
    };
    if person.is_none() {
        faults.push("代表谁（person）：没有这个人，或账号停用了".to_owned());
    }
    let name = sent.name.trim();
    if !is_plain(name, 60) {
        faults.push("用途（name）：写 1 到 60 个字，一行，不用控制字符".to_owned());
    }
    if let Some(person) = &person {
        let roles: Vec<Role> =
            person.roles.iter().filter_map(|name| Role::from_name(name)).collect();
        faults.extend(faults_of_scopes(&sent.scopes, &roles, person.id == caller.person.id));
    }
    let days = sent.days.trim().parse::<i64>().ok().filter(|days| (1..=366).contains(days));
    if days.is_none() {
        faults.push("天数（days）：写 1 到 366 的整数".to_owned());
    }
    let (Some(person), Some(days), true) = (person, days, faults.is_empty()) else {
        return Err(Trouble::wrong_list(faults));
    };
    let secret = format!("caishi_{}", random_token()?);
    let store = &desk.publisher().store;
    let life = SignedDuration::from_hours(24 * days);
    let digest = Digest::of(secret.as_bytes());
    let token =
        store.add_api_token(&digest, &person.id, name, &sent.scopes, life, caller.actor()).await?;
    let now = store.now().await?;
    Ok(Made { listed: listed(token, now), secret })
}

pub(in crate::console) async fn make_form(
    State(desk): State<Desk>,
    shown: Shown,
    caller: Caller,
    Sent(sent): Sent<Wanted>,
) -> Result<Response, Trouble> {
    let making = match make(&desk, &caller, &sent).await {
        Ok(made) => Making { secret: Some(made.secret), ..Making::default() },
        Err(trouble) => Making::refused(sent, trouble)?,
    };
    let forms = Forms { making, ..Forms::default() };
    super::health::show(&desk, &shown, caller, forms).await
}

/// Make a token; its secret is in this answer only.
#[utoipa::path(post, path = "/api/v1/tokens", tag = "tokens", request_body = Wanted,
    responses((status = 201, body = Made), (status = 422, body = Problem)))]
pub(in crate::console) async fn make_call(
    State(desk): State<Desk>,
    caller: Caller,
    Sent(sent): Sent<Wanted>,
) -> Result<(StatusCode, Json<Made>), Trouble> {
    Ok((StatusCode::CREATED, Json(make(&desk, &caller, &sent).await?)))
}

/// Make a token for oneself; its secret is in this answer only.
#[utoipa::path(post, path = "/api/v1/me/tokens", tag = "tokens", request_body = Wanted,
    responses((status = 201, body = Made), (status = 422, body = Problem)))]
pub(in crate::console) async fn make_own_call(
    State(desk): State<Desk>,
    caller: Caller,
    Sent(sent): Sent<Wanted>,
) -> Result<(StatusCode, Json<Made>), Trouble> {
    Ok((StatusCode::CREATED, Json(make_own(&desk, &caller, sent).await?)))
}

/// The same for whoever asks.
pub(in crate::console) async fn make_own(
    desk: &Desk,
    caller: &Caller,
    sent: Wanted,
) -> Result<Made, Trouble> {
    make(desk, caller, &Wanted { person: caller.person.id.to_string(), ..sent }).await
}

/// Withdraw one of one's own tokens.
#[utoipa::path(post, path = "/api/v1/me/tokens/{id}/revocation", tag = "tokens",
    params(("id" = String, Path, description = "口令代号")),
    responses((status = 204), (status = 404, body = Problem)))]
pub(in crate::console) async fn revoke_own_call(
    State(desk): State<Desk>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Trouble> {
    revoke_own(&desk, &caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Withdraws a token of whoever asks; others' are none of theirs.
pub(in crate::console) async fn revoke_own(
    desk: &Desk,
    caller: &Caller,
    id: &str,
) -> Result<(), Trouble> {
    let own = own(desk, &caller.person.id).await?;
    if !own.iter().any(|token| token.id == id) {
        return Err(Trouble::missing("没有这个口令，或不是你的"));
    }
    revoke(desk, caller, id).await
}

async fn revoke(desk: &Desk, caller: &Caller, id: &str) -> Result<(), Trouble> {
    if desk.publisher().store.revoke_api_token(id, caller.actor()).await? {
        return Ok(());
    }
    Err(Trouble::missing("没有这个口令，或已经收回了"))
}

pub(in crate::console) async fn revoke_form(
    State(desk): State<Desk>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    revoke(&desk, &caller, &id).await?;
    let to = format!("/console/settings?done={}#tokens", Notice::Revoked.as_str());
    Ok(Redirect::to(&to).into_response())
}

/// Withdraw a token.
#[utoipa::path(post, path = "/api/v1/tokens/{id}/revocation", tag = "tokens",
    params(("id" = String, Path, description = "口令代号")),
    responses((status = 204), (status = 404, body = Problem)))]
pub(in crate::console) async fn revoke_call(
    State(desk): State<Desk>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Trouble> {
    revoke(&desk, &caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
