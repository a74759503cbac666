//! Verifies a repository's metadata with `tough` and keeps what was verified.
//!
//! Each refresh works on a copy of what is trusted and takes its place only when everything held:
//! cut off at any point, what was trusted before is trusted still. Versioned files that were
//! verified once are read from there, not fetched again.

use super::{
    Attack, PacksError, Source,
    transport::{Kept, LIMITS, Transport},
};
use crate::model::Digest;
use jiff::Timestamp;
use std::{
    collections::BTreeMap,
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};
use tough::{ExpirationEnforcement, RepositoryLoader, schema};
use url::Url;

/// What stands for the repository's address inside `tough`: files come from a [`Source`].
const BASE: &str = "https://repository.invalid/";

/// Keeps what one client trusts of one repository, in a folder of its own.
#[derive(Debug)]
pub struct Reader {
    folder: PathBuf,
}

/// The versions of the metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Versions {
    /// Of `root.json`.
    pub root: u64,
    /// Of `timestamp.json`.
    pub timestamp: u64,
    /// Of `snapshot.json`.
    pub snapshot: u64,
    /// Of `targets.json`.
    pub targets: u64,
}

/// A target that the metadata names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TargetFile {
    /// Its digest.
    pub sha256: Digest,
    /// Its size.
    pub bytes: u64,
}

/// What the verified metadata says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedView {
    /// The versions.
    pub versions: Versions,
    /// When the first of the roles runs out, and which.
    pub expires: (Timestamp, String),
    /// The targets of the top role by name.
    pub targets: BTreeMap<String, TargetFile>,
    /// The targets of the emergency role, and when it runs out. A role that ran out says nothing,
    /// and keeps nobody from the rest.
    pub emergency: BTreeMap<String, TargetFile>,
    /// When the emergency role runs out.
    pub emergency_expires: Option<Timestamp>,
}

impl TrustedView {
    /// The role that has run out at that moment, if one has.
    ///
    /// # Errors
    /// [`PacksError::Expired`] names it.
    pub fn check_expiry(&self, now: Timestamp) -> Result<(), PacksError> {
        let (at, role) = &self.expires;
        if now < *at { Ok(()) } else { Err(PacksError::Expired { role: role.clone(), at: *at }) }
    }
}

impl Reader {
    /// Keeps what is trusted below `folder`, beginning with a root that came by a safe way.
    ///
    /// # Errors
    /// [`PacksError::File`]; [`PacksError::Untrusted`] where the root is none.
    pub fn enrol(folder: &Path, root: &[u8]) -> Result<Self, PacksError> {
        super::root::check(root)?;
        let reader = Self { folder: folder.to_owned() };
        let first = folder.join("0");
        for part in ["metadata", "store"] {
            fs::create_dir_all(first.join(part)).map_err(|error| wrap(&first, error))?;
        }
        write_durably(&first.join("root.json"), root)?;
        reader.point_to("0")?;
        Ok(reader)
    }

    /// What was kept before.
    ///
    /// # Errors
    /// [`PacksError::File`] where nothing was.
    pub fn open(folder: &Path) -> Result<Self, PacksError> {
        let reader = Self { folder: folder.to_owned() };
        reader.current()?;
        Ok(reader)
    }

    /// The root that is trusted.
    ///
    /// # Errors
    /// [`PacksError::File`].
    pub fn root(&self) -> Result<Vec<u8>, PacksError> {
        let path = self.current()?.join("root.json");
        fs::read(&path).map_err(|error| wrap(&path, error))
    }

    /// Fetches what changed, verifies everything, and only then trusts it.
    ///
    /// # Errors
    /// [`PacksError::Source`] where files did not come, [`PacksError::Untrusted`] and
    /// [`PacksError::Expired`] where they may not be trusted; what was trusted stays so.
    pub async fn refresh(
        &self,
        source: Arc<dyn Source>,
        now: Timestamp,
    ) -> Result<TrustedView, PacksError> {
        let old = self.current()?;
        let root = self.root()?;
        let work = tempfile::Builder::new()
            .prefix("new-")
            .tempdir_in(&self.folder)
            .map_err(|error| wrap(&self.folder, error))?;
        let store = work.path().join("store");
        copy_store(&old.join("store"), &store)?;
        let kept = Kept { folder: Some(old.join("metadata")), source: Some(source) };
        let transport = Transport::new(kept);
        let repository = load(&root, &store, transport.clone()).await?;
        let view = view_of(&repository)?;
        view.check_expiry(now)?;
        self.keep(work, &repository, &transport, &view)?;
        Ok(view)
    }

    /// What was trusted last, verified again from this machine's disk alone. Its roles may have
    /// run out since: that is for the caller to ask. `None` before the first refresh.
    ///
    /// # Errors
    /// [`PacksError::Untrusted`] where the files on the disk are not what was verified.
    pub async fn trusted(&self) -> Result<Option<TrustedView>, PacksError> {
        let current = self.current()?;
        let metadata = current.join("metadata");
        if !metadata.join("timestamp.json").exists() {
            return Ok(None);
        }
        let store = tempfile::tempdir_in(&self.folder).map_err(|error| wrap(&metadata, error))?;
        let kept = Kept { folder: Some(metadata), source: None };
        let transport = Transport::new(kept);
        let repository = load(&self.root()?, store.path(), transport).await?;
        view_of(&repository).map(Some)
    }

    /// Puts what was verified in the place of what was trusted.
    fn keep(
        &self,
        work: tempfile::TempDir,
        repository: &tough::Repository,
        transport: &Transport,
        view: &TrustedView,
    ) -> Result<(), PacksError> {
        let metadata = work.path().join("metadata");
        fs::create_dir_all(&metadata).map_err(|error| wrap(&metadata, error))?;
        let seen = transport.seen();
        for (name, bytes) in &seen {
            // Old roots are of no more use: the newest is kept beside the metadata.
            if !name.ends_with(".root.json") {
                write_durably(&metadata.join(name), bytes)?;
            }
        }
        let root = serde_json::to_vec(repository.root())
            .map_err(|error| PacksError::Sign(error.to_string()))?;
        write_durably(&work.path().join("root.json"), &root)?;
        let name = format!("{}-{}", view.versions.timestamp, view.versions.root);
        let place = self.folder.join(&name);
        if place == self.current()? {
            return Ok(());
        }
        let old = self.current()?;
        let made = work.keep();
        match fs::remove_dir_all(&place) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(wrap(&place, error));
            }
            _ => fs::rename(&made, &place).map_err(|error| wrap(&place, error))?,
        }
        self.point_to(&name)?;
        // What is left behind is swept at the next refresh.
        drop(fs::remove_dir_all(old));
        self.sweep(&name);
        Ok(())
    }

    /// Removes what earlier refreshes left when they were cut off.
    fn sweep(&self, current: &str) {
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if is_folder && name.to_string_lossy() != current {
                drop(fs::remove_dir_all(entry.path()));
            }
        }
    }

    fn current(&self) -> Result<PathBuf, PacksError> {
        let path = self.folder.join("current");
        let name = fs::read_to_string(&path).map_err(|error| wrap(&path, error))?;
        Ok(self.folder.join(name.trim()))
    }

    fn point_to(&self, name: &str) -> Result<(), PacksError> {
        write_durably(&self.folder.join("current"), name.as_bytes())
    }
}

/// Verifies what a source holds, from a root on, and keeps nothing. The files as they were read,
/// by name. Expiry is for the caller to judge.
pub(super) async fn verify(
    root: &[u8],
    source: Arc<dyn Source>,
) -> Result<(TrustedView, BTreeMap<String, Vec<u8>>), PacksError> {
    let folder = tempfile::tempdir().map_err(|error| wrap(Path::new("tmp"), error))?;
    let kept = Kept { folder: None, source: Some(source) };
    let transport = Transport::new(kept);
    let repository = load(&root.to_vec(), folder.path(), transport.clone()).await?;
    let seen = transport.seen();
    Ok((view_of(&repository)?, seen))
}

async fn load(
    root: &Vec<u8>,
    store: &Path,
    transport: Transport,
) -> Result<tough::Repository, PacksError> {
    let base = |folder: &str| {
        Url::parse(&format!("{BASE}{folder}/")).map_err(|error| PacksError::Sign(error.to_string()))
    };
    // tough asks the machine's clock, which may have been put back. Expiry is judged by the
    // caller's clock, which never goes back, before anything is trusted.
    Ok(RepositoryLoader::new(root, base("metadata")?, base("targets")?)
        .transport(transport)
        .limits(LIMITS)
        .datastore(store)
        .expiration_enforcement(ExpirationEnforcement::Unsafe)
        .load()
        .await?)
}

fn view_of(repository: &tough::Repository) -> Result<TrustedView, PacksError> {
    let (mut targets, mut emergency) = (BTreeMap::new(), BTreeMap::new());
    let mut emergency_expires = None;
    let expiries = [
        (repository.root().signed.expires, "root".to_owned()),
        (repository.timestamp().signed.expires, "timestamp".to_owned()),
        (repository.snapshot().signed.expires, "snapshot".to_owned()),
        (repository.targets().signed.expires, "targets".to_owned()),
    ];
    let top = &repository.targets().signed;
    for (name, target) in &top.targets {
        targets.insert(name.raw().to_owned(), target_of(target)?);
    }
    for role in top.delegations.iter().flat_map(|delegations| &delegations.roles) {
        let Some(signed) = &role.targets else { continue };
        emergency_expires = Some(signed.signed.expires);
        for (name, target) in &signed.signed.targets {
            if !may_name(role, name.raw()) {
                return Err(PacksError::Untrusted {
                    attack: Attack::Tampered,
                    detail: format!("角色 {} 签了不归它的 {}", role.name, name.raw()),
                });
            }
            emergency.insert(name.raw().to_owned(), target_of(target)?);
        }
    }
    let expires = expiries.into_iter().min().unwrap_or((Timestamp::MIN, "root".to_owned()));
    Ok(TrustedView {
        versions: Versions {
            root: repository.root().signed.version.get(),
            timestamp: repository.timestamp().signed.version.get(),
            snapshot: repository.snapshot().signed.version.get(),
            targets: top.version.get(),
        },
        expires,
        targets,
        emergency,
        emergency_expires,
    })
}

/// Whether a delegated role may name a target. Its key may be stolen: what lies outside its paths
/// is not its business. Only patterns that end in `*` are known here, because we write no others.
fn may_name(role: &schema::DelegatedRole, name: &str) -> bool {
    match &role.paths {
        schema::PathSet::Paths(patterns) => patterns.iter().any(|pattern| {
            let beginning = pattern.value().strip_suffix('*');
            beginning.is_some_and(|text| !text.is_empty() && name.starts_with(text))
        }),
        schema::PathSet::PathHashPrefixes(_) => false,
    }
}

fn target_of(target: &schema::Target) -> Result<TargetFile, PacksError> {
    let sha256: [u8; 32] = target.hashes.sha256.as_ref().try_into().map_err(|_| {
        PacksError::Untrusted {
            attack: Attack::Tampered, detail: "摘要不是 SHA-256".to_owned()
        }
    })?;
    Ok(TargetFile { sha256: Digest::from_bytes(sha256), bytes: target.length })
}

fn copy_store(from: &Path, to: &Path) -> Result<(), PacksError> {
    fs::create_dir_all(to).map_err(|error| wrap(to, error))?;
    for entry in fs::read_dir(from).map_err(|error| wrap(from, error))? {
        let entry = entry.map_err(|error| wrap(from, error))?;
        if entry.file_name() == "latest_known_time.json" {
            continue;
        }
        fs::copy(entry.path(), to.join(entry.file_name())).map_err(|error| wrap(to, error))?;
    }
    Ok(())
}

/// Writes a file so that after a power cut it is either the old one or the new one, whole.
pub(super) fn write_durably(path: &Path, bytes: &[u8]) -> Result<(), PacksError> {
    let parent = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = parent.unwrap_or(Path::new("."));
    let write = || -> io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        io::Write::write_all(&mut file, bytes)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        #[cfg(unix)]
        fs::File::open(folder)?.sync_all()?;
        Ok(())
    };
    write().map_err(|error| wrap(path, error))
}

fn wrap(path: &Path, source: io::Error) -> PacksError {
    PacksError::File { path: path.to_owned(), source }
}

impl fmt::Display for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "root {} timestamp {} snapshot {} targets {}",
            self.root, self.timestamp, self.snapshot, self.targets
        )
    }
}
