//! The state on disk: one JSON file, replaced as a whole, and the pictures beside it.
//!
//! A reply leaves only after what it says is on disk: a stand-in that forgets after a crash what
//! it had acknowledged would be stranger than the platform, and blame the client for it. The file
//! holds no token, only what tokens are derived from, and no callback key.

use super::{
    SandboxError,
    state::{VERSION, World},
};
use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

/// Where the state lies.
#[derive(Debug)]
pub(super) struct StateFile {
    path: PathBuf,
}

impl StateFile {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// The state of last time; `None` where there was none.
    pub(super) fn load(&self) -> Result<Option<World>, SandboxError> {
        let bytes = match fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(self.failed(source)),
        };
        let format = |source| SandboxError::Format { path: self.path.clone(), source };
        let mut world: World = serde_json::from_slice(&bytes).map_err(format)?;
        if world.version != VERSION {
            let version = serde::de::Error::custom(format!("version {}", world.version));
            return Err(format(version));
        }
        world.pictures = self.load_pictures(&world).map_err(|source| self.failed(source))?;
        Ok(Some(world))
    }

    fn load_pictures(&self, world: &World) -> io::Result<BTreeMap<String, Arc<[u8]>>> {
        let mut pictures = BTreeMap::new();
        for account in world.accounts.values() {
            for picture in account.pictures.values() {
                if !pictures.contains_key(&picture.sha256) {
                    let bytes = fs::read(self.picture_path(&picture.sha256))?;
                    pictures.insert(picture.sha256.clone(), Arc::from(bytes));
                }
            }
        }
        Ok(pictures)
    }

    /// Writes what [`StateFile::load`] reads.
    pub(super) fn store(
        &self,
        json: &[u8],
        pictures: &BTreeMap<String, Arc<[u8]>>,
    ) -> Result<(), SandboxError> {
        let stored = || -> io::Result<()> {
            for (sha256, bytes) in pictures {
                let path = self.picture_path(sha256);
                if !path.exists() {
                    replace(&path, bytes)?;
                }
            }
            replace(&self.path, json)
        };
        stored().map_err(|source| self.failed(source))
    }

    fn picture_path(&self, sha256: &str) -> PathBuf {
        self.path.with_extension("pictures").join(sha256)
    }

    fn failed(&self, source: io::Error) -> SandboxError {
        SandboxError::State { path: self.path.clone(), source }
    }
}

/// Writes beside the file and renames over it: a reader sees the old bytes or the new ones.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.persist(path)?;
    Ok(())
}
