//! The loop that joins the rooms: what goes where and when, who agreed, and getting it there once.
//!
//! 1. [`content`] reads what there is; [`plan`] says what would go where, and [`reach`] to which
//!    branches; [`render`] makes it.
//! 2. [`submit`] freezes it, [`hands`] says who may not sign it; [`preview`] shows it to test
//!    readers; [`decide`] records who said yes to which bytes.
//! 3. [`slots`] says which slots come and moves them, [`asked`] which one a person means; [`fire`]
//!    turns due ones, and [`publish`] what
//!    a person asks for, into occurrences.
//! 4. [`worker`] claims deliveries and takes them through their channel, step by step;
//!    [`outcome`] says what a failure deserves.
//! 5. [`recall`] takes down, after [`recall_steps`] has said what that means; [`intervene`] is what
//!    a person decides, [`status`] tells the truth, [`replaced`] which submissions newer ones
//!    replaced, [`statistics`] what was read, [`branches`] what hangs where; [`people`] is who may
//!    act, [`live`] what can be seen now and [`hung`] until when, [`past`] what was,
//!    [`laid`] where the letters of a poster stand. [`feeds`] is what branches were
//!    given, [`given`] what one branch has, [`roll`] how all stand, [`events`] what they did;
//!    [`registered`] knows every branch that ever was, [`registers`] replaces their tables, [`hotlines`] a number.
//! 6. [`campaigns`] plans and saves editions; [`service`] does all of the rest by itself, for
//!    `caishi serve`; [`doctor`] looks at what it needs.
//!
//! This is the only room that sees both `store` and `deliver`.

pub mod asked;
pub mod books;
pub mod branches;
mod campaign_code;
mod campaign_file;
pub mod campaign_saves;
pub mod campaigns;
pub mod clock;
pub mod content;
mod content_file;
pub mod decide;
pub mod difference;
pub mod doctor;
mod draft_channel;
mod draft_checks;
pub mod events;
pub mod feeds;
pub mod fire;
pub mod given;
mod given_zip;
pub mod hands;
pub mod history;
pub mod hotlines;
pub mod hung;
mod hushed;
pub mod intervene;
pub mod laid;
pub mod live;
pub mod outcome;
pub mod packs;
pub mod parcel;
pub mod past;
pub mod people;
pub mod plan;
pub mod preview;
pub mod publish;
pub mod publisher;
pub mod reach;
pub mod recall;
pub mod recall_steps;
pub mod registered;
pub mod registers;
pub mod remarks;
pub mod render;
pub mod replaced;
pub mod roll;
pub mod service;
pub mod slots;
pub mod statistics;
pub mod status;
pub mod submit;
pub mod take_down;
pub mod wire;
pub mod worker;

pub use content::Content;
pub use decide::Verdict;
pub use feeds::{FeedCache, Feeds};
pub use plan::{ChannelPlan, Outline, Plan, Subject};
pub use publisher::Publisher;

use crate::{build::BuildError, deliver::DeliverError, model::IdError, store::StoreError};
use std::{io, path::PathBuf};

/// Why something could not be planned, submitted, decided, published or taken down.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    /// A file cannot be read or written.
    #[error("读写不了 {path}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A name that does not exist; says which there are.
    #[error("{0}")]
    Unknown(String),
    /// It may not be done; why, and what to do.
    #[error("{0}")]
    Refused(String),
    /// Several things are wrong.
    #[error("有 {} 处要改：{}", .0.len(), .0.join("；"))]
    Faults(Vec<String>),
    /// Remarks are open that nobody said to have read; which.
    #[error("{0}")]
    OpenRemarks(String),
    /// The check cannot begin.
    #[error(transparent)]
    Check(#[from] crate::check::CheckError),
    /// A stored manifest cannot be read.
    #[error("审批清单读不懂：{0}")]
    Manifest(String),
    /// An identifier in the ledger is none.
    #[error(transparent)]
    Id(#[from] IdError),
    /// Rendering could not begin or end.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The ledger refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A channel refused.
    #[error(transparent)]
    Deliver(#[from] DeliverError),
}
