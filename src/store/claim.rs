//! Taking the next row that is due (P2, P5).
//!
//! One transaction: sending rows whose worker was lost become unknown; the first due row is
//! chosen, other workers' rows being passed over; its approvals are checked; it is taken. Rows
//! that may not go out are moved aside in hundreds, so that a backlog of them costs little.

use super::{
    Answer, Claim, Delivery, Store, StoreError,
    database::Writing,
    decide::let_go,
    delivery::{self, COLUMNS},
    due::{self, Due, obstacle},
    record::{Line, Settled, entry, milliseconds, move_rows, update_row},
    value::{Columns, corrupt, values},
};
use crate::model::{DeliveryState, Digest};
use jiff::Timestamp;
use serde_json::json;
use sqlx::AssertSqlSafe;
use std::time::Duration;

/// How many rows are moved aside in one transaction.
const AT_ONCE: u32 = 500;

/// The states in which nothing irreversible has happened.
const BEFORE_SENDING: &str = "('ready', 'retry-wait', 'preparing', 'prepared')";

enum Step {
    /// A row was taken.
    Taken(Box<Claim>),
    /// Rows were moved; look again.
    Again,
    /// Nothing is due.
    Nothing,
}

impl Store {
    /// Takes the next row that is due, under a lease (P5): rows that wait (`Ready`, `RetryWait`,
    /// and `Preparing`/`Prepared` whose lease has run out) are checked for approvals in the same
    /// transaction and become `Preparing`, or `WaitingApproval` / `Expired` and are not handed
    /// out; `Accepted` and `Unknown` rows are handed out as they are. `Sending` rows whose lease
    /// has run out become `Unknown` first (P2). Rows in `WaitingApproval` become `Ready` with the
    /// decision that completes their approvals. Nothing is handed out while the deployment is
    /// held, except `Accepted` rows.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn claim(&self, worker: &str, lease: Duration) -> Answer<Option<Claim>> {
        self.remember_wake();
        loop {
            match self.claim_step(worker, lease).await? {
                Step::Taken(claim) => return Ok(Some(*claim)),
                Step::Again => {}
                Step::Nothing => return Ok(None),
            }
        }
    }

    async fn claim_step(&self, worker: &str, lease: Duration) -> Answer<Step> {
        let mut writing = self.database.write("领取投递").await?;
        let Some(due) = pick(&mut writing, Pick::Any).await? else {
            return idle_step(writing, worker, lease).await;
        };
        let now = writing.now().await?;
        if due.lost {
            note_lost(&mut writing, now).await?;
        }
        let row = &due.row.delivery;
        let to = match row.state {
            asked @ (DeliveryState::Accepted | DeliveryState::Unknown) => asked,
            _ => DeliveryState::Preparing,
        };
        if to == DeliveryState::Preparing
            && !due.row.passes(now)
            && let Some(settled) = obstacle(&mut writing, row, now).await?
        {
            set_aside(&mut writing, row, &settled, now).await?;
            writing.commit().await?;
            return Ok(Step::Again);
        }
        let claim = take(&mut writing, row, to, worker, lease).await?;
        writing.commit().await?;
        Ok(Step::Taken(Box::new(claim)))
    }
}

/// Where nothing may be handed out freely: nothing is due, or the deployment is held.
async fn idle_step(mut writing: Writing<'_>, worker: &str, lease: Duration) -> Answer<Step> {
    let now = writing.now().await?;
    let mut moved = note_lost(&mut writing, now).await?;
    let sql = "SELECT hold_by FROM deployment WHERE single = 1";
    let held = writing.one(sql, Vec::new()).await?;
    let held = held.map_or(Ok(None), |row| row.maybe_text("hold_by"))?.is_some();
    if held {
        let Some(due) = pick(&mut writing, Pick::Accepted).await? else {
            writing.commit().await?;
            return Ok(Step::Nothing);
        };
        let row = &due.row.delivery;
        let claim = take(&mut writing, row, row.state, worker, lease).await?;
        writing.commit().await?;
        return Ok(Step::Taken(Box::new(claim)));
    }
    moved |= settle_waiting(&mut writing, now).await?;
    writing.commit().await?;
    Ok(if moved { Step::Again } else { Step::Nothing })
}

/// Turns sending rows of lost workers into unknown ones; whether there were any.
async fn note_lost(writing: &mut Writing<'_>, now: Timestamp) -> Answer<bool> {
    let sql = format!(
        "SELECT {COLUMNS} FROM delivery d WHERE d.state = 'sending' AND d.due_at <= $1 \
         ORDER BY d.due_at LIMIT {AT_ONCE}{}",
        writing.locking(" FOR UPDATE OF d SKIP LOCKED")
    );
    let rows = delivery::read_all(&writing.all(AssertSqlSafe(sql), values![now]).await?)?;
    let settled = Settled {
        error_class: Some("lost"),
        at_once: true,
        ..Settled::new(
            DeliveryState::Unknown,
            "发送途中进程失去联系，不知道是否已发出",
            "系统会先向对方查询；查不到结果时请人工核实：caishi resolve",
        )
    };
    move_rows(writing, &rows, &settled, "system", now).await?;
    Ok(!rows.is_empty())
}

/// Among which rows the next one is looked for.
#[derive(Clone, Copy)]
enum Pick {
    /// All that are due, unless the deployment is held.
    Any,
    /// Those that are out already.
    Accepted,
}

struct Picked {
    row: Due,
    /// Whether there are sending rows whose lease has run out.
    lost: bool,
}

async fn pick(writing: &mut Writing<'_>, pick: Pick) -> Answer<Option<Picked>> {
    let dialect = writing.database.dialect;
    let now = dialect.clock(1);
    // Literals, so that both databases see which partial index answers.
    let condition = match pick {
        Pick::Any => {
            "d.state <> 'sending' AND (SELECT hold_by FROM deployment WHERE single = 1) IS NULL"
        }
        Pick::Accepted => "d.state = 'accepted'",
    };
    // The row is chosen before it is joined: the join is made once, not for the whole backlog.
    let sql = format!(
        "SELECT {}, {now} AS now, CAST(CASE WHEN EXISTS (SELECT 1 FROM delivery s \
         WHERE s.state = 'sending' AND s.due_at <= {now}) THEN 1 ELSE 0 END AS BIGINT) AS lost \
         FROM (SELECT {COLUMNS} FROM delivery d WHERE d.due_at <= {now} AND {condition} \
         ORDER BY d.due_at LIMIT 1{}) d {}",
        due::columns(dialect),
        writing.locking(" FOR UPDATE OF d SKIP LOCKED"),
        due::JOIN
    );
    let clock = values![writing.clock_value()?];
    let Some(row) = writing.one(AssertSqlSafe(sql), clock).await? else { return Ok(None) };
    writing.learn_now(&row)?;
    Ok(Some(Picked { row: Due::read(&row)?, lost: row.number("lost")? == 1 }))
}

/// Moves a row aside, and the due ones that share its reason.
async fn set_aside(
    writing: &mut Writing<'_>,
    row: &Delivery,
    settled: &Settled,
    now: Timestamp,
) -> Answer<()> {
    let lock = writing.locking(" FOR UPDATE OF d SKIP LOCKED");
    let alike = match settled.state {
        DeliveryState::Expired => "d.expires_at <= $1",
        _ => "d.expires_at > $1 AND d.manifest = $2",
    };
    let sql = format!(
        "SELECT {COLUMNS} FROM delivery d WHERE d.due_at <= $1 AND d.state IN {BEFORE_SENDING} \
         AND {alike} AND d.id <> $3 ORDER BY d.due_at LIMIT {}{lock}",
        AT_ONCE - 1
    );
    let values = values![now, &row.manifest, &row.id];
    let mut rows = delivery::read_all(&writing.all(AssertSqlSafe(sql), values).await?)?;
    rows.push(row.clone());
    move_rows(writing, &rows, settled, "system", now).await
}

/// Looks at the rows that wait for approval: some may have missed their window, or an approval.
async fn settle_waiting(writing: &mut Writing<'_>, now: Timestamp) -> Answer<bool> {
    let sql = format!(
        "SELECT {COLUMNS} FROM delivery d WHERE d.state = 'waiting-approval' \
         AND d.expires_at <= $1 LIMIT {AT_ONCE}{}",
        writing.locking(" FOR UPDATE OF d SKIP LOCKED")
    );
    let late = delivery::read_all(&writing.all(AssertSqlSafe(sql), values![now]).await?)?;
    let settled = Settled::new(
        DeliveryState::Expired,
        "到发布窗口结束时仍没有批准，没有发出",
        "还要发，请改窗口后重新提交审批",
    );
    move_rows(writing, &late, &settled, "system", now).await?;
    if !late.is_empty() {
        // Reviews are locked before deliveries: the rest is for the next transaction.
        return Ok(true);
    }
    let sql = "SELECT DISTINCT d.manifest FROM delivery d \
               JOIN approval a ON a.manifest = d.manifest \
               WHERE d.state = 'waiting-approval' ORDER BY d.manifest";
    let mut freed = 0;
    for row in writing.all(sql, Vec::new()).await? {
        let manifest = row.parsed("manifest", Digest::from_hex)?;
        freed += let_go(writing, &manifest, now).await?;
    }
    Ok(freed > 0)
}

/// Takes a row, locked by this transaction, for a worker.
async fn take(
    writing: &mut Writing<'_>,
    row: &Delivery,
    to: DeliveryState,
    worker: &str,
    lease: Duration,
) -> Answer<Claim> {
    // Asking the far side again and again leaves no lines.
    let told = to == DeliveryState::Preparing;
    let now = writing.database.dialect.clock(CLOCK);
    let changed_at = if row.state == to { "changed_at" } else { &now };
    let update = format!(
        "UPDATE delivery SET state = $1, epoch = epoch + 1, owner = $2, \
         lease_until = {now} + $4, due_at = {now} + $4, changed_at = {changed_at}, \
         lines = lines + $5, woken = 0 WHERE id = $6 AND epoch = $7"
    );
    let values = values![
        to.as_str(),
        worker,
        writing.clock_value()?,
        milliseconds(lease),
        i64::from(told),
        &row.id,
        row.epoch,
    ];
    let message = match &row.owner {
        Some(former) => format!("{former} 的租约已到期，由 {worker} 接手"),
        None => "领取".to_owned(),
    };
    let line = told.then_some(Line { from: row.state, actor: worker, message: &message });
    let taken = update_row(writing, &update, values, CLOCK, line).await?;
    let delivery = taken.ok_or_else(|| StoreError::Fenced(row.id.clone()))?;
    if told {
        let became = json!({ "epoch": delivery.epoch, "state": to.as_str() });
        writing.note(entry(worker, row, &became));
    }
    let lease_until = delivery.lease_until.ok_or_else(|| corrupt("lease_until", ""))?;
    Ok(Claim { delivery, lease_until })
}

/// The placeholder of the clock's value in [`take`].
const CLOCK: usize = 3;
