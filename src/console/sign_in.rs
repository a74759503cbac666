//! Signing in and out, invitations, the language.

use super::{
    Desk,
    caller::MaybeCaller,
    cookie::{self, Life},
    invitation_digest,
    language::{self, say},
    page::{Notice, Page, Shown, own_path, render},
    trouble::Trouble,
};
use crate::{config::Person, model::PersonId};
use askama::Template;
use axum::{
    extract::{Form, Path, Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;

/// Said for everything that can be wrong with name and password, so that names cannot be tried.
const REFUSED: (&str, &str) = (
    "代号或口令不对，或者账号暂时锁住了（连错 5 次锁 15 分钟）。忘了口令请管理员发一个新邀请",
    "Wrong name or password, or the account is locked (5 wrong passwords: 15 minutes). \
     Ask an administrator for a new invitation if you forgot it",
);

/// So many fields of a form are given back.
const LONGEST_FORM: usize = 40;

#[derive(Debug, Default, Deserialize)]
pub(super) struct Back {
    back: Option<String>,
}

#[derive(Template)]
#[template(path = "console/html/sign-in.html")]
struct SignInPage {
    page: Page,
    back: String,
    person: String,
    problem: Option<String>,
    oidc: Option<String>,
    /// What was typed into a form that came after the session's end.
    words: Vec<String>,
}

pub(super) async fn page(
    State(desk): State<Desk>,
    shown: Shown,
    MaybeCaller(caller): MaybeCaller,
    Query(query): Query<Back>,
) -> Result<Response, Trouble> {
    let back = own_path(query.back.as_deref());
    if caller.is_some_and(|caller| caller.session.is_some()) {
        return Ok(Redirect::to(back).into_response());
    }
    show(&desk, &shown, back, "", None).await
}

/// The session was over when a form was sent: the sign-in with what was typed, so that it can be
/// put back. Nothing was done.
pub(super) async fn again(
    desk: &Desk,
    shown: &Shown,
    words: Vec<String>,
) -> Result<Response, Trouble> {
    const OVER: (&str, &str) = (
        "登录已经过期，刚才的表单没有执行。先把下面你写的复制下来，登录后会回到原来那一页",
        "The session is over; the form was not carried out. Copy what you wrote below; signing in \
         leads back to its page",
    );
    let back = own_path(Some(&shown.back));
    let mut page = sign_in_page(desk, shown, back, "", Some(OVER)).await;
    page.words = words;
    let mut answer = render(&page)?;
    *answer.status_mut() = StatusCode::UNAUTHORIZED;
    Ok(answer)
}

/// What somebody wrote into a form, of what was sent: words, not names and choices.
pub(super) fn words(form: &[u8]) -> Vec<String> {
    let is_written = |text: &str| text.contains(|c: char| c.is_whitespace() || !c.is_ascii());
    let kept = url::form_urlencoded::parse(form)
        .filter(|(name, value)| !name.contains("password") && name != "again" && is_written(value));
    kept.map(|(_, value)| value.into_owned()).take(LONGEST_FORM).collect()
}

async fn show(
    desk: &Desk,
    shown: &Shown,
    back: &str,
    person: &str,
    problem: Option<(&str, &str)>,
) -> Result<Response, Trouble> {
    render(&sign_in_page(desk, shown, back, person, problem).await)
}

async fn sign_in_page(
    desk: &Desk,
    shown: &Shown,
    back: &str,
    person: &str,
    problem: Option<(&str, &str)>,
) -> SignInPage {
    let page = Page::new(desk, shown, None, ("登录", "Sign in")).await;
    let problem = problem.map(|text| page.pair(&text).to_owned());
    let oidc = desk.publisher().config.console.oidc.as_ref().map(|oidc| oidc.name.clone());
    let (back, person) = (back.to_owned(), person.to_owned());
    SignInPage { page, back, person, problem, oidc, words: Vec::new() }
}

#[derive(Debug, Deserialize)]
pub(super) struct SignInForm {
    person: String,
    password: String,
    back: Option<String>,
}

pub(super) async fn sign_in(
    State(desk): State<Desk>,
    shown: Shown,
    headers: HeaderMap,
    Form(form): Form<SignInForm>,
) -> Result<Response, Trouble> {
    let back = own_path(form.back.as_deref());
    let name: String = form.person.trim().chars().take(64).collect();
    let Some(person) = verified(&desk, &name, &form.password).await? else {
        let mut answer = show(&desk, &shown, back, &name, Some(REFUSED)).await?;
        *answer.status_mut() = StatusCode::UNAUTHORIZED;
        return Ok(answer);
    };
    let cookie = desk.sign_in(&headers, &person, "password").await?;
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to(back)).into_response())
}

/// The person, where name and password fit and the account is open.
async fn verified(desk: &Desk, name: &str, password: &str) -> Result<Option<Person>, Trouble> {
    let store = &desk.publisher().store;
    let account = match PersonId::new(name) {
        Ok(id) => store.account(&id).await?,
        Err(_) => None,
    };
    let now = store.now().await?;
    let open = account
        .as_ref()
        .filter(|account| account.active && account.locked_until.is_none_or(|until| until <= now));
    let stored = open.and_then(|account| account.password.as_deref());
    let fits = desk.passwords().verify(password, stored).await;
    let Some(account) = open else { return Ok(None) };
    if !fits {
        store.count_failure(&account.person).await?;
        return Ok(None);
    }
    // Others may have guessed at the same time: the account may be locked by now.
    if is_locked(desk, &account.person).await? {
        return Ok(None);
    }
    Ok(desk.publisher().person(&account.person).await?)
}

pub(super) async fn is_locked(desk: &Desk, person: &PersonId) -> Result<bool, Trouble> {
    let store = &desk.publisher().store;
    let (account, now) = (store.account(person).await?, store.now().await?);
    Ok(account.and_then(|account| account.locked_until).is_some_and(|until| until > now))
}

pub(super) async fn sign_out(
    State(desk): State<Desk>,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    desk.sign_out(&headers).await?;
    let gone = cookie::write(desk.session_cookie(), "", Life::Seconds(0), desk.secure());
    let cookies = gone.map(|cookie| [(header::SET_COOKIE, cookie)]);
    Ok((cookies.into_iter().next(), Redirect::to("/console/sign-in")).into_response())
}

#[derive(Template)]
#[template(path = "console/html/invite.html")]
struct InvitePage {
    page: Page,
    person: String,
    shortest: u16,
    problem: Option<String>,
}

async fn invited(desk: &Desk, code: &str) -> Result<PersonId, Trouble> {
    let person = desk.publisher().store.invited(&invitation_digest(code)).await?;
    person.ok_or_else(|| {
        Trouble::new(
            StatusCode::NOT_FOUND,
            "这个邀请用过了、过期了，或者网址不完整",
            "请管理员重新发一个邀请；邀请 24 小时内用一次",
        )
    })
}

pub(super) async fn invite_page(
    State(desk): State<Desk>,
    shown: Shown,
    Path(code): Path<String>,
) -> Result<Response, Trouble> {
    let person = invited(&desk, &code).await?;
    show_invite(&desk, &shown, &person, None).await
}

async fn show_invite(
    desk: &Desk,
    shown: &Shown,
    person: &PersonId,
    problem: Option<String>,
) -> Result<Response, Trouble> {
    let page = Page::new(desk, shown, None, ("设置口令", "Choose a password")).await;
    let shortest = desk.publisher().config.console.password_length;
    render(&InvitePage { page, person: person.to_string(), shortest, problem })
}

#[derive(Debug, Deserialize)]
pub(super) struct PasswordForm {
    #[serde(default)]
    pub(super) current: String,
    pub(super) password: String,
    pub(super) again: String,
}

pub(super) async fn accept_invite(
    State(desk): State<Desk>,
    shown: Shown,
    headers: HeaderMap,
    Path(code): Path<String>,
    Form(form): Form<PasswordForm>,
) -> Result<Response, Trouble> {
    let person = invited(&desk, &code).await?;
    let hashed = match chosen(&desk, &form, &person).await {
        Ok(hashed) => hashed,
        Err(problem) => {
            let mut answer = show_invite(&desk, &shown, &person, Some(problem)).await?;
            *answer.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
            return Ok(answer);
        }
    };
    let digest = invitation_digest(&code);
    if desk.publisher().store.accept_invite(&digest, &hashed).await?.is_none() {
        return Err(invited(&desk, &code)
            .await
            .err()
            .unwrap_or_else(|| Trouble::conflict("邀请用过了")));
    }
    let person = desk.publisher().person(&person).await?;
    let person = person.ok_or_else(|| Trouble::missing("这个人已经不在名单里了"))?;
    let cookie = desk.sign_in(&headers, &person, "invite").await?;
    let to = format!("/console?done={}", Notice::PasswordSet.as_str());
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to(&to)).into_response())
}

/// The hash of a new password that was typed twice, or why it is none.
pub(super) async fn chosen(
    desk: &Desk,
    form: &PasswordForm,
    person: &PersonId,
) -> Result<String, String> {
    if form.password != form.again {
        return Err("两次输入的口令不一样".to_owned());
    }
    let hashed = desk.passwords().hash(&form.password, person.as_str()).await;
    hashed.map_err(|error| error.to_string())
}

/// Switches the language and comes back.
pub(super) async fn language(
    State(desk): State<Desk>,
    Path(wanted): Path<String>,
    Query(query): Query<Back>,
) -> Result<Response, Trouble> {
    if !["zh", "en"].contains(&wanted.as_str()) {
        return Err(Trouble::missing("没有这种语言；有 zh 和 en"));
    }
    let year = Life::Seconds(365 * 24 * 3600);
    let cookie = cookie::write(language::COOKIE, &wanted, year, desk.secure());
    let back = Redirect::to(own_path(query.back.as_deref()));
    Ok((cookie.map(|cookie| [(header::SET_COOKIE, cookie)]), back).into_response())
}

pub(super) async fn no_such_page() -> Trouble {
    Trouble::missing(say("没有这个页面", "There is no such page"))
}
