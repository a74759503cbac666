//! What never changes and takes time to read, kept in memory: frozen content and manifests.

use super::{Desk, trouble::Trouble};
use crate::{
    model::{Digest, Manifest},
    work::Content,
};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

/// So many frozen content folders, a few megabytes each.
const CONTENTS: usize = 8;

/// So many manifests, up to a megabyte each.
const MANIFESTS: usize = 64;

/// The last ones that were asked for.
#[derive(Debug, Default)]
pub(super) struct Past {
    contents: Mutex<VecDeque<(Digest, Arc<Content>)>>,
    manifests: Mutex<VecDeque<(Digest, Arc<Manifest>)>>,
}

impl Past {
    pub(super) fn content(&self, revision: &Digest) -> Option<Arc<Content>> {
        find(&self.contents, revision)
    }

    pub(super) fn keep_content(&self, revision: Digest, content: Arc<Content>) {
        keep(&self.contents, revision, content, CONTENTS);
    }
}

fn find<T>(list: &Mutex<VecDeque<(Digest, Arc<T>)>>, key: &Digest) -> Option<Arc<T>> {
    let list = list.lock().unwrap_or_else(PoisonError::into_inner);
    list.iter().find(|(own, _)| own == key).map(|(_, value)| Arc::clone(value))
}

fn keep<T>(list: &Mutex<VecDeque<(Digest, Arc<T>)>>, key: Digest, value: Arc<T>, most: usize) {
    let mut list = list.lock().unwrap_or_else(PoisonError::into_inner);
    list.retain(|(own, _)| *own != key);
    list.push_front((key, value));
    list.truncate(most);
}

impl Desk {
    /// The manifest of that hash.
    ///
    /// # Errors
    /// [`Trouble`] 404 where there is none.
    pub async fn manifest(&self, hash: &Digest) -> Result<Arc<Manifest>, Trouble> {
        if let Some(manifest) = find(&self.past().manifests, hash) {
            return Ok(manifest);
        }
        let manifest = Arc::new(self.publisher().manifest(hash).await?);
        keep(&self.past().manifests, *hash, Arc::clone(&manifest), MANIFESTS);
        Ok(manifest)
    }
}
