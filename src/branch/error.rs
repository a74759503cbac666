//! What can go wrong at a branch, each with what somebody there can do about it.

use crate::{
    model::{BranchId, Digest},
    packs::{Attack, PacksError, SourceError},
};
use std::{
    io,
    path::{Path, PathBuf},
};

/// Why a branch could not do what it was to do. What it had before stays as it was.
#[derive(Debug, thiserror::Error)]
pub enum BranchError {
    /// `branch.toml` is missing or wrong.
    #[error("{path}：\n{}", .faults.join("\n"), path = .path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// Every fault, with its line and what was expected.
        faults: Vec<String>,
    },
    /// A file of this machine.
    #[error("{path}：{source}；{}", file_help(.source), path = .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another process is at it.
    #[error("另一个 caishi 正在{what}；等它做完再试，或先停掉它（systemctl stop caishi-branch）")]
    Busy {
        /// What it does.
        what: &'static str,
    },
    /// The machine was never enrolled.
    #[error(
        "这台机器还没有登记；向总行要一个一次性登记码，运行 caishi branch enrol <登记码> --server <总行地址>"
    )]
    NotEnrolled,
    /// Enrolment was refused.
    #[error("登记没有成功：{0}")]
    Enrol(String),
    /// The index is another branch's.
    #[error("收到的是网点 {found} 的清单，本机是 {own}；没有采用，一切照旧。请总行核对登记")]
    WrongBranch {
        /// This branch.
        own: BranchId,
        /// Whose it is.
        found: BranchId,
    },
    /// The head office's metadata names no index for this branch.
    #[error("总行的海报仓库里没有网点 {0}；请总行核对网点名单，重新投放一次")]
    UnknownBranch(BranchId),
    /// A file came whole and was not what was signed.
    #[error("{name} 收完后摘要不对，已隔离，不会播放；稍后重取。连着出现请告诉总行检查仓库和网络")]
    BadFile {
        /// The file.
        name: String,
        /// What was signed.
        expected: Digest,
    },
    /// The time in which files may be fetched is over.
    #[error(
        "取件时段已过，还差 {files} 个文件；下一个夜间时段接着取，急用请运行 caishi branch pull --now"
    )]
    WindowOver {
        /// How many files are still missing.
        files: usize,
    },
    /// The repository, or the way to it.
    #[error("{0}")]
    Packs(#[from] PacksError),
}

fn file_help(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull => "磁盘满了，请腾出空间；正在播放的不受影响",
        io::ErrorKind::PermissionDenied => "没有权限，请用运行服务的那个用户执行，或改文件夹的属主",
        io::ErrorKind::NotFound => "文件不在，请检查路径",
        _ => "请检查磁盘",
    }
}

impl From<SourceError> for BranchError {
    fn from(error: SourceError) -> Self {
        Self::Packs(PacksError::Source(error))
    }
}

impl BranchError {
    /// The attack that it looks like, if it looks like one.
    #[must_use]
    pub fn attack(&self) -> Option<Attack> {
        match self {
            Self::Packs(error) => error.attack(),
            Self::BadFile { .. } => Some(Attack::Tampered),
            Self::WrongBranch { .. } => Some(Attack::MixAndMatch),
            _ => None,
        }
    }

    /// Whether it is the way to the head office that failed, not what came.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        matches!(
            self,
            Self::Packs(PacksError::Source(SourceError::Broken(_) | SourceError::Busy(_)))
        )
    }
}

/// Wraps an error of a file.
pub(super) fn at(path: &Path) -> impl FnOnce(io::Error) -> BranchError + '_ {
    |source| BranchError::File { path: path.to_owned(), source }
}
