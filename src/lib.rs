//! Caishi (财识): a financial-literacy lesson is written once in Markdown and becomes everything a
//! bank teaches with, reproducibly to the byte.
//!
//! ```text
//! content/ ─read─► Library ─┐
//! channels.toml ─config─► Bank, folders ─┤
//!                                        ├─build─► out/: files, manifest.json, index.html
//!            templates + fonts ─render───┘
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
//! | [`build`] | writes every output into a folder, and only what changed |
//! | [`cli`] | one file per subcommand: arguments → library call → print |
//!
//! Invariants, each held by a test in `tests/suite/layers.rs`:
//!
//! 1. `model` uses nothing of this crate; `read` and `render` use only `model`.
//! 2. Only `config`, `read`, `build` and `cli` touch files; only `cli` and `main` read the clock
//!    (`build` reads the modification times of its own files).
//! 3. Only `cli` and `main` print; only `main` exits; only `config` reads the environment.
//! 4. `model` types are not `Serialize`: each boundary has its own wire type.
//! 5. Rendering is a pure function: no clock, no randomness, no network, no system fonts.
//! 6. The layout engine is named in `render/poster/engine.rs` and `render/fonts.rs` only.

pub mod build;
pub mod cli;
pub mod config;
pub mod model;
pub mod read;
pub mod render;
