//! The root of trust: who may sign what. Made and signed on machines that are not on the network,
//! each key by its own holder (TUF §4.3, §6.1).

use super::{PacksError, SigningKey};
use crate::model::Digest;
use jiff::{Timestamp, ToSpan as _, tz::TimeZone};
use std::{
    collections::HashMap,
    num::{NonZeroU64, NonZeroUsize},
};
use tough::schema::{Role as _, RoleKeys, RoleType, Root, Signature, Signed, key::Key};

/// The TUF version that is written.
pub(super) const SPEC_VERSION: &str = "1.0.0";

/// How long a root is good for.
const ROOT_DAYS: i64 = 365;

/// The public keys of every role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootKeys {
    /// Public keys of the root role, 32 bytes each.
    pub root: Vec<Vec<u8>>,
    /// How many of them must sign.
    pub threshold: NonZeroUsize,
    /// Of `targets`.
    pub targets: Vec<u8>,
    /// Of `snapshot`.
    pub snapshot: Vec<u8>,
    /// Of `timestamp`.
    pub timestamp: Vec<u8>,
}

/// What a root says, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootSummary {
    /// Its version.
    pub version: u64,
    /// When it runs out.
    pub expires: Timestamp,
    /// How many of how many must sign.
    pub threshold: (u64, usize),
    /// The signatures that hold.
    pub signed: usize,
    /// The digest of the file.
    pub digest: Digest,
}

/// The first root, unsigned.
///
/// # Errors
/// [`PacksError::Key`] where the keys do not make a root.
pub fn new_root(keys: &RootKeys, now: Timestamp) -> Result<Vec<u8>, PacksError> {
    build(keys, NonZeroU64::MIN, now)
}

/// The root after this one, unsigned, with other keys or only a later expiry. It must be signed by
/// enough keys of both (TUF §5.3.4).
///
/// # Errors
/// As [`new_root`], and where `old` is no root.
pub fn next_root(old: &[u8], keys: &RootKeys, now: Timestamp) -> Result<Vec<u8>, PacksError> {
    let version = parse(old)?.signed.version;
    let next =
        version.checked_add(1).ok_or_else(|| PacksError::Key("root 的版本号到头了".to_owned()))?;
    build(keys, next, now)
}

fn build(keys: &RootKeys, version: NonZeroU64, now: Timestamp) -> Result<Vec<u8>, PacksError> {
    if keys.threshold.get() > keys.root.len() {
        return Err(PacksError::Key(format!(
            "要 {} 个根密钥签名，却只有 {} 个；请补足密钥，或降低 --threshold",
            keys.threshold,
            keys.root.len()
        )));
    }
    let mut all = HashMap::new();
    let mut role = |publics: &[&Vec<u8>], threshold: u64| -> Result<RoleKeys, PacksError> {
        let mut keyids = Vec::new();
        for public in publics {
            let key = key_of(public)?;
            let id = key.key_id().map_err(|error| PacksError::Key(error.to_string()))?;
            if keyids.contains(&id) {
                return Err(PacksError::Key("同一个密钥写了两次".to_owned()));
            }
            keyids.push(id.clone());
            all.insert(id, key);
        }
        let threshold = NonZeroU64::new(threshold).unwrap_or(NonZeroU64::MIN);
        Ok(RoleKeys { keyids, threshold, _extra: HashMap::new() })
    };
    let root_keys: Vec<&Vec<u8>> = keys.root.iter().collect();
    let roles = HashMap::from([
        (RoleType::Root, role(&root_keys, keys.threshold.get() as u64)?),
        (RoleType::Targets, role(&[&keys.targets], 1)?),
        (RoleType::Snapshot, role(&[&keys.snapshot], 1)?),
        (RoleType::Timestamp, role(&[&keys.timestamp], 1)?),
    ]);
    let root = Root {
        spec_version: SPEC_VERSION.to_owned(),
        consistent_snapshot: true,
        version,
        expires: after_days(now, ROOT_DAYS)?,
        keys: all,
        roles,
        _extra: HashMap::new(),
    };
    write(&Signed { signed: root, signatures: Vec::new() })
}

/// A moment so many days later, in whole seconds: python-tuf reads no fractions.
pub(super) fn after_days(now: Timestamp, days: i64) -> Result<Timestamp, PacksError> {
    let later = now.to_zoned(TimeZone::UTC).checked_add(days.days());
    let later = later.map_err(|error| PacksError::Sign(error.to_string()))?.timestamp();
    Timestamp::from_second(later.as_second()).map_err(|error| PacksError::Sign(error.to_string()))
}

pub(super) fn key_of(public: &[u8]) -> Result<Key, PacksError> {
    use tough::schema::key::{Ed25519Key, Ed25519Scheme};
    if public.len() != 32 {
        return Err(PacksError::Key(format!("公钥应有 32 字节，这个有 {}", public.len())));
    }
    Ok(Key::Ed25519 {
        keyval: Ed25519Key { public: public.to_vec().into(), _extra: HashMap::new() },
        scheme: Ed25519Scheme::Ed25519,
        _extra: HashMap::new(),
    })
}

/// Adds the signature of one key to a root. A root that is rotated is signed with old keys too.
///
/// # Errors
/// [`PacksError::Key`] where `root` is no root.
pub fn sign_root(root: &[u8], key: &SigningKey) -> Result<Vec<u8>, PacksError> {
    let mut signed = parse(root)?;
    let message =
        signed.signed.canonical_form().map_err(|error| PacksError::Sign(error.to_string()))?;
    let id = key.tuf_key().key_id().map_err(|error| PacksError::Key(error.to_string()))?;
    signed.signatures.retain(|other| other.keyid != id);
    signed.signatures.push(Signature { keyid: id, sig: key.sign(&message).into() });
    write(&signed)
}

/// What a root says.
///
/// # Errors
/// [`PacksError::Key`] where it is none.
pub fn summary(root: &[u8]) -> Result<RootSummary, PacksError> {
    let signed = parse(root)?;
    let role = signed
        .signed
        .roles
        .get(&RoleType::Root)
        .ok_or_else(|| PacksError::Key("root 文件里没有 root 角色".to_owned()))?;
    let own = |signature: &&Signature| role.keyids.contains(&signature.keyid);
    Ok(RootSummary {
        version: signed.signed.version.get(),
        expires: signed.signed.expires,
        threshold: (role.threshold.get(), role.keyids.len()),
        signed: signed.signatures.iter().filter(own).count(),
        digest: root_digest(root),
    })
}

/// Refuses what is no root, or is not signed by enough of its own keys.
pub(super) fn check(root: &[u8]) -> Result<(), PacksError> {
    let signed = parse(root)?;
    signed.signed.verify_role(&signed).map_err(|error| PacksError::Untrusted {
        attack: super::Attack::Tampered,
        detail: format!("root 的签名不够：{error}"),
    })
}

/// Refuses a root that was not signed by enough keys of the one before it (TUF §5.3.4).
pub(super) fn check_successor(before: &[u8], root: &[u8]) -> Result<(), PacksError> {
    parse(before)?.signed.verify_role(&parse(root)?).map_err(|error| PacksError::Untrusted {
        attack: super::Attack::Tampered,
        detail: format!("新的 root 没有足够的旧根密钥签名：{error}"),
    })
}

/// The digest of a root file, which enrolment codes carry.
#[must_use]
pub fn root_digest(root: &[u8]) -> Digest {
    Digest::of(root)
}

pub(super) fn parse(root: &[u8]) -> Result<Signed<Root>, PacksError> {
    serde_json::from_slice(root)
        .map_err(|error| PacksError::Key(format!("不是 TUF 的 root 文件：{error}")))
}

fn write(root: &Signed<Root>) -> Result<Vec<u8>, PacksError> {
    let value = serde_json::to_value(root).map_err(|error| PacksError::Sign(error.to_string()))?;
    let mut bytes =
        serde_json::to_vec_pretty(&value).map_err(|error| PacksError::Sign(error.to_string()))?;
    bytes.push(b'\n');
    Ok(bytes)
}
