//! What was last approved of a lesson, from the ledger: its number, the frozen sources, the digest
//! of every file. Where there is no ledger, that is said; none is made, and no channel is opened.

use super::snapshot::{Snapshot, chain, folder_of};
use crate::{
    config::{Config, StorageConfig},
    model::{Digest, LessonId, Listing, Manifest, Severity},
    review::{Standing, standing},
    store::{Review, Store},
    work::{WorkError, difference, wire},
};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::{runtime::Handle, sync::Mutex};

/// A database that does not answer keeps nobody from writing.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many submissions are looked through, newest first.
const SUBMISSIONS: usize = 200;

/// What the ledger says about a lesson.
#[derive(Debug)]
pub enum Past {
    /// It cannot be asked, and why.
    Unknown(String),
    /// No version was ever approved.
    Never,
    /// The last approved version.
    Approved(Box<Approved>),
}

/// The last approved version of a lesson.
#[derive(Debug)]
pub struct Approved {
    /// The approval number.
    pub number: String,
    /// Who signed, with the day: `li_shen 2026-11-27`.
    pub signed: Vec<String>,
    /// Whether the approval has expired since.
    pub has_expired: bool,
    /// The files of the lesson, by path.
    pub files: BTreeMap<String, Listing>,
    /// The texts of the lesson's folder, by path under the content folder.
    pub texts: BTreeMap<PathBuf, String>,
    /// Everything the files were made from, by name.
    inputs: BTreeMap<String, Digest>,
}

/// The ledger, opened when it is first asked and exists.
#[derive(Debug, Default)]
pub struct Ledger(Mutex<Option<(StorageConfig, Store)>>);

impl Ledger {
    /// What was last approved of a lesson.
    pub async fn past(&self, config: &Config, lesson: &LessonId) -> Past {
        let asked = async {
            match self.store(config).await? {
                Some(store) => past(&store, lesson).await,
                None => {
                    Ok(Past::Unknown("还没有台账（没有送审过），所以没有批准的版本可比".to_owned()))
                }
            }
        };
        match tokio::time::timeout(PATIENCE, asked).await {
            Ok(Ok(past)) => past,
            Ok(Err(error)) => Past::Unknown(format!("台账读不了：{}", chain(&error))),
            Err(_) => Past::Unknown("台账 5 秒没有回答，先不比；请检查 [database]".to_owned()),
        }
    }

    async fn store(&self, config: &Config) -> Result<Option<Store>, WorkError> {
        let mut open = self.0.lock().await;
        if let Some((storage, store)) = &*open
            && *storage == config.storage
        {
            return Ok(Some(store.clone()));
        }
        let (storage, folder) = (config.storage.clone(), config.folder.clone());
        let here = Handle::current();
        // On one thread: the compiler cannot see that opening may change threads.
        let opening = move || here.block_on(Store::open_existing(&storage, &folder));
        let store = match tokio::task::spawn_blocking(opening).await {
            Ok(store) => store?,
            Err(error) => return Err(WorkError::Refused(error.to_string())),
        };
        *open = store.clone().map(|store| (config.storage.clone(), store));
        Ok(store)
    }
}

async fn past(store: &Store, lesson: &LessonId) -> Result<Past, WorkError> {
    let reviews = store.reviews(None).await?;
    let mut about = reviews;
    about.retain(|review| review.lessons.contains(lesson));
    about.truncate(SUBMISSIONS);
    for review in &about {
        let mut found: Option<Approved> = None;
        for (_, manifest) in &review.manifests {
            let Some((signed, has_expired)) = signatures(store, review, manifest).await? else {
                continue;
            };
            let Some(json) = store.manifest(manifest).await? else { continue };
            let Manifest { files, inputs, .. } = wire::from_json(&json)?;
            let approved = found.get_or_insert_with(|| Approved {
                number: review.number.clone(),
                signed,
                has_expired,
                files: BTreeMap::new(),
                texts: BTreeMap::new(),
                inputs: BTreeMap::new(),
            });
            let own = files.into_iter().filter(|file| file.lesson.as_ref() == Some(lesson));
            approved.files.extend(own.map(|file| (file.path.clone(), file)));
            approved.inputs.extend(inputs);
        }
        if let Some(mut approved) = found {
            approved.texts = texts(store, review, lesson).await?;
            return Ok(Past::Approved(Box::new(approved)));
        }
    }
    Ok(Past::Never)
}

/// Who signed a manifest, where every step was signed, and whether that has expired.
async fn signatures(
    store: &Store,
    review: &Review,
    manifest: &Digest,
) -> Result<Option<(Vec<String>, bool)>, WorkError> {
    let approvals = store.approvals(manifest).await?;
    let now = store.now().await?;
    let has_expired = match standing(&review.steps, &approvals, &review.excluded, now) {
        Standing::Approved { .. } => false,
        Standing::Expired { .. } => true,
        Standing::Missing(_) | Standing::Rejected { .. } => return Ok(None),
    };
    let day = |at| crate::work::clock::shanghai(at).date();
    let signed =
        approvals.iter().map(|approval| format!("{} {}", approval.actor, day(approval.at)));
    Ok(Some((signed.collect(), has_expired)))
}

async fn texts(
    store: &Store,
    review: &Review,
    lesson: &LessonId,
) -> Result<BTreeMap<PathBuf, String>, WorkError> {
    let folder = folder_of(lesson);
    let mut texts = BTreeMap::new();
    for (path, blob) in difference::read_revision(store, &review.revision).await? {
        let is_text = Path::new(&path).extension().is_some_and(|end| end == "md" || end == "toml");
        if is_text && Path::new(&path).starts_with(&folder) {
            let text = String::from_utf8_lossy(&store.blob(&blob).await?).into_owned();
            texts.insert(PathBuf::from(path), text);
        }
    }
    Ok(texts)
}

impl Approved {
    /// What else differs: shared registries and pictures, templates, faces, the bank. Each in
    /// Chinese.
    pub fn changed_inputs(&self, snapshot: &Snapshot, lesson: &LessonId) -> Vec<String> {
        let folder = format!("content/{}/", folder_of(lesson).to_string_lossy().replace('\\', "/"));
        let style = snapshot.studio(&super::view::Look::Current).map(crate::build::Studio::inputs);
        let mut changes = Vec::new();
        for (name, then) in &self.inputs {
            let now = match name.strip_prefix("content/") {
                _ if name.starts_with(&folder) && is_text(name) => continue,
                Some(path) if path.starts_with("lessons/") && !name.starts_with(&folder) => {
                    continue;
                }
                Some(path) => {
                    fs::read(snapshot.config().content.join(path)).ok().map(|b| Digest::of(&b))
                }
                None => match style.as_ref().ok().and_then(|inputs| inputs.get(name)) {
                    Some(digest) => Some(*digest),
                    // Channel and campaign decide where it goes, not what it looks like.
                    None => continue,
                },
            };
            if now != Some(*then) {
                changes.push(difference::named_change(name, true, now.is_some()));
            }
        }
        changes
    }
}

fn is_text(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|end| end == "md" || end == "toml")
}

/// How many findings of a severity count.
pub fn count(findings: &[crate::model::Finding], severity: Severity) -> usize {
    findings.iter().filter(|finding| finding.counts_as(severity)).count()
}
