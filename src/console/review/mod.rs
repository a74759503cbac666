//! Reviews: the queue, a submission with everything that a reviewer needs, decisions and remarks.
//!
//! | module | what it does |
//! |---|---|
//! | [`queue`] | what waits, by the moment it is to go out and by risk |
//! | [`dossier`] | one submission: steps, outputs, findings, sources, changes → what is shown |
//! | [`carried`] | what a submission carries, to whom, and how it looks |
//! | [`source`] | a text with its lines, changes since the last approval, findings and remarks |
//! | [`show`] | the page of a submission |
//! | [`act`] | approve, return |
//! | [`remarks`] | remarks on lines: written, answered, settled |
//! | [`texts`] | the texts of a submission, and where their facts come from |
//! | [`outputs`] | the approved bytes themselves, shown so that nothing in them can act |

pub(super) mod act;
mod carried;
mod dossier;
pub(super) mod outputs;
pub(super) mod queue;
pub(super) mod remarks;
pub(super) mod show;
mod source;
mod texts;
