//! Who plays whom in a rehearsal. The rules about them are the real ones: the author cannot
//! approve, and nobody fills two steps.

use crate::{
    config::Person,
    model::{IdError, PersonId, ReviewStep},
};

/// Who submits.
///
/// # Errors
/// None in practice: the name is an identifier.
pub fn author() -> Result<Person, IdError> {
    person("rehearsal-author", "排练宣教员", "author", None)
}

/// One approver for each step, with the role and department that it asks for.
///
/// # Errors
/// None in practice: the names are identifiers.
pub fn approvers(steps: &[ReviewStep]) -> Result<Vec<Person>, IdError> {
    let names = ["甲", "乙", "丙", "丁", "戊", "己", "庚", "辛"];
    let cast = |(index, step): (usize, &ReviewStep)| {
        let id = format!("rehearsal-approver-{}", index + 1);
        let name = format!("排练审批员{}", names[index % names.len()]);
        person(&id, &name, &step.role, step.department.clone())
    };
    steps.iter().enumerate().map(cast).collect()
}

fn person(id: &str, name: &str, role: &str, department: Option<String>) -> Result<Person, IdError> {
    Ok(Person {
        id: PersonId::new(id)?,
        name: name.to_owned(),
        roles: vec![role.to_owned()],
        department,
        token_env: None,
        branch: None,
        token_sha256: None,
    })
}
