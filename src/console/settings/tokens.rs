//! Tokens of programs: made for a person, with some of that person's actions and an end.

use crate::{
    console::{
        Desk,
        api::Problem,
        caller::{Caller, random_token},
        page::{Notice, Shown},
        permit::{Action, Role},
        sent::Sent,
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

/// A token to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = TokenWanted)]
pub struct Wanted {
    /// As whom the program acts.
    person: String,
    /// What it is for.
    name: String,
    /// The actions it may do, by name.
    #[serde(default)]
    scopes: Vec<String>,
    /// For how many days, 1 to 366.
    days: String,
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

async fn make(desk: &Desk, caller: &Caller, sent: &Wanted) -> Result<Made, Trouble> {
    let mut faults = Vec::new();
    let person = match PersonId::new(sent.person.trim()) {
        Ok(id) => desk.acting(&id).await?,
        Err(_) => None,
    };
    if person.is_none() {
        faults.push("代表谁：没有这个人".to_owned());
    }
    let name = sent.name.trim();
    if name.is_empty() || name.chars().count() > 60 {
        faults.push("用途：写 1 到 60 个字".to_owned());
    }
    let roles: Vec<Role> = person
        .iter()
        .flat_map(|person| person.roles.iter().filter_map(|name| Role::from_name(name)))
        .collect();
    let own = person.as_ref().is_some_and(|person| person.id == caller.person.id);
    for scope in &sent.scopes {
        match Action::from_name(scope) {
            None => faults.push(format!("范围：没有“{scope}”")),
            Some(action) if action.is_personal() && !own => {
                faults
                    .push(format!("范围：{}要本人来做，不能给别人发这样的口令", action.labels().0));
            }
            Some(action) if !action.allowed(&roles) => {
                faults.push(format!("范围：{}不是这个人能做的", action.labels().0));
            }
            Some(_) => {}
        }
    }
    if sent.scopes.is_empty() {
        faults.push("范围：至少选一项".to_owned());
    }
    let days = sent.days.trim().parse::<i64>().ok().filter(|days| (1..=366).contains(days));
    if days.is_none() {
        faults.push("天数：写 1 到 366 的整数".to_owned());
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
    let made = make(&desk, &caller, &sent).await?;
    super::health::show(&desk, &shown, caller, Some(made.secret)).await
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
