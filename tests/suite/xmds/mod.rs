//! The packs as Xibo players see them.

mod office;
mod peer;
mod planned;
mod soap;
