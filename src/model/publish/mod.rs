//! The nouns of publishing: what people approve, what is delivered, and how far it got.

mod delivery;
mod manifest;
mod review;
mod slot_move;

pub use delivery::{DeliveryKey, DeliveryState, Receipt};
pub use manifest::{LessonRevision, Manifest, Message, Window};
pub use review::{Approval, Decision, ReviewStep};
pub use slot_move::SlotMove;
