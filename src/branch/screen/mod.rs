//! The screens of a branch: a full-screen page for Chromium's kiosk, served on loopback.
//!
//! ```text
//! GET  /                      the screens with what stands on them, for whoever sets up the box
//! GET  /screen/<name>         the player
//! GET  /events?screen=<name>  server-sent events: the playlist, at once, when it changes, and every
//!                             ten seconds as a sign of life
//! GET  /playlist?screen=<name>  the same once
//! GET  /poster/<sha256>       the bytes, hashed again on their way out
//! POST /displayed             what the page saw painted
//! GET  /paper                 what to print and hang, what must come down
//! GET  /paper/<sha256>        a file of it
//! POST /paper                 somebody hung it up, or took it down
//! ```
//!
//! The page keeps what it plays in memory and counts down every poster's end by itself, so it goes
//! on and takes posters down in time when this server or the head office is gone. What it shows is
//! a function of the playlist and the branch's time, so screens side by side turn together.
//!
//! Whoever can open a socket on this machine can look at the posters, which hang in public anyway.
//! Pages of the internet cannot: requests must name loopback as their host, reports must come from
//! the page itself.
//!
//! Left out: sound, video, touch. A box that plays more than five screens needs one browser profile
//! a screen (which a kiosk on several monitors needs anyway): browsers hold six connections a host.

mod assets;
mod guard;
mod paper;
mod report;
mod server;
mod source;
mod stage;
mod wire;

pub use assets::Faces;
pub use server::{ScreenError, router, serve};
pub use source::{Card, Confirm, PaperFile, PaperRelease, Papers, ScreenSource, Showing};
