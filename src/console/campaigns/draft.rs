//! What people typed → an edition, with every fault at once.

use super::view::EditionView;
use crate::{
    console::asked::trimmed,
    model::{Audience, CampaignId, ChannelId, Edition, LessonId, Library, Reach, TopicId},
    work::campaigns::Draft,
};
use jiff::{ToSpan as _, civil::Date};

/// Reads a date, or says what is wrong.
fn day(faults: &mut Vec<String>, what: &str, text: &str) -> Option<Date> {
    let read = text.trim().parse::<Date>().ok().filter(|day| (2000..=2200).contains(&day.year()));
    if read.is_none() {
        faults.push(format!("{what}“{}”读不懂，写成 2027-03-09", trimmed(text, 20)));
    }
    read
}

fn names<T, E>(
    faults: &mut Vec<String>,
    what: &str,
    list: &[String],
    new: impl Fn(&str) -> Result<T, E>,
) -> Vec<T> {
    let mut read = Vec::new();
    for text in list.iter().take(500) {
        match new(text.trim()) {
            Ok(name) => read.push(name),
            Err(_) => faults.push(format!("{what}“{}”不是合格的代号", trimmed(text, 40))),
        }
    }
    read
}

/// The topics of an edition where the form has no field for them: those that somebody chose for
/// it, else those of its lessons.
fn topics_kept(library: &Library, id: Option<&CampaignId>, lessons: &[LessonId]) -> Vec<TopicId> {
    let chosen = id.and_then(|id| library.edition(id)).map(|edition| edition.topics.clone());
    chosen.filter(|topics| !topics.is_empty()).unwrap_or_else(|| topics_of(library, lessons))
}

/// Where it goes and for whom.
fn reach(view: &EditionView, faults: &mut Vec<String>) -> Reach {
    let wanted = |text: &str| Audience::from_name(text).ok_or(());
    let words = |list: &[String]| -> Vec<String> {
        let words = list.iter().take(500).map(|text| trimmed(text, 60));
        words.filter(|text| !text.is_empty()).collect()
    };
    Reach {
        channels: names(faults, "渠道", &view.channels, ChannelId::new),
        audiences: names(faults, "读者", &view.audiences, wanted),
        districts: words(&view.districts),
        tags: words(&view.tags),
    }
}

/// The draft of what was typed.
pub(super) fn read(view: &EditionView, library: &Library) -> Result<Draft, Vec<String>> {
    let mut faults = Vec::new();
    let id = CampaignId::new(&format!("{}/{}", view.series.trim(), view.edition.trim()));
    if id.is_err() {
        let said = "系列和期次的代号只用小写字母、数字和连字符，例如 rights-day 和 2027";
        faults.push(said.to_owned());
    }
    let known = library.campaigns.iter().any(|series| series.id == view.series.trim());
    let name = trimmed(&view.name, 80);
    if name.is_empty() {
        faults.push("这一期的名字没有写".to_owned());
    }
    if !known && trimmed(&view.series_name, 80).is_empty() {
        faults.push("新的系列要写系列的名字".to_owned());
    }
    let from = day(&mut faults, "第一天", &view.from);
    let until = day(&mut faults, "最后一天", &view.until);
    if let (Some(from), Some(until)) = (from, until)
        && until < from
    {
        faults.push(format!("最后一天 {until} 早于第一天 {from}"));
    }
    let lessons = names(&mut faults, "课件", &view.lessons, LessonId::new);
    if view.lessons.is_empty() {
        faults.push("一课都没有选：在课件表里写上顺序".to_owned());
    }
    let mut topics = names(&mut faults, "主题", &view.topics, TopicId::new);
    if topics.is_empty() {
        topics = topics_kept(library, id.as_ref().ok(), &lessons);
    }
    let reach = reach(view, &mut faults);
    let (Ok(id), Some(from), Some(until)) = (id, from, until) else { return Err(faults) };
    let mut edition = Edition {
        id,
        name,
        theme: trimmed(&view.theme, 80),
        from,
        until,
        lessons,
        topics,
        palette: Some(trimmed(&view.palette, 40)).filter(|palette| !palette.is_empty()),
        note: trimmed(&view.note, 500),
        reach,
        schedules: Vec::new(),
    };
    let before = library.edition(&edition.id).map(|old| old.schedules.as_slice());
    edition.schedules = view.schedule.read(&edition, before.unwrap_or_default(), &mut faults);
    if !faults.is_empty() {
        return Err(faults);
    }
    Ok(Draft {
        series_name: trimmed(&view.series_name, 80),
        description: trimmed(&view.description, 300),
        edition,
    })
}

/// The topics of these lessons, in their order, each once.
fn topics_of(library: &Library, lessons: &[LessonId]) -> Vec<TopicId> {
    let mut topics = Vec::new();
    for lesson in lessons.iter().filter_map(|id| library.lesson(id)) {
        for topic in lesson.variants.values().flat_map(|variant| &variant.topics) {
            if !topics.contains(topic) {
                topics.push(topic.clone());
            }
        }
    }
    topics
}

/// Next year's edition after this one, with what has to be looked at.
pub(super) fn next_year(view: EditionView) -> EditionView {
    let later = |text: &str| {
        let day = text.parse::<Date>().ok();
        day.map_or_else(|| text.to_owned(), |day| day.saturating_add(1.year()).to_string())
    };
    let year = view.edition.parse::<i32>().ok();
    let edition = year.map_or_else(|| format!("{}-2", view.edition), |year| (year + 1).to_string());
    let name = match year {
        Some(year) => view.name.replace(&year.to_string(), &(year + 1).to_string()),
        None => view.name.clone(),
    };
    EditionView {
        note: format!("照 {}/{} 复制：名称、日期、口号都要核对。", view.series, view.edition),
        from: later(&view.from),
        until: later(&view.until),
        edition,
        name,
        schedule: view.schedule.next_year(),
        ..view
    }
}
