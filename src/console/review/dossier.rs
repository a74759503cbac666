//! A submission with everything that belongs to it: what is signed, how it looks, what the check
//! says, where its facts come from, what changed since it was last approved.

use super::{
    basis::{Against, Bases, Returned},
    carried::{Carried, carried},
    compared::compared,
    judged::judged,
    place::{self, Replaced},
    queue,
    source::{self, Found, Said, Text},
    specimens::{Gone, Specimen},
    texts::{Claim, claims, texts},
};
use crate::{
    console::{Desk, caller::Caller, permit::Action, trouble::Trouble},
    model::{Approval, Decision, Digest, PersonId, ReviewStep},
    review::{self, may_settle, step_name},
    store::{Remark, Review},
    work::{Content, people::Called},
};
use jiff::Timestamp;
use serde::Serialize;
use std::{collections::BTreeMap, sync::Arc};
use utoipa::ToSchema;

/// A step of review.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ReviewStep)]
pub struct Step {
    /// What it is called, with its department.
    pub name: String,
    /// Who decided last.
    pub by: Option<String>,
    /// What: `approved`, `rejected`.
    pub decision: Option<&'static str>,
    /// Their words.
    pub note: String,
    /// When, RFC 3339.
    #[schema(value_type = Option<String>)]
    pub at: Option<Timestamp>,
    /// Until when it counts.
    #[schema(value_type = Option<String>)]
    pub until: Option<Timestamp>,
}

/// Somebody who may not sign.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ReviewHand)]
pub struct Hand {
    /// Who.
    pub name: String,
    /// Why: what they had a hand in.
    pub why: Vec<String>,
    /// Whether it is whoever asks.
    pub me: bool,
}

/// A submission with everything that belongs to it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Review)]
pub struct Dossier {
    /// The approval number.
    pub number: String,
    /// The campaign edition.
    pub campaign: String,
    /// The lessons.
    pub lessons: Vec<String>,
    /// Their titles.
    pub titles: Vec<String>,
    /// Who submitted.
    pub author: String,
    /// Who may not sign, and why.
    pub excluded: Vec<Hand>,
    /// When, RFC 3339.
    #[schema(value_type = String)]
    pub submitted_at: Timestamp,
    /// `approved`, `waiting`, `returned`, `expired`, or `replaced` by newer submissions.
    pub state: &'static str,
    /// The same in Chinese, with what is missing.
    pub standing: String,
    /// The channels that newer submissions carry; approving is refused where it is all of them.
    pub replaced: Vec<Replaced>,
    /// The files that were changed in the content folder since it was submitted, in Chinese. What
    /// is signed is what was submitted all the same.
    pub changed_since: Vec<String>,
    /// Why the submission before was returned, where nothing was approved since.
    pub returned: Option<Returned>,
    /// A digest over all manifests: to be sent with a decision, so that what is decided is what
    /// was shown.
    pub shown: String,
    /// The steps.
    pub steps: Vec<Step>,
    /// The manifests.
    pub channels: Vec<Carried>,
    /// How it looks, and what became of it since the last approval.
    pub specimens: Vec<Specimen>,
    /// What was approved before and is not in this submission.
    pub gone: Vec<Gone>,
    /// What the check says of sources and finished texts, errors first.
    pub findings: Vec<Found>,
    /// Where the facts come from.
    pub claims: Vec<Claim>,
    /// The number of the submission that texts and outputs are compared with.
    pub compared_with: Option<String>,
    /// What became of that one: `approved`, `returned`.
    pub compared_is: Option<&'static str>,
    /// Whether something was returned since something was approved, so that there are two to
    /// compare with.
    #[serde(skip)]
    pub(super) compares_two: bool,
    /// The texts.
    pub texts: Vec<Text>,
    /// Remarks, those on lines included.
    pub remarks: Vec<Said>,
    /// Open remarks on earlier submissions of these lessons.
    pub earlier_remarks: Vec<Said>,
    /// How many are open, those on earlier submissions included: approving then takes
    /// `despite_remarks`.
    pub open_remarks: usize,
    /// The step that whoever asks would sign.
    pub mine: Option<String>,
    /// What they have decided about it: `approved`, while it counts, or `rejected`.
    pub own_decision: Option<&'static str>,
    /// Why they may not sign.
    pub refusal: Option<String>,
}

/// A digest over what a decision is about.
#[must_use]
pub(super) fn shown(review: &Review) -> String {
    let fields: Vec<Vec<u8>> = review
        .manifests
        .iter()
        .flat_map(|(channel, hash)| [channel.as_str().into(), hash.as_bytes().to_vec()])
        .collect();
    Digest::of_fields(fields.iter().map(Vec::as_slice)).to_string()
}

/// Gathers everything.
///
/// # Errors
/// [`Trouble`] 404 where there is no such number.
pub(super) async fn dossier(
    desk: &Desk,
    caller: &Caller,
    number: &str,
    against: Against,
) -> Result<Dossier, Trouble> {
    let publisher = desk.publisher();
    let review = find(desk, number).await?;
    let content = desk.content_of(&review).await?;
    let now = publisher.store.now().await?;
    let approvals = approvals(desk, &review).await?;
    let standing = review::standing(&review.steps, &approvals, &review.excluded, now);
    let able = review::may_decide(&caller.person, &review.steps, &approvals, &review.excluded);
    let judged = judged(desk, &review, &content).await?;
    let called = publisher.called().await?;
    let own = publisher.store.remarks(&review.number).await?;
    let remarks = said(desk, caller, &called, &own).await?;
    let earlier = publisher.earlier_remarks(&review).await?;
    let earlier_remarks = said(desk, caller, &called, &earlier).await?;
    let own_open = remarks.iter().filter(|remark| remark.settled.is_none()).count();
    let bases = Bases::of(desk, &review, &called).await?;
    let basis = bases.choose(against);
    let previous = basis.as_ref().map(|basis| &basis.review);
    let successors = publisher.store.successors(&review.number).await?;
    let (state, standing) = place::state(&standing, &successors);
    let channels = carried(desk, &review, &content).await?;
    let compared = compared(desk, &content, &review, previous, &judged).await?;
    let findings = shown_in(&judged.findings, &compared.specimens);
    let texts = texts(desk, &review, previous, &findings, &remarks).await?;
    Ok(Dossier {
        number: review.number.clone(),
        campaign: review.campaign.to_string(),
        lessons: review.lessons.iter().map(ToString::to_string).collect(),
        titles: queue::titles(&content, &review),
        author: called.one(&review.author),
        excluded: hands(&review, &called, caller),
        submitted_at: review.submitted_at,
        state,
        standing,
        replaced: place::replaced(&successors),
        changed_since: place::changed_since(desk, &review).await?,
        returned: bases.returned(),
        shown: shown(&review),
        steps: steps(&review, &approvals, &called),
        channels,
        specimens: compared.specimens,
        gone: compared.gone,
        findings,
        claims: claims(&content, &review, &texts),
        compared_is: basis.as_ref().map(|basis| basis.kind),
        compared_with: basis.map(|basis| basis.review.number),
        compares_two: bases.are_both(),
        texts,
        open_remarks: own_open + earlier_remarks.len(),
        remarks,
        earlier_remarks,
        refusal: able.as_ref().err().map(ToString::to_string),
        own_decision: place::own_decision(&approvals, &caller.person.id, now),
        mine: able.ok().map(|step| step_name(&step)),
    })
}

/// The decisions about a submission: all its manifests are decided together.
async fn approvals(desk: &Desk, review: &Review) -> Result<Vec<Approval>, Trouble> {
    match review.manifests.first() {
        Some((_, manifest)) => Ok(desk.publisher().store.approvals(manifest).await?),
        None => Ok(Vec::new()),
    }
}

/// Who may not sign and why, in the words that were frozen with the submission.
fn hands(review: &Review, called: &Called, caller: &Caller) -> Vec<Hand> {
    let hand = |person: &PersonId| {
        let own = review.reasons.iter().filter(|(id, _)| id == person);
        let mut why: Vec<String> = own.map(|(_, why)| why.clone()).collect();
        if why.is_empty() {
            let author = *person == review.author;
            why.push(if author { "送审的人" } else { "送审过同一课的稿子，或改过稿" }.to_owned());
        }
        Hand { name: called.one(person), why, me: *person == caller.person.id }
    };
    review.excluded.iter().map(hand).collect()
}

/// Remarks with names, and whether whoever asks may settle each.
async fn said(
    desk: &Desk,
    caller: &Caller,
    called: &Called,
    remarks: &[Remark],
) -> Result<Vec<Said>, Trouble> {
    let mut reviews: BTreeMap<&str, Review> = BTreeMap::new();
    let mut said = Vec::new();
    for remark in remarks {
        if !reviews.contains_key(remark.review.as_str()) {
            reviews.insert(&remark.review, find(desk, &remark.review).await?);
        }
        let review = &reviews[remark.review.as_str()];
        let may = caller.may(Action::Remark)
            && may_settle(&caller.person, &remark.author, &review.steps, &review.excluded).is_ok();
        said.push(source::said(remark, called, may));
    }
    Ok(said)
}

/// The steps, each with the last decision on it.
fn steps(review: &Review, approvals: &[Approval], called: &Called) -> Vec<Step> {
    let step = |step: &ReviewStep| {
        let last = approvals.iter().filter(|one| one.step == step.name).max_by_key(|one| one.at);
        Step {
            name: step_name(step),
            by: last.map(|one| called.one(&one.actor)),
            decision: last.map(|one| match one.decision {
                Decision::Approved => "approved",
                Decision::Rejected => "rejected",
            }),
            note: last.map_or(String::new(), |one| one.note.clone()),
            at: last.map(|one| one.at),
            until: last.map(|one| one.expires_at),
        }
    };
    review.steps.iter().map(step).collect()
}

/// The submission of that number.
pub(super) async fn find(desk: &Desk, number: &str) -> Result<Review, Trouble> {
    let review = desk.publisher().store.review(number).await?;
    review.ok_or_else(|| Trouble::missing(format!("没有编号“{number}”的送审记录")))
}

/// The findings, each with the outputs that show its words.
fn shown_in(findings: &[Found], specimens: &[Specimen]) -> Vec<Found> {
    let mut findings = findings.to_vec();
    for specimen in specimens {
        let label = format!("{} {} {}", specimen.label, specimen.audience, specimen.profile);
        let label = label.trim_end();
        let found = specimen.found().into_iter().map(|number| (number, label.to_owned()));
        // A picture's words are not read: it takes over the text, or a part of it.
        let perhaps = specimen.concerns.iter().map(|number| (*number, format!("{label}（可能）")));
        for (number, label) in found.chain(perhaps) {
            let found = number.checked_sub(1).and_then(|index| findings.get_mut(index));
            let outputs = found.map(|found| &mut found.shown_in);
            if let Some(outputs) = outputs.filter(|outputs| !outputs.contains(&label)) {
                outputs.push(label);
            }
        }
    }
    findings
}

impl Desk {
    /// The content that a submission froze; the last ones are kept in memory.
    pub(super) async fn content_of(&self, review: &Review) -> Result<Arc<Content>, Trouble> {
        if let Some(content) = self.past().content(&review.revision) {
            return Ok(content);
        }
        let content = Arc::new(self.publisher().content_of(review).await?);
        self.past().keep_content(review.revision, Arc::clone(&content));
        Ok(content)
    }
}
