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

mod decide;
mod separation;
mod standing;
mod steps;
mod words;

pub use decide::{Refusal, may_decide, open_steps};
pub use separation::{Mixed, separation};
pub use standing::{Standing, qualified, standing};
pub use steps::{required_steps, unfillable};
pub use words::step_name;

use crate::{config::Person, model::ReviewStep};

/// Whether a person holds what a step asks for.
fn holds(person: &Person, step: &ReviewStep) -> bool {
    let role = person.roles.contains(&step.role);
    let department = step.department.is_none() || person.department == step.department;
    role && department
}
