//! Taking a generation down: the pointer first, then its files.
//!
//! A blob is deleted only if no other listing names it. A delivery that is being prepared
//! meanwhile may count on that very blob: it writes its listing before it looks for blobs, so a
//! second look at the listings after deleting finds it, and what it counts on is put back.

use super::{tree, wire};
use crate::{
    deliver::{
        Books, DeliverError, Parcel, Recalled,
        storage::{Effect, Storage, StorageError, off_thread},
    },
    model::Listing,
};
use std::collections::BTreeSet;

/// Takes the parcel's generation down. May be repeated, also after being cut off half-way.
pub(super) async fn take_down(
    repository: &Storage,
    parcel: &Parcel,
    books: &dyn Books,
) -> Result<Recalled, DeliverError> {
    let explain = |doing: &'static str| {
        move |error: StorageError| error.explain(doing, &repository.shown, Effect::Harmless)
    };
    let key = parcel.key.digest().to_string();
    let series = &parcel.campaign.series;
    let (pointer, version) = repository.read_pointer(series).await.map_err(explain("读指针"))?;
    let was_current = pointer
        .as_ref()
        .and_then(|pointer| pointer.current.as_ref())
        .is_some_and(|current| current.key == key);
    if let Some(pointer) = pointer {
        let emptied = pointer.recalled(&key, parcel.slot);
        if emptied != pointer {
            repository
                .swap_pointer(series, &emptied, &version)
                .await
                .map_err(explain("撤下指针"))?;
        }
    }
    books.reached("folder/pointer-emptied");
    if let Some((root, true)) = repository.folder() {
        let (root, parcel) = (root.clone(), parcel.clone());
        off_thread(move || tree::remove(&root, &parcel)).await.map_err(explain("删去文件夹"))?;
    }
    repository.delete(vec![wire::generation_path(&key)]).await.map_err(explain("删去清单"))?;
    books.reached("folder/listing-deleted");
    let deleted = delete_unnamed(repository, parcel, books).await?;
    let shown = if was_current {
        "这一期已撤下，当前没有内容"
    } else {
        "这一期早已不是当前内容"
    };
    let kept = parcel.files.iter().map(|file| file.sha256).collect::<BTreeSet<_>>().len() - deleted;
    let kept = if kept == 0 {
        String::new()
    } else {
        format!("，另有 {kept} 个文件别的活动还在用，保留")
    };
    Ok(Recalled { complete: true, detail: format!("{shown}；删去 {deleted} 个文件{kept}") })
}

/// Deletes the parcel's blobs that no listing names; how many stay deleted.
async fn delete_unnamed(
    repository: &Storage,
    parcel: &Parcel,
    books: &dyn Books,
) -> Result<usize, DeliverError> {
    let explain = |error: StorageError| {
        error.explain("删去不再使用的文件", &repository.shown, Effect::Harmless)
    };
    let named = repository.referenced().await.map_err(explain)?;
    books.reached("folder/listings-read");
    let unnamed: Vec<&Listing> = distinct(parcel)
        .into_iter()
        .filter(|file| !named.contains(&file.sha256.to_string()))
        .collect();
    let paths = unnamed.iter().map(|file| wire::blob_path(&file.sha256.to_string())).collect();
    repository.delete(paths).await.map_err(explain)?;
    books.reached("folder/blobs-deleted");
    let named = repository.referenced().await.map_err(explain)?;
    let counted_on: Vec<Listing> = unnamed
        .iter()
        .filter(|file| named.contains(&file.sha256.to_string()))
        .map(|file| (*file).clone())
        .collect();
    if !counted_on.is_empty() {
        repository.put_blobs(&counted_on, books).await?;
    }
    Ok(unnamed.len() - counted_on.len())
}

fn distinct(parcel: &Parcel) -> Vec<&Listing> {
    let mut seen = BTreeSet::new();
    parcel.files.iter().filter(|file| seen.insert(file.sha256)).collect()
}
