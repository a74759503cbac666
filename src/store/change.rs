//! Changes of deliveries by whoever has claimed them, and by people.

use super::{
    Answer, Claim, Delivery, Lease, Store, StoreError, Transition,
    database::Writing,
    delivery::{self, COLUMNS},
    due::{self, Due, obstacle},
    record::{Line, Settled, entry, is_live, later, milliseconds, move_rows, update_row},
    value::{Columns, values},
};
use crate::model::{DeliveryState, spoken};
use jiff::Timestamp;
use serde_json::json;
use sqlx::AssertSqlSafe;

/// A change of one row, and who makes it.
struct Change<'a> {
    before: &'a Delivery,
    transition: &'a Transition,
    actor: &'a str,
    /// What `show` says; the transition's message unless a person gave a reason.
    line: &'a str,
    /// Added to the epoch.
    steps: i64,
}

/// The statement of a change; its values are those of [`apply`].
fn statement(change: &Change<'_>, now: &str) -> String {
    let Change { before, transition, .. } = change;
    let is_held = transition.lease != Lease::Release;
    let lease_until = if is_held { format!("{now} + $6") } else { "NULL".to_owned() };
    let due_at = match transition.state {
        state if !is_live(state) => "NULL",
        _ if is_held => &lease_until,
        // The outcome of a call that is let go of is unknown from then on.
        DeliveryState::Sending => now,
        _ => "$8",
    };
    // A callback that came while the row was held makes it due at once.
    let (next_at, due_at, woken) = if transition.state == DeliveryState::Accepted && !is_held {
        let at = format!("CASE WHEN woken = 1 THEN {now} ELSE $8 END");
        (at.clone(), at, "0")
    } else {
        ("$8".to_owned(), due_at.to_owned(), "woken")
    };
    let changed_at = if before.state == transition.state { "changed_at" } else { now };
    format!(
        "UPDATE delivery SET state = $1, attempt = attempt + $2, epoch = epoch + $3, \
         failures = $4, owner = $5, lease_until = {lease_until}, next_at = {next_at}, \
         due_at = {due_at}, woken = {woken}, \
         prepared_ref = COALESCE($9, prepared_ref), remote_ref = COALESCE($10, remote_ref), \
         url = COALESCE($11, url), error_class = $12, message = $13, next_step = $14, \
         changed_at = {changed_at}, lines = lines + $15 \
         WHERE id = $16 AND epoch = $17 AND state = $18 AND COALESCE(owner, '') = $19"
    )
}

/// Writes a change, fenced: `None` where the row is no longer as `before` says.
async fn apply(writing: &mut Writing<'_>, change: &Change<'_>) -> Answer<Option<Delivery>> {
    let Change { before, transition, .. } = change;
    let update = statement(change, &writing.database.dialect.clock(CLOCK));
    let (owner, lease) = match transition.lease {
        Lease::Release => (None, 0),
        Lease::Extend(length) => (Some(change.actor), milliseconds(length)),
    };
    let quiet = is_quiet(change);
    let values = values![
        transition.state.as_str(),
        i64::from(transition.begins_attempt),
        change.steps,
        transition.failures,
        owner,
        lease,
        writing.clock_value()?,
        transition.next_at,
        transition.prepared_ref.as_deref(),
        transition.remote_ref.as_deref(),
        transition.url.as_deref(),
        transition.error_class.as_deref(),
        &transition.message,
        &transition.next_step,
        i64::from(!quiet),
        &before.id,
        before.epoch,
        before.state.as_str(),
        before.owner.as_deref().unwrap_or_default(),
    ];
    let line = Line { from: before.state, actor: change.actor, message: change.line };
    let line = (!quiet).then_some(line);
    let Some(after) = update_row(writing, &update, values, CLOCK, line).await? else {
        return Ok(None);
    };
    if !quiet {
        writing.note(entry(change.actor, before, &became(&after, change)));
    }
    Ok(Some(after))
}

/// The placeholder of the clock's value in [`apply`].
const CLOCK: usize = 7;

/// Whether nothing is told but that the lease goes on, or that the far side still has no answer.
fn is_quiet(change: &Change<'_>) -> bool {
    let Change { before, transition, .. } = change;
    let same = |new: &Option<String>, old: &Option<String>| new.is_none() || new == old;
    change.steps == 0
        && before.state == transition.state
        && before.message == transition.message
        && before.error_class == transition.error_class
        && same(&transition.prepared_ref, &before.prepared_ref)
        && same(&transition.remote_ref, &before.remote_ref)
        && same(&transition.url, &before.url)
}

fn became(after: &Delivery, change: &Change<'_>) -> serde_json::Value {
    let mut became = serde_json::Map::new();
    became.insert("attempt".to_owned(), json!(after.attempt));
    became.insert("epoch".to_owned(), json!(after.epoch));
    became.insert("state".to_owned(), json!(after.state.as_str()));
    let mut some = |name: &str, value: Option<&str>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            became.insert(name.to_owned(), json!(value));
        }
    };
    some("error_class", after.error_class.as_deref());
    some("note", Some(change.line));
    some("remote_ref", change.transition.remote_ref.as_deref());
    serde_json::Value::Object(became)
}

impl Store {
    /// Writes a change of a claimed row, its attempt line and its audit row (P1, P3, P8). Returns
    /// the claim as it is then; its epoch is one higher when `begins_attempt`. A change that tells
    /// nothing new (a longer lease, a platform that still has no answer) leaves no line.
    ///
    /// The step to `Sending` is where nothing can be taken back any more: the lease must still
    /// run, and hold, window and approvals are looked at once more in the same transaction.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] where somebody else has the row: stop, nothing was written.
    /// [`StoreError::Refused`] where it may not be sent: the row was put back, drop the claim.
    pub async fn advance(&self, claim: &Claim, change: &Transition) -> Answer<Claim> {
        let before = &claim.delivery;
        check(before, change)?;
        let mut writing = self.database.write("记录投递进展").await?;
        if change.begins_attempt
            && let Some((settled, now)) = last_look(&mut writing, before).await?
        {
            let rows = std::slice::from_ref(before);
            move_rows(&mut writing, rows, &settled, "system", now).await?;
            writing.commit().await?;
            return Err(StoreError::Refused(format!(
                "投递 {} 不能发出：{}",
                before.id, settled.message
            )));
        }
        let actor = before.owner.clone().unwrap_or_default();
        let change = Change {
            before,
            transition: change,
            actor: &actor,
            line: &change.message,
            steps: i64::from(change.begins_attempt),
        };
        let after = apply(&mut writing, &change).await?;
        let after = after.ok_or_else(|| StoreError::Fenced(before.id.clone()))?;
        writing.commit().await?;
        let lease_until = after.lease_until.unwrap_or(after.changed_at);
        Ok(Claim { delivery: after, lease_until })
    }

    /// Makes the lease of a claim last `length` from now; nothing else changes, and no line is left.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] where somebody else has the row, or the lease has run out.
    pub async fn renew(&self, claim: &Claim, length: std::time::Duration) -> Answer<()> {
        let row = &claim.delivery;
        let mut writing = self.database.write("延长租约").await?;
        let now = writing.now().await?;
        let sql = "UPDATE delivery SET lease_until = $1, due_at = $1 \
                   WHERE id = $2 AND epoch = $3 AND lease_until > $4 RETURNING id";
        let renewed =
            writing.one(sql, values![later(now, length), &row.id, row.epoch, now]).await?;
        renewed.ok_or_else(|| StoreError::Fenced(row.id.clone()))?;
        writing.commit().await
    }

    /// A person moves a row: retry, resolve, cancel, recall. The epoch counts up. With
    /// [`Lease::Extend`] the row is then held by that person.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where it is not in one of `from` or somebody holds it under a
    /// running lease; [`StoreError::NotFound`].
    pub async fn intervene(
        &self,
        id: &str,
        from: &[DeliveryState],
        change: &Transition,
        actor: &str,
        note: &str,
    ) -> Answer<Delivery> {
        if change.state == DeliveryState::Sending || change.begins_attempt {
            return Err(StoreError::Conflict("发送只能由进程在领取后开始".to_owned()));
        }
        let mut writing = self.database.write("人工处理投递").await?;
        let now = writing.now().await?;
        let lock = writing.locking(" FOR UPDATE OF d");
        let sql = format!("SELECT {COLUMNS} FROM delivery d WHERE d.id = $1{lock}");
        let row = writing.one(AssertSqlSafe(sql), values![id]).await?;
        let row = row.ok_or_else(|| StoreError::NotFound(format!("投递 {id}")))?;
        let before = delivery::read(&row)?;
        if !from.contains(&before.state) {
            let expected: Vec<_> = from.iter().map(|state| state.label()).collect();
            return Err(StoreError::Conflict(format!(
                "投递 {id} 现在是“{}”，只有“{}”的投递可以这样处理",
                before.state.label(),
                expected.join("、")
            )));
        }
        if let (Some(owner), Some(until)) = (&before.owner, before.lease_until)
            && until > now
        {
            return Err(StoreError::Conflict(format!(
                "投递 {id} 正由 {owner} 处理，租约到 {}；请稍后再试",
                spoken(until)
            )));
        }
        let line = if note.is_empty() { &change.message } else { note };
        let change = Change { before: &before, transition: change, actor, line, steps: 1 };
        let after = apply(&mut writing, &change).await?;
        let after = after.ok_or_else(|| StoreError::Fenced(id.to_owned()))?;
        writing.wake();
        writing.commit().await?;
        Ok(after)
    }
}

fn check(before: &Delivery, change: &Transition) -> Answer<()> {
    let begins = change.state == DeliveryState::Sending && before.state != DeliveryState::Sending;
    if begins != change.begins_attempt {
        return Err(StoreError::Conflict(format!(
            "投递 {}：进入“发送中”必须同时记一次尝试（现在是“{}”）",
            before.id,
            before.state.label()
        )));
    }
    Ok(())
}

/// Why a claimed row may not be sent after all, where it goes, and when that was found.
async fn last_look(
    writing: &mut Writing<'_>,
    before: &Delivery,
) -> Answer<Option<(Settled, Timestamp)>> {
    let dialect = writing.database.dialect;
    let now = dialect.clock(5);
    let sql = format!(
        "SELECT {}, {now} AS now, p.hold_reason FROM delivery d CROSS JOIN deployment p {} \
         WHERE d.id = $1 AND d.epoch = $2 AND d.state = $3 AND d.owner = $4 \
         AND d.lease_until > {now}{}",
        due::columns(dialect),
        due::JOIN,
        writing.locking(" FOR UPDATE OF d")
    );
    let (state, owner) = (before.state.as_str(), before.owner.as_deref());
    let values = values![&before.id, before.epoch, state, owner, writing.clock_value()?];
    let Some(row) = writing.one(AssertSqlSafe(sql), values).await? else {
        return Err(StoreError::Fenced(before.id.clone()));
    };
    let now = writing.learn_now(&row)?;
    if let Some(reason) = row.maybe_text("hold_reason")? {
        let message = format!("全部发送已暂停：{reason}");
        let settled = Settled::new(DeliveryState::Ready, message, "查明后解除：caishi release");
        return Ok(Some((settled, now)));
    }
    let due = Due::read(&row)?;
    if due.passes(now) {
        return Ok(None);
    }
    Ok(obstacle(writing, &due.delivery, now).await?.map(|settled| (settled, now)))
}
