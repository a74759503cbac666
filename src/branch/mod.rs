//! What runs at a branch: pulls its pack, verifies it, switches at the set second, plays it on the
//! screens and tells the head office what stood there.
//!
//! | module | what it does |
//! |---|---|
//! | [`state`] | what a branch keeps, in one folder |
//! | [`clock`] | the time, which never goes back |
//! | [`objects`] [`shelf`] | the verified files, and the indexes that name them |
//! | [`stage`] | what plays right now, for whoever draws it |
//! | [`receipts`] | what stood on the screens, as a chain |
//! | [`journal`] | a log that stays small |
//!
//! Whatever is cut off, by a kill, a broken line or a full disk: what played before plays on.

pub mod clock;
mod disk;
pub mod error;
pub mod journal;
pub mod objects;
pub mod receipts;
pub mod shelf;
pub mod stage;
pub mod state;

pub use error::BranchError;
pub use stage::Stage;
pub use state::BranchState;
