//! A signed HTTP request to a system of the bank: a branch's notice board, a robot in a group, a
//! gateway.
//!
//! Follows [Standard Webhooks](https://www.standardwebhooks.com): `webhook-id` is derived from the
//! delivery and the same in every attempt, `webhook-timestamp` and `webhook-signature` are fresh.
//! `Idempotency-Key` is the delivery's key, by which a receiver drops what it has already had.
//!
//! 1. `prepare` fills in the body and keeps its digest; nothing is sent.
//! 2. `commit` sends it once. [`judge`] says what each answer means.
//! 3. A receiver cannot be asked what it has had. One that drops repeated keys (`idempotent`, the
//!    default) may be sent the same again for a day; another one leaves the unknown to a person.

mod channel;
mod config;
mod send;
mod status;
mod template;
mod wire;

pub use config::{SANDBOX_SECRET, build};
pub use status::{Answer, judge};
