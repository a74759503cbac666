//! What would go where: the outline needs no rendering, the plan has every byte.

use super::{Content, Publisher, WorkError, reach};
use crate::{
    config::ChannelEntry,
    model::{
        CampaignId, ChannelId, Digest, Edition, LessonId, Library, Manifest, OutputKind,
        ScheduleEntry, ScheduleId, Variant, Window,
    },
    review, schedule,
};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// What is to be published: a campaign edition, by itself or as a schedule shows it.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The edition.
    pub edition: Edition,
    /// The schedule, where one was named.
    pub schedule: Option<ScheduleEntry>,
    /// Where it goes.
    pub channels: Vec<ChannelEntry>,
    /// Channels that nobody named and that cannot carry it.
    pub left_out: Vec<ChannelId>,
}

/// What goes where, before anything is rendered: enough to tell whether it is what was approved.
#[derive(Debug, Clone)]
pub struct Outline {
    /// The edition.
    pub edition: Edition,
    /// The lessons, in the order shown.
    pub lessons: Vec<LessonId>,
    /// The rule pack in force.
    pub rule_pack: String,
    /// One for each channel.
    pub channels: Vec<ChannelOutline>,
    /// Channels that nobody named and that cannot carry it.
    pub left_out: Vec<ChannelId>,
    /// Digest of all of that: the same key keeps its approval number.
    pub key: Digest,
}

/// What one channel would carry.
#[derive(Debug, Clone)]
pub struct ChannelOutline {
    /// The channel.
    pub entry: ChannelEntry,
    /// Digests of everything that decides its bytes, by name.
    pub inputs: BTreeMap<String, Digest>,
    /// The days on which it may be out.
    pub window: Window,
}

/// What would go where, rendered.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What it was made from.
    pub outline: Outline,
    /// The approval number in the footers.
    pub number: String,
    /// One for each channel.
    pub channels: Vec<ChannelPlan>,
}

/// What one channel would carry, rendered.
#[derive(Debug, Clone)]
pub struct ChannelPlan {
    /// The channel.
    pub channel: ChannelId,
    /// What people approve.
    pub manifest: Manifest,
    /// Its hash.
    pub hash: Digest,
    /// Its canonical JSON.
    pub json: String,
}

impl ChannelPlan {
    /// All bytes together.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.manifest.files.iter().map(|file| file.bytes).sum()
    }
}

impl Outline {
    /// What is not as the edition says and is no fault either, in Chinese.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let left_out = self.left_out.iter().map(|id| reach::left_out(&self.edition, id));
        let channels = self.channels.iter();
        let further = channels.filter_map(|one| reach::warning(&self.edition, &one.entry));
        left_out.chain(further).collect()
    }
}

impl Publisher {
    /// What `name` means: a schedule, else a campaign edition, which goes over
    /// every channel.
    ///
    /// # Errors
    /// [`WorkError::Unknown`] lists what there is.
    pub fn subject(&self, content: &Content, name: &str) -> Result<Subject, WorkError> {
        let named = ScheduleId::new(name)
            .ok()
            .and_then(|id| content.schedules.iter().find(|entry| entry.id == id));
        if let Some(entry) = named {
            let edition = content.edition(&entry.campaign.to_string())?.clone();
            let channels = entry
                .channels
                .iter()
                .map(|id| self.entry(id).cloned())
                .collect::<Result<_, _>>()?;
            let channels = self.within_reach(&edition, channels)?;
            let (schedule, left_out) = (Some(entry.clone()), Vec::new());
            return Ok(Subject { edition, schedule, channels, left_out });
        }
        let edition = content.edition(name).map_err(|error| {
            let schedules: Vec<&str> =
                content.schedules.iter().map(|entry| entry.id.as_str()).collect();
            WorkError::Unknown(format!("{error}；现有的排期：{}", schedules.join("、")))
        })?;
        let mut channels = self.within_reach(edition, self.config.channels.clone())?;
        let mut left_out = Vec::new();
        if edition.reach.channels.is_empty() && !edition.reach.is_everywhere() {
            let portals = channels.extract_if(.., |entry| entry.kind == reach::PORTAL);
            left_out.extend(portals.map(|entry| entry.id));
        }
        Ok(Subject { edition: edition.clone(), schedule: None, channels, left_out })
    }

    /// The channels as far as the edition goes over them, for the audiences that it is for.
    fn within_reach(
        &self,
        edition: &Edition,
        mut channels: Vec<ChannelEntry>,
    ) -> Result<Vec<ChannelEntry>, WorkError> {
        let reach = &edition.reach;
        for id in &reach.channels {
            self.entry(id)?;
        }
        channels.retain(|entry| reach.channels.is_empty() || reach.channels.contains(&entry.id));
        if !reach.audiences.is_empty() {
            for entry in &mut channels {
                entry.audiences.retain(|audience| reach.audiences.contains(audience));
            }
        }
        Ok(channels)
    }
}

impl Subject {
    /// The lessons that a slot shows: those of the rotation for a schedule, else all.
    #[must_use]
    pub fn lessons_at(&self, slot: Timestamp) -> Vec<LessonId> {
        match &self.schedule {
            Some(entry) => schedule::lessons_of_slot(entry, &self.edition, slot),
            None => self.edition.lessons.clone(),
        }
    }

    /// The outline for these lessons.
    ///
    /// # Errors
    /// [`WorkError::Faults`] with everything that keeps it from being published.
    pub fn outline(&self, content: &Content, lessons: &[LessonId]) -> Result<Outline, WorkError> {
        let mut faults = lesson_faults(content, lessons, &self.edition.id);
        if self.channels.is_empty() {
            faults.push("没有渠道：请在 channels.toml 里写 [channel.<名称>]".to_owned());
        }
        let mut channels = Vec::new();
        for entry in &self.channels {
            // A channel for picture messages has nothing in a week whose lesson makes none.
            if !carries_anything(content, lessons, entry) {
                continue;
            }
            if let Some(fault) = reach::refusal(content, &self.edition, entry) {
                if !faults.contains(&fault) {
                    faults.push(fault);
                }
                continue;
            }
            match window(content, &self.edition, lessons, entry) {
                Ok(window) => channels.push(ChannelOutline {
                    inputs: channel_inputs(content, &self.edition, lessons, entry),
                    entry: entry.clone(),
                    window,
                }),
                Err(fault) => faults.push(fault),
            }
        }
        if faults.is_empty() && channels.is_empty() {
            let names: Vec<&str> = self.channels.iter().map(|entry| entry.id.as_str()).collect();
            faults.push(format!(
                "这几课没有渠道 {} 要的输出：请对照课件的 outputs、audiences 和 [channel] 的 outputs、audiences",
                names.join("、")
            ));
        }
        if !faults.is_empty() {
            return Err(WorkError::Faults(faults));
        }
        let rule_pack = content.rule_pack();
        let key = outline_key(&self.edition.id, lessons, &rule_pack, &channels);
        Ok(Outline {
            edition: self.edition.clone(),
            lessons: lessons.to_vec(),
            rule_pack,
            channels,
            left_out: self.left_out.clone(),
            key,
        })
    }
}

fn outline_key(
    campaign: &CampaignId,
    lessons: &[LessonId],
    rule_pack: &str,
    channels: &[ChannelOutline],
) -> Digest {
    let mut fields: Vec<Vec<u8>> = vec![campaign.to_string().into(), rule_pack.into()];
    fields.extend(lessons.iter().map(|id| id.as_str().into()));
    for channel in channels {
        fields.push(channel.entry.id.as_str().into());
        fields.push(channel.window.from.to_string().into());
        fields.push(channel.window.until.to_string().into());
        for (name, digest) in &channel.inputs {
            fields.push(name.as_bytes().to_vec());
            fields.push(digest.as_bytes().to_vec());
        }
    }
    Digest::of_fields(fields.iter().map(Vec::as_slice))
}

fn channel_inputs(
    content: &Content,
    edition: &Edition,
    lessons: &[LessonId],
    entry: &ChannelEntry,
) -> BTreeMap<String, Digest> {
    let mut inputs = content.inputs(lessons, &entry.outputs, edition);
    let names = |values: Vec<&str>| values.join(" ");
    let settings = toml::to_string(&entry.settings).unwrap_or_default();
    let fields = [
        entry.kind.clone(),
        entry.sandbox.to_string(),
        format!("{:?}", entry.mode),
        names(entry.outputs.iter().map(|output| output.as_str()).collect()),
        names(entry.audiences.iter().map(|audience| audience.as_str()).collect()),
        settings,
    ];
    let digest = Digest::of_fields(fields.iter().map(String::as_bytes));
    inputs.insert(format!("channel/{}", entry.id), digest);
    if let Some(digest) = reach::input(content, edition, entry) {
        inputs.insert(reach::INPUT.into(), digest);
    }
    inputs
}

/// Everything that keeps these lessons from being published together.
fn lesson_faults(content: &Content, lessons: &[LessonId], campaign: &CampaignId) -> Vec<String> {
    let mut faults = Vec::new();
    if lessons.is_empty() {
        faults.push(format!("活动 {campaign} 没有课件：请在活动文件里写 lessons"));
    }
    let mut kinds = Vec::new();
    for id in lessons {
        match content.library.lesson(id) {
            Some(lesson) => {
                kinds.extend(lesson.variants.values().map(|variant| (id.clone(), variant.kind)));
            }
            None => {
                let reasons = content.faults_of(id);
                faults.push(if reasons.is_empty() {
                    format!("没有课件“{id}”")
                } else {
                    format!("课件“{id}”有错：{}", reasons.join("；"))
                });
            }
        }
    }
    if let Err(mixed) = review::separation(kinds.iter().map(|(id, kind)| (id, *kind))) {
        faults.push(mixed.to_string());
    }
    faults
}

/// The days on which a channel may carry all of these lessons.
fn window(
    content: &Content,
    edition: &Edition,
    lessons: &[LessonId],
    entry: &ChannelEntry,
) -> Result<Window, String> {
    let mut window = Window { from: edition.from, until: edition.until };
    for (id, variant) in carried(&content.library, lessons, entry) {
        let valid = Window { from: variant.valid_from, until: variant.valid_until };
        window = window.intersect(valid).ok_or_else(|| {
            format!(
                "课件“{id}”{}有效期 {} 到 {}，和活动 {} 的 {} 到 {} 不重叠",
                variant.audience.label(),
                valid.from,
                valid.until,
                edition.id,
                window.from,
                window.until
            )
        })?;
    }
    Ok(window)
}

/// Whether a channel would carry any file of these lessons.
pub(super) fn carries_anything(
    content: &Content,
    lessons: &[LessonId],
    entry: &ChannelEntry,
) -> bool {
    entry.outputs.contains(&OutputKind::Notice)
        || carried(&content.library, lessons, entry)
            .any(|(_, variant)| variant.outputs.iter().any(|output| entry.outputs.contains(output)))
}

/// The variants that a channel carries, in the order of the lessons.
pub(super) fn carried<'a>(
    library: &'a Library,
    lessons: &'a [LessonId],
    entry: &'a ChannelEntry,
) -> impl Iterator<Item = (&'a LessonId, &'a Variant)> {
    lessons
        .iter()
        .filter_map(|id| library.lesson(id).map(|lesson| (id, lesson)))
        .flat_map(|(id, lesson)| lesson.variants.values().map(move |variant| (id, variant)))
        .filter(|(_, variant)| entry.audiences.contains(&variant.audience))
}
