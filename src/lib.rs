//! Caishi (财识): a financial-literacy lesson is written once in Markdown and becomes everything a
//! bank teaches with, reproducibly to the byte.
//!
//! ```text
//! content/ ─read─► Library ─┬─build─► out/: files, manifest.json, index.html
//! channels.toml ─config─► ──┤
//!                           └─work::plan─► manifests ─submit─► review ─approve─┐
//!                                schedule ─slots─► occurrence ─► deliveries ◄──┘
//!                                                   store │ claim
//!                                    work::worker ─deliver─► folder · portal · packs · webhook · WeChat
//! ```
//!
//! The rooms, in the order data flows. A room's own page says what it leaves out.
//!
//! | room | what it does |
//! |---|---|
//! | [`model`] | the nouns every other room speaks; no I/O, no clock |
//! | [`config`] | `channels.toml` → a checked `Config`; the only room that reads the environment |
//! | [`read`] | `content/` → `Library`, with every fault of every file as a diagnostic |
//! | [`render`] | lesson → artifact, pure: `article`, `poster`, `portal`, `brief`, `print` |
//! | [`check`] | what a compliance officer would say of lessons and finished outputs; pure |
//! | [`build`] | writes every output into a folder, and only what changed |
//! | [`review`] | who must say yes, who may, and how a review stands; pure |
//! | [`schedule`] | rules and calendar → slots, rotation, what becomes of missed ones; pure |
//! | [`store`] | the ledger on SQLite or Postgres, blobs by content, audit, backup |
//! | [`packs`] | poster packs as a TUF repository: written, signed, verified |
//! | [`deliver`] | a parcel → the outside world: one trait, one folder per adapter |
//! | [`sandbox`] | strict stand-ins of the platforms, on loopback |
//! | [`work`] | plan, submit, decide, fire, deliver, recall; the only room that sees both `store` and `deliver` |
//! | [`branch`] | what runs at a branch: pull, verify, switch, play, receipts |
//! | [`preview`] | the author's page: a lesson's outputs as they will be seen, live, on loopback |
//! | [`web`] | health, callbacks, packs, Xibo players, guests' portal pages and metrics over HTTP |
//! | [`console`] | what people do with a browser and programs with the interface: sign-in, review, boards |
//! | [`rehearse`] | the whole path on this machine alone |
//! | [`cli`] | one file per subcommand or family: arguments → library call → print |
//!
//! Invariants, each held by a test in `tests/suite/layers.rs`:
//!
//! 1. `model` uses nothing of this crate; `read`, `render` and `check` use only `model`; `review` and
//!    `schedule` use `model` and checked `config` types.
//! 2. `deliver` does not know `store`, `store` does not know `deliver`.
//! 3. Only `store packs deliver sandbox work branch preview web console rehearse cli` touch sockets, the database or tokio;
//!    only `store`, `sandbox`, `branch`, `cli`, `web` (how long a phone is online) and `console` (how
//!    old its reading of the content is) read the clock (`build` reads the modification times of its
//!    own files).
//! 4. Only `cli` and `main` print; only `main` exits; only `config` reads the environment.
//! 5. `model` types are not `Serialize`: each boundary has its own wire type.
//! 6. Rendering is a pure function: no clock, no randomness, no network, no system fonts.
//! 7. The layout engine is named in `render/poster/engine.rs` and `render/fonts.rs` only.

pub mod branch;
pub mod build;
pub mod check;
pub mod cli;
pub mod config;
pub mod console;
pub mod deliver;
pub mod model;
pub mod packs;
pub mod preview;
pub mod read;
pub mod rehearse;
pub mod render;
pub mod review;
pub mod sandbox;
pub mod schedule;
pub mod store;
pub mod web;
pub mod work;
