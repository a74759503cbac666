//! The WeChat channel: its pure parts by data and properties, and the whole path over real HTTP
//! against the strict stand-in.

mod account;
mod behaviour;
mod callback;
mod config;
mod content;
mod errors;
mod faults;
mod limits;
mod path;
mod sending;
mod stage;
mod token;
mod told;
