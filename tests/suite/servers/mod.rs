//! The real servers that tests talk to: started on loopback, stopped when the tests' process ends.

pub mod cutting_proxy;
pub mod disk;
pub mod postgres;
mod process;
pub mod s3;
pub mod sftp;
pub mod webdav;

pub use process::{Server, ServerFolder, free_port, program, run, skip_unless_required};
