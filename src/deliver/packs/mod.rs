//! Poster packs for branches: a TUF repository in a folder or object store.
//!
//! 1. `prepare` writes the posters and prints that are absent, under their digests. Nobody reads
//!    them before the metadata names them.
//! 2. `commit` reads and verifies what is published, adds the release, signs, and writes the new
//!    metadata; the last file, `timestamp.json`, makes it count. The same delivery again finds
//!    that it is already named; a series never goes back to an earlier slot.
//! 3. `recall` publishes the repository without the release, or without one lesson of it, and with
//!    a reminder of what must come down; then its files go.
//! 4. `tend` signs again what would run out.
//!
//! Branches fetch a release in the night and switch to it at the first `activate` that lies at
//! least `stage_hours` after the slot. A channel with `takeover = true` signs with the emergency
//! key, and its releases take every screen over at once.

mod channel;
mod config;
mod far;
mod release;
mod repository;

pub use config::build;
