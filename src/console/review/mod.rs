//! Reviews: the queue, a submission with everything that a reviewer needs, decisions and remarks.
//!
//! | module | what it does |
//! |---|---|
//! | [`queue`] | what waits, by the moment it is to go out and by risk |
//! | [`dossier`] | one submission: steps, outputs, findings, sources, changes → what is shown |
//! | [`place`] | whether newer ones replaced it, texts changed since, whoever asks has decided |
//! | [`basis`] | the earlier submission that it is compared with |
//! | [`carried`] | what a submission carries, and to whom |
//! | [`specimens`] [`compared`] | one output of each sort, and what became of it since the last approval |
//! | [`judged`] | what the check says, and where in an output each finding stands |
//! | [`source`] | a text with its lines, changes since the last approval, findings and remarks |
//! | [`texts`] | the texts of a submission, and where their facts come from |
//! | [`show`] | the page of a submission |
//! | [`bits`] | short texts with findings or changes marked, on the page itself |
//! | [`act`] | approve, return |
//! | [`remarks`] | remarks on lines: written, answered, settled |
//! | [`outputs`] | the approved bytes themselves, shown so that nothing in them can act |
//! | [`views`] [`pictures`] | the same with findings or changes marked, to be looked at |

pub(super) mod act;
mod carried;
mod dossier;
pub(super) mod outputs;
pub(super) mod queue;
pub(super) mod remarks;
pub(super) mod show;

mod basis;
mod bits;
mod compared;
mod judged;
mod pictures;
mod place;
pub(super) mod source;
mod specimens;
mod texts;
mod views;

pub(super) use judged::Judged;
