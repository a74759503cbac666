//! What a branch tells the head office: how it stands, what stood on its screens, what people
//! confirmed. Signed; told again until it is acknowledged.

use super::{
    confirm, error::BranchError, gate::Gate, office::Office, pull::Puller, receipts,
    state::BranchState,
};
use crate::packs::{
    SigningKey, SourceError,
    wire::{Report, ReportAnswer, Status},
};
use base64::Engine as _;
use std::{collections::BTreeMap, fs};
use tokio::sync::Notify;

/// The most bytes of receipts in one report: thin lines are shared with customers.
const RECEIPTS: usize = 256 << 10;

/// Less free space than this is an alarm.
const LITTLE_SPACE: u64 = 200 << 20;

/// Signs and sends reports.
#[derive(Debug)]
pub struct Reporter {
    key: SigningKey,
    version: String,
    wake: Notify,
}

impl Reporter {
    /// With the branch's key; `version` is the program's.
    #[must_use]
    pub fn new(key: SigningKey, version: &str) -> Self {
        Self { key, version: version.to_owned(), wake: Notify::new() }
    }

    /// Something changed that the head office should know soon.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    pub(super) async fn woken(&self) {
        self.wake.notified().await;
    }

    /// Sends one report through the gate and forgets what was acknowledged. Whether more waits.
    ///
    /// # Errors
    /// Where it was not taken; it is told again later.
    pub async fn send(
        &self,
        puller: &Puller,
        office: &dyn Office,
        gate: &Gate,
        trouble: Option<String>,
    ) -> Result<bool, BranchError> {
        let state = &puller.state;
        let mut report = Report {
            branch: state.branch.clone(),
            status: status(puller, &self.version, trouble)?,
            receipts: receipts::unacknowledged(&state.root, RECEIPTS),
            confirmations: confirm::waiting(&state.root),
        };
        let told = report.receipts.len();
        let answer = match self.hand_in(&report, office, gate).await {
            Err(SourceError::Refused(reason)) if told > 0 => {
                // A head office restored from a backup may not know the line before these. How the
                // branch stands must arrive all the same, and say so.
                report.receipts.clear();
                report.status.alarms.push(format!("回执总行不收：{reason}"));
                self.hand_in(&report, office, gate).await?
            }
            other => other?,
        };
        receipts::acknowledge(&state.root, answer.receipts)?;
        confirm::acknowledge(&state.root, answer.confirmations)?;
        let rest = receipts::unacknowledged(&state.root, 1).is_empty();
        Ok(!report.receipts.is_empty() && !rest)
    }

    async fn hand_in(
        &self,
        report: &Report,
        office: &dyn Office,
        gate: &Gate,
    ) -> Result<ReportAnswer, SourceError> {
        let body =
            serde_json::to_vec(report).map_err(|error| SourceError::Refused(error.to_string()))?;
        let signature = base64::engine::general_purpose::STANDARD.encode(self.key.sign(&body));
        gate.pass(office.report(&report.branch, &signature, body)).await
    }
}

/// How the branch stands.
///
/// # Errors
/// [`BranchError::File`].
pub fn status(
    puller: &Puller,
    version: &str,
    trouble: Option<String>,
) -> Result<Status, BranchError> {
    let state = &*puller.state;
    let (now, view, missing) = (state.clock.now(), puller.view(), puller.missing()?);
    let shown = state.shown()?;
    let whole = |index: &_, release: &_| state.is_whole(index, release, now);
    let (mut playing, mut staged) = (Vec::new(), Vec::new());
    for index in [&shown.pack, &shown.emergency].into_iter().flatten() {
        let active = index.active(now, |release| whole(index, release));
        playing.extend(active.iter().map(|release| release.key.to_string()));
        let waiting = index
            .releases
            .iter()
            .filter(|release| release.activate_at > now && whole(index, release));
        staged.extend(waiting.map(|release| release.key.to_string()));
    }
    let bytes = missing.bytes() + missing.emergency.iter().map(|entry| entry.bytes).sum::<u64>();
    let behind = u64::try_from(state.clock.behind().as_secs()).unwrap_or(0);
    let mut alarms: Vec<String> = trouble.into_iter().collect();
    if let Some(Err(error)) = view.as_ref().map(|view| view.check_expiry(now)) {
        let text = error.to_string();
        alarms.extend((!alarms.contains(&text)).then_some(text));
    }
    if behind > 0 {
        alarms.push(format!("本机时钟慢了 {behind} 秒；请校时，校时前按记得的最晚时间算"));
    }
    let late = missing.pack.iter().filter(|(at, _)| *at <= now).count();
    if late > 0 {
        alarms.push(format!("已到上屏时间，还差 {late} 个文件，没取全的仍在放上一期"));
    }
    let free_bytes = state.free_bytes();
    if cfg!(unix) && free_bytes < LITTLE_SPACE {
        alarms.push(format!("磁盘只剩 {} MB", free_bytes >> 20));
    }
    Ok(Status {
        at: now,
        version: version.to_owned(),
        timestamp_version: view.as_ref().map_or(0, |view| view.versions.timestamp),
        expires: view.map(|view| view.expires.0),
        playing,
        staged,
        missing: (u32::try_from(missing.files()).unwrap_or(u32::MAX), bytes),
        free_bytes,
        screens: standing(state, shown.pack.as_ref().or(shown.emergency.as_ref())),
        clock_behind_s: behind,
        alarms,
    })
}

/// What stands on the branch's screens, by the process that plays.
fn standing(
    state: &BranchState,
    index: Option<&crate::model::PackIndex>,
) -> Vec<(String, Option<String>)> {
    let bytes = fs::read(state.root.join("standing.json")).unwrap_or_default();
    let mut known: BTreeMap<String, Option<String>> =
        serde_json::from_slice(&bytes).unwrap_or_default();
    let screens = index.map_or(&[][..], |index| &index.screens);
    let one = |screen: &crate::model::PackScreen| {
        (screen.screen.clone(), known.remove(&screen.screen).flatten())
    };
    screens.iter().map(one).collect()
}
