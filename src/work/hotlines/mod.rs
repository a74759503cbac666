//! The numbers that people call: where each is used, and what changing one means.
//!
//! 1. [`carriers`](Publisher::carriers) says which live deliveries show which number, by the frozen
//!    texts that they were made of.
//! 2. [`edit`] changes one entry of `hotlines.toml` and leaves every other byte alone.
//! 3. [`change`] notes what follows ([`plan`]); [`file`] sees to it that the file says so; [`tend`]
//!    does it: submits what is to take the old outputs' place, and takes the old ones down, at once
//!    or when the new ones are approved.

mod ahead;
pub mod change;
pub mod edit;
mod file;
pub mod plan;
mod tend;

pub use change::{NewNumber, Stage, changing};
pub use plan::{ChangePlan, Group, GroupState, plan_of};

use super::{
    Content, Publisher, WorkError, difference,
    live::{Contents, LiveOut, Standing},
};
use crate::{
    model::{Digest, Hotline, HotlineId, HotlineSet, LessonId, Library, OutputKind},
    read,
    store::Out,
};
use regex::Regex;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

/// A live delivery and the numbers that it shows.
#[derive(Debug, Clone)]
pub struct Carrier {
    /// The delivery.
    pub live: Out,
    /// What is in it.
    pub contents: Arc<Contents>,
    /// The numbers it shows, as they were when it was made.
    pub numbers: Arc<BTreeMap<HotlineId, String>>,
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

/// Frozen things, which never change once they were read.
#[derive(Debug, Default)]
pub struct HotlineCache {
    revisions: Frozen<difference::Revision>,
    registries: Frozen<Numbers>,
    texts: Frozen<Named>,
    carriers: Mutex<Option<Known>>,
    uses: Mutex<Option<(Digest, Arc<Uses>)>>,
}

/// Which lessons name a number.
pub type Uses = BTreeMap<HotlineId, Vec<LessonId>>;

/// What was made of what was live, and of today's texts.
#[derive(Debug)]
struct Known {
    live: Arc<Vec<LiveOut>>,
    texts: Digest,
    carriers: Arc<Vec<Carrier>>,
}

/// Deliveries that share these show the same numbers: the frozen content they were made of, their
/// lessons, and whether there is a public notice among them.
type Sort<'l> = (&'l Digest, &'l [LessonId], bool);

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
    ) -> Result<Arc<Vec<Carrier>>, WorkError> {
        let live = self.live().await?;
        let texts = stamp(content);
        let known = || cache.carriers.lock().unwrap_or_else(PoisonError::into_inner);
        let still = |one: &Known| Arc::ptr_eq(&one.live, &live) && one.texts == texts;
        if let Some(known) = known().as_ref().filter(|one| still(one)) {
            return Ok(Arc::clone(&known.carriers));
        }
        let mut sorts: BTreeMap<Sort<'_>, Arc<BTreeMap<HotlineId, String>>> = BTreeMap::new();
        let mut carriers = Vec::new();
        for one in live.iter() {
            let notice = one.contents.outputs.contains_key(&OutputKind::Notice);
            let sort = one.out.revision.as_ref().map(|it| (it, &*one.out.lessons, notice));
            let numbers = match sort.and_then(|sort| sorts.get(&sort)) {
                Some(known) => Arc::clone(known),
                None => Arc::new(self.numbers_of(&one.out, notice, content, cache).await?),
            };
            if let Some(sort) = sort {
                sorts.insert(sort, Arc::clone(&numbers));
            }
            carriers.push(Carrier {
                live: Out::clone(&one.out),
                contents: Arc::clone(&one.contents),
                numbers,
                out: one.standing != Standing::Coming,
                stays: self.stays_for_good(&one.out.channel),
            });
        }
        let carriers = Arc::new(carriers);
        *known() = Some(Known { live, texts, carriers: Arc::clone(&carriers) });
        Ok(carriers)
    }

    /// The numbers that a delivery shows: those that its frozen lessons name, the bank's own, which
    /// is on everything, and all of them where there is a public notice.
    async fn numbers_of(
        &self,
        live: &Out,
        has_notice: bool,
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
        if has_notice {
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

/// A digest of the content folder's files.
fn stamp(content: &Content) -> Digest {
    let own = content.files.iter();
    let fields = own.flat_map(|(path, digest)| [path.as_bytes(), digest.as_bytes().as_slice()]);
    Digest::of_fields(fields)
}

/// Which lessons name which number today.
pub async fn uses(content: &Arc<Content>, cache: &HotlineCache) -> Arc<Uses> {
    let texts = stamp(content);
    let known = || cache.uses.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, uses)) = known().as_ref().filter(|(own, _)| *own == texts) {
        return Arc::clone(uses);
    }
    let reading = Arc::clone(content);
    let read = move || {
        let mut uses = Uses::new();
        for lesson in &reading.library.lessons {
            for id in used_by(&reading.library, &lesson.id) {
                uses.entry(id).or_default().push(lesson.id.clone());
            }
        }
        uses
    };
    let uses = Arc::new(tokio::task::spawn_blocking(read).await.unwrap_or_default());
    *known() = Some((texts, Arc::clone(&uses)));
    uses
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
