//! When an edition goes out, as people say it: every Monday at eight, on the first of the month,
//! once; and the cron rule that the file keeps.

use crate::{
    console::asked::trimmed,
    model::{
        Edition, Misfire, OnBlackout, ScheduleEntry, ScheduleId, bank_zone,
        schedule::{DEFAULT_GRACE, parse_rule, shortest_gap},
    },
};
use jiff::{
    ToSpan as _,
    civil::{Date, Time},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The days of a week as rules write them, and as people do.
pub(super) const WEEKDAYS: [(&str, &str, &str); 7] = [
    ("MON", "一", "Mon"),
    ("TUE", "二", "Tue"),
    ("WED", "三", "Wed"),
    ("THU", "四", "Thu"),
    ("FRI", "五", "Fri"),
    ("SAT", "六", "Sat"),
    ("SUN", "日", "Sun"),
];

/// The hour that a new schedule proposes: before branches open.
const TIME: &str = "08:00";

/// When an edition goes out.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
#[schema(as = EditionSchedule)]
pub struct ScheduleView {
    /// Its id; empty: made of the series and the edition.
    pub(super) id: String,
    /// `none`, `daily`, `weekly`, `monthly`, `once` or `rule`; empty leaves the file's own as it is.
    pub(super) rhythm: String,
    /// For `weekly`: `MON`, `TUE`, …
    pub(super) weekdays: Vec<String>,
    /// For `monthly`: days of the month, such as `1,15`.
    pub(super) month_days: String,
    /// For `once`: the day.
    pub(super) day: String,
    /// The time of day in Asia/Shanghai, such as `08:00`.
    pub(super) time: String,
    /// For `rule`: a cron rule of five fields.
    pub(super) rule: String,
    /// How many lessons go out each time; empty: all of them where it goes out once, else one.
    pub(super) lessons_per_slot: String,
    /// Whether it only goes out on workdays.
    pub(super) workdays_only: bool,
    /// Whether a slot on a blackout day moves to the next day; else it is skipped.
    pub(super) next_day: bool,
    /// Whether it rests for now.
    pub(super) paused: bool,
}

/// A rule of one moment of the day, taken apart.
enum Rhythm {
    Daily,
    Weekly(Vec<&'static str>),
    Monthly(Vec<u8>),
    Once(i8, i8),
    Other,
}

fn take_apart(rule: &str) -> (Rhythm, Option<Time>) {
    let fields: Vec<&str> = rule.split_whitespace().collect();
    let [minute, hour, day, month, weekday] = fields[..] else { return (Rhythm::Other, None) };
    let number = |text: &str| text.parse::<i8>().ok();
    let time = number(hour).zip(number(minute));
    let Some(time) = time.and_then(|(hour, minute)| Time::new(hour, minute, 0, 0).ok()) else {
        return (Rhythm::Other, None);
    };
    let days = || day.split(',').map(|text| text.parse::<u8>().ok()).collect::<Option<Vec<_>>>();
    let known = |text: &str| WEEKDAYS.iter().find(|(name, _, _)| *name == text);
    let named = || weekday.split(',').map(|text| known(text).map(|it| it.0)).collect();
    let rhythm = match (day, month, weekday) {
        ("*", "*", "*") => Some(Rhythm::Daily),
        ("*", "*", _) => Option::<Vec<_>>::map(named(), Rhythm::Weekly),
        (_, "*", "*") => days().map(Rhythm::Monthly),
        (_, _, "*") => number(month).zip(number(day)).map(|(m, d)| Rhythm::Once(m, d)),
        _ => None,
    };
    (rhythm.unwrap_or(Rhythm::Other), Some(time))
}

/// The day of an edition that has this month and day.
fn day_of(edition: &Edition, month: i8, day: i8) -> Option<Date> {
    let years = edition.from.year()..=edition.until.year();
    let mut days = years.filter_map(|year| Date::new(year, month, day).ok());
    days.find(|day| (edition.from..=edition.until).contains(day))
}

/// A schedule in words, in Chinese and in English: `每周一、三 08:00`.
pub(super) fn described(entry: &ScheduleEntry) -> (String, String) {
    let (rhythm, time) = take_apart(&entry.rule);
    let time = time.map_or_else(String::new, |time| time.strftime("%H:%M").to_string());
    let (mut zh, mut en) = match rhythm {
        Rhythm::Daily => (format!("每天 {time}"), format!("every day {time}")),
        Rhythm::Weekly(days) => {
            let named = || WEEKDAYS.iter().filter(|(name, _, _)| days.contains(name));
            let zh: Vec<&str> = named().map(|(_, name, _)| *name).collect();
            let en: Vec<&str> = named().map(|(_, _, name)| *name).collect();
            (format!("每周{} {time}", zh.join("、")), format!("every {} {time}", en.join(", ")))
        }
        Rhythm::Monthly(days) => {
            let days: Vec<String> = days.iter().map(ToString::to_string).collect();
            let zh = format!("每月 {} 日 {time}", days.join("、"));
            (zh, format!("monthly on {} {time}", days.join(", ")))
        }
        Rhythm::Once(month, day) => {
            (format!("{month} 月 {day} 日 {time}"), format!("on {month:02}-{day:02} {time}"))
        }
        Rhythm::Other => (format!("规则 {}", entry.rule), format!("by {}", entry.rule)),
    };
    if entry.workdays_only {
        zh += "，只在工作日";
        en += ", on workdays";
    }
    if !entry.enabled {
        zh += "，暂停";
        en += ", paused";
    }
    (zh, en)
}

impl ScheduleView {
    /// A schedule for somebody who plans a new edition.
    pub(super) fn proposed() -> Self {
        Self { rhythm: "none".to_owned(), time: TIME.to_owned(), ..Self::default() }
    }

    /// The schedule of an edition, the first where its file has several.
    pub(super) fn of(edition: &Edition) -> Self {
        let Some(entry) = edition.schedules.first() else { return Self::proposed() };
        let (rhythm, time) = take_apart(&entry.rule);
        let mut view = Self {
            id: entry.id.to_string(),
            time: time.map_or_else(String::new, |time| time.strftime("%H:%M").to_string()),
            lessons_per_slot: entry.lessons_per_slot.to_string(),
            workdays_only: entry.workdays_only,
            next_day: entry.on_blackout == OnBlackout::NextDay,
            paused: !entry.enabled,
            ..Self::default()
        };
        let name = match rhythm {
            Rhythm::Daily => "daily",
            Rhythm::Weekly(days) => {
                view.weekdays = days.into_iter().map(str::to_owned).collect();
                "weekly"
            }
            Rhythm::Monthly(days) => {
                let days: Vec<String> = days.iter().map(ToString::to_string).collect();
                view.month_days = days.join(",");
                "monthly"
            }
            Rhythm::Once(month, day) if day_of(edition, month, day).is_some() => {
                let day = day_of(edition, month, day);
                view.day = day.map_or_else(String::new, |day| day.to_string());
                "once"
            }
            Rhythm::Once(..) | Rhythm::Other => {
                view.rule.clone_from(&entry.rule);
                "rule"
            }
        };
        name.clone_into(&mut view.rhythm);
        view
    }

    /// For an edition so many years later.
    pub(super) fn next_year(self, years: i32) -> Self {
        let day = self.day.parse::<Date>().ok();
        let later = day.map(|day| day.saturating_add(years.years()).to_string());
        Self { id: String::new(), day: later.unwrap_or_default(), ..self }
    }

    /// As the form sends it.
    pub(super) fn fields(&self) -> Vec<(String, String)> {
        let mut fields = vec![
            ("schedule", self.id.clone()),
            ("rhythm", self.rhythm.clone()),
            ("month_days", self.month_days.clone()),
            ("day", self.day.clone()),
            ("time", self.time.clone()),
            ("rule", self.rule.clone()),
            ("lessons_per_slot", self.lessons_per_slot.clone()),
        ];
        fields.extend(self.weekdays.iter().map(|day| ("weekday", day.clone())));
        let ticked = |(name, on): (&'static str, bool)| on.then(|| (name, "yes".to_owned()));
        let ticks = [
            ("workdays_only", self.workdays_only),
            ("next_day", self.next_day),
            ("paused", self.paused),
        ];
        fields.extend(ticks.into_iter().filter_map(ticked));
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// Its schedule in words, for whoever compares two of them; empty where it has none.
    pub(super) fn in_words(&self, edition: &Edition) -> String {
        let read = self.read(edition, &edition.schedules, &mut Vec::new());
        let told = |entry: &ScheduleEntry| {
            let number = entry.lessons_per_slot;
            format!("{}：{}，每次 {number} 课", entry.id, described(entry).0)
        };
        read.first().map(told).unwrap_or_default()
    }

    pub(super) fn is(&self, rhythm: &str) -> bool {
        self.rhythm == rhythm
    }

    pub(super) fn has_day(&self, weekday: &str) -> bool {
        self.weekdays.iter().any(|own| own == weekday)
    }

    fn time(&self, faults: &mut Vec<String>) -> Option<Time> {
        let text = self.time.trim();
        let read = text.parse::<Time>().ok().filter(|time| time.second() == 0);
        if read.is_none() {
            faults.push(format!("排期的时间“{}”读不懂，写成 08:00", trimmed(text, 20)));
        }
        read
    }

    /// The days part of the rule: day, month, weekday.
    fn days(&self, edition: &Edition, faults: &mut Vec<String>) -> Option<String> {
        match self.rhythm.as_str() {
            "daily" => Some("* * *".to_owned()),
            "weekly" => {
                let names = WEEKDAYS.iter().map(|(name, _, _)| *name);
                let days: Vec<&str> = names.filter(|name| self.has_day(name)).collect();
                if days.is_empty() {
                    faults.push("每周发：勾上星期几".to_owned());
                }
                Some(format!("* * {}", days.join(",")))
            }
            "monthly" => self.month_days(faults),
            "once" => self.one_day(edition, faults),
            other => {
                let known = "none、daily、weekly、monthly、once、rule";
                faults.push(format!("排期的节奏“{}”不认识，写 {known}", trimmed(other, 20)));
                None
            }
        }
    }

    fn month_days(&self, faults: &mut Vec<String>) -> Option<String> {
        let parts = self.month_days.split([',', '，', '、', ' ']).filter(|text| !text.is_empty());
        let read = |text: &str| text.trim().parse::<u8>().ok().filter(|day| (1..=31).contains(day));
        let days: Option<Vec<u8>> = parts.map(read).collect();
        let mut days = days.filter(|days| !days.is_empty()).or_else(|| {
            let text = trimmed(&self.month_days, 40);
            faults.push(format!("每月发：日子“{text}”读不懂，写成 1 或 1,15"));
            None
        })?;
        days.sort_unstable();
        days.dedup();
        let days: Vec<String> = days.iter().map(ToString::to_string).collect();
        Some(format!("{} * *", days.join(",")))
    }

    fn one_day(&self, edition: &Edition, faults: &mut Vec<String>) -> Option<String> {
        let (from, until) = (edition.from, edition.until);
        let Ok(day) = self.day.trim().parse::<Date>() else {
            let text = trimmed(&self.day, 20);
            faults.push(format!("只发一次：哪一天“{text}”读不懂，写成 2027-03-15"));
            return None;
        };
        if !(from..=until).contains(&day) {
            faults.push(format!("只发一次：{day} 不在活动的 {from} 至 {until} 之内"));
        }
        // A rule has no year: it would come again.
        let again = day.saturating_add(1.year());
        if again <= until || day.saturating_sub(1.year()) >= from {
            let said = "活动长过一年，这一天会到两次；把最后一天改早，或用别的节奏";
            faults.push(format!("只发一次：{said}"));
        }
        Some(format!("{} {} *", day.day(), day.month()))
    }

    fn rule(&self, edition: &Edition, faults: &mut Vec<String>) -> Option<String> {
        if self.rhythm == "rule" {
            let rule = self.rule.split_whitespace().collect::<Vec<_>>().join(" ");
            return match parse_rule(&rule) {
                Ok(read) if shortest_gap(&read).is_some_and(|gap| gap.as_mins() < 60) => {
                    let text = trimmed(&rule, 60);
                    faults.push(format!(
                        "排期的规则“{text}”比每小时一次还密；一小时至多一次，例如 0 8 * * MON 是每周一 8:00"
                    ));
                    None
                }
                Ok(_) => Some(rule),
                Err(error) => {
                    faults.push(format!("排期的规则{error}"));
                    None
                }
            };
        }
        let time = self.time(faults);
        let days = self.days(edition, faults);
        let (time, days) = time.zip(days)?;
        Some(format!("{} {} {days}", time.minute(), time.hour()))
    }

    fn count(&self, edition: &Edition, faults: &mut Vec<String>) -> usize {
        let text = self.lessons_per_slot.trim();
        if text.is_empty() {
            return if self.rhythm == "once" { edition.lessons.len().clamp(1, 50) } else { 1 };
        }
        match text.parse::<usize>() {
            Ok(number @ 1..=50) => number,
            _ => {
                faults.push(format!("每次几课“{}”读不懂，写 1 到 50", trimmed(text, 20)));
                1
            }
        }
    }

    /// The schedules of an edition with what was typed: its first is this one, the others are kept
    /// as they were in `before`.
    pub(super) fn read(
        &self,
        edition: &Edition,
        before: &[ScheduleEntry],
        faults: &mut Vec<String>,
    ) -> Vec<ScheduleEntry> {
        let others = before.iter().skip(1).cloned();
        match self.rhythm.as_str() {
            "" => return before.to_vec(),
            "none" => return others.collect(),
            _ => {}
        }
        let id = match self.id.trim() {
            "" => format!("{}-{}", edition.id.series, edition.id.edition),
            own => own.to_owned(),
        };
        let id = ScheduleId::new(&id).map_err(|_| {
            let said = "只用小写字母、数字和连字符，以字母开头";
            faults.push(format!("排期的代号“{}”不合格：{said}", trimmed(&id, 40)));
        });
        let lessons_per_slot = self.count(edition, faults);
        let rule = self.rule(edition, faults);
        let (Ok(id), Some(rule)) = (id, rule) else { return before.to_vec() };
        let kept = before.first();
        let own = ScheduleEntry {
            id,
            campaign: edition.id.clone(),
            rule,
            time_zone: bank_zone(),
            misfire: kept.map_or(Misfire::RunLatest, |kept| kept.misfire),
            grace: kept.map_or(DEFAULT_GRACE, |kept| kept.grace),
            channels: kept.map(|kept| kept.channels.clone()).unwrap_or_default(),
            lessons_per_slot,
            on_blackout: if self.next_day { OnBlackout::NextDay } else { OnBlackout::Skip },
            workdays_only: self.workdays_only,
            enabled: !self.paused,
        };
        std::iter::once(own).chain(others).collect()
    }
}
