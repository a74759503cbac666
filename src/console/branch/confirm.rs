//! 已上墙, 已撤下: said on the branch's page, under the short code of a release, or after scanning
//! the code that customers scan.

use super::{
    super::{
        Desk,
        branches::shortened,
        caller::Caller,
        filters,
        page::{Notice, Page, Shown, own_path, render},
        permit::Action,
        routes::Routes,
        sent::Sent,
        trouble::Trouble,
    },
    Visited, visit,
};
use crate::{
    model::{Branch, Digest, LessonId},
    packs::wire::ConfirmedWhat,
    work::{
        given::{Given, GivenRelease},
        take_down::{GivenTakeDown, Part},
    },
};
use askama::Template;
use axum::{
    Json,
    extract::{Path, State},
    response::{Redirect, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .post("/b/{branch}/confirm", Action::ConfirmBranch, confirm)
        .post("/b/{branch}/withdraw", Action::ConfirmBranch, withdraw)
        .get("/b/{branch}/confirm/{code}", Action::ReadBranch, by_code)
        .get("/b/{branch}/posted/{lesson}", Action::ReadBranch, by_lesson)
        .post("/api/v1/branches/{branch}/confirmations", Action::ConfirmBranch, add_confirmation)
        .post(
            "/api/v1/branches/{branch}/confirmations/withdraw",
            Action::ConfirmBranch,
            withdraw_confirmation,
        )
}

/// Something hangs, or hangs no more.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ConfirmForm {
    /// The release: 64 hexadecimal digits.
    key: String,
    /// The lesson, or `@notice` for the notice of complaint numbers; empty or missing for all of
    /// the release.
    #[serde(default)]
    lesson: String,
    /// `posted` or `taken-down`.
    what: String,
    /// The page to come back to.
    #[serde(default)]
    #[schema(ignore)]
    back: String,
}

/// Whether something is said or taken back.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Saying {
    Said,
    TakenBack,
}

async fn confirmed(
    desk: &Desk,
    caller: &Caller,
    branch: &str,
    form: &ConfirmForm,
    saying: Saying,
) -> Result<Branch, Trouble> {
    let Visited { branch, given, .. } = visit(desk, caller, branch).await?;
    caller.acts_for(&branch.id)?;
    let mut faults = Vec::new();
    let key = Digest::from_hex(&form.key);
    if key.is_none() {
        faults.push("key 应为 64 位十六进制".to_owned());
    }
    let part = Part::read(form.lesson.trim()).map_err(|error| {
        faults.push(format!("lesson 应为课件的标识，或 @notice（投诉电话公示）：{error}"));
    });
    let what = match form.what.as_str() {
        "posted" => Some(ConfirmedWhat::Posted),
        "taken-down" => Some(ConfirmedWhat::TakenDown),
        _ => {
            faults.push("what 应为 posted 或 taken-down".to_owned());
            None
        }
    };
    let (Some(key), Some(what), Ok(part)) = (key, what, part) else {
        return Err(Trouble::wrong_list(faults));
    };
    let (publisher, actor) = (desk.publisher(), caller.actor());
    match saying {
        Saying::Said => publisher.confirm_given(&given, &key, &part, what, actor).await?,
        Saying::TakenBack => publisher.withdraw_given(&given, &key, &part, what, actor).await?,
    }
    desk.roll_changed();
    Ok(branch)
}

/// The page that a form was on.
fn back_to(branch: &Branch, form: &ConfirmForm, notice: Notice) -> Redirect {
    let home = format!("/b/{}", branch.id);
    let back = own_path(Some(&form.back));
    let back = if back.starts_with(&home) && !back.contains('?') { back } else { &home };
    Redirect::to(&format!("{back}?done={}", notice.as_str()))
}

async fn confirm(
    State(desk): State<Desk>,
    caller: Caller,
    Path(branch): Path<String>,
    Sent(form): Sent<ConfirmForm>,
) -> Result<Redirect, Trouble> {
    let branch = confirmed(&desk, &caller, &branch, &form, Saying::Said).await?;
    Ok(back_to(&branch, &form, Notice::Confirmed))
}

async fn withdraw(
    State(desk): State<Desk>,
    caller: Caller,
    Path(branch): Path<String>,
    Sent(form): Sent<ConfirmForm>,
) -> Result<Redirect, Trouble> {
    let branch = confirmed(&desk, &caller, &branch, &form, Saying::TakenBack).await?;
    Ok(back_to(&branch, &form, Notice::Withdrawn))
}

#[derive(Template)]
#[template(path = "console/html/branch-confirm.html")]
struct ConfirmPage {
    page: Page,
    branch: Branch,
    own: bool,
    releases: Vec<GivenRelease>,
    take_down: Vec<GivenTakeDown>,
    back: String,
}

/// The releases and lessons that a test lets through.
fn narrowed(
    given: &Given,
    release: impl Fn(&Digest) -> bool,
    lesson: Option<&LessonId>,
) -> (Vec<GivenRelease>, Vec<GivenTakeDown>) {
    let mut releases: Vec<GivenRelease> =
        given.releases.iter().filter(|own| release(&own.key)).cloned().collect();
    for own in &mut releases {
        own.lessons.retain(|one| lesson.is_none() || one.lesson.as_ref() == lesson);
    }
    releases.retain(|own| !own.lessons.is_empty());
    let fits = |one: &&GivenTakeDown| {
        let of_lesson = lesson.is_none() || one.lesson() == lesson;
        // Where nothing more is known of what was recalled, whichever lesson was scanned may be of
        // it.
        release(&one.key) && (of_lesson || one.part == Part::All)
    };
    (releases, given.take_down.iter().filter(fits).cloned().collect())
}

async fn by_code(
    State(desk): State<Desk>,
    shown: Shown,
    caller: Caller,
    Path((branch, code)): Path<(String, String)>,
) -> Result<Response, Trouble> {
    let visited = visit(&desk, &caller, &branch).await?;
    let code = code.trim().to_ascii_lowercase();
    let fits = |key: &Digest| code.len() >= 8 && key.to_string().starts_with(&code);
    let found = narrowed(&visited.given, fits, None);
    if found.0.is_empty() && found.1.is_empty() {
        let what = format!("这个网点没有短码“{}”的材料", shortened(&code));
        return Err(Trouble::missing(what));
    }
    show(&desk, &shown, caller, visited, found).await
}

async fn by_lesson(
    State(desk): State<Desk>,
    shown: Shown,
    caller: Caller,
    Path((branch, lesson)): Path<(String, String)>,
) -> Result<Response, Trouble> {
    let visited = visit(&desk, &caller, &branch).await?;
    let missing = || Trouble::missing(format!("没有课件“{}”", shortened(&lesson)));
    let id = LessonId::new(&lesson).map_err(|_| missing())?;
    let found = narrowed(&visited.given, |_| true, Some(&id));
    show(&desk, &shown, caller, visited, found).await
}

async fn show(
    desk: &Desk,
    shown: &Shown,
    caller: Caller,
    visited: Visited,
    (releases, take_down): (Vec<GivenRelease>, Vec<GivenTakeDown>),
) -> Result<Response, Trouble> {
    let own = visited.own && caller.may(Action::ConfirmBranch);
    let page = Page::new(desk, shown, Some(caller), ("确认", "Confirm")).await;
    let back = shown.path.clone();
    render(&ConfirmPage { page, branch: visited.branch, own, releases, take_down, back })
}

/// What was noted.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConfirmationView {
    /// The branch.
    pub branch: String,
    /// The release.
    pub key: String,
    /// `posted` or `taken-down`.
    pub what: String,
}

/// Notes that something hangs, or hangs no more, at one's own branch.
#[utoipa::path(post, path = "/api/v1/branches/{branch}/confirmations", tag = "branches",
    params(("branch" = String, Path)), request_body = ConfirmForm,
    responses((status = 200, body = ConfirmationView)))]
pub(in super::super) async fn add_confirmation(
    State(desk): State<Desk>,
    caller: Caller,
    Path(branch): Path<String>,
    Sent(form): Sent<ConfirmForm>,
) -> Result<Json<ConfirmationView>, Trouble> {
    let branch = confirmed(&desk, &caller, &branch, &form, Saying::Said).await?;
    Ok(Json(ConfirmationView { branch: branch.id.to_string(), key: form.key, what: form.what }))
}

/// Takes back what was confirmed by mistake at one's own branch; the audit chain keeps both.
#[utoipa::path(post, path = "/api/v1/branches/{branch}/confirmations/withdraw", tag = "branches",
    params(("branch" = String, Path)), request_body = ConfirmForm,
    responses((status = 200, body = ConfirmationView),
        (status = 409, body = crate::console::api::Problem)))]
pub(in super::super) async fn withdraw_confirmation(
    State(desk): State<Desk>,
    caller: Caller,
    Path(branch): Path<String>,
    Sent(form): Sent<ConfirmForm>,
) -> Result<Json<ConfirmationView>, Trouble> {
    let branch = confirmed(&desk, &caller, &branch, &form, Saying::TakenBack).await?;
    Ok(Json(ConfirmationView { branch: branch.id.to_string(), key: form.key, what: form.what }))
}
