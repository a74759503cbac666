//! The content folder as it is now: what was read from it, and the digest of every file.

use super::WorkError;
use crate::{
    build::Studio,
    check::Catalogue,
    config::Config,
    model::{
        CampaignId, ChannelId, Diagnostic, Digest, Edition, LessonId, Library, OutputKind,
        ScheduleEntry, Severity, suggest,
    },
    read,
};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// The version of the rules that publishing itself holds (A103, A104 and the separation of
/// education and marketing). Approvals given under another version are refused.
const PUBLISHING_RULES: &str = "publishing-1";

/// The content folder, read once.
#[derive(Debug)]
pub struct Content {
    /// What was read.
    pub library: Library,
    /// What is wrong with it.
    pub diagnostics: Vec<Diagnostic>,
    /// The digest of every file, by path under the content folder.
    pub files: BTreeMap<String, Digest>,
    /// Digests of what else decides the outputs' bytes.
    pub style: BTreeMap<String, Digest>,
    /// Where it is.
    pub folder: PathBuf,
    /// The schedules of `channels.toml` and of the campaigns' own files.
    pub schedules: Vec<ScheduleEntry>,
    /// Why others of the campaigns' files do not count.
    pub schedule_faults: Vec<String>,
}

/// The schedules of `channels.toml`, and those that editions bring along, with their channels
/// filled in; and why some of those do not count.
pub(super) fn schedules_of(
    config: &Config,
    library: &Library,
) -> (Vec<ScheduleEntry>, Vec<String>) {
    let mut schedules = config.schedules.clone();
    let mut faults = Vec::new();
    for edition in library.campaigns.iter().flat_map(|series| &series.editions) {
        for own in &edition.schedules {
            let place = format!("campaigns/{}.toml 的排期“{}”", edition.id.series, own.id);
            if let Some(other) = schedules.iter().find(|other| other.id == own.id) {
                let said = "同名的排期已经有了，属于活动";
                faults.push(format!("{place}：{said} {}；换一个代号", other.campaign));
                continue;
            }
            let mut entry = own.clone();
            if entry.channels.is_empty() {
                entry.channels.clone_from(&edition.reach.channels);
            }
            if entry.channels.is_empty() {
                entry.channels = config.channels.iter().map(|one| one.id.clone()).collect();
            }
            let known = |id: &ChannelId| config.channels.iter().any(|one| one.id == *id);
            let unknown: Vec<&str> =
                entry.channels.iter().filter(|id| !known(id)).map(ChannelId::as_str).collect();
            if unknown.is_empty() {
                schedules.push(entry);
            } else {
                let names = config.channels.iter().map(|one| one.id.as_str());
                let help = suggest::known(unknown[0], names);
                faults.push(format!("{place}：没有渠道 {}；{help}", unknown.join("、")));
            }
        }
    }
    (schedules, faults)
}

impl Content {
    /// Reads everything.
    ///
    /// # Errors
    /// [`WorkError`] where templates, fonts or a file cannot be read; faults of lessons are
    /// diagnostics instead.
    pub fn load(config: &Config) -> Result<Self, WorkError> {
        let reading = read::read_library(&config.content);
        let studio = Studio::load(config)?;
        let (schedules, schedule_faults) = schedules_of(config, &reading.library);
        Ok(Self {
            schedules,
            schedule_faults,
            library: reading.library,
            diagnostics: reading.diagnostics,
            files: digests(&config.content)?,
            style: studio.inputs().clone(),
            folder: config.content.clone(),
        })
    }

    /// The lessons with errors are not in the library; this says why one is missing.
    #[must_use]
    pub fn faults_of(&self, lesson: &LessonId) -> Vec<String> {
        let folder = Path::new("lessons").join(lesson.as_str());
        self.diagnostics
            .iter()
            .filter(|found| found.severity == Severity::Error)
            .filter(|found| found.file.path.starts_with(&folder))
            .map(|found| {
                let line = found.position().map_or(0, |(line, _)| line);
                format!("{} 第 {line} 行：{}", found.file.path.display(), found.reason)
            })
            .collect()
    }

    /// The schedules that fire.
    pub fn enabled_schedules(&self) -> impl Iterator<Item = &ScheduleEntry> {
        self.schedules.iter().filter(|entry| entry.enabled)
    }

    /// The schedule of that name.
    ///
    /// # Errors
    /// [`WorkError::Unknown`] lists those there are.
    pub fn schedule(&self, name: &str) -> Result<&ScheduleEntry, WorkError> {
        self.schedules.iter().find(|entry| entry.id.as_str() == name).ok_or_else(|| {
            let known: Vec<&str> = self.schedules.iter().map(|entry| entry.id.as_str()).collect();
            WorkError::Unknown(format!("没有排期“{name}”，现有：{}", known.join("、")))
        })
    }

    /// The edition of that name: `series/edition`, or a series or an edition that is the only one
    /// of its name.
    ///
    /// # Errors
    /// [`WorkError::Unknown`] lists what there is.
    pub fn edition(&self, name: &str) -> Result<&Edition, WorkError> {
        let editions = || self.library.campaigns.iter().flat_map(|campaign| &campaign.editions);
        if let Ok(id) = CampaignId::new(name)
            && let Some(edition) = self.library.edition(&id)
        {
            return Ok(edition);
        }
        let alike: Vec<&Edition> = editions()
            .filter(|edition| edition.id.series == name || edition.id.edition == name)
            .collect();
        if let [edition] = alike[..] {
            return Ok(edition);
        }
        let known: Vec<String> = editions().map(|edition| edition.id.to_string()).collect();
        let known = known.join("、");
        Err(WorkError::Unknown(if alike.is_empty() {
            format!("没有活动“{name}”，现有：{known}")
        } else {
            format!("“{name}”有好几期，请写全：{known}")
        }))
    }

    /// Digests of everything that decides the bytes of these lessons in these outputs, by name.
    #[must_use]
    pub fn inputs(
        &self,
        lessons: &[LessonId],
        outputs: &[OutputKind],
        edition: &Edition,
    ) -> BTreeMap<String, Digest> {
        let of_branches = [OutputKind::Screen, OutputKind::Print, OutputKind::Portal]
            .iter()
            .chain([&OutputKind::Notice])
            .any(|output| outputs.contains(output));
        let wanted = |path: &str| {
            let lesson = path.strip_prefix("lessons/").and_then(|rest| rest.split('/').next());
            match lesson {
                Some(lesson) => lessons.iter().any(|id| id.as_str() == lesson),
                None if path == "branches.csv" || path == "screens.csv" => of_branches,
                None => {
                    path.starts_with("assets/") || path == "topics.toml" || path == "hotlines.toml"
                }
            }
        };
        let files = self.files.iter().filter(|(path, _)| wanted(path));
        let mut inputs: BTreeMap<String, Digest> =
            files.map(|(path, digest)| (format!("content/{path}"), *digest)).collect();
        inputs.extend(self.style.clone());
        let (from, until) = (edition.from.to_string(), edition.until.to_string());
        let campaign = [
            edition.id.series.as_str(),
            &edition.id.edition,
            &edition.name,
            &edition.theme,
            &from,
            &until,
            edition.palette.as_deref().unwrap_or(""),
        ];
        inputs.insert("campaign".into(), Digest::of_fields(campaign.map(str::as_bytes)));
        inputs
    }

    /// The rule pack in force: the program's publishing rules, the rules of the check, and the
    /// bank's own rule files.
    #[must_use]
    pub fn rule_pack(&self) -> String {
        let built_in = Catalogue::built_in().map(Catalogue::digest).ok();
        let rules = self.files.iter().filter(|(path, _)| path.starts_with("rules/"));
        let mut fields: Vec<&[u8]> = Vec::new();
        fields.extend(built_in.as_ref().map(|digest| digest.as_bytes().as_slice()));
        for (path, digest) in rules {
            fields.extend([path.as_bytes(), digest.as_bytes().as_slice()]);
        }
        let digest = Digest::of_fields(fields).to_string();
        format!("{PUBLISHING_RULES}+{}", &digest[..12])
    }
}

fn digests(folder: &Path) -> Result<BTreeMap<String, Digest>, WorkError> {
    let mut files = BTreeMap::new();
    let walk = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter();
    for entry in walk.filter_entry(|entry| !entry.file_name().to_string_lossy().starts_with('.')) {
        let entry = entry
            .map_err(|error| WorkError::File { path: folder.to_owned(), source: error.into() })?;
        if entry.file_type().is_file() {
            let path = entry.path();
            let bytes = fs::read(path)
                .map_err(|source| WorkError::File { path: path.to_owned(), source })?;
            let name = path.strip_prefix(folder).unwrap_or(path).to_string_lossy();
            files.insert(name.replace('\\', "/"), Digest::of(&bytes));
        }
    }
    Ok(files)
}
