//! A person → the step that they may sign.

use super::{
    holds,
    standing::{latest, stands_here},
};
use crate::{
    config::Person,
    model::{Approval, Decision, PersonId, ReviewStep},
};

/// Why somebody may not decide.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// They wrote it.
    #[error(
        "{name}是作者或改过稿，不能审批自己的内容，管理员也不行（规则 A104）；请换一位没有改过稿的人"
    )]
    Author {
        /// Who.
        name: String,
    },
    /// They hold no role that a step asks for.
    #[error(
        "{name}不能签：这次要的是{needed}；请换有这个角色的人，或在 channels.toml 的 [[people]] 里登记"
    )]
    Role {
        /// Who.
        name: String,
        /// The steps with role and department.
        needed: String,
    },
    /// They hold the role, but in another department.
    #[error("{name}属于{department}，这次要会签的是{needed}；请换那个部门的人")]
    Department {
        /// Who.
        name: String,
        /// Theirs.
        department: String,
        /// The departments that are asked for.
        needed: String,
    },
}

/// The steps that a person may decide, the one first that they would be taken to mean: their own
/// where they signed one already, else the first that is open, else the first that somebody else
/// signed. Approving another step than their own moves them there.
///
/// # Errors
/// [`Refusal`] where there is none.
pub fn open_steps(
    person: &Person,
    steps: &[ReviewStep],
    approvals: &[Approval],
    excluded: &[PersonId],
) -> Result<Vec<ReviewStep>, Refusal> {
    if excluded.contains(&person.id) {
        return Err(Refusal::Author { name: person.name.clone() });
    }
    let last: Vec<Option<&Approval>> =
        steps.iter().map(|step| latest(step, approvals, excluded)).collect();
    let rank = |index: usize| match last[index] {
        Some(approval) if approval.actor == person.id && stands_here(index, &last) => 0,
        Some(approval) if approval.decision == Decision::Approved && stands_here(index, &last) => 2,
        _ => 1,
    };
    let mut able: Vec<usize> =
        (0..steps.len()).filter(|index| holds(person, &steps[*index])).collect();
    if able.is_empty() {
        return Err(refusal(person, steps));
    }
    able.sort_by_key(|index| rank(*index));
    Ok(able.into_iter().map(|index| steps[index].clone()).collect())
}

/// The step that a person's decision would be on: the first of [`open_steps`].
///
/// # Errors
/// [`Refusal`] where there is none.
pub fn may_decide(
    person: &Person,
    steps: &[ReviewStep],
    approvals: &[Approval],
    excluded: &[PersonId],
) -> Result<ReviewStep, Refusal> {
    let steps_of_person = open_steps(person, steps, approvals, excluded)?;
    steps_of_person.into_iter().next().ok_or_else(|| refusal(person, steps))
}

fn refusal(person: &Person, steps: &[ReviewStep]) -> Refusal {
    let name = person.name.clone();
    let with_role = steps.iter().filter(|step| person.roles.contains(&step.role));
    let departments: Vec<&str> = with_role.filter_map(|step| step.department.as_deref()).collect();
    if !departments.is_empty() {
        let department = person.department.clone().unwrap_or_else(|| "没有登记的部门".into());
        return Refusal::Department { name, department, needed: departments.join("、") };
    }
    let needed: Vec<String> =
        steps.iter().map(|step| format!("{}（{}）", step.name, step.role)).collect();
    Refusal::Role { name, needed: needed.join("、") }
}

/// Whether a person may say that a remark on a submission is dealt with: whoever wrote it, and
/// whoever may sign the submission. Authors answer; they do not settle what others asked of them.
///
/// # Errors
/// [`Refusal`] where they may not: why they may not sign.
pub fn may_settle(
    person: &Person,
    writer: &PersonId,
    steps: &[ReviewStep],
    excluded: &[PersonId],
) -> Result<(), Refusal> {
    if person.id == *writer {
        return Ok(());
    }
    open_steps(person, steps, &[], excluded).map(|_| ())
}
