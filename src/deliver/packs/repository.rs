//! Changing what is published: read what stands, change the catalogue, sign, switch.

use super::{
    channel::PacksChannel,
    far::{self, Far, TIMESTAMP},
};
use crate::{
    deliver::{
        Books, DeliverError, ErrorKind, Retry,
        storage::{Effect, Lock, StorageError, Version, off_thread},
    },
    packs::{self, Catalogue, Publication, Source, Standing},
};
use jiff::Timestamp;
use std::{sync::Arc, time::Duration};

/// What a change of the catalogue comes to.
pub(super) enum Change {
    /// It was so already.
    Nothing,
    /// It must be published.
    Publish,
}

impl PacksChannel {
    pub(super) fn explain(&self, error: StorageError, doing: &str) -> DeliverError {
        error.explain(doing, &self.storage.shown, Effect::Harmless)
    }

    pub(super) fn conflict(&self, what: &str, next_step: &str) -> DeliverError {
        let message = format!("{}：{what}", self.storage.shown);
        DeliverError::new(ErrorKind::Conflict, Retry::Never, message, next_step)
    }

    pub(super) fn source(&self) -> Arc<dyn Source> {
        Arc::new(Far(Arc::clone(&self.storage)))
    }

    pub(super) async fn standing(&self) -> Result<Option<Standing>, DeliverError> {
        Standing::read(&self.root, self.source())
            .await
            .map_err(|error| far::explain(error, &self.storage.shown))
    }

    /// The lock of a folder; other places have none.
    async fn lock(&self) -> Result<Option<Lock>, DeliverError> {
        let Some((root, _)) = self.storage.folder() else { return Ok(None) };
        let root = root.clone();
        let lock = off_thread(move || Lock::take(&root))
            .await
            .map_err(|error| self.explain(error, "加锁"))?;
        match lock {
            Some(lock) => Ok(Some(lock)),
            None => Err(DeliverError::new(
                ErrorKind::Conflict,
                Retry::After(Duration::from_secs(1)),
                format!("{}：另一个进程正在发布", self.storage.shown),
                "稍后自动再试",
            )),
        }
    }

    /// Reads what stands, changes the catalogue, and publishes it in one step. What stands is read
    /// after the timestamp whose version the switch is held against.
    pub(super) async fn change(
        &self,
        now: Timestamp,
        books: &dyn Books,
        change: impl FnOnce(&mut Catalogue) -> Result<Change, DeliverError>,
    ) -> Result<Vec<String>, DeliverError> {
        let _turn = self.turn.lock().await;
        let _lock = self.lock().await?;
        let (_, version) = self
            .storage
            .read_versioned(TIMESTAMP)
            .await
            .map_err(|error| self.explain(error, "读签名"))?;
        let standing = self.standing().await?;
        let mut catalogue =
            standing.as_ref().map(|standing| standing.catalogue.clone()).unwrap_or_default();
        if let Change::Nothing = change(&mut catalogue)? {
            return Ok(Vec::new());
        }
        let gone = catalogue.sweep(now);
        let publication =
            packs::publish(&self.root, &self.keys, standing.as_ref(), &catalogue, now)
                .await
                .map_err(|error| far::explain(error, &self.storage.shown))?;
        self.write(&publication, &version, books).await?;
        Ok(gone)
    }

    async fn write(
        &self,
        publication: &Publication,
        version: &Version,
        books: &dyn Books,
    ) -> Result<(), DeliverError> {
        far::write_before(&self.storage, publication).await?;
        self.write_root().await?;
        books.reached("packs/metadata-written");
        far::write_last(&self.storage, publication, version).await?;
        books.reached("packs/timestamp-written");
        far::tidy(&self.storage, publication).await;
        Ok(())
    }

    /// The root under its version, for branches that enrolled under an earlier one.
    async fn write_root(&self) -> Result<(), DeliverError> {
        let summary =
            packs::summary(&self.root).map_err(|error| far::explain(error, &self.storage.shown))?;
        let path = format!("metadata/{}.root.json", summary.version);
        let found = self.storage.read(&path).await;
        if found.map_err(|error| self.explain(error, "读 root"))?.is_none() {
            self.storage
                .write(&path, self.root.clone(), "application/json")
                .await
                .map_err(|error| self.explain(error, "写 root"))?;
        }
        Ok(())
    }

    pub(super) async fn delete(&self, files: Vec<String>) -> Result<usize, DeliverError> {
        let count = files.len();
        let paths = files.into_iter().map(|file| format!("targets/{file}")).collect();
        self.storage.delete(paths).await.map_err(|error| self.explain(error, "删去不用的文件"))?;
        Ok(count)
    }

    /// Signs again what would run out; what was done, in Chinese.
    pub(super) async fn renew(
        &self,
        now: Timestamp,
        books: &dyn Books,
    ) -> Result<Option<String>, DeliverError> {
        let _turn = self.turn.lock().await;
        let found = self.storage.read(TIMESTAMP).await;
        if found.map_err(|error| self.explain(error, "读签名"))?.is_none() {
            return Ok(None);
        }
        let _lock = self.lock().await?;
        let (_, version) = self
            .storage
            .read_versioned(TIMESTAMP)
            .await
            .map_err(|error| self.explain(error, "读签名"))?;
        let Some(standing) = self.standing().await? else { return Ok(None) };
        let renewed = packs::refresh(&self.root, &self.keys, &standing, now).await;
        let renewed = renewed.map_err(|error| far::explain(error, &self.storage.shown))?;
        let Some(publication) = renewed else { return Ok(None) };
        self.write(&publication, &version, books).await?;
        Ok(Some(format!("{}：签名续到第 {} 版", self.storage.shown, publication.version)))
    }
}
