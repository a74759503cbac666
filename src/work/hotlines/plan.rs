//! What is to be done about a change of a number, as the ledger keeps it.

use crate::{model::LessonId, store::HotlineChange, work::WorkError};
use serde::{Deserialize, Serialize};

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
    /// What is to stand in the file beside the number: key, value as TOML. Empty in changes of
    /// versions that wrote the file and did not look again.
    #[serde(default)]
    pub entry: Vec<(String, String)>,
    /// Whether the file was seen to hold the new number.
    #[serde(default)]
    pub written: bool,
    /// Why it does not go on by itself: a person decides.
    #[serde(default)]
    pub stuck: Option<String>,
    /// The number that the file said then.
    #[serde(default)]
    pub found: Option<String>,
    /// A number in the file that somebody has seen and wants replaced.
    #[serde(default)]
    pub over: Option<String>,
    /// Why nothing more is done of it: it failed, was cancelled, or another one took over.
    #[serde(default)]
    pub ended: Option<String>,
}

impl ChangePlan {
    /// Whether something is still to be done by itself.
    #[must_use]
    pub fn is_open(&self) -> bool {
        let waits =
            |group: &Group| matches!(group.state, GroupState::Waiting | GroupState::Submitted);
        let to_do = !self.written || self.groups.iter().any(waits);
        self.ended.is_none() && self.stuck.is_none() && to_do
    }

    /// Why a person has to look at it; `None` where nobody has to.
    #[must_use]
    pub fn for_people(&self) -> Option<String> {
        if self.ended.is_some() {
            return None;
        }
        let failed = self.groups.iter().filter(|group| group.state == GroupState::Failed);
        let failed: Vec<&str> = failed.map(|group| group.subject.as_str()).collect();
        let told = (!failed.is_empty()).then(|| format!("{} 没有办成", failed.join("、")));
        self.stuck.clone().or(told)
    }

    /// What is to stand in the file.
    pub(super) fn values(&self) -> Vec<(&str, String)> {
        self.entry.iter().map(|(key, value)| (key.as_str(), value.clone())).collect()
    }
}

/// What is submitted together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
