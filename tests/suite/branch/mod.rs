//! The branch's side: what it refuses, what it survives, what it shows when.

mod attacks;
mod chain;
mod cuts;
mod fleet;
mod forge;
mod office;
mod paper;
mod parts;
mod server;
mod times;
pub mod town;
