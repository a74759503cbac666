//! The channel's table → a checked repository with its keys.
//!
//! ```toml
//! [channel.screens]
//! kind = "packs"
//! path = "out/published/packs"  # or s3, webdav, sftp, as for a folder
//! keys = "secrets/packs"        # root.json targets.der snapshot.der timestamp.der emergency.der
//! activate = "08:00"            # when branches switch
//! stage_hours = 4               # the time that they have at least to fetch it before
//! takeover = false              # true: takes every screen over at once
//!
//! [[channel.screens.daypart]]   # when something plays; without one, all day
//! audiences = ["elder"]         # or lessons = […]
//! days = ["MON", "TUE"]
//! hours = "08:00-12:00"
//! ```

use super::{
    channel::PacksChannel,
    release::{DaypartRule, Timing},
};
use crate::{
    config::ChannelEntry,
    deliver::{
        BuildContext, Channel,
        settings::{Faults, parse},
        storage::{S3Settings, SftpSettings, StorageSettings, WebDavSettings},
    },
    model::{Audience, LessonId, suggest},
    packs::{KeySet, RootKeys, SigningKey, new_root, sign_root},
};
use jiff::{
    SignedDuration, Timestamp,
    civil::{Time, Weekday},
};
use serde::Deserialize;
use std::{
    fs,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::Arc,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    path: Option<PathBuf>,
    s3: Option<S3Settings>,
    webdav: Option<WebDavSettings>,
    sftp: Option<SftpSettings>,
    keys: PathBuf,
    #[serde(default = "default_activate")]
    activate: String,
    #[serde(default = "default_stage_hours")]
    stage_hours: u32,
    #[serde(default)]
    takeover: bool,
    #[serde(default)]
    daypart: Vec<DaypartSettings>,
    #[serde(default)]
    allow: Vec<String>,
    #[serde(default)]
    allow_http: bool,
    #[serde(default = "default_timeout")]
    timeout_seconds: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DaypartSettings {
    #[serde(default)]
    audiences: Vec<String>,
    #[serde(default)]
    lessons: Vec<String>,
    #[serde(default)]
    days: Vec<String>,
    hours: Option<String>,
}

fn default_activate() -> String {
    "08:00".to_owned()
}

fn default_stage_hours() -> u32 {
    4
}

fn default_timeout() -> u64 {
    60
}

/// Builds the channel.
///
/// # Errors
/// Every fault of the table, and keys that cannot be read.
pub fn build(
    entry: &ChannelEntry,
    context: &BuildContext,
) -> Result<Arc<dyn Channel>, Vec<String>> {
    let settings: Settings = parse(entry)?;
    let mut faults = Faults::new(entry);
    let timing = settings.timing(&mut faults);
    let keys = match &context.rehearsal {
        Some(folder) => rehearsal_keys(&folder.join(format!("{}-keys", entry.id))),
        None => load_keys(&context.folder.join(&settings.keys), settings.takeover),
    };
    let keys = keys.map_err(|fault| faults.add(format!("keys：{fault}"))).ok();
    let storage = StorageSettings {
        path: settings.path,
        s3: settings.s3,
        webdav: settings.webdav,
        sftp: settings.sftp,
        tree: false,
        allow: settings.allow,
        allow_http: settings.allow_http,
        timeout_seconds: settings.timeout_seconds,
    };
    match (storage.build(&mut faults, context, entry.id.as_str()), keys) {
        (Some((storage, target)), Some((root, keys))) if faults.is_empty() => {
            Ok(Arc::new(PacksChannel {
                id: entry.id.clone(),
                target,
                storage: Arc::new(storage),
                root,
                keys,
                timing,
                turn: tokio::sync::Mutex::default(),
            }))
        }
        _ => Err(faults.into_found()),
    }
}

/// `root.json` and the keys of the online roles.
fn load_keys(folder: &Path, takeover: bool) -> Result<(Vec<u8>, KeySet), String> {
    let path = folder.join("root.json");
    let root = fs::read(&path).map_err(|error| {
        format!(
            "读不了 {}（{error}）；请先做密钥：caishi keys init {}",
            path.display(),
            folder.display()
        )
    })?;
    let keys = KeySet::load(folder).map_err(|error| error.to_string())?;
    if takeover && keys.emergency.is_none() {
        return Err(format!("takeover = true 要有 {}", folder.join("emergency.der").display()));
    }
    if keys.targets.is_none() {
        return Err(format!("缺 {}；没有它不能发布", folder.join("targets.der").display()));
    }
    Ok((root, keys))
}

/// A rehearsal has keys of its own: it must neither need nor touch the real ones.
fn rehearsal_keys(folder: &Path) -> Result<(Vec<u8>, KeySet), String> {
    if folder.join("root.json").exists() {
        return load_keys(folder, true);
    }
    let text = |error: crate::packs::PacksError| error.to_string();
    fs::create_dir_all(folder).map_err(|error| format!("{}：{error}", folder.display()))?;
    let mut publics = Vec::new();
    for name in ["root-1", "targets", "snapshot", "timestamp", "emergency"] {
        let key = SigningKey::generate().map_err(text)?;
        key.save(&folder.join(format!("{name}.der"))).map_err(text)?;
        publics.push((key.public().to_vec(), key));
    }
    let public = |index: usize| publics[index].0.clone();
    let keys = RootKeys {
        root: vec![public(0)],
        threshold: NonZeroUsize::MIN,
        targets: public(1),
        snapshot: public(2),
        timestamp: public(3),
    };
    // The rehearsal's clock may stand anywhere: its root is good from then to the end of time.
    let start = Timestamp::from_second(4_000_000_000).unwrap_or(Timestamp::UNIX_EPOCH);
    let root = new_root(&keys, start).map_err(text)?;
    let root = sign_root(&root, &publics[0].1).map_err(text)?;
    let path = folder.join("root.json");
    fs::write(&path, root).map_err(|error| format!("{}：{error}", path.display()))?;
    load_keys(folder, true)
}

impl Settings {
    fn timing(&self, faults: &mut Faults<'_>) -> Timing {
        let activate = self.activate.parse::<Time>().unwrap_or_else(|_| {
            faults.add(format!("activate 是“{}”，应为时刻，如 \"08:00\"", self.activate));
            Time::MIN
        });
        if self.stage_hours > 24 * 7 {
            faults.add(format!("stage_hours 是 {}，应在 0 到 168 之间", self.stage_hours));
        }
        let dayparts = self.daypart.iter().map(|daypart| daypart.check(faults)).collect();
        Timing {
            activate,
            stage: SignedDuration::from_hours(i64::from(self.stage_hours.min(168))),
            takeover: self.takeover,
            dayparts,
        }
    }
}

impl DaypartSettings {
    fn check(&self, faults: &mut Faults<'_>) -> DaypartRule {
        let mut rule = DaypartRule::default();
        for text in &self.audiences {
            let names = || Audience::ALL.iter().map(|audience| audience.as_str());
            match Audience::from_name(text) {
                Some(audience) => rule.audiences.push(audience),
                None => faults.add(format!(
                    "daypart.audiences 没有读者“{text}”；{}",
                    suggest::known(text, names())
                )),
            }
        }
        for text in &self.lessons {
            match LessonId::new(text) {
                Ok(lesson) => rule.lessons.push(lesson),
                Err(error) => faults.add(format!("daypart.lessons：{error}")),
            }
        }
        for text in &self.days {
            match weekday(text) {
                Some(day) => rule.days.push(day),
                None => {
                    let known = "写 MON TUE WED THU FRI SAT SUN";
                    faults.add(format!("daypart.days 没有“{text}”；{known}"));
                }
            }
        }
        if let Some(text) = &self.hours {
            let parsed = text.split_once('-').and_then(|(from, until)| {
                Some((from.trim().parse().ok()?, until.trim().parse().ok()?))
            });
            match parsed {
                Some((from, until)) if from != until => rule.hours = Some((from, until)),
                _ => faults.add(format!("daypart.hours 是“{text}”，应为 \"08:00-12:00\"")),
            }
        }
        if rule.days.is_empty() && rule.hours.is_none() {
            faults.add("daypart 没有写 days，也没有写 hours；写一个，或删掉这一段");
        }
        rule
    }
}

fn weekday(text: &str) -> Option<Weekday> {
    const NAMES: [&str; 7] = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"];
    let index = NAMES.iter().position(|name| *name == text)?;
    Weekday::from_monday_zero_offset(i8::try_from(index).ok()?).ok()
}
