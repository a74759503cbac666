//! What branches were given, channel by channel, in one form: the signed catalogue of a pack
//! channel, and for a folder channel one made of the ledger.

use super::{Content, Publisher, WorkError, packs::branch_entries, wire};
use crate::{
    model::{
        Audience, BranchId, ChannelId, DeliveryState, Digest, LessonId, Listing, Manifest,
        MediaType, OutputKind, bank_zone,
    },
    packs::{Catalogue, Release, ReleaseFile, Standing},
    store::{Delivery, DeliveryFilter},
};
use jiff::{SignedDuration, Timestamp, ToSpan as _, civil::Date};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

/// So many of a folder channel's deliveries are looked at, the newest first.
const DELIVERIES: u32 = 150;

/// How long after its end a delivery still matters: branches are reminded for two months.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(24 * 70);

/// What branches use or hang up; the rest is for other eyes.
pub(super) const FOR_BRANCHES: [OutputKind; 7] = [
    OutputKind::Screen,
    OutputKind::Print,
    OutputKind::Leaflet,
    OutputKind::Morning,
    OutputKind::Booth,
    OutputKind::StaffCard,
    OutputKind::Notice,
];

/// Whether a file of a folder or pack channel is a branch's: its own, or one that all share whom
/// the manifest goes to.
#[must_use]
pub fn is_given(manifest: &Manifest, file: &Listing, branch: &BranchId) -> bool {
    let shared = || FOR_BRANCHES.contains(&file.output);
    manifest.goes_to(branch) && file.branch.as_ref().map_or_else(shared, |own| own == branch)
}

/// Whether a file is one that all branches share whom its manifest goes to.
#[must_use]
pub fn is_shared(file: &Listing) -> bool {
    file.branch.is_none() && FOR_BRANCHES.contains(&file.output)
}

/// What one channel gave.
#[derive(Debug, Clone)]
pub struct Feed {
    /// The channel.
    pub channel: ChannelId,
    /// Everything, for every branch.
    pub catalogue: Arc<Catalogue>,
    /// Whether machines at the branches fetch it and report; else people do.
    pub has_machines: bool,
}

/// What all channels gave, and why some of them could not be read.
#[derive(Debug, Clone, Default)]
pub struct Feeds {
    /// One for each channel that could be read.
    pub feeds: Vec<Feed>,
    /// Why others could not, in Chinese.
    pub faults: Vec<String>,
}

/// What was read before and has not changed since.
#[derive(Debug, Default)]
pub struct FeedCache {
    catalogues: Mutex<BTreeMap<ChannelId, (Digest, Arc<Catalogue>)>>,
    /// The last days of manifests, which never change.
    ends: Mutex<BTreeMap<Digest, Date>>,
}

/// All that is read of a manifest whose delivery something newer has replaced.
#[derive(Deserialize)]
struct EndWire {
    until: String,
}

impl FeedCache {
    fn get(&self, channel: &ChannelId, state: &Digest) -> Option<Arc<Catalogue>> {
        let known = self.catalogues.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known.get(channel).filter(|(own, _)| own == state);
        found.map(|(_, catalogue)| Arc::clone(catalogue))
    }

    fn put(&self, channel: &ChannelId, state: Digest, catalogue: &Arc<Catalogue>) {
        let mut known = self.catalogues.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(channel.clone(), (state, Arc::clone(catalogue)));
    }
}

impl Publisher {
    /// What every channel that feeds branches gave.
    ///
    /// # Errors
    /// The ledger's. A channel that cannot be read is a fault inside the answer.
    pub async fn feeds(&self, content: &Content, cache: &FeedCache) -> Result<Feeds, WorkError> {
        let mut all = Feeds::default();
        for entry in &self.config.channels {
            let found = match entry.kind.as_str() {
                "packs" => self.signed(&entry.id, cache).await,
                "folder" if entry.outputs.iter().any(|output| FOR_BRANCHES.contains(output)) => {
                    self.ledger_catalogue(&entry.id, content, cache).await.map(Some)
                }
                _ => continue,
            };
            match found {
                Ok(None) => {}
                Ok(Some(catalogue)) => all.feeds.push(Feed {
                    channel: entry.id.clone(),
                    catalogue,
                    has_machines: entry.kind == "packs",
                }),
                Err(WorkError::Store(error)) => return Err(error.into()),
                Err(error) => all.faults.push(format!("渠道 {}：{error}", entry.id)),
            }
        }
        Ok(all)
    }

    /// The verified catalogue of a pack channel; `None` before the first publication.
    async fn signed(
        &self,
        id: &ChannelId,
        cache: &FeedCache,
    ) -> Result<Option<Arc<Catalogue>>, WorkError> {
        let unread = |error: &dyn std::fmt::Display| WorkError::Faults(vec![error.to_string()]);
        let channel = Arc::clone(self.channel(id)?);
        let Some(repository) = channel.pack_repository() else { return Ok(None) };
        let timestamp = repository.source.metadata("timestamp.json", 64 << 10).await;
        let Some(timestamp) = timestamp.map_err(|error| unread(&error))? else { return Ok(None) };
        let state = Digest::of(&timestamp);
        if let Some(known) = cache.get(id, &state) {
            return Ok(Some(known));
        }
        let standing = Standing::read(repository.root, repository.source).await;
        let standing = standing.map_err(|error| unread(&error))?;
        Ok(standing.map(|standing| {
            let catalogue = Arc::new(standing.catalogue);
            cache.put(id, state, &catalogue);
            catalogue
        }))
    }

    async fn ledger_catalogue(
        &self,
        id: &ChannelId,
        content: &Content,
        cache: &FeedCache,
    ) -> Result<Arc<Catalogue>, WorkError> {
        let filter = DeliveryFilter {
            channel: Some(id.clone()),
            states: vec![DeliveryState::Confirmed, DeliveryState::Recalled],
            limit: DELIVERIES,
            ..DeliveryFilter::default()
        };
        let deliveries = self.store.deliveries(&filter).await?;
        let now = self.store.now().await?;
        let today = super::clock::shanghai(now).date();
        let mut state: Vec<Vec<u8>> = vec![today.to_string().into_bytes()];
        for delivery in &deliveries {
            let moment = delivery.changed_at.as_millisecond();
            state.push(format!("{} {} {moment}", delivery.id, delivery.state).into_bytes());
        }
        for file in ["branches.csv", "screens.csv"] {
            state.extend(content.files.get(file).map(|digest| digest.as_bytes().to_vec()));
        }
        let state = Digest::of_fields(state.iter().map(Vec::as_slice));
        if let Some(known) = cache.get(id, &state) {
            return Ok(known);
        }
        let mut catalogue = Catalogue {
            bank: self.config.bank.name.clone(),
            hotline: super::packs::bank_number(&self.config.bank, content),
            branches: branch_entries(content),
            releases: Vec::new(),
            stays_empty: true,
        };
        let mut newest: BTreeSet<&str> = BTreeSet::new();
        for delivery in &deliveries {
            let recalled = delivery.state == DeliveryState::Recalled;
            let series = delivery.campaign.series.as_str();
            let replaced = !recalled && newest.contains(series);
            // What something newer has replaced matters again when its own time is over.
            if replaced && self.end_of(&delivery.manifest, cache).await? >= today {
                continue;
            }
            let Some(json) = self.store.manifest(&delivery.manifest).await? else { continue };
            let mut release = release_of(delivery, &wire::from_json(&json)?, content);
            if !recalled {
                release.activate_at = self.counts_from(delivery, &deliveries).await?;
            }
            // What goes to some branches only replaces nothing at the others.
            if !recalled && delivery.slot <= now && release.branches.is_none() {
                newest.insert(series);
            }
            // A recalled one keeps its series empty as long as it would have been shown itself.
            let end = release
                .recalled
                .as_ref()
                .map_or(release.show_until, |(at, _)| release.show_until.max(*at));
            if end.saturating_add(REMEMBERED).is_ok_and(|end| end > now) {
                catalogue.releases.push(release);
            }
        }
        catalogue.releases.reverse();
        let catalogue = Arc::new(catalogue);
        cache.put(id, state, &catalogue);
        Ok(catalogue)
    }
}

impl Publisher {
    /// From when a delivery counts: its slot; where it went out late, after a later one of its
    /// series was taken back, from then on.
    async fn counts_from(
        &self,
        delivery: &Delivery,
        all: &[Delivery],
    ) -> Result<Timestamp, WorkError> {
        let taken_back = all.iter().any(|other| {
            other.state == DeliveryState::Recalled
                && other.campaign.series == delivery.campaign.series
                && other.slot > delivery.slot
        });
        if !taken_back {
            return Ok(delivery.slot);
        }
        let attempts = self.store.attempts(&delivery.id).await?;
        Ok(super::live::went_out(&attempts).map_or(delivery.slot, |out| out.max(delivery.slot)))
    }

    /// The last day of a manifest.
    async fn end_of(&self, manifest: &Digest, cache: &FeedCache) -> Result<Date, WorkError> {
        let ends = || cache.ends.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = ends().get(manifest) {
            return Ok(*known);
        }
        let json = self.store.manifest(manifest).await?.unwrap_or_default();
        let unread = |what: String| WorkError::Manifest(what);
        let wire: EndWire = serde_json::from_str(&json).map_err(|e| unread(e.to_string()))?;
        let end = wire.until.parse().map_err(|_| unread(format!("until 是“{}”", wire.until)))?;
        ends().insert(*manifest, end);
        Ok(end)
    }
}

/// A folder's delivery as a release: there from its slot on, until its window or a recall ends it.
fn release_of(delivery: &Delivery, manifest: &Manifest, content: &Content) -> Release {
    let midnight =
        |day: Date| day.to_zoned(bank_zone()).map_or(Timestamp::MAX, |zoned| zoned.timestamp());
    let after = manifest.window.until.checked_add(1.day()).map_or(Timestamp::MAX, midnight);
    let recalled = delivery.state == DeliveryState::Recalled;
    let files = manifest
        .files
        .iter()
        .filter(|file| FOR_BRANCHES.contains(&file.output) && file.media_type != MediaType::Zip);
    Release {
        key: *delivery.key.digest(),
        takeover: false,
        series: manifest.campaign.series.clone(),
        campaign: manifest.campaign.to_string(),
        number: manifest.number.clone(),
        slot: delivery.slot,
        activate_at: delivery.slot,
        show_from: midnight(manifest.window.from),
        show_until: after,
        recalled: recalled.then(|| (delivery.changed_at, "总行撤回".to_owned())),
        recalled_lessons: Vec::new(),
        swept: false,
        branches: manifest.reached.as_ref().map(|reached| reached.branches.clone()),
        files: files.map(|file| file_of(file, content)).collect(),
    }
}

fn file_of(file: &Listing, content: &Content) -> ReleaseFile {
    let name = file.path.rsplit('/').next().unwrap_or(&file.path);
    let title = file.lesson.as_ref().map(|lesson| title_of(content, lesson, file.audience));
    ReleaseFile {
        name: name.to_owned(),
        sha256: file.sha256,
        bytes: file.bytes,
        media_type: file.media_type,
        output: file.output,
        lesson: file.lesson.clone(),
        audience: file.audience,
        profile: file.profile.clone(),
        branch: file.branch.clone(),
        days: Vec::new(),
        hours: None,
        alt: title.unwrap_or_else(|| file.output.label().to_owned()),
    }
}

/// A lesson's short title for these readers; its id where it is no longer there.
#[must_use]
pub fn title_of(content: &Content, lesson: &LessonId, audience: Audience) -> String {
    let found = content.library.lesson(lesson);
    let variant = found.and_then(|found| {
        found.variants.get(&audience).or_else(|| found.variants.get(&Audience::General))
    });
    variant.map_or_else(
        || lesson.to_string(),
        |variant| variant.short_title.as_ref().unwrap_or(&variant.title).value.clone(),
    )
}
