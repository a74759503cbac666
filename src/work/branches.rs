//! Branches and their machines: who may pull, what they told, who is late, what still hangs.

use super::{Publisher, WorkError, take_down::is_down};
use crate::{
    model::{BranchId, ChannelId, Digest, TakeDown},
    packs::{
        Catalogue, Standing, hex, root_digest, verify_signature,
        wire::{
            ConfirmedWhat, EnrolAnswer, EnrolRequest, Report, ReportAnswer, Status, read_chain,
        },
    },
    store::{BranchDevice, Confirmation, Display},
};
use base64::Engine as _;
use jiff::{SignedDuration, Timestamp};
use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::Arc,
    time::Duration,
};

/// How long a one-time code is good for.
const CODE_LIFE: Duration = Duration::from_hours(7 * 24);

/// A branch that has told nothing for so long is silent.
const SILENT: SignedDuration = SignedDuration::from_hours(2);

/// Why a branch's request was refused.
#[derive(Debug, thiserror::Error)]
pub enum BranchError {
    /// The code is unknown, used or too old.
    #[error("登记码不对、用过了或已过期；请总行重新发一个：caishi packs code 网点代号")]
    Code,
    /// Not signed by the machine that was enrolled.
    #[error("签名不是这个网点登记的机器的；换过机器请重新登记：caishi branch enrol")]
    Signature,
    /// What was sent cannot be read.
    #[error("请求读不懂：{0}")]
    Garbled(String),
    /// Receipts do not follow on what was taken.
    #[error("{0}")]
    Chain(#[from] crate::packs::wire::ChainError),
    /// The ledger.
    #[error("台账没有回答，稍后再报")]
    Work(#[from] WorkError),
}

impl From<crate::store::StoreError> for BranchError {
    fn from(error: crate::store::StoreError) -> Self {
        Self::Work(error.into())
    }
}

/// Something that must come down everywhere, and who has not said that it is down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakeDownStanding {
    /// The release.
    pub key: Digest,
    /// The titles.
    pub title: String,
    /// Since when.
    pub since: Timestamp,
    /// Why.
    pub reason: String,
    /// How many branches have it to take down.
    pub branches: usize,
    /// Those that have not confirmed: id and name.
    pub missing: Vec<(BranchId, String)>,
}

/// How one branch stands, for the head office.
#[derive(Debug, Clone, PartialEq)]
pub struct BranchStanding {
    /// The branch.
    pub branch: BranchId,
    /// Its name.
    pub name: String,
    /// Its machine, where one was enrolled.
    pub device: Option<BranchDevice>,
    /// What the machine told last.
    pub status: Option<Status>,
    /// What is wrong, in Chinese; empty where all is well.
    pub troubles: Vec<String>,
    /// What must come down and was not confirmed.
    pub take_down: Vec<TakeDown>,
    /// How much must come down in all, confirmed or not: the releases.
    pub to_take_down: Vec<TakeDown>,
}

impl Publisher {
    /// The channel that publishes packs: the one named, else the only one that is no takeover.
    ///
    /// # Errors
    /// [`WorkError::Unknown`] lists what there is.
    pub fn pack_channel(&self, name: Option<&str>) -> Result<ChannelId, WorkError> {
        let packs: Vec<&ChannelId> = self
            .config
            .channels
            .iter()
            .filter(|entry| entry.kind == "packs")
            .map(|entry| &entry.id)
            .collect();
        let found = match name {
            Some(name) => packs.iter().find(|id| id.as_str() == name),
            None => packs.first(),
        };
        found.map(|id| (*id).clone()).ok_or_else(|| {
            let known: Vec<&str> = packs.iter().map(|id| id.as_str()).collect();
            WorkError::Unknown(match known.as_slice() {
                [] => "channels.toml 里没有海报包渠道；请写 [channel.名字] kind = \"packs\""
                    .to_owned(),
                known => {
                    format!("没有海报包渠道“{}”，现有：{}", name.unwrap_or(""), known.join("、"))
                }
            })
        })
    }

    /// A one-time code for a branch: `<branch>-<secret>-<beginning of the root's digest>`, and
    /// when it runs out. It is shown once; only its hash is kept.
    ///
    /// # Errors
    /// [`WorkError::Unknown`] where there is no pack channel or it has no root.
    pub async fn enrol_code(
        &self,
        branch: &BranchId,
        actor: &str,
    ) -> Result<(String, Timestamp), WorkError> {
        let root = self.pack_root(&self.pack_channel(None)?)?;
        let mut secret = [0_u8; 10];
        getrandom::fill(&mut secret)
            .map_err(|error| WorkError::Unknown(format!("取不到随机数：{error}")))?;
        let secret = hex(&secret);
        let code = format!("{branch}-{secret}-{}", &root_digest(&root).to_string()[..16]);
        let hash = Digest::of(code.as_bytes());
        let expires = self.store.add_enrol_code(&hash, branch, CODE_LIFE, actor).await?;
        Ok((code, expires))
    }

    /// The root of trust of a pack channel.
    fn pack_root(&self, id: &ChannelId) -> Result<Vec<u8>, WorkError> {
        let channel = self.channel(id)?;
        channel
            .pack_repository()
            .map(|repository| repository.root.to_vec())
            .ok_or_else(|| WorkError::Unknown(format!("渠道 {id} 不是海报包（kind = \"packs\"）")))
    }

    /// Makes a machine the branch's.
    ///
    /// # Errors
    /// [`BranchError::Code`], [`BranchError::Garbled`].
    pub async fn enrol(&self, request: &EnrolRequest) -> Result<EnrolAnswer, BranchError> {
        let is_key = request.public_key.len() == 64
            && request.public_key.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_key || request.machine.chars().count() > 100 {
            return Err(BranchError::Garbled("public_key 应为 64 位十六进制".to_owned()));
        }
        let root = self.pack_root(&self.pack_channel(None)?)?;
        let hash = Digest::of(request.code.trim().as_bytes());
        let machine: String = request.machine.chars().filter(|c| !c.is_control()).collect();
        let public_key = request.public_key.to_ascii_lowercase();
        let device = self.store.enrol(&hash, &machine, &public_key).await?;
        let device = device.ok_or(BranchError::Code)?;
        let name = self.published_name(&device.branch).await;
        Ok(EnrolAnswer {
            branch_name: name.unwrap_or_else(|| device.branch.to_string()),
            branch: device.branch,
            root: base64::engine::general_purpose::STANDARD.encode(root),
        })
    }

    /// A branch's name as the repository has it; `None` before the first publication.
    async fn published_name(&self, branch: &BranchId) -> Option<String> {
        let channel = self.channel(&self.pack_channel(None).ok()?).ok()?;
        let repository = channel.pack_repository()?;
        let standing = Standing::read(repository.root, repository.source).await.ok()??;
        standing.catalogue.branches.get(branch.as_str()).map(|entry| entry.name.clone())
    }

    /// Takes a report: `body` as it came, `signature` in base64.
    ///
    /// # Errors
    /// [`BranchError`]; nothing of the report was taken then.
    pub async fn take_report(
        &self,
        branch: &str,
        signature: &str,
        body: &[u8],
    ) -> Result<ReportAnswer, BranchError> {
        let branch = BranchId::new(branch).map_err(|_| BranchError::Signature)?;
        let device = self.store.branch_device(&branch).await?.ok_or(BranchError::Signature)?;
        let signature = base64::engine::general_purpose::STANDARD.decode(signature);
        let signature = signature.map_err(|_| BranchError::Signature)?;
        let public = from_hex(&device.public_key).ok_or(BranchError::Signature)?;
        if !verify_signature(&public, body, &signature) {
            return Err(BranchError::Signature);
        }
        let report: Report = serde_json::from_slice(body)
            .map_err(|error| BranchError::Garbled(error.to_string()))?;
        if report.branch != branch {
            return Err(BranchError::Signature);
        }
        let last = u64::try_from(device.receipt_seq).unwrap_or(0);
        let chain = read_chain(&report.receipts, last, device.receipt_hash)?;
        if let Some((line, _)) = chain.iter().find(|(line, _)| line.branch != branch.as_str()) {
            return Err(BranchError::Garbled(format!("第 {} 号回执是别的网点的", line.seq)));
        }
        let skipped = report.receipts.len() - chain.len();
        let receipts: Vec<(Display, Digest)> = chain
            .into_iter()
            .zip(&report.receipts[skipped..])
            .map(|((line, hash), text)| {
                let display = Display {
                    seq: i64::try_from(line.seq).unwrap_or(i64::MAX),
                    screen: line.screen,
                    sha256: line.sha256,
                    from: line.from,
                    until: line.until,
                    line: text.clone(),
                };
                (display, hash)
            })
            .collect();
        let confirmations = confirmations(&report, device.confirmation_number);
        let status = serde_json::to_string(&report.status)
            .map_err(|error| BranchError::Garbled(error.to_string()))?;
        self.store.take_report(&device, &status, &receipts, &confirmations).await?;
        // Where another report came in between, the numbers tell the branch where to go on.
        let device = self.store.branch_device(&branch).await?.ok_or(BranchError::Signature)?;
        Ok(ReportAnswer {
            receipts: u64::try_from(device.receipt_seq).unwrap_or(0),
            confirmations: u64::try_from(device.confirmation_number).unwrap_or(0),
        })
    }

    /// How every branch stands: those of the published catalogue, and machines besides.
    ///
    /// # Errors
    /// The ledger's; [`WorkError::Faults`] where the repository cannot be read or trusted.
    pub async fn branch_standings(
        &self,
        channel: Option<&str>,
    ) -> Result<Vec<BranchStanding>, WorkError> {
        let id = self.pack_channel(channel)?;
        let adapter = Arc::clone(self.channel(&id)?);
        let standing = match adapter.pack_repository() {
            Some(repository) => Standing::read(repository.root, repository.source)
                .await
                .map_err(|error| WorkError::Faults(vec![error.to_string()]))?,
            None => None,
        };
        match standing {
            Some(standing) => self.standings_in(&standing.catalogue, true).await,
            None => Ok(Vec::new()),
        }
    }

    /// How every branch of a catalogue stands. Without machines, nobody fetches and reports but
    /// people: only what must come down is told.
    ///
    /// # Errors
    /// The ledger's.
    pub async fn standings_in(
        &self,
        catalogue: &Catalogue,
        has_machines: bool,
    ) -> Result<Vec<BranchStanding>, WorkError> {
        let now = self.store.now().await?;
        let devices = if has_machines { self.store.branch_devices().await? } else { Vec::new() };
        let mut devices: BTreeMap<String, BranchDevice> =
            devices.into_iter().map(|device| (device.branch.to_string(), device)).collect();
        let mut down: BTreeMap<Digest, Vec<Confirmation>> = BTreeMap::new();
        let mut standings = Vec::new();
        for (id, entry) in &catalogue.branches {
            let Ok(branch) = BranchId::new(id) else { continue };
            let device = devices.remove(id);
            let status =
                device.as_ref().and_then(|device| serde_json::from_str(&device.status).ok());
            let index = catalogue.index(&branch, false, now);
            let mut take_down = Vec::new();
            for item in index.iter().flat_map(|index| &index.take_down) {
                let said = match down.entry(item.key) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(free) => free.insert(self.store.confirmations(&item.key).await?),
                };
                if !is_down(said, item, &branch, catalogue) {
                    take_down.push(item.clone());
                }
            }
            let troubles = if has_machines {
                troubles(device.as_ref(), status.as_ref(), index.as_ref(), now)
            } else {
                Vec::new()
            };
            standings.push(BranchStanding {
                branch,
                name: entry.name.clone(),
                device,
                status,
                troubles,
                take_down,
                to_take_down: index.map(|index| index.take_down).unwrap_or_default(),
            });
        }
        Ok(standings)
    }
}

/// The same by what must come down, the latest first, with the branches that are missing.
#[must_use]
pub fn take_downs(standings: &[BranchStanding]) -> Vec<TakeDownStanding> {
    let mut items: Vec<TakeDownStanding> = Vec::new();
    for standing in standings {
        for item in &standing.to_take_down {
            let known = |other: &TakeDownStanding| {
                (other.key, &other.title, other.since) == (item.key, &item.title, item.since)
            };
            let index = items.iter().position(known).unwrap_or_else(|| {
                items.push(TakeDownStanding {
                    key: item.key,
                    title: item.title.clone(),
                    since: item.since,
                    reason: item.reason.clone(),
                    branches: 0,
                    missing: Vec::new(),
                });
                items.len() - 1
            });
            items[index].branches += 1;
            if standing.take_down.contains(item) {
                items[index].missing.push((standing.branch.clone(), standing.name.clone()));
            }
        }
    }
    items.sort_by(|a, b| (b.since, &a.title).cmp(&(a.since, &b.title)));
    items
}

/// The confirmations of a report that were not taken before, with their numbers.
fn confirmations(report: &Report, known: i64) -> Vec<(i64, Confirmation)> {
    let fresh = report.confirmations.iter().filter_map(|confirmed| {
        let number = i64::try_from(confirmed.number).ok().filter(|number| *number > known)?;
        let confirmation = Confirmation {
            branch: report.branch.clone(),
            key: confirmed.key,
            lesson: confirmed.lesson.clone(),
            what: what_text(confirmed.what).to_owned(),
            by: format!("{}：{}", report.branch, confirmed.by),
            at: confirmed.at,
        };
        Some((number, confirmation))
    });
    fresh.collect()
}

/// What is wrong with a branch.
fn troubles(
    device: Option<&BranchDevice>,
    status: Option<&Status>,
    index: Option<&crate::model::PackIndex>,
    now: Timestamp,
) -> Vec<String> {
    let Some(device) = device else { return vec!["还没有登记播放机".to_owned()] };
    let Some((seen, status)) = device.seen_at.zip(status) else {
        return vec!["登记过，还没有回报过".to_owned()];
    };
    let mut troubles = Vec::new();
    let silent = seen.duration_until(now);
    if silent > SILENT {
        troubles.push(format!("{} 小时没有消息", silent.as_hours()));
    }
    let due = index.map(|index| index.active(now, |_| true)).unwrap_or_default();
    for release in due {
        if !status.playing.contains(&release.key.to_string()) {
            troubles.push(format!("还没换上 {}", release.campaign));
        }
    }
    troubles.extend(status.alarms.iter().cloned());
    troubles
}

/// What was confirmed, as the ledger writes it.
#[must_use]
pub fn what_text(what: ConfirmedWhat) -> &'static str {
    match what {
        ConfirmedWhat::Posted => "posted",
        ConfirmedWhat::TakenDown => "taken-down",
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    Digest::from_hex(text).map(|digest| digest.as_bytes().to_vec())
}
