//! A row that is due, and whether it may go out: read in one question, for the usual case in which
//! it may.

use super::{
    Answer, Delivery,
    database::{Dialect, Writing},
    decide::locked_standing,
    delivery::{self, COLUMNS},
    record::Settled,
    review::{read_people, read_steps},
    value::Columns,
};
use crate::{
    model::{Approval, Decision, DeliveryState, Digest, PersonId},
    review::{Standing, standing},
};
use jiff::Timestamp;
use sqlx::any::AnyRow;

/// What a delivery `d` is joined with, to be read by [`Due::read`].
pub(super) const JOIN: &str = "LEFT JOIN review_manifest m ON m.manifest = d.manifest \
                               LEFT JOIN review r ON r.number = m.review";

/// What [`Due::read`] reads, of a delivery `d` and its [`JOIN`].
pub(super) fn columns(dialect: Dialect) -> String {
    let list = match dialect {
        Dialect::Sqlite => {
            "json_group_array(json_array(a.step, a.actor, a.decision, a.expires_at))"
        }
        Dialect::Postgres => {
            "CAST(json_agg(json_build_array(a.step, a.actor, a.decision, a.expires_at)) AS TEXT)"
        }
    };
    format!(
        "{COLUMNS}, r.steps, r.excluded, \
         (SELECT {list} FROM approval a WHERE a.manifest = d.manifest) AS approvals"
    )
}

/// A row that is due, and its review.
pub(super) struct Due {
    pub(super) delivery: Delivery,
    steps: Option<String>,
    excluded: Option<String>,
    approvals: Option<String>,
}

impl Due {
    /// Reads [`columns`].
    pub(super) fn read(row: &AnyRow) -> Answer<Self> {
        Ok(Self {
            delivery: delivery::read(row)?,
            steps: row.maybe_text("steps")?,
            excluded: row.maybe_text("excluded")?,
            approvals: row.maybe_text("approvals")?,
        })
    }

    /// Whether the row may go out. What cannot be read does not pass here; [`obstacle`] says why.
    pub(super) fn passes(&self, now: Timestamp) -> bool {
        self.delivery.expires_at > now && self.is_approved(now).unwrap_or(false)
    }

    fn is_approved(&self, now: Timestamp) -> Option<bool> {
        let steps = read_steps(self.steps.as_deref()?)?;
        let excluded = read_people(self.excluded.as_deref()?)?;
        let stored: Vec<(String, String, String, i64)> =
            serde_json::from_str(self.approvals.as_deref()?).ok()?;
        let approvals: Option<Vec<_>> =
            stored.into_iter().map(|stored| approval(self.delivery.manifest, stored)).collect();
        let standing = standing(&steps, &approvals?, &excluded, now);
        Some(matches!(standing, Standing::Approved { .. }))
    }
}

/// What counts of an approval.
fn approval(
    manifest: Digest,
    (step, actor, decision, expires_at): (String, String, String, i64),
) -> Option<Approval> {
    let decision = if decision == "approved" { Decision::Approved } else { Decision::Rejected };
    Some(Approval {
        manifest,
        step,
        actor: PersonId::new(&actor).ok()?,
        decision,
        note: String::new(),
        at: Timestamp::UNIX_EPOCH,
        expires_at: Timestamp::from_millisecond(expires_at).ok()?,
    })
}

/// Why a row may not go out, and where it goes; `None` where it may.
pub(super) async fn obstacle(
    writing: &mut Writing<'_>,
    row: &Delivery,
    now: Timestamp,
) -> Answer<Option<Settled>> {
    if row.expires_at <= now {
        let message = format!("发布窗口已在 {} 结束，没有发出", row.expires_at);
        let next = "不再需要就不必处理；还要发，请改窗口后重新提交审批";
        return Ok(Some(Settled::new(DeliveryState::Expired, message, next)));
    }
    // Locked, so that an approval given at this moment either is seen here or sees the row.
    let standing = locked_standing(writing, &row.manifest, now).await?;
    if matches!(standing, Standing::Approved { .. }) {
        return Ok(None);
    }
    let (reason, next) = (standing.reason(), standing.next_step());
    Ok(Some(Settled::new(DeliveryState::WaitingApproval, reason, next)))
}
