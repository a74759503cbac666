//! The loop that joins the rooms: what goes where and when, who agreed, and getting it there once.
//!
//! 1. [`content`] reads what there is; [`plan`] says what would go where, [`render`] makes it.
//! 2. [`submit`] freezes it; [`preview`] shows it to test readers; [`decide`] records who said yes
//!    to which bytes.
//! 3. [`fire`] turns due slots, and [`publish`] what a person asks for, into occurrences.
//! 4. [`worker`] claims deliveries and takes them through their channel, step by step;
//!    [`outcome`] says what a failure deserves.
//! 5. [`recall`] takes down, [`intervene`] is what a person decides, [`status`] tells the truth,
//!    [`statistics`] what was read, [`branches`] what hangs where.
//! 6. [`service`] does all of it by itself, for `caishi serve`; [`doctor`] looks at what it needs.
//!
//! This is the only room that sees both `store` and `deliver`.

pub mod books;
pub mod branches;
pub mod clock;
pub mod content;
pub mod decide;
pub mod difference;
pub mod doctor;
pub mod fire;
pub mod intervene;
pub mod outcome;
pub mod packs;
pub mod parcel;
pub mod plan;
pub mod preview;
pub mod publish;
pub mod publisher;
pub mod recall;
pub mod render;
pub mod service;
pub mod statistics;
pub mod status;
pub mod submit;
pub mod wire;
pub mod worker;

pub use content::Content;
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
