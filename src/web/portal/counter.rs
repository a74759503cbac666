//! Counters in memory, written to the ledger every few seconds.

use crate::{
    model::{BranchId, LessonId},
    store::{Choice, Hit, HitKind, Store},
};
use jiff::{civil::Date, tz::TimeZone};
use std::{
    collections::HashMap,
    mem,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// What is lost at most where the machine dies.
const WRITTEN_EVERY: Duration = Duration::from_secs(5);

/// What is counted together until it is written; the day is that of the writing.
type HitKey = (BranchId, LessonId, HitKind);
type ChoiceKey = (BranchId, LessonId, u32, char);

#[derive(Default)]
struct Counts {
    hits: HashMap<HitKey, u32>,
    choices: HashMap<ChoiceKey, u32>,
}

/// What guests did since the counters were last written.
pub struct Counter {
    store: Store,
    counts: Mutex<Counts>,
    /// One write at a time: the last one of a service waits for what is under way.
    writing: tokio::sync::Mutex<()>,
}

impl Counter {
    /// Counters that are written from now on, until nobody holds them.
    pub(super) fn start(store: Store) -> Arc<Self> {
        let counter = Arc::new(Self {
            store,
            counts: Mutex::default(),
            writing: tokio::sync::Mutex::default(),
        });
        let weak = Arc::downgrade(&counter);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(WRITTEN_EVERY).await;
                let Some(counter) = weak.upgrade() else { return };
                counter.write().await;
            }
        });
        counter
    }

    fn counts(&self) -> std::sync::MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn hit(&self, branch: BranchId, lesson: LessonId, kind: HitKind) {
        let mut counts = self.counts();
        let count = counts.hits.entry((branch, lesson, kind)).or_default();
        *count = count.saturating_add(1);
    }

    pub(super) fn chose(&self, branch: &BranchId, lesson: &LessonId, question: u32, choice: char) {
        let mut counts = self.counts();
        let key = (branch.clone(), lesson.clone(), question, choice);
        let count = counts.choices.entry(key).or_default();
        *count = count.saturating_add(1);
    }

    /// Writes what was counted. Where the ledger does not take it, it is counted further.
    pub async fn write(&self) {
        let _turn = self.writing.lock().await;
        let counts = mem::take(&mut *self.counts());
        if counts.hits.is_empty() && counts.choices.is_empty() {
            return;
        }
        if let Err(error) = self.write_now(&counts).await {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "客人的次数没有记下，稍后再记"
            );
            let mut now = self.counts();
            for (key, count) in counts.hits {
                *now.hits.entry(key).or_default() += count;
            }
            for (key, count) in counts.choices {
                *now.choices.entry(key).or_default() += count;
            }
        }
    }

    async fn write_now(&self, counts: &Counts) -> Result<(), crate::store::StoreError> {
        let zone = TimeZone::get("Asia/Shanghai").unwrap_or(TimeZone::UTC);
        let day: Date = self.store.now().await?.to_zoned(zone).date();
        let hits = counts.hits.iter().map(|((branch, lesson, kind), count)| Hit {
            branch: branch.clone(),
            lesson: lesson.clone(),
            day,
            kind: *kind,
            count: *count,
        });
        let choices =
            counts.choices.iter().map(|((branch, lesson, question, choice), count)| Choice {
                branch: branch.clone(),
                lesson: lesson.clone(),
                day,
                question: *question,
                choice: *choice,
                count: *count,
            });
        let (mut hits, mut choices): (Vec<Hit>, Vec<Choice>) = (hits.collect(), choices.collect());
        // Rows are locked in one order, so that two services never wait in a circle.
        hits.sort_by(|a, b| (&a.branch, &a.lesson, a.kind).cmp(&(&b.branch, &b.lesson, b.kind)));
        choices.sort_by(|a, b| {
            let key = |c: &Choice| (c.branch.clone(), c.lesson.clone(), c.question, c.choice);
            key(a).cmp(&key(b))
        });
        self.store.count_guests(&hits, &choices).await
    }
}
