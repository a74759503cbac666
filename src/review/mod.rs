//! Who must agree, who may, and whether everybody has: rules A103 and A104. Pure: the clock is a
//! parameter.
//!
//! | module | what it does |
//! |---|---|
//! | [`steps`] | rules and lessons → the steps that must be signed; whether anybody can sign them |
//! | [`standing`](mod@standing) | the decisions so far → approved, missing, rejected, expired |
//! | `words` | all of that for people |
//! | [`decide`] | a person → the step that they may sign, or why none |
//! | [`separation`](mod@separation) | education and marketing never mix |
//!
//! Approvals are on a manifest's hash: whoever asks hands over the decisions on that hash only,
//! and so one changed byte leaves none. Nothing here is ever approved by default: without steps
//! there is no approval.
//!
//! A signature is good where its person might sign when they signed: that is looked at then, in the
//! transaction that writes it. Whoever changes posts or leaves takes no signature back by it; what
//! they signed wrongly is rejected by somebody who may, or taken down.

mod decide;
mod separation;
mod standing;
mod steps;
mod words;

pub use decide::{Refusal, may_decide, may_settle, open_steps};
pub use separation::{Mixed, separation};
pub use standing::{Standing, standing};
pub use steps::{required_steps, unfillable};
pub use words::step_name;

use crate::{config::Person, model::ReviewStep};

/// Whether a person holds what a step asks for.
#[must_use]
pub fn holds(person: &Person, step: &ReviewStep) -> bool {
    let role = person.roles.contains(&step.role);
    let department = step.department.is_none() || person.department == step.department;
    role && department
}
