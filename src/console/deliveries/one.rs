//! One delivery: every attempt, the evidence, and what can be done about it.

use super::{
    super::{
        Desk,
        asked::trimmed,
        caller::Caller,
        filters,
        page::{Page, Shown, render},
        permit::Action,
        trouble::Trouble,
    },
    DeliveryView, words,
};
use crate::{
    deliver::{Deduplication, RecallAbility},
    model::DeliveryState,
    store::{AttemptLine, BoardRow, Delivery},
};
use askama::Template;
use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

/// What somebody may do about a delivery in its state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Choices {
    /// Say that it is out, or is not.
    pub(super) resolve: bool,
    /// Only that it is out after all.
    pub(super) out_after_all: bool,
    /// Try again.
    pub(super) retry: bool,
    /// Call off.
    pub(super) cancel: bool,
    /// Take down.
    pub(super) recall: bool,
}

impl Choices {
    /// Those of a state.
    pub(super) fn of(state: DeliveryState) -> Self {
        let none = Self::default();
        match state {
            DeliveryState::Unknown => Self { resolve: true, ..none },
            DeliveryState::NeedsHuman => {
                Self { retry: true, cancel: true, out_after_all: true, ..none }
            }
            DeliveryState::RetryWait | DeliveryState::Dead => {
                Self { retry: true, cancel: true, ..none }
            }
            DeliveryState::WaitingApproval
            | DeliveryState::Ready
            | DeliveryState::Preparing
            | DeliveryState::Prepared => Self { cancel: true, ..none },
            DeliveryState::Accepted | DeliveryState::Confirmed => Self { recall: true, ..none },
            _ => none,
        }
    }

    fn settles(self) -> bool {
        self.resolve || self.retry || self.cancel
    }
}

/// An attempt line as the template shows it.
struct Step {
    line: AttemptLine,
    from: (&'static str, &'static str),
    to: (&'static str, &'static str),
    shape: &'static str,
}

#[derive(Template)]
#[template(path = "console/html/delivery.html")]
struct DeliveryPage {
    page: Page,
    delivery: Delivery,
    titles: String,
    kind: String,
    label: (&'static str, &'static str),
    shape: &'static str,
    tone: &'static str,
    next: (String, String),
    link: Option<String>,
    review: Option<String>,
    steps: Vec<Step>,
    evidence: Vec<String>,
    choices: Choices,
    settles: bool,
    may_settle: bool,
    may_recall: bool,
    recall: String,
    fault: Option<String>,
    note: String,
}

/// What a form before said that could not be done.
#[derive(Debug, Default)]
pub(super) struct Refused {
    pub(super) status: StatusCode,
    pub(super) fault: String,
    pub(super) note: String,
}

/// `GET /console/deliveries/{id}`
pub(in super::super) async fn page(
    State(desk): State<Desk>,
    shown: Shown,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    show(&desk, &shown, caller, &id, None).await
}

/// The row of a delivery with the lessons of its slot.
pub(super) async fn find(desk: &Desk, id: &str) -> Result<BoardRow, Trouble> {
    let store = &desk.publisher().store;
    let delivery = store.delivery(&trimmed(id, 64)).await?;
    let occurrence = store.occurrence(&delivery.occurrence).await?;
    let lessons = occurrence.map(|occurrence| occurrence.lessons).unwrap_or_default();
    Ok(BoardRow { delivery, lessons })
}

/// The page, and why the form before was not done.
pub(super) async fn show(
    desk: &Desk,
    shown: &Shown,
    caller: Caller,
    id: &str,
    refused: Option<Refused>,
) -> Result<Response, Trouble> {
    let publisher = desk.publisher();
    let BoardRow { delivery, lessons } = find(desk, id).await?;
    let content = desk.content().await?;
    let lines = publisher.store.attempts(&delivery.id).await?;
    let review = publisher.store.review_of_manifest(&delivery.manifest).await?;
    let choices = Choices::of(delivery.state);
    let label = |state: DeliveryState| (state.label(), words::english(state));
    let evidence = evidence(desk, &delivery, &lines);
    let step = |line: AttemptLine| Step {
        from: label(line.from),
        to: label(line.to),
        shape: words::shape(line.to),
        line,
    };
    let kind = publisher.entry(&delivery.channel).map(|entry| entry.kind.clone());
    let title = (format!("投递 {}", delivery.id), format!("Delivery {}", delivery.id));
    let (status, fault, note) = match refused {
        Some(refused) => (refused.status, Some(refused.fault), refused.note),
        None => (StatusCode::OK, None, String::new()),
    };
    let mut answer = render(&DeliveryPage {
        titles: super::super::titles(&content.library, &lessons),
        kind: kind.unwrap_or_default(),
        label: label(delivery.state),
        shape: words::shape(delivery.state),
        tone: words::tone(delivery.state),
        next: words::next(&delivery),
        link: words::link(delivery.url.as_deref()).map(str::to_owned),
        review: review.map(|review| review.number),
        steps: lines.into_iter().map(step).collect(),
        evidence,
        choices,
        settles: choices.settles(),
        may_settle: caller.may(Action::SettleDeliveries),
        may_recall: caller.may(Action::Recall),
        recall: recall_words(desk, &delivery),
        fault,
        note,
        page: Page::new(desk, shown, Some(caller), (&title.0, &title.1)).await,
        delivery,
    })?;
    *answer.status_mut() = status;
    Ok(answer)
}

/// What is known about a delivery whose end is not: what was begun, what came back, who can tell.
fn evidence(desk: &Desk, delivery: &Delivery, lines: &[AttemptLine]) -> Vec<String> {
    if !matches!(delivery.state, DeliveryState::Unknown | DeliveryState::NeedsHuman) {
        return Vec::new();
    }
    let shown = |at: Timestamp| crate::work::clock::shanghai(at).strftime("%m-%d %H:%M:%S");
    let mut evidence = Vec::new();
    let sent = lines.iter().rev().find(|line| line.to == DeliveryState::Sending);
    evidence.push(match sent {
        Some(line) => format!(
            "第 {} 次发送在 {} 开始：先记下要发，再送出第一个字节",
            line.attempt,
            shown(line.at)
        ),
        None => "还没有开始过发送：对方那里什么都没有".to_owned(),
    });
    if let Some(last) = lines.last() {
        let said = if last.message.is_empty() { "没有说明" } else { &last.message };
        evidence.push(format!("最后一件事在 {}：{said}", shown(last.at)));
    }
    match (&delivery.remote_ref, &delivery.prepared_ref) {
        (Some(remote), _) => evidence.push(format!("对方给过编号 {remote}，可以拿它去后台查")),
        (None, Some(draft)) if draft.len() <= 120 => {
            evidence.push(format!("对方没有给编号；草稿是 {draft}"));
        }
        _ => evidence.push("对方没有给过编号".to_owned()),
    }
    if let Some(url) = &delivery.url {
        evidence.push(format!("发出的话，应该在 {url} 看得到"));
    }
    let Some(channel) = desk.publisher().channels.get(&delivery.channel) else { return evidence };
    evidence.push(match channel.capability().deduplication {
        Deduplication::Probe => {
            "系统会自己去问对方，问到结果就自动了结；急就自己去后台看".to_owned()
        }
        Deduplication::Key(length) => format!(
            "重发带同一把钥匙，对方 {} 小时内认得出是同一件，不会收两次",
            length.as_secs() / 3600
        ),
        Deduplication::ContentAddress => "重发会写到同一个地方，内容一样，不会多出一份".to_owned(),
        Deduplication::None => "对方认不出重复：认定错了，可能发两次".to_owned(),
    });
    evidence
}

/// What recalling means on this channel.
fn recall_words(desk: &Desk, delivery: &Delivery) -> String {
    let channel = desk.publisher().channels.get(&delivery.channel);
    match channel.map(|channel| channel.capability().recall) {
        Some(RecallAbility::Full) => "可以整个撤下来".to_owned(),
        Some(RecallAbility::Partial(stays)) => format!("只能撤一部分：{stays}"),
        Some(RecallAbility::None(why)) => format!("撤不回来：{why}"),
        None => "渠道现在用不了".to_owned(),
    }
}

/// What happened to a delivery once.
#[derive(Debug, Serialize, ToSchema)]
pub struct AttemptView {
    /// When.
    at: String,
    /// The number of the attempt at that time.
    attempt: u32,
    /// From which state.
    from: String,
    /// To which state.
    to: String,
    /// Who: a worker or a person.
    actor: String,
    /// What was said.
    message: String,
    /// The sort of failure.
    error_class: Option<String>,
}

/// A delivery with its history.
#[derive(Debug, Serialize, ToSchema)]
pub struct OneView {
    /// The delivery.
    delivery: DeliveryView,
    /// What is known where its end is not.
    evidence: Vec<String>,
    /// What may be done: `published`, `not-published`, `retry`, `cancel`.
    choices: Vec<&'static str>,
    /// Everything that happened, in order.
    attempts: Vec<AttemptView>,
}

/// One delivery with everything that happened to it.
#[utoipa::path(get, path = "/api/v1/deliveries/{id}", tag = "deliveries",
    params(("id" = String, Path, description = "投递号，开头几位就行")),
    responses((status = 200, body = OneView), (status = 404, body = super::super::api::Problem)))]
pub(in super::super) async fn api_one(
    State(desk): State<Desk>,
    Path(id): Path<String>,
) -> Result<Json<OneView>, Trouble> {
    let row = find(&desk, &id).await?;
    let lines = desk.publisher().store.attempts(&row.delivery.id).await?;
    let choices = Choices::of(row.delivery.state);
    let named = [
        ("published", choices.resolve || choices.out_after_all),
        ("not-published", choices.resolve),
        ("retry", choices.retry),
        ("cancel", choices.cancel),
    ];
    Ok(Json(OneView {
        evidence: evidence(&desk, &row.delivery, &lines),
        choices: named.into_iter().filter(|(_, may)| *may).map(|(name, _)| name).collect(),
        attempts: lines
            .into_iter()
            .map(|line| AttemptView {
                at: line.at.to_string(),
                attempt: line.attempt,
                from: line.from.as_str().to_owned(),
                to: line.to.as_str().to_owned(),
                actor: line.actor,
                message: line.message,
                error_class: line.error_class,
            })
            .collect(),
        delivery: row.into(),
    }))
}
