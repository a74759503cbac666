//! A folder or object store that branches, screens and gateways read from.
//!
//! ```text
//! blobs/3f/3fa9…            every file under its SHA-256, written once
//! generations/<key>.json    what one delivery consists of: path → digest
//! current/<series>.json     the pointer: which generation of a campaign series counts now
//! releases/<series>/…       the same files under their own names, for people (folders only)
//! ```
//!
//! 1. `prepare` writes the listing of the generation, then the blobs that are absent. Nobody reads
//!    either before the pointer names them.
//! 2. `commit` replaces one small file, the pointer. The same delivery again finds that it is
//!    already named; a pointer never goes back to an earlier slot.
//! 3. `recall` empties the pointer and deletes the listing and every blob that no other listing
//!    names.
//!
//! There is one pointer per series and not one for all: only S3 has conditional writes, and so no
//! two campaigns ever write the same file.
//!
//! A channel of kind `portal` is the same and shows one generation to guests besides, see [`live`].
//!
//! What was uploaded is not noted in the books: that a blob is there in full length *is* the note,
//! and it cannot disagree with the far side.

mod channel;
mod config;
mod live;
mod recall;
mod repository;
mod substitute;
mod tree;
mod wire;

pub use config::build;
