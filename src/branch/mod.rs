//! What runs at a branch: pulls its pack, verifies it, switches at the set second, plays it on the
//! screens and tells the head office what stood there.
//!
//! | module | what it does |
//! |---|---|
//! | [`config`] [`enrol`] | `branch.toml`, and how a machine becomes a branch's |
//! | [`machine`] | everything put together, for the command line |
//! | [`service`] | when what is fetched, told and reported |
//! | [`pull`] [`window`] | from the repository to verified files; the night, and how fast |
//! | [`office`] [`http`] [`gate`] | the head office, over HTTP, behind one gate |
//! | [`report`] [`confirm`] | what the head office is told |
//! | [`state`] | what a branch keeps, in one folder |
//! | [`clock`] | the time, which never goes back |
//! | [`objects`] [`shelf`] | the verified files, and the indexes that name them |
//! | [`stage`] | what plays right now, for whoever draws it |
//! | [`screen`] | the full-screen page, on loopback |
//! | [`receipts`] | what stood on the screens, as a chain |
//! | [`journal`] | a log that stays small |
//!
//! Whatever is cut off, by a kill, a broken line or a full disk: what played before plays on.

pub mod clock;
pub mod config;
pub mod confirm;
mod disk;
mod download;
pub mod enrol;
pub mod error;
pub mod gate;
pub mod http;
pub mod journal;
pub mod machine;
pub mod objects;
pub mod office;
pub mod pull;
pub mod receipts;
pub mod report;
pub mod screen;
pub mod service;
pub mod shelf;
pub mod stage;
pub mod state;
mod stream;
mod tls;
pub mod window;

pub use error::BranchError;
pub use stage::Stage;
pub use state::BranchState;
