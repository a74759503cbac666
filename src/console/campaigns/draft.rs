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
/// the one that is changed, else those of the lessons.
fn topics_kept(
    library: &Library,
    edits: Option<&CampaignId>,
    lessons: &[LessonId],
) -> Vec<TopicId> {
    let old = edits.and_then(|id| library.edition(id));
    let chosen = old.filter(|old| old.topics != topics_of(library, &old.lessons));
    let chosen = chosen.map(|old| old.topics.clone()).filter(|topics| !topics.is_empty());
    chosen.unwrap_or_else(|| topics_of(library, lessons))
}

/// The edition that is changed, where one is.
fn edited(view: &EditionView, faults: &mut Vec<String>) -> Option<CampaignId> {
    let text = view.edits.trim();
    let read = CampaignId::new(text).ok();
    if read.is_none() && !text.is_empty() {
        let text = trimmed(text, 60);
        faults.push(format!("要改的一期 edits“{text}”应写成 rights-day/2027；新的一期空着"));
    }
    read
}

/// Where a new series was asked for whose code another has.
fn series_taken(view: &EditionView, library: &Library) -> Option<String> {
    let own = library.campaigns.iter().find(|series| series.id == view.series.trim());
    own.filter(|_| view.new_series).map(|own| {
        format!(
            "新系列的代号“{}”已经有了，是“{}”：换一个代号；要放进它里面，“新系列的代号”空着，在“系列”里选它",
            own.id, own.name
        )
    })
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
    let mut faults = view.garbled.clone();
    faults.extend(series_taken(view, library));
    let replaces = edited(view, &mut faults);
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
        topics = topics_kept(library, replaces.as_ref(), &lessons);
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
    let before = replaces.as_ref().and_then(|id| library.edition(id));
    let before = before.map(|old| old.schedules.as_slice());
    edition.schedules = view.schedule.read(&edition, before.unwrap_or_default(), &mut faults);
    if !faults.is_empty() {
        return Err(faults);
    }
    Ok(Draft {
        series_name: trimmed(&view.series_name, 80),
        description: trimmed(&view.description, 300),
        edition,
        replaces,
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

/// The next edition after this one whose code is free, with what has to be looked at: as many years
/// later as its code is.
pub(super) fn next_year(view: EditionView, taken: &[Edition]) -> EditionView {
    let free = |code: &String| taken.iter().all(|one| one.id.edition != *code);
    let year = view.edition.parse::<i32>().ok();
    let coded = |later: i32| match year {
        Some(year) => year.saturating_add(later).to_string(),
        None => format!("{}-{}", view.edition, later.saturating_add(1)),
    };
    let later = (1..=1000).find(|later| free(&coded(*later))).unwrap_or(1);
    let edition = coded(later);
    let years = if year.is_some() { later } else { 1 };
    let moved = |text: &str| {
        let day = text.parse::<Date>().ok();
        day.map_or_else(|| text.to_owned(), |day| day.saturating_add(years.years()).to_string())
    };
    let name = match year {
        Some(year) => view.name.replace(&year.to_string(), &edition),
        None => view.name.clone(),
    };
    EditionView {
        note: format!("照 {}/{} 复制：名称、日期、口号都要核对。", view.series, view.edition),
        from: moved(&view.from),
        until: moved(&view.until),
        edition,
        name,
        schedule: view.schedule.next_year(years),
        topics: Vec::new(),
        edits: String::new(),
        ..view
    }
}
