//! Where a branch gets the files of a repository from: a server, a folder, a USB stick.

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream::BoxStream};
use std::{
    fmt,
    io::ErrorKind,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};

/// Why a file did not come.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// No connection, or it broke, or it was too slow to be worth keeping.
    #[error("总行连不上或中断：{0}；稍后自动再试")]
    Broken(String),
    /// The far side asked to come back later.
    #[error("总行请稍后再来（{} 秒后）", .0.as_secs())]
    Busy(Duration),
    /// It answered with something that cannot be right.
    #[error("总行的回答不对：{0}")]
    Refused(String),
    /// A file that must be there is not.
    #[error("总行没有文件 {0}")]
    Missing(String),
    /// More came than may come.
    #[error("{name} 超过 {limit} 字节，没有收完就断开了")]
    TooLong {
        /// The file.
        name: String,
        /// The most that was allowed, in bytes.
        limit: u64,
    },
}

/// What a poll for a newer timestamp found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Polled {
    /// The same as before.
    Unchanged,
    /// Another one, or nothing to compare it with.
    Changed {
        /// What tells it from others, for the next poll.
        tag: Option<String>,
    },
}

/// The bytes of a target, from some offset on.
pub struct Body {
    /// Where the stream begins: the offset that was asked for, or 0 where the far side cannot
    /// begin in the middle.
    pub start: u64,
    /// The bytes.
    pub stream: BoxStream<'static, Result<Bytes, SourceError>>,
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body(from {})", self.start)
    }
}

/// A place that holds a repository. Nothing that comes from it is trusted.
#[async_trait]
pub trait Source: fmt::Debug + Send + Sync {
    /// A file of `metadata/`, whole; `None` where there is none of that name. Ends with
    /// [`SourceError::TooLong`] as soon as more than `limit` bytes came.
    async fn metadata(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, SourceError>;

    /// Whether `timestamp.json` is another one than at the poll that returned `tag`: the cheapest
    /// question there is.
    async fn poll(&self, tag: Option<&str>) -> Result<Polled, SourceError>;

    /// A file of `targets/` from an offset on.
    async fn target(&self, file: &str, offset: u64) -> Result<Body, SourceError>;
}

/// A repository in a folder: a USB stick, a network share, the head office's own disk.
#[derive(Debug, Clone)]
pub struct FolderSource {
    root: PathBuf,
}

impl FolderSource {
    /// The repository below this folder.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    fn wrap(name: &str, error: &std::io::Error) -> SourceError {
        match error.kind() {
            ErrorKind::NotFound => SourceError::Missing(name.to_owned()),
            _ => SourceError::Broken(format!("{name}：{error}")),
        }
    }

    /// The file, which must be a plain file directly below `folder`.
    async fn open(&self, folder: &str, name: &str) -> Result<tokio::fs::File, SourceError> {
        if name.contains(['/', '\\']) || name.contains("..") {
            return Err(SourceError::Refused(format!("文件名 {name:?} 不对")));
        }
        let path = self.root.join(folder).join(name);
        tokio::fs::File::open(path).await.map_err(|error| Self::wrap(name, &error))
    }
}

#[async_trait]
impl Source for FolderSource {
    async fn metadata(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, SourceError> {
        let file = match self.open("metadata", name).await {
            Err(SourceError::Missing(_)) => return Ok(None),
            other => other?,
        };
        let mut bytes = Vec::new();
        file.take(limit + 1)
            .read_to_end(&mut bytes)
            .await
            .map_err(|error| Self::wrap(name, &error))?;
        if bytes.len() as u64 > limit {
            return Err(SourceError::TooLong { name: name.to_owned(), limit });
        }
        Ok(Some(bytes))
    }

    async fn poll(&self, tag: Option<&str>) -> Result<Polled, SourceError> {
        let bytes = self.metadata("timestamp.json", 1 << 20).await?;
        let bytes = bytes.ok_or_else(|| SourceError::Missing("timestamp.json".to_owned()))?;
        let found = crate::model::Digest::of(&bytes).to_string();
        Ok(if tag == Some(&found) {
            Polled::Unchanged
        } else {
            Polled::Changed { tag: Some(found) }
        })
    }

    async fn target(&self, file: &str, offset: u64) -> Result<Body, SourceError> {
        let mut opened = self.open("targets", file).await?;
        opened
            .seek(std::io::SeekFrom::Start(offset))
            .await
            .map_err(|error| Self::wrap(file, &error))?;
        let name = file.to_owned();
        let stream = tokio_util::io::ReaderStream::with_capacity(opened, 64 * 1024)
            .map(move |part| part.map_err(|error| Self::wrap(&name, &error)))
            .boxed();
        Ok(Body { start: offset, stream })
    }
}
