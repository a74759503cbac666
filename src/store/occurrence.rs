//! Slots and what became of them. `UNIQUE (schedule, slot)` is the only leader election (P6).

use super::{
    Answer, NewDelivery, Occurrence, OccurrenceState, Store, StoreError,
    audit::Entry,
    database::Writing,
    decide::locked_standing,
    review::{lessons_text, read_lessons},
    slot_move,
    value::{Columns, Value, values},
};
use crate::{
    model::{CampaignId, DeliveryState, Digest, ScheduleId, spoken},
    review::Standing,
};
use jiff::Timestamp;
use serde_json::json;
use sqlx::{AssertSqlSafe, any::AnyRow};
use std::collections::{BTreeMap, BTreeSet};

fn state_text(state: OccurrenceState) -> &'static str {
    match state {
        OccurrenceState::Fired => "fired",
        OccurrenceState::Held => "held",
        OccurrenceState::Skipped => "skipped",
        OccurrenceState::Blocked => "blocked",
    }
}

fn read_state(text: &str) -> Option<OccurrenceState> {
    use OccurrenceState::{Blocked, Fired, Held, Skipped};
    [Fired, Held, Skipped, Blocked].into_iter().find(|state| state_text(*state) == text)
}

const COLUMNS: &str = "o.id, o.schedule, o.slot, COALESCE(m.moved_to, o.slot) AS due, o.state, \
     o.reason, o.campaign, o.lessons";

/// Occurrences and, where somebody moved their slot, where to.
const FROM: &str =
    "occurrence o LEFT JOIN slot_move m ON m.schedule = o.schedule AND m.slot = o.slot";

fn read(row: &AnyRow) -> Answer<Occurrence> {
    Ok(Occurrence {
        id: row.text("id")?,
        schedule: row.parsed("schedule", |text| ScheduleId::new(text).ok())?,
        slot: row.moment("slot")?,
        due: row.moment("due")?,
        state: row.parsed("state", read_state)?,
        reason: row.text("reason")?,
        campaign: row.parsed("campaign", |text| CampaignId::new(text).ok())?,
        lessons: row.parsed("lessons", read_lessons)?,
    })
}

/// The columns of a new delivery, in the order of [`row_of`].
const NEW: [&str; 19] = [
    "id",
    "occurrence",
    "campaign",
    "slot",
    "channel",
    "target",
    "manifest",
    "idem_key",
    "state",
    "attempt",
    "failures",
    "epoch",
    "next_at",
    "due_at",
    "expires_at",
    "message",
    "next_step",
    "changed_at",
    "lines",
];

fn row_of(
    occurrence: &Occurrence,
    delivery: &NewDelivery,
    standing: &Standing,
    now: Timestamp,
) -> Vec<Value> {
    let (state, due_at) = match standing {
        Standing::Approved { .. } => (DeliveryState::Ready, Some(delivery.next_at)),
        _ => (DeliveryState::WaitingApproval, None),
    };
    let key = delivery.key.digest().to_string();
    values![
        format!("d{}", &key[..12]),
        &occurrence.id,
        occurrence.campaign.to_string(),
        occurrence.due,
        &delivery.channel,
        &delivery.target,
        &delivery.manifest,
        key,
        state.as_str(),
        0_i64,
        0_i64,
        0_i64,
        delivery.next_at,
        due_at,
        delivery.expires_at,
        standing.reason(),
        standing.next_step(),
        now,
        0_i64,
    ]
}

async fn insert_deliveries(
    writing: &mut Writing<'_>,
    occurrence: &Occurrence,
    deliveries: &[NewDelivery],
    now: Timestamp,
) -> Answer<()> {
    let manifests: BTreeSet<Digest> = deliveries.iter().map(|delivery| delivery.manifest).collect();
    let mut standings = BTreeMap::new();
    for manifest in manifests {
        standings.insert(manifest, locked_standing(writing, &manifest, now).await?);
    }
    let rows = deliveries.iter().filter_map(|delivery| {
        let standing = standings.get(&delivery.manifest)?;
        Some(row_of(occurrence, delivery, standing, now))
    });
    writing.insert("delivery", &NEW, rows.collect()).await
}

fn became(state: OccurrenceState, reason: &str, deliveries: &[NewDelivery]) -> serde_json::Value {
    json!({ "deliveries": deliveries.len(), "reason": reason, "state": state_text(state) })
}

impl Store {
    /// Up to which moment the slots of a schedule have been decided.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn decided_until(&self, schedule: &ScheduleId) -> Answer<Option<Timestamp>> {
        let sql = "SELECT decided_until FROM schedule_cursor WHERE schedule = $1";
        let row = self.database.one("读排期", sql, values![schedule.as_str()]).await?;
        row.map(|row| row.moment("decided_until")).transpose()
    }

    /// Notes that the slots up to `until` have been decided. Never goes back: of two schedulers,
    /// the slower one changes nothing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn set_decided_until(&self, schedule: &ScheduleId, until: Timestamp) -> Answer<()> {
        let mut writing = self.database.write("记排期").await?;
        let sql = "INSERT INTO schedule_cursor (schedule, decided_until) VALUES ($1, $2) \
                   ON CONFLICT (schedule) DO UPDATE SET decided_until = excluded.decided_until \
                   WHERE excluded.decided_until > schedule_cursor.decided_until";
        writing.run(sql, values![schedule.as_str(), until]).await?;
        writing.commit().await
    }

    /// Writes an occurrence and its deliveries in one transaction. `false`, and nothing written,
    /// where `(schedule, slot)` is there already: the only leader election (P6); nor where somebody
    /// moved the slot since it was found due: it comes up again at its new moment. Deliveries start
    /// as `Ready` or, without valid approvals, `WaitingApproval`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn open_occurrence(
        &self,
        occurrence: &Occurrence,
        deliveries: &[NewDelivery],
        actor: &str,
    ) -> Answer<bool> {
        let mut writing = self.database.write("排定一期发布").await?;
        let now = writing.now().await?;
        if slot_move::locked_due(&mut writing, &occurrence.schedule, occurrence.slot).await?
            != occurrence.due
        {
            return Ok(false);
        }
        let sql = "INSERT INTO occurrence (id, schedule, slot, state, reason, campaign, lessons) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";
        let values = values![
            &occurrence.id,
            occurrence.schedule.as_str(),
            occurrence.slot,
            state_text(occurrence.state),
            &occurrence.reason,
            occurrence.campaign.to_string(),
            lessons_text(&occurrence.lessons),
        ];
        if writing.run(sql, values).await? == 0 {
            return Ok(false);
        }
        insert_deliveries(&mut writing, occurrence, deliveries, now).await?;
        let became = became(occurrence.state, &occurrence.reason, deliveries);
        writing.note(Entry::new(actor, "occurrence.open", &occurrence.id, &became));
        writing.wake();
        writing.commit().await?;
        Ok(true)
    }

    /// Decides a held or blocked occurrence: changes its state, and adds deliveries when fired.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where its state is no longer `from`.
    pub async fn decide_occurrence(
        &self,
        id: &str,
        from: OccurrenceState,
        to: OccurrenceState,
        reason: &str,
        deliveries: &[NewDelivery],
        actor: &str,
    ) -> Answer<()> {
        let mut writing = self.database.write("决定一期发布").await?;
        let now = writing.now().await?;
        let sql = "UPDATE occurrence SET state = $1, reason = $2 WHERE id = $3 AND state = $4";
        let values = values![state_text(to), reason, id, state_text(from)];
        let changed = writing.run(sql, values).await?;
        let select = format!("SELECT {COLUMNS} FROM {FROM} WHERE o.id = $1");
        let row = writing.one(AssertSqlSafe(select), values![id]).await?;
        let row = row.ok_or_else(|| StoreError::NotFound(format!("这一期：{id}")))?;
        let occurrence = read(&row)?;
        if changed == 0 {
            return Err(StoreError::Conflict(format!(
                "{} 在 {} 的这一次现在是“{}”，不再是“{}”，别人已经决定过了",
                occurrence.schedule,
                spoken(occurrence.due),
                occurrence.state.label(),
                from.label()
            )));
        }
        insert_deliveries(&mut writing, &occurrence, deliveries, now).await?;
        let before = json!({ "state": state_text(from) });
        let became = became(to, reason, deliveries);
        writing.note(Entry::new(actor, "occurrence.decide", id, &became).after(&before));
        writing.wake();
        writing.commit().await
    }

    /// The occurrences of all schedules, or of one; newest slots first. 0 for all.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn occurrences(
        &self,
        schedule: Option<&ScheduleId>,
        limit: u32,
    ) -> Answer<Vec<Occurrence>> {
        let (filter, values) = match schedule {
            Some(schedule) => ("WHERE o.schedule = $1", values![schedule.as_str()]),
            None => ("", Vec::new()),
        };
        let limit = match limit {
            0 => String::new(),
            limit => format!(" LIMIT {limit}"),
        };
        let sql =
            format!("SELECT {COLUMNS} FROM {FROM} {filter} ORDER BY o.slot DESC, o.id{limit}");
        let rows = self.database.all("读各期发布", AssertSqlSafe(sql), values).await?;
        rows.iter().map(read).collect()
    }

    /// The occurrences that are due in `[from, until)`, by that moment.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn occurrences_due(
        &self,
        from: Timestamp,
        until: Timestamp,
    ) -> Answer<Vec<Occurrence>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM {FROM} WHERE COALESCE(m.moved_to, o.slot) >= $1 \
             AND COALESCE(m.moved_to, o.slot) < $2 ORDER BY due, o.id"
        );
        let rows =
            self.database.all("读各期发布", AssertSqlSafe(sql), values![from, until]).await?;
        rows.iter().map(read).collect()
    }

    /// The occurrences that wait for a person, newest slots first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn waiting_occurrences(&self) -> Answer<Vec<Occurrence>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM {FROM} WHERE o.state IN ('held', 'blocked') \
             ORDER BY o.slot DESC, o.id LIMIT 200"
        );
        let rows = self.database.all("读各期发布", AssertSqlSafe(sql), Vec::new()).await?;
        rows.iter().map(read).collect()
    }

    /// The occurrence of that id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn occurrence(&self, id: &str) -> Answer<Option<Occurrence>> {
        let sql = format!("SELECT {COLUMNS} FROM {FROM} WHERE o.id = $1");
        let row = self.database.one("读一期发布", AssertSqlSafe(sql), values![id]).await?;
        row.map(|row| read(&row)).transpose()
    }
}
