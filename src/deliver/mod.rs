//! A parcel → the outside world: one folder per adapter, all behind one [`Channel`] trait.
//!
//! | module | what it does |
//! |---|---|
//! | [`channel`] | the trait, what it takes and what it answers |
//! | [`pages`] | what guests see of a portal channel |
//! | [`error`] | what went wrong and what to do next |
//! | [`books`] | what a channel remembers between calls: journal, token, quota |
//! | [`egress`] | which addresses may be reached, and the HTTP client that holds to it |
//! | [`storage`] | folders, S3, WebDAV and SFTP, for the adapters that publish files |
//! | [`build`] | configuration → channel: one match names every adapter |
//! | [`folder`] [`packs`] [`webhook`] [`wechat`] | the adapters, with equal file names: `config` `channel` `wire` `error` |
//!
//! Adapters never retry and never sleep; `work` does, from what the error says. This room does
//! not know `store`: what a channel remembers comes in through [`Books`].

pub mod books;
pub mod build;
pub mod channel;
pub mod egress;
pub mod error;
pub mod folder;
pub mod packs;
pub mod pages;
mod settings;
pub mod storage;
pub mod webhook;
pub mod wechat;

pub use books::{Books, BooksError, QuotaAnswer, QuotaWindow, Scope, SealedToken};
pub use build::{BuildContext, build};
pub use channel::{
    Capability, Channel, Commit, Confirmation, Deduplication, Finding, HookReply, HookRequest,
    PackRepository, Parcel, Prepared, Probe, RecallAbility, Recalled, Receiver, RemoteEvent,
    SendLimit, Statistic,
};
pub use egress::{Egress, EgressError};
pub use error::{DeliverError, ErrorKind, Retry};
pub use pages::{LiveFile, LivePages, PortalPages};
