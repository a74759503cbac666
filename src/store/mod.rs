//! What outlives the process: the delivery ledger on SQLite or Postgres, and blobs through
//! OpenDAL.
//!
//! One row is the truth about one delivery; there is no second queue that could disagree with it.
//! The promises (P1–P8) are held here and in `work`:
//!
//! * a claim checks the approvals in its own transaction and takes a lease;
//! * every write after a claim is fenced by the row's epoch;
//! * the audit row is written in the transaction of the change it records, and rows are chained
//!   by hash.
//!
//! Times are milliseconds since 1970 UTC, in both databases. Rows are locked in one order, so that
//! writers never wait in a circle: review, delivery, end of the audit chain.
//!
//! This room renders nothing, sends nothing and decides no schedule.

mod account;
mod api_token;
mod audit;
mod backup;
mod blob;
mod board;
mod books;
mod branch;
mod branch_event;
mod change;
mod claim;
mod database;
mod decide;
mod delivery;
mod deployment;
mod due;
mod error;
mod guest;
mod hotline_change;
mod job;
mod live;
mod newer;
mod occurrence;
mod open;
mod record;
mod remark;
mod restore;
mod review;
mod row;
mod search;
mod slot_move;
mod submit;
mod table;
mod trail;
mod value;
mod wake;
mod xibo;

pub use account::{Account, FAILURES_UNTIL_LOCKED, SignedIn};
pub use api_token::ApiToken;
pub use blob::operator;
pub use board::{Backlog, BoardFilter, BoardRow};
pub use branch_event::{BranchEvent, EventNumbers, NewEvent};
pub use error::StoreError;
pub use guest::{Choice, Hit, HitKind, TallyLine};
pub use hotline_change::{ChangeNote, HotlineChange};
pub use job::{JobRow, JobState};
pub use live::{DeliveriesState, Out, Seen};
pub use newer::Successors;
pub use remark::{Remark, RemarkAnswer};
pub use review::Submitter;
pub use row::*;
pub use search::AuditSearch;
pub use slot_move::{MOVE_LEAD, Moving};

use database::Database;
use opendal::Operator;
use std::{
    fmt,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

type Answer<T> = Result<T, StoreError>;

/// The ledger and its blobs. Clones share connections and clock; each worker has its own clone.
pub struct Store {
    database: Arc<Database>,
    blobs: Operator,
    blob_folder: Option<PathBuf>,
    /// How often rows had become due when this handle last looked.
    seen: AtomicU64,
}

impl Clone for Store {
    fn clone(&self) -> Self {
        Self {
            database: Arc::clone(&self.database),
            blobs: self.blobs.clone(),
            blob_folder: self.blob_folder.clone(),
            seen: AtomicU64::new(self.seen.load(Ordering::Relaxed)),
        }
    }
}

impl fmt::Debug for Store {
    // Addresses and passwords stay out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Store({:?})", self.database.dialect)
    }
}
