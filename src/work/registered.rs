//! Whether there ever was a branch of that id: in today's register, in one that a submission froze,
//! or by what its machine or its people told. An id that nobody knows shows nothing, and a
//! question about it must not be answered as if it did.

use super::{Content, Publisher, WorkError, difference::read_revision};
use crate::{
    model::{BranchId, Digest},
    read,
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

/// The register of branches: id and name.
pub type Register = BTreeMap<BranchId, String>;

/// Frozen registers that were read before; they never change.
#[derive(Debug, Default)]
pub(super) struct Registers {
    /// Frozen content → the digest of its `branches.csv`.
    files: Mutex<BTreeMap<Digest, Digest>>,
    tables: Mutex<BTreeMap<Digest, Arc<Register>>>,
}

/// A branch that there is or was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    /// Its name; its id where only its machine or its people ever told of it.
    pub name: String,
    /// Whether it stands in today's register.
    pub today: bool,
}

impl Publisher {
    /// The register of branches as a submission froze it; empty where it had none.
    ///
    /// # Errors
    /// The blob store's.
    pub async fn register_of(&self, revision: &Digest) -> Result<Arc<Register>, WorkError> {
        let files = || self.live.registers.files.lock().unwrap_or_else(PoisonError::into_inner);
        let tables = || self.live.registers.tables.lock().unwrap_or_else(PoisonError::into_inner);
        let known = files().get(revision).copied();
        let file = match known {
            Some(file) => file,
            None => {
                let frozen = read_revision(&self.store, revision).await?;
                let Some(file) = frozen.get("branches.csv").copied() else {
                    return Ok(Arc::default());
                };
                files().insert(*revision, file);
                file
            }
        };
        if let Some(known) = tables().get(&file) {
            return Ok(Arc::clone(known));
        }
        let text = decoded(&self.store.blob(&file).await?);
        let branches = read::read_tables(&text, "").library.branches;
        let branches = branches.into_iter().map(|branch| (branch.id, branch.name));
        let register: Arc<Register> = Arc::new(branches.collect());
        tables().insert(file, Arc::clone(&register));
        Ok(register)
    }

    /// The branch of that id, where there is or ever was one; of several names the latest.
    ///
    /// # Errors
    /// The ledger's. Frozen content that cannot be read any more is passed over.
    pub async fn registered(
        &self,
        branch: &BranchId,
        content: Option<&Content>,
    ) -> Result<Option<Registered>, WorkError> {
        if let Some(found) = content.and_then(|content| content.library.branch(branch)) {
            return Ok(Some(Registered { name: found.name.clone(), today: true }));
        }
        for revision in self.store.revisions().await? {
            match self.register_of(&revision).await {
                Ok(register) => {
                    if let Some(name) = register.get(branch) {
                        return Ok(Some(Registered { name: name.clone(), today: false }));
                    }
                }
                Err(error) => tracing::warn!(%revision, %error, "定稿里的网点名录读不出"),
            }
        }
        let told = self.store.branch_device(branch).await?.is_some()
            || !self.store.branch_confirmations(branch).await?.is_empty()
            || !self.store.events_of(branch, 1).await?.is_empty();
        Ok(told.then(|| Registered { name: branch.to_string(), today: false }))
    }
}

/// UTF-8 or GBK, as the reader of the content folder takes it.
fn decoded(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.trim_start_matches('\u{FEFF}').to_owned(),
        Err(_) => encoding_rs::GBK.decode_without_bom_handling(bytes).0.into_owned(),
    }
}
