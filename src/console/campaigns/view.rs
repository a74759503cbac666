//! Campaigns as programs see them.

use super::rhythm::ScheduleView;
use crate::{
    model::{Campaign, ChannelId, Edition, LessonId, TopicId},
    work::campaigns::{DraftChannel, DraftPlan},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An edition of a campaign, read and written alike.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct EditionView {
    /// The series.
    pub(super) series: String,
    /// Its name; read for a new series only.
    pub(super) series_name: String,
    /// What the series is; read for a new series only.
    pub(super) description: String,
    /// The edition, such as `2027`.
    pub(super) edition: String,
    /// Its name.
    pub(super) name: String,
    /// The slogan.
    pub(super) theme: String,
    /// The first day, `2027-03-09`.
    pub(super) from: String,
    /// The last day.
    pub(super) until: String,
    /// The lessons, in the order in which they are shown or take turns.
    pub(super) lessons: Vec<String>,
    /// The topics; empty: those of the lessons.
    pub(super) topics: Vec<String>,
    /// A palette that replaces the topics' own.
    pub(super) palette: String,
    /// What is not certain about it.
    pub(super) note: String,
    /// Only these channels; empty: all that carry it.
    pub(super) channels: Vec<String>,
    /// Only these audiences; empty: all.
    pub(super) audiences: Vec<String>,
    /// Only branches of these districts; empty: all.
    pub(super) districts: Vec<String>,
    /// Only branches with one of these tags; empty: all.
    pub(super) tags: Vec<String>,
    /// When it goes out; further schedules of its file are kept as they are.
    pub(super) schedule: ScheduleView,
    /// The edition that is changed, such as `rights-day/2027`, as the list gives it; empty for a new
    /// one, which never takes another's place.
    pub(super) edits: String,
    /// The digest of the series' file as it was read; sent back when an edition is changed, so that
    /// nobody's change is lost. Not read for a new edition.
    pub(super) seen: String,
    /// Saves although the plan has faults.
    pub(super) anyway: bool,
    /// Whether the form asks for a new series.
    #[serde(skip)]
    pub(super) new_series: bool,
    /// What is searched for among the lessons that can be picked.
    #[serde(skip)]
    pub(super) find: String,
    /// How many of those that are not picked are listed at least.
    #[serde(skip)]
    pub(super) listed: usize,
    /// The places of the lessons as they were typed; empty where nobody typed any.
    #[serde(skip)]
    pub(super) orders: Vec<String>,
    /// What the form sent and nothing can be made of.
    #[serde(skip)]
    pub(super) garbled: Vec<String>,
}

impl EditionView {
    pub(super) fn of(series: &Campaign, edition: &Edition, seen: &str) -> Self {
        let reach = &edition.reach;
        let names = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();
        Self {
            series: series.id.clone(),
            series_name: series.name.clone(),
            description: series.description.clone(),
            edition: edition.id.edition.clone(),
            name: edition.name.clone(),
            theme: edition.theme.clone(),
            from: edition.from.to_string(),
            until: edition.until.to_string(),
            lessons: names(edition.lessons.iter().map(LessonId::as_str).collect()),
            topics: names(edition.topics.iter().map(TopicId::as_str).collect()),
            palette: edition.palette.clone().unwrap_or_default(),
            note: edition.note.clone(),
            channels: names(reach.channels.iter().map(ChannelId::as_str).collect()),
            audiences: names(reach.audiences.iter().map(|one| one.as_str()).collect()),
            districts: reach.districts.clone(),
            tags: reach.tags.clone(),
            schedule: ScheduleView::of(edition),
            edits: edition.id.to_string(),
            seen: seen.to_owned(),
            anyway: false,
            new_series: false,
            find: String::new(),
            listed: 0,
            orders: Vec::new(),
            garbled: Vec::new(),
        }
    }
}

impl EditionView {
    /// The fields of the page's form that say the same.
    pub(super) fn fields(&self) -> Vec<(String, String)> {
        let mut fields: Vec<(String, String)> = [
            ("series", &self.series),
            ("series_name", &self.series_name),
            ("description", &self.description),
            ("edition", &self.edition),
            ("name", &self.name),
            ("theme", &self.theme),
            ("from", &self.from),
            ("until", &self.until),
            ("palette", &self.palette),
            ("note", &self.note),
            ("edits", &self.edits),
            ("seen", &self.seen),
        ]
        .map(|(name, value)| (name.to_owned(), value.clone()))
        .into();
        for (place, lesson) in self.lessons.iter().enumerate() {
            fields.push(("lesson".to_owned(), lesson.clone()));
            fields.push(("order".to_owned(), (place + 1).to_string()));
        }
        for (name, values) in [
            ("channel", &self.channels),
            ("audience", &self.audiences),
            ("district", &self.districts),
            ("tag", &self.tags),
        ] {
            fields.extend(values.iter().map(|value| (name.to_owned(), value.clone())));
        }
        fields.extend(self.schedule.fields());
        fields
    }
}

/// What one channel would carry.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlanChannelView {
    /// The channel.
    channel: String,
    /// Its kind.
    kind: String,
    /// The first day on which it may be out.
    from: String,
    /// The last.
    until: String,
    /// What it carries.
    outputs: Vec<String>,
    /// Lessons times audiences.
    texts: usize,
    /// Branches that get something of their own.
    branches: usize,
    /// Files as submitted last, where nothing changed since.
    files: Option<usize>,
    /// Bytes of those.
    bytes: Option<u64>,
}

impl From<DraftChannel> for PlanChannelView {
    fn from(channel: DraftChannel) -> Self {
        Self {
            from: channel.window.from.to_string(),
            until: channel.window.until.to_string(),
            outputs: channel.outputs.iter().map(ToString::to_string).collect(),
            texts: channel.texts,
            branches: channel.branches,
            files: channel.size.map(|(files, _)| files),
            bytes: channel.size.map(|(_, bytes)| bytes),
            channel: channel.channel,
            kind: channel.kind,
        }
    }
}

/// A slot of a plan.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlanSlotView {
    /// When.
    due: String,
    /// The lessons.
    lessons: Vec<String>,
}

/// What an edition would do by itself, or as a schedule shows it.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlanPartView {
    /// The schedule; none where it is published at once.
    schedule: Option<String>,
    /// What would go where.
    channels: Vec<PlanChannelView>,
    /// When.
    slots: Vec<PlanSlotView>,
    /// What keeps it from going out.
    faults: Vec<String>,
    /// What goes further than the edition says, and is no fault.
    warnings: Vec<String>,
}

/// What an edition would do.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlanView {
    /// Whether nothing keeps it from going out, and there are no cautions.
    sound: bool,
    /// The branches that it reaches.
    branches: usize,
    /// What it does otherwise than may be meant; it is saved with `anyway`.
    cautions: Vec<String>,
    /// By itself, and by each schedule.
    parts: Vec<PlanPartView>,
    /// The file as it would be.
    text: String,
}

impl From<DraftPlan> for PlanView {
    fn from(plan: DraftPlan) -> Self {
        let sound = plan.is_sound();
        let parts = plan.parts.into_iter().map(|part| PlanPartView {
            schedule: part.schedule.map(|id| id.to_string()),
            channels: part.channels.into_iter().map(PlanChannelView::from).collect(),
            slots: part
                .slots
                .into_iter()
                .map(|(due, lessons)| PlanSlotView {
                    due: due.to_string(),
                    lessons: lessons.iter().map(ToString::to_string).collect(),
                })
                .collect(),
            faults: part.faults,
            warnings: part.warnings,
        });
        Self {
            sound,
            branches: plan.branches.0,
            cautions: plan.cautions,
            parts: parts.collect(),
            text: plan.text,
        }
    }
}
