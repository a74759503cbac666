//! What the form of a campaign sends.

use super::{rhythm::ScheduleView, view::EditionView};
use crate::console::asked::trimmed;
use serde::Deserialize;

/// What the page's form sends: lessons and their numbers side by side.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct CampaignForm {
    series: String,
    new_series: String,
    series_name: String,
    description: String,
    edition: String,
    name: String,
    theme: String,
    from: String,
    until: String,
    lesson: Vec<String>,
    order: Vec<String>,
    palette: String,
    note: String,
    channel: Vec<String>,
    audience: Vec<String>,
    district: Vec<String>,
    tag: Vec<String>,
    schedule: String,
    rhythm: String,
    weekday: Vec<String>,
    month_days: String,
    day: String,
    time: String,
    rule: String,
    lessons_per_slot: String,
    workdays_only: String,
    next_day: String,
    paused: String,
    edits: String,
    seen: String,
    anyway: String,
    find: String,
    listed: String,
}

impl From<CampaignForm> for EditionView {
    fn from(form: CampaignForm) -> Self {
        let mut picked: Vec<(u32, String, String)> = Vec::new();
        let mut garbled = Vec::new();
        for (lesson, order) in form.lesson.into_iter().zip(&form.order) {
            let order = order.trim();
            if order.is_empty() {
                continue;
            }
            let place = order.parse::<u32>().ok().filter(|place| (1..=9999).contains(place));
            if place.is_none() {
                let typed = trimmed(order, 20);
                garbled
                    .push(format!("课件 {lesson} 的“第几个”“{typed}”读不懂，写 1、2、3 这样的数"));
            }
            picked.push((place.unwrap_or(u32::MAX), trimmed(order, 20), lesson));
        }
        picked.sort_by_key(|(place, ..)| *place);
        let (orders, lessons) = picked.into_iter().map(|(_, order, it)| (order, it)).unzip();
        let new = !form.new_series.trim().is_empty();
        Self {
            series: if new { form.new_series.trim().to_owned() } else { form.series },
            series_name: form.series_name,
            description: form.description,
            edition: form.edition.trim().to_owned(),
            name: form.name,
            theme: form.theme,
            from: form.from,
            until: form.until,
            lessons,
            topics: Vec::new(),
            palette: form.palette,
            note: form.note,
            channels: form.channel,
            audiences: form.audience,
            districts: form.district,
            tags: form.tag,
            schedule: ScheduleView {
                id: form.schedule,
                rhythm: form.rhythm,
                weekdays: form.weekday,
                month_days: form.month_days,
                day: form.day,
                time: form.time,
                rule: form.rule,
                lessons_per_slot: form.lessons_per_slot,
                workdays_only: !form.workdays_only.is_empty(),
                next_day: !form.next_day.is_empty(),
                paused: !form.paused.is_empty(),
            },
            edits: form.edits.trim().to_owned(),
            seen: form.seen,
            anyway: !form.anyway.is_empty(),
            new_series: new,
            find: trimmed(&form.find, 100),
            listed: form.listed.parse().unwrap_or_default(),
            orders,
            garbled,
        }
    }
}
