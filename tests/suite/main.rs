//! The one integration test binary: twelve would be linked twelve times.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops where it is")]
#![expect(
    clippy::assigning_clones,
    clippy::format_collect,
    clippy::unnecessary_wraps,
    reason = "short tests are read more often than they are run"
)]

mod approval_number;
mod article;
mod behaviour;
mod branch;
mod brief;
mod build;
mod check;
mod config;
mod console;
mod content;
mod crash;
mod demo;
mod egress;
mod folder;
mod gateways;
mod guests;
mod html;
mod layers;
mod licences;
mod packs;
mod portal;
mod poster;
mod preview;
mod print;
mod publishing;
mod read;
mod review;
mod sample;
mod sandbox;
mod schedule;
mod screen;
mod servers;
mod store;
mod templates;
mod webhook;
mod wechat;
mod xmds;
