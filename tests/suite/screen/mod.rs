//! The screens' pages: their server, and in a real Chromium what stands on the glass.

pub mod browser;
mod house;
mod idle;
mod pictures;
mod playing;
mod server;
mod stills;
mod swap;
mod takeover;
