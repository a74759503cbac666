//! Marks in finished outputs: where a finding's words stand, what changed since the bytes that were
//! approved before. Pure: texts and pictures in, places and views out.
//!
//! | module | what it does |
//! |---|---|
//! | [`flow`] | a page or a text as the words that are read, and the page again with marks in it |
//! | [`find`] | where in them the words of a finding stand |
//! | [`change`] | which words came and went |
//! | [`pixels`] | which part of a picture changed |
//!
//! A view is never the bytes themselves: it is made to be looked at, and says so.

pub mod change;
pub mod find;
pub mod flow;
pub mod pixels;
