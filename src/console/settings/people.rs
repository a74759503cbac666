//! Who there is. People of `channels.toml` keep their roles there, under the file's own change
//! control; others are added here.

use super::health::Forms;
use crate::{
    console::{
        Desk,
        api::Problem,
        caller::Caller,
        filters, invite,
        page::{Notice, Page, Shown, render},
        permit::Role,
        sent::{Sent, is_plain},
        trouble::Trouble,
    },
    model::{BranchId, PersonId},
    store::Account,
    work::Content,
};
use askama::Template;
use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// An invitation is good for so long.
const INVITED_FOR: SignedDuration = SignedDuration::from_hours(24);

/// Somebody in the list.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Person)]
pub struct Listed {
    /// Their id.
    pub id: String,
    /// Their name.
    pub name: String,
    /// Their roles, by name.
    pub roles: Vec<String>,
    /// The roles for people.
    pub role_labels: Vec<String>,
    /// Their department.
    pub department: Option<String>,
    /// Their branch.
    pub branch: Option<String>,
    /// Whether `channels.toml` names them.
    pub in_file: bool,
    /// `active`, `invited`, `none`, `locked`, `closed`.
    pub state: &'static str,
    /// Until when they are locked.
    #[schema(value_type = Option<String>)]
    pub locked_until: Option<Timestamp>,
    /// Until when an invitation waits.
    #[schema(value_type = Option<String>)]
    pub invite_until: Option<Timestamp>,
}

pub(super) async fn everybody(desk: &Desk, shown: &Shown) -> Result<Vec<Listed>, Trouble> {
    let publisher = desk.publisher();
    let accounts = publisher.store.accounts().await?;
    let now = publisher.store.now().await?;
    let people = publisher.people().await?;
    let listed = people.into_iter().map(|person| {
        let account = accounts.iter().find(|account| account.person == person.id);
        let label = |name: &String| match Role::from_name(name) {
            Some(role) => shown.language.of_two(role.labels().0, role.labels().1).to_owned(),
            None => name.clone(),
        };
        Listed {
            role_labels: person.roles.iter().map(label).collect(),
            in_file: publisher.config.person(&person.id).is_some(),
            state: state(account, now),
            locked_until: account.and_then(|one| one.locked_until).filter(|until| *until > now),
            invite_until: account.and_then(|one| one.invite_until).filter(|until| *until > now),
            id: person.id.to_string(),
            name: person.name,
            roles: person.roles,
            department: person.department,
            branch: person.branch.map(|branch| branch.to_string()),
        }
    });
    Ok(listed.collect())
}

fn state(account: Option<&Account>, now: Timestamp) -> &'static str {
    match account {
        Some(account) if !account.active => "closed",
        Some(account) if account.locked_until.is_some_and(|until| until > now) => "locked",
        Some(account) if account.password.is_some() => "active",
        Some(account) if account.invite_until.is_some_and(|until| until > now) => "invited",
        _ => "none",
    }
}

/// Everybody who may act.
#[utoipa::path(get, path = "/api/v1/people", tag = "people",
    responses((status = 200, body = [Listed])))]
pub(in crate::console) async fn list(
    State(desk): State<Desk>,
    shown: Shown,
) -> Result<Json<Vec<Listed>>, Trouble> {
    Ok(Json(everybody(&desk, &shown).await?))
}

#[derive(Template)]
#[template(path = "console/html/person.html")]
struct PersonPage {
    page: Page,
    person: Listed,
    roles: Vec<(&'static str, String, bool)>,
    link: Option<String>,
}

async fn show(
    desk: &Desk,
    shown: &Shown,
    caller: Caller,
    id: &str,
    link: Option<String>,
) -> Result<Response, Trouble> {
    let everybody = everybody(desk, shown).await?;
    let person = everybody.into_iter().find(|one| one.id == id);
    let person = person.ok_or_else(|| Trouble::missing("没有这个人"))?;
    let roles = Role::ALL.into_iter().map(|role| {
        let label = shown.language.of_two(role.labels().0, role.labels().1).to_owned();
        (role.as_str(), label, person.roles.iter().any(|own| own == role.as_str()))
    });
    let roles = roles.collect();
    let title = person.name.clone();
    let page = Page::new(desk, shown, Some(caller), (&title, &title)).await;
    render(&PersonPage { page, person, roles, link })
}

pub(in crate::console) async fn page(
    State(desk): State<Desk>,
    shown: Shown,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    show(&desk, &shown, caller, &id, None).await
}

/// Somebody to be added or changed.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = PersonSaved)]
pub struct Saved {
    /// Their id: lower-case letters, digits, `-`.
    pub(super) id: String,
    /// Their name.
    pub(super) name: String,
    /// Their roles, by name.
    #[serde(default)]
    pub(super) roles: Vec<String>,
    /// Their department, where they co-sign for one.
    #[serde(default)]
    pub(super) department: String,
    /// Their branch, with the role `branch`.
    #[serde(default)]
    pub(super) branch: String,
}

/// What was typed about somebody and could not be taken, and why.
#[derive(Debug, Default)]
pub(super) struct Adding {
    pub typed: Saved,
    pub refused: Option<Trouble>,
}

impl Adding {
    /// Whether the form had that role.
    pub fn has(&self, role: &str) -> bool {
        self.typed.roles.iter().any(|one| one == role)
    }
}

/// The departments that co-review topics.
pub(super) fn departments(content: &Content) -> Vec<String> {
    let all = content.library.topics.iter().map(|topic| topic.department.clone());
    all.collect::<BTreeSet<_>>().into_iter().collect()
}

async fn save(desk: &Desk, caller: &Caller, sent: &Saved) -> Result<PersonId, Trouble> {
    let mut faults = Vec::new();
    let id = PersonId::new(sent.id.trim())
        .map_err(|error| faults.push(format!("代号（id）：{error}")))
        .ok();
    let name = sent.name.trim();
    if !is_plain(name, 40) {
        faults.push("姓名（name）：写 1 到 40 个字，一行，不用控制字符".to_owned());
    }
    let unknown = sent.roles.iter().filter(|name| Role::from_name(name).is_none());
    faults.extend(unknown.map(|name| format!("角色（roles）：没有“{name}”")));
    if sent.roles.is_empty() {
        faults.push("角色（roles）：至少选一个；要停用请用“停用”".to_owned());
    }
    let department = Some(sent.department.trim()).filter(|text| !text.is_empty());
    let branch = Some(sent.branch.trim()).filter(|text| !text.is_empty());
    let has = |role: Role| sent.roles.iter().any(|name| name == role.as_str());
    let content = desk.content().await?;
    let known = departments(&content);
    let fits = department.is_some_and(|name| known.iter().any(|one| one == name));
    if has(Role::CoReviewer) && !fits {
        faults.push(format!(
            "部门（department）：会签岗要写部门，和 topics.toml 的 department 一样；现有：{}",
            known.join("、")
        ));
    }
    let known = branch
        .and_then(|text| BranchId::new(text).ok())
        .filter(|id| content.library.branches.iter().any(|branch| branch.id == *id));
    if has(Role::Branch) && known.is_none() {
        faults.push("网点（branch）：网点角色要写 branches.csv 里有的网点代号".to_owned());
    }
    if let Some(id) = &id
        && desk.publisher().config.person(id).is_some()
    {
        faults.push(format!("代号（id）：{id} 写在 channels.toml 里，请在那里改"));
    }
    let (Some(id), true) = (id, faults.is_empty()) else {
        return Err(Trouble::wrong_list(faults));
    };
    let now = desk.publisher().store.now().await?;
    let before = desk.publisher().store.account(&id).await?;
    let account = Account {
        person: id.clone(),
        name: name.to_owned(),
        roles: sent.roles.clone(),
        department: department.map(str::to_owned),
        branch: known,
        password: None,
        failures: 0,
        locked_until: None,
        active: before.is_none_or(|before| before.active),
        invite_until: None,
        changed_at: now,
    };
    desk.publisher().store.save_account(&account, caller.actor()).await?;
    Ok(id)
}

pub(in crate::console) async fn save_form(
    State(desk): State<Desk>,
    shown: Shown,
    caller: Caller,
    Sent(sent): Sent<Saved>,
) -> Result<Response, Trouble> {
    match save(&desk, &caller, &sent).await {
        Ok(id) => Ok(back(&id, Notice::Saved)),
        Err(trouble) if trouble.status == StatusCode::UNPROCESSABLE_ENTITY => {
            let adding = Adding { typed: sent, refused: Some(trouble) };
            let forms = Forms { adding, ..Forms::default() };
            super::health::show(&desk, &shown, caller, forms).await
        }
        Err(trouble) => Err(trouble),
    }
}

/// Add or change somebody who is not in `channels.toml`.
#[utoipa::path(post, path = "/api/v1/people", tag = "people", request_body = Saved,
    responses((status = 204), (status = 422, body = Problem)))]
pub(in crate::console) async fn save_call(
    State(desk): State<Desk>,
    caller: Caller,
    Sent(sent): Sent<Saved>,
) -> Result<StatusCode, Trouble> {
    save(&desk, &caller, &sent).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn back(id: &PersonId, notice: Notice) -> Response {
    Redirect::to(&format!("/console/settings/people/{id}?done={}", notice.as_str())).into_response()
}

/// The person of that id, in the file or added.
async fn known(desk: &Desk, id: &str) -> Result<PersonId, Trouble> {
    let missing = || Trouble::missing("没有这个人");
    let id = PersonId::new(id).map_err(|_| missing())?;
    desk.publisher().person(&id).await?.map(|person| person.id).ok_or_else(missing)
}

/// The link of an invitation, shown once.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Invitation)]
pub struct Invited {
    /// Where they choose a password.
    pub url: String,
    /// Until when, RFC 3339.
    #[schema(value_type = String)]
    pub until: Timestamp,
}

pub(in crate::console) async fn invite_form(
    State(desk): State<Desk>,
    shown: Shown,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    let person = known(&desk, &id).await?;
    let (url, _) = invite(desk.publisher(), &person, INVITED_FOR, caller.actor()).await?;
    show(&desk, &shown, caller, &id, Some(url)).await
}

/// Invite somebody to choose a password.
#[utoipa::path(post, path = "/api/v1/people/{id}/invitation", tag = "people",
    params(("id" = String, Path, description = "代号")),
    responses((status = 200, body = Invited), (status = 404, body = Problem)))]
pub(in crate::console) async fn invite_call(
    State(desk): State<Desk>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Invited>, Trouble> {
    let person = known(&desk, &id).await?;
    let (url, until) = invite(desk.publisher(), &person, INVITED_FOR, caller.actor()).await?;
    Ok(Json(Invited { url, until }))
}

/// What is done with an account: `unlock`, `sign-out`, `close`, `open`.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = AccountChange)]
pub struct Wanted {
    /// `unlock`, `sign-out`, `close` or `open`.
    what: String,
}

async fn change(desk: &Desk, caller: &Caller, id: &str, sent: &Wanted) -> Result<(), Trouble> {
    let person = known(desk, id).await?;
    let store = &desk.publisher().store;
    match sent.what.as_str() {
        "unlock" => store.unlock(&person, caller.actor()).await?,
        "sign-out" => store.end_sessions(&person, caller.actor()).await?,
        "close" if person == caller.person.id => {
            return Err(Trouble::conflict("不能停用自己；请另一位管理员来做"));
        }
        what @ ("close" | "open") => {
            let account = store.account(&person).await?;
            let mut account = account.ok_or_else(|| Trouble::conflict("这个人还没有账号"))?;
            account.active = what == "open";
            store.save_account(&account, caller.actor()).await?;
        }
        _ => return Err(Trouble::wrong("what：写 unlock、sign-out、close 或 open")),
    }
    Ok(())
}

pub(in crate::console) async fn change_form(
    State(desk): State<Desk>,
    caller: Caller,
    Path(id): Path<String>,
    Sent(sent): Sent<Wanted>,
) -> Result<Response, Trouble> {
    change(&desk, &caller, &id, &sent).await?;
    let notice = if sent.what == "unlock" { Notice::Unlocked } else { Notice::Saved };
    Ok(back(&known(&desk, &id).await?, notice))
}

/// Unlock, sign out everywhere, close or open an account.
#[utoipa::path(post, path = "/api/v1/people/{id}/account", tag = "people",
    params(("id" = String, Path, description = "代号")), request_body = Wanted,
    responses((status = 204), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(in crate::console) async fn change_call(
    State(desk): State<Desk>,
    caller: Caller,
    Path(id): Path<String>,
    Sent(sent): Sent<Wanted>,
) -> Result<StatusCode, Trouble> {
    change(&desk, &caller, &id, &sent).await?;
    Ok(StatusCode::NO_CONTENT)
}
