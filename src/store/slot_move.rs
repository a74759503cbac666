//! Slots that people moved before they fired.
//!
//! A moved slot keeps its name, the rule's own moment: `UNIQUE (schedule, slot)` then still lets it
//! fire once only (P6), whenever it is due and however often it is moved. Moving and opening lock
//! the schedule's cursor, so that nobody moves what fires at this moment.

use super::{
    Answer, Store, StoreError,
    audit::Entry,
    database::Writing,
    value::{Columns, moment, values},
};
use crate::model::{ScheduleId, SlotMove, spoken};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use sqlx::{AssertSqlSafe, any::AnyRow};

/// What is due sooner than this may already be under way.
pub const MOVE_LEAD: SignedDuration = SignedDuration::from_secs(60);

/// What a slot is to be moved to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moving<'a> {
    /// The schedule.
    pub schedule: &'a ScheduleId,
    /// The rule's own moment: the slot's name.
    pub slot: Timestamp,
    /// When the calendar has it due; where the slot goes back to.
    pub own: Timestamp,
    /// When it was due as whoever moves it saw it.
    pub seen: Timestamp,
    /// When it is to be due; its own moment puts it back.
    pub due: Timestamp,
    /// Why.
    pub reason: &'a str,
}

fn read(row: &AnyRow) -> Answer<SlotMove> {
    Ok(SlotMove {
        slot: row.moment("slot")?,
        due: row.moment("moved_to")?,
        by: row.text("actor")?,
        at: row.moment("at")?,
        reason: row.text("reason")?,
        decided: row.number("decided")? == 1,
    })
}

const SELECT: &str = "SELECT m.slot, m.moved_to, m.actor, m.at, m.reason, \
     CASE WHEN o.id IS NULL THEN 0 ELSE 1 END AS decided FROM slot_move m \
     LEFT JOIN occurrence o ON o.schedule = m.schedule AND o.slot = m.slot";

/// When a slot is due, read while nobody can move it. Slots that no schedule has, such as what a
/// person publishes now, are due at their own moment.
pub(super) async fn locked_due(
    writing: &mut Writing<'_>,
    schedule: &ScheduleId,
    slot: Timestamp,
) -> Answer<Timestamp> {
    locked_cursor(writing, schedule).await?;
    let sql = "SELECT moved_to FROM slot_move WHERE schedule = $1 AND slot = $2";
    let row = writing.one(sql, values![schedule.as_str(), slot]).await?;
    row.map_or(Ok(slot), |row| row.moment("moved_to"))
}

async fn locked_cursor(
    writing: &mut Writing<'_>,
    schedule: &ScheduleId,
) -> Answer<Option<Timestamp>> {
    let lock = writing.locking(" FOR UPDATE");
    let sql = format!("SELECT decided_until FROM schedule_cursor WHERE schedule = $1{lock}");
    let row = writing.one(AssertSqlSafe(sql), values![schedule.as_str()]).await?;
    row.map(|row| row.moment("decided_until")).transpose()
}

impl Store {
    /// The slots of a schedule that were moved, in the order in which they are due.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn slot_moves(&self, schedule: &ScheduleId) -> Answer<Vec<SlotMove>> {
        let sql = format!("{SELECT} WHERE m.schedule = $1 ORDER BY m.moved_to, m.slot");
        let values = values![schedule.as_str()];
        let rows = self.database.all("读改期", AssertSqlSafe(sql), values).await?;
        rows.iter().map(read).collect()
    }

    /// When a slot is due: its own moment, unless somebody moved it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn slot_move(
        &self,
        schedule: &ScheduleId,
        slot: Timestamp,
    ) -> Answer<Option<SlotMove>> {
        let sql = format!("{SELECT} WHERE m.schedule = $1 AND m.slot = $2");
        let values = values![schedule.as_str(), slot];
        let row = self.database.one("读改期", AssertSqlSafe(sql), values).await?;
        row.as_ref().map(read).transpose()
    }

    /// Moves a slot that was not decided yet, or puts it back.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where it was decided or moved by somebody else meanwhile,
    /// [`StoreError::Refused`] where the new moment has passed or comes in less than
    /// [`MOVE_LEAD`].
    pub async fn move_slot(&self, moving: &Moving<'_>, actor: &str) -> Answer<()> {
        let Moving { schedule, slot, own, seen, due, reason } = *moving;
        let mut writing = self.database.write("改期").await?;
        let now = writing.now().await?;
        let sql = "INSERT INTO schedule_cursor (schedule, decided_until) VALUES ($1, $2) \
                   ON CONFLICT DO NOTHING";
        writing.run(sql, values![schedule.as_str(), now]).await?;
        let cursor = locked_cursor(&mut writing, schedule).await?.unwrap_or(now);
        let is_moved = "SELECT moved_to FROM slot_move WHERE schedule = $1 AND slot = $2";
        let moved = writing.one(is_moved, values![schedule.as_str(), slot]).await?;
        let before = match &moved {
            Some(row) => moment(row.number("moved_to")?)?,
            None => own,
        };
        check(&mut writing, moving, before, cursor).await?;
        if due <= now.max(cursor).checked_add(MOVE_LEAD).unwrap_or(Timestamp::MAX) {
            return Err(StoreError::Refused(format!(
                "改到的时间要比现在晚一分钟以上；{} 这一次没有动",
                spoken(seen)
            )));
        }
        if due == own {
            let sql = "DELETE FROM slot_move WHERE schedule = $1 AND slot = $2";
            writing.run(sql, values![schedule.as_str(), slot]).await?;
        } else {
            let sql = "INSERT INTO slot_move (schedule, slot, moved_to, actor, at, reason) \
                       VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (schedule, slot) DO UPDATE SET \
                       moved_to = excluded.moved_to, actor = excluded.actor, at = excluded.at, \
                       reason = excluded.reason";
            writing.run(sql, values![schedule.as_str(), slot, due, actor, now, reason]).await?;
        }
        let was = json!({ "due": before.to_string() });
        let became = json!({ "due": due.to_string(), "reason": reason });
        let subject = format!("{schedule}@{slot}");
        writing.note(Entry::new(actor, "slot.move", subject, &became).after(&was));
        writing.commit().await
    }
}

/// Whether a slot can still be moved by somebody who saw it due at that moment.
async fn check(
    writing: &mut Writing<'_>,
    moving: &Moving<'_>,
    before: Timestamp,
    cursor: Timestamp,
) -> Answer<()> {
    let Moving { schedule, slot, own, seen, .. } = *moving;
    let sql = "SELECT id FROM occurrence WHERE schedule = $1 AND (slot = $2 OR slot = $3)";
    let decided = writing.one(sql, values![schedule.as_str(), slot, own]).await?;
    if decided.is_some() || before <= cursor {
        return Err(StoreError::Conflict(format!(
            "{schedule} 的这一次已经到点处理过了，改不了期；看看它现在怎样"
        )));
    }
    if before != seen {
        return Err(StoreError::Conflict(format!(
            "{schedule} 的这一次刚才被别人改过期，现在是 {}；刷新后再决定",
            spoken(before)
        )));
    }
    Ok(())
}
