//! The numbers that people call: where each is used, and what changing one means.
//!
//! 1. [`carriers`](Publisher::carriers) says which live deliveries show which number, by the frozen
//!    texts that they were made of.
//! 2. [`edit`] changes one entry of `hotlines.toml` and leaves every other byte alone.
//! 3. [`change`] notes what follows ([`plan`]); [`file`] sees to it that the file says so; [`tend`]
//!    does it: submits what is to take the old outputs' place, and takes the old ones down, at once
//!    or when the new ones are approved.

pub mod change;
pub mod edit;
mod file;
pub mod plan;
mod tend;

pub use change::{NewNumber, Stage, changing};
pub use plan::{ChangePlan, Group, GroupState, plan_of};

use super::{Content, Publisher, WorkError, difference};
use crate::{
    deliver::RecallAbility,
    model::{DeliveryState, Digest, Hotline, HotlineId, HotlineSet, LessonId, Library, OutputKind},
    read,
    store::LiveDelivery,
};
use jiff::civil::Date;
use regex::Regex;
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

/// A live delivery and the numbers that it shows.
#[derive(Debug, Clone)]
pub struct Carrier {
    /// The delivery.
    pub live: LiveDelivery,
    /// Its last day.
    pub until: Date,
    /// What is in it: output and how many files.
    pub outputs: BTreeMap<OutputKind, usize>,
    /// How many branches have files of their own in it.
    pub branches: usize,
    /// The numbers it shows, as they were when it was made.
    pub numbers: BTreeMap<HotlineId, String>,
    /// Whether it is out; else it may still go out.
    pub out: bool,
    /// Why it cannot be taken down, where it cannot.
    pub stays: Option<&'static str>,
}

/// Numbers and sets of a registry, as they were.
#[derive(Debug, Default)]
struct Numbers {
    hotlines: Vec<Hotline>,
    sets: Vec<HotlineSet>,
}

/// What a text names: numbers, and lists of numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Named {
    ids: BTreeSet<String>,
    sets: BTreeSet<String>,
}

/// What matters of a manifest here.
#[derive(Debug)]
struct Contents {
    until: Date,
    outputs: BTreeMap<OutputKind, usize>,
    branches: usize,
}

#[derive(Deserialize)]
struct ContentsWire {
    until: String,
    files: Vec<FileWire>,
}

#[derive(Deserialize)]
struct FileWire {
    output: String,
    branch: Option<String>,
}

/// Frozen things, which never change once they were read.
#[derive(Debug, Default)]
pub struct HotlineCache {
    revisions: Frozen<difference::Revision>,
    registries: Frozen<Numbers>,
    texts: Frozen<Named>,
    manifests: Frozen<Contents>,
}

#[derive(Debug)]
struct Frozen<T>(Mutex<BTreeMap<Digest, Arc<T>>>);

impl<T> Default for Frozen<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Frozen<T> {
    fn get(&self, digest: &Digest) -> Option<Arc<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(digest).cloned()
    }

    fn put(&self, digest: &Digest, value: T) -> Arc<T> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() > 10_000 {
            known.clear();
        }
        let value = Arc::new(value);
        known.insert(*digest, Arc::clone(&value));
        value
    }
}

impl Publisher {
    /// The live deliveries with the numbers that each shows, the newest first.
    ///
    /// # Errors
    /// The ledger's and the blobs'.
    pub async fn carriers(
        &self,
        content: &Content,
        cache: &HotlineCache,
    ) -> Result<Vec<Carrier>, WorkError> {
        let today = self.today().await?;
        let mut carriers = Vec::new();
        for live in self.store.live_deliveries().await? {
            let Some(contents) = self.contents(&live.delivery.manifest, cache).await? else {
                continue;
            };
            let delivery = &live.delivery;
            let out = matches!(delivery.state, DeliveryState::Confirmed | DeliveryState::Accepted);
            let entry = self.config.channels.iter().find(|entry| entry.id == delivery.channel);
            // What was sent to people stays with them; what hangs or is served ends by itself.
            let lasts = entry.is_none_or(|e| matches!(e.kind.as_str(), "wechat" | "webhook"));
            if out && contents.until < today && !lasts {
                continue;
            }
            let stays = self.channels.get(&delivery.channel).and_then(|channel| {
                match channel.capability().recall {
                    RecallAbility::None(why) => Some(why),
                    _ => None,
                }
            });
            carriers.push(Carrier {
                until: contents.until,
                outputs: contents.outputs.clone(),
                branches: contents.branches,
                numbers: self.numbers_of(&live, &contents, content, cache).await?,
                out,
                stays,
                live,
            });
        }
        Ok(carriers)
    }

    async fn contents(
        &self,
        manifest: &Digest,
        cache: &HotlineCache,
    ) -> Result<Option<Arc<Contents>>, WorkError> {
        if let Some(known) = cache.manifests.get(manifest) {
            return Ok(Some(known));
        }
        let Some(json) = self.store.manifest(manifest).await? else { return Ok(None) };
        let garbled = |what: String| WorkError::Manifest(what);
        let wire: ContentsWire =
            serde_json::from_str(&json).map_err(|error| garbled(error.to_string()))?;
        let mut outputs: BTreeMap<OutputKind, usize> = BTreeMap::new();
        for output in wire.files.iter().filter_map(|file| OutputKind::from_name(&file.output)) {
            *outputs.entry(output).or_default() += 1;
        }
        let branches: BTreeSet<&String> =
            wire.files.iter().filter_map(|file| file.branch.as_ref()).collect();
        let contents = Contents {
            until: wire.until.parse().map_err(|_| garbled(format!("until 是“{}”", wire.until)))?,
            branches: branches.len(),
            outputs,
        };
        Ok(Some(cache.manifests.put(manifest, contents)))
    }

    /// The numbers that a delivery shows: those that its frozen lessons name, the bank's own, which
    /// is on everything, and all of them where there is a public notice.
    async fn numbers_of(
        &self,
        live: &LiveDelivery,
        contents: &Contents,
        content: &Content,
        cache: &HotlineCache,
    ) -> Result<BTreeMap<HotlineId, String>, WorkError> {
        let Some(revision) = &live.revision else {
            // Its submission is gone: today's texts say what it probably shows.
            let ids = live.lessons.iter().flat_map(|id| used_by(&content.library, id));
            return Ok(ids.map(|id| (id, "？".to_owned())).collect());
        };
        let revision = match cache.revisions.get(revision) {
            Some(known) => known,
            None => {
                let read = difference::read_revision(&self.store, revision).await?;
                cache.revisions.put(revision, read)
            }
        };
        let Some(digest) = revision.get("hotlines.toml") else { return Ok(BTreeMap::new()) };
        let numbers = match cache.registries.get(digest) {
            Some(known) => known,
            None => {
                let text = self.text_of(digest).await?;
                let library = read::read_hotlines(&text).library;
                let sets = library.hotline_sets;
                cache.registries.put(digest, Numbers { hotlines: library.hotlines, sets })
            }
        };
        let mut ids: BTreeSet<String> = BTreeSet::from([self.config.bank.hotline.to_string()]);
        if contents.outputs.contains_key(&OutputKind::Notice) {
            ids.extend(numbers.hotlines.iter().map(|hotline| hotline.id.to_string()));
        }
        for lesson in &live.lessons {
            let folder = format!("lessons/{lesson}/");
            let texts = revision.iter().filter(|(path, _)| {
                path.starts_with(&folder)
                    && Path::new(path).extension().is_some_and(|it| it == "md")
            });
            for (_, digest) in texts {
                let named = match cache.texts.get(digest) {
                    Some(known) => known,
                    None => cache.texts.put(digest, named_in(&self.text_of(digest).await?)),
                };
                ids.extend(resolved(&named, &numbers.sets));
            }
        }
        let known = numbers.hotlines.iter().filter(|hotline| ids.contains(hotline.id.as_str()));
        Ok(known.map(|hotline| (hotline.id.clone(), hotline.number.clone())).collect())
    }

    async fn text_of(&self, digest: &Digest) -> Result<String, WorkError> {
        Ok(String::from_utf8_lossy(&self.store.blob(digest).await?).into_owned())
    }
}

/// The numbers that a lesson names today, in any of its versions.
#[must_use]
pub fn used_by(library: &Library, lesson: &LessonId) -> BTreeSet<HotlineId> {
    let variants = library.lesson(lesson).into_iter().flat_map(|lesson| lesson.variants.values());
    let mut ids = BTreeSet::new();
    for variant in variants {
        ids.extend(variant.hotlines.iter().cloned());
        let named = resolved(&named_in(&variant.file.text), &library.hotline_sets);
        ids.extend(named.iter().filter_map(|id| HotlineId::new(id).ok()));
    }
    ids
}

fn resolved(named: &Named, sets: &[HotlineSet]) -> BTreeSet<String> {
    let mut ids = named.ids.clone();
    for set in sets.iter().filter(|set| named.sets.contains(&set.id)) {
        ids.extend(set.hotlines.iter().map(ToString::to_string));
    }
    ids
}

/// The names in a lesson's source: `{{hotline:police}}`, `:::hotline{set=fraud}`, and the list
/// `hotlines` of the front matter.
fn named_in(text: &str) -> Named {
    static INLINE: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"\{\{\s*hotline\s*[:：]\s*([a-z0-9-]+)").ok());
    static SET: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r#":hotline\s*\{[^}]*set\s*=\s*["']?([a-z0-9-]+)"#).ok());
    static LIST: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"(?m)^hotlines\s*:\s*(\[[^\]]*\]|(?:\s*\n\s*-\s*[a-z0-9-]+)+)").ok()
    });
    static WORD: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"[a-z][a-z0-9-]*").ok());
    let all = |pattern: &LazyLock<Option<Regex>>, text: &str, group: usize| -> BTreeSet<String> {
        let found = pattern.iter().flat_map(|pattern| pattern.captures_iter(text));
        found.filter_map(|found| found.get(group).map(|text| text.as_str().to_owned())).collect()
    };
    let mut named = Named { ids: all(&INLINE, text, 1), sets: all(&SET, text, 1) };
    for list in all(&LIST, text, 1) {
        named.ids.extend(all(&WORD, &list, 0));
    }
    named
}
