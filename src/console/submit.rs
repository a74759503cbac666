//! Handing slots and campaigns to the reviewers: chosen on a page, rendered in the background.

use super::{
    Desk,
    asked::{Asked, trimmed},
    caller::Caller,
    filters,
    jobs::{self, Again, Job, JobLine, Kind, Wish},
    page::{Page, Shown, render},
    sent::Sent,
    trouble::Trouble,
    week::standing::{Mark, mark},
};
use crate::{
    model::{Digest, PersonId},
    work::{Content, Subject, WorkError, slots::ComingSlot},
};
use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use std::{collections::BTreeSet, sync::Arc};
use utoipa::ToSchema;

/// How far ahead slots can be chosen.
const AHEAD: SignedDuration = SignedDuration::from_hours(24 * 70);
/// So many slots of each schedule are shown.
const SLOTS: usize = 10;

/// A slot that can be submitted.
struct Choice {
    slot: ComingSlot,
    titles: String,
    mark: Mark,
    chosen: bool,
}

/// A schedule and its next slots.
struct Offer {
    name: String,
    campaign: String,
    choices: Vec<Choice>,
}

#[derive(Template)]
#[template(path = "console/html/submit.html")]
struct SubmitPage {
    page: Page,
    offers: Vec<Offer>,
    campaigns: Vec<(String, String)>,
    name: String,
    faults: Vec<String>,
}

/// What the page shows chosen, and why what was sent was not done.
#[derive(Default)]
struct Chosen {
    name: String,
    slots: Vec<Timestamp>,
    /// Whether that is what somebody sent, even if it is nothing.
    sent: bool,
    status: StatusCode,
    faults: Vec<String>,
}

/// `GET /console/submit`
pub(super) async fn page(
    State(desk): State<Desk>,
    shown: Shown,
    caller: Caller,
    asked: Asked,
) -> Result<Response, Trouble> {
    let slots = asked.text("slot").parse::<Timestamp>().into_iter().collect();
    let name = trimmed(asked.text("name"), 100);
    show(&desk, &shown, caller, Chosen { name, slots, ..Chosen::default() }).await
}

async fn show(
    desk: &Desk,
    shown: &Shown,
    caller: Caller,
    chosen: Chosen,
) -> Result<Response, Trouble> {
    let content = desk.content().await?;
    let publisher = desk.publisher();
    let now = publisher.store.now().await?;
    let until = now.checked_add(AHEAD).unwrap_or(Timestamp::MAX);
    let coming = publisher.coming_slots(&content, now, until).await?;
    let Chosen { name, slots, sent, status, faults } = chosen;
    let mut offers: Vec<Offer> = Vec::new();
    for slot in coming {
        let schedule = slot.schedule.to_string();
        let index = offers.iter().position(|offer| offer.name == schedule).unwrap_or_else(|| {
            let campaign = slot.name.clone();
            offers.push(Offer { name: schedule.clone(), campaign, choices: Vec::new() });
            offers.len() - 1
        });
        if offers[index].choices.len() < SLOTS {
            let titles = super::titles(&content.library, &slot.lessons);
            let mark = mark(&slot);
            let chosen = name == schedule && slots.contains(&slot.slot);
            offers[index].choices.push(Choice { slot, titles, mark, chosen });
        }
    }
    if !sent {
        preselect(&mut offers);
    }
    let editions = content.library.campaigns.iter().flat_map(|series| &series.editions);
    let today = publisher.today().await?;
    let open = editions.filter(|edition| edition.until >= today);
    let campaigns = open.map(|edition| (edition.id.to_string(), edition.name.clone())).collect();
    let page = Page::new(desk, shown, Some(caller), ("送审", "Submit for review")).await;
    let mut answer = render(&SubmitPage { page, offers, campaigns, name, faults })?;
    *answer.status_mut() = status;
    Ok(answer)
}

/// Ticks the next slot of each schedule that nobody has handed in as it is now, unless a slot was
/// asked for.
fn preselect(offers: &mut [Offer]) {
    if offers.iter().flat_map(|offer| &offer.choices).any(|choice| choice.chosen) {
        return;
    }
    for offer in offers {
        let open =
            |choice: &&mut Choice| matches!(choice.mark.name, "planned" | "changed" | "returned");
        if let Some(next) = offer.choices.iter_mut().find(open) {
            next.chosen = true;
        }
    }
}

/// What is handed to the reviewers.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct Submitting {
    /// A schedule, or a campaign edition.
    #[serde(default)]
    name: String,
    /// The slots of the schedule, by their own moments; none for a campaign.
    #[serde(default)]
    slot: Vec<String>,
}

/// `POST /console/submit`
pub(super) async fn submit(
    State(desk): State<Desk>,
    shown: Shown,
    caller: Caller,
    Sent(submitting): Sent<Submitting>,
) -> Result<Response, Trouble> {
    match start(&desk, &caller, &submitting).await {
        Ok(job) => Ok(jobs::lead_to(&job)),
        Err(Trouble { status, what, .. }) if status.is_client_error() => {
            let slots = submitting.slot.iter().take(60);
            let chosen = Chosen {
                name: trimmed(&submitting.name, 100),
                slots: slots.filter_map(|slot| slot.parse().ok()).collect(),
                sent: true,
                status,
                faults: what,
            };
            show(&desk, &shown, caller, chosen).await
        }
        Err(trouble) => Err(trouble),
    }
}

/// Renders and submits in the background; the lines of the job name the submissions.
#[utoipa::path(post, path = "/api/v1/submissions", tag = "reviews", request_body = Submitting,
    responses((status = 202, body = jobs::JobView), (status = 404, body = super::api::Problem),
        (status = 422, body = super::api::Problem)))]
pub(super) async fn api_submit(
    State(desk): State<Desk>,
    caller: Caller,
    Sent(submitting): Sent<Submitting>,
) -> Result<Response, Trouble> {
    Ok(jobs::accepted(&*start(&desk, &caller, &submitting).await?))
}

async fn start(desk: &Desk, caller: &Caller, submitting: &Submitting) -> Result<Arc<Job>, Trouble> {
    let name = trimmed(&submitting.name, 100);
    // The newest text, not the one that was read some seconds ago.
    desk.content_changed();
    let content = desk.content().await?;
    let subject = desk.publisher().subject(&content, &name)?;
    let mut slots = BTreeSet::new();
    let mut faults = Vec::new();
    for text in submitting.slot.iter().take(60) {
        match text.parse::<Timestamp>() {
            Ok(slot) => drop(slots.insert(slot)),
            Err(_) => faults.push(format!("“{}”不是时间", trimmed(text, 30))),
        }
    }
    if subject.schedule.is_some() && slots.is_empty() && faults.is_empty() {
        faults.push("没有选哪一次：至少勾一次".to_owned());
    }
    if !faults.is_empty() {
        return Err(Trouble::wrong_list(faults));
    }
    if subject.schedule.is_none() {
        slots = BTreeSet::from([desk.publisher().store.now().await?]);
    }
    let author = caller.person.id.clone();
    let asked: Vec<String> = slots.iter().map(ToString::to_string).collect();
    let request = Digest::of_fields(asked.iter().map(String::as_bytes));
    let work = move |desk: Desk, job: Arc<Job>| async move {
        carry_out(&desk, &job, &content, &subject, &slots, &author).await
    };
    let slots = submitting.slot.iter().take(60).map(|slot| ("slot".to_owned(), trimmed(slot, 40)));
    let fields = std::iter::once(("name".to_owned(), name.clone())).chain(slots).collect();
    let again = Again { action: "/console/submit".to_owned(), look: false, fields };
    let wish = Wish { subject: &name, request, again };
    desk.start_job(Kind::Submit, wish, caller, work).await
}

/// Submits slot after slot; slots with the same lessons once.
async fn carry_out(
    desk: &Desk,
    job: &Job,
    content: &Content,
    subject: &Subject,
    slots: &BTreeSet<Timestamp>,
    author: &PersonId,
) -> Result<(), Trouble> {
    job.doing("等前面的排版做完");
    let _turn = desk.rendering().lock().await;
    let publisher = desk.publisher();
    let mut faults = Vec::new();
    let mut done = BTreeSet::new();
    for slot in slots {
        let lessons = subject.lessons_at(*slot);
        if !done.insert(lessons.clone()) {
            continue;
        }
        let titles = super::titles(&content.library, &lessons);
        job.doing(format!("排版并核对：{titles}"));
        job.reached(0, 0);
        let submitted = match subject.outline(content, &lessons) {
            Ok(outline) => {
                let watch = |done, total| job.reached(done, total);
                publisher.submit(content, &outline, author, &watch).await
            }
            Err(error) => Err(error),
        };
        match submitted {
            Ok((review, plan)) => {
                let bytes: u64 = plan.channels.iter().map(crate::work::ChannelPlan::bytes).sum();
                let files: usize =
                    plan.channels.iter().map(|channel| channel.manifest.files.len()).sum();
                for warning in plan.outline.warnings() {
                    let subject = review.number.clone();
                    job.say(JobLine {
                        subject,
                        ok: true,
                        text: format!("注意：{warning}"),
                        link: None,
                    });
                }
                let number = url::form_urlencoded::byte_serialize(review.number.as_bytes());
                job.say(JobLine {
                    link: Some(format!("/console/reviews/{}", number.collect::<String>())),
                    subject: review.number,
                    ok: true,
                    text: format!(
                        "{titles}：{} 个渠道，{files} 个文件，{:.1} MB，等审查人签字",
                        plan.channels.len(),
                        bytes as f64 / 1_048_576.0
                    ),
                });
            }
            Err(WorkError::Faults(more)) => {
                faults.extend(more.into_iter().map(|fault| format!("{titles}：{fault}")));
            }
            Err(error) => return Err(error.into()),
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(Trouble::wrong_list(faults)) }
}
