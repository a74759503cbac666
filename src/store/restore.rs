//! Filling an empty place from a backup.
//!
//! The deployment gets the next generation and starts held: what the original has sent since the
//! backup is not known here. Rows that may have gone out since are `unknown`, so that they are
//! looked up on the far side before anything is sent again.

use super::{
    Answer, Deployment, Store, StoreError,
    audit::Entry,
    backup::{ABOUT, BLOBS, FORMAT},
    database::Writing,
    delivery::{self, COLUMNS},
    deployment::MARKER,
    record::{Settled, move_rows},
    table::{LATER, TABLES, Table, column, file_of},
    value::{Value, values},
};
use crate::{
    config::StorageConfig,
    model::{DeliveryState, Digest},
};
use jiff::Timestamp;
use serde_json::json;
use sqlx::AssertSqlSafe;
use std::{
    fs::File,
    io::{self, BufRead as _, BufReader, Read as _},
    path::{Path, PathBuf},
};
use tokio::sync::mpsc;
use zip::ZipArchive;

/// What a backup says about itself.
struct About {
    generation: i64,
    made_at: String,
}

fn read_about(file: &Path) -> Answer<About> {
    let wrong = |reason: String| {
        StoreError::Configuration(format!("{} 不是可用的备份：{reason}", file.display()))
    };
    let mut archive = open(file).map_err(|error| wrong(error.to_string()))?;
    let about = archive.by_name(ABOUT).map_err(|error| wrong(error.to_string()))?;
    let about: serde_json::Value =
        serde_json::from_reader(about).map_err(|error| wrong(error.to_string()))?;
    let format = about["format"].as_u64();
    if format != Some(FORMAT) {
        return Err(wrong(format!("格式是第 {format:?} 版，这里只认第 {FORMAT} 版")));
    }
    Ok(About {
        generation: about["generation"].as_i64().ok_or_else(|| wrong("没有代次".to_owned()))?,
        made_at: about["made_at"].as_str().unwrap_or("不明时间").to_owned(),
    })
}

fn open(file: &Path) -> io::Result<ZipArchive<BufReader<File>>> {
    ZipArchive::new(BufReader::new(File::open(file)?)).map_err(io::Error::from)
}

/// Reads parts of a backup on a thread of its own: every blob, or the lines of one table.
fn reader<T: Send + 'static>(
    file: PathBuf,
    read: impl FnOnce(&mut ZipArchive<BufReader<File>>, &mpsc::Sender<io::Result<T>>) -> io::Result<()>
    + Send
    + 'static,
) -> mpsc::Receiver<io::Result<T>> {
    let (sender, receiver) = mpsc::channel(8);
    tokio::task::spawn_blocking(move || {
        let result = open(&file).and_then(|mut archive| read(&mut archive, &sender));
        if let Err(error) = result {
            // Nobody listens where the other side has failed first.
            let _nobody = sender.blocking_send(Err(error));
        }
    });
    receiver
}

fn blobs(file: PathBuf) -> mpsc::Receiver<io::Result<(String, Vec<u8>)>> {
    reader(file, |archive, sender| {
        for index in 0..archive.len() {
            let mut entry = archive.by_index(index)?;
            let Some(name) = entry.name()?.strip_prefix(BLOBS).map(str::to_owned) else { continue };
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes)?;
            if sender.blocking_send(Ok((name, bytes))).is_err() {
                break;
            }
        }
        Ok(())
    })
}

fn rows(file: PathBuf, table: Table) -> mpsc::Receiver<io::Result<Vec<Vec<Value>>>> {
    reader(file, move |archive, sender| {
        let (name, columns) = table;
        if LATER.contains(&name) && archive.index_for_name(&file_of(name)).is_none() {
            return Ok(());
        }
        let mut lines = BufReader::new(archive.by_name(&file_of(name))?).lines();
        loop {
            let part = lines.by_ref().take(500);
            let part =
                part.map(|line| values_of(columns, &line?)).collect::<io::Result<Vec<_>>>()?;
            if part.is_empty() || sender.blocking_send(Ok(part)).is_err() {
                return Ok(());
            }
        }
    })
}

fn values_of(columns: &[&'static str], line: &str) -> io::Result<Vec<Value>> {
    let row: serde_json::Map<String, serde_json::Value> = serde_json::from_str(line)?;
    let value = |marked: &&'static str| {
        let (name, is_number) = column(marked);
        match row.get(name) {
            None | Some(serde_json::Value::Null) if is_number => Ok(Value::Number(None)),
            None | Some(serde_json::Value::Null) => Ok(Value::Text(None)),
            Some(serde_json::Value::Number(number)) if is_number => {
                Ok(Value::Number(number.as_i64()))
            }
            Some(serde_json::Value::String(text)) if !is_number => {
                Ok(Value::Text(Some(text.clone())))
            }
            Some(_) => Err(io::Error::other(format!("列 {name} 的类型不对"))),
        }
    };
    columns.iter().map(value).collect()
}

impl Store {
    /// Restores into an empty database and blob store, of either kind; the deployment has the next
    /// generation and starts held.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where the place is not empty; nothing is changed then.
    pub async fn restore(config: &StorageConfig, folder: &Path, file: &Path) -> Answer<Deployment> {
        let about = read_about(file)?;
        let store = Self::connect(config, folder).await?;
        store.check_empty().await?;
        let broken = |error| StoreError::blob(format!("读备份 {}", file.display()), error);
        let mut blobs = blobs(file.to_owned());
        while let Some(blob) = blobs.recv().await {
            let (name, bytes) = blob.map_err(broken)?;
            store.restore_blob(&name, &bytes).await?;
        }
        let mut writing = store.database.write("恢复备份").await?;
        let now = writing.now().await?;
        writing.run("DELETE FROM audit_head", Vec::new()).await?;
        for table in TABLES {
            let names: Vec<_> = table.1.iter().map(|marked| column(marked).0).collect();
            let mut parts = rows(file.to_owned(), *table);
            while let Some(part) = parts.recv().await {
                writing.insert(table.0, &names, part.map_err(broken)?).await?;
            }
        }
        start_held(&mut writing, &about, now).await?;
        writing.commit().await?;
        let deployment = store.deployment().await?;
        store.mark(&deployment).await?;
        Ok(deployment)
    }

    async fn check_empty(&self) -> Answer<()> {
        let used =
            self.database.one("查数据库是否为空", "SELECT id FROM deployment", Vec::new()).await?;
        if used.is_some() {
            return Err(StoreError::Conflict(
                "数据库里已有数据，恢复只能写入空库；请在 [database] 换一个新的".to_owned(),
            ));
        }
        if self.read_marker().await?.is_some() {
            return Err(StoreError::Conflict(format!(
                "文件存储里已有 {MARKER}，属于别的部署；请在 [blobs] 换一个空的"
            )));
        }
        Ok(())
    }

    async fn restore_blob(&self, name: &str, bytes: &[u8]) -> Answer<()> {
        let digest = Digest::of(bytes);
        if super::blob::key(&digest) != name {
            return Err(StoreError::Corrupt {
                what: format!("备份里的 {name}"),
                reason: "内容与名字里的 SHA-256 不符".to_owned(),
            });
        }
        self.put_blob(bytes).await.map(drop)
    }
}

async fn start_held(writing: &mut Writing<'_>, about: &About, now: Timestamp) -> Answer<()> {
    let reason = format!(
        "从 {} 的备份恢复：那以后发出的投递这里不知道。请先停用原来的部署、核对各平台，再运行 caishi release",
        about.made_at
    );
    let generation = about.generation + 1;
    writing
        .run(
            "UPDATE deployment SET generation = $1, marked = 0, hold_by = 'system', \
             hold_reason = $2, hold_at = $3 WHERE single = 1",
            values![generation, &reason, now],
        )
        .await?;
    let became = json!({ "generation": generation, "hold": reason });
    writing.note(Entry::new("system", "restore", "deployment", &became));
    let sql = format!(
        "SELECT {COLUMNS} FROM delivery d WHERE d.next_at <= $1 \
         AND d.state IN ('ready', 'retry-wait', 'preparing', 'prepared', 'sending')"
    );
    let open = delivery::read_all(&writing.all(AssertSqlSafe(sql), values![now]).await?)?;
    let settled = Settled {
        error_class: Some("lost"),
        at_once: true,
        ..Settled::new(
            DeliveryState::Unknown,
            "从备份恢复：备份之后可能已发出",
            "系统会先向对方查询；查不到结果时请人工核实：caishi resolve",
        )
    };
    move_rows(writing, &open, &settled, "system", now).await
}
