//! Caishi.
pub mod build;
pub mod cli;
pub mod config;
pub mod model;
pub mod read;
pub mod render;
