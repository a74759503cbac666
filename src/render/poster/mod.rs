//! Posters: Handlebars HTML+CSS → layout → pixels or PDF, at every screen profile.
pub mod engine;
pub mod png;
pub mod qr;
pub mod scale;
