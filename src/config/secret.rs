//! References to secrets. A configuration never holds a secret, only where to find one.

use secrecy::SecretString;
use serde::Deserialize;
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Where a secret is: `{ env = "…" }`, `{ file = "…" }` or `{ command = ["…", "…"] }`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum SecretReference {
    /// An environment variable.
    Env(String),
    /// A file that only its owner may read (mode 0600 or 0400); a final line break is dropped.
    File(PathBuf),
    /// A program and its arguments; its standard output, less a final line break.
    Command(Vec<String>),
}

/// Why a secret could not be had. Never holds the secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The environment variable is not set or empty.
    #[error("环境变量 {0} 没有设置")]
    Env(String),
    /// The file cannot be read.
    #[error("读不了密钥文件 {path}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Others may read the file.
    #[error("密钥文件 {path} 的权限是 {mode:o}，别人也能读；请运行 chmod 600 {path}")]
    Mode {
        /// Which.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The program failed.
    #[error("取密钥的命令 {program} 失败：{reason}")]
    Command {
        /// Which.
        program: String,
        /// Why; not its output.
        reason: String,
    },
    /// It is empty.
    #[error("密钥是空的：{0}")]
    Empty(String),
}

impl SecretReference {
    /// Fetches the secret. Relative files lie below `folder`.
    ///
    /// # Errors
    /// [`SecretError`] names the reference, never the secret.
    pub fn resolve(&self, folder: &Path) -> Result<SecretString, SecretError> {
        let text = match self {
            Self::Env(name) => env::var(name).map_err(|_| SecretError::Env(name.clone()))?,
            Self::File(path) => read_file(&folder.join(path))?,
            Self::Command(words) => run(words)?,
        };
        let text = text.trim_end_matches(['\r', '\n']);
        if text.is_empty() {
            return Err(SecretError::Empty(self.describe()));
        }
        Ok(SecretString::from(text))
    }

    /// The reference for people.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Env(name) => format!("环境变量 {name}"),
            Self::File(path) => format!("文件 {}", path.display()),
            Self::Command(words) => format!("命令 {}", words.first().map_or("", String::as_str)),
        }
    }
}

fn read_file(path: &Path) -> Result<String, SecretError> {
    let wrap = |source| SecretError::File { path: path.to_owned(), source };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(path).map_err(wrap)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(SecretError::Mode { path: path.to_owned(), mode });
        }
    }
    fs::read_to_string(path).map_err(wrap)
}

fn run(words: &[String]) -> Result<String, SecretError> {
    let Some((program, arguments)) = words.split_first() else {
        return Err(SecretError::Command {
            program: String::new(), reason: "没有写程序".into()
        });
    };
    let failed = |reason: String| SecretError::Command { program: program.clone(), reason };
    let output = Command::new(program)
        .args(arguments)
        .output()
        .map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        return Err(failed(output.status.to_string()));
    }
    String::from_utf8(output.stdout).map_err(|_| failed("输出不是 UTF-8".into()))
}
