//! The head office behind [`xmds`]: players of the ledger, indexes and files of the repository.

use super::xmds::{
    self, Display, News, Played, Registration, Standing as PlayerStanding, XmdsBackend,
};
use crate::{
    model::{BranchId, ChannelId, Digest, PackIndex},
    packs::{Standing, target_file},
    store::Display as Shown,
    work::Publisher,
};
use anyhow::Context as _;
use async_trait::async_trait;
use axum::{Router, body::Bytes};
use futures_util::StreamExt as _;
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use std::sync::Arc;
use subtle::ConstantTimeEq as _;
use tokio::sync::Mutex;

/// The largest file that is given to a player.
const LARGEST: usize = 64 << 20;

/// The routes, where `[server] xibo_key` is set and there is a repository.
///
/// # Errors
/// Where the key cannot be fetched, in Chinese.
pub(super) fn router(publisher: &Publisher) -> Result<Option<Router>, String> {
    let Some(reference) = &publisher.config.server.xibo_key else { return Ok(None) };
    let key = reference.resolve(&publisher.config.folder).map_err(|error| error.to_string())?;
    let channel = publisher.pack_channel(None).map_err(|error| error.to_string())?;
    let office = Office { publisher: publisher.clone(), channel, key, standing: Mutex::default() };
    Ok(Some(xmds::router(Arc::new(office))))
}

struct Office {
    publisher: Publisher,
    channel: ChannelId,
    key: SecretString,
    /// What was read last, and under which timestamp.
    standing: Mutex<Option<(Digest, Arc<Standing>)>>,
}

impl Office {
    fn knows(&self, server_key: &str) -> bool {
        server_key.as_bytes().ct_eq(self.key.expose_secret().as_bytes()).into()
    }

    /// What is published, verified again only when it changed.
    async fn published(&self) -> anyhow::Result<Arc<Standing>> {
        let channel = self.publisher.channel(&self.channel)?;
        let repository = channel.pack_repository().context("渠道没有海报仓库")?;
        let bytes = repository.source.metadata("timestamp.json", 1 << 20).await?;
        let stamp = Digest::of(&bytes.context("还没有发布过")?);
        let mut known = self.standing.lock().await;
        if let Some((of, standing)) = &*known
            && *of == stamp
        {
            return Ok(Arc::clone(standing));
        }
        let standing = Standing::read(repository.root, repository.source).await?;
        let standing = Arc::new(standing.context("还没有发布过")?);
        *known = Some((stamp, Arc::clone(&standing)));
        Ok(standing)
    }
}

#[async_trait]
impl XmdsBackend for Office {
    async fn now(&self) -> anyhow::Result<Timestamp> {
        Ok(self.publisher.store.now().await?)
    }

    async fn register(&self, registration: &Registration) -> anyhow::Result<PlayerStanding> {
        let Registration { server_key, hardware_key, name, client, version } = registration;
        if !self.knows(server_key) || hardware_key.is_empty() {
            return Ok(PlayerStanding::WrongKey);
        }
        let client = format!("{client} {version}");
        self.publisher.store.note_xibo_player(hardware_key, name, client.trim()).await?;
        self.standing(server_key, hardware_key).await
    }

    async fn standing(
        &self,
        server_key: &str,
        hardware_key: &str,
    ) -> anyhow::Result<PlayerStanding> {
        if !self.knows(server_key) {
            return Ok(PlayerStanding::WrongKey);
        }
        let player = self.publisher.store.xibo_player(hardware_key).await?;
        Ok(match player.and_then(|player| player.place) {
            Some((branch, screen)) => PlayerStanding::Ready(Display { branch, screen }),
            None => PlayerStanding::Waiting,
        })
    }

    async fn indexes(&self, branch: &BranchId) -> anyhow::Result<Vec<PackIndex>> {
        let (standing, now) = (self.published().await?, self.now().await?);
        standing.view.check_expiry(now)?;
        let fresh = standing.view.emergency_expires.is_some_and(|expires| now < expires);
        let indexes = [false, true].into_iter().filter(|takeover| !takeover || fresh);
        Ok(indexes.filter_map(|takeover| standing.catalogue.index(branch, takeover, now)).collect())
    }

    async fn bytes(&self, sha256: &Digest) -> anyhow::Result<Option<Bytes>> {
        let standing = self.published().await?;
        let mut files = standing.catalogue.releases.iter().flat_map(|release| &release.files);
        let Some(file) = files.find(|file| file.sha256 == *sha256) else { return Ok(None) };
        let channel = self.publisher.channel(&self.channel)?;
        let repository = channel.pack_repository().context("渠道没有海报仓库")?;
        let name = target_file(sha256, &file.name);
        let mut body = repository.source.target(&name, 0).await?;
        let mut bytes = Vec::new();
        while let Some(part) = body.stream.next().await {
            bytes.extend_from_slice(&part?);
            anyhow::ensure!(bytes.len() <= LARGEST, "{name} 太大");
        }
        anyhow::ensure!(Digest::of(&bytes) == *sha256, "{name} 的内容和摘要不符");
        Ok(Some(bytes.into()))
    }

    async fn card(
        &self,
        _display: &Display,
        _width: u32,
        _height: u32,
    ) -> anyhow::Result<Option<Bytes>> {
        Ok(None)
    }

    async fn record(&self, display: &Display, news: News) -> anyhow::Result<()> {
        let store = &self.publisher.store;
        let status = match news {
            News::Played(played) => {
                let shown: Vec<Shown> =
                    played.iter().map(|played| shown(display, played)).collect();
                return Ok(store.add_foreign_displays(&display.branch, &shown).await?);
            }
            News::Inventory(inventory) => {
                let (whole, missing) = (inventory.complete.len(), inventory.missing.len());
                format!("有 {whole} 个文件，差 {missing} 个")
            }
            News::Status(status) => match status.free_bytes {
                Some(free) => format!("{}，磁盘剩 {} MB", status.device, free >> 20),
                None => status.device,
            },
            News::Broken(sha256, reason) => format!("放不了 {sha256}：{reason}"),
            News::Log(lines) => {
                for line in lines {
                    let Display { branch, screen } = display;
                    tracing::info!("Xibo {branch}/{screen}：{line}");
                }
                return Ok(());
            }
        };
        Ok(store.set_xibo_status(&display.branch, &display.screen, &status).await?)
    }
}

/// A play as the ledger keeps it: not signed, and saying so.
fn shown(display: &Display, played: &Played) -> Shown {
    let line = serde_json::json!({
        "source": "xibo", "signed": false, "screen": display.screen,
        "sha256": played.sha256.to_string(), "from": played.from, "until": played.until,
        "count": played.count,
    });
    Shown {
        seq: 0,
        screen: display.screen.clone(),
        sha256: played.sha256.to_string(),
        from: played.from,
        until: played.until,
        line: line.to_string(),
    }
}
