//! Posters: Handlebars HTML+CSS → layout → pixels or PDF, at every screen profile.
pub mod compose;
pub mod cover;
pub mod design;
pub mod engine;
pub mod glyphs;
pub mod newspic;
pub mod object;
pub mod png;
pub mod qr;
pub mod report;
pub mod scale;
mod stairs;
pub mod strip;
pub mod view;
