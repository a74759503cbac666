//! What never changes and takes time to read or make, kept in memory: frozen content, manifests,
//! what the check said of a submission, views of pictures.

use super::{Desk, review::Judged, trouble::Trouble};
use crate::{
    model::{Digest, Manifest},
    work::Content,
};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

/// So many frozen content folders, a few megabytes each.
const CONTENTS: usize = 8;

/// So many manifests, up to a megabyte each.
const MANIFESTS: usize = 64;

/// What was said of so many submissions.
const JUDGED: usize = 16;

/// So many views of pictures, of a few megabytes at most.
const VIEWS: usize = 12;

/// Numbers about so many files: pages of a PDF.
const COUNTS: usize = 4096;

/// The last ones that were asked for.
#[derive(Debug, Default)]
pub(super) struct Past {
    contents: Mutex<VecDeque<(Digest, Arc<Content>)>>,
    manifests: Mutex<VecDeque<(Digest, Arc<Manifest>)>>,
    judged: Mutex<VecDeque<(Digest, Arc<Judged>)>>,
    views: Mutex<VecDeque<(Digest, Arc<String>)>>,
    counts: Mutex<BTreeMap<Digest, usize>>,
}

impl Past {
    pub(super) fn content(&self, revision: &Digest) -> Option<Arc<Content>> {
        find(&self.contents, revision)
    }

    pub(super) fn keep_content(&self, revision: Digest, content: Arc<Content>) {
        keep(&self.contents, revision, content, CONTENTS);
    }

    fn manifest_beginning(&self, digits: &str) -> Option<Digest> {
        let list = self.manifests.lock().unwrap_or_else(PoisonError::into_inner);
        let own = |hash: &&Digest| hash.to_string().starts_with(digits);
        list.iter().map(|(hash, _)| hash).find(own).copied()
    }

    pub(super) fn judged(&self, key: &Digest) -> Option<Arc<Judged>> {
        find(&self.judged, key)
    }

    pub(super) fn keep_judged(&self, key: Digest, judged: Arc<Judged>) {
        keep(&self.judged, key, judged, JUDGED);
    }

    pub(super) fn view(&self, key: &Digest) -> Option<Arc<String>> {
        find(&self.views, key)
    }

    pub(super) fn keep_view(&self, key: Digest, view: Arc<String>) {
        keep(&self.views, key, view, VIEWS);
    }

    /// A number about a file.
    pub(super) fn count(&self, key: &Digest) -> Option<usize> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).get(key).copied()
    }

    pub(super) fn keep_count(&self, key: Digest, count: usize) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= COUNTS {
            counts.clear();
        }
        counts.insert(key, count);
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
    /// The hash of the manifest that an address names by all its digits or the first 16 or more.
    ///
    /// # Errors
    /// [`Trouble`] 404 where there is none.
    pub async fn manifest_hash(&self, digits: &str) -> Result<Digest, Trouble> {
        if let Some(hash) = Digest::from_hex(digits) {
            return Ok(hash);
        }
        let missing = || Trouble::missing("没有这份清单");
        if digits.len() < 16 {
            return Err(missing());
        }
        if let Some(hash) = self.past().manifest_beginning(digits) {
            return Ok(hash);
        }
        let found = self.publisher().store.manifest_beginning(digits).await?;
        found.ok_or_else(missing)
    }

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
