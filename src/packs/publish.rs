//! A catalogue → signed metadata, in the order in which it must be written.

use super::{
    Catalogue, KeySet, PacksError, Standing, TargetFile, catalogue::CATALOGUE, emergency_name,
    index_name, root, target_file, to_json,
};
use crate::model::{BranchId, Digest, PackIndex};
use aws_lc_rs::rand::SystemRandom;
use jiff::{SignedDuration, Timestamp};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    num::NonZeroU64,
};
use tough::{
    TargetName,
    editor::signed::SignedRole,
    schema::{
        DelegatedRole, DelegatedTargets, Delegations, Hashes, KeyHolder, Metafile, PathPattern,
        PathSet, Role, RoleId, Root, Signed, Snapshot, Target, Targets, Timestamp as TimestampRole,
    },
};

/// How long the roles are good for, in days (TUF §6: the oftener a role is signed, the sooner it
/// may run out).
const TARGETS_DAYS: i64 = 14;
const EMERGENCY_DAYS: i64 = 7;
const SNAPSHOT_DAYS: i64 = 7;
const TIMESTAMP_DAYS: i64 = 1;

/// The name of the delegated role, and what it may name.
const EMERGENCY: &str = "emergency";
const EMERGENCY_PATHS: &str = "emergency-*";

/// Files to write, in this order; the last is `metadata/timestamp.json`, which makes the rest
/// count. Cut off anywhere before it, nothing has changed for anybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// Paths below the repository and their bytes.
    pub files: Vec<(String, Vec<u8>)>,
    /// The version of the timestamp.
    pub version: u64,
    /// Indexes below `targets/` that nobody is told of any more: they may be deleted afterwards.
    pub replaced: Vec<String>,
}

/// Signs what a catalogue says at this moment. `standing` is what is published now.
///
/// # Errors
/// [`PacksError::Sign`] where a key is missing or belongs to another role.
pub async fn publish(
    root: &[u8],
    keys: &KeySet,
    standing: Option<&Standing>,
    catalogue: &Catalogue,
    now: Timestamp,
) -> Result<Publication, PacksError> {
    let mut files = Vec::new();
    let mut targets = BTreeMap::new();
    let mut emergency = BTreeMap::new();
    let known = standing.map(Standing::all_targets).unwrap_or_default();
    let mut put = |name: String, bytes: Vec<u8>, into: &mut BTreeMap<String, TargetFile>| {
        let file = TargetFile { sha256: Digest::of(&bytes), bytes: bytes.len() as u64 };
        let path = target_file(&file.sha256, &name);
        if !known.contains_key(&path) {
            files.push((format!("targets/{path}"), bytes));
        }
        into.insert(name, file);
    };
    for id in catalogue.branches.keys() {
        let branch = BranchId::new(id).map_err(|error| PacksError::Index(error.to_string()))?;
        let index = |takeover| catalogue.index(&branch, takeover, now);
        if let Some(index) = index(false) {
            put(index_name(&branch), to_json(&index)?, &mut targets);
        }
        if let Some(index) = index(true).filter(|index: &PackIndex| !index.releases.is_empty()) {
            put(emergency_name(&branch), to_json(&index)?, &mut emergency);
        }
    }
    put(CATALOGUE.to_owned(), catalogue.to_json()?, &mut targets);
    let signer = Signer::new(root, keys, standing, now)?;
    let (metadata, version) = signer.sign(&targets, &emergency).await?;
    files.extend(metadata);
    let named: BTreeSet<String> = targets
        .iter()
        .chain(&emergency)
        .map(|(name, target)| target_file(&target.sha256, name))
        .collect();
    let replaced = known.into_keys().filter(|file| !named.contains(file)).collect();
    Ok(Publication { files, version, replaced })
}

/// Signs again what would run out soon, and what changed by itself because time went on. `None`
/// where nothing is due. Timestamps are renewed after an hour, the others after half their life.
///
/// # Errors
/// As [`publish`].
pub async fn refresh(
    root: &[u8],
    keys: &KeySet,
    standing: &Standing,
    now: Timestamp,
) -> Result<Option<Publication>, PacksError> {
    let age_left = |expires: Timestamp| now.duration_until(expires);
    let due = age_left(standing.timestamp_expires) < SignedDuration::from_hours(23)
        || standing.view.check_expiry(now).is_err();
    if !due {
        return Ok(None);
    }
    let half =
        |expires: Timestamp, days: i64| age_left(expires) < SignedDuration::from_hours(12 * days);
    let targets_due = half(standing.targets.signed.expires, TARGETS_DAYS)
        || standing.view.emergency_expires.is_none_or(|expires| half(expires, EMERGENCY_DAYS));
    let signer = Signer::new(root, keys, Some(standing), now)?;
    if targets_due && keys.targets.is_some() {
        return publish(root, keys, Some(standing), &standing.catalogue, now).await.map(Some);
    }
    let (files, version) = signer.renew(standing).await?;
    Ok(Some(Publication { files, version, replaced: Vec::new() }))
}

/// Signs metadata that follows on what stands.
struct Signer<'a> {
    root: Signed<Root>,
    keys: &'a KeySet,
    standing: Option<&'a Standing>,
    now: Timestamp,
}

type Files = Vec<(String, Vec<u8>)>;

impl<'a> Signer<'a> {
    fn new(
        root: &[u8],
        keys: &'a KeySet,
        standing: Option<&'a Standing>,
        now: Timestamp,
    ) -> Result<Self, PacksError> {
        root::check(root)?;
        Ok(Self { root: root::parse(root)?, keys, standing, now })
    }

    fn next(&self, version: impl Fn(&Standing) -> u64) -> Result<NonZeroU64, PacksError> {
        let next = self.standing.map_or(0, version).checked_add(1).and_then(NonZeroU64::new);
        next.ok_or_else(|| PacksError::Sign("版本号到头了".to_owned()))
    }

    async fn role<T: Role>(
        &self,
        role: T,
        holder: &KeyHolder,
    ) -> Result<SignedRole<T>, PacksError> {
        let name = match role.role_id() {
            RoleId::StandardRole(role) => role.to_string(),
            RoleId::DelegatedRole(name) => name,
        };
        SignedRole::new(role, holder, &self.keys.sources(), &SystemRandom::new()).await.map_err(
            |error| {
                PacksError::Sign(format!(
                    "{name}：{error}；请核对密钥文件夹里的 {name}.der 是不是 root 登记的那一个"
                ))
            },
        )
    }

    fn holder(&self) -> KeyHolder {
        KeyHolder::Root(self.root.signed.clone())
    }

    /// Everything anew: targets, emergency, snapshot, timestamp.
    async fn sign(
        &self,
        targets: &BTreeMap<String, TargetFile>,
        emergency: &BTreeMap<String, TargetFile>,
    ) -> Result<(Files, u64), PacksError> {
        let mut files = Vec::new();
        let mut meta = HashMap::new();
        let mut role = Targets::new(
            root::SPEC_VERSION.to_owned(),
            self.next(|standing| standing.view.versions.targets)?,
            root::after_days(self.now, TARGETS_DAYS)?,
        );
        role.targets = named(targets)?;
        // Without its key, the emergency role stays as it stands: a role that was once listed must
        // stay listed (TUF §5.5.5).
        let own = self.delegations()?;
        let stands = self.standing.and_then(|standing| standing.targets.signed.delegations.clone());
        role.delegations = own.clone().or(stands);
        let signed = self.role(role, &self.holder()).await?;
        add(&signed, "targets", signed.signed().signed.version, &mut files, &mut meta);
        let kept = self.standing.and_then(|standing| standing.snapshot.meta.get("emergency.json"));
        meta.extend(kept.map(|kept| ("emergency.json".to_owned(), kept.clone())));
        if let Some(delegations) = own {
            let mut role = Targets::new(
                root::SPEC_VERSION.to_owned(),
                self.next(|standing| standing.emergency_version)?,
                root::after_days(self.now, EMERGENCY_DAYS)?,
            );
            role.targets = named(emergency)?;
            let role = DelegatedTargets { name: EMERGENCY.to_owned(), targets: role };
            let signed = self.role(role, &KeyHolder::Delegations(delegations)).await?;
            let version = signed.signed().signed.targets.version;
            add(&signed, EMERGENCY, version, &mut files, &mut meta);
        }
        self.close(meta, files).await
    }

    /// The same targets under a new snapshot where it is due, and a new timestamp.
    async fn renew(&self, standing: &Standing) -> Result<(Files, u64), PacksError> {
        self.close(standing.snapshot.meta.clone(), Vec::new()).await
    }

    /// Snapshot and timestamp over what was signed.
    async fn close(
        &self,
        meta: HashMap<String, Metafile>,
        mut files: Files,
    ) -> Result<(Files, u64), PacksError> {
        let mut snapshot = Snapshot::new(
            root::SPEC_VERSION.to_owned(),
            self.next(|standing| standing.view.versions.snapshot)?,
            root::after_days(self.now, SNAPSHOT_DAYS)?,
        );
        snapshot.meta = meta;
        let signed = self.role(snapshot, &self.holder()).await?;
        let mut meta = HashMap::new();
        add(&signed, "snapshot", signed.signed().signed.version, &mut files, &mut meta);
        let mut timestamp = TimestampRole::new(
            root::SPEC_VERSION.to_owned(),
            self.next(|standing| standing.view.versions.timestamp)?,
            root::after_days(self.now, TIMESTAMP_DAYS)?,
        );
        timestamp.meta = meta;
        let version = timestamp.version.get();
        let signed = self.role(timestamp, &self.holder()).await?;
        files.push(("metadata/timestamp.json".to_owned(), signed.buffer().clone()));
        Ok((files, version))
    }

    /// The emergency role, where there is a key for it.
    fn delegations(&self) -> Result<Option<Delegations>, PacksError> {
        let Some(key) = &self.keys.emergency else { return Ok(None) };
        let key = key.tuf_key();
        let id = key.key_id().map_err(|error| PacksError::Key(error.to_string()))?;
        let pattern = PathPattern::new(EMERGENCY_PATHS)
            .map_err(|error| PacksError::Sign(error.to_string()))?;
        let mut delegations = Delegations::new();
        delegations.keys.insert(id.clone(), key);
        delegations.roles.push(DelegatedRole {
            name: EMERGENCY.to_owned(),
            keyids: vec![id],
            threshold: NonZeroU64::MIN,
            paths: PathSet::Paths(vec![pattern]),
            terminating: true,
            targets: None,
        });
        Ok(Some(delegations))
    }
}

fn named(
    targets: &BTreeMap<String, TargetFile>,
) -> Result<HashMap<TargetName, Target>, PacksError> {
    let mut named = HashMap::new();
    for (name, file) in targets {
        let name =
            TargetName::new(name.as_str()).map_err(|error| PacksError::Sign(error.to_string()))?;
        let target = Target {
            length: file.bytes,
            hashes: Hashes {
                sha256: file.sha256.as_bytes().to_vec().into(),
                _extra: HashMap::new(),
            },
            custom: HashMap::new(),
            _extra: HashMap::new(),
        };
        named.insert(name, target);
    }
    Ok(named)
}

/// Notes a signed role among the files, and in the role that vouches for it.
fn add<T: Role>(
    signed: &SignedRole<T>,
    name: &str,
    version: NonZeroU64,
    files: &mut Files,
    meta: &mut HashMap<String, Metafile>,
) {
    files.push((format!("metadata/{version}.{name}.json"), signed.buffer().clone()));
    meta.insert(
        format!("{name}.json"),
        Metafile {
            length: Some(*signed.length()),
            hashes: Some(Hashes {
                sha256: signed.sha256().to_vec().into(),
                _extra: HashMap::new(),
            }),
            version,
            _extra: HashMap::new(),
        },
    );
}
