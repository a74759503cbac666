//! What the channel writes into the books, by name.

use crate::deliver::{Books, BooksError, Scope};
use jiff::Timestamp;

/// The delivery's draft.
pub(super) const DRAFT: &str = "draft";
/// When `draft/add` was first called; written before.
pub(super) const DRAFT_TRIED: &str = "draft/tried";
/// The digest of what the platform stored as the draft.
pub(super) const DRAFT_SEEN: &str = "draft/seen";
/// A draft that was found missing, so that a person's retry makes another.
pub(super) const DRAFT_MISSING: &str = "draft/missing";
/// When pictures that were gone from the material library were last uploaded again by themselves.
pub(super) const UPLOADED_AGAIN: &str = "draft/uploaded-again";
/// The draft that a recall deletes.
pub(super) const DRAFT_DELETED: &str = "draft/deleted";
/// When the irreversible call was first made; written before.
pub(super) const SENT_FIRST: &str = "commit/first";
/// When the irreversible call was last made; written before.
pub(super) const SENT_LAST: &str = "commit/last";
/// A draft that was gone when a mass send was repeated.
pub(super) const DRAFT_USED: &str = "commit/draft-used";
/// `publish_id` or `msg_id`.
pub(super) const REMOTE: &str = "commit/remote";
/// `msg_data_id`, the number that statistics go by.
pub(super) const MESSAGE_DATA: &str = "commit/msg_data_id";
/// The window in which this delivery took its mass send out of the quota.
pub(super) const MASS_QUOTA: &str = "commit/quota";
/// How often the end was asked for.
pub(super) const POLLS: &str = "confirm/polls";
/// The published article.
pub(super) const ARTICLE: &str = "confirm/article_id";

/// Reads this delivery's memory; an empty text counts as nothing.
pub(super) async fn read(books: &dyn Books, step: &str) -> Result<Option<String>, BooksError> {
    Ok(books.read(Scope::Delivery, step).await?.filter(|text| !text.is_empty()))
}

/// Writes this delivery's memory.
pub(super) async fn write(books: &dyn Books, step: &str, value: &str) -> Result<(), BooksError> {
    books.write(Scope::Delivery, step, value).await
}

/// Writes what only spares a look-up. After an irreversible call a failure here must not be
/// mistaken for a failure of the call, so it is only logged.
pub(super) async fn note(books: &dyn Books, step: &str, value: &str) {
    if value.is_empty() {
        return;
    }
    if let Err(error) = write(books, step, value).await {
        tracing::warn!(step, %error, "台账没有记下");
    }
}

/// Reads a moment.
pub(super) async fn read_time(
    books: &dyn Books,
    step: &str,
) -> Result<Option<Timestamp>, BooksError> {
    Ok(read(books, step).await?.and_then(|text| text.parse().ok()))
}

/// Writes down that the irreversible call is about to be made. Whether it had been made before.
pub(super) async fn mark_sending(books: &dyn Books) -> Result<bool, BooksError> {
    let now = books.now().await?.to_string();
    let before = read(books, SENT_FIRST).await?.is_some();
    if !before {
        write(books, SENT_FIRST, &now).await?;
    }
    write(books, SENT_LAST, &now).await?;
    Ok(before)
}
