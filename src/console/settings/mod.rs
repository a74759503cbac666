//! Settings: people and their ways in, tokens of programs, channels and what `doctor` says.
//!
//! | module | what it does |
//! |---|---|
//! | [`people`] | who there is; roles, invitations, unlocking |
//! | [`tokens`] | what programs hold: made, shown once, withdrawn |
//! | [`health`] | channels, people and what `doctor` says of everything |

pub(super) mod health;
pub(super) mod people;
pub(super) mod tokens;
