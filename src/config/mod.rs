//! `channels.toml` → a checked [`Config`]: parsed, then validated, every fault collected.
//!
//! This is the only room that reads the environment. Secrets, when channels come to need them, are
//! references here, never text.

use crate::model::{Bank, HotlineId};
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

/// Where the configuration stands when nothing else is said.
pub const DEFAULT_FILE: &str = "channels.toml";

/// The checked configuration. Paths are absolute or relative to the working directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The bank.
    pub bank: Bank,
    /// The folder of lessons and registries.
    pub content: PathBuf,
    /// A folder of further faces.
    pub fonts: Option<PathBuf>,
    /// A folder whose templates replace the built-in ones.
    pub templates: Option<PathBuf>,
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
        let text = fs::read_to_string(path)
            .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let file: ConfigFile = toml::from_str(&text).map_err(|error| ConfigError::Syntax {
            path: path.to_owned(),
            reason: error.to_string(),
        })?;
        file.check(folder).map_err(|faults| ConfigError::Invalid { path: path.to_owned(), faults })
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConfigFile {
    bank: BankTable,
    #[serde(default)]
    content: FolderTable,
    #[serde(default)]
    fonts: FolderTable,
    #[serde(default)]
    templates: FolderTable,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BankTable {
    name: String,
    base_url: String,
    hotline: String,
    disclaimer: String,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct FolderTable {
    folder: Option<PathBuf>,
}

impl ConfigFile {
    fn check(self, folder: &Path) -> Result<Config, Vec<String>> {
        let mut faults = Vec::new();
        let name = self.bank.name.trim().to_owned();
        if name.is_empty() || name.chars().count() > 16 {
            faults.push("[bank] name 应有 1 到 16 个字".to_owned());
        }
        let base_url = self.bank.base_url.trim_end_matches('/').to_owned();
        if !base_url.starts_with("https://") || base_url.contains(['?', '#', ' ']) {
            faults.push(format!(
                "[bank] base_url 是“{base_url}”，应以 https:// 开头，不带 ?、# 和空格"
            ));
        }
        if base_url.len() > 60 {
            faults.push(format!(
                "[bank] base_url 有 {} 个字符，二维码会太密；请用 60 个以内的网址",
                base_url.len()
            ));
        }
        let hotline = HotlineId::new(&self.bank.hotline)
            .map_err(|error| faults.push(format!("[bank] hotline：{error}")));
        let below = |path: Option<PathBuf>| path.map(|path| folder.join(path));
        let mut existing = |table: &str, path: Option<PathBuf>| {
            let path = below(path)?;
            if !path.is_dir() {
                faults.push(format!("[{table}] folder：没有文件夹 {}", path.display()));
            }
            Some(path)
        };
        let fonts = existing("fonts", self.fonts.folder);
        let templates = existing("templates", self.templates.folder);
        let content = folder.join(self.content.folder.unwrap_or_else(|| "content".into()));
        match hotline {
            Ok(hotline) if faults.is_empty() => Ok(Config {
                bank: Bank { name, base_url, hotline, disclaimer: self.bank.disclaimer },
                content,
                fonts,
                templates,
            }),
            _ => Err(faults),
        }
    }
}
