//! Which deployment this is, and whether it may send.
//!
//! Database and blob store both hold the deployment's id and generation. Where they differ, one of
//! them was restored, cloned or exchanged: two deployments that took themselves for the same one
//! would send everything twice, so this one starts held until a person releases it.

use super::{
    Answer, Deployment, Hold, Store, StoreError,
    audit::{Entry, canonical},
    database::Writing,
    value::{Columns, corrupt, values},
};
use opendal::ErrorKind;
use serde_json::json;
use sqlx::any::AnyRow;

/// The blob that says which deployment the blob store belongs to.
pub(super) const MARKER: &str = "deployment.json";

const SELECT: &str = "SELECT id, generation, marked, hold_by, hold_reason, hold_at \
                      FROM deployment WHERE single = 1";

fn read(row: &AnyRow) -> Answer<Deployment> {
    let hold = match row.maybe_text("hold_by")? {
        None => None,
        Some(by) => Some(Hold {
            by,
            reason: row.maybe_text("hold_reason")?.unwrap_or_default(),
            at: row.maybe_moment("hold_at")?.unwrap_or_default(),
        }),
    };
    Ok(Deployment { id: row.text("id")?, generation: row.number("generation")?, hold })
}

/// What [`MARKER`] holds.
fn marker(deployment: &Deployment) -> String {
    canonical(&json!({ "id": deployment.id, "generation": deployment.generation }))
}

/// A new deployment's id.
pub(super) fn new_id() -> Answer<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| StoreError::Configuration(format!("系统给不出随机数：{error}")))?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}

impl Store {
    /// Makes the deployment at first use, and holds it where the blob store belongs to another.
    pub(super) async fn recognise(&self) -> Answer<()> {
        let (deployment, marked) = self.deployment_row().await?;
        let found = self.read_marker().await?;
        let expected = marker(&deployment);
        let reason = match found {
            Some(found) if found == expected => {
                return if marked { Ok(()) } else { self.set_marked().await };
            }
            // Made a moment ago, by this process or one beside it.
            None if !marked => {
                self.write_marker(&deployment).await?;
                return self.set_marked().await;
            }
            None => "文件存储里没有这个部署的标记：数据库可能是复制来的，或文件存储换过".to_owned(),
            Some(found) => format!(
                "数据库与文件存储不是一对（数据库是第 {} 代 {}，文件存储里写着 {found}）：可能是恢复或复制来的",
                deployment.generation,
                deployment.id.get(..8).unwrap_or_default(),
            ),
        };
        if deployment.hold.is_none() {
            let next = "。先停着；确认另一处已不再发送后，运行 caishi release";
            self.hold("system", &format!("{reason}{next}")).await?;
        }
        Ok(())
    }

    async fn deployment_row(&self) -> Answer<(Deployment, bool)> {
        if let Some(row) = self.database.one("读部署", SELECT, Vec::new()).await? {
            return Ok((read(&row)?, row.number("marked")? == 1));
        }
        let mut writing = self.database.write("建部署").await?;
        let id = new_id()?;
        let sql = "INSERT INTO deployment (single, id, generation, marked) VALUES (1, $1, 1, 0) \
                   ON CONFLICT DO NOTHING";
        if writing.run(sql, values![&id]).await? == 1 {
            writing.note(Entry::new(
                "system",
                "deployment.create",
                id,
                &json!({ "generation": 1 }),
            ));
        }
        let row = writing.one(SELECT, Vec::new()).await?.ok_or_else(|| corrupt("部署", ""))?;
        let answer = (read(&row)?, row.number("marked")? == 1);
        writing.commit().await?;
        Ok(answer)
    }

    pub(super) async fn read_marker(&self) -> Answer<Option<String>> {
        match self.blobs.read(MARKER).await {
            Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes.to_vec()).into_owned())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StoreError::blob(format!("读 {MARKER}；请检查 [blobs]"), error)),
        }
    }

    async fn write_marker(&self, deployment: &Deployment) -> Answer<()> {
        let written = self.blobs.write(MARKER, marker(deployment)).await;
        written.map(drop).map_err(|error| {
            StoreError::blob(format!("写 {MARKER}；请检查 [blobs] 的写权限"), error)
        })
    }

    async fn set_marked(&self) -> Answer<()> {
        let mut writing = self.database.write("记下部署").await?;
        writing.run("UPDATE deployment SET marked = 1 WHERE single = 1", Vec::new()).await?;
        writing.commit().await
    }

    /// Makes the blob store this deployment's, as [`Store::recognise`] expects it.
    pub(super) async fn mark(&self, deployment: &Deployment) -> Answer<()> {
        self.write_marker(deployment).await?;
        self.set_marked().await
    }

    /// Which deployment this is, and whether it is held.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn deployment(&self) -> Answer<Deployment> {
        let row = self.database.one("读部署", SELECT, Vec::new()).await?;
        read(&row.ok_or_else(|| corrupt("部署", ""))?)
    }

    /// Stops all sending: the kill switch. What has been sent already is still followed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn hold(&self, actor: &str, reason: &str) -> Answer<()> {
        let mut writing = self.database.write("暂停").await?;
        let now = writing.now().await?;
        let before = held(&mut writing).await?;
        writing
            .run(
                "UPDATE deployment SET hold_by = $1, hold_reason = $2, hold_at = $3 \
                 WHERE single = 1",
                values![actor, reason, now],
            )
            .await?;
        let became = json!({ "hold": reason });
        writing.note(Entry::new(actor, "hold", "deployment", &became).after(&before));
        writing.commit().await
    }

    /// Lets sending go on. After a restore or a clone this also makes the blob store this
    /// deployment's.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn release(&self, actor: &str) -> Answer<()> {
        // First the marker: cut off between the two, the deployment is still held.
        let deployment = self.deployment().await?;
        if self.read_marker().await? != Some(marker(&deployment)) {
            self.mark(&deployment).await?;
        }
        let mut writing = self.database.write("解除暂停").await?;
        let before = held(&mut writing).await?;
        writing
            .run(
                "UPDATE deployment SET hold_by = NULL, hold_reason = NULL, hold_at = NULL \
                 WHERE single = 1",
                Vec::new(),
            )
            .await?;
        writing.note(
            Entry::new(actor, "release", "deployment", &json!({ "hold": null })).after(&before),
        );
        writing.wake();
        writing.commit().await
    }
}

async fn held(writing: &mut Writing<'_>) -> Answer<serde_json::Value> {
    let row = writing.one(SELECT, Vec::new()).await?.ok_or_else(|| corrupt("部署", ""))?;
    Ok(json!({ "hold": read(&row)?.hold.map(|hold| hold.reason) }))
}
