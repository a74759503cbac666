//! Audit: what a branch showed on a day and everything behind it; the chain; rendering again.
//!
//! | module | what it does |
//! |---|---|
//! | [`day`] | branch and day → what was out, who approved it, under which rules, what came of it |
//! | [`link`] | everything behind one of them |
//! | [`played`] | what players told beyond what was out |
//! | [`chain`] | the rows themselves: searched, verified, exported |
//! | [`told`] | a row in words, with labelled facts |
//! | [`again`] | a submission rendered again from what it froze, compared byte by byte |

pub(super) mod again;
pub(super) mod chain;
pub(super) mod day;
mod link;
mod played;
mod told;
