//! What branches report of their events, and what of it a person should look at again. Nothing is
//! refused for being unlikely and nothing is deleted: it is shown as “需核实”.

use super::{Content, Publisher, WorkError};
use crate::{
    model::BranchId,
    store::{BranchEvent, EventNumbers},
};
use jiff::{SignedDuration, ToSpan as _, civil::Date};
use std::collections::BTreeSet;

/// What one event was in the seed report, on average: staff, audience, leaflets. Until the bank
/// has a history of its own, three times as much is asked about.
const SEED: [(usize, &str, u32); 3] =
    [(0, "参与员工", 16), (1, "现场受众", 303), (3, "发放资料", 60)];
/// Three times the seed's average is asked about.
const FACTOR: u32 = 3;
/// So many events are a history.
const HISTORY: usize = 100;
/// The history reaches back so many days.
const DAYS: i32 = 400;
/// Numbers that so many branches share are asked about.
const ALIKE: usize = 3;
/// A correction so long after the event is asked about.
const LATE: SignedDuration = SignedDuration::from_hours(24 * 15);
/// An event that is reported so long after its day is asked about: a year is soon mistyped. The day
/// itself is counted too.
const LONG_AGO: SignedDuration = SignedDuration::from_hours(24 * 61);

/// The names of the six numbers, in the order of [`EventNumbers::list`]: Chinese, English, unit.
pub const NAMES: [(&str, &str, &str); 6] = [
    ("参与员工", "Staff", "人"),
    ("现场受众", "Audience on site", "人次"),
    ("其中重点人群", "Of these, priority groups", "人次"),
    ("发放资料", "Leaflets handed out", "份"),
    ("现场咨询", "Consultations", "人次"),
    ("线上人次", "Reached online", "人次"),
];

/// An event and what should be looked at again.
#[derive(Debug, Clone)]
pub struct JudgedEvent {
    /// The event.
    pub event: BranchEvent,
    /// Why, each in Chinese; empty where nothing is unusual.
    pub doubts: Vec<String>,
}

impl Publisher {
    /// The events of a branch, the latest first, with what should be looked at again.
    ///
    /// # Errors
    /// The ledger's.
    pub async fn judged_events(
        &self,
        content: &Content,
        branch: &BranchId,
        limit: u32,
    ) -> Result<Vec<JudgedEvent>, WorkError> {
        let today = self.today().await?;
        let from = today.checked_sub(DAYS.days()).unwrap_or(today);
        let own = self.store.events_of(branch, limit).await?;
        let all = if own.is_empty() {
            Vec::new()
        } else {
            self.store.events_between(from, today).await?
        };
        let limits = limits(&all);
        Ok(own
            .into_iter()
            .map(|event| {
                let doubts = match event.replaced_by {
                    Some(_) => Vec::new(),
                    None => doubts(&event, &all, &limits, content),
                };
                JudgedEvent { event, doubts }
            })
            .collect())
    }
}

/// Above which each number is asked about, and by which measure.
fn limits(all: &[BranchEvent]) -> [Option<u32>; 6] {
    let mut limits = [None; 6];
    if all.len() >= HISTORY {
        for (index, limit) in limits.iter_mut().enumerate() {
            let mut values: Vec<u32> =
                all.iter().map(|event| event.numbers.list()[index]).collect();
            values.sort_unstable();
            *limit = values.get(values.len() * 99 / 100).copied();
        }
    } else {
        for (index, _, mean) in SEED {
            limits[index] = Some(mean * FACTOR);
        }
    }
    limits
}

fn doubts(
    event: &BranchEvent,
    all: &[BranchEvent],
    limits: &[Option<u32>; 6],
    content: &Content,
) -> Vec<String> {
    let numbers = event.numbers;
    let mut doubts = Vec::new();
    for ((value, limit), (name, _, unit)) in numbers.list().into_iter().zip(limits).zip(NAMES) {
        if let Some(limit) = limit.filter(|limit| value > *limit) {
            doubts.push(format!(
                "{name} {value} {unit}，多于通常的 {limit} {unit}；请备好照片或签到"
            ));
        }
    }
    if numbers.priority_audience > numbers.audience.saturating_add(numbers.online) {
        doubts.push("重点人群比受众还多".to_owned());
    }
    if numbers.staff == 0 {
        doubts.push("没有员工参与".to_owned());
    }
    if numbers.consultations > numbers.audience.saturating_add(numbers.online) {
        doubts.push("咨询比受众还多".to_owned());
    }
    if numbers.list().iter().all(|number| *number == 0) {
        doubts.push("六个数字都是 0".to_owned());
    }
    let alike = alike(all, |other| other.numbers == numbers);
    if alike >= ALIKE && numbers != EventNumbers::default() {
        doubts.push(format!("{alike} 个网点报了一模一样的六个数字"));
    }
    let round = numbers.leaflets >= 100 && numbers.leaflets.is_multiple_of(100);
    let alike = self::alike(all, |other| other.numbers.leaflets == numbers.leaflets);
    if round && alike >= ALIKE {
        doubts.push(format!("{alike} 个网点发放的资料都是整数 {} 份", numbers.leaflets));
    }
    let edition = event.campaign.as_ref().and_then(|id| content.library.edition(id));
    if let Some(edition) = edition.filter(|own| event.day < own.from || own.until < event.day) {
        doubts.push(format!(
            "日期不在活动“{}”的 {} 到 {} 之内",
            edition.name, edition.from, edition.until
        ));
    }
    if event.replaces.is_some() && is_later_by(event, LATE) {
        doubts.push("活动过去半个月后才更正".to_owned());
    } else if is_later_by(event, LONG_AGO) {
        doubts.push(format!("{} 的活动，过了两个月才报：核对日期", event.day));
    }
    doubts
}

/// How many branches have such an event.
fn alike(all: &[BranchEvent], is_like: impl Fn(&BranchEvent) -> bool) -> usize {
    let like = all.iter().filter(|other| is_like(other));
    like.map(|other| &other.branch).collect::<BTreeSet<_>>().len()
}

/// Whether it was written so long after its day.
fn is_later_by(event: &BranchEvent, span: SignedDuration) -> bool {
    let midnight = |day: Date| day.to_zoned(crate::model::bank_zone()).map(|at| at.timestamp());
    midnight(event.day).is_ok_and(|day| day.duration_until(event.at) > span)
}
