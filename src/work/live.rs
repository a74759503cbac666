//! What can be seen now, and what a branch may have had before its eyes on a day that is over. The
//! ledger says what went out; for how long it stays depends on where it went: a folder or a pack
//! repository shows the newest of a series until its last day, what was sent to people stays.

use super::{
    Publisher, WorkError,
    clock::shanghai,
    feeds::FOR_BRANCHES,
    history::{History, Past},
    registered::Registers,
    replaced::Submissions,
};
use crate::{
    deliver::RecallAbility,
    model::{BranchId, ChannelId, DeliveryState, Digest, OutputKind},
    packs::wire::ConfirmedWhat,
    store::{AttemptLine, Out},
    work::branches::what_text,
};
use jiff::{Timestamp, civil::Date};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

/// What matters of a manifest here.
#[derive(Debug)]
pub struct Contents {
    /// Its last day.
    pub until: Date,
    /// Output and how many files.
    pub outputs: BTreeMap<OutputKind, usize>,
    /// The branches that have files of their own in it.
    own: Arc<BTreeSet<String>>,
    /// Whether it has files for branches that all share whom it goes to.
    shared: bool,
    /// The only branches that it goes to; `None` for every one.
    reached: Option<Arc<BTreeSet<String>>>,
}

impl Contents {
    /// How many branches have files of their own in it.
    #[must_use]
    pub fn branches(&self) -> usize {
        self.own.len()
    }

    /// Whether it goes to a branch.
    #[must_use]
    pub fn reaches(&self, branch: &BranchId) -> bool {
        self.reached.as_ref().is_none_or(|reached| reached.contains(branch.as_str()))
    }

    /// Whether a branch has a file of it, over a channel that has those for all branches or not.
    fn gives(&self, branch: &BranchId, has_shared: bool) -> bool {
        self.own.contains(branch.as_str()) || (has_shared && self.shared && self.reaches(branch))
    }
}

#[derive(Deserialize)]
struct ContentsWire {
    until: String,
    files: Vec<FileWire>,
    #[serde(default)]
    reach: Option<ReachWire>,
}

#[derive(Deserialize)]
struct ReachWire {
    branches: BTreeSet<String>,
}

#[derive(Deserialize)]
struct FileWire {
    output: String,
    branch: Option<String>,
}

/// How something stands that can be seen or will be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It may still go out.
    Coming,
    /// It is out.
    Out,
    /// Its last day is over; it went to people and is there all the same.
    Overstays,
}

/// Something that can be seen or will be.
#[derive(Debug)]
pub struct LiveOut {
    /// The delivery.
    pub out: Arc<Out>,
    /// What is in it.
    pub contents: Arc<Contents>,
    /// How it stands.
    pub standing: Standing,
}

/// What was read before and has not changed since.
#[derive(Debug, Default)]
pub(super) struct LiveCache {
    contents: Mutex<BTreeMap<Digest, Arc<Contents>>>,
    /// Sets of branches that manifests have in common: most go to the same ones.
    branches: Mutex<BTreeSet<Arc<BTreeSet<String>>>>,
    known: Mutex<Option<Known>>,
    pub(super) registers: Registers,
    pub(super) history: Mutex<Option<Arc<History>>>,
    pub(super) submissions: Mutex<Option<Arc<Submissions>>>,
}

impl LiveCache {
    /// The one copy of a set of branches.
    fn common(&self, branches: BTreeSet<String>) -> Arc<BTreeSet<String>> {
        let mut known = self.branches.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = known.get(&branches) {
            return Arc::clone(own);
        }
        let own = Arc::new(branches);
        known.insert(Arc::clone(&own));
        own
    }
}

#[derive(Debug)]
struct Known {
    history: Arc<History>,
    today: Date,
    /// From here on one of it has missed its time.
    until: Timestamp,
    live: Arc<Vec<LiveOut>>,
}

/// What a branch may have had before its eyes.
#[derive(Debug, Default)]
pub struct ShownThen {
    /// What was out then and not replaced, and what hung on its wall by its own word.
    pub shown: Vec<Arc<Out>>,
    /// What something newer had replaced by then, the newest first: a screen without a connection
    /// goes on with it.
    pub replaced: Vec<Arc<Out>>,
}

/// Of what was replaced so much is remembered.
const REPLACED: usize = 40;

/// The place in which the newest takes the place of what was there.
type Place = (ChannelId, String, String);

fn place(out: &Out) -> Place {
    (out.channel.clone(), out.target.clone(), out.campaign.series.clone())
}

/// Whether one of two takes the place of the other.
pub(super) fn is_same_place(one: &Out, other: &Out) -> bool {
    one.channel == other.channel
        && one.target == other.target
        && one.campaign.series == other.campaign.series
}

fn is_over(state: DeliveryState) -> bool {
    use DeliveryState::{Cancelled, Dead, Expired, Recalled};
    matches!(state, Cancelled | Dead | Expired | Recalled)
}

impl Publisher {
    /// Whether what went out over a channel stays with people; elsewhere the newest replaces it,
    /// and its last day ends it.
    pub(super) fn stays_with_people(&self, channel: &ChannelId) -> bool {
        let entry = self.config.channels.iter().find(|entry| entry.id == *channel);
        entry.is_none_or(|entry| matches!(entry.kind.as_str(), "wechat" | "webhook"))
    }

    /// Whether what goes over a channel has files that all branches share.
    #[must_use]
    pub fn has_shared_files(&self, channel: &ChannelId) -> bool {
        let kind = self.entry(channel).map(|entry| entry.kind.as_str());
        kind.is_ok_and(|kind| matches!(kind, "folder" | "packs"))
    }

    /// Whether a series of a channel stays empty where its newest was taken back: the pointer of a
    /// folder names nothing then.
    fn stays_empty(&self, channel: &ChannelId) -> bool {
        self.config.channels.iter().any(|entry| entry.id == *channel && entry.kind == "folder")
    }

    /// Whether something newer had taken the place of what is out, and was taken back then.
    async fn is_emptied(&self, past: &Past, recalled: &[&Past]) -> Result<bool, WorkError> {
        let out = &past.out;
        if !self.stays_empty(&out.channel) {
            return Ok(false);
        }
        let newer = |other: &&&Past| other.out.slot > out.slot && is_same_place(&other.out, out);
        for other in recalled.iter().filter(newer) {
            if self
                .contents(&other.out.manifest)
                .await?
                .is_some_and(|contents| contents.reached.is_some())
            {
                continue;
            }
            let (went_out, emptied) = (past.seen.from(), other.seen.recalled);
            if emptied.is_some_and(|at| went_out.is_none_or(|out| out < at)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Why what is out over a channel cannot be taken down, where it cannot.
    pub(super) fn stays_for_good(&self, channel: &ChannelId) -> Option<&'static str> {
        match self.channels.get(channel)?.capability().recall {
            RecallAbility::None(why) => Some(why),
            _ => None,
        }
    }

    /// Everything that can be seen now or may still go out, the newest first. Costs one small
    /// question while nothing changes.
    ///
    /// # Errors
    /// The ledger's, or a manifest that cannot be read.
    pub async fn live(&self) -> Result<Arc<Vec<LiveOut>>, WorkError> {
        let history = self.history().await?;
        let now = self.store.now().await?;
        let today = shanghai(now).date();
        let known = || self.live.known.lock().unwrap_or_else(PoisonError::into_inner);
        let still = |one: &Known| {
            Arc::ptr_eq(&one.history, &history) && one.today == today && now < one.until
        };
        if let Some(known) = known().as_ref().filter(|one| still(one)) {
            return Ok(Arc::clone(&known.live));
        }
        let mut until = Timestamp::MAX;
        let mut newest: BTreeSet<Place> = BTreeSet::new();
        let mut live = Vec::new();
        let is_recalled = |past: &&Past| past.out.state == DeliveryState::Recalled;
        let recalled: Vec<&Past> = history.pasts.iter().filter(is_recalled).collect();
        let may_go_out = |out: &Out| out.expires_at > now && !is_over(out.state);
        for past in history.pasts.iter().filter(|past| past.out.is_out() || may_go_out(&past.out)) {
            let out = &past.out;
            let stays = self.stays_with_people(&out.channel);
            if out.is_out() && !stays {
                let replaced = !newest.insert(place(out));
                if replaced || self.is_emptied(past, &recalled).await? {
                    continue;
                }
            }
            let Some(contents) = self.contents(&out.manifest).await? else { continue };
            let standing = match (out.is_out(), contents.until < today) {
                (false, _) => Standing::Coming,
                (true, false) => Standing::Out,
                (true, true) if stays => Standing::Overstays,
                (true, true) => continue,
            };
            if standing == Standing::Coming {
                until = until.min(out.expires_at);
            }
            live.push(LiveOut { out: Arc::clone(out), contents, standing });
        }
        let live = Arc::new(live);
        *known() = Some(Known { history, today, until, live: Arc::clone(&live) });
        Ok(live)
    }

    /// What matters of a manifest; `None` where the ledger has none of that hash.
    pub(super) async fn contents(
        &self,
        manifest: &Digest,
    ) -> Result<Option<Arc<Contents>>, WorkError> {
        let known = || self.live.contents.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(contents) = known().get(manifest) {
            return Ok(Some(Arc::clone(contents)));
        }
        let Some(json) = self.store.manifest(manifest).await? else { return Ok(None) };
        let contents = Arc::new(contents_of(&json, |branches| self.live.common(branches))?);
        known().insert(*manifest, Arc::clone(&contents));
        Ok(Some(contents))
    }

    /// What a branch may have had before its eyes from one moment until another.
    ///
    /// # Errors
    /// The ledger's, or a manifest that cannot be read.
    pub async fn shown_between(
        &self,
        branch: &BranchId,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<ShownThen, WorkError> {
        let hanging = self.hanging(branch, from, until).await?;
        let first_day = shanghai(from).date();
        let mut replaced: BTreeSet<Place> = BTreeSet::new();
        let mut then = ShownThen::default();
        let history = self.history().await?;
        for Past { out, seen } in history.pasts.iter().filter(|past| past.out.slot < until) {
            let is_known = self.config.channels.iter().any(|entry| entry.id == out.channel);
            if is_known && self.stays_with_people(&out.channel) {
                continue;
            }
            let hangs = hanging.contains(&out.delivery);
            if replaced.contains(&place(out)) && !hangs {
                if then.replaced.len() < REPLACED && !is_over(out.state) {
                    then.replaced.push(Arc::clone(out));
                }
                continue;
            }
            let Some(at) = seen.from().filter(|at| *at < until) else { continue };
            let recalled = seen.recalled;
            // What goes to other branches only replaces nothing here.
            let Some(contents) = self.contents(&out.manifest).await? else { continue };
            if !contents.reaches(branch) {
                continue;
            }
            // What was taken back before the end gives its place back to what was there, except
            // in a folder.
            let keeps = self.stays_empty(&out.channel);
            if at <= from && (keeps || recalled.is_none_or(|at| at >= until)) {
                replaced.insert(place(out));
            }
            let gone = recalled.is_some_and(|at| at < from);
            let in_time = contents.until >= first_day;
            let gives = contents.gives(branch, self.has_shared_files(&out.channel));
            if gives && (hangs || (in_time && !gone)) {
                then.shown.push(Arc::clone(out));
            }
        }
        then.shown.reverse();
        Ok(then)
    }

    /// The deliveries of which paper hung on a branch's wall, by its own word: put up before the
    /// end, and not taken down before the beginning.
    async fn hanging(
        &self,
        branch: &BranchId,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<BTreeSet<String>, WorkError> {
        let mut up: BTreeMap<(Digest, Option<String>), bool> = BTreeMap::new();
        let mut confirmations = self.store.branch_confirmations(branch).await?;
        confirmations.sort_by_key(|one| one.at);
        for one in confirmations {
            let of = (one.key, one.lesson);
            if one.what == what_text(ConfirmedWhat::Posted) && one.at < until {
                up.insert(of, true);
            } else if one.what == what_text(ConfirmedWhat::TakenDown) && one.at < from {
                // What is down as a whole is down with each of its lessons.
                let whole = of.1.is_none();
                let same = |own: &(Digest, Option<String>)| own.0 == of.0 && (whole || *own == of);
                up.iter_mut().filter(|(own, _)| same(own)).for_each(|(_, up)| *up = false);
            }
        }
        let hanging = up.into_iter().filter(|(_, up)| *up);
        Ok(hanging.map(|((key, _), _)| format!("d{}", &key.to_string()[..12])).collect())
    }
}

fn contents_of(
    json: &str,
    common: impl Fn(BTreeSet<String>) -> Arc<BTreeSet<String>>,
) -> Result<Contents, WorkError> {
    let garbled = |what: String| WorkError::Manifest(what);
    let wire: ContentsWire =
        serde_json::from_str(json).map_err(|error| garbled(error.to_string()))?;
    let mut outputs: BTreeMap<OutputKind, usize> = BTreeMap::new();
    for output in wire.files.iter().filter_map(|file| OutputKind::from_name(&file.output)) {
        *outputs.entry(output).or_default() += 1;
    }
    let for_all = wire.files.iter().filter(|file| file.branch.is_none());
    let mut for_all = for_all.filter_map(|file| OutputKind::from_name(&file.output));
    let shared = for_all.any(|output| FOR_BRANCHES.contains(&output));
    let own = wire.files.into_iter().filter_map(|file| file.branch).collect();
    Ok(Contents {
        until: wire.until.parse().map_err(|_| garbled(format!("until 是“{}”", wire.until)))?,
        own: common(own),
        shared,
        outputs,
        reached: wire.reach.map(|reach| common(reach.branches)),
    })
}

fn moment_of(attempts: &[AttemptLine], state: DeliveryState) -> Option<Timestamp> {
    attempts.iter().find(|line| line.to == state).map(|line| line.at)
}

/// When something was to be seen for the first time.
#[must_use]
pub fn went_out(attempts: &[AttemptLine]) -> Option<Timestamp> {
    moment_of(attempts, DeliveryState::Confirmed)
        .or_else(|| moment_of(attempts, DeliveryState::Accepted))
}
