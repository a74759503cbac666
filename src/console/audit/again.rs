//! A submission rendered again from what it froze: the proof that what was approved is what these
//! sources make.

use crate::{
    console::{
        Desk,
        api::Problem,
        caller::Caller,
        page::{Page, Shown, render},
        trouble::Trouble,
    },
    work::past::Again,
};
use askama::Template;
use axum::{
    Json,
    extract::{Path, State},
    response::Response,
};
use serde::Serialize;
use utoipa::ToSchema;

/// What rendering again gave.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = AuditRendering)]
pub struct Compared {
    /// The approval number.
    pub number: String,
    /// Files with the very bytes that were approved.
    pub same: usize,
    /// Files that came out otherwise, with their channel.
    pub different: Vec<String>,
    /// What else differs, in Chinese.
    pub reasons: Vec<String>,
}

async fn compare(desk: &Desk, caller: &Caller, number: &str) -> Result<Compared, Trouble> {
    let store = &desk.publisher().store;
    let review = store.review(number).await?;
    let review = review.ok_or_else(|| Trouble::missing(format!("没有编号“{number}”的送审记录")))?;
    let turn = desk.rendering_turn().await;
    let publisher = desk.publisher().clone();
    // Goes on to its end, and holds its turn, also where nobody waits for it any more.
    let rendered = tokio::spawn(async move {
        let _turn = turn;
        publisher.render_again(&review).await
    });
    let rendered = rendered.await.map_err(|error| Trouble::conflict(error.to_string()))?;
    let Again { same, different, reasons } = rendered?;
    let different: Vec<String> =
        different.into_iter().map(|(channel, path)| format!("{channel}：{path}")).collect();
    let told = serde_json::json!({ "same": same, "different": different.len() }).to_string();
    store.audit(caller.actor(), "audit.render-again", &format!("review/{number}"), &told).await?;
    Ok(Compared { number: number.to_owned(), same, different, reasons })
}

#[derive(Template)]
#[template(path = "console/html/again.html")]
struct AgainPage {
    page: Page,
    compared: Compared,
}

pub(in crate::console) async fn page(
    State(desk): State<Desk>,
    shown: Shown,
    caller: Caller,
    Path(number): Path<String>,
) -> Result<Response, Trouble> {
    let compared = compare(&desk, &caller, &number).await?;
    let page = Page::new(&desk, &shown, Some(caller), ("重新生成", "Rendered again")).await;
    render(&AgainPage { page, compared })
}

/// Render a submission again from what it froze, and compare every byte. Takes as long as
/// rendering it took.
#[utoipa::path(post, path = "/api/v1/audit/reviews/{number}/rendering", tag = "audit",
    params(("number" = String, Path, description = "审批编号")),
    responses((status = 200, body = Compared), (status = 404, body = Problem)))]
pub(in crate::console) async fn call(
    State(desk): State<Desk>,
    caller: Caller,
    Path(number): Path<String>,
) -> Result<Json<Compared>, Trouble> {
    Ok(Json(compare(&desk, &caller, &number).await?))
}
