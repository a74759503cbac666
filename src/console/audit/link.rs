//! Everything behind one delivery, as far as a branch is concerned.

use crate::{
    console::{Desk, trouble::Trouble},
    model::{Approval, BranchId, Decision, LessonId, Listing, Manifest},
    store::{Confirmation, Display, Out, Review},
    work::{
        clock::shanghai,
        feeds::is_given,
        history::History,
        hung::{End, EndWhy},
        people::Called,
        registered::Registered,
        take_down::Part,
    },
};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

/// So many files are listed of one delivery among others.
const FILES: usize = 8;

/// A signature.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Signature {
    /// The step.
    pub step: String,
    /// Who.
    pub by: String,
    /// `approved` or `rejected`.
    pub decision: &'static str,
    /// When, RFC 3339.
    #[schema(value_type = String)]
    pub at: Timestamp,
    /// Until when it counted.
    #[schema(value_type = String)]
    pub until: Timestamp,
}

/// A file that the branch was given.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = AuditFile)]
pub struct Given {
    /// Its path.
    pub path: String,
    /// Its digest.
    pub sha256: String,
    /// Where it can be seen.
    pub href: String,
    /// On which screens its player says that it stood, and how long in all, in Chinese; empty where
    /// no player told.
    pub shown: Vec<String>,
}

/// Until when something could be seen.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = AuditEnd)]
pub struct Ended {
    /// When, RFC 3339.
    #[schema(value_type = String)]
    pub at: Timestamp,
    /// `replaced` by something newer, `recalled`, or `over`: its last day had passed.
    pub why: &'static str,
    /// The delivery that took its place.
    pub by: Option<String>,
}

/// Something that was out at the branch on that day, and everything behind it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = AuditLink)]
pub struct Link {
    /// The delivery.
    pub delivery: String,
    /// The channel.
    pub channel: String,
    /// How far it got, in Chinese.
    pub state: String,
    /// When it was due.
    #[schema(value_type = String)]
    pub slot: Timestamp,
    /// When the far side said that it was out.
    #[schema(value_type = Option<String>)]
    pub out_at: Option<Timestamp>,
    /// Until when it could be seen, as far as is known.
    pub end: Option<Ended>,
    /// When it was taken down.
    #[schema(value_type = Option<String>)]
    pub recalled_at: Option<Timestamp>,
    /// The far side's name for it.
    pub remote: Option<String>,
    /// The manifest: what was approved.
    pub manifest: String,
    /// The approval number.
    pub number: String,
    /// The digest of the frozen content.
    pub revision: String,
    /// The rules that the texts were checked under.
    pub rule_pack: String,
    /// What the lessons were called in the frozen content.
    pub titles: Vec<String>,
    /// The lessons with audience, version and digest of their sources.
    pub lessons: Vec<String>,
    /// Who signed.
    pub signatures: Vec<Signature>,
    /// What the branch was given.
    pub files: Vec<Given>,
    /// What the branch confirmed.
    pub confirmations: Vec<String>,
    /// Whether something newer had its place by then: a screen of the branch went on with it.
    pub replaced: bool,
    /// Whether the branch stood in the register that was frozen with it.
    pub registered: bool,
}

impl Link {
    /// The files that are listed: each, or the first few and all that a player told of.
    pub(super) fn listed(&self, all: bool) -> Vec<&Given> {
        let files = self.files.iter().enumerate();
        let files = files.filter(|(place, one)| all || *place < FILES || !one.shown.is_empty());
        files.map(|(_, file)| file).collect()
    }
}

/// A branch on a day, with what its players told.
pub(super) struct Asking<'d> {
    pub(super) desk: &'d Desk,
    pub(super) branch: &'d BranchId,
    pub(super) known: &'d Registered,
    pub(super) displays: &'d [Display],
    pub(super) called: &'d Called,
    pub(super) history: &'d History,
}

impl Asking<'_> {
    /// Everything behind one delivery; without files where the branch had nothing of it.
    pub(super) async fn link(&self, out: &Out, manifest: &Manifest) -> Result<Link, Trouble> {
        let publisher = self.desk.publisher();
        let store = &publisher.store;
        let delivery = store.delivery(&out.delivery).await?;
        let review = store.review_of_manifest(&out.manifest).await?;
        let approvals = store.approvals(&out.manifest).await?;
        let mut own = store.confirmations(delivery.key.digest()).await?;
        own.retain(|one| one.branch == *self.branch);
        let registered = self.is_registered(review.as_ref()).await;
        let mut files = self.files(out, manifest);
        // A branch that was closed before, and one that nobody had heard of, had no part in it.
        let told = !own.is_empty() || files.iter().any(|file| !file.shown.is_empty());
        if !registered && !self.known.today && !told {
            files.clear();
        }
        Ok(Link {
            replaced: false,
            registered,
            delivery: out.delivery.clone(),
            channel: out.channel.to_string(),
            state: out.state.label().to_owned(),
            slot: out.slot,
            out_at: self.history.out_at(&out.delivery),
            end: publisher.end_at(self.history, out, self.branch).await?.map(ended),
            recalled_at: self.history.recalled_at(&out.delivery),
            remote: delivery.remote_ref,
            manifest: out.manifest.to_string(),
            number: manifest.number.clone(),
            titles: self.titles(review.as_ref(), manifest).await,
            revision: review.map(|review| review.revision.to_string()).unwrap_or_default(),
            rule_pack: manifest.rule_pack.clone(),
            lessons: lessons(manifest),
            signatures: approvals.iter().map(|one| signature(one, self.called)).collect(),
            files,
            confirmations: own.into_iter().map(confirmation).collect(),
        })
    }

    /// Whether the branch stood in the register that was frozen; where nobody can tell any more,
    /// it is not held against the evidence.
    async fn is_registered(&self, review: Option<&Review>) -> bool {
        let Some(review) = review else { return true };
        let register = self.desk.publisher().register_of(&review.revision).await;
        register.map_or(true, |register| register.contains_key(self.branch))
    }

    /// What the lessons were called when they were frozen.
    async fn titles(&self, review: Option<&Review>, manifest: &Manifest) -> Vec<String> {
        let mut lessons: Vec<LessonId> =
            manifest.lessons.iter().map(|one| one.lesson.clone()).collect();
        lessons.dedup();
        let Some(review) = review else {
            return lessons.iter().map(ToString::to_string).collect();
        };
        self.desk.publisher().frozen_titles(&review.revision, &lessons).await
    }

    pub(super) fn files(&self, out: &Out, manifest: &Manifest) -> Vec<Given> {
        let shared = self.desk.publisher().has_shared_files(&manifest.channel);
        let own = |file: &&Listing| {
            file.branch.as_ref() == Some(self.branch)
                || (shared && is_given(manifest, file, self.branch))
        };
        let given = manifest.files.iter().filter(own).map(|file| Given {
            path: file.path.clone(),
            sha256: file.sha256.to_string(),
            href: format!("/console/outputs/{}/{}", out.manifest, file.sha256),
            shown: shown(&file.sha256.to_string(), self.displays),
        });
        given.collect()
    }
}

fn ended(end: End) -> Ended {
    let (why, by) = match end.why {
        EndWhy::Replaced(by) => ("replaced", Some(by)),
        EndWhy::Recalled => ("recalled", None),
        EndWhy::Over => ("over", None),
    };
    Ended { at: end.at, why, by }
}

fn lessons(manifest: &Manifest) -> Vec<String> {
    let told = manifest.lessons.iter().map(|one| {
        format!("{}（{}）v{} {}", one.lesson, one.audience.label(), one.version, one.digest)
    });
    told.collect()
}

fn confirmation(one: Confirmation) -> String {
    let what = if one.what == "posted" { "已上墙" } else { "已撤下" };
    let at = shanghai(one.at).strftime("%Y-%m-%d %H:%M").to_string();
    let part = match one.lesson.as_deref().map(Part::read) {
        Some(Ok(Part::Output(output))) => output.label().to_owned(),
        _ => one.lesson.unwrap_or_default(),
    };
    format!("{what} {part} {} {at}", one.by)
}

fn signature(approval: &Approval, called: &Called) -> Signature {
    Signature {
        step: approval.step.clone(),
        by: called.one(&approval.actor),
        decision: match approval.decision {
            Decision::Approved => "approved",
            Decision::Rejected => "rejected",
        },
        at: approval.at,
        until: approval.expires_at,
    }
}

/// On which screens a poster stood, how often and how long.
fn shown(sha256: &str, displays: &[Display]) -> Vec<String> {
    let mut screens: Vec<(&str, u32, i64)> = Vec::new();
    for display in displays.iter().filter(|display| display.sha256 == sha256) {
        let seconds = display.from.duration_until(display.until).as_secs();
        match screens.iter_mut().find(|(screen, _, _)| *screen == display.screen) {
            Some((_, times, sum)) => {
                *times += 1;
                *sum += seconds;
            }
            None => screens.push((&display.screen, 1, seconds)),
        }
    }
    let told = screens.into_iter().map(|(screen, times, seconds)| {
        format!("{screen}：{times} 次，共 {} 分 {} 秒", seconds / 60, seconds % 60)
    });
    told.collect()
}
