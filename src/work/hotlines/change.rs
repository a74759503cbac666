//! A number is changed: the file at once, then, by the service, what follows from it.
//!
//! Everything that is to be done is in the ledger before it is begun, step by step: a service that
//! was stopped goes on where it was.

use super::{
    Carrier, HotlineCache, edit,
    file::why,
    plan::{ChangePlan, Group, GroupState, json_of, plan_of},
};
use crate::{
    model::{Digest, HotlineId, LessonId},
    read,
    store::{ChangeNote, HotlineChange, Out},
    work::{Content, Publisher, WorkError, content_file},
};
use jiff::{Timestamp, civil::Date};
use serde_json::json;
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

/// So often a change is read again where others write it at the same time.
const TRIES: usize = 50;

/// What is to be written.
#[derive(Debug, Clone)]
pub struct NewNumber {
    /// Which.
    pub hotline: HotlineId,
    /// The number as shown.
    pub number: String,
    /// The number that whoever changes it has seen; where it is another by now, nothing is done.
    pub was: Option<String>,
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
        for ahead in self.submitted_ahead(content).await? {
            let group = group(&mut groups, ahead.subject, &ahead.lessons);
            if group.deliveries.is_empty() {
                group.notes.push(ahead.note);
            }
        }
        Ok((carriers, groups.into_values().collect()))
    }

    /// Changes the number in `hotlines.toml` and notes what follows; the service does it.
    ///
    /// # Errors
    /// [`WorkError::Faults`] where the file cannot be changed like that, [`WorkError::Refused`]
    /// where somebody else changed the number or the file meanwhile; nothing is changed then.
    pub async fn change_hotline(
        &self,
        content: &Content,
        cache: &HotlineCache,
        new: &NewNumber,
        actor: &str,
    ) -> Result<HotlineChange, WorkError> {
        let path = self.config.content.join("hotlines.toml");
        let bytes = content_file::bytes_of(&path)?.unwrap_or_default();
        let old = String::from_utf8_lossy(&bytes).into_owned();
        let entry = entry_of(new);
        let values: Vec<_> = entry.iter().map(|(key, text)| (key.as_str(), text.clone())).collect();
        let text = edit::edited(&old, &new.hotline, &values)?;
        // Of the very bytes that are changed, not of what was read some seconds ago.
        let library = read::read_hotlines(&old).library;
        let was = library.hotline(&new.hotline).map(|hotline| hotline.number.clone());
        let was = was.ok_or_else(|| WorkError::Unknown(format!("没有热线 {}", new.hotline)))?;
        if new.was.as_ref().is_some_and(|seen| *seen != was) {
            return Err(WorkError::Refused(format!(
                "号码刚被别人改成了 {was}，没有再改；刷新页面，看过现在的再决定"
            )));
        }
        let (_, groups) = self.hotline_groups(content, cache, &new.hotline, &new.number).await?;
        let before = self.store.put_blob(&bytes).await?;
        let after = self.store.put_blob(text.as_bytes()).await?;
        let plan = ChangePlan {
            was,
            becomes: new.number.clone(),
            at_once: new.at_once,
            republish: new.republish,
            groups,
            entry,
            written: false,
            stuck: None,
            found: None,
            over: None,
            ended: None,
        };
        let at = self.store.now().await?;
        let fields = [new.hotline.as_str(), &after.to_string(), &at.to_string()].map(str::to_owned);
        let id = Digest::of_fields(fields.iter().map(String::as_bytes)).to_string();
        let change = HotlineChange {
            id: id.chars().take(12).collect(),
            hotline: new.hotline.clone(),
            actor: actor.to_owned(),
            at,
            open: true,
            plan: json_of(&plan)?,
        };
        let note =
            |number: &str, file: &Digest| json!({ "number": number, "file": file.to_string() });
        let became = json!({
            "number": new.number, "file": after.to_string(), "at_once": new.at_once,
            "republish": new.republish, "verified_on": new.verified_on.to_string(),
            "verified_by": new.verified_by, "groups": plan.groups.len(), "change": change.id,
        });
        self.store.add_hotline_change(&change, &note(&plan.was, &before), &became).await?;
        self.write_number(&change, (&before, &text)).await
    }

    /// Writes the file of a change that was noted, where it still is what it was.
    async fn write_number(
        &self,
        change: &HotlineChange,
        (before, text): (&Digest, &str),
    ) -> Result<HotlineChange, WorkError> {
        let path = self.config.content.join("hotlines.toml");
        let failed = match content_file::replace_where(&path, Some(before), text.as_bytes()) {
            Ok(true) => {
                let written = |plan: &mut ChangePlan| {
                    plan.written = true;
                    Ok(())
                };
                // It may be taken up now.
                return Ok(self.amend_change(&change.id, Some(change.at), None, written).await?.0);
            }
            Ok(false) => WorkError::Refused(
                "content/hotlines.toml 刚被别人改过，没有改号码；刷新页面，看过现在的再决定"
                    .to_owned(),
            ),
            Err(error) => error,
        };
        let told = format!("文件没有写成，什么都没有改：{}", why(&failed));
        let note = ChangeNote { actor: &change.actor, action: "hotline.failed", text: &told };
        let end = |plan: &mut ChangePlan| {
            plan.ended = Some(told.clone());
            Ok(())
        };
        self.amend_change(&change.id, None, Some(note), end).await?;
        Err(failed)
    }

    /// A change.
    pub(super) async fn known_change(&self, id: &str) -> Result<HotlineChange, WorkError> {
        let missing = || WorkError::Unknown(format!("没有热线变更 {id}"));
        self.store.hotline_change(id).await?.ok_or_else(missing)
    }

    /// Changes a plan as the ledger has it now: whatever others write at the same time is kept, and
    /// what `amend` refuses is refused of the newest state. It is looked at again at `next`, or when
    /// it would have been.
    pub(super) async fn amend_change(
        &self,
        id: &str,
        next: Option<Timestamp>,
        note: Option<ChangeNote<'_>>,
        amend: impl Fn(&mut ChangePlan) -> Result<(), WorkError>,
    ) -> Result<(HotlineChange, ChangePlan), WorkError> {
        for _ in 0..TRIES {
            let before = self.known_change(id).await?;
            let mut plan = plan_of(&before)?;
            amend(&mut plan)?;
            let mut after = before.clone();
            after.open = plan.is_open();
            after.plan = json_of(&plan)?;
            // What was closed is taken up at once.
            let begins = after.open && !before.open;
            let next = match next {
                None if begins => Some(self.store.now().await?),
                other => other,
            };
            if self.store.save_hotline_change(&before, &after, next, note).await? {
                return Ok((after, plan));
            }
        }
        Err(WorkError::Refused(format!("热线变更 {id} 同时有好几个人在动，请稍后再试")))
    }
}

/// What is to stand in the file, each value as TOML.
fn entry_of(new: &NewNumber) -> Vec<(String, String)> {
    let values = [
        ("number", edit::quoted(&new.number)),
        ("source", edit::quoted(&new.source)),
        ("verified_on", new.verified_on.to_string()),
        ("verified_by", edit::quoted(&new.verified_by)),
    ];
    values.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
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
