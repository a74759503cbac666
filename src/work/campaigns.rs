//! Editions of campaigns as people plan them: tried on a copy in memory, checked by the reader,
//! then written where nobody else wrote meanwhile.

use super::{
    ChannelPlan, Content, Publisher, WorkError,
    campaign_code::taken,
    campaign_file::compose,
    content::schedules_of,
    draft_channel::{draft_channel, merged},
    reach, wire,
};
use crate::{
    config::Config,
    model::{
        Campaign, CampaignId, Diagnostic, Digest, Edition, LessonId, Manifest, ScheduleId, Window,
    },
    read,
    schedule::{Timetable, Verdict},
};
use jiff::Timestamp;

pub use super::draft_channel::DraftChannel;

/// So many coming slots of each schedule are told.
const SLOTS: usize = 12;

/// An edition that somebody plans, and its series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The name of the series, for a new one.
    pub series_name: String,
    /// What a new series is.
    pub description: String,
    /// The edition.
    pub edition: Edition,
    /// The edition of the same series that it takes the place of; `None` for a new one, which
    /// never takes another's place.
    pub replaces: Option<CampaignId>,
}

impl Draft {
    /// Whether an edition of the file is neither the one that is changed nor what becomes of it.
    fn leaves(&self, other: &Edition) -> bool {
        other.id != self.edition.id && self.replaces.as_ref() != Some(&other.id)
    }
}

/// What a draft would do, by itself or as a schedule shows it.
#[derive(Debug, Clone)]
pub struct DraftPart {
    /// The schedule; `None` for the edition published at once.
    pub schedule: Option<ScheduleId>,
    /// What would go where.
    pub channels: Vec<DraftChannel>,
    /// When, with which lessons.
    pub slots: Vec<(Timestamp, Vec<LessonId>)>,
    /// What keeps it from going out.
    pub faults: Vec<String>,
    /// What goes further than the edition says, and is no fault.
    pub warnings: Vec<String>,
}

/// What a draft would do.
#[derive(Debug, Clone)]
pub struct DraftPlan {
    /// By itself, and by each schedule that shows it.
    pub parts: Vec<DraftPart>,
    /// The text of the file as it would be.
    pub text: String,
    /// Branches that it reaches, of how many.
    pub branches: (usize, usize),
    /// What it does otherwise than may be meant: it is saved by whoever says that they saw it.
    pub cautions: Vec<String>,
}

impl DraftPlan {
    /// Whether nothing keeps it from going out, and nothing is to be looked at first.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.goes_out() && self.cautions.is_empty()
    }

    /// Whether nothing keeps it from going out.
    #[must_use]
    pub fn goes_out(&self) -> bool {
        self.parts.iter().all(|part| part.faults.is_empty())
    }
}

impl Publisher {
    /// The content with the draft in it, and the file's text. Nothing is written.
    ///
    /// # Errors
    /// [`WorkError::Faults`] with everything that the reader finds, and lessons that are not there.
    pub fn with_draft(
        &self,
        content: &Content,
        draft: &Draft,
    ) -> Result<(Content, String), WorkError> {
        let series = &draft.edition.id.series;
        let before = self.campaign_file(series)?.0;
        let old = before.as_ref().and_then(|before| read::read_campaign(series, before).0);
        if let Some(fault) = taken(old.as_ref(), draft) {
            return Err(WorkError::Faults(vec![fault]));
        }
        let text = compose(before.as_deref(), draft);
        let (campaign, found) = read::read_campaign(series, &text);
        let mut faults: Vec<String> = found.iter().map(told).collect();
        faults.extend(self.edition_faults(content, &draft.edition));
        let Some(campaign) = campaign.filter(|_| faults.is_empty()) else {
            return Err(WorkError::Faults(faults));
        };
        // What was read back must be the draft, and nothing else may have changed.
        let others = |editions: &[Edition]| -> Vec<Edition> {
            editions.iter().filter(|one| draft.leaves(one)).cloned().collect()
        };
        let kept = old.is_none_or(|old| others(&old.editions) == others(&campaign.editions));
        if !kept || !campaign.editions.contains(&draft.edition) {
            return Err(WorkError::Faults(vec![format!(
                "campaigns/{series}.toml 的写法特别，从这里改会改到别的地方；请直接改文件"
            )]));
        }
        let drafted = with_campaign(&self.config, content, campaign)?;
        Ok((drafted, text))
    }

    /// What an edition names and there is not.
    pub(super) fn edition_faults(&self, content: &Content, edition: &Edition) -> Vec<String> {
        let mut faults: Vec<String> = self.unknown_palette(edition).into_iter().collect();
        for lesson in &edition.lessons {
            if content.library.lesson(lesson).is_none() {
                let why = content.faults_of(lesson).join("；");
                faults.push(format!("课件“{lesson}”没有，或有错：{why}"));
            }
        }
        faults
    }

    /// What a draft would do: what would go where, when, and what keeps it from going out. Nothing
    /// is rendered, written or sent.
    ///
    /// # Errors
    /// Those of [`Publisher::with_draft`]; the ledger's.
    pub async fn draft_plan(
        &self,
        content: &Content,
        draft: &Draft,
    ) -> Result<DraftPlan, WorkError> {
        let (drafted, text) = self.with_draft(content, draft)?;
        self.may_be_renamed(content, draft).await?;
        let content = drafted;
        let id = &draft.edition.id;
        let mut parts = Vec::new();
        for entry in content.schedules.iter().filter(|entry| entry.campaign == *id) {
            parts.push(self.draft_part(&content, id, Some(&entry.id)).await?);
        }
        if parts.is_empty() {
            parts.push(self.draft_part(&content, id, None).await?);
        }
        let all = &content.library.branches;
        let reached = all.iter().filter(|branch| draft.edition.reach.covers(branch)).count();
        for channel in parts.iter_mut().flat_map(|part| &mut part.channels) {
            channel.branches = channel.branches.min(reached);
        }
        if reached == 0 && !all.is_empty() {
            for part in &mut parts {
                if !part.faults.iter().any(|fault| fault == reach::NOBODY) {
                    part.faults.push(reach::NOBODY.to_owned());
                }
            }
        }
        let (cautions, silent) = self.cautions(&content, &draft.edition).await?;
        if let Some(part) = parts.first_mut() {
            part.warnings.extend(silent);
        }
        Ok(DraftPlan { parts, text, branches: (reached, all.len()), cautions })
    }

    async fn draft_part(
        &self,
        content: &Content,
        id: &CampaignId,
        schedule: Option<&ScheduleId>,
    ) -> Result<DraftPart, WorkError> {
        let name = schedule.map_or_else(|| id.to_string(), ToString::to_string);
        let mut part = DraftPart {
            schedule: schedule.cloned(),
            channels: Vec::new(),
            slots: Vec::new(),
            faults: Vec::new(),
            warnings: Vec::new(),
        };
        let subject = match self.subject(content, &name) {
            Ok(subject) => subject,
            Err(error) => {
                part.faults.push(error.to_string());
                return Ok(part);
            }
        };
        if let Some(entry) = &subject.schedule {
            let window = Window { from: subject.edition.from, until: subject.edition.until };
            let now = self.store.now().await?;
            let moves = self.store.slot_moves(&entry.id).await?;
            match Timetable::new(entry, window, &content.library.calendar) {
                Ok(timetable) => {
                    let slots = timetable.with_moves(&moves).upcoming(now, SLOTS).into_iter();
                    let fires = slots.filter(|slot| slot.verdict == Verdict::Fire);
                    part.slots =
                        fires.map(|slot| (slot.due, subject.lessons_at(slot.slot))).collect();
                }
                Err(error) => part.faults.push(error.to_string()),
            }
        }
        // Of a rotation each lesson is tried by itself, as its slot will show it.
        let mut sets: Vec<Vec<LessonId>> =
            part.slots.iter().map(|(_, lessons)| lessons.clone()).collect();
        sets.sort();
        sets.dedup();
        if sets.is_empty() {
            sets.push(subject.edition.lessons.clone());
        }
        for lessons in &sets {
            match subject.outline(content, lessons) {
                Ok(outline) => {
                    part.warnings.extend(outline.warnings());
                    let known = self.known_sizes(&outline.key).await?;
                    for channel in &outline.channels {
                        part.channels.push(draft_channel(content, channel, lessons, &known));
                    }
                }
                Err(WorkError::Faults(faults)) => part.faults.extend(faults),
                Err(error) => part.faults.push(error.to_string()),
            }
        }
        part.channels = merged(part.channels);
        for lines in [&mut part.faults, &mut part.warnings] {
            lines.sort();
            lines.dedup();
        }
        Ok(part)
    }

    /// The manifests of a submission with that key.
    async fn known_sizes(&self, key: &Digest) -> Result<Vec<Manifest>, WorkError> {
        let Some(review) = self.store.review_of_plan(key).await? else { return Ok(Vec::new()) };
        let mut manifests = Vec::new();
        for (_, hash) in &review.manifests {
            let json = self.store.manifest(hash).await?.unwrap_or_default();
            manifests.push(wire::from_json(&json)?);
        }
        Ok(manifests)
    }

    /// Renders what a draft would publish, into a folder of its own: how big it gets, and what the
    /// channels would refuse. Nothing is written into the ledger or sent.
    ///
    /// # Errors
    /// Those of [`Publisher::with_draft`]; [`WorkError::Faults`] for what cannot be rendered.
    pub fn draft_render(
        &self,
        content: &Content,
        draft: &Draft,
        watch: crate::build::Watch<'_>,
    ) -> Result<(Vec<ChannelPlan>, Vec<String>), WorkError> {
        let (content, _) = self.with_draft(content, draft)?;
        let subject = self.subject(&content, &draft.edition.id.to_string())?;
        let outline = subject.outline(&content, &subject.edition.lessons)?;
        let aside = Self { render_folder: self.render_folder.join("dry-run"), ..self.clone() };
        let plan = aside.render(&content, &outline, "（送审时编号）", watch)?;
        let faults = aside.preflight(&plan)?;
        Ok((plan.channels, faults))
    }
}

/// What the reader found, with file and line.
pub(super) fn told(found: &Diagnostic) -> String {
    let line = found.position().map_or(0, |(line, _)| line);
    let path = found.file.path.display();
    format!("{path} 第 {line} 行：{}。{}", found.reason, found.help)
}

/// The content with a series as it would be.
pub(super) fn with_campaign(
    config: &Config,
    content: &Content,
    campaign: Campaign,
) -> Result<Content, WorkError> {
    let series = campaign.id.clone();
    let mut library = content.library.clone();
    library.campaigns.retain(|one| one.id != series);
    library.campaigns.push(campaign);
    library.campaigns.sort_by(|one, other| one.id.cmp(&other.id));
    let (schedules, schedule_faults) = schedules_of(config, &library);
    let of_draft = format!("campaigns/{series}.toml ");
    let own = schedule_faults.iter().filter(|fault| fault.starts_with(&of_draft));
    let own: Vec<String> = own.cloned().collect();
    if !own.is_empty() {
        return Err(WorkError::Faults(own));
    }
    Ok(Content {
        schedules,
        schedule_faults,
        library,
        diagnostics: content.diagnostics.clone(),
        files: content.files.clone(),
        style: content.style.clone(),
        folder: content.folder.clone(),
    })
}
