//! A number is changed: the file at once, then, by the service, what follows from it.
//!
//! Everything that is to be done is in the ledger before it is begun, step by step: a service that
//! was stopped goes on where it was.

use super::{Carrier, HotlineCache, edit};
use crate::{
    build::write_whole,
    model::{Digest, HotlineId, LessonId},
    store::{HotlineChange, Out},
    work::{Content, Publisher, WorkError},
};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::{
    collections::BTreeMap,
    fs,
    sync::{Mutex, PoisonError},
};

/// So many slots ahead are looked at for submissions that show the old number.
const AHEAD: usize = 8;

/// What is to be written.
#[derive(Debug, Clone)]
pub struct NewNumber {
    /// Which.
    pub hotline: HotlineId,
    /// The number as shown.
    pub number: String,
    /// Where it was found.
    pub source: String,
    /// The day somebody verified it.
    pub verified_on: Date,
    /// Who did.
    pub verified_by: String,
    /// Whether the old outputs come down at once instead of when the new ones are approved.
    pub at_once: bool,
    /// Whether the new outputs go out over the old ones' channels when they are approved.
    pub republish: bool,
}

/// What is to be done about a change.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ChangePlan {
    /// The number as it was.
    pub was: String,
    /// The number as it is.
    pub becomes: String,
    /// Whether the old outputs come down at once.
    pub at_once: bool,
    /// Whether the new outputs go out by themselves when they are approved.
    pub republish: bool,
    /// What is made again together.
    pub groups: Vec<Group>,
}

/// What is submitted together.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Group {
    /// The schedule, or the campaign edition.
    pub subject: String,
    /// The lessons.
    pub lessons: Vec<String>,
    /// The deliveries that show the old number.
    pub deliveries: Vec<String>,
    /// Their channels.
    pub channels: Vec<String>,
    /// How far it is.
    pub state: GroupState,
    /// The submission that takes their place.
    pub review: Option<String>,
    /// The occurrence of the new outputs.
    pub published: Option<String>,
    /// Whether those that were not out yet were called off.
    #[serde(default)]
    pub stopped: bool,
    /// Whether the old ones were taken down.
    pub recalled: bool,
    /// What happened, in Chinese.
    pub notes: Vec<String>,
}

/// How far a group is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GroupState {
    /// To be made and submitted.
    Waiting,
    /// Submitted.
    Submitted,
    /// Nothing is left to do.
    Done,
    /// It needs a person; then it is tried again.
    Failed,
}

impl GroupState {
    /// For people: Chinese, English.
    #[must_use]
    pub fn labels(self) -> (&'static str, &'static str) {
        match self {
            Self::Waiting => ("等着重新生成", "To be made again"),
            Self::Submitted => ("已送审，等批准", "Submitted, waiting for approval"),
            Self::Done => ("办完了", "Done"),
            Self::Failed => ("没有办成", "Not done"),
        }
    }
}

/// What is being made just now: the change, files settled, of how many.
pub type Stage = (String, usize, usize);

static STAGE: Mutex<Option<Stage>> = Mutex::new(None);

/// What is being made in this process just now.
#[must_use]
pub fn changing() -> Option<Stage> {
    STAGE.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

pub(super) fn set_stage(stage: Option<Stage>) {
    *STAGE.lock().unwrap_or_else(PoisonError::into_inner) = stage;
}

/// The name that a delivery's subject has now.
fn subject_of(content: &Content, live: &Out) -> String {
    let named = |name: &str| {
        let mut schedules = content.schedules.iter();
        schedules.find(|entry| entry.id.as_str() == name).map(|entry| entry.id.to_string())
    };
    let own = live.schedule.as_str();
    let stands_for = own.strip_prefix("publish-").and_then(named);
    named(own).or(stands_for).unwrap_or_else(|| live.campaign.to_string())
}

impl Publisher {
    /// What would be made again and taken down: deliveries that show another number than this one;
    /// and what was submitted for the slots ahead.
    ///
    /// # Errors
    /// The ledger's.
    pub async fn hotline_groups(
        &self,
        content: &Content,
        cache: &HotlineCache,
        hotline: &HotlineId,
        number: &str,
    ) -> Result<(Vec<Carrier>, Vec<Group>), WorkError> {
        let carriers = self.carriers(content, cache).await?;
        let shows = |one: &&Carrier| one.numbers.get(hotline).is_some_and(|was| was != number);
        let carriers: Vec<Carrier> = carriers.iter().filter(shows).cloned().collect();
        let mut groups: BTreeMap<(String, Vec<String>), Group> = BTreeMap::new();
        for carrier in &carriers {
            let subject = subject_of(content, &carrier.live);
            let group = group(&mut groups, subject, &carrier.live.lessons);
            group.deliveries.push(carrier.live.delivery.clone());
            let channel = carrier.live.channel.to_string();
            if !group.channels.contains(&channel) {
                group.channels.push(channel);
            }
        }
        for (subject, lessons) in self.submitted_ahead(content).await? {
            group(&mut groups, subject, &lessons);
        }
        Ok((carriers, groups.into_values().collect()))
    }

    /// What was submitted for the slots ahead. Approvals are of every byte that decides an output,
    /// `hotlines.toml` among them: with any change of the file they hold no more.
    async fn submitted_ahead(
        &self,
        content: &Content,
    ) -> Result<Vec<(String, Vec<LessonId>)>, WorkError> {
        let now = self.store.now().await?;
        let mut ahead = Vec::new();
        for entry in content.enabled_schedules() {
            let name = entry.id.to_string();
            let Ok(subject) = self.subject(content, &name) else { continue };
            for slot in self.next_slots(content, &subject, now, AHEAD).await? {
                let Ok(outline) = subject.outline(content, &slot.lessons) else { continue };
                if self.store.review_of_plan(&outline.key).await?.is_some() {
                    ahead.push((name.clone(), slot.lessons));
                }
            }
        }
        Ok(ahead)
    }

    /// Changes the number in `hotlines.toml` and notes what follows; the service does it.
    ///
    /// # Errors
    /// [`WorkError::Faults`] where the file cannot be changed like that; nothing is changed then.
    pub async fn change_hotline(
        &self,
        content: &Content,
        cache: &HotlineCache,
        new: &NewNumber,
        actor: &str,
    ) -> Result<HotlineChange, WorkError> {
        let path = self.config.content.join("hotlines.toml");
        let wrap = |source| WorkError::File { path: path.clone(), source };
        let old = fs::read_to_string(&path).map_err(wrap)?;
        let text = edit::edited(
            &old,
            &new.hotline,
            &[
                ("number", edit::quoted(&new.number)),
                ("source", edit::quoted(&new.source)),
                ("verified_on", new.verified_on.to_string()),
                ("verified_by", edit::quoted(&new.verified_by)),
            ],
        )?;
        let was = content.library.hotline(&new.hotline).map(|hotline| hotline.number.clone());
        let was = was.ok_or_else(|| WorkError::Unknown(format!("没有热线 {}", new.hotline)))?;
        let (_, groups) = self.hotline_groups(content, cache, &new.hotline, &new.number).await?;
        let before = self.store.put_blob(old.as_bytes()).await?;
        let after = self.store.put_blob(text.as_bytes()).await?;
        let plan = ChangePlan {
            was,
            becomes: new.number.clone(),
            at_once: new.at_once,
            republish: new.republish,
            groups,
        };
        let at = self.store.now().await?;
        let fields = [new.hotline.as_str(), &after.to_string(), &at.to_string()].map(str::to_owned);
        let id = Digest::of_fields(fields.iter().map(String::as_bytes)).to_string();
        let change = HotlineChange {
            id: id.chars().take(12).collect(),
            hotline: new.hotline.clone(),
            actor: actor.to_owned(),
            at,
            open: !plan.groups.is_empty(),
            plan: json_of(&plan)?,
        };
        let note =
            |number: &str, file: &Digest| json!({ "number": number, "file": file.to_string() });
        let became = json!({
            "number": new.number, "file": after.to_string(), "at_once": new.at_once,
            "republish": new.republish, "verified_on": new.verified_on.to_string(),
            "verified_by": new.verified_by, "groups": plan.groups.len(),
        });
        self.store.add_hotline_change(&change, &note(&plan.was, &before), &became).await?;
        if let Err(source) = write_whole(&path, text.as_bytes()) {
            let mut failed = change.clone();
            failed.open = false;
            self.store.save_hotline_change(&failed, at).await?;
            let subject = format!("hotline/{}", new.hotline);
            let note = format!("文件没有写成，什么都没有改：{source}");
            self.store.audit(actor, "hotline.failed", &subject, &note).await?;
            return Err(wrap(source));
        }
        // It may be taken up now.
        self.store.save_hotline_change(&change, at).await?;
        Ok(change)
    }
}

/// What is to be done about a change.
///
/// # Errors
/// [`WorkError::Manifest`] where the ledger's text cannot be read.
pub fn plan_of(change: &HotlineChange) -> Result<ChangePlan, WorkError> {
    serde_json::from_str(&change.plan).map_err(|error| WorkError::Manifest(error.to_string()))
}

pub(super) fn json_of(plan: &ChangePlan) -> Result<String, WorkError> {
    serde_json::to_string(plan).map_err(|error| WorkError::Manifest(error.to_string()))
}

pub(super) fn lessons_of(group: &Group) -> Result<Vec<LessonId>, WorkError> {
    Ok(group.lessons.iter().map(|id| LessonId::new(id)).collect::<Result<_, _>>()?)
}

fn group<'g>(
    groups: &'g mut BTreeMap<(String, Vec<String>), Group>,
    subject: String,
    lessons: &[LessonId],
) -> &'g mut Group {
    let lessons: Vec<String> = lessons.iter().map(ToString::to_string).collect();
    groups.entry((subject.clone(), lessons.clone())).or_insert_with(|| Group {
        subject,
        lessons,
        deliveries: Vec::new(),
        channels: Vec::new(),
        state: GroupState::Waiting,
        review: None,
        published: None,
        stopped: false,
        recalled: false,
        notes: Vec::new(),
    })
}
