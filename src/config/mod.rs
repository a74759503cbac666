//! `channels.toml` → a checked [`Config`]: parsed, then validated, every fault collected.
//!
//! | module | what it does |
//! |---|---|
//! | [`file`] | the text → [`Config`]; `[bank]` and the folders |
//! | [`channel`] [`console`] [`schedule`] [`review`] [`people`] [`storage`] | one group of tables each |
//! | [`table`] | takes typed values out of a table; collects faults with line, table and key |
//! | [`secret`] | references to secrets, and fetching them |
//!
//! This is the only room that reads the environment. Secrets are references here, never text.

mod channel;
mod console;
mod file;
mod people;
mod publish;
mod review;
mod schedule;
mod secret;
mod storage;
mod table;

pub use file::Environment;
pub use people::{AuthenticationError, ROLES};
pub use publish::*;
pub use secret::{SecretError, SecretReference};

use crate::model::{Bank, ScheduleEntry};
use std::{
    collections::BTreeMap,
    env, fs, io,
    path::{Path, PathBuf},
};

/// Where the configuration stands when nothing else is said.
pub const DEFAULT_FILE: &str = "channels.toml";

/// The checked configuration. Paths are absolute or relative to the working directory.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The folder of the file; paths in its tables are below it.
    pub folder: PathBuf,
    /// The bank.
    pub bank: Bank,
    /// The folder of lessons and registries.
    pub content: PathBuf,
    /// A folder of further faces.
    pub fonts: Option<PathBuf>,
    /// A folder whose templates replace the built-in ones.
    pub templates: Option<PathBuf>,
    /// Where things go, in the file's order.
    pub channels: Vec<ChannelEntry>,
    /// When, in the file's order.
    pub schedules: Vec<ScheduleEntry>,
    /// Who must agree.
    pub review: ReviewConfig,
    /// Who may act.
    pub people: Vec<Person>,
    /// Where the ledger and its blobs are.
    pub storage: StorageConfig,
    /// Where `caishi serve` listens.
    pub server: ServerConfig,
    /// How people use it with a browser.
    pub console: ConsoleConfig,
}

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file, or one it names, cannot be read.
    #[error("读不了 {path}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is not TOML, or a key is misspelt or of the wrong type.
    #[error("{path} 写错了：{reason}")]
    Syntax {
        /// Which.
        path: PathBuf,
        /// With the line and the marked place.
        reason: String,
    },
    /// Values that do not make sense; all of them.
    #[error("{path} 里有 {} 处要改：{}", .faults.len(), .faults.join("；"))]
    Invalid {
        /// Which.
        path: PathBuf,
        /// Each names its key, what was expected and what to do.
        faults: Vec<String>,
    },
}

impl Config {
    /// Reads and checks the file.
    ///
    /// # Errors
    /// [`ConfigError`] names the file, the key and what was expected.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        Self::load_with(path, &|name| env::var(name).ok())
    }

    /// As [`Config::load`], with the environment as a parameter.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn load_with(path: &Path, environment: Environment<'_>) -> Result<Self, ConfigError> {
        let text = fs::read_to_string(path)
            .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        file::read(text.strip_prefix('\u{FEFF}').unwrap_or(&text), path, environment)
    }

    /// The further faces: file name and bytes, sorted by name.
    ///
    /// # Errors
    /// [`ConfigError::Read`].
    pub fn read_fonts(&self) -> Result<Vec<(String, Vec<u8>)>, ConfigError> {
        let Some(folder) = &self.fonts else { return Ok(Vec::new()) };
        let files = files_below(folder, &["ttf", "otf", "woff2"])?;
        files
            .into_iter()
            .map(|(name, path)| {
                let bytes = fs::read(&path).map_err(|source| ConfigError::Read { path, source })?;
                Ok((name, bytes))
            })
            .collect()
    }

    /// The replacing templates: path under the folder, and text.
    ///
    /// # Errors
    /// [`ConfigError::Read`].
    pub fn read_templates(&self) -> Result<BTreeMap<String, String>, ConfigError> {
        let Some(folder) = &self.templates else { return Ok(BTreeMap::new()) };
        let files = files_below(folder, &["hbs", "toml"])?;
        files
            .into_iter()
            .map(|(name, path)| {
                let text = fs::read_to_string(&path)
                    .map_err(|source| ConfigError::Read { path, source })?;
                Ok((name, text))
            })
            .collect()
    }
}

fn files_below(
    folder: &Path,
    extensions: &[&str],
) -> Result<BTreeMap<String, PathBuf>, ConfigError> {
    let mut files = BTreeMap::new();
    for entry in walkdir::WalkDir::new(folder).sort_by_file_name() {
        let entry = entry
            .map_err(|error| ConfigError::Read { path: folder.to_owned(), source: error.into() })?;
        let path = entry.path();
        let known = path.extension().is_some_and(|e| extensions.iter().any(|known| e == *known));
        if entry.file_type().is_file() && known {
            let name = path.strip_prefix(folder).unwrap_or(path).to_string_lossy();
            files.insert(name.replace('\\', "/"), path.to_owned());
        }
    }
    Ok(files)
}
