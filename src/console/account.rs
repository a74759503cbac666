//! One's own account: who one is here, one's password, and the tokens of programs that act for one.

use super::{
    Desk,
    caller::Caller,
    filters,
    page::{Notice, Page, Shown, render},
    permit::Action,
    sent::Sent,
    settings::tokens::{Listed, Making, Wanted, make_own, own, revoke_own},
    sign_in::{PasswordForm, chosen, is_locked},
    trouble::Trouble,
};
use crate::store::SignedIn;
use askama::Template;
use axum::{
    extract::{Form, Path, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};

#[derive(Template)]
#[template(path = "console/html/account.html")]
struct AccountPage {
    page: Page,
    roles: Vec<String>,
    session: Option<SignedIn>,
    has_password: bool,
    shortest: u16,
    /// What is wrong with the new password.
    problem: Option<String>,
    tokens: Vec<Listed>,
    /// What a token of one's own may do.
    actions: Vec<(&'static str, String)>,
    making: Making,
    /// Below which address tokens are made and withdrawn.
    place: &'static str,
    withdraws: bool,
}

/// `/console/account`
pub(super) async fn page(
    State(desk): State<Desk>,
    shown: Shown,
    caller: Caller,
) -> Result<Response, Trouble> {
    show(&desk, &shown, caller, None, Making::default()).await
}

async fn show(
    desk: &Desk,
    shown: &Shown,
    caller: Caller,
    problem: Option<String>,
    making: Making,
) -> Result<Response, Trouble> {
    let refused = making.refused.as_ref().map(|trouble| trouble.status);
    let refused = refused.or(problem.as_ref().map(|_| StatusCode::UNPROCESSABLE_ENTITY));
    let store = &desk.publisher().store;
    let session = match &caller.session {
        Some(id) => store.session(id, jiff::SignedDuration::from_hours(168)).await?,
        None => None,
    };
    let stored = store.account(&caller.person.id).await?;
    let label = |(chinese, english)| shown.language.of_two(chinese, english).to_owned();
    let roles = caller.roles.iter().map(|role| label(role.labels())).collect();
    let allowed = Action::ALL.iter().filter(|action| action.allowed(&caller.roles));
    let actions = allowed.map(|action| (action.as_str(), label(action.labels()))).collect();
    let tokens = own(desk, &caller.person.id).await?;
    let page = Page::new(desk, shown, Some(caller), ("我的账号", "My account")).await;
    let has_password = stored.is_some_and(|account| account.password.is_some());
    let shortest = desk.publisher().config.console.password_length;
    let mut answer = render(&AccountPage {
        page,
        roles,
        session,
        has_password,
        shortest,
        problem,
        tokens,
        actions,
        making,
        place: "/console/account/tokens",
        withdraws: true,
    })?;
    *answer.status_mut() = refused.unwrap_or(StatusCode::OK);
    Ok(answer)
}

/// Makes a token for oneself; its secret stands on the page that answers, once.
pub(super) async fn make_token(
    State(desk): State<Desk>,
    shown: Shown,
    caller: Caller,
    Sent(sent): Sent<Wanted>,
) -> Result<Response, Trouble> {
    let making = match make_own(&desk, &caller, sent.clone()).await {
        Ok(made) => Making { secret: Some(made.secret), ..Making::default() },
        Err(trouble) => Making::refused(sent, trouble)?,
    };
    show(&desk, &shown, caller, None, making).await
}

/// Withdraws a token of one's own.
pub(super) async fn revoke_token(
    State(desk): State<Desk>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    revoke_own(&desk, &caller, &id).await?;
    let to = format!("/console/account?done={}#tokens", Notice::Revoked.as_str());
    Ok(Redirect::to(&to).into_response())
}

pub(super) async fn change_password(
    State(desk): State<Desk>,
    shown: Shown,
    caller: Caller,
    Form(form): Form<PasswordForm>,
) -> Result<Response, Trouble> {
    let store = &desk.publisher().store;
    let account = store.account(&caller.person.id).await?;
    let stored = account.as_ref().and_then(|account| account.password.as_deref());
    let problem = if is_locked(&desk, &caller.person.id).await? {
        "连错太多次，账号锁住了；15 分钟后再试，或请管理员解锁".to_owned()
    } else if desk.passwords().verify(&form.current, stored).await {
        match chosen(&desk, &form, &caller.person.id).await {
            Ok(hashed) => {
                store.set_password(&caller.person.id, &hashed).await?;
                return Ok(Redirect::to("/console/sign-in").into_response());
            }
            Err(problem) => problem,
        }
    } else {
        store.count_failure(&caller.person.id).await?;
        "现在的口令不对".to_owned()
    };
    show(&desk, &shown, caller, Some(problem), Making::default()).await
}
