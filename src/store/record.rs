//! Writing changes of deliveries: every one with its attempt line and its audit row, in the
//! transaction of the change (P8).

use super::{
    Answer, Delivery,
    audit::Entry,
    database::{Dialect, Writing},
    delivery::{self, RETURNED},
    value::{Value, placeholders, values},
};
use crate::model::DeliveryState;
use jiff::Timestamp;
use serde_json::json;
use sqlx::AssertSqlSafe;

/// A state that rows are put into by the ledger itself, free of any lease.
#[derive(Debug)]
pub(super) struct Settled {
    pub(super) state: DeliveryState,
    pub(super) message: String,
    pub(super) next_step: String,
    pub(super) error_class: Option<&'static str>,
    /// Due at once, not when planned.
    pub(super) at_once: bool,
}

impl Settled {
    pub(super) fn new(
        state: DeliveryState,
        message: impl Into<String>,
        next_step: impl Into<String>,
    ) -> Self {
        Self {
            state,
            message: message.into(),
            next_step: next_step.into(),
            error_class: None,
            at_once: false,
        }
    }
}

/// Whether a free row in this state is of interest to workers by itself.
pub(super) fn is_live(state: DeliveryState) -> bool {
    !state.is_terminal()
        && !matches!(state, DeliveryState::WaitingApproval | DeliveryState::NeedsHuman)
}

/// Puts rows, locked by this transaction, into a state. The epoch counts up: whoever held one of
/// them has lost it.
pub(super) async fn move_rows(
    writing: &mut Writing<'_>,
    rows: &[Delivery],
    settled: &Settled,
    actor: &str,
    now: Timestamp,
) -> Answer<()> {
    for rows in rows.chunks(500) {
        let (next_at, due_at) = match (is_live(settled.state), settled.at_once) {
            (true, true) => ("$2", "$2"),
            (true, false) => ("next_at", "next_at"),
            (false, _) => ("next_at", "NULL"),
        };
        let sql = format!(
            "UPDATE delivery SET state = $1, changed_at = $2, message = $3, next_step = $4, \
             error_class = $5, next_at = {next_at}, due_at = {due_at}, owner = NULL, \
             lease_until = NULL, epoch = epoch + 1, lines = lines + 1 WHERE id IN ({})",
            placeholders(6, rows.len())
        );
        let mut values = values![
            settled.state.as_str(),
            now,
            &settled.message,
            &settled.next_step,
            settled.error_class,
        ];
        values.extend(rows.iter().map(|row| Value::from(&row.id)));
        writing.run(AssertSqlSafe(sql), values).await?;
        for from in DeliveryState::ALL {
            let ids: Vec<_> =
                rows.iter().filter(|row| row.state == *from).map(|row| row.id.as_str()).collect();
            append_lines(writing, &ids, *from, actor, &settled.message, now).await?;
        }
        for row in rows {
            let epoch = row.epoch + 1;
            let became =
                json!({ "epoch": epoch, "note": settled.message, "state": settled.state.as_str() });
            writing.note(entry(actor, row, &became));
        }
    }
    Ok(())
}

/// Writes an attempt line for each row, as the rows are now.
async fn append_lines(
    writing: &mut Writing<'_>,
    ids: &[&str],
    from: DeliveryState,
    actor: &str,
    message: &str,
    now: Timestamp,
) -> Answer<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "INSERT INTO delivery_attempt (delivery, line, attempt, at, from_state, to_state, actor, \
         message, error_class) SELECT id, lines, attempt, $1, $2, state, $3, $4, error_class \
         FROM delivery WHERE id IN ({})",
        placeholders(5, ids.len())
    );
    let mut values = values![now, from.as_str(), actor, message];
    values.extend(ids.iter().map(|id| Value::from(*id)));
    writing.run(AssertSqlSafe(sql), values).await.map(drop)
}

/// The audit row of a row's change.
pub(super) fn entry(actor: &str, before: &Delivery, became: &serde_json::Value) -> Entry {
    let was = json!({ "epoch": before.epoch, "state": before.state.as_str() });
    Entry::new(actor, "delivery.state", &before.id, became).after(&was)
}

/// The line of one row's change.
pub(super) struct Line<'a> {
    pub(super) from: DeliveryState,
    pub(super) actor: &'a str,
    pub(super) message: &'a str,
}

/// Updates one row and writes its line; the row as it is then, or `None` where no row fits.
/// `update` has placeholders for `values`, of which the `clock`th is the clock's.
pub(super) async fn update_row(
    writing: &mut Writing<'_>,
    update: &str,
    mut values: Vec<Value>,
    clock: usize,
    line: Option<Line<'_>>,
) -> Answer<Option<Delivery>> {
    let dialect = writing.database.dialect;
    let now = dialect.clock(clock);
    let sql = match &line {
        // One way to the server and back for both.
        Some(line) if dialect == Dialect::Postgres => {
            let first = values.len() + 1;
            values.extend(values![line.from.as_str(), line.actor, line.message]);
            format!(
                "WITH d AS ({update} RETURNING {RETURNED}, lines), \
                 l AS (INSERT INTO delivery_attempt (delivery, line, attempt, at, from_state, \
                 to_state, actor, message, error_class) SELECT id, lines, attempt, {now}, \
                 ${first}, state, ${}, ${}, error_class FROM d) \
                 SELECT {RETURNED}, {now} AS now FROM d",
                first + 1,
                first + 2
            )
        }
        _ => format!("{update} RETURNING {RETURNED}, {now} AS now"),
    };
    let Some(row) = writing.one(AssertSqlSafe(sql), values).await? else { return Ok(None) };
    let now = writing.learn_now(&row)?;
    let after = delivery::read(&row)?;
    if let Some(line) = line
        && dialect == Dialect::Sqlite
    {
        append_lines(writing, &[&after.id], line.from, line.actor, line.message, now).await?;
    }
    Ok(Some(after))
}

/// A moment so much later; the end of time where there is none.
pub(super) fn later(now: Timestamp, length: std::time::Duration) -> Timestamp {
    now.checked_add(length).unwrap_or(Timestamp::MAX)
}

/// A length of time as the ledger counts it.
pub(super) fn milliseconds(length: std::time::Duration) -> i64 {
    // Far enough in the future to be never, near enough to be added to any moment.
    i64::try_from(length.as_millis()).unwrap_or(i64::MAX).min(1 << 48)
}
