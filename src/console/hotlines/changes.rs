//! What became of a change of a number: made again, submitted, approved, published, taken down.

use super::super::{
    Desk,
    branches::shortened,
    caller::Caller,
    filters,
    page::{Notice, Page, Shown, render},
    permit::Action,
    routes::Routes,
    trouble::Trouble,
};
use crate::{
    model::DeliveryState,
    store::{Delivery, HotlineChange},
    work::hotlines::{ChangePlan, Group, GroupState, changing, plan_of},
};
use askama::Template;
use axum::{
    Json,
    extract::{Path, State},
    response::{Redirect, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/console/hotlines/changes/{change}", Action::ReadHotlines, page)
        .post("/console/hotlines/changes/{change}/retry", Action::ChangeHotlines, retry)
        .post("/console/hotlines/changes/{change}/cancel", Action::ChangeHotlines, cancel)
        .post("/api/v1/hotlines/changes/{change}/cancel", Action::ChangeHotlines, give_up)
        .get("/api/v1/hotlines/changes/{change}", Action::ReadHotlines, show_change)
        .post("/api/v1/hotlines/changes/{change}/retry", Action::ChangeHotlines, try_again)
}

#[derive(Template)]
#[template(path = "console/html/hotline-change.html")]
struct ChangePage {
    page: Page,
    change: HotlineChange,
    plan: ChangePlan,
    /// Files made, of how many, where this change is being worked on.
    making: Option<(usize, usize)>,
    failed: bool,
    /// What nobody but people can take down: delivery and channel.
    left: Vec<Delivery>,
}

impl ChangePage {
    /// Whether a delivery is left to people.
    fn is_left(&self, id: &str) -> bool {
        self.left.iter().any(|delivery| delivery.id == id)
    }

    /// What of a group is left to people.
    fn left_of(&self, group: &Group) -> Vec<&Delivery> {
        self.left.iter().filter(|delivery| group.deliveries.contains(&delivery.id)).collect()
    }
}

/// What shows the old number and is out all the same, although everything was done that can be
/// done by itself: people have to take it down, or ask whoever has it.
async fn left_of(desk: &Desk, plan: &ChangePlan) -> Result<Vec<Delivery>, Trouble> {
    let mut left = Vec::new();
    let settled = plan.groups.iter().filter(|group| group.recalled);
    for id in settled.flat_map(|group| &group.deliveries) {
        let delivery = desk.publisher().store.delivery(id).await?;
        if matches!(delivery.state, DeliveryState::Confirmed | DeliveryState::Accepted) {
            left.push(delivery);
        }
    }
    Ok(left)
}

async fn found(desk: &Desk, id: &str) -> Result<(HotlineChange, ChangePlan), Trouble> {
    let change = desk.publisher().store.hotline_change(id).await?;
    let missing = || Trouble::missing(format!("没有热线变更“{}”", shortened(id)));
    let change = change.ok_or_else(missing)?;
    let plan = plan_of(&change)?;
    Ok((change, plan))
}

/// Files made, of how many, where this change is being worked on here.
fn making(change: &HotlineChange) -> Option<(usize, usize)> {
    let stage = changing().filter(|(own, _, _)| *own == change.id);
    stage.map(|(_, settled, total)| (settled, total))
}

async fn page(
    State(desk): State<Desk>,
    shown: Shown,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    let (change, plan) = found(&desk, &id).await?;
    let page = Page::new(&desk, &shown, Some(caller), ("热线变更", "Change of a number")).await;
    let failed = plan.groups.iter().any(|group| group.state == GroupState::Failed);
    let left = left_of(&desk, &plan).await?;
    render(&ChangePage { page, making: making(&change), change, plan, failed, left })
}

async fn retry(
    State(desk): State<Desk>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Redirect, Trouble> {
    let (change, _) = found(&desk, &id).await?;
    desk.publisher().retry_hotline_change(&change.id, caller.actor()).await?;
    let done = Notice::Retried.as_str();
    Ok(Redirect::to(&format!("/console/hotlines/changes/{}?done={done}", change.id)))
}

async fn cancel(
    State(desk): State<Desk>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Redirect, Trouble> {
    let (change, _) = found(&desk, &id).await?;
    desk.publisher().cancel_hotline_change(&change.id, caller.actor()).await?;
    let done = Notice::Cancelled.as_str();
    Ok(Redirect::to(&format!("/console/hotlines/changes/{}?done={done}", change.id)))
}

/// A change and how far it is.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChangeView {
    /// Its name.
    pub change: String,
    /// The number's id.
    pub hotline: String,
    /// The number as it was.
    pub was: String,
    /// The number as it is.
    pub becomes: String,
    /// Who changed it.
    pub actor: String,
    /// When.
    pub at: String,
    /// Whether something is still to be done by itself.
    pub open: bool,
    /// Why it waits for a person, who tries again or cancels it: the file says another number.
    pub stuck: Option<String>,
    /// Why nothing more is done of it.
    pub ended: Option<String>,
    /// Files made just now, of how many.
    pub making: Option<(usize, usize)>,
    /// What is made again together.
    pub groups: Vec<GroupView>,
}

/// What is made again together.
#[derive(Debug, Serialize, ToSchema)]
pub struct GroupView {
    /// The schedule or campaign edition.
    pub subject: String,
    /// The lessons.
    pub lessons: Vec<String>,
    /// The deliveries that show the old number.
    pub deliveries: Vec<String>,
    /// `waiting`, `submitted`, `done` or `failed`.
    pub state: String,
    /// The submission that takes their place.
    pub review: Option<String>,
    /// The occurrence of the new outputs.
    pub published: Option<String>,
    /// Whether the old ones were taken down, as far as that can be done.
    pub recalled: bool,
    /// Of those, what is out all the same: people have to take it down.
    pub left: Vec<String>,
    /// What happened.
    pub notes: Vec<String>,
}

pub(super) fn group_view(group: &Group, left: &[Delivery]) -> GroupView {
    let left = left.iter().filter(|delivery| group.deliveries.contains(&delivery.id));
    let state = match group.state {
        GroupState::Waiting => "waiting",
        GroupState::Submitted => "submitted",
        GroupState::Done => "done",
        GroupState::Failed => "failed",
    };
    GroupView {
        subject: group.subject.clone(),
        lessons: group.lessons.clone(),
        deliveries: group.deliveries.clone(),
        state: state.to_owned(),
        review: group.review.clone(),
        published: group.published.clone(),
        recalled: group.recalled,
        left: left.map(|delivery| delivery.id.clone()).collect(),
        notes: group.notes.clone(),
    }
}

/// A change of a number and how far it is.
#[utoipa::path(get, path = "/api/v1/hotlines/changes/{change}", tag = "hotlines",
    params(("change" = String, Path)),
    responses((status = 200, body = ChangeView)))]
pub(in super::super) async fn show_change(
    State(desk): State<Desk>,
    Path(id): Path<String>,
) -> Result<Json<ChangeView>, Trouble> {
    let (change, plan) = found(&desk, &id).await?;
    let left = left_of(&desk, &plan).await?;
    Ok(Json(ChangeView {
        making: making(&change),
        change: change.id,
        hotline: change.hotline.to_string(),
        was: plan.was,
        becomes: plan.becomes,
        stuck: plan.stuck,
        ended: plan.ended,
        actor: change.actor,
        at: change.at.to_string(),
        open: change.open,
        groups: plan.groups.iter().map(|group| group_view(group, &left)).collect(),
    }))
}

/// Lets what failed of a change be tried again.
#[utoipa::path(post, path = "/api/v1/hotlines/changes/{change}/retry", tag = "hotlines",
    params(("change" = String, Path)),
    responses((status = 200, body = ChangeView)))]
pub(in super::super) async fn try_again(
    State(desk): State<Desk>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<ChangeView>, Trouble> {
    let (change, _) = found(&desk, &id).await?;
    desk.publisher().retry_hotline_change(&change.id, caller.actor()).await?;
    show_change(State(desk), Path(id)).await
}

/// Gives up a change that waits for a person: what the file says stays.
#[utoipa::path(post, path = "/api/v1/hotlines/changes/{change}/cancel", tag = "hotlines",
    params(("change" = String, Path)),
    responses((status = 200, body = ChangeView)))]
pub(in super::super) async fn give_up(
    State(desk): State<Desk>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<ChangeView>, Trouble> {
    let (change, _) = found(&desk, &id).await?;
    desk.publisher().cancel_hotline_change(&change.id, caller.actor()).await?;
    show_change(State(desk), Path(id)).await
}
