//! One's own account: who one is here, one's password.

use super::{
    Desk,
    caller::Caller,
    filters,
    page::{Page, Shown, render},
    sign_in::{PasswordForm, chosen, is_locked},
    trouble::Trouble,
};
use crate::store::SignedIn;
use askama::Template;
use axum::{
    extract::{Form, State},
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
    problem: Option<String>,
}

/// `/console/account`
pub(super) async fn page(
    State(desk): State<Desk>,
    shown: Shown,
    caller: Caller,
) -> Result<Response, Trouble> {
    show(&desk, &shown, caller, None).await
}

async fn show(
    desk: &Desk,
    shown: &Shown,
    caller: Caller,
    problem: Option<String>,
) -> Result<Response, Trouble> {
    let store = &desk.publisher().store;
    let session = match &caller.session {
        Some(id) => store.session(id, jiff::SignedDuration::from_hours(168)).await?,
        None => None,
    };
    let stored = store.account(&caller.person.id).await?;
    let label =
        |role: &super::permit::Role| shown.language.of_two(role.labels().0, role.labels().1);
    let roles = caller.roles.iter().map(|role| label(role).to_owned()).collect();
    let page = Page::new(desk, shown, Some(caller), ("我的账号", "My account")).await;
    let has_password = stored.is_some_and(|account| account.password.is_some());
    let shortest = desk.publisher().config.console.password_length;
    render(&AccountPage { page, roles, session, has_password, shortest, problem })
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
    let mut answer = show(&desk, &shown, caller, Some(problem)).await?;
    *answer.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    Ok(answer)
}
