//! One file with everything: every table as JSON lines, as they were at one moment, and every blob.
//!
//! Made while work goes on. Blobs are added after the tables: they are never changed or removed,
//! so all that the tables name are there. Tokens are left out.

use super::{
    Answer, Store, StoreError,
    table::{TABLES, column, file_of},
    value::Columns,
};
use crate::model::Digest;
use futures_util::TryStreamExt as _;
use serde_json::{Map, Value, json};
use sqlx::{AssertSqlSafe, any::AnyRow};
use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
};
use tempfile::NamedTempFile;
use tokio::sync::mpsc;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

/// The version of the form that backups have.
pub(super) const FORMAT: u64 = 1;

/// The file that says what the backup is of.
pub(super) const ABOUT: &str = "backup.json";

/// The folder of blobs.
pub(super) const BLOBS: &str = "blobs/";

/// What is written next.
enum Part {
    /// A file begins; whether it is worth compressing.
    File(String, bool),
    /// Its next bytes.
    Bytes(Vec<u8>),
    /// That was all.
    End,
}

/// Writes a zip on a thread of its own; a program that is killed leaves no half file under the
/// name.
struct Archive {
    parts: mpsc::Sender<Part>,
    thread: tokio::task::JoinHandle<io::Result<u64>>,
}

impl Archive {
    fn create(file: PathBuf) -> Self {
        let (parts, mut receiver) = mpsc::channel::<Part>(16);
        let thread = tokio::task::spawn_blocking(move || {
            let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
            let parent = parent.unwrap_or(Path::new("."));
            std::fs::create_dir_all(parent)?;
            // Readable by its owner only: it holds unpublished texts.
            let unfinished = NamedTempFile::new_in(parent)?;
            let mut zip = ZipWriter::new(unfinished).set_auto_large_file();
            let mut finished = false;
            while let Some(part) = receiver.blocking_recv() {
                match part {
                    Part::File(name, compress) => zip.start_file(name, options(compress))?,
                    Part::Bytes(bytes) => zip.write_all(&bytes)?,
                    Part::End => finished = true,
                }
            }
            if !finished {
                return Err(io::Error::other("备份中断"));
            }
            let unfinished = zip.finish()?;
            unfinished.as_file().sync_all()?;
            let bytes = unfinished.as_file().metadata()?.len();
            unfinished.persist_noclobber(&file).map_err(|error| error.error)?;
            Ok(bytes)
        });
        Self { parts, thread }
    }

    /// `false` where the thread has given up; [`Archive::finish`] says why.
    async fn add(&self, part: Part) -> bool {
        self.parts.send(part).await.is_ok()
    }

    async fn finish(self, complete: bool) -> io::Result<u64> {
        if complete {
            self.add(Part::End).await;
        }
        drop(self.parts);
        self.thread.await.map_err(io::Error::other)?
    }
}

fn options(compress: bool) -> SimpleFileOptions {
    let method = if compress { CompressionMethod::Deflated } else { CompressionMethod::Stored };
    SimpleFileOptions::default().compression_method(method)
}

fn line_of(columns: &[&'static str], row: &AnyRow) -> Answer<Vec<u8>> {
    let mut line = Map::new();
    for (name, is_number) in columns.iter().map(|marked| column(marked)) {
        let value = if is_number {
            row.maybe_number(name)?.map(Value::from)
        } else {
            row.maybe_text(name)?.map(Value::from)
        };
        line.insert(name.to_owned(), value.unwrap_or(Value::Null));
    }
    let mut line = Value::Object(line).to_string().into_bytes();
    line.push(b'\n');
    Ok(line)
}

impl Store {
    /// Writes every table and blob into one file (a zip), consistently, while work goes on; the
    /// file's size in bytes. Tokens are not in it.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where the file is there already.
    pub async fn backup(&self, file: &Path) -> Answer<u64> {
        if file.exists() {
            return Err(StoreError::Conflict(format!(
                "{} 已经存在；请换个文件名，备份从不覆盖",
                file.display()
            )));
        }
        let archive = Archive::create(file.to_owned());
        let filled = match self.fill_tables(&archive).await {
            Ok(true) => self.fill_blobs(&archive).await,
            other => other,
        };
        let complete = matches!(filled, Ok(true));
        let written = archive.finish(complete).await;
        // What went wrong here explains more than that the file was not finished.
        filled?;
        written.map_err(|error| StoreError::blob(format!("写备份 {}", file.display()), error))
    }

    async fn fill_tables(&self, archive: &Archive) -> Answer<bool> {
        const WHAT: &str = "读出备份";
        let (deployment, now) = (self.deployment().await?, self.now().await?);
        let about = json!({
            "format": FORMAT,
            "generation": deployment.generation,
            "id": deployment.id,
            "made_at": now.to_string(),
        });
        if !archive.add(Part::File(ABOUT.to_owned(), false)).await
            || !archive.add(Part::Bytes(about.to_string().into_bytes())).await
        {
            return Ok(false);
        }
        let mut snapshot = self.database.snapshot(WHAT).await?;
        for (table, columns) in TABLES {
            if !archive.add(Part::File(file_of(table), true)).await {
                return Ok(false);
            }
            let names: Vec<_> = columns.iter().map(|marked| column(marked).0).collect();
            let sql = AssertSqlSafe(format!("SELECT {} FROM {table}", names.join(", ")));
            let mut rows = sqlx::query(sql).fetch(&mut *snapshot);
            while let Some(row) =
                rows.try_next().await.map_err(|error| StoreError::database(WHAT, error))?
            {
                if !archive.add(Part::Bytes(line_of(columns, &row)?)).await {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    async fn fill_blobs(&self, archive: &Archive) -> Answer<bool> {
        let failed = |error| StoreError::blob("列出 sha256/", error);
        let mut list = self.blobs.lister_with("sha256/").recursive(true).await.map_err(failed)?;
        while let Some(entry) = list.try_next().await.map_err(failed)? {
            // Folders are listed too; their names are no digests.
            let Some(digest) = Digest::from_hex(entry.name()) else { continue };
            // Checked on reading: a backup of broken bytes would be found out too late.
            let bytes = self.blob(&digest).await?;
            let name = format!("{BLOBS}{}", super::blob::key(&digest));
            if !archive.add(Part::File(name, false)).await || !archive.add(Part::Bytes(bytes)).await
            {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
