//! Deciding, and what follows from it at once: rows that waited for it are let go.

use super::{
    Answer, Store, StoreError,
    audit::Entry,
    database::Writing,
    delivery, newer,
    record::{Settled, move_rows},
    review::{approvals_of, decision_text, read_people, read_steps},
    value::{Columns, values},
};
use crate::{
    model::{Approval, Decision, DeliveryState, Digest, PersonId, ReviewStep},
    review::{Standing, standing},
};
use jiff::Timestamp;
use serde_json::json;
use sqlx::AssertSqlSafe;
use std::collections::BTreeMap;

/// How a manifest stands, with its review locked: until the transaction is over nobody decides
/// about it, so that what follows from it here cannot miss a decision made at the same time.
pub(super) async fn locked_standing(
    writing: &mut Writing<'_>,
    manifest: &Digest,
    now: Timestamp,
) -> Answer<Standing> {
    match lock_review(writing, manifest, " FOR SHARE OF r").await? {
        None => Ok(Standing::Missing(Vec::new())),
        Some((_, steps, excluded)) => {
            let approvals = approvals_of(writing, manifest).await?;
            Ok(standing(&steps, &approvals, &excluded, now))
        }
    }
}

async fn lock_review(
    writing: &mut Writing<'_>,
    manifest: &Digest,
    clause: &'static str,
) -> Answer<Option<(String, Vec<ReviewStep>, Vec<PersonId>)>> {
    let sql = format!(
        "SELECT r.number, r.steps, r.excluded FROM review_manifest m \
         JOIN review r ON r.number = m.review WHERE m.manifest = $1{}",
        writing.locking(clause)
    );
    let Some(row) = writing.one(AssertSqlSafe(sql), values![manifest]).await? else {
        return Ok(None);
    };
    let excluded = row.parsed("excluded", read_people)?;
    Ok(Some((row.text("number")?, row.parsed("steps", read_steps)?, excluded)))
}

/// Rows that waited for this manifest may be claimed from now on, where it is approved.
pub(super) async fn let_go(
    writing: &mut Writing<'_>,
    manifest: &Digest,
    now: Timestamp,
) -> Answer<u64> {
    if !matches!(locked_standing(writing, manifest, now).await?, Standing::Approved { .. }) {
        return Ok(0);
    }
    let sql = format!(
        "SELECT {} FROM delivery d WHERE d.state = 'waiting-approval' AND d.manifest = $1{}",
        delivery::COLUMNS,
        writing.locking(" FOR UPDATE OF d")
    );
    let rows = delivery::read_all(&writing.all(AssertSqlSafe(sql), values![manifest]).await?)?;
    let settled = Settled::new(DeliveryState::Ready, "审批已齐", "");
    move_rows(writing, &rows, &settled, "system", now).await?;
    if !rows.is_empty() {
        writing.wake();
    }
    Ok(rows.len() as u64)
}

impl Store {
    /// Writes decisions, all or none, with their audit rows; rows that waited for them may then
    /// be claimed.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where a manifest was never submitted, what is approved was replaced
    /// by newer submissions, a step is not one of its
    /// steps, or the person is excluded or has decided about these bytes before. Approving the
    /// same step again is possible once the approval has run out.
    pub async fn decide(&self, decisions: &[Approval]) -> Answer<()> {
        let mut writing = self.database.write("写审批意见").await?;
        let now = writing.now().await?;
        let mut by_manifest: BTreeMap<Digest, Vec<&Approval>> = BTreeMap::new();
        for decision in decisions {
            by_manifest.entry(decision.manifest).or_default().push(decision);
        }
        // Sorted by manifest: two people who decide about the same ones never wait in a circle.
        for (manifest, decisions) in by_manifest {
            let clause = " FOR UPDATE OF r";
            let Some((number, steps, excluded)) =
                lock_review(&mut writing, &manifest, clause).await?
            else {
                return Err(StoreError::Conflict(format!(
                    "清单 {manifest} 没有提交过审批；请先运行 caishi submit"
                )));
            };
            let mut known = approvals_of(&mut writing, &manifest).await?;
            let refusal = newer::successors(&mut writing, &number).await?.refusal(&number);
            for decision in decisions {
                // Taking a signature back must stay possible: the bytes may be on their way.
                if let (Decision::Approved, Some(why)) = (decision.decision, &refusal) {
                    return Err(StoreError::Conflict(why.clone()));
                }
                check_person(&mut writing, &decision.actor).await?;
                check_decision(decision, &number, &steps, &excluded, &known, now)?;
                write_decision(&mut writing, decision, &number).await?;
                known.push(decision.clone());
            }
            let_go(&mut writing, &manifest, now).await?;
        }
        writing.commit().await
    }
}

/// Whoever was closed does not sign any more: looked at in the transaction of the signature. On
/// Postgres the account is locked, so that closing it comes before or after, not in between. A
/// signature that was given while its person might sign goes on counting.
async fn check_person(writing: &mut Writing<'_>, person: &PersonId) -> Answer<()> {
    let lock = writing.locking(" FOR SHARE");
    let sql = format!("SELECT active FROM account WHERE person = $1{lock}");
    let row = writing.one(AssertSqlSafe(sql), values![person.as_str()]).await?;
    match row.map(|row| row.number("active")).transpose()? {
        Some(0) => Err(StoreError::Conflict(format!(
            "{person} 的账号已经停用，不能再签；请换一位有这个角色的人"
        ))),
        _ => Ok(()),
    }
}

fn check_decision(
    decision: &Approval,
    number: &str,
    steps: &[ReviewStep],
    excluded: &[PersonId],
    known: &[Approval],
    now: Timestamp,
) -> Answer<()> {
    let Approval { actor, step, .. } = decision;
    if excluded.contains(actor) {
        return Err(StoreError::Conflict(format!(
            "{actor} 是 {number} 的作者或编辑，不能审批自己的内容；请换一位"
        )));
    }
    if !steps.iter().any(|known| known.name == *step) {
        let names: Vec<_> = steps.iter().map(|step| step.name.as_str()).collect();
        return Err(StoreError::Conflict(format!(
            "{number} 没有“{step}”这一步，只有：{}",
            names.join("、")
        )));
    }
    let own: Vec<_> = known.iter().filter(|earlier| earlier.actor == *actor).collect();
    if own.iter().any(|earlier| earlier.decision == Decision::Rejected) {
        return Err(StoreError::Conflict(format!(
            "{actor} 已退回 {number} 的这份内容；请作者修改后重新提交"
        )));
    }
    if let Some(earlier) = own.iter().find(|earlier| earlier.step != *step) {
        return Err(StoreError::Conflict(format!(
            "{actor} 已在“{}”审过 {number}，同一个人不能再审“{step}”；请换一位",
            earlier.step
        )));
    }
    let again = decision.decision == Decision::Approved;
    if again && own.iter().any(|earlier| earlier.expires_at > now) {
        return Err(StoreError::Conflict(format!("{actor} 已批准 {number} 的“{step}”，不必再批")));
    }
    Ok(())
}

async fn write_decision(
    writing: &mut Writing<'_>,
    decision: &Approval,
    number: &str,
) -> Answer<()> {
    let columns = ["manifest", "step", "actor", "at", "decision", "note", "expires_at"];
    let row = values![
        &decision.manifest,
        &decision.step,
        decision.actor.as_str(),
        decision.at,
        decision_text(decision.decision),
        &decision.note,
        decision.expires_at,
    ];
    writing.insert("approval", &columns, vec![row]).await?;
    let action = match decision.decision {
        Decision::Approved => "approve",
        Decision::Rejected => "reject",
    };
    let became = json!({
        "expires_at": decision.expires_at.to_string(),
        "note": decision.note,
        "number": number,
        "step": decision.step,
    });
    let subject = decision.manifest.to_string();
    writing.note(Entry::new(decision.actor.as_str(), action, subject, &became));
    Ok(())
}
