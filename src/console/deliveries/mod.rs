//! Deliveries: the board, each one with everything that happened to it, and what a person decides
//! about it; the switch that stops all sending.

mod one;
mod settle;
pub(super) mod switch;
mod words;

pub(super) use words::english as english_of;

pub(super) use one::{__path_api_one, api_one, page as one};
pub(super) use settle::{__path_api_settle, api_settle, settle};

use super::{
    Desk,
    asked::{Asked, PAGE, Pager, trimmed},
    caller::Caller,
    filters,
    page::{Page, Shown, render},
    trouble::Trouble,
};
use crate::{
    model::DeliveryState,
    store::{BoardFilter, BoardRow, Hold},
};
use askama::Template;
use axum::{Json, extract::State, http::StatusCode, response::Response};
use serde::Serialize;
use switch::Outgoing;
use utoipa::ToSchema;

/// A line as the template shows it.
struct Line {
    row: BoardRow,
    shape: &'static str,
    tone: &'static str,
    label: (&'static str, &'static str),
    next: (String, String),
    link: Option<String>,
    message: String,
    titles: String,
}

/// A state and how many are in it.
struct Count {
    state: DeliveryState,
    label: (&'static str, &'static str),
    shape: &'static str,
    tone: &'static str,
    number: u64,
    chosen: bool,
}

#[derive(Template)]
#[template(path = "console/html/deliveries.html")]
struct BoardPage {
    page: Page,
    filter: BoardFilter,
    channels: Vec<String>,
    campaigns: Vec<String>,
    counts: Vec<Count>,
    lines: Vec<Line>,
    pager: Pager,
    hold: Option<Hold>,
    outgoing: Outgoing,
    refused: Refused,
}

/// Why the switch was not moved, and what was typed.
#[derive(Default)]
pub(super) struct Refused {
    pub(super) faults: Vec<String>,
    pub(super) reason: String,
}

fn filter_of(asked: &Asked) -> BoardFilter {
    BoardFilter {
        states: asked.all("state").filter_map(DeliveryState::from_name).collect(),
        channel: trimmed(asked.text("channel"), 100),
        campaign: trimmed(asked.text("campaign"), 200),
        occurrence: trimmed(asked.text("occurrence"), 200),
        text: trimmed(asked.text("text"), 100),
        open: asked.text("show") == "open",
    }
}

async fn read(
    desk: &Desk,
    asked: &Asked,
    filter: &BoardFilter,
) -> Result<(Pager, Vec<BoardRow>, Vec<(DeliveryState, u64)>), Trouble> {
    let store = &desk.publisher().store;
    let counts = store.board_counts(filter).await?;
    let wanted = counts
        .iter()
        .filter(|(state, _)| filter.states.is_empty() || filter.states.contains(state));
    let pager = Pager::new(asked, wanted.map(|(_, count)| count).sum());
    let rows = store.board(filter, PAGE, pager.offset()).await?;
    Ok((pager, rows, counts))
}

/// `GET /console/deliveries`
pub(super) async fn page(
    State(desk): State<Desk>,
    shown: Shown,
    caller: Caller,
    asked: Asked,
) -> Result<Response, Trouble> {
    show(&desk, &shown, caller, &asked, Refused::default()).await
}

/// The board, with what was typed at the switch where that was refused.
pub(super) async fn show(
    desk: &Desk,
    shown: &Shown,
    caller: Caller,
    asked: &Asked,
    refused: Refused,
) -> Result<Response, Trouble> {
    let filter = filter_of(asked);
    let (pager, rows, counts) = read(desk, asked, &filter).await?;
    let content = desk.content().await?;
    let line = |row: BoardRow| Line {
        shape: words::shape(row.delivery.state),
        tone: words::tone(row.delivery.state),
        label: (row.delivery.state.label(), words::english(row.delivery.state)),
        next: words::next(&row.delivery),
        link: words::link(row.delivery.url.as_deref()).map(str::to_owned),
        message: words::brief(&row.delivery.message),
        titles: super::titles(&content.library, &row.lessons),
        row,
    };
    let count = |(state, number): (DeliveryState, u64)| Count {
        state,
        label: (state.label(), words::english(state)),
        shape: words::shape(state),
        tone: words::tone(state),
        number,
        chosen: filter.states.contains(&state),
    };
    let config = &desk.publisher().config;
    let editions = content.library.campaigns.iter().flat_map(|series| &series.editions);
    let page = Page::new(desk, shown, Some(caller), ("投递", "Deliveries")).await;
    let is_refused = !refused.faults.is_empty();
    let mut answer = render(&BoardPage {
        hold: page.hold.clone(),
        outgoing: switch::outgoing(desk).await?,
        refused,
        page,
        channels: config.channels.iter().map(|entry| entry.id.to_string()).collect(),
        campaigns: editions.map(|edition| edition.id.to_string()).collect(),
        counts: counts.into_iter().map(count).collect(),
        lines: rows.into_iter().map(line).collect(),
        filter,
        pager,
    })?;
    if is_refused {
        *answer.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    }
    Ok(answer)
}

/// A delivery, for programs.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeliveryView {
    /// Its number.
    pub(super) id: String,
    /// The slot that it belongs to.
    pub(super) occurrence: String,
    /// The campaign edition.
    pub(super) campaign: String,
    /// The lessons.
    pub(super) lessons: Vec<String>,
    /// When it was due.
    pub(super) due: String,
    /// The channel.
    pub(super) channel: String,
    /// Whom it reaches.
    pub(super) target: String,
    /// `confirmed`, `unknown`, …
    pub(super) state: String,
    /// The same in Chinese.
    pub(super) state_label: String,
    /// How often sending was begun.
    pub(super) attempts: u32,
    /// Counts every change that a person or process claimed; send it back when settling.
    pub(super) epoch: i64,
    /// The digest of what was approved.
    pub(super) manifest: String,
    /// The far side's name for it.
    pub(super) remote_ref: Option<String>,
    /// Where people can see it.
    pub(super) url: Option<String>,
    /// What was said last.
    pub(super) message: String,
    /// What to do now.
    pub(super) next_step: String,
    /// Since when it is in this state.
    pub(super) changed_at: String,
    /// When it is tried again, where it waits for that.
    pub(super) next_try: Option<String>,
}

impl From<BoardRow> for DeliveryView {
    fn from(row: BoardRow) -> Self {
        let BoardRow { delivery, lessons } = row;
        Self {
            next_step: words::next(&delivery).0,
            next_try: (delivery.state == DeliveryState::RetryWait)
                .then(|| delivery.next_at.to_string()),
            lessons: lessons.iter().map(ToString::to_string).collect(),
            id: delivery.id,
            occurrence: delivery.occurrence,
            campaign: delivery.campaign.to_string(),
            due: delivery.slot.to_string(),
            channel: delivery.channel.to_string(),
            target: delivery.target,
            state: delivery.state.as_str().to_owned(),
            state_label: delivery.state.label().to_owned(),
            attempts: delivery.attempt,
            epoch: delivery.epoch,
            manifest: delivery.manifest.to_string(),
            remote_ref: delivery.remote_ref,
            url: delivery.url,
            message: delivery.message,
            changed_at: delivery.changed_at.to_string(),
        }
    }
}

/// A page of the board, for programs.
#[derive(Debug, Serialize, ToSchema)]
pub struct BoardView {
    /// This page, from one.
    page: u32,
    /// How many pages.
    pages: u32,
    /// How many deliveries.
    total: u64,
    /// Those of this page, newest slots first.
    deliveries: Vec<DeliveryView>,
}

/// Deliveries, a page of 80 at a time.
#[utoipa::path(get, path = "/api/v1/deliveries", tag = "deliveries",
    params(
        ("state" = Option<String>, Query, description = "confirmed, unknown, …; several times"),
        ("channel" = Option<String>, Query, description = "渠道"),
        ("campaign" = Option<String>, Query, description = "系列/期次"),
        ("occurrence" = Option<String>, Query, description = "排期的某一次"),
        ("text" = Option<String>, Query, description = "编号、课件、网址、说明里的字"),
        ("show" = Option<String>, Query, description = "open：没有了结的"),
        ("page" = Option<u32>, Query, description = "第几页"),
    ),
    responses((status = 200, body = BoardView)))]
pub(super) async fn api_board(
    State(desk): State<Desk>,
    asked: Asked,
) -> Result<Json<BoardView>, Trouble> {
    let unknown = asked.all("state").filter(|name| DeliveryState::from_name(name).is_none());
    let mut faults: Vec<String> = unknown
        .map(|name| {
            let known: Vec<_> = DeliveryState::ALL.iter().map(|state| state.as_str()).collect();
            format!("state：没有状态“{name}”；有 {}", known.join("、"))
        })
        .collect();
    let page = asked.text("page");
    if !page.is_empty() && !page.parse::<u32>().is_ok_and(|page| page > 0) {
        faults.push(format!("page：应是从 1 起的整数，现在是“{page}”"));
    }
    if !faults.is_empty() {
        return Err(Trouble::wrong_list(faults));
    }
    let (pager, rows, _) = read(&desk, &asked, &filter_of(&asked)).await?;
    Ok(Json(BoardView {
        page: pager.page,
        pages: pager.pages,
        total: pager.total,
        deliveries: rows.into_iter().map(DeliveryView::from).collect(),
    }))
}
