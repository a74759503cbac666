//! Writing files that are addressed by their content: what is there in full length is there.

use super::{Effect, Storage, StorageError, Version, parallel};
use crate::{
    deliver::{Books, DeliverError},
    model::Listing,
};
use futures_util::{FutureExt as _, StreamExt as _, future::BoxFuture, stream};
use opendal::Operator;
use std::collections::BTreeMap;

/// What became of files that were to be written.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(in crate::deliver) struct Uploaded {
    pub(in crate::deliver) written: usize,
    pub(in crate::deliver) bytes: u64,
    pub(in crate::deliver) present: usize,
}

impl Storage {
    /// Writes the files that are absent under these paths, several at a time. `point` is reached
    /// after each.
    pub(in crate::deliver) async fn put_all(
        &self,
        files: BTreeMap<String, &Listing>,
        books: &dyn Books,
        point: &'static str,
    ) -> Result<Uploaded, DeliverError> {
        let operator = self
            .operator()
            .map_err(|error| error.explain("打开", &self.shown, Effect::Harmless))?;
        let uploads: Vec<BoxFuture<'_, Result<(bool, u64), DeliverError>>> = files
            .into_iter()
            .map(|(path, file)| self.put_one(&operator, path, file, books, point).boxed())
            .collect();
        let mut uploads = stream::iter(uploads).buffer_unordered(parallel(&operator));
        let mut total = Uploaded::default();
        while let Some(upload) = uploads.next().await {
            let (written, bytes) = upload?;
            if written {
                total.written += 1;
                total.bytes += bytes;
            } else {
                total.present += 1;
            }
        }
        Ok(total)
    }

    /// Writes one file unless it is there in full length: an upload that was cut off on a service
    /// without atomic writes leaves a shorter one.
    async fn put_one(
        &self,
        operator: &Operator,
        path: String,
        file: &Listing,
        books: &dyn Books,
        point: &'static str,
    ) -> Result<(bool, u64), DeliverError> {
        let explain = |error: StorageError| {
            error.explain(&format!("上传 {}", file.path), &self.shown, Effect::Harmless)
        };
        if self.size(operator, &path).await.map_err(explain)? == Some(file.bytes) {
            return Ok((false, file.bytes));
        }
        let bytes = books.file(&file.sha256).await?;
        self.write_with(operator, &path, bytes, file.media_type.as_str(), &Version::Unknown)
            .await
            .map_err(explain)?;
        books.reached(point);
        Ok((true, file.bytes))
    }
}
