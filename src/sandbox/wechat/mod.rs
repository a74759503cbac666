//! The WeChat Official Account platform, as its documents and its users tell of it.
//!
//! [`gate`] lets calls in: faults, token, method, quota, body. [`route`] lists the interfaces with
//! their daily quotas; each is a function in the file of its family. Their replies are
//! `{"errcode","errmsg"}` with the platform's codes ([`code`]) and a `rid`.
//!
//! Where the documents are silent, the stand-in takes the harder reading: a draft vanishes when
//! publishing has *succeeded*, so a submit that is repeated while the first is under way publishes
//! twice; a `clientmsgid` may have 32 characters, not the 64 that are documented; a forced token
//! refresh too soon is refused.

#![expect(clippy::unnecessary_wraps, reason = "every interface answers in the same way")]

mod account;
mod article;
mod callback;
mod code;
mod content;
mod courier;
mod crypto;
mod dispatch;
mod draft;
mod gate;
mod mass;
mod media;
mod open;
mod publish;
mod route;
mod statistics;
mod token;

pub(super) use account::{Account, is_app_id};
pub use account::{AccountKind, Material, Profile};
pub use article::{Article, ArticleKind, Cover, Draft};
pub(super) use callback::{Event, callback_client};
pub use callback::{MessageMode, Registration};
pub(super) use courier::call_back;
pub use dispatch::{Dispatch, Way};
pub(super) use draft::corners;
pub(super) use gate::entrance;
pub(super) use media::local_path;
